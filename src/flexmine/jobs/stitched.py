"""The best known values of a series: each hour from the newest issue that covers it, and a policy after the last.

Feeds bring one file a night, and each file begins tomorrow: for the rest of today the newest issue is yesterday's.  A
gap inside an issue stays a gap, which an older one does not fill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.conversion import conversion
from flexmine.inputs.excerpt import named_step
from flexmine.inputs.issues import select_issue
from flexmine.inputs.resample import YESTERDAY_H, grid
from flexmine.inputs.series_spec import Fill, Series
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H, Intervals, intervals, moment, to_us
from flexmine.inputs.values import Column, numbers
from flexmine.jobs.issues import FeedFile
from flexmine.jobs.schema import Tail
from flexmine.problem import Floats, TimeAxis


@dataclass(frozen=True)
class Stitched:
    """Rows of several issues as one table.

    Attributes
    ----------
    spec : Series
        That of the template, except that times are ISO 8601 beginnings of intervals.
    used : tuple of FeedFile
        The issues that have given rows around the horizon, the newest first.
    until : datetime
        End of the last row.
    ends_early : datetime or None
        End of the newest issue, where the horizon goes on and an older one says how.
    tail_from : datetime or None
        Where the policy of the tail begins.
    """

    table: Table
    spec: Series
    used: tuple[FeedFile, ...]
    until: datetime
    ends_early: datetime | None = None
    tail_from: datetime | None = None


def stitched(
    issues: Sequence[FeedFile], read: Callable[[FeedFile], Table], spec: Series, axis: TimeAxis, as_of: datetime
) -> Stitched:
    """Return the rows of the newest issue, completed by those of older ones outside the time that it spans.

    Parameters
    ----------
    issues : sequence of FeedFile
        The newest first; at least one.
    read : callable
        Reads an issue.  A fault of the newest is an error; an older one that cannot be read is passed over.
    spec : Series
    axis : TimeAxis
    as_of : datetime
        Aware; where one file holds several issues, those issued later are not used.

    Raises
    ------
    BadInput
        The newest cannot be read, or its rows are calendar days.
    """
    first, *older = issues
    if spec.every == "day":
        raise BadInput(
            f"{first.label}: every: day is not read from the feeds of a job; allowed: every: 24h, or shorter"
        )
    newest = read(first)
    rows, own = _rows(newest, spec, axis, as_of)
    if not len(rows):
        raise BadInput(f"{newest.label}: has no rows")
    parts, used = [rows.assign(file=first.label)], [first]
    for issue in older:
        if _covers(parts, axis):
            break
        try:
            more, step_us = _rows(read(issue), spec, axis, as_of)
        except BadInput:
            continue
        outside = _outside(more, parts) if step_us == own else more[:0]
        parts.append(outside.assign(file=issue.label))
        # What lies before or after the horizon serves the policies of filling only.
        if ((outside["end_us"] > to_us(axis.begin(0))) & (outside["begin_us"] < to_us(axis.begin(axis.steps)))).any():
            used.append(issue)
    whole = pd.concat(parts).sort_values("begin_us", kind="stable")
    texts = [moment(us).isoformat() for us in whole["begin_us"]]
    columns = list(dict.fromkeys((spec.column, *spec.quantiles.values())))
    frame = pd.DataFrame({spec.time_column: texts, **{name: whole[name].to_numpy() for name in columns}}, dtype=str)
    label = first.label if len(used) == 1 else f"{first.label} and {len(used) - 1} older"
    files = whole["file"].to_numpy(dtype=object)
    table = Table(label, frame, whole["line"].to_numpy(dtype=np.int64), newest.word, files=files)
    iso = {"format": "csv", "layout": None, "zone": None, "label": "beginning", "issue_column": None}
    iso["time_of_day_column"] = None
    more_keys = {"revision_column": None, "stale_after_h": None, "every": named_step(spec, own)}
    end_us = int(rows["end_us"].max())
    inside = (whole["begin_us"] >= end_us) & (whole["begin_us"] < to_us(axis.begin(axis.steps)))
    ends_early = _site(end_us, axis) if inside.any() else None
    until = _site(int(whole["end_us"].max()), axis)
    return Stitched(table, spec.model_copy(update={**iso, **more_keys}), tuple(used), until, ends_early)


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
    columns = dict.fromkeys((found.spec.column, *found.spec.quantiles.values()))
    empty = [found.table.text(name).isin(["", *found.spec.missing]).to_numpy()[rows.row] for name in columns]
    held = ~np.any(empty, axis=0)
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
    tail_from = _site(int(rows.end_us[last]), axis)
    return replace(found, spec=found.spec.model_copy(update={"fill": fill}), tail_from=tail_from)


def known_values(found: Stitched, quantity: str, axis: TimeAxis) -> Floats:
    """Return the known value of each step, shape (T,), in the unit of `quantity`, a case key; NaN where unknown."""
    spec = found.spec.model_copy(update={"fill": None})
    cells = grid(found.table, spec, intervals(found.table, spec, round(axis.step_h * US_PER_H)), axis)
    return cells.steps(
        numbers(Column(found.table, spec.column, spec, quantity), conversion(spec, quantity), cells.cells)
    )


def _rows(table: Table, spec: Series, axis: TimeAxis, as_of: datetime) -> tuple[pd.DataFrame, int]:
    """Return the rows of one issue with the beginning and end of each, and the length of its intervals [us]."""
    if spec.issue_column is not None:
        table, _ = select_issue(table, spec, as_of)
    table.need(spec.column, *spec.quantiles.values())
    found: Intervals = intervals(table, spec, round(axis.step_h * US_PER_H))
    frame = pd.DataFrame({"begin_us": found.begin_us, "end_us": found.end_us, "line": table.lines[found.row]})
    for name in dict.fromkeys((spec.column, *spec.quantiles.values())):
        frame[name] = np.array(table.plain_cells(name, spec.missing), dtype=object)[found.row]
    return frame, found.step_us


def _site(us: int, axis: TimeAxis) -> datetime:
    return moment(us).astimezone(axis.begin(0).tzinfo)


def _covers(parts: list[pd.DataFrame], axis: TimeAxis) -> bool:
    whole = pd.concat(parts).sort_values("begin_us")
    begin, end = whole["begin_us"].to_numpy(), whole["end_us"].to_numpy()
    # From a day before on, which the policies of filling may ask for, to the end: what an older issue knows goes
    # before what a tail assumes.
    far = begin[0] <= to_us(axis.begin(0)) - YESTERDAY_H * US_PER_H and end[-1] >= to_us(axis.begin(axis.steps))
    return bool(far and (end[:-1] == begin[1:]).all())


def _outside(more: pd.DataFrame, parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows that lie outside of what each newer issue spans."""
    outside = np.ones(len(more), dtype=bool)
    for part in parts:
        if len(part):
            outside &= (
                (more["end_us"] <= part["begin_us"].min()) | (more["begin_us"] >= part["end_us"].max())
            ).to_numpy()
    return more[outside]
