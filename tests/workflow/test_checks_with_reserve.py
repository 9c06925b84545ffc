"""The checks in words speak of the limits that the user wrote, not of those that are kept free for rounding."""

from __future__ import annotations

from dataclasses import replace

from flexmine.problem import EnergyLimit, Problem
from flexmine.workflow.solve import conflicts_with_reserve
from plants import reference_class, simple_problem

MOST_MWH = 4 * 1.02 * 1.3 * 6
RESERVE_MWH = 0.024


def with_at_least(mwh: float) -> Problem:
    """Return four containers for 6 h on plenty of power, with a least energy that is narrowed by a reserve of 4 kW."""
    problem = simple_problem(reference_class(count=4, steps=6), firm_mw=10.0, ramp=None)
    limit = EnergyLimit("all", None, 0, 6, mwh + RESERVE_MWH, None, 0.0, RESERVE_MWH)
    return replace(problem, site=replace(problem.site, energy_limits=(limit,), rounding_reserve_mw=0.004))


def test_a_conflict_of_the_reserve_alone_is_a_note():
    """10 kWh below the most that can be drawn: possible, but not with 24 kWh kept free.

    *Proves:* `check` says what `plan` does: it plans with the limits in full.
    *Sensitivity:* without the second look the check is a conflict.
    """
    found, notes = conflicts_with_reserve(with_at_least(MOST_MWH - 0.01))
    assert found == []
    assert notes == ("the limits leave no room for the rounding reserve of 4 kW; the plan uses them in full",)
    assert conflicts_with_reserve(with_at_least(MOST_MWH - 1.0)) == ([], ())


def test_a_conflict_names_the_number_that_was_written():
    """*Proves:* the sentence has the user's number and what is missing of it.

    *Sensitivity:* with the reserve 33.024 would stand there.
    """
    found, notes = conflicts_with_reserve(with_at_least(33.0))
    assert notes == ()
    assert f"at_least_mwh of 33 MWh is above the {MOST_MWH:.3f} MWh" in found[0]
    assert f"must be {33 - MOST_MWH:.3f} MWh lower" in found[0]
