"""A plan with an outage, an order, a window and an obligation, explained from its files."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import datetime

import pytest
from click.testing import CliRunner

from audit_plants import edit_csv, reseal
from flexmine.audit.directory import audit_directory
from flexmine.audit.seal import sealed
from flexmine.cli import cli
from flexmine.errors import BadInput
from flexmine.explain.container import explain, span
from flexmine.inputs.case import load_case
from flexmine.output import write_plan
from flexmine.problem import TimeAxis
from flexmine.resources import shipped_path
from flexmine.solving.phases import Phases
from flexmine.workflow.plan_case import plan_case

LIMITS = """
outages:
  - {container: C03, from: 2024-09-10T02:00:00+08:00, to: 2024-09-10T04:30:00+08:00, reason: fan}
orders:
  - {name: so-17, from: 2024-09-10T08:00:00+08:00, to: 2024-09-10T10:00:00+08:00, cap_mw: 6.0}
windows:
  - {name: evening-ban, from: 09-01, to: 09-30, hours: [18, 19], source: made up for this test}
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    place = tmp_path_factory.mktemp("explained")
    case = place / "case.yaml"
    case.write_text(shipped_path("shipped:cases/bratsk-day").read_text(encoding="utf-8") + LIMITS, encoding="utf-8")
    write_plan(plan_case(load_case(case)), place / "plan", Phases(), report=False)
    return place / "plan"


