"""Removing old runs: their rows first, then their files, never what is published or carries the state on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flexmine.errors import BadInput
from flexmine.jobs.calendar import ONE_DAY
from flexmine.jobs.job import Job
from flexmine.store.files import dying, refuse_foreign, remove
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore


@dataclass(frozen=True)
class Pruned:
    """The runs removed, and those that are old enough but still needed, with the reason."""

    gone: tuple[RunRecord, ...]
    kept: tuple[tuple[RunRecord, str], ...]


def prune(job: Job, store: RunStore, before: date, *, pretend: bool = False) -> Pruned:
    """Remove all runs of days before `before` that nothing needs any more; with `pretend`, only list them.

    Needed are the last published run, and the plans followed on the last two days that have one: the next night begins
    from the state after the last, and a repeated night from that after the one before.

    Raises
    ------
    BadInput
        A row does not fit its record, or a folder is not that of a run or is a link: nothing is removed then.  Or files
        cannot be removed; the rows that name them are gone by then, and the next run sets the rest aside.
    """
    needed: dict[str, str] = {}
    published, last = store.last_published(job.plant), store.last_day(job.plant)
    for day in () if last is None else (last, last - ONE_DAY):
        newest = store.followed(job.plant, day)
        if newest is not None:
            needed[newest.run_id] = f"the plan of {day + ONE_DAY} begins from its state"
    if published is not None:
        needed[published.run_id] = "it is published"
    old = [record for record in store.history(job.plant) if record.day < before]
    gone = [record for record in old if record.run_id not in needed]
    if not pretend:
        _remove(store, gone)
    kept = [(record, needed[record.run_id]) for record in old if record.run_id in needed]
    return Pruned(tuple(gone), tuple(kept))


def _remove(store: RunStore, gone: list[RunRecord]) -> None:
    for record in gone:
        refuse_foreign(store.root, store.place(record))
        refuse_foreign(store.root, dying(store.place(record)))
    # A folder without a row would be taken in again by the next run, so it loses its name first.
    try:
        for record in gone:
            if store.place(record).exists():
                store.place(record).rename(dying(store.place(record)))
        store.remove(record.run_id for record in gone)
        for record in gone:
            remove(store.root, dying(store.place(record)))
    except OSError as error:
        raise BadInput(f"{store.root}: old runs cannot be removed: {error.strerror or error}") from error


def first_kept(job: Job, store: RunStore, today: date, days: int | None) -> date:
    """Return the first day that is kept.

    Parameters
    ----------
    job : Job
    store : RunStore
    today : date
        By the site's calendar.
    days : int or None
        How many days are kept; None: as many as the job states, and then nobody looks at what is removed.

    Raises
    ------
    BadInput
        The plans end long before today, and `days` is None: a clock that is years ahead must not remove them.
    """
    newest = store.last_day(job.plant)
    if days is None and newest is not None and (today - newest).days > job.document.catch_up.max_days:
        raise BadInput(
            f"{job.plant}: the newest plan is of {newest}, {(today - newest).days} days before {today}; nothing is "
            "removed. Is the clock right? Else say with --days how many days to keep"
        )
    return today - timedelta(days=days or job.document.retention.days)
