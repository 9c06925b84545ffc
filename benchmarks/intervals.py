"""Fifty thousand containers in memory: who runs as intervals of containers that act alike, and their audit.

A plan of 50,000 containers over 672 steps has 34 million cells, but few intervals: containers that started together and
stop together are one entry with a count.  The audit below knows the Problem and the intervals, and nothing else of the
solution but the power of each class and what is taken from the sources.

Only for plants without preheat, feeders, base load and limits of single containers, as :mod:`plants` makes them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from flexmine.problem import ContainerClass, Floats, Problem
from flexmine.problem.schedule import supply_by_merit
from flexmine.solving.engine import ClassPlan, Solution

SLACK_MW = 1e-6
MONEY_SLACK = 1e-6


@dataclass
class Lot:
    """`count` containers that changed state together in step `since`; off before step 0 where it is negative."""

    since: int
    count: int


@dataclass(frozen=True)
class Interval:
    """`count` containers that run from step `begin` until step `end` (exclusive); `off_since`: of the stop before."""

    begin: int
    end: int
    count: int
    off_since: int | None


def priced_by_intervals(problem: Problem, solution: Solution) -> float:
    """Return the money of a solution [USD], every container followed; fail where one of them breaks a limit."""
    revenue = starts = 0.0
    drawn = np.zeros(problem.steps)
    for k, plan in zip(problem.classes, solution.classes, strict=True):
        intervals = to_intervals(k, plan, problem.steps)
        on = _running(intervals, problem.steps)
        assert np.array_equal(on, plan.on), f"{k.name}: the intervals hold other counts than the solution"
        assert np.all(on <= k.runnable), f"{k.name}: more run than may"
        starts += _start_cost_usd(k, intervals)
        share = np.divide(plan.it_power_mw, on, out=np.zeros(problem.steps), where=on > 0)
        low, high = k.lowest_it_power_mw - SLACK_MW, k.highest_it_power_mw + SLACK_MW
        assert np.all((on == 0) | ((share >= low) & (share <= high))), f"{k.name}: power out of range"
        rate = np.interp(share, k.it_power_mw, k.hash_rate_th_s) * on
        revenue += problem.time.step_h * float(k.hash_value_usd_per_th_s_h @ rate)
        drawn += k.overhead * share * on + k.standby_mw * (k.count - on)
    _check_site(problem, drawn)
    return revenue - _energy_usd(problem, drawn) - starts


def to_intervals(k: ContainerClass, plan: ClassPlan, steps: int) -> list[Interval]:
    """Return who runs when: the longest on stop first, the first to grow cold start first."""
    done: list[Interval] = []
    on: deque[tuple[Lot, int | None]] = deque()
    off: deque[Lot] = deque()
    for h in sorted(k.history, key=lambda h: -h.steps):
        if h.on:
            on.append((Lot(-h.steps, h.count), None))
        else:
            off.append(Lot(-h.steps, h.count))
    for t in range(steps):
        started = _take_starts(k, off, t, int(plan.start[t]), int(plan.warm[t]))
        left = int(plan.stop[t])
        stopped = left
        while left:
            lot, before = on[0]
            assert t - lot.since >= k.min_up_steps, f"{k.name}, step {t}: a stop before the minimum up time"
            moved = min(left, lot.count)
            done.append(Interval(lot.since, t, moved, before))
            lot.count -= moved
            left -= moved
            if not lot.count:
                on.popleft()
        if stopped:
            off.append(Lot(t, stopped))
        on.extend((Lot(t, lot.count), lot.since) for lot in started)
    return done + [Interval(lot.since, steps, lot.count, before) for lot, before in on]


def _take_starts(k: ContainerClass, off: deque[Lot], t: int, wanted: int, wanted_warm: int) -> list[Lot]:
    """Take containers off the lots: warm ones first to expire, then cold ones, and warm ones where none is cold."""
    ready = [lot for lot in off if t - lot.since >= k.min_down_steps]
    warm = [lot for lot in ready if t - lot.since <= _window(k, lot.since)]
    cold = [lot for lot in ready if t - lot.since > _window(k, lot.since)]
    taken = _take(warm, wanted_warm)
    taken += _take(cold + warm, wanted - sum(lot.count for lot in taken))
    assert sum(lot.count for lot in taken) == wanted, f"{k.name}, step {t}: not enough containers to start"
    for lot in [lot for lot in off if not lot.count]:
        off.remove(lot)
    return taken


def _take(lots: list[Lot], wanted: int) -> list[Lot]:
    taken = []
    for lot in lots:
        moved = min(lot.count, wanted)
        if moved:
            taken.append(Lot(lot.since, moved))
            lot.count -= moved
            wanted -= moved
    return taken


def _window(k: ContainerClass, stop: int) -> int:
    return int(k.start.warm_off_steps[max(0, stop)])


def _running(intervals: list[Interval], steps: int) -> np.ndarray:
    change = np.zeros(steps + 1, dtype=np.int64)
    for i in intervals:
        change[max(0, i.begin)] += i.count
        change[i.end] -= i.count
    return change.cumsum()[:steps]


def _start_cost_usd(k: ContainerClass, intervals: list[Interval]) -> float:
    """Return what the starts cost; minimum times of every interval and every pause are checked."""
    cost = 0.0
    steps = k.overhead.size
    for i in intervals:
        assert i.end == steps or i.end - i.begin >= k.min_up_steps, f"{k.name}: a run too short"
        if i.off_since is None:
            continue
        pause = i.begin - i.off_since
        assert pause >= k.min_down_steps, f"{k.name}: a pause too short"
        warm = pause <= _window(k, i.off_since)
        cost += i.count * float((k.start.warm_cost_usd if warm else k.start.cold_cost_usd)[i.begin])
    return cost


def _energy_usd(problem: Problem, drawn: Floats) -> float:
    supply = supply_by_merit(problem, drawn)
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    offered = np.array([s.available_mw for s in problem.sources])
    assert np.all(supply <= offered + SLACK_MW * len(problem.containers)), "more is taken than offered"
    return problem.time.step_h * float((supply * prices).sum())


def _check_site(problem: Problem, drawn: Floats) -> None:
    site, slack = problem.site, SLACK_MW * len(problem.containers)
    assert np.all(drawn <= site.cap_mw + slack), "the site exceeds its cap"
    change = np.diff(np.concatenate([[site.initial_mw], drawn]))
    assert np.all(change <= site.ramp_up_mw_per_step + slack), "the site ramps up too fast"
    assert np.all(-change <= site.ramp_down_mw_per_step + slack), "the site ramps down too fast"


def audited_by_intervals(problem: Problem, solution: Solution) -> float:
    """Return the audited money [USD], which is at least what the model says."""
    money = priced_by_intervals(problem, solution)
    assert money >= solution.money_usd - MONEY_SLACK * abs(solution.money_usd), "the audit prices it lower"
    return money
