"""From a folder of inputs to a plan: the same call for the night itself and for reproducing it a year later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flexmine.errors import Status
from flexmine.inputs.case import load_case
from flexmine.jobs.feeds import NEWEST
from flexmine.jobs.resolve import CASE_FILE, How, read_how
from flexmine.pipeline import Phases, plan_case
from flexmine.planning.plan import Plan


def plan_inputs(folder: Path, phases: Phases) -> Plan:
    """Return the audited plan of a folder of inputs, labelled as its step of the ladder asks.

    Raises
    ------
    BadInput, Infeasible, NoPlan, AuditFailed
        As by :func:`flexmine.pipeline.plan_case`.
    """
    how = read_how(folder)
    with phases.measure("read"):
        case = load_case(folder / CASE_FILE)
    return _labelled(plan_case(case, phases=phases), how)


def _labelled(plan: Plan, how: How) -> Plan:
    if how.step == NEWEST:
        return plan
    return replace(plan, status=Status.FALLBACK, notes=(*how.labels, *plan.notes))
