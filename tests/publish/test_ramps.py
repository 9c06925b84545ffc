"""When containers change their power inside a step: by hand, and the peak on the way as a property."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_plants import schedule_of, two_containers
from flexmine.audit.replay import replay
from flexmine.problem import History, Miners
from flexmine.publish.ramps import ramps

TIMING = {"miners": 400, "miners_per_packet": 10, "packet_interval_s": 5.0, "boot_s": 60.0}


def times(problem, schedule, switching=None):
    facility = replay(problem, schedule).facility_power_mw
    return ramps(problem, schedule, facility, {"box": TIMING} if switching is None else switching)


def test_down_first_then_up():
    """*Proves:* in step 2 C01 stops over 200 s, and C02 starts when that is done and takes 200 s and 60 s of booting;
    who keeps its setpoint has no ramp.  *Sensitivity:* both at once would draw more than either hour for minutes.
    """
    problem = two_containers()
    schedule = schedule_of(
        problem, ((0, 1, 0, 0, 0, 0), (0, 0, 1, 1, 1, 0)), ((0, 1, 0, 0, 0, 0), (0, 0, 1, 1, 0.5, 0))
    )
    found = times(problem, schedule)
    nan = np.nan
    np.testing.assert_array_equal(found.start_s, [[nan, 0, 0, nan, nan, nan], [nan, nan, 200, nan, 0, 0]])
    np.testing.assert_array_equal(found.end_s, [[nan, 260, 200, nan, nan, nan], [nan, nan, 460, nan, 200, 200]])


def test_only_miners_that_change_are_told():
    """*Proves:* 40 of 400 miners that go from one preset to another take 4 packets, without booting; 15 that wake up
    take 2 and boot.  *Sensitivity:* counting all miners would give 200 s for both.
    """
    problem = two_containers()
    miners = Miners(400, ((1250.0, 50.0), (2500.0, 75.0)), sleep_w=25.0)
    problem = replace(problem, classes=(replace(problem.classes[0], miners=miners),))
    mixes = np.zeros((2, 6, 3), dtype=np.int32)
    for t, mix in enumerate([(100, 300, 0), (100, 260, 40), (85, 275, 40)]):
        mixes[0, t] = mix
    on = np.zeros((2, 6), dtype=bool)
    on[0, :3] = True
    power = np.where(on, 0.0, 0.0)
    power[0, :3] = (mixes[0, :3] @ np.array([25.0, 1250.0, 2500.0])) / 1e6
    schedule = replace(schedule_of(problem), on=on, it_power_mw=power, mixes=mixes)
    found = ramps(problem, schedule, 1.1 * power, {"box": TIMING})
    assert found.end_s[0, :4].tolist() == [260.0, 20.0, 2 * 5.0 + 60.0, 200.0 - 5.0 * 8]


def test_without_data_the_end_is_not_known():
    """*Proves:* a model without stagger gives a beginning and no end.  *Sensitivity:* 0 s would be a promise."""
    problem = two_containers()
    found = times(problem, schedule_of(problem), {})
    assert found.start_s[0, 1] == 0.0
    assert np.isnan(found.end_s).all()


def test_ramp_of_a_container_takes_its_time():
    """*Proves:* with 0.5 MW an hour of its own, C01 takes 30 minutes from 0.5 to 0.75 MW; its start takes the packets.

    *Sensitivity:* the packets alone would end after 200 s.
    """
    problem = two_containers(container_ramp_mw_per_step=0.5)
    power = ((0, 0.5, 0.75, 0.5, 0.5, 0), (0,) * 6)
    found = times(problem, schedule_of(problem, np.array(power) > 0, power))
    np.testing.assert_array_equal(found.end_s[0], [np.nan, 260, 1800, 1800, np.nan, 200])


def test_first_step_is_compared_with_what_ran_before():
    """*Proves:* a container that ran at 1.0 MW before step 0 and goes on has no ramp in it; the one that was off has.

    *Sensitivity:* without the history both would start.
    """
    problem = two_containers()
    past = (History(1, on=True, steps=5, it_power_mw=1.0), History(1, on=False, steps=5))
    problem = replace(problem, classes=(replace(problem.classes[0], history=past),))
    schedule = schedule_of(problem, ((1,) * 6, (1,) * 6), ((1.0,) * 6, (1.0,) * 6))
    found = times(problem, schedule)
    assert np.isnan(found.start_s[0, 0])
    assert found.start_s[1, 0] == 0.0


powers = st.lists(st.sampled_from([0.0, 0.5, 0.75, 1.0]), min_size=12, max_size=12)


@given(powers)
def test_never_more_on_the_way_than_before_or_after(levels):
    """*Proves:* with every container moving in a straight line from ramp start to ramp end, the sum never passes the
    larger of both setpoints.  *Sensitivity:* upward ramps at the beginning of the step break it.
    """
    power = np.array(levels).reshape(2, 6)
    problem = two_containers()
    schedule = schedule_of(problem, power > 0, power)
    facility = replay(problem, schedule).facility_power_mw
    found = times(problem, schedule)
    for t in range(1, 6):
        moments = np.unique(np.nan_to_num([0.0, *found.start_s[:, t], *found.end_s[:, t]]))
        total = np.zeros(moments.size)
        for i in range(2):
            if np.isnan(found.start_s[i, t]):
                total += facility[i, t]
            else:
                ends = [found.start_s[i, t], found.end_s[i, t]]
                total += np.interp(moments, ends, [facility[i, t - 1], facility[i, t]])
        most = max(facility[:, t - 1].sum(), facility[:, t].sum())
        assert total.max() <= most + 1e-9


@pytest.mark.parametrize("name", ["s19pro-400-thermal", "s19pro-400"])
def test_switching_comes_from_the_container_model(name):
    """*Proves:* what the container file says about packets is what a plan hands on; a file without is left out."""
    from flexmine.assembly import assemble
    from flexmine.assembly.switching import switching
    from flexmine.inputs.case import load_case

    case = load_case("bratsk-day")
    model = load_case("bratsk-day").container_models["shipped:containers/s19pro-400"]
    if name == "s19pro-400-thermal":
        from flexmine.inputs.equipment import Stagger

        start = model.start.model_copy(update={"stagger": Stagger(boot_s=30.0)})
        model = model.model_copy(update={"start": start})
    # No file holds this model: nothing of it is to be planned or written.
    case = replace(case, container_models={"shipped:containers/s19pro-400": model}, together=None)
    found = switching(case, assemble(case).problem)
    if name == "s19pro-400":
        assert found == {}
    else:
        assert (found["s19pro-400"].miners, found["s19pro-400"].boot_s) == (400, 30.0)
