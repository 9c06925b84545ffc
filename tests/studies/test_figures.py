"""Figures and sentences of odd back-tests: short horizons, losses, broken limits, plants that no rule can serve."""

from dataclasses import replace

import pytest

import flexmine
from flexmine.errors import Infeasible
from flexmine.studies.page import backtest_html
from flexmine.studies.summary import summarise
from flexmine.studies.words import finding, summary_lines
from years import write_backtest


def back_test(folder, *edits, **given):
    """Return a back-test with some words of its case replaced."""
    file, case = write_backtest(folder, **given), folder / "case.yaml"
    for old, new in edits:
        assert old in case.read_text()
        case.write_text(case.read_text().replace(old, new))
    return flexmine.backtest(file, folder / "out")


def money(found, policy):
    """Return what a policy earned [USD]."""
    return next(run.steps["money_usd"].sum() for run in found.runs if run.policy == policy)


LOSS = (("btc_price_usd: 58000", "btc_price_usd: 20000"), ("options:", "minimum_mw: 1.0\noptions:"))


def test_the_bound_of_a_short_time_is_one_of_money(tmp_path):
    """One day on which the site has to draw 1 MW and every hour is a loss.

    *Proves:* the bound is what perfect foresight earns, within its gap: who ends on is paid nothing for it.  No share
    of a loss is named.

    *Sensitivity:* with the worth of containers that end on, which a plan below 36 h counts, the bound was 10 USD above
    what anybody could earn, and the sentence said "nan % of it".
    """
    found = back_test(tmp_path, *LOSS, days=1, policies="threshold, replan, perfect")
    assert money(found, "perfect") == pytest.approx(found.summary.bound_usd, rel=2e-4)
    text = finding(found)
    assert text.startswith("Over 1 day the plant")
    assert "nan" not in text
    assert "of it" not in text


def test_a_plan_of_the_night_reaches_to_the_end_of_its_day(tmp_path):
    """*Proves:* with a horizon of 12 h, plans of the night are made for the 24 h that they are followed.

    *Sensitivity:* there were setpoints for half of the day, and a traceback.
    """
    found = back_test(tmp_path, ("horizon_h: 24", "horizon_h: 12"), days=2, policies="nightly, redispatch")
    assert [len(run.steps) for run in found.runs] == [48, 48]
    assert all(run.broken == 0 for run in found.runs)


def test_a_plant_that_no_rule_can_serve_is_run_and_said(tmp_path):
    """Surplus alone, none at night, and containers that draw 0.01 MW while they sleep.

    *Proves:* greedy is tuned among walks that miss the limits by least, and the sentence says that they are broken.

    *Sensitivity:* a traceback, or money without a word.
    """
    alone = ("available_mw: 3.2", "available_mw: 0.0")
    found = back_test(tmp_path, alone, days=1, policies="greedy")
    assert found.runs[0].broken > 0
    assert f"But greedy broke limits ({found.runs[0].broken}): its money was not earned within them." in finding(found)
    with pytest.raises(Infeasible, match=r"perfect: there is no plan of all days at once.*leave perfect out"):
        (tmp_path / "perfect").mkdir()
        back_test(tmp_path / "perfect", alone, days=1, policies="perfect")


def test_a_limit_broken_with_one_of_two_draws_is_no_limit_kept(tmp_path):
    """*Proves:* page and terminal say so.  *Sensitivity:* the mean of 1 and 0, cut to a whole number, is "all kept"."""
    found = back_test(tmp_path, days=1, policies="threshold, perfect", more="seeds: [1, 2]\n")
    first, *rest = found.runs
    runs = (replace(first, broken=1, violations=["cap: so and so."]), *rest)
    found = replace(found, runs=runs, summary=summarise(runs, 1.0))
    assert "limits broken: 1" in backtest_html(found)
    assert any("0.5 broken" in line for line in summary_lines(found))
    assert "Over 1 day, in the mean of 2 draws, threshold earned most" in finding(found)


def test_the_finding_of_plans_of_the_night_is_a_sentence(tmp_path):
    """*Proves:* it reads, and of equal money too.

    *Sensitivity:* "would have earned 1 168 USD plan of the night, followed blindly".
    """
    found = back_test(tmp_path, days=1, policies="threshold, nightly")
    assert "USD by the plan of the night, followed blindly, " in finding(found)
    rule, plan = found.runs
    runs = (rule, replace(plan, steps=rule.steps))
    assert "followed blindly, as much as the best simple rule, threshold." in finding(
        replace(found, summary=summarise(runs, 1.0))
    )
