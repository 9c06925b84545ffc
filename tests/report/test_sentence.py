"""Every clause of the finding, on plans worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexmine.assembly.causes import Cause
from flexmine.errors import Status
from flexmine.problem import TimeAxis
from flexmine.report.palette import MINUS, THIN, number, percent
from flexmine.report.sentence import compare, finding, verdict


def plain(text: str) -> str:
    return text.replace(THIN, " ").replace(MINUS, "-")


def test_a_day_at_the_cap(make_plan, make_rule):
    """Two containers of 1 MW behind 2 MW, 3 MW of surplus at 10 USD: 48 of 72 MWh, 24 x (200 - 20) = 4,320 USD.

    *Proves:* energy, money, percent, cap and "little to decide" come from the numbers.
    *Sensitivity:* with offered and left swapped it would say 24.0 of 72.0 MWh; against 3,600 USD 4,320 is 20 % more.
    """
    plan = make_plan(rules=(make_rule("threshold", 3000.0), make_rule("greedy", 3600.0)))
    assert plain(finding(plan)) == (
        "On Tue 10 Sep 2024 the plant takes 48.0 of 72.0 MWh of surplus and no firm power; it earns 4 320 USD, "
        "20 % more than the best simple rule (greedy). All 2 containers run throughout, without a start; "
        "the 2.00 MW cap binds throughout. This leaves little to decide."
    )


def test_firm_power_and_a_loss(make_plan, make_problem):
    """No surplus, 2 MW of firm power at 145 USD: 24 x (200 - 290) = -2,160 USD.

    *Proves:* a loss is called a loss, and no surplus is said to be none on offer.
    *Sensitivity:* by the absolute value alone it would earn.
    """
    text = plain(finding(make_plan(make_problem(surplus_mw=0.0, firm_price=145.0))))
    assert "has no surplus on offer and takes 48.0 MWh of firm power; it loses 2 160 USD." in text


def test_all_surplus_and_partly_firm(make_plan, make_problem):
    """1 MW of surplus for 2 MW of containers: all 24 MWh and 24 MWh of firm power.

    *Proves:* "all" is said only where nothing is left. *Sensitivity:* at 1.01 MW 24.0 of 24.2 would be said.
    """
    assert "takes all 24.0 MWh of surplus and 24.0 MWh of firm power" in plain(
        finding(make_plan(make_problem(surplus_mw=1.0)))
    )
    assert "takes all 24.0 MWh" not in plain(finding(make_plan(make_problem(count=1, surplus_mw=1.01))))


@pytest.mark.parametrize(
    ("value", "base", "words"),
    [
        (118.0, 100.0, "18 % more"),
        (103.2, 100.0, "3.2 % more"),
        (90.0, 100.0, "10 % less"),
        (100.3, 100.0, "the same"),
        (1003.0, 1000.0, "3 USD (less than 0.5 %) more"),
        (50.0, 0.0, "50 USD more"),
        (50.0, -100.0, "150 USD more"),
        (-300.0, -100.0, "200 USD less"),
    ],
)
def test_comparison(value, base, words):
    """*Proves:* percent only of a positive base, less is said to be less.

    *Sensitivity:* a bare quotient says 150 % less for 50 USD against a loss of 100 USD.
    """
    assert plain(compare(value, base)) == words


def test_rules_that_cannot_be_kept_or_win(make_plan, make_problem, make_rule):
    """*Proves:* an infeasible rule is never the best; a rule that earns more in the published part is said to.

    *Sensitivity:* with None read as 0 the broken rule would beat a plan that loses money.
    """
    losing = make_plan(make_problem(surplus_mw=0.0, firm_price=145.0), rules=(make_rule("greedy", None, None, "cap"),))
    assert "and none of the simple rules keeps all limits" in finding(losing)
    assert "always on" not in finding(
        make_plan(rules=(make_rule("always on", None, None, "cap"), make_rule("greedy", 4000.0)))
    )
    # 24 of 48 h are published; the plan is 100 USD behind there and 500 USD ahead over both days.
    plan = make_plan(make_problem(steps=48), publish_steps=24, rules=(make_rule("greedy", 4420.0, 8140.0),))
    text = plain(finding(plan))
    assert "it earns 4 320 USD, 2.3 % less than the best simple rule (greedy) in this part" in text
    assert "but 500 USD more over the whole look-ahead" in text
    ahead = make_plan(make_problem(steps=48), publish_steps=24, rules=(make_rule("greedy", 4420.0, 8740.0),))
    assert "look-ahead" not in finding(ahead)


def test_level_rules_are_all_named(make_plan, make_rule):
    """*Proves:* of two rules that earn the same none is dropped. *Sensitivity:* max() alone names the first."""
    plan = make_plan(rules=(make_rule("always on", 4320.0), make_rule("greedy", 4320.0)))
    assert "the same as the best simple rules (always on, greedy)" in finding(plan)


def test_starts_and_ramp(make_plan, make_problem):
    """C01 always on, C02 starts cold at 06:00: up by the ramp limit of 1 MW; from 2 MW down by it at 00:00.

    *Proves:* counts of containers, kind of start and the moments of the ramp.
    *Sensitivity:* a ramp read without the step before would name other hours.
    """
    on = np.ones((2, 24), dtype=bool)
    on[1, :6] = False
    plan = make_plan(make_problem(cap=5.0, ramp=1.0, initial=1.0), on=on)
    text = plain(finding(plan))
    assert "1 to 2 of 2 containers run, with 1 start (cold); ramp limits it at 06:00." in text
    assert "cap" not in text
    down = make_plan(make_problem(cap=5.0, ramp=1.0, initial=2.0), on=on)
    assert "ramp limits it at 00:00 and 06:00" in finding(down)


def test_cap_hours_as_ranges(make_plan, make_problem):
    """The cap of 2 MW is reached from 06:00 to midnight only.

    *Proves:* ranges end at the end of their last step, midnight as 24:00. *Sensitivity:* off by one gives 23:00.
    """
    on = np.ones((2, 24), dtype=bool)
    on[1, :6] = False
    assert "the 2.00 MW cap binds 06:00–24:00" in plain(finding(make_plan(on=on)))
    on[1, ::2] = False
    assert "the 2.00 MW cap binds in 9 of 24 hours" in plain(finding(make_plan(on=on)))


def test_an_order_is_told_as_long_as_it_is_in_force(make_plan):
    """The cap is reached from 06:00 on; the order of 05:00 to 09:00 holds an hour longer than it binds.

    *Proves:* the sentence tells the order's own hours, and when they bind where this is less.
    *Sensitivity:* hours that bind told as those of the order contradict the paper that ordered them.
    """
    on = np.ones((2, 24), dtype=bool)
    on[1, :6] = False
    plan = make_plan(on=on)

    def told(first: int) -> str:
        order = Cause("order", "evening caps the site at 2 MW", None, first, 8)
        return plain(finding(replace(plan, causes=(order,))))

    assert "order evening caps the site at 2 MW 05:00–09:00, of which it binds 06:00–09:00;" in told(5)
    assert "order evening caps the site at 2 MW 06:00–09:00;" in told(6)


def test_greedy_is_near(make_plan, make_problem, make_rule):
    """*Proves:* where greedy is within 0.5 % on both horizons this is said; 1 % off it is not.

    *Sensitivity:* comparing only the published part would say it too early.
    """
    free = make_problem(cap=9.0)
    near = make_plan(free, rules=(make_rule("greedy", 4310.0),))
    assert "Looking ahead decides little here" in finding(near)
    far = make_plan(free, rules=(make_rule("greedy", 4310.0, 4270.0),))
    assert "decides little" not in finding(far)


def test_a_day_of_25_hours(make_plan, make_problem):
    """Berlin, 27 October 2024 has 25 hours: a step per hour from midnight to midnight is still that day.

    *Proves:* the day is told by the zone's calendar. *Sensitivity:* 24 hours would end at 23:00.
    """
    problem = make_problem(steps=25)
    start = datetime(2024, 10, 27, tzinfo=ZoneInfo("Europe/Berlin"))
    axis = TimeAxis(start, 1.0, 25, "Europe/Berlin")
    text = finding(make_plan(replace(problem, time=axis)))
    assert text.startswith("On Sun 27 Oct 2024 the plant takes")
    shorter = make_plan(replace(problem, time=axis), publish_steps=24)
    assert finding(shorter).startswith("From Sun 27 Oct 2024 00:00 to Sun 27 Oct 2024 23:00 the plant")


def test_nothing_runs(make_plan):
    """*Proves:* a plan without hash is said plainly. *Sensitivity:* J/TH would divide by zero."""
    text = plain(finding(make_plan(on=0)))
    assert "takes none of 72.0 MWh of surplus and no firm power; it earns 0 USD" in text
    assert "No container runs" in text


def test_nothing_published_is_refused(make_plan):
    """*Proves:* no sentence about no step. *Sensitivity:* minima of empty arrays would raise something obscure."""
    with pytest.raises(ValueError, match="publishes no step"):
        finding(make_plan(publish_steps=0))


def test_verdict_is_red_where_something_is_off(make_plan):
    """*Proves:* status, gap, filled values, overrides and breaches each stand in the verdict, marked as not good.

    *Sensitivity:* a verdict by status alone would show a fallback as fine where the gap is met.
    """
    good = verdict(make_plan())
    assert [words for words, _ in good][:2] == ["optimal", "gap 0"]
    assert all(is_good for _, is_good in good)
    bad = verdict(
        make_plan(
            status=Status.FALLBACK,
            gap=0.02,
            filled=("price: 2 hours",),
            overrides=("C01 out",),
            breaches=({"contract": "uptime", "usd": 12.0},),
        )
    )
    off = [plain(words) for words, is_good in bad if not is_good]
    expected = [
        "fallback",
        "gap 2 %",
        "filled: price: 2 hours",
        "override: C01 out",
        "breach: contract uptime (12 USD)",
    ]
    assert off == expected
    assert "gap 150 %" in [plain(words) for words, _ in verdict(make_plan(status=Status.FALLBACK, gap=1.5))]


def test_a_failed_audit_is_named(make_plan, make_problem):
    """Two containers at 2 MW under a cap of 1 MW. *Proves:* violations turn the verdict. *Sensitivity:* "passed"."""
    words = [w for w, is_good in verdict(make_plan(make_problem(cap=1.0))) if not is_good]
    assert len(words) == 1
    assert words[0].startswith("audit FAILED: 24 of")


def test_numbers_are_written_alike():
    """*Proves:* thin spaces, true minus, no minus zero. *Sensitivity:* format() alone gives "-0" and commas."""
    assert number(4310) == f"4{THIN}310"
    assert number(-1234567.8, 1) == f"{MINUS}1{THIN}234{THIN}567.8"
    assert number(-0.04, 1) == "0.0"
    assert plain(percent(0.0996)) == "10 %"
