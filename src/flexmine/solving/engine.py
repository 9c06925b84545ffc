"""Solve a Problem: counts, power and supply, with a proven bound."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flexmine.errors import Status
from flexmine.milp.letters import letters_of
from flexmine.problem import Floats, Problem
from flexmine.solving.first_stage import FirstStage, Task
from flexmine.solving.handover import matrix_of
from flexmine.solving.highs import Solver
from flexmine.solving.mip import mip_options, polished
from flexmine.solving.options import ENGINES, SolveOptions
from flexmine.solving.preference import Counts, least_money, preference_matrix, starts_of
from flexmine.solving.rounding.layout import layout_of
from flexmine.solving.solution import ClassPlan, Preference, Solution, class_plan, proven, supply_of
from flexmine.solving.standard_form import Matrix

__all__ = ["ENGINES", "ClassPlan", "Preference", "Solution", "SolveOptions", "proven", "solve"]

MONEY_NOISE_USD = 1e-6
PREFERENCE_TIME_SHARE = 0.25


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
    letters = letters_of(problem)
    with _clock(seconds, "compile"):
        matrix = matrix_of(problem, {k.name: k for k in letters})
        layout = layout_of(matrix, letters, [j.name for j in problem.sources], problem.steps)
    with _clock(seconds, "pass"):
        task = Task(problem, letters, matrix, layout, options)
    with _clock(seconds, "solve"):
        first = task.run()
    values, objective, preference = first.values, first.objective, Preference()
    if options.preference:
        with _clock(seconds, "preference"):
            values, objective, preference = _prefer(problem, matrix, first, options, before)
    proof = proven(-objective, -first.bound, options.gap)
    return Solution(
        status=proof.status,
        money_usd=proof.money_usd,
        bound_usd=proof.bound_usd,
        gap=proof.gap,
        engine=first.engine,
        classes=tuple(class_plan(matrix, values, k, problem.steps) for k in letters),
        supply_mw=supply_of(matrix, values, problem),
        preference=preference,
        seconds=seconds,
        notes=first.notes,
    )


def _prefer(
    problem: Problem, matrix: Matrix, first: FirstStage, options: SolveOptions, before: Counts | None
) -> tuple[Floats, float, Preference]:
    """Return values and objective after the second stage; the first stage's where nothing calmer was found."""
    values, objective = first.values, first.objective
    starts = starts_of(matrix, values)
    if proven(-objective, -first.bound, options.gap).status is not Status.OPTIMAL:
        return values, objective, Preference("no_room", 0.0, starts, starts)
    floor = min(least_money(-first.bound, options.gap), -objective)
    # The second stage has time of its own: a search that used up its limit still leaves it a share.
    calm_options = replace(options, gap=1e-6, time_limit_s=max(1.0, PREFERENCE_TIME_SHARE * options.time_limit_s))
    outcome = Solver(preference_matrix(problem, matrix, floor, before), mip_options(calm_options)).run()
    label = "reached" if outcome.ending == "optimal" else "time_limit"
    if outcome.values is None:
        return values, objective, Preference("time_limit", 0.0, starts, starts)
    calm_values, calm_objective = polished(matrix, outcome.values[: len(matrix.cost)], options)
    calm_starts = starts_of(matrix, calm_values)
    if calm_starts > starts or -calm_objective < floor - MONEY_NOISE_USD:
        return values, objective, Preference("time_limit", 0.0, starts, starts)
    return calm_values, calm_objective, Preference(label, calm_objective - objective, starts, calm_starts)


@contextmanager
def _clock(seconds: dict[str, float], phase: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - begin
