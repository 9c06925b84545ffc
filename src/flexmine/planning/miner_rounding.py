"""From the model's power to whole miners: jointly over all containers, step by step.

Rounding each container by itself adds up: a fleet of 14 misses a ramp by kilowatts.  Here what one container loses is
carried to the next, from the coarsest step of one miner to the finest, so that the site as a whole stays within one
miner of the model; site and feeders stay within what the rounding reserve has kept free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.replay import replay
from flexmine.physics.mode_envelope import envelope_levels
from flexmine.physics.units import W_PER_MW
from flexmine.problem import ContainerClass, Floats, Ints, Problem
from flexmine.problem.schedule import Schedule, at_start_or_stop

WATT_MW = 1e-6
# A limit that the audit holds to 1 kW counts as kept here within half of that.
KEPT_MW = 0.5e-3
# Shifts of a step's total that are tried, in order, where a limit is not kept: in the largest step of one miner.
SHIFTS = (0.0, 0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 1.0, -1.0)
# Power that lies this little above a whole miner (or watt, as a share) is binary noise, not another miner.
NOISE = 0.01


@dataclass(frozen=True)
class _Ladder:
    """The envelope of one container's miners; without miners: whole watts.

    Attributes
    ----------
    levels : ndarray of int, shape (E,)
        Level of each corner, as in :attr:`flexmine.problem.schedule.Schedule.mixes`.
    corner_mw : ndarray, shape (E,)
        IT power of a container with all its miners at the corner.
    step_mw : ndarray, shape (E - 1,)
        Of one miner between neighbouring corners.
    """

    k: ContainerClass
    rows: slice
    levels: Ints
    corner_mw: Floats
    step_mw: Floats
    count: float

    def segment(self, power_mw: Floats) -> Ints:
        """Return the piece of the envelope on which a power lies; a corner begins the piece above it."""
        found = np.searchsorted(self.corner_mw, power_mw + WATT_MW, side="right") - 1
        return np.clip(found, 0, self.step_mw.size - 1)


@dataclass(frozen=True)
class _Group:
    """Running containers of one class on one piece of the envelope, in one step; those `still` take nothing over."""

    ladder: _Ladder
    segment: int
    rows: Ints
    overhead: float
    feeder: str | None
    still: NDArray[np.bool_]

    @property
    def miner_mw(self) -> float:
        """Step of one miner at the meter [MW]."""
        return self.overhead * float(self.ladder.step_mw[self.segment])


@dataclass
class _Step:
    """One step being rounded: what the model wants, what is chosen, and what is still owed to the site [MW]."""

    target_mw: Floats
    power_mw: Floats
    mixes: NDArray[np.int32]
    room_mw: dict[str, float]
    shift_mw: float
    owed_mw: float

    def usable_mw(self, group: _Group) -> float:
        """Return what may be added to a group's power without breaking its feeder [MW at the meter]."""
        if group.feeder is None:
            return self.owed_mw
        return min(self.owed_mw, max(self.room_mw[group.feeder], 0.0))

    def book(self, group: _Group, given_mw: float, wanted_mw: float) -> None:
        """Write down that a group was given an IT power in place of the wanted one [MW]."""
        missing = group.overhead * (wanted_mw - given_mw)
        self.owed_mw += missing
        if group.feeder is not None:
            self.room_mw[group.feeder] += missing


def whole_miners(problem: Problem, schedule: Schedule) -> tuple[Floats, NDArray[np.int32]]:
    """Return IT power [MW] and mixes of whole miners for a schedule of the model.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule

    Returns
    -------
    it_power_mw : ndarray, shape (containers, T)
        In whole watts; of classes without miners too.
    mixes : ndarray of int, shape (containers, T, levels)
        As in :class:`flexmine.problem.schedule.Schedule`.

    Notes
    -----
    The site's power is the model's to half a miner of the coarsest class, or within one miner where a limit asks for
    it: below the model's where the sources offer no more, above it where a minimum binds.  Each container uses at
    most two neighbouring presets of its envelope, and sleepers; its own highest and lowest power are missed by less
    than one miner.
    """
    task = _Task(problem, schedule)
    power = schedule.it_power_mw.copy()
    mixes = np.zeros((*power.shape, task.levels), dtype=np.int32)
    before_mw = problem.site.initial_mw
    for t in range(problem.steps):
        step, before_mw = task.best_step(t, before_mw)
        power[:, t], mixes[:, t] = step.power_mw, step.mixes
    return power, mixes


