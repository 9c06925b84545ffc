"""When, inside a step, each container changes its power: downwards first, upwards when all of that is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import Floats, Problem
from flexmine.problem.schedule import Schedule

WATT_MW = 1e-6
SECONDS_PER_H = 3600.0


@dataclass(frozen=True)
class Ramps:
    """When containers change their power, in seconds from the beginning of each step, shape (containers, T).

    Attributes
    ----------
    start_s : ndarray
        NaN where the container keeps its setpoint.
    end_s : ndarray
        NaN where it keeps its setpoint, or where its model does not state how long it takes.
    """

    start_s: Floats
    end_s: Floats


def ramps(
    problem: Problem, schedule: Schedule, facility_power_mw: Floats, switching: Mapping[str, Mapping[str, Any]]
) -> Ramps:
    """Return when containers begin and end to change their power.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule
    facility_power_mw : ndarray, shape (containers, T)
        Of the schedule, from its replay [MW].
    switching : mapping
        By class, as in plan.json: ``miners``, ``miners_per_packet``, ``packet_interval_s`` [s] and ``boot_s`` [s].

    Notes
    -----
    Only miners that change get a command, in packets: n of them take ``ceil(n / miners_per_packet)`` intervals, and
    those that were asleep boot after that.  All containers that go down begin with the step; those that go up begin
    when the last of them is done.  So, where all durations are known, at no moment inside the step the containers of
    the site, or of a feeder, together draw more than the larger of their setpoints before and after.

    A running container with a ramp of its own is done when that allows; nobody waits for it.
    """
    count, steps = schedule.on.shape
    start, end = np.full((count, steps), np.nan), np.full((count, steps), np.nan)
    before = _Setpoint.of_history(problem)
    for t in range(steps):
        now = _Setpoint.of_step(problem, schedule, facility_power_mw, t)
        changes, took = _durations(problem, before, now, switching)
        down = changes & (now.facility_mw < before.facility_mw)
        up = changes & ~down
        done = float(np.nanmax(took[down])) if np.isfinite(took[down]).any() else 0.0
        start[down, t], start[up, t] = 0.0, done
        end[:, t] = start[:, t] + np.fmax(took, _slow(problem, before, now, changes))
        before = now
    return Ramps(start, end)


@dataclass(frozen=True)
class _Setpoint:
    """All containers in one step; `levels` None where no class has miners."""

    on: NDArray[np.bool_]
    it_mw: Floats
    facility_mw: Floats
    levels: NDArray[np.int64] | None

    @classmethod
    def of_history(cls, problem: Problem) -> _Setpoint:
        """Return what runs before step 0; how its miners were set is not known."""
        past = [h for k in problem.classes for h in k.history for _ in range(h.count)]
        on = np.array([h.on for h in past], dtype=bool)
        it = np.array([h.it_power_mw if h.on else 0.0 for h in past])
        factor = np.array([float(k.overhead[0]) for _, k in problem.containers])
        standby = np.array([float(k.standby_mw[0]) for _, k in problem.containers])
        return cls(on, it, factor * it + np.where(on, 0.0, standby), None)

    @classmethod
    def of_step(cls, problem: Problem, schedule: Schedule, facility_power_mw: Floats, t: int) -> _Setpoint:
        levels = None
        if schedule.mixes is not None:
            levels = schedule.mixes[:, t].astype(np.int64)
            for row, (_, k) in enumerate(problem.containers):
                if k.miners is not None and not schedule.on[row, t]:
                    levels[row, 0] = k.miners.count
        return cls(schedule.on[:, t], schedule.it_power_mw[:, t], facility_power_mw[:, t], levels)


def _slow(problem: Problem, before: _Setpoint, now: _Setpoint, changes: NDArray[np.bool_]) -> Floats:
    """Return how long containers take by a ramp of their own [s]; NaN where they have none."""
    took = np.full(changes.size, np.nan)
    for row, (_, k) in enumerate(problem.containers):
        ramp = k.container_ramp_mw_per_step
        if ramp is not None and changes[row] and before.on[row] and now.on[row]:
            steps = abs(now.it_mw[row] - before.it_mw[row]) / ramp
            took[row] = min(1.0, steps) * problem.time.step_h * SECONDS_PER_H
    return took


def _durations(
    problem: Problem, before: _Setpoint, now: _Setpoint, switching: Mapping[str, Mapping[str, Any]]
) -> tuple[NDArray[np.bool_], Floats]:
    """Return which containers change, and how long each takes [s]; NaN where it does not change or is not known."""
    changes = (before.on != now.on) | (np.abs(before.it_mw - now.it_mw) > WATT_MW)
    if before.levels is not None and now.levels is not None:
        changes |= (before.levels != now.levels).any(axis=1)
    took = np.full(changes.size, np.nan)
    for row, (_, k) in enumerate(problem.containers):
        timing = switching.get(k.name)
        if not changes[row] or timing is None:
            continue
        switched, woken = int(timing["miners"]), bool(now.on[row] and not before.on[row])
        if before.levels is not None and now.levels is not None and k.miners is not None:
            switched = k.miners.count - int(np.minimum(before.levels[row], now.levels[row]).sum())
            woken = bool(now.levels[row, 0] < before.levels[row, 0])
        packets = ceil(switched / int(timing["miners_per_packet"]))
        took[row] = packets * float(timing["packet_interval_s"]) + (float(timing["boot_s"]) if woken else 0.0)
    return changes, took
