"""Power of one step for given counts: a merit order, exact, for many candidate counts at once; and equal shares.

Shapes: K classes, T steps, M candidates, J sources, F feeders (the last one stands for no feeder and has no cap).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.problem import ContainerClass, Floats, Ints, Problem


@dataclass(frozen=True)
class Segment:
    """A piece of a mode curve in one step.

    Attributes
    ----------
    width_mw : float
        IT power of one container [MW].
    slope_th_s_per_mw : float
    value_usd_per_mwh : float
        Hash revenue per energy at the meter.
    """

    class_index: int
    width_mw: float
    slope_th_s_per_mw: float
    value_usd_per_mwh: float


@dataclass(frozen=True)
class Limits:
    """The data of a problem, stacked over the classes for arithmetic.

    Attributes
    ----------
    low_mw, high_mw, overhead, standby_mw, hash_value : ndarray, shape (K, T)
    low_hash_th_s : ndarray, shape (K, T)
        Hash rate of one container at its lowest power.
    runnable, must_run : ndarray of int, shape (K, T)
    count : ndarray of int, shape (K,)
    base_load_mw, ceiling_mw, floor_mw : ndarray, shape (T,)
        Ceiling: the smaller of cap and supply; floor: the minimum power of the site.
    ramp_up_mw, ramp_down_mw : float
        Infinite where there is no limit.
    feeder_of_class : ndarray of int, shape (K,);  feeder_cap_mw : ndarray, shape (F,)
    feeder_matrix : ndarray, shape (K, F)
        1 where the class is on the feeder.
    price_usd_per_mwh, cumulative_mw : ndarray, shape (J, T)
        Of the sources, cheapest first in each step.
    """

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


def limits_of(problem: Problem) -> Limits:
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


def energy_cost(limits: Limits, t: int, facility_mw: Floats) -> Floats:
    """Return the least cost of `facility_mw` [MW] in step `t` [USD], same shape; an excess at the highest price."""
    prices, cumulative = limits.price_usd_per_mwh[:, t], limits.cumulative_mw[:, t]
    taken = np.minimum(facility_mw[..., None], cumulative)
    pieces = np.diff(taken, axis=-1, prepend=0.0)
    pieces[..., -1] += facility_mw - taken[..., -1]
    return np.asarray(limits.step_h * (pieces @ prices))


@dataclass(frozen=True)
class Dispatch:
    """Power of one step for M candidates.

    Attributes
    ----------
    it_power_mw : ndarray, shape (M, K)
    facility_mw, money_usd, excess_mw : ndarray, shape (M,)
        Facility power; hash revenue less energy cost; by how much the limits cannot be kept, 0 where they are.
    feeder_mw : ndarray, shape (M, F)
    """

    it_power_mw: Floats
    facility_mw: Floats
    money_usd: Floats
    excess_mw: Floats
    feeder_mw: Floats


def meter_load(limits: Limits, t: int, counts: Floats, it_power_mw: Floats, preheat_mw: Floats) -> Floats:
    """Return the facility power of the classes [MW], shape (M, K) or, for one candidate, (K,).

    Parameters
    ----------
    limits : Limits
    t : int
    counts, it_power_mw, preheat_mw : ndarray, shape (M, K) or (K,)
        Running containers of each class, their IT power together, and preheat at the meter [MW].
    """
    at_rest = (limits.count - counts) * limits.standby_mw[:, t]
    return np.asarray(limits.overhead[:, t] * it_power_mw + at_rest + preheat_mw)


def dispatch_by_merit(
    limits: Limits, t: int, counts: Floats, preheat_mw: Floats, *, floor_mw: Floats, ceiling_mw: Floats
) -> Dispatch:
    """Return the dispatch with the most money of step `t` for each candidate.

    Pieces of the mode curves, most expensive hash first, are taken while they earn more than the next MWh costs, or
    while the floor is not reached.  Caps are nested (feeders within the site) and the cost of energy is convex in the
    total, so that this greedy order is optimal.

    Parameters
    ----------
    limits : Limits
    t : int
    counts, preheat_mw : ndarray, shape (M, K)
        Running containers of each class, and their preheat at the meter [MW].
    floor_mw, ceiling_mw : ndarray, shape (M,)
        Facility power must lie between them [MW].
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


def dispatch_equally(limits: Limits, t: int, counts: Floats, preheat_mw: Floats, ceiling_mw: float) -> Floats:
    """Return the IT power of each class at the largest facility power up to a ceiling [MW], shape (K,).

    Every running container gets the same IT power, within its own lowest and highest and what its feeder lets through.

    Parameters
    ----------
    limits : Limits
    t : int
    counts, preheat_mw : ndarray, shape (K,)
        Running containers of each class, and their preheat at the meter [MW].
    ceiling_mw : float
        Highest facility power of the site [MW].
    """
    low, high = limits.low_mw[:, t], np.maximum(limits.low_mw[:, t], limits.high_mw[:, t])
    weight = counts * limits.overhead[:, t]
    fixed = meter_load(limits, t, counts, np.zeros(len(counts)), preheat_mw)
    highest = high.copy()
    for f, cap in enumerate(limits.feeder_cap_mw):
        own = limits.feeder_of_class == f
        highest[own] = np.minimum(high, _level(weight[own], low[own], high[own], cap - fixed[own].sum()))[own]
    highest = np.maximum(low, highest)
    room = ceiling_mw - limits.base_load_mw[t] - fixed.sum()
    return np.asarray(counts * np.clip(_level(weight, low, highest, room), low, highest))


def _level(weight: Floats, low: Floats, high: Floats, room_mw: float) -> float:
    """Return the level p at which the sum of weight x clip(p, low, high) reaches `room_mw`; else the highest."""
    if weight.sum() == 0:
        return np.inf
    levels = np.unique(np.concatenate([low, high]))
    drawn = (weight * np.clip(levels[:, None], low, high)).sum(axis=1)
    return float(np.interp(room_mw, drawn, levels))
