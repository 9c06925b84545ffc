"""Rows and files of a plant replaced together: after a crash at any moment all of it is old or all of it is new.

The new folder lies complete in a stage beside the old one.  Inside one transaction the rows are replaced and a mark is
set among them; a journal is written; the folders change places; then the transaction is committed.  The commit alone
decides: where the mark is in the database everything is new, where it is not the folders change back.
"""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, insert, select

from flexmine.durable import replace_durably, sync, sync_tree, write_durably
from flexmine.errors import BadInput, printable
from flexmine.files import read_regular
from flexmine.moments import read_day, read_moment
from flexmine.store.database import REFUSED, reason_of
from flexmine.store.places import is_plain_folder
from flexmine.store.row_checks import Rows
from flexmine.store.tables import MARK, AttemptRow, Base, RunRow
from flexmine.strict_json import read_strictly

NEW, JOURNAL = "new", "journal.json"
LONGEST_JOURNAL = 4096
TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Journal:
    """What is being replaced.

    Attributes
    ----------
    token : str
        Id of the mark in the database.
    aside : str or None
        Name that the old folder gets; None where there is no old one.
    committed : bool
        Whether the mark has been seen; it is removed then.
    """

    token: str
    aside: str | None
    committed: bool = False


def stage_of(root: Path, plant: str) -> Path:
    """Return the folder below `root` in which a restore of `plant` is prepared; names of plants have no dots."""
    return root / f".{plant}.restore"


def is_under_way(root: Path, plant: str) -> bool:
    """Return whether a restore of `plant` below `root` is replacing rows and files, or was interrupted while it did."""
    return (stage_of(root, plant) / JOURNAL).exists()


def tables() -> list[Table]:
    """Return the tables that hold rows of plants, those that others refer to first."""
    return [table for table in Base.metadata.sorted_tables if "plant" in table.c]


def swap(engine: Engine, root: Path, plant: str, rows: Rows) -> Path | None:
    """Replace rows and folder of a plant by `rows` and the folder ``new`` of its stage.

    Parameters
    ----------
    engine : Engine
        The database.
    root : Path
        Folder of all runs.
    plant : str
        Whose rows and folder are replaced.
    rows : Rows
        By table.

    Returns
    -------
    Path or None
        Where the old folder is now; None where there was none.

    Raises
    ------
    sqlalchemy.exc.DBAPIError, OSError
        Everything is unchanged; or, where the database no longer answers, :func:`complete` has to be called.
    BadInput
        Everything is new, and only the stage could not be removed.
    """
    stage = stage_of(root, plant)
    sync_tree(stage / NEW)
    aside = _aside(plant) if (root / plant).exists() else None
    journal = Journal(uuid.uuid4().hex, aside)
    try:
        with engine.begin() as connection:
            _put_rows(connection, plant, rows, journal.token)
            _write(stage, journal)
            sync(root)
            if aside is not None:
                (root / plant).rename(root / aside)
            replace_durably(stage / NEW, root / plant)
    except REFUSED:
        # The answer to a commit can be lost on its way; what has happened stands in the database.
        if complete(engine, root, plant) is not True:
            raise
        return None if aside is None else root / aside
    except (OSError, KeyboardInterrupt):
        complete(engine, root, plant)
        raise
    try:
        complete(engine, root, plant)
    except (*REFUSED, OSError) as error:
        what = f"{plant} is restored, but {stage} cannot be removed: {reason_of(error)}"
        raise BadInput(f"{what}; the next run does it") from error
    return None if aside is None else root / aside


def complete(engine: Engine, root: Path, plant: str) -> bool | None:
    """Finish or undo what :func:`swap` began for `plant` below `root`, and remove what a restore has left behind.

    It may itself be interrupted at any moment and called again.  The caller holds the lock of the plant.

    Returns
    -------
    bool or None
        Whether everything is new; None where nothing had been begun.

    Raises
    ------
    BadInput
        The journal cannot be read, or does not fit what is there.
    sqlalchemy.exc.DBAPIError, OSError
        The database or the folder cannot be read or written; nothing is lost, and it can be called again.
    """
    stage = stage_of(root, plant)
    if stage.is_symlink():
        raise BadInput(f"{stage}: is a link; a restore works in a folder of its own there, remove the link")
    if not stage.exists():
        return None
    journal = _read(root, plant)
    committed = None
    if journal is not None:
        committed = journal.committed or _is_marked(engine, plant, journal.token)
        if committed:
            # Without the mark the journal alone has to know, so it is reported first.
            _write(stage, replace(journal, committed=True))
            _unmark(engine, plant, journal.token)
        else:
            _move_back(engine, root, plant, journal.aside)
        (stage / JOURNAL).unlink()
        sync(stage)
    shutil.rmtree(stage)
    sync(root)
    return committed


