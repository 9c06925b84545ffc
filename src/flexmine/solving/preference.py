"""Among plans of nearly the same money, the calmest: fewest starts, then closest to the plan before.

Money comes first.  This second objective may use only what the asked gap leaves, and what it gives up is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from flexmine.problem import Floats, Problem
from flexmine.solving.standard_form import Matrix

# A start weighs more than all differences from the earlier plan together.
START_WEIGHT = 1.0
CLOSENESS_WEIGHT = 0.5

Counts = Mapping[str, Floats]


def preference_matrix(problem: Problem, matrix: Matrix, least_money_usd: float, before: Counts | None) -> Matrix:
    """Return the matrix of the second stage: the same rows, money at least `least_money_usd`, starts minimised.

    Parameters
    ----------
    problem : Problem
    matrix : Matrix
        Of the first stage, whose cost is minus money.
    least_money_usd : float
    before : mapping, optional
        Containers that ran in an earlier plan, by class and step, shape (T,); NaN where that plan says nothing.
    """
    size = len(matrix.cost)
    cost = np.zeros(size)
    for (component, _), column in matrix.column_of.items():
        if component in ("w", "c"):
            cost[column] = START_WEIGHT
    money_row = sp.csr_matrix(matrix.cost)
    rows = [sp.csr_matrix(matrix.A), money_row]
    lower = [matrix.row_lower, np.array([-np.inf])]
    upper = [matrix.row_upper, np.array([-least_money_usd - matrix.offset])]
    distance = _distance_rows(matrix, before or {})
    extra = len(distance)
    if extra:
        # Every count may differ by all containers in all steps: scaled below the weight of one start.
        scale = CLOSENESS_WEIGHT / (sum(k.count for k in problem.classes) * problem.steps)
        columns = np.array([column for column, _ in distance])
        target = np.array([value for _, value in distance])
        pick = sp.csr_matrix((np.ones(extra), (np.arange(extra), columns)), shape=(extra, size))
        eye = sp.identity(extra, format="csr")
        wide = sp.hstack([sp.vstack(rows), sp.csr_matrix((matrix.A.shape[0] + 1, extra))])
        # d >= n - before and d >= before - n
        above, below = sp.hstack([pick, -eye]), sp.hstack([pick, eye])
        rows = [wide, above, below]
        lower += [np.full(extra, -np.inf), target]
        upper += [target, np.full(extra, np.inf)]
        cost = np.concatenate([cost, np.full(extra, scale)])
    count = max((k.count for k in problem.classes), default=1)
    return replace(
        matrix,
        A=sp.csc_matrix(sp.vstack(rows)),
        cost=cost,
        offset=0.0,
        lower=np.concatenate([matrix.lower, np.zeros(extra)]),
        upper=np.concatenate([matrix.upper, np.full(extra, float(count))]),
        integer=np.concatenate([matrix.integer, np.zeros(extra, dtype=matrix.integer.dtype)]),
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
    )


def least_money(bound_usd: float, gap: float) -> float:
    """Return the least money whose gap to the bound is still `gap` = (bound - money) / max(1 USD, |money|)."""
    if bound_usd / (1 + gap) >= 1:
        return bound_usd / (1 + gap)
    if bound_usd / (1 - gap) <= -1:
        return bound_usd / (1 - gap)
    return bound_usd - gap


def starts_of(matrix: Matrix, values: Floats) -> int:
    """Return how many starts a solution holds."""
    columns = [column for (component, _), column in matrix.column_of.items() if component in ("w", "c")]
    return int(np.rint(values[columns]).sum())


def _distance_rows(matrix: Matrix, before: Counts) -> list[tuple[int, float]]:
    found = []
    for name, counts in before.items():
        for t, value in enumerate(counts):
            column = matrix.column_of.get(("n", (name, t)))
            if column is not None and np.isfinite(value):
                found.append((column, float(value)))
    return found
