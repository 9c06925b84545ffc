"""Random plants with limits of energy: planner, brute force, audit and rounding agree, known mistakes do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from brute_force import best_money
from flexmine.assembly.reserve import with_reserve, without_reserve
from flexmine.audit.replay import LIMIT_TOLERANCE_MW, replay, replay_rounded
from flexmine.errors import Infeasible
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.rounding import round_schedule
from flexmine.problem import EnergyLimit, Problem
from flexmine.problem.limits import with_site
from flexmine.problem.reading import problem_from_document
from flexmine.problem.schedule import Schedule
from flexmine.problem.writing import problem_to_document
from flexmine.solving.engine import SolveOptions, solve
from miner_plants import LADDERS, miner_class
from plants import random_features, random_problem, simple_problem

NORMAL, ALL, CHUNK = 30, 600, 30
ENGINES = ("auto", "mip")


def energy_plant(seed: int) -> Problem:
    """Return a plant with limits of energy and, for two of three seeds, the features of that seed."""
    features = random_features(seed) if seed % 3 else frozenset({"restless", "several_classes"})
    return random_problem(seed, features | {"energy"})


def close(money_usd: float):
    return pytest.approx(money_usd, rel=1e-6, abs=1e-6)


def solved(problem: Problem, engine: str = "mip"):
    """Return the solution at gap 0, None where the engine proves that there is none."""
    try:
        return solve(problem, SolveOptions(gap=0.0, engine=engine))
    except Infeasible as refusal:
        assert refusal.messages
        return None


def energy_mwh(problem: Problem, supply_mw: np.ndarray, e: EnergyLimit) -> float:
    """Return the energy of a limit, taken amounts included; what the site draws is what its sources give."""
    names = [s.name for s in problem.sources]
    drawn = supply_mw.sum(axis=0) if e.source is None else supply_mw[names.index(e.source)]
    return e.taken_mwh + problem.time.step_h * float(drawn[e.window].sum())


def missed_mwh(problem: Problem, supply_mw: np.ndarray) -> float:
    """Return by how much the worst of the limits is missed, 0 where all are kept."""
    worst = 0.0
    for e in problem.site.energy_limits:
        mwh = energy_mwh(problem, supply_mw, e)
        worst = max(worst, (e.at_least_mwh or 0.0) - mwh, mwh - (np.inf if e.at_most_mwh is None else e.at_most_mwh))
    return worst


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=() if first < NORMAL else pytest.mark.slow, id=f"{first}-{first + CHUNK - 1}")
        for first in range(0, ALL, CHUNK)
    ],
)
def test_money_and_infeasibility_are_those_of_the_brute_force(first):
    """Random plants of all features with limits of energy, by the mixed-integer program and by whatever is fastest.

    *Proves:* money equals the best LP over all commitments, infeasible exactly where every one of those is, and the
    schedule passes the audit, whose money is the same.
    *Sensitivity:* the mistakes below differ on the same plants.
    """
    seen = Counter()
    for seed in range(first, first + CHUNK):
        problem = energy_plant(seed)
        expected = best_money(problem)
        seen["infeasible"] += expected is None
        for engine in ENGINES:
            solution = solved(problem, engine)
            assert (solution is None) == (expected is None), f"seed {seed}, {engine}: brute force {expected}"
            if solution is None:
                continue
            assert solution.money_usd == close(expected), f"seed {seed}, {engine}"
            schedule = to_schedule(problem, solution)
            found = replay(problem, schedule)
            assert found.ok, f"seed {seed}, {engine}: " + "; ".join(v.message for v in found.violations)
            assert found.money_usd == close(expected), f"seed {seed}, {engine}"
            assert missed_mwh(problem, schedule.supply_mw) <= 1e-5
        # A limit that changes nothing proves nothing.
        free = best_money(with_site(problem, energy_limits=()))
        seen["binds"] += expected is not None and free > expected + 1e-6
    assert seen["binds"] >= CHUNK // 6
    assert 1 <= seen["infeasible"] <= CHUNK // 2


def by_merit(problem: Problem, supply_mw: np.ndarray) -> np.ndarray:
    """Return the cheapest supply of each step for the same power, whatever it adds up to."""
    supply, rest = np.zeros_like(supply_mw), supply_mw.sum(axis=0)
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    for t in range(problem.steps):
        for j in np.argsort(prices[:, t], kind="stable"):
            supply[j, t] = min(rest[t], problem.sources[j].available_mw[t])
            rest[t] -= supply[j, t]
    return supply


def test_supply_by_merit_order_would_break_the_limit():
    """The best plans of 40 plants, with their supply computed anew from each step's prices.

    *Proves:* the split between sources is part of the plan: in at least a quarter of the plans that exist another
    one breaks a limit, by 1 kWh and more, and the audit says so.
    *Sensitivity:* the plan's own supply breaks none.
    """
    broken = plans = 0
    for seed in range(40):
        problem = energy_plant(seed)
        solution = solved(problem)
        if solution is None:
            continue
        plans += 1
        schedule = to_schedule(problem, solution)
        other = replace(schedule, supply_mw=by_merit(problem, schedule.supply_mw))
        codes = {v.limit for v in replay(problem, other).violations}
        assert replay(problem, schedule).ok
        if missed_mwh(problem, other.supply_mw) > 1e-3:
            assert codes & {"energy_at_most", "energy_at_least"}
            broken += 1
    assert broken >= plans // 4, f"{broken} of {plans}"


def even_shares(e: EnergyLimit) -> Iterator[EnergyLimit]:
    """Yield what is left of a budget as a limit of each of its steps."""
    mwh = max(0.0, e.at_most_mwh - e.taken_mwh) / e.steps
    for t in range(e.first_step, e.first_step + e.steps):
        yield EnergyLimit(f"{e.name}/{t}", e.source, t, 1, at_most_mwh=mwh)


def test_one_row_for_each_step_loses_money():
    """The known mistake: the budget of a period as an even cap of each of its steps.

    *Proves:* it is never better, and in most plants with a binding limit it loses money, or the plan altogether.
    *Sensitivity:* a model that holds each step to its share would pass for right on plants where nothing is lost.
    """
    binds = loses = 0
    for seed in range(80):
        problem = energy_plant(seed)
        if len(problem.containers) > 2:
            continue
        most = tuple(replace(e, at_least_mwh=None) for e in problem.site.energy_limits if e.at_most_mwh is not None)
        problem = with_site(problem, energy_limits=most)
        whole, free = best_money(problem), best_money(with_site(problem, energy_limits=()))
        if whole is None or whole >= free - 1e-6:
            continue
        stepwise = tuple(share for e in most for share in even_shares(e))
        capped = best_money(with_site(problem, energy_limits=stepwise))
        assert capped is None or capped <= whole + 1e-6
        binds += 1
        loses += capped is None or capped < whole - 1e-3
    assert binds >= 10
    assert loses > binds // 2, f"{loses} of {binds}"


# ------------------------------------------------------------------------------------------ rounding


def miner_plant(seed: int) -> Problem:
    """Return a fleet of miners with one or two limits of energy between what it draws at rest and at full power."""
    rng = np.random.default_rng([seed, 79])
    steps, dt = int(rng.integers(4, 10)), float(rng.choice([0.25, 0.5, 1.0]))
    classes = [
        miner_class(
            f"k{i}", int(rng.integers(1, 5)), steps, LADDERS[rng.integers(len(LADDERS))], rng.uniform(0.05, 0.5),
            overhead=rng.uniform(1.0, 1.06, steps), min_up_steps=1, min_down_steps=1,
            hash_value_usd_per_th_s_h=0.0018 * rng.uniform(0.3, 1.5, steps),
        )
        for i in range(int(rng.integers(1, 3)))
    ]  # fmt: skip
    full = sum(k.count * k.it_power_mw[-1] for k in classes)
    problem = simple_problem(
        classes, rng.uniform(0.2, 1.0, steps) * full, rng.uniform(5, 60, steps), 2.0 * full, rng.uniform(10, 90, steps),
        cap=1.2 * full + 1.0, ramp=None, initial=None, step_h=dt,
    )  # fmt: skip
    limits = []
    for i in range(int(rng.integers(1, 3))):
        source = [None, "surplus", "grid"][rng.integers(3)]
        first = int(rng.integers(0, steps - 1))
        last = int(rng.integers(first + 1, steps + 1))
        hours, taken = dt * (last - first), float(rng.choice([0.0, 1.25]))
        low, high = (taken + hours * full * share for share in (rng.uniform(0.0, 0.1), rng.uniform(0.15, 0.7)))
        kind = rng.integers(3)
        if rng.random() < 0.15:
            # Little room for the reserve.  With none at all, whole miners need not meet it: nothing is promised there.
            low, kind = high - 2e-3 * hours - 0.003, 2
        limits.append(
            EnergyLimit(
                f"e{i}", source, first, last - first,
                at_least_mwh=None if kind == 0 else round(low, 9), at_most_mwh=None if kind == 1 else round(high, 9),
                taken_mwh=taken,
            )
        )  # fmt: skip
    return with_site(problem, energy_limits=tuple(limits))


def rounded_plan(narrow: Problem) -> tuple[Schedule, Schedule] | None:
    try:
        solution = solve(narrow, SolveOptions(gap=1e-4))
    except Infeasible:
        return None
    schedule = to_schedule(narrow, solution)
    return schedule, round_schedule(narrow, schedule)


@pytest.mark.parametrize("block", [0, *(pytest.param(i, marks=pytest.mark.slow) for i in range(1, 8))])
def test_whole_miners_keep_the_true_limits(block):
    """Fleets of miners planned with the reserve and rounded to whole miners.

    *Proves:* the rounded plan passes its own audit, and one against the true limits of the plant, which it misses by no
    more than 10 Wh; with the reserve taken off again they are what they were.
    *Sensitivity:* see the next test.
    """
    plans = 0
    for seed in range(60 * block, 60 * (block + 1)):
        problem = miner_plant(seed)
        narrow, _ = with_reserve(problem, None)
        assert narrow.site.rounding_reserve_mw > 0
        assert without_reserve(narrow).site.energy_limits == problem.site.energy_limits
        found = rounded_plan(narrow)
        if found is None:
            continue
        plans += 1
        _, rounded = found
        own, true = replay_rounded(narrow, rounded), replay(problem, rounded, LIMIT_TOLERANCE_MW)
        assert own.ok, f"seed {seed}: " + "; ".join(v.message for v in own.violations)
        assert true.ok, f"seed {seed}: " + "; ".join(v.message for v in true.violations)
        assert missed_mwh(problem, rounded.supply_mw) <= 1e-5, f"seed {seed}"
    assert plans >= 30


def test_without_the_reserve_whole_miners_may_miss_a_limit():
    """*Proves:* rounding alone misses limits by more than 10 Wh: the reserve is needed.

    *Sensitivity:* if it never did, the test above would prove nothing.
    """
    missed = plans = 0
    for seed in range(60):
        found = rounded_plan(miner_plant(seed))
        if found is not None:
            plans += 1
            missed += missed_mwh(miner_plant(seed), found[1].supply_mw) > 1e-5
    assert missed >= plans // 10, f"{missed} of {plans}"


TINY = (0.0, 1e-9, 2e-9, 3e-9, 1e-6, 0.001, 0.0123, 60.0)


@pytest.mark.parametrize("taken", [0.0, 1.0, 1.000000001])
@pytest.mark.parametrize("source", [None, "surplus"])
def test_the_true_bounds_come_back_and_stay_in_order(source, taken):
    """Budgets from nothing to plenty: narrowed, they can still be kept; widened again, they are what they were.

    *Proves:* to the last bit, for every budget of 9 decimals; the lower bound never passes the upper one, and the
    narrowed plant can be written and read; what is not narrowed is not touched.
    *Sensitivity:* half of 1e-9 MWh rounded up makes the lower bound pass the upper one.
    """
    k = miner_class("k", 2, 6)
    for most in (None, *(round(1.0 + mwh, 9) for mwh in TINY)):
        for least in (None, *(round(most - mwh, 9) for mwh in TINY if most is not None and mwh <= most), 0.5):
            if least is None and most is None:
                continue
            limit = EnergyLimit("e", source, 0, 6, at_least_mwh=least, at_most_mwh=most, taken_mwh=taken)
            problem = simple_problem(k, ramp=None, initial=None)
            problem = with_site(problem, energy_limits=(limit,))
            narrow, _ = with_reserve(problem, None)
            (found,) = narrow.site.energy_limits
            where = f"{least} to {most}: {found}"
            assert without_reserve(narrow).site.energy_limits == (limit,), where
            assert with_reserve(problem, 0.0)[0].site.energy_limits == (limit,), where
            bounds = [mwh for mwh in (found.at_least_mwh, found.at_most_mwh) if mwh is not None]
            assert bounds == sorted(bounds), where
            assert most is None or most < taken or found.at_most_mwh >= taken, where
            assert problem_from_document(problem_to_document(narrow)).site.energy_limits == (found,)
