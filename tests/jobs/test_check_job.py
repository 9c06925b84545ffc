"""``flexmine check JOB.yaml``: what the night after it does, said before it, with nothing kept."""

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from flexmine.cli.main import cli
from flexmine.errors import Infeasible
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from nights import evening_before, issue_surplus, write_job

DAY = date(2024, 6, 3)
NEXT = DAY + timedelta(days=1)
SERIES = "sources.surplus.available_mw"


def _check(job, day, *more):
    done = CliRunner().invoke(cli, ["check", str(job), "--at", evening_before(day).isoformat(), *more])
    return done.exit_code, " ".join(done.output.split())


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_job_whose_night_can_be_planned(tmp_path):
    """*Proves:* exit 0 before the first night and after it, each with its day and feed, and no file is made or changed.

    *Sensitivity:* a store made by the check would be the first run of the job.
    """
    job = write_job(tmp_path, DAY, 2)
    before = _files(tmp_path)
    code, words = _check(job, DAY)
    assert code == 0 and "small, 2024-06-03: the newest feeds can be planned" in words
    assert f"{SERIES}: feeds/surplus_20240602T1200Z.csv (newest)" in words
    assert _files(tmp_path) == before
    Night(read_job(job), evening_before(DAY)).run(DAY)
    code, words = _check(job, NEXT, "--json")
    assert code == 0
    assert (found := json.loads(words))["day"] == "2024-06-04" and found["step"] == "newest"
    assert len(read_job(job).open_store().history("small")) == 1


def test_only_a_step_of_the_ladder_can_be_planned(tmp_path):
    """*Proves:* exit 5, the step and why the newest fails; without a ladder exit 2, as the night itself ends.

    *Sensitivity:* a check of the files alone says that all is well.
    """
    job = write_job(tmp_path, DAY, 1, more="ladder: [{step: older_issue}]\n")
    path = issue_surplus(tmp_path, DAY)
    (tmp_path / "feeds" / "surplus_20240601T1200Z.csv").write_bytes(path.read_bytes())
    path.write_text(path.read_text().replace("T10:00:00+02:00,", "T10:00:00+02:00,n/e", 1))
    code, words = _check(job, DAY)
    assert code == 5 and "only step older_issue of the ladder can" in words
    assert f"{SERIES}: an older issue, feeds/surplus_20240601T1200Z.csv" in words
    job.write_text(job.read_text().replace("ladder: [{step: older_issue}]\n", ""))
    code, words = _check(job, DAY)
    assert code == 2 and f"{SERIES}: feeds/surplus_20240602T1200Z.csv" in words


FAULTS = {
    "no state": (
        lambda job: _replace(job, "first_day: 2024-06-03\n", "first_day: 2024-06-30\n"),
        "state it: first_day",
    ),
    "no feed": (lambda job: [f.unlink() for f in (job.parent / "feeds").iterdir()], "no file feeds/surplus_*.csv"),
    "no pins": (lambda job: _replace(job, "report: false", "report: false\npins: pins.yaml"), "no pins file pins.yaml"),
    "unknown series": (lambda job: _replace(job, SERIES, "sources.x.available_mw"), "is not a series of case.yaml"),
    "unknown key": (lambda job: _replace(job, "report:", "reprot:"), "did you mean report?"),
    "days missed": (lambda job: _replace(job, "2024-06-03", "2024-01-03"), "catch_up.max_days allows"),
    "no folder": (lambda job: _replace(job, "report: false", "report: false\nfolder: job.yaml/x"), "cannot be written"),
}


def _replace(job, old, new):
    text = job.read_text(encoding="utf-8")
    assert old in text
    job.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", FAULTS)
def test_what_would_stop_the_night_is_named(tmp_path, name):
    """*Proves:* exit 2 with the reason, and nothing is left.  *Sensitivity:* found at night, nobody is there."""
    job = write_job(tmp_path, DAY, 1)
    change, words = FAULTS[name]
    change(job)
    before = _files(tmp_path)
    code, output = _check(job, DAY)
    assert code == 2 and words in output, output
    assert _files(tmp_path) == before


def test_a_contradiction_is_told_as_such(tmp_path):
    """An order of 0.1 MW from midnight on, where all run at 3.1 MW and may fall by 1.3 MW in an hour.

    *Proves:* exit 3 with the limit and the hours, as the night ends.  *Sensitivity:* exit 0 before a night that fails.
    """
    job = write_job(tmp_path, DAY, 1)
    order = "{name: noon, from: 2024-06-03T00:00:00+02:00, to: 2024-06-03T15:00:00+02:00, cap_mw: 0.1}"
    _replace(tmp_path / "case.yaml", "options:", f"orders:\n  - {order}\noptions:")
    running = "{initial_mw: 3.1, default: {on: true, hours: 1, it_power_mw: 1.0}}"
    _replace(job, "{initial_mw: 0.03, default: {on: false, hours: 10}}", running)
    code, output = _check(job, DAY)
    assert code == 3 and "is too slow" in output, output
    with pytest.raises(Infeasible):
        Night(read_job(job), evening_before(DAY)).run(DAY)


def test_options_of_the_other_kind_are_refused(tmp_path):
    """*Proves:* --allow-outside of a job and --at of a case are refused.  *Sensitivity:* both are ignored."""
    job = write_job(tmp_path, DAY, 1)
    assert _check(job, DAY, "--allow-outside", str(tmp_path))[0] == 2
    code, output = _check(tmp_path / "case.yaml", DAY)
    assert code == 2 and "--at is for a job" in output
