"""The second stage: calmer plans for what the gap leaves, and not a dollar more."""

import itertools
import time

import numpy as np
import pytest

from flexmine.errors import Infeasible, NoPlan, Status
from flexmine.problem import History
from flexmine.solving import options as solve_options
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.first_stage import Task
from flexmine.solving.preference import least_money
from plants import random_problem, reference_class, simple_problem

T = 24


def _has_a_plan(seed: int) -> bool:
    try:
        solve(random_problem(seed))
    except Infeasible:
        return False
    return True


FEASIBLE_SEEDS = [seed for seed in range(40) if _has_a_plan(seed)]


def flat(seed: int, noise: float = 0.0):
    """A day near break-even, where plans of equal money abound; prices with a relative noise."""
    rng = np.random.default_rng(seed)
    price = 76.0 + 8.0 * np.sin(np.arange(T) / 3.0)
    noisy = price * (1 + noise * rng.standard_normal(T))
    k = reference_class(count=8, steps=T, history=(History(8, True, 10, 0.52),), warm_cost_usd=0.2, cold_cost_usd=0.4)
    surplus = 1.5 + 1.2 * np.cos(np.arange(T) / 2.0)
    return simple_problem(k, surplus, 10.0, 10.0, noisy, initial=4.24, ramp=4.0)


@pytest.mark.parametrize(("bound", "gap"), [(1000.0, 1e-2), (-1000.0, 1e-2), (0.3, 0.1), (1.0, 0.2), (-0.9, 0.1)])
def test_least_money_has_exactly_the_asked_gap(bound, gap):
    """*Proves:* (bound - money) / max(1, |money|) of the floor is the gap.  *Sensitivity:* bound x (1 - gap) is not."""
    money = least_money(bound, gap)
    assert (bound - money) / max(1.0, abs(money)) == pytest.approx(gap)


@pytest.mark.parametrize("seed", FEASIBLE_SEEDS)
def test_preference_spends_only_what_the_gap_leaves(seed):
    """*Proves:* with the second stage the plan still has the asked gap, and never more starts than without.

    *Sensitivity:* a floor below what the gap leaves shows as status `feasible`.
    """
    problem = random_problem(seed)
    plain = solve(problem, SolveOptions(gap=1e-2))
    calm = solve(problem, SolveOptions(gap=1e-2, preference=True))
    assert calm.status is Status.OPTIMAL
    assert calm.gap <= 1e-2
    assert calm.preference.starts_after <= calm.preference.starts_before
    assert calm.preference.given_up_usd == pytest.approx(plain.money_usd - calm.money_usd, abs=1e-6)


def test_fewer_starts_are_bought_with_the_gap():
    """Near break-even a restart earns cents: with 1 % of gap the calm plan makes fewer starts.

    *Proves:* the second stage moves the plan.  *Sensitivity:* without it both plans have the same starts.
    """
    plain = solve(flat(0), SolveOptions(gap=1e-9))
    calm = solve(flat(0), SolveOptions(gap=1e-2, preference=True))
    assert sum(int(c.start.sum()) for c in calm.classes) < sum(int(c.start.sum()) for c in plain.classes)


def test_small_noise_does_not_flap_the_plan():
    """Prices with 0.2 % of noise, thirty times: with the earlier plan given, the counts stay close to it.

    *Proves:* tomorrow's plan does not jump for cents: starts stay within those of the first plan plus 2, and the
    container-hours that differ are at most those of plans made without the earlier one.
    *Sensitivity:* leaving the earlier plan out raises the sum of differences.
    """
    options = SolveOptions(gap=2e-3, preference=True)
    first = solve(flat(0), options)
    counts = first.classes[0].on.astype(float)
    starts = int(first.classes[0].start.sum())
    near = far = 0.0
    for seed in range(1, 31):
        noisy = flat(seed, noise=0.002)
        with_it = solve(noisy, options, {"s19pro": counts})
        without = solve(noisy, options)
        assert int(with_it.classes[0].start.sum()) <= starts + 2
        near += float(np.abs(with_it.classes[0].on - counts).sum())
        far += float(np.abs(without.classes[0].on - counts).sum())
    assert near <= far
    assert near <= 30 * 2


