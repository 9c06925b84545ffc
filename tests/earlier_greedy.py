"""The greedy rule of flexmine 0.1: two walks, each container with its age; the weaker opponent tests compare with.

It charges start costs at once, or shared by the steps that the minimum up time binds; it knows no limits of energy, no
container ramps and no tiers.  Nothing of :mod:`flexmine.baselines` is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.replay import replay
from flexmine.problem import ContainerClass, Floats, Ints, Problem
from flexmine.problem.schedule import Schedule, supply_by_merit

SAME_MW = 1e-9
SAME_USD = 1e-9


def earlier_greedy(problem) -> float | None:
    """Return the money of the better of two walks [USD]; None where neither keeps all limits."""
    limits = limits_of(problem)
    shares = (
        tuple(_Charge(1.0) for k in problem.classes),
        tuple(_Charge(1.0 / k.min_up_steps) for k in problem.classes),
    )
    priced = [replay(problem, walk(problem, limits, partial(_decide_greedy, charges=charges))) for charges in shares]
    return max((p.money_usd for p in priced if p.ok), default=None)


@dataclass(frozen=True)
class Segment:
    """A piece of a mode curve in one step."""

    class_index: int
    width_mw: float
    slope_th_s_per_mw: float
    value_usd_per_mwh: float


@dataclass(frozen=True)
class Limits:
    """The data of a problem, stacked over the classes for arithmetic."""

    step_h: float
    low_mw: Floats
    high_mw: Floats
    overhead: Floats
    standby_mw: Floats
    hash_value: Floats
    low_hash_th_s: Floats
    runnable: Ints
    must_run: Ints
    count: Ints
    base_load_mw: Floats
    ceiling_mw: Floats
    floor_mw: Floats
    ramp_up_mw: float
    ramp_down_mw: float
    feeder_of_class: Ints
    feeder_cap_mw: Floats
    feeder_matrix: Floats
    price_usd_per_mwh: Floats
    cumulative_mw: Floats
    segments: tuple[tuple[Segment, ...], ...]


def limits_of(problem) -> Limits:
    """Return the stacked data of `problem`."""
    site, classes = problem.site, problem.classes
    feeder_of_class = np.full(len(classes), len(site.groups), dtype=np.int64)
    for f, feeder in enumerate(site.groups):
        for i, k in enumerate(classes):
            if k.name in feeder.classes:
                feeder_of_class[i] = f
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    offers = np.array([s.available_mw for s in problem.sources])
    order = np.argsort(prices, axis=0, kind="stable")
    cumulative = np.cumsum(np.take_along_axis(offers, order, axis=0), axis=0)
    low_mw = np.array([k.lowest_it_power_mw for k in classes])
    return Limits(
        step_h=problem.time.step_h,
        low_mw=low_mw,
        high_mw=np.array([k.highest_it_power_mw for k in classes]),
        overhead=np.array([k.overhead for k in classes]),
        standby_mw=np.array([k.standby_mw for k in classes]),
        hash_value=np.array([k.hash_value_usd_per_th_s_h for k in classes]),
        low_hash_th_s=np.array(
            [np.interp(row, k.it_power_mw, k.hash_rate_th_s) for k, row in zip(classes, low_mw, strict=True)]
        ),
        runnable=np.array([k.runnable for k in classes]),
        must_run=np.array([k.must_run for k in classes]),
        count=np.array([k.count for k in classes]),
        base_load_mw=site.base_load_mw,
        ceiling_mw=np.minimum(site.cap_mw, cumulative[-1]),
        floor_mw=np.asarray(site.minimum_mw, dtype=np.float64),
        ramp_up_mw=np.inf if site.ramp_up_mw_per_step is None else site.ramp_up_mw_per_step,
        ramp_down_mw=np.inf if site.ramp_down_mw_per_step is None else site.ramp_down_mw_per_step,
        feeder_of_class=feeder_of_class,
        feeder_cap_mw=np.array([f.cap_mw for f in site.groups] + [np.inf]),
        feeder_matrix=np.eye(len(site.groups) + 1)[feeder_of_class],
        price_usd_per_mwh=np.take_along_axis(prices, order, axis=0),
        cumulative_mw=cumulative,
        segments=tuple(_segments(classes, t) for t in range(problem.steps)),
    )


def _segments(classes: tuple[ContainerClass, ...], t: int) -> tuple[Segment, ...]:
    """Return the pieces of all mode curves between lowest and highest power in step `t`, most expensive hash first."""
    found = []
    for i, k in enumerate(classes):
        edges = np.clip(k.it_power_mw, k.lowest_it_power_mw[t], max(k.lowest_it_power_mw[t], k.highest_it_power_mw[t]))
        slopes = np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw)
        for width, slope in zip(np.diff(edges), slopes, strict=True):
            value = k.hash_value_usd_per_th_s_h[t] * slope / k.overhead[t]
            found.append(Segment(i, float(width), float(slope), float(value)))
    # Stable, so that the pieces of one curve keep their order even where hash is worth nothing.
    return tuple(sorted(found, key=lambda s: -s.value_usd_per_mwh))


def energy_cost(limits, t: int, facility_mw: Floats) -> Floats:
    """Return the least cost of `facility_mw` [MW] in step `t` [USD], same shape; an excess at the highest price."""
    prices, cumulative = limits.price_usd_per_mwh[:, t], limits.cumulative_mw[:, t]
    taken = np.minimum(facility_mw[..., None], cumulative)
    pieces = np.diff(taken, axis=-1, prepend=0.0)
    pieces[..., -1] += facility_mw - taken[..., -1]
    return np.asarray(limits.step_h * (pieces @ prices))


@dataclass(frozen=True)
class Dispatch:
    """Power of one step for M candidates."""

    it_power_mw: Floats
    facility_mw: Floats
    money_usd: Floats
    excess_mw: Floats
    feeder_mw: Floats


def meter_load(limits, t: int, counts: Floats, it_power_mw: Floats, preheat_mw: Floats) -> Floats:
    """Return the facility power of the classes [MW], shape (M, K) or, for one candidate, (K,)."""
    at_rest = (limits.count - counts) * limits.standby_mw[:, t]
    return np.asarray(limits.overhead[:, t] * it_power_mw + at_rest + preheat_mw)


def dispatch_by_merit(
    limits, t: int, counts: Floats, preheat_mw: Floats, *, floor_mw: Floats, ceiling_mw: Floats
) -> Dispatch:
    """Return the dispatch with the most money of step `t` for each candidate.

    Pieces of the mode curves, most expensive hash first, are taken while they earn more than the next MWh costs, or
    while the floor is not reached.  Caps are nested (feeders within the site) and the cost of energy is convex in the
    total, so that this greedy order is optimal.
    """
    it_power = counts * limits.low_mw[:, t]
    load = meter_load(limits, t, counts, it_power, preheat_mw)
    feeder = load @ limits.feeder_matrix
    total = limits.base_load_mw[t] + load.sum(axis=1)
    excess = np.maximum(total - ceiling_mw, 0.0) + np.maximum(feeder - limits.feeder_cap_mw, 0.0).sum(axis=1)
    revenue = counts @ (limits.hash_value[:, t] * limits.low_hash_th_s[:, t])
    for s in limits.segments[t]:
        k, f = s.class_index, limits.feeder_of_class[s.class_index]
        overhead = limits.overhead[k, t]
        earning = limits.cumulative_mw[limits.price_usd_per_mwh[:, t] < s.value_usd_per_mwh, t].max(initial=0.0)
        room = np.minimum(counts[:, k] * s.width_mw * overhead, limits.feeder_cap_mw[f] - feeder[:, f])
        room = np.minimum(room, np.minimum(ceiling_mw, np.maximum(earning, floor_mw)) - total)
        added = np.maximum(room, 0.0)
        it_power[:, k] += added / overhead
        feeder[:, f] += added
        total = total + added
        revenue = revenue + added * s.value_usd_per_mwh
    excess = excess + np.maximum(floor_mw - total, 0.0)
    money = limits.step_h * revenue - energy_cost(limits, t, total)
    return Dispatch(it_power, total, money, excess, feeder)


@dataclass(frozen=True)
class Outlook:
    """What each possible count of one class in step t means from t on."""

    counts: Ints
    cold: Ints
    starts: Ints
    start_cost_usd: Floats
    preheat_mw: Floats
    past_preheat_mw: Floats
    least_mw: Floats
    most_mw: Floats
    broken: Ints


class ClassFleet:
    """The containers of one class, in their listed order."""

    def __init__(self, problem, index: int):
        k = problem.classes[index]
        self.k, self.index, self.step_h = k, index, problem.time.step_h
        self.days = problem.site.day_of_step if k.max_starts_per_day is not None else None
        histories = [h for h in k.history for _ in range(h.count)]
        self.on = np.array([h.on for h in histories], dtype=bool)
        self.since = np.array([-h.steps for h in histories], dtype=np.int64)
        first_window = int(k.start.warm_off_steps[0])
        self.warm_until = np.array(
            [first_window - h.steps if h.warm_until_step is None else h.warm_until_step for h in histories]
        )
        self.starts_today = np.array([h.starts_today for h in histories], dtype=np.int64)

    def free_from(self, t: int) -> Ints:
        """Return the first step in which each container may change its state, shape (N,)."""
        k = self.k
        free = self.since + np.where(self.on, k.min_up_steps, k.min_down_steps)
        if self.days is not None:
            spent = ~self.on & (self._starts_on_day(t) >= (k.max_starts_per_day or 0))
            free = np.where(spent, np.maximum(free, self._next_day(t)), free)
        return np.asarray(free)

    def _starts_on_day(self, t: int) -> Ints:
        assert self.days is not None
        return self.starts_today if t == 0 or self.days[t] == self.days[t - 1] else np.zeros_like(self.starts_today)

    def _next_day(self, t: int) -> int:
        assert self.days is not None
        if self.k.max_starts_per_day == 0:
            return len(self.days)
        return int(np.searchsorted(self.days, self.days[t], side="right"))

    def stop_order(self, t: int) -> Ints:
        """Return the containers that may stop in step `t`, longest-on first."""
        own = np.flatnonzero(self.on & (self.free_from(t) <= t))
        return own[np.argsort(self.since[own], kind="stable")]

    def start_order(self, t: int) -> tuple[Ints, int]:
        """Return the containers that may start in step `t`, and how many of them, standing first, are warm.

        Warm ones by the step in which they expire; then cold ones, longest-off first.
        """
        ready = ~self.on & (self.free_from(t) <= t)
        warm = np.flatnonzero(ready & (self.warm_until >= t))
        cold = np.flatnonzero(ready & (self.warm_until < t)) if t >= self.k.preheat_steps else np.zeros(0, np.int64)
        warm = warm[np.lexsort((self.since[warm], self.warm_until[warm]))]
        return np.concatenate([warm, cold[np.argsort(self.since[cold], kind="stable")]]), len(warm)

    def move_to(self, t: int, count: int) -> None:
        """Start or stop containers in step `t` so that `count` run."""
        if self.days is not None:
            self.starts_today = self._starts_on_day(t).copy()
        change = count - int(self.on.sum())
        if change < 0:
            chosen = self.stop_order(t)[:-change]
            self.warm_until[chosen] = t + self.k.start.warm_off_steps[t]
        else:
            chosen = self.start_order(t)[0][:change]
            self.starts_today[chosen] += 1
        self.on[chosen] = change > 0
        self.since[chosen] = t

    def outlook(self, limits, t: int, ahead: int) -> Outlook:
        """Return what each possible count in step `t` costs and binds, up to `ahead` steps later."""
        k, running = self.k, int(self.on.sum())
        stop, (start, warm) = self.stop_order(t), self.start_order(t)
        counts = np.arange(running - len(stop), running + len(start) + 1)
        starts = np.maximum(counts - running, 0)
        cold = np.maximum(starts - warm, 0)
        energy_mwh = cold * k.start.cold_energy_mwh[t]
        bound, able = self._bound_and_able(t, counts, stop, ahead)
        later = slice(t, t + ahead + 1)
        runnable, must_run = limits.runnable[self.index, later], limits.must_run[self.index, later]
        broken = np.maximum(bound - runnable, 0) + np.maximum(must_run - able, 0)
        most_n, least_n = np.minimum(runnable, able), np.minimum(np.maximum(bound, must_run), runnable)
        standby = k.standby_mw[later]
        low, high = k.overhead[later] * k.lowest_it_power_mw[later], k.overhead[later] * k.highest_it_power_mw[later]
        least = np.where(low > standby, least_n, most_n) * (low - standby)
        most = np.where(high > standby, most_n, least_n) * (high - standby)
        return Outlook(
            counts=counts,
            cold=cold,
            starts=starts,
            start_cost_usd=(starts - cold) * k.start.warm_cost_usd[t] + cold * k.start.cold_cost_usd[t],
            preheat_mw=energy_mwh / self.step_h * (k.preheat_steps == 0),
            past_preheat_mw=energy_mwh / (max(1, k.preheat_steps) * self.step_h) * (k.preheat_steps > 0),
            least_mw=least[:, 1:],
            most_mw=most[:, 1:],
            broken=np.asarray(broken.sum(axis=1)),
        )

    def _bound_and_able(self, t: int, counts: Ints, stop: Ints, ahead: int) -> tuple[NDArray[np.int64], Ints]:
        """Return for each count how many have to run, and could run, in the steps t ... t + ahead, shape (R, 1 + H)."""
        k, steps = self.k, np.arange(t, t + ahead + 1)
        free, running = self.free_from(t), int(self.on.sum())
        bound = (free[self.on][:, None] > steps).sum(axis=0)
        kept_off = (free[~self.on][:, None] > steps).sum(axis=0)
        starts, stops = np.maximum(counts - running, 0), np.maximum(running - counts, 0)
        back = np.full(len(stop), t + k.min_down_steps)
        if self.days is not None:
            spent = self._starts_on_day(t)[stop] >= (k.max_starts_per_day or 0)
            back = np.where(spent, np.maximum(back, self._next_day(t)), back)
        stopped = np.zeros((len(stop) + 1, len(steps)), dtype=np.int64)
        stopped[1:] = np.cumsum(back[:, None] > steps, axis=0)
        bound = bound + starts[:, None] * (steps < t + k.min_up_steps)
        # What does not start now is off in step t, and could not run then; later it could.
        able = k.count - kept_off - stopped[stops]
        able[:, 0] = counts
        bound[:, 0] = counts
        return bound, able


def steps_ahead(problem, classes: tuple[ContainerClass, ...]) -> int:
    """Return for how many steps a choice can bind a container."""
    if any(k.max_starts_per_day is not None for k in classes):
        return problem.steps
    return min(problem.steps, max(max(k.min_up_steps, k.min_down_steps, k.preheat_steps) for k in classes))


@dataclass
class _Past:
    """What the site has drawn so far [MW]: of the site (T,), of the feeders (F, T)."""

    facility_mw: Floats
    feeder_mw: Floats


@dataclass(frozen=True)
class Step:
    """One step of the walk: where every class may go, and how to judge a choice."""

    problem: Problem
    limits: Limits
    t: int
    outlooks: tuple[Outlook, ...]
    running: Ints
    past: _Past
    tail: tuple[float, float]


@dataclass(frozen=True)
class _Judged:
    """M candidates: their dispatch by merit, what they break, and their money without start costs; arrays over M."""

    dispatch: Dispatch
    preheat_mw: Floats
    floor_mw: Floats
    ceiling_mw: Floats
    broken: Floats
    money_usd: Floats


def walk(problem, limits, decide) -> Schedule:
    """Return the schedule of a rule that decides step after step and sees no prices ahead."""
    steps, classes = problem.steps, problem.classes
    fleets = [ClassFleet(problem, i) for i in range(len(classes))]
    horizon = steps_ahead(problem, classes)
    past = _Past(np.zeros(steps), np.zeros((len(limits.feeder_cap_mw), steps)))
    reach_down, reach_up = _reach(limits)
    on = [np.zeros((k.count, steps), dtype=bool) for k in classes]
    power = [np.zeros((k.count, steps)) for k in classes]
    for t in range(steps):
        ahead = min(horizon, steps - 1 - t)
        outlooks = tuple(fleet.outlook(limits, t, ahead) for fleet in fleets)
        running = np.array([int(fleet.on.sum()) for fleet in fleets])
        tail = _tail(limits, t + ahead + 1, ahead + 1, reach_down, reach_up)
        step = Step(problem, limits, t, outlooks, running, past, tail)
        places, it_power = decide(step)
        _record(step, places, it_power)
        for i, fleet in enumerate(fleets):
            count = int(outlooks[i].counts[places[i]])
            fleet.move_to(t, count)
            on[i][:, t] = fleet.on
            power[i][fleet.on, t] = it_power[i] / max(1, count)
    names = tuple(name for name, _ in problem.containers)
    return Schedule(names, np.concatenate(on), np.concatenate(power), supply_by_merit(problem, past.facility_mw))


def _record(step: Step, places: Ints, it_power: Floats) -> None:
    """Write down the power of the step, and the preheat that its cold starts needed in the steps before it."""
    limits, t, past = step.limits, step.t, step.past
    counts = np.array([o.counts[p] for o, p in zip(step.outlooks, places, strict=True)], dtype=np.float64)
    preheat = np.array([o.preheat_mw[p] for o, p in zip(step.outlooks, places, strict=True)])
    load = meter_load(limits, t, counts, it_power, preheat)
    past.feeder_mw[:, t] = load @ limits.feeder_matrix
    past.facility_mw[t] = limits.base_load_mw[t] + load.sum()
    for i, (o, place) in enumerate(zip(step.outlooks, places, strict=True)):
        window = slice(max(0, t - step.problem.classes[i].preheat_steps), t)
        past.facility_mw[window] += o.past_preheat_mw[place]
        past.feeder_mw[limits.feeder_of_class[i], window] += o.past_preheat_mw[place]


def _reach(limits) -> tuple[Floats, Floats]:
    """Return for each step the highest and lowest power from which the ramps keep all later limits, shape (T + 1,).

    The most and the least that containers of unknown age can and must draw are limits, too: closed windows and heat.
    """
    steps = len(limits.ceiling_mw)
    overhead, rest = limits.overhead, limits.count @ limits.standby_mw + limits.base_load_mw
    gain_low, gain_high = overhead * limits.low_mw - limits.standby_mw, overhead * limits.high_mw - limits.standby_mw
    must = np.minimum(limits.must_run, limits.runnable)
    least = rest + (np.where(gain_low > 0, must, limits.runnable) * gain_low).sum(axis=0)
    by_feeder = limits.feeder_matrix.T @ (np.where(gain_high > 0, limits.runnable, must) * gain_high)
    at_rest = limits.feeder_matrix.T @ (limits.count[:, None] * limits.standby_mw)
    most = rest + np.minimum(by_feeder, limits.feeder_cap_mw[:, None] - at_rest).sum(axis=0)
    highest, lowest = np.full(steps + 1, np.inf), np.full(steps + 1, -np.inf)
    for t in range(steps - 1, -1, -1):
        highest[t] = min(limits.ceiling_mw[t], most[t], highest[t + 1] + limits.ramp_down_mw)
        lowest[t] = max(limits.floor_mw[t], least[t], lowest[t + 1] - limits.ramp_up_mw)
    return highest, lowest


def _tail(limits, end: int, distance: int, highest: Floats, lowest: Floats) -> tuple[float, float]:
    """Return ceiling and floor of this step from what is `distance` steps ahead, where ages no longer matter."""
    return highest[end] + limits.ramp_down_mw * distance, lowest[end] - limits.ramp_up_mw * distance


def judge(step: Step, places: Ints) -> _Judged:
    """Judge M candidates, each a place in the outlook of every class: `places` has shape (M, K)."""
    limits, t, outlooks = step.limits, step.t, step.outlooks
    counts = np.stack([o.counts[p] for o, p in zip(outlooks, places.T, strict=True)], axis=1).astype(np.float64)
    preheat = np.stack([o.preheat_mw[p] for o, p in zip(outlooks, places.T, strict=True)], axis=1)
    broken = np.sum([o.broken[p] for o, p in zip(outlooks, places.T, strict=True)], axis=0).astype(np.float64)
    before, excess, extra_usd = _preheat_before(step, places)
    floor, ceiling, excess_ahead = _window(step, places, before)
    dispatch = dispatch_by_merit(limits, t, counts, preheat, floor_mw=floor, ceiling_mw=ceiling)
    last = float(t == step.problem.steps - 1)
    terminal = counts @ np.array([k.terminal_on_usd for k in step.problem.classes]) * last
    total = broken + excess + excess_ahead + dispatch.excess_mw
    money = dispatch.money_usd - extra_usd + terminal
    return _Judged(dispatch, preheat, floor, ceiling, np.where(total > SAME_MW, total, 0.0), money)


def _window(step: Step, places: Ints, before_mw: Floats) -> tuple[Floats, Floats, Floats]:
    """Return floor and ceiling of the step's power, and by how much later limits contradict, each (M,) [MW]."""
    limits, t = step.limits, step.t
    ahead = step.outlooks[0].least_mw.shape[1]
    later, distance = slice(t + 1, t + 1 + ahead), np.arange(1, ahead + 1)
    rest = limits.base_load_mw[later] + limits.count @ limits.standby_mw[:, later]
    least, most = np.zeros((len(places), ahead)), np.zeros((len(places), ahead))
    excess = np.zeros(len(places))
    for f, cap in enumerate(limits.feeder_cap_mw):
        own = np.flatnonzero(limits.feeder_of_class == f)
        at_rest = limits.count[own] @ limits.standby_mw[own][:, later]
        least_f = sum((step.outlooks[i].least_mw[places[:, i]] for i in own), np.zeros_like(least))
        most_f = sum((step.outlooks[i].most_mw[places[:, i]] for i in own), np.zeros_like(most))
        excess += np.maximum(least_f - (cap - at_rest), 0.0).sum(axis=1)
        least += least_f
        most += np.minimum(most_f, cap - at_rest)
    least, most = np.maximum(rest + least, limits.floor_mw[later]), np.minimum(rest + most, limits.ceiling_mw[later])
    excess += np.maximum(least - most, 0.0).sum(axis=1)
    highest = (most + limits.ramp_down_mw * distance).min(axis=1, initial=step.tail[0])
    lowest = (least - limits.ramp_up_mw * distance).max(axis=1, initial=step.tail[1])
    ceiling = np.minimum(np.minimum(highest, limits.ceiling_mw[t]), before_mw[:, 1] + limits.ramp_up_mw)
    floor = np.maximum(np.maximum(lowest, limits.floor_mw[t]), before_mw[:, 0] - limits.ramp_down_mw)
    return floor, ceiling, excess


