"""The temperature inside a sleeping box crosses from one plan to the next."""

import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.assembly.equipment import Cooling
from flexmine.assembly.inside import Box, inside_after
from flexmine.inputs.case import load_case
from flexmine.inputs.schema import ContainerState, State
from flexmine.physics.thermal import warm_off_steps, warm_until_step

SHELL = {"heat_capacity_j_per_k": 6.6e6, "conductance_w_per_k": 300.0}


def _box(outside, measured=None, asleep="asleep_dampers_shut"):
    cooling = Cooling(outside, np.full(outside.size, 2000.0), start_temperature_c=0.0, **SHELL)
    return Box(cooling, asleep, 20.0, measured)


@pytest.mark.parametrize("stop", [3, 12, 20, 23])
def test_a_window_that_crosses_the_seam_is_as_long_as_in_one_plan(stop):
    """*Proves:* a stop before the seam stays warm after it for exactly as long as one plan of both days says.

    *Sensitivity:* without the temperature inside the second day knows only that the container is off.
    """
    outside = -25.0 + 8.0 * np.sin(np.arange(48) / 3.0)
    heat = np.full(48, 2000.0)
    whole = warm_off_steps(outside, heat, step_h=1.0, running_temperature_c=20.0, start_temperature_c=0.0, **SHELL)
    on = np.arange(24) < stop
    inside = inside_after({"C01": _box(outside[:24])}, {"C01": on}, 1.0)["C01"]
    until = warm_until_step(inside, outside[24:], heat[24:], step_h=1.0, start_temperature_c=0.0, **SHELL)
    assert until == max(-1, stop + int(whole[stop]) - 24)


def test_off_throughout_goes_on_cooling_from_what_was_measured():
    outside = np.full(10, -30.0)
    inside = inside_after({"C01": _box(outside, measured=5.0)}, {"C01": np.zeros(10, dtype=bool)}, 1.0)["C01"]
    rest = -30.0 + 2000.0 / 300.0
    assert inside == pytest.approx(rest + (5.0 - rest) * np.exp(-10 * 3600 * 300.0 / 6.6e6))


def test_who_runs_or_is_ventilated_has_none():
    outside = np.full(4, -10.0)
    on, off = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
    boxes = {"A": _box(outside), "B": _box(outside, 3.0, "fans_on"), "C": _box(outside, 12.0, "kept_warm")}
    assert inside_after(boxes, {"A": on, "B": off, "C": off}, 1.0) == {"C": 12.0}


def test_one_that_stops_in_the_first_step_cools_from_what_it_was_like_running():
    """*Proves:* a container that ran up to the first step and sleeps from then on has a temperature inside.

    *Sensitivity:* it had none, and the next plan, or the next hour of a back-test, was refused for the want of it.
    """
    case = load_case("deep-winter")
    state = State(initial_mw=7.0, default=ContainerState(on=True, hours=9, it_power_mw=0.5))
    boxes = assemble(case.window(0, 3, state)).boxes
    assert boxes
    inside = inside_after(boxes, dict.fromkeys(boxes, np.zeros(3, dtype=bool)), 1.0)
    assert set(inside) == set(boxes)
    running_c = {box.running_temperature_c for box in boxes.values()}
    assert all(min(running_c) > found > -40.0 for found in inside.values())
