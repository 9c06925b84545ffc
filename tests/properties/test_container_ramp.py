"""Container ramps on counts: exact where the ramp is at least the range, container by container where it is slower."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pe

from flexmine.milp import container_ramp, letters, variables
from flexmine.problem import ContainerClass, Problem
from spiky import assert_exact_on_counts, by_seed, spiky_class, spiky_site, truths, wrong_in

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


def test_fast_ramp_is_exact_and_its_sum_is_not(monkeypatch):
    """A ramp of exactly the range: containers start and stop at their lowest power, and are free in between.

    *Proves:* counts earn what single containers earn, for minimum up times of 1, 2 and 3 steps.
    *Sensitivity:* the ramp rows summed over the containers differ in more than a quarter of the plants, because a
    running container then lends its room to one that starts.
    """
    samples = truths(by_seed(100, lambda rng: plant(rng, RANGE_MW)))
    assert_exact_on_counts(samples)
    monkeypatch.setattr(container_ramp, "container_ramps", summed_rows)
    assert wrong_in(samples) >= len(samples) // 4


def test_start_and_stop_counts_have_to_be_whole(monkeypatch):
    """With starts and stops as fractions a start is spread thinly over the others.

    *Proves:* y, z, w and c are integer variables for a reason as soon as a start touches the power.
    *Sensitivity:* as continuous variables they earn too much in at least one plant.
    """
    samples = truths(by_seed(200, lambda rng: plant(rng, RANGE_MW, min_up_steps=2)))
    assert_exact_on_counts(samples)
    honest = variables.commitment_variables

    def continuous(m, classes):
        honest(m, classes)
        for component in (m.y, m.z, m.w, m.c):
            component.domain = pe.NonNegativeReals

    monkeypatch.setattr(variables, "commitment_variables", continuous)
    assert wrong_in(samples) >= 1


def test_slow_ramp_is_planned_container_by_container(monkeypatch):
    """A ramp of a third, or of two thirds, of the range.

    *Proves:* a class whose ramp is slower than its range earns what single containers earn.
    *Sensitivity:* on counts, with the rows of a fast ramp and the summed ones together, it earns too much.
    """
    samples = truths(by_seed(300, lambda rng: plant(rng, float(rng.choice([0.26, 0.5])))))
    assert_exact_on_counts(samples)

    def both(m, classes):
        container_ramp.start_and_stop_power(m, classes)
        summed_rows(m, classes)

    monkeypatch.setattr(letters.ContainerClass, "ramps_slowly", property(lambda k: False))
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