def _preheat_before(step: Step, places: Ints) -> tuple[Floats, Floats, Floats]:
    """Return what the preheat of the candidates' cold starts makes of the steps before.

    The rule knows the data of the steps that it has just decided, so it may have preheated in what they left free.
    """
    limits, t, past = step.limits, step.t, step.past
    candidates, initial = len(places), step.problem.site.initial_mw
    excess, cost = np.zeros(candidates), np.zeros(candidates)
    reach = min(t, max(k.preheat_steps for k in step.problem.classes))
    # One step more than the preheat reaches, for the ramp into it.
    power = np.empty((candidates, reach + 1))
    power[:, 0] = past.facility_mw[t - reach - 1] if t > reach else np.nan if initial is None else initial
    power[:, 1:] = past.facility_mw[t - reach : t]
    feeder = np.tile(past.feeder_mw[:, t - reach : t], (candidates, 1, 1))
    for i, k in enumerate(step.problem.classes):
        added = step.outlooks[i].past_preheat_mw[places[:, i]]
        first = max(0, reach - k.preheat_steps)
        power[:, 1 + first :] += added[:, None]
        feeder[:, limits.feeder_of_class[i], first:] += added[:, None]
    changed = np.any(power[:, 1:] > past.facility_mw[t - reach : t], axis=1)
    if np.any(changed):
        rise = np.nan_to_num(np.diff(power, axis=1))
        excess += np.maximum(power[:, 1:] - limits.ceiling_mw[t - reach : t], 0.0).sum(axis=1)
        excess += np.maximum(feeder - limits.feeder_cap_mw[:, None], 0.0).sum(axis=(1, 2))
        excess += np.maximum(rise - limits.ramp_up_mw, 0.0).sum(axis=1)
        excess += np.maximum(-rise - limits.ramp_down_mw, 0.0).sum(axis=1)
        for s in range(t - reach, t):
            own = power[:, s - t]
            cost += energy_cost(limits, s, own) - energy_cost(limits, s, past.facility_mw[s : s + 1])
        # What was decided without preheat may itself have missed a limit: only these candidates answer for it.
        excess = np.where(changed, excess, 0.0)
    before = power[:, -1]
    unknown = np.isnan(before)
    return np.stack([np.where(unknown, -np.inf, before), np.where(unknown, np.inf, before)], axis=1), excess, cost


