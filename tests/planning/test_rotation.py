"""Wear is shared among containers that are alike, over days that are chained by their state."""

from dataclasses import replace

import numpy as np

from flexmine.audit.replay import replay
from flexmine.errors import Infeasible
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.state import state_after
from flexmine.problem import ContainerClass, History
from flexmine.solving.engine import SolveOptions, solve
from plants import random_problem, reference_class, simple_problem

DAYS = 30


def histories(state, step_h: float) -> tuple[History, ...]:
    return tuple(
        History(1, c.on, max(1, round(c.hours / step_h)), c.it_power_mw or 0.0) for c in state.containers.values()
    )


def chain(k: ContainerClass, seed: int, *, rotate: bool) -> dict[str, float]:
    """Plan DAYS days one after the other, each from the state of the last; return run hours by container."""
    rng = np.random.default_rng(seed)
    hours: dict[str, float] = {}
    starts: dict[str, int] = {}
    state = None
    for _ in range(DAYS):
        surplus_mw = rng.uniform(0.3, 2.6, 24)
        fleet = k if state is None else replace(k, history=histories(state, 1.0))
        initial = 0.06 if state is None else state.initial_mw
        problem = simple_problem(fleet, surplus_mw, 5.0, 10.0, rng.uniform(60, 110, 24), initial=initial, ramp=9.0)
        schedule = to_schedule(problem, solve(problem, SolveOptions(preference=True)), hours if rotate else None)
        audit = replay(problem, schedule)
        assert audit.ok, audit.violations
        state = state_after(problem, schedule, audit, 24, run_hours=hours, starts=starts)
        hours = {name: c.run_hours for name, c in state.containers.items()}
        starts = {name: c.starts for name, c in state.containers.items()}
    return hours


def test_a_month_of_chained_days_ends_with_even_run_hours():
    """Six alike containers that stay warm for two days, a surplus that feeds one to five of them: run hours within
    5 % after 30 days.

    *Proves:* run hours are carried from day to day and the least worn run.  *Sensitivity:* without the carried hours
    (every day begins at zero) the spread is larger.
    """
    k = reference_class(count=6, steps=24, warm_off_steps=48)
    even = np.array(list(chain(k, 4, rotate=True).values()))
    assert even.max() - even.min() <= 0.05 * even.mean()
    careless = np.array(list(chain(k, 4, rotate=False).values()))
    assert careless.max() - careless.min() > even.max() - even.min()


def test_state_after_a_day_by_hand():
    """Two containers, four hours: C01 on before and through, C02 starts in the third hour.

    *Proves:* hours in state reach back into history, run hours add up, a start is counted once and today.
    *Sensitivity:* counting from step 0 only gives 4 h for C01 instead of 14.
    """
    k = reference_class(count=2, steps=4, history=(History(1, True, 10, 0.52), History(1, False, 10)), min_up_steps=1)
    problem = simple_problem(k, surplus_mw=[0.6, 0.6, 9, 9], firm_mw=None, initial=0.55, ramp=9.0)
    schedule = to_schedule(problem, solve(problem))
    assert schedule.on.astype(int).tolist() == [[1, 1, 1, 1], [0, 0, 1, 1]]
    state = state_after(problem, schedule, replay(problem, schedule), 4, run_hours={"C01": 100.0}, starts={"C02": 7})
    first, second = state.containers["C01"], state.containers["C02"]
    assert (first.on, first.hours, first.run_hours, first.starts) == (True, 14.0, 104.0, 0)
    assert (second.on, second.hours, second.run_hours, second.starts) == (True, 2.0, 2.0, 8)
    assert second.starts_today == 1
    assert state.document()["containers"]["C02"]["it_power_mw"] == 1.3


def test_wear_changes_who_runs_and_nothing_else():
    """*Proves:* money, counts and validity are the same whatever the wear.  *Sensitivity:* stopping a container inside
    its minimum up time, or a cold one in place of a warm one, changes money or breaks a limit.
    """
    tried = 0
    for seed in range(60):
        problem = random_problem(seed, {"ages", "window_by_step", "preheat"} if seed % 2 else {"ages", "warm_until"})
        try:
            solution = solve(problem)
        except Infeasible:
            continue
        tried += 1
        names = [name for name, _ in problem.containers]
        plain = replay(problem, to_schedule(problem, solution))
        worn = {
            name: float(h)
            for name, h in zip(names, np.random.default_rng(seed).uniform(0, 500, len(names)), strict=True)
        }
        rotated = replay(problem, to_schedule(problem, solution, worn))
        assert rotated.ok, (seed, rotated.violations)
        assert abs(rotated.money_usd - plain.money_usd) < 1e-6, seed
    assert tried >= 40
