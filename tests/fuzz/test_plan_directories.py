"""Directories of plans that somebody has damaged: the audit says so, and never breaks."""

from __future__ import annotations

from collections import Counter

import pytest

from doctored import write_case, write_plan
from fuzz.directories import attempt
from fuzz.guard import command


@pytest.mark.parametrize(
    "seeds", [range(25), pytest.param(range(1000, 1500), marks=pytest.mark.slow)], ids=["25", "500"]
)
def test_damaged_plan_directories(seeds, tmp_path, capsys):
    """plan.json, problem.json and the tables damaged in values, shape and text; files gone, links, pipes, too large.

    *Proves:* ``audit`` passes a plan that nobody has sealed again only where all its files are what they were; else
    it fails the plan, or refuses it in sentences that name the place.
    *Sensitivity:* as it was written, it passes.
    """
    made = write_plan(write_case(tmp_path / "case"), tmp_path / "made")
    assert command("audit", made).code == 0
    seen, faults = Counter(), []
    for seed in seeds:
        ended, found = attempt(made, tmp_path, seed)
        seen[ended] += 1
        faults += [f"seed {seed}: {fault}" for fault in found]
    with capsys.disabled():
        print(f"\n{len(seeds)} damaged plan directories: {dict(seen)}")
    assert faults == []
    assert seen["failed"] and seen["refused"]
