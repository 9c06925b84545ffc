"""From the words of the Problem to the letters of the mathematics: what the model knows of a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from flexmine.problem import ContainerClass, Floats, History, Ints, Problem

GRAIN = 8


@dataclass(frozen=True)
class StopCohort:
    """Containers that stopped together, and can start again together.

    Attributes
    ----------
    step : int
        Step of the stop; for a stop before the horizon, a negative number that only distinguishes cohorts.
    count : int or None
        How many stopped; None for a stop inside the horizon, which the model decides.
    earliest : int
        First step in which they may start again.
    last_warm : int
        Last step in which their start is warm.
    last_of_tier : tuple of int
        The same for each kind of start between warm and cold.
    used : int
        Where starts are limited: how many starts of the day they had made when they stopped.
    """

    step: int
    count: int | None
    earliest: int
    last_warm: int
    last_of_tier: tuple[int, ...] = ()
    used: int = 0

    @property
    def last_tied(self) -> int:
        """Last step in which a start has to know its stop; later they are cold, and all alike."""
        return max((self.last_warm, *self.last_of_tier))

    @property
    def cold_from(self) -> int:
        """First step of a cold start."""
        return max(0, self.earliest, self.last_tied + 1)

    def tier(self, t: int) -> int:
        """Return the tier of a start in `t`: -1 where it is warm, and the number of tiers where it is cold."""
        lasts = (self.last_warm, *self.last_of_tier)
        return next((g - 1 for g, last in enumerate(lasts) if t <= last), len(self.last_of_tier))


@dataclass(frozen=True)
class Tier:
    """A kind of start between warm and cold; arrays over steps have shape (T,).

    Attributes
    ----------
    cost, e : ndarray
        Cost [USD] and preheat energy [MWh] by step of the start.
    preheat : int
        Steps of preheat before it, 0 where it draws none or in its own step.
    """

    cost: Floats
    e: Floats
    preheat: int

    @property
    def draws(self) -> bool:
        """Whether its starts draw energy."""
        return bool(np.any(self.e > 0))


@dataclass(frozen=True)
class ClassData:
    """One class of the model; arrays over steps have shape (T,), over segments (S,), over both (S, T).

    A class of the Problem is one class of the model, except where containers ramp more slowly than their range: there
    every container is a class of its own, because what one may draw hangs on what it drew before.  So it is where they
    ramp, may run for one step alone, and have a limit of starts.

    Attributes
    ----------
    starts_left : dict or None
        Of a class of one (or of no starts at all) whose starts are limited: how many are left, by day.
    most_starts : int or None
        Of a larger class whose starts are limited: for each container and day; its counts are layered by starts used.
    ramp : float or None
        Of one container [MW per step]; None: no such limit.
    slow_ramp : bool
        Whether the ramp binds also between steps in which a container runs; the class then holds one container.
    power_before : float or None
        IT power of a class of one that runs just before step 0 [MW], where it is known.
    """

    name: str
    parent: str
    containers: tuple[str, ...]
    history: tuple[History, ...]
    N: int
    U: int
    D: int
    P0: Floats
    H0: Floats
    w: Floats
    g: Floats
    a: Floats
    sb: Floats
    v: Floats
    cw: Floats
    cc: Floats
    e: Floats
    preheat: int
    terminal: float
    cohorts: tuple[StopCohort, ...]
    starts_left: dict[int, int] | None
    tiers: tuple[Tier, ...] = ()
    day: tuple[int, ...] = ()
    most_starts: int | None = None
    ramp: float | None = None
    slow_ramp: bool = False
    power_before: float | None = None

    @property
    def layered(self) -> bool:
        """Whether its counts are layered by the starts that each container has used on the day."""
        return self.most_starts is not None

    @property
    def layers(self) -> range:
        """Numbers of the layers; none where there are no layers."""
        return range(0 if self.most_starts is None else self.most_starts + 1)

    @property
    def pooled(self) -> bool:
        """Whether what is warm is one pool."""
        return not self.layered and not self.needs_arcs

    @property
    def tied(self) -> bool:
        """Whether starts are tied to their stops by arcs without layers."""
        return not self.layered and self.needs_arcs

    @cached_property
    def needs_arcs(self) -> bool:
        """Whether starts must be tied to their stops: more than two prices, windows out of order, or preheat energy."""
        return bool(self.tiers) or self.cold_energy or not windows_in_order(self.cohorts)

    @cached_property
    def fresh_within(self) -> int:
        """Up to how many steps after its stop a container may still be warm [steps], rounded up to full `GRAIN`.

        How long each stop stays warm is then a number of the model and not its structure, whatever the weather.
        """
        inside = (cohort for cohort in self.cohorts if cohort.count is None)
        longest = max((cohort.last_warm - cohort.step for cohort in inside), default=0)
        return -(-longest // GRAIN) * GRAIN

    @cached_property
    def cold_energy(self) -> bool:
        """Whether cold starts draw energy."""
        return bool(np.any(self.e > 0))

    def started(self, step: int, used: int | None = None) -> int:
        """Return how many of them started in a step before the horizon, of those still on (with `used` starts)."""
        return sum(h.count for h in self.history if h.on and h.steps == -step and used in (None, self.used_before(h)))

    def on_before_with(self, used: int) -> int:
        """Return how many run just before step 0 with so many starts of the first day used."""
        return sum(h.count for h in self.history if h.on and self.used_before(h) == used)

    def used_before(self, h: History) -> int:
        """Return how many starts of the first day each of a history entry has used, of those that are counted."""
        return min(h.starts_today, self.most_starts or 0)

    def stopped(self, step: int) -> int:
        """Return how many of them stopped in a step before the horizon, of those still off."""
        return sum(h.count for h in self.history if not h.on and h.steps == -step)

    @property
    def on_before(self) -> int:
        """How many run just before step 0."""
        return sum(h.count for h in self.history if h.on)


def class_data_of(problem: Problem, *, layered: bool = True) -> list[ClassData]:
    """Return the classes of the model in the order of the problem's classes.

    Parameters
    ----------
    layered : bool
        Whether classes whose starts are limited are layered; else each of their containers is a class of its own,
        which is the same plan with a row for each limit.
    """
    return [part for k in problem.classes for part in _data_of_class(k, problem, layered=layered)]


def windows_in_order(cohorts: Sequence[StopCohort]) -> bool:
    """Return whether no later stop expires earlier, which makes the perishable pool exact."""
    warm = sorted((cohort.earliest, cohort.last_warm) for cohort in cohorts if cohort.last_warm >= cohort.earliest)
    last_of_earlier, earliest, widest = -1, -1, -1
    for begin, last in warm:
        if begin > earliest:
            last_of_earlier, earliest = widest, begin
        if last < last_of_earlier:
            return False
        widest = max(widest, last)
    return True


def _data_of_class(k: ContainerClass, problem: Problem, *, layered: bool) -> list[ClassData]:
    limited = _limit_binds(k, problem.site.day_of_step)
    if limited:
        k = _with_near_limit(k, problem.site.day_of_step)
    history = tuple(h for h in k.history if h.count > 0)
    # With a ramp and runs of a single step, who stops must be who has just started, whatever layer that is.
    by_itself = k.ramps_slowly or (limited and k.container_ramp_mw_per_step is not None and k.min_up_steps == 1)
    if k.count == 1 or not (by_itself or (limited and not layered)):
        return [_letters(k, k.name, k.containers, history, problem, limited=limited)]
    ages = [replace(h, count=1) for h in history for _ in range(h.count)]
    # A file may hold a class of that very name; no name holds a colon.
    taken = {own.name for own in problem.classes}
    mark = ":" if any(f"{k.name}/{name}" in taken for name in k.containers) else "/"
    return [
        _letters(k, f"{k.name}{mark}{name}", (name,), (h,), problem, limited=limited)
        for name, h in zip(k.containers, ages, strict=True)
    ]


def _letters(
    k: ContainerClass,
    name: str,
    containers: tuple[str, ...],
    history: tuple[History, ...],
    problem: Problem,
    *,
    limited: bool,
) -> ClassData:
    low = np.minimum(k.lowest_it_power_mw, k.it_power_mw[-1])
    high = np.maximum(low, k.highest_it_power_mw)
    left, right = k.it_power_mw[:-1, None], k.it_power_mw[1:, None]
    width = np.maximum(0.0, np.minimum(right, high) - np.maximum(left, low))
    slope = np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw)
    days = problem.site.day_of_step
    # One container, or no start at all, needs no layers: there the starts of a day may be summed.
    layered = limited and len(containers) > 1 and k.max_starts_per_day != 0
    most_starts = k.max_starts_per_day if layered else None
    running = [h.it_power_mw for h in history if h.on and h.it_power_mw > 0]
    return ClassData(
        name=name,
        parent=k.name,
        containers=containers,
        history=tuple(_seen(k, h, problem.steps) for h in history),
        N=len(containers),
        U=min(k.min_up_steps, problem.steps + 1),
        D=min(k.min_down_steps, problem.steps + 1),
        P0=low,
        H0=np.interp(low, k.it_power_mw, k.hash_rate_th_s),
        w=width,
        g=slope,
        a=k.overhead,
        sb=k.standby_mw,
        v=k.hash_value_usd_per_th_s_h,
        cw=k.start.warm_cost_usd,
        cc=k.start.cold_cost_usd,
        e=k.start.cold_energy_mwh,
        preheat=k.preheat_steps,
        terminal=k.terminal_on_usd,
        cohorts=_cohorts(k, history, problem.steps, most_starts, days),
        starts_left=_starts_left(k, history, days) if limited and not layered else None,
        tiers=tuple(Tier(g.cost_usd, g.energy_mwh, k.preheat_steps if g.preheated else 0) for g in k.start.tiers),
        day=() if days is None else tuple(days.tolist()),
        most_starts=most_starts,
        ramp=k.container_ramp_mw_per_step,
        slow_ramp=k.ramps_slowly,
        power_before=running[0] if k.ramps_slowly and running else None,
    )


def _seen(k: ContainerClass, h: History, T: int) -> History:
    """Return a history entry as minimum times of at most T + 1 steps see it: bound to its state for as long.

    A minimum time that reaches beyond the horizon binds to its end, however long it is; only that far do rows reach.
    """
    least = k.min_up_steps if h.on else k.min_down_steps
    return replace(h, steps=min(least, T + 1) - min(least - h.steps, T))


def _cohorts(
    k: ContainerClass, history: tuple[History, ...], T: int, most_starts: int | None, days: Ints | None
) -> tuple[StopCohort, ...]:
    D, windows = k.min_down_steps, (k.start.warm_off_steps, *(g.off_steps for g in k.start.tiers))
    cohorts = []
    for number, h in enumerate(h for h in history if not h.on):
        used = 0 if most_starts is None else min(h.starts_today, most_starts)
        last, *later = (min(until, T - 1) for until in _warm_until(k, h))
        earliest = max(0, D - h.steps, _next_day(days, 0) if most_starts is not None and used == most_starts else 0)
        cohorts.append(StopCohort(-1 - number, h.count, earliest, last, tuple(later), used))
    steps = np.arange(T)
    lasts = zip(*(np.minimum(steps + W, T - 1).tolist() for W in windows), strict=True)
    next_day = () if most_starts is None else tuple(_next_day(days, t) for t in range(T))
    return (*cohorts, *_cohorts_within(tuple(lasts), D, most_starts, next_day))


@lru_cache(maxsize=64)
def _cohorts_within(
    lasts: tuple[tuple[int, ...], ...], D: int, most_starts: int | None, next_day: tuple[int, ...]
) -> tuple[StopCohort, ...]:
    """Return the cohorts of stops within the horizon; classes and nights with the same windows share them."""
    cohorts = []
    for used in range(0 if most_starts is None else most_starts, -1, -1):
        for i, (last, *later) in enumerate(lasts):
            spent = most_starts is not None and used == most_starts
            earliest = max(i + D, next_day[i]) if spent else i + D
            cohorts.append(StopCohort(i, None, earliest, last, tuple(later), used))
    return tuple(cohorts)


def _warm_until(k: ContainerClass, h: History) -> list[int]:
    """Return the last steps in which a container that is off before step 0 starts warm, and in each tier."""
    last = int(k.start.warm_off_steps[0]) - h.steps if h.warm_until_step is None else h.warm_until_step
    lasts = [last]
    for g, tier in enumerate(k.start.tiers):
        until = int(tier.off_steps[0]) - h.steps if h.tier_until_steps is None else h.tier_until_steps[g]
        lasts.append(max(until, lasts[-1]))
    return lasts


def _next_day(days: Ints | None, t: int) -> int:
    """Return the first step of the day after that of step `t`; the number of steps where there is none."""
    return 0 if days is None else int(np.searchsorted(days, days[t], side="right"))


def _limit_binds(k: ContainerClass, days: Ints | None) -> bool:
    """Return whether the limit of starts can bind: a start takes up its minimum times, so that few fit into a day."""
    most = k.max_starts_per_day
    if most is None or days is None:
        return False
    before = max(h.starts_today for h in k.history if h.count > 0)
    names = np.unique(days)
    return bool(np.any(_fitting(k, days) + np.where(names == days[0], before, 0) > most))


def _fitting(k: ContainerClass, days: Ints) -> Ints:
    """Return how many starts of one container fit into each day."""
    _, steps = np.unique(days, return_counts=True)
    return np.asarray((steps - 1) // (k.min_up_steps + k.min_down_steps) + 1)


def _with_near_limit(k: ContainerClass, days: Ints | None) -> ContainerClass:
    """Return the class with a limit of no more starts than fit into a day, and as few left for each container.

    Layers go by starts used, so that a limit of a million starts, of which almost all are used, would be as many.
    """
    if days is None or k.max_starts_per_day is None:
        return k
    beyond = max(0, k.max_starts_per_day - int(_fitting(k, days).max()))
    nearer = tuple(replace(h, starts_today=max(0, h.starts_today - beyond)) for h in k.history)
    return replace(k, max_starts_per_day=k.max_starts_per_day - beyond, history=nearer)


def _starts_left(k: ContainerClass, history: tuple[History, ...], day: Ints | None) -> dict[int, int] | None:
    if k.max_starts_per_day is None or day is None:
        return None
    left = {int(d): k.max_starts_per_day for d in np.unique(day)}
    left[int(day[0])] = max(0, k.max_starts_per_day - max(h.starts_today for h in history))
    return left
