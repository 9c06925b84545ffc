"""Limits of energy of a case: which steps a day, a month or a time of its own has, and what is left of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.errors import BadInput
from flexmine.problem import EnergyLimit
from flexmine.workflow.plan_case import plan_case

DAILY = {"name": "daily", "source": "surplus", "over": "day", "at_most_mwh": 24.0}
MONTHLY = {"name": "monthly", "source": "surplus", "over": "month"}
TWO = {"containers": [{"model": "s19pro.yaml", "prefix": "C", "first": 1, "last": 2}]}
OFF = {"initial_mw": 0.0, "default": {"on": False, "hours": 10.0}}


def taken(**mwh: float) -> dict[str, Any]:
    """Return the state of a plant at rest with what periods have taken: `daily_2024_09_10` is daily/2024-09-10."""
    names = {key: key.replace("_", "/", 1).replace("_", "-") for key in mwh}
    return {**OFF, "energy_taken_mwh": {names[key]: value for key, value in mwh.items()}}


def limits_of(case) -> tuple[EnergyLimit, ...]:
    return assemble(case).problem.site.energy_limits


def spans_of(case) -> dict[str, tuple[int, int]]:
    return {e.name: (e.first_step, e.steps) for e in limits_of(case)}


def test_a_day_is_one_of_the_site(make_case):
    """36 hours from midnight: a whole day of 24 MWh, and half of the next.

    *Proves:* every day that the horizon touches has its row, named by its date; of the second half a day, half of the
    amount, or with `pace: none` all of it, may be taken before the horizon ends.
    *Sensitivity:* a day in UTC would begin at 08:00.
    """
    case = {"energy_limits": [DAILY], "horizon_h": 36.0}
    assert spans_of(make_case(case)) == {"daily/2024-09-10": (0, 24), "daily/2024-09-11": (24, 12)}
    assert [e.at_most_mwh for e in limits_of(make_case(case))] == [24.0, 12.0]
    at_once = make_case({**case, "energy_limits": [DAILY | {"pace": "none"}]})
    assert [(e.at_most_mwh, e.at_least_mwh, e.source) for e in limits_of(at_once)] == [(24.0, None, "surplus")] * 2


@pytest.mark.parametrize(
    ("start", "zone", "hours", "spans"),
    [
        ("2024-03-31T00:00:00+01:00", "Europe/Oslo", 48, [(0, 23), (23, 24), (47, 1)]),
        ("2024-10-27T00:00:00+02:00", "Europe/Oslo", 48, [(0, 25), (25, 23)]),
        ("2024-09-10T00:00:00+05:30", "Asia/Kolkata", 30, [(0, 24), (24, 6)]),
    ],
)
def test_days_of_23_and_25_hours_and_half_hours(make_case, start, zone, hours, spans):
    """*Proves:* days go by the clock of the site.  *Sensitivity:* 24 steps throughout, or days of UTC."""
    case = make_case({"energy_limits": [DAILY], "start": start, "horizon_h": float(hours)}, plant={"zone": zone})
    assert list(spans_of(case).values()) == spans


def test_a_step_counts_where_it_begins(make_case):
    """Half hours from 00:30 at +05:30: 47 of them begin on the first day.  Hours, and a time from 02:30 to 04:30: two.

    *Proves:* a step is of one period; what a day has taken before the start is asked for.
    *Sensitivity:* counted where it ends, the first day would have 46 half hours, the time the hours of 02:00 and 03:00.
    """
    case = {"energy_limits": [DAILY], "start": "2024-09-10T00:30:00+05:30", "horizon_h": 30.0, "step_minutes": 30}
    made = make_case({**case, "state": taken(daily_2024_09_10=0.5)}, plant={"zone": "Asia/Kolkata"})
    assert spans_of(made) == {"daily/2024-09-10": (0, 47), "daily/2024-09-11": (47, 13)}
    assert [e.taken_mwh for e in limits_of(made)] == [0.5, 0.0]
    own = {"name": "test", "from": "2024-09-10T02:30:00+08:00", "to": "2024-09-10T04:30:00+08:00", "at_most_mwh": 1.0}
    assert spans_of(make_case({"energy_limits": [own]})) == {"test": (3, 2)}


def test_a_time_of_its_own(make_case):
    """02:00 to 05:00, with its offset; the horizon has 12 hours.

    *Proves:* from is included, to is not, whatever offset they are written in; a part before the start needs its
    amount.
    *Sensitivity:* a step more or less at either end.
    """
    own = {"name": "test", "from": "2024-09-10T02:00:00+08:00", "to": "2024-09-09T21:00:00Z", "at_least_mwh": 1.0}
    assert spans_of(make_case({"energy_limits": [own]})) == {"test": (2, 3)}
    assert limits_of(make_case({"energy_limits": [own]}))[0].source is None
    early = {**own, "from": "2024-09-09T22:00:00+08:00"}
    with pytest.raises(BadInput, match=r"state\.energy_taken_mwh: test is missing"):
        assemble(make_case({"energy_limits": [early]}))
    made = limits_of(make_case({"energy_limits": [early], "state": taken(test=0.25)}))
    assert [(e.first_step, e.steps, e.taken_mwh) for e in made] == [(0, 5, 0.25)]


def test_a_time_outside_of_the_horizon_is_told(make_case):
    """*Proves:* a limit without a step says so.  *Sensitivity:* in silence nobody would find the wrong year."""
    own = {"name": "test", "from": "2025-09-10T02:00:00+08:00", "to": "2025-09-10T03:00:00+08:00", "at_most_mwh": 1.0}
    made = assemble(make_case({"energy_limits": [own]}))
    assert made.problem.site.energy_limits == ()
    doubt = "(of 2024 in place of 2025 it would be inside; is the year right?)"
    assert f"energy limit test lies outside the horizon {doubt} and has no effect" in made.notes
    june = {**own, "from": "2024-06-10T02:00:00+08:00", "to": "2024-06-10T03:00:00+08:00"}
    made = assemble(make_case({"energy_limits": [june]}))
    assert "energy limit test lies outside the horizon and has no effect" in made.notes


def test_a_start_within_a_period_has_to_say_what_is_taken(make_case):
    """*Proves:* nothing is assumed, and the sentence says what to write; 0 is an answer.

    *Sensitivity:* an amount of 0 that is taken for granted would let a restarted plant spend the day's energy twice.
    """
    case = {"energy_limits": [DAILY], "start": "2024-09-10T05:00:00+08:00"}
    with pytest.raises(BadInput) as caught:
        assemble(make_case(case))
    assert caught.value.messages == [
        "state.energy_taken_mwh: daily/2024-09-10 is missing; its period began at 2024-09-10T00:00:00+08:00, before "
        "the start: say what it has taken so far [MWh], 0 if nothing"
    ]
    for mwh in (0.0, 7.5):
        (limit,) = limits_of(make_case({**case, "state": taken(daily_2024_09_10=mwh)}))
        assert (limit.taken_mwh, limit.at_least_mwh, limit.steps) == (mwh, None, 12)
        # 7 of the 19 hours left lie after the horizon.
        assert limit.at_most_mwh == pytest.approx(mwh + (24.0 - mwh) * 12 / 19, abs=1e-9)


def test_amounts_of_periods_that_have_not_begun_are_refused(make_case):
    """*Proves:* nothing can have been taken yet.  *Sensitivity:* yesterday's amount under today's name would count."""
    case = {"energy_limits": [DAILY], "horizon_h": 36.0}
    with pytest.raises(BadInput) as caught:
        assemble(make_case({**case, "state": taken(daily_2024_09_10=3.0, daily_2024_09_11=2.0)}))
    assert caught.value.messages == [
        "state.energy_taken_mwh.daily/2024-09-10: is 3, and its period begins at 2024-09-10T00:00:00+08:00 only",
        "state.energy_taken_mwh.daily/2024-09-11: is 2, and its period begins at 2024-09-11T00:00:00+08:00 only",
    ]
    assert len(limits_of(make_case({**case, "state": taken(daily_2024_09_10=0.0)}))) == 2


def test_amounts_that_are_of_no_limit_are_told(make_case):
    """Yesterday's day, as a plan before hands it on, and a name that no limit has.

    *Proves:* a limit that was renamed is told; a period that is over is not worth a word.
    *Sensitivity:* a note every night is read by nobody.
    """
    made = assemble(make_case({"energy_limits": [DAILY], "state": taken(daily_2024_09_09=24.0, dayly_2024_09_09=1.0)}))
    told = [note for note in made.notes if "energy_taken_mwh" in note]
    assert told == ["state.energy_taken_mwh: dayly/2024-09-09 is of no energy limit of this case and has no effect"]


def month(make_case, mwh: float, **limit: Any) -> EnergyLimit:
    """Return the limit of September in a plan of the 10th: 24 hours of it, and 480 after them."""
    case = {"energy_limits": [{**MONTHLY, **limit}], "horizon_h": 24.0, "state": taken(monthly_2024_09=mwh)}
    (found,) = limits_of(make_case(case))
    assert (found.name, found.first_step, found.steps, found.taken_mwh) == ("monthly/2024-09", 0, 24, mwh)
    return found


def test_a_month_is_spent_evenly_by_the_hours_left(make_case):
    """604 of the month's MWh, 100 of them taken: 504 for 504 hours, 24 of them here: 124.  At once: all 604.

    *Proves:* `pace`.  *Sensitivity:* by the hours of the whole month it would be 100 + 604 x 24 / 720 = 120.133.
    """
    assert month(make_case, 100.0, at_most_mwh=604.0).at_most_mwh == 124.0
    assert month(make_case, 100.0, at_most_mwh=604.0, pace="none").at_most_mwh == 604.0
    kept = month(make_case, 100.0, at_most_mwh=604.0)
    assert (kept.at_most_mwh + kept.kept_mwh, kept.reserve_mwh) == (604.0, 0.0)
    # What is spent already, and more, is not given back: nothing is left to take.
    for pace in ("even", "none"):
        assert month(make_case, 700.0, at_most_mwh=604.0, pace=pace).at_most_mwh == 700.0


def test_a_months_promise_is_lowered_by_what_can_still_be_taken(make_case):
    """8 MW of surplus for the 480 hours left are 3,840 MWh: of 4,000 MWh 160 have to be taken by the end of the day.

    The whole site draws no more than 0.1 + 6 x 1.026 x 1.3 = 8.1028 MW, below its cap: 4,860 - 480 x 8.1028 = 970.656.

    *Proves:* a promise binds no earlier than it must, is never below 0, and counts on no more than the fleet can draw.
    *Sensitivity:* the whole promise within a day has no plan.
    """
    assert month(make_case, 100.0, at_least_mwh=4000.0).at_least_mwh == 160.0
    assert month(make_case, 100.0, at_least_mwh=3000.0).at_least_mwh == 0.0
    assert month(make_case, 100.0, at_least_mwh=4860.0, source=None).at_least_mwh == 970.656
    both = month(make_case, 100.0, at_least_mwh=4000.0, at_most_mwh=4132.0)
    # Evenly it would be 100 + 4,032 x 24 / 504 = 292.
    assert (both.at_least_mwh, both.at_most_mwh) == (160.0, 292.0)
    # A promise that the pace would not let be kept goes first.
    tight = month(make_case, 100.0, at_least_mwh=4035.0, at_most_mwh=2000.0 + 2116.0 - 81.0)
    assert (tight.at_least_mwh, tight.at_most_mwh) == (195.0, 287.380952381)
    kept = month(make_case, 200.0, at_least_mwh=4000.0, at_most_mwh=4132.0)
    assert (kept.at_least_mwh, kept.at_most_mwh) == (None, pytest.approx(200.0 + 3932.0 * 24 / 504, abs=1e-9))


def test_a_promise_counts_on_no_more_than_other_limits_let_through(make_case):
    """101 MWh of a month from a source of which each day allows 6: 20 days of 6 MWh are left, not 480 h of 8 MW.

    *Proves:* what the case itself forbids later is not counted on.
    *Sensitivity:* without the other limit nothing of it would have to be taken today, and the promise would be lost.
    """
    case = {
        "energy_limits": [
            {**MONTHLY, "at_least_mwh": 125.0},
            {"name": "quota", "source": "surplus", "over": "day", "at_most_mwh": 6.0},
        ],
        "horizon_h": 24.0,
        "state": taken(monthly_2024_09=0.0),
    }
    assert limits_of(make_case(case))[0].at_least_mwh == pytest.approx(125.0 - 20 * 6.0)


def test_a_pace_never_stands_against_a_plan(make_case):
    """604 MWh of a month, 600 taken: 24 of 504 hours may take 0.19 MWh, but the site at rest draws 3.8 MWh.

    *Proves:* what is kept for later is given up before a plan fails, and the plan says so; the true limit stays.
    *Sensitivity:* as a hard limit the pace has no plan here, nor where a plan in force is planned again in the evening.
    """
    case = {"energy_limits": [{**MONTHLY, "source": None, "at_most_mwh": 604.0}], "horizon_h": 24.0}
    plan = plan_case(make_case({**case, "state": taken(monthly_2024_09=600.0)}))
    assert any("energy that is kept for later hours" in note for note in plan.notes)
    (limit,) = plan.problem.site.energy_limits
    assert (limit.at_most_mwh, limit.kept_mwh) == (604.0, 0.0)
    assert 0.2 < float(plan.schedule.supply_mw.sum()) <= 4.0 + 1e-6


@pytest.mark.parametrize(("begin", "end"), [("02:10", "02:50"), ("11:30", "11:59")])
def test_a_time_in_which_no_step_begins_is_refused(make_case, begin, end):
    """*Proves:* a limit that no step belongs to is an error.  *Sensitivity:* a note of no effect was a false word."""
    own = {
        "name": "tiny",
        "from": f"2024-09-10T{begin}:00+08:00",
        "to": f"2024-09-10T{end}:00+08:00",
        "at_most_mwh": 1.0,
    }
    with pytest.raises(BadInput, match="energy limit tiny: no step begins in its time"):
        assemble(make_case({"energy_limits": [own]}))


def test_a_time_that_begins_within_the_step_before_the_start_has_taken_nothing(make_case):
    """From 23:30, planned from 00:00 in hours: no step of it has passed.

    *Proves:* a plan made again at the next step needs no amount for it.  *Sensitivity:* it would be refused.
    """
    own = {"name": "late", "from": "2024-09-09T23:30:00+08:00", "to": "2024-09-10T04:00:00+08:00", "at_most_mwh": 1.0}
    assert [(e.first_step, e.steps, e.taken_mwh) for e in limits_of(make_case({"energy_limits": [own]}))] == [
        (0, 4, 0.0)
    ]


@pytest.mark.parametrize("name", ["daily/2024-9-10", "daily/2024-09", "daily"])
def test_an_amount_under_the_name_of_no_period_is_refused(make_case, name):
    """*Proves:* a slip in a period's name is an error.  *Sensitivity:* in silence the amount would be lost."""
    state = {**OFF, "energy_taken_mwh": {name: 3.0}}
    with pytest.raises(BadInput, match="is not a period of it, such as daily/2024-09-10"):
        assemble(make_case({"energy_limits": [DAILY], "state": state}))


