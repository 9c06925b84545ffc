"""Whether what machines read is what the store has; checked before publishing and by ``flexmine health``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from flexmine.audit.plan_files import read_document
from flexmine.change_words import what_if
from flexmine.jobs.following import Followed
from flexmine.jobs.job import Job
from flexmine.publish.reader import Publication, publications
from flexmine.publish.table import AFTER, Row, rows_at
from flexmine.publish.whole import AHEAD, Whole, carried_faults, faults_of, made_at, newest_whole, since
from flexmine.publish.written import WrittenPlan, plan_id_of, unaudited
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore


@dataclass(frozen=True)
class Standing:
    """What was found about the current publication.

    Attributes
    ----------
    fault : str
        Why the stored plans have to be published again; empty where they need not.
    note : str
        What a person should know all the same: that somebody published it by hand.
    """

    fault: str = ""
    note: str = ""


def standing(job: Job, store: RunStore, now: datetime, whole: Whole | None = None) -> Standing:
    """Compare the current publication with its own plan, with the store and with the terms of the job.

    Parameters
    ----------
    job : Job
    store : RunStore
    now : datetime
        Aware, by the clock.
    whole : Whole, optional
        From :func:`flexmine.publish.whole.newest_whole`, which is called where it is not given.

    Raises
    ------
    BadInput
        The store or a stored plan cannot be read, or something else stands in the place of the pointer.
    """
    target = job.path_of(job.document.publish.directory)
    last = store.last_published(job.plant)
    current, damage, _ = newest_whole(target) if whole is None else whole
    if damage:
        return Standing(damage[0])
    if current is None:
        return Standing(f"{target}: there is no publication" if last else "")
    number = 0 if last is None or last.sequence is None else last.sequence
    record = _noted(store, job.plant, current, last)
    if record is not None:
        fault = next(_not_as_stored(job, store, current, record, now), "")
        # Without a number of its own it was published by a run that was killed before it could note it.
        if not fault and current.sequence < number:
            fault = f"publication {number} was current before"
        return Standing(f"publication {current.sequence} is not the plan that was stored: {fault}" if fault else "")
    if current.sequence > number:
        return Standing(note=_by_hand(job, store, current))
    what = f"does not come from this store, in which publication {number} is the newest"
    return Standing(f"publication {current.sequence} {what}")


def has_plan(rows: Sequence[Row], moment: datetime, plan_id: str | None = None) -> bool:
    """Return whether a plan, or the one with `plan_id`, holds at `moment` (aware) in the rows that machines read.

    What they do after the end of a plan is none.
    """
    return any(row["row"] != AFTER and plan_id in (None, row["plan_id"]) for row in rows_at(rows, moment))


def missing_hours(parts: Sequence[Followed], current: Publication | None, now: datetime, *, by_hand: bool) -> str:
    """Return a sentence where a publication lacks the plan of hours for which there is one, else an empty text.

    That happens where the clock was ahead when it was made: it begins at that time, and the hours before it are over
    only by that clock.  Or publishing was cut off, and by now it has nothing for now.

    Parameters
    ----------
    parts : sequence of Followed
        What machines are to follow from `now` on.
    current : Publication or None
    now : datetime
        Aware, by the clock.
    by_hand : bool
        Whether somebody published it by hand; what it leaves out is left out on purpose.
    """
    if current is None:
        return ""
    made, rows = made_at(current), current.rows()
    if made - now > AHEAD:
        moments = [max(part.begin, now) for part in parts]
        if all(has_plan(rows, moment) for moment in moments if moment < made):
            return ""
        hours = (made - now) / timedelta(hours=1)
        what = "has nothing for the hours until then"
        return f"publication {current.sequence} was made {hours:.1f} h after now and {what}"
    holding = [part.record for part in parts if part.begin <= now]
    if by_hand or not holding or has_plan(rows, now):
        return ""
    plan = f"revision {holding[0].revision} of {holding[0].day}"
    return f"publication {current.sequence} has nothing for now, for which {plan} is stored"


def _noted(store: RunStore, plant: str, current: Publication, last: RunRecord | None) -> RunRecord | None:
    """Return the stored run that a publication names, or under whose number it was noted.

    A run that was lost by a restore and planned again alike is published as the lost one was.
    """
    run = current.document.get("run")
    record = store.run(str(run.get("run_id"))) if isinstance(run, dict) else None
    if record is not None and record.plant == plant:
        return record
    seal = current.document.get("seal")
    same = last is not None and last.sequence == current.sequence and seal and last.seal == seal
    return last if same else None


def _by_hand(job: Job, store: RunStore, current: Publication) -> str:
    seal = current.document.get("seal")
    same = [r for r in store.history(job.plant) if seal and r.seal == seal]
    origin = "does not come from this store: it was published by hand, or before a restore"
    if same:
        origin = f"is revision {same[0].revision} of {same[0].day}, put in place by hand"
    changes = read_document(current.plan_directory).get("changes")
    changed = f"; {what_if(changes)}" if isinstance(changes, list) and changes else ""
    return f"publication {current.sequence} {origin}; it stays until the next plan is published{changed}"


def _not_as_stored(job: Job, store: RunStore, current: Publication, record: RunRecord, now: datetime) -> Iterator[str]:
    """Yield where a publication, whole in itself, differs from store and job."""
    document, terms = current.document, job.document.publish.terms
    if current.plan_id != plan_id_of(store.plan(record)) or (record.seal and document.get("seal") != record.seal):
        yield "its plan is another"
    said = (document["tolerance_kw"], document["after_validity"]["action"])
    if said != (terms.tolerance_kw, terms.after_validity):
        asked = f"{terms.tolerance_kw:g} kW and {terms.after_validity}"
        yield f"its terms are {said[0]:g} kW and {said[1]}, those of the job {asked}"
    yield from carried_faults(current, partial(_plan_of, job, store), now)
    begin = since(current, now)
    earlier = any(
        r.valid_from <= begin < r.valid_until for r in store.published(job.plant) if r.sequence != record.sequence
    )
    if earlier and record.valid_from > begin and not rows_at(current.rows(), begin):
        yield "it has nothing for the time until its plan begins"


def _plan_of(job: Job, store: RunStore, plan_id: str) -> WrittenPlan | None:
    """Return a published plan, from the store, or from its publication where somebody published it by hand."""
    for record in store.published(job.plant):
        if store.place(record).is_dir() and plan_id_of(store.plan(record)) == plan_id:
            return unaudited(store.plan(record))
    for publication in publications(job.path_of(job.document.publish.directory)):
        if publication.plan_id == plan_id and not faults_of(publication):
            return unaudited(publication.plan_directory)
    return None
