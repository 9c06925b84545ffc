"""Counts are exact: a class of N containers earns what N classes of one container earn."""

from __future__ import annotations

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.errors import Infeasible
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import History, Problem
from flexmine.solving.engine import SolveOptions, solve
from plants import FEATURES, random_problem, reference_class, simple_problem
from samples import chunks
from single import one_class_per_container

EXACT = SolveOptions(gap=0.0)
# Counted availability and must-run name no container, so that they have no per-container twin.
NAMED = sorted(set(FEATURES) - {"available", "must_run"})


def money_of(problem: Problem) -> float | None:
    """Return the planner's money after its own schedule has been replayed, or None where there is no plan."""
    try:
        solution = solve(problem, EXACT)
    except Infeasible:
        return None
    seen = replay(problem, to_schedule(problem, solution))
    assert seen.ok, "; ".join(v.message for v in seen.violations)
    assert seen.money_usd == pytest.approx(solution.money_usd, rel=1e-6, abs=1e-6)
    return seen.money_usd


@pytest.mark.parametrize("chunk", chunks(range(8), normal=(0, 3, 6)))
def test_random_plants(chunk):
    """Random plants of every feature that names its containers.

    *Proves:* the same money, and the same infeasibility, from counts and from single containers.
    *Sensitivity:* summed start limits or a window used twice by a count earn more than the single containers can.
    """
    compared = 0
    for seed in range(8000 + chunk * 15, 8000 + (chunk + 1) * 15):
        features = set(np.random.default_rng([seed, 3]).choice(NAMED, 6, replace=False).tolist())
        problem = random_problem(seed, features)
        if all(k.count == 1 for k in problem.classes):
            continue
        counts, containers = money_of(problem), money_of(one_class_per_container(problem))
        where = f"seed {seed}, features {sorted(features)}: counts {counts}, containers {containers}"
        assert (counts is None) == (containers is None), where
        if counts is not None:
            assert counts == pytest.approx(containers, rel=1e-6, abs=1e-6), where
        compared += 1
    assert compared >= 5


def test_reference_class_of_mixed_ages():
    """Six reference containers of four ages over 18 steps: more than the oracle can enumerate.

    *Proves:* counts stay exact with ages as counts, a binding ramp and two dear evenings.
    *Sensitivity:* ages pooled into one would free or bind containers in the first hours.
    """
    history = (History(2, True, 1), History(1, True, 3), History(2, False, 1), History(1, False, 5))
    k = reference_class(count=6, steps=18, history=history)
    hours = np.arange(18)
    dear = np.where((hours % 9 >= 3) & (hours % 9 <= 5), 140.0, 45.0)
    problem = simple_problem(
        k, surplus_mw=np.where(hours % 9 < 6, 1.2, 5.0), firm_price=dear, cap=6.0, ramp=2.0, initial=1.6
    )
    counts, containers = money_of(problem), money_of(one_class_per_container(problem))
    assert counts == pytest.approx(containers, rel=1e-6)
    starts = replay(problem, to_schedule(problem, solve(problem, EXACT)))
    assert starts.warm_start.any()


def test_counted_availability_has_no_twin():
    """A class of three of which two are available cannot be written as named containers.

    *Proves:* the per-container model refuses it.
    *Sensitivity:* taking two named ones instead would earn less or more, silently.
    """
    problem = simple_problem(reference_class(count=3, steps=6, available=2))
    with pytest.raises(ValueError, match="names no container"):
        one_class_per_container(problem)
