"""A clock that was ahead over midnight when a plan was made: what machines read, follow and begin from afterwards."""

from contextlib import closing
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flexmine.errors import BadInput
from flexmine.jobs import night as night_module
from flexmine.jobs import publication
from flexmine.jobs.executed_days import executed, join
from flexmine.jobs.following import of_day, plan_at
from flexmine.jobs.health import health
from flexmine.jobs.intraday import Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.jobs.state import state_before
from flexmine.publish.reader import read_current
from flexmine.publish.table import rows_at
from flexmine.publish.whole import faults_of
from flexmine.publish.written import plan_id_of
from nights import evening_before, issue_surplus, write_job

OSLO = ZoneInfo("Europe/Oslo")
TODAY = date(2024, 5, 13)
TOMORROW, THIRD, FOURTH = (TODAY + timedelta(days=i) for i in (1, 2, 3))
HOUR = timedelta(hours=1)


def at(day, hour, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=OSLO)


EVENING = at(TODAY, 21, 40)
"""The true time at which the clock was ahead; today and tomorrow are planned and published."""


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Today and tomorrow are planned and published."""
    folder = tmp_path_factory.mktemp("once")
    job = read_job(write_job(folder, TODAY, 6))
    for day in (TODAY, TOMORROW):
        Night(job, evening_before(day)).run(day)
    return folder


@pytest.fixture
def store(job):
    opened = job.open_store()
    yield opened
    opened.close()


def replan(job, now):
    return Intraday(Night(job, now), "replan").run()


def rows_of_plans(job, moment):
    """Return what machines read for a moment, without what they do after the end of a plan."""
    rows = read_current(job.path_of("published")).rows()
    return [row for row in rows_at(rows, moment) if row["row"] != "after"]


def read_by_machines(job, begin, end):
    """Return the ids of the plans that machines read from `begin` to `end`, in order; every hour has one for all."""
    assert faults_of(read_current(job.path_of("published"))) == []
    found = []
    for moment in [begin + HOUR * i for i in range(round((end - begin) / HOUR))]:
        rows = rows_of_plans(job, moment)
        assert len(rows) == 3, moment
        found += [row["plan_id"] for row in rows]
    return list(dict.fromkeys(found))


def plan_ids(store, *plans):
    """Return the ids of plans that are given as (day, revision)."""
    return [plan_id_of(store.plan(store.revisions("small", day)[revision - 1])) for day, revision in plans]


def check_state(job, store, day):
    """The state before a day is the one in which what machines read of the day before ends."""
    last = rows_of_plans(job, at(day, 0) - HOUR / 2)[0]["plan_id"]
    (record,) = [r for r in store.revisions("small", day - timedelta(days=1)) if plan_id_of(store.plan(r)) == last]
    assert state_before(job, store, day).source["plan"] == record.run_id
    assert record == store.followed("small", day - timedelta(days=1))


def check_no_seam(store, first, last):
    """What was planned for each hour, joined and replayed, breaks no limit."""
    assert join(executed(store, "small", first, last)).replay.violations == ()


def criticals(job, now):
    return [c.text for c in health(job, now).checks if c.level.name == "CRITICAL" and c.name == "publication"]


def test_three_hours_ahead_then_nightly(job, store):
    """A replan at 21:40 by a clock that shows 00:40: the rest of tomorrow, from 01:00.

    *Proves:* one night at the true time and machines read today's plan up to midnight, tomorrow's up to 01:00 and only
    then the one made by the false clock, which was made for the state that this leads to; the next night begins where
    that ends, nothing breaks at a seam, health is no longer critical, and says what was planned after now.
    *Sensitivity:* taken as the plan of all of tomorrow it does not begin where today ends: neither it nor any other
    plan of tomorrow was published, and health said nothing of it.
    """
    replan(job, EVENING + 3 * HOUR)
    assert "has nothing for the hours until then" in criticals(job, EVENING)[0]
    assert Night(job, EVENING + HOUR / 4).run()[0].record.revision == 1
    expected = plan_ids(store, (TODAY, 1), (TOMORROW, 1), (TOMORROW, 2))
    assert read_by_machines(job, at(TODAY, 22), at(THIRD, 0)) == expected
    assert rows_of_plans(job, at(TOMORROW, 0, 59))[0]["plan_id"] == expected[1]
    assert rows_of_plans(job, at(TOMORROW, 1))[0]["plan_id"] == expected[2]
    found = health(job, EVENING + HOUR / 3)
    assert found.level.name != "CRITICAL"
    assert any(
        c.text.startswith("revision 2 of 2024-05-14, to be followed from 2024-05-14T01:00:00+02:00, was planned 2.7 h")
        for c in found.checks
    )
    check_state(job, store, THIRD)
    Night(job, evening_before(THIRD)).run()
    assert len(read_by_machines(job, at(TOMORROW, 18), at(FOURTH, 0))) == 2
    check_no_seam(store, TODAY, THIRD)
    sequence = read_current(job.path_of("published")).sequence
    Night(job, evening_before(THIRD)).run()
    assert read_current(job.path_of("published")).sequence == sequence


def test_health_names_all_hours_that_are_missing(job):
    """A replan at 21:40 by a clock that shows 03:40, and no run after it.

    *Proves:* health is critical at 21:40, at midnight and at 02:00, with the command that heals, and no longer when
    what was published holds.  *Sensitivity:* looking at now alone is well again at any hour that no plan covers.
    """
    replan(job, EVENING + 6 * HOUR)
    for now, ahead in ((EVENING, "6.0"), (at(TOMORROW, 0), "3.7"), (at(TOMORROW, 2), "1.7")):
        (text,) = criticals(job, now)
        assert f"was made {ahead} h after now and has nothing for the hours until then" in text
        assert text.endswith("flexmine nightly, or flexmine replan")
    assert criticals(job, at(TOMORROW, 3)) == []


def test_a_night_with_something_new_replaces_it(job, store):
    """*Proves:* a night at the true time whose feeds have changed plans tomorrow as a whole; nobody reads or follows
    what the false clock had planned.  *Sensitivity:* that was made of older feeds, and would cut the new plan at 01:00.
    """
    replan(job, EVENING + 3 * HOUR)
    issue_surplus(job.path_of("."), TOMORROW, revision=8, factor=0.6)
    record = Night(job, EVENING + HOUR / 4).run()[0].record
    assert (record.revision, record.kind) == (3, "night")
    assert read_by_machines(job, at(TODAY, 22), at(THIRD, 0)) == plan_ids(store, (TODAY, 1), (TOMORROW, 3))
    check_state(job, store, THIRD)
    check_no_seam(store, TODAY, TOMORROW)
    assert "planned" not in " ".join(c.text for c in health(job, EVENING + HOUR / 3).checks if c.name == "clock")


@pytest.mark.parametrize("minute", [20, 40])
def test_healed_after_midnight_only(job, store, minute):
    """As before, but the next run is a night for the day after tomorrow, at 00:20 or 00:40: today is over.

    *Proves:* tomorrow's own plan is published for the hours up to 04:00.  *Sensitivity:* only the newest revision.
    """
    replan(job, EVENING + 6 * HOUR)
    Night(job, at(TOMORROW, 0, minute)).run()
    expected = plan_ids(store, (TOMORROW, 1), (TOMORROW, 2), (THIRD, 1))
    assert read_by_machines(job, at(TOMORROW, 1), at(FOURTH, 0)) == expected
    assert rows_of_plans(job, at(TOMORROW, 3, 59))[0]["plan_id"] == expected[0]
    check_state(job, store, FOURTH)
    check_no_seam(store, TODAY, THIRD)
    assert criticals(job, at(TOMORROW, 0, minute)) == []


def test_two_days_ahead(job, store):
    """A night and a replan by a clock two days ahead: the days after tomorrow are planned, and the rest of one again.

    *Proves:* a night at the true time publishes every plan for its hours in order; the nights after it begin where the
    plans that machines read end.  *Sensitivity:* a gap of a day, or a night that begins from another plan.
    """
    false = EVENING + timedelta(days=2)
    Night(job, false).run()
    issue_surplus(job.path_of("."), FOURTH, revision=3, factor=0.7)
    replan(job, false)
    assert criticals(job, EVENING)
    Night(job, EVENING + HOUR / 4).run()
    chain = plan_ids(store, (TODAY, 1), (TOMORROW, 1), (THIRD, 1), (THIRD, 2), (FOURTH, 2))
    assert read_by_machines(job, at(TODAY, 22), at(FOURTH + timedelta(days=1), 0)) == chain
    assert criticals(job, EVENING + HOUR / 3) == []
    for day in (THIRD, FOURTH, FOURTH + timedelta(days=1)):
        Night(job, evening_before(day)).run()
        check_state(job, store, day)
        assert criticals(job, evening_before(day)) == []
    check_no_seam(store, TODAY, FOURTH + timedelta(days=1))


def test_replanned_at_the_true_time(job, store):
    """*Proves:* a replan of today at the true time plans all of tomorrow anew, and nobody reads or follows what the
    false clock had planned.  *Sensitivity:* it would still be followed from 01:00 on, from the state of an older plan.
    """
    replan(job, EVENING + 3 * HOUR)
    issue_surplus(job.path_of("."), TOMORROW, revision=4, factor=0.6)
    today, tomorrow = (r.record for r in replan(job, EVENING + HOUR))
    assert (today.revision, tomorrow.revision) == (2, 3)
    read = read_by_machines(job, at(TODAY, 23), at(THIRD, 0))
    assert read == plan_ids(store, (TODAY, 2), (TOMORROW, 3))
    assert [p.record.run_id for p in of_day(store, "small", TOMORROW)] == [tomorrow.run_id]
    check_state(job, store, THIRD)
    check_no_seam(store, TODAY, TOMORROW)


@pytest.mark.parametrize("kind", ["replan", "redispatch"])
def test_inside_the_day_before_the_false_time(job, store, kind):
    """The clock showed 14:40 of tomorrow; at 09:40 of it, by the right time, the rest of that day is planned again.

    *Proves:* it begins in the state of the plan that holds until then.  *Sensitivity:* the newest revision begins at
    15:00, and its state at 10:00 is not known: the run was refused until then.
    """
    replan(job, EVENING + 17 * HOUR)
    first, false = store.revisions("small", TOMORROW)
    issue_surplus(job.path_of("."), TODAY, revision=5, factor=0.6)
    assert plan_at(store, "small", TOMORROW, at(TOMORROW, 10)) == first
    assert plan_at(store, "small", TOMORROW, at(TOMORROW, 15)) == false
    (result,) = Intraday(Night(job, at(TOMORROW, 9, 40)), kind).run()
    assert result.record.state_from["plan"] == first.run_id
    assert read_by_machines(job, at(TOMORROW, 10), at(THIRD, 0)) == plan_ids(store, (TOMORROW, 3))
    assert [p.record.revision for p in of_day(store, "small", TOMORROW)] == [1, 3]
    check_state(job, store, THIRD)
    check_no_seam(store, TODAY, TOMORROW)


@pytest.mark.parametrize("back", [3, 16])
def test_a_clock_that_is_behind_throws_nothing_away(job, store, back):
    """Today was planned again for 12:00 on; at 14:00 the clock is hours behind, and a night is run.

    *Proves:* machines go on reading, at the true time, the plan that they are following.  *Sensitivity:* by that clock
    it was made after now: whoever drops it for that puts them back on the plan of the night, in another state.
    """
    issue_surplus(job.path_of("."), TODAY, revision=7, factor=0.5)
    replan(job, at(TODAY, 11, 40))
    before = read_by_machines(job, at(TODAY, 14), at(THIRD, 0))
    assert before == plan_ids(store, (TODAY, 2), (TOMORROW, 2))
    wrong = at(TODAY, 14) - back * HOUR
    Night(job, wrong).run()
    assert criticals(job, wrong) == []
    assert read_by_machines(job, at(TODAY, 14), at(THIRD, 0)) == before
    check_state(job, store, THIRD)


def test_a_night_ahead_of_its_time(job, store):
    """*Proves:* a night at 21:40 by a clock that shows 03:40 plans the day after tomorrow; one at the true time brings
    today and tomorrow back, up to that day.  *Sensitivity:* tomorrow's plan began before what was published.
    """
    Night(job, EVENING + 6 * HOUR).run()
    assert criticals(job, EVENING)
    Night(job, EVENING + HOUR / 4).run()
    expected = plan_ids(store, (TODAY, 1), (TOMORROW, 1), (THIRD, 1))
    assert read_by_machines(job, at(TODAY, 22), at(FOURTH, 0)) == expected
    check_state(job, store, FOURTH)


def test_without_a_plan_of_the_true_day(tmp_path):
    """The first plan is that of tomorrow; today has none, and the clock shows 03:40 of tomorrow.

    *Proves:* at 21:40 health tells the hours of tomorrow that are missing, and a night brings them back.
    *Sensitivity:* for now there is no plan, so nothing was said or done until midnight.
    """
    job = read_job(write_job(tmp_path, TOMORROW, 3))
    Night(job, evening_before(TOMORROW)).run()
    replan(job, EVENING + 6 * HOUR)
    assert rows_of_plans(job, at(TOMORROW, 1)) == []
    assert criticals(job, EVENING)
    Night(job, EVENING + HOUR / 4).run()
    store = job.open_store()
    assert read_by_machines(job, at(TOMORROW, 0), at(THIRD, 0)) == plan_ids(store, (TOMORROW, 1), (TOMORROW, 2))
    check_state(job, store, THIRD)
    store.close()
    assert criticals(job, EVENING + HOUR / 3) == []


@pytest.mark.parametrize("done", [1, 2])
@pytest.mark.parametrize("now", [EVENING + HOUR / 2, at(TOMORROW, 0, 20)])
def test_healing_that_was_cut_off_is_finished(job, store, monkeypatch, done, now):
    """After a replan by a false clock, what is published again is cut off after one plan or two.

    *Proves:* the next run publishes the rest in order, whether or not today is over by then.  *Sensitivity:* a plan
    with a number counts as published, though a later publication has dropped it.
    """
    replan(job, EVENING + 3 * HOUR)
    real, published = publication.publish_run, []

    def cut_off(*arguments, **more):
        if len(published) == done:
            raise BadInput("cut off")
        published.append(arguments)
        return real(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(publication, "publish_run", cut_off)
        with pytest.raises(BadInput, match="cut off"):
            Night(job, EVENING + HOUR / 4).run()
    if now > at(TOMORROW, 0) and done == 1:
        (text,) = criticals(job, now)
        assert "has nothing for now, for which revision 1 of 2024-05-14 is stored" in text
    Night(job, now).run(TOMORROW if now < at(TOMORROW, 0) else THIRD)
    over = now > at(TOMORROW, 0)
    expected = plan_ids(store, (TODAY, 1), (TOMORROW, 1), (TOMORROW, 2))[over:]
    assert read_by_machines(job, now.replace(minute=30), at(TOMORROW, 23)) == expected
    check_state(job, store, THIRD)
    assert criticals(job, now) == []


def test_tomorrow_is_planned_anew_where_it_does_not_go_on(job, store):
    """A false clock has planned the day after tomorrow; today is planned anew, and tomorrow fails in that run.

    *Proves:* the next night plans tomorrow from the new end of today and publishes it.  *Sensitivity:* as machines had
    got a plan of tomorrow, and it is not the last day, the new one was kept as one that nobody follows.
    """
    Night(job, EVENING + 6 * HOUR).run()
    issue_surplus(job.path_of("."), TODAY, revision=6, factor=0.0)
    real = Night.plan_and_store

    def fails_for_tomorrow(self, store, chain, *more):
        if chain.horizon.day.day == TOMORROW:
            raise BadInput("no feed of tomorrow")
        return real(self, store, chain, *more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Night, "plan_and_store", fails_for_tomorrow)
        with pytest.raises(BadInput, match="no feed"):
            replan(job, at(TODAY, 11, 40))
    result = Night(job, EVENING).run()[0].record
    assert (result.kind, result.day, result.revision) == ("night", TOMORROW, 2)
    assert read_by_machines(job, at(TODAY, 22), at(THIRD, 0)) == plan_ids(store, (TODAY, 2), (TOMORROW, 2))
    assert "2024-05-15: revision 1 is not published" in " ".join(health(job, EVENING).lines)
    Night(job, evening_before(THIRD)).run()
    assert len(read_by_machines(job, at(TOMORROW, 18), at(FOURTH, 0))) == 2
    check_no_seam(store, TODAY, THIRD)


def test_today_is_published_though_tomorrow_is_stored(job, store, monkeypatch):
    """The night for the day after tomorrow is missed; on that day it is made up for, and its publication fails once.

    *Proves:* the plan of the running day is published while its day lasts, before that of the next one, which begins
    where it ends.  *Sensitivity:* an earlier night that was never published was left out: machines had nothing, and
    the next day's plan began in the state after a plan that nobody had followed.
    """

    def refused(*_):
        raise BadInput("no room")

    with monkeypatch.context() as patched:
        patched.setattr(night_module, "publish_newest", refused)
        with pytest.raises(BadInput, match="no room"):
            Night(job, at(THIRD, 8, 30)).run()
    assert [store.newest("small", day).sequence for day in (THIRD, FOURTH)] == [None, None]
    (text,) = criticals(job, at(THIRD, 9))
    assert "publication 2 has nothing for now, for which revision 1 of 2024-05-15 is stored" in text
    Night(job, at(THIRD, 9, 30)).run()
    assert criticals(job, at(THIRD, 9, 30)) == []
    assert read_by_machines(job, at(THIRD, 10), at(FOURTH, 23)) == plan_ids(store, (THIRD, 1), (FOURTH, 1))


def test_fallbacks_of_a_clock_days_ahead_are_replaced_before_their_days(tmp_path):
    """One night by a clock 72 h ahead plans three days of feeds that look stale; then each evening a night of its day.

    *Proves:* before each of these days begins, its fallback is replaced by a plan of the newest issue, which is what
    machines read, what state goes by, and what the run says.
    *Sensitivity:* kept, the run ends with exit 0 and "optimal" while machines follow the fallback.
    """
    ladder = "ladder: [{step: older_issue}, {step: persistence}, {step: hold}]\n"
    job = read_job(write_job(tmp_path, TODAY, 2, more=ladder))
    for day in (TODAY, TOMORROW):
        Night(job, evening_before(day)).run(day)
    assert [r.record.exit_code for r in Night(job, evening_before(TOMORROW) + 72 * HOUR).run()] == [5, 5, 5]
    for day in (THIRD, FOURTH):
        issue_surplus(tmp_path, day, factor=0.5)
        record = Night(job, evening_before(day) + HOUR).run()[0].record
        assert (record.day, record.kind, record.step, record.exit_code) == (day, "night", "newest", 0)
        with closing(job.open_store()) as opened:
            assert opened.followed("small", day).run_id == record.run_id
            assert read_by_machines(job, at(day, 0), at(day, 23)) == plan_ids(opened, (day, record.revision))
            check_state(job, opened, day + timedelta(days=1))
