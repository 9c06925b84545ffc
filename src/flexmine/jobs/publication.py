"""Publishing the newest plan for machines, and noting that it was published."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import Witness
from flexmine.jobs.calendar import ONE_DAY
from flexmine.jobs.job import Job
from flexmine.jobs.standing import dropped_hours, standing
from flexmine.publish.directory import publish
from flexmine.publish.messages import messages_of
from flexmine.publish.mqtt import send
from flexmine.publish.reader import Publication
from flexmine.publish.whole import Whole, newest_whole
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
    newest = store.followed_of_days(job.plant)
    last_day = newest[-1].day if newest else None
    whole = newest_whole(job.path_of(job.document.publish.directory))
    found = standing(job, store, now, whole)
    if found.note:
        LOG.warning(found.note)
    joined = _joined(store, newest, now, report)
    open_days = [r for r in joined if r.kind != NIGHT or r.day == last_day]
    fault = found.fault
    if not fault and whole.publication is not None:
        fault = dropped_hours(store, job.plant, whole.publication, now)
    if fault:
        open_days = _again(store, job.plant, joined, now)
        LOG.warning("%s%s", fault, "; the stored plans are published again" if open_days else "")
    if newest and not open_days and newest[-1].sequence is None:
        report(f"{newest[-1].day}: its plan is stored and not published, for the day is over")
    before, anew = 0, bool(fault)
    for record in open_days:
        if record.sequence is None or record.sequence < before or fault:
            supersede = anew or record.day != last_day
            before = publish_run(job, store, record, now, report, supersede=supersede, anew=anew, looked=whole)
            anew = False
        else:
            before = record.sequence


def _again(store: RunStore, plant: str, joined: list[RunRecord], now: datetime) -> list[RunRecord]:
    """Return what has to be published where nothing published may be trusted: for every moment from now on.

    Those are the plans that machines follow, and where the first of them begins later, the one that holds until then.
    """
    begin = joined[0].valid_from if joined else now
    until = [r for r in store.published(plant) if r.valid_from <= now < r.valid_until] if begin > now else []
    return [*until[:1], *joined]


def _joined(store: RunStore, newest: Sequence[RunRecord], now: datetime, report: Report) -> list[RunRecord]:
    """Return the plans that have not ended, up to the first that does not begin where the one before it ends."""
    found: list[RunRecord] = []
    days = {record.day: record for record in newest}
    for record in [r for r in newest if r.valid_until > now]:
        before = days.get(record.day - ONE_DAY)
        if before is not None and before.valid_until > now and not _goes_on(store, before, record):
            report(
                f"{record.day}: revision {record.revision} is not published: it does not begin where revision "
                f"{before.revision} of {before.day} ends; the next run plans it anew"
            )
            break
        found.append(record)
    return found


def _goes_on(store: RunStore, before: RunRecord, after: RunRecord) -> bool:
    """Return whether a plan was made for the state that the plan before it ends in."""
    whose = after.state_from.get("plan")
    if whose is None or whose == before.run_id:
        return True
    made_for = next((r for r in store.revisions(before.plant, before.day) if r.run_id == whose), None)
    return made_for is not None and _state_after(store, made_for) == _state_after(store, before)


def _state_after(store: RunStore, record: RunRecord) -> Any:
    return read_document(store.plan(record))["state_after"]


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
