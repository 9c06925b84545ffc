"""Carbon by hand."""

from dataclasses import replace

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.physics.carbon import avoided_spill_mwh, location_based_kg
from flexmine.planning.carbon import carbon_account
from flexmine.planning.disaggregate import to_schedule
from flexmine.solving.engine import solve
from plants import reference_class, simple_problem


def test_grams_per_kwh_are_kilograms_per_mwh():
    """2 MW of hydro at 24 g/kWh and 1 MW of grid at 450 g/kWh over half an hour: 0.5 x (48 + 450) = 249 kg.

    *Proves:* units and the sum over sources.  *Sensitivity:* grams for kilograms is 1,000 times off; hours left out
    gives 498.
    """
    kg = location_based_kg([[2.0, 0.0], [1.0, 0.0]], [[24.0, 24.0], [450.0, 450.0]], 0.5)
    assert kg.tolist() == [249.0, 0.0]


def test_spill_is_avoided_only_within_the_turbines_room():
    """*Proves:* full turbines save no spill.  *Sensitivity:* counting all surplus taken gives 3 + 3 + 3."""
    assert avoided_spill_mwh([3.0, 3.0, 3.0], [0.0, 1.0, 9.0], 1.0).tolist() == [0.0, 1.0, 3.0]


def planned(**source):
    k = reference_class(count=1, steps=2, hash_value_usd_per_th_s_h=0.0018)
    problem = simple_problem(k, surplus_mw=0.6, firm_mw=2.0, firm_price=20.0, initial=0.01)
    fields = {"carbon_g_per_kwh": np.array([24.0, 24.0]), **source}
    surplus, grid = problem.sources
    grid = replace(grid, carbon_g_per_kwh=np.array([450.0, 450.0]))
    problem = replace(problem, sources=(replace(surplus, **fields), grid))
    schedule = to_schedule(problem, solve(problem))
    return problem, schedule, replay(problem, schedule)


def test_account_per_th_and_per_btc():
    """One container at 1.30 MW (44,000 TH/s) for 2 h: F = 1.326 MW, 0.6 surplus, 0.726 grid.

    kg = 2 x (0.6 x 24 + 0.726 x 450) = 682.2;  hash = 44,000 x 7,200 = 316,800,000 TH; at 1e-11 BTC per TH/s and hour
    0.88e-6 BTC.
    *Proves:* each figure of the account.  *Sensitivity:* IT power in place of facility power gives 668.9 kg.
    """
    problem, schedule, audit = planned()
    document = carbon_account(problem, schedule, audit, np.full(2, 1e-11)).document(2)
    assert document["kg_co2e"] == pytest.approx(682.2, abs=1e-3)
    assert document["g_per_th"] == pytest.approx(682_200 / 316_800_000, rel=1e-5)
    assert document["btc_expected"] == pytest.approx(0.88e-6, abs=1e-8)
    assert document["avoided_spill_mwh"] is None
    assert document["missing"] == [
        "source surplus states no room in the turbines, so none of it counts as avoided spill"
    ]


def test_headroom_counts_and_missing_intensity_is_said():
    """*Proves:* spill follows the stated room; without an intensity there is no figure, and the reason is given.

    *Sensitivity:* an intensity read as 0 would print a clean plan.
    """
    problem, schedule, audit = planned(headroom_mw=np.array([0.5, 9.0]), carbon_g_per_kwh=None)
    document = carbon_account(problem, schedule, audit, np.full(2, 1e-11)).document(2)
    assert document["avoided_spill_mwh"] == pytest.approx(1.1)
    assert document["kg_co2e"] is None
    assert document["g_per_btc"] is None
    assert document["missing"] == ["source surplus has no carbon_g_per_kwh"]
