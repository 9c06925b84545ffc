"""What holds when a feed is late, wrong or gone, or the solver fails: only what the job names, and said everywhere."""

import json
import logging
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from flexmine.errors import BadInput, Infeasible, NoPlan
from flexmine.inputs.case import load_case
from flexmine.jobs import planning
from flexmine.jobs.executed_days import join, read_part
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night, exit_code
from flexmine.jobs.reproduce import reproduce
from flexmine.jobs.show import run_lines
from flexmine.jobs.stored import check_run
from flexmine.publish.reader import read_current
from flexmine.report.sentence import verdict
from flexmine.solving.phases import Phases
from flexmine.workflow.fixed_schedule import bound_usd_of
from nights import evening_before, feed_file, issue_surplus, write_job

FIRST = date(2024, 6, 3)
SECOND = FIRST + timedelta(days=1)
SERIES = "sources.surplus.available_mw"


def _night(job_file, day, now=None):
    return Night(read_job(job_file), now or evening_before(day)).run(day)[-1]


def _start(tmp_path, ladder="", look_ahead_h=None):
    """One good night, then a job with a ladder."""
    job_file = write_job(tmp_path, FIRST, 1, more=f"ladder: [{ladder}]\n" if ladder else "")
    if look_ahead_h:
        job_file.write_text(job_file.read_text().replace("look_ahead_h: 12", f"look_ahead_h: {look_ahead_h}"))
    _night(job_file, FIRST)
    return job_file


def _issue(tmp_path, text_of=lambda text: text):
    path = issue_surplus(tmp_path, SECOND)
    path.write_text(text_of(path.read_text()))
    return path


def _folder(job_file, result):
    return job_file.parent / "runs" / result.record.folder


def _check_fallback(job_file, result, step):
    """It is labelled in the record, the plan, the exit code, and can be reproduced; machines get it."""
    assert result.record.step == step
    assert result.record.exit_code == exit_code([result]) == 5
    document = json.loads((_folder(job_file, result) / "plan" / "plan.json").read_text())
    assert document["status"] == "fallback"
    assert set(result.record.labels) <= set(document["notes"])
    # The reason stands beside the mark, in report and terminal, and not only among the notes.
    plan = planning.plan_inputs(_folder(job_file, result) / "inputs", Phases())
    (words, good), (proof, _), *_ = verdict(plan)
    # What no solver made has a coarse bound; shown as a gap it would look like a proof.
    nothing_proven = step in ("previous_plan", "hold")
    assert (proof == "no gap proven") == nothing_proven == ("nothing proven" in repr(plan))
    shown = "\n".join(run_lines(result.record, document, ""))
    assert ("no gap proven" in shown) == nothing_proven == (", gap " not in shown)
    assert words.startswith(f"fallback: {result.record.labels[0]}") and not good
    assert read_current(job_file.parent / "published").document["status"] == "fallback"
    again = reproduce(read_job(job_file).open_store(), result.record)
    assert again.differing == () and len(again.same) == 4
    check_run(_folder(job_file, result), result.record)  # so it would be taken in again if its row was lost
    job = read_job(job_file)
    parts = [read_part(day, job.folder / "small" / str(day) / "r1" / "plan") for day in (FIRST, SECOND)]
    assert join(parts).replay.violations == ()


