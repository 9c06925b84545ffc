"""The store of one plant as a single file, and back: rows as JSON, files as they are, every one with its sha256.

The file does not depend on the database: what was backed up from SQLite can be restored into PostgreSQL.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, delete, insert, select
from sqlalchemy.exc import DatabaseError

from flexmine._version import __version__
from flexmine.audit.seal import sha256
from flexmine.durable import replace_durably, sync, sync_tree
from flexmine.errors import BadInput
from flexmine.moments import read_day, read_moment
from flexmine.places import check_file, end_of_links, is_mount_point, shown
from flexmine.store.database import NEWEST_VERSION
from flexmine.store.tables import Base, RunRow

BACKUP_SCHEMA = "flexmine-backup/1"
MANIFEST, ROWS, FILES = "manifest.json", "rows.json", "files"
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Counts:
    """What a backup holds."""

    runs: int
    rows: int
    files: int


def backup(engine: Engine, root: Path, plant: str, target: Path) -> Counts:
    """Write rows and files of a plant into one compressed file, complete or not at all; a link is followed.

    The rows are read in one transaction.  Files of a run never change, so they are copied after it; a run that is
    pruned meanwhile is left out, row and files.

    Raises
    ------
    BadInput
        The database or a file cannot be read, or the place cannot be written.
    """
    place = check_file(target)
    try:
        rows = rows_of(engine, plant)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            counts = _write(beside, rows, root, plant)
            sync(beside)
            replace_durably(beside, place)
        finally:
            beside.unlink(missing_ok=True)
    except DatabaseError as error:
        raise BadInput(f"the store cannot be read: {error.orig}") from error
    except OSError as error:
        raise BadInput(f"{target}: cannot be written: {error.strerror or error}") from error
    return counts


def restore(engine: Engine, root: Path, plant: str, source: Path, *, overwrite: bool) -> Counts:
    """Put back what :func:`backup` has written, in place of all rows and files of the plant.

    Everything is unpacked and compared with its sha256 before anything is changed.  Files that are there are moved
    to ``PLANT.replaced-TIME``.  Where it is interrupted between files and rows, it can simply be called again.

    Parameters
    ----------
    overwrite : bool
        Whether rows or files of the plant may be replaced.

    Raises
    ------
    BadInput
        The file is no backup, is damaged, or is of another plant or version of the tables; there are rows or files
        already and `overwrite` is false.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        place = _place_of_files(root, plant)
        with _unpacked(source, place.parent) as (folder, manifest, rows):
            _check(source, manifest, rows, folder, plant)
            _refuse_overwriting(engine, root, plant, overwrite=overwrite)
            _put_files(folder / FILES / plant, place)
            _put_rows(engine, plant, rows)
    except DatabaseError as error:
        raise BadInput(f"the store cannot be written: {error.orig}") from error
    except OSError as error:
        raise BadInput(f"{root}: cannot be restored into: {error.strerror or error}") from error
    return Counts(len(rows[RunRow.__tablename__]), sum(map(len, rows.values())), len(manifest["files"]))


def _tables() -> list[Table]:
    """Return the tables that hold rows of plants, those that others refer to first."""
    return [table for table in Base.metadata.sorted_tables if "plant" in table.c]


def rows_of(engine: Engine, plant: str) -> Rows:
    """Return all rows of a plant by table, as plain values, read in one transaction."""
    with engine.connect().execution_options(isolation_level=_isolation(engine)) as connection, connection.begin():
        return {
            table.name: [
                {key: _plain(value) for key, value in row._mapping.items()}
                for row in connection.execute(
                    select(table).where(table.c.plant == plant).order_by(*table.primary_key.columns)
                )
            ]
            for table in _tables()
        }


def _isolation(engine: Engine) -> str:
    return "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _write(file: Path, rows: Rows, root: Path, plant: str) -> Counts:
    hashes: dict[str, str] = {}
    with tarfile.open(file, "w:gz") as archive:
        kept = []
        for row in rows[RunRow.__tablename__]:
            try:
                found = {path: sha256(path) for path in sorted((root / row["folder"]).rglob("*")) if path.is_file()}
                if not found:
                    continue
            except BadInput:
                continue  # pruned while it was read
            for path, digest in found.items():
                name = path.relative_to(root).as_posix()
                archive.add(path, f"{FILES}/{name}", recursive=False)
                hashes[name] = digest
            kept.append(row)
        rows = {**rows, RunRow.__tablename__: kept}
        manifest = {
            "schema": BACKUP_SCHEMA,
            "plant": plant,
            "tables_version": NEWEST_VERSION,
            "flexmine": __version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": hashes,
        }
        _add(archive, ROWS, rows)
        _add(archive, MANIFEST, manifest)
    return Counts(len(kept), sum(map(len, rows.values())), len(hashes))


