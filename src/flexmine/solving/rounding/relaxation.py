"""The LP relaxation on one HiGHS object that stays hot: bounds and rows change, the basis is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp

from flexmine.errors import NoPlan
from flexmine.problem import Floats, Ints
from flexmine.solving.highs import Solver
from flexmine.solving.rounding.cuts import Cuts
from flexmine.solving.rounding.layout import as_int32
from flexmine.solving.standard_form import Matrix

# Dual simplex without presolve wins on every size, and it alone can go on from where it stood.  Devex pricing and
# unperturbed costs are the fastest of those tried on these matrices.
SIMPLEX: dict[str, bool | int | float | str] = {
    "presolve": "off",
    "solver": "simplex",
    "simplex_strategy": 1,
    "simplex_dual_edge_weight_strategy": 1,
    "dual_simplex_cost_perturbation_multiplier": 0.0,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
}
BINDING = 1e-6
ROW_TOLERANCE = 1e-9


class TimeIsUp(Exception):
    """The search has used up its time."""


class LpFailed(Exception):
    """HiGHS could neither solve nor refute a relaxation."""


@dataclass(frozen=True)
class Point:
    """An optimum of the relaxation under the current bounds.

    Attributes
    ----------
    values : ndarray, shape (columns,)
    duals : ndarray, shape (rows,)
        Of the rows of the matrix and of the cuts below them.
    bound : float
        No solution within the current bounds costs less: computed from the duals alone, see `HotLp.safe_bound`.
    """

    values: Floats
    duals: Floats
    bound: float


class HotLp:
    """The relaxation of a matrix, kept hot.

    Parameters
    ----------
    matrix : Matrix
    lower, upper : ndarray, shape (columns,)
        Column bounds, at most as wide as those of the matrix.
    deadline : float
        On the clock of `time.perf_counter` [s].
    settings : mapping
        HiGHS options by their own names; those of `SIMPLEX` override them.
    later : tuple of (csr_matrix, ndarray), optional
        Rows ``R x <= r`` that belong to the matrix, but are taken in only where an optimum breaks them.
    """

    def __init__(
        self,
        matrix: Matrix,
        lower: Floats,
        upper: Floats,
        deadline: float,
        settings: Mapping[str, bool | int | float | str],
        *,
        later: tuple[sp.csr_matrix, Floats] | None = None,
    ):
        self.matrix = matrix
        self.lower, self.upper = lower.copy(), upper.copy()
        self.deadline = deadline
        self.solves = 0
        solver = Solver(matrix, settings, relax=True)
        solver.set_options(SIMPLEX)
        self._highs = solver.highs
        self._transposed = sp.csr_matrix((matrix.A.data, matrix.A.indices, matrix.A.indptr), shape=matrix.A.shape[::-1])
        self._has_lower, self._has_upper = np.isfinite(matrix.row_lower), np.isfinite(matrix.row_upper)
        self._row_lower = np.where(self._has_lower, matrix.row_lower, 0.0)
        self._row_upper = np.where(self._has_upper, matrix.row_upper, 0.0)
        self._cut_rows, self._cut_columns = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self._cut_sizes, self._cut_upper = np.empty(0), np.empty(0)
        self._made = np.empty(0, dtype=bool)
        self._later, self._later_upper = later or (sp.csr_matrix((0, len(lower))), np.empty(0))
        self._waiting = np.ones(len(self._later_upper), dtype=bool)
        changed = np.flatnonzero((lower != matrix.lower) | (upper != matrix.upper))
        self.bound_columns(changed, lower[changed], upper[changed])

    def bound_columns(self, columns: Ints, lower: Floats, upper: Floats) -> None:
        """Change the bounds of `columns`, given by number, to `lower` and `upper`, all of shape (n,)."""
        if len(columns):
            self.lower[columns], self.upper[columns] = lower, upper
            status = self._highs.changeColsBounds(len(columns), as_int32(columns), lower, upper)
            _ok(status, "changeColsBounds")

    def add_cuts(self, cuts: Cuts) -> None:
        """Add rows that no plan breaks."""
        self._add(cuts, made=True)

    def binding_cuts(self, values: Floats) -> tuple[sp.csr_matrix, Floats]:
        """Return the cuts that `values` keeps with equality, as rows and right-hand sides."""
        shape = (len(self._cut_upper), len(self.lower))
        rows = sp.csr_matrix((self._cut_sizes, (self._cut_rows, self._cut_columns)), shape=shape)
        binding = (rows @ values >= self._cut_upper - BINDING) & self._made
        return rows[binding], self._cut_upper[binding]

    def solve(self) -> Point | None:
        """Return the optimum within the current bounds, or None where they are proven to hold no solution.

        Raises
        ------
        TimeIsUp
            The deadline has passed.
        LpFailed
            HiGHS ends in any other way, or reports infeasibility that its own ray does not prove.
        """
        while self._run():
            solution = self._highs.getSolution()
            values = np.array(solution.col_value)
            broken = np.flatnonzero((self._later @ values > self._later_upper + ROW_TOLERANCE) & self._waiting)
            if not len(broken):
                duals = np.array(solution.row_dual)
                return Point(values, duals, self.safe_bound(duals))
            rows = self._later[broken]
            self._waiting[broken] = False
            self._add(Cuts(rows.indptr, rows.indices, rows.data, self._later_upper[broken]), made=False)
        return None

    def _run(self) -> bool:
        """Run the simplex method; return whether there is an optimum."""
        left = self.deadline - time.perf_counter()
        if left <= 0:
            raise TimeIsUp
        # HiGHS counts the time of all runs of an object.
        _ok(self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left), "time_limit")
        self._highs.run()
        self.solves += 1
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            return True
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise TimeIsUp
        if status == highspy.HighsModelStatus.kInfeasible and self._proven_empty():
            return False
        raise LpFailed(f"the relaxation ended with model status {self._highs.modelStatusToString(status)!r}")

    def _add(self, cuts: Cuts, *, made: bool) -> None:
        free = np.full(len(cuts), -np.inf)
        starts, columns = as_int32(cuts.starts[:-1]), as_int32(cuts.columns)
        _ok(self._highs.addRows(len(cuts), free, cuts.upper, len(columns), starts, columns, cuts.sizes), "addRows")
        rows = np.repeat(np.arange(len(cuts)) + len(self._cut_upper), np.diff(cuts.starts))
        self._cut_rows = np.concatenate([self._cut_rows, rows])
        self._cut_columns = np.concatenate([self._cut_columns, cuts.columns])
        self._cut_sizes = np.concatenate([self._cut_sizes, cuts.sizes])
        self._cut_upper = np.concatenate([self._cut_upper, cuts.upper])
        self._made = np.concatenate([self._made, np.full(len(cuts), made)])

    def safe_bound(self, duals: Floats) -> float:
        r"""Return a bound on the objective that holds for any `duals`, shape (rows,), simplex optimum or not.

        .. math:: \sum_{i: y_i > 0} y_i \underline b_i + \sum_{i: y_i < 0} y_i \overline b_i
            + \sum_j \min_{l_j \le x_j \le u_j} (c - A^T y)_j x_j

        Every column has finite bounds, hence tolerances of the simplex method cost bound but never truth; what is left
        is the rounding of floating-point sums, about 1e-15 of the sum of the terms.
        Source: Neumaier and Shcherbina, Safe bounds in linear and mixed-integer linear programming (2004).
        """
        bound, reduced = self._lagrangian(duals, self.matrix.cost)
        return bound + self.matrix.offset + float(np.minimum(reduced * self.lower, reduced * self.upper).sum())

    def reduced_costs(self, duals: Floats) -> Floats:
        """Return c - A'y, shape (columns,), for `duals` y of the rows and cuts, shape (rows,)."""
        return self._lagrangian(duals, self.matrix.cost)[1]

    def _lagrangian(self, duals: Floats, cost: Floats) -> tuple[float, Floats]:
        """Return y b and c - A'y, without duals of the wrong sign on rows that have no such side."""
        rows = len(self._row_lower)
        own, known = duals[:rows], duals[rows:]
        # Rows taken in since a point was solved have no dual there, and need none: 0 is as valid as any.
        cut = np.concatenate([np.minimum(known, 0.0), np.zeros(len(self._cut_upper) - len(known))])
        up, down = np.maximum(own, 0.0) * self._has_lower, np.minimum(own, 0.0) * self._has_upper
        # Sums rather than dot products: BLAS may start threads for these, and then costs more than the simplex method.
        total = (up * self._row_lower).sum() + (down * self._row_upper).sum() + (cut * self._cut_upper).sum()
        reduced = cost - self._transposed @ (up + down)
        if len(cut):
            reduced -= np.bincount(self._cut_columns, self._cut_sizes * cut[self._cut_rows], len(cost))
        return float(total), reduced

    def _proven_empty(self) -> bool:
        """Whether the ray of HiGHS separates the rows from the columns' bounds by more than rounding errors."""
        status, exists, ray = self._highs.getDualRay()
        if status != highspy.HighsStatus.kOk or not exists:
            return False
        return max(self._separation(ray), self._separation(-ray)) > 0

    def _separation(self, ray: Floats) -> float:
        total, reduced = self._lagrangian(ray, np.zeros(len(self.lower)))
        terms = np.minimum(reduced * self.lower, reduced * self.upper)
        noise = 1e-12 * (abs(total) + float(np.abs(terms).sum()))
        return total + float(terms.sum()) - noise


def _ok(status: highspy.HighsStatus, call: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise NoPlan(f"HiGHS refused {call}: {status.name}")