BROKEN = {
    "n/e": (lambda text: text.replace("T10:00:00+02:00,", "T10:00:00+02:00,n/e", 1), "'n/e"),
    "truncated": (lambda text: text[: len(text) // 4], "'2024-06-04' has no UTC offset"),
    "short": (lambda text: "\n".join(text.split("\n")[:20]) + "\n", "nothing for 2024-06-04T19:00"),
    "no offset": (lambda text: text.replace("+02:00", ""), "has no UTC offset"),
}


@pytest.mark.parametrize("name", [name for name in BROKEN if name != "short"])
def test_without_a_ladder_a_broken_feed_fails_loudly(tmp_path, name):
    """*Proves:* exit 2 with file and place; the plan before stays current; the attempt is on record.

    *Sensitivity:* a fallback that nobody named would look like a plan.
    """
    job_file = _start(tmp_path)
    change, message = BROKEN[name]
    _issue(tmp_path, change)
    with pytest.raises(BadInput, match=rf"{SERIES}: feeds/surplus_20240603T1200Z.csv.*{message}") as error:
        _night(job_file, SECOND)
    assert read_current(tmp_path / "published").document["run"]["day"] == FIRST.isoformat()
    store = read_job(job_file).open_store()
    assert store.attempts("small")[0].exit_code == 2
    assert store.attempts("small")[0].messages == tuple(error.value.messages)
    _issue(tmp_path)
    assert _night(job_file, SECOND).record.status == "optimal"


def test_an_older_issue_within_its_limit(tmp_path):
    """*Proves:* a broken newest issue gives way to the one before it, which is named.

    *Sensitivity:* without the step the night fails.
    """
    job_file = _start(tmp_path, "{step: older_issue}")
    _issue(tmp_path, BROKEN["n/e"][0])
    result = _night(job_file, SECOND)
    _check_fallback(job_file, result, "older_issue")
    assert result.record.labels[0].startswith(
        f"{SERIES}: an older issue, feeds/surplus_20240602T1200Z.csv, issued 2024-"
    )
    assert [f["step"] for f in result.record.feeds] == ["newest", "older_issue", "newest"]


def test_a_stale_feed_is_refused_with_its_age(tmp_path):
    """*Proves:* max_age_h holds for the newest issue, and older_max_age_h for the step that allows older ones."""
    job_file = _start(tmp_path, "{step: older_issue}")
    second = _night(job_file, SECOND, evening_before(SECOND) + timedelta(hours=5))  # 33 h old
    _check_fallback(job_file, second, "older_issue")
    with pytest.raises(BadInput, match=r"58\.0 h old at 2024-06-05T00:00\+02:00; max_age_h allows 30 h") as error:
        _night(job_file, SECOND + timedelta(days=1), evening_before(SECOND + timedelta(days=3)))
    assert "no issue of feeds/surplus_*.csv" not in str(error.value)


def test_a_gap_is_filled_by_the_policy_that_the_ladder_names(tmp_path):
    """*Proves:* two missing hours are filled, listed in the plan, and the plan is a fallback."""
    job_file = _start(tmp_path, "{step: fill, policy: interpolate, longest_gap_h: 3}")
    for path in (tmp_path / "feeds").glob("*.csv"):
        path.unlink()
    lines = ("2024-06-04T10", "2024-06-04T11")
    _issue(tmp_path, lambda text: "\n".join(line for line in text.split("\n") if not line.startswith(lines)))
    result = _night(job_file, SECOND)
    _check_fallback(job_file, result, "fill")
    document = json.loads((_folder(job_file, result) / "plan" / "plan.json").read_text())
    assert [(f["series"], f["steps"], f["policy"]) for f in document["filled"]] == [(SERIES, 2, "interpolate")]


def test_persistence_takes_a_low_quantile_of_the_surplus(tmp_path):
    """*Proves:* without any feed the surplus is the quantile of what was used on the days before, hour by hour.

    *Sensitivity:* the mean, or the last day, is more than the smaller of two days.
    """
    job_file = write_job(tmp_path, FIRST, 2, more="ladder: [{step: persistence, surplus_quantile: 0.0}]\n")
    results = [_night(job_file, day) for day in (FIRST, SECOND)]
    for path in (tmp_path / "feeds").glob("*.csv"):
        path.unlink()
    third = _night(job_file, SECOND + timedelta(days=1))
    assert third.record.step == "persistence"
    assert "the least of each hour of the last 2 days with a feed" in third.record.labels[0]
    used = [load_case(_folder(job_file, r) / "inputs" / "case.yaml").series[SERIES][:24] for r in results]
    made = load_case(_folder(job_file, third) / "inputs" / "case.yaml").series[SERIES]
    assert np.allclose(made[:24], np.minimum(*used)) and not np.allclose(*used)


@pytest.mark.parametrize("zone", ["Europe/Oslo", "America/Havana"])
def test_persistence_on_the_day_after_the_clock_is_put_forward(tmp_path, zone):
    """The only day before has 23 h: without 02:00 in Oslo, without 00:00 in Havana.

    *Proves:* that hour is as the one before it by the clock, and the label names it.
    *Sensitivity:* looked up by the clock there is nothing to persist, and the night fails.
    """
    short, left_out, before = {
        "Europe/Oslo": (date(2024, 3, 31), 2, 1),
        "America/Havana": (date(2024, 3, 10), 0, 23),
    }[zone]
    job_file = write_job(tmp_path, short, 1, zone, more="ladder: [{step: persistence, surplus_quantile: 0.0}]\n")
    _night(job_file, short, evening_before(short, zone))
    for path in (tmp_path / "feeds").glob("*.csv"):
        path.unlink()
    result = _night(job_file, short + timedelta(days=1), evening_before(short + timedelta(days=1), zone))
    assert result.record.step == "persistence"
    assert f"; {left_out:02d}:00, left out there by the clock, as an hour before" in result.record.labels[0]
    case = load_case(_folder(job_file, result) / "inputs" / "case.yaml")
    made = {case.time.begin(t).hour: case.series[SERIES][t] for t in range(24)}
    assert len(made) == 24 and made[left_out] == made[before]


def test_the_look_ahead_of_the_last_plan_is_kept(tmp_path):
    """*Proves:* container by container it is the schedule that was planned the night before.

    *Sensitivity:* a look-ahead shorter than the day is refused.
    """
    job_file = _start(tmp_path, "{step: previous_plan}", look_ahead_h=24)
    for path in (tmp_path / "feeds").glob("*.csv"):
        path.unlink()
    result = _night(job_file, SECOND)
    _check_fallback(job_file, result, "previous_plan")
    rows = [
        (tmp_path / "runs" / "small" / str(day) / "r1" / "plan" / "setpoints.csv").read_text().split("\n")
        for day in (FIRST, SECOND)
    ]
    last, kept = ([row.split(",")[:6] for row in day if row.startswith("2024-06-04T")] for day in rows)
    assert last == kept and len(kept) == 72


def test_a_short_look_ahead_cannot_be_kept(tmp_path):
    job_file = _start(tmp_path, "{step: previous_plan}")
    for path in (tmp_path / "feeds").glob("*.csv"):
        path.unlink()
    with pytest.raises(BadInput, match=r"no file feeds/surplus_\*.csv was issued by"):
        _night(job_file, SECOND)


def test_safe_power_is_held(tmp_path):
    """*Proves:* nobody starts, power only falls, within the ramp and down to the lowest.

    *Sensitivity:* dropping to the lowest power at once breaks the ramp down.
    """
    job_file = _start(tmp_path, "{step: hold}")
    for path in (tmp_path / "feeds").glob("*.csv"):
        path.unlink()
    result = _night(job_file, SECOND)
    _check_fallback(job_file, result, "hold")
    assert "held at safe power" in result.record.labels[0]
    part = read_part(SECOND, _folder(job_file, result) / "plan")
    on = part.schedule.on
    assert not (~on[:, :-1] & on[:, 1:]).any()
    site = part.schedule.it_power_mw.sum(axis=0)
    assert (np.diff(site) <= 1e-9).all()
    first = _folder(job_file, result).parents[1] / str(FIRST) / "r1" / "plan"
    proven = json.loads((first / "plan.json").read_text())["bound_usd"]
    # A bound without a solver lies above the solver's, and not by far.
    assert proven <= bound_usd_of(read_part(FIRST, first).problem) <= 3 * proven


def test_a_failing_solver_leads_down_the_ladder(tmp_path, monkeypatch, caplog):
    """*Proves:* no_plan from the solver is answered by the next step that needs no solver; without one it is exit 6."""
    job_file = _start(tmp_path, "{step: older_issue}, {step: hold}")
    _issue(tmp_path)

    def fails(case, phases):
        raise NoPlan("time was up before any plan was found")

    monkeypatch.setattr(planning, "plan_case", fails)
    result = _night(job_file, SECOND)
    _check_fallback(job_file, result, "hold")
    assert "step newest fails: time was up" in " ".join(caplog.messages)
    job_file.write_text(job_file.read_text().replace(", {step: hold}", ""))
    issue_surplus(tmp_path, SECOND, revision=1, factor=0.7)
    with pytest.raises(NoPlan, match="time was up"):
        _night(job_file, SECOND)
    assert read_current(tmp_path / "published").document["run"]["day"] == SECOND.isoformat()


def test_a_feed_from_the_future_is_not_used_and_told(tmp_path, caplog):
    """*Proves:* what is issued after now is passed over, with the minutes; an hour off on the clock is visible so."""
    job_file = _start(tmp_path)
    path = _issue(tmp_path)
    now = datetime(2024, 6, 3, 11, 0, tzinfo=UTC)  # the clock is an hour behind; the feed is of 12:00
    with pytest.raises(BadInput, match=r"surplus_20240602T1200Z.csv"), caplog.at_level(logging.WARNING):
        (tmp_path / "feeds" / "surplus_20240602T1200Z.csv").write_text("interval_start,surplus_mw\n")
        _night(job_file, SECOND, now)
    assert f"feeds/{path.name}, issued 2024-06-03T14:00+02:00: 60 min after now" in " ".join(caplog.messages)
    assert _night(job_file, SECOND, now + timedelta(hours=1)).record.status == "optimal"


def test_a_fallback_does_not_take_the_place_of_a_plan_from_better_inputs(tmp_path):
    """*Proves:* a broken revision that comes later leaves the stored plan as it is."""
    job_file = _start(tmp_path, "{step: hold}")
    _issue(tmp_path)
    good = _night(job_file, SECOND)
    feed_file(tmp_path, datetime(2024, 6, 3, 13, tzinfo=UTC)).write_text("interval_start,surplus_mw\nbroken\n")
    again = _night(job_file, SECOND)
    assert not again.new and again.record.run_id == good.record.run_id


def test_proven_infeasibility_is_not_hidden_by_a_fallback(tmp_path):
    """*Proves:* exit 3 with the conflict named and the plan before still current, though the ladder could hold.

    *Sensitivity:* a fallback would break the same limit, or show a plan where there is none.
    """
    job_file = _start(tmp_path, "{step: older_issue}, {step: hold}")
    _issue(tmp_path)
    case = tmp_path / "case.yaml"
    case.write_text(case.read_text() + "minimum_mw: 3.1\n")
    with pytest.raises(Infeasible, match=r"minimum|floor"):
        _night(job_file, SECOND)
    store = read_job(job_file).open_store()
    assert store.attempts("small")[0].exit_code == 3
    assert read_current(tmp_path / "published").document["run"]["day"] == FIRST.isoformat()
