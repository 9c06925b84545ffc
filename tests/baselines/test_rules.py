"""The simple rules on days worked out by hand, against a linear programme, and against the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from flexmine.audit.replay import replay
from flexmine.baselines.dispatch import fill, limits_of, meter_load
from flexmine.baselines.greedy import Charge, walk_with
from flexmine.baselines.rules import simple_rules
from flexmine.errors import Infeasible
from flexmine.problem import Group, History
from flexmine.solving.engine import SolveOptions, solve
from plants import random_features, random_problem, reference_class, simple_problem

STEPS = 3
LATER = frozenset({"container_ramp", "energy", "tiers"})


def boxes(steps=STEPS, count=2, name="box", **overrides):
    """Boxes of 1 to 2 MW: the first MW is worth 100 USD/MWh, the second 50; no standby, starts free, no times."""
    fields = {
        "it_power_mw": (1.0, 2.0), "hash_rate_th_s": (1000.0, 1500.0), "hash_value_usd_per_th_s_h": 0.1,
        "overhead": 1.0, "standby_mw": 0.0, "warm_cost_usd": 0.0, "cold_cost_usd": 0.0,
        "min_up_steps": 1, "min_down_steps": 1,
    }  # fmt: skip
    return reference_class(name, count, steps, prefix=name, **(fields | overrides))


def day(classes=None, **site):
    """1.5 MW of surplus at 20 USD/MWh, 10 MW of grid at 70, cap 10 MW, no ramp, nothing running before."""
    fields = {"surplus_mw": 1.5, "surplus_price": 20.0, "firm_mw": 10.0, "firm_price": 70.0, "cap": 10.0, "ramp": None}
    return simple_problem(boxes() if classes is None else classes, **(fields | site))


def by_name(problem, publish_steps=STEPS):
    return {
        r.name: r
        for r in simple_rules(
            problem,
            publish_steps,
        )
    }


def power(problem, result):
    return replay(problem, result.schedule).site_power_mw


def test_a_day_by_hand():
    """*Proves:* with a cap of 3 MW each step earns 115 (always on), 85 (threshold) and 135 USD (greedy).

    Always on: both at 1.5 MW, 250 - 30 - 105.  Threshold: break-even 75, grid 70, one box of 2 MW fits, 150 - 30 - 35.
    Greedy: both at 1 MW (the second MW is worth 50, grid 70), 200 - 30 - 35.
    *Sensitivity:* greedy without modes would earn 85, always on with unequal shares the same 250 but other setpoints.
    """
    rules = by_name(day(cap=3.0), publish_steps=2)
    money = {name: (r.money_usd, r.published_money_usd) for name, r in rules.items()}
    assert money == {
        "always on": pytest.approx((345.0, 230.0)),
        "threshold": pytest.approx((255.0, 170.0)),
        "greedy": pytest.approx((405.0, 270.0)),
    }
    assert rules["always on"].schedule.it_power_mw == pytest.approx(np.full((2, STEPS), 1.5))


@pytest.mark.parametrize(("firm_price", "surplus_mw", "running"), [(75.0, 1.5, 2), (75.1, 1.5, 0), (75.1, 2.0, 1)])
def test_threshold_looks_at_the_marginal_source(firm_price, surplus_mw, running):
    """*Proves:* at full power the price of the last MW decides: 75 USD/MWh still runs, 75.1 does not, surplus does.

    *Sensitivity:* the average price of two boxes on (1.5 x 20 + 2.5 x 75.1) / 4 = 54 would run them.
    """
    result = by_name(day(firm_price=firm_price, surplus_mw=surplus_mw))["threshold"]
    assert result.schedule.on.sum(axis=0).tolist() == [running] * STEPS
    assert power(day(), result).tolist() == [2.0 * running] * STEPS


def test_threshold_keeps_minimum_up_time():
    """*Proves:* boxes started two steps ago with a minimum of four stay on for two dear steps, at full power.

    *Sensitivity:* without ages they would be off from step 0, and the audit would refuse it.
    """
    k = boxes(min_up_steps=4, history=(History(2, True, 2),))
    result = by_name(day(k, firm_price=90.0))["threshold"]
    assert result.violations == ()
    assert result.schedule.on.sum(axis=0).tolist() == [2, 2, 0]


@pytest.mark.parametrize(("cost", "money", "running"), [(60.0, 285.0, [2, 2, 2]), (96.0, 213.0, [2, 2, 2])])
def test_greedy_takes_the_best_of_its_charges(cost, money, running):
    """*Proves:* uncharged, two boxes start at once for 60 or 96 USD each and earn 135 a step: 405 less both starts.

    Charged in full, at 60 USD one starts (95 - 60; the second adds 40) for 35 + 95 + 95 = 225, at 96 none, for 0.
    *Sensitivity:* the pair (1, 0) alone leaves 60 or 213 USD, which would flatter the plan.
    """
    k = boxes(warm_cost_usd=cost, cold_cost_usd=cost)
    result = by_name(day(k))["greedy"]
    assert result.money_usd == pytest.approx(money)
    assert result.schedule.on.sum(axis=0).tolist() == running
    charged = replay(day(k), walk_with(day(k), Charge(1.0, 0.0)))
    assert charged.money_usd == pytest.approx(225.0 if cost < 95 else 0.0)


def test_greedy_shares_a_start_cost_among_the_steps_it_binds():
    """*Proves:* 96 USD over a minimum of three steps is 32 a step: both boxes start, 3 x 135 - 192 = 213 USD.

    *Sensitivity:* charged at once nothing starts and greedy is shown with 0 USD, which flatters the plan.
    """
    k = boxes(warm_cost_usd=96.0, cold_cost_usd=96.0, min_up_steps=3)
    assert by_name(day(k))["greedy"].money_usd == pytest.approx(213.0)


def test_reach_of_the_next_cap():
    """*Proves:* before a cap of 1 MW in step 2, with 1 MW of ramp, always on draws 3, 2, 1 MW; all rules keep it.

    *Sensitivity:* a rule that looks at its own step alone draws 4 MW in step 0 and breaks ramp or cap.
    """
    problem = day(boxes(history=(History(2, True, 9),)), cap=[10.0, 10.0, 1.0], ramp=1.0, initial=4.0)
    rules = by_name(problem)
    assert power(problem, rules["always on"]) == pytest.approx([3.0, 2.0, 1.0])
    assert [r.violations for r in rules.values()] == [(), (), ()]


@pytest.mark.parametrize(("closed", "first"), [(2, 3), (3, 0)])
def test_no_start_into_a_closed_window(closed, first):
    """*Proves:* with a minimum up time of 3, step 2 closed forbids starts until 3; step 3 closed allows one at 0.

    *Sensitivity:* a start at 0 into a window closed at 2 would break minimum up time or availability.
    """
    k = boxes(6, min_up_steps=3, available=np.where(np.arange(6) == closed, 0, 2))
    for result in by_name(day(k)).values():
        assert result.violations == ()
        on = result.schedule.on.any(axis=0)
        assert int(np.argmax(on)) == first
        assert not on[closed]


def test_what_cannot_be_kept_is_told():
    """*Proves:* two bound boxes draw at least 2 MW; under a cap of 1.5 MW each rule names the cap, and has no money.

    *Sensitivity:* a rule that repaired it would show money for a plan that cannot exist.
    """
    problem = day(boxes(min_up_steps=3, history=(History(2, True, 1),)), cap=[10.0, 1.5, 10.0])
    for result in simple_rules(problem, STEPS):
        assert result.money_usd is None
        assert result.published_money_usd is None
        assert any("cap" in text and "0.500000 MW above" in text for text in result.violations)


def test_warm_ones_start_first():
    """*Proves:* the box that stopped a step ago starts for 10 USD; the one that is cold costs 200 and stays off.

    Both at 1 MW would earn 135 instead of 95 a step, 120 over three.
    *Sensitivity:* in the listed order the cold one would start, for 3 x 95 - 200 instead of 3 x 95 - 10.
    """
    k = boxes(warm_cost_usd=10.0, cold_cost_usd=200.0, history=(History(1, False, 20), History(1, False, 1)))
    result = by_name(day(k, firm_mw=0.5))["greedy"]
    assert result.schedule.on.tolist() == [[False] * STEPS, [True] * STEPS]
    assert result.money_usd == pytest.approx(3 * 95 - 10)


@pytest.mark.parametrize(("first_step_mw", "running"), [(0.5, [0, 1, 1]), (0.4, [0, 0, 1])])
def test_preheat_in_the_step_before_needs_power_there(first_step_mw, running):
    """*Proves:* 0.5 MWh of preheat a step before the start fits into 0.5 MW of supply, and not into 0.4 MW.

    *Sensitivity:* without the preheat the box would start in step 0; charged nowhere, money would miss its 10 USD.
    """
    k = boxes(count=1, cold_energy_mwh=0.5, preheat_steps=1, warm_off_steps=1)
    result = by_name(day(k, surplus_mw=[first_step_mw, 2.0, 2.0], firm_mw=None))["greedy"]
    assert result.violations == ()
    assert result.schedule.on.sum(axis=0).tolist() == running
    assert result.money_usd == pytest.approx(sum(running) * (150 - 40) - 0.5 * 20)


def test_feeder_shares_and_site_share():
    """*Proves:* two boxes behind a feeder of 2.4 MW run at 1.2 MW, the one without a feeder takes the rest, 2 MW.

    *Sensitivity:* one level for all would leave the third box at 1.2 MW, or break the feeder.
    """
    classes = [boxes(), boxes(name="free", count=1)]
    result = by_name(day(classes, feeders=(Group("f1", 2.4, ("box",)),)))["always on"]
    assert result.violations == ()
    assert result.schedule.it_power_mw[:, 0] == pytest.approx([1.2, 1.2, 2.0])


@pytest.mark.parametrize("seed", range(12))
def test_merit_order_equals_a_linear_programme(seed):
    """*Proves:* the power of a step for given counts is the optimum of the LP, feeders, floor and ceiling included.

    *Sensitivity:* a merit order that forgets the feeder's cap, or fills the floor in the wrong order, earns less.
    """
    problem = random_problem(
        seed, ["several_classes", "feeders", "negative_price", "overhead_by_step", "falling_curve"]
    )
    limits, rng = limits_of(problem), np.random.default_rng(seed)
    K = len(problem.classes)
    for t in range(problem.steps):
        counts = np.array([[rng.integers(0, k.count + 1) for k in problem.classes]], dtype=float)
        lowest = problem.site.base_load_mw[t] + sum(
            k.overhead[t] * n * k.lowest_it_power_mw[t] + (k.count - n) * k.standby_mw[t]
            for k, n in zip(problem.classes, counts[0], strict=True)
        )
        ceiling, floor = limits.ceiling_mw[t], min(limits.ceiling_mw[t], lowest * rng.uniform(0.8, 1.3))
        load = meter_load(limits, t, counts, counts * limits.low_mw[:, t], np.zeros(K))
        room = counts[:, limits.piece_class[t]] * limits.piece_mw[t]
        sides = {"floor_mw": np.array([floor]), "ceiling_mw": np.array([ceiling])}
        added, total, excess = fill(limits, t, limits.offers[t], load, room, **sides)
        hash_usd = counts @ (limits.hash_value[:, t] * limits.low_hash_th_s[:, t]) + added @ limits.piece_usd_per_mwh[t]
        money = limits.step_h * (hash_usd - limits.offers[t].cost_usd_per_h(total))
        best = _linear_programme(problem, t, counts[0], floor, ceiling)
        if best is None:
            assert excess[0] > 0
        else:
            assert excess[0] == pytest.approx(0.0, abs=1e-9)
            assert money[0] == pytest.approx(best, abs=1e-6)


def _linear_programme(problem, t, counts, floor_mw, ceiling_mw):
    """Return the most money of a step for given counts, or None: columns are pieces of curves, then sources."""
    cost, upper, facility, money, fixed = [], [], [], 0.0, problem.site.base_load_mw[t]
    owner = []
    for k, n in zip(problem.classes, counts, strict=True):
        value, a = k.hash_value_usd_per_th_s_h[t], k.overhead[t]
        money += n * value * k.hash_rate_th_s[0]
        fixed += a * n * k.it_power_mw[0] + (k.count - n) * k.standby_mw[t]
        for width, gain in zip(np.diff(k.it_power_mw), np.diff(k.hash_rate_th_s), strict=True):
            cost.append(-value * gain / width)
            upper.append(n * width)
            facility.append(a)
            owner.append(k.name)
    sources = [(s.price_usd_per_mwh[t], s.available_mw[t]) for s in problem.sources]
    pieces = np.array(facility + [0.0] * len(sources))
    rows, limits = [pieces, -pieces], [ceiling_mw - fixed, fixed - floor_mw]
    for f in problem.site.groups:
        on_it = [(k, n) for k, n in zip(problem.classes, counts, strict=True) if k.name in f.classes]
        load = sum(k.overhead[t] * n * k.it_power_mw[0] + (k.count - n) * k.standby_mw[t] for k, n in on_it)
        rows.append(pieces * np.array([name in f.classes for name in owner] + [False] * len(sources)))
        limits.append(f.cap_mw - load)
    balance = np.array(facility + [-1.0] * len(sources))
    answer = linprog(
        cost + [price for price, _ in sources], np.array(rows), limits, balance[None, :], [-fixed],
        [(0, u) for u in upper] + [(0, available) for _, available in sources],
    )  # fmt: skip
    return problem.time.step_h * (money - answer.fun) if answer.status == 0 else None


@pytest.mark.parametrize("seed", range(8))
def test_greedy_is_the_optimum_of_a_single_step(seed):
    """*Proves:* where there is one step, and one class, greedy is the optimum: it enumerates all counts exactly.

    *Sensitivity:* a wrong start cost, standby or source price in the decision shows as money left on the table.
    """
    rng = np.random.default_rng(seed)
    k = reference_class(
        steps=1, history=(History(5, True, 9), History(4, False, 3), History(5, False, 30)),
        hash_value_usd_per_th_s_h=rng.uniform(0.0008, 0.003), cold_energy_mwh=rng.uniform(0, 0.3), standby_mw=0.02,
    )  # fmt: skip
    problem = simple_problem(k, rng.uniform(1, 8), rng.uniform(-30, 30), 10.0, rng.uniform(20, 80), initial=4.0)
    best = solve(problem, SolveOptions(gap=1e-9)).money_usd
    assert by_name(problem)["greedy"].money_usd == pytest.approx(best, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_no_rule_beats_the_optimum(seed):
    """*Proves:* on small plants with every feature a rule is either audited and at most the optimum, or not feasible.

    *Sensitivity:* a rule priced wrongly, or a limit that the audit overlooks, shows as more money than can be had.
    """
    problem = random_problem(seed, random_features(seed) | (LATER if seed >= 40 else frozenset()))
    rules = simple_rules(problem, problem.steps)
    try:
        bound = solve(problem, SolveOptions(gap=1e-7)).bound_usd
    except Infeasible:
        assert all(r.money_usd is None and r.violations for r in rules)
        return
    for result in rules:
        assert (result.money_usd is None) == bool(result.violations)
        assert result.money_usd is None or result.money_usd <= bound + 1e-6 * max(1.0, abs(bound))


def test_the_reference_fleet_over_two_days():
    """*Proves:* on 14 containers and 48 h all rules are feasible, and greedy is strong: within 5 % of the optimum.

    *Sensitivity:* greedy with start costs charged at once only earns 29 % less than the optimum here.
    """
    problem = simple_problem(
        reference_class(steps=48),
        surplus_mw=np.tile([8, 8, 2, 2, 6, 9], 8),
        firm_price=np.tile([45, 80, 30, 90, 45, 60], 8),
    )
    best = solve(problem).money_usd
    rules = by_name(problem)
    assert all(r.violations == () for r in rules.values())
    assert 0.95 * best < rules["greedy"].money_usd <= best + 1e-6 * best
    assert rules["threshold"].money_usd < rules["always on"].money_usd < rules["greedy"].money_usd
