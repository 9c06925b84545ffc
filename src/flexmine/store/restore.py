"""Putting a backup back: all of it is read and checked in a folder of its own before anything else is touched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine, func, select

from flexmine.errors import BadInput, printable
from flexmine.files import read_regular
from flexmine.places import is_mount_point
from flexmine.store.archive import LIMITS, Limits
from flexmine.store.backup_file import Contents, Counts, read_backup
from flexmine.store.database import SQLITE, database_file, refusals_told
from flexmine.store.places import RECORD_FILE, refuse_links
from flexmine.store.record_schema import LONGEST_RECORD
from flexmine.store.records import RunRecord, record_of
from flexmine.store.swap import JOURNAL, NEW, complete, stage_of, swap, tables
from flexmine.strict_json import read_strictly

CheckRun = Callable[[Path, RunRecord], None]
"""Raises BadInput where the files of a run are not what its record says."""


def restore(
    engine: Engine,
    root: Path,
    plant: str,
    source: Path,
    *,
    overwrite: bool,
    check_run: CheckRun,
    limits: Limits = LIMITS,
) -> Counts:
    """Put back what :func:`flexmine.store.backup.backup` has written, in place of all rows and files of the plant.

    Existing files are moved to ``PLANT.replaced-TIME``.  Whatever fails or kills it, afterwards everything is old or
    everything is new; what was interrupted is finished or undone by the next call of :func:`complete_restore`.

    Parameters
    ----------
    engine : Engine
        The database.
    root : Path
        Folder of all runs.
    plant : str
        Whose rows and files are replaced.
    source : Path
        The backup.
    overwrite : bool
        Whether rows or files of the plant may be replaced.
    check_run : callable
        Checks the folder of a run against its record, before anything is replaced.
    limits : Limits, optional
        How much the backup may hold.

    Returns
    -------
    Counts

    Raises
    ------
    BadInput
        The file is not a backup, is damaged, holds what no backup holds, or is of another plant or version of the
        tables; rows or files exist already and `overwrite` is false; the store cannot be written.
    """
    try:
        with refusals_told("the store cannot be written"):
            return _restore(engine, root, plant, source, overwrite=overwrite, check_run=check_run, limits=limits)
    except OSError as error:
        raise BadInput(f"{root}: cannot be restored into: {error.strerror or error}") from error


def complete_restore(engine: Engine, root: Path, plant: str) -> bool | None:
    """Finish or undo an interrupted restore of `plant` below `root`; the caller holds the lock of the plant.

    Returns
    -------
    bool or None
        Whether what was restored is in place now; None where no restore had begun to replace anything.

    Raises
    ------
    BadInput
        The store cannot be read or written; nothing is lost, and it can be called again.
    """
    try:
        with refusals_told("the store cannot be written"):
            return complete(engine, root, plant)
    except OSError as error:
        raise BadInput(f"{root}: a restore cannot be finished: {error.strerror or error}") from error


def _restore(
    engine: Engine, root: Path, plant: str, source: Path, *, overwrite: bool, check_run: CheckRun, limits: Limits
) -> Counts:
    root.mkdir(parents=True, exist_ok=True)
    refuse_links(root, plant)
    if is_mount_point(root / plant):
        raise BadInput(
            f"{root / plant}: is a mount point, which cannot be moved aside; mount it at the folder above, or restore "
            "into another folder"
        )
    _refuse_database_inside(engine, root / plant)
    complete(engine, root, plant)
    if not source.is_file():
        raise BadInput(f"there is no backup {source}")
    _refuse_overwriting(engine, root, plant, overwrite=overwrite)
    stage = stage_of(root, plant)
    stage.mkdir(mode=0o700)
    try:
        (stage / NEW).mkdir()
        contents = read_backup(source, plant, stage / NEW, limits)
        _check_runs(source, contents, stage / NEW, check_run)
        aside = swap(engine, root, plant, contents.rows)
    finally:
        # With a journal the database has not answered: what is there is needed to settle it.
        if stage.exists() and not (stage / JOURNAL).exists():
            shutil.rmtree(stage)
    return replace(contents.counts, aside=aside)


def _refuse_overwriting(engine: Engine, root: Path, plant: str, *, overwrite: bool) -> None:
    with engine.begin() as connection:
        counted = [select(func.count()).select_from(t).where(t.c.plant == plant) for t in tables()]
        count = sum(connection.execute(query).scalar_one() for query in counted)
    place = root / plant
    if place.exists() and not place.is_dir():
        raise BadInput(f"{place}: is not a folder; runs are restored into a folder of this name")
    files = place.is_dir() and any(place.iterdir())
    if (count or files) and not overwrite:
        what = " and ".join([f"{count} rows"] * bool(count) + [f"files in {place}"] * bool(files))
        raise BadInput(f"{plant} has {what} already; they are replaced only with --overwrite")


def _refuse_database_inside(engine: Engine, place: Path) -> None:
    if engine.dialect.name != SQLITE or not engine.url.database:
        return
    file = database_file(engine.url)
    if file.resolve().is_relative_to(place.resolve()):
        raise BadInput(f"{file}: the database lies in the folder that is replaced; name another place for it (store)")


def _check_runs(source: Path, contents: Contents, folder: Path, check_run: CheckRun) -> None:
    """Refuse runs whose record.json differs from their row, or whose files do not agree with their record."""
    for number, row in enumerate(contents.rows["runs"], 1):
        record = record_of(row["document"], row["sequence"])
        place = folder.joinpath(*record.folder.split("/")[1:])
        where = f"{source}: rows.json: table runs, row {number}, {record.folder}"
        try:
            written = read_strictly(read_regular(place / RECORD_FILE, LONGEST_RECORD))
            if written != row["document"]:
                raise BadInput(f"{RECORD_FILE} and the document of the row differ")
            check_run(place, record)
        except ValueError as error:
            raise BadInput(printable(f"{where}: {RECORD_FILE}: {error}")) from error
        except BadInput as error:
            raise BadInput([printable(f"{where}: {message}") for message in error.messages]) from error
