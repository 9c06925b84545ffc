"""Solve a Problem: counts, power and supply, with a proven bound."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from flexmine.errors import BadInput, Infeasible, NoPlan, Status
from flexmine.milp.letters import Letters, letters_of
from flexmine.milp.model import build_model
from flexmine.problem import Floats, Ints, Problem
from flexmine.solving.conflict import explain_conflict
from flexmine.solving.highs import Outcome, Solver, SolverFailed
from flexmine.solving.preference import Counts, least_money, preference_matrix, starts_of
from flexmine.solving.standard_form import Matrix, compile_model

LOG = logging.getLogger(__name__)
ENGINES = ("auto", "mip")
INTEGRALITY_SLACK = 1e-4
FLOAT_NOISE = 1e-9
MONEY_NOISE_USD = 1e-6
PREFERENCE_TIME_SHARE = 0.25


@dataclass(frozen=True)
class SolveOptions:
    """What may be asked of the solver.

    Attributes
    ----------
    gap : float
        Asked (bound - money) / max(1 USD, |money|).
    time_limit_s : float
        For the search; building the model and the audit are outside.
    seed : int
    threads : int
        1 by default: the same input gives the same plan.
    engine : str
        ``auto`` or ``mip``.
    preference : bool
        Whether a second stage may spend what the asked gap leaves on fewer starts and closeness to an earlier plan.
    highs : dict
        Further HiGHS options by their own names.

    Raises
    ------
    BadInput
        On a value outside its range.
    """

    gap: float = 1e-4
    time_limit_s: float = 60.0
    seed: int = 0
    threads: int = 1
    engine: str = "auto"
    preference: bool = False
    highs: dict[str, bool | int | float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = []
        if not 0 <= self.gap < 1:
            wrong.append(f"gap: {self.gap} is not between 0 and 1")
        if not self.time_limit_s > 0:
            wrong.append(f"time_limit_s: {self.time_limit_s} is not above 0 s")
        if not 0 <= self.seed < 2**31:
            wrong.append(f"seed: {self.seed} is not between 0 and 2147483647")
        if not 1 <= self.threads <= 256:
            wrong.append(f"threads: {self.threads} is not between 1 and 256")
        if self.engine not in ENGINES:
            wrong.append(f"engine: {self.engine!r} is unknown; allowed: {', '.join(ENGINES)}")
        if wrong:
            raise BadInput(wrong)


@dataclass(frozen=True)
class ClassPlan:
    """What one class of the model does, as counts; arrays have shape (T,).

    Attributes
    ----------
    warm_from : dict
        Where starts are tied to stops: (stop lot, step) to how many start warm; else empty.
    """

    letters: Letters
    on: Ints
    start: Ints
    stop: Ints
    warm: Ints
    it_power_mw: Floats
    warm_from: dict[tuple[int, int], int]


@dataclass(frozen=True)
class Solution:
    """A plan in counts with its proof.

    Attributes
    ----------
    money_usd, bound_usd, gap : float
        Money of this plan, upper bound on the money of any plan, (bound - money) / max(1 USD, |money|).
    supply_mw : ndarray, shape (sources, T)
    preference : Preference
        What the second stage did.
    seconds : dict
        By phase: build, compile, pass, solve, preference.
    """

    status: Status
    money_usd: float
    bound_usd: float
    gap: float
    engine: str
    classes: tuple[ClassPlan, ...]
    supply_mw: Floats
    preference: Preference
    seconds: dict[str, float]


@dataclass(frozen=True)
class Preference:
    """The second stage: fewest starts, then closest to an earlier plan, within what the asked gap leaves.

    Attributes
    ----------
    outcome : str
        ``off``; ``reached``; ``time_limit``, where the plan is that of the first stage or the best found in time;
        ``no_room``, where the first stage did not reach the asked gap.
    given_up_usd : float
        Money of the first stage less that of the plan.
    starts_before, starts_after : int
    """

    outcome: str = "off"
    given_up_usd: float = 0.0
    starts_before: int = 0
    starts_after: int = 0


def solve(problem: Problem, options: SolveOptions | None = None, before: Counts | None = None) -> Solution:
    """Return the best plan for `problem` within the asked gap.

    Parameters
    ----------
    problem : Problem
    options : SolveOptions, optional
    before : mapping, optional
        Containers that ran in an earlier plan, by class of the model and step, NaN where it says nothing; used by
        the preference stage alone.

    Returns
    -------
    Solution
        With status ``optimal``, or ``feasible`` where time was up before the gap was reached.

    Raises
    ------
    Infeasible
        Proven; the messages name the conflicting limits and hours.
    NoPlan
        Time was up without any plan, or the solver failed.
    BadInput
        A solver option that HiGHS does not know.
    """
    options = options or SolveOptions()
    seconds: dict[str, float] = {}
    with _clock(seconds, "build"):
        model = build_model(problem)
    with _clock(seconds, "compile"):
        matrix = compile_model(model)
    with _clock(seconds, "pass"):
        solver = Solver(matrix, _highs_options(options))
    with _clock(seconds, "solve"):
        outcome = _search(solver, problem, matrix, options.seed)
        if outcome.values is None:
            raise NoPlan(f"time was up after {options.time_limit_s:g} s, before any plan was found")
        values, objective = _polish(matrix, outcome.values, options)
    preference = Preference()
    if options.preference:
        with _clock(seconds, "preference"):
            values, objective, preference = _prefer(
                problem, matrix, (values, objective, -outcome.bound), options, before
            )
    proof = proven(-objective, -outcome.bound, options.gap)
    return Solution(
        status=proof.status,
        money_usd=proof.money_usd,
        bound_usd=proof.bound_usd,
        gap=proof.gap,
        engine="mip",
        classes=tuple(_class_plan(matrix, values, k, problem.steps) for k in letters_of(problem)),
        supply_mw=np.array(
            [[_at(matrix, values, "s", (j.name, t)) for t in range(problem.steps)] for j in problem.sources]
        ),
        preference=preference,
        seconds=seconds,
    )


def _prefer(
    problem: Problem,
    matrix: Matrix,
    first: tuple[Floats, float, float],
    options: SolveOptions,
    before: Counts | None,
) -> tuple[Floats, float, Preference]:
    """Return values and objective after the second stage; the first stage's where nothing calmer was found."""
    values, objective, bound_usd = first
    starts = starts_of(matrix, values)
    if proven(-objective, bound_usd, options.gap).status is not Status.OPTIMAL:
        return values, objective, Preference("no_room", 0.0, starts, starts)
    floor = min(least_money(bound_usd, options.gap), -objective)
    # The second stage has time of its own: a search that used up its limit still leaves it a share.
    calm_options = replace(options, gap=1e-6, time_limit_s=max(1.0, PREFERENCE_TIME_SHARE * options.time_limit_s))
    outcome = Solver(preference_matrix(problem, matrix, floor, before), _highs_options(calm_options)).run()
    label = "reached" if outcome.ending == "optimal" else "time_limit"
    if outcome.values is None:
        return values, objective, Preference("time_limit", 0.0, starts, starts)
    calm_values, calm_objective = _polish(matrix, outcome.values[: len(matrix.cost)], options)
    calm_starts = starts_of(matrix, calm_values)
    if calm_starts > starts or -calm_objective < floor - MONEY_NOISE_USD:
        return values, objective, Preference("time_limit", 0.0, starts, starts)
    return calm_values, calm_objective, Preference(label, calm_objective - objective, starts, calm_starts)


