"""The summary on a terminal: aligned, narrow enough, nothing hidden."""

from __future__ import annotations

import numpy as np
import pytest
from picture import save_picture

from flexmine.errors import Status
from flexmine.report.terminal import sparkline, summary


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize(("steps", "step_h"), [(24, 1.0), (25, 1.0), (96, 0.25), (6, 1.0)])
def test_no_line_is_wider_than_asked(make_plan, make_problem, make_rule, width, steps, step_h):
    """*Proves:* any horizon and step length fits. *Sensitivity:* a block per 15 minutes is 96 columns wide."""
    plan = make_plan(
        make_problem(steps=steps, step_h=step_h),
        title="A title that goes on and on, " * 6,
        filled=("price of the day before, " * 9,),
        rules=(make_rule("threshold", None, None, "cap: the site at 06:00 is " + "far " * 40 + "too high"),),
    )
    text = summary(plan, width)
    assert max(len(line) for line in text.splitlines()) <= width


def test_fine_steps_keep_their_hours(make_plan, make_problem):
    """100 steps of 15 minutes fit as 34 blocks of 45, few of which begin at a whole hour.

    *Proves:* 00, 06, 12 and 18 stand over the blocks that hold them.
    *Sensitivity:* marks where a block begins show 00 alone.
    """
    text = summary(make_plan(make_problem(steps=100, step_h=0.25)), 80)
    line = next(row for row in text.splitlines() if row.endswith("most"))
    assert line.split()[1:5] == ["00", "06", "12", "18"]
    assert line.index("06") - line.index("00") == 8


def test_it_says_the_finding_the_verdict_and_the_rules(make_plan, make_rule):
    """*Proves:* 4,320 USD beside greedy's 3,600, and a fallback that cannot be overlooked.

    *Sensitivity:* a summary of the status alone would hide the rule that cannot be kept.
    """
    rules = (make_rule("greedy", 3600.0), make_rule("threshold", None, None, "cap at 06:00"))
    text = summary(make_plan(rules=rules, status=Status.FALLBACK))
    assert "!! fallback" in text
    assert "20 % more than the best simple rule (greedy)" in " ".join(text.split())
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["this plan"].split() == ["this", "plan", "4", "320", "USD", "4", "320", "USD"]
    assert lines["greedy"].split() == ["greedy", "3", "600", "USD", "3", "600", "USD"]
    assert lines["threshold"].endswith("not feasible: cap at 06:00")


def test_the_site_power_line(make_plan):
    """C02 is off for the first 12 of 24 hours: 1 MW, then 2 MW. *Proves:* half height for half the power.

    *Sensitivity:* scaled from the least to the most the first half would be the lowest block.
    """
    on = np.ones((2, 24), dtype=bool)
    on[1, :12] = False
    line = next(row for row in summary(make_plan(on=on)).splitlines() if row.startswith("power, MW"))
    assert line.split()[2] == "▅" * 12 + "█" * 12
    assert line.split()[3:] == ["1.00", "2.00"]


def test_noise_is_not_drawn():
    """*Proves:* what is shown as 0.00 is flat. *Sensitivity:* scaled to its own range noise fills the line."""
    assert sparkline(np.array([0.0, 0.002, 0.004]), 0.005) == "▁▁▁"
    assert sparkline(np.array([0.0, 0.02, 0.04]), 0.005) == "▁▅█"


def test_too_narrow_is_refused(make_plan):
    """*Proves:* no garbage in a narrow window. *Sensitivity:* a negative width would raise from textwrap."""
    with pytest.raises(ValueError, match="at least 50"):
        summary(make_plan(), 20)


def test_the_picture_is_drawn(make_plan, tmp_path):
    """*Proves:* a PNG that depends on the plan, the same bytes twice. *Sensitivity:* axes alone would be equal."""
    target = tmp_path / "plan.png"
    save_picture(make_plan(), target)
    data = target.read_bytes()
    assert data.startswith(b"\x89PNG")
    empty = tmp_path / "empty.png"
    save_picture(make_plan(on=0), empty)
    assert data != empty.read_bytes()
    save_picture(make_plan(), empty)
    assert data == empty.read_bytes()
