"""Rounding to whole miners: by hand, and on 2,000 fleets whose model schedule touches its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.physics.mode_envelope import envelope_levels
from flexmine.planning.rounding import round_schedule
from flexmine.problem import EnergyLimit
from flexmine.problem.limits import with_site
from flexmine.problem.schedule import Schedule, supply_by_merit
from miner_plants import LADDERS, RESERVE_MW, miner_class, touching
from plants import simple_problem
from samples import chunks

KW = 1e-3


def fleet(ladder, power_mw, reserve_mw=RESERVE_MW, cap=100.0, **changes):
    """Return a plant of one class, all running at the powers given, shape (count, T)."""
    power = np.atleast_2d(np.array(power_mw, dtype=float))
    count, steps = power.shape
    k = miner_class("k", count, steps, ladder, 0.3, overhead=1.0, min_up_steps=1, min_down_steps=1, **changes)
    problem = simple_problem(k, surplus_mw=100.0, firm_mw=100.0, cap=cap, ramp=None, initial=None)
    problem = replace(problem, site=replace(problem.site, rounding_reserve_mw=reserve_mw))
    schedule = Schedule(k.containers, np.ones_like(power, dtype=bool), power, np.zeros((2, steps)))
    return problem, replace(schedule, supply_mw=supply_by_merit(problem, replay(problem, schedule).site_power_mw))


def test_three_containers_by_hand():
    """Three boxes of 400 at 0.6502 MW on presets of 1300 and 1950 W, no fixed draw: 200.308 miners are up in each.

    Sums 200.308, 400.615, 600.923 are cut to 200, 400, 600: the site is 0.923 x 650 = 600 W below, more than half
    a miner, so it goes up by one: 601 miners at 1950 W, 50 W above.

    *Proves:* what one box loses goes to the next, and the site ends at the nearest whole miner.
    *Sensitivity:* each box by itself loses 200 W, three times in the same direction.
    """
    problem, schedule = fleet(LADDERS[0], [[0.6502], [0.6502], [0.6502]], fixed_mw=0.0)
    rounded = round_schedule(problem, schedule)
    assert rounded.mixes is not None
    assert rounded.mixes[:, 0, 2].sum() == 601
    assert np.all(rounded.mixes.sum(axis=2) == 400)
    assert replay(problem, rounded).site_power_mw[0] - 3 * 0.6502 == pytest.approx(5e-5, abs=1e-9)
    assert rounded.mixes[:, 0, 2].max() - rounded.mixes[:, 0, 2].min() <= 1


def test_sleepers_and_the_finer_preset_by_hand():
    """One box, 0.5 MW, 4 kW fixed, presets 1850 and 2000 W among others: 486 kW above all asleep.

    266 awake at 1850 W take 485,450 W; the 550 W left raise three of them to 2000 W (450 W): 499,900 W in all.

    *Proves:* what is less than a miner waking up is used by the next finer step.
    *Sensitivity:* without it 550 W, 30 % of the hash of one miner, are lost in each box.
    """
    problem, schedule = fleet(LADDERS[1], [[0.5]])
    rounded = round_schedule(problem, schedule)
    assert rounded.mixes is not None
    assert rounded.mixes[0, 0].tolist() == [134, 0, 0, 263, 3, 0, 0, 0, 0, 0]
    assert rounded.it_power_mw[0, 0] == pytest.approx(0.4999, abs=1e-9)


def test_no_source_gives_more_than_it_has():
    """Supply of exactly 3 x 0.6502 MW: 600 miners at 1950 W, 600 W below, and not 601.

    *Proves:* where supply binds, the site is rounded down.  *Sensitivity:* the nearest whole miner takes 50 W more.
    """
    problem, schedule = fleet(LADDERS[0], [[0.6502], [0.6502], [0.6502]], fixed_mw=0.0)
    sources = tuple(replace(s, available_mw=np.array([0.9753])) for s in problem.sources)
    problem = replace(problem, sources=sources)
    schedule = replace(schedule, supply_mw=np.array([[0.9753], [0.9753]]))
    rounded = round_schedule(problem, schedule)
    assert rounded.mixes is not None
    assert rounded.mixes[:, 0, 2].sum() == 600
    assert replay(problem, rounded).ok
    assert np.all(rounded.supply_mw <= 0.9753)


@pytest.mark.parametrize(
    ("ladder", "power_mw", "source", "by_mw"),
    [(LADDERS[0], [[0.6502]] * 3, "surplus", 5e-5), (LADDERS[1], [[0.5]], "grid", -1e-4)],
)
def test_a_source_of_limited_energy_is_left_as_it_is(ladder, power_mw, source, by_mw):
    """50 W more, and 100 W less, than the model says (see above); half of the power comes from each source.

    *Proves:* the other source gives, or spares, what rounding adds or takes, whichever of them is cheaper.
    *Sensitivity:* without the limit it is just the source of that name that changes: the cheap one gives more, the dear
    one less.
    """
    problem, schedule = fleet(ladder, power_mw, fixed_mw=0.0 if len(power_mw) > 1 else 0.004)
    half = schedule.supply_mw.sum(axis=0) / 2
    schedule = replace(schedule, supply_mw=np.array([half, half]))
    names = [s.name for s in problem.sources]
    for limits, changed in (((EnergyLimit("e", source, 0, 1, at_most_mwh=50.0),), 1), ((), 0)):
        rounded = round_schedule(with_site(problem, energy_limits=limits), schedule)
        change = rounded.supply_mw[:, 0] - half[0]
        own = names.index(source)
        assert change[own if changed == 0 else 1 - own] == pytest.approx(by_mw, abs=1e-9)
        assert change[1 - own if changed == 0 else own] == 0.0


@pytest.mark.parametrize("block", chunks(range(8), normal=(0, 3, 6)))
def test_no_limit_breaks_on_fleets_that_touch_their_limits(block):
    """2,000 random fleets in 8 blocks: binding caps, feeder caps, ramps, supply and minimum, four kinds of ladder.

    *Proves:* the audit finds each rounded plan within its true limits (narrowed ones plus reserve, 1 kW), the site
    within one miner of the model, and no source overdrawn.
    *Sensitivity:* each box rounded down by itself misses some limit on more than half of the fleets (the next test).
    """
    for seed in range(250 * block, 250 * (block + 1)):
        problem, schedule = touching(seed)
        model = replay(problem, schedule)
        assert model.ok, seed
        rounded = round_schedule(problem, schedule)
        found = replay(problem, rounded, KW, RESERVE_MW)
        assert found.ok, (seed, found.violations[:2])
        assert np.abs(found.site_power_mw - model.site_power_mw).max() < 0.0037, seed
        for source, taken in zip(problem.sources, rounded.supply_mw, strict=True):
            assert np.all(taken <= source.available_mw + 1e-9), seed


def test_rounding_each_box_by_itself_breaks_limits():
    """Each box down to whole miners on its own piece of the envelope, 200 fleets.

    *Proves:* the property above is not empty: at least half of these fleets break a limit.
    *Sensitivity:* loose limits in the fleets would make this count fall to 0.
    """
    broken = 0
    for seed in range(200):
        problem, schedule = touching(seed)
        mixes = np.zeros((*schedule.on.shape, 10), dtype=np.int32)
        power = schedule.it_power_mw.copy()
        for row, (_, k) in enumerate(problem.containers):
            if k.miners is None:
                continue
            watts, rates = np.array(k.miners.presets).T
            levels = envelope_levels(watts, rates, 25.0)
            level_w = np.concatenate([[25.0], watts])[levels]
            for t in np.flatnonzero(schedule.on[row]):
                per_miner = (power[row, t] - k.miners.fixed_mw) * 1e6 / 400
                i = int(np.clip(np.searchsorted(level_w, per_miner + 1e-6, "right") - 1, 0, level_w.size - 2))
                up = int(400 * (per_miner - level_w[i]) / (level_w[i + 1] - level_w[i]) + 1e-6)
                mixes[row, t, levels[i + 1]], mixes[row, t, levels[i]] = up, 400 - up
                power[row, t] = k.miners.fixed_mw + (up * level_w[i + 1] + (400 - up) * level_w[i]) / 1e6
        alone = replace(schedule, it_power_mw=power, mixes=mixes)
        limits = {v.limit for v in replay(problem, alone, KW, RESERVE_MW).violations}
        broken += bool(limits - {"balance"})
    assert broken >= 100


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_mix_is_two_neighbours_on_the_envelope_and_sleepers(seed):
    """*Proves:* awake miners stand at one or two presets that are neighbours on the envelope.

    *Sensitivity:* a preset below the envelope (1740, 2150 W), or three presets, would show.
    """
    problem, schedule = touching(seed)
    rounded = round_schedule(problem, schedule)
    assert rounded.mixes is not None
    for row, (_, k) in enumerate(problem.containers):
        if k.miners is None:
            assert not rounded.mixes[row].any()
            continue
        watts, rates = np.array(k.miners.presets).T
        place = {int(level): i for i, level in enumerate(envelope_levels(watts, rates, 25.0))}
        for t in np.flatnonzero(schedule.on[row]):
            used = [place[int(j)] for j in np.flatnonzero(rounded.mixes[row, t]) if j > 0]
            assert len(used) <= 2
            assert not used or max(used) - min(used) <= 1


def test_money_lost_to_rounding_is_small():
    """Fourteen boxes of each ladder over random powers: hash of the mixes against hash of the curve.

    *Proves:* less than 0.1 % of the hash is lost.  *Sensitivity:* a whole preset given away in each box (200 W
    of 2,000) is a hundred times as much.
    """
    rng = np.random.default_rng(5)
    for ladder in LADDERS:
        problem, schedule = fleet(ladder, np.tile(rng.uniform(0.5, 1.15, 24), (14, 1)))
        exact = replay(problem, schedule).hash_rate_th_s.sum()
        mixed = replay(problem, round_schedule(problem, schedule)).hash_rate_th_s.sum()
        assert abs(exact - mixed) < 1e-3 * exact


def test_a_power_above_the_highest_is_left_to_the_audit():
    """*Proves:* a schedule 0.2 MW above a derated maximum is not repaired.  *Sensitivity:* clipping would hide it."""
    problem, schedule = fleet(LADDERS[0], [[1.0], [1.2]], max_it_power_mw=1.0)
    found = replay(problem, round_schedule(problem, schedule), KW, RESERVE_MW)
    assert {v.limit for v in found.violations} == {"maximum_power"}
