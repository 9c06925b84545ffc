"""Energy over periods, of a source or the whole site: small cases worked out by hand.

One container of 1 MW earns 100 USD an hour, and a second MW, where it has one, 60; cheap power costs 10 USD/MWh.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agreed import agreed_replay
from brute_force import best_money, brute_force
from flexmine.errors import Infeasible
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import EnergyLimit, Problem
from flexmine.problem.limits import with_site
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.solving.engine import SolveOptions, solve
from plants import round_class, round_problem, simple_problem

FREE = {"warm_cost_usd": 0.0, "cold_cost_usd": 0.0}


def limited(problem: Problem, source: str | None = "surplus", first: int = 0, steps: int | None = None, **mwh: float):
    """Return a plant with one limit of energy; over all steps where none are named."""
    limit = EnergyLimit("limit", source, first, problem.steps - first if steps is None else steps, **mwh)
    return with_site(problem, energy_limits=(*problem.site.energy_limits, limit))


def best(problem: Problem) -> tuple[float, Schedule]:
    """Return money and schedule, on which planner, audit and two brute forces agree."""
    seen = agreed_replay(problem)
    assert seen.money_usd == pytest.approx(brute_force(problem), abs=1e-6)
    return seen.money_usd, to_schedule(problem, solve(problem, SolveOptions(gap=0.0)))


def must_run(grid_price, **changes) -> Problem:
    """Return a container that runs in all hours, cheap power at 10 USD/MWh, and a grid."""
    steps = len(grid_price)
    k = round_class(steps=steps, must_run=1, **changes)
    return simple_problem(k, 1.0, 10.0, 5.0, grid_price, cap=5.0, ramp=None, initial=None)


@pytest.mark.limit("energy_at_most")
def test_a_daily_limit_on_the_cheap_source_spares_it_for_the_dearest_hours():
    """1 MW in four hours, the grid at 20, 80, 40, 60 USD/MWh, 2 MWh of power at 10 USD/MWh.

    It spares 10, 70, 30 and 50 an hour: used in hours 1 and 3.  400 - (20 + 10 + 40 + 10) = 320.

    *Proves:* purchases move to the hours in which the grid is cheap.
    *Sensitivity:* without the limit 360; spent as soon as it is there 400 - (10 + 10 + 40 + 60) = 280; by order of
    price it is taken in all four hours, which breaks the limit by 2 MWh.
    """
    problem = limited(must_run([20.0, 80.0, 40.0, 60.0]), at_most_mwh=2.0)
    money, schedule = best(problem)
    assert money == pytest.approx(320.0)
    assert schedule.supply_mw == pytest.approx(np.array([[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]))
    assert best(must_run([20.0, 80.0, 40.0, 60.0]))[0] == pytest.approx(360.0)
    everywhere = replace(problem, site=replace(problem.site, energy_limits=()))
    assert supply_by_merit(everywhere, schedule.supply_mw.sum(axis=0))[0].sum() == pytest.approx(4.0)


@pytest.mark.limit("energy_at_most")
def test_a_limit_on_the_whole_site_picks_the_best_hours():
    """A container that starts for nothing, prices of 20, 90, 40 and 60 USD/MWh, at most 2 MWh: hours 0 and 2.

    (100 - 20) + (100 - 40) = 140.

    *Proves:* F, not a source, is limited.
    *Sensitivity:* without the limit 80 + 10 + 60 + 40 = 190; half a MWh in each hour is not possible at all.
    """
    problem = round_problem(round_class(steps=4, **FREE), [20.0, 90.0, 40.0, 60.0])
    money, schedule = best(limited(problem, None, at_most_mwh=2.0))
    assert money == pytest.approx(140.0)
    assert schedule.on.tolist() == [[True, False, True, False]]
    assert best(problem)[0] == pytest.approx(190.0)


@pytest.mark.limit("energy_at_most")
def test_a_limit_splits_between_the_pieces_of_the_mode_curve():
    """One container of 1 to 2 MW (100, then 60 USD/MWh) over two hours at 10 and 50 USD/MWh, at most 3 MWh.

    Both hours at 1 MW: 90 + 50; the third MWh earns 50 in hour 0, 10 in hour 1: 190.

    *Proves:* what is left goes to the best piece in the best hour.
    *Sensitivity:* one row for each step (1.5 MWh an hour) makes (130 - 15) + (130 - 75) = 170.
    """
    modes = {"it_power_mw": (1.0, 2.0), "hash_rate_th_s": (1000.0, 1600.0)}
    problem = round_problem(round_class(steps=2, **modes), [10.0, 50.0])
    money, schedule = best(limited(problem, None, at_most_mwh=3.0))
    assert money == pytest.approx(190.0)
    assert schedule.it_power_mw == pytest.approx(np.array([[2.0, 1.0]]))
    step_by_step = limited(limited(problem, None, 0, 1, at_most_mwh=1.5), None, 1, 1, at_most_mwh=1.5)
    named = tuple(replace(e, name=f"limit{i}") for i, e in enumerate(step_by_step.site.energy_limits))
    assert best_money(with_site(step_by_step, energy_limits=named)) == pytest.approx(170.0)


@pytest.mark.limit("energy_at_least")
def test_a_source_that_would_be_left_is_taken_where_that_costs_least():
    """1 MW in three hours on the grid at 20, 50 and 30; a promise to take 2 MWh of a surplus that costs 60.

    It costs 40, 10 and 30 more than the grid: taken in hours 1 and 2.  300 - (20 + 60 + 60) = 160.

    *Proves:* an obligation is met in the hours in which it is cheapest.
    *Sensitivity:* without it 300 - 100 = 200; in the first hours 300 - (60 + 60 + 30) = 150.
    """
    k = round_class(steps=3, must_run=1)
    problem = simple_problem(k, 1.0, 60.0, 5.0, [20.0, 50.0, 30.0], cap=5.0, ramp=None, initial=None)
    money, schedule = best(limited(problem, at_least_mwh=2.0))
    assert money == pytest.approx(160.0)
    assert schedule.supply_mw == pytest.approx(np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]))
    assert best(problem)[0] == pytest.approx(200.0)


@pytest.mark.limit("energy_at_least")
def test_a_site_that_would_stop_runs_for_its_least_energy():
    """Prices of 120, 150 and 110 USD/MWh against 100 earned, and 2 MWh at least: hours 0 and 2 lose 20 + 10.

    The container stops for nothing and starts for 5: it runs in hour 0, stops, starts in hour 2: -30 - 5 = -35.

    *Proves:* a loss is taken where it is least, starts counted.
    *Sensitivity:* without the limit 0, all hours -80.
    """
    k = round_class(steps=3, warm_cost_usd=5.0)
    problem = limited(round_problem(k, [120.0, 150.0, 110.0]), None, at_least_mwh=2.0)
    money, schedule = best(problem)
    assert money == pytest.approx(-35.0)
    assert schedule.on.tolist() == [[True, False, True]]


@pytest.mark.limit("energy_at_most")
@pytest.mark.parametrize(("taken", "money"), [(0.0, 350.0), (1.0, 320.0), (2.0, 270.0), (2.5, 235.0), (3.0, 200.0)])
def test_what_is_taken_already_counts(taken, money):
    """1 MW in four hours, the grid at 20, 80, 40, 60 USD/MWh, at most 3 MWh at 10 USD/MWh, some of it taken already.

    On the grid alone it makes 400 - 200 = 200; each MWh that is left spares 70, the next one 50, the third 30.

    *Proves:* the limit is of the whole period, and not of what lies in the horizon.
    *Sensitivity:* 350 throughout where the amount is not counted.
    """
    problem = limited(must_run([20.0, 80.0, 40.0, 60.0]), at_most_mwh=3.0, taken_mwh=taken)
    assert best(problem)[0] == pytest.approx(money)


@pytest.mark.limit("energy_at_least")
def test_what_is_taken_already_counts_for_a_promise():
    """The promise of 2 MWh above, 1.5 of them taken: half a MWh in hour 1 costs 5: 195; all taken: 200.

    *Proves:* only what is still owed is taken.  *Sensitivity:* 160 throughout.
    """
    k = round_class(steps=3, must_run=1)
    problem = simple_problem(k, 1.0, 60.0, 5.0, [20.0, 50.0, 30.0], cap=5.0, ramp=None, initial=None)
    for taken, money in ((1.5, 195.0), (2.0, 200.0), (9.0, 200.0)):
        assert best(limited(problem, at_least_mwh=2.0, taken_mwh=taken))[0] == pytest.approx(money)


@pytest.mark.limit("energy_at_most")
def test_a_period_over_part_of_the_horizon():
    """1 MW in four hours, the grid at 20, 80, 40, 60; at most 1 MWh at 10 USD/MWh in hours 1 and 2, free elsewhere.

    Cheap in hours 0, 1 and 3, the grid in hour 2: 400 - (10 + 10 + 40 + 10) = 330.

    *Proves:* the steps of the period, and no others, are counted.
    *Sensitivity:* over all hours 1 MWh makes 400 - (20 + 10 + 40 + 60) = 270; one step late, 400 - (10 + 10 + 40 + 10)
    = 330 too, but for hours 2 and 3, where hour 1 would be free: so the supply is compared.
    """
    problem = limited(must_run([20.0, 80.0, 40.0, 60.0]), first=1, steps=2, at_most_mwh=1.0)
    money, schedule = best(problem)
    assert money == pytest.approx(330.0)
    assert schedule.supply_mw[0] == pytest.approx([1.0, 1.0, 0.0, 1.0])


@pytest.mark.limit("energy_at_most")
def test_quarters_of_an_hour():
    """1 MW in four quarters, the grid at 20, 80, 40, 60; 0.5 MWh at 10 USD/MWh: two quarters, a quarter of 320 USD.

    *Proves:* power times the length of a step is energy.
    *Sensitivity:* counted as hours, half a quarter-hour's MW would be left: (400 - 200 + 0.5 x 70) / 4 = 58.75.
    """
    problem = must_run([20.0, 80.0, 40.0, 60.0])
    quarters = replace(problem, time=replace(problem.time, step_h=0.25))
    money, schedule = best(limited(quarters, at_most_mwh=0.5))
    assert money == pytest.approx(80.0)
    assert schedule.supply_mw[0] == pytest.approx([0.0, 1.0, 0.0, 1.0])


@pytest.mark.limit("energy_at_least")
@pytest.mark.limit("energy_at_most")
def test_limits_that_overlap_are_all_kept():
    """Two hours of the cheap source at most, one of the hours 2 and 3 at least from the grid, 3 MWh of the site.

    The grid at 20, 80, 40, 60; a container that starts for nothing.  Free, it runs in all hours.  Of 3 MWh: the hours
    save 90 each on cheap power; on the grid 80, 20, 60, 40.  Two hours cheap and one on the grid in hour 2 or 3: hour
    0 and 1 cheap, hour 2 on the grid: 90 + 90 + 60 = 240.

    *Proves:* several limits over the same steps, of both kinds, hold together.
    *Sensitivity:* without the least energy hour 0 would be on the grid: 80 + 90 + 90 = 260.
    """
    k = round_class(steps=4, **FREE)
    problem = simple_problem(k, 1.0, 10.0, 5.0, [20.0, 80.0, 40.0, 60.0], cap=5.0, ramp=None, initial=None)
    cheap = EnergyLimit("cheap", "surplus", 0, 4, at_most_mwh=2.0)
    grid = EnergyLimit("grid", "grid", 2, 2, at_least_mwh=1.0)
    site = EnergyLimit("site", None, 0, 4, at_most_mwh=3.0)
    assert best(with_site(problem, energy_limits=(cheap, grid, site)))[0] == pytest.approx(240.0)
    assert best(with_site(problem, energy_limits=(cheap, site)))[0] == pytest.approx(260.0)


@pytest.mark.parametrize(
    ("source", "mwh"),
    [(None, {"at_most_mwh": 2.5}), ("surplus", {"at_least_mwh": 3.5}), (None, {"at_least_mwh": 3.5})],
)
def test_what_cannot_be_kept_has_no_plan(source, mwh):
    """A container that has to run draws 3 MWh, no more and no less.

    *Proves:* planner and brute force refuse alike.  *Sensitivity:* a soft limit would have a plan.
    """
    problem = limited(round_problem(round_class(steps=3, must_run=1), 20.0), source, **mwh)
    assert best_money(problem) is None
    assert brute_force(problem) is None
    with pytest.raises(Infeasible):
        solve(problem)
