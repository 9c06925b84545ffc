"""Solve a Problem: counts, power and supply, with a proven bound."""

from __future__ import annotations

from collections import Counter

import numpy as np

from flexmine.milp.class_data import ClassData, class_data_of
from flexmine.problem import Problem
from flexmine.solving.counts import class_plan
from flexmine.solving.first_stage import Task
from flexmine.solving.handover import matrix_of
from flexmine.solving.options import ENGINES, SolveOptions
from flexmine.solving.phases import Phases
from flexmine.solving.preference import Counts
from flexmine.solving.rounding.layout import layout_of
from flexmine.solving.second_stage import prefer
from flexmine.solving.solution import ClassPlan, Preference, Solution, proven

__all__ = ["ENGINES", "ClassPlan", "Preference", "Solution", "SolveOptions", "proven", "solve"]


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
    phases = Phases()
    class_data = class_data_of(problem)
    with phases.measure("compile"):
        matrix = matrix_of(problem, {k.name: k for k in class_data})
        layout = layout_of(matrix, class_data, [j.name for j in problem.sources], problem.steps)
    with phases.measure("pass"):
        task = Task(problem, class_data, matrix, layout, options)
    with phases.measure("solve"):
        first = task.run()
    values, objective, preference = first.values, first.objective, Preference()
    if options.preference:
        with phases.measure("preference"):
            values, objective, preference = prefer(task, first, before)
    proof = proven(-objective, -first.bound, options.gap)
    return Solution(
        status=proof.status,
        money_usd=proof.money_usd,
        bound_usd=proof.bound_usd,
        gap=proof.gap,
        engine=first.engine,
        classes=tuple(class_plan(matrix, layout, values, number, k) for number, k in enumerate(class_data)),
        supply_mw=np.asarray(values[layout.supply]),
        preference=preference,
        seconds=phases.seconds,
        notes=(*_one_by_one(class_data), *first.notes),
    )


def _one_by_one(class_data: list[ClassData]) -> list[str]:
    """Return which classes are planned container by container, in words: exact, but it takes longer."""
    parts = Counter(k.parent for k in class_data)
    return [
        f"class {name}: its {count} containers are planned one by one, because their container ramp asks for it"
        for name, count in parts.items()
        if count > 1
    ]
