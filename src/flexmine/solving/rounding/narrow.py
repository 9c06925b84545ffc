"""Where a better plan can still be: counts that reduced costs rule out are cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from flexmine.problem import Floats
from flexmine.solving.rounding.incumbent import Incumbent
from flexmine.solving.rounding.relaxation import HotLp, Point
from flexmine.solving.standard_form import Matrix

LEAST = 1e-9
SLACK = 1e-6


def narrowed(lp: HotLp, point: Point, incumbent: Incumbent) -> tuple[Floats, Floats]:
    r"""Return column bounds outside of which no plan costs less than the cutoff.

    .. math:: (c - A^T y)_j (x_j - l_j) \le cutoff - bound, \qquad (c - A^T y)_j (x_j - u_j) \le cutoff - bound

    The bound is the one that the same duals prove, so that this holds whatever the tolerances of the simplex method.
    """
    lower, upper = lp.lower.copy(), lp.upper.copy()
    room = incumbent.cutoff - point.bound
    if not 0 <= room < np.inf:
        return lower, upper
    reduced = lp.reduced_costs(point.duals)
    whole = incumbent.matrix.integer > 0
    falls, rises = whole & (reduced > LEAST), whole & (reduced < -LEAST)
    upper[falls] = np.minimum(upper[falls], np.floor(lower[falls] + room / reduced[falls] + SLACK))
    lower[rises] = np.maximum(lower[rises], np.ceil(upper[rises] + room / reduced[rises] - SLACK))
    return lower, upper


def matrix_left(matrix: Matrix, lp: HotLp, point: Point, lower: Floats, upper: Floats) -> Matrix:
    """Return `matrix` within narrowed bounds, with the cuts that bind at `point` as rows, and without names of rows.

    It holds every plan that is better than the cutoff, and nothing but plans.

    Parameters
    ----------
    matrix : Matrix
    lp : HotLp
    point : Point
    lower, upper : ndarray, shape (columns,)
        As :func:`narrowed` returns them.
    """
    rows, right = lp.binding_cuts(point.values)
    return replace(
        matrix,
        A=sp.csc_matrix(sp.vstack([matrix.A, rows])),
        row_lower=np.concatenate([matrix.row_lower, np.full(len(right), -np.inf)]),
        row_upper=np.concatenate([matrix.row_upper, right]),
        lower=lower,
        upper=upper,
        rows=[],
    )