@dataclass(frozen=True)
class Proof:
    """Money, its bound, the gap between them, and the status that follows from the asked gap."""

    status: Status
    money_usd: float
    bound_usd: float
    gap: float


def proven(money_usd: float, bound_usd: float, asked_gap: float) -> Proof:
    """Return status and gap = (bound - money) / max(1 USD, |money|).

    The bound cannot be below a plan that exists; where both are one sum of floats, they are one number.
    """
    scale = max(1.0, abs(money_usd))
    bound = money_usd if bound_usd - money_usd <= FLOAT_NOISE * scale else bound_usd
    gap = (bound - money_usd) / scale
    return Proof(Status.OPTIMAL if gap <= asked_gap else Status.FEASIBLE, money_usd, bound, gap)


def _highs_options(options: SolveOptions) -> dict[str, bool | int | float | str]:
    return {
        "threads": options.threads,
        "random_seed": options.seed,
        "time_limit": float(options.time_limit_s),
        "mip_rel_gap": options.gap,
        # Ours is relative to at least 1 USD: an absolute gap of `gap` USD meets it where money is small.
        "mip_abs_gap": options.gap,
        # The bound is as good as the tolerances under which it was found.
        "mip_feasibility_tolerance": 1e-9,
        **options.highs,
    }


def _search(solver: Solver, problem: Problem, matrix: Matrix, seed: int) -> Outcome:
    try:
        outcome = solver.run()
    except SolverFailed as failure:
        # About one solve in 1,000 fails for one seed and not for another (HiGHS#2810).
        other_seed = (seed + 1) % 2**31
        LOG.warning("%s; tried once more with seed %d", failure, other_seed)
        solver.set_options({"random_seed": other_seed})
        outcome = solver.run()
    if outcome.ending != "infeasible":
        return outcome
    # Presolve has called feasible models infeasible (HiGHS#3296, #1958): ask once more without it.
    solver.set_options({"presolve": "off"})
    outcome = solver.run()
    if outcome.ending == "infeasible":
        raise Infeasible(explain_conflict(problem, matrix))
    return outcome


