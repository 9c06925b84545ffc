"""The envelope of mixes of miners: by hand, and against all mixes of a few miners."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from flexmine.physics.mode_envelope import envelope_levels, largest_step_w, mode_envelope

# VNish 1.2.6 on live S19j Pro machines: W, TH/s.
LADDER_W = (1740, 1800, 1850, 2000, 2150, 2300, 2500, 2700, 2970)
LADDER_TH_S = (65, 70, 76, 80, 83, 87, 92, 96, 100)


def compositions(total: int, parts: int):
    """Yield all ways to write `total` as an ordered sum of `parts` whole numbers from 0."""
    for bars in combinations(range(total + parts - 1), parts - 1):
        edges = (-1, *bars, total + parts - 1)
        yield tuple(b - a - 1 for a, b in pairwise(edges))


def test_the_measured_ladder_by_hand():
    """Slopes from asleep (25 W, 0): 1850 W gives 76 / 1825 = 0.04164 TH/s per W, 1740 W 65 / 1715 = 0.0379 only.

    Then 2000 W (0.0267); 2150 and 2300 W lie below the line from 2000 to 2500 W (0.024; at 2300: 87.2 > 87);
    2700 (0.02), 2970 (0.0148).

    *Proves:* presets that a mix beats are left out.  *Sensitivity:* the plain ladder would keep all nine.
    """
    levels = envelope_levels(LADDER_W, LADDER_TH_S, 25.0)
    assert [0 if j == 0 else LADDER_W[j - 1] for j in levels] == [0, 1850, 2000, 2500, 2700, 2970]
    assert largest_step_w(LADDER_W, LADDER_TH_S, 25.0) == 1825.0


def test_a_container_by_hand():
    """400 miners, 4 kW fixed, minimum 0.5 MW: 0.5 - 0.004 - 0.01 = 0.486 MW / 1825 W = 266.3, so 267 awake.

    267 x 1850 + 133 x 25 = 497,275 W, with the fixed 4 kW 0.501275 MW, and 267 x 76 = 20,292 TH/s.

    *Proves:* the cut is a mix of whole miners at or above the minimum, fixed draw included.
    *Sensitivity:* without sleepers the curve would begin at 0.744 MW.
    """
    power, rate = mode_envelope(LADDER_W, LADDER_TH_S, count=400, sleep_w=25.0, fixed_mw=0.004, minimum_power_mw=0.5)
    assert power.tolist() == pytest.approx([0.501275, 0.744, 0.804, 1.004, 1.084, 1.192], abs=1e-12)
    assert rate.tolist() == [20292.0, 30400.0, 32000.0, 36800.0, 38400.0, 40000.0]


@pytest.mark.parametrize(
    ("minimum", "first", "length"), [(0.74, 0.74, 5), (0.7400001, 0.74015, 5), (1.188, 1.188, 1), (0.7399, 0.74, 5)]
)
def test_the_cut_at_and_around_a_corner(minimum, first, length):
    """*Proves:* a minimum on a corner keeps the corner once; just above it one miner goes up (150 W).

    *Sensitivity:* a repeated or missing breakpoint changes the length.
    """
    power, rate = mode_envelope(LADDER_W, LADDER_TH_S, count=400, sleep_w=25.0, fixed_mw=0.0, minimum_power_mw=minimum)
    assert power[0] == pytest.approx(first, abs=1e-9)
    assert power.size == rate.size == length
    assert np.all(np.diff(power) > 0)


@pytest.mark.parametrize("seed", range(30))
def test_no_mix_lies_above_and_every_breakpoint_is_a_mix(seed):
    """All mixes of two to six miners over two to four random presets.

    *Proves:* the envelope is an upper bound of every mix at or above the minimum, concave, and each breakpoint is
    drawn and yielded by one mix.  *Sensitivity:* a preset left out wrongly puts its own mix above the curve; a
    breakpoint between whole miners is met by no mix.
    """
    rng = np.random.default_rng([seed, 40])
    count, presets = int(rng.integers(2, 7)), int(rng.integers(2, 5))
    watts = rng.permutation(np.sort(rng.choice(np.arange(800, 3600, 10), presets, replace=False))).astype(float)
    rates = np.round(watts * rng.uniform(0.02, 0.05, presets), 1)
    sleep_w, fixed_mw = float(rng.integers(10, 60)), 1e-6 * float(rng.integers(0, 500))
    low, high = fixed_mw + count * sleep_w / 1e6, fixed_mw + count * watts.max() / 1e6
    minimum = float(low + (high - low) * rng.uniform(0.05, 1.0))
    power, rate = mode_envelope(watts, rates, count=count, sleep_w=sleep_w, fixed_mw=fixed_mw, minimum_power_mw=minimum)
    assert power[0] >= minimum - 1e-9
    slopes = np.diff(rate) / np.diff(power)
    assert np.all(np.diff(slopes) <= 1e-6 * np.abs(slopes[:-1]))
    mixes = np.array(list(compositions(count, presets + 1)), dtype=float)
    mix_mw = fixed_mw + mixes @ np.concatenate([[sleep_w], watts]) / 1e6
    mix_th_s = mixes @ np.concatenate([[0.0], rates])
    above = mix_mw >= power[0] - 1e-9
    assert np.all(mix_th_s[above] <= np.interp(mix_mw[above], power, rate) + 1e-3)
    for p, h in zip(power, rate, strict=True):
        assert np.any((np.abs(mix_mw - p) < 1e-8) & (np.abs(mix_th_s - h) < 1e-6))


@pytest.mark.parametrize("minimum", [0.01, 0.005, 1.2])
def test_a_minimum_that_no_mix_has_is_refused(minimum):
    """*Proves:* all asleep (0.01 MW) is not a running container, nor is more than all at 2970 W (1.188 MW).

    *Sensitivity:* a minimum of 0.01 would give a container that runs without a single miner.
    """
    with pytest.raises(ValueError, match="the minimum power of"):
        mode_envelope(LADDER_W, LADDER_TH_S, count=400, sleep_w=25.0, fixed_mw=0.0, minimum_power_mw=minimum)


def test_a_preset_below_sleep_is_refused():
    """*Proves:* a preset of 20 W beside 25 W asleep is a mistake.  *Sensitivity:* it would bend the envelope."""
    with pytest.raises(ValueError, match="draws no more than a sleeping miner"):
        envelope_levels((20.0, 2000.0), (1.0, 80.0), 25.0)
