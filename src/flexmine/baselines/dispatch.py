"""Power of one step for given counts: a merit order, exact, for many candidate counts at once; and equal shares.

Shapes: K classes, T steps, J sources, S pieces of all mode curves, F feeders (the last one stands for no feeder and has
no cap); `...` are candidates, in as many dimensions as the caller likes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flexmine.problem import Floats, Ints, Problem


@dataclass(frozen=True)
class Offer:
    """Power on offer in one step, in the order in which it is taken.

    Attributes
    ----------
    cumulative_mw : ndarray, shape (..., J)
        Power of each source with that of those before it [MW].
    price_usd_per_mwh : ndarray, shape (J,)
    source : ndarray of int, shape (J,)
        Its number in the problem; it may stand in several places.
    earning : ndarray of int, shape (S,)
        How many sources, from the first on, cost less than a piece of the mode curves earns.
    earning_mw : ndarray, shape (..., S)
        Their power together: up to so much facility power the piece earns more than power costs.
    """

    cumulative_mw: Floats
    price_usd_per_mwh: Floats
    source: Ints
    earning: Ints
    earning_mw: Floats

    def only(self, rows: slice | Ints) -> Offer:
        """Return it of the walks `rows` alone, which are the first dimension."""
        return replace(self, cumulative_mw=self.cumulative_mw[rows], earning_mw=self.earning_mw[rows])

    def cost_usd_per_h(self, facility_mw: Floats) -> Floats:
        """Return the cost of `facility_mw` [MW], shape (...), in an hour [USD]; an excess is paid at the last price."""
        price = self.price_usd_per_mwh
        saved = price - np.concatenate([price[1:], price[-1:]])
        return np.asarray(price[-1] * facility_mw + np.minimum(facility_mw[..., None], self.cumulative_mw) @ saved)


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
    gain_low_mw, gain_high_mw : ndarray, shape (K, T)
        What one container that runs draws above standby at the meter, at its lowest and at its highest power.
    rising : bool
        Whether one that runs always draws more than one that does not.
    base_load_mw, rest_mw, ceiling_mw, floor_mw : ndarray, shape (T,)
        Rest: facility power where nobody runs; ceiling: the smaller of cap and supply; floor: the minimum power.
    ramp_up_mw, ramp_down_mw : float
        Infinite where there is no limit.
    feeder_of_class : ndarray of int, shape (K,);  feeder_cap_mw : ndarray, shape (F,)
    feeder_matrix : ndarray, shape (K, F);  feeder_room_mw : ndarray, shape (F, T)
        1 where the class is on the feeder; what the feeder takes above standby.
    offers : tuple of Offer
        Of each step, cheapest source first.
    piece_class : ndarray of int, shape (T, S)
        Class of each piece of a mode curve between lowest and highest power, most expensive hash first.
    piece_mw, piece_usd_per_mwh : ndarray, shape (T, S)
        Its width for one container, and its hash revenue per energy, both at the meter.
    piece_from_mw : ndarray, shape (T, S)
        IT power of one container at which it begins.
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
    gain_low_mw: Floats
    gain_high_mw: Floats
    rising: bool
    base_load_mw: Floats
    rest_mw: Floats
    ceiling_mw: Floats
    floor_mw: Floats
    ramp_up_mw: float
    ramp_down_mw: float
    feeder_of_class: Ints
    feeder_cap_mw: Floats
    feeder_matrix: Floats
    feeder_room_mw: Floats
    offers: tuple[Offer, ...]
    piece_class: Ints
    piece_mw: Floats
    piece_usd_per_mwh: Floats
    piece_from_mw: Floats


def limits_of(problem: Problem) -> Limits:
    """Return the stacked data of `problem`."""
    site, classes = problem.site, problem.classes
    feeder_of_class = np.full(len(classes), len(site.groups), dtype=np.int64)
    for f, feeder in enumerate(site.groups):
        for i, k in enumerate(classes):
            if k.name in feeder.classes:
                feeder_of_class[i] = f
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    available = np.array([s.available_mw for s in problem.sources])
    firm = np.array([[s.kind != "surplus"] * problem.steps for s in problem.sources])
    order = np.lexsort((firm, prices), axis=0)
    prices = np.take_along_axis(prices, order, axis=0).T
    cumulative = np.cumsum(np.take_along_axis(available, order, axis=0), axis=0).T
    low_mw = np.array([k.lowest_it_power_mw for k in classes])
    high_mw = np.array([k.highest_it_power_mw for k in classes])
    overhead, standby = np.array([k.overhead for k in classes]), np.array([k.standby_mw for k in classes])
    gain_low, gain_high = overhead * low_mw - standby, overhead * high_mw - standby
    at_rest = np.array([[k.count] for k in classes]) * standby
    feeder_matrix = np.eye(len(site.groups) + 1)[feeder_of_class]
    feeder_cap = np.array([f.cap_mw for f in site.groups] + [np.inf])
    piece_class, piece_mw, piece_usd, piece_from = _pieces(problem)
    earning = (prices[:, None, :] < piece_usd[:, :, None]).sum(axis=2)
    return Limits(
        step_h=problem.time.step_h,
        low_mw=low_mw,
        high_mw=high_mw,
        overhead=overhead,
        standby_mw=standby,
        hash_value=np.array([k.hash_value_usd_per_th_s_h for k in classes]),
        low_hash_th_s=np.array(
            [np.interp(row, k.it_power_mw, k.hash_rate_th_s) for k, row in zip(classes, low_mw, strict=True)]
        ),
        runnable=np.array([k.runnable for k in classes]),
        must_run=np.array([k.must_run for k in classes]),
        count=np.array([k.count for k in classes]),
        gain_low_mw=gain_low,
        gain_high_mw=gain_high,
        rising=bool(min(gain_low.min(), gain_high.min()) >= 0.0),
        base_load_mw=site.base_load_mw,
        rest_mw=site.base_load_mw + at_rest.sum(axis=0),
        ceiling_mw=np.minimum(site.cap_mw, cumulative[:, -1]),
        floor_mw=np.asarray(site.minimum_mw, dtype=np.float64),
        ramp_up_mw=np.inf if site.ramp_up_mw_per_step is None else site.ramp_up_mw_per_step,
        ramp_down_mw=np.inf if site.ramp_down_mw_per_step is None else site.ramp_down_mw_per_step,
        feeder_of_class=feeder_of_class,
        feeder_cap_mw=feeder_cap,
        feeder_matrix=feeder_matrix,
        feeder_room_mw=feeder_cap[:, None] - feeder_matrix.T @ at_rest,
        offers=tuple(map(Offer, cumulative, prices, order.T, earning, up_to(cumulative, earning))),
        piece_class=piece_class,
        piece_mw=piece_mw,
        piece_usd_per_mwh=piece_usd,
        piece_from_mw=piece_from,
    )


def up_to(cumulative_mw: Floats, number: Ints) -> Floats:
    """Return the power of the first so many sources together [MW].

    Parameters
    ----------
    cumulative_mw : ndarray, shape (..., J)
        Power of each source with that of those before it.
    number : ndarray of int, shape (..., S)
        How many of them.
    """
    last = np.broadcast_to(np.maximum(number - 1, 0), (*cumulative_mw.shape[:-1], number.shape[-1]))
    return np.where(number > 0, np.take_along_axis(cumulative_mw, last, axis=-1), 0.0)


def _pieces(problem: Problem) -> tuple[Ints, Floats, Floats, Floats]:
    """Return class, width, value and beginning of the pieces of all mode curves, most expensive first, each (T, S)."""
    owner: list[int] = []
    width, value, begin = [], [], []
    for i, k in enumerate(problem.classes):
        low = k.lowest_it_power_mw
        edges = np.clip(k.it_power_mw, low[:, None], np.maximum(low, k.highest_it_power_mw)[:, None])
        slopes = np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw)
        width.append(np.diff(edges, axis=1) * k.overhead[:, None])
        value.append((k.hash_value_usd_per_th_s_h / k.overhead)[:, None] * slopes)
        begin.append(edges[:, :-1])
        owner += [i] * len(slopes)
    values = np.concatenate(value, axis=1)
    # Stable, so that the pieces of one curve keep their order even where hash is worth nothing.
    order = np.argsort(-values, axis=1, kind="stable")
    widths, values, begins = (
        np.take_along_axis(x, order, axis=1)
        for x in (np.concatenate(width, axis=1), values, np.concatenate(begin, axis=1))
    )
    return np.asarray(owner, dtype=np.int64)[order], widths, values, begins


def fill(
    limits: Limits, t: int, offer: Offer, least_mw: Floats, room_mw: Floats, *, floor_mw: Floats, ceiling_mw: Floats
) -> tuple[Floats, Floats, Floats]:
    r"""Return what is taken of each piece of the mode curves, what the site draws, and by how much limits are missed.

    Pieces, most expensive hash first, are taken while they earn more than the next MWh costs, or while the floor is not
    reached.  Caps are nested (feeders within the site) and the cost of energy is convex in the total, so that this
    greedy order is optimal.

    Parameters
    ----------
    limits : Limits
    t : int
    offer : Offer
        Power on offer; its candidates broadcast against those of the others.
    least_mw : ndarray, shape (..., K)
        Facility power of the classes, all that run at their lowest, preheat and standby included [MW].
    room_mw : ndarray, shape (..., S)
        Power of each piece, together in its class, at the meter [MW].
    floor_mw, ceiling_mw : ndarray, shape (...)
        Facility power of the site must lie between them [MW].

    Returns
    -------
    added_mw : ndarray, shape (..., S)
    total_mw, excess_mw : ndarray, shape (...)
        Facility power of the site; 0 excess where all limits are kept.

    Notes
    -----
    The level :math:`L_j` up to which piece `j` is worth its power never rises along the merit order, so once a level
    stops a piece it stops all that follow: with :math:`C_j` the room of the pieces up to `j`, what is drawn after it is
    :math:`\max(T_0, \max_{i \le j} \min(T_0 + C_i, L_i))`.
    """
    least = limits.base_load_mw[t] + least_mw @ np.ones(least_mw.shape[-1])
    excess = np.maximum(least - ceiling_mw, 0.0)
    for f, cap in enumerate(limits.feeder_cap_mw[:-1]):
        left = cap - least_mw[..., limits.feeder_of_class == f].sum(axis=-1)
        excess = excess + np.maximum(-left, 0.0)
        own = limits.feeder_of_class[limits.piece_class[t]] == f
        passed = np.minimum(np.cumsum(room_mw[..., own], axis=-1), np.maximum(left, 0.0)[..., None])
        room_mw = room_mw.copy()
        room_mw[..., own] = np.diff(passed, axis=-1, prepend=0.0)
    level = np.minimum(ceiling_mw[..., None], np.maximum(offer.earning_mw, floor_mw[..., None]))
    drawn = np.minimum(least[..., None] + np.cumsum(room_mw, axis=-1), level)
    drawn = np.maximum(np.maximum.accumulate(drawn, axis=-1), least[..., None])
    total = drawn[..., -1] if drawn.shape[-1] else least
    added = drawn - np.concatenate([least[..., None], drawn[..., :-1]], axis=-1)
    return added, total, excess + np.maximum(floor_mw - total, 0.0)


def meter_load(limits: Limits, t: int, counts: Floats | Ints, it_power_mw: Floats, preheat_mw: Floats) -> Floats:
    """Return the facility power of the classes [MW], shape (..., K).

    Parameters
    ----------
    limits : Limits
    t : int
    counts, it_power_mw, preheat_mw : ndarray, shape (..., K)
        Running containers of each class, their IT power together, and preheat at the meter [MW].
    """
    at_rest = (limits.count - counts) * limits.standby_mw[:, t]
    return np.asarray(limits.overhead[:, t] * it_power_mw + at_rest + preheat_mw)


def it_added(limits: Limits, t: int, added_mw: Floats) -> Floats:
    """Return the IT power of the classes [MW], shape (..., K), of what `added_mw` takes of the pieces [MW]."""
    own = np.eye(len(limits.count))[limits.piece_class[t]] / limits.overhead[:, t]
    return np.asarray(added_mw @ own)


def equal_shares(limits: Limits, t: int, counts: Ints, least_mw: Floats, ceiling_mw: float) -> Floats:
    """Return how much of each piece of the mode curves is taken [MW], shape (S,), where all that run draw the same.

    Every running container gets the same IT power, within its own lowest and highest and what its feeder lets through,
    up to a ceiling of the site.

    Parameters
    ----------
    limits : Limits
    t : int
    counts : ndarray of int, shape (K,)
        Running containers of each class.
    least_mw : ndarray, shape (K,)
        Facility power of the classes, all that run at their lowest, preheat and standby included [MW].
    ceiling_mw : float
        Highest facility power of the site [MW].
    """
    low, high = limits.low_mw[:, t], np.maximum(limits.low_mw[:, t], limits.high_mw[:, t])
    weight = counts * limits.overhead[:, t]
    fixed = least_mw - weight * low
    highest = high.copy()
    for f, cap in enumerate(limits.feeder_cap_mw):
        own = limits.feeder_of_class == f
        highest[own] = np.minimum(high, _level(weight[own], low[own], high[own], cap - fixed[own].sum()))[own]
    highest = np.maximum(low, highest)
    room = ceiling_mw - limits.base_load_mw[t] - fixed.sum()
    power = np.clip(_level(weight, low, highest, room), low, highest)
    of = limits.piece_class[t]
    width = limits.piece_mw[t] / limits.overhead[of, t]
    return np.asarray(weight[of] * np.clip(power[of] - limits.piece_from_mw[t], 0.0, width))


def _level(weight: Floats, low: Floats, high: Floats, room_mw: float) -> float:
    """Return the level p at which the sum of weight x clip(p, low, high) reaches `room_mw`; else the highest."""
    if weight.sum() == 0:
        return np.inf
    levels = np.unique(np.concatenate([low, high]))
    drawn = (weight * np.clip(levels[:, None], low, high)).sum(axis=1)
    return float(np.interp(room_mw, drawn, levels))
