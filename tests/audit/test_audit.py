"""The replay against numbers worked out by hand, and against a plain walk through the steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit_plants import IT_POWER_MW, ON, schedule_of, two_containers
from flexmine.audit.replay import replay
from flexmine.problem import History
from flexmine.problem.schedule import Schedule
from plants import random_problem


def test_prices_two_containers_by_hand():
    """Every number of the table in audit_plants.

    *Proves:* power, hash, energy, starts and money of a small day.  *Sensitivity:* without standby the energy would
    be 34.10; with both starts cold the money would be 35.10.
    """
    problem = two_containers()
    found = replay(problem, schedule_of(problem))
    assert found.ok, found.violations
    np.testing.assert_allclose(found.site_power_mw, [0.02, 0.56, 1.11, 0.02, 0.835, 0.56], atol=1e-12)
    np.testing.assert_allclose(found.hash_rate_th_s[0], [0, 20_000, 30_000, 0, 25_000, 20_000])
    np.testing.assert_allclose(found.usd["hash_revenue"].sum(), 190.0)
    np.testing.assert_allclose(found.usd["energy_cost"], [0.2, 5.6, 14.95, 0.2, 8.35, 5.6])
    np.testing.assert_allclose(found.usd["start_cost"], [0, 60, 0, 0, 15, 0])
    np.testing.assert_allclose(found.money_by_step_usd, [-0.2, -25.6, 45.05, -0.2, 26.65, 34.4])
    np.testing.assert_allclose(found.surplus_left_mw, [0.98, 0.44, 0.0, 0.98, 0.165, 0.44], atol=1e-12)
    assert found.money_usd == pytest.approx(80.10)
    assert found.cold_start[0].tolist() == [False, True, False, False, False, False]
    assert found.warm_start[0].tolist() == [False, False, False, False, True, False]
    # 2 comparisons of power in 12 container-steps, 3 of counts in 6, 3 changes of state; cap and minimum, 2 sources
    # from both sides and the balance in 6 steps.
    assert found.checks == 24 + 18 + 3 + 12 + 24 + 6


def test_half_hour_steps_and_terminal_value():
    """*Proves:* money by step counts hours, starts do not, terminal counts containers on at the end.

    *Sensitivity:* hash less energy is 155.10 in hours; half of it is 77.55.
    """
    problem = two_containers(step_h=0.5, terminal_on_usd=7.0)
    found = replay(problem, schedule_of(problem))
    assert found.usd["terminal"] == pytest.approx(7.0)
    assert found.money_usd == pytest.approx(155.10 / 2 - 75.0 + 7.0)


@pytest.mark.parametrize(
    ("preheat_steps", "expected_mw"),
    [(0, [0.02, 1.16, 1.11, 0.02, 0.835, 0.56]), (1, [0.62, 0.56, 1.11, 0.02, 0.835, 0.56])],
)
def test_preheat_energy_of_the_cold_start_is_drawn_at_the_meter(preheat_steps, expected_mw):
    """0.3 MWh in a step of half an hour is 0.6 MW, on top of the standby.

    *Proves:* where preheat falls, and that the warm start draws none.  *Sensitivity:* as energy instead of power it
    would add 0.3 MW.
    """
    problem = two_containers(cold_energy_mwh=0.3, preheat_steps=preheat_steps, step_h=0.5)
    found = replay(problem, schedule_of(problem))
    assert found.ok, found.violations
    np.testing.assert_allclose(found.site_power_mw, expected_mw, atol=1e-12)
    assert found.preheat_mw.sum() == pytest.approx(0.6)


def test_preheat_is_spread_evenly_over_the_steps_before():
    """*Proves:* two steps of preheat before a start in step 4 share 0.3 MWh.  *Sensitivity:* each step 0.15 MW."""
    problem = two_containers(cold_energy_mwh=0.3, preheat_steps=2, warm_off_steps=1)
    on = ((0, 0, 0, 0, 1, 1), (0,) * 6)
    found = replay(problem, schedule_of(problem, on, np.array(on) * 0.5))
    assert found.ok, found.violations
    np.testing.assert_allclose(found.preheat_mw[0], [0, 0, 0.15, 0.15, 0, 0])


@pytest.mark.parametrize(
    ("history", "start", "warm"),
    [
        (History(2, on=False, steps=1), 1, True),  # off for 2 steps, warm_off_steps[0] = 2
        (History(2, on=False, steps=1), 2, False),
        (History(2, on=False, steps=9, warm_until_step=2), 2, True),
        (History(2, on=False, steps=9, warm_until_step=2), 3, False),
        (History(2, on=False, steps=1, warm_until_step=-1), 0, False),
    ],
)
def test_warmth_of_a_container_off_before_the_horizon(history, start, warm):
    """*Proves:* `warm_until_step` decides where it is given, else steps + t <= warm_off_steps[0].

    *Sensitivity:* each pair lies on both sides of the edge; the windows of later stops (0) must not matter.
    """
    problem = two_containers(history=(history,), warm_off_steps=[2, 0, 0, 0, 0, 0])
    on = np.zeros((2, 6))
    on[0, start:] = 1
    found = replay(problem, schedule_of(problem, on, on * 0.5))
    assert found.ok, found.violations
    assert found.warm_start[0, start] == warm
    assert found.cold_start[0, start] == (not warm)


def test_the_window_belongs_to_the_step_of_the_stop():
    """Stop at 2, start at 4: off for 2 steps; the window at the stop is 2, at the start 0.

    *Proves:* warm_off_steps is read at the stop.  *Sensitivity:* read at the start, it would cost 60 and not 15.
    """
    problem = two_containers(history=(History(2, on=True, steps=9),), warm_off_steps=[0, 0, 2, 0, 0, 0])
    on = ((1, 1, 0, 0, 1, 1), (1, 1, 1, 1, 1, 1))
    found = replay(problem, schedule_of(problem, on, np.array(on) * 0.5))
    assert found.ok, found.violations
    assert found.usd["start_cost"].tolist() == [0, 0, 0, 0, 15, 0]


def test_no_start_is_paid_by_a_container_that_ran_before():
    """*Proves:* history on pays nothing.  *Sensitivity:* forgetting the history would charge two starts."""
    problem = two_containers(history=(History(2, on=True, steps=1),))
    on = np.ones((2, 6))
    assert replay(problem, schedule_of(problem, on, on * 0.5)).usd["start_cost"].sum() == 0


def test_negative_prices_pay_for_standby():
    """*Proves:* energy cost follows the price's sign.  *Sensitivity:* 0.02 MW x 6 h at -50 USD/MWh earn 6 USD."""
    problem = two_containers()
    cheap = replace(problem.sources[0], price_usd_per_mwh=np.full(6, -50.0))
    problem = replace(problem, sources=(cheap, problem.sources[1]))
    off = np.zeros((2, 6))
    assert replay(problem, schedule_of(problem, off, off)).money_usd == pytest.approx(6.0)


