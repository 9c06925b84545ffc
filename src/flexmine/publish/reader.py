"""Reading what is published: follow the pointer once, then read from the directory that it named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flexmine.audit.seal import Witness, read_bytes, sha256
from flexmine.errors import BadInput
from flexmine.moments import NoTime, read_moment
from flexmine.publish.table import Row, read_rows
from flexmine.strict_json import fault_of_values, read_strictly

PUBLICATION_SCHEMA = "flexmine-publication/1"
POINTER, SETPOINTS, DOCUMENT, PLAN = "current", "setpoints.csv", "publication.json", "plan"
SEQUENCE = re.compile(r"[0-9]{8}")
MOST_TOLERANCE_KW = 10_000.0
KINDS: Mapping[str, type | tuple[type, ...]] = {
    "sequence": int,
    **dict.fromkeys(("plan_id", "plant", "status", "published_at", "valid_from", "plan_from", "valid_until"), str),
    "tolerance_kw": (int, float),
    "after_validity": dict,
    "containers": list,
    "files": dict,
}


@dataclass(frozen=True)
class Publication:
    """One publication, in a directory that never changes once it has its name."""

    directory: Path
    document: Mapping[str, Any]

    @property
    def sequence(self) -> int:
        """Number of the publication; every later one has a higher number."""
        return int(self.document["sequence"])

    @property
    def plan_id(self) -> str:
        """Name of the plan that begins last in it."""
        return str(self.document["plan_id"])

    @property
    def valid_until(self) -> datetime:
        """Moment from which on machines do what ``after_validity`` states, aware.

        Raises
        ------
        BadInput
            publication.json holds no such time.
        """
        try:
            return read_moment(self.document["valid_until"])
        except NoTime as error:
            raise BadInput(f"{self.directory / DOCUMENT}: valid_until: {error}") from error

    @property
    def plan_directory(self) -> Path:
        """The audited plan, as ``flexmine plan`` wrote it."""
        return self.directory / PLAN

    def rows(self) -> list[Row]:
        """Return the rows of setpoints.csv.

        Raises
        ------
        BadInput
            As by :func:`flexmine.publish.table.read_rows`.
        """
        return read_rows(self.directory / SETPOINTS)

    def faults(self) -> list[str]:
        """Return a sentence for each file that is not the one that was published."""
        found = []
        for name, digest in self.document["files"].items():
            try:
                same = sha256(self.directory / name) == digest
            except BadInput as error:
                found += error.messages
                continue
            if not same:
                found.append(f"{self.directory / name}: its sha256 is not the one in {DOCUMENT}")
        return found


def read_current(target: Path) -> Publication | None:
    """Return what `target` publishes now; None where nothing is.

    Raises
    ------
    BadInput
        The pointer names something that is not a publication.
    """
    try:
        pointed = (target / POINTER).readlink()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{target / POINTER}: is not a link that flexmine wrote ({error.strerror or error})") from error
    if SEQUENCE.fullmatch(str(pointed)) is None:
        raise BadInput(f"{target / POINTER}: leads to {pointed}, which is not a publication beside it")
    return read_publication(target / pointed)


def read_publication(directory: Path) -> Publication:
    """Read the publication in `directory`.

    Raises
    ------
    BadInput
        publication.json cannot be read, or is not as flexmine writes it.
    """
    file = directory / DOCUMENT
    try:
        document = read_strictly(read_bytes(file))
    except ValueError as error:
        raise BadInput(f"{file}: is not JSON that can be read: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != PUBLICATION_SCHEMA:
        raise BadInput(f"{file}: is not a publication of flexmine: schema {PUBLICATION_SCHEMA!r} expected")
    unseen = fault_of_values(document)
    if unseen is not None:
        raise BadInput(f"{file}: {unseen}")
    wrong = next(_wrong_keys(document), None)
    if wrong is not None:
        raise BadInput(f"{file}: {wrong} is missing or of another kind than flexmine writes")
    if SEQUENCE.fullmatch(directory.name) and int(directory.name) != document["sequence"]:
        raise BadInput(f"{file}: sequence is {document['sequence']}, its folder is {directory.name}")
    return Publication(directory, document)


def _wrong_keys(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys that whoever reads a publication needs, and that are not as :mod:`.directory` writes them."""
    for key, kind in KINDS.items():
        value = document.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            yield key
    tolerance, files, after = (document.get(key) for key in ("tolerance_kw", "files", "after_validity"))
    if not isinstance(tolerance, int | float) or not 0.0 < tolerance <= MOST_TOLERANCE_KW:
        yield "tolerance_kw"
    if not (isinstance(files, dict) and isinstance(files.get(SETPOINTS), str)):
        yield f"files: the sha256 of {SETPOINTS}"
    if not (isinstance(after, dict) and isinstance(after.get("action"), str)):
        yield "after_validity.action"


def witnesses_of_run(target: Path, run: Any) -> tuple[Witness, ...]:
    """Return what the publications of a run state about the seal of its plan; damaged ones are passed over.

    Parameters
    ----------
    target : Path
        Directory of all publications.
    run : RunRecord
        Or anything else with a `run_id`.
    """
    found = []
    for publication in publications(target):
        document = publication.document
        made_from = document.get("run")
        if isinstance(made_from, dict) and made_from.get("run_id") == run.run_id:
            found.append(_witness(publication))
    return tuple(found)


def witnesses_of_time(target: Path, plant: str, plan_from: str) -> tuple[Witness, ...]:
    """Return which publications in `target` hold a sealed plan of `plant` that begins at `plan_from` (ISO 8601).

    They state nothing about the seal of another plan of that time, but one without any seal would be a step back.
    """
    found = [
        _witness(publication)
        for publication in publications(target)
        if publication.document.get("plant") == plant and publication.document.get("plan_from") == plan_from
    ]
    return tuple(Witness(w.where, version=w.version) for w in found if w.seal)


def _witness(publication: Publication) -> Witness:
    document = publication.document
    seal, version = document.get("seal"), document.get("flexmine")
    return Witness(f"publication {publication.directory.name}", str(seal or ""), str(version or ""))


def publications(target: Path) -> Iterator[Publication]:
    """Yield the publications in `target` that can be read, whole or not, the newest first."""
    names = sorted((e.name for e in target.iterdir()), reverse=True) if target.is_dir() else []
    for name in [n for n in names if SEQUENCE.fullmatch(n)]:
        try:
            yield read_publication(target / name)
        except BadInput:
            continue
