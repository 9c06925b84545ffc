"""Backup and restore of a job's store; a restore holds the lock of the plant."""

from __future__ import annotations

import logging
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.jobs.job import Job
from flexmine.jobs.lock import plant_lock
from flexmine.jobs.recover import finish_restore
from flexmine.jobs.stored import check_run
from flexmine.store.backup import backup
from flexmine.store.backup_file import Counts
from flexmine.store.records import RunRecord
from flexmine.store.restore import restore
from flexmine.store.swap import is_under_way

LOG = logging.getLogger("flexmine.nightly")


def backup_job(job: Job, target: Path) -> Counts:
    """Back up the store of a job into the file `target`; runs may go on meanwhile.

    Raises
    ------
    BadInput
        There is nothing to back up, a stored plan was altered, a restore is under way or was interrupted, or as by
        :func:`flexmine.store.backup.backup`.
    """
    if not job.has_store:
        raise BadInput(f"{job.plant}: there is no store yet in {job.folder}")
    if is_under_way(job.folder, job.plant):
        raise BadInput(
            f"{job.plant}: a restore is under way or was interrupted, so rows and files may differ; wait for it, or "
            "let flexmine nightly or flexmine restore finish it"
        )
    store = job.open_store()
    try:
        for record in store.history(job.plant):
            try:
                store.stored(record)
            except BadInput:
                if not store.is_pruned(record):
                    raise
        return backup(store.engine, job.folder, job.plant, target)
    finally:
        store.close()


def restore_job(job: Job, source: Path, *, overwrite: bool) -> Counts:
    """Restore the store of a job from the backup `source`; no run can begin meanwhile.

    Existing rows and files of the plant are replaced only with `overwrite`.  Every run is checked like one that is
    found without a row: its inputs against their digest, its plan by the audit and against its record.

    Where nothing is published, as on a new machine, the next run publishes the newest plan, with a sequence number
    above all that the store knows.

    Raises
    ------
    BadInput
        As by :func:`flexmine.store.restore.restore`.
    NoPlan
        A run is at work.
    """
    with plant_lock(job.folder, job.plant, job.document.lock_wait_s, LOG.warning):
        store = job.open_store()
        try:
            finish_restore(job, store, LOG.warning)

            def check(folder: Path, record: RunRecord) -> None:
                check_run(folder, record, store.witnesses(record), strict=store.strict)

            return restore(store.engine, job.folder, job.plant, source, overwrite=overwrite, check_run=check)
        finally:
            store.close()
