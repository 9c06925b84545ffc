"""Inside the day: power reset within the commitment, the rest of the day planned anew, tomorrow after it."""

import csv
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexmine.audit.directory import audit_directory
from flexmine.errors import BadInput, Infeasible
from flexmine.jobs.calendar import ONE_DAY, LocalDay
from flexmine.jobs.difference import difference
from flexmine.jobs.executed_days import executed, read_part
from flexmine.jobs.intraday import REDISPATCH, REPLAN, Intraday, next_step
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job
from flexmine.jobs.night import Night
from flexmine.jobs.observe import observe
from flexmine.jobs.publication import publish_newest
from flexmine.jobs.reproduce import reproduce
from flexmine.jobs.show import difference_lines, history_lines
from flexmine.jobs.stored import check_run
from flexmine.publish.reader import read_current
from nights import evening_before, issue_surplus, surplus_mw, write_job, write_series

OSLO = ZoneInfo("Europe/Oslo")
DAY = date(2024, 5, 13)
NOON = datetime(2024, 5, 13, 11, 40, tzinfo=OSLO)
"""Its surplus is among the largest of the year: containers run on it."""


def new_surplus(folder, factor, issued="20240513T0900Z"):
    """Write an issue of 11:00 site time in which the surplus is another one."""
    path = folder / "feeds" / f"surplus_{issued}.csv"
    write_series(path, "surplus_mw", lambda t: round(factor * surplus_mw(t), 4), "Europe/Oslo", DAY, 4)


def planned(job):
    return Night(read_job(job), evening_before(DAY)).run(DAY)[0]


def inside(job, kind, now=NOON):
    return Intraday(Night(read_job(job), now), kind).run()


def part_of(job, day, revision):
    return read_part(day, job.parent / "runs" / "small" / day.isoformat() / f"r{revision}" / "plan")


def test_a_step_that_has_begun_is_past():
    """*Proves:* 11:40 gives 12:00, 12:00 itself; on a day of 25 hours in elapsed time.

    *Sensitivity:* wall-clock arithmetic is an hour off after the change.
    """
    day = LocalDay(DAY, "Europe/Oslo")
    assert next_step(NOON, day, 60).isoformat() == "2024-05-13T12:00:00+02:00"
    assert next_step(NOON.replace(minute=0), day, 60).hour == 11
    assert next_step(NOON, day, 15).isoformat() == "2024-05-13T11:45:00+02:00"
    long_day = LocalDay(date(2024, 10, 27), "Europe/Oslo")
    late = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=OSLO)
    assert next_step(late, long_day, 60).isoformat() == "2024-10-27T03:00:00+01:00"


def test_redispatch_keeps_who_runs_and_follows_the_surplus(tmp_path):
    """*Proves:* from 12:00 on the same containers run at other powers, within ramps from the power of 11:00.

    The plan is audited, stored as revision 2, published with the same end, and can be reproduced byte for byte.

    *Sensitivity:* a plan anew would run other containers; without the newest issue no power would change.
    """
    job = write_job(tmp_path, DAY, 1)
    first = planned(job)
    new_surplus(tmp_path, 0.6)
    result = inside(job, REDISPATCH)[0]
    assert result.new and (result.record.kind, result.record.revision) == ("redispatch", 2)
    assert result.record.valid_from == datetime(2024, 5, 13, 12, tzinfo=OSLO)
    assert result.record.valid_until == first.record.valid_until
    before, after = part_of(job, DAY, 1), part_of(job, DAY, 2)
    rows = [before.schedule.containers.index(name) for name in after.schedule.containers]
    assert (before.schedule.on[rows, 12:] == after.schedule.on).all()
    assert abs(before.schedule.it_power_mw[rows, 12:] - after.schedule.it_power_mw).max() > 0.05
    assert after.problem.site.initial_mw == pytest.approx(before.schedule.supply_mw[:, 11].sum(), abs=1e-5)
    folder = job.parent / "runs" / "small" / DAY.isoformat() / "r2"
    assert audit_directory(folder / "plan").ok
    current = read_current(tmp_path / "published")
    assert current.document["run"]["revision"] == 2 and current.valid_until == first.record.valid_until
    loaded = read_job(job)
    store = loaded.open_store()
    assert not reproduce(store, result.record).differing
    check_run(store.place(result.record), result.record)  # so it would be taken in again if its row was lost
    store.close()


