import numpy as np
import pytest

from flexmine.physics.break_even import (
    average_break_even_usd_per_mwh,
    container_break_even,
    marginal_break_even_usd_per_mwh,
)
from flexmine.physics.hash_value import hash_value_from_hashprice

POWER = [0.52, 0.78, 1.04, 1.30]
RATE = [22_880, 31_720, 38_480, 44_000]


def test_published_average():
    """39 USD/PH/day at 17.5 J/TH: 92.9 USD/MWh, the published "roughly 93".

    *Proves:* 41.667 h / e. *Sensitivity:* by the day's 24 h forgotten it would be 2,229.
    """
    assert average_break_even_usd_per_mwh(39, 17.5) == pytest.approx(92.857, abs=1e-3)
    assert average_break_even_usd_per_mwh(28.68, 29.5) == pytest.approx(40.5, abs=0.02)
    assert average_break_even_usd_per_mwh(39, 17.5, 1.03) == pytest.approx(92.857 / 1.03, abs=1e-3)


def test_stepped_curve_of_the_reference_container():
    """At 28.68 USD/PH/day: 52.6 up to 0.52 MW, then 40.6, 31.1 and 25.4 USD/MWh.

    *Proves:* the value of the next MWh, not the average, per segment. *Sensitivity:* averages would be
    52.6, 48.6, 44.2, 40.4.
    """
    value = np.full(2, hash_value_from_hashprice(28.68))
    prices = container_break_even(value, POWER, RATE, np.array([1.0, 1.05]))
    assert prices.at_minimum_power[0] == pytest.approx(52.58, abs=0.01)
    assert prices.marginal[:, 0] == pytest.approx([40.63, 31.07, 25.37], abs=0.01)
    assert prices.average[0] == pytest.approx(40.45, abs=0.01)
    assert prices.marginal.shape == (3, 2)
    assert prices.marginal[:, 1] == pytest.approx(prices.marginal[:, 0] / 1.05)


def test_a_falling_piece_is_worth_less_than_nothing():
    """*Proves:* a mode with less hash for more power has a negative price. *Sensitivity:* sign of the slope."""
    assert marginal_break_even_usd_per_mwh(0.001, [1.0, 1.5], [40_000, 39_500], 1.0)[0, 0] == pytest.approx(-1.0)


def test_curves_that_are_refused():
    """*Proves:* lengths and order are checked. *Sensitivity:* the right curve is accepted above."""
    with pytest.raises(ValueError, match="must increase"):
        container_break_even(0.001, [1.0, 1.0], [1, 2], 1.0)
    with pytest.raises(ValueError, match="2 breakpoints, hash_rate_th_s 1"):
        container_break_even(0.001, [1.0, 1.2], [1], 1.0)
    with pytest.raises(ValueError, match="overhead: 0 is not allowed"):
        container_break_even(0.001, [1.0, 1.2], [1, 2], 0.0)
