"""Why a Problem has no plan: the limits and hours that contradict each other, and the smallest breach, in words.

HiGHS's own irreducible subsystem answers linear programs only, and a conflict of counts is often one of integers.  So
the limits are narrowed down by leaving them out, one group after the other, with the integers kept; and an elastic
solve, in which every limit may be broken at a price, says by how much the cheapest of them would have to give.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from flexmine.problem import Floats, Problem
from flexmine.solving.highs import Solver, SolverFailed
from flexmine.solving.standard_form import Matrix

# Component of the model -> (what it is called, unit of its rows).
LIMITS: dict[str, tuple[str, str]] = {
    "kept_commitment": ("kept commitment", "containers"),
    "must_run": ("must-run", "containers"),
    "site_minimum": ("minimum of the site", "MW"),
    "starts_per_day": ("starts per day", "starts"),
    "feeder_cap": ("feeder cap", "MW"),
    "site_cap": ("site cap", "MW"),
    "supply_limit": ("supply", "MW"),
    "ramp_up": ("ramp up", "MW a step"),
    "ramp_down": ("ramp down", "MW a step"),
    "start_and_stop_power": ("container ramp (start and stop at lowest power)", "MW"),
    "start_power": ("container ramp (start at lowest power)", "MW"),
    "stop_power": ("container ramp (stop at lowest power)", "MW"),
    "container_ramp_up": ("container ramp up", "MW a step"),
    "container_ramp_down": ("container ramp down", "MW a step"),
    "availability": ("availability", "containers"),
    "minimum_up_time": ("minimum up time", "containers"),
    "minimum_down_time": ("minimum down time", "containers"),
}
# Those whose breach is a rule given up, and not a number that is lower or higher.
LOWEST_POWER = ("start_and_stop_power", "start_power", "stop_power")
GIVEN_UP = ("minimum_up_time", "minimum_down_time", "kept_commitment", *LOWEST_POWER)
# Rows that hold a limit once more, tightened by what is warm.  They take no counts away, so that no conflict hangs on
# them; but left in, they would uphold the minimum down time where it is left out.
HELD_ONCE_MORE = ("warm_pool_backed",)
SEARCH_SECONDS = 30.0
ONE_CHECK_SECONDS = 5.0
SMALLEST_BREACH = 1e-6


@dataclass(frozen=True)
class _Rows:
    """Rows of the matrix that are limits, in the order of `LIMITS` and then of time."""

    numbers: list[int]
    component: dict[int, str]
    index: dict[int, tuple[object, ...]]


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
    together = "; ".join(_describe(problem, matrix, limits, kept))
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
    """Return the matrix with the rows opened that hold a limit once more: what is left out is then really out."""
    again = np.array([name in HELD_ONCE_MORE for name, _ in matrix.rows], dtype=bool)
    return replace(
        matrix,
        row_lower=np.where(again, -np.inf, matrix.row_lower),
        row_upper=np.where(again, np.inf, matrix.row_upper),
    )


def _limits(matrix: Matrix) -> _Rows:
    order = list(LIMITS)
    component, index = {}, {}
    for number, (name, key) in enumerate(matrix.rows):
        if name in LIMITS:
            component[number] = name
            place = key if isinstance(key, tuple) else (key,)
            # A row for each segment of the mode curve is one limit: the class and the step name it.
            index[number] = (place[0], place[-1]) if len(place) > 2 else place
    numbers = sorted(component, key=lambda r: (order.index(component[r]), r))
    return _Rows(numbers, component, index)


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
        ending = _ending(solver)
        if ending == "infeasible":
            return
        solver.restore_rows(np.array(rows))
        if len(rows) == 1:
            finished = finished and ending == "optimal"
            kept.extend(rows)
            return
        half = len(rows) // 2
        spare(rows[half:])
        spare(rows[:half])

    for family in LIMITS:
        spare([r for r in limits.numbers if limits.component[r] == family])
    return sorted(kept, key=limits.numbers.index), finished


def _ending(solver: Solver) -> str:
    """Return how a check ended; a check that the solver could not make spares nothing, and is no reason to give up."""
    try:
        return solver.run().ending
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


def _describe(problem: Problem, matrix: Matrix, limits: _Rows, rows: Iterable[int]) -> list[str]:
    groups: dict[tuple[str, str, tuple[float, str]], list[int]] = {}
    for r in rows:
        *who, step = limits.index[r]
        limit = _limit_value(problem, limits.component[r], who, int(str(step)))
        groups.setdefault((limits.component[r], ",".join(map(str, who)), limit), []).append(int(str(step)))
    words = []
    for (component, whose, (value, unit)), steps in groups.items():
        name = LIMITS[component][0]
        of = f" of {whose}" if whose else ""
        when = "on day " + ", ".join(map(str, steps)) if component == "starts_per_day" else spans(problem, steps)
        words.append(f"{name}{of} ({_amount(value, unit)}) {when}")
    return words


def _describe_breaches(problem: Problem, limits: _Rows, breaches: dict[int, float]) -> list[str]:
    words = []
    for r, amount in breaches.items():
        *who, step = limits.index[r]
        component = limits.component[r]
        name, unit = LIMITS[component]
        of = f" of {','.join(map(str, who))}" if who else ""
        if component in GIVEN_UP:
            words.append(f"{name}{of} given up for {_amount(amount, unit)} {spans(problem, [int(str(step))])}")
            continue
        down = component in ("must_run", "site_minimum")
        when = f"on day {step}" if component == "starts_per_day" else spans(problem, [int(str(step))])
        words.append(f"{name}{of} {_amount(amount, unit)} {'lower' if down else 'higher'} {when}")
    return words


def _limit_value(problem: Problem, component: str, who: list[object], step: int) -> tuple[float, str]:
    """Return what the limit says, with its unit."""
    unit = LIMITS[component][1]
    if not who:
        return _site_limit(problem, component, step), unit
    name = str(who[0])
    if component == "feeder_cap":
        return next(f.cap_mw for f in problem.site.groups if f.name == name), unit
    if component == "supply_limit":
        return float(next(s for s in problem.sources if s.name == name).available_mw[step]), unit
    classes = {k.name: k for k in problem.classes}
    # A container planned by itself is named CLASS/CONTAINER, or CLASS:CONTAINER where there is a class of that name.
    k = classes[name] if name in classes else classes[name.rsplit(":" if ":" in name else "/", 1)[0]]
    by_class = {
        "kept_commitment": (0.0 if k.committed is None else float(k.committed[step]), unit),
        "must_run": (float(k.must_run[step]) if component == "must_run" else 0.0, unit),
        "availability": (float(k.runnable[step]) if component == "availability" else 0.0, unit),
        "minimum_up_time": (k.min_up_steps * problem.time.step_h, "h"),
        "minimum_down_time": (k.min_down_steps * problem.time.step_h, "h"),
        "starts_per_day": (float(k.max_starts_per_day or 0), unit),
        **dict.fromkeys(
            (*LOWEST_POWER, "container_ramp_up", "container_ramp_down"),
            (float(k.container_ramp_mw_per_step or 0.0), "MW a step"),
        ),
    }
    return by_class[component]


def _site_limit(problem: Problem, component: str, step: int) -> float:
    site = problem.site
    limits = {
        "site_cap": site.cap_mw[step],
        "site_minimum": site.minimum_mw[step],
        "ramp_up": site.ramp_up_mw_per_step,
        "ramp_down": site.ramp_down_mw_per_step,
    }
    return float(limits[component] or 0.0)


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
