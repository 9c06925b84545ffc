"""Handing the newest plan to machines, and noting that it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flexmine.jobs.job import Job
from flexmine.publish.directory import Terms, publish
from flexmine.store.records import NIGHT, RunRecord
from flexmine.store.runs import RunStore


def publish_newest(job: Job, store: RunStore, now: datetime, tell: Callable[[str], None]) -> None:
    """Publish the newest plan where it is not published yet, and before it what was planned inside the days before.

    Days are published in order, and a day anew after one before it: a plan of the rest of today, made when tomorrow
    was published already, is followed by that of tomorrow.  An earlier night that is planned again, and a plan whose
    day is over, are stored and not published.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`; what was published before stays.
    """
    newest = store.newest_of_days(job.plant)
    last_day = newest[-1].day if newest else None
    open_days = [r for r in newest if r.valid_until > now and (r.kind != NIGHT or r.day == last_day)]
    if newest and not open_days and newest[-1].sequence is None:
        tell(f"{newest[-1].day}: its plan is stored and not published, for the day is over")
    before = 0
    for number, record in enumerate(open_days):
        if record.sequence is None or record.sequence < before:
            last = number == len(open_days) - 1
            before = publish_run(job, store, record, now, tell, supersede=not last)
        else:
            before = record.sequence


def publish_run(
    job: Job, store: RunStore, record: RunRecord, now: datetime, tell: Callable[[str], None], *, supersede: bool = False
) -> int:
    """Publish one stored run; note and return under which sequence number.

    Parameters
    ----------
    supersede : bool
        Also where what is published now reaches further.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`.
    """
    told = {"run_id": record.run_id, "day": record.day.isoformat(), "revision": record.revision}
    target = job.path_of(job.document.publish.directory)
    outcome = publish(store.place(record) / "plan", target, Terms(), now=now, run=told, supersede=supersede)
    store.mark_published(record.run_id, outcome.publication.sequence)
    tell(f"{record.day}: revision {record.revision} is published as {outcome.publication.sequence} in {target}")
    return outcome.publication.sequence
