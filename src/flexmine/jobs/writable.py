"""Whether the next run could write: tried, because rights, mounts and full disks are known for sure in no other way."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.jobs.checks import Check, Found, Level
from flexmine.jobs.job import Job
from flexmine.store.database import SQLITE, database_file, try_to_write
from flexmine.store.runs import RunStore

TRIED_BYTES = 65_536
NO_RUN = "the next run cannot keep or publish its plan"


def folders_writable(job: Job) -> Found:
    """Try all folders that a run writes into, where the system allows it with a file that never has a name.

    Yields
    ------
    Check or tuple
        A critical check for each folder that cannot be written, and the figure ``folders_writable``.
    """
    reasons: list[str] = []
    for folder in dict.fromkeys(_folders(job)):
        try:
            with tempfile.TemporaryFile(dir=folder, prefix=".health-") as file:
                file.write(bytes(TRIED_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            reasons.append(f"{folder}: cannot be written: {error.strerror or error}")
    for reason in reasons:
        yield Check("store", Level.CRITICAL, f"{reason}; {NO_RUN}")
    yield "folders_writable", {}, float(not reasons)


def database_writable(store: RunStore) -> Found:
    """Write into the database and roll back, so that a run at work meanwhile sees nothing of it.

    Yields
    ------
    Check or tuple
        A critical check where it cannot be written, and the figure ``database_writable``.
    """
    try:
        try_to_write(store.engine)
    except BadInput as error:
        yield Check("store", Level.CRITICAL, f"{error.messages[0]}; {NO_RUN}")
        yield "database_writable", {}, 0.0
    else:
        yield "database_writable", {}, 1.0


def _folders(job: Job) -> Iterator[Path]:
    """Yield the folders that runs write into, or where they would be made."""
    yield _there(job.folder / job.plant)
    if job.url.get_backend_name() == SQLITE and job.url.database:
        yield _there(database_file(job.url).parent)
    yield _there(job.path_of(job.document.publish.directory))


def _there(folder: Path) -> Path:
    """Return a folder, or the first one above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)
