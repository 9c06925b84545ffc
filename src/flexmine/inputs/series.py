"""A column of a file onto the time axis of a case, or a sentence that states where it fails and what is allowed.

The way of a series: its table (``table``), the issue that was known (``issues``), its rows as intervals in UTC
(``times``), the cells that the horizon needs (``resample``), their numbers in the unit of the key (``values``,
``conversion``), what may be filled (``filling``), and last the mean over each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.conversion import Conversion, conversion
from flexmine.inputs.filling import Filled, complete, records
from flexmine.inputs.issues import Issue, select_issue
from flexmine.inputs.resample import Grid, grid
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Bools, Table
from flexmine.inputs.times import US_PER_H, intervals, iso, joined
from flexmine.inputs.typical_year import TypicalYear, on_dates
from flexmine.inputs.values import Column, numbers
from flexmine.problem import Floats, Ints, TimeAxis

ORDER_TOLERANCE = 1e-9
"""Quantiles that differ by less than this share are equal: decimals of the feed."""


@dataclass(frozen=True)
class Feed:
    """Where a series comes from and how it became steps; for people and for plan.json.

    Attributes
    ----------
    covers : tuple of str
        Beginning and end of what the file (its used issue) holds, ISO 8601 in site time.
    rule : str
        How steps come from the rows.
    """

    series: str
    file: str
    column: str
    unit: str
    rule: str
    covers: tuple[str, str]
    issue: Issue | None = None
    note: str = ""

    def __str__(self) -> str:
        parts = [f"{self.series}: {self.file} {self.column} [{self.unit}]", self.rule]
        parts += [str(self.issue)] if self.issue else []
        parts += [self.note] if self.note else [f"covers {self.covers[0]} to {self.covers[1]}"]
        return ", ".join(parts)

    def document(self) -> dict[str, Any]:
        """Return the entry of plan.json."""
        return {
            "series": self.series,
            "file": self.file,
            "column": self.column,
            "unit": self.unit,
            "rule": self.rule,
            "covers": list(self.covers),
            "issued_at": None if self.issue is None else self.issue.issued_at.isoformat(),
            "revision": None if self.issue is None else self.issue.revision,
            "note": self.note,
        }


@dataclass(frozen=True)
class Origin:
    """Where the steps of a series stand in its file.

    Attributes
    ----------
    rows : ndarray of int, shape (T, cells of a step)
        Row of the table of each cell, -1 where there is none.
    filled : ndarray of bool, shape (T,)
        Steps that a policy has filled in.
    """

    table: Table
    column: str
    rows: Ints
    filled: Bools

    def span(self, first: int) -> str:
        """Return the places of the rows from step `first` to the last one, ``f.csv:3 to f.csv:26: column price``."""
        rows = self.rows[first:][self.rows[first:] >= 0]
        if not rows.size:
            return f"{self.table.label}: column {self.column}"
        places = dict.fromkeys(self.table.place(row) for row in (rows[0], rows[-1]))
        return f"{' to '.join(places)}: column {self.column}"


@dataclass(frozen=True)
class SeriesRead:
    """A series on the time axis of a case.

    Attributes
    ----------
    values : ndarray, shape (T,)
        In the unit of the key.
    quantiles : dict of ndarray, shape (T,)
        Where the case names columns of quantiles.
    origin : Origin or None
        None where the rows were not kept.
    """

    values: Floats
    feed: Feed
    filled: tuple[Filled, ...] = ()
    quantiles: dict[str, Floats] = field(default_factory=dict)
    origin: Origin | None = None


def read_series(
    source: Table | TypicalYear,
    spec: Series,
    quantity: str,
    axis: TimeAxis,
    *,
    key: str | None = None,
    as_of: datetime | None = None,
) -> SeriesRead:
    """Return column x factors on the time axis of the case, in the unit of `quantity`.

    Parameters
    ----------
    source : Table or TypicalYear
        The file, as read.
    spec : Series
    quantity : str
        Key of :data:`flexmine.inputs.series_spec.BANDS`, which decides its unit and plausible band.
    axis : TimeAxis
    key : str, optional
        Dotted key of the case, for the records; default: the quantity.
    as_of : datetime, optional
        Aware; what was issued later is not used.  Needed where the spec has an `issue_column`.

    Raises
    ------
    BadInput
        Naming file, line, column, time and extent of the first thing that is wrong, and what is allowed.
    """
    key = key or quantity
    convert = conversion(spec, quantity)
    table, leap, note = on_dates(source, spec, axis) if isinstance(source, TypicalYear) else (source, None, "")
    table, spec = joined(table, spec)
    table.need(spec.time_column, spec.column, *spec.quantiles.values())
    issue = None
    if spec.issue_column is not None:
        if as_of is None:
            raise BadInput(f"column {spec.issue_column} holds several issues; the case has to say as_of, a time")
        table, issue = select_issue(table, spec, as_of)
    rows = intervals(table, spec, round(axis.step_h * US_PER_H))
    cells = grid(table, spec, rows, axis)
    values, gone = _steps(Column(table, spec.column, spec, quantity), convert, cells, axis)
    filled = [*records(key, spec.fill.policy, gone, axis)] if spec.fill else []
    rows_of_steps = cells.cells.row[cells.cells.inside].reshape(axis.steps, -1)
    origin = Origin(table, spec.column, rows_of_steps, gone)
    if leap is not None and spec.leap_day is not None:
        filled += records(key, spec.leap_day, cells.any_of_step(leap[cells.cells.row]) & ~gone, axis)
    quantiles: dict[str, Floats] = {}
    for name, column in sorted(spec.quantiles.items(), key=lambda item: int(item[0][1:])):
        quantiles[name], gone = _steps(Column(table, column, spec, quantity), convert, cells, axis)
        filled += records(f"{key}.{name}", spec.fill.policy, gone, axis) if spec.fill else []
    _refuse_crossing(table, spec, quantiles, axis)
    zone = ZoneInfo(axis.zone)
    covers = (iso(rows.begin_us[0], zone), iso(rows.end_us[-1], zone))
    feed = Feed(key, table.label, spec.column, convert.unit, cells.rule, covers, issue, note)
    return SeriesRead(values, feed, tuple(filled), quantiles, origin)


def _steps(column: Column, convert: Conversion, cells: Grid, axis: TimeAxis) -> tuple[Floats, Bools]:
    """Return a column by step, and which steps hold something that was filled in."""
    values, filled = complete(column, cells, numbers(column, convert, cells.cells), axis)
    return cells.steps(values), cells.any_of_step(filled)


def _refuse_crossing(table: Table, spec: Series, quantiles: dict[str, Floats], axis: TimeAxis) -> None:
    """Refuse quantiles that do not rise: a lower one above a higher one."""
    names = list(quantiles)
    for low, high in pairwise(names):
        slack = ORDER_TOLERANCE * np.maximum(1.0, np.abs(quantiles[high]))
        crossed = quantiles[low] > quantiles[high] + slack
        if crossed.any():
            t = int(crossed.argmax())
            raise BadInput(
                f"{table.label}: quantiles {low} (column {spec.quantiles[low]}) and {high} (column "
                f"{spec.quantiles[high]}) cross at {axis.begin(t).isoformat()}: {quantiles[low][t]:g} > "
                f"{quantiles[high][t]:g} ({int(crossed.sum())} of {axis.steps} steps); quantiles rise"
            )