class _Task:
    """What stays the same over the steps of a schedule that is being rounded.

    Attributes
    ----------
    site_mw : ndarray, shape (T,)
        Power of the site in the model.
    room_mw : dict
        By feeder: what its cap and the reserve leave above the model's power, shape (T,).
    """

    def __init__(self, problem: Problem, schedule: Schedule):
        model = replay(problem, schedule)
        ends = np.cumsum([0, *(k.count for k in problem.classes)])
        places = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        reserve = problem.site.rounding_reserve_mw
        self.problem, self.schedule, self.site_mw = problem, schedule, model.site_power_mw
        self.ladders = [ladder(k, rows) for k, rows in zip(problem.classes, places, strict=True)]
        self.levels = 1 + max((len(k.miners.presets) for k in problem.classes if k.miners), default=0)
        self.feeder_of = {name: feeder.name for feeder in problem.site.groups for name in feeder.classes}
        load = {own.k.name: model.facility_power_mw[own.rows].sum(axis=0) for own in self.ladders}
        self.room_mw = {
            feeder.name: feeder.cap_mw + reserve - sum((load[name] for name in feeder.classes), np.zeros(problem.steps))
            for feeder in problem.site.groups
        }
        self.still = np.concatenate(
            [_still(k, schedule.on[rows]) for k, rows in zip(problem.classes, places, strict=True)]
        )
        self.offered_mw = np.sum([source.available_mw for source in problem.sources], axis=0)

    def best_step(self, t: int, before_mw: float | None) -> tuple[_Step, float]:
        """Return step `t` rounded, and the site's power in it; `before_mw` is that of the step before [MW]."""
        groups, (low, high) = self._groups(t), self._window(t, before_mw)
        largest = max((g.miner_mw for g in groups), default=0.0)
        tried: list[tuple[float, float, _Step]] = []
        for share in SHIFTS:
            step = self._round(groups, t, share * largest)
            off = share * largest - step.owed_mw
            found = float(self.site_mw[t]) + off
            miss = max(low - found - KEPT_MW, found - high - KEPT_MW, 0.0)
            tried.append((miss, abs(off), step))
            if miss <= 0.0 and abs(off) <= largest / 2 + WATT_MW:
                return step, found
        _, _, step = min(tried, key=lambda trial: trial[:2])
        return step, float(self.site_mw[t] + step.shift_mw - step.owed_mw)

    def _window(self, t: int, before_mw: float | None) -> tuple[float, float]:
        """Return what the true limits leave for the site's power in a step [MW]."""
        site, reserve = self.problem.site, self.problem.site.rounding_reserve_mw
        low = float(site.minimum_mw[t])
        # More than is offered cannot be taken, not even within the audit's kilowatt.
        high = min(float(site.cap_mw[t]) + reserve, float(self.offered_mw[t]) - KEPT_MW)
        if before_mw is not None and site.ramp_up_mw_per_step is not None:
            high = min(high, before_mw + site.ramp_up_mw_per_step + reserve)
        if before_mw is not None and site.ramp_down_mw_per_step is not None:
            low = max(low, before_mw - site.ramp_down_mw_per_step - reserve)
        return low, high

    def _groups(self, t: int) -> list[_Group]:
        """Return the running containers by class and piece of the envelope, the coarsest step first."""
        groups = []
        for own in self.ladders:
            running = np.arange(own.rows.start, own.rows.stop)[self.schedule.on[own.rows, t]]
            segments = own.segment(self.schedule.it_power_mw[running, t])
            feeder = self.feeder_of.get(own.k.name)
            for i in np.unique(segments):
                rows = running[segments == i]
                overhead, still = float(own.k.overhead[t]), self.still[rows, t]
                groups.append(_Group(own, int(i), rows, overhead, feeder, still))
        return sorted(groups, key=lambda g: -g.miner_mw)

    def _round(self, groups: list[_Group], t: int, shift_mw: float) -> _Step:
        """Round a step so that the site ends just below the model's power and `shift_mw`."""
        target = self.schedule.it_power_mw[:, t]
        room = {name: float(mw[t]) for name, mw in self.room_mw.items()}
        mixes = np.zeros((target.size, self.levels), dtype=np.int32)
        step = _Step(target, target.copy(), mixes, room, shift_mw, shift_mw)
        for group in groups:
            _fill(step, group, t)
        for group in groups:
            _raise(step, group, t)
        return step