def test_a_wrong_shape_is_an_error_and_no_plan():
    """*Proves:* a schedule of another plant is not replayed.  *Sensitivity:* broadcasting would accept one row."""
    problem = two_containers()
    schedule = schedule_of(problem)
    with pytest.raises(ValueError, match=r"on has shape \(2, 5\), expected \(2, 6\)"):
        replay(problem, replace(schedule, on=schedule.on[:, :5]))
    with pytest.raises(ValueError, match="containers are not those of the problem"):
        replay(problem, replace(schedule, containers=("C02", "C01")))


def test_reserve_widens_cap_and_ramps_only():
    """*Proves:* `reserve_mw` is added to cap, feeder cap and ramps.  *Sensitivity:* supply stays as it is."""
    problem = two_containers(cap=1.107, ramp=0.547, surplus_mw=1.0, firm_mw=0.107)
    schedule = schedule_of(problem)
    assert {v.limit for v in replay(problem, schedule).violations} == {"cap", "ramp_up", "ramp_down", "supply"}
    kept = replay(problem, schedule, reserve_mw=1.0)
    assert {v.limit for v in kept.violations} == {"supply"}


def _walk(problem, name, k, history, on):
    """Follow one container with counters, one step at a time; the audit looks at changes of state instead."""
    running, age = history.on, history.steps
    warm_until = history.warm_until_step
    if warm_until is None:
        warm_until = int(k.start.warm_off_steps[0]) - history.steps
    broken, starts, cost = set(), {}, 0.0
    if problem.site.day_of_step is not None:
        starts[int(problem.site.day_of_step[0])] = history.starts_today
    for t in range(problem.steps):
        if on[t] == running:
            age += 1
            continue
        if running and age < k.min_up_steps:
            broken.add(("minimum_up", name, t))
        if not running and age < k.min_down_steps:
            broken.add(("minimum_down", name, t))
        if on[t]:
            cost += k.start.warm_cost_usd[t] if t <= warm_until else k.start.cold_cost_usd[t]
            if t > warm_until and t < k.preheat_steps:
                broken.add(("preheat", name, t))
            if k.max_starts_per_day is not None:
                day = int(problem.site.day_of_step[t])
                starts[day] = starts.get(day, 0) + 1
                if starts[day] > k.max_starts_per_day:
                    broken.add(("start_limit", name, t))
        else:
            warm_until = t + int(k.start.warm_off_steps[t])
        running, age = bool(on[t]), 1
    return broken, cost


@pytest.mark.parametrize("seed", range(40))
def test_states_agree_with_a_walk_through_the_steps(seed):
    """Random plants of all kinds, random states that mostly break something.

    *Proves:* minimum times, warmth, start costs, starts per day and preheat lead agree with other code.
    *Sensitivity:* an error of one step in any window changes the set on some seed.
    """
    problem = random_problem(seed, ("ages", "several_classes", "warm_until", "window_by_step", "starts_per_day",
                                    "costs_by_step", "preheat"))  # fmt: skip
    rng = np.random.default_rng([seed, 7])
    count = len(problem.containers)
    on = rng.random((count, problem.steps)) < 0.5
    supply = np.zeros((len(problem.sources), problem.steps))
    names = tuple(name for name, _ in problem.containers)
    found = replay(problem, Schedule(names, on, on * 0.5, supply))
    histories = [h for k in problem.classes for h in k.history for _ in range(h.count)]
    broken, cost = set(), 0.0
    for row, (name, k) in enumerate(problem.containers):
        own, usd = _walk(problem, f"container {name}", k, histories[row], on[row])
        broken |= own
        cost += usd
    states = ("minimum_up", "minimum_down", "preheat", "start_limit")
    assert {(v.limit, v.where, v.step) for v in found.violations if v.limit in states} == broken
    assert found.usd["start_cost"].sum() == pytest.approx(cost)


def test_the_schedule_is_not_changed():
    """*Proves:* the audit only reads.  *Sensitivity:* writing into the arrays would change the plan it judges."""
    problem = two_containers()
    schedule = schedule_of(problem)
    replay(problem, schedule)
    assert np.array_equal(schedule.on, np.array(ON, dtype=bool))
    assert np.array_equal(schedule.it_power_mw, np.array(IT_POWER_MW))
