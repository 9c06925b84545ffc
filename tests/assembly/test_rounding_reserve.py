"""The reserve for rounding: what it narrows, when it is given up, and that this is said."""

from __future__ import annotations

import pytest

from flexmine.assembly import assemble
from flexmine.assembly.reserve import needed_reserve_mw, without_reserve
from flexmine.errors import Infeasible
from flexmine.workflow.plan_case import plan_case

PRESETS = [
    {"power_w": w, "hash_rate_th_s": h} for w, h in ((1300.0, 57.2), (1950.0, 79.3), (2600.0, 96.2), (3250.0, 110.0))
]
MINERS = {"miners": {"count": 400, "model": "s19pro", "presets": PRESETS}}
FEEDERS = [{"name": "f1", "cap_mw": 2.0, "containers": ["C01", "C02"]}]


def test_caps_and_ramps_are_narrowed_where_there_are_miners(make_case):
    """Cap 10, feeder 2, ramps 4 and 2 MW: 9.996, 1.996, 3.996, 1.996; supply and minimum stay.

    *Proves:* 4 kW from each, written into the problem.  *Sensitivity:* without miners nothing is narrowed.
    """
    site = assemble(make_case(plant={"feeders": FEEDERS}, container=MINERS)).problem.site
    assert site.rounding_reserve_mw == 0.004
    assert site.cap_mw.tolist() == [9.996] * 12
    assert [f.cap_mw for f in site.groups] == [1.996]
    assert (site.ramp_up_mw_per_step, site.ramp_down_mw_per_step) == (3.996, 1.996)
    plain = assemble(make_case(plant={"feeders": FEEDERS})).problem.site
    assert (plain.rounding_reserve_mw, plain.ramp_up_mw_per_step, plain.cap_mw[0]) == (0.0, 4.0, 10.0)


def test_the_true_limits_come_back(make_case):
    """*Proves:* narrowed and widened again is the same number.  *Sensitivity:* 10 - 0.004 + 0.004 is not 10."""
    problem = without_reserve(assemble(make_case(plant={"feeders": FEEDERS}, container=MINERS)).problem)
    plain = assemble(make_case(plant={"feeders": FEEDERS})).problem
    assert problem.site.cap_mw.tolist() == plain.site.cap_mw.tolist()
    assert problem.site.groups == plain.site.groups
    assert problem.site.ramp_down_mw_per_step == plain.site.ramp_down_mw_per_step
    assert problem.site.rounding_reserve_mw == 0.0


@pytest.mark.parametrize(("watts", "reserve"), [(3475.0, 0.004), (5300.0, 0.0055)])
def test_the_reserve_is_one_miner_where_that_is_more(make_case, watts, reserve):
    """Overhead 1.026 at 10 C: 3,450 W asleep to awake is 3.54 kW, 5,275 W is 5.412 kW, so 5.5 kW.

    *Proves:* single-preset miners of 5.3 kW get a reserve that they fit in.  *Sensitivity:* 4 kW is too little.
    """
    presets = [{"power_w": watts, "hash_rate_th_s": 200.0}]
    miners = {"count": 200, "model": "big", "presets": presets, "minimum_power_mw": 0.3}
    problem = assemble(make_case(container={"modes": [], "miners": miners})).problem
    assert problem.site.rounding_reserve_mw == reserve
    assert needed_reserve_mw(problem.classes) <= reserve


def test_a_reserve_of_the_plants_own(make_case):
    """*Proves:* the plant's own figure holds, with a note where one miner does not fit.  *Sensitivity:* 4 kW."""
    made = assemble(make_case(plant={"rounding_reserve_mw": 0.0005}, container=MINERS))
    assert made.problem.site.rounding_reserve_mw == 0.0005
    assert any("rounding_reserve_mw of 0.5 kW is less than one miner" in note for note in made.notes)
    none = assemble(make_case(plant={"rounding_reserve_mw": 0.0}, container=MINERS))
    assert none.problem.site.cap_mw[0] == 10.0


def test_a_ramp_below_the_reserve_is_not_narrowed(make_case):
    """*Proves:* a ramp of 3 kW an hour stays, and the plan says so.  *Sensitivity:* it would become -1 kW."""
    made = assemble(make_case(plant={"ramp_down_mw_per_h": 0.003}, container=MINERS))
    assert made.problem.site.ramp_down_mw_per_step == 0.003
    assert made.problem.site.rounding_reserve_mw == 0.0
    assert any("reserve of 4 kW is not kept: ramp_down_mw_per_h" in note for note in made.notes)


ORDER = {"name": "step-back", "from": "2024-09-10T00:00:00+08:00", "to": "2024-09-10T03:00:00+08:00", "cap_mw": 3.0}
ON = {"on": True, "hours": 10.0, "it_power_mw": 0.8}


def test_a_plant_on_the_edge_is_planned_with_its_true_limits(make_case):
    """5 MW before the horizon, a ramp of 2 MW an hour, an order of 3 MW from the first hour: just feasible.

    *Proves:* the reserve does not make a feasible plant infeasible, the plan keeps 3 MW, and a note says so.
    *Sensitivity:* narrowed limits ask for 2.996 MW with a ramp of 1.996 MW from 5 MW.
    """
    made = make_case({"orders": [ORDER], "state": {"initial_mw": 5.0, "default": ON}}, container=MINERS)
    plan = plan_case(made)
    assert plan.replay.site_power_mw[0] == pytest.approx(3.0, abs=1e-3)
    assert plan.problem.site.rounding_reserve_mw == 0.0
    assert any("no room for the rounding reserve of 4 kW" in note for note in plan.notes)


def test_a_plant_over_the_edge_is_refused_with_its_true_limits(make_case):
    """*Proves:* the conflict names 3 MW, not 2.996.  *Sensitivity:* nobody has written 2.996 anywhere."""
    made = make_case({"orders": [ORDER], "state": {"initial_mw": 5.5, "default": ON}}, container=MINERS)
    with pytest.raises(Infeasible) as refused:
        plan_case(made)
    assert "2.996" not in str(refused.value)
    assert "3" in str(refused.value)