def test_a_lowered_promise_is_told(make_case):
    """*Proves:* plan and trader agree on what is left for later.  *Sensitivity:* 160 instead of 4,000 in silence."""
    case = {"energy_limits": [{**MONTHLY, "at_least_mwh": 4000.0}], "horizon_h": 24.0}
    notes = assemble(make_case({**case, "state": taken(monthly_2024_09=100.0)})).notes
    assert (
        "energy limit monthly/2024-09: 480 h of its period lie after the horizon, in which up to 3840.000 MWh could be "
        "taken; of its 4000 MWh 160.000 MWh have to be taken before"
    ) in notes


def test_a_whole_plan_keeps_the_day(make_case):
    """Six containers, 8 MW of surplus for 12 hours, 12 MWh of it for half of a day.

    *Proves:* from the case to the rounded plan the limit is kept, and reached.  *Sensitivity:* without it 90 MWh.
    """
    plan = plan_case(make_case({"energy_limits": [DAILY]}))
    assert float(plan.schedule.supply_mw[0].sum()) == pytest.approx(12.0, abs=0.1)
    assert float(plan.schedule.supply_mw[0].sum()) <= 12.0 + 1e-6
    assert float(plan_case(make_case({})).schedule.supply_mw[0].sum()) > 50.0


@pytest.mark.parametrize(("source", "pace"), [("surplus", "none"), (None, "even")])
def test_nights_in_a_row_keep_a_limit_of_the_month(make_case, source, pace):
    """Two containers in the last three days of September, 40 MWh left for them; each plan goes on where the last ends.

    *Proves:* the amounts that a plan hands on are those that were taken, so that the nights together keep the limit;
    in October a new month begins with nothing.
    *Sensitivity:* a night that begins with the amount of the first one takes as much again.
    """
    limit = {**MONTHLY, "source": source, "at_most_mwh": 140.0, "pace": pace}
    state: dict[str, Any] = taken(monthly_2024_09=100.0)
    total = 0.0
    for day in (28, 29, 30):
        case = {
            **{"energy_limits": [limit], "state": state, "horizon_h": 36.0, "publish_h": 24.0},
            **{"start": f"2024-09-{day}T00:00:00+08:00", "options": {"gap": 1e-3}},
        }
        # The grid costs more than hash earns, so that a night has to do with the surplus.
        plan = plan_case(make_case(case, TWO, sources__grid__price_usd_per_mwh=300.0))
        drawn = plan.replay.site_power_mw if source is None else plan.schedule.supply_mw[0]
        total += float(drawn[:24].sum())
        state = dict(plan.state_after)
        carried = {} if day == 30 else {"monthly/2024-09": pytest.approx(100.0 + total, abs=1e-5)}
        assert {k: v for k, v in state.get("energy_taken_mwh", {}).items() if "2024-09" in k} == carried
    assert 35.0 <= total <= 40.0 + 1e-3
    after = make_case({"energy_limits": [limit], "state": state, "start": "2024-10-01T00:00:00+08:00"}, TWO)
    (october,) = limits_of(after)
    assert (october.name, october.taken_mwh) == ("monthly/2024-10", 0.0)
    assert np.isclose(october.at_most_mwh, 140.0 if pace == "none" else 140.0 * 12 / 744)
