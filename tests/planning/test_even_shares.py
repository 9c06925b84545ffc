"""Alike containers of different classes draw alike, and nothing else of the plan moves."""

from dataclasses import replace

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.even_shares import with_even_shares
from flexmine.problem import Group, History
from flexmine.solving.engine import solve
from plants import reference_class, simple_problem

ON = {"history": (History(3, on=True, steps=9, it_power_mw=0.52),)}
ONE_ON = {"history": (History(1, on=True, steps=5, it_power_mw=0.52),)}


def lopsided(problem):
    """Return the plan with its first class at its lowest power and the second taking the rest."""
    solution = solve(problem)
    first, second = solution.classes
    total = first.it_power_mw + second.it_power_mw
    low = first.on * 0.52
    return replace(solution, classes=(replace(first, it_power_mw=low), replace(second, it_power_mw=total - low)))


def test_classes_that_differ_in_state_alone_share_equally():
    """Four containers on 2.4 MW of surplus, no grid: IT 2.4 / 1.02 = 2.353 MW, 0.588 MW each, for no less money.

    *Proves:* each of the four draws a quarter; site power is that of the lopsided plan, money no less.
    *Sensitivity:* left as it is, the single one draws 0.793 MW and the three 0.52.
    """
    fleet = (reference_class("many", 3, 6, "A", **ON), reference_class("one", 1, 6, "B", **ONE_ON))
    problem = simple_problem(fleet, 2.4, 10.0, None, initial=2.1216, ramp=9.0)
    uneven = lopsided(problem)
    even = with_even_shares(problem, uneven)
    before, after = (replay(problem, to_schedule(problem, s)) for s in (uneven, even))
    assert after.ok, after.violations
    powers = to_schedule(problem, even).it_power_mw
    assert powers == pytest.approx(np.full((4, 6), 2.4 / 1.02 / 4), abs=1e-6)
    assert np.ptp(to_schedule(problem, uneven).it_power_mw, axis=0).min() > 0.2
    np.testing.assert_allclose(after.site_power_mw, before.site_power_mw, atol=1e-9)
    assert after.money_usd >= before.money_usd - 1e-9


@pytest.mark.parametrize("what", ["curve", "feeder", "ramp"])
def test_what_is_not_alike_is_left_alone(what):
    """*Proves:* another curve, another feeder, or a ramp of its own keeps the power of each class.

    *Sensitivity:* shared all the same, a MW would move to where it earns less, or over a feeder's cap.
    """
    other = {"hash_rate_th_s": [23000.0, 31720.0, 38480.0, 44000.0]} if what == "curve" else {}
    fleet = (reference_class("many", 3, 6, "A", **ON), reference_class("one", 1, 6, "B", **(ONE_ON | other)))
    feeders = (Group("f1", 5.0, ("one",)),) if what == "feeder" else ()
    problem = simple_problem(fleet, 2.4, 10.0, None, initial=2.1216, ramp=9.0, feeders=feeders)
    uneven = lopsided(problem)
    if what == "ramp":
        slow = tuple(replace(c, class_data=replace(c.class_data, ramp=0.1)) for c in uneven.classes)
        uneven = replace(uneven, classes=slow)
    even = with_even_shares(problem, uneven)
    for a, b in zip(even.classes, uneven.classes, strict=True):
        assert np.array_equal(a.it_power_mw, b.it_power_mw)
