"""solution.json: what `flexmine solve` answers, as a public file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from flexmine.audit.replay import Replay, replay
from flexmine.errors import EXIT_CODES, AuditFailed, Infeasible, NoPlan, Status
from flexmine.explain.prechecks import conflicts
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule
from flexmine.solving.engine import Solution, SolveOptions, proven, solve

SCHEMA = "flexmine-solution/1"
LISTED_CONTAINERS = 1000
TOLERANCE_MW = 1e-6


def solve_to_document(
    problem: Problem, options: SolveOptions, *, all_containers: bool = False
) -> tuple[dict[str, Any], int]:
    """Return the document of solution.json and the exit code.

    Raises
    ------
    AuditFailed
        Where the solution found breaks a limit of the problem.
    """
    try:
        found = conflicts(problem)
        if found:
            raise Infeasible(found)
        solution = solve(problem, options)
    except Infeasible as error:
        return _empty(Status.INFEASIBLE, error.messages), error.exit_code
    except NoPlan as error:
        return _empty(Status.NO_PLAN, []), error.exit_code
    schedule = to_schedule(problem, solution)
    audit = replay(problem, schedule, TOLERANCE_MW)
    if audit.violations:
        raise AuditFailed([v.message for v in audit.violations[:20]])
    document = _document(problem, solution, schedule, audit, options.gap, all_containers=all_containers)
    return document, EXIT_CODES[Status(document["status"])]


def solution_text(document: dict[str, Any]) -> str:
    """Return solution.json as text."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"


def _empty(status: Status, conflict: list[str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "status": status.value,
        "money_usd": None,
        "bound_usd": None,
        "gap": None,
        "engine": None,
        "classes": [],
        "containers": [],
        "sources": [],
        "facility_power_mw": [],
        "conflict": conflict,
    }


def _document(
    problem: Problem, solution: Solution, schedule: Schedule, audit: Replay, asked_gap: float, *, all_containers: bool
) -> dict[str, Any]:
    proof, first, classes = proven(audit.money_usd, solution.bound_usd, asked_gap), 0, []
    for k in problem.classes:
        rows = slice(first, first + k.count)
        first += k.count
        on = schedule.on[rows]
        before = np.array([h.on for h in k.history for _ in range(h.count)])[:, None]
        was = np.hstack([before, on[:, :-1]])
        classes.append(
            {
                "name": k.name,
                "on": on.sum(axis=0).tolist(),
                "start": (on & ~was).sum(axis=0).tolist(),
                "stop": (~on & was).sum(axis=0).tolist(),
                "warm": audit.warm_start[rows].sum(axis=0).tolist(),
                "it_power_mw": schedule.it_power_mw[rows].sum(axis=0).tolist(),
            }
        )
    listed = all_containers or len(schedule.containers) <= LISTED_CONTAINERS
    return {
        "schema": SCHEMA,
        "status": proof.status.value,
        "money_usd": proof.money_usd,
        "bound_usd": proof.bound_usd,
        "gap": proof.gap,
        "engine": solution.engine,
        "classes": classes,
        "containers": [
            {
                "name": name,
                "class": k.name,
                "on": schedule.on[row].astype(int).tolist(),
                "it_power_mw": schedule.it_power_mw[row].tolist(),
            }
            for row, (name, k) in enumerate(problem.containers)
            if listed
        ],
        "sources": [
            {"name": s.name, "mw": supply.tolist()}
            for s, supply in zip(problem.sources, schedule.supply_mw, strict=True)
        ],
        "facility_power_mw": audit.site_power_mw.tolist(),
        "conflict": [],
    }
