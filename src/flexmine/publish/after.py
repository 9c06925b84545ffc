"""What machines do when a plan has ended and no new one has come: hold, go to minimum power, or go off."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass, replace
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.replay import replay, replay_rounded
from flexmine.errors import first_of
from flexmine.planning.miner_rounding import whole_miners
from flexmine.problem import EnergyLimit, Floats, Problem
from flexmine.problem.fields import BY_STEP, fields_of
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.publish.written import WrittenPlan

Action = Literal["hold", "minimum", "off"]
ACTIONS: tuple[Action, ...] = ("hold", "minimum", "off")
SHOWN_BREAKS = 20


@dataclass(frozen=True)
class Continued:
    """A published plan with its expiry: what follows after its end.

    Attributes
    ----------
    problem, schedule : Problem, Schedule
        The published steps as they were written, and the expiry in place of the look-ahead.
    first : int
        Number of published steps: the expiry begins there.
    steps : int
        How many steps the expiry takes until nothing changes any more, at least 1; the last continues indefinitely.
    checked_until : int
        Up to this step the problem knows the limits of the expiry.
    breaks : tuple of str
        The limits that the expiry breaks before `checked_until`, one sentence each.
    """

    problem: Problem
    schedule: Schedule
    first: int
    steps: int
    checked_until: int
    breaks: tuple[str, ...]


def continued(plan: WrittenPlan, action: Action) -> Continued:
    """Return the published part of a plan followed by what `action` means for each container.

    Notes ----- ``hold`` keeps the last setpoint.  ``minimum`` lowers every running container to the lowest power that
    it needs in any step that is known, ``off`` then stops them, in the order of the plant, or at once where the ramps
    allow that; both within the ramps of the site, as far as single containers allow, and of the containers.  Minimum up
    times do not hold an expiry back.  Whether it keeps all other limits is checked by a replay against the look-ahead
    of the plan and reported in `breaks`, not repaired.

    The descent to the lowest power is linear over ``n`` steps, the least number that both kinds of ramps allow::

        n = max(1, ceil(sum(overhead * (power - lowest)) / site_ramp), max(ceil((power - lowest) / container_ramp)))

    with IT powers [MW] and ramps [MW/step].
    """
    first, horizon = plan.publish_steps, plan.problem.steps
    expiry = _expiry(plan, action)
    length = max(horizon, first + len(expiry))
    problem = _lengthened(plan.problem, length)
    on, power = _joined(plan.schedule, expiry, first, length)
    blank = Schedule(plan.schedule.containers, on, power, np.zeros((len(problem.sources), length)))
    mixes = None
    if plan.schedule.mixes is not None:
        power, mixes = _in_miners(problem, blank, plan.schedule, first, 0 if action == "hold" else len(expiry))
        blank = replace(blank, it_power_mw=power, mixes=mixes)
    power_mw = replay(problem, blank).site_power_mw
    schedule = replace(blank, supply_mw=_supply(problem, plan.schedule.supply_mw[:, :first], power_mw))
    return Continued(problem, schedule, first, len(expiry), horizon, _breaks(problem, schedule, first, horizon))


def _supply(problem: Problem, published_mw: Floats, power_mw: Floats) -> Floats:
    """Return the supply of the published steps as written, and after them by merit, of what they have left."""
    first, dt, names = published_mw.shape[1], problem.time.step_h, [s.name for s in problem.sources]

    def after(e: EnergyLimit) -> EnergyLimit:
        drawn = power_mw if e.source is None else published_mw[names.index(e.source)]
        taken_mwh = e.taken_mwh + dt * float(drawn[e.first_step : first].sum())
        begin = max(e.first_step, first)
        return replace(e, first_step=begin, steps=max(e.first_step + e.steps - begin, 0), taken_mwh=taken_mwh)

    later = replace(problem.site, energy_limits=tuple(after(e) for e in problem.site.energy_limits))
    supply = supply_by_merit(replace(problem, site=later), power_mw)
    supply[:, :first] = published_mw
    return supply


def _breaks(problem: Problem, schedule: Schedule, first: int, horizon: int) -> tuple[str, ...]:
    found = replay_rounded(problem, schedule).violations
    # A commitment is a decision of who runs up to the end of the plan, and no limit of the machines after it.
    broken = [v for v in found if v.limit != "commitment"]
    # What spans steps is named by its first one, and may be broken by the last.
    reaching = {f"energy limit {e.name}" for e in problem.site.energy_limits if e.window.stop > first}
    broken = [v for v in broken if v.step is not None and v.step < horizon]
    messages = [v.message for v in broken if (v.step or 0) >= first or v.where in reaching]
    return tuple(first_of(messages, SHOWN_BREAKS))


def _expiry(plan: WrittenPlan, action: Action) -> list[tuple[NDArray[np.bool_], Floats]]:
    """Return (on, IT power) of the containers, shape (containers,), step by step until nothing changes."""
    last = plan.publish_steps - 1
    on, power = plan.schedule.on[:, last], plan.schedule.it_power_mw[:, last]
    if action == "hold" or not on.any():
        return [(on, power)]
    known = slice(min(plan.publish_steps, plan.problem.steps - 1), None)
    lowest = np.array([float(k.lowest_it_power_mw[known].max()) for _, k in plan.problem.containers])
    low = np.where(on, np.minimum(power, lowest), 0.0)
    factor = np.array([float(k.overhead[last]) for _, k in plan.problem.containers])
    standby = np.array([float(k.standby_mw[last]) for _, k in plan.problem.containers])
    site_ramp = plan.problem.site.ramp_down_mw_per_step
    ramp = np.inf if site_ramp is None else site_ramp
    slow = _steps_of_own_ramps(plan.problem, power - low)
    if action == "off" and slow == 0 and float((factor * power - standby)[on].sum()) <= ramp:
        return [(np.zeros_like(on), np.zeros_like(power))]
    drop = float((factor * (power - low)).sum())
    steps = max(1, slow, ceil(drop / ramp - 1e-9))
    descent = [(on, power + (low - power) * (i + 1) / steps) for i in range(steps)]
    if action == "minimum":
        return descent
    return descent + _switched_off(on, low, factor * low - standby, ramp)


def _steps_of_own_ramps(problem: Problem, drop_mw: Floats) -> int:
    """Return how many steps containers with a ramp of their own take to lower their IT power by `drop_mw`."""
    ramps = [k.container_ramp_mw_per_step for _, k in problem.containers]
    return max((ceil(d / r - 1e-9) for d, r in zip(drop_mw, ramps, strict=True) if r is not None), default=0)


def _switched_off(
    on: NDArray[np.bool_], power: Floats, drop_mw: Floats, ramp_mw: float
) -> list[tuple[NDArray[np.bool_], Floats]]:
    """Return the steps in which containers at lowest power stop: as many at once as the ramp allows, at least one."""
    steps, running = [], on.copy()
    while running.any():
        room = ramp_mw
        for number, row in enumerate(np.flatnonzero(running)):
            if number and drop_mw[row] > room:
                break
            room -= float(drop_mw[row])
            running[row] = False
        steps.append((running.copy(), np.where(running, power, 0.0)))
    return steps


def _joined(
    schedule: Schedule, expiry: list[tuple[NDArray[np.bool_], Floats]], first: int, length: int
) -> tuple[NDArray[np.bool_], Floats]:
    on = np.zeros((len(schedule.containers), length), dtype=bool)
    power = np.zeros(on.shape)
    on[:, :first], power[:, :first] = schedule.on[:, :first], schedule.it_power_mw[:, :first]
    for t in range(first, length):
        on[:, t], power[:, t] = expiry[min(t - first, len(expiry) - 1)]
    return on, power


def _in_miners(
    problem: Problem, wanted: Schedule, written: Schedule, first: int, new_steps: int
) -> tuple[Floats, NDArray[np.int32]]:
    """Return IT power and mixes of whole miners: those that were written, then `new_steps` more, then no change."""
    assert written.mixes is not None
    power, mixes = wanted.it_power_mw.copy(), np.zeros((*wanted.on.shape, written.mixes.shape[2]), dtype=np.int32)
    if new_steps:
        power, mixes = whole_miners(problem, wanted)
    power[:, :first], mixes[:, :first] = written.it_power_mw[:, :first], written.mixes[:, :first]
    for t in range(first + new_steps, problem.steps):
        power[:, t], mixes[:, t] = power[:, first + new_steps - 1], mixes[:, first + new_steps - 1]
    return power, mixes


def _lengthened(problem: Problem, steps: int) -> Problem:
    """Return the problem with its last step repeated up to `steps`."""
    if steps == problem.steps:
        return problem
    more = steps - problem.steps
    return replace(
        problem,
        time=replace(problem.time, steps=steps),
        classes=tuple(_padded(k, more) for k in problem.classes),
        sources=tuple(_padded(s, more) for s in problem.sources),
        site=_padded(problem.site, more),
    )


def _padded(part: Any, more: int) -> Any:
    """Return a part of the problem with everything by step extended by its last value."""
    changed: dict[str, Any] = {}
    for f in fields_of(part):
        value = getattr(part, f.name)
        if f.shape in BY_STEP and value is not None:
            changed[f.name] = np.pad(value, (0, more), mode="edge")
        elif is_dataclass(value):
            changed[f.name] = _padded(value, more)
        elif f.is_part and f.shape == "list":
            changed[f.name] = tuple(_padded(item, more) for item in value)
    return replace(part, **changed)
