"""The ramp of a container: small cases worked out by hand (100 USD an hour for the first MW, 60 for the second)."""

from __future__ import annotations

import pytest

from flexmine.audit.replay import replay
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import History, Problem
from flexmine.solving.engine import SolveOptions, solve
from plants import round_class, round_problem


def plant(steps: int, ramp_mw: float, up: int, *, until: int | None = None) -> Problem:
    """Return one container of 1 to 2 MW that starts for free at 20 USD/MWh, and cannot run from `until` on."""
    k = round_class(
        steps=steps,
        it_power_mw=(1.0, 2.0),
        hash_rate_th_s=(1000.0, 1600.0),
        min_up_steps=up,
        warm_cost_usd=0.0,
        cold_cost_usd=0.0,
        history=(History(1, False, 10),),
        container_ramp_mw_per_step=ramp_mw,
        available=[int(until is None or t < until) for t in range(steps)],
    )
    return round_problem(k, 20)


def money(problem: Problem) -> float:
    solution = solve(problem, SolveOptions(gap=0.0))
    seen = replay(problem, to_schedule(problem, solution))
    assert seen.ok, seen.violations
    assert seen.money_usd == pytest.approx(solution.money_usd)
    return seen.money_usd


@pytest.mark.limit("start_and_stop_power")
def test_it_starts_and_stops_at_its_lowest_power():
    """80 USD at 1 MW, 120 at 2 MW.  Minimum up 2: 80 + 120 + 120 = 320; stopped after three hours: 80 + 120 + 80 = 280.

    *Proves:* the hour of the start and the last one before a stop are at the lowest power.
    *Sensitivity:* without the row 360 both times.
    """
    assert money(plant(3, 1.0, 2)) == pytest.approx(320.0)
    assert money(plant(4, 1.0, 2, until=3)) == pytest.approx(280.0)


@pytest.mark.limit("start_power")
@pytest.mark.limit("stop_power")
def test_so_it_does_where_it_may_run_for_one_step():
    """Minimum up 1, the same hours: 320 and 280; a single hour is start and stop at once: 80.

    *Proves:* both rows hold alone.  *Sensitivity:* without the first 360 and 320, without the second 320 and 320.
    """
    assert money(plant(3, 1.0, 1)) == pytest.approx(320.0)
    assert money(plant(4, 1.0, 1, until=3)) == pytest.approx(280.0)
    assert money(plant(2, 1.0, 1, until=1)) == pytest.approx(80.0)


@pytest.mark.limit("container_ramp_up")
@pytest.mark.limit("container_ramp_down")
def test_a_slow_ramp_holds_between_the_steps():
    """Half a megawatt a step: 1, 1.5, 2 MW: 80 + 100 + 120 = 300.  Stopped after four: 1, 1.5, 1.5, 1: 360.

    *Proves:* power rises and falls by no more than the ramp while it runs.
    *Sensitivity:* without the row up 320 and 400; without the row down 1, 1.5, 2, 1: 380.
    """
    assert money(plant(3, 0.5, 2)) == pytest.approx(300.0)
    assert money(plant(5, 0.5, 2, until=4)) == pytest.approx(360.0)
