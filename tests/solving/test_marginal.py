"""What one more MW is worth with the commitment fixed: by hand, at kinks, and by finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flexmine.errors import Infeasible
from flexmine.problem import EnergyLimit, Group, History, Problem
from flexmine.problem.limits import LIMIT_OF_ROW, with_site
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.marginal import FixedCommitment, marginal_values
from plants import random_problem, reference_class, simple_problem
from samples import chunks

EXACT = SolveOptions(gap=0.0)
STEPS = 4


def one_box(**site) -> Problem:
    """One container that runs throughout: 0.5 to 1.0 MW, 30,000 then 20,000 TH/s per MW; overhead 1, standby 0.

    Hash value 0.002 USD per TH/s and hour: the first 0.5 MW earn 80 USD/MWh, the rest 40 USD/MWh.
    """
    box = reference_class(
        "box",
        1,
        STEPS,
        it_power_mw=(0.5, 1.0),
        hash_rate_th_s=(20_000.0, 30_000.0),
        overhead=1.0,
        standby_mw=0.0,
        hash_value_usd_per_th_s_h=0.002,
        history=(History(1, on=True, steps=10),),
    )
    return simple_problem(box, **{"ramp": None, "initial": None, "cap": 2.0, "firm_mw": 2.0, "firm_price": 60.0} | site)


def values_of(problem: Problem):
    return marginal_values(FixedCommitment(problem, solve(problem, EXACT)))


def test_surplus_by_hand():
    """Surplus 0.3, 0.7, 1.0, 1.5 MW at 10 USD/MWh; firm power at 60.

    *Proves:* 0.3 < 0.5: one more MW displaces firm power, 60 - 10 = 50; 0.7: it runs the box harder, 40 - 10 = 30;
    1.0: the box is full, and although the offer is used up, more of it is worth nothing; 1.5: some is left.
    *Sensitivity:* at 1.0 the dual may be anything from 0 to 30; the left derivative 30 would be wrong.
    """
    found = values_of(one_box(surplus_mw=[0.3, 0.7, 1.0, 1.5]))
    np.testing.assert_allclose(found.of["supply_limit"][0], [50.0, 30.0, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(found.of["supply_limit"][1], 0.0, atol=1e-9)
    assert not found.of["site_cap"].any()


def test_two_limits_at_once_are_worth_nothing_each():
    """Cap and surplus both 0.7 MW: one more MW of either alone changes nothing.

    *Proves:* the values are right derivatives.  *Sensitivity:* a solver's duals add up to 30 over the two rows, in
    whichever way, so one of them would be told to be worth something.
    """
    found = values_of(one_box(surplus_mw=0.7, firm_mw=None, cap=0.7))
    assert not found.of["site_cap"].any()
    assert not found.of["supply_limit"].any()


def test_cap_feeder_and_ramp_by_hand():
    """Cap 0.8 in steps 1 and 2; a feeder of 0.9 MW; a rise of at most 0.2 MW from 0.5 MW before.

    *Proves:* step 0 is held by the ramp (0.7 MW): one MW more of it is worth 30, to the extent of 0.1 MW, and the
    cap and the feeder are worth 30 where they bind.  *Sensitivity:* each limit only in its own steps.
    """
    problem = one_box(
        surplus_mw=2.0,
        cap=[2.0, 0.8, 0.8, 2.0],
        ramp=0.2,
        initial=0.5,
        feeders=(Group("f1", 0.9, ("box",)),),
    )
    found = values_of(problem)
    np.testing.assert_allclose(found.of["ramp_up"][0], [30.0, 0.0, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(found.of["site_cap"][0], [0.0, 30.0, 30.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(found.of["feeder_cap"], [[0.0, 0.0, 0.0, 30.0]], atol=1e-6)


def test_one_more_container_in_one_step():
    """*Proves:* a second box is worth the change of that step's own money, nothing else; None where the cap leaves no
    room for it.  *Sensitivity:* with the start cost, or with the minimum times kept, it would be another number.
    """
    box = one_box(surplus_mw=0.7).classes[0]
    two = replace(box, count=2, containers=("C01", "C02"), available=np.full(STEPS, 2))
    off = replace(box.history[0], count=1, on=False)
    two = replace(two, history=(box.history[0], off))
    problem = replace(one_box(surplus_mw=0.7), classes=(two,))
    solution = solve(problem, EXACT)
    assert solution.classes[0].on.tolist() == [1] * STEPS
    fixed = FixedCommitment(problem, solution)
    # One box at 0.7 MW: hash 24,000, energy 7 USD. Two at 0.5 MW: hash 40,000, energy 7 + 0.3 x 60 = 25 USD.
    assert fixed.gain_of_counts("box", 1, 1) == pytest.approx((80.0 - 25.0) - (48.0 - 7.0), abs=1e-6)
    assert fixed.gain_of_counts("box", 1, -1) == pytest.approx(-(48.0 - 7.0), abs=1e-6)
    narrow = replace(problem, site=replace(problem.site, cap_mw=np.full(STEPS, 0.9)))
    assert FixedCommitment(narrow, solve(narrow, EXACT)).gain_of_counts("box", 1, 1) is None


def wider(problem: Problem, limit: str, number: int, t: int, by: float) -> Problem:
    site = problem.site

    def bumped(values):
        changed = np.array(values, dtype=float)
        changed[t] += by
        return changed

    if limit == "cap":
        return replace(problem, site=replace(site, cap_mw=bumped(site.cap_mw)))
    sources = list(problem.sources)
    sources[number] = replace(sources[number], available_mw=bumped(sources[number].available_mw))
    return replace(problem, sources=tuple(sources))


@pytest.mark.parametrize("seed", range(12))
def test_values_are_finite_differences(seed):
    """Random plants: the money of a wider problem, built anew with the same counts, less that of the plan.

    *Proves:* for every source and the cap in every step the value is the slope to the right.
    *Sensitivity:* the width is 1e-4 MW, the other side of a kink is further away in these plants.
    """
    problem = random_problem(seed)
    try:
        solution = solve(problem, EXACT)
    except Infeasible:
        return
    fixed = FixedCommitment(problem, solution)
    assert fixed.money_usd == pytest.approx(solution.money_usd, abs=1e-6)
    found = marginal_values(fixed)
    width = 1e-4
    for t in range(problem.steps):
        limits = [
            ("cap", 0, found.of["site_cap"][0, t]),
            *(("supply", j, found.of["supply_limit"][j, t]) for j in range(len(problem.sources))),
        ]
        for limit, number, value in limits:
            money = FixedCommitment(wider(problem, limit, number, t, width), solution).money_usd
            assert value == pytest.approx((money - fixed.money_usd) / width, abs=2e-4 * max(1.0, value)), (limit, t)
            assert value >= 0


def test_energy_by_hand():
    """The box at 0.5 MW and more, 0.7 MW of surplus at 10 USD/MWh in four hours, 2.2 MWh of it; the grid at 60.

    Every hour at 0.5 MW takes 2.0 MWh; 0.2 MWh run it harder (30 USD/MWh), as would one more: 30.  Of 1.5 MWh, 0.5 MWh
    come from the grid: one more displaces it, 50, to the extent of half a MWh.

    *Proves:* the worth of a limit that spans steps, per MWh; in each of its hours by power, of the length of a step.
    *Sensitivity:* counted as relaxed it would be worth nothing.
    """
    for mwh, worth in ((2.2, 30.0), (1.5, 50.0), (2.8, 0.0)):
        limit = EnergyLimit("daily", "surplus", 0, STEPS, at_most_mwh=mwh)
        problem = with_site(one_box(surplus_mw=0.7), energy_limits=(limit,))
        fixed = FixedCommitment(problem, solve(problem, EXACT))
        assert fixed.value_of_one_more("energy_at_most", "daily") == pytest.approx(worth, abs=1e-6)
        np.testing.assert_allclose(marginal_values(fixed).of["energy_at_most"], [[worth] * STEPS], atol=1e-6)


@pytest.mark.parametrize("first", chunks((0, 20, 40), normal=(0,)))
def test_worths_of_energy_are_finite_differences(first):
    """Random plants with limits of energy.

    *Proves:* for each of them, below and above, the value is the slope to the wider side.
    *Sensitivity:* of one limit in ten and more it is above 0.
    """
    seen = worth = 0
    for seed in range(first, first + 20):
        problem = random_problem(seed, {"energy", "several_classes"})
        try:
            solution = solve(problem, EXACT)
        except Infeasible:
            continue
        fixed, width = FixedCommitment(problem, solution), 1e-4
        table = marginal_values(fixed).of
        for limit in (LIMIT_OF_ROW["energy_at_least"], LIMIT_OF_ROW["energy_at_most"]):
            for member, who in enumerate(limit.members(problem)):
                value = fixed.value_of_one_more(limit.row, limit.index(who, 0))
                money = FixedCommitment(limit.widen(problem, width, who, None), solution).money_usd
                assert value == pytest.approx((money - fixed.money_usd) / width, abs=2e-4 * max(1.0, value)), who
                assert table[limit.row][member].max() == pytest.approx(value * problem.time.step_h)
                seen, worth = seen + 1, worth + (value > 1e-3)
    assert worth >= seen // 10 > 0
