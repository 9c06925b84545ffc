"""Engines `auto` and `rounding` against `mip`: same money within the gap, a bound that holds, schedules that pass."""

from __future__ import annotations

from collections import Counter

import pytest

from flexmine.audit.replay import replay
from flexmine.errors import Infeasible, Status
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.solving.engine import Solution, SolveOptions, solve
from plants import random_features, random_problem

GAPS = (1e-4, 1e-6, 0.0)
SAMPLE, ALL, CHUNK = 20, 500, 20


def solved(problem: Problem, engine: str, gap: float) -> Solution | None:
    """Return the solution, or None where the engine proves that there is none."""
    try:
        return solve(problem, SolveOptions(gap=gap, engine=engine))
    except Infeasible as refusal:
        assert refusal.messages
        return None


def compare(seed: int) -> str:
    """Compare the engines on one plant; return what closed the gap in `auto`."""
    problem, gap = random_problem(seed), GAPS[seed % len(GAPS)]
    truth = solved(problem, "mip", gap)
    ways = []
    for engine in ("auto", "rounding"):
        where = f"engine {engine}, seed {seed}, gap {gap}, features {sorted(random_features(seed))}"
        solution = solved(problem, engine, gap)
        if truth is None or solution is None:
            assert truth is solution, where
            ways.append("infeasible")
            continue
        slack = 1e-6 + 1e-6 * abs(truth.money_usd)
        allowed = gap * max(1.0, abs(truth.money_usd)) + slack
        assert abs(solution.money_usd - truth.money_usd) <= allowed, where
        assert solution.bound_usd >= truth.money_usd - slack, where
        assert truth.bound_usd >= solution.money_usd - slack, where
        assert solution.status is Status.OPTIMAL, where
        seen = replay(problem, to_schedule(problem, solution))
        assert seen.ok, f"{where}: " + "; ".join(v.message for v in seen.violations)
        assert seen.money_usd >= solution.money_usd - slack, where
        ways.append(solution.engine)
    return ways[0]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=() if first < SAMPLE else pytest.mark.slow, id=f"{first}-{first + CHUNK - 1}")
        for first in range(0, ALL, CHUNK)
    ],
)
def test_same_money_from_every_engine(first):
    """Random plants with two to seven features each, at gaps of 1e-4, 1e-6 and 0.

    *Proves:* money within the gap of that of HiGHS's MIP, infeasible exactly where it is, a bound that is never below
    a plan that exists, and schedules of containers that the audit accepts.
    *Sensitivity:* a cut, a tightened count or a narrowed bound that takes plans away shows as a bound below the money
    of `mip`; all gaps closed by HiGHS's MIP would prove nothing of rounding.
    """
    ways = Counter(compare(seed) for seed in range(first, first + CHUNK))
    assert sum(count for way, count in ways.items() if way in ("rounding", "rounding+cuts", "rounding+branch")) >= 6
