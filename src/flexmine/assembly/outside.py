"""Entries of a case that lie outside its horizon: reported, because they have no effect, and the year may be wrong.

A list may hold the orders of many years.  So the year is doubted only where an entry would lie in the horizon if it
were of that year, and no other entry of its list is of it.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flexmine.assembly.windows import Clock
from flexmine.inputs.case import Case


@dataclass(frozen=True)
class Entry:
    """An entry of a list of a case: its name in messages, and from when (included) to when (excluded) it holds."""

    what: str
    begin: datetime
    end: datetime


def outside(case: Case, clock: Clock) -> list[str]:
    """Return in words which windows, orders, outages and obligations of a case lie outside its horizon."""
    document, start, zone = case.document, clock.axis.start, clock.zone

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), zone)

    lists = [
        [
            Entry(f"window {w.name}", midnight(w.from_date), midnight(w.to_date + timedelta(days=1)))
            for w in document.windows
            if w.from_date is not None and w.to_date is not None
        ],
        [Entry(f"order {o.name}", o.begin, o.end) for o in document.orders],
        [Entry(f"outage of {o.container}", o.begin, o.end) for o in document.outages],
        [Entry(f"must-run of {', '.join(o.containers)}", o.begin, o.end) for o in document.must_run],
        [Entry(f"available count of {o.model}", o.begin, o.end) for o in document.available],
        [Entry(f"pin of {p.what} to {p.to} by {p.by}", p.begin or min(start, p.until), p.until) for p in document.pins],
    ]
    return [note for entries in lists for note in without_effect(entries, clock)]


def without_effect(entries: Sequence[Entry], clock: Clock) -> list[str]:
    """Return a sentence for each entry of one list that lies outside the horizon."""
    return [
        f"{e.what} ({e.begin.isoformat()} to {e.end.isoformat()}) lies outside the horizon{doubt} and has no effect"
        for e, doubt in zip(entries, doubts(entries, clock), strict=True)
        if not _overlaps(e.begin, e.end, clock)
    ]


def doubts(entries: Sequence[Entry], clock: Clock) -> list[str]:
    """Return for each entry of one list the question whether its year is right; empty where there is no doubt."""
    first, last = (clock.begins[i].astimezone(clock.zone).year for i in (0, -1))
    new_year, after = (datetime(year, 1, 1, tzinfo=clock.zone) for year in (first, last + 1))
    if any(e.begin < after and e.end > new_year for e in entries):
        return [""] * len(entries)
    return [_doubt(e, clock, range(first - 1, last + 1)) for e in entries]


def _doubt(entry: Entry, clock: Clock, years: range) -> str:
    local = entry.begin.astimezone(clock.zone)
    # The year nearest to the one written is the likeliest.
    for year in sorted(years, key=lambda year: abs(year - local.year)):
        shift = _in_year(local, year) - local
        if year != local.year and _overlaps(entry.begin + shift, entry.end + shift, clock):
            return f" (of {year} in place of {local.year} it would be inside; is the year right?)"
    return ""


def _in_year(moment: datetime, year: int) -> datetime:
    absent = (moment.month, moment.day) == (2, 29) and not calendar.isleap(year)
    return moment.replace(year=year, month=3, day=1) if absent else moment.replace(year=year)


def _overlaps(begin: datetime, end: datetime, clock: Clock) -> bool:
    return begin < clock.begins[-1] and end > clock.begins[0]
