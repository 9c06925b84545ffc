"""The rows of one issue of a feed, as its series reads them, and whether they say anything of a horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from flexmine.errors import BadInput
from flexmine.inputs.missing import rows_without_value
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Bools, Table
from flexmine.inputs.times import US_PER_H, intervals, moment, to_us
from flexmine.jobs.issues import FeedFile
from flexmine.problem import Ints, TimeAxis

ReadRows = Callable[[FeedFile], "Rows"]


@dataclass(frozen=True)
class Rows:
    """The rows of one issue.

    Attributes
    ----------
    begin_us, end_us, line : ndarray of int, shape (rows,)
        Ascending; `line` is the place in the file.
    gone : ndarray of bool, shape (rows,)
        Which have no value.
    cells : dict of ndarray, shape (rows,)
        Text of each column that the series reads.
    step_us : int
        Length of the intervals.
    word : str
        Name of a line in messages.
    """

    begin_us: Ints
    end_us: Ints
    line: Ints
    gone: Bools
    cells: dict[str, NDArray[np.object_]]
    step_us: int
    word: str

    def take(self, rows: Bools) -> Rows:
        """Return the rows that are set in `rows`, shape (rows,)."""
        cells = {name: text[rows] for name, text in self.cells.items()}
        return Rows(
            self.begin_us[rows], self.end_us[rows], self.line[rows], self.gone[rows], cells, self.step_us, self.word
        )

    def inside(self, axis: TimeAxis) -> Bools:
        """Return which rows reach into the horizon."""
        inside: Bools = (self.end_us > to_us(axis.begin(0))) & (self.begin_us < to_us(axis.begin(axis.steps)))
        return inside

    def around(self, axis: TimeAxis) -> str:
        """Return in words where all rows lie outside of the horizon, on one side of it; else the empty text."""
        if len(self.end_us) and self.end_us[-1] <= to_us(axis.begin(0)):
            return f"ends at {_shown(self.end_us[-1], axis)}"
        if len(self.end_us) and self.begin_us[0] >= to_us(axis.begin(axis.steps)):
            return f"begins at {_shown(self.begin_us[0], axis)}"
        return ""

    def silent(self, axis: TimeAxis) -> str:
        """Return in words why no hour of the horizon can be of these rows; the empty text where one is."""
        if not len(self.end_us):
            return "has no rows"
        if (self.inside(axis) & ~self.gone).any():
            return ""
        span = (
            f"from {axis.begin(0).isoformat(timespec='minutes')} to {axis.begin(axis.steps).isoformat('T', 'minutes')}"
        )
        return self.around(axis) or f"has no value {span}"


def reader(read: Callable[[FeedFile], Table], spec: Series, axis: TimeAxis) -> ReadRows:
    """Return what reads the rows of an issue as a series does, each issue once.

    Parameters
    ----------
    read : callable
        Returns the table of an issue.
    spec : Series
    axis : TimeAxis
    """

    @cache
    def rows_of(issue: FeedFile) -> Rows:
        if spec.every == "day":
            raise BadInput(
                f"{issue.label}: every: day is not read from the feeds of a job; allowed: every: 24h, or shorter"
            )
        table = read(issue)
        if table.rows.empty:
            none: Ints = np.zeros(0, dtype=np.int64)
            return Rows(none, none, none, none.astype(bool), {}, 0, table.word)
        gone = rows_without_value(table, spec)
        found = intervals(table, spec, round(axis.step_h * US_PER_H))
        names = dict.fromkeys((spec.column, *spec.quantiles.values()))
        cells = {name: np.array(table.plain_cells(name, spec.missing), dtype=object)[found.row] for name in names}
        line = table.lines[found.row]
        return Rows(found.begin_us, found.end_us, line, gone[found.row], cells, found.step_us, table.word)

    return rows_of


def moment_at_site(time_us: int | np.integer, axis: TimeAxis) -> datetime:
    """Return the moment `time_us`, in microseconds since 1970, in the zone of the axis."""
    return moment(time_us).astimezone(axis.begin(0).tzinfo)


def _shown(time_us: int | np.integer, axis: TimeAxis) -> str:
    return moment_at_site(time_us, axis).isoformat(timespec="minutes")
