"""Holding safe power: nobody starts, who runs goes down to the lowest power that all limits allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.audit.replay import replay
from flexmine.baselines.dispatch import limits_of
from flexmine.baselines.rules import Step, judge, least_broken, resting, walk
from flexmine.planning.rounding import round_schedule
from flexmine.problem import Floats, Ints, Problem
from flexmine.problem.schedule import Schedule, supply_by_merit

SWEEPS = 3


def hold_safe_power(problem: Problem) -> Schedule:
    """Return a schedule that changes as little as possible and draws as little as the limits let it, rounded.

    It walks through the horizon as the simple rules do, ramps and the reach of later limits in view, and moves a
    container only where a limit demands it.  No solver is used.  Whether all limits are kept is left to the audit.
    """
    blind = _worthless(problem)
    schedule = walk(blind, limits_of(blind), _decide)
    power = replay(problem, schedule).site_power_mw
    return round_schedule(problem, replace(schedule, supply_mw=supply_by_merit(problem, power)))


def _worthless(problem: Problem) -> Problem:
    """Return the problem with hash worth nothing and power never free: then less power is always better."""
    classes = tuple(
        replace(k, hash_value_usd_per_th_s_h=np.zeros(problem.steps), terminal_on_usd=0.0) for k in problem.classes
    )
    sources = tuple(replace(s, price_usd_per_mwh=np.ones(problem.steps)) for s in problem.sources)
    return replace(problem, classes=classes, sources=sources)


def _decide(step: Step) -> tuple[Ints, Floats]:
    """Leave all counts unchanged; where that breaks a limit, change the counts that mend it by the least."""
    current = resting(step)
    judged = judge(step, current[None, :])
    for _ in range(SWEEPS if judged.broken[0] > 0.0 else 0):
        for i, outlook in enumerate(step.outlooks):
            places = np.tile(current, (len(outlook.counts), 1))
            places[:, i] = np.arange(len(outlook.counts))
            judged = judge(step, places)
            change = np.abs(outlook.counts - step.running[i]).astype(np.float64)
            current = places[least_broken(judged, -change)]
    return current, judge(step, current[None, :]).dispatch.it_power_mw[0]
