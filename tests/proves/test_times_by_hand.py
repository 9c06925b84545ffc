"""Minimum times, history, outages, obligations: small cases worked out by hand (100 USD an hour for 1 MW)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agreed import agreed_money
from flexmine.errors import Infeasible
from flexmine.problem import History
from flexmine.solving.engine import solve
from oracle import oracle
from plants import round_class, round_problem


@pytest.mark.limit("minimum_up_time")
@pytest.mark.parametrize(("steps_on", "money"), [(1, -60.0), (3, -20.0), (4, 0.0)])
def test_minimum_up_time_reaches_back(steps_on, money):
    """At 120 USD/MWh an hour loses 20 USD; minimum up 4: what has run 1 step before runs 3 more, -60.

    *Proves:* the first hours are bound by history.
    *Sensitivity:* without history 0 in all cases; one step off, -40 or -80 in the first.
    """
    k = round_class(min_up_steps=4, history=(History(1, True, steps_on),))
    assert agreed_money(round_problem(k, 120)) == pytest.approx(money)


@pytest.mark.limit("minimum_down_time")
@pytest.mark.parametrize(("steps_off", "money"), [(1, 150.0), (3, 310.0)])
def test_minimum_down_time_reaches_back(steps_off, money):
    """80 USD an hour, 4 hours, start 10: minimum down 3 after 1 step off leaves steps 2 and 3: 160 - 10.

    *Proves:* as above, for the time off.
    *Sensitivity:* without history 310 in both cases.
    """
    k = round_class(steps=4, min_down_steps=3, cold_cost_usd=10.0, history=(History(1, False, steps_off),))
    assert agreed_money(round_problem(k, 20)) == pytest.approx(money)


def test_minimum_up_time_is_cut_off_at_the_end():
    """Minimum up 4, cold start 10, only the last of 3 hours is cheap: 80 - 10 = 70.

    *Proves:* a start near the end needs no room that the horizon does not have.
    *Sensitivity:* without the cut there is no start: 0.
    """
    k = round_class(steps=3, min_up_steps=4, cold_cost_usd=10.0, history=(History(1, False, 10),))
    assert agreed_money(round_problem(k, [300, 300, 20])) == pytest.approx(70.0)


def test_an_outage_of_one_is_not_a_count():
    """Two containers, supply for one, none in step 2; minimum down 2; container A is out in steps 1 to 4.

    B runs 0, 1 and 4 (or A runs 0 and B 3, 4): 3 x 80 - 2 x 10 = 220.  With "one of two available" in its place B runs
    0, 1 and A 3, 4: 4 x 80 - 2 x 10 = 300.

    *Proves:* the split into a class of one is what makes the outage true.
    *Sensitivity:* the pooled count earns 80 USD that do not exist.
    """
    off = {"cold_cost_usd": 10.0, "min_down_steps": 2}
    supply = [1, 1, 0, 1, 1]
    pooled = round_class(2, **off, history=(History(2, False, 10),), available=[2, 1, 1, 1, 1])
    single = round_class(1, **off, history=(History(1, False, 10),))
    out = replace(single, name="box/A", containers=("A",), available=np.array([1, 0, 0, 0, 0]))
    assert agreed_money(round_problem([single, out], 20, mw=supply)) == pytest.approx(220.0)
    assert agreed_money(round_problem(pooled, 20, mw=supply)) == pytest.approx(300.0)


@pytest.mark.limit("availability")
def test_stopping_for_an_outage_is_not_counted_twice():
    """Two containers run, one is available in step 1 alone, minimum down 2: one stops for steps 1 and 2.

    160 + 80 + 80 + 160 + 160 - 10 = 630.

    *Proves:* minimum down time stands on the full count.
    *Sensitivity:* on the number available, one stopped plus one running exceed 1: no plan at all.
    """
    k = round_class(2, min_down_steps=2, available=[2, 1, 2, 2, 2])
    assert agreed_money(round_problem(k, 20)) == pytest.approx(630.0)


@pytest.mark.limit("must_run")
@pytest.mark.parametrize(("up", "money"), [(1, -30.0), (2, -50.0)])
def test_must_run_at_a_loss(up, money):
    """One of two has to run in step 1, at a loss of 20 USD, after a start of 10 USD; minimum up 2 adds an hour.

    *Proves:* an obligation is kept where it costs, and no longer than it has to be.
    *Sensitivity:* ignored, the plan earns 0.
    """
    k = round_class(
        2, steps=4, min_up_steps=up, cold_cost_usd=10.0, must_run=[0, 1, 0, 0], history=(History(2, False, 10),)
    )
    assert agreed_money(round_problem(k, 120)) == pytest.approx(money)


@pytest.mark.parametrize(
    ("price", "terminal", "money"),
    [(110, 15.0, 5.0), (110, 8.0, 0.0), (20, -95.0, 80.0), (20, -70.0, 90.0)],
)
def test_terminal_value(price, terminal, money):
    """Two hours, free starts.  At -10 USD an hour: run in the last for 15, 15 - 10 = 5, not for 8.

    At 80 USD an hour: 160 - 95 = 65 is less than stopping after the first, 80; 160 - 70 = 90 is more.

    *Proves:* the value is of containers that run in the last step, and may be negative.
    *Sensitivity:* per step on, or left out, gives 0 and 160.
    """
    free = {"warm_cost_usd": 0.0, "cold_cost_usd": 0.0, "history": (History(1, False, 10),)}
    k = round_class(steps=2, terminal_on_usd=terminal, **free)
    assert agreed_money(round_problem(k, price)) == pytest.approx(money)


def test_bound_containers_and_availability_contradict():
    """Minimum up 4, 1 step served, 0 available in step 1: no plan, and the words name class and step.

    *Proves:* minimum up time is not given up silently.
    *Sensitivity:* a planner that lets go of it earns 80 USD.
    """
    k = round_class(min_up_steps=4, history=(History(1, True, 1),), available=[1, 0, 1, 1, 1])
    problem = round_problem(k, 20)
    assert oracle(problem) is None
    with pytest.raises(Infeasible) as conflict:
        solve(problem)
    assert any("box" in message and "01:00" in message for message in conflict.value.messages)
