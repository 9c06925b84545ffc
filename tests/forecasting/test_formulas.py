"""The formulas of scores and of the correction, worked out by hand."""

import numpy as np
import pytest

from flexmine.forecasting.quantiles import LEVELS, corrected, crps, pinball, rising
from flexmine.forecasting.scores import block_interval


def test_pinball_by_hand():
    """Truth 10; P10 = 8, P30 = 9, P50 = 10, P70 = 12, P90 = 15.

    Losses: 0.1 x 2 = 0.2; 0.3 x 1 = 0.3; 0; 0.3 x 2 = 0.6; 0.1 x 5 = 0.5.

    *Proves:* the level weighs what the truth is above, one minus the level what it is below.
    *Sensitivity:* with the two exchanged 1.8, 0.7, 0, 1.4, 4.5.
    """
    loss = pinball(np.array([8.0, 9.0, 10.0, 12.0, 15.0]), np.array(10.0))
    assert loss == pytest.approx([0.2, 0.3, 0.0, 0.6, 0.5])


def test_crps_by_hand():
    """The same: 2 x (0.2 + 0.3 + 0 + 0.6 + 0.5) / 5 = 0.64.

    *Proves:* CRPS is twice the mean over the levels.  *Sensitivity:* the mean alone 0.32; the sum 1.6.
    """
    assert crps(np.array([8.0, 9.0, 10.0, 12.0, 15.0]), np.array(10.0)) == pytest.approx(0.64)


def test_crps_of_a_point_is_its_absolute_error():
    """*Proves:* five equal quantiles score as MAE does, since the mean of the levels is one half."""
    rng = np.random.default_rng(0)
    point, truth = rng.normal(size=200), rng.normal(size=200)
    assert crps(np.repeat(point[:, None], 5, axis=1), truth) == pytest.approx(np.abs(truth - point))


@pytest.mark.parametrize("level", LEVELS)
def test_the_quantile_is_what_pinball_asks_for(level):
    """*Proves:* of all points the empirical quantile has the least pinball loss, on 101 numbers."""
    truth = np.random.default_rng(3).normal(size=101)
    k = LEVELS.index(level)
    losses = [pinball(np.full((101, 5), point), truth)[:, k].mean() for point in np.sort(truth)]
    assert np.sort(truth)[int(np.argmin(losses))] == pytest.approx(np.quantile(truth, level), abs=0.1)


def issues(past_low, past_high, truth):
    """Return settled issues of 24 equal hours each."""
    past = np.zeros((len(truth), 24, 5))
    past[..., 0], past[..., 2], past[..., 4] = past_low, 0.0, past_high
    return past, np.repeat(np.array(truth, dtype=float)[:, None], 24, axis=1)


def test_correction_by_hand():
    """P10 = -1, P90 = 1 on ten settled issues, in which the truth was 0, 1, ..., 9.

    P10 - y is -1, -2, ..., -10, of which the 0.9 quantile is -1.9: P10 rises by 1.9 but not above P50.
    y - P90 is -1, 0, ..., 8; the 0.9 quantile is 7.1: P90 rises by 7.1.

    *Proves:* each tail is moved by its own misses.
    *Sensitivity:* with the signs exchanged P10 would be -4.9; without the bound a P10 of -1 rises to 0.9, above P50.
    """
    past, truth = issues(-1.0, 1.0, range(10))
    now = np.tile([-3.0, -1.0, 0.0, 1.0, 3.0], (24, 1))
    moved, used = corrected(now, past, truth)
    assert used == 10
    assert moved[:, 0] == pytest.approx(-3.0 + 1.9)
    assert moved[:, 4] == pytest.approx(3.0 + 7.1)
    assert (moved[:, 1:4] == now[:, 1:4]).all()
    near = np.tile([-1.0, -0.5, 0.0, 0.5, 1.0], (24, 1))
    assert corrected(near, past, truth)[0][:, 0] == pytest.approx(0.0)


def test_nine_settled_issues_correct_nothing():
    """*Proves:* below ten settled issues a forecast stays as it is; one without a truth does not count."""
    past, truth = issues(-1.0, 1.0, range(10))
    truth[4] = np.nan
    now = np.tile([-3.0, -1.0, 0.0, 1.0, 3.0], (24, 1))
    moved, used = corrected(now, past, truth)
    assert used == 0
    assert (moved == now).all()


def test_sorting_never_worsens_the_score():
    """*Proves:* crossing quantiles are put in order inside the limits, and CRPS does not rise, on 500 random hours."""
    rng = np.random.default_rng(5)
    wild, truth = rng.normal(3.0, 3.0, (500, 5)), np.clip(rng.normal(3.0, 3.0, 500), 0.0, 6.0)
    tame = rising(wild, 0.0, 6.0)
    assert (np.diff(tame, axis=1) >= 0).all()
    assert tame.min() == 0.0
    assert tame.max() == 6.0
    assert (crps(tame, truth) <= crps(wild, truth) + 1e-12).all()


def test_interval_of_equal_differences():
    """*Proves:* days that all differ by -2 give [-2, -2]; twenty days are too few for blocks of seven."""
    assert block_interval(np.full(30, -2.0)) == pytest.approx([-2.0, -2.0])
    assert np.isnan(block_interval(np.full(20, -2.0))).all()


def test_neighbouring_days_widen_the_interval():
    """*Proves:* where errors last a week, blocks give a wider interval than days shuffled; the mean stays inside both.

    *Sensitivity:* drawn day by day both intervals would be alike.
    """
    rng = np.random.default_rng(1)
    weekly = np.repeat(rng.normal(size=40), 7)
    low, high = block_interval(weekly)
    shuffled_low, shuffled_high = block_interval(rng.permutation(weekly))
    assert low < weekly.mean() < high
    assert high - low > 1.5 * (shuffled_high - shuffled_low)
