"""What a fleet does with the setpoints that it gets, when what comes differs from what was foreseen.

Containers obey where they can: minimum times and what may run come first.  Then power follows: where a feeder, sources,
cap or ramp do not allow what was asked for, all running containers, those of the feeder, go down by the same share of
what they can, and where even their least power is too much, those that earn least trip.  A trip may break a minimum up
time; it is counted, and the audit names what it broke.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.replay import Replay, replay
from flexmine.problem import ContainerClass, Floats, Problem
from flexmine.problem.schedule import Schedule, class_rows, supply_by_merit

Bools = NDArray[np.bool_]
ALL = slice(None)
SAME_MW = 1e-9
PLANNED_MW = 1e-6


@dataclass(frozen=True)
class Setpoints:
    """What each container is told, in the order of the plant's containers; arrays have shape (N, steps).

    Attributes
    ----------
    supply_mw : ndarray, shape (J, steps), or None
        What a plan takes from each source; None: the cheapest first.
    """

    on: Bools
    it_power_mw: Floats
    supply_mw: Floats | None = None

    def after(self, steps: int) -> Setpoints:
        """Return what is told for all but the first `steps` steps."""
        supply = None if self.supply_mw is None else self.supply_mw[:, steps:]
        return Setpoints(self.on[:, steps:], self.it_power_mw[:, steps:], supply)


@dataclass(frozen=True)
class Followed:
    """What came of setpoints.

    Attributes
    ----------
    schedule, replay : Schedule, Replay
        Of what was done, against what came.
    trips : int
        How often a running container had to stop at once.
    cut_mwh : float
        IT energy asked for and not drawn [MWh].
    """

    schedule: Schedule
    replay: Replay
    trips: int
    cut_mwh: float


class _Fleet:
    """The data of a problem by container, shape (N, T)."""

    def __init__(self, problem: Problem):
        k_of = list(class_rows(problem))

        def by(get: Callable[[ContainerClass], Floats]) -> Floats:
            return np.concatenate([np.tile(get(k), (k.count, 1)) for k, _ in k_of])

        self.problem, self.k_of = problem, k_of
        self.low = by(lambda k: k.lowest_it_power_mw)
        self.high = np.maximum(self.low, by(lambda k: k.highest_it_power_mw))
        self.overhead, self.standby = by(lambda k: k.overhead), by(lambda k: k.standby_mw)
        self.worth = by(lambda k: k.hash_value_usd_per_th_s_h * k.hash_rate_th_s[0] / (k.overhead * k.it_power_mw[0]))
        self.min_up = np.concatenate([np.full(k.count, k.min_up_steps) for k, _ in k_of])
        self.min_down = np.concatenate([np.full(k.count, k.min_down_steps) for k, _ in k_of])
        histories = [h for k, _ in k_of for h in k.history for _ in range(h.count)]
        self.was_on = np.array([h.on for h in histories], dtype=bool)
        of_class = np.concatenate([np.full(k.count, k.name, dtype=object) for k, _ in k_of])
        self.feeders = [(f.cap_mw, np.isin(of_class, f.classes)) for f in problem.site.groups]
        self.was_for = np.array([h.steps for h in histories], dtype=np.int64)


def follow(problem: Problem, setpoints: Setpoints) -> Followed:
    """Return what comes of setpoints, whose rows are in the order of the problem's containers."""
    fleet, tripped = _Fleet(problem), np.zeros(setpoints.on.shape, dtype=bool)
    while True:
        on = _obeyed(fleet, setpoints.on, tripped)
        preheat = _preheat_mw(problem, fleet, on)
        power, more = _shaped(fleet, on, setpoints.it_power_mw, preheat)
        if not more.any():
            break
        tripped |= more
    facility = problem.site.base_load_mw + _loads_mw(fleet, on, power, preheat).sum(axis=0)
    schedule = _schedule(problem, on, power, _supply_mw(problem, facility, setpoints.supply_mw))
    asked = np.where(setpoints.on, setpoints.it_power_mw, 0.0).sum()
    cut = max(0.0, float(asked - power.sum())) * problem.time.step_h
    ran = np.column_stack([fleet.was_on, on[:, :-1]])
    trips = int((tripped & ran).sum())
    return Followed(schedule, replay(problem, schedule), trips, cut)


def _preheat_mw(problem: Problem, fleet: _Fleet, on: Bools) -> Floats:
    """Return what preheating takes, shape (N, T): it depends on starts alone, so that any power shows it."""
    starts = (k.start for k in problem.classes)
    if not any(np.any(s.cold_energy_mwh > 0.0) or any(tier.preheated for tier in s.tiers) for s in starts):
        return np.zeros(on.shape)
    nothing = np.zeros((len(problem.sources), problem.steps))
    return replay(problem, _schedule(problem, on, np.where(on, fleet.low, 0.0), nothing)).preheat_mw


def _schedule(problem: Problem, on: Bools, power: Floats, supply_mw: Floats) -> Schedule:
    return Schedule(tuple(name for name, _ in problem.containers), on, power, supply_mw)


