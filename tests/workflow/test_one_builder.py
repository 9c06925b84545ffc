"""A plan is built in one place: the same schedule gives the same plan, whoever decided it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import flexmine
from flexmine.errors import NoPlan, Status
from flexmine.workflow.document import plan_document
from flexmine.workflow.fixed_schedule import plan_given
from flexmine.workflow.plan import Plan

# What only a solver knows: its proof, what it was compared with, and why.
OF_A_SOLVER = {"status", "engine", "money_usd", "bound_usd", "gap", "rules", "reasons", "day_kind", "preference"}


@pytest.fixture(scope="module")
def case():
    return flexmine.load_case("bratsk-day")


@pytest.fixture(scope="module")
def solved(case):
    return flexmine.plan(case)


def test_a_given_schedule_fills_all_that_a_solved_one_does(case, solved):
    """*Proves:* with the schedule of a solved plan, each field of the given one is the same but for the solver's own.

    *Sensitivity:* a field that one of two builders forgot (causes, chain, switching ...) would differ.
    """
    given = plan_given(case, "somebody", lambda problem: solved.schedule)
    ours, theirs = plan_document(given, {}), plan_document(solved, {})
    differing = {key for key in theirs if ours[key] != theirs[key]}
    proof = {"rounding_loss_usd", "rounding_loss_share", "marginal_values", "seal"}
    assert differing <= OF_A_SOLVER | proof
    for field in {f.name for f in dataclasses.fields(Plan)} - OF_A_SOLVER - {"problem", "replay", "schedule"}:
        assert repr(getattr(given, field)) == repr(getattr(solved, field)), field
    assert (given.status, given.engine) == (Status.FALLBACK, "somebody")
    assert given.money_usd == pytest.approx(solved.replay.money_usd, abs=1e-4)
    assert given.bound_usd >= solved.bound_usd


def test_a_given_schedule_that_breaks_limits_is_no_plan(case, solved):
    """*Proves:* the first five limits are named and the others counted.  *Sensitivity:* as it was, it is a plan."""
    off = dataclasses.replace(solved.schedule, on=np.zeros_like(solved.schedule.on))
    with pytest.raises(NoPlan) as refused:
        plan_given(case, "somebody", lambda problem: off)
    assert len(refused.value.messages) == 6
    assert all(message.startswith("it breaks a limit: ") for message in refused.value.messages[:5])
    assert refused.value.messages[5].endswith(" more limits")
