"""Mixed-integer rounding cuts in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.cut_rows import CutRows
from flexmine.solving.rounding.facility import Facility
from flexmine.solving.rounding.layout import Layout

EPS = 1e-9
# A cut whose right-hand side is nearly whole is nearly empty, and dense in rounding errors.
FRACTION = 0.02
# Least violation, of a cut scaled so that the pivot class has about the coefficient 1.
VIOLATION = 1e-4
WHOLE = 1e-6


@dataclass(frozen=True)
class Cuts:
    """Rows ``C x <= upper`` that every plan keeps, stored row by row as in a CSR matrix."""

    starts: Ints
    columns: Ints
    sizes: Floats
    upper: Floats

    def __len__(self) -> int:
        return len(self.upper)


@dataclass(frozen=True)
class CutMaker:
    r"""Separates cuts from points of the relaxation.

    In a row, facility power is written as ``constant + sum A n + sum beta q``, each segment counted from its lower
    end (q) or, where it is more than half full, from its upper end (width x n - q).  What is left is
    :math:`\sum_i a_i n_i + Y^+ - Y^- = b` with whole n and nonnegative Y, and with :math:`f = b - \lfloor b \rfloor`

    .. math:: \sum_i \Bigl( \lfloor a_i \rfloor + \frac{(a_i - \lfloor a_i \rfloor - f)^+}{1 - f} \Bigr) n_i
        \le \lfloor b \rfloor + \frac{Y^-}{1 - f}

    holds for every plan.  The row is first divided by what one container of one class (the pivot) draws, and counts
    nearer to their upper bound are counted from there.
    Source: Marchand and Wolsey, Aggregation and mixed integer rounding to solve MIPs (2001).

    Attributes
    ----------
    layout : Layout
    facility : Facility
    rows : CutRows
    upper : ndarray, shape (columns,)
        Column bounds that hold for every plan.
    widths : ndarray, shape (M, T)
        q <= width x n [MW].
    """

    layout: Layout
    facility: Facility
    rows: CutRows
    upper: Floats
    widths: Floats

    def separate(self, values: Floats) -> Cuts:
        """Return cuts that `values` breaks."""
        on = values[self.layout.on]
        fractional = np.abs(on - np.rint(on)) > WHOLE
        in_step = np.any(fractional, axis=0)
        touched = np.any(np.take(in_step, self.rows.step) & (self.rows.sign != 0), axis=0)
        chosen = np.flatnonzero(touched)
        if not len(chosen):
            return _written([])
        table = _Table(self, values, chosen)
        candidates = np.vstack([fractional[:, t] for t in table.step]) & (np.abs(table.size) > EPS)
        return _written([table.divided(i, np.flatnonzero(at)) for i, at in enumerate(candidates) if at.any()])


class _Table:
    """The chosen rows at one point, written in whole counts and what is left; shape (2 K, R) or (R,).

    Attributes
    ----------
    size : ndarray
        Coefficients of the counts.
    seen, near : ndarray
        Coefficients and values of the counts as counted from their nearer bound.
    right, rest : ndarray
        Right-hand side of the same, and Y^-.
    """

    def __init__(self, maker: CutMaker, values: Floats, chosen: Ints):
        self.maker, rows, facility = maker, maker.rows, maker.facility
        self.chosen, self.step, self.sign = chosen, rows.step[:, chosen], rows.sign[:, chosen]
        drawn, unused, each = self._powers(values)
        self.columns = np.vstack([maker.layout.on[:, t] for t in self.step])
        self.size = np.vstack([sign * each[:, t] for t, sign in zip(self.step, self.sign, strict=True)])
        self.rest = rows.rest_constant[chosen]
        self.rest = self.rest + (rows.rest_size[:, chosen] * values[rows.rest_column[:, chosen]]).sum(axis=0)
        right = rows.right[chosen]
        for t, sign in zip(self.step, self.sign, strict=True):
            right = right - sign * facility.constant[t]
            self.rest = self.rest + np.where(sign > 0, unused[t], np.where(sign < 0, drawn[t], 0.0))
        count, self.most = values[self.columns], maker.upper[self.columns]
        self.flip = count > 0.5 * self.most
        self.seen, self.near = np.where(self.flip, -self.size, self.size), np.where(self.flip, self.most - count, count)
        self.right = right - np.where(self.flip, self.size * self.most, 0.0).sum(axis=0)

    def _powers(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Return what is drawn above, and unused below, the counts' own power [MW], and that power of each count."""
        maker, layout, facility = self.maker, self.maker.layout, self.maker.facility
        on, power = values[layout.on], np.maximum(values[layout.segment], 0.0)
        room = np.maximum(maker.widths * on[layout.segment_class] - power, 0.0)
        self.full = power > room
        known = facility.constant + (facility.per_container * on).sum(axis=0)
        other = values[layout.facility] - known - (facility.per_segment * power).sum(axis=0)
        drawn = (facility.per_segment * np.where(self.full, 0.0, power)).sum(axis=0) + np.maximum(other, 0.0)
        unused = (facility.per_segment * np.where(self.full, room, 0.0)).sum(axis=0)
        each = facility.per_container.copy()
        np.add.at(each, layout.segment_class, facility.per_segment * maker.widths * self.full)
        return drawn, unused, each

    def divided(self, pivot: int, at: Ints) -> tuple[Ints, Floats, Floats]:
        """Return columns, sizes and right-hand sides of what is broken when rows `at` are divided by count `pivot`."""
        divisor = np.abs(self.size[pivot, at])
        right = self.right[at] / divisor
        whole = np.floor(right + EPS)
        f = right - whole
        good = (f > FRACTION) & (f < 1 - FRACTION)
        share = 1.0 / (divisor * np.where(good, 1 - f, 1.0))
        size = self.seen[:, at] / divisor
        below = np.floor(size + EPS)
        rounded = below + np.maximum(0.0, size - below - f) * divisor * share
        broken = (rounded * self.near[:, at]).sum(axis=0) - whole - self.rest[at] * share
        kept = np.flatnonzero(good & (broken > VIOLATION))
        return self._written_out(at[kept], rounded[:, kept], whole[kept], share[kept])

    def _written_out(self, at: Ints, rounded: Floats, whole: Floats, share: Floats) -> tuple[Ints, Floats, Floats]:
        """Return the cuts of rows `at` in the columns of the matrix, shapes (entries, cuts) and (cuts,)."""
        maker, layout, flip = self.maker, self.maker.layout, self.flip[:, at]
        upper = whole - (rounded * np.where(flip, self.most[:, at], 0.0)).sum(axis=0)
        counts = np.where(flip, -rounded, rounded)
        columns, sizes = [self.columns[:, at]], [counts]
        for half in (0, 1):
            t, sign = self.step[half, at], self.sign[half, at]
            # Of a facility power of positive sign, Y^- holds what is unused of full segments, else what is drawn.
            weight = share * maker.facility.per_segment[:, t] * (self.full[:, t] == (sign > 0)) * (sign != 0)
            owner = layout.segment_class + half * len(layout.on)
            np.subtract.at(counts, owner, weight * maker.widths[:, t] * (sign > 0))
            columns.append(layout.segment[:, t])
            sizes.append(np.where(sign > 0, weight, -weight))
        rows = self.chosen[at]
        columns.append(maker.rows.rest_column[:, rows])
        sizes.append(-share * maker.rows.rest_size[:, rows])
        return np.vstack(columns), np.vstack(sizes), upper + share * maker.rows.rest_constant[rows]


def _written(parts: list[tuple[Ints, Floats, Floats]]) -> Cuts:
    """Return parts of (columns, sizes, upper) as rows, without their zeros."""
    parts = [part for part in parts if len(part[2])]
    if not parts:
        return Cuts(np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    columns, sizes = np.hstack([part[0] for part in parts]).T, np.hstack([part[1] for part in parts]).T
    kept = sizes != 0
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return Cuts(starts, columns[kept], sizes[kept], np.concatenate([part[2] for part in parts]))
