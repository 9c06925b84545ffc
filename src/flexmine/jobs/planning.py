"""From a folder of inputs to a plan: the same call for the night itself and for reproducing it a year later."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from flexmine.baselines.hold import hold_safe_power
from flexmine.errors import Status
from flexmine.inputs.case import load_case
from flexmine.jobs.fallback_chain import HOLD, KEPT_FOLDER, PREVIOUS_PLAN
from flexmine.jobs.feeds import NEWEST
from flexmine.jobs.kept import kept_schedule
from flexmine.jobs.resolve import CASE_FILE, read_provenance
from flexmine.solving.phases import Phases
from flexmine.workflow.fixed_schedule import plan_given
from flexmine.workflow.plan import Plan
from flexmine.workflow.plan_case import plan_case


def plan_inputs(folder: Path, phases: Phases) -> Plan:
    """Return the audited plan of a folder of inputs, labelled as its step of the ladder asks.

    Raises
    ------
    BadInput, Infeasible, NoPlan, AuditFailed
        As by :func:`flexmine.workflow.plan_case.plan_case`.
    """
    how = read_provenance(folder)
    with phases.measure("read"):
        case = load_case(folder / CASE_FILE)
    if how.step == PREVIOUS_PLAN:
        plan = plan_given(case, PREVIOUS_PLAN, partial(kept_schedule, folder / KEPT_FOLDER))
    elif how.step == HOLD:
        plan = plan_given(case, HOLD, hold_safe_power)
    else:
        plan = plan_case(case, phases=phases)
    notes = (*how.labels, *how.marks, *plan.notes)
    if how.step == NEWEST:
        return replace(plan, notes=notes)
    return replace(plan, status=Status.FALLBACK, because=how.labels, notes=notes)
