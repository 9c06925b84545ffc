"""The best known values of a series: each hour from the newest issue that covers it, and a policy after the last.

Feeds bring one file a night, and each file begins tomorrow: for the rest of today the newest issue is yesterday's.  A
gap inside an issue stays a gap, which an older one does not fill.  An issue that gives no hour of the horizon is none:
it is passed over, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.conversion import conversion
from flexmine.inputs.excerpt import named_step
from flexmine.inputs.issues import of_one_issue
from flexmine.inputs.missing import rows_without_value
from flexmine.inputs.resample import YESTERDAY_H, grid
from flexmine.inputs.series_spec import Fill, Series
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H, intervals, moment, to_us
from flexmine.inputs.values import Column, numbers
from flexmine.jobs.issue_rows import ReadRows, Rows, moment_at_site
from flexmine.jobs.issues import FeedFile
from flexmine.jobs.schema import Tail
from flexmine.problem import Floats, Ints, TimeAxis

PassedOver = Sequence[tuple[FeedFile, str]]
"""Issues, the newest first, and why each gives no hour of the horizon."""


class NothingKnown(BadInput):
    """No issue gives an hour of the horizon.

    Parameters
    ----------
    passed_over : sequence of (FeedFile, str)
        The issues that were looked at.
    too_old : FeedFile or None
        The next one, which may not be used.
    """

    def __init__(self, passed_over: PassedOver, too_old: FeedFile | None):
        super().__init__([f"{issue.name}: {why}" for issue, why in passed_over])
        self.passed_over, self.too_old = passed_over, too_old


@dataclass(frozen=True)
class Stitched:
    """Rows of several issues as one table.

    Attributes
    ----------
    spec : Series
        That of the template, except that times are ISO 8601 beginnings of intervals.
    used : tuple of FeedFile
        The issues that have given rows of the horizon, the newest first.
    issue_of : tuple of FeedFile
        The issue of each row.
    passed_over : sequence of (FeedFile, str)
        The issues that are newer than all that are used.
    left_out : tuple of str
        Older issues that would have been looked into, and what is wrong with them.
    ends_early : datetime or None
        End of the newest issue, where the horizon goes on and an older one says how.
    tail_from : datetime or None
        Where the policy of the tail begins.
    """

    table: Table
    spec: Series
    used: tuple[FeedFile, ...]
    issue_of: tuple[FeedFile, ...]
    passed_over: PassedOver = ()
    left_out: tuple[str, ...] = ()
    ends_early: datetime | None = None
    tail_from: datetime | None = None


def stitched(
    issues: Sequence[FeedFile], rows_of: ReadRows, spec: Series, axis: TimeAxis, oldest: datetime | None = None
) -> Stitched:
    """Return the rows of the newest issue, completed by those of older ones outside the time that it spans.

    The newest is the newest that has a value for an hour of the horizon.  What lies wholly before or after the horizon
    serves the policies of filling.

    Parameters
    ----------
    issues : sequence of FeedFile
        The newest first; at least one.
    rows_of : callable
        Reads the rows of an issue.  A fault is an error up to the newest that gives an hour; an older issue that cannot
        be read is left out.
    spec : Series
    axis : TimeAxis
    oldest : datetime, optional
        Aware; the newest has to be issued at that time or later.

    Raises
    ------
    BadInput
        An issue cannot be read; as :class:`NothingKnown` where none gives an hour.
    """
    passed_over: list[tuple[FeedFile, str]] = []
    beside: list[tuple[FeedFile, Rows]] = []
    remaining = iter(issues)
    for first in remaining:
        if oldest is not None and first.issued < oldest:
            raise NothingKnown(passed_over, first)
        own = rows_of(first)
        why = own.silent(axis)
        if not why:
            break
        passed_over.append((first, why))
        if own.around(axis):
            beside.append((first, own))
    else:
        raise NothingKnown(passed_over, None)
    parts = _Parts(axis)
    for issue, rows in [*((i, r) for i, r in beside if r.step_us == own.step_us), (first, own)]:
        parts.add(issue, rows)
    left_out: list[str] = []
    for issue in remaining:
        if parts.are_whole():
            break
        try:
            rows = rows_of(issue)
        except BadInput as error:
            left_out.append(error.messages[0])
            continue
        why = "" if rows.around(axis) else rows.silent(axis)
        if rows.step_us != own.step_us and not why:
            why = "has intervals of another length than the newest issue"
        if why:
            left_out.append(f"{issue.name}: {why}")
        else:
            parts.add(issue, rows)
    used = (first, *(i for i in parts.used if i != first))
    label = first.name if len(used) == 1 else f"{first.name} and {len(used) - 1} older"
    table, issue_of = parts.table(spec, label, own.word)
    iso = {"format": "csv", "layout": None, "zone": None, "label": "beginning", "every": named_step(spec, own.step_us)}
    plain = of_one_issue(spec).model_copy(update={**iso, "time_of_day_column": None})
    end_us = int(own.end_us[-1])
    ends_early = moment_at_site(end_us, axis) if parts.go_on_after(end_us) else None
    return Stitched(table, plain, used, issue_of, tuple(passed_over), tuple(left_out), ends_early)


class _Parts:
    """Rows of issues, the newest first: of each what lies outside of the time that a newer one spans."""

    def __init__(self, axis: TimeAxis):
        self._axis = axis
        self._spans: list[tuple[int, int]] = []
        self._parts: list[tuple[FeedFile, Rows]] = []

    def add(self, issue: FeedFile, rows: Rows) -> None:
        outside = np.ones(len(rows.begin_us), dtype=bool)
        for begin_us, end_us in self._spans:
            outside &= (rows.end_us <= begin_us) | (rows.begin_us >= end_us)
        # Its whole span, not that of the rows which are left: a hole of it that touches a newer issue stays a hole.
        self._spans.append((int(rows.begin_us[0]), int(rows.end_us[-1])))
        self._parts.append((issue, rows.take(outside)))

    @property
    def used(self) -> list[FeedFile]:
        return [issue for issue, rows in self._parts if rows.inside(self._axis).any()]

    def are_whole(self) -> bool:
        # From a day before on, which the policies of filling may ask for, to the end: what an older issue knows goes
        # before what a tail assumes.
        begin_us, end_us = (np.sort(np.concatenate(times)) for times in zip(*self._times(), strict=True))
        axis = self._axis
        far = begin_us[0] <= to_us(axis.begin(0)) - YESTERDAY_H * US_PER_H
        return bool(far and end_us[-1] >= to_us(axis.begin(axis.steps)) and (end_us[:-1] == begin_us[1:]).all())

    def go_on_after(self, end_us: int) -> bool:
        last_us = to_us(self._axis.begin(self._axis.steps))
        return any(((begin_us >= end_us) & (begin_us < last_us)).any() for begin_us, _ in self._times())

    def _times(self) -> list[tuple[Ints, Ints]]:
        return [(rows.begin_us, rows.end_us) for _, rows in self._parts]

    def table(self, spec: Series, label: str, word: str) -> tuple[Table, tuple[FeedFile, ...]]:
        """Return all rows in the order of time as a table, and the issue of each."""
        begin_us = np.concatenate([rows.begin_us for _, rows in self._parts])
        order = np.argsort(begin_us, kind="stable")
        frame: dict[str, object] = {spec.time_column: [moment(us).isoformat() for us in begin_us[order]]}
        for name in self._parts[0][1].cells:
            frame[name] = np.concatenate([rows.cells[name] for _, rows in self._parts])[order]
        lines = np.concatenate([rows.line for _, rows in self._parts])[order]
        issues = [issue for issue, rows in self._parts for _ in range(len(rows.begin_us))]
        issue_of = tuple(issues[i] for i in order)
        files = np.array([issue.label for issue in issue_of], dtype=object)
        return Table(label, pd.DataFrame(frame, dtype=str), lines, word, files=files), issue_of


def with_tail(found: Stitched, tail: Tail | None, axis: TimeAxis) -> Stitched:
    """Return the same rows with a policy for the time after the last known value, and for nothing else.

    Where a value is missing before the last one, no policy is set, so that reading the series reports the gap.

    Raises
    ------
    BadInput
        There is no value within the horizon.
    """
    if tail is None or found.spec.fill is not None:
        return found
    rows = intervals(found.table, found.spec, round(axis.step_h * US_PER_H))
    held = ~rows_without_value(found.table, found.spec)[rows.row]
    begin, end = to_us(axis.begin(0)), to_us(axis.begin(axis.steps))
    inside = (rows.end_us > begin) & (rows.begin_us < end)
    if not (inside & held).any():
        raise BadInput(f"{found.table.label}: has no value for the horizon; a tail begins where something is known")
    last = int(np.flatnonzero(inside & held)[-1])
    known = np.flatnonzero(inside & (np.arange(len(held)) <= last))
    whole = held[known].all() and rows.begin_us[known[0]] <= begin
    if not (whole and (rows.end_us[known[:-1]] == rows.begin_us[known[1:]]).all()) or rows.end_us[last] >= end:
        return found
    fill = Fill(policy=tail.policy, longest_gap_h=tail.longest_h)
    tail_from = moment_at_site(int(rows.end_us[last]), axis)
    return replace(found, spec=found.spec.model_copy(update={"fill": fill}), tail_from=tail_from)


def known_values(found: Stitched, quantity: str, axis: TimeAxis) -> Floats:
    """Return the known value of each step, shape (T,), in the unit of `quantity`, a case key; NaN where unknown."""
    spec = found.spec.model_copy(update={"fill": None})
    cells = grid(found.table, spec, intervals(found.table, spec, round(axis.step_h * US_PER_H)), axis)
    return cells.steps(
        numbers(Column(found.table, spec.column, spec, quantity), conversion(spec, quantity), cells.cells)
    )
