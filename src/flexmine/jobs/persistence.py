"""Series of a night taken from the days before, where no feed is available."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.case import Case, load_case
from flexmine.inputs.conversion import own_unit
from flexmine.inputs.excerpt import excerpt
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.inputs.times import at_clock
from flexmine.jobs.calendar import ONE_DAY, LocalDay
from flexmine.jobs.feeds import FILL, NEWEST, OLDER, Chosen
from flexmine.jobs.job import Job
from flexmine.jobs.resolve import CASE_FILE
from flexmine.jobs.schema import Hold, Persistence
from flexmine.jobs.template import SeriesKey
from flexmine.problem import Floats, TimeAxis
from flexmine.store.records import NIGHT, RunRecord
from flexmine.store.runs import RunStore

MEASURED = (NEWEST, OLDER, FILL)
"""Steps whose values came from a feed; what was itself persistence says nothing new."""


@dataclass(frozen=True)
class Past:
    """What the nights before a day were planned with.

    Attributes
    ----------
    days : int
        How many days back at most.
    """

    job: Job
    store: RunStore
    day: LocalDay
    days: int
    used: dict[str, dict[time, list[float]]] = field(default_factory=dict)

    @cached_property
    def cases(self) -> list[tuple[Case, Mapping[str, str]]]:
        """The cases of the days before, the newest first, each with the step of the ladder of every series."""
        found: list[tuple[Case, Mapping[str, str]]] = []
        for back in range(1, self.days + 1):
            for record in self._nights(self.day.day - ONE_DAY * back)[-1:]:
                steps = {str(feed["series"]): str(feed["step"]) for feed in record.feeds}
                found.append((load_case(self.store.inputs(record) / CASE_FILE), steps))
        return found

    def hour_before(self, clock: time) -> time | None:
        """Return an hour before `clock`, where the clock was put forward over it on one of the days before."""
        zone = ZoneInfo(self.day.zone)
        for case, _ in self.cases:
            shown = at_clock(datetime.combine(case.time.begin(0).astimezone(zone).date(), clock), zone).time()
            if shown != clock:
                return shown
        return None

    def _nights(self, day: date) -> list[RunRecord]:
        """Return the plans of a whole day, the newest last."""
        return [r for r in self.store.revisions(self.job.plant, day) if r.kind == NIGHT]

    def by_clock(self, dotted: str) -> dict[time, list[float]]:
        """Return the values of the series with the key `dotted` by local clock time, those of the newest day first."""
        if dotted not in self.used:
            values: dict[time, list[float]] = {}
            for case, steps in self.cases:
                if steps.get(dotted) in MEASURED and dotted in case.series:
                    for t in range(case.publish_steps):
                        values.setdefault(case.time.begin(t).time(), []).append(float(case.series[dotted][t]))
            self.used[dotted] = values
        return self.used[dotted]


def persisted(past: Past, key: SeriesKey, axis: TimeAxis, step: Persistence | Hold, known: Floats) -> Chosen:
    """Return a series from known values, else from the days before: a quantile of a surplus, or the newest value.

    Parameters
    ----------
    past : Past
    key : SeriesKey
    axis : TimeAxis
    step : Persistence or Hold
        Of the ladder: which quantile of a surplus stands in.
    known : ndarray, shape (T,)
        What a feed gives for each step, in the unit of the key; NaN where it gives nothing.

    Raises
    ------
    BadInput
        There is a time of day for which no value was used on those days.
    """
    values = past.by_clock(key.dotted)
    clocks = [axis.begin(t).time() for t in range(axis.steps)]
    absent = np.isnan(known)
    left_out = {clock: past.hour_before(clock) for clock in clocks if clock not in values}
    values = values | {clock: values[other] for clock, other in left_out.items() if other in values}
    missing = [clock for clock, gone in zip(clocks, absent, strict=True) if gone and clock not in values]
    if missing:
        raise BadInput(
            f"{key.dotted}: nothing was used at {missing[0]:%H:%M} on the {past.days} days before {past.day.day}, so "
            "there is nothing to persist"
        )
    surplus = is_surplus(past.job, key)
    made = known.copy()
    for t in np.flatnonzero(absent):
        past_values = values[clocks[t]]
        made[t] = np.quantile(past_values, step.surplus_quantile) if surplus else past_values[0]
    low = "the least" if step.surplus_quantile == 0 else f"the {step.surplus_quantile:g} quantile"
    what = f"{low} of each hour" if surplus else "the same hour"
    days = max((len(v) for v in values.values()), default=0)
    part = "" if absent.all() else f"in {int(absent.sum())} of {axis.steps} steps "
    put_forward = dict.fromkeys(clock for clock, gone in zip(clocks, absent, strict=True) if gone and clock in left_out)
    if not absent.any():
        return of_values(key, made, axis, step=step.step, label=f"{key.dotted}: an issue older than the others may be")
    label = f"{key.dotted}: {part}{what} of the last {days} day{'s' if days > 1 else ''} with a feed, for want of one"
    if put_forward:
        label += (
            f"; {', '.join(f'{clock:%H:%M}' for clock in put_forward)}, left out there by the clock, as an hour before"
        )
    return of_values(key, made, axis, step=step.step, label=label)


def of_values(key: SeriesKey, values: Floats, axis: TimeAxis, *, step: str, label: str) -> Chosen:
    """Return given values as the series of a night.

    Parameters
    ----------
    key : SeriesKey
    values : ndarray, shape (T,)
        In the unit of the key.
    axis : TimeAxis
    step : str
        Step of the ladder that they were taken on.
    label : str
        What a reader of the plan should know about them; empty for nothing.
    """
    rows = pd.DataFrame(
        {
            "interval_start": [axis.begin(t).isoformat() for t in range(axis.steps)],
            key.quantity: [repr(float(v)) for v in values],
        }
    )
    minutes = timedelta(hours=axis.step_h) // timedelta(minutes=1)
    every = f"{minutes}min" if minutes < 60 else f"{minutes // 60}h"
    spec = Series(file="-", column=key.quantity, unit=own_unit(key.quantity), every=every)  # type: ignore[arg-type]
    return Chosen(spec, rows, step, label, {"series": key.dotted, "file": "runs of the days before"})


def taken_over(key: SeriesKey, spec: Series, inputs: Path, axis: TimeAxis, *, step: str) -> Chosen:
    """Return the series of an earlier night for a later horizon.

    Its rows and what may fill them are taken over, not its values: what was filled in then is filled in again, and the
    plan says so again.

    Parameters
    ----------
    key : SeriesKey
    spec : Series
        As the case of that night has it.
    inputs : Path
        Folder of that case.
    axis : TimeAxis
        Of the later horizon.
    step : str
        Of the ladder.

    Returns
    -------
    Chosen
    """
    rows, kept = excerpt(read_table((inputs / spec.file).read_bytes(), spec.file), spec, axis)
    return Chosen(kept, rows.rows, step, "", {"series": key.dotted, "file": "runs of the days before"})


def is_surplus(job: Job, key: SeriesKey) -> bool:
    """Return whether a series is the offer of a surplus, of which less is the safe side."""
    if key.quantity not in ("available_mw", "headroom_mw"):
        return False
    sources = job.template.case.document.sources
    return any(s.kind == "surplus" and key.dotted.startswith(f"sources.{s.name}.") for s in sources)