def _still(k: ContainerClass, on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a container ramp leaves no room for what others lose, shape (count, T)."""
    if k.container_ramp_mw_per_step is None or k.ramps_slowly:
        return np.full(on.shape, k.ramps_slowly)
    return at_start_or_stop(k.history, on)


def ladder(k: ContainerClass, rows: slice) -> _Ladder:
    """Return the envelope of a class; without miners one of whole watts."""
    if k.miners is None:
        top = max(1.0, 2.0 * float(k.it_power_mw[-1]))
        return _Ladder(k, rows, np.zeros(2, np.int64), np.array([0.0, top]), np.array([WATT_MW]), top / WATT_MW)
    watts, rates = np.array(k.miners.presets, dtype=np.float64).T
    levels = envelope_levels(watts, rates, k.miners.sleep_w)
    level_w = np.concatenate([[k.miners.sleep_w], watts])[levels]
    corner_mw = k.miners.fixed_mw + k.miners.count * level_w / W_PER_MW
    return _Ladder(k, rows, levels, corner_mw, np.diff(level_w) / W_PER_MW, float(k.miners.count))


def _fill(step: _Step, group: _Group, t: int) -> None:
    """Give each container of a group whole miners at the two ends of its piece of the envelope."""
    own, i, rows = group.ladder, group.segment, group.rows
    base, unit = float(own.corner_mw[i]), float(own.step_mw[i])
    wanted = (step.target_mw[rows] - base) / unit
    most = np.maximum(wanted, (float(own.k.highest_it_power_mw[t]) - base) / unit)
    least = np.minimum(wanted, (float(own.k.lowest_it_power_mw[t]) - base) / unit)
    most, least = np.where(group.still, wanted, most), np.where(group.still, wanted, least)
    if step.shift_mw:
        # Where the total has to move, a container may pass its own highest or lowest power by a part of a miner.
        most, least = np.ceil(most - NOISE), np.floor(least + NOISE)
    extra = step.usable_mw(group) / group.miner_mw
    end = np.clip(most if extra > 0 else least, 0.0, own.count)
    room = float(np.abs(end - wanted).sum())
    # Each takes of the extra by the room that it has.
    share = wanted + (end - wanted) * (min(1.0, abs(extra) / room) if room > 0.0 else 0.0)
    # Differences of the rounded sum: each container is rounded up or down, the sum only down.
    total = np.floor(np.cumsum(share) + min(WATT_MW / unit, NOISE))
    upper = np.clip(np.diff(total, prepend=0.0), 0.0, own.count)
    given = base + upper * unit
    step.power_mw[rows] = np.rint(given * W_PER_MW) / W_PER_MW
    if own.k.miners is not None:
        step.mixes[rows, own.levels[i + 1]] = upper
        step.mixes[rows, own.levels[i]] = own.count - upper
    step.book(group, float(given.sum()), float(step.target_mw[rows].sum()))


def _raise(step: _Step, group: _Group, t: int) -> None:
    """Use what is still owed by raising awake miners of half-asleep containers by one preset, a finer step."""
    own = group.ladder
    if group.segment != 0 or own.step_mw.size < 2:
        return
    unit, (low, high) = float(own.step_mw[1]), own.levels[1:3]
    for row in group.rows[~group.still]:
        free = int((step.usable_mw(group) + WATT_MW) / (group.overhead * unit))
        room = int((float(own.k.highest_it_power_mw[t]) - step.power_mw[row] + WATT_MW) / unit)
        raised = min(free, room, int(step.mixes[row, low]))
        if raised <= 0:
            continue
        step.mixes[row, low] -= raised
        step.mixes[row, high] += raised
        step.power_mw[row] += raised * unit
        step.book(group, raised * unit, 0.0)


def with_mixes(problem: Problem, schedule: Schedule) -> Schedule:
    """Return the schedule with whole miners; its supply is still that of the model."""
    power, mixes = whole_miners(problem, schedule)
    return replace(schedule, it_power_mw=power, mixes=mixes)
