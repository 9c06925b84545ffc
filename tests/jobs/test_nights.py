"""Nights in a row: days of 23, 24 and 25 hours, repeated, late and missed nights."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexmine.audit.directory import audit_directory
from flexmine.errors import BadInput, Status
from flexmine.jobs import planning
from flexmine.jobs.executed_days import executed, join
from flexmine.jobs.intraday import Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night, exit_code
from flexmine.problem.reading import read_problem
from flexmine.publish.reader import read_current
from nights import evening_before, feed_file, issue_surplus, surplus_mw, write_job, write_series

SPRING = date(2024, 3, 30)
"""The day before the clock of Oslo is changed."""


def _night(job_file, day, **options):
    return Night(read_job(job_file), evening_before(day), **options).run(day)


def _plan(job_file, day, revision=1):
    folder = job_file.parent / "runs" / "small" / day.isoformat() / f"r{revision}" / "plan"
    return json.loads((folder / "plan.json").read_text()), folder


def test_the_same_inputs_change_nothing_and_changed_ones_are_named(tmp_path):
    """*Proves:* one plan for one set of inputs; a new revision says which series, how many values, by how much.

    *Sensitivity:* a hash over times of issue, or over anything of the clock, would make a revision every time.
    """
    job = write_job(tmp_path, SPRING, 1)
    first = _night(job, SPRING)[0]
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "runs" / "small").rglob("*") if p.is_file()}
    again = _night(job, SPRING)[0]
    assert first.new and not again.new
    assert again.record == first.record
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "runs" / "small").rglob("*") if p.is_file()}
    issue_surplus(tmp_path, SPRING, revision=2, factor=0.5)
    changed = _night(job, SPRING)[0]
    assert changed.new and changed.record.revision == 2
    assert len(changed.record.changes) == 1
    assert re.match(r"sources.surplus.available_mw: \d+ of 36 values differ, by", changed.record.changes[0])
    assert read_current(tmp_path / "published").document["run"]["revision"] == 2


def test_missed_nights_are_caught_up_in_order(tmp_path):
    """*Proves:* after two missed nights three days are planned, each from the state of the one before."""
    job = write_job(tmp_path, SPRING, 4)
    _night(job, SPRING)
    results = _night(job, SPRING + timedelta(days=3))
    assert [r.record.day for r in results] == [SPRING + timedelta(days=i) for i in (1, 2, 3)]
    assert [r.record.state_from["day"] for r in results] == [(SPRING + timedelta(days=i)).isoformat() for i in range(3)]
    # By the clock of the site; the evening before is given in UTC.
    assert results[0].record.labels[0] == "planned at 2024-04-01T18:00+02:00, after the day had begun"
    assert results[2].record.labels == ()


def test_catching_up_may_be_refused_or_bounded(tmp_path):
    """*Proves:* the job's rule holds.  *Sensitivity:* a clock that is a month off would plan a month."""
    job = write_job(tmp_path, SPRING, 4, more="catch_up: {max_days: 1}\n")
    _night(job, SPRING)
    with pytest.raises(BadInput, match=r"2 days before 2024-04-02 have no plan; catch_up.max_days allows 1"):
        _night(job, SPRING + timedelta(days=3))
    job.write_text(job.read_text().replace("max_days: 1", "rule: refuse"))
    with pytest.raises(BadInput, match=r"1 day before 2024-04-01 has no plan; catch_up.rule is refuse"):
        _night(job, SPRING + timedelta(days=2))


def test_a_day_without_predecessor_is_refused(tmp_path):
    """*Proves:* no state is made up.  *Sensitivity:* the template's own state would be a fiction."""
    job = write_job(tmp_path, SPRING, 2)
    with pytest.raises(BadInput, match=r"there is no plan of 2024-03-28 in the store, so the state of small"):
        _night(job, SPRING - timedelta(days=1))


def test_an_earlier_day_planned_again_does_not_take_the_place_of_a_later_one(tmp_path):
    """*Proves:* the published plan stays that of the later day.  *Sensitivity:* machines would lose tomorrow."""
    job = write_job(tmp_path, SPRING, 2)
    _night(job, SPRING)
    _night(job, SPRING + timedelta(days=1))
    issue_surplus(tmp_path, SPRING, revision=2, factor=0.5)
    again = _night(job, SPRING)[0]
    assert again.record.revision == 2 and again.record.sequence is None
    assert read_current(tmp_path / "published").document["run"]["day"] == "2024-03-31"
    follow = _night(job, SPRING + timedelta(days=1))[0]
    assert follow.record.revision == 2 or not np.any(follow.record.changes)


def _last_on(part):
    return part.schedule.on[:, part.steps - 1]


