"""Backup and restore of a job: its store under the lock of its plant where it is replaced."""

from __future__ import annotations

import logging
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.jobs.job import Job
from flexmine.jobs.lock import plant_lock
from flexmine.store.backup import Counts, backup, restore

LOG = logging.getLogger("flexmine.nightly")


def backup_job(job: Job, target: Path) -> Counts:
    """Back up the store of a job; runs may go on meanwhile.

    Raises
    ------
    BadInput
        There is nothing to back up, or as by :func:`flexmine.store.backup.backup`.
    """
    if not job.has_store:
        raise BadInput(f"{job.plant}: there is no store yet in {job.folder}")
    store = job.open_store()
    try:
        return backup(store.engine, job.folder, job.plant, target)
    finally:
        store.close()


def restore_job(job: Job, source: Path, *, overwrite: bool) -> Counts:
    """Restore the store of a job; while it is done no run can begin.

    Where nothing is published, as on a new machine, the next run publishes the newest plan, under a number above all
    that the store knows.

    Raises
    ------
    BadInput, NoPlan
        As by :func:`flexmine.store.backup.restore`; a run is at work.
    """
    with plant_lock(job.folder, job.plant, job.document.lock_wait_s, LOG.warning):
        store = job.open_store()
        try:
            return restore(store.engine, job.folder, job.plant, source, overwrite=overwrite)
        finally:
            store.close()
