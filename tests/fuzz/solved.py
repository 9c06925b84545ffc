"""What ``flexmine solve`` makes of a problem.json that nobody vouches for, looked at from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from brute_force import best_money
from flexmine.audit.replay import replay
from flexmine.problem import Problem
from flexmine.problem.reading import read_problem
from flexmine.problem.schedule import Schedule
from fuzz.damage import at, places
from fuzz.guard import DEADLINE_S, Ended, call, command

TIME_LIMIT_S = 2
ENDINGS = {0: "optimal", 3: "infeasible", 4: "feasible", 6: "no_plan"}
LARGEST_COMPARED = 1e6
"""The oracle's own slack is that of a small plant."""


def solve(file: Path, *, deadline_s: float = DEADLINE_S, oracle: bool = False) -> tuple[str, list[str]]:
    """Return how ``flexmine solve`` ended on a file, in a word, and what is wrong with that."""
    solution = file.with_name("solution.json")
    solution.unlink(missing_ok=True)
    ended = command(
        "solve", file, "--out", solution, "--containers", "--time-limit", str(TIME_LIMIT_S), deadline_s=deadline_s
    )
    faults = ended.faults()
    if faults:
        return "broken", faults
    if ended.code == 2:
        return "refused", refusal_faults(ended, file, solution)
    if ended.code not in ENDINGS:
        return "broken", [f"exit {ended.code}: {ended.err[-500:]}"]
    document = json.loads(solution.read_text(encoding="utf-8"))
    status = ENDINGS[ended.code]
    if document["status"] != status:
        faults.append(f"exit {ended.code}, but status {document['status']}")
    if (status == "infeasible") != bool(document["conflict"]):
        faults.append(f"{status} with the conflict {document['conflict']}")
    problem = read_problem(file)
    if document["money_usd"] is not None:
        faults += solution_faults(problem, document)
    if oracle and status != "no_plan" and _is_small(file, problem):
        told = call(oracle_money, str(file), deadline_s=deadline_s)
        if told.code == 0:
            status += ", compared"
            faults += _against(told.answer, document)
    return status, faults


def refusal_faults(ended: Ended, file: Path, *written: Path) -> list[str]:
    """Return what is wrong with a refusal: each line names the file, and nothing is written."""
    lines = ended.err.splitlines()
    found = [] if lines else ["exit 2 without a word"]
    said = [line for line in lines if not line.startswith("flexmine: warning:")]
    found += [f"names no file: {line!r}" for line in said if not line.startswith(f"flexmine: bad_input: {file}")]
    return found + [f"{path.name} was written" for path in written if path.exists()]


def solution_faults(problem: Problem, document: dict[str, Any]) -> list[str]:
    """Replay what a solution.json says its containers do, and compare its money with that."""
    containers = document["containers"]
    schedule = Schedule(
        tuple(c["name"] for c in containers),
        np.array([c["on"] for c in containers], dtype=bool),
        np.array([c["it_power_mw"] for c in containers], dtype=float),
        np.array([s["mw"] for s in document["sources"]], dtype=float),
    )
    seen = replay(problem, schedule)
    found = [v.message for v in seen.violations]
    scale = max(1.0, abs(seen.money_usd))
    if abs(document["money_usd"] - seen.money_usd) > 1e-6 * scale:
        found.append(f"says {document['money_usd']} USD, the audit {seen.money_usd}")
    if document["bound_usd"] < document["money_usd"] - 1e-6 * scale:
        found.append(f"the bound {document['bound_usd']} is below the money {document['money_usd']}")
    return found


def oracle_money(file: str) -> float | None:
    """Return the most money of a problem.json, by trying everything."""
    return best_money(read_problem(file))


def _is_small(file: Path, problem: Problem) -> bool:
    document = json.loads(file.read_text(encoding="utf-8"))
    values = [at(document, p) for p in places(document)]
    numbers = [abs(v) for v in values if isinstance(v, int | float)]
    small = len(problem.containers) <= 4 and problem.steps <= 12
    return small and max(numbers) < LARGEST_COMPARED and not any(k.ramps_slowly for k in problem.classes)


def _against(truth: float | None, document: dict[str, Any]) -> list[str]:
    money = document["money_usd"]
    if truth is None or money is None:
        return [] if truth is money else [f"the oracle makes {truth}, {document['status']} {money}"]
    slack = 1e-5 + 1e-6 * abs(truth)
    found = [] if money <= truth + slack else [f"{money} USD is more than any plan makes: {truth}"]
    found += [] if document["bound_usd"] >= truth - slack else [f"bound {document['bound_usd']} below {truth}"]
    gap = document["gap"] if document["status"] == "feasible" else 1e-4
    if money < truth - gap * max(1.0, abs(money)) - slack:
        found.append(f"{money} USD, the oracle makes {truth}")
    return found
