"""What machines do when no new plan comes: within the ramp, in whole miners, and what it would break is said."""

from dataclasses import replace

import numpy as np
import pytest

from audit_plants import edit_json, plan_of, reseal, schedule_of, two_containers, write_plan
from flexmine.audit.replay import replay
from flexmine.problem import EnergyLimit, StartTier
from flexmine.problem.limits import with_site
from flexmine.publish.after import continued
from flexmine.publish.written import read_written

BOTH_ON = ((1, 1, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1))
FULL = ((1.0,) * 6, (1.0,) * 6)


def running(folder, **changes):
    """A plan of two containers at full power in all six steps, of which four are published."""
    problem = two_containers(cap=3.0, firm_mw=5.0, surplus_mw=1.0, **changes)
    write_plan(plan_of(problem, schedule_of(problem, BOTH_ON, FULL)), folder)
    return read_written(folder)


def powers(ending):
    """Site power of the ending's steps [MW]."""
    site = replay(ending.problem, ending.schedule).site_power_mw
    return [round(float(p), 6) for p in site[ending.first : ending.first + ending.steps]]


def test_hold_keeps_the_last_setpoint_and_says_what_it_breaks(tmp_path):
    """*Proves:* hold is one step for good; a cap of 1.5 MW in the look-ahead is named with its hour.
    *Sensitivity:* an ending that is not replayed would promise 2.2 MW under 1.5.
    """
    problem = two_containers(cap=3.0, firm_mw=5.0, surplus_mw=1.0)
    on = ((1, 1, 1, 1, 1, 1), (1, 1, 1, 1, 0, 0))
    power = ((1.0,) * 6, (1.0, 1.0, 1.0, 1.0, 0.0, 0.0))
    folder = write_plan(plan_of(problem, schedule_of(problem, on, power)), tmp_path / "plan")
    edit_json(folder / "problem.json", lambda d: d["site"].update(cap_mw=[3.0] * 4 + [1.5] * 2))
    reseal(folder)
    ending = continued(read_written(folder), "hold")
    assert (ending.steps, powers(ending)) == (1, [2.2])
    assert [b[:46] for b in ending.breaks] == [
        "cap: the site at 2024-09-10 04:00+08:00: facil",
        "cap: the site at 2024-09-10 05:00+08:00: facil",
    ]
    assert continued(read_written(folder), "minimum").breaks == ()


def test_a_commitment_ends_with_the_plan(tmp_path):
    """*Proves:* after a redispatch, containers that are held on in the look-ahead's stead break no limit.

    *Sensitivity:* counting the commitment of the look-ahead would report a break after every redispatch.
    """
    committed = np.array([2, 2, 2, 2, 0, 0])
    problem = two_containers(cap=3.0, firm_mw=5.0, surplus_mw=1.0, committed=committed)
    on = ((1, 1, 1, 1, 0, 0),) * 2
    power = ((1.0, 1.0, 1.0, 1.0, 0.0, 0.0),) * 2
    write_plan(plan_of(problem, schedule_of(problem, on, power)), tmp_path / "plan")
    assert continued(read_written(tmp_path / "plan"), "minimum").breaks == ()


def test_minimum_and_off_go_down_within_the_ramp(tmp_path):
    """*Proves:* from 2.2 MW with 0.6 MW a step, minimum takes two steps to 1.1, off two more, one container each.

    *Sensitivity:* off at once would be a drop of 2.18 MW.
    """
    plan = running(tmp_path / "plan", ramp=0.6)
    minimum, off = continued(plan, "minimum"), continued(plan, "off")
    assert (powers(minimum), minimum.breaks) == ([1.65, 1.1], ())
    assert (powers(off), off.breaks) == ([1.65, 1.1, 0.56, 0.02], ())
    assert off.problem.steps == 8
    assert len(off.problem.sources[0].available_mw) == 8
    assert powers(continued(running(tmp_path / "free"), "off")) == [0.02]


def test_container_larger_than_the_ramp_stops_alone_and_is_told(tmp_path):
    """*Proves:* with 0.3 MW a step the two stop one after the other, and each drop of 0.54 MW is named where the limits
    are known.  *Sensitivity:* waiting for a ramp that never comes would not end.
    """
    off = continued(running(tmp_path / "plan", ramp=0.3), "off")
    assert powers(off)[-3:] == [1.1, 0.56, 0.02]
    assert off.breaks == ()
    assert off.checked_until == 6


