"""setpoints.csv and site.csv: columns, formatting, whole watts, and that they add up to each other."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from audit_plants import plan_of, schedule_of, two_containers
from flexmine.audit.replay import replay
from flexmine.errors import BadInput
from flexmine.planning.rounding import round_schedule
from flexmine.planning.tables import round_adding_up, setpoints_table, site_table, write_csv
from flexmine.problem import Group
from flexmine.problem.schedule import Schedule, supply_by_merit
from plants import reference_class, simple_problem

SETPOINTS = (
    "interval_start,interval_end,container,class,state,it_power_mw,preheat_mw,facility_power_mw,hash_rate_th_s,"
    "miners_on,miner_mix,reason,published"
)
SITE = (
    "interval_start,interval_end,facility_power_mw,it_power_mw,hash_rate_th_s,surplus_mw,grid_mw,surplus_left_mw,"
    "hash_revenue_usd,energy_cost_usd,start_cost_usd,money_usd,temperature_c,published"
)


def uneven(seed: int = 3, **changes):
    """Return 56 containers on two feeders with powers that are no whole watts, and a schedule for them."""
    steps, rng = 5, np.random.default_rng(seed)
    overhead = rng.uniform(1.01, 1.08, steps)
    classes = [reference_class(n, 28, steps, prefix=n.upper(), overhead=overhead, **changes) for n in ("a", "b")]
    feeders = (Group("f1", 60.0, ("a",)), Group("f2", 60.0, ("b",)))
    problem = simple_problem(
        classes, surplus_mw=60.0, firm_mw=60.0, cap=90.0, ramp=None, base_load=0.1, feeders=feeders
    )
    on = rng.random((56, steps)) < 0.7
    it_power = np.where(on, np.repeat(rng.uniform(0.52, 1.3, (2, steps)), 28, axis=0), 0.0)
    names = tuple(name for name, _ in problem.containers)
    blank = Schedule(names, on, it_power, np.zeros((2, steps)))
    return problem, replace(blank, supply_mw=supply_by_merit(problem, replay(problem, blank).site_power_mw))


def test_the_files_are_written_as_agreed(tmp_path):
    """*Proves:* columns, order of rows, decimals, times with offset, line ends.  *Sensitivity:* byte for byte."""
    problem = two_containers()
    plan = plan_of(problem, schedule_of(problem), temperature_c=np.array([-0.04, 3.25, 9.96, -12.0, 0.0, 1.0]))
    write_csv(plan.setpoints, tmp_path / "setpoints.csv")
    write_csv(plan.site, tmp_path / "site.csv")
    setpoints = (tmp_path / "setpoints.csv").read_bytes().decode().split("\n")
    site = (tmp_path / "site.csv").read_bytes().decode().split("\n")
    assert setpoints[0] == SETPOINTS
    assert site[0] == SITE
    assert len(setpoints) == 1 + 12 + 1
    hour = "2024-09-10T02:00:00+08:00,2024-09-10T03:00:00+08:00"
    assert setpoints[5] == f"{hour},C01,box,on,1.000000,0.000000,1.100000,30000.0,,,,1"
    assert setpoints[6] == f"{hour},C02,box,off,0.000000,0.000000,0.010000,0.0,,,,1"
    assert setpoints[11].endswith(",,,,0")
    assert site[3] == (
        f"{hour},1.110000,1.000000,30000.0,1.000000,0.110000,0.000000,60.0000,14.9500,0.0000,45.0500,10.0,1"
    )
    # A temperature of -0.04 C is 0.0, not -0.0.
    assert site[1].endswith("-0.2000,0.0,1")
    assert [row.rsplit(",", 1)[1] for row in site[1:7]] == ["1", "1", "1", "1", "0", "0"]


def test_no_exponent_no_minus_zero(tmp_path):
    """*Proves:* a tiny power and a huge hash rate are written plainly.  *Sensitivity:* 1e-07 would print as such."""
    problem, schedule = uneven()
    tiny = replace(schedule, supply_mw=schedule.supply_mw - 1e-9)
    found = replay(problem, tiny)
    write_csv(site_table(problem, tiny, found, 5, None), tmp_path / "site.csv")
    write_csv(setpoints_table(problem, tiny, found, 5), tmp_path / "setpoints.csv")
    for name in ("site.csv", "setpoints.csv"):
        for row in csv.reader((tmp_path / name).read_text().splitlines()[1:]):
            for cell in row:
                assert not re.fullmatch(r"-0(\.0*)?|.*[0-9]e[-+]?[0-9]+|nan|inf", cell), cell


@pytest.mark.parametrize("changes", [{}, {"max_it_power_mw": 1.2345678}, {"standby_mw": 0.0101234}])
def test_the_written_numbers_add_up(changes):
    """56 containers with equal odd powers: rounded alone, they would be off by 28 times the same half watt.

    *Proves:* containers + base load = site = sources, within 1e-5 MW, and money adds up to the replay's.
    *Sensitivity:* plain rounding misses by up to 2.8e-5 MW.
    """
    problem, schedule = uneven(**changes)
    schedule = round_schedule(problem, schedule)
    found = replay(problem, schedule)
    setpoints = setpoints_table(problem, schedule, found, 5)
    site = site_table(problem, schedule, found, 5, None)
    by_step = setpoints.groupby("interval_start", sort=False)
    for column, base in (("facility_power_mw", 0.1), ("it_power_mw", 0.0)):
        np.testing.assert_allclose(by_step[column].sum() + base, site[column], atol=2e-6)
    np.testing.assert_allclose(by_step["hash_rate_th_s"].sum(), site["hash_rate_th_s"], atol=0.11)
    np.testing.assert_allclose(site["surplus_mw"] + site["grid_mw"], site["facility_power_mw"], atol=2e-6)
    assert site["money_usd"].sum() == pytest.approx(found.money_usd, abs=3e-4)


def test_state_out_is_where_the_class_cannot_run_at_all():
    """*Proves:* `out` where nothing is available, or heat forbids; `off` where others of the class may run.

    *Sensitivity:* a class of which one may run is off, not out.
    """
    problem = two_containers(available=[0, 2, 2, 1, 2, 2], max_it_power_mw=[1, 1, 1, 1, 1, 0.4])
    on = ((0, 1, 1, 0, 0, 0), (0,) * 6)
    plan = plan_of(problem, schedule_of(problem, on, np.array(on) * 0.5))
    assert plan.setpoints["state"][0::2].tolist() == ["out", "on", "on", "off", "off", "out"]


@pytest.mark.parametrize("seed", range(8))
def test_rounding_keeps_limits_and_total(seed):
    """*Proves:* whole watts within limits; the site never above the model's, less than 2 W a feeder below.

    *Sensitivity:* rounding each down by itself loses up to 56 W; rounding to nearest breaks the highest 1.1234567 MW.
    """
    problem, schedule = uneven(seed, max_it_power_mw=1.1234567)
    schedule = replace(schedule, it_power_mw=np.minimum(schedule.it_power_mw, 1.1234567))
    before = replay(problem, schedule).site_power_mw
    rounded = round_schedule(problem, schedule)
    watts = rounded.it_power_mw * 1e6
    np.testing.assert_allclose(watts, np.rint(watts), atol=1e-6)
    assert rounded.it_power_mw.max() <= 1.1234567
    after = replay(problem, rounded)
    # On a feeder where all are at the highest power there is no room for what rounding takes.
    at_highest = ((schedule.it_power_mw == 1.1234567) | ~schedule.on).reshape(2, 28, 5)
    full = at_highest.all(axis=1).any(axis=0)
    assert not full.all()
    assert np.all(after.site_power_mw <= before + 1e-9)
    assert np.all((after.site_power_mw > before - 4e-6) | full)
    assert not [v for v in after.violations if v.limit in ("balance", "supply", "maximum_power", "minimum_power")]
    assert np.array_equal(rounded.supply_mw, round_schedule(problem, schedule).supply_mw)


def test_rounding_leaves_a_broken_limit_to_the_audit():
    """*Proves:* a power 0.2 MW above the highest stays there.  *Sensitivity:* clipping would hide the fault."""
    problem = two_containers()
    schedule = schedule_of(problem, it_power_mw=((0, 0.5, 1.2, 0, 0.75, 0.5), (0,) * 6))
    found = replay(problem, round_schedule(problem, schedule), tolerance_mw=1e-3)
    assert [v.limit for v in found.violations] == ["maximum_power"]


def test_a_source_with_a_name_of_the_plan_is_refused():
    """*Proves:* no source writes over a column.  *Sensitivity:* `it_power` would replace it_power_mw."""
    problem = two_containers()
    schedule = schedule_of(problem)
    problem = replace(problem, sources=(replace(problem.sources[0], name="it_power"), problem.sources[1]))
    with pytest.raises(BadInput, match="source 'it_power': the name is taken"):
        site_table(problem, schedule, replay(problem, schedule), 6, None)


def test_a_missing_number_is_not_written(tmp_path):
    """*Proves:* NaN raises, but for a temperature.  *Sensitivity:* `nan` would stand in the file."""
    problem = two_containers()
    schedule = schedule_of(problem)
    table = site_table(problem, schedule, replay(problem, schedule), 6, None)
    table.loc[2, "money_usd"] = np.nan
    with pytest.raises(ValueError, match="column money_usd holds nan"):
        write_csv(table, tmp_path / "site.csv")


def test_round_adding_up_by_hand():
    """*Proves:* 0.4 + 0.4 + 0.4 becomes 0, 1, 0: the sum 1.2 is 1.  *Sensitivity:* plain rounding gives 0 in all."""
    assert round_adding_up(np.array([0.4, 0.4, 0.4]), 0).tolist() == [0.0, 1.0, 0.0]
    assert round_adding_up(np.array([-0.4, 0.0, -0.4]), 0).tolist() == [0.0, 0.0, -1.0]
