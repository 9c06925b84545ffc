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

# All differences from the earlier plan together weigh less than one start.
CLOSENESS_WEIGHT = 0.5
# Components of the model that hold starts: warm, between, cold.
STARTS = ("w", "u", "c")

Counts = Mapping[str, Floats]


def calm_matrix(problem: Problem, matrix: Matrix, price_usd: float, before: Counts | None) -> Matrix:
    r"""Return the matrix of the second stage: the same rows, and a price on each start.

    .. math:: \min\; -money + price \Bigl( \sum_{k,t} (w_{k,t} + c_{k,t}) + \rho \sum_{k,t} d_{k,t} \Bigr), \qquad
        d_{k,t} \ge |n_{k,t} - before_{k,t}|

    Parameters
    ----------
    problem : Problem
    matrix : Matrix
        Of the first stage, whose cost is minus money.
    price_usd : float
        Price of one start [USD].
    before : mapping, optional
        Containers that ran in an earlier plan, by class and step, shape (T,); NaN where that plan says nothing.
    """
    cost = matrix.cost.copy()
    cost[_start_columns(matrix)] += price_usd
    distance = _distance_rows(matrix, before or {})
    extra, size = len(distance), len(cost)
    if not extra:
        return replace(matrix, cost=cost)
    columns = np.array([column for column, _ in distance])
    target = np.array([value for _, value in distance])
    pick = sp.csr_matrix((np.ones(extra), (np.arange(extra), columns)), shape=(extra, size))
    eye = sp.identity(extra, format="csr")
    wide = sp.hstack([matrix.A, sp.csr_matrix((matrix.A.shape[0], extra))])
    # d >= n - before and d >= before - n
    rows = [wide, sp.hstack([pick, -eye]), sp.hstack([pick, eye])]
    free = np.full(extra, np.inf)
    names = [(side, number) for side in ("above_before", "below_before") for number in range(extra)]
    return replace(
        matrix,
        A=sp.csc_matrix(sp.vstack(rows)),
        cost=np.concatenate([cost, np.full(extra, price_usd * _closeness(problem))]),
        lower=np.concatenate([matrix.lower, np.zeros(extra)]),
        upper=np.concatenate([matrix.upper, np.maximum(matrix.upper[columns], target)]),
        integer=np.concatenate([matrix.integer, np.zeros(extra, dtype=matrix.integer.dtype)]),
        row_lower=np.concatenate([matrix.row_lower, -free, target]),
        row_upper=np.concatenate([matrix.row_upper, target, free]),
        rows=[*matrix.rows, *names],
    )


def least_money(bound_usd: float, gap: float) -> float:
    """Return the least money [USD] whose gap to `bound_usd` is `gap` = (bound - money) / max(1 USD, |money|)."""
    if bound_usd / (1 + gap) >= 1:
        return bound_usd / (1 + gap)
    if bound_usd / (1 - gap) <= -1:
        return bound_usd / (1 - gap)
    return bound_usd - gap


def starts_of(matrix: Matrix, values: Floats) -> int:
    """Return how many starts a solution holds."""
    return int(np.rint(values[_start_columns(matrix)]).sum())


def unrest_of(problem: Problem, matrix: Matrix, values: Floats, before: Counts | None) -> float:
    """Return starts, and differences from the earlier plan at their weight."""
    apart = sum(abs(float(values[column]) - target) for column, target in _distance_rows(matrix, before or {}))
    return starts_of(matrix, values) + _closeness(problem) * apart


def _closeness(problem: Problem) -> float:
    """Return the weight of one difference: every count may differ by all containers in all steps."""
    return CLOSENESS_WEIGHT / (sum(k.count for k in problem.classes) * problem.steps)


def _start_columns(matrix: Matrix) -> list[int]:
    return [column for (component, _), column in matrix.column_of.items() if component in STARTS]


def _distance_rows(matrix: Matrix, before: Counts) -> list[tuple[int, float]]:
    found = []
    for name, counts in before.items():
        for t, value in enumerate(counts):
            column = matrix.column_of.get(("n", (name, t)))
            if column is not None and np.isfinite(value):
                found.append((column, float(value)))
    return found