def test_ramp_of_a_container_is_kept(tmp_path):
    """*Proves:* with 0.2 MW a step of their own, both take three steps from 1.0 to 0.5 MW and only then stop; every
    series of the problem is as long as the ending, those of further start tiers too.  *Sensitivity:* going off at once
    would be named as a break of the container's ramp.
    """
    # Rising from 0.5 MW in steps of 0.2, so that the plan keeps the ramp itself.
    rise = (0.5, 0.7, 0.9, 1.0, 1.0, 1.0)
    tier = StartTier(np.full(6, 3), np.full(6, 20.0), np.zeros(6))
    problem = two_containers(cap=3.0, firm_mw=5.0, surplus_mw=1.0, container_ramp_mw_per_step=0.2)
    k = problem.classes[0]
    problem = replace(problem, classes=(replace(k, start=replace(k.start, tiers=(tier,))),))
    write_plan(plan_of(problem, schedule_of(problem, BOTH_ON, (rise, rise))), tmp_path / "plan")
    off = continued(read_written(tmp_path / "plan"), "off")
    assert off.breaks == ()
    assert len(off.problem.classes[0].start.tiers[0].cost_usd) == off.problem.steps == 8
    power = off.schedule.it_power_mw[0, off.first - 1 : off.first + off.steps]
    np.testing.assert_allclose(power, [1.0, 5 / 6, 2 / 3, 0.5, 0.0], atol=1e-5)


@pytest.mark.parametrize("action", ["hold", "minimum", "off"])
def test_ending_of_real_containers_in_whole_miners(shipped_plan, action):
    """*Proves:* the ending of a planned day has whole miners in every running container, and neither minimum nor off
    breaks a limit of the day after, while hold does (warmer hours need more power under the same cap).
    *Sensitivity:* a mix that does not draw the power would be a break.
    """
    plan = read_written(shipped_plan)
    ending = continued(plan, action)
    assert bool(ending.breaks) == (action == "hold")
    last = ending.first + ending.steps - 1
    on = ending.schedule.on[:, last]
    assert (ending.schedule.mixes[on, last].sum(axis=1) == 400).all()
    assert on.any() == (action != "off")


def limited(folder, **limit):
    """The two containers at full power, at half of it after the published hours, which take surplus in two only."""
    problem = two_containers(cap=3.0, firm_mw=5.0, surplus_mw=1.0)
    limits = (EnergyLimit(**({"name": "daily", "source": "surplus", "first_step": 0, "steps": 6} | limit)),)
    problem = with_site(problem, energy_limits=limits)
    power, surplus = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5]), np.array([0.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    schedule = schedule_of(problem, BOTH_ON, (power, power), supply_mw=[surplus, 2.2 * power - surplus])
    write_plan(plan_of(problem, schedule), folder)
    return read_written(folder)


def test_published_hours_keep_the_plans_own_supply(tmp_path):
    """Cheap power in hours 1 and 3, as the plan says; after hour 3 half a MWh of 2.5 is left: hour 4 takes it.

    *Proves:* the split between sources of the published hours is not computed anew, and the ending takes of a source
    no more than they leave.
    *Sensitivity:* by price alone the limit would be broken in the published hours, and an ending blamed for it.
    """
    plan = limited(tmp_path / "plan", at_most_mwh=2.5)
    ending = continued(plan, "hold")
    assert ending.breaks == ()
    assert ending.schedule.supply_mw[0] == pytest.approx([0.0, 1.0, 0.0, 1.0, 0.5, 0.0])
    assert np.array_equal(ending.schedule.supply_mw[:, :4], plan.schedule.supply_mw[:, :4])


def test_an_ending_that_breaks_a_limit_that_began_before_it_is_told(tmp_path):
    """2.2 MW in six hours are 13.2 MWh; 12 are allowed.  At minimum power 2 x 1.1 are 11 with the four hours before.

    *Proves:* a limit that spans published hours and the ending is checked to its end, although its first hour is past.
    *Sensitivity:* told by its first step alone it lies before the ending, and nobody hears of it.
    """
    plan = limited(tmp_path / "plan", source=None, at_most_mwh=12.0)
    (told,) = continued(plan, "hold").breaks
    assert told.startswith("energy_at_most: energy limit daily at 2024-09-10 00:00+08:00: 13.200000 MWh")
    assert continued(plan, "minimum").breaks == ()
    past = limited(tmp_path / "past", source=None, steps=4, at_most_mwh=9.0)
    assert continued(past, "hold").breaks == ()
