"""Supply in the order of price: within what limits of energy leave, and otherwise as it always was."""

from __future__ import annotations

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.baselines.hold import hold_safe_power
from flexmine.baselines.rules import simple_rules
from flexmine.problem import EnergyLimit, Problem
from flexmine.problem.limits import with_site
from flexmine.problem.schedule import supply_by_merit
from plants import random_problem, round_class, simple_problem


def without_limits(problem: Problem, power_mw: np.ndarray) -> np.ndarray:
    """Return the cheapest supply by step, surplus first, the rest on the most expensive: the rule without limits."""
    supply = np.zeros((len(problem.sources), problem.steps))
    for t in range(problem.steps):
        rest = float(power_mw[t])
        order = sorted(
            range(len(problem.sources)),
            key=lambda j: (problem.sources[j].price_usd_per_mwh[t], problem.sources[j].kind != "surplus"),
        )
        for j in order:
            supply[j, t] = min(rest, float(problem.sources[j].available_mw[t]))
            rest -= supply[j, t]
        supply[order[-1], t] += rest
    return supply


def test_without_limits_of_energy_it_is_what_it_was():
    """*Proves:* bit by bit, on 200 random plants and powers, some beyond what the sources give; a limit of the site, or
    a least energy, changes nothing either.

    *Sensitivity:* another order of sums would differ in the last bit.
    """
    for seed in range(200):
        problem = random_problem(seed)
        rng = np.random.default_rng([seed, 5])
        power = rng.uniform(0.0, 1.3, problem.steps) * sum(s.available_mw for s in problem.sources)
        expected = without_limits(problem, power).tobytes()
        assert supply_by_merit(problem, power).tobytes() == expected
        others = (
            EnergyLimit("a", None, 0, problem.steps, at_most_mwh=0.1),
            EnergyLimit("b", "surplus", 0, problem.steps, at_least_mwh=0.1),
        )
        assert supply_by_merit(with_site(problem, energy_limits=others), power).tobytes() == expected


def plant(*limits: EnergyLimit, **site) -> Problem:
    fields = {"cap": 5.0, "ramp": None, "initial": None} | site
    problem = simple_problem(round_class(2, 4), 2.0, 10.0, 5.0, [20.0, 5.0, 40.0, 60.0], **fields)
    return with_site(problem, energy_limits=limits)


def test_what_a_limit_leaves_is_taken_in_the_order_of_time():
    """1 MW for four hours, 10 USD/MWh for the surplus, the grid at 20, 5, 40, 60; 1.5 MWh, 0.25 of them taken before.

    1 MW in hour 0, the grid in hour 1, 0.25 MW in hour 2, none in hour 3.

    *Proves:* greedily, and half an hour counts half.  *Sensitivity:* a split step by step would take 0.3125 MW.
    """
    limit = EnergyLimit("a", "surplus", 0, 4, at_most_mwh=1.5, taken_mwh=0.25)
    supply = supply_by_merit(plant(limit), np.ones(4))
    assert supply[0] == pytest.approx([1.0, 0.0, 0.25, 0.0])
    assert supply.sum(axis=0) == pytest.approx(np.ones(4))
    halves = simple_problem(round_class(2, 4), 2.0, 10.0, 5.0, 20.0, ramp=None, initial=None, step_h=0.5)
    halves = with_site(halves, energy_limits=(limit,))
    assert supply_by_merit(halves, np.ones(4))[0] == pytest.approx([1.0, 1.0, 0.5, 0.0])


def test_the_tightest_of_several_limits_counts_in_its_own_hours():
    """*Proves:* limits that overlap, each in its steps.  *Sensitivity:* one of them alone leaves more."""
    limits = (EnergyLimit("a", "surplus", 0, 3, at_most_mwh=2.0), EnergyLimit("b", "surplus", 2, 2, at_most_mwh=0.5))
    supply = supply_by_merit(plant(*limits), np.array([1.0, 0.0, 1.0, 1.0]))
    assert supply[0] == pytest.approx([1.0, 0.0, 0.5, 0.0])


def test_more_than_there_is_breaks_the_limit_first_and_then_the_source():
    """Without a grid to speak of: 1 MW is more than the limit leaves, 8 MW more than both sources give.

    *Proves:* what has to come from somewhere is named by the audit: as a limit of energy while the source has power,
    as supply where none has.
    *Sensitivity:* power left out would be a balance that nobody can settle.
    """
    limit = EnergyLimit("a", "surplus", 0, 4, at_most_mwh=1.0)
    problem = simple_problem(round_class(2, 4), 2.0, 10.0, 0.25, 20.0, ramp=None, initial=None)
    problem = with_site(problem, energy_limits=(limit,))
    supply = supply_by_merit(problem, np.ones(4))
    assert supply[0] == pytest.approx([1.0, 0.75, 0.75, 0.75])
    assert supply_by_merit(problem, np.full(4, 8.0)).sum(axis=0) == pytest.approx(np.full(4, 8.0))
    assert supply_by_merit(problem, np.full(4, 8.0))[0] == pytest.approx([2.0] * 4)


def test_simple_rules_and_safe_power_keep_the_limit_of_a_source():
    """Two boxes of 1 MW, 2 MW of surplus, of which 3 MWh may be taken, and a grid that is always cheap enough.

    *Proves:* always on, threshold and the held safe power split their power so that the limit is kept.
    *Sensitivity:* by price alone each takes more than 3 MWh of surplus, and counts as infeasible.
    """
    limit = EnergyLimit("a", "surplus", 0, 4, at_most_mwh=3.0)
    problem = plant(limit)
    for rule in simple_rules(problem, 4):
        assert rule.money_usd is not None, (rule.name, rule.violations)
        assert replay(problem, rule.schedule).ok
        assert without_limits(problem, rule.schedule.supply_mw.sum(axis=0))[0].sum() > 3.0
    must_run = simple_problem(round_class(2, 4, must_run=2), 2.0, 10.0, 5.0, 20.0, ramp=None, initial=None)
    must_run = with_site(must_run, energy_limits=(limit,))
    held = hold_safe_power(must_run)
    assert replay(must_run, held, 1e-3).ok
    assert held.supply_mw[0].sum() == pytest.approx(3.0)