def test_the_same_inputs_again_change_nothing(tmp_path):
    """*Proves:* a second redispatch of the same hour returns the first; that of the next hour names the night's plan.

    *Sensitivity:* naming the plan in force instead would make a revision of every call.
    """
    job = write_job(tmp_path, DAY, 1)
    first = planned(job)
    new_surplus(tmp_path, 0.6)
    one = inside(job, REDISPATCH)[0]
    again = inside(job, REDISPATCH, NOON + timedelta(minutes=5))[0]
    assert not again.new and again.record == one.record
    next_hour = inside(job, REDISPATCH, NOON + timedelta(hours=1))[0]
    assert next_hour.new and next_hour.record.revision == 3
    plan = json.loads((job.parent / "runs/small" / DAY.isoformat() / "r3/plan/plan.json").read_text())
    assert any(f"commitment of {first.record.run_id} is kept" in note for note in plan["notes"])


def test_a_plan_of_the_rest_of_the_day_is_compared_with_that_part_of_the_plan_before(tmp_path):
    """*Proves:* `diff` compares the 12 hours that both publish; its money is that of revision 2, and of those hours of
    revision 1, added up from site.csv; what is left out is said.  `history` has the hours beside the money.

    *Sensitivity:* the money of a whole day beside that of half a day looks like a loss of half of it.
    """
    job = write_job(tmp_path, DAY, 1)
    planned(job)
    new_surplus(tmp_path, 0.6)
    inside(job, REPLAN)
    store = read_job(job).open_store()
    first, second = store.revisions("small", DAY)
    found = difference(store.stored(first), store.stored(second))
    assert (found.begin, found.end, found.whole) == ("2024-05-13T12:00+02:00", "2024-05-14T00:00+02:00", False)
    assert 0 < len(found.hours) <= 12 and all(hour.begin >= found.begin for hour in found.hours)
    sites = [csv.DictReader((store.plan(r) / "site.csv").open(encoding="utf-8")) for r in (first, second)]
    by_hour = [[float(row["money_usd"]) for row in rows] for rows in sites]
    assert found.money_usd["money_usd"][0] == pytest.approx(sum(by_hour[0][12:24]), abs=0.01)
    assert found.money_usd["money_usd"][1] == pytest.approx(second.money_usd, abs=0.01)
    lines = difference_lines(found)
    assert lines[0] == f"compared from {found.begin} to {found.end}, the hours that both plans publish"
    assert "every hour is the same" in difference_lines(difference(store.stored(first), store.stored(first)))
    head, newest, older = history_lines(store.history("small"))
    assert head.split()[-4:] == ["money", "USD", "USD/h", "published"]
    assert (newest.split()[6], older.split()[6]) == ("12", "24")
    store.close()


def test_replan_decides_who_runs_anew_and_earns_no_less(tmp_path):
    """*Proves:* after a collapse of the surplus the plan anew stops containers that the redispatch has to keep on.

    *Sensitivity:* equal money where nothing has changed.
    """
    money = {}
    for kind in (REDISPATCH, REPLAN):
        folder = tmp_path / kind
        folder.mkdir()
        job = write_job(folder, DAY, 1)
        planned(job)
        new_surplus(folder, 0.05)
        result = inside(job, kind)[0]
        assert result.record.kind == kind
        document = json.loads((folder / "runs/small" / DAY.isoformat() / "r2/plan/plan.json").read_text())
        money[kind] = document["money_usd"]
    assert money[REPLAN] > money[REDISPATCH] + 5.0


def test_tomorrow_that_is_planned_already_begins_where_today_ends_now(tmp_path):
    """*Proves:* both days get a revision; tomorrow starts from today's new end; tomorrow is published last.

    *Sensitivity:* the old plan of tomorrow begins with the power of the old plan of today.
    """
    job = write_job(tmp_path, DAY, 2)
    planned(job)
    later = DAY + timedelta(days=1)
    evening = datetime(2024, 5, 13, 17, 10, tzinfo=OSLO)
    Night(read_job(job), evening).run(later)
    new_surplus(tmp_path, 0.4, "20240513T1500Z")
    results = inside(job, REDISPATCH, evening + timedelta(minutes=20))
    assert [(r.record.day, r.record.revision, r.record.kind) for r in results] == [
        (DAY, 2, "redispatch"),
        (later, 2, "redispatch"),
    ]
    today, tomorrow = part_of(job, DAY, 2), part_of(job, later, 2)
    end_mw = today.schedule.supply_mw[:, today.steps - 1].sum()
    assert tomorrow.problem.site.initial_mw == pytest.approx(end_mw, abs=1e-5)
    current = read_current(tmp_path / "published")
    assert current.document["run"]["day"] == later.isoformat()
    begins = [datetime.fromisoformat(row["interval_start"]) for row in current.rows()]
    assert min(begins) <= datetime(2024, 5, 13, 18, tzinfo=OSLO) < max(begins)


