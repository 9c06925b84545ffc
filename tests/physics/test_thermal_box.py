import numpy as np
import pytest

from flexmine.physics.thermal import (
    cool,
    hours_until_c,
    kept_warm_standby_mw,
    preheat_duration_h,
    preheat_energy_mwh,
    warm_off_steps,
    warm_until_step,
)

C = 6.6e6


def _hours(conductance, heat_w):
    return hours_until_c(20, 0, -30, heat_w, heat_capacity_j_per_k=C, conductance_w_per_k=conductance)


def test_cooling_times_without_heat():
    """From +20 to 0 C at -30 C outside: 7.8, 3.1, 1.6 h for insulated, plain and leaky.

    *Proves:* the exponential. *Sensitivity:* a linear fall (50 K times UA) would give 6.1 h for the first.
    """
    assert [round(_hours(ua, 0.0), 1) for ua in (120, 300, 600)] == [7.8, 3.1, 1.6]


def test_cooling_times_with_sleeping_miners_inside():
    """10 kW of sleeping miners: never, never, 2.8 h.

    *Proves:* heat inside holds a box up. *Sensitivity:* without it see above.
    """
    assert _hours(120, 1e4) == np.inf
    assert _hours(300, 1e4) == np.inf
    assert _hours(600, 1e4) == pytest.approx(2.8, abs=0.02)


def test_fans_leave_a_time_constant_of_79_seconds():
    """After 78.6 s with 84 kW/K, 1/e of the difference is left; after an hour nothing.

    *Proves:* units of C, UA and time. *Sensitivity:* hours for seconds would leave all of it.
    """
    fans = {"heat_capacity_j_per_k": C, "conductance_w_per_k": 84_000}
    assert cool(20, -30, 0, duration_h=78.571 / 3600, **fans) == pytest.approx(-30 + 50 / np.e, abs=1e-3)
    assert cool(20, -30, 0, duration_h=1.0, **fans) == pytest.approx(-30)


def test_two_half_steps_are_one_step():
    """*Proves:* the update is exact. *Sensitivity:* an Euler step would differ by more than a kelvin."""
    box = {"heat_capacity_j_per_k": C, "conductance_w_per_k": 600}
    half = cool(cool(20, -30, 5e3, duration_h=0.5, **box), -30, 5e3, duration_h=0.5, **box)
    assert cool(20, -30, 5e3, duration_h=1.0, **box) == pytest.approx(float(half), abs=1e-12)


@pytest.mark.parametrize(("step_h", "warm"), [(1.0, 3), (0.5, 6), (0.25, 12)])
def test_warm_window_in_steps(step_h, warm):
    """Plain box at -30 C: 3.1 h, so warm at the beginning of the third hour and not of the fourth.

    *Proves:* the largest w, in steps of any length. *Sensitivity:* one more would be a cold start called warm.
    """
    found = _window(np.full(20, -30.0), step_h)
    assert found[0] == warm
    assert found[-1] == 20


def _window(outside, step_h=1.0, heat=0.0, ua=300.0):
    return warm_off_steps(
        outside,
        heat,
        heat_capacity_j_per_k=C,
        conductance_w_per_k=ua,
        step_h=step_h,
        running_temperature_c=20.0,
        start_temperature_c=0.0,
    )


def test_window_follows_the_weather_of_its_own_hours():
    """A replay stop by stop with the same weather, each hour at its own temperature, gives the same windows.

    *Proves:* stop s feels the weather of s, s+1, ... *Sensitivity:* with the weather of step s all along, the stop
    before a thaw would be cold after three hours.
    """
    rng = np.random.default_rng(3)
    outside = rng.uniform(-45, 5, 48)
    heat = rng.uniform(0, 4e3, 48)
    found = _window(outside, heat=heat)
    for s in range(48):
        inside, w = 20.0, 0
        while s + w < 47:
            rest = outside[s + w] + heat[s + w] / 300
            inside = rest + (inside - rest) * np.exp(-3600 * 300 / C)
            if inside < 0:
                break
            w += 1
        assert found[s] == (48 if s + w == 47 else w)
    assert len(set(found.tolist())) > 3


def test_windows_end_in_the_order_of_their_stops():
    """*Proves:* no later stop goes cold before an earlier one. *Sensitivity:* a reversed weather would break it."""
    outside = -25 + 20 * np.sin(np.arange(72) / 4)
    last = np.arange(72) + _window(outside)
    assert np.all(np.diff(last) >= 0)


def test_already_off():
    """Inside 10 C at -30 C outside: (20 to 10) took 1.37 h of the 3.12 h, so warm until step 1; colder: -1.

    *Proves:* a measured temperature decides. *Sensitivity:* at 20 C it would be step 3.
    """
    shell = {"heat_capacity_j_per_k": C, "conductance_w_per_k": 300, "step_h": 1.0, "start_temperature_c": 0.0}
    outside = np.full(10, -30.0)
    assert warm_until_step(10.0, outside, 0.0, **shell) == 1
    assert warm_until_step(20.0, outside, 0.0, **shell) == 3
    assert warm_until_step(-0.1, outside, 0.0, **shell) == -1
    assert warm_until_step(20.0, outside + 40, 0.0, **shell) == 9


def test_thermostat():
    """Holding 5 C with 300 W/K at -30 C takes 10.5 kW: 0.5 kW more than the 10 kW that sleep anyway; at +10 C none.

    *Proves:* standby heat counts. *Sensitivity:* with nothing of it inside, 20.5 kW.
    """
    outside = np.array([-30.0, 10.0])
    assert kept_warm_standby_mw(0.01, outside, 5.0, 300.0) == pytest.approx([0.0105, 0.01])
    assert kept_warm_standby_mw(0.01, outside, 5.0, 300.0, 0.0) == pytest.approx([0.0205, 0.01])


def test_preheat():
    """-30 to 0 C: 55 kWh stored; with 300 W/K, 60 kW take 1.0 h and 30 kW 2.2 h; 9 kW never get there.

    *Proves:* losses while heating. *Sensitivity:* without losses 60 kW would take 0.92 h and 30 kW 1.83 h.
    """
    box = {"start_temperature_c": 0.0, "heat_capacity_j_per_k": C, "conductance_w_per_k": 300.0}
    cold = np.array([-30.0, 3.0])
    assert preheat_energy_mwh(cold, 1e6, **box) == pytest.approx([0.055, 0.0], abs=1e-6)
    assert preheat_duration_h(cold, 60.0, **box) == pytest.approx([0.993, 0.0], abs=1e-3)
    assert preheat_duration_h(cold, 30.0, **box)[0] == pytest.approx(2.18, abs=0.01)
    assert preheat_energy_mwh(cold, 60.0, **box)[0] == pytest.approx(0.0596, abs=1e-4)
    assert preheat_duration_h(cold, 9.0, **box)[0] == np.inf
    assert preheat_duration_h(cold, 20.0, standby_heat_w=1e4, **box)[0] == pytest.approx(2.18, abs=0.01)


def test_refusals():
    """*Proves:* a box without walls is refused. *Sensitivity:* 300 W/K is accepted above."""
    with pytest.raises(ValueError, match="conductance_w_per_k: 0 is not allowed"):
        cool(20, -30, 0, heat_capacity_j_per_k=C, conductance_w_per_k=0, duration_h=1)
