"""A commitment that is kept: who runs is given, how hard is decided; small cases worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agreed import agreed_money
from flexmine.audit.replay import replay
from flexmine.errors import Infeasible
from flexmine.explain.prechecks import conflicts
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.problem.reading import problem_text, read_problem
from flexmine.solving.engine import solve
from plants import round_class, round_problem
from single import one_class_per_container

TWO_MODES = {"it_power_mw": (1.0, 2.0), "hash_rate_th_s": (1000.0, 1600.0)}


def keeping(committed: list[int], cap: float = 4.0, price: float = 50.0) -> Problem:
    k = round_class(2, steps=len(committed), warm_cost_usd=0.0, cold_cost_usd=0.0, **TWO_MODES)
    return round_problem(replace(k, committed=np.array(committed)), price, cap=cap)


def test_only_power_is_decided():
    """Two containers, free starts, 1 MW for 100 USD, the second MW for 60; power 50 USD/MWh; free: 120 USD a step.

    Kept at 1, then 2 containers: (160 - 100) + (320 - 200) = 180 USD; power is free, both run full.

    *Proves:* exactly the committed number runs, at the power that pays most.
    *Sensitivity:* without the commitment 240; at minimum power 50 + 100 = 150.
    """
    problem = keeping([1, 2])
    assert solve(problem).classes[0].on.tolist() == [1, 2]
    assert solve(problem).money_usd == pytest.approx(180.0)
    free = replace(problem, classes=(replace(problem.classes[0], committed=None),))
    assert agreed_money(free) == pytest.approx(240.0)


@pytest.mark.limit("kept_commitment")
def test_runs_at_a_loss_where_committed():
    """At 200 USD/MWh nothing pays: kept at one container, it runs at its minimum, 100 - 200 = -100 USD a step.

    *Proves:* the commitment holds against the price, the power does not.  *Sensitivity:* free 0, full power -240.
    """
    assert solve(keeping([1, 1], price=200.0)).money_usd == pytest.approx(-200.0)


def test_conflict_with_the_cap_names_the_commitment():
    """*Proves:* two committed containers under a cap of 1.5 MW have no plan, and the commitment is named.

    *Sensitivity:* a model that drops the row finds a plan with one container.
    """
    problem = keeping([2, 2], cap=1.5)
    assert any("cap" in sentence for sentence in conflicts(problem))
    with pytest.raises(Infeasible, match=r"kept commitment of \S+ \(2 containers\)"):
        solve(problem)


def test_audit_refuses_another_commitment():
    """*Proves:* a schedule of the free problem fails the audit of the kept one.  *Sensitivity:* else it passes."""
    kept = keeping([1, 2])
    free = replace(kept, classes=(replace(kept.classes[0], committed=None),))
    violations = replay(kept, to_schedule(free, solve(free)), 1e-6).violations
    assert [v.message for v in violations if "1 are committed" in v.message]


def test_round_trip_and_the_containers_one_by_one(tmp_path):
    """*Proves:* problem.json keeps the key; per container the money is the same; a count between needs names.

    *Sensitivity:* a lost key gives 240 USD.
    """
    problem = keeping([2, 0])
    file = tmp_path / "problem.json"
    file.write_text(problem_text(problem), encoding="utf-8")
    again = read_problem(file)
    assert again.classes[0].committed.tolist() == [2, 0]
    assert solve(one_class_per_container(again)).money_usd == pytest.approx(solve(problem).money_usd)
    with pytest.raises(ValueError, match="committed names no container"):
        one_class_per_container(keeping([1, 2]))
