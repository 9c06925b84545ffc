import numpy as np
import pytest

from flexmine.physics.overhead import highest_it_power_mw, lowest_it_power_mw, overhead

HEAT = {"derate_from_c": 40.0, "stop_c": 47.0, "share_at_stop": 0.9}


def test_overhead_of_the_reference_case():
    """1.02 in the cold and up to 5 C, 1.056 at 35 C.

    *Proves:* the bend at 5 C. *Sensitivity:* without it, -30 C would give 0.978.
    """
    assert overhead(np.array([-30.0, 5.0, 35.0]), 1.02, 0.0012, 5.0) == pytest.approx([1.02, 1.02, 1.056])


def test_derating():
    """Full to 40 C, 95 % half way, 90 % at 47 C, nothing above; 2 K of inlet rise move all of it.

    *Proves:* the borders belong to the warmer side as said. *Sensitivity:* no rise: 38.5 C would be full power.
    """
    outside = np.array([20.0, 40.0, 43.5, 47.0, 47.01])
    assert highest_it_power_mw(outside, 1.3, **HEAT) == pytest.approx([1.3, 1.3, 1.235, 1.17, 0.0])
    assert highest_it_power_mw(outside - 2, 1.3, inlet_rise_k=2.0, **HEAT) == pytest.approx(
        [1.3, 1.3, 1.235, 1.17, 0.0]
    )


def test_least_power_in_the_cold():
    """At -30 C, inlet 0 C, 70 % led back, 30 % of 84 kW/K: 25.2 x 3/7 x 30 = 324 kW; nothing needed at +1 C.

    *Proves:* the steady balance. *Sensitivity:* putting the power back into T_in = T + r dT/(1-r) gives 0 C again.
    """
    least = lowest_it_power_mw(np.array([-30.0, 0.0, 1.0]), 0.0, 0.7, 84.0, 0.3)
    assert least == pytest.approx([0.324, 0.0, 0.0])
    rise_k = least[0] * 1000 / (84.0 * 0.3)
    assert -30.0 + 0.7 * rise_k / 0.3 == pytest.approx(0.0)


def test_nothing_led_back():
    """*Proves:* without recirculation no power helps. *Sensitivity:* at +1 C none is needed."""
    assert lowest_it_power_mw(np.array([-1.0, 1.0]), 0.0, 0.0, 84.0, 0.3).tolist() == [np.inf, 0.0]


def test_refusals():
    """*Proves:* Fahrenheit and swapped limits are refused. *Sensitivity:* the right ones are accepted above."""
    with pytest.raises(ValueError, match="temperature_c: 95 is not allowed; allowed is -90 to 70"):
        overhead(np.array([20.0, 95.0]), 1.02, 0.0012, 5.0)
    with pytest.raises(ValueError, match=r"stop_c \(40\) must be above derate_from_c \(40\)"):
        highest_it_power_mw(20.0, 1.3, derate_from_c=40.0, stop_c=40.0, share_at_stop=0.9)
    with pytest.raises(ValueError, match=r"recirculation_max: 1\.1 is not allowed"):
        lowest_it_power_mw(-5.0, 0.0, 1.1, 84.0, 0.3)