def test_a_night_that_finds_the_plan_of_a_replan_makes_no_twin_of_it(tmp_path):
    """After a replan of today, which made tomorrow's plan from a newer issue, the night of tomorrow runs once more.

    *Proves:* its inputs are those of that plan, so that plan stays; each publication is of one run, and a backup is
    made.

    *Sensitivity:* compared with the last night alone, the same plan is stored again; both runs have one number of a
    publication, and no backup is made any more.
    """
    job = write_job(tmp_path, DAY, 2)
    planned(job)
    evening = datetime(2024, 5, 13, 17, 10, tzinfo=OSLO)
    Night(read_job(job), evening).run(DAY + ONE_DAY)
    new_surplus(tmp_path, 0.4, "20240513T1500Z")
    made = inside(job, REPLAN, evening + timedelta(minutes=20))[-1].record
    (again,) = Night(read_job(job), evening + timedelta(minutes=30)).run(DAY + ONE_DAY)
    assert (made.day, made.revision, again.record.run_id, again.new) == (DAY + ONE_DAY, 2, made.run_id, False)
    store = read_job(job).open_store()
    numbers = [r.sequence for r in store.history("small", 10) if r.sequence is not None]
    store.close()
    assert len(set(numbers)) == len(numbers) == 4
    backup_job(read_job(job), tmp_path / "b.tar.gz")


def test_a_replan_that_finds_the_plan_of_a_night_makes_no_twin_of_it(tmp_path):
    """Two days are planned, today's end does not move, and nothing newer has come for the day after.

    *Proves:* the night's plan of the day after stays, and is published after today's new one.

    *Sensitivity:* a plan that is the same under another kind is stored again.
    """
    job = write_job(tmp_path, DAY, 2)
    planned(job)
    Night(read_job(job), datetime(2024, 5, 13, 17, 10, tzinfo=OSLO)).run(DAY + ONE_DAY)
    inside(job, REPLAN, datetime(2024, 5, 13, 22, 50, tzinfo=OSLO))
    store = read_job(job).open_store()
    today, (later,) = store.revisions("small", DAY), store.revisions("small", DAY + ONE_DAY)
    before, after = (json.loads((store.plan(r) / "plan.json").read_text())["state_after"] for r in today)
    store.close()
    assert (later.kind, before == after) == ("night", True)
    assert later.sequence > today[1].sequence > today[0].sequence


def test_a_container_that_tripped_stays_off_until_the_plan_starts_it_again(tmp_path):
    """C01 was measured off in the hour before; the plan has it on until the evening.

    *Proves:* it leaves the commitment up to its next planned start; the others run as committed, and may draw more.

    *Sensitivity:* without the measurement it would be given power that it does not take; a restart at once would be a
    decision that a redispatch may not make.
    """
    job = write_job(tmp_path, DAY, 1, more="telemetry: {max_gap_h: 1.0}\n")
    planned(job)
    before = part_of(job, DAY, 1)
    rows = dict(zip(before.schedule.containers, before.schedule.on, strict=True))
    assert rows["C01"][10:14].all()
    meter = tmp_path / "meter.csv"
    hours = [(f"2024-05-13T{h:02d}:00:00+02:00", "C01", 0.6 if h < 10 else 0.01) for h in range(8, 11)]
    meter.write_text(
        "interval_start,container,facility_power_mw\n" + "".join(f"{t},{name},{mw}\n" for t, name, mw in hours),
        encoding="utf-8",
    )
    loaded = read_job(job)
    store = loaded.open_store()
    observe(loaded, store, meter)
    store.close()
    inside(job, REDISPATCH)
    after = part_of(job, DAY, 2)
    now = dict(zip(after.schedule.containers, after.schedule.on, strict=True))
    run = int(np.argmin(np.append(rows["C01"][12:], False)))
    assert not now["C01"][:run].any()
    assert all((now[name] == rows[name][12:]).all() for name in ("C02", "C03"))


