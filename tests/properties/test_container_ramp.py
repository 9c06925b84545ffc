"""Container ramps on counts: exact where the ramp is at least the range, container by container where it is slower."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pe
import pytest

from flexmine.milp import class_data, container_ramp, variables
from flexmine.problem import ContainerClass, Problem
from plants import random_problem
from properties.test_oracle_itself import brute_force, first_steps
from samples import chunks
from spiky import (
    assert_exact_on_counts,
    audited_money,
    by_seed,
    same,
    sampled,
    spiky_class,
    spiky_site,
    truths,
    wrong_in,
)

RANGE_MW = 0.78


def plant(rng, ramp_mw: float, **overrides) -> Problem:
    return spiky_site(rng, spiky_class(rng, 3, 12, container_ramp_mw_per_step=ramp_mw, **overrides))


def summed_rows(m, classes):
    """The shortcut: the ramp of one container, added up over those that run."""

    def power(m, k, t):
        return float(classes[k].P0[t]) * m.n[k, t] + sum(m.q[k, s, t] for s in range(len(classes[k].w)))

    def up(m, k, t):
        c = classes[k]
        return power(m, k, t) - power(m, k, t - 1) <= c.ramp * m.n[k, t - 1] + float(c.P0[t]) * m.y[k, t]

    def down(m, k, t):
        c = classes[k]
        return power(m, k, t - 1) - power(m, k, t) <= c.ramp * m.n[k, t] + float(c.P0[t - 1]) * m.z[k, t]

    steps = [(k, t) for k in m.K for t in m.T if t > 0]
    m.summed_up, m.summed_down = pe.Constraint(steps, rule=up), pe.Constraint(steps, rule=down)


@sampled
def test_fast_ramp_is_exact_and_its_sum_is_not(monkeypatch, how_many):
    """A ramp of exactly the range: containers start and stop at their lowest power, and are free in between.

    *Proves:* counts earn what single containers earn, for minimum up times of 1, 2 and 3 steps.
    *Sensitivity:* the ramp rows summed over the containers differ in more than a quarter of the plants, because a
    running container then lends its room to one that starts.
    """
    samples = truths(by_seed(100, lambda rng: plant(rng, RANGE_MW), how_many))
    assert_exact_on_counts(samples)
    monkeypatch.setattr(container_ramp, "container_ramps", summed_rows)
    assert wrong_in(samples) >= len(samples) // 4


@sampled
def test_start_and_stop_counts_have_to_be_whole(monkeypatch, how_many):
    """With starts and stops as fractions a start is spread thinly over the others.

    *Proves:* y, z, w and c are integer variables for a reason as soon as a start touches the power.
    *Sensitivity:* as continuous variables they earn too much in at least one plant.
    """
    samples = truths(by_seed(200, lambda rng: plant(rng, RANGE_MW, min_up_steps=2), how_many))
    assert_exact_on_counts(samples)
    honest = variables.commitment_variables

    def continuous(m, classes):
        honest(m, classes)
        for component in (m.y, m.z, m.w, m.c):
            component.domain = pe.NonNegativeReals

    monkeypatch.setattr(variables, "commitment_variables", continuous)
    assert wrong_in(samples) >= 1


@sampled
def test_slow_ramp_is_planned_container_by_container(monkeypatch, how_many):
    """A ramp of a third, or of two thirds, of the range.

    *Proves:* a class whose ramp is slower than its range earns what single containers earn.
    *Sensitivity:* on counts, with the rows of a fast ramp and the summed ones together, it earns too much.
    """
    samples = truths(by_seed(300, lambda rng: plant(rng, float(rng.choice([0.26, 0.5]))), how_many))
    assert_exact_on_counts(samples)

    def both(m, classes):
        container_ramp.start_and_stop_power(m, classes)
        summed_rows(m, classes)

    monkeypatch.setattr(class_data.ContainerClass, "ramps_slowly", property(lambda k: False))
    monkeypatch.setattr(container_ramp, "container_ramps", both)
    assert wrong_in(samples) >= len(samples) // 4


def test_what_is_slow():
    """*Proves:* slow or fast is judged between neighbouring steps, derating, cold and the power before included.

    *Sensitivity:* judged by the curve alone, the derated class would be slow and the one with a cold minimum fast.
    """

    def slow(**overrides) -> bool:
        k: ContainerClass = spiky_class(np.random.default_rng(1), 2, 4, **overrides)
        return bool(k.ramps_slowly)

    assert not slow(container_ramp_mw_per_step=0.78)
    assert slow(container_ramp_mw_per_step=0.77)
    assert not slow(container_ramp_mw_per_step=0.4, max_it_power_mw=0.9)
    assert slow(container_ramp_mw_per_step=0.8, it_power_mw=(0.5, 1.2, 1.4, 1.5), hash_rate_th_s=(1, 2, 2.1, 2.1))
    assert not slow()


@pytest.mark.parametrize("first", chunks(range(2000, 2060, 20), normal=(2000,)))
def test_slow_ramps_against_one_lp_for_each_plan(first):
    """Two containers and four steps: every on/off plan, the power of each by an LP that shares nothing with the model.

    *Proves:* slow and fast ramps, the power before step 0, derating and a cold minimum, against another judge.
    *Sensitivity:* without the ramp between the steps, or with it into step 0 forgotten, some plants earn more.
    """
    compared, binding = 0, 0
    for seed in range(first, first + 20):
        problem = random_problem(seed, {"restless", "ages", "derating", "cold_minimum"})
        if len(problem.containers) > 2:
            continue
        rng, tiny = np.random.default_rng(seed), first_steps(problem, 4)
        free = tiny.classes

        def ramped(k: ContainerClass, rng=rng) -> ContainerClass:
            width = max(0.1, float(k.it_power_mw[-1] - k.it_power_mw[0]))
            before = [float(rng.uniform(k.it_power_mw[0], k.it_power_mw[-1])) if h.on else 0.0 for h in k.history]
            past = tuple(replace(h, it_power_mw=mw) for h, mw in zip(k.history, before, strict=True))
            return replace(k, history=past, container_ramp_mw_per_step=width * float(rng.uniform(0.2, 1.2)))

        tiny = replace(tiny, classes=tuple(ramped(k) for k in free))
        truth, found = brute_force(tiny), audited_money(tiny)
        assert same(found, truth), f"seed {seed}: planner {found}, truth {truth}"
        compared += 1
        binding += not same(truth, brute_force(replace(tiny, classes=free)))
    assert compared >= 5
    assert binding >= 2
