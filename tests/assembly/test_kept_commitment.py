"""A case that keeps the commitment of an earlier plan."""

import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.errors import BadInput
from flexmine.inputs.cross_checks import cross_checks
from flexmine.solving.engine import solve
from flexmine.workflow.plan_case import plan_case

RUNS = [
    {"container": "C01", "from": "2024-09-10T02:00:00+08:00", "to": "2024-09-10T08:00:00+08:00"},
    {"container": "C02", "from": "2024-09-10T02:00:00+08:00", "to": "2024-09-10T08:00:00+08:00"},
    {"container": "C03", "from": "2024-09-09T20:00:00Z", "to": "2024-09-10T04:00:00Z"},
]
KEPT = {"commitment": {"plan": "made-1", "runs": RUNS}}


def on_by_container(case):
    problem = assemble(case).problem
    found = {}
    for plan in solve(problem).classes:
        for name in plan.class_data.containers:
            found[name] = plan.on // plan.class_data.N
    return found


def test_containers_run_when_the_case_says_so(make_case):
    """*Proves:* C01 and C02 run from 02:00 to 08:00, C03 from 04:00 to 12:00 site time, and nobody else runs.

    *Sensitivity:* free, all six run for most of the day.
    """
    on = on_by_container(make_case(KEPT))
    hours = np.arange(12)
    assert on["C01"].tolist() == on["C02"].tolist() == ((hours >= 2) & (hours < 8)).astype(int).tolist()
    assert on["C03"].tolist() == (hours >= 4).astype(int).tolist()
    assert all(not on[name].any() for name in ("C04", "C05", "C06"))


def test_what_forbids_running_goes_before_the_commitment(make_case):
    """*Proves:* a container that is out does not run, whatever was committed.  *Sensitivity:* else no plan exists."""
    outage = {
        "container": "C02",
        "from": "2024-09-10T00:00:00+08:00",
        "to": "2024-09-10T12:00:00+08:00",
        "reason": "tripped",
    }
    on = on_by_container(make_case({**KEPT, "outages": [outage]}))
    assert not on["C02"].any()
    assert on["C01"].sum() == 6


def test_the_plan_says_whose_commitment_it_keeps(make_case):
    """*Proves:* the note names the plan, rules are left out, reasons say that the commitment is kept; the audit agrees.

    *Sensitivity:* with rules the money of a free greedy rule would stand beside a plan that may not choose.
    """
    plan = plan_case(make_case(KEPT))
    assert any("commitment of made-1 is kept" in note for note in plan.notes)
    assert plan.rules == () and plan.day_kind is None
    table = plan.setpoints
    off = table[table.state == "off"]
    assert len(off) and off.reason.str.startswith("contract: the commitment").all()
    assert plan.replay.ok and plan.gap == pytest.approx(0.0)


def test_unknown_container_is_named(make_case):
    """*Proves:* a run of a container that the plant does not have is refused.  *Sensitivity:* it would be ignored."""
    from pathlib import Path

    from flexmine.inputs.schema import CaseDocument
    from flexmine.inputs.yaml_loader import Loaded

    made = make_case({"commitment": {"plan": "made-1", "runs": [{**RUNS[0], "container": "C9"}]}})
    loaded: Loaded[CaseDocument] = Loaded(made.document, {}, Path("case.yaml"), "case.yaml", b"", {})
    found = cross_checks(loaded, made.document, made.plant, made.container_models)
    assert len(found) == 1 and "commitment.runs[0].container" in found[0] and "C9 is not a container" in found[0]
    assert BadInput(found).exit_code == 2
