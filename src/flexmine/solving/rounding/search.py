"""From a matrix in memory to whole counts with a proven gap: relaxation, thresholds, cuts, a short branch and bound.

The order is the order of cost.  After each step the gap is checked, and the search ends where it is reached.  What
stays open goes to HiGHS's MIP, with all that has been found and proven until then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flexmine.milp.class_data import ClassData
from flexmine.solving.rounding.bounds import tightened_counts
from flexmine.solving.rounding.branch import Branching
from flexmine.solving.rounding.cut_rows import cut_rows
from flexmine.solving.rounding.cuts import CutMaker
from flexmine.solving.rounding.facility import facility_of
from flexmine.solving.rounding.fit import PowerFit
from flexmine.solving.rounding.incumbent import Incumbent
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.rounding.narrow import matrix_left, narrowed
from flexmine.solving.rounding.relaxation import HotLp, LpFailed, Point, TimeIsUp
from flexmine.solving.rounding.threshold import rounded_counts, thresholds
from flexmine.solving.standard_form import Matrix

NODES = 12
CUT_ROUNDS = 10
ROUNDINGS = 3
# Two limits of one column that contradict each other by more than this leave no plan; by less, HiGHS decides.
CROSSED = 1e-6
# A round of cuts that moves the bound by less than this share of the asked gap is the last one.
LEAST_PROGRESS = 0.05


@dataclass(frozen=True)
class Found:
    """What the search found and proved, in the sense of the matrix (minimised).

    Attributes
    ----------
    status : str
        ``closed``: the gap is reached;  ``open``: it is not;  ``infeasible``: proven, by two limits of one column or
        by a ray of the relaxation;  ``time_limit``.
    way : str
        The last step that was needed: ``rounding``, ``rounding+cuts`` or ``rounding+branch``.
    left : Matrix or None
        What holds every plan that is better than the cutoff; None where the search did not get that far.
    trouble : str
        Why the relaxation could not go on; empty where it could.
    """

    status: str
    way: str
    incumbent: Incumbent
    left: Matrix | None = None
    trouble: str = ""


@dataclass
class Search:
    """One search on one matrix.

    Attributes
    ----------
    matrix : Matrix
    class_data : sequence of ClassData
    layout : Layout
        All three of the same problem.
    gap : float
        Asked: (objective - bound) / max(1, |objective|).
    deadline : float
        On the clock of `time.perf_counter` [s].
    settings : mapping
        HiGHS options, by their own names, that also apply to the relaxation.
    """

    matrix: Matrix
    class_data: Sequence[ClassData]
    layout: Layout
    gap: float
    deadline: float
    settings: Mapping[str, bool | int | float | str]

    def __post_init__(self) -> None:
        self.way = "rounding"
        self.widths = np.concatenate([k.w for k in self.class_data])
        self.incumbent = Incumbent(self.matrix, self.layout, self.widths, self.gap)
        self.lower, self.upper = self.layout.entries.single_bounds(self.matrix)
        self.facility = facility_of(self.matrix, self.layout, self.lower, self.upper)
        self.upper = tightened_counts(self.layout, self.facility, self.lower, self.upper)
        self.counts = self.layout.counts
        self.fit = PowerFit(self.layout, self.facility, self.widths)
        self.left: Matrix | None = None

    def run(self) -> Found:
        """Search until the gap is reached, or nothing quick is left."""
        trouble = ""
        try:
            status = self._steps()
        except TimeIsUp:
            status = "closed" if self.incumbent.closed else "time_limit"
        except LpFailed as failure:
            status, trouble = "closed" if self.incumbent.closed else "open", str(failure)
        return Found(status, self.way, self.incumbent, self.left, trouble)

    def _steps(self) -> str:
        crossed = float((self.lower - self.upper).max())
        if crossed > CROSSED:
            return "infeasible"
        if crossed > 0:
            raise LpFailed("limits of a single column contradict each other by no more than noise")
        trimmed, later = self.layout.entries.trimmed(self.matrix), self.layout.entries.rows_for_later(self.matrix)
        self.lp = HotLp(trimmed, self.lower, self.upper, self.deadline, self.settings, later=later)
        point = self._bounded(self.lp.solve())
        if point is None:
            return "infeasible"
        # Cuts bring more than a second rounding of the same point.
        if self._round(point, wanted=1):
            return "closed"
        self.way = "rounding+cuts"
        point = self._cut(point)
        if point is None:
            return "infeasible"
        if self.incumbent.closed or self._round(point, wanted=ROUNDINGS):
            return "closed"
        self.way = "rounding+branch"
        return self._branch(point)

    def _bounded(self, point: Point | None) -> Point | None:
        if point is not None:
            self.incumbent.raise_bound(point.bound)
            self.incumbent.offer(point.values)
        return point

    def _round(self, point: Point, wanted: int) -> bool:
        """Round the point until `wanted` roundings were accepted or some were tried; return whether the gap closed."""
        for theta in thresholds(len(self.layout.on), ROUNDINGS):
            if self.incumbent.closed or wanted == 0:
                break
            counts = rounded_counts(self.layout, point.values, self.fit.fitting(point.values, theta))
            wanted -= self.incumbent.try_counts(self.lp, self.counts, counts)
        return self.incumbent.closed

    def _cut(self, point: Point) -> Point | None:
        """Add cuts until they bring no more; return the point of the relaxation with them."""
        rows = cut_rows(self.matrix, self.layout, self.facility, self.upper)
        maker = CutMaker(self.layout, self.facility, rows, self.upper, self.widths)
        for _ in range(CUT_ROUNDS):
            cuts = maker.separate(point.values)
            if not len(cuts):
                break
            self.lp.add_cuts(cuts)
            cut = self._bounded(self.lp.solve())
            if cut is None:
                return None
            progress, point = cut.bound - point.bound, cut
            if self.incumbent.closed or progress < LEAST_PROGRESS * self.incumbent.allowed:
                break
        return point

    def _branch(self, point: Point) -> str:
        """Narrow the counts down to where a better plan can be, and branch on what is left of them."""
        lower, upper = narrowed(self.lp, point, self.incumbent)
        whole = np.flatnonzero(self.matrix.integer)
        self.lp.bound_columns(whole, lower[whole], upper[whole])
        self.incumbent.set_aside(self.incumbent.cutoff)
        Branching(self.lp, self.incumbent, self._branched(), NODES).run(point)
        if self.incumbent.closed:
            return "closed"
        self.left = matrix_left(self.matrix, self.lp, point, lower, upper)
        return "open"

    def _branched(self) -> np.ndarray:
        """Return the columns to branch on: those that run; where these do not make the rest whole, all that must be."""
        if all(k.pooled and k.ramp is None for k in self.class_data):
            return self.layout.on.ravel()
        return np.flatnonzero(self.matrix.integer)