def least_broken(judged: _Judged, score: Floats) -> int:
    """Return the candidate that breaks least; among those the highest `score`, shape (M,), then the first, wins."""
    least = judged.broken <= judged.broken.min() + SAME_MW
    return int(np.argmax(np.where(least, score, -np.inf)))


def resting(step: Step) -> Ints:
    """Return for each class the place in its outlook that is nearest to leaving all containers in their state."""
    return np.array([int(np.argmin(np.abs(o.counts - n))) for o, n in zip(step.outlooks, step.running, strict=True)])


@dataclass(frozen=True)
class _Charge:
    """Which share of its start cost a start is charged in its step."""

    share: float


def _decide_greedy(step: Step, charges: tuple[_Charge, ...]) -> tuple[Ints, Floats]:
    """Decide for the most money of this step alone: enumerate the counts of one class, coordinate ascent over several.

    The ascent starts from leaving all containers in their state, from the fewest and from the most containers.
    """
    sizes = np.array([len(o.counts) for o in step.outlooks])
    beginnings = np.stack([resting(step), np.zeros_like(sizes), sizes - 1])
    found = [_ascend(step, begin, charges) for begin in (beginnings[:1] if len(sizes) == 1 else beginnings)]
    judged = judge(step, np.stack(found))
    best = least_broken(judged, _score(step, judged, np.stack(found), charges))
    return found[best], judged.dispatch.it_power_mw[best]


def _score(step: Step, judged: _Judged, places: Ints, charges: tuple[_Charge, ...]) -> Floats:
    charged = np.zeros(len(places))
    for o, p, charge in zip(step.outlooks, places.T, charges, strict=True):
        charged += charge.share * o.start_cost_usd[p]
    counts = np.stack([o.counts[p] for o, p in zip(step.outlooks, places.T, strict=True)], axis=1)
    # Among equals the one that changes least.
    return np.asarray(judged.money_usd - charged - SAME_USD * np.abs(counts - step.running).sum(axis=1))


def _ascend(step: Step, begin: Ints, charges: tuple[_Charge, ...]) -> Ints:
    current, value = begin.copy(), (np.inf, -np.inf)
    while True:
        for i, outlook in enumerate(step.outlooks):
            places = np.tile(current, (len(outlook.counts), 1))
            places[:, i] = np.arange(len(outlook.counts))
            judged = judge(step, places)
            score = _score(step, judged, places, charges)
            best = least_broken(judged, score)
            current, new = places[best], (float(judged.broken[best]), float(score[best]))
        if len(step.outlooks) == 1 or (new[0] > value[0] - SAME_MW and new[1] <= value[1] + SAME_USD):
            return current
        value = new
