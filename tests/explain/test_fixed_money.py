"""A limit that the program of the fixed commitment forgets is an internal error, not a number in a report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flexmine.errors import EXIT_INTERNAL, AuditFailed, Infeasible
from flexmine.explain.reasons import reasons
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.even_shares import with_even_shares
from flexmine.problem import Group, History
from flexmine.solving import marginal
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.handover import matrix_of
from flexmine.solving.marginal import FixedCommitment
from flexmine.solving.solution import check_fixed_money
from plants import random_problem, reference_class, simple_problem
from samples import by_sample

STEPS = 4
PLANTS = {1e-4: 200, 0.0: 60, 0.02: 60}
"""How many random plants, by the gap that they are solved to."""
SAMPLE = {1e-4: 70, 0.0: 20, 0.02: 20}
"""Those of a normal run."""
# Each of them, alone, holds the box at 0.7 MW or lets it rise slowly.
BINDING = {
    "site_cap": {"cap": 0.7},
    "supply_limit": {"surplus_mw": [0.7] * STEPS},
    "feeder_cap": {"feeders": (Group("f", cap_mw=0.7, classes=("box",)),)},
    "ramp_up": {"ramp": 0.1, "initial": 0.6},
}


def one_box(**site):
    """One container that runs throughout at 0.5 to 1.0 MW: the first 0.5 MW earn 80 USD/MWh, the rest 40; power costs
    10 USD/MWh, beyond the surplus 60.
    """
    box = reference_class(
        "box",
        1,
        STEPS,
        it_power_mw=(0.5, 1.0),
        hash_rate_th_s=(20_000.0, 30_000.0),
        overhead=1.0,
        standby_mw=0.0,
        hash_value_usd_per_th_s_h=0.002,
        history=(History(1, on=True, steps=10),),
    )
    fields = {"ramp": None, "initial": None, "cap": 2.0, "surplus_mw": [2.0] * STEPS, "firm_mw": 2.0}
    return simple_problem(box, **(fields | {"firm_price": 60.0} | site))


def forget_rows(patch, component):
    """Let the program of the fixed commitment lack the rows of a limit."""

    def without(problem):
        matrix = matrix_of(problem)
        gone = np.array([name == component for name, _ in matrix.rows])
        assert gone.any()
        low, high = np.where(gone, -np.inf, matrix.row_lower), np.where(gone, np.inf, matrix.row_upper)
        return replace(matrix, row_lower=low, row_upper=high)

    patch.setattr(marginal, "matrix_of", without)


@pytest.mark.parametrize("component", BINDING)
def test_a_forgotten_limit_is_refused(component, monkeypatch):
    """*Proves:* the reasons of a plan are refused, exit 1, where its fixed commitment lacks the limit that binds.

    *Sensitivity:* with all rows there are reasons; without the check the plan would be explained by other limits.
    """
    problem = one_box(**BINDING[component])
    solution = solve(problem, SolveOptions(gap=0.0))
    schedule = to_schedule(problem, solution)
    assert reasons(problem, solution, schedule).text
    forget_rows(monkeypatch, component)
    with pytest.raises(AuditFailed, match="a limit on power is left out") as refused:
        reasons(problem, solution, schedule)
    assert refused.value.exit_code == EXIT_INTERNAL == 1


def test_the_message_has_the_figures_by_hand(monkeypatch):
    """At 0.7 MW each step earns 40 + 8 - 7 = 41 USD, at 1.0 MW 40 + 20 - 10 = 50.

    *Proves:* both moneys and the bound are told.  *Sensitivity:* 164 and 200 USD over four steps.
    """
    problem = one_box(cap=0.7)
    solution = solve(problem, SolveOptions(gap=0.0))
    forget_rows(monkeypatch, "site_cap")
    with pytest.raises(AuditFailed) as refused:
        check_fixed_money(FixedCommitment(problem, solution).money_usd, solution)
    assert "the plan earns 164.000000 USD, no plan earns more than 164.000000 USD" in str(refused.value)
    assert "with its commitment fixed 200.000000 USD" in str(refused.value)


def test_a_forgotten_limit_on_random_plants_is_refused_where_the_gap_does_not_cover_it(monkeypatch):
    """*Proves:* on 40 random plants without supply limits, whatever is worth more than the gap is refused.

    *Sensitivity:* at least 20 of them have a limit that is worth so much, so that a check that never refuses fails.
    """
    refused = 0
    for seed in range(40):
        problem = random_problem(seed)
        try:
            solution = solve(problem, SolveOptions())
        except Infeasible:
            continue
        with monkeypatch.context() as patch:
            forget_rows(patch, "supply_limit")
            fixed_usd = FixedCommitment(problem, solution).money_usd
        beyond = fixed_usd > solution.bound_usd + 0.01
        refused += beyond
        if beyond:
            with pytest.raises(AuditFailed):
                check_fixed_money(fixed_usd, solution)
    assert refused >= 20


@pytest.mark.parametrize("plants", by_sample(SAMPLE, PLANTS))
@pytest.mark.parametrize("gap", PLANTS)
def test_no_false_alarm_on_random_plants(gap, plants):
    """*Proves:* where no row is forgotten the check passes, with the preference stage and whatever the gap leaves it.

    *Sensitivity:* a tolerance below the noise of the arithmetic would refuse some; of the 200 some have no plan.
    """
    checked = 0
    for seed in range(plants[gap]):
        problem = random_problem(seed)
        try:
            solution = with_even_shares(problem, solve(problem, SolveOptions(gap=gap)))
        except Infeasible:
            continue
        check_fixed_money(FixedCommitment(problem, solution).money_usd, solution)
        checked += 1
    assert checked >= 0.75 * plants[gap]
