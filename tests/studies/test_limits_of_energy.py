"""Limits of energy in back-tests: what a plan keeps for later is not a limit of what was done."""

import pytest

import flexmine
from years import write_backtest


def back_test(folder, limit, policies):
    """Return the runs, by policy, of three days of a plant with a limit of energy."""
    file = write_backtest(folder, days=3, policies=policies)
    with (folder / "case.yaml").open("a") as case:
        case.write(f"energy_limits: [{{{limit}}}]\n")
    found = flexmine.backtest(file, folder / "out")
    return {run.policy: run for run in found.runs}, found.summary.bound_usd


def test_a_source_that_a_plan_saves_is_not_spent_early(tmp_path):
    """Surplus costs 10 USD/MWh, the grid 50 to 100; at most 8 MWh of surplus a day.

    *Proves:* perfect foresight earns its proven bound within its gap, since the surplus is taken when the plan says; no
    day takes more than its limit.

    *Sensitivity:* by merit, hour by hour, perfect foresight earned 1,445 of 1,810 USD, and what others had captured was
    a share of too little.
    """
    runs, bound = back_test(tmp_path, "name: d, source: surplus, over: day, at_most_mwh: 8", "replan, perfect")
    assert runs["perfect"].steps["money_usd"].sum() == pytest.approx(bound, rel=2e-4)
    for run in runs.values():
        taken = run.steps["surplus_mw"].groupby(run.steps["interval_start"].str.slice(0, 10)).sum()
        assert taken.max() <= 8 + 1e-6
        assert run.broken == 0


def test_the_share_that_is_kept_for_later_hours_is_not_a_limit_of_an_hour(tmp_path):
    """At most 20 MWh of the site a day, decided hour by hour.

    *Proves:* nothing is broken where no day draws more.

    *Sensitivity:* held to an even pace in each hour, 38 of 72 hours broke a limit that nobody had set.
    """
    runs, _ = back_test(tmp_path, "name: d, over: day, at_most_mwh: 20", "replan")
    steps = runs["replan"].steps
    assert steps["facility_power_mw"].groupby(steps["interval_start"].str.slice(0, 10)).sum().max() <= 20 + 1e-6
    assert runs["replan"].broken == 0, runs["replan"].violations


def test_what_has_to_be_taken_is_judged_with_the_end_of_the_day(tmp_path):
    """At least 3 MWh of surplus a day, of which none is there at night.

    *Proves:* a night without surplus breaks nothing; a day that ends with less is named, once.

    *Sensitivity:* judged hour by hour, 19 hours without surplus were broken limits.
    """
    runs, _ = back_test(tmp_path, "name: d, source: surplus, over: day, at_least_mwh: 3", "replan")
    steps = runs["replan"].steps
    taken = steps["surplus_mw"].groupby(steps["interval_start"].str.slice(0, 10)).sum()
    assert runs["replan"].broken == (taken < 3 - 1e-6).sum()
