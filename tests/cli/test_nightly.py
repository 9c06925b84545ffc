"""The nightly job and what looks into its store, as a shell runs them."""

import json
import logging
import re
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from flexmine.cli.main import cli
from nights import evening_before, issue_surplus, write_job
from shell import flexmine

DAY = date(2024, 6, 3)
NEXT = DAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def own_log():
    """The commands run in this process: give the log back as it was."""
    logger = logging.getLogger("flexmine")
    handlers, propagate, level = logger.handlers[:], logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


def _run(*arguments):
    done = CliRunner().invoke(cli, [str(a) for a in arguments])
    return done


def _json(*arguments):
    done = _run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_night_from_the_shell(tmp_path):
    """*Proves:* one JSON line on stdout, a log of which every line is JSON and has the run's id, exit 0; then exit 2
    with the reason in the log, where a feed is missing and no ladder is named.

    *Sensitivity:* one plain line on stderr breaks whoever reads the log by machine.
    """
    job = write_job(tmp_path, DAY, 1)
    done = flexmine("nightly", job, "--at", evening_before(DAY).isoformat(), "--log-format", "json", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [d["day"] for d in told["days"]] == [DAY.isoformat()] and told["days"][0]["sequence"] == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["run_id"] for line in lines} == {told["run_id"]}
    late = flexmine(
        "nightly", job, "--at", evening_before(NEXT + timedelta(days=1)).isoformat(), "--log-format", "json"
    )
    assert late.returncode == 2 and late.stdout == ""
    errors = [json.loads(line) for line in late.stderr.splitlines()]
    assert errors[-1]["level"] == "error" and "max_age_h allows 30 h" in errors[-1]["message"]


def test_what_the_store_tells(tmp_path):
    """*Proves:* history, show, diff, reproduce, replay, observe and prune, in words and as JSON."""
    job = write_job(tmp_path, DAY, 2)
    for day in (DAY, NEXT):
        assert _run("nightly", job, "--at", evening_before(day).isoformat()).exit_code == 0
    issue_surplus(tmp_path, NEXT, revision=2, factor=0.5)
    assert _run("nightly", job, "--at", evening_before(NEXT).isoformat()).exit_code == 0
    history = _json("history", job)
    assert [(r["day"], r["revision"]) for r in history] == [("2024-06-04", 2), ("2024-06-04", 1), ("2024-06-03", 1)]
    assert [a["exit_code"] for a in _json("history", job, "--attempts")] == [0, 0, 0]
    shown = _json("show", job, NEXT)
    assert shown["revision"] == 2 and shown["published"]["money_usd"] == shown["money_usd"]
    found = _json("diff", job, NEXT)
    assert found["revisions"] == [1, 2] and found["hours"] and found["containers"]
    assert found["why"][0].startswith("sources.surplus.available_mw: ")
    words = _run("diff", job, NEXT, "--revision", 2, 1).stdout
    assert "hours differ" in words and "money, USD:" in words
    # Lines for people have the times of the site, records those of UTC.
    assert re.search(r"most at 2024-06-0[4-6]T[0-9:]{5}\+02:00: ", words)
    lines = _run("show", job, NEXT).stdout.partition("changed: ")[0]
    assert "planned 2024-06-03T18:00+02:00; " in lines and "valid 2024-06-04T00:00+02:00 to " in lines
    assert ", issued 2024-06-03T14:00+02:00" in lines and "+00:00" not in lines
    assert shown["planned_at"].endswith("+00:00") and all(
        f["issued"].endswith("+00:00") for f in shown["feeds"] if "issued" in f
    )
    attempts = _run("history", job, "--attempts").stdout.splitlines()
    assert all(re.search(r"[+]0[12]:00  2024-06-0", line) for line in attempts), attempts
    again = _run("reproduce", job, history[0]["run_id"][:8])
    assert again.exit_code == 0 and "4 files are the same, byte for byte" in again.stdout
    joined = _json("replay", job)
    assert joined["days"] == 2 and joined["violations"] == []
    meter = tmp_path / "meter.csv"
    meter.write_text("interval_start,container,it_power_mw\n2024-06-03T12:00:00+02:00,C01,1.0\n")
    assert list(_json("observe", job, meter)["containers"]) == ["C01"]
    pruned = _json("prune", job, "--days", 2, "--dry-run")
    assert pruned["gone"] == [history[1]["run_id"]] and len(pruned["kept"]) == 2


def test_wrong_questions_are_bad_input(tmp_path):
    """*Proves:* exit 2 and what there is instead.  *Sensitivity:* an empty answer looks like "nothing happened"."""
    job = write_job(tmp_path, DAY, 1)
    for arguments, message in (
        (("show", job, DAY), "there is no plan of 2024-06-03 of small in the store"),
        (("reproduce", job, "abcdef"), "no run begins with it"),
        (("nightly", tmp_path / "no.yaml"), "there is no job file"),
        (
            ("nightly", tmp_path / "case.yaml"),
            "case.yaml:1:9 schema: this is a flexmine-case/1, not a flexmine-job/1; flexmine check and flexmine plan "
            "take it, and a job names it under its key case\n",
        ),
        (("check", tmp_path / "plant.yaml"), "not a flexmine-case/1; a case names it under its key plant\n"),
        (("check", tmp_path / "box.yaml"), "not a flexmine-case/1; a plant names it under containers, at the key"),
        (("show", job, "yesterday"), "is not a calendar day"),
        (("replay", job), "there is no stored plan of small in these days"),
    ):
        done = _run(*arguments)
        assert done.exit_code == 2, arguments
        assert message in done.output
        # What it was given in place of a case is one error, not one for each key.
        assert "not a flexmine-" not in message or len(done.output.splitlines()) == 1
