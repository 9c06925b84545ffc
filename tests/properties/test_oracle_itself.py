"""The oracle against a second, dumber brute force: every on/off plan of every container, one LP for each.

The brute force shares no step with the oracle (see `brute_force.py`); of limits that span steps it judges the LP over
the oracle's combinations.
"""

from __future__ import annotations

import numpy as np
import pytest

from brute_force import best_money, brute_force, first_steps
from oracle import Concave, chain_money, oracle
from plants import NAMED_FEATURES, random_features, random_problem
from samples import by_sample

TINY_STEPS = 4
CHUNKS, CHUNK = 6, 20


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_oracle_equals_one_lp_for_each_plan(chunk):
    """The oracle's shortcuts (dominance, merit order, the ramp chain, bounds) change nothing.

    *Proves:* on tiny plants of all features the oracle equals the best LP over all plans, and says None where no plan
    has a feasible LP.
    *Sensitivity:* a dominated combination kept wrongly, a supply out of merit order or a ramp shifted the wrong way
    moves the money of some of these plants.
    """
    compared = 0
    for seed in range(1000 + chunk * CHUNK, 1000 + (chunk + 1) * CHUNK):
        problem = random_problem(seed)
        if len(problem.containers) > 2:
            continue
        tiny = first_steps(problem, TINY_STEPS)
        expected, found = brute_force(tiny), oracle(tiny)
        where = f"seed {seed}, features {sorted(random_features(seed))}"
        assert (found is None) == (expected is None), f"{where}: oracle {found}, brute force {expected}"
        if expected is not None:
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-6), where
        compared += 1
    assert compared >= 4


@pytest.mark.parametrize("plants", by_sample(10, 30))
@pytest.mark.parametrize("feature", NAMED_FEATURES)
def test_oracle_knows_what_is_drawn_where_it_is_named(feature, plants):
    """The same for what is drawn only where it is named.

    *Proves:* who is held at its lowest power, which tier a start is of, and what a limit of energy leaves, agree with
    a judge who reads whole plans.
    *Sensitivity:* a start held one step late, a tier that ends one step early, or a limit of another source, moves the
    money of some plants.
    """
    compared = 0
    for seed in range(1500, 1500 + plants):
        problem = random_problem(seed, {feature, "restless", "ages", "several_classes"})
        if len(problem.containers) > 2:
            continue
        tiny = first_steps(problem, TINY_STEPS)
        expected, found = brute_force(tiny), best_money(tiny)
        assert (found is None) == (expected is None), f"seed {seed}: oracle {found}, brute force {expected}"
        if expected is not None:
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-6), f"seed {seed}"
        compared += 1
    assert compared >= 8 * plants // 30


def test_chain_by_hand():
    """Two steps with slopes 10 and -10 USD/MW over 0 to 4 MW, ramp 1 MW, from 1 MW: 2 MW then 1 MW make 20 - 10 = 10.

    *Proves:* the chain finds the best compromise, here 10 USD (any F0 in 0..2 with F1 = F0 - 1 makes 10).
    *Sensitivity:* without ramps it would be 40 (4 MW, then 0 MW).
    """
    x = np.array([0.0, 4.0])
    rising, falling = Concave(x, 10 * x), Concave(x, -10 * x)
    assert chain_money([rising, falling], 1.0, 1.0, 1.0) == pytest.approx(10.0)
    assert chain_money([rising, falling], 1e4, 1e4, 1.0) == pytest.approx(40.0)
    assert chain_money([rising.within(3.0, 4.0), falling], 1.0, 1.0, 1.0) is None
