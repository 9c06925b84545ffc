"""Nights in a row: days of 23, 24 and 25 hours, repeated, late and missed nights."""

import json
import re
from datetime import date, timedelta

import numpy as np
import pytest

from flexmine.errors import BadInput
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.planning.audit_files import audit_directory
from flexmine.publish.reader import read_current
from nights import evening_before, issue_surplus, write_job

SPRING, AUTUMN = date(2024, 3, 30), date(2024, 10, 26)
"""The days before the clock of Oslo is changed."""


def _night(job_file, day, **options):
    return Night(read_job(job_file), evening_before(day), **options).run(day)


def _plan(job_file, day, revision=1):
    folder = job_file.parent / "runs" / "small" / day.isoformat() / f"r{revision}" / "plan"
    return json.loads((folder / "plan.json").read_text()), folder


@pytest.mark.parametrize(("first", "hours"), [(SPRING, [24, 23, 24]), (AUTUMN, [24, 25, 24])])
def test_days_of_23_and_25_hours_follow_each_other_without_a_gap(tmp_path, first, hours):
    """*Proves:* each plan begins where the last one ends.  *Sensitivity:* days of 24 h drift by an hour."""
    job = write_job(tmp_path, first, 3)
    results = [_night(job, first + timedelta(days=i))[0] for i in range(3)]
    assert [(r.record.valid_until - r.record.valid_from).total_seconds() / 3600 for r in results] == hours
    for i, result in enumerate(results):
        document, folder = _plan(job, result.record.day)
        assert document["horizon"]["publish_steps"] == hours[i]
        assert audit_directory(folder).ok
        if i:
            before, _ = _plan(job, result.record.day - timedelta(days=1))
            problem = json.loads((folder / "problem.json").read_text())
            assert problem["site"]["initial_mw"] == pytest.approx(before["state_after"]["initial_mw"])
    current = read_current(tmp_path / "published")
    assert current.valid_until == results[-1].record.valid_until


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
    assert "after the day had begun" in results[0].record.labels[0]
    assert results[2].record.labels == ()


def test_catching_up_may_be_refused_or_bounded(tmp_path):
    """*Proves:* the job's rule holds.  *Sensitivity:* a clock that is a month off would plan a month."""
    job = write_job(tmp_path, SPRING, 4, more="catch_up: {max_days: 1}\n")
    _night(job, SPRING)
    with pytest.raises(BadInput, match=r"2 days before 2024-04-02 have no plan; catch_up.max_days allows 1"):
        _night(job, SPRING + timedelta(days=3))
    job.write_text(job.read_text().replace("max_days: 1", "rule: refuse"))
    with pytest.raises(BadInput, match=r"catch_up.rule is refuse"):
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
