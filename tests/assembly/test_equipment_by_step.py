import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.errors import BadInput

THERMAL = {"asleep": "powered_off", "conductance_w_per_k": 300.0, "absorptance": 0.7}
COOLS = {"start": {}, "thermal": THERMAL}
MEASURED = {"initial_mw": 0.0, "default": {"on": False, "hours": 3.0, "inside_temperature_c": 10.0}}


def _only(case):
    (k,) = assemble(case).problem.classes
    return k


def _thermal(make_case, temperature_c, case=None, start=None, **thermal):
    container = {"start": start or {}, "thermal": {**THERMAL, **thermal}}
    return make_case({"state": MEASURED, **(case or {})}, container=container, temperature_c=temperature_c)


def test_fixed_hours_by_the_clock(make_case):
    """Warm up to 6 h; off for 3.5 h before, so warm up to 2.5 h into the horizon: in half-hour steps until step 5.

    *Proves:* hours, not steps. *Sensitivity:* 6 steps would be 3 h.
    """
    state = {"initial_mw": 0.0, "default": {"on": False, "hours": 3.5}}
    k = _only(make_case({"step_minutes": 30, "state": state}))
    assert k.start.warm_off_steps.tolist() == [12] * 24
    assert k.history[0].steps == 7
    assert k.history[0].warm_until_step == 5
    assert (k.min_up_steps, k.min_down_steps) == (8, 4)


def test_hours_that_are_no_whole_steps_are_rounded_up_and_said(make_case):
    """*Proves:* 2.5 h are 3 hourly steps, with a note. *Sensitivity:* 2.0 h are 2 steps without a note."""
    result = assemble(make_case(container={"min_up_h": 2.5, "min_down_h": 2.0}))
    (k,) = result.problem.classes
    assert (k.min_up_steps, k.min_down_steps) == (3, 2)
    assert [n for n in result.notes if "min_" in n] == [
        "s19pro: min_up_h of 2.5 h is 3 h in this plan: steps are 1 h long"
    ]


def test_warm_window_follows_the_weather(make_case):
    """Breaker open, plain box: 3 h at -30 C (sol-air -31.1 C by the roof's sky); a thaw after two hours (5.7 C
    inside by then) comes in time for every stop, one after four hours too late for a stop in step 0 only.

    *Proves:* W by step of the stop. *Sensitivity:* with the weather of the stop throughout, all would be 3.
    """
    frost = _only(_thermal(make_case, -30.0)).start.warm_off_steps
    assert frost[0] == 3
    assert frost[-1] == 12
    thaw = _only(_thermal(make_case, np.array([-30.0] * 2 + [5.0] * 10))).start.warm_off_steps
    assert thaw.tolist() == [12] * 12
    late = _only(_thermal(make_case, np.array([-30.0] * 4 + [5.0] * 8))).start.warm_off_steps
    assert late[:2].tolist() == [3, 12]


@pytest.mark.parametrize(
    ("asleep", "conductance", "warm"),
    [("powered_off", 600.0, 1), ("asleep_dampers_shut", 600.0, 2), ("asleep_dampers_shut", 300.0, 12)],
)
def test_standby_heat_keeps_a_box_warm(make_case, asleep, conductance, warm):
    """1.6 h without and 2.8 h with 10 kW inside at -30 C (a little less with the sky's 1.1 K); plain: never cold.

    *Proves:* the state of sleep decides what heats. *Sensitivity:* all three differ.
    """
    k = _only(_thermal(make_case, -30.0, asleep=asleep, conductance_w_per_k=conductance))
    assert k.start.warm_off_steps[0] == warm


def test_fans_on_is_cold_at_once_and_needs_no_measurement(make_case):
    """*Proves:* outside temperature decides. *Sensitivity:* with dampers shut it stays warm for hours, see above."""
    state = {"initial_mw": 0.0, "default": {"on": False, "hours": 3.0}}
    temperature = np.array([-5.0] * 6 + [5.0] * 6)
    k = _only(_thermal(make_case, temperature, {"state": state}, asleep="fans_on"))
    assert k.start.warm_off_steps[:5].tolist() == [0] * 5
    assert k.start.warm_off_steps[-2] == 12
    assert k.history[0].warm_until_step == -1


