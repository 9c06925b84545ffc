"""Handing the newest plan to machines, and noting that it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flexmine.jobs.job import Job
from flexmine.publish.directory import Terms, publish
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore


def publish_newest(job: Job, store: RunStore, now: datetime, tell: Callable[[str], None]) -> None:
    """Publish the newest plan where it is not published yet.

    A plan whose day is over is stored and not published.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`; what was published before stays.
    """
    last = store.last_day(job.plant)
    record = None if last is None else store.newest(job.plant, last)
    if record is None or record.sequence is not None:
        return
    if record.valid_until <= now:
        tell(f"{record.day}: its plan is stored and not published, for the day is over")
        return
    publish_run(job, store, record, now, tell)


def publish_run(job: Job, store: RunStore, record: RunRecord, now: datetime, tell: Callable[[str], None]) -> None:
    """Publish one stored run and note under which sequence number.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`.
    """
    told = {"run_id": record.run_id, "day": record.day.isoformat(), "revision": record.revision}
    target = job.path_of(job.document.publish.directory)
    outcome = publish(store.place(record) / "plan", target, Terms(), now=now, run=told)
    store.mark_published(record.run_id, outcome.publication.sequence)
    tell(f"{record.day}: revision {record.revision} is published as {outcome.publication.sequence} in {target}")