def _add(archive: tarfile.TarFile, name: str, document: Any) -> None:
    content = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


@contextmanager
def _unpacked(source: Path, beside: Path) -> Iterator[tuple[Path, Mapping[str, Any], Rows]]:
    """Give a folder in the folder `beside` that holds the unpacked backup, its manifest and its rows."""
    if not source.is_file():
        raise BadInput(f"there is no backup {source}")
    folder = Path(tempfile.mkdtemp(prefix=".restore-", dir=beside))
    try:
        try:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(folder, filter="data")
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            rows = json.loads((folder / ROWS).read_text(encoding="utf-8"))
        except (tarfile.TarError, EOFError, ValueError, FileNotFoundError, OSError) as error:
            raise BadInput(f"{source}: is no whole backup of flexmine: {error}") from error
        yield folder, manifest, rows
    finally:
        shutil.rmtree(folder)


def _check(source: Path, manifest: Mapping[str, Any], rows: Rows, folder: Path, plant: str) -> None:
    if manifest.get("schema") != BACKUP_SCHEMA:
        raise BadInput(f"{source}: is no backup of flexmine: schema {BACKUP_SCHEMA!r} expected")
    if manifest["plant"] != plant:
        raise BadInput(f"{source}: is of plant {manifest['plant']}, the job is of {plant}")
    if manifest["tables_version"] != NEWEST_VERSION:
        raise BadInput(
            f"{source}: its tables are of version {manifest['tables_version']}, this flexmine has {NEWEST_VERSION}; "
            f"restore with flexmine {manifest['flexmine']}, then bring that store to this version"
        )
    missing = {table.name for table in _tables()} ^ set(rows)
    if missing:
        raise BadInput(f"{source}: its tables are not those of this version: {', '.join(sorted(missing))}")
    for name, digest in manifest["files"].items():
        file = folder / FILES / name
        if not file.is_file() or sha256(file) != digest:
            raise BadInput(f"{source}: {name} is missing or damaged")


def _refuse_overwriting(engine: Engine, root: Path, plant: str, *, overwrite: bool) -> None:
    with engine.begin() as connection:
        count = sum(len(connection.execute(select(t.c.plant).where(t.c.plant == plant)).all()) for t in _tables())
    files = (root / plant).is_dir() and any((root / plant).iterdir())
    if (count or files) and not overwrite:
        what = " and ".join([f"{count} rows"] * bool(count) + [f"files in {root / plant}"] * bool(files))
        raise BadInput(f"{plant} has {what} already; they are replaced only with --overwrite")


def _place_of_files(root: Path, plant: str) -> Path:
    """Return the folder that is replaced: where the plant's is a link, the one that it leads to."""
    place = end_of_links(root / plant)
    if is_mount_point(place):
        raise BadInput(
            f"{shown(root / plant)}: is a mount point, which cannot be moved aside; mount it at the folder above, or "
            "restore into another folder"
        )
    return place


def _put_files(folder: Path, place: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sync_tree(folder)
    if place.exists():
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        place.rename(place.with_name(f"{place.name}.replaced-{stamp}"))
    replace_durably(folder, place)


def _put_rows(engine: Engine, plant: str, rows: Rows) -> None:
    with engine.begin() as connection:
        for table in reversed(_tables()):
            connection.execute(delete(table).where(table.c.plant == plant))
        for table in _tables():
            if rows[table.name]:
                connection.execute(insert(table), [_typed(table, row) for row in rows[table.name]])


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with days and moments again; a running number is given anew by the database."""
    running = table.autoincrement_column
    values = {}
    for key, value in row.items():
        column = table.c[key]
        if column is running:
            continue
        # A moment is a date too, and each is read by its own kind; a type of our own stands for one of SQL.
        kind = getattr(column.type, "impl", column.type).python_type
        read = {date: read_day, datetime: read_moment}.get(kind)
        values[key] = value if read is None or value is None else read(value)
    return values
