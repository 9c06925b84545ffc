"""The rows from which rounding cuts are made: where facility power meets a cap, the end of a supply, or a ramp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.facility import Facility
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.standard_form import Matrix

# Ramps over so many steps: what one step leaves unused of a whole container, several together may not.
RAMP_STEPS = (1, 2, 3, 4)
MOST_KINKS = 64
"""Ends of sources at which cuts are made in a step, the cheapest first: each row holds all sources, so that the rows of
all ends would be the square of their number."""
# (columns, coefficient, constant): constant + coefficient x column, which is nonnegative in every plan.
Parts = list[tuple[Ints, float, Floats | float]]


@dataclass(frozen=True)
class CutRows:
    r"""Rows :math:`\sigma (\sum_h \pm F_{t_h} + slack - beyond) = \sigma b`, each in both directions sigma.

    Attributes
    ----------
    right : ndarray, shape (R,)
        sigma b [MW].
    step : ndarray of int, shape (2, R)
        Steps of the facility powers that enter; a row with one of them has 0 in the second place.
    sign : ndarray of int, shape (2, R)
        Sign of each, sigma included; 0 where there is none.
    rest_column, rest_size, rest_constant : ndarray, shapes (E, R), (E, R), (R,)
        What has a negative sign, and so stands in the cut: `beyond` where sigma is 1, `slack` where it is -1.
    """

    right: Floats
    step: Ints
    sign: Ints
    rest_column: Ints
    rest_size: Floats
    rest_constant: Floats


@dataclass(frozen=True)
class _Family:
    """Rows of one kind in the direction 1: ``sign[0] F[step[0]] + sign[1] F[step[1]] + slack - beyond = at``."""

    at: Floats
    step: tuple[Ints, Ints]
    sign: tuple[int, int]
    slack: Parts
    beyond: Parts


def cut_rows(matrix: Matrix, layout: Layout, facility: Facility, upper: Floats) -> CutRows:
    """Return the rows of cap, supply by price, and ramps, of all steps in which cuts can be made.

    Parameters
    ----------
    matrix : Matrix
    layout : Layout
    facility : Facility
    upper : ndarray, shape (columns,)
        Column bounds that hold for every plan.
    """
    families = [*_kinks(matrix, layout, facility, upper), *_ramps(matrix, layout)]
    rows = _table(families, max(2, len(layout.supply)))
    # Segments that can lower the power, or unknown columns that can, are left alone; and unknown columns that raise
    # it may stand on the side that a cut leaves out only.
    usable = facility.sound & np.all(facility.per_segment >= 0, axis=0)
    if usable.all() and facility.plain.all():
        return rows
    fit = ((rows.sign == 0) | usable[rows.step] & ((rows.sign > 0) | facility.plain[rows.step])).all(axis=0)
    return CutRows(
        rows.right[fit],
        rows.step[:, fit],
        rows.sign[:, fit],
        rows.rest_column[:, fit],
        rows.rest_size[:, fit],
        rows.rest_constant[fit],
    )


def _kinks(matrix: Matrix, layout: Layout, facility: Facility, upper: Floats) -> Iterator[_Family]:
    """Yield the cap, and the end of each source in the order of price."""
    steps = np.arange(len(layout.facility))
    step, sign = (steps, np.zeros_like(steps)), (1, 0)
    if np.isfinite(facility.highest).all():
        yield _Family(facility.highest, step, sign, [(layout.facility, -1.0, facility.highest)], [])
    order = np.argsort(matrix.cost[layout.supply], axis=0, kind="stable")
    by_price = np.take_along_axis(layout.supply, order, axis=0)
    offered = upper[by_price]
    for last in range(min(len(by_price) - 1, MOST_KINKS)):
        cheap: Parts = [(by_price[j], -1.0, offered[j]) for j in range(last + 1)]
        dear: Parts = [(by_price[j], 1.0, 0.0) for j in range(last + 1, len(by_price))]
        yield _Family(offered[: last + 1].sum(axis=0), step, sign, cheap, dear)


def _ramps(matrix: Matrix, layout: Layout) -> Iterator[_Family]:
    """Yield the ramps over one and over several steps of the horizon, as sums of the rows of single steps."""
    now, before = _windows(len(layout.facility))
    for sign, rows in ((1, layout.ramp_up), (-1, layout.ramp_down)):
        if len(rows) and len(now):
            until = np.cumsum(matrix.row_upper[rows])
            most = until[now] - until[before]
            slack: Parts = [(layout.facility[now], -1.0 * sign, most), (layout.facility[before], 1.0 * sign, 0.0)]
            yield _Family(most, (now, before), (sign, -sign), slack, [])


@cache
def _windows(steps: int) -> tuple[Ints, Ints]:
    """Return the last steps of all ramps over several steps, and the steps before their first ones."""
    pairs = [(t, t - width) for width in RAMP_STEPS for t in range(width, steps)]
    now, before = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return now, before


def _table(families: list[_Family], most_rest: int) -> CutRows:
    """Return all rows in both directions, the rest of each filled up with columns of size 0."""
    rows = 2 * sum(len(f.at) for f in families)
    right, constant = np.empty(rows), np.zeros(rows)
    step, sign = np.empty((2, rows), dtype=np.int64), np.empty((2, rows), dtype=np.int64)
    column, size = np.zeros((most_rest, rows), dtype=np.int64), np.zeros((most_rest, rows))
    begin = 0
    for family in families:
        for direction, rest in ((1, family.beyond), (-1, family.slack)):
            here = slice(begin, begin + len(family.at))
            begin = here.stop
            right[here] = direction * family.at
            for half in (0, 1):
                step[half, here] = family.step[half]
                sign[half, here] = direction * family.sign[half]
            for place, (columns, coefficient, offset) in enumerate(rest):
                column[place, here], size[place, here] = columns, coefficient
                constant[here] += offset
    return CutRows(right, step, sign, column, size, constant)
