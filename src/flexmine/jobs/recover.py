"""What a run does first: it finishes what an earlier one could not, and loses nothing that was complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.jobs.job import Job
from flexmine.jobs.observe import observe_again
from flexmine.jobs.stored import check_run
from flexmine.places import end_of_links, remove_tree
from flexmine.store.database import StoreDamaged, database_file
from flexmine.store.files import half_removed, leftovers, remove, run_folders, set_aside
from flexmine.store.records import RunRecord, read_record
from flexmine.store.restore import complete_restore
from flexmine.store.runs import RunStore
from flexmine.store.swap import is_under_way, stage_of

Warn = Callable[[str], None]


def open_recovered(job: Job, warn: Warn) -> RunStore:
    """Open the store of a job and bring files and database together.

    Unfinished folders are removed, complete runs without a row get theirs, folders that are not a complete run are set
    aside; a damaged SQLite file is set aside and written again from the folders.

    Raises
    ------
    BadInput
        The store cannot be opened or written.
    """
    lost = False
    try:
        store = job.open_store()
    except StoreDamaged as damage:
        if is_under_way(job.folder, job.plant):
            raise BadInput(
                f"{damage}; and a restore was interrupted, of which only the database knows whether it was finished: "
                f"see {stage_of(job.folder, job.plant)}, and docs/runbook.md under 'no journal of a restore'"
            ) from damage
        lost = True
        warn(f"{damage}; it is set aside and written anew from the folders of the runs")
        _set_database_aside(job, warn)
        store = job.open_store()
    try:
        finish_restore(job, store, warn)
        for folder in leftovers(job.folder, job.plant):
            warn(f"{folder}: the run did not finish; its unfinished files are removed")
            remove_tree(folder)
        known = {record.folder for record in store.history(job.plant)}
        for folder, place in half_removed(job.folder, job.plant):
            if place.relative_to(job.folder).as_posix() in known:
                folder.rename(place)
            else:
                remove(job.folder, folder)
        for folder in run_folders(job.folder, job.plant):
            if folder.relative_to(job.folder).as_posix() not in known:
                _adopt(job, store, folder, warn, gaps=lost)
        if lost:
            warn(f"{observe_again(job, store)} files of measurements are read again")
    except OSError as error:
        raise BadInput(f"{job.folder}: cannot be put in order: {error.strerror or error}") from error
    return store


def finish_restore(job: Job, store: RunStore, warn: Warn) -> None:
    """Finish or undo a restore that was interrupted; the caller holds the lock of the plant.

    Raises
    ------
    BadInput
        The store cannot be read or written.
    """
    done = complete_restore(store.engine, job.folder, job.plant)
    if done is not None:
        warn(f"{job.plant}: a restore was interrupted; it is {'finished' if done else 'undone'} now")


def _adopt(job: Job, store: RunStore, folder: Path, warn: Warn, *, gaps: bool) -> None:
    """Take in a run that has no row; `gaps`: also where earlier revisions of its day are missing, as after pruning."""
    try:
        record = _complete(job, store, folder)
        before = store.newest(job.plant, record.day)
        free = 1 if before is None else before.revision + 1
        if record.revision > free and not gaps:
            raise BadInput(f"{folder}: is not a run that lost its row: the next revision of its day is r{free}")
    except BadInput as error:
        warn(f"{error}; it is set aside as {set_aside(folder, job.folder, job.plant)}")
        return
    store.add(record)
    warn(f"{folder}: complete and audited, but not in the store; taken in as revision {record.revision}")


def _complete(job: Job, store: RunStore, folder: Path) -> RunRecord:
    """Return the record of a folder.

    Raises
    ------
    BadInput
        It is not a complete, audited run of this plant at this place.
    """
    record = read_record(folder)
    if job.folder / record.folder != folder or record.plant != job.plant:
        raise BadInput(f"{folder}: its record belongs to {record.folder}")
    try:
        check_run(folder, record, store.witnesses(record), strict=store.strict)
    except BadInput as error:
        raise BadInput([f"{folder}: {message}" for message in error.messages]) from error
    return record


def _set_database_aside(job: Job, warn: Warn) -> None:
    # SQLite keeps its other two files beside the database itself, also where a link leads to it.
    file = end_of_links(database_file(job.url))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for path in (file, *(file.with_name(file.name + tail) for tail in ("-wal", "-shm"))):
        if path.exists():
            aside = path.with_name(f"{path.name}.damaged-{stamp}")
            path.replace(aside)
            warn(f"{path}: now {aside.name}")
