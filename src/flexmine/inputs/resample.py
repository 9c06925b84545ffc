"""From the intervals of a source to the cells that a case needs, and from cells to steps: the stated rules.

A source as fine as the case is taken unchanged.  A finer one is averaged over each step: mean power, mean price, mean
temperature; of energies the sum, which divided by the length of the step is the mean power.  A coarser one is refused,
unless the case has ``coarser: hold``: then it is constant over each of its intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.series_spec import MINUTES_OF_STEP, Series
from flexmine.inputs.table import Bools, Table
from flexmine.inputs.times import US_PER_H, US_PER_MINUTE, Intervals, duration, to_us
from flexmine.inputs.values import Cells
from flexmine.problem import Floats, Ints, TimeAxis

YESTERDAY_H = 26.0
"""How far back the same clock hour of the day before lies at most, on a day of 25 hours, and one hour to spare."""


@dataclass(frozen=True)
class Grid:
    """Cells of equal length from before the horizon to after it; the margins serve the policies of filling.

    Attributes
    ----------
    step_us : int
        Length of a cell: the source's interval, or the case's step where the source is coarser.
    per_step : int
        Cells in a step of the case.
    rule : str
        How steps come from the source, for people.
    """

    source: Intervals
    cells: Cells
    step_us: int
    per_step: int
    rule: str

    def steps(self, values: Floats) -> Floats:
        r"""Return the mean of `values`, one per cell, over the cells of each step of the case, shape (T,).

        Notes
        -----
        .. math:: \bar x_t = \frac{1}{n} \sum_{i=1}^{n} x_{t,i}

        over the :math:`n` cells of a step, all of one length.
        """
        means: Floats = values[self.cells.inside].reshape(-1, self.per_step).mean(axis=1)
        return means

    def any_of_step(self, flags: Bools) -> Bools:
        """Return for each step whether one of its cells is set in `flags`, one per cell; shape (T,)."""
        touched: Bools = flags[self.cells.inside].reshape(-1, self.per_step).max(axis=1)
        return touched


def grid(table: Table, spec: Series, source: Intervals, axis: TimeAxis) -> Grid:
    """Return the cells of a source for a horizon.

    Raises
    ------
    BadInput
        Where rows overlap, or the step of the source neither divides that of the case nor, held, is a multiple of it.
    """
    case_us = round(axis.step_h * US_PER_H)
    held = source.step_us > case_us
    _refuse_misfit(table, spec, source, case_us)
    step_us = case_us if held else source.step_us
    before, after = _margins(spec, step_us)
    count = round(axis.steps * axis.step_h * US_PER_H) // step_us
    begin_us = to_us(axis.start) + step_us * np.arange(-before, count + after, dtype=np.int64)
    at = np.searchsorted(source.begin_us, begin_us, side="right") - 1
    covered = at >= 0
    if len(source.begin_us):
        covered &= (source.begin_us[at] <= begin_us) & (begin_us + step_us <= source.end_us[at])
        row = np.where(covered, source.row[at], -1)
        length_us = np.where(covered, source.end_us[at] - source.begin_us[at], step_us)
    else:
        row, length_us = np.full(len(begin_us), -1, dtype=np.int64), np.full(len(begin_us), step_us, dtype=np.int64)
    _refuse_overlap(table, spec, source, int(begin_us[0]), int(begin_us[-1]) + step_us)
    inside = np.zeros(len(begin_us), dtype=bool)
    inside[before : before + count] = True
    cells = Cells(row, begin_us, length_us, inside)
    return Grid(source, cells, step_us, case_us // step_us, _rule(source.step_us, case_us))


def _margins(spec: Series, step_us: int) -> tuple[int, int]:
    """Return how many cells before and after the horizon the policy of filling may need."""
    if spec.fill is None:
        return 0, 0
    gap = math.ceil(spec.fill.longest_gap_h * US_PER_H / step_us) + 1
    before = gap
    if spec.fill.policy == "same_hour_yesterday":
        before = max(gap, math.ceil(YESTERDAY_H * US_PER_H / step_us))
    return before, gap if spec.fill.policy == "interpolate" else 0


def _rule(source_us: int, case_us: int) -> str:
    if source_us == case_us:
        return "as it is"
    if source_us > case_us:
        return f"{duration(source_us)} intervals, held"
    return f"mean of {case_us // source_us} x {duration(source_us)}"


def _refuse_overlap(table: Table, spec: Series, source: Intervals, first_us: int, last_us: int) -> None:
    """Refuse rows around the horizon closer than the case states; before it, a market may have changed its step."""
    if spec.every is None or len(source.begin_us) < 2:
        return
    near = (source.end_us[:-1] > first_us) & (source.begin_us[1:] < last_us)
    over = near & (source.begin_us[1:] < source.end_us[:-1])
    if over.any():
        i = int(over.argmax())
        raise BadInput(
            f"{table.place(source.row[i + 1])}: column {spec.time_column}: "
            f"{duration(source.begin_us[i + 1] - source.begin_us[i])} after the row before, but every says {spec.every}"
        )


def _named(step_us: int) -> str:
    """Return how a case names a length of intervals, of 24 h too where they are days of some clock."""
    names = {minutes * US_PER_MINUTE: name for name, minutes in MINUTES_OF_STEP.items()}
    return names.get(step_us, "the length of its intervals")


def _refuse_misfit(table: Table, spec: Series, source: Intervals, case_us: int) -> None:
    step_us = source.step_us
    if step_us > case_us:
        if spec.coarser is None:
            raise BadInput(
                f"{table.label}: one row every {duration(step_us)}, coarser than the steps of the case "
                f"({duration(case_us)}); give a series at least as fine, a longer step_minutes, or both "
                f"coarser: hold and every: {_named(step_us)}, over each of which the value is then constant"
            )
        if step_us % case_us:
            raise BadInput(
                f"{table.label}: one row every {duration(step_us)}, no multiple of the steps of the case "
                f"({duration(case_us)}); such a source cannot be held"
            )
    elif case_us % step_us:
        distances: Ints = np.diff(source.begin_us)
        row = source.row[int(distances.argmin()) + 1] if distances.size else -1
        raise BadInput(
            f"{table.place(row)}: column {spec.time_column}: {duration(step_us)} after the row before, which does "
            f"not divide the steps of the case ({duration(case_us)})"
        )