def test_kept_warm(make_case):
    """A thermostat at 5 C: starts always warm; standby is 10 kW, or what 300 W/K lose against the sol-air.

    *Proves:* the heat is paid as standby. *Sensitivity:* at +10 C the standby is 0.01 MW.
    """
    k = _only(_thermal(make_case, np.array([-40.0] * 6 + [10.0] * 6), asleep="kept_warm", thermostat_c=5.0))
    sky_k = 4.0 * (12.19 * 2.44) / (12.19 * 2.44 + 2 * 2.59 * (12.19 + 2.44))
    assert k.standby_mw[0] == pytest.approx(300 * (45 + sky_k) / 1e6, abs=1e-9)
    assert k.standby_mw[-1] == pytest.approx(0.01)
    assert k.start.warm_off_steps.tolist() == [12] * 12
    assert k.history[0].warm_until_step == 11


def test_measured_inside_temperature(make_case):
    """10 C inside at -30 C: warm until step 1; without a measurement every such container is named.

    *Proves:* nothing is guessed. *Sensitivity:* at -1 C inside it is cold already.
    """
    assert _only(_thermal(make_case, -30.0)).history[0].warm_until_step == 1
    colder = {"initial_mw": 0.0, "default": {"on": False, "hours": 3.0, "inside_temperature_c": -1.0}}
    assert _only(_thermal(make_case, -30.0, {"state": colder})).history[0].warm_until_step == -1
    unknown = {"initial_mw": 0.0, "default": {"on": False, "hours": 3.0}}
    with pytest.raises(BadInput) as caught:
        assemble(_thermal(make_case, -30.0, {"state": unknown}))
    assert len(caught.value.messages) == 6
    assert "container C01 is off" in caught.value.messages[0]
    assert "inside_temperature_c" in caught.value.messages[0]


def test_sun_keeps_a_box_warm_longer(make_case):
    """*Proves:* GHI reaches the window. *Sensitivity:* the same day without sun, which the plan notes."""
    case = {"state": MEASURED, "start": "2024-03-21T08:00:00+08:00"}
    dark, sunny = (
        assemble(make_case(case, container=COOLS, temperature_c=-12.0, **sun)) for sun in ({}, {"ghi_w_m2": 500.0})
    )
    assert sunny.problem.classes[0].start.warm_off_steps[0] > dark.problem.classes[0].start.warm_off_steps[0]
    assert any("no ghi_w_m2" in note for note in dark.notes)
    assert not any("no ghi_w_m2" in note for note in sunny.notes)


def test_stagger_cost_by_hand(make_case):
    """700 s lost of 22,880 TH/s, at 44.81 USD/PH/day 42.72 USD/h, less 0.52 x 1.02 x 10 USD/MWh of surplus.

    = (42.715 - 5.304) x 700/3600 = 7.274 USD on top of wear; where there is no surplus, the grid's 45 USD/MWh is
    the cheapest on offer: (42.715 - 23.868) x 700/3600 = 3.665 USD.

    *Proves:* ramp loss and credit by step. *Sensitivity:* without stagger the costs are 15 and 60 throughout.
    """
    stagger = {"miners_per_packet": 10, "packet_interval_s": 5.0, "boot_s": 600.0}
    container = {"start": {"warm_off_h": 6.0, "stagger": stagger}, "overhead": {"per_k": 0.0}}
    supply = np.array([8.0] * 11 + [0.0])
    k = _only(make_case(container=container, sources__surplus__available_mw=supply))
    assert k.start.warm_cost_usd[[0, 11]] == pytest.approx([22.274, 18.665], abs=2e-3)
    assert k.start.cold_cost_usd - k.start.warm_cost_usd == pytest.approx(45.0)
    plain = _only(make_case()).start
    assert plain.warm_cost_usd.tolist() == [15.0] * 12


def test_preheat_from_a_heater(make_case):
    """60 kW at sol-air -31.1 C, 300 W/K: about 62 kWh, in the 2 h before the start.

    *Proves:* energy by the weather of the start. *Sensitivity:* at +10 C none; a 9 kW heater is refused.
    """
    start = {"preheat_h": 2.0}
    k = _only(_thermal(make_case, np.array([-30.0] * 11 + [10.0]), start=start, heater_kw=60.0))
    assert k.start.cold_energy_mwh[0] == pytest.approx(0.0620, abs=2e-4)
    assert k.start.cold_energy_mwh[-1] == 0.0
    assert k.preheat_steps == 2
    slow = assemble(_thermal(make_case, -30.0, start=start, heater_kw=30.0))
    assert any("takes up to 2.3 h" in note for note in slow.notes)
    with pytest.raises(BadInput, match="too weak to warm a box"):
        assemble(_thermal(make_case, -30.0, start=start, heater_kw=9.0))


