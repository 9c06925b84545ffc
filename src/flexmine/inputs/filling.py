"""What may stand in for missing values: only what the case names, only for short gaps, and always on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.resample import Grid
from flexmine.inputs.series_spec import Fill
from flexmine.inputs.table import Bools
from flexmine.inputs.times import US_PER_H, at_clock, duration, iso, moment, to_us
from flexmine.inputs.values import Column
from flexmine.problem import Floats, TimeAxis


@dataclass(frozen=True)
class Filled:
    """Steps of a series in a row whose values are not the feed's own.

    Attributes
    ----------
    series : str
        Dotted key of the case.
    policy : str
        ``hold``, ``same_hour_yesterday``, ``interpolate`` or ``repeat_28_february``.
    begin, end : datetime
        Of the first and the last step, in site time.
    first_step, steps : int
        Index of the first of them in the horizon, and how many they are.
    """

    series: str
    policy: str
    begin: datetime
    end: datetime
    first_step: int
    steps: int

    def __str__(self) -> str:
        several = f"{self.steps} step{'s' if self.steps > 1 else ''}"
        begin, end = (t.isoformat(timespec="minutes") for t in (self.begin, self.end))
        return f"{self.series}: {several} from {begin} to {end} ({self.how})"

    @property
    def how(self) -> str:
        """The policy in words."""
        return "28 February repeated" if self.policy == "repeat_28_february" else self.policy.replace("_", " ")

    def document(self) -> dict[str, Any]:
        """Return the entry of plan.json."""
        return {
            "series": self.series,
            "policy": self.policy,
            "begin": self.begin.isoformat(),
            "end": self.end.isoformat(),
            "first_step": self.first_step,
            "steps": self.steps,
        }


@dataclass(frozen=True)
class Gap:
    """Missing cells in a row: [first, last] of the grid."""

    first: int
    last: int


def complete(column: Column, grid: Grid, values: Floats, axis: TimeAxis) -> tuple[Floats, Bools]:
    """Return `values`, one per cell of the grid, with no cell of the horizon missing, and which cells were filled.

    Raises
    ------
    BadInput
        Naming place, first time and length of the first gap, and how many values are missing in all, where the case
        names no policy, the gap is longer than the policy's longest, or what should stand in is missing too.
    """
    fill, missing = column.spec.fill, np.isnan(values)
    filled = np.zeros(len(values), dtype=bool)
    result = values.copy()
    for gap in _gaps(missing, grid.cells.inside, through=fill is not None and fill.policy == "interpolate"):
        if fill is None:
            missing_words = _missing(column, grid, missing, axis, gap)
            raise BadInput(
                f"{missing_words}; {_cause(grid, axis) or 'every step needs a value, or the case a policy (fill)'}"
            )
        if fill.policy == "hold" and _before_all_rows(grid, gap):
            # Of the cells before the horizon, which are there for filling, nobody has said that they should be.
            own = Gap(int(np.flatnonzero(grid.cells.inside)[0]), gap.last)
            after = iso(grid.cells.begin_us[gap.last] + grid.step_us, ZoneInfo(axis.zone))
            missing_words = _missing(column, grid, missing, axis, own)
            raise BadInput(f"{missing_words}; there is nothing before {after} to hold")
        stand_in = _stand_in(fill, grid, values, axis, gap)
        too_long = (gap.last - gap.first + 1) * grid.step_us > fill.longest_gap_h * US_PER_H
        # A gap may begin before the horizon: what is missing there needs no value.
        wanted = grid.cells.inside[gap.first : gap.last + 1]
        if too_long or np.isnan(stand_in[wanted]).any():
            missing_words = _missing(column, grid, missing, axis, gap)
            longest = f"that is longer than the longest_gap_h of {fill.policy}, {fill.longest_gap_h:g} h"
            raise BadInput(f"{missing_words}; {longest if too_long else _NOTHING_TO_FILL_WITH[fill.policy]}")
        cells = slice(gap.first, gap.last + 1)
        result[cells], filled[cells] = stand_in, True
    return result, filled & grid.cells.inside


def _before_all_rows(grid: Grid, gap: Gap) -> bool:
    """Return whether a gap lies before the first row of the file and reaches into the horizon from its beginning."""
    first_inside = int(np.flatnonzero(grid.cells.inside)[0])
    begin_us = grid.source.begin_us
    return gap.first <= first_inside and len(begin_us) > 0 and begin_us[0] >= grid.cells.begin_us[first_inside]


def records(key: str, policy: str, steps: Bools, axis: TimeAxis) -> Iterator[Filled]:
    """Yield one record for each run of filled `steps`, flags of shape (T,), by `policy`, of the series `key`."""
    edges = np.diff(np.concatenate(([0], steps.astype(np.int8), [0])))
    for first, last in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        yield Filled(key, policy, axis.begin(int(first)), axis.begin(int(last)), int(first), int(last - first))


_NOTHING_TO_FILL_WITH = {
    "hold": "there is no value before the gap to hold",
    "same_hour_yesterday": "the same hour of the day before is missing too",
    "interpolate": "a straight line needs a value on both sides of the gap",
}


def _gaps(missing: Bools, inside: Bools, *, through: bool) -> Iterator[Gap]:
    """Yield the gaps that touch the horizon; what is missing after it counts only with `through`, if it ends."""
    end = int(np.flatnonzero(inside)[-1]) + 1
    known_after = np.flatnonzero(~missing[end:])
    if through and known_after.size:
        end += int(known_after[0])
    edges = np.diff(np.concatenate(([0], missing[:end].astype(np.int8), [0])))
    for first, after in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if inside[first:after].any():
            yield Gap(int(first), int(after) - 1)


def _stand_in(fill: Fill, grid: Grid, values: Floats, axis: TimeAxis, gap: Gap) -> Floats:
    """Return what the policy puts into a gap, NaN where it has nothing."""
    count = gap.last - gap.first + 1
    left = values[gap.first - 1] if gap.first > 0 else np.nan
    if fill.policy == "hold":
        return np.full(count, left)
    if fill.policy == "interpolate":
        right = values[gap.last + 1] if gap.last + 1 < len(values) else np.nan
        return left + (right - left) * np.arange(1, count + 1) / (count + 1)
    known = values.copy()
    for cell in range(gap.first, gap.last + 1):  # of a gap of more than a day, what stands in stands in again
        known[cell] = _yesterday(grid, known, axis, cell)
    return known[gap.first : gap.last + 1]


def _yesterday(grid: Grid, values: Floats, axis: TimeAxis, cell: int) -> float:
    """Return the value of the same clock time of the site's day before, NaN where there is none.

    For an hour that the clock left out there, the hour before it stands in.
    """
    begin_us = grid.cells.begin_us
    zone = ZoneInfo(axis.zone)
    clock = moment(begin_us[cell]).astimezone(zone).replace(tzinfo=None) - timedelta(days=1)
    at = (to_us(at_clock(clock, zone)) - int(begin_us[0])) // grid.step_us
    return float(values[at]) if 0 <= at < cell else np.nan


def _cause(grid: Grid, axis: TimeAxis) -> str:
    """Return why a file that looks right has no values for the horizon; empty where it only has a hole."""
    source, zone = grid.source, ZoneInfo(axis.zone)
    horizon_us = grid.cells.begin_us[grid.cells.inside]
    begin_us, end_us = int(horizon_us[0]), int(horizon_us[-1]) + grid.step_us
    near = (source.end_us > begin_us) & (source.begin_us < end_us)
    if not near.any():
        return "the file has nothing for these days: are start and the years of the file right?" if near.size else ""
    off = (source.begin_us[near] - begin_us) % grid.step_us
    if (off == off[0]).all() and off[0]:
        first = iso(source.begin_us[near][0], zone)
        away = duration(int(off[0]))
        return f"its rows begin {away} after the steps of the case, as at {first}; give the case such a start"
    apart = np.diff(source.begin_us[near])
    changes = np.flatnonzero(apart[1:] != apart[:-1])
    # One distance of another length is a hole.
    if changes.size == 1 and 1 <= changes[0] < apart.size - 2:
        at = int(changes[0])
        when = iso(source.begin_us[near][at + 1], zone)
        lengths = f"{duration(int(apart[at]))} apart, and from {when} on {duration(int(apart[at + 1]))}"
        return f"its rows are {lengths}; bring them to one length"
    return ""


def _missing(column: Column, grid: Grid, missing: Bools, axis: TimeAxis, gap: Gap) -> str:
    """Return the sentence for a gap: where, when, how long, how many, what the file covers."""
    cells, source, zone = grid.cells, grid.source, ZoneInfo(axis.zone)
    first_us, horizon_us = cells.begin_us[gap.first], cells.begin_us[cells.inside]
    row = int(cells.row[gap.first])
    what = "nothing" if row < 0 else f"{column.table.text(column.name)[row]!r}, which is not a value,"
    covers = "the file has no rows"
    if len(source.row):
        covers = f"the file covers {iso(source.begin_us[0], zone)} to {iso(source.end_us[-1], zone)}"
        if row < 0:  # the row before the gap shows where to look
            row = int(source.row[max(int(np.searchsorted(source.begin_us, first_us)) - 1, 0)])
    return (
        f"{column.table.place(row)}: column {column.name}: {what} for {iso(first_us, zone)}, a gap of "
        f"{duration((gap.last - gap.first + 1) * grid.step_us)} ({int((missing & cells.inside).sum())} of "
        f"{len(horizon_us)} values missing in the horizon from {iso(horizon_us[0], zone)} to "
        f"{iso(horizon_us[-1] + grid.step_us, zone)}; {covers})"
    )
