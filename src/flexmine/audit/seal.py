"""The seal of a written plan: one sha256 over all of plan.json, the hashes of the other files included.

Anyone who may write a plan's directory may also seal it again.  So a seal counts where it is kept elsewhere too: in
the store's row of the run, in the publication, or by whoever runs the audit.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flexmine._version import __version__
from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.strict_json import read_strictly

SEAL = "seal"
SEALED_SINCE = (0, 2)
"""The first version of flexmine whose plans are sealed."""
SHA256 = re.compile(r"[0-9a-f]{64}")
RUN_SCHEMA, PUBLICATION_SCHEMA = "flexmine-run/1", "flexmine-publication/1"
LAST_SEQUENCE = 99_999_999
"""Highest number of a publication: its folder has eight digits."""
MAX_FILE_BYTES = 1024**3
_NUMBERS = re.compile(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[.+a-z-][.+a-z0-9-]*)?", re.ASCII)


@dataclass(frozen=True)
class Witness:
    """What is known about a plan's seal outside the plan's own directory.

    Attributes
    ----------
    where : str
        Where it is known, as messages name it.
    seal : str
        Empty where nothing is known.
    version : str
        Of the flexmine that made the plan; empty where that is not known, as before plans were sealed.
    """

    where: str
    seal: str = ""
    version: str = ""


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `document` of a plan with its seal as the last key."""
    return {**_unsealed(document), SEAL: seal_of(document)}


def seal_of(document: Mapping[str, Any]) -> str:
    """Return the sha256 over the canonical form of a plan's `document`, in hexadecimal digits.

    Canonical is JSON with sorted keys, no blanks and ASCII characters only, without the key ``seal``; numbers are
    written as Python's shortest text that reads back as the same number.

    Raises
    ------
    ValueError
        The document holds a number that JSON does not know.
    """
    text = json.dumps(_unsealed(document), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_bytes(file: Path) -> bytes:
    """Return the bytes of a regular `file` of at most 1 GiB.

    Raises
    ------
    BadInput
        The file is missing, cannot be read, is not a regular file or is too large.
    """
    try:
        return read_regular(file, MAX_FILE_BYTES)
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from error


def sha256(file: Path) -> str:
    """Return the sha256 of a regular `file` in hexadecimal digits.

    Raises
    ------
    BadInput
        As by :func:`read_bytes`.
    """
    return hashlib.sha256(read_bytes(file)).hexdigest()


def seals_its_plans(version: str) -> bool:
    """Return whether flexmine seals its plans in a `version`; an unreadable one counts as new, an empty one as old."""
    if not version:
        return False
    found = _numbers(version)
    return found is None or found[:2] >= SEALED_SINCE


def _numbers(version: str) -> tuple[int, int, int] | None:
    """Return the three numbers of a version; None where it cannot be read."""
    found = _NUMBERS.fullmatch(version)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3] or 0))


def _is_known(version: str) -> bool:
    """Return whether a version is this one or an earlier one, whose plans are known here."""
    found, own = _numbers(version), _numbers(__version__)
    assert own is not None
    return found is not None and found <= own


def version_of(document: Mapping[str, Any]) -> str:
    """Return the version of flexmine that a plan's `document` names; empty where it names none."""
    versions = document.get("versions")
    return str(versions.get("flexmine", "")) if isinstance(versions, dict) else ""


def is_own_version(document: Mapping[str, Any]) -> bool:
    """Return whether this version of flexmine made the plan of `document`, by its numbers: 0.2 equals 0.2.0.dev0."""
    return _numbers(version_of(document)) == _numbers(__version__)


def is_sealed(document: Mapping[str, Any]) -> bool:
    """Return whether a plan's `document` carries a seal, whether or not it is the right one."""
    return document.get(SEAL) is not None


def seal_faults(
    document: Mapping[str, Any], witnesses: Sequence[Witness] = (), *, strict: bool = False
) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with the seal of a plan.

    A plan without a seal comes from an older version.  That is a fault only where `strict` is set, where the document
    or a witness names a version that seals its plans, or where a witness knows a seal.

    Parameters
    ----------
    document : mapping
        Content of plan.json.
    witnesses : sequence of Witness
        What is known about the seal elsewhere.
    strict : bool, default False
        Whether a missing seal is a fault in any case.
    """
    seal, version = document.get(SEAL), version_of(document)
    if version and not _is_known(version):
        yield (
            f"plan.json: says that flexmine {version!r} has made it, and this is {__version__}: what a later version "
            "writes is not known here."
        )
    known = [w for w in witnesses if w.seal]
    if seal is None:
        sealing = [Witness("plan.json itself", version=version), *witnesses]
        for witness in [w for w in sealing if w.seal or seals_its_plans(w.version)]:
            what = f"has its seal, {witness.seal[:16]}"
            if not witness.seal:
                what = f"says that flexmine {witness.version} has made it, which seals every plan"
            yield f"plan.json: has no seal, and {witness.where} {what}: the seal was removed."
            return
        if strict:
            yield "plan.json: has no seal: it is of an older version; without --strict it is taken, with a mark."
        return
    if not (isinstance(seal, str) and SHA256.fullmatch(seal)):
        yield f"plan.json: seal {seal!r} is not a sha256."
        return
    try:
        true = seal_of(document)
    except (ValueError, RecursionError):
        true = "one that cannot be computed"
    if seal != true:
        yield f"plan.json: was altered after it was sealed: its seal is {seal[:16]}, its content has {true[:16]}."
    if not seals_its_plans(version):
        made = f"says that flexmine {version} has made it, which sealed none" if version else "names no version"
        yield f"plan.json: has a seal, and {made}."
    for witness in known:
        if witness.seal != seal:
            yield (
                f"plan.json: is not the plan that was sealed: its seal is {_shown(seal, witness.seal)}, "
                f"{witness.where} has {_shown(witness.seal, seal)}."
            )


def _shown(seal: str, other: str) -> str:
    """Return as much of a seal as distinguishes it from another one."""
    return seal if seal[:16] == other[:16] else seal[:16]


def witnesses_beside(directory: Path) -> tuple[Witness, ...]:
    """Return what a run's record, or a publication, states about the plan's `directory` that lies beside it.

    Raises
    ------
    BadInput
        There is such a file, and it cannot be read.
    """
    found = []
    for name, schema in (("record.json", RUN_SCHEMA), ("publication.json", PUBLICATION_SCHEMA)):
        file = directory.parent / name
        if not file.is_file():
            continue
        try:
            document = read_strictly(read_bytes(file))
        except ValueError as error:
            raise BadInput(f"{file}: {error}") from error
        if isinstance(document, dict) and document.get("schema") == schema:
            found.append(Witness(f"{name} beside it", str(document.get(SEAL, "")), str(document.get("flexmine", ""))))
    return tuple(found)


def file_faults(directory: Path, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each file in `directory` whose sha256 differs from the one under ``files`` in `document`.

    A file that is listed and missing, or whose name is not a plain file name, is a fault too.

    Raises
    ------
    BadInput
        As by :func:`sha256`.
    """
    files = document.get("files")
    for name, digest in files.items() if isinstance(files, dict) else ():
        if Path(name).name != name or name in (".", ".."):
            yield f"plan.json: files: {name!r} is not a plain file name."
        elif not (directory / name).is_file():
            yield f"plan.json: files: {name} is listed and is not in the directory."
        elif sha256(directory / name) != digest:
            yield f"{name}: its sha256 is not the one in plan.json."


def _unsealed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != SEAL}