def test_a_preheat_longer_than_the_time_off_is_refused(make_case):
    """*Proves:* what the problem file would refuse is said in the user's words. *Sensitivity:* 3 h pass at W = 2."""
    start = {"preheat_h": 4.0}
    with pytest.raises(BadInput, match="Give a min_down_h of at least preheat_h"):
        assemble(_thermal(make_case, -30.0, start=start, heater_kw=60.0, conductance_w_per_k=600.0))
    fixed = {"start": {"warm_off_h": 2.0, "preheat_h": 3.0}}
    assert _only(make_case(container=fixed)).preheat_steps == 3


def test_fans_bring_in_the_air_and_not_the_sky(make_case):
    """At +0.5 C by night the walls are at -0.6 C (a clear sky), but fans blow air of +0.5 C: starts stay warm.

    *Proves:* with fans on, the air decides. *Sensitivity:* by sol-air temperature all would be cold at once.
    """
    k = _only(_thermal(make_case, 0.5, asleep="fans_on"))
    assert k.start.warm_off_steps.tolist() == [12] * 12


def test_the_long_side_to_the_sun(make_case):
    """On a January noon a box whose long side looks south needs less heat than one whose end does.

    *Proves:* the file's azimuth is that of the long side. *Sensitivity:* read as the axis, the two would swap.
    """
    case = {"start": "2024-01-15T13:00:00+08:00", "state": MEASURED, "horizon_h": 1.0}
    south, east = (
        make_case(
            case,
            container={"start": {}, "thermal": {**THERMAL, "asleep": "kept_warm", "thermostat_c": 5.0, **side}},
            temperature_c=-60.0,
            ghi_w_m2=250.0,
        )
        for side in ({"azimuth_deg": 180.0}, {"azimuth_deg": 90.0})
    )
    assert _only(south).standby_mw[0] < _only(east).standby_mw[0]


TIERED = {"warm_off_h": 6.0, "tiers": [{"off_h": 12.0, "wear_usd": 30.0}, {"off_h": 24.0, "wear_usd": 45.0}]}


def test_start_tiers_by_the_clock(make_case):
    """Tiers of 12 and 24 h; off for 10.5 h before step 0, in half-hour steps: of the first tier until step 3.

    *Proves:* tiers of the container model reach the problem, with their history, ramp cost and order.
    *Sensitivity:* hours taken for steps give 12 and 24; a history cut to whole hours gives step 2.
    """
    state = {"initial_mw": 0.0, "default": {"on": False, "hours": 10.5}}
    k = _only(make_case({"step_minutes": 30, "state": state}, container={"start": TIERED}))
    assert [tier.off_steps.tolist()[0] for tier in k.start.tiers] == [24, 48]
    assert [float(tier.cost_usd[0]) for tier in k.start.tiers] == [30.0, 45.0]
    assert k.history[0].warm_until_step == -1
    assert k.history[0].tier_until_steps == (3, 23)


def test_a_tier_shorter_than_a_step_is_left_out_and_said(make_case):
    """*Proves:* with hourly steps 6.5 h is not a tier beyond 6 h, and the plan says so.

    *Sensitivity:* two tiers of the same time off are refused by problem.json.
    """
    tiers = [{"off_h": 6.5, "wear_usd": 20.0}, {"off_h": 12.0, "wear_usd": 30.0}]
    result = assemble(make_case(container={"start": {"warm_off_h": 6.0, "tiers": tiers}}))
    (k,) = result.problem.classes
    assert [int(tier.off_steps[0]) for tier in k.start.tiers] == [12]
    assert any("the start tier up to 6.5 h is left out" in note for note in result.notes)


def test_container_ramp_by_step(make_case):
    """*Proves:* 0.6 MW an hour are 0.3 MW per half hour. *Sensitivity:* a key that is read and dropped gives None."""
    assert _only(make_case({"step_minutes": 30}, container={"ramp_mw_per_h": 0.6})).container_ramp_mw_per_step == 0.3
    assert _only(make_case()).container_ramp_mw_per_step is None
