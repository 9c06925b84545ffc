"""Random fleets of miners with a schedule of the model that touches its limits, for the tests of rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.audit.replay import replay
from flexmine.physics.mode_envelope import mode_envelope
from flexmine.problem import Group, Miners, Problem
from flexmine.problem.schedule import Schedule, supply_by_merit
from plants import reference_class, simple_problem

RESERVE_MW = 0.004
LADDERS = (
    ((1300, 57.2), (1950, 79.3), (2600, 96.2), (3250, 110.0)),
    ((1740, 65), (1800, 70), (1850, 76), (2000, 80), (2150, 83), (2300, 87), (2500, 92), (2700, 96), (2970, 100)),
    ((1904, 71.5), (2024, 83.6), (2189, 88.0), (2736, 101.2), (2955, 105.6), (3250, 110.0)),
    ((3010, 140.0),),
    ((3500, 200.0),),
)


def miner_class(name: str, count: int, steps: int, ladder=LADDERS[0], minimum_share: float = 0.3, **changes):
    """Return containers of 400 miners whose mode curve is the envelope of the ladder."""
    watts, rates = np.array(ladder, dtype=float).T
    fixed_mw = changes.pop("fixed_mw", 0.004)
    power, rate = mode_envelope(
        watts, rates, count=400, sleep_w=25.0, fixed_mw=fixed_mw,
        minimum_power_mw=max(0.02, minimum_share * 400e-6 * watts.max()),
    )  # fmt: skip
    miners = Miners(400, tuple((float(w), float(h)) for w, h in ladder), 25.0, fixed_mw)
    changes = {"it_power_mw": power, "hash_rate_th_s": rate, "miners": miners, "prefix": name.upper()} | changes
    return reference_class(name, count, steps, **changes)


def touching(seed: int, reserve_mw: float = RESERVE_MW, ladders=LADDERS) -> tuple[Problem, Schedule]:
    """Return a random fleet and a schedule that keeps its narrowed limits and touches many of them.

    Cap, supply and minimum are the schedule's own power in a third of the steps each, ramps its largest rise and
    fall, feeder caps its largest load; containers of a class share power equally, or not, or stand at their limits.
    """
    rng = np.random.default_rng([seed, 77])
    steps, number = int(rng.integers(3, 7)), int(rng.integers(1, 4))
    classes = []
    for i in range(number):
        overhead = rng.uniform(1.0, 1.06, steps)
        k = miner_class(
            f"k{i}", int(rng.integers(1, 9)), steps, ladders[rng.integers(len(ladders))], rng.uniform(0.05, 0.5),
            overhead=overhead, min_up_steps=1, min_down_steps=1,
        )  # fmt: skip
        if rng.random() < 0.3:
            share = rng.uniform(0.5, 1.0, steps)
            k = replace(k, max_it_power_mw=k.it_power_mw[0] + share * (k.it_power_mw[-1] - k.it_power_mw[0]))
        if rng.random() < 0.2:
            k = replace(k, miners=None)
        classes.append(k)
    if all(k.miners is None for k in classes):
        classes[0] = replace(classes[0], miners=miner_class("k0", 1, 1).miners)
        classes[0] = miner_class(
            "k0", classes[0].count, steps, overhead=classes[0].overhead, min_up_steps=1, min_down_steps=1
        )
    on, power = [], []
    for k in classes:
        running = rng.random((k.count, steps)) < 0.8
        low, high = k.lowest_it_power_mw, k.highest_it_power_mw
        share = rng.random(steps) if rng.random() < 0.7 else rng.random((k.count, steps))
        share = np.where(rng.random(np.shape(share)) < 0.15, np.round(share), share)
        on.append(running)
        power.append(np.where(running, low + share * (high - low), 0.0))
    names = tuple(name for k in classes for name in k.containers)
    feeders = tuple(Group(f"f{k.name}", 1.0, (k.name,)) for k in classes if rng.random() < 0.6)
    site = {"surplus_mw": 100.0, "firm_mw": 100.0, "cap": 100.0, "ramp": None, "initial": None, "feeders": feeders}
    problem = simple_problem(classes, base_load=0.05, **site)
    schedule = Schedule(names, np.concatenate(on), np.concatenate(power), np.zeros((2, steps)))
    return _tightened(problem, schedule, rng, reserve_mw)


def _tightened(problem: Problem, schedule: Schedule, rng, reserve_mw: float) -> tuple[Problem, Schedule]:
    found = replay(problem, schedule)
    mw, steps = found.site_power_mw, problem.steps
    ends = np.cumsum([0, *(k.count for k in problem.classes)])
    load = {k.name: found.facility_power_mw[a:b].sum(axis=0).max() for k, a, b in
            zip(problem.classes, ends, ends[1:], strict=False)}  # fmt: skip
    touch = rng.integers(0, 3, steps)
    surplus = mw * rng.uniform(0.2, 0.9)
    # Where supply equals the minimum, only the schedule itself would do, and whole miners cannot be it.
    firm = np.where((rng.random(steps) < 0.4) & (touch != 1), mw - surplus, 100.0)
    sources = (
        replace(problem.sources[0], available_mw=surplus),
        replace(problem.sources[1], available_mw=firm),
    )
    change = np.diff(mw)
    site = replace(
        problem.site,
        cap_mw=np.where(touch == 0, mw, 100.0),
        minimum_mw=np.where(touch == 1, mw, 0.0),
        ramp_up_mw_per_step=max(0.0, float(change.max())),
        ramp_down_mw_per_step=max(0.0, float(-change.min())),
        initial_mw=float(mw[0] + rng.choice([-1.0, 1.0]) * min(max(0.0, change.max()), max(0.0, -change.min()))),
        groups=tuple(replace(f, cap_mw=float(load[f.classes[0]])) for f in problem.site.groups),
        rounding_reserve_mw=reserve_mw,
    )
    problem = replace(problem, sources=sources, site=site)
    return problem, replace(schedule, supply_mw=supply_by_merit(problem, mw))
