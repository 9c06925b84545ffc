"""Handing the newest plan to machines, and noting that it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import Witness
from flexmine.jobs.calendar import ONE_DAY
from flexmine.jobs.job import Job
from flexmine.publish.directory import publish
from flexmine.publish.messages import messages_of
from flexmine.publish.mqtt import send
from flexmine.publish.reader import Publication, publications
from flexmine.publish.table import rows_at
from flexmine.publish.whole import carried_faults, faults_of, newest_whole
from flexmine.publish.written import WrittenPlan, plan_id_of, unaudited
from flexmine.store.records import NIGHT, RunRecord
from flexmine.store.runs import RunStore

Tell = Callable[[str], None]


def publish_newest(job: Job, store: RunStore, now: datetime, tell: Tell) -> None:
    """Publish the newest plan where it is not published yet, and before it what was planned inside the days before.

    Days are published in order, and a day anew after one before it: a plan of the rest of today, made when tomorrow
    was published already, is followed by that of tomorrow.  A plan that does not begin in the state that the one
    before it ends in is not published: minimum times and ramps would break at midnight.  An earlier night that is
    planned again, and a plan whose day is over, are stored and not published.  Where what was published is not there
    whole any more, it is published anew.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`; what was published before stays.
    """
    newest = store.followed_of_days(job.plant)
    last_day = newest[-1].day if newest else None
    open_days = [r for r in _joined(store, newest, now, tell) if r.kind != NIGHT or r.day == last_day]
    if newest and not open_days and newest[-1].sequence is None:
        tell(f"{newest[-1].day}: its plan is stored and not published, for the day is over")
    before, lost = 0, not _stands(job, store, now, tell)
    for record in open_days:
        if record.sequence is None or record.sequence < before or lost:
            before = publish_run(job, store, record, now, tell, supersede=record.day != last_day)
        else:
            before = record.sequence


def _joined(store: RunStore, newest: Sequence[RunRecord], now: datetime, tell: Tell) -> list[RunRecord]:
    """Return the plans that have not ended, up to the first that does not begin where the one before it ends."""
    found: list[RunRecord] = []
    days = {record.day: record for record in newest}
    for record in [r for r in newest if r.valid_until > now]:
        before = days.get(record.day - ONE_DAY)
        if before is not None and before.valid_until > now and not _goes_on(store, before, record):
            tell(
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
    return made_for is not None and _ending(store, made_for) == _ending(store, before)


def _ending(store: RunStore, record: RunRecord) -> Any:
    return read_document(store.plan(record))["state_after"]


def _stands(job: Job, store: RunStore, now: datetime, tell: Tell) -> bool:
    """Return whether what is current is whole, and what the store has sealed under the terms of the job."""
    target = job.path_of(job.document.publish.directory)
    if not target.is_dir():
        return False
    current, damage = newest_whole(target)
    if current is None or damage:
        tell(f"{damage[0] if damage else f'{target}: nothing is published'}; it is published anew")
        return False
    last, run = store.last_published(job.plant), current.document.get("run")
    number = 0 if last is None or last.sequence is None else last.sequence
    record = store.run(str(run.get("run_id"))) if isinstance(run, dict) else None
    if record is not None and record.plant != job.plant:
        record = None
    if record is None and current.sequence > number:
        tell(f"publication {current.sequence} is of no stored plan, so somebody published it; the next plan follows it")
        return True
    fault = "it is of no stored plan, and one was published after it"
    if record is not None:
        fault = next(_not_as_stored(job, store, current, record, now), "")
        # Without a number of its own it was published by a run that was killed before it could note it.
        if not fault and current.sequence < number:
            fault = f"publication {number} was current before"
    if fault:
        tell(f"publication {current.sequence} is not the plan that was stored: {fault}; it is published anew")
    return not fault


def _not_as_stored(job: Job, store: RunStore, current: Publication, record: RunRecord, now: datetime) -> Iterator[str]:
    """Yield what a publication, whole in itself, says otherwise than store and job."""
    document, terms = current.document, job.document.publish.terms
    if current.plan_id != plan_id_of(store.plan(record)) or (record.seal and document.get("seal") != record.seal):
        yield "its plan is another"
    said = (document["tolerance_kw"], document["after_validity"]["action"])
    if said != (terms.tolerance_kw, terms.after_validity):
        asked = f"{terms.tolerance_kw:g} kW and {terms.after_validity}"
        yield f"its terms are {said[0]:g} kW and {said[1]}, those of the job {asked}"
    yield from carried_faults(current, partial(_plan_of, job, store), now)
    earlier = any(
        r.valid_from <= now < r.valid_until for r in store.published(job.plant) if r.sequence != record.sequence
    )
    if earlier and record.valid_from > now and not rows_at(current.rows(), now):
        yield "it has nothing for the time until its plan begins"


def _plan_of(job: Job, store: RunStore, plan_id: str) -> WrittenPlan | None:
    """Return a plan that was published, from the store, or where somebody published it by hand from its publication."""
    for record in store.published(job.plant):
        if store.place(record).is_dir() and plan_id_of(store.plan(record)) == plan_id:
            return unaudited(store.plan(record))
    for publication in publications(job.path_of(job.document.publish.directory)):
        if publication.plan_id == plan_id and not faults_of(publication):
            return unaudited(publication.plan_directory)
    return None


def publish_run(
    job: Job, store: RunStore, record: RunRecord, now: datetime, tell: Tell, *, supersede: bool = False
) -> int:
    """Publish one stored run; note and return under which sequence number.

    Parameters
    ----------
    supersede : bool
        Also where what is published now reaches further.

    Raises
    ------
    BadInput, AuditFailed
        As by :func:`flexmine.publish.directory.publish`; or a broker did not take the messages, and then the run
        does not count as published: the next one sends them.
    """
    told = {"run_id": record.run_id, "day": record.day.isoformat(), "revision": record.revision}
    terms, target = job.document.publish.terms, job.path_of(job.document.publish.directory)
    last = store.last_published(job.plant)
    after = 0 if last is None or last.sequence is None else last.sequence
    outcome = publish(
        store.plan(record),
        target,
        terms,
        now=now,
        run=told,
        after=after,
        supersede=supersede,
        witnesses=[Witness("the store", record.seal, record.flexmine)],
        strict=job.strict,
    )
    published = outcome.publication
    tell(f"{record.day}: revision {record.revision} is published as {published.sequence} in {target}")
    for sentence in published.document["after_validity"]["breaks"][:1]:
        tell(f"{record.day}: after the plan's end, {terms.after_validity} would break a limit: {sentence}")
    _send_messages(job, published, tell)
    store.mark_published(record.run_id, published.sequence)
    return published.sequence


def _send_messages(job: Job, published: Publication, tell: Tell) -> None:
    broker = job.document.publish.mqtt
    if broker is None:
        return
    messages = messages_of(published, broker.prefix)
    if not broker.send:
        tell(f"{len(messages)} MQTT messages of publication {published.sequence} are made and not sent: send is false")
        return
    send(messages, broker, job.path_of("."))
    tell(f"publication {published.sequence}: {len(messages)} MQTT messages acknowledged by {broker.host}")
