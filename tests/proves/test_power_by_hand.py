"""Modes, caps, ramps, feeders, sources: small cases worked out by hand (100 USD an hour for the first MW)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agreed import agreed_money
from flexmine.errors import Infeasible
from flexmine.problem import Group, History
from flexmine.problem.variants import full_power_only
from flexmine.solving.engine import solve
from oracle import oracle
from plants import reference_class, round_class, round_problem, simple_problem

TWO_MODES = {"it_power_mw": (1.0, 2.0), "hash_rate_th_s": (1000.0, 1600.0)}


@pytest.mark.limit("site_cap")
def test_modes_at_a_binding_cap():
    """Two containers, 1 MW for 100 USD, the second MW for 60; cap 3 MW; 50 USD/MWh; 2 hours.

    Both at 1.5 MW: 200 + 60 - 150 = 110 an hour.  Full power only: one at 2 MW, 160 - 100 = 60.

    *Proves:* modes share what the cap leaves.
    *Sensitivity:* both at the minimum 200, one at full power 120.
    """
    problem = round_problem(round_class(2, steps=2, **TWO_MODES), 50, cap=3.0)
    assert agreed_money(problem) == pytest.approx(220.0)
    assert agreed_money(full_power_only(problem)) == pytest.approx(120.0)


@pytest.mark.parametrize(("overhead", "standby", "money"), [(1.0, 0.0, 80.0), (1.25, 0.0, 75.0), (1.0, 0.5, 70.0)])
def test_overhead_and_standby_are_paid(overhead, standby, money):
    """Two containers, one available for an hour at 20 USD/MWh: 100 - 20 x (overhead x 1 MW + standby of the other).

    *Proves:* facility power, not IT power, is bought; what is out of service stands by.
    *Sensitivity:* 80 throughout without them.
    """
    on_and_off = (History(1, True, 10), History(1, False, 10))
    k = round_class(2, steps=1, overhead=overhead, standby_mw=standby, available=1, history=on_and_off)
    assert agreed_money(round_problem(k, 20)) == pytest.approx(money)


@pytest.mark.limit("ramp_up")
@pytest.mark.parametrize(("initial", "money"), [(0.0, 480.0), (1.0, 640.0), (None, 720.0)])
def test_ramp_from_initial_power(initial, money):
    """Three containers, free starts, 80 USD an hour each, ramp 1 MW a step, 3 steps.

    From 0 MW: 1 + 2 + 3 = 6 x 80 = 480.  From 1 MW: 2 + 3 + 3 = 8.  Unknown: no ramp into step 0, 9.

    *Proves:* the ramp into step 0 is from the measured power, and only if there is one.
    *Sensitivity:* no ramp 720 throughout; from standby instead of `initial` 480 throughout.
    """
    free = {"warm_cost_usd": 0.0, "cold_cost_usd": 0.0, "history": (History(3, False, 10),)}
    k = round_class(3, steps=3, **free)
    assert agreed_money(round_problem(k, 20, ramp=1.0, initial=initial)) == pytest.approx(money)


@pytest.mark.limit("ramp_down")
def test_ramp_down_holds_power_up():
    """One container of 1 to 2 MW on 2 MW; step 1 may draw 1 MW; ramp down 0.5 MW a step: infeasible from 2 MW.

    From 1.5 MW: 1.5 then 1 MW at 20 USD/MWh: (130 - 30) + (100 - 20) = 180; step 0 at 2 MW would earn 120.

    *Proves:* a later cap reaches back through the ramp, by 20 USD.
    *Sensitivity:* without it 200.
    """
    k = round_class(steps=2, must_run=1, **TWO_MODES)
    site = {"cap": [2.0, 1.0], "ramp": 1.0, "ramp_down": 0.5}
    assert agreed_money(round_problem(k, 20, initial=1.5, **site)) == pytest.approx(180.0)
    stuck = round_problem(k, 20, initial=2.1, **site)
    assert oracle(stuck) is None
    with pytest.raises(Infeasible):
        solve(stuck)


@pytest.mark.parametrize(("price", "money"), [(-30, 150.0), (-5, 105.0)])
def test_negative_price_against_a_falling_curve(price, money):
    """From 1 to 2 MW the hash falls from 100 to 90 USD an hour: worth it for 30 USD/MWh paid, not for 5.

    90 + 2 x 30 = 150 (not 100 + 30); 100 + 5 = 105 (not 90 + 10).

    *Proves:* a falling piece is used where drawing power pays, and only there.
    *Sensitivity:* without falling pieces 130 and 105; always at full power 150 and 100.
    """
    k = round_class(steps=1, it_power_mw=(1.0, 2.0), hash_rate_th_s=(1000.0, 900.0))
    assert agreed_money(round_problem(k, price)) == pytest.approx(money)


@pytest.mark.limit("supply_limit")
def test_supply_in_order_of_price():
    """Two-mode container; 1.5 MW at 10 USD/MWh and a grid at 70: the last half MW is worth 30 and would cost 35.

    1.5 MW: 130 - 15 = 115; with the grid at 50 the last half MW pays: 160 - 15 - 25 = 120.

    *Proves:* power stops where the next source costs more than the next hash earns.
    *Sensitivity:* full power at 70 is 110.
    """
    k = round_class(steps=1, **TWO_MODES)
    for price, money in ((70, 115.0), (50, 120.0)):
        problem = simple_problem(k, 1.5, 10, 5.0, price, cap=10.0, ramp=None, initial=None)
        assert agreed_money(problem) == pytest.approx(money)


@pytest.mark.limit("feeder_cap")
def test_feeder_cap():
    """Two classes of one two-mode container; the first hangs on a feeder of 1.2 MW.

    At 20 USD/MWh: 160 - 40 = 120 for the free one, 112 - 24 = 88 for the other: 208.

    *Proves:* a feeder binds its own classes and no others.
    *Sensitivity:* without it 240; over both classes 144.
    """
    first = round_class(steps=1, **TWO_MODES)
    second = replace(first, name="other", containers=("D01",))
    problem = round_problem([first, second], 20, feeders=(Group("f1", 1.2, ("box",)),))
    assert agreed_money(problem) == pytest.approx(208.0)


@pytest.mark.limit("site_minimum")
def test_base_load_and_site_minimum():
    """Base load 1 MW at 120 USD/MWh costs 120; a minimum of 2.5 MW forces the container to 1.5 MW: 130 - 180.

    -120 without the minimum, -120 + 130 - 180 = -170 with it.

    *Proves:* base load is paid and counts towards the minimum.
    *Sensitivity:* a minimum without base load would force 2.5 MW: infeasible for 2 MW of containers.
    """
    k = round_class(steps=1, **TWO_MODES)
    assert agreed_money(round_problem(k, 120, base_load=1.0)) == pytest.approx(-120.0)
    assert agreed_money(round_problem(k, 120, base_load=1.0, minimum=2.5)) == pytest.approx(-170.0)


@pytest.mark.parametrize(
    ("limits", "money"),
    [
        ({"max_it_power_mw": 1.5}, 100.0),
        ({"max_it_power_mw": 9.0}, 120.0),
        ({"max_it_power_mw": 0.9}, 0.0),
        ({"min_it_power_mw": 1.5, "hash_value_usd_per_th_s_h": 0.01}, 0.0),
    ],
)
def test_derating_and_cold_minimum(limits, money):
    """1.5 MW in the heat: 130 - 30 = 100.  Above the last breakpoint: 160 - 40.  Below the minimum: cannot run.

    With a tenth of the hash value 1.5 MW earn 13 - 30 < 0: it stays off.

    *Proves:* limits by step cut the curve at both ends.
    *Sensitivity:* 120 throughout without them.
    """
    assert agreed_money(round_problem(round_class(steps=1, **TWO_MODES, **limits), 20)) == pytest.approx(money)


def test_reference_container_for_a_day():
    """One reference container, 24 h on the surplus of 10 USD/MWh: every hour at full power, one cold start.

    An hour: 0.0018 x 44,000 - 10 x 1.02 x 1.30 = 79.20 - 13.26 = 65.94; a day: 24 x 65.94 - 60 = 1,522.56.

    *Proves:* the units fit together: TH/s, MW, USD per TH/s and hour, USD/MWh.
    *Sensitivity:* a factor of 1,000 or the overhead left out shows at once.
    """
    assert agreed_money(simple_problem(reference_class(count=1), ramp=None)) == pytest.approx(1522.56)
