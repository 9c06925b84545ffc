"""From a folder of inputs to a plan: the same call for the night itself and for reproducing it a year later."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from flexmine.assembly import assemble
from flexmine.audit.replay import replay, replay_rounded
from flexmine.baselines.hold import hold_safe_power
from flexmine.errors import NoPlan, Status
from flexmine.inputs.case import load_case
from flexmine.jobs.fallback_chain import HOLD, KEPT_FOLDER, PREVIOUS_PLAN
from flexmine.jobs.feeds import NEWEST
from flexmine.jobs.kept import kept_schedule
from flexmine.jobs.resolve import CASE_FILE, read_provenance
from flexmine.problem.schedule import supply_by_merit
from flexmine.solving.phases import Phases
from flexmine.workflow.fixed_schedule import plan_given
from flexmine.workflow.plan import Plan
from flexmine.workflow.plan_case import plan_case


def refuse_broken(folder: Path) -> None:
    """Refuse a schedule that was kept and breaks a hard limit, whichever source its power is from by now.

    Parameters
    ----------
    folder : Path
        Inputs with the plan as it was made.

    Raises
    ------
    BadInput, NoPlan
        Naming what is wrong.
    """
    problem = assemble(load_case(folder / CASE_FILE)).problem
    kept = kept_schedule(folder / KEPT_FOLDER, problem)
    schedule = replace(kept, supply_mw=supply_by_merit(problem, replay(problem, kept).site_power_mw))
    violations = replay_rounded(problem, schedule).violations
    if violations:
        raise NoPlan([f"it breaks a limit: {violation.message}" for violation in violations])


def plan_inputs(folder: Path, phases: Phases) -> Plan:
    """Return the audited plan of the inputs in `folder`, labelled as its step of the ladder requires.

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