def _polish(matrix: Matrix, values: Floats, options: SolveOptions) -> tuple[Floats, float]:
    """Fix the counts to whole numbers and solve the power anew, free of the search's tolerances."""
    columns = np.flatnonzero(matrix.integer)
    counts = np.rint(values[columns])
    if np.abs(counts - values[columns]).max(initial=0.0) > INTEGRALITY_SLACK:
        raise NoPlan("HiGHS returned counts that are not whole numbers")
    tight = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
    fixed = replace(matrix, lower=matrix.lower.copy(), upper=matrix.upper.copy())
    fixed.lower[columns] = fixed.upper[columns] = counts
    settings: dict[str, bool | int | float | str] = {
        "threads": options.threads,
        "random_seed": options.seed,
        "solver": "simplex",
        **tight,
    }
    outcome = Solver(fixed, settings, relax=True).run()
    if outcome.ending != "optimal" or outcome.values is None:
        raise NoPlan(f"the power of the plan that HiGHS found could not be settled: {outcome.ending}")
    polished = outcome.values.copy()
    polished[columns] = counts
    return polished, outcome.objective


def _class_plan(matrix: Matrix, values: Floats, k: Letters, steps: int) -> ClassPlan:
    def counts(component: str) -> Ints:
        series = [_at(matrix, values, component, (k.name, t)) for t in range(steps)]
        return np.rint(series).astype(np.int64)

    on = counts("n")
    above = sum((_segment(matrix, values, k, s, steps) for s in range(len(k.w))), start=np.zeros(steps))
    warm_from = {
        (lot.step, t): round(_at(matrix, values, "r", (k.name, lot.step, t)))
        for lot in k.lots
        for t in range(lot.earliest, lot.last_warm + 1)
        if k.needs_arcs and round(_at(matrix, values, "r", (k.name, lot.step, t))) > 0
    }
    return ClassPlan(k, on, counts("y"), counts("z"), counts("w"), k.P0 * on + above, warm_from)


def _segment(matrix: Matrix, values: Floats, k: Letters, s: int, steps: int) -> Floats:
    return np.array([max(0.0, _at(matrix, values, "q", (k.name, s, t))) for t in range(steps)])


def _at(matrix: Matrix, values: Floats, component: str, index: object) -> float:
    column = matrix.column_of.get((component, index))
    # A variable that no row and no cost holds has no column: it is free to be nothing.
    return 0.0 if column is None else float(values[column])


@contextmanager
def _clock(seconds: dict[str, float], phase: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - begin
