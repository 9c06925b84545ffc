"""Starts per container and local day on counts: layers by the starts used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pe

from flexmine.milp import model
from flexmine.milp.class_data import class_data_of
from flexmine.problem import Problem
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
    with_starts_counted,
    wrong_in,
)


def plant(rng, count: int = 3, steps: int = 14, **overrides) -> Problem:
    """Return a plant with one or two starts a day, some of them made before step 0, midnight anywhere."""
    k = spiky_class(rng, count, steps, **overrides)
    past = tuple(replace(h, starts_today=int(rng.integers(0, 2))) for h in k.history)
    problem = spiky_site(rng, replace(k, history=past))
    return with_starts_counted(problem, int(rng.integers(1, 3)), int(rng.integers(4, steps)))


def summed(problem: Problem) -> pe.ConcreteModel:
    """The shortcut: all containers together may start as often as each of them may, times their number."""
    free = tuple(replace(k, max_starts_per_day=None) for k in problem.classes)
    m, days = model.build_model(replace(problem, classes=free)), problem.site.day_of_step
    limits = {}
    for k in problem.classes:
        for d in set(days.tolist()):
            before = sum(h.count * h.starts_today for h in k.history) if d == days[0] else 0
            limits[k.name, d] = k.max_starts_per_day * k.count - before

    def rule(m, k, d):
        return sum(m.y[k, t] for t in m.T if days[t] == d) <= limits[k, d]

    m.summed_limit = pe.Constraint(list(limits), rule=rule)
    return m


def test_layers_are_exact_and_the_sum_is_not():
    """One or two starts a day for each of three containers, over midnight.

    *Proves:* layers earn what single containers earn, starts of before step 0 and a day that ends at any step included.
    *Sensitivity:* the limit summed over the containers earns too much in some of the plants.
    """
    samples = truths(by_seed(400, plant, ALL))
    assert_exact_on_counts(samples)
    assert wrong_in(samples, summed) >= max(2, len(samples) // 20)


@sampled
def test_layers_with_preheat_and_windows_by_step(how_many):
    """Cold starts that draw energy, preheated in the step before, and windows that shrink and grow from stop to stop.

    *Proves:* layers keep warm and cold apart by each container's own stop.
    *Sensitivity:* a warm pool that forgets the layer, or midnight, starts the wrong container warm.
    """

    def make(rng):
        more = {"warm_off_steps": rng.integers(1, 6, 14), "cold_energy_mwh": 0.15, "min_down_steps": 2}
        return plant(rng, preheat_steps=int(rng.integers(0, 2)), **more)

    assert_exact_on_counts(truths(by_seed(500, make, how_many)))


def test_layers_of_several_classes_on_a_feeder_with_counted_availability():
    """What has no per-container twin: at most so many of a class at once; layers against the split into classes of one.

    *Proves:* availability and must-run are rows over all layers of a class.
    *Sensitivity:* a row for each layer would forbid or allow more.
    """
    for seed in range(600, 606):
        rng = np.random.default_rng(seed)
        available = np.where(rng.random(14) < 0.3, rng.integers(0, 4, 14), 3)
        problem = plant(rng, available=available)
        layered = audited_money(problem)
        single = {k.name: k for k in class_data_of(problem, layered=False)}
        with_split = money_of_model(model.build_model(problem, classes=single))
        assert same(layered, with_split), f"seed {seed}: layers {layered}, split {with_split}"


def test_a_limit_that_cannot_bind_costs_nothing():
    """*Proves:* where the minimum times allow no more starts than the limit, there are no layers and no rows for it.

    *Sensitivity:* counting one start too few, the layers would be left out where they bind: the plants above differ.
    """
    rng = np.random.default_rng(7)
    k = spiky_class(rng, 3, 16, min_up_steps=3, min_down_steps=2)
    for most, layered in ((3, True), (4, False)):
        # In 16 steps of one day, starts five steps apart: 0, 5, 10, 15.
        problem = with_starts_counted(spiky_site(rng, k), most, 16)
        own = class_data_of(problem)[0]
        assert own.layered is layered
        assert own.starts_left is None


@sampled
def test_a_limit_of_a_million_starts_is_as_near_as_what_is_left_of_it(how_many):
    """A million starts a day are allowed, and before step 0 containers have made all of them, or all but one.

    *Proves:* what single containers earn, with no more layers than starts that fit into a day.
    *Sensitivity:* without the starts of before step 0 one plant in five, at least, earns something else.
    """
    million = 1_000_000

    def make(rng):
        problem = plant(rng)
        limit = {"max_starts_per_day": million}
        classes = []
        for k in problem.classes:
            past = (replace(h, starts_today=million - 1 + h.starts_today) for h in k.history)
            classes.append(replace(k, **limit, history=tuple(past)))
        return replace(problem, classes=tuple(classes))

    samples = truths(by_seed(440, make, how_many))
    assert_exact_on_counts(samples)
    class_data = [k for _, problem, _ in samples for k in class_data_of(problem)]
    assert any(k.layered for k in class_data)
    assert max(len(k.layers) for k in class_data) <= 8
    forgotten = 0
    for _, problem, truth in samples:
        free = tuple(replace(k, history=tuple(replace(h, starts_today=0) for h in k.history)) for k in problem.classes)
        forgotten += not same(audited_money(replace(problem, classes=free)), truth)
    assert forgotten >= len(samples) // 5