@pytest.mark.parametrize("first", [date(2024, 3, 27), date(2024, 10, 24)], ids=["spring", "autumn"])
def test_five_nights_over_a_change_of_the_clock_are_one_schedule(tmp_path, first):
    """*Proves:* nights over a change of the clock, joined and replayed as one schedule, break no minimum time, ramp or
    limit at any midnight, and their money is the sum of the nights'.

    *Sensitivity:* with the state of a container lost at one midnight the joined replay names it.
    """
    job_file = write_job(tmp_path, first, 5)
    results = [_night(job_file, first + timedelta(days=i))[0] for i in range(5)]
    parts = executed(read_job(job_file).open_store(), "small")
    assert sorted(part.steps for part in parts) == ([24, 24, 24, 24, 25] if first.month == 10 else [23, 24, 24, 24, 24])
    for before, part in pairwise(parts):
        document, _ = _plan(job_file, before.day)
        assert part.problem.site.initial_mw == pytest.approx(document["state_after"]["initial_mw"])
    assert read_current(tmp_path / "published").valid_until == results[-1].record.valid_until
    whole = join(parts)
    assert whole.problem.steps == sum(part.steps for part in parts)
    assert whole.replay.violations == ()
    assert float(whole.replay.money_by_step_usd.sum()) == pytest.approx(sum(r.record.money_usd for r in results))
    # Whoever runs through a midnight and is stopped there for one hour breaks its minimum time off.
    seams = [
        (i, int(row))
        for i in range(1, 5)
        for row in np.flatnonzero(_last_on(parts[i - 1]) & parts[i].schedule.on[:, :2].all(axis=1))
    ]
    i, row = seams[0]
    on = parts[i].schedule.on.copy()
    on[row, 0] = False
    schedule = replace(parts[i].schedule, on=on, it_power_mw=np.where(on, parts[i].schedule.it_power_mw, 0.0))
    doctored = [*parts[:i], replace(parts[i], schedule=schedule), *parts[i + 1 :]]
    assert "minimum_down" in {v.limit for v in join(doctored).replay.violations}


def test_a_plan_whose_time_was_up_is_kept_with_its_gap(tmp_path, monkeypatch):
    """*Proves:* the incumbent is stored and published with its gap, and the night ends with exit 4."""
    job_file = write_job(tmp_path, SPRING, 1)
    real = planning.plan_case

    def hurried(case, phases):
        plan = real(case, phases=phases)
        bound = plan.money_usd * 1.01
        gap = (bound - plan.money_usd) / abs(plan.money_usd)
        return replace(plan, status=Status.FEASIBLE, bound_usd=bound, gap=gap)

    monkeypatch.setattr(planning, "plan_case", hurried)
    result = _night(job_file, SPRING)
    assert exit_code(result) == 4
    assert result[0].record.gap == pytest.approx(0.01)
    assert read_current(tmp_path / "published").document["status"] == "feasible"


def test_a_clock_that_was_set_back_changes_nothing(tmp_path):
    """*Proves:* a run whose clock shows two days earlier finds that day planned, and leaves all as it is.

    *Sensitivity:* planning the earlier day anew with fewer issues would be a worse revision.
    """
    job_file = write_job(tmp_path, SPRING, 3)
    for i in range(3):
        _night(job_file, SPRING + timedelta(days=i))
    job = read_job(job_file)
    results = Night(job, evening_before(SPRING)).run()
    assert [r.new for r in results] == [False]
    assert read_current(tmp_path / "published").document["run"]["day"] == (SPRING + timedelta(days=2)).isoformat()


def _limited_job(folder, first, limits, taken):
    """Return a job whose template has limits of energy, and whose first day knows what was taken before."""
    job_file = write_job(folder, first, 4)
    case, plant = folder / "case.yaml", folder / "plant.yaml"
    case.write_text(case.read_text().replace("gap: 1e-4", "gap: 2e-3") + f"energy_limits:\n{limits}")
    plant.write_text(plant.read_text().replace("last: 3", "last: 1"))
    text, state = job_file.read_text(), "default: {on: false, hours: 10}"
    job_file.write_text(text.replace(f"{state}}}", f"{state}, energy_taken_mwh: {taken}}}"))
    return job_file


def test_nights_in_a_row_keep_a_month(tmp_path):
    """The last two days of March with 3 MWh of firm power left, and the first of April, with another 503.

    *Proves:* what a night has taken goes to the next one with the state of the plant, so that both together keep the
    month; the look-ahead into April spends what is April's.  Each plan passes the audit from its files.
    *Sensitivity:* a night that begins with the amount of the first one takes 3 MWh again; that of April does.
    """
    month = "  - {name: firm, source: grid, over: month, at_most_mwh: 503, pace: none}\n"
    job_file = _limited_job(tmp_path, SPRING, month, "{firm/2024-03: 500}")
    grid_mwh, carried = [], []
    for i in range(3):
        day = SPRING + timedelta(days=i)
        _night(job_file, day)
        document, folder = _plan(job_file, day)
        assert audit_directory(folder).ok
        grid_mwh.append(document["published"]["grid_mwh"])
        carried.append(document["state_after"].get("energy_taken_mwh", {}))
    assert carried[0] == {"firm/2024-03": pytest.approx(500.0 + grid_mwh[0], abs=1e-3)}
    assert 2.5 <= grid_mwh[0] + grid_mwh[1] <= 3.0 + 1e-3
    assert carried[1] == {}
    assert carried[2] == {"firm/2024-04": pytest.approx(grid_mwh[2], abs=1e-3)}
    assert grid_mwh[2] > 3.0


