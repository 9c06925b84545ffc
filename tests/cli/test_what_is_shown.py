"""What stands in files reaches a terminal or a log as text, and moves no cursor."""

import io
import logging
import shutil

import pytest

from audit_plants import edit_json, reseal
from flexmine.errors import on_one_line
from flexmine.jobs.log import start_log
from publishing import written
from shell import edited, in_process

CLEAR = "\x1b[2J\x07\u202etxt"
HIDDEN = ("\x1b", "\x07", "\u202e", "\x9b")


def test_the_audit_shows_forged_text_as_text(tmp_path):
    """*Proves:* keys, versions, names of files and notes of a forged plan stand in the audit on one line each, escaped.

    *Sensitivity:* raw, they clear the screen and write "audit passed" over what was refused.
    """
    plan = written(tmp_path / "plan")
    (plan / f"x{CLEAR}").write_text("x", encoding="utf-8")

    def forge(document):
        document[f"key{CLEAR}"] = 1
        document["versions"]["flexmine"] = f"0.1\nflexmine: audit passed{CLEAR}"
        document["changes"] = [{"key": f"a\n{CLEAR}", "value": 1}]

    edit_json(plan / "plan.json", forge)
    reseal(plan)
    told = in_process("audit", plan)
    everything = told.stdout + told.stderr
    assert told.returncode == 1
    assert not any(c in everything for c in HIDDEN)
    assert not any(line.startswith("flexmine: audit passed") for line in everything.split("\n"))
    assert "\\x1b[2J\\x07\\u202etxt" in everything


def test_a_title_is_one_line_and_numbers_keep_their_spaces():
    """*Proves:* what people need to see stays: letters of all scripts, thin spaces, minus signs.

    *Sensitivity:* `str.isprintable` counts thin spaces as none.
    """
    seen = "Братск: 1\u202f000 USD, \u22125 °C, 3\u00a0MW — «ok»"
    assert on_one_line(seen) == seen
    assert on_one_line("a\nb\tc\x1b\ud800") == "a\\nb\\tc\\x1b\\ud800"


@pytest.mark.parametrize("style", ["human", "json"])
def test_a_line_of_the_log_is_one_line(style, monkeypatch):
    """*Proves:* a message with line breaks and escapes is one line.  *Sensitivity:* raw, it forges one."""
    logger = logging.getLogger("flexmine")
    before = (logger.handlers[:], logger.level, logger.propagate)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    try:
        start_log("0123", style)
        logger.warning("feeds/x%s: not used", f"\n2024-01-01 0123 info: published{CLEAR}")
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    (line,) = stream.getvalue().splitlines()
    assert not any(c in line for c in HIDDEN if c != "\u202e" or style == "human")


def test_a_reason_of_several_lines_is_one(tmp_path):
    """*Proves:* a reason and a pin's `why` written over several lines plan, and pass the audit from files.

    *Sensitivity:* with its line breaks a reason passed the audit in memory and failed that of the files.
    """
    more = """\
pins:
  - container: C03
    set: off
    from: 2024-09-10T06:00:00+08:00
    until: 2024-09-10T09:00:00+08:00
    by: N
    why: "fan\\n\\n broken"
outages:
  - container: C01
    from: 2024-09-10T01:00:00+08:00
    to: 2024-09-10T03:00:00+08:00
    reason: |
      hash board,
        to be   swapped
horizon_h:"""
    case = edited(tmp_path, "bratsk-shaped", ("horizon_h:", more))
    assert in_process("plan", case, "--out", tmp_path / "o").returncode == 0
    told = in_process("audit", tmp_path / "o", "--case", case)
    assert told.returncode == 0, told.stderr
    table = (tmp_path / "o" / "setpoints.csv").read_text(encoding="utf-8")
    assert "outage: hash board, to be swapped" in table and "by N: fan broken" in table


@pytest.mark.parametrize(
    "command", [["audit"], ["explain", "--container", "C01", "--at", "03:00"], ["nightly"], ["check"]]
)
def test_what_the_system_refuses_is_no_internal_error(command):
    """*Proves:* a name that no file can have is exit 2 for every command.  *Sensitivity:* 1 is an error of ours."""
    told = in_process(command[0], "x" * 5000, *command[1:])
    assert told.returncode == 2 and "internal error" not in told.stderr and "Traceback" not in told.stderr


def test_a_plan_of_a_folder_with_escapes_in_its_name(tmp_path):
    """*Proves:* names of folders are escaped where they are shown.  *Sensitivity:* raw, the name clears the screen."""
    plan = shutil.copytree(written(tmp_path / "plan"), tmp_path / "a\x1b[2Jb")
    told = in_process("audit", plan)
    assert "\x1b" not in told.stderr and "a\\x1b[2Jb: audit FAILED" in told.stderr
