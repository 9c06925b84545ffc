"""Where a better plan can still be: counts that reduced costs rule out are cut off."""

from __future__ import annotations

import numpy as np

from flexmine.problem import Floats
from flexmine.solving.rounding.incumbent import Incumbent
from flexmine.solving.rounding.relaxation import HotLp, Point

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
