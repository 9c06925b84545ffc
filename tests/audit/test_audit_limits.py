"""Every kind of limit, broken by a doctored schedule: the audit names limit, place, local time and amount."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit_plants import IT_POWER_MW, ON, schedule_of, two_containers
from flexmine.audit.replay import replay
from flexmine.problem import Group, History

FLOWING = ((0, 1, 1, 1, 1, 1), (0,) * 6)
RUN = ((0, 1, 1, 1, 0, 0), (0,) * 6)
FEEDER = (Group("f1", 1.1, ("box",)),)
HOT = {"max_it_power_mw": [1, 1, 0.9, 1, 1, 1]}
TOO_HOT = {"max_it_power_mw": [1, 1, 0.4, 1, 1, 1]}
COLD = {"min_it_power_mw": [0, 0.6, 0, 0, 0, 0]}
SHORT_REST = {"history": (History(2, on=False, steps=1),), "min_down_steps": 3}
JUST_STARTED = {"history": (History(2, on=True, steps=1),), "min_up_steps": 3}
TWO_DAYS = [0, 0, 0, 0, 0, 1]


def power(row, step, value):
    changed = np.array(IT_POWER_MW)
    changed[row, step] = value
    return changed


# limit, changes of the plant, on, IT power, what the first sentence says
BROKEN = {
    "minimum_up": (
        {"min_up_steps": 3},
        ON,
        IT_POWER_MW,
        "minimum_up: container C01 at 2024-09-10 03:00+08:00: stops after 2 steps on; it has to stay on for 3 steps.",
    ),
    "minimum_up in history": (
        JUST_STARTED,
        ((1, 0, 0, 0, 0, 0), (1,) * 6),
        np.array(((1, 0, 0, 0, 0, 0), (1,) * 6)) * 0.5,
        "minimum_up: container C01 at 2024-09-10 01:00+08:00: stops after 2 steps on",
    ),
    "minimum_down": (
        {"min_down_steps": 2},
        ON,
        IT_POWER_MW,
        "minimum_down: container C01 at 2024-09-10 04:00+08:00: starts after 1 steps off; it has to stay off for 2",
    ),
    "minimum_down in history": (
        SHORT_REST,
        FLOWING,
        np.array(FLOWING) * 0.5,
        "minimum_down: container C01 at 2024-09-10 01:00+08:00: starts after 2 steps off",
    ),
    "available": (
        {"available": [2, 2, 0, 2, 2, 2]},
        ON,
        IT_POWER_MW,
        "available: class box at 2024-09-10 02:00+08:00: 1 containers run, 0 are available.",
    ),
    "commitment": (
        {"committed": [0, 1, 2, 0, 1, 1]},
        ON,
        IT_POWER_MW,
        "commitment: class box at 2024-09-10 02:00+08:00: 1 containers run, 2 are committed.",
    ),
    "cannot_run": (
        TOO_HOT,
        ON,
        IT_POWER_MW,
        "cannot_run: class box at 2024-09-10 02:00+08:00: 1 containers run where none can: lowest power 0.500000 MW",
    ),
    "must_run": (
        {"must_run": [0, 0, 0, 1, 0, 0]},
        ON,
        IT_POWER_MW,
        "must_run: class box at 2024-09-10 03:00+08:00: 0 containers run, 1 must run.",
    ),
    "maximum_power": (
        HOT,
        ON,
        IT_POWER_MW,
        "maximum_power: container C01 at 2024-09-10 02:00+08:00: IT power 1.000000 MW is above its highest, 0.900000",
    ),
    "maximum_power of the curve": (
        {"max_it_power_mw": 5.0},
        ON,
        power(0, 2, 1.2),
        "maximum_power: container C01 at 2024-09-10 02:00+08:00: IT power 1.200000 MW is above its highest, 1.000000",
    ),
    "minimum_power": (
        {},
        ON,
        power(0, 1, 0.4),
        "minimum_power: container C01 at 2024-09-10 01:00+08:00: IT power 0.400000 MW is below its lowest, 0.500000",
    ),
    "minimum_power in the cold": (
        COLD,
        ON,
        IT_POWER_MW,
        "minimum_power: container C01 at 2024-09-10 01:00+08:00: IT power 0.500000 MW is below its lowest, 0.600000",
    ),
    "off_power": (
        {},
        ON,
        power(1, 0, 0.2),
        "off_power: container C02 at 2024-09-10 00:00+08:00: is off and draws 0.200000 MW of IT power",
    ),
    "preheat": (
        {"preheat_steps": 2, "cold_energy_mwh": 0.1},
        ON,
        IT_POWER_MW,
        "preheat: container C01 at 2024-09-10 01:00+08:00: a cold start needs 2 steps of preheating before it, 1 are",
    ),
    "start_limit": (
        {"max_starts_per_day": 1, "day_of_step": TWO_DAYS},
        ON,
        IT_POWER_MW,
        "start_limit: container C01 at 2024-09-10 04:00+08:00: this is start number 2 of the day, 1 allowed.",
    ),
    "start_limit with starts today": (
        {
            "max_starts_per_day": 1,
            "day_of_step": TWO_DAYS,
            "history": (History(1, False, 10, starts_today=1), History(1, False, 10)),
        },
        FLOWING,
        np.array(FLOWING) * 0.5,
        "start_limit: container C01 at 2024-09-10 01:00+08:00: this is start number 2 of the day, 1 allowed.",
    ),
    "container_ramp at the start": (
        {"container_ramp_mw_per_step": 1.0},
        RUN,
        ((0.0, 0.7, 0.6, 0.5, 0.0, 0.0), (0.0,) * 6),
        "container_ramp: container C01 at 2024-09-10 01:00+08:00: in the step of its start it is 0.200000 MW above its",
    ),
    "container_ramp before the stop": (
        {"container_ramp_mw_per_step": 1.0},
        RUN,
        ((0.0, 0.5, 0.6, 1.0, 0.0, 0.0), (0.0,) * 6),
        "container_ramp: container C01 at 2024-09-10 03:00+08:00: in the last step before its stop it is 0.500000 MW",
    ),
    "container_ramp in between": (
        {"container_ramp_mw_per_step": 0.3},
        ((0, 1, 1, 1, 1, 1), (0,) * 6),
        ((0.0, 0.5, 0.9, 0.6, 0.6, 0.6), (0.0,) * 6),
        "container_ramp: container C01 at 2024-09-10 02:00+08:00: IT power changes by 0.400000 MW from the step before",
    ),
    "container_ramp from history": (
        {"container_ramp_mw_per_step": 0.3, "history": (History(1, True, 10, 1.0), History(1, False, 10))},
        ((1, 1, 1, 1, 1, 1), (0,) * 6),
        ((0.6,) * 6, (0.0,) * 6),
        "container_ramp: container C01 at 2024-09-10 00:00+08:00: IT power changes by 0.400000 MW from the step before",
    ),
    "cap": (
        {"cap": 1.0},
        ON,
        IT_POWER_MW,
        "cap: the site at 2024-09-10 02:00+08:00: facility power 1.110000 MW is 0.110000 MW above the 1.000000 MW",
    ),
    "cap with base load": (
        {"cap": 1.2, "base_load": 0.1},
        ON,
        IT_POWER_MW,
        "cap: the site at 2024-09-10 02:00+08:00: facility power 1.210000 MW is 0.010000 MW above",
    ),
    "minimum": (
        {"minimum": [0, 0, 0, 0.5, 0, 0]},
        ON,
        IT_POWER_MW,
        "minimum: the site at 2024-09-10 03:00+08:00: facility power 0.020000 MW is 0.480000 MW below the 0.500000",
    ),
    "feeder": (
        {"feeders": FEEDER, "base_load": 0.5},
        ON,
        IT_POWER_MW,
        "feeder: feeder f1 at 2024-09-10 02:00+08:00: facility power 1.110000 MW is 0.010000 MW above the 1.100000",
    ),
    "ramp_up": (
        {"ramp": 0.8, "ramp_down": 9.0},
        ON,
        IT_POWER_MW,
        "ramp_up: the site at 2024-09-10 04:00+08:00: rise from the step before of 0.815000 MW is 0.015000 MW above",
    ),
    "ramp_up from before": (
        {"ramp": 1.0, "ramp_down": 9.0, "initial": 0.0, "base_load": 2.0, "cap": 9.0},
        ON,
        IT_POWER_MW,
        "ramp_up: the site at 2024-09-10 00:00+08:00: rise from the step before of 2.020000 MW is 1.020000 MW above",
    ),
    "ramp_down": (
        {"ramp": 9.0, "ramp_down": 1.0},
        ON,
        IT_POWER_MW,
        "ramp_down: the site at 2024-09-10 03:00+08:00: fall from the step before of 1.090000 MW is 0.090000 MW above",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_limit_is_named(name):
    """One limit is narrowed or one number changed; exactly that limit is named.

    *Proves:* each limit is compared, alone.  *Sensitivity:* the same schedule passes on the plant as it was.
    """
    changes, on, it_power, sentence = BROKEN[name]
    problem = two_containers(**changes)
    found = replay(problem, schedule_of(problem, on, it_power))
    assert [v.limit for v in found.violations] == [name.split()[0]], [v.message for v in found.violations]
    assert found.violations[0].message.startswith(sentence)
    assert found.violations[0].amount > 0
    assert not found.ok


@pytest.mark.parametrize(
    ("source", "step", "value", "sentences"),
    [
        (0, 2, 1.5, ["source surplus at 2024-09-10 02:00+08:00: power taken of 1.500000 MW is 0.500000 MW above"]),
        (1, 0, -0.25, ["source grid at 2024-09-10 00:00+08:00: power taken of -0.250000 MW is 0.250000 MW below"]),
        (0, 4, 0.5, []),
    ],
)
def test_supply_beyond_what_is_offered_below_zero_or_out_of_balance(source, step, value, sentences):
    """*Proves:* sources keep their limits and meet the site's power.

    *Sensitivity:* a sale to the grid (negative) or an offer taken twice would pay for itself.
    """
    problem = two_containers()
    schedule = schedule_of(problem)
    supply = schedule.supply_mw.copy()
    supply[source, step] = value
    found = replay(problem, replace(schedule, supply_mw=supply))
    messages = [v.message for v in found.violations]
    for sentence, message in zip(sentences, messages, strict=False):
        assert message.startswith(f"supply: {sentence}")
    assert messages[-1].startswith(f"balance: the site at 2024-09-10 0{step}:00+08:00: the sources give ")
    assert len(messages) == len(sentences) + 1


@pytest.mark.parametrize("field", ["it_power_mw", "supply_mw"])
def test_a_number_that_is_none_keeps_no_limit(field):
    """*Proves:* NaN is refused.  *Sensitivity:* written as `value > limit`, every comparison with NaN would pass."""
    problem = two_containers()
    schedule = schedule_of(problem)
    doctored = getattr(schedule, field).copy()
    doctored[0, 2] = np.nan
    assert not replay(problem, replace(schedule, **{field: doctored})).ok


def test_obligations_are_cut_off_at_the_end_of_the_horizon():
    """A start in the last step, with four steps of minimum up time.

    *Proves:* what would lie behind the horizon is not asked for.  *Sensitivity:* one violation if it were.
    """
    problem = two_containers(min_up_steps=4)
    on = ((0, 0, 0, 0, 0, 1), (0,) * 6)
    assert replay(problem, schedule_of(problem, on, np.array(on) * 0.5)).ok


def test_availability_does_not_name_containers():
    """One of two may run; C01 in the first half, C02 in the second.

    *Proves:* `available` counts, it does not bind the same container.  *Sensitivity:* as an outage of C02 it fails.
    """
    problem = two_containers(available=1)
    on = ((1, 1, 1, 0, 0, 0), (0, 0, 0, 1, 1, 1))
    assert replay(problem, schedule_of(problem, on, np.array(on) * 0.5)).ok


def test_a_start_on_the_next_day_counts_anew():
    """*Proves:* starts are counted by local day.  *Sensitivity:* with one day for all, the second start breaks 1."""
    problem = two_containers(max_starts_per_day=1, day_of_step=[0, 0, 0, 0, 1, 1])
    assert replay(problem, schedule_of(problem)).ok


def test_within_the_tolerance_is_kept_and_beyond_it_is_not():
    """*Proves:* the tolerance is what was asked for.  *Sensitivity:* 1.110 MW against a cap of 1.1095 MW."""
    problem = two_containers(cap=1.1095)
    schedule = schedule_of(problem)
    assert not replay(problem, schedule).ok
    assert replay(problem, schedule, tolerance_mw=1e-3).ok


def test_a_ramp_that_is_kept():
    """Starts at 0.5 MW, rises and falls by 0.25, and is back at 0.5 before it stops.

    *Proves:* the ramp binds a container that runs on, and nothing before its start or after its stop.
    *Sensitivity:* the step to 0 and from 0 is 0.5 MW, twice the ramp.
    """
    problem = two_containers(container_ramp_mw_per_step=0.25)
    on = ((0, 1, 1, 1, 0, 0), (0,) * 6)
    seen = replay(problem, schedule_of(problem, on, ((0, 0.5, 0.75, 0.5, 0, 0), (0.0,) * 6)))
    assert seen.ok, seen.violations


def test_start_tiers_are_priced_by_the_time_off():
    """Off for 1, 2, 3 and 4 steps: warm 1, then 2, then 3 USD, cold 4 USD; known from before step 0 by a step.

    *Proves:* each start is priced, and preheated, by its own tier; `tier_until_steps` rules over steps off.
    *Sensitivity:* a tier that ends a step early or late, or cold energy drawn by all that are not warm, differs.
    """
    terms = {
        "warm_cost_usd": 1.0,
        "cold_cost_usd": 4.0,
        "cold_energy_mwh": 0.3,
        "warm_off_steps": 1,
        "tiers": ((2, 2.0, 0.0), (3, 3.0, 0.1)),
        "min_up_steps": 1,
    }
    for off, cost, energy in ((1, 1.0, 0.0), (2, 2.0, 0.0), (3, 3.0, 0.1), (4, 4.0, 0.3)):
        problem = two_containers(**terms, history=(History(1, True, 10), History(1, False, 10)))
        states = [0] * off + [1] * (6 - off)
        seen = replay(problem, schedule_of(problem, (states, (0,) * 6), (np.array(states) * 0.5, (0.0,) * 6)))
        assert seen.ok
        assert (seen.usd["start_cost"].sum(), seen.preheat_mw.sum()) == pytest.approx((cost, energy))
    told = History(1, False, 10, warm_until_step=0, tier_until_steps=(2, 3))
    for t, cost in ((0, 1.0), (1, 2.0), (2, 2.0), (3, 3.0), (4, 4.0)):
        problem = two_containers(**terms, history=(told, History(1, False, 10)))
        states = [0] * t + [1] * (6 - t)
        seen = replay(problem, schedule_of(problem, (states, (0,) * 6), (np.array(states) * 0.5, (0.0,) * 6)))
        assert seen.usd["start_cost"].sum() == pytest.approx(cost)