@pytest.mark.parametrize(("rule", "kind"), [("fail", None), ("replan", "replan")])
def test_a_commitment_that_cannot_be_kept(tmp_path, rule, kind):
    """With no firm power left, the new surplus does not carry the containers that the plan keeps on.

    *Proves:* ``fail``: infeasible, with the commitment named, and the plan in force stays current; ``replan``: the
    rest of the day is planned anew.

    *Sensitivity:* a silent repair would stop containers under the name of a redispatch.
    """
    job = write_job(tmp_path, DAY, 1, more=f"redispatch_conflict: {rule}\n")
    case, plant = tmp_path / "case.yaml", tmp_path / "plant.yaml"
    case.write_text(case.read_text().replace("available_mw: 3.2", "available_mw: 0.2"), encoding="utf-8")
    free = [line for line in plant.read_text().splitlines() if not line.startswith("ramp_")]
    plant.write_text("\n".join(free), encoding="utf-8")
    planned(job)
    new_surplus(tmp_path, 0.02)
    if kind is None:
        with pytest.raises(Infeasible, match="commitment"):
            inside(job, REDISPATCH)
        assert read_current(tmp_path / "published").document["run"]["revision"] == 1
    else:
        assert inside(job, REDISPATCH)[0].record.kind == kind


def test_without_a_plan_there_is_nothing_to_reset(tmp_path):
    """*Proves:* a day without a plan is refused, with the command that makes one.  *Sensitivity:* a plan of nothing."""
    job = write_job(tmp_path, DAY, 1)
    with pytest.raises(BadInput, match="no plan of 2024-05-13 for small; flexmine nightly --day 2024-05-13"):
        inside(job, REDISPATCH)
    issue_surplus(tmp_path, DAY)


def test_every_day_that_is_planned_already_follows_the_new_end_of_the_day_before(tmp_path):
    """*Proves:* with three days planned, a replan of the first gives each day after it the state it begins in.

    *Sensitivity:* replanning tomorrow alone leaves a plan of the day after that was made for another state.
    """
    job = write_job(tmp_path, DAY, 3)
    planned(job)
    night = Night(read_job(job), datetime(2024, 5, 13, 8, tzinfo=OSLO))
    night.run(DAY + 2 * ONE_DAY)
    new_surplus(tmp_path, 0.3, issued="20240513T0800Z")
    results = inside(job, REPLAN)
    assert [r.record.day for r in results] == [DAY, DAY + ONE_DAY, DAY + 2 * ONE_DAY]
    assert [r.record.state_from["plan"] for r in results[1:]] == [r.record.run_id for r in results[:-1]]
    assert results[-1].record.sequence == read_current(tmp_path / "published").sequence


def test_a_day_that_runs_and_is_planned_again_is_not_what_machines_follow(tmp_path):
    """*Proves:* the replan begins from the state of the published plan, not from that of a night nobody followed.

    *Sensitivity:* taking the newest revision for the one in force begins from a plan that was never published.
    """
    job = write_job(tmp_path, DAY, 2)
    first = planned(job).record
    issue_surplus(tmp_path, DAY, revision=2, factor=0.2)
    again = Night(read_job(job), NOON).run(DAY)[0].record
    assert (again.revision, again.kind, again.sequence) == (2, "again", None)
    assert read_current(tmp_path / "published").document["run"]["run_id"] == first.run_id
    rest = inside(job, REPLAN)[0].record
    assert rest.revision == 3
    assert rest.state_from["plan"] == first.run_id
    parts = executed(read_job(job).open_store(), "small")
    assert [part.steps for part in parts] == [12, 12]


def test_a_plan_that_does_not_begin_where_today_ends_is_not_published(tmp_path):
    """*Proves:* where today is planned anew and tomorrow cannot be, the old plan of tomorrow is not put after it.

    *Sensitivity:* publishing what is newest of each day joins two plans whose states differ at midnight.
    """
    job = write_job(tmp_path, DAY, 3)
    planned(job)
    Night(read_job(job), datetime(2024, 5, 13, 8, tzinfo=OSLO)).run(DAY + ONE_DAY)
    write_series(tmp_path / "feeds" / "surplus_20240513T0900Z.csv", "surplus_mw", lambda t: 0.0, "Europe/Oslo", DAY, 2)
    known = {p: p.read_bytes() for p in (tmp_path / "feeds").iterdir() if p.name < "surplus_20240513T0900Z.csv"}
    for older in known:  # which know the rest of it
        older.unlink()
    with pytest.raises(BadInput, match="2024-05-15"):
        inside(job, REPLAN)
    for older, content in known.items():
        older.write_bytes(content)
    told = []
    store = read_job(job).open_store()
    publish_newest(read_job(job), store, NOON, told.append)
    store.close()
    assert read_current(tmp_path / "published").document["run"]["day"] == DAY.isoformat()
    assert "2024-05-14: revision 1 is not published: it does not begin where revision 2 of 2024-05-13 ends" in told[0]
    again = Night(read_job(job), datetime(2024, 5, 13, 8, tzinfo=OSLO)).run(DAY + ONE_DAY)[0].record
    assert again.sequence == read_current(tmp_path / "published").sequence
