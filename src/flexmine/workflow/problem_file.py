"""solution.json: the answer of `flexmine solve`, as a public file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from flexmine.audit.replay import Replay, replay
from flexmine.errors import EXIT_CODES, Infeasible, NoPlan, Status
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule, class_rows
from flexmine.solving.engine import Solution, SolveOptions, proven
from flexmine.workflow.solve import passed, solve_checked

SCHEMA = "flexmine-solution/1"
LISTED_CONTAINERS = 1000


def solve_to_document(
    problem: Problem, options: SolveOptions, *, all_containers: bool = False
) -> tuple[dict[str, Any], int]:
    """Return the document of solution.json and the exit code.

    Parameters
    ----------
    problem : Problem
    options : SolveOptions
    all_containers : bool, default False
        Whether containers are listed one by one even where there are more than `LISTED_CONTAINERS`.

    Raises
    ------
    AuditFailed
        The solution found breaks a limit of the problem.
    """
    try:
        solution = solve_checked(problem, options)
    except (Infeasible, NoPlan) as error:
        conflict = error.messages if isinstance(error, Infeasible) else []
        return _empty(Status(error.status), conflict), error.exit_code
    schedule = to_schedule(problem, solution)
    audit = passed(replay(problem, schedule), "the solution")
    document = _document(problem, solution, schedule, audit, options.gap, all_containers=all_containers)
    return document, EXIT_CODES[Status(document["status"])]


def solution_text(document: dict[str, Any]) -> str:
    """Return the `document` of solution.json as text.

    Raises
    ------
    ValueError
        The document holds a number that JSON does not know.
    """
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
    proof, classes = proven(audit.money_usd, solution.bound_usd, asked_gap), []
    for k, rows in class_rows(problem):
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
        **_empty(proof.status, []),
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
    }
