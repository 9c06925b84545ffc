"""Plans small enough to be worked out by hand: 1 MW earns 100 USD an hour, surplus costs 10, firm power 45 USD/MWh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.baselines.rules import RuleResult
from flexmine.errors import Status
from flexmine.explain.break_even import BreakEven
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.workflow.plan import Plan
from plants import round_class, simple_problem

MakePlan = Callable[..., Plan]


def hand_problem(steps: int = 24, count: int = 2, **site: Any) -> Problem:
    fields = {"surplus_mw": 3.0, "cap": 2.0, "ramp": None, "initial": None} | site
    return simple_problem(round_class(count=count, steps=steps), **fields)


def hand_plan(problem: Problem | None = None, on: Any = 1, **fields: Any) -> Plan:
    """Return a plan in which every container that is on runs at 1 MW."""
    problem = problem or hand_problem()
    containers = tuple(name for name, _ in problem.containers)
    state = np.array(np.broadcast_to(np.asarray(on, dtype=bool), (len(containers), problem.steps)))
    schedule = Schedule(containers, state, 1.0 * state, supply_by_merit(problem, 1.0 * state.sum(axis=0)))
    audit = replay(problem, schedule, 1e-3)
    flat = np.full(problem.steps, 100.0)
    known: dict[str, Any] = {
        "case_name": "hand",
        "title": "A plant by hand",
        "status": Status.OPTIMAL,
        "problem": problem,
        "publish_steps": problem.steps,
        "schedule": schedule,
        "replay": audit,
        "money_usd": audit.money_usd,
        "bound_usd": audit.money_usd,
        "gap": 0.0,
        "asked_gap": 1e-4,
        "engine": "by hand",
        "perspective": "plant",
        "break_even": (BreakEven(problem.classes[0].name, flat, flat, flat[None, :]),),
        "notes": ("Every number is made up.",),
        "temperature_c": np.linspace(-8.0, 5.0, problem.steps),
        "inputs": {"case.yaml": "0" * 64},
        "versions": {"flexmine": "0.0"},
    }
    return Plan(**(known | fields))


def rule(name: str, published: float | None, whole: float | None = None, *violations: str) -> RuleResult:
    return RuleResult(name, published if whole is None else whole, published, violations)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    return hand_problem


@pytest.fixture
def make_plan() -> MakePlan:
    return hand_plan


@pytest.fixture
def make_rule() -> Callable[..., RuleResult]:
    return rule