def test_an_earlier_plan_that_says_nothing_changes_nothing():
    """*Proves:* NaN means "no opinion".  *Sensitivity:* NaN read as 0 pulls the plan towards all off."""
    options = SolveOptions(preference=True)
    silent = {"s19pro": np.full(T, np.nan)}
    assert np.array_equal(solve(flat(0), options, silent).classes[0].on, solve(flat(0), options).classes[0].on)


@pytest.mark.parametrize("kept", ["a", "b"])
def test_closeness_decides_between_plans_of_equal_money(kept):
    """Two alike containers of two classes and a surplus that feeds one of them: the one that ran in the earlier plan.

    *Proves:* among plans of equal money the closest to the earlier one is taken.  *Sensitivity:* a plan that ignores
    it picks the same container both times.
    """
    classes = [reference_class(name, 1, steps=8, prefix=name.upper()) for name in ("a", "b")]
    problem = simple_problem(classes, 0.56, 10.0, None, initial=0.02)
    before = {name: np.full(8, float(name == kept)) for name in ("a", "b")}
    solution = solve(problem, SolveOptions(preference=True), before)
    running = {c.class_data.name: int(c.on.sum()) for c in solution.classes}
    assert running[kept] == 8
    assert sum(running.values()) == 8


def _hurry(monkeypatch) -> None:
    """Let a million seconds pass between any two looks at the clock, from the end of the first search for money on."""
    own, clock = Task.run, itertools.count(0, 1_000_000)

    def run(task):
        found = own(task)
        monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
        return found

    monkeypatch.setattr(Task, "run", run)


@pytest.mark.parametrize("engine", ["rounding", "mip"])
def test_the_clock_has_no_say_in_the_calmest_plan(engine, monkeypatch):
    """*Proves:* on a machine that stands still for days after the money is found, the calmest plan is the same.

    *Sensitivity:* a share of the time limit for the second stage ends it with the plan of the first.
    """
    options = SolveOptions(gap=1e-2, preference=True, engine=engine)
    idle = solve(flat(0), options)
    _hurry(monkeypatch)
    loaded = solve(flat(0), options)
    assert idle.preference == loaded.preference
    assert idle.preference.starts_after < idle.preference.starts_before
    assert np.array_equal(idle.classes[0].on, loaded.classes[0].on)


def test_by_work_no_limit_of_time_ends_a_search():
    """*Proves:* with a limit of a nanosecond the plan is the proven one.  *Sensitivity:* by the clock there is none."""
    short = SolveOptions(gap=1e-4, time_limit_s=1e-9, highs={"time_limit": 1e-9})
    with pytest.raises(NoPlan, match="time was up"):
        solve(flat(0), short)
    assert solve(flat(0), short.by_work()).status is Status.OPTIMAL


@pytest.mark.parametrize("nodes", [0, 200])
def test_a_search_that_ends_by_its_work_says_so(nodes, monkeypatch):
    """*Proves:* where HiGHS's MIP may open no node the outcome is "stopped" and the plan that of the first stage.

    *Sensitivity:* a limit of work that is taken for a failure or for a proof shows here.
    """
    monkeypatch.setattr(solve_options, "MOST_NODES", nodes)
    options = SolveOptions(gap=1e-2, engine="mip")
    calm = solve(flat(0), SolveOptions(gap=1e-2, engine="mip", preference=True))
    assert (calm.preference.outcome == "stopped") == (nodes == 0)
    assert (calm.money_usd == solve(flat(0), options).money_usd) == (nodes == 0)


def test_a_limit_of_nodes_that_leaves_no_plan_is_named():
    """*Proves:* HiGHS's own limit is not told as a time.  *Sensitivity:* "time was up after 60 s" would be untrue."""
    with pytest.raises(NoPlan, match="limit of nodes or iterations, before any plan"):
        solve(flat(0), SolveOptions(gap=0.0, engine="mip", highs={"mip_max_nodes": 0, "presolve": "off"}))
