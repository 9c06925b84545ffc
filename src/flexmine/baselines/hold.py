"""Holding safe power: nobody starts, who runs goes down to the lowest power that all limits allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.baselines.rules import least_missed
from flexmine.baselines.walk import Judged, Step, walk
from flexmine.planning.rounding import round_schedule
from flexmine.problem import Ints, Problem
from flexmine.problem.schedule import Schedule

SWEEPS = 3


def hold_safe_power(problem: Problem) -> Schedule:
    """Return a schedule that changes as little as possible and draws as little as the limits let it, rounded.

    It walks through the horizon as the simple rules do, ramps and the reach of later limits in view, and moves a
    container only where a limit demands it.  No solver is used.  Whether all limits are kept is left to the audit.
    """
    return round_schedule(problem, walk(_worthless(problem), _decide))


def _worthless(problem: Problem) -> Problem:
    """Return the problem with hash worth nothing and power never free: then less power is always better.

    Which source costs less than another stays as it is.
    """
    classes = tuple(
        replace(k, hash_value_usd_per_th_s_h=np.zeros(problem.steps), terminal_on_usd=0.0) for k in problem.classes
    )
    least = min(float(s.price_usd_per_mwh.min()) for s in problem.sources)
    sources = tuple(replace(s, price_usd_per_mwh=s.price_usd_per_mwh - least + 1.0) for s in problem.sources)
    return replace(problem, classes=classes, sources=sources)


def _decide(step: Step) -> tuple[Ints, Judged]:
    """Leave all counts unchanged; where that breaks a limit, change the counts that mend it by the least."""
    fewest, most, running = step.look.fewest[0], step.look.most[0], step.look.running[0]
    current = np.clip(running, fewest, most)
    judged = step.judge(current[None, None])
    for _ in range(SWEEPS if judged.missed_mw[0, 0] > 0.0 else 0):
        for i in range(len(current)):
            own = np.arange(fewest[i], most[i] + 1)
            counts = np.tile(current, (len(own), 1))
            counts[:, i] = own
            change = np.abs(own - running[i]).astype(np.float64)
            current = counts[least_missed(step.judge(counts[None]), -change)]
    return current[None], step.judge(current[None, None])