def _supply_mw(problem: Problem, facility_mw: Floats, planned_mw: Floats | None) -> Floats:
    """Return what is taken from each source, shape (J, T): as planned up to where power differs, then by merit.

    A plan saves a source whose energy is limited for hours in which it is worth more; by merit it is taken first.
    """
    if planned_mw is None or not any(e.source is not None for e in problem.site.energy_limits):
        return supply_by_merit(problem, facility_mw)
    offered = np.array([s.available_mw for s in problem.sources])
    same = np.abs(planned_mw.sum(axis=0) - facility_mw) <= PLANNED_MW
    same &= (planned_mw <= offered + PLANNED_MW).all(axis=0)
    kept = np.logical_and.accumulate(same)
    held = np.where(kept, np.clip(planned_mw, 0.0, offered), offered)
    sources = tuple(replace(s, available_mw=mw) for s, mw in zip(problem.sources, held, strict=True))
    return supply_by_merit(replace(problem, sources=sources), facility_mw)


def _loads_mw(fleet: _Fleet, on: Bools, power: Floats, preheat_mw: Floats, t: int | slice = ALL) -> Floats:
    """Return the facility power of each container [MW] in step `t`, shape (N,), or in all of them, shape (N, T)."""
    running_mw = fleet.overhead[:, t] * power[:, t]
    return np.asarray(np.where(on[:, t], running_mw, fleet.standby[:, t]) + preheat_mw[:, t])


def _obeyed(fleet: _Fleet, wanted: Bools, tripped: Bools) -> Bools:
    """Return who runs: as wanted, but for minimum times, what may run at all, and trips."""
    on, state, age = np.zeros_like(wanted), fleet.was_on.copy(), fleet.was_for.copy()
    for t in range(wanted.shape[1]):
        free = age >= np.where(state, fleet.min_up, fleet.min_down)
        now = np.where(free, wanted[:, t], state) & ~tripped[:, t]
        for k, rows in fleet.k_of:
            own = np.flatnonzero(now[rows]) + rows.start
            now[own[int(k.runnable[t]) :]] = False
        age = np.where(now == state, age + 1, 1)
        state = on[:, t] = now
    return on


def _shaped(fleet: _Fleet, on: Bools, asked: Floats, preheat_mw: Floats) -> tuple[Floats, Bools]:
    """Return the IT power of each container within what comes, and who has to trip first, shape (N, T) each."""
    problem, site = fleet.problem, fleet.problem.site
    up = np.inf if site.ramp_up_mw_per_step is None else site.ramp_up_mw_per_step
    down = np.inf if site.ramp_down_mw_per_step is None else site.ramp_down_mw_per_step
    offered = np.sum([s.available_mw for s in problem.sources], axis=0)
    power, trips = np.clip(asked, fleet.low, fleet.high) * on, np.zeros_like(on)
    before = site.initial_mw
    for t in range(problem.steps):
        for cap_mw, members in fleet.feeders:
            load = float(_loads_mw(fleet, on, power, preheat_mw, t)[members].sum())
            trips[:, t] = _shed(fleet, on[:, t] & members, t, power[:, t], load - cap_mw)
            if trips[:, t].any():
                return power, trips
        ceiling = min(site.cap_mw[t], offered[t], np.inf if before is None else before + up)
        floor = max(site.minimum_mw[t], -np.inf if before is None else before - down)
        load = float(_loads_mw(fleet, on, power, preheat_mw, t).sum() + site.base_load_mw[t])
        own, a = on[:, t], fleet.overhead[on[:, t], t]
        trips[:, t] = _shed(fleet, own, t, power[:, t], load - ceiling)
        if trips[:, t].any():
            return power, trips
        now, high = power[own, t], fleet.high[own, t]
        if load < floor - SAME_MW and np.any(high > now):
            more = min(floor - load, float(a @ (high - now)))
            power[own, t] = now + more / float(a @ (high - now)) * (high - now)
        before = float(_loads_mw(fleet, on, power, preheat_mw, t).sum() + site.base_load_mw[t])
    return power, trips


def _shed(fleet: _Fleet, own: Bools, t: int, power: Floats, excess_mw: float) -> Bools:
    """Lower `power`, shape (N,), of the running containers `own` by `excess_mw` at the meter, all by the same share.

    Returns who has to trip because even their least power is too much, shape (N,).
    """
    trips = np.zeros_like(own)
    if excess_mw <= SAME_MW or not own.any():
        return trips
    now, low, a = power[own], fleet.low[own, t], fleet.overhead[own, t]
    room = float(a @ (now - low))
    if excess_mw > room + SAME_MW:
        trips[_least_worth(fleet, own, t, excess_mw - room)] = True
    else:
        power[own] = now - min(1.0, excess_mw / room) * (now - low) if room > 0.0 else low
    return trips


def _least_worth(fleet: _Fleet, on: Bools, t: int, short_mw: float) -> NDArray[np.int64]:
    """Return so many of the running containers, least hash value for their power first, that `short_mw` is shed."""
    running = np.flatnonzero(on)
    order = running[np.argsort(fleet.worth[running, t], kind="stable")]
    shed = np.cumsum(fleet.overhead[order, t] * fleet.low[order, t] - fleet.standby[order, t])
    return order[: int(np.searchsorted(shed, short_mw - SAME_MW)) + 1]
