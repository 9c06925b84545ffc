"""Whether a stored run is unchanged: its plan against its seal, its inputs against their hash."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flexmine.audit.directory import audit_directory
from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import Witness, file_faults, is_sealed, seal_faults, sha256, witnesses_beside
from flexmine.errors import BadInput, first_of
from flexmine.store.records import RunRecord

SHOWN_FAULTS = 5
LOG = logging.getLogger("flexmine.store")
WHAT_TO_DO = "what to do stands in the runbook (docs/runbook.md) under 'A stored plan was altered'"


@dataclass(frozen=True)
class Checked:
    """The folder of a stored plan that is unchanged, and whether a seal proves it."""

    plan: Path
    sealed: bool


@dataclass(frozen=True)
class Stored:
    """The two folders of a stored run, both unchanged."""

    plan: Path
    inputs: Path


def checked_plan(
    place: Path, record: RunRecord, witnesses: Sequence[Witness] = (), *, strict: bool = False, audited: bool = False
) -> Checked:
    """Return the folder of a stored plan, after comparing it with its seal.

    A plan of an older version, which has none, has to pass the audit from its files instead.  Where the row knows the
    seal and a publication another, one of the two was altered: the row holds, and the plan has to pass too.

    Parameters
    ----------
    place : Path
        Folder of the run.
    record : RunRecord
    witnesses : sequence of Witness
        Who knows the seal beside the record, such as the publication.
    strict : bool, default False
        Whether a plan without a seal is refused.
    audited : bool, default False
        Whether the plan has to pass the audit in any case: a new plan follows from it.

    Raises
    ------
    BadInput
        The plan was altered after it was stored, or cannot be read.
    """
    plan = place / "plan"
    document = read_document(plan)
    own = [Witness("the store", record.seal, record.flexmine), *witnesses_beside(plan)]
    doubts = [w for w in witnesses if record.seal and w.seal not in ("", record.seal)]
    known = own if record.seal else [*own, *witnesses]
    faults = [*seal_faults(document, known, strict=strict), *file_faults(plan, document)]
    if not faults and (audited or doubts or not is_sealed(document)):
        faults = list(audit_directory(plan).violations)
    for witness in doubts:
        LOG.warning("%s: revision %d: %s has another seal than the store", record.day, record.revision, witness.where)
    if faults:
        messages = [f"{plan}: the stored plan of {record.day}, revision {record.revision}: {fault}" for fault in faults]
        advice = [WHAT_TO_DO] if is_sealed(document) or not strict else []
        raise BadInput([*first_of(messages, SHOWN_FAULTS, "more faults"), *advice])
    return Checked(plan, is_sealed(document))


def checked_inputs(place: Path, record: RunRecord) -> Path:
    """Return the folder of the inputs of the run in `place`, after comparing them with the hash in its record.

    Raises
    ------
    BadInput
        They are not those that the run was planned from, or cannot be read.
    """
    inputs = place / "inputs"
    if digest_of(inputs) != record.inputs_sha256:
        raise BadInput(f"{inputs}: these are not the inputs that run {record.run_id} was planned from; {WHAT_TO_DO}")
    return inputs


def digest_of(folder: Path) -> str:
    """Return the sha256 over the names and contents of all files below `folder`, in hexadecimal digits.

    Raises
    ------
    BadInput
        A file cannot be read, or is not a regular file.
    """
    total = hashlib.sha256()
    try:
        paths = sorted(p for p in folder.rglob("*") if not p.is_dir() or p.is_symlink())
    except OSError as error:  # also where it is removed meanwhile
        raise BadInput(f"{folder}: cannot be read: {error.strerror or error}") from error
    for path in paths:
        total.update(f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode())
    return total.hexdigest()