def _move_back(engine: Engine, root: Path, plant: str, aside: str | None) -> None:
    """Put the old folder back; what stands in its place is moved aside and never removed, since a journal may be wrong.

    Raises
    ------
    BadInput
        What stands in place cannot have been put there by this restore, or nothing is there to be put back.
    """
    place, old = root / plant, None if aside is None else root / aside
    if not (stage_of(root, plant) / NEW).exists() and place.exists():
        runs = _folders_in_database(engine, plant)
        if old is None and runs:
            raise _no_journal(root, plant, f"it says that there was no folder {plant}, and the database has its runs")
        if old is not None and not is_plain_folder(old):
            raise _no_journal(root, plant, f"it says that {aside} was {plant}, and there is no such folder")
        if old is not None and any(not (old / run).is_dir() for run in runs):
            raise _no_journal(root, plant, f"it says that {aside} was {plant}, and it has not the runs of the database")
        place.rename(root / _aside(plant))
        sync(root)
    if old is not None and is_plain_folder(old) and not place.exists():
        old.rename(place)
    sync(root)


def _aside(plant: str) -> str:
    """Return a new name for a folder of a plant that is replaced."""
    return f"{plant}.replaced-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"


def _folders_in_database(engine: Engine, plant: str) -> list[str]:
    """Return the folders of the runs in the database, relative to the folder of the plant."""
    runs = RunRow.__table__
    with engine.begin() as connection:
        rows = connection.execute(select(runs.c.day, runs.c.revision).where(runs.c.plant == plant))
        return [f"{row.day.isoformat()}/r{row.revision}" for row in rows]


def _write(stage: Path, journal: Journal) -> None:
    write_durably(stage / JOURNAL, (json.dumps(asdict(journal)) + "\n").encode())


def _read(root: Path, plant: str) -> Journal | None:
    file = stage_of(root, plant) / JOURNAL
    try:
        file.lstat()
    except FileNotFoundError:
        return None
    try:
        journal = Journal(**read_strictly(read_regular(file, LONGEST_JOURNAL)))
        if TOKEN.fullmatch(journal.token) is None or not isinstance(journal.committed, bool):
            raise ValueError("its values are none of a restore")
        if journal.aside is not None and re.fullmatch(rf"{plant}\.replaced-[0-9TZ]+", journal.aside) is None:
            raise ValueError(f"aside {journal.aside!r} is not a folder that a restore has moved aside")
    except (BadInput, ValueError, TypeError) as error:
        raise _no_journal(root, plant, str(error)) from error
    return journal


def _no_journal(root: Path, plant: str, reason: str) -> BadInput:
    stage = stage_of(root, plant)
    return BadInput(
        printable(f"{stage / JOURNAL}: is not a journal of a restore: {reason}")
        + f"; nothing was moved. Compare {plant} with {plant}.replaced-... beside it, keep the one that fits the "
        f"database, and remove the folder {stage}"
    )


def _is_marked(engine: Engine, plant: str, token: str) -> bool:
    attempts = AttemptRow.__table__
    query = select(attempts.c.id).where(attempts.c.plant == plant, attempts.c.run_id == token, attempts.c.kind == MARK)
    with engine.begin() as connection:
        return connection.execute(query).first() is not None


def _unmark(engine: Engine, plant: str, token: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            delete(AttemptRow).where(AttemptRow.plant == plant, AttemptRow.run_id == token, AttemptRow.kind == MARK)
        )


def _put_rows(connection: Connection, plant: str, rows: Rows, token: str) -> None:
    for table in reversed(tables()):
        connection.execute(delete(table).where(table.c.plant == plant))
    for table in tables():
        if rows[table.name]:
            connection.execute(insert(table), [_typed(table, row) for row in rows[table.name]])
    now = datetime.now(UTC)
    mark = {"run_id": token, "plant": plant, "kind": MARK, "day": None, "started": now, "ended": now}
    connection.execute(insert(AttemptRow).values(**mark, exit_code=0, status="restored", messages=[]))


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with days and moments as such; the database assigns a running number anew."""
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
