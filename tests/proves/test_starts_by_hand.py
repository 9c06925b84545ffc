"""Warm and cold starts, preheat, windows: small cases worked out by hand.

The containers of ``round_class`` draw 1 MW and earn 100 USD an hour; at 20 USD/MWh that leaves 80 USD, at 300 USD/MWh
it loses 200 USD.  A start costs 10 USD warm and 90 USD cold.
"""

from __future__ import annotations

import numpy as np
import pytest

from agreed import agreed_money, agreed_replay
from flexmine.milp.class_data import ClassData
from flexmine.problem import History
from flexmine.solving.engine import SolveOptions, solve
from plants import round_class, round_problem

DEAR_MIDDLE = [20, 300, 300, 20, 20]


@pytest.mark.parametrize(("window", "money"), [(2, 230.0), (1, 150.0)])
def test_warm_or_cold_restart(window, money):
    """Two dear hours: off for 2 steps.  3 x 80 - 10 = 230 where 2 steps off are still warm, 3 x 80 - 90 = 150 else.

    *Proves:* a start is warm up to and including the window.
    *Sensitivity:* a window one step longer gives 230 in both cases, one shorter 150 in both.
    """
    assert agreed_money(round_problem(round_class(warm_off_steps=window), DEAR_MIDDLE)) == pytest.approx(money)


def test_start_costs_are_dollars_per_start():
    """As above in half hours: 3 x 40 - 10 = 110.  The start cost is not scaled by the step or by a price.

    *Proves:* energy and hash count by time, starts by piece.
    *Sensitivity:* start costs scaled by step_h would make it 115.
    """
    assert agreed_money(round_problem(round_class(), DEAR_MIDDLE, step_h=0.5)) == pytest.approx(110.0)


@pytest.mark.parametrize(
    ("windows", "money"),
    [([3, 0, 0, 0, 0], 150.0), ([0, 3, 0, 0, 0], 149.0), ([0, 0, 0, 0, 0], 70.0)],
)
def test_window_belongs_to_the_stop(windows, money):
    """Step 0 loses 1 USD, steps 1 and 2 lose 200 each, then 2 x 80.

    Stop in 0, warm for 3 steps: -10 + 160 = 150.  Warm only after a stop in 1: -1 - 10 + 160 = 149.  Never: 160 - 90.

    *Proves:* the window is that of the step of the stop, and the stop is moved for it.
    *Sensitivity:* windows by the step of the start would make all three 70.
    """
    k = round_class(warm_off_steps=windows)
    assert agreed_money(round_problem(k, [101, 300, 300, 20, 20])) == pytest.approx(money)


def test_one_stop_warms_one_start():
    """Two containers, one on, one cold.  One stop in step 1 (dear); starts in 2 and, when the cap rises, in 3.

    80 + 0 + 80 + 160 + 160 - 10 - 90 = 380: the second start is of the other container, and cold.

    *Proves:* one stop is not used twice.
    *Sensitivity:* the window on counts, w[t] <= stops of the last 2 steps, would call both warm: 460.
    """
    k = round_class(2, history=(History(1, True, 10), History(1, False, 10)))
    seen = agreed_replay(round_problem(k, [20, 300, 20, 20, 20], cap=[1, 1, 1, 2, 2]))
    assert seen.money_usd == pytest.approx(380.0)
    assert (seen.warm_start.sum(), seen.cold_start.sum()) == (1, 1)


RESTLESS_PRICES = [300, -20, 300, 300, 20, 20]
RESTLESS_WINDOWS = [5, 0, 1, 0, 0, 0]


def test_a_spent_window_is_spent():
    """One container stops in 0 (warm until 5), starts in 1, stops in 2 (warm until 3), starts in 4: cold.

    -10 + 120 - 90 + 160 = 180.  (Without the run in step 1: a warm start in 4, 160 - 10 = 150.)

    *Proves:* the window of the first stop is gone with the start that used it.
    *Sensitivity:* the pool without arcs takes the second stop for one that is warm until 5 and says 260.
    """
    k = round_class(steps=6, warm_off_steps=RESTLESS_WINDOWS)
    assert agreed_money(round_problem(k, RESTLESS_PRICES)) == pytest.approx(180.0)


