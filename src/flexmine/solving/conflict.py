"""Why a Problem has no plan: the limits and hours that contradict each other, and the smallest breach, in words.

HiGHS's own irreducible subsystem covers linear programs only, and a conflict of counts is often one of integers.  So
the limits are narrowed down by leaving them out, one group after the other, with the integers kept; and an elastic
solve, in which every limit may be broken at a price, shows by how much the cheapest of them would have to give.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from flexmine.problem import Floats, Problem
from flexmine.problem.limits import LIMIT_OF_ROW, LIMITS, ROWS, Limit
from flexmine.solving.highs import Solver, SolverFailed
from flexmine.solving.standard_form import Matrix

SEARCH_SECONDS = 30.0
ONE_CHECK_SECONDS = 5.0
SMALLEST_BREACH = 1e-6


@dataclass(frozen=True)
class _Rows:
    """Rows of the matrix that are limits, in the order of `LIMITS` and then of time.

    Attributes
    ----------
    limit : dict
        By row of the matrix.
    place : dict
        Whose it is, and its step (or day), by row of the matrix.
    """

    numbers: list[int]
    limit: dict[int, Limit]
    place: dict[int, tuple[str, int]]


def explain_conflict(problem: Problem, matrix: Matrix) -> list[str]:
    """Return sentences that name the limits and hours which no plan can keep together.

    Parameters
    ----------
    problem : Problem
    matrix : Matrix
        Of the same problem, proven infeasible.
    """
    matrix = _each_limit_once(matrix)
    limits = _limits(matrix)
    kept, narrowed = _irreducible(matrix, limits)
    together = "; ".join(_describe(problem, limits, kept))
    head = (
        "these limits cannot be kept together"
        if narrowed
        else "no plan keeps all of these limits (not narrowed further)"
    )
    sentences = [f"{head}: {together}"]
    breaches = _smallest_breaches(matrix, limits)
    if breaches:
        words = "; ".join(_describe_breaches(problem, limits, breaches))
        sentences.append(f"the smallest change that would allow a plan: {words}")
    return sentences


def _each_limit_once(matrix: Matrix) -> Matrix:
    """Return the matrix with the rows opened that state a limit a second time: what is left out is then really out.

    They exclude no counts, so that no conflict depends on them.
    """
    held_once_more = {row.row for row in ROWS if row.tightens}
    again = np.array([name in held_once_more for name, _ in matrix.rows], dtype=bool)
    return replace(
        matrix,
        row_lower=np.where(again, -np.inf, matrix.row_lower),
        row_upper=np.where(again, np.inf, matrix.row_upper),
    )


def _limits(matrix: Matrix) -> _Rows:
    order = list(LIMIT_OF_ROW)
    numbers = [n for n, (name, _) in enumerate(matrix.rows) if name in LIMIT_OF_ROW]
    numbers.sort(key=lambda n: order.index(matrix.rows[n][0]))
    limit = {n: LIMIT_OF_ROW[matrix.rows[n][0]] for n in numbers}
    return _Rows(numbers, limit, {n: own.place(matrix.rows[n][1]) for n, own in limit.items()})


def _irreducible(matrix: Matrix, limits: _Rows) -> tuple[list[int], bool]:
    """Leave out limits while the rest still has no plan; return what is left, and whether none could be spared."""
    free = replace(matrix, cost=np.zeros_like(matrix.cost), offset=0.0, upper=_open_supply(matrix))
    solver = Solver(free, {"threads": 1, "time_limit": ONE_CHECK_SECONDS})
    deadline = time.monotonic() + SEARCH_SECONDS
    finished = True
    kept: list[int] = []

    def spare(rows: list[int]) -> None:
        nonlocal finished
        if not rows:
            return
        if time.monotonic() > deadline:
            finished = False
            kept.extend(rows)
            return
        solver.relax_rows(np.array(rows))
        status = _status(solver)
        if status == "infeasible":
            return
        solver.restore_rows(np.array(rows))
        if len(rows) == 1:
            finished = finished and status == "optimal"
            kept.extend(rows)
            return
        half = len(rows) // 2
        spare(rows[half:])
        spare(rows[:half])

    for own in LIMITS:
        spare([r for r in limits.numbers if limits.limit[r] is own])
    return sorted(kept, key=limits.numbers.index), finished


def _status(solver: Solver) -> str:
    """Return how a check ended; one that the solver failed to make removes no limit, and does not end the search."""
    try:
        return solver.run().status
    except SolverFailed:
        return "failed"


def _open_supply(matrix: Matrix) -> Floats:
    """Upper bounds with supply and facility power left to their rows, so that a row left out is really out."""
    upper = matrix.upper.copy()
    for (component, _), column in matrix.column_of.items():
        if component in ("s", "F") and matrix.lower[column] < upper[column]:
            upper[column] = np.inf
    return upper


def _smallest_breaches(matrix: Matrix, limits: _Rows) -> dict[int, float]:
    """Elastic solve: each limit may be broken at 1 per MW or container; return the breaches of least sum."""
    numbers = np.array(limits.numbers)
    # What has to be exactly so much may be broken both ways.
    too_low, too_high = numbers[np.isfinite(matrix.row_lower[numbers])], numbers[np.isfinite(matrix.row_upper[numbers])]
    rows = np.concatenate([too_low, too_high])
    count = len(rows)
    sign = np.concatenate([np.ones(len(too_low)), -np.ones(len(too_high))])
    slack = sp.csc_matrix((sign, (rows, np.arange(count))), shape=(matrix.A.shape[0], count))
    elastic = replace(
        matrix,
        A=sp.csc_matrix(sp.hstack([matrix.A, slack])),
        cost=np.concatenate([np.zeros_like(matrix.cost), np.ones(count)]),
        offset=0.0,
        lower=np.concatenate([matrix.lower, np.zeros(count)]),
        upper=np.concatenate([_open_supply(matrix), np.full(count, np.inf)]),
        integer=np.concatenate([matrix.integer, np.zeros(count, dtype=np.int32)]),
    )
    try:
        outcome = Solver(elastic, {"threads": 1, "time_limit": SEARCH_SECONDS, "mip_rel_gap": 1e-6}).run()
    except SolverFailed:
        return {}
    if outcome.values is None:
        return {}
    amounts = outcome.values[len(matrix.cost) :]
    return {int(r): float(x) for r, x in zip(rows, amounts, strict=True) if x > SMALLEST_BREACH}


def _describe(problem: Problem, limits: _Rows, rows: Iterable[int]) -> list[str]:
    groups: dict[tuple[str, str, float], list[int]] = {}
    for r in rows:
        limit, (who, step) = limits.limit[r], limits.place[r]
        groups.setdefault((limit.row, who, limit.value(problem, who, step)), []).append(step)
    words = []
    for (row, who, value), steps in groups.items():
        limit = LIMIT_OF_ROW[row]
        amount = _amount(value, limit.value_unit or limit.unit)
        words.append(f"{limit.words}{f' of {who}' if who else ''} ({amount}) {_when(problem, limit, who, steps)}")
    return words


def _describe_breaches(problem: Problem, limits: _Rows, breaches: dict[int, float]) -> list[str]:
    words = []
    for r, amount in breaches.items():
        limit, (who, step) = limits.limit[r], limits.place[r]
        name = f"{limit.words}{f' of {who}' if who else ''}"
        by, when = _amount(amount, limit.unit), _when(problem, limit, who, [step])
        if limit.given_up:
            words.append(f"{name} given up for {by} {when}")
        else:
            words.append(f"{name} {by} {'lower' if limit.least else 'higher'} {when}")
    return words


def _when(problem: Problem, limit: Limit, who: str, steps: list[int]) -> str:
    if limit.window == "day":
        assert problem.site.day_of_step is not None  # a limit over days has them
        first = np.searchsorted(problem.site.day_of_step, steps)
        return "on " + ", ".join(f"{problem.time.begin(int(t)):%Y-%m-%d}" for t in first)
    return spans(problem, [t for step in steps for t in limit.span(problem, who, step)])


def _amount(value: float, unit: str) -> str:
    if unit.startswith("MW"):
        return f"{value:.3f} {unit}"
    return f"{value:g} {unit.removesuffix('s') if value == 1 else unit}"


def spans(problem: Problem, steps: Iterable[int]) -> str:
    """Return the local times of `steps` in words, neighbours merged: ``from 2024-09-10 05:00 to 08:00``."""
    ordered = sorted(set(steps))
    runs: list[list[int]] = []
    for t in ordered:
        if runs and t == runs[-1][-1] + 1:
            runs[-1].append(t)
        else:
            runs.append([t])
    words = []
    for run in runs:
        begin, end = problem.time.begin(run[0]), problem.time.begin(run[-1] + 1)
        if len(run) == 1:
            words.append(f"at {begin:%Y-%m-%d %H:%M}")
        else:
            same_day = begin.date() == end.date()
            words.append(
                f"from {begin:%Y-%m-%d %H:%M} to {end:%H:%M}"
                if same_day
                else f"from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
            )
    return " and ".join(words)
