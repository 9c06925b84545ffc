"""The file of a backup: its names, its manifest, and reading all of it before any of it is trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from flexmine.errors import BadInput, first_of, printable
from flexmine.inputs.explain import explain
from flexmine.inputs.fields import AwareTime, Document
from flexmine.store.archive import LIMITS, Limits, Wanted, unpack
from flexmine.store.database import NEWEST_VERSION
from flexmine.store.places import run_file
from flexmine.store.record_schema import Sha256, Text
from flexmine.store.row_checks import SHOWN, Rows, check_rows
from flexmine.strict_json import read_strictly

BACKUP_SCHEMA = "flexmine-backup/1"
MANIFEST, ROWS, FILES = "manifest.json", "rows.json", "files"
MANIFEST_BYTES = 256 * 2**20
ROWS_BYTES = 2**30


class Manifest(Document):
    """manifest.json: whose backup it is, and the sha256 of every file by its name in the store."""

    schema_: Literal["flexmine-backup/1"] = Field(alias="schema")
    plant: Text
    tables_version: Text
    flexmine: Text
    made: AwareTime
    files: dict[str, Sha256]


@dataclass(frozen=True)
class Counts:
    """How much a backup holds.

    Attributes
    ----------
    aside : Path or None
        Folder of the files that a restore has replaced.
    """

    runs: int
    rows: int
    files: int
    aside: Path | None = None


@dataclass(frozen=True)
class Contents:
    """The manifest and the rows of a backup, checked."""

    manifest: Manifest
    rows: Rows

    @property
    def counts(self) -> Counts:
        """Numbers of runs, rows and files."""
        return Counts(len(self.rows["runs"]), sum(map(len, self.rows.values())), len(self.manifest.files))


def read_backup(source: Path, plant: str, into: Path | None = None, limits: Limits = LIMITS) -> Contents:
    """Read a backup to its end and check all of it that can be checked without a database.

    Parameters
    ----------
    source : Path
        The backup.
    plant : str
        Whose backup it has to be.
    into : Path, optional
        The new folder of the plant; without it the files are only compared with their sha256.
    limits : Limits, optional
        How much it may hold.

    Returns
    -------
    Contents

    Raises
    ------
    BadInput
        It is not a whole backup of this plant and version of the tables.  Reported are all files that are missing,
        altered or not named in the manifest, and all rows that are wrong.
    """

    def wanted(name: str) -> Wanted | None:
        if name in (MANIFEST, ROWS):
            return Wanted(None, MANIFEST_BYTES if name == MANIFEST else ROWS_BYTES, kept=True)
        top, _, inside = name.partition("/")
        if top != FILES or run_file(inside) is None:
            return None
        owner, _, below = inside.partition("/")
        if owner != plant:
            raise BadInput(f"is of plant {owner}, the job is of {plant}")
        return Wanted(None if into is None else into / below, limits.file_bytes)

    found = unpack(source, wanted, limits)
    missing = [name for name in (MANIFEST, ROWS) if name not in found.kept]
    if missing:
        raise BadInput(f"{source}: is not a whole backup of flexmine: {' and '.join(missing)} missing")
    manifest = _manifest(source, _json(source, MANIFEST, found.kept[MANIFEST]), plant)
    hashes = {name.removeprefix(f"{FILES}/"): digest for name, digest in found.hashes.items() if name not in found.kept}
    _compare(source, manifest.files, hashes)
    rows = check_rows(f"{source}: {ROWS}", _json(source, ROWS, found.kept[ROWS]), plant)
    _match(source, rows, manifest.files)
    return Contents(manifest, rows)


def _json(source: Path, name: str, raw: bytes) -> Any:
    try:
        return read_strictly(raw)
    except ValueError as error:
        raise BadInput(printable(f"{source}: is not a whole backup of flexmine: {name}: {error}")) from error


def _manifest(source: Path, document: Any, plant: str) -> Manifest:
    if not isinstance(document, dict) or document.get("schema") != BACKUP_SCHEMA:
        raise BadInput(f"{source}: is not a backup of flexmine: schema {BACKUP_SCHEMA!r} expected")
    try:
        manifest = Manifest.model_validate(document)
    except ValidationError as error:
        found = [f"{source}: {MANIFEST}: {'.'.join(map(str, f.keys))}: {f.message}" for f in explain(error, Manifest)]
        raise BadInput(first_of(list(map(printable, found)), SHOWN)) from error
    if manifest.plant != plant:
        raise BadInput(f"{source}: is of plant {manifest.plant}, the job is of {plant}")
    if manifest.tables_version != NEWEST_VERSION:
        raise BadInput(
            f"{source}: its tables are of version {manifest.tables_version}, this flexmine has {NEWEST_VERSION}; "
            f"restore with flexmine {manifest.flexmine}, then bring that store to this version"
        )
    return manifest


def _compare(source: Path, listed: dict[str, str], hashes: dict[str, str]) -> None:
    wrong = [f"{name} is missing or damaged" for name, digest in listed.items() if hashes.get(name) != digest]
    wrong += [f"member '{FILES}/{name}': is not named in the manifest" for name in hashes if name not in listed]
    _raise(source, wrong)


def _match(source: Path, rows: Rows, files: Iterable[str]) -> None:
    """Refuse runs without files and files without a run."""
    owners = {name: name.rsplit("/", name.count("/") - 2)[0] for name in files}
    kept, known = set(owners.values()), {row["folder"] for row in rows["runs"]}
    wrong = [
        f"{ROWS}: table runs, row {number}: folder: {row['folder']!r} has no files in the backup"
        for number, row in enumerate(rows["runs"], 1)
        if row["folder"] not in kept
    ]
    wrong += [f"{name} belongs to no row of the table runs" for name, owner in owners.items() if owner not in known]
    _raise(source, wrong)


def _raise(source: Path, wrong: list[str]) -> None:
    if wrong:
        raise BadInput(first_of([printable(f"{source}: {sentence}") for sentence in wrong], SHOWN))
