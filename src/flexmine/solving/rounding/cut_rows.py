"""The rows from which rounding cuts are made: where facility power meets a cap, the end of a supply, or a ramp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.facility import Facility
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.standard_form import Matrix

# Ramps over so many steps: what one step leaves unused of a whole container, several together may not.
RAMP_STEPS = (1, 2, 3, 4)
# (columns, coefficient, constant): constant + coefficient x column, which is nonnegative in every plan.
Parts = list[tuple[Ints, float, Floats]]


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


def cut_rows(matrix: Matrix, layout: Layout, facility: Facility, upper: Floats) -> CutRows:
    """Return the rows of cap, supply by price, and ramps, of all steps in which cuts can be made."""
    rows = _joined([*_kinks(matrix, layout, facility, upper), *_ramps(matrix, layout)], 2 * len(layout.supply))
    # Segments that can lower the power, or unknown columns that can, are left alone; and unknown columns that raise
    # it may stand on the side that a cut leaves out only.
    usable = facility.sound & np.all(facility.per_segment >= 0, axis=0)
    fit = ((rows.sign == 0) | usable[rows.step] & ((rows.sign > 0) | facility.plain[rows.step])).all(axis=0)
    return CutRows(
        rows.right[fit],
        rows.step[:, fit],
        rows.sign[:, fit],
        rows.rest_column[:, fit],
        rows.rest_size[:, fit],
        rows.rest_constant[fit],
    )


def _kinks(matrix: Matrix, layout: Layout, facility: Facility, upper: Floats) -> Iterator[CutRows]:
    """Yield the cap, and the end of each source in the order of price."""
    steps = np.arange(len(layout.facility))
    step, sign = np.stack([steps, np.zeros_like(steps)]), np.array([1, 0])
    if np.isfinite(facility.highest).all():
        slack = [(layout.facility, -1.0, facility.highest)]
        yield from _both(facility.highest, step, sign, slack, [])
    order = np.argsort(matrix.cost[layout.supply], axis=0, kind="stable")
    by_price = np.take_along_axis(layout.supply, order, axis=0)
    offered, none = upper[by_price], np.zeros(len(steps))
    for last in range(len(by_price) - 1):
        cheap = [(by_price[j], -1.0, offered[j]) for j in range(last + 1)]
        dear = [(by_price[j], 1.0, none) for j in range(last + 1, len(by_price))]
        yield from _both(offered[: last + 1].sum(axis=0), step, sign, cheap, dear)


def _ramps(matrix: Matrix, layout: Layout) -> Iterator[CutRows]:
    """Yield the ramps over one and over several steps of the horizon, as sums of the rows of single steps."""
    for sign, rows in ((1, layout.ramp_up), (-1, layout.ramp_down)):
        into = matrix.row_upper[rows]
        for width in RAMP_STEPS:
            now = np.arange(width, len(into))
            if not len(now):
                continue
            most = np.sum([into[now - back] for back in range(width)], axis=0)
            here = (layout.facility[now], -1.0 * sign, most)
            before = (layout.facility[now - width], 1.0 * sign, np.zeros(len(now)))
            yield from _both(most, np.stack([now, now - width]), np.array([sign, -sign]), [here, before], [])


def _both(at: Floats, step: Ints, sign: Ints, slack: Parts, beyond: Parts) -> Iterator[CutRows]:
    for direction, rest in ((1, beyond), (-1, slack)):
        width = len(at)
        yield CutRows(
            right=direction * at,
            step=step,
            sign=np.repeat(direction * sign[:, None], width, axis=1),
            rest_column=np.array([columns for columns, _, _ in rest], dtype=np.int64).reshape(len(rest), width),
            rest_size=np.repeat(np.array([[size] for _, size, _ in rest]).reshape(len(rest), 1), width, axis=1),
            rest_constant=sum((constant for _, _, constant in rest), np.zeros(width)),
        )


def _joined(parts: list[CutRows], most_rest: int) -> CutRows:
    """Return all rows in one table, the rest of each filled up with columns of size 0."""

    def filled(table: NDArray[Any]) -> NDArray[Any]:
        return np.vstack([table, np.zeros((most_rest - len(table), table.shape[1]), dtype=table.dtype)])

    return CutRows(
        right=np.concatenate([p.right for p in parts]),
        step=np.hstack([p.step for p in parts]),
        sign=np.hstack([p.sign for p in parts]),
        rest_column=np.hstack([filled(p.rest_column) for p in parts]),
        rest_size=np.hstack([filled(p.rest_size) for p in parts]),
        rest_constant=np.concatenate([p.rest_constant for p in parts]),
    )
