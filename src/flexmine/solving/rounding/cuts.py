"""Mixed-integer rounding cuts in closed form, where the facility power meets a supply, a cap or a ramp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.facility import Facility
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.standard_form import Matrix

EPS = 1e-9
# A cut whose right-hand side is nearly whole is nearly empty, and dense in rounding errors.
FRACTION = 0.02
# Least violation, of a cut scaled so that the pivot class has about the coefficient 1.
VIOLATION = 1e-4

Parts = tuple[tuple[Ints, float, Floats], ...]


@dataclass(frozen=True)
class Base:
    r"""Rows :math:`\sum_h \pm F_{t_h} + slack - beyond = b`, one for each entry of `at`.

    Attributes
    ----------
    at : ndarray, shape (R,)
        b [MW].
    halves : tuple of (sign, steps)
        Facility powers that enter, with the step of each row.
    slack, beyond : tuple of (columns, coefficient, constant)
        Both are nonnegative in every plan: constant + coefficient x column, summed.
    """

    at: Floats
    halves: tuple[tuple[int, Ints], ...]
    slack: Parts
    beyond: Parts = ()


@dataclass
class CutMaker:
    r"""Separates cuts from points of the relaxation.

    In a base row, facility power is written as ``constant + sum A n + sum beta q``, each segment counted from its lower
    end (q) or, where it is more than half full, from its upper end (width x n - q).  What is left is
    :math:`\sum_i a_i n_i + Y^+ - Y^- = b` with whole n and nonnegative Y, and with :math:`f = b - \lfloor b \rfloor`

    .. math:: \sum_i \Bigl( \lfloor a_i \rfloor + \frac{(a_i - \lfloor a_i \rfloor - f)^+}{1 - f} \Bigr) n_i
        \le \lfloor b \rfloor + \frac{Y^-}{1 - f}

    holds for every plan.  The row is first divided by what one container of one class (the pivot) draws, and counts
    nearer to their upper bound are counted from there; the same with all signs turned.
    Source: Marchand and Wolsey, Aggregation and mixed integer rounding to solve MIPs (2001).
    """

    layout: Layout
    facility: Facility
    upper: Floats
    widths: Floats
    bases: tuple[Base, ...]
    usable: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        # Segments that can lower the power, or unknown columns that can, are left alone.
        self.usable = self.facility.sound & np.all(self.facility.per_segment >= 0, axis=0)

    def separate(self, values: Floats) -> tuple[sp.csr_matrix, Floats]:
        """Return cuts ``C x <= d`` that `values` breaks, as (C, d)."""
        view = _View(self, values)
        rows = _Rows(len(self.upper))
        for base in self.bases:
            for direction in (1, -1):
                self._round(rows, view, base, direction)
        return rows.done()

    def _round(self, rows: _Rows, view: _View, base: Base, direction: int) -> None:
        """Add the violated roundings of a base row, in one direction, one pivot after the other."""
        row = _Row(self, view, base, direction)
        fit = np.ones(len(base.at), dtype=bool)
        for sign, t in base.halves:
            fit &= self.usable[t] & (self.facility.plain[t] | (sign * direction > 0))
        for half, (_, t) in enumerate(base.halves):
            for k, fractional in enumerate(view.fractional[:, t]):
                pivot = half * len(view.each) + k
                chosen = np.flatnonzero(fit & fractional & (np.abs(row.size[pivot]) > EPS))
                if len(chosen):
                    row.divide(rows, pivot, chosen)


class _View:
    """A point of the relaxation as the cuts see it."""

    def __init__(self, maker: CutMaker, values: Floats):
        layout, facility = maker.layout, maker.facility
        on, power = values[layout.on], np.maximum(values[layout.segment], 0.0)
        room = np.maximum(maker.widths * on[layout.segment_class] - power, 0.0)
        self.values = values
        self.full = power > room
        other = values[layout.facility] - facility.constant - (facility.per_container * on).sum(axis=0)
        other = np.maximum(other - (facility.per_segment * power).sum(axis=0), 0.0)
        self.drawn = (facility.per_segment * np.where(self.full, 0.0, power)).sum(axis=0) + other
        self.unused = (facility.per_segment * np.where(self.full, room, 0.0)).sum(axis=0)
        self.each = facility.per_container.copy()
        np.add.at(self.each, layout.segment_class, facility.per_segment * maker.widths * self.full)
        self.fractional = np.abs(on - np.rint(on)) > 1e-6


class _Row:
    """A base row in one direction, written in whole counts and what is left; shape (counts, R) or (R,).

    Attributes
    ----------
    size : ndarray
        Coefficients of the counts.
    seen, near : ndarray
        Coefficients and values of the counts as counted from their nearer bound.
    right, rest : ndarray
        Right-hand side of the same, and Y^-.
    """

    def __init__(self, maker: CutMaker, view: _View, base: Base, direction: int):
        self.maker, self.view, self.base, self.direction = maker, view, base, direction
        facility = maker.facility
        self.parts = base.beyond if direction > 0 else base.slack
        self.columns = np.concatenate([maker.layout.on[:, t] for _, t in base.halves])
        self.size = direction * np.concatenate([sign * view.each[:, t] for sign, t in base.halves])
        self.rest = _value(self.parts, view.values, len(base.at))
        right = base.at
        for sign, t in base.halves:
            right = right - sign * facility.constant[t]
            self.rest = self.rest + (view.unused[t] if sign * direction > 0 else view.drawn[t])
        count, self.most = view.values[self.columns], maker.upper[self.columns]
        self.flip = count > 0.5 * self.most
        self.seen, self.near = np.where(self.flip, -self.size, self.size), np.where(self.flip, self.most - count, count)
        self.right = direction * right - np.where(self.flip, self.size * self.most, 0.0).sum(axis=0)

    def divide(self, rows: _Rows, pivot: int, chosen: Ints) -> None:
        """Add what is violated of the rounding of rows `chosen`, divided by the size of the count `pivot`."""
        divisor = np.abs(self.size[pivot, chosen])
        right = self.right[chosen] / divisor
        whole = np.floor(right + EPS)
        f = right - whole
        good = (f > FRACTION) & (f < 1 - FRACTION)
        share = 1.0 / (divisor * np.where(good, 1 - f, 1.0))
        size = self.seen[:, chosen] / divisor
        below = np.floor(size + EPS)
        rounded = below + np.maximum(0.0, size - below - f) * divisor * share
        broken = (rounded * self.near[:, chosen]).sum(axis=0) - whole - self.rest[chosen] * share
        kept = np.flatnonzero(good & (broken > VIOLATION))
        if len(kept):
            self._write(rows, chosen[kept], rounded[:, kept], whole[kept], share[kept])

    def _write(self, rows: _Rows, at: Ints, rounded: Floats, whole: Floats, share: Floats) -> None:
        """Write the cuts of rows `at` in the columns of the matrix."""
        layout, facility, flip = self.maker.layout, self.maker.facility, self.flip[:, at]
        upper = whole - (rounded * np.where(flip, self.most[:, at], 0.0)).sum(axis=0)
        counts = np.where(flip, -rounded, rounded)
        columns, sizes = [self.columns[:, at]], [counts]
        for half, (sign, steps) in enumerate(self.base.halves):
            t, from_above = steps[at], sign * self.direction > 0
            weight = share * facility.per_segment[:, t] * (self.view.full[:, t] == from_above)
            if from_above:
                # - share x beta x (width n - q)
                owner = layout.segment_class + half * len(layout.on)
                np.subtract.at(counts, owner, weight * self.maker.widths[:, t])
            columns.append(layout.segment[:, t])
            sizes.append(weight if from_above else -weight)
        for column, coefficient, constant in self.parts:
            columns.append(column[at][None, :])
            sizes.append(-(share * coefficient)[None, :])
            upper = upper + share * constant[at]
        rows.add(np.concatenate(columns), np.concatenate(sizes), upper)


class _Rows:
    """Collects rows of a sparse matrix."""

    def __init__(self, columns: int):
        self.width = columns
        self.parts: list[tuple[Ints, Floats, Floats]] = []

    def add(self, columns: Ints, sizes: Floats, upper: Floats) -> None:
        self.parts.append((columns, sizes, upper))

    def done(self) -> tuple[sp.csr_matrix, Floats]:
        if not self.parts:
            return sp.csr_matrix((0, self.width)), np.empty(0)
        upper = np.concatenate([u for _, _, u in self.parts])
        first = np.cumsum([0] + [len(u) for _, _, u in self.parts[:-1]])
        numbers = [
            np.broadcast_to(begin + np.arange(len(u)), c.shape).ravel()
            for begin, (c, _, u) in zip(first, self.parts, strict=True)
        ]
        columns = np.concatenate([c.ravel() for c, _, _ in self.parts])
        sizes = np.concatenate([s.ravel() for _, s, _ in self.parts])
        kept = sizes != 0
        entries = (sizes[kept], (np.concatenate(numbers)[kept], columns[kept]))
        return sp.csr_matrix(entries, shape=(len(upper), self.width)), upper


def bases_of(matrix: Matrix, layout: Layout, facility: Facility, upper: Floats) -> tuple[Base, ...]:
    """Return the cap, the end of each source in the order of price, and the ramps."""
    return (*_kinks(matrix, layout, facility, upper), *_ramps(matrix, layout))


def _kinks(matrix: Matrix, layout: Layout, facility: Facility, upper: Floats) -> Iterator[Base]:
    steps = np.arange(len(layout.facility))
    here = ((1, steps),)
    if np.isfinite(facility.highest).all():
        yield Base(facility.highest, here, ((layout.facility, -1.0, facility.highest),))
    order = np.argsort(matrix.cost[layout.supply], axis=0, kind="stable")
    by_price = np.take_along_axis(layout.supply, order, axis=0)
    offered, none = upper[by_price], np.zeros(len(steps))
    for last in range(len(by_price) - 1):
        cheap = tuple((by_price[j], -1.0, offered[j]) for j in range(last + 1))
        dear = tuple((by_price[j], 1.0, none) for j in range(last + 1, len(by_price)))
        yield Base(offered[: last + 1].sum(axis=0), here, cheap, dear)


def _ramps(matrix: Matrix, layout: Layout) -> Iterator[Base]:
    now = np.arange(1, len(layout.facility))
    for sign, rows in ((1, layout.ramp_up), (-1, layout.ramp_down)):
        if len(rows) and len(now):
            most = matrix.row_upper[rows[1:]]
            slack = (
                (layout.facility[1:], -1.0 * sign, most),
                (layout.facility[:-1], 1.0 * sign, np.zeros(len(now))),
            )
            yield Base(most, ((sign, now), (-sign, now - 1)), slack)


def _value(parts: Parts, values: Floats, rows: int) -> Floats:
    return sum((constant + coefficient * values[columns] for columns, coefficient, constant in parts), np.zeros(rows))
