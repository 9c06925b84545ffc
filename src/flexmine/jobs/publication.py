"""Publishing the newest plan for machines, and noting that it was published."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from flexmine.audit.seal import Witness
from flexmine.jobs.following import Followed, chain_from
from flexmine.jobs.job import Job
from flexmine.jobs.standing import has_plan, missing_hours, standing
from flexmine.publish.directory import publish
from flexmine.publish.messages import messages_of
from flexmine.publish.mqtt import send
from flexmine.publish.reader import Publication
from flexmine.publish.table import Row
from flexmine.publish.whole import Whole, newest_whole
from flexmine.publish.written import plan_id_of
from flexmine.store.records import NIGHT, RunRecord
from flexmine.store.runs import RunStore

LOG = logging.getLogger("flexmine.publish")
Report = Callable[[str], None]


def publish_newest(job: Job, store: RunStore, now: datetime, report: Report) -> None:
    """Publish the newest plan where it is not published yet, and before it what was planned inside the days before.

    Days are published in order, and a day again after one before it: a plan of the rest of today, made when tomorrow
    was published already, is followed by that of tomorrow.  A plan that does not begin in the state in which the one
    before it ends is not published: minimum times and ramps would break at midnight.  An earlier night that is
    planned again, and a plan whose day is over, are stored and not published.  Where what was published is no longer
    whole, it is published again.

    Parameters
    ----------
    job : Job
    store : RunStore
    now : datetime
        Aware, by the clock.
    report : callable
        Receives a sentence for each publication, and for each plan that is not published.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`; what was published before stays.
    """
    chain = chain_from(store, job.plant, now)
    if chain.broken:
        report(chain.broken)
    whole = newest_whole(job.path_of(job.document.publish.directory))
    found = standing(job, store, now, whole)
    if found.note:
        LOG.warning(found.note)
    numbered = [part for part in chain.parts if part.record.sequence is not None]
    fault = found.fault or missing_hours(numbered, whole.publication, now, by_hand=bool(found.note))
    last = chain.last
    rows = [] if whole.publication is None else whole.publication.rows()
    open_parts = [part.record for part in chain.parts if fault or _is_due(store, part, last, rows, now)]
    if fault:
        LOG.warning("%s%s", fault, "; the stored plans are published again" if open_parts else "")
    if last is not None and not open_parts and last.sequence is None:
        report(f"{last.day}: its plan is stored and not published, for the day is over")
    before, anew = 0, bool(fault)
    for record in open_parts:
        if record.sequence is None or record.sequence < before or fault:
            supersede = anew or last is None or record.day != last.day
            before = publish_run(job, store, record, now, report, supersede=supersede, anew=anew, looked=whole)
            anew = False
        else:
            before = record.sequence


def _is_due(store: RunStore, part: Followed, last: RunRecord | None, rows: Sequence[Row], now: datetime) -> bool:
    """Return whether a plan that machines are to follow is one to publish where its number is missing or too low.

    One that was never published is due where it is the last of all, where its day was planned inside it, and where
    machines read no plan of its hours or another one; else only a broker has not taken it.
    """
    record = part.record
    if record.sequence is not None or (part.is_last_of_day and (record.kind != NIGHT or record == last)):
        return True
    return not has_plan(rows, max(now, part.begin), plan_id_of(store.plan(record)))


def publish_run(
    job: Job,
    store: RunStore,
    record: RunRecord,
    now: datetime,
    report: Report,
    *,
    supersede: bool = False,
    anew: bool = False,
    looked: Whole | None = None,
) -> int:
    """Publish one stored run; note and return its sequence number.

    Parameters
    ----------
    job : Job
    store : RunStore
    record : RunRecord
    now : datetime
        Aware, by the clock.
    report : callable
        Receives a sentence for each thing done.
    supersede : bool, default False
        Publish also where the current publication reaches further.
    anew : bool, default False
        Publish also where the same plan is current: what is published is not to be trusted.
    looked : Whole, optional
        As by :func:`flexmine.publish.directory.publish`.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`; or a broker did not take the messages, and then the run
        does not count as published: the next one sends them.
    """
    run = {"run_id": record.run_id, "day": record.day.isoformat(), "revision": record.revision}
    terms, target = job.document.publish.terms, job.path_of(job.document.publish.directory)
    last = store.last_published(job.plant)
    after = 0 if last is None or last.sequence is None else last.sequence
    outcome = publish(
        store.plan(record),
        target,
        terms,
        now=now,
        run=run,
        after=after,
        supersede=supersede,
        witnesses=[Witness("the store", record.seal, record.flexmine)],
        strict=job.strict,
        anew=anew,
        looked=looked,
    )
    published = outcome.publication
    report(f"{record.day}: revision {record.revision} is published as {published.sequence} in {target}")
    for sentence in published.document["after_validity"]["breaks"][:1]:
        report(f"{record.day}: after the plan's end, {terms.after_validity} would break a limit: {sentence}")
    _send_messages(job, published, report)
    store.mark_published(record.run_id, published.sequence)
    return published.sequence


def _send_messages(job: Job, published: Publication, report: Report) -> None:
    broker = job.document.publish.mqtt
    if broker is None:
        return
    messages = messages_of(published, broker.prefix)
    if not broker.send:
        report(
            f"{len(messages)} MQTT messages of publication {published.sequence} are made and not sent: send is false"
        )
        return
    send(messages, broker, job.path_of("."))
    report(f"publication {published.sequence}: {len(messages)} MQTT messages acknowledged by {broker.host}")
