"""Spiky plants: supply jumps every one to four hours, so that identical containers are forced off and on again.

These are the plants on which a shortcut on counts shows: summed limits, pooled windows and the like let one container
do what another one may not.  A normal run takes 12 of each kind and the gate 25, or as many as asked for:
``FLEXMINE_SAMPLES=200 pytest -m gate tests/properties``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pe
import pytest
from numpy.random import Generator

from flexmine.audit.replay import replay
from flexmine.errors import Infeasible
from flexmine.milp.model import build_model
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import ContainerClass, History, Problem
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.highs import Solver
from flexmine.solving.standard_form import compile_model
from plants import reference_class, simple_problem
from samples import by_sample
from single import one_class_per_container

SAMPLES, ALL = 12, int(os.environ.get("FLEXMINE_SAMPLES", "25"))
sampled = pytest.mark.parametrize("how_many", by_sample(SAMPLES, ALL))
EXACT = SolveOptions(gap=0.0)


def spiky_class(rng: Generator, count: int, steps: int, name: str = "box", **overrides: Any) -> ContainerClass:
    """Return identical containers of mixed ages with short minimum times."""
    running = int(rng.integers(0, count + 1))
    history = [History(1, True, int(rng.integers(1, 6))) for _ in range(running)]
    history += [History(1, False, int(rng.integers(1, 8))) for _ in range(count - running)]
    fields: dict[str, Any] = {
        "min_up_steps": int(rng.integers(1, 4)),
        "min_down_steps": int(rng.integers(1, 3)),
        "warm_off_steps": int(rng.integers(3, 6)),
        "hash_value_usd_per_th_s_h": 0.0018 * rng.uniform(0.6, 1.4, steps),
        "history": tuple(history),
    }
    return reference_class(name, count, steps, prefix=f"{name.upper()}-", **(fields | overrides))


def spiky_site(rng: Generator, *classes: ContainerClass, **site: Any) -> Problem:
    """Return a site whose only cheap supply jumps; the grid is small and dear."""
    steps, full = classes[0].overhead.size, sum(k.count * k.it_power_mw[0] * 1.1 for k in classes)
    idle = sum(float(k.count * k.standby_mw.max()) for k in classes)
    levels: list[float] = []
    while len(levels) < steps:
        levels += [float(rng.uniform(0.0, 1.8))] * int(rng.integers(1, 5))
    fields: dict[str, Any] = {"cap": 3 * full, "ramp": None, "initial": None} | site
    return simple_problem(
        classes,
        surplus_mw=idle + full * np.array(levels[:steps]),
        surplus_price=rng.uniform(5, 25),
        firm_mw=0.1,
        firm_price=60.0,
        **fields,
    )


def by_seed(base: int, make: Callable[[Generator], Problem], how_many: int) -> Iterator[tuple[str, Problem]]:
    """Yield (words, plant) of so many seeds."""
    for seed in range(base, base + how_many):
        yield f"seed {seed}", make(np.random.default_rng(seed))


def audited_money(problem: Problem) -> float | None:
    """Return the planner's money after the audit has replayed its schedule, or None where there is no plan."""
    try:
        solution = solve(problem, EXACT)
    except Infeasible:
        return None
    seen = replay(problem, to_schedule(problem, solution))
    assert seen.ok, "; ".join(v.message for v in seen.violations)
    assert seen.money_usd == pytest.approx(solution.money_usd, rel=1e-6, abs=1e-5)
    return seen.money_usd


def same(a: float | None, b: float | None) -> bool:
    """Return whether two amounts of money, or two infeasibilities, are the same."""
    if a is None or b is None:
        return a is b
    return bool(abs(a - b) <= 1e-5 + 1e-6 * abs(b))


Sample = tuple[str, Problem, float | None]


def truths(plants: Iterator[tuple[str, Problem]]) -> list[Sample]:
    """Return (words, plant, money of the same plant with a class for every container)."""
    return [(where, problem, audited_money(one_class_per_container(problem))) for where, problem in plants]


def assert_exact_on_counts(samples: list[Sample]) -> None:
    """Compare every plant's money in counts with the truth."""
    for where, problem, truth in samples:
        counts = audited_money(problem)
        assert same(counts, truth), f"{where}: counts {counts}, containers {truth}"
    # A comparison in which hardly any plant has a plan would prove nothing.
    assert sum(truth is not None for _, _, truth in samples) >= 0.8 * len(samples)


def money_of_model(model: pe.ConcreteModel) -> float | None:
    """Return the money of a model, whoever built it, or None where it has no solution."""
    outcome = Solver(compile_model(model), {"threads": 1, "mip_rel_gap": 0.0, "mip_abs_gap": 0.0}).run()
    return None if outcome.values is None else -outcome.objective


def wrong_in(samples: list[Sample], build: Callable[[Problem], pe.ConcreteModel] = build_model) -> int:
    """Return in how many plants a doctored model differs from the truth."""
    return sum(not same(money_of_model(build(problem)), truth) for _, problem, truth in samples)


def with_starts_counted(problem: Problem, most: int, midnight: int) -> Problem:
    """Return the plant with at most so many starts per container and day, the second day beginning at `midnight`."""
    classes = tuple(replace(k, max_starts_per_day=most) for k in problem.classes)
    days = (np.arange(problem.steps) >= midnight).astype(np.int64)
    return replace(problem, classes=classes, site=replace(problem.site, day_of_step=days))
