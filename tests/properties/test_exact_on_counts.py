"""Each feature on counts against a class for every container, and the shortcut that is wrong, shown to be wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pe
import pytest

from flexmine.milp import variables
from flexmine.milp.class_data import ClassData
from flexmine.milp.model import build_model
from flexmine.problem import ContainerClass, Group, History, Problem
from oracle import oracle
from plants import random_problem, round_class, round_problem
from spiky import (
    ALL,
    assert_exact_on_counts,
    audited_money,
    by_seed,
    money_of_model,
    same,
    sampled,
    spiky_class,
    spiky_site,
    truths,
    wrong_in,
)

STEPS = 12


def plant(rng, **overrides) -> Problem:
    return spiky_site(rng, spiky_class(rng, 3, STEPS, **overrides))


# ---------------------------------------------------------------------------------------------- ages


def one_age(problem: Problem) -> pe.ConcreteModel:
    """The shortcut: all that run, and all that do not, are as old as the oldest of them."""

    def pooled(k: ContainerClass) -> tuple[History, ...]:
        oldest = {on: max((h.steps for h in k.history if h.on is on), default=0) for on in (True, False)}
        return tuple(replace(h, steps=oldest[h.on]) for h in k.history)

    return build_model(replace(problem, classes=tuple(replace(k, history=pooled(k)) for k in problem.classes)))


@sampled
def test_ages(how_many):
    """Containers of one class that have been on or off for one to seven steps.

    *Proves:* ages are columns with equal bounds, and counts stay exact.
    *Sensitivity:* one age for all frees containers too early: wrong in at least a tenth of the plants.
    """
    samples = truths(by_seed(1100, lambda rng: plant(rng, min_up_steps=3, min_down_steps=3), how_many))
    assert_exact_on_counts(samples)
    assert wrong_in(samples, one_age) >= max(2, len(samples) // 20)


# ----------------------------------------------------------------------------------- availability, outage


def by_available(problem: Problem) -> pe.ConcreteModel:
    """The shortcut: minimum down time counted against the number available."""
    m = build_model(problem)
    m.minimum_down_time.deactivate()
    (k,) = problem.classes

    def rule(m, t):
        stopped = sum(m.z[k.name, t - i] for i in range(k.min_down_steps))
        return stopped <= int(k.runnable[t]) - m.n[k.name, t]

    m.by_available = pe.Constraint(m.T, rule=rule)
    return m


@sampled
def test_counted_availability(how_many):
    """At most so many at once, whichever: it has no per-container twin, so that enumeration is the truth.

    *Proves:* a row on n is exact, and minimum down time keeps the full count.
    *Sensitivity:* with the number available in its place, a container that stops because it goes out is counted twice.
    """
    plants = [random_problem(seed, {"available", "ages", "restless"}) for seed in range(1200, 1200 + how_many)]
    single = [(p, oracle(p)) for p in plants if len(p.classes) == 1]
    for problem, truth in single:
        assert same(audited_money(problem), truth)
    assert len(single) >= len(plants) // 2
    assert sum(not same(money_of_model(by_available(problem)), truth) for problem, truth in single) >= 2


def with_outage(problem: Problem, out: np.ndarray) -> Problem:
    """Return the plant with the first container split off, which is out in some steps."""
    (k,) = problem.classes
    ages = [replace(h, count=1) for h in k.history for _ in range(h.count)]
    one = np.ones(problem.steps, dtype=np.int64)
    first = replace(
        k, name="box/out", count=1, containers=k.containers[:1], history=(ages[0],), available=np.where(out, 0, one)
    )
    rest = replace(
        k,
        count=k.count - 1,
        containers=k.containers[1:],
        history=tuple(ages[1:]),
        available=one * (k.count - 1),
    )
    return replace(problem, classes=(first, rest))


def pooled_outage(problem: Problem) -> pe.ConcreteModel:
    """The shortcut: one fewer may run, whichever it is."""
    first, rest = problem.classes
    k = replace(
        rest,
        count=rest.count + 1,
        containers=(*first.containers, *rest.containers),
        history=(*first.history, *rest.history),
        available=first.available + rest.available,
    )
    return build_model(replace(problem, classes=(k,)))


@sampled
def test_outage_of_a_named_container(how_many):
    """One container is out for two to six steps.

    *Proves:* a class of its own is exact.
    *Sensitivity:* N - 1 available lets the container that is out change from step to step: wrong in some plants.
    """

    def make(rng):
        begin, steps = int(rng.integers(2, 9)), int(rng.integers(2, 7))
        out = (np.arange(STEPS) >= begin) & (np.arange(STEPS) < begin + steps)
        k = spiky_class(rng, 3, STEPS, min_up_steps=1, min_down_steps=2)
        return with_outage(spiky_site(rng, k), out)

    samples = truths(by_seed(1300, make, how_many))
    assert_exact_on_counts(samples)
    assert wrong_in(samples, pooled_outage) >= 1


def test_outage_by_hand():
    """C01 is off before and out from step 2 on, C02 runs; supply for one, none in step 4, minimum down time 2.

    C02 runs in 0 to 3, stops in 4 and is back in 6: 6 x 80 - 10 = 470.  "One of two may run" lets C01 start in 5:
    7 x 80 - 20 for a cold start = 540.

    *Proves:* which container is out matters where minimum times bind.
    *Sensitivity:* pooled, the plant earns 540.
    """
    past = (History(1, False, 10), History(1, True, 10))
    k = round_class(2, steps=8, min_down_steps=2, history=past, cold_cost_usd=20.0)
    site = round_problem(k, 20, mw=[1, 1, 1, 1, 0, 1, 1, 1])
    problem = with_outage(site, np.arange(8) >= 2)
    assert audited_money(problem) == pytest.approx(470.0)
    assert oracle(problem) == pytest.approx(470.0)
    assert money_of_model(pooled_outage(problem)) == pytest.approx(540.0)


# ------------------------------------------------------------------------------------------- kinds of starts


def window_on_counts(problem: Problem) -> pe.ConcreteModel:
    """The shortcut: starts of a kind are at most the stops in its window, so that one stop may serve twice."""
    m = build_model(problem)
    for name in ("warm_pool", "warm_pool_fresh", "warm_arc_stop", "warm_arc_start", "tier_arc_start", "cold_pool"):
        m.component(name).deactivate()
    (k,) = problem.classes
    windows = [k.start.warm_off_steps, *(tier.off_steps for tier in k.start.tiers)]
    before = [h for h in k.history if not h.on]

    def rule(m, g, t):
        kinds = [m.w[k.name, t], *(m.u[k.name, i, t] for i in range(g))]
        stops = [m.z[k.name, i] for i in range(t) if k.min_down_steps <= t - i <= windows[g][i]]
        known = sum(h.count for h in before if k.min_down_steps <= h.steps + t <= windows[g][0])
        return sum(kinds) <= sum(stops) + known

    m.window_on_counts = pe.Constraint(range(len(windows)), m.T, rule=rule)
    return m


@sampled
def test_warm_pool(how_many):
    """Two start prices, windows in order.

    *Proves:* the perishable pool is exact.
    *Sensitivity:* the window on counts uses a stop twice: wrong in at least a quarter of the plants.
    """
    samples = truths(by_seed(1400, lambda rng: plant(rng, min_up_steps=1, min_down_steps=1), how_many))
    assert_exact_on_counts(samples)
    assert wrong_in(samples, window_on_counts) >= len(samples) // 4


def pool_forced(monkeypatch) -> None:
    monkeypatch.setattr(ClassData, "needs_arcs", property(lambda k: False))


@sampled
def test_windows_out_of_order(monkeypatch, how_many):
    """A stop may stay warm longer than a later one.

    *Proves:* arcs are exact there.
    *Sensitivity:* the pool, which forgets which stop is which, is wrong in some plants.
    """

    def make(rng):
        windows, costs = rng.choice([1, 3, 8], 14), {"warm_cost_usd": 1.0, "cold_cost_usd": 40.0}
        return spiky_site(
            rng, spiky_class(rng, 3, 14, min_up_steps=1, min_down_steps=1, warm_off_steps=windows, **costs)
        )

    samples = truths(by_seed(1500, make, how_many))
    assert_exact_on_counts(samples)
    pool_forced(monkeypatch)
    assert wrong_in(samples) >= 2


@sampled
def test_cold_starts_that_pay(monkeypatch, how_many):
    """Power is given away for money in some steps, and a cold start draws much of it: cold would pay.

    *Proves:* warm or cold stays a fact of the container.
    *Sensitivity:* the pool may let what is warm grow cold at will: wrong in at least a tenth of the plants.
    """

    def make(rng):
        problem = plant(rng, cold_energy_mwh=1.5, cold_cost_usd=20.0, min_down_steps=1, min_up_steps=1)
        paid = np.where(rng.random(STEPS) < 0.4, -60.0, 20.0)
        more = tuple(replace(s, price_usd_per_mwh=paid, available_mw=s.available_mw + 1.5) for s in problem.sources)
        return replace(problem, sources=more)

    samples = truths(by_seed(1600, make, how_many))
    assert_exact_on_counts(samples)
    pool_forced(monkeypatch)
    assert wrong_in(samples) >= len(samples) // 10


@sampled
def test_four_start_prices(how_many):
    """Warm up to two steps off, then 25 USD, then 40 USD, then cold at 60 USD.

    *Proves:* tiers are exact on arcs.
    *Sensitivity:* the windows on counts are wrong in at least a quarter of the plants.
    """

    def make(rng):
        tiers = ((4, 25.0, 0.0), (7, 40.0, 0.0))
        return plant(rng, min_up_steps=1, min_down_steps=1, warm_off_steps=2, warm_cost_usd=5.0, tiers=tiers)

    samples = truths(by_seed(1700, make, how_many))
    assert_exact_on_counts(samples)
    assert wrong_in(samples, window_on_counts) >= len(samples) // 4


def test_preheat_before_the_start(monkeypatch):
    """Cold starts are preheated in the one or two steps before them, under a cap that binds.

    *Proves:* preheat ahead of the start is exact on counts.
    *Sensitivity:* with starts and stops as fractions the preheat is spread thinly, and some plants earn too much.
    """

    def make(rng):
        ahead = int(rng.integers(1, 3))
        problem = plant(rng, cold_energy_mwh=0.6, preheat_steps=ahead, warm_off_steps=2, min_down_steps=2)
        return replace(problem, site=replace(problem.site, cap_mw=problem.site.cap_mw * 0.4))

    samples = truths(by_seed(1800, make, ALL))
    assert_exact_on_counts(samples)
    honest = variables.commitment_variables

    def continuous(m, classes):
        honest(m, classes)
        for component in (m.y, m.z, m.w, m.c):
            component.domain = pe.NonNegativeReals

    monkeypatch.setattr(variables, "commitment_variables", continuous)
    assert wrong_in(samples, arcs_relaxed) >= 1


def arcs_relaxed(problem: Problem) -> pe.ConcreteModel:
    m = build_model(problem)
    m.r.domain = pe.NonNegativeReals
    return m


# ------------------------------------------------------------------------------------------------ feeders


def one_feeder(problem: Problem) -> pe.ConcreteModel:
    """The shortcut: both feeders as one, with the sum of their caps."""
    cap = sum(f.cap_mw for f in problem.site.groups)
    both = Group("both", cap, tuple(k.name for k in problem.classes))
    return build_model(replace(problem, site=replace(problem.site, groups=(both,))))


@sampled
def test_feeders(how_many):
    """Two classes of two on a feeder each.

    *Proves:* a feeder is a row over its classes; a class of its own for what hangs on another one is exact.
    *Sensitivity:* one feeder for both lets one class use the other's cap: wrong in most plants.
    """

    def make(rng):
        classes = [spiky_class(rng, 2, 12, name=name) for name in ("a", "b")]
        return spiky_site(
            rng, *classes, feeders=(Group("f0", 1.2, ("a",)), Group("f1", float(rng.uniform(0.6, 2.6)), ("b",)))
        )

    samples = truths(by_seed(1900, make, how_many))
    assert_exact_on_counts(samples)
    assert wrong_in(samples, one_feeder) >= len(samples) // 4
