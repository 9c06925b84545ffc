"""Each seeded conflict must be told with its limit, hour and amount; a plant that can run must give none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from flexmine.errors import Infeasible
from flexmine.explain.prechecks import conflicts
from flexmine.problem import (
    ContainerClass,
    Group,
    History,
    Problem,
    Site,
    Source,
    StartTerms,
    StartTier,
    TimeAxis,
)
from flexmine.solving.engine import SolveOptions, solve
from plants import random_problem

STEPS = 6


def full(value, kind=float):
    return np.full(STEPS, value, dtype=kind)


def at(step, value, elsewhere=0.0, kind=float):
    series = full(elsewhere, kind)
    series[step] = value
    return series


def plant(*, site=None, supply_mw=20.0, **changes) -> Problem:
    """Ten containers of 0.5 to 1.0 MW, overhead 1, standby 0.1 MW, off for long; 20 MW of grid and cap."""
    k = ContainerClass(
        name="box",
        count=10,
        containers=tuple(f"C{i:02d}" for i in range(10)),
        it_power_mw=np.array([0.5, 1.0]),
        hash_rate_th_s=np.array([500.0, 900.0]),
        max_it_power_mw=full(1.0),
        min_it_power_mw=full(0.0),
        overhead=full(1.0),
        standby_mw=full(0.1),
        hash_value_usd_per_th_s_h=full(0.1),
        min_up_steps=4,
        min_down_steps=3,
        start=StartTerms(full(1.0), full(5.0), full(4, int), full(0.0)),
        available=full(10, int),
        must_run=full(0, int),
        history=(History(10, False, 20),),
    )
    time = TimeAxis(datetime.fromisoformat("2024-09-10T04:00:00+08:00"), 1.0, STEPS, "Asia/Irkutsk")
    grid = Source("grid", "firm", np.broadcast_to(np.asarray(supply_mw, float), (STEPS,)), full(10.0))
    base = Site(cap_mw=full(20.0), base_load_mw=full(0.0), minimum_mw=full(0.0))
    return Problem(time, (replace(k, **changes),), (grid,), replace(base, **(site or {})))


RAMPS = {"ramp_up_mw_per_step": 2.0, "ramp_down_mw_per_step": 2.0}
# Each row: the plant, and what its sentence must contain.  Step 0 begins at 04:00, step 1 at 05:00.
SEEDED = {
    "must_run above available": (
        plant(must_run=at(1, 4, kind=int), available=full(3, int)),
        ("class box", "must_run", "asks for 4", "available are 3", "at 2024-09-10 05:00", "1 more must be available"),
    ),
    "must_run in the heat": (
        plant(must_run=full(2, int), max_it_power_mw=at(2, 0.4, 1.0)),
        ("class box", "must_run", "2 running at 2024-09-10 06:00", "0.4 MW is below the lowest power of 0.5 MW"),
    ),
    "must_run in the cold": (
        plant(must_run=full(2, int), min_it_power_mw=at(2, 1.2)),
        ("class box", "must_run", "2 running at 2024-09-10 06:00", "1 MW is below the lowest power of 1.2 MW"),
    ),
    "minimum up time against an outage": (
        plant(history=(History(6, True, 1), History(4, False, 9)), available=at(2, 5, 10, int)),
        ("class box", "minimum up time from history", "asks for 6", "available are 5", "at 2024-09-10 06:00"),
    ),
    "must_run against minimum down time": (
        plant(history=(History(7, False, 1), History(3, True, 9)), must_run=full(5, int)),
        (
            "class box",
            "must_run asks for 5",
            "7 of 10 are still kept off by the minimum down time of 3 steps",
            "from 2024-09-10 04:00 until 2024-09-10 06:00",
            "must be 2 lower",
        ),
    ),
    "must_run against the start limit": (
        plant(
            history=(History(10, False, 9, starts_today=1),),
            must_run=at(3, 1, kind=int),
            max_starts_per_day=1,
            site={"day_of_step": full(0, int)},
        ),
        ("class box", "must_run asks for 1", "max_starts_per_day = 1", "at 2024-09-10 07:00"),
    ),
    "must_run before preheat is possible": (
        plant(must_run=full(1, int), preheat_steps=2),
        ("class box", "the preheat of 2 steps", "from 2024-09-10 04:00 until 2024-09-10 06:00"),
    ),
    "cap below standby and base load": (
        plant(site={"cap_mw": at(1, 1.2, 20.0), "base_load_mw": full(0.5)}),
        ("site cap_mw of 1.2 MW", "below the 1.5 MW", "standby and base load", "at 2024-09-10 05:00", "0.3 MW higher"),
    ),
    "supply below standby": (
        plant(supply_mw=at(1, 0.4, 20.0)),
        ("supply (available_mw of grid) of 0.4 MW", "below the 1 MW", "at 2024-09-10 05:00", "0.6 MW higher"),
    ),
    "feeder below standby": (
        plant(site={"groups": (Group("f1", 0.7, ("box",)),)}),
        (
            "feeder f1: cap_mw of 0.7 MW",
            "below the 1 MW",
            "from 2024-09-10 04:00 until 2024-09-10 10:00",
            "0.3 MW higher",
        ),
    ),
    "feeder below the bound containers": (
        plant(history=(History(6, True, 3), History(4, False, 9)), site={"groups": (Group("f1", 3.0, ("box",)),)}),
        ("feeder f1: cap_mw of 3 MW", "below the 3.4 MW", "bound to run", "at 2024-09-10 04:00", "0.4 MW higher"),
    ),
    "cap below must_run at lowest power": (
        plant(must_run=at(3, 8, kind=int), site={"cap_mw": full(4.0)}),
        ("site cap_mw of 4 MW", "below the 4.2 MW", "bound to run", "at 2024-09-10 07:00", "0.2 MW higher"),
    ),
    "supply below must_run at lowest power": (
        plant(must_run=full(8, int), supply_mw=at(4, 4.0, 20.0)),
        ("supply (available_mw of grid) of 4 MW", "below the 4.2 MW", "at 2024-09-10 08:00", "0.2 MW higher"),
    ),
    "minimum above cap": (
        plant(site={"cap_mw": full(5.0), "minimum_mw": at(2, 6.0)}),
        ("site minimum_mw of 6 MW", "above site cap_mw of 5 MW", "at 2024-09-10 06:00", "1 MW lower"),
    ),
    "minimum above supply": (
        plant(supply_mw=5.5, site={"minimum_mw": at(2, 6.0)}),
        ("site minimum_mw of 6 MW", "above supply (available_mw of grid) of 5.5 MW", "at 2024-09-10 06:00"),
    ),
    "minimum above what can be drawn": (
        plant(available=full(4, int), site={"minimum_mw": at(2, 5.0)}),
        ("site minimum_mw of 5 MW", "most that can be drawn", "of 4.6 MW", "at 2024-09-10 06:00", "0.4 MW lower"),
    ),
    "minimum above what minimum down lets run": (
        plant(history=(History(10, False, 2),), site={"minimum_mw": full(1.5)}),
        ("site minimum_mw of 1.5 MW", "most that can be drawn", "of 1 MW", "at 2024-09-10 04:00", "0.5 MW lower"),
    ),
    "minimum above what the feeders let through": (
        plant(site={"minimum_mw": at(2, 7.0), "groups": (Group("f1", 6.0, ("box",)),)}),
        ("site minimum_mw of 7 MW", "most that can be drawn", "of 6 MW", "at 2024-09-10 06:00"),
    ),
    "ramp down too slow for a cap": (
        plant(history=(History(10, True, 9),), site={**RAMPS, "initial_mw": 9.0, "cap_mw": at(1, 4.0, 20.0)}),
        (
            "ramp_down_mw_per_step of 2 MW",
            "from initial_mw of 9 MW power cannot fall below 5 MW",
            "site cap_mw of 4 MW",
            "at 2024-09-10 05:00",
            "0.5 MW per step faster",
        ),
    ),
    "ramp down too slow for the supply": (
        plant(supply_mw=at(1, 4.0, 20.0), history=(History(10, True, 9),), site={**RAMPS, "initial_mw": 9.0}),
        ("ramp_down_mw_per_step of 2 MW", "cannot fall below 5 MW", "supply (available_mw of grid) of 4 MW"),
    ),
    "ramp down too slow for a window": (
        plant(available=at(1, 0, 10, int), history=(History(10, True, 9),), site={**RAMPS, "initial_mw": 9.0}),
        (
            "ramp_down_mw_per_step of 2 MW",
            "cannot fall below 5 MW",
            "most that can be drawn",
            "of 1 MW",
            "2024-09-10 05:00",
        ),
    ),
    "ramp down in step 0": (
        plant(history=(History(10, True, 9),), site={**RAMPS, "initial_mw": 9.0, "cap_mw": at(0, 6.5, 20.0)}),
        ("ramp_down_mw_per_step of 2 MW", "cannot fall below 7 MW", "at 2024-09-10 04:00", "0.5 MW higher"),
    ),
    "ramp down from a minimum to a cap": (
        plant(history=(History(10, True, 9),), site={**RAMPS, "minimum_mw": at(1, 9.0), "cap_mw": at(3, 4.0, 20.0)}),
        (
            "ramp_down_mw_per_step of 2 MW",
            "from site minimum_mw at 2024-09-10 05:00",
            "at 2024-09-10 07:00",
            "0.5 MW per",
        ),
    ),
    "ramp up too slow for a minimum": (
        plant(site={**RAMPS, "initial_mw": 1.0, "minimum_mw": at(1, 6.0)}),
        (
            "ramp_up_mw_per_step of 2 MW",
            "from initial_mw of 1 MW power cannot rise above 5 MW",
            "site minimum_mw of 6 MW",
            "at 2024-09-10 05:00",
            "0.5 MW per step faster",
        ),
    ),
    "ramp up too slow for must_run": (
        plant(must_run=at(0, 10, kind=int), site={**RAMPS, "initial_mw": 1.0}),
        (
            "ramp_up_mw_per_step of 2 MW",
            "cannot rise above 3 MW",
            "least possible power",
            "of 5 MW",
            "2024-09-10 04:00",
        ),
    ),
    "ramp up from a cap to a minimum": (
        plant(site={**RAMPS, "cap_mw": at(2, 3.0, 20.0), "minimum_mw": at(3, 6.0)}),
        ("ramp_up_mw_per_step of 2 MW", "from site cap_mw at 2024-09-10 06:00", "at 2024-09-10 07:00", "1 MW per step"),
    ),
}


@pytest.mark.parametrize("name", SEEDED)
def test_seeded_conflict_is_told(name):
    """*Proves:* limit, subject, hour and amount of each seeded conflict stand in one sentence.

    *Sensitivity:* each amount is worked out by hand; a check that is absent or shifted by a step gives other words.
    """
    problem, words = SEEDED[name]
    found = conflicts(problem)
    assert any(all(word in sentence for word in words) for sentence in found), "\n".join(found)


@pytest.mark.parametrize(
    "problem",
    [
        plant(),
        plant(must_run=at(1, 3, kind=int), available=full(3, int)),
        plant(history=(History(6, True, 1), History(4, False, 9)), available=at(3, 5, 10, int)),
        plant(history=(History(7, False, 1), History(3, True, 9)), must_run=at(2, 10, 3, int)),
        plant(site={"cap_mw": full(1.0)}),
        plant(available=full(4, int), site={"minimum_mw": full(4.6)}),
        plant(history=(History(10, True, 9),), site={**RAMPS, "initial_mw": 9.0, "cap_mw": at(1, 5.0, 20.0)}),
        plant(site={**RAMPS, "initial_mw": 1.0, "minimum_mw": at(1, 5.0)}),
        plant(must_run=at(2, 1, kind=int), preheat_steps=2),
    ],
)
def test_a_limit_just_kept_is_no_conflict(problem):
    """*Proves:* at exact equality there is no sentence.  *Sensitivity:* an off-by-one step or count gives one."""
    assert conflicts(problem) == []


def test_preheat_adds_to_the_most_that_can_be_drawn():
    """*Proves:* ten cold starts of 0.3 MWh lift the most from 10 to 13 MW, so that 12 MW is not a proven conflict.

    *Sensitivity:* without the preheat the check would call a possible plan impossible; above 13 MW it still speaks.
    """
    start = StartTerms(full(1.0), full(5.0), full(4, int), full(0.3))
    assert conflicts(plant(start=start, site={"minimum_mw": at(0, 12.0)})) == []
    assert "of 13 MW" in conflicts(plant(start=start, site={"minimum_mw": at(0, 13.5)}))[0]


def test_a_start_between_warm_and_cold_may_need_no_preheat():
    """Off for two steps and no longer warm: starts are of a tier up to eight steps off, which draws nothing; ten may
    run in step 0 already.  Preheat before a cold start takes two steps.

    *Proves:* must-run in step 0 is not a conflict, and the solver has a plan; with a tier that is preheated it is one.
    *Sensitivity:* only the warm window looked at, all ten would be called kept off by preheat.
    """
    past = {"history": (History(10, False, 2, warm_until_step=-1),), "min_down_steps": 2, "preheat_steps": 2}
    for energy, impossible in ((0.0, False), (0.3, True)):
        tier = StartTier(full(8, int), full(3.0), full(energy))
        start = StartTerms(full(1.0), full(5.0), full(4, int), full(0.3), (tier,))
        problem = plant(start=start, must_run=at(0, 10, kind=int), **past)
        assert bool(conflicts(problem)) is impossible
        if not impossible:
            assert solve(problem, SolveOptions()).classes[0].on[0] == 10


def test_running_that_draws_less_than_rest_is_counted_on_the_safe_side():
    """*Proves:* a heated container at rest (0.8 MW) above one that runs (0.5 MW) makes running the least power.

    *Sensitivity:* 10 x 0.8 = 8 MW of standby would be called a conflict with the cap of 5.5 MW, which is kept by
    running all ten.
    """
    assert conflicts(plant(standby_mw=full(0.8), site={"cap_mw": full(5.5)})) == []


def test_no_conflict_where_a_plan_exists():
    """*Proves:* over 60 random plants of all features, each told conflict is infeasible by the solver as well.

    *Sensitivity:* a check that guesses instead of proving calls one of the feasible plants impossible; and some of the
    infeasible ones must be told, else the checks do nothing.
    """
    told = 0
    for seed in range(60):
        problem = random_problem(seed)
        if conflicts(problem):
            told += 1
            with pytest.raises(Infeasible):
                solve(problem, SolveOptions(gap=0.5))
    assert told >= 3