def rows(directory):
    with (directory / "setpoints.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_reasons_name_the_documents_of_the_case(directory):
    """*Proves:* the outage, the order and the window are named where, and only where, they hold; the audit agrees.

    *Sensitivity:* an order folded into the cap without a trace would be told as the site's own cap.
    """
    assert audit_directory(directory).violations == ()
    for row in rows(directory):
        hour, code = int(row["interval_start"][11:13]), row["reason"].split(":", 1)[0]
        first_day = row["interval_start"].startswith("2024-09-10")
        assert (code == "window") == (hour in (18, 19)), row
        assert (code == "outage") == (row["container"] == "C03" and first_day and hour in (2, 3, 4)), row
        assert (code == "order") == (first_day and hour in (8, 9)), row


def test_two_sentences(directory):
    """*Proves:* what it does and why; then break-even against the price of the next MWh, and what one more MW is worth.

    *Sensitivity:* the numbers are those of problem.json and plan.json at that hour.
    """
    out = explain(directory, "C03", "03:00")
    assert out.what == "C03 cannot run from 03:00 to 04:00 on Tue 10 Sep 2024: an outage (fan)."
    assert out.change.startswith("It can run again from Tue 05:00; ")
    ordered = explain(directory, "C07", "2024-09-10T08:20:00+08:00")
    assert "on Tue 10 Sep 2024: a curtailment order sets its power (so-17 caps the site at 6 MW; " in ordered.what
    plan = json.loads((directory / "plan.json").read_text(encoding="utf-8"))
    worth = plan["marginal_values"]["cap"][8]
    assert "commitment fixed" in plan["marginal_values"]["meaning"]
    assert f"site cap is worth {worth:.2f} USD" in ordered.change
    assert ordered.change.endswith("(commitment fixed).")
    assert ordered.facts["one_more_mw_usd"]["site cap"] == worth
    assert ordered.facts["reason"] == "order"


def test_clock_times_and_iso_times(directory):
    """*Proves:* 06:30 is the step from 06:00 of the first day; an ISO time in UTC is the same step as in site time.

    *Sensitivity:* a second day or an offset taken as site time gives another step.
    """
    assert explain(directory, "C01", "06:30").facts["interval_start"] == "2024-09-10T06:00:00+08:00"
    utc, local = explain(directory, "C01", "2024-09-10T22:00:00+00:00"), explain(directory, "C01", "2024-09-11T06:00")
    assert utc.facts == local.facts
    assert utc.facts["interval_start"] == "2024-09-11T06:00:00+08:00"


def test_a_filled_step_says_so(directory, tmp_path):
    """*Proves:* where a series was filled in, the explanation names it, with the policy, and nowhere else.

    *Sensitivity:* an answer that rests on a made-up value would look like one that rests on the feed.
    """
    place = shutil.copytree(directory, tmp_path / "plan")
    document = json.loads((place / "plan.json").read_text(encoding="utf-8"))
    entry = {"series": "sources.surplus.available_mw", "policy": "hold", "first_step": 5, "steps": 2}
    (place / "plan.json").write_text(json.dumps(sealed({**document, "filled": [entry]})), encoding="utf-8")
    said = "Filled in here, not as read: sources.surplus.available_mw (hold)."
    filled = [explain(place, "C01", f"0{hour}:00").change.endswith(said) for hour in (4, 5, 6, 7)]
    assert filled == [False, True, True, False]


def test_an_hour_that_comes_twice_is_told_by_its_offset():
    """*Proves:* 02:30 of the day of 25 hours says which of the two it is.

    *Sensitivity:* without the offset both answers read alike.
    """
    axis = TimeAxis(datetime.fromisoformat("2026-10-25T00:00:00+02:00"), 0.25, 100, "Europe/Oslo")
    assert [span(axis, t) for t in (7, 10, 14, 16)] == [
        "from 01:45 to 02:00 on Sun 25 Oct 2026",
        "from 02:30 to 02:45 (+02:00) on Sun 25 Oct 2026",
        "from 02:30 to 02:45 (+01:00) on Sun 25 Oct 2026",
        "from 03:00 to 03:15 on Sun 25 Oct 2026",
    ]


@pytest.mark.parametrize(
    ("container", "at", "words"),
    [
        ("C99", "03:00", "container 'C99' is not in the plan; it has C01, C02"),
        ("C01", "2024-09-13T00:00:00+08:00", "the plan reaches from 2024-09-10T00:00:00+08:00 to 2024-09-12T00:00"),
        ("C01", "noon", "time 'noon' is neither HH:MM nor an ISO 8601 time"),
        ("C01", "24:00", "time '24:00' is neither HH:MM nor an ISO 8601 time"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(directory, container, at, words):
    """*Proves:* exit 2 with what exists.  *Sensitivity:* the nearest hour would be an answer to another question."""
    with pytest.raises(BadInput, match=re.escape(words)):
        explain(directory, container, at)


def test_the_command(directory):
    """*Proves:* two lines on stdout, the same in --json, and exit 2 for a container that is not there.

    *Sensitivity:* a third line, or a message on stdout, breaks it.
    """
    asked = ["explain", str(directory), "--container", "C07", "--at", "08:00"]
    found = explain(directory, "C07", "08:00")
    told = CliRunner().invoke(cli, asked)
    assert (told.exit_code, told.stdout) == (0, f"{found.what}\n{found.change}\n")
    machine = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert machine["sentences"] == [found.what, found.change]
    assert machine["reason"] == "order"
    refused = CliRunner().invoke(cli, ["explain", str(directory), "--container", "C77", "--at", "08:00"])
    assert (refused.exit_code, refused.stdout) == (2, "")


@pytest.mark.parametrize(
    ("hour", "reason", "words"),
    [
        (3, "full", "'full' is written, which does not fit a container that is on at"),
        (3, "outage: fan", "'outage' is written, which does not fit a container that is on"),
        (3, "order: so-18", "'order' is written, which does not fit"),
        (3, "weather", "'weather' is written; a code of the list is expected"),
        (3, "cap:no space", "'cap:no space' is written; a code of the list is expected"),
        (3, "", "'' is written; a code of the list is expected"),
        (3, "start_limit", "'start_limit' is written, which does not fit"),
        (18, "price", "'price' is written, which does not fit a container that is out there"),
    ],
)
def test_the_audit_refuses_a_reason_that_contradicts_its_place(directory, tmp_path, hour, reason, words):
    """*Proves:* codes of the list alone, and none that the state or the problem contradicts; also when sealed anew.

    *Sensitivity:* each of these was written in place of one reason of a plan that passes.
    """
    copy = tmp_path / "plan"
    copy.mkdir()
    for name in ("problem.json", "setpoints.csv", "site.csv", "plan.json"):
        (copy / name).write_bytes((directory / name).read_bytes())
    edit_csv(copy / "setpoints.csv", lambda table: table[14 * hour].update(reason=reason))
    reseal(copy)
    (violation,) = audit_directory(copy).violations
    assert violation.startswith("setpoints.csv: reason of container C")
    assert words in violation
