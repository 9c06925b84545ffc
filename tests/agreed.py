"""One number from three ways: planner, oracle and audit have to agree on it."""

from __future__ import annotations

import pytest

from brute_force import best_money
from flexmine.audit.replay import Replay, replay
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.solving.engine import SolveOptions, solve


def agreed_replay(problem: Problem) -> Replay:
    """Return the audit's replay of the planner's best schedule, after planner, oracle and audit agreed on its money."""
    solution = solve(problem, SolveOptions(gap=0.0))
    seen = replay(problem, to_schedule(problem, solution))
    assert seen.ok, "; ".join(v.message for v in seen.violations)
    assert solution.money_usd == pytest.approx(best_money(problem), abs=1e-6)
    assert seen.money_usd == pytest.approx(solution.money_usd, abs=1e-6)
    return seen


def agreed_money(problem: Problem) -> float:
    """Return the most money of `problem` [USD], on which planner, oracle and audit agree."""
    return agreed_replay(problem).money_usd