def test_a_replan_at_noon_goes_on_with_the_energy_of_the_day(tmp_path):
    """A day limit; the plan is made anew at noon, from the state that the plan in force leads to.

    *Proves:* what the morning took is carried into the new plan.  *Sensitivity:* without it the case is refused, or the
    afternoon would have the whole day's energy.
    """
    day = "  - {name: own, source: grid, over: day, at_most_mwh: 30}\n"
    job_file = _limited_job(tmp_path, SPRING, day, "{}")
    _night(job_file, SPRING)
    job = read_job(job_file)
    noon = datetime(2024, 3, 30, 11, 40, tzinfo=UTC)
    (result,) = Intraday(Night(job, noon), "replan").run()
    place = job.open_store().place(result.record) / "plan"
    (limit,) = (e for e in read_problem(place / "problem.json").site.energy_limits if e.first_step == 0)
    _, first = _plan(job_file, SPRING)
    rows = np.genfromtxt(first / "site.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    morning = float(rows["grid_mw"][: 24 - limit.steps].sum())
    assert (limit.name, limit.steps) == ("own/2024-03-30", 11)
    assert limit.taken_mwh == pytest.approx(morning, abs=1e-3)
    assert morning > 1.0


def test_a_limit_that_is_new_to_a_job_takes_its_amount_from_the_template(tmp_path):
    """A night without limits, then a month's limit in the template, with what the month has taken: 3 MWh are left.

    *Proves:* a limit can be added to a job that runs; later the amount that a plan hands on goes before the template's.
    *Sensitivity:* with the state of the plan before alone, every night to the end of the month is refused.
    """
    job_file = _limited_job(tmp_path, SPRING, "[]", "{}")
    case = tmp_path / "case.yaml"
    case.write_text(case.read_text().replace("energy_limits:\n[]", ""))
    _night(job_file, SPRING)
    month = "energy_limits:\n  - {name: firm, source: grid, over: month, at_most_mwh: 503, pace: none}\n"
    text = case.read_text() + month
    state = "default: {on: false, hours: 10}"
    assert state in text
    case.write_text(text.replace(f"{state}}}", f"{state}, energy_taken_mwh: {{firm/2024-03: 500}}}}"))
    _night(job_file, SPRING + timedelta(days=1))
    document, folder = _plan(job_file, SPRING + timedelta(days=1))
    assert audit_directory(folder).ok
    assert document["published"]["grid_mwh"] <= 3.0 + 1e-3


@pytest.mark.parametrize(("zone", "day"), [("America/Havana", date(2024, 11, 3)), ("Europe/Oslo", date(2024, 10, 27))])
def test_the_same_inputs_change_nothing_where_midnight_is_repeated(tmp_path, zone, day):
    """In Havana the clock goes back from 1:00 to 0:00, so that the day begins at the first of two midnights.

    *Proves:* the second run finds the plan of the first.  *Sensitivity:* Python takes no two times of different zones
    for equal where one is repeated; each run made a revision, and a fallback could take the place of a better plan.
    """
    job = write_job(tmp_path, day, 1, zone=zone)
    first, again = (Night(read_job(job), evening_before(day, zone)).run(day)[0] for _ in range(2))
    assert (first.new, again.new, again.record) == (True, False, first.record)


@pytest.mark.parametrize(("day", "age_h"), [(date(2024, 10, 28), 30.5), (date(2024, 4, 1), 29.5)])
def test_age_is_elapsed_time_where_the_clock_is_changed(tmp_path, day, age_h):
    """A night that runs half an hour after its day has begun, the day after one of 25 or of 23 hours.

    *Proves:* an issue is 30.5 h and 29.5 h old at midnight, whatever the clock showed meanwhile; 30 h are allowed.
    *Sensitivity:* counted by the clock of the site, these are 29.5 h and 30.5 h.
    """
    job = write_job(tmp_path, day - timedelta(days=1), 1)
    Night(read_job(job), evening_before(day - timedelta(days=1))).run(day - timedelta(days=1))
    for file in (tmp_path / "feeds").iterdir():
        file.unlink()
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Oslo"))
    file = feed_file(tmp_path, midnight.astimezone(UTC) - timedelta(hours=age_h))
    write_series(file, "surplus_mw", surplus_mw, "Europe/Oslo", day, 3)
    late = Night(read_job(job), midnight + timedelta(minutes=30))
    if age_h < 30:
        assert late.run(day)[-1].record.step == "newest"
        return
    with pytest.raises(BadInput, match=r"30\.5 h old at .*; max_age_h allows 30 h"):
        late.run(day)
