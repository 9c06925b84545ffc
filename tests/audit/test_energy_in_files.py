"""Plan directories with a limit of energy: clean ones pass, doctored ones are refused with the limit's name."""

from __future__ import annotations

import re

import numpy as np
import pytest

from audit_plants import edit_csv, edit_json, plan_of, reseal, schedule_of, two_containers, write_plan
from flexmine.audit.directory import audit_directory
from flexmine.audit.replay import replay, replay_rounded
from flexmine.problem import EnergyLimit
from flexmine.problem.limits import with_site


def limited(**limit):
    """Two containers: 0.55, 1.1, 0.825 and 0.55 MW in hours 1, 2, 4 and 5, beside 0.01 MW for each that rests.

    In all hours 3.025 + 0.08 = 3.105 MWh.  Hour 2 takes 0.11 MW from the grid, because the surplus has 1 MW, and hour 1
    another 0.1 MW for the sake of the limit: 2.895 MWh are of the surplus.
    """
    fields = {"name": "daily", "source": "surplus", "first_step": 0, "steps": 6} | limit
    return with_site(two_containers(), energy_limits=(EnergyLimit(**fields),))


@pytest.fixture
def directory(tmp_path):
    problem = limited(at_most_mwh=2.9)
    supply = replay(problem, schedule_of(problem)).site_power_mw
    grid = np.maximum(supply - 1.0, 0.0)
    grid[1] += 0.1
    return write_plan(plan_of(problem, schedule_of(problem, supply_mw=[supply - grid, grid])), tmp_path / "plan")


def test_a_clean_directory_passes(directory):
    """*Proves:* a plan that keeps its limit is accepted.  *Sensitivity:* the forgeries below are not."""
    assert audit_directory(directory).ok


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"at_most_mwh": 2.5}, r"energy_at_most: energy limit daily at 2024-09-10 00:00\+08:00: 2\.895000 MWh"),
        ({"at_most_mwh": None, "at_least_mwh": 3.2}, r"energy_at_least: energy limit daily .* 3\.200000 MWh required"),
        ({"taken_mwh": 0.5}, r"energy_at_most: energy limit daily .*: 3\.395000 MWh"),
        ({"source": None}, r"energy_at_most: energy limit daily .*: 3\.1\d+ MWh by the end of its steps, 2\.900000"),
    ],
)
def test_a_plan_that_breaks_a_limit_of_the_problem_is_refused(directory, change, words):
    """*Proves:* from the files alone, below and above, with what was taken, of a source and of the site.

    *Sensitivity:* an audit that takes the plan's word, or the power of all sources for one, passes.
    """
    edit_json(directory / "problem.json", lambda d: d["site"]["energy_limits"][0].update(change))
    reseal(directory)
    report = audit_directory(directory)
    assert not report.ok
    assert any(re.search(words, line) for line in report.violations), report.violations


def test_a_forged_split_of_sources_is_refused(directory):
    """One MW more of the cheap source and less of the grid, step by step, in the file of the site.

    *Proves:* whoever books dear power as cheap one is found out.  *Sensitivity:* the sum of both is still right.
    """

    def cheaper(rows):
        for row in rows:
            total = float(row["surplus_mw"]) + float(row["grid_mw"])
            row["surplus_mw"] = f"{min(total, 1.0):.6f}"
            row["grid_mw"] = f"{total - min(total, 1.0):.6f}"

    edit_csv(directory / "site.csv", cheaper)
    reseal(directory)
    report = audit_directory(directory)
    assert any("energy_at_most: energy limit daily" in line for line in report.violations), report.violations


@pytest.mark.parametrize("mwh", [{"at_most_mwh": 2.7}, {"at_least_mwh": 3.1}])
def test_a_rounded_plan_may_use_the_reserve_of_its_limit(mwh):
    """2.895 MWh against a bound that was narrowed by 0.25 MWh, to 2.7 or 3.1.

    *Proves:* a plan of whole miners is held to the true bound, 2.95 or 2.85; one of the model to the narrowed one.
    *Sensitivity:* without the reserve the rounded plan fails too; with one of 0.1 MWh both do.
    """
    for reserve, kept in ((0.25, True), (0.1, False)):
        problem = limited(reserve_mwh=reserve, **mwh)
        problem = with_site(problem, rounding_reserve_mw=0.004)
        power = replay(problem, schedule_of(problem)).site_power_mw
        grid = np.maximum(power - 1.0, 0.0)
        grid[1] += 0.1
        schedule = schedule_of(problem, supply_mw=[power - grid, grid])
        assert replay_rounded(problem, schedule).ok == kept
        assert [v.limit for v in replay(problem, schedule).violations] == [f"energy_{next(iter(mwh))[:-4]}"]
