"""The store of one plant as a single file: rows as JSON, files unchanged, each with its sha256.

The file does not depend on the database: what was backed up from SQLite can be restored into PostgreSQL.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from flexmine._version import __version__
from flexmine.durable import replace_durably, sync
from flexmine.errors import BadInput, printable
from flexmine.files import read_regular
from flexmine.store.archive import LIMITS
from flexmine.store.backup_file import BACKUP_SCHEMA, FILES, MANIFEST, ROWS, Counts, read_backup
from flexmine.store.database import NEWEST_VERSION, refusals_told
from flexmine.store.places import ALLOWED, RECORD_FILE, refuse_links, run_file
from flexmine.store.row_checks import Rows, check_rows
from flexmine.store.swap import tables
from flexmine.store.tables import MARK, RunRow
from flexmine.strict_json import read_strictly, shown

GZIP_MAGIC = b"\x1f\x8b"
LONGEST_BACKUP_S = 86_400.0
"""What was begun longer ago and has not got its name was left by a backup that was killed."""


def backup(engine: Engine, root: Path, plant: str, target: Path) -> Counts:
    """Write rows and files of a plant into one compressed file, complete or not at all.

    The rows are read in one transaction.  Files of a run never change, so they are copied after it; a run that is
    pruned meanwhile is left out, row and files.  Before the file gets its name it is read back as a restore would, so
    that what could not be restored is reported now.

    Parameters
    ----------
    engine : Engine
        The database.
    root : Path
        Folder of all runs.
    plant : str
        Whose rows and files are written.
    target : Path
        The file; an earlier backup of this name is replaced.  Only its owner may read it.

    Returns
    -------
    Counts

    Raises
    ------
    BadInput
        The database or a file cannot be read; a row is not as flexmine writes it; a folder of a run holds a link or
        anything else but its files; the place cannot be written or is not one for a backup.
    """
    try:
        _refuse_target(root, target)
        with refusals_told("the store cannot be read"):
            rows = check_rows("the store", rows_of(engine, plant), plant)
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(target)
        # No name by the number of the process: in a container that is the same every night.
        handle, name = tempfile.mkstemp(prefix=_unfinished(target), dir=target.parent)
        beside = Path(name)
        try:
            _write(handle, rows, root, plant)
            counts = read_backup(beside, plant).counts
            sync(beside)
            replace_durably(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{target}: cannot be written: {error.strerror or error}") from error
    return counts


def _unfinished(target: Path) -> str:
    return f".{target.name}.unfinished-"


def _remove_unfinished(target: Path) -> None:
    """Remove what killed backups to this target have left, and nothing of one that may still be at work."""
    for entry in target.parent.iterdir():
        if entry.name.startswith(_unfinished(target)):
            with suppress(FileNotFoundError):  # of one that has ended meanwhile
                if time.time() - entry.lstat().st_mtime > LONGEST_BACKUP_S:
                    entry.unlink()


def _refuse_target(root: Path, target: Path) -> None:
    """Refuse places where a backup would be lost with the store, or would replace something other than a backup."""
    if target.is_symlink():
        raise BadInput(f"{target}: is a link; name the file that it leads to")
    if target.is_dir():
        raise BadInput(f"{target}: is a folder; name a file in it, such as {target / 'backup.tar.gz'}")
    if target.parent.resolve().is_relative_to(root.resolve()):
        raise BadInput(f"{target}: lies in the store itself, {root}; a backup belongs where it is not lost with it")
    if target.exists() and not (target.is_file() and _is_backup(target)):
        raise BadInput(f"{target}: is there and is not a backup; it is not replaced")


def _is_backup(target: Path) -> bool:
    try:
        with target.open("rb") as file:
            return file.read(len(GZIP_MAGIC)) in (GZIP_MAGIC, b"")
    except OSError as error:
        raise BadInput(f"{target}: cannot be read: {error.strerror or error}") from error


def rows_of(engine: Engine, plant: str) -> Rows:
    """Return all rows of `plant` by table, as plain values, read in one transaction.

    Raises
    ------
    BadInput
        A column holds a value of another kind.
    """
    try:
        with engine.connect().execution_options(isolation_level=_isolation(engine)) as connection, connection.begin():
            rows = {
                table.name: [
                    {key: _plain(value) for key, value in row._mapping.items()}
                    for row in connection.execute(
                        select(table).where(table.c.plant == plant).order_by(*table.primary_key.columns)
                    )
                ]
                for table in tables()
            }
    except (ValueError, TypeError) as error:
        raise BadInput(printable(f"the store cannot be read: a row holds no value of its column: {error}")) from error
    rows["attempts"] = [{**row, "messages": shown(row["messages"])} for row in rows["attempts"] if row["kind"] != MARK]
    return rows


def _isolation(engine: Engine) -> str:
    return "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _write(handle: int, rows: Rows, root: Path, plant: str) -> None:
    hashes: dict[str, str] = {}
    kept: list[dict[str, Any]] = []
    with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for row in rows[RunRow.__tablename__]:
            files = _files_of(root, row)
            if files is None:
                continue
            for name, content in files.items():
                _add(archive, f"{FILES}/{name}", content)
                hashes[name] = hashlib.sha256(content).hexdigest()
            kept.append(row)
        manifest = {
            "schema": BACKUP_SCHEMA,
            "plant": plant,
            "tables_version": NEWEST_VERSION,
            "flexmine": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": hashes,
        }
        _add(archive, ROWS, _json(_without_lost(rows, kept)))
        _add(archive, MANIFEST, _json(manifest))


def _without_lost(rows: Rows, kept: list[dict[str, Any]]) -> Rows:
    """Return rows without the runs that were pruned meanwhile; readings forget them as the database would."""
    known = {row["run_id"] for row in kept}
    readings = [row if row["run_id"] in known else {**row, "run_id": None} for row in rows["readings"]]
    return {**rows, RunRow.__tablename__: kept, "readings": readings}


def _files_of(root: Path, row: dict[str, Any]) -> dict[str, bytes] | None:
    """Return the files of a run by name, whole; None where it has been pruned since its row was read."""
    place = refuse_links(root, row["folder"])
    try:
        files = {path.relative_to(root).as_posix(): _content(path) for path in _walk(root, place)}
    except (BadInput, FileNotFoundError):
        if not place.exists():
            return None
        raise
    if not files:
        return None
    record = files.get(f"{row['folder']}/{RECORD_FILE}")
    try:
        if record is None or read_strictly(record) != row["document"]:
            raise BadInput(
                f"{place / RECORD_FILE}: is missing or differs from its row in the database; is a restore "
                "under way, or has it been changed?"
            )
    except ValueError as error:
        raise BadInput(printable(f"{place / RECORD_FILE}: {error}")) from error
    return files


def _walk(root: Path, folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in order; refuse anything but files of a run and folders of such."""
    if not folder.exists():
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield from _walk(root, path)
        elif not stat.S_ISREG(mode):
            kind = "a link" if stat.S_ISLNK(mode) else "no regular file"
            raise BadInput(printable(f"{path}: is {kind}; a backup takes regular files only, remove it"))
        elif run_file(path.relative_to(root).as_posix()) is None:
            raise BadInput(printable(f"{path}: is not a file of a run; move it away.  Those of runs are {ALLOWED}"))
        else:
            yield path


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, LIMITS.file_bytes)
    except BadInput as error:
        raise BadInput([f"{path}: {message}" for message in error.messages]) from error


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