def test_the_pool_alone_is_wrong_where_windows_are_out_of_order(monkeypatch):
    """The case above with the pool forced on it: 120 + 160 - 2 x 10 = 260.

    *Proves:* the choice of arcs matters, and the case above tests it.
    *Sensitivity:* equal money here would make the case above worthless.
    """
    monkeypatch.setattr(ClassData, "needs_arcs", property(lambda k: False))
    k = round_class(steps=6, warm_off_steps=RESTLESS_WINDOWS)
    wrong = solve(round_problem(k, RESTLESS_PRICES), SolveOptions(gap=0.0))
    assert wrong.money_usd == pytest.approx(260.0)


@pytest.mark.parametrize(("until", "money"), [(1, 150.0), (0, 70.0), (-1, 70.0), (None, 150.0)])
def test_warm_until_step(until, money):
    """Off for 1 step before; step 0 dear; start in 1: 160 - 10 = 150 if warm until 1, else 160 - 90 = 70.

    *Proves:* warm_until_step is inclusive and rules over steps and window; without it 1 + 1 <= 2 is warm.
    *Sensitivity:* an exclusive reading gives 70 for 1; ignoring it gives 150 throughout.
    """
    k = round_class(steps=3, history=(History(1, False, 1, warm_until_step=until),))
    assert agreed_money(round_problem(k, [300, 20, 20])) == pytest.approx(money)


@pytest.mark.parametrize(
    ("preheat_steps", "cap", "money"),
    [(0, 10.0, 230.0), (1, 10.0, 150.0), (0, 1.2, 0.0), (1, 1.2, 150.0)],
)
def test_preheat_energy(preheat_steps, cap, money):
    """A cold start draws 0.5 MWh at 20 USD/MWh: 10 USD.

    In the step of the start: 3 x 80 - 10 = 230.  In the step before: the first start is in 1, 2 x 80 - 10 = 150.
    Under a cap of 1.2 MW, 1.5 MW in the step of the start is too much: no start at all.

    *Proves:* preheat is paid, takes its time, and counts in the cap.
    *Sensitivity:* left out of the balance 240 and 160; left out of the cap 230 in the third case.
    """
    cold = {"history": (History(1, False, 10),), "warm_cost_usd": 0.0, "cold_cost_usd": 0.0, "warm_off_steps": 0}
    k = round_class(steps=3, cold_energy_mwh=0.5, preheat_steps=preheat_steps, **cold)
    assert agreed_money(round_problem(k, 20, cap=cap)) == pytest.approx(money)


@pytest.mark.parametrize(("steps_off", "money"), [(1, 290.0), (10, 480.0)])
def test_a_warm_start_is_not_preheated_for_a_negative_price(steps_off, money):
    """One step at -200 USD/MWh.  Warm: 100 + 200 - 10 = 290.  Cold, with 1 MWh of preheat: 100 + 400 - 20 = 480.

    *Proves:* warm or cold is a fact, also where cold would pay.
    *Sensitivity:* a planner that may choose says 480 in both cases.
    """
    k = round_class(steps=1, history=(History(1, False, steps_off),), cold_cost_usd=20.0, cold_energy_mwh=1.0)
    assert agreed_money(round_problem(k, -200)) == pytest.approx(money)


@pytest.mark.limit("starts_per_day")
def test_starts_per_day():
    """Two containers, supply for one, three cheap hours between dear ones; each may start once a day.

    Two of three blocks: 2 x (80 - 90) is a loss, so with cold = warm = 10: 2 x 70 = 140; a second day frees the third.

    *Proves:* the limit is of each container and of each calendar day.
    *Sensitivity:* without the limit 210.
    """
    k = round_class(2, cold_cost_usd=10.0, history=(History(2, False, 10),), max_starts_per_day=1)
    prices = [20, 300, 20, 300, 20]
    assert agreed_money(round_problem(k, prices, mw=1.0, day_of_step=np.zeros(5))) == pytest.approx(140.0)
    assert agreed_money(round_problem(k, prices, mw=1.0, day_of_step=[0, 0, 0, 0, 1])) == pytest.approx(210.0)
