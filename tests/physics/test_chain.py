"""Expected hours of retarget and halving, and means over steps, by hand."""

import numpy as np
import pytest

from flexmine.physics.chain import (
    block_interval_s,
    halving_heights,
    hours_to_block,
    mean_over_steps,
    next_retarget_height,
    share_after,
)


def test_the_interval_follows_from_difficulty_and_hash_rate():
    """At 89.47e12 and 640.45 EH/s a block takes 600 s; at twice the hash rate half of that.

    *Proves:* D 2^32 / R: 89.47e12 x 4.294967e9 / 640.45e18 = 600.0 s.
    *Sensitivity:* 2^31, or PH for EH, would be off by 2 or 1,000; the rate decides also where a change is given.
    """
    assert block_interval_s(89.47e12, 640.45) == pytest.approx(600.0, abs=0.01)
    assert block_interval_s(89.47e12, 1280.9, expected_change=-0.05) == pytest.approx(300.0, abs=0.01)


def test_the_interval_follows_from_the_expected_change():
    """5 % down says that blocks come every 631.6 s, 25 % up every 480 s; nothing known: 600 s.

    *Proves:* 600 / (1 + c).  *Sensitivity:* 600 (1 + c) would give 570 and 750 s, the wrong way round.
    """
    assert block_interval_s(1.0, expected_change=-0.05) == pytest.approx(631.579, abs=1e-3)
    assert block_interval_s(1.0, expected_change=0.25) == pytest.approx(480.0)
    assert block_interval_s(1.0) == 600.0


def test_heights_of_retarget_and_halving():
    """The retarget of 11 September 2024 was at 860,832 = 427 x 2016; the halving of 2024 at 840,000.

    *Proves:* the next one, also where the present block is one itself.
    *Sensitivity:* rounding down would give 858,816; `>=` would give the present block.
    """
    assert next_retarget_height(860_700) == 860_832
    assert next_retarget_height(860_831) == 860_832
    assert next_retarget_height(860_832) == 862_848
    assert halving_heights(839_999, 840_000) == [840_000]
    assert halving_heights(840_000, 1_049_999.9) == []
    assert halving_heights(0, 420_000) == [210_000, 420_000]


def test_hours_to_a_block():
    """144 blocks of 600 s take 24 h, give or take 2 h; none: now.

    *Proves:* n m and sqrt(n) m.  *Sensitivity:* n m / 60 would be minutes.
    """
    assert hours_to_block(1144, 1000, 600.0) == (24.0, 2.0)
    assert hours_to_block(1000, 1000, 600.0) == (0.0, 0.0)
    with pytest.raises(ValueError, match="blocks to go: -1 is not allowed"):
        hours_to_block(999, 1000, 600.0)


def test_share_of_a_step_after_an_hour():
    """A change at 1.25 h leaves 0.75 of the second hour; at 1 h all of it; before the start, everything.

    *Proves:* left-closed steps.  *Sensitivity:* counting from the middle of a step would give 1 for 1.25 h.
    """
    assert share_after(1.25, 3, 1.0).tolist() == [0.0, 0.75, 1.0]
    assert share_after(1.0, 3, 1.0).tolist() == [0.0, 1.0, 1.0]
    assert share_after(-3.0, 3, 1.0).tolist() == [1.0, 1.0, 1.0]
    assert share_after(9.0, 3, 1.0).tolist() == [0.0, 0.0, 0.0]
    assert share_after(0.25, 2, 0.5).tolist() == [0.5, 1.0]


def test_mean_of_a_quantity_that_changes_twice_in_one_step():
    """4 until 0:30, 2 until 0:45, then 1: the first hour has the mean 4/2 + 2/4 + 1/4 = 2.75, the second 1.

    *Proves:* weighted by time.  *Sensitivity:* taking the value at the beginning, or at the end, gives 4 or 1.
    """
    assert mean_over_steps([4.0, 2.0, 1.0], [0.5, 0.75], 2, 1.0).tolist() == [2.75, 1.0]
    assert np.array_equal(mean_over_steps([3.0], [], 2, 1.0), [3.0, 3.0])
