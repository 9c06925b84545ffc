"""The best plan so far, and how far the proof has come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.rounding.relaxation import HotLp
from flexmine.solving.solution import FLOAT_NOISE
from flexmine.solving.standard_form import Matrix

# A count this near to a whole number is one; what is nearly one is fixed and looked at again.
EXACT = 1e-9
NEARLY = 1e-5
# Plans that cannot be better by more than this share of the asked gap need not be looked at.
SHARE = 0.9


@dataclass
class Incumbent:
    """Best plan and bound, in the sense of the matrix (minimised).

    Attributes
    ----------
    widths : ndarray, shape (M, T)
        q <= width x n [MW].
    gap : float
        Asked: (objective - bound) / max(1, |objective|).
    values : ndarray, shape (columns,), or None
        Whole where they must be.
    objective, bound : float
        No plan costs less than `bound` [USD].
    aside : float
        Plans that cost at least this much have been left out of what the relaxation considers [USD].
    refused : int
        Roundings that some row refused.
    """

    matrix: Matrix
    layout: Layout
    widths: Floats
    gap: float
    values: Floats | None = None
    objective: float = np.inf
    bound: float = -np.inf
    aside: float = np.inf
    refused: int = 0

    def __post_init__(self) -> None:
        self._whole = np.flatnonzero(self.matrix.integer)
        self._segments = self.layout.segment.ravel()

    @property
    def allowed(self) -> float:
        """What the asked gap allows [USD]; a gap of 0 allows what `proven` counts as noise of sums."""
        return max(self.gap, FLOAT_NOISE) * max(1.0, abs(self.objective)) if self.values is not None else 0.0

    @property
    def closed(self) -> bool:
        """Whether the gap is reached."""
        return self.values is not None and self.objective - self.bound <= self.allowed

    @property
    def cutoff(self) -> float:
        """Plans that cost at least this much need not be considered [USD]."""
        return self.objective - SHARE * self.allowed

    def raise_bound(self, bound: float) -> None:
        """Take in a `bound` [USD] that holds for all plans but those set aside."""
        self.bound = max(self.bound, min(bound, self.aside))

    def set_aside(self, objective: float) -> None:
        """Remember that plans from `objective` on are left out from now on."""
        self.aside = min(self.aside, objective)

    def offer(self, values: Floats) -> bool:
        """Take in a point of the relaxation, if all that must be whole is; return whether it is."""
        if self._off(values) > EXACT:
            return False
        kept = values.copy()
        kept[self._whole] = np.rint(values[self._whole])
        objective = float((self.matrix.cost * kept).sum()) + self.matrix.offset
        if objective < self.objective:
            self.values, self.objective = kept, objective
        return True

    def settle(self, lp: HotLp, columns: Ints, counts: Floats) -> bool:
        """Fix columns to whole counts, let the relaxation settle the rest, and take it in if it is whole.

        The bounds are restored.  Where the rest is whole but for the tolerance of the simplex method, it is fixed, and
        the power is settled once more, so that no row is broken by a rounded count.

        Parameters
        ----------
        lp : HotLp
        columns : ndarray of int, shape (n,)
            Numbers of the columns.
        counts : ndarray, shape (n,)
            Whole, and within the bounds of the columns.

        Returns
        -------
        bool
            Whether the rest was whole.
        """
        changed = np.concatenate([self._whole, self._segments])
        low, high = lp.lower[changed], lp.upper[changed]
        try:
            lp.bound_columns(columns, counts, counts)
            # With the counts known, the rows of the mode curve are mere bounds.
            most = self.widths * lp.upper[self.layout.on][self.layout.segment_class]
            limit = np.minimum(lp.upper[self._segments], most.ravel())
            lp.bound_columns(self._segments, lp.lower[self._segments], limit)
            point = lp.solve()
            if point is not None and EXACT < self._off(point.values) <= NEARLY:
                lp.bound_columns(self._whole, *[np.rint(point.values[self._whole])] * 2)
                point = lp.solve()
            return point is not None and self.offer(point.values)
        finally:
            lp.bound_columns(changed, low, high)

    def try_counts(self, lp: HotLp, columns: Ints, counts: Floats) -> bool:
        """Settle counts that the bounds of the columns or a row may refuse; return whether they were accepted.

        Parameters
        ----------
        lp : HotLp
        columns : ndarray of int, shape (n,)
            Numbers of the columns.
        counts : ndarray, shape (n,)
            Whole.
        """
        outside = np.any(counts < lp.lower[columns]) or np.any(counts > lp.upper[columns])
        taken = not outside and self.settle(lp, columns, counts)
        self.refused += not taken
        return taken

    def _off(self, values: Floats) -> float:
        """Return how far the farthest of what must be whole is from it."""
        counts = values[self._whole]
        return float(np.abs(counts - np.rint(counts)).max(initial=0.0))
