"""The fleet of a case before and after the part of a plan that is taken as done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexmine.assembly import assemble
from flexmine.assembly.inside import Box, inside_after
from flexmine.audit.replay import Replay, replay_rounded
from flexmine.inputs.case import Case
from flexmine.planning.state import state_after
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule


def wear(case: Case, problem: Problem) -> tuple[dict[str, float], dict[str, int]]:
    """Return run hours [h] and starts of every container before step 0, as the case states them."""
    state = case.document.state
    states = {name: state.of(name) for name, _ in problem.containers}
    return {name: s.run_hours for name, s in states.items()}, {name: s.starts for name, s in states.items()}


def fleet_after(
    case: Case, problem: Problem, schedule: Schedule, audit: Replay, *, boxes: Mapping[str, Box], steps: int
) -> dict[str, Any]:
    """Return the fleet after the first `steps` steps of an audited schedule, in the shape of a case's ``state``.

    Parameters
    ----------
    case : Case
    problem : Problem
    schedule : Schedule
    audit : Replay
        Of the schedule.
    boxes : mapping
        By container, the box of those whose model has a thermal part.
    steps : int
        At least 1, at most T.
    """
    run_hours, starts = wear(case, problem)
    on = dict(zip(schedule.containers, schedule.on[:, :steps], strict=True))
    inside = inside_after(boxes, on, problem.time.step_h)
    state = state_after(
        problem, schedule, audit, steps, run_hours=run_hours, starts=starts, inside_temperature_c=inside
    )
    return state.document()


def fleet_within(case: Case, problem: Problem, schedule: Schedule, steps: int) -> dict[str, Any]:
    """Return the fleet after the first `steps` steps of a schedule read back from a written plan.

    Raises
    ------
    BadInput
        As by :func:`flexmine.assembly.assemble`.
    """
    audit, boxes = replay_rounded(problem, schedule), assemble(case).boxes
    return fleet_after(case, problem, schedule, audit, boxes=boxes, steps=steps)
