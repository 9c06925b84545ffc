"""Limits of energy in a walk: how much power a step may and must draw for its windows to end within their limits.

Shapes: P walks, M candidates, J sources, L limits of energy, W steps of a window from the present one on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flexmine.baselines.dispatch import Limits, Offer, up_to
from flexmine.problem import EnergyLimit, Floats, Ints, Problem


class Budgets:
    """What is left of each limit of energy, in P walks.

    Attributes
    ----------
    taken_mwh : ndarray, shape (P, L)
    supply_mw : ndarray, shape (P, J, T)
    """

    def __init__(self, problem: Problem, limits: Limits, walks: int, still_mw: Floats, most_mw: Floats):
        names = [s.name for s in problem.sources]
        self.limits, self.step_h, self.walks = limits, problem.time.step_h, walks
        self.energy = problem.site.energy_limits
        self.source = [None if e.source is None else names.index(e.source) for e in self.energy]
        self.available = np.array([s.available_mw for s in problem.sources])
        self.price = np.array([s.price_usd_per_mwh for s in problem.sources])
        self.still_mw, self.most_mw = still_mw, most_mw
        self.taken_mwh = np.tile([e.taken_mwh for e in self.energy], (walks, 1))
        self.supply_mw = np.zeros((walks, len(names), problem.steps))

    def _open(self, t: int) -> list[tuple[int, EnergyLimit, int | None]]:
        """Return number, limit and source of the limits whose window holds step `t`."""
        numbered = enumerate(zip(self.energy, self.source, strict=True))
        return [(i, e, j) for i, (e, j) in numbered if e.first_step <= t < e.first_step + e.steps]

    def _least(self, t: int, e: EnergyLimit, j: int | None, least_ahead_mw: Floats) -> tuple[Floats, Floats]:
        """Return what the rest of a window must draw at least of the limit's source, and what others offer, (P, W)."""
        window = slice(t, e.first_step + e.steps)
        least = np.tile(self.still_mw[window], (self.walks, 1))
        own = least[:, 1 : 1 + least_ahead_mw.shape[1]]
        own[:] = np.maximum(own, least_ahead_mw[:, : own.shape[1]])
        others = np.zeros(least.shape[1]) if j is None else np.delete(self.available, j, axis=0)[:, window].sum(axis=0)
        return np.maximum(least - others, 0.0), others

    def sides(self, t: int, least_ahead_mw: Floats) -> tuple[Floats, Floats]:
        """Return lowest and highest facility power of step `t` that ramps let end within all limits, each (P,) [MW].

        Parameters
        ----------
        t : int
        least_ahead_mw : ndarray, shape (P, H)
            Facility power that is bound in the steps after `t`.
        """
        limits = self.limits
        floor, ceiling = np.full(self.walks, -np.inf), np.full(self.walks, np.inf)
        for i, e, j in self._open(t):
            distance = np.arange(e.first_step + e.steps - t)
            if e.at_most_mwh is not None:
                least, others = self._least(t, e, j, least_ahead_mw)
                left = (e.at_most_mwh - self.taken_mwh[:, i]) / self.step_h
                ceiling = np.minimum(ceiling, _level(least, _ramped(limits.ramp_down_mw, distance) + others, left))
            if e.at_least_mwh is not None:
                most = self._most(t, e, j)
                need = (e.at_least_mwh - self.taken_mwh[:, i]) / self.step_h
                ramped = _ramped(limits.ramp_up_mw, distance)
                lowest = -_level(np.tile(-most, (self.walks, 1)), ramped, -need)
                floor = np.maximum(floor, np.minimum(lowest, most[0]))
        return floor, ceiling

    def _most(self, t: int, e: EnergyLimit, j: int | None) -> Floats:
        """Return what the rest of a window can draw of the limit's source, (W,)."""
        window = slice(t, e.first_step + e.steps)
        return self.most_mw[window] if j is None else np.minimum(self.most_mw, self.available[j])[window]

    def sides_of(
        self,
        t: int,
        least_ahead_mw: Floats,
        most_ahead_mw: Floats,
        past_mw: Callable[[int], Floats],
        rows: slice | Ints,
    ) -> tuple[Floats, Floats]:
        """Return lowest and highest facility power of step `t` for what candidates bind later, each (P, M) [MW].

        Parameters
        ----------
        t : int
        least_ahead_mw, most_ahead_mw : ndarray, shape (P, M, H)
            Facility power that must and can be drawn in the steps after `t`.
        past_mw : callable
            From a step to what candidates have added to the power of steps from that one to `t`, together, (P, M).
        rows : slice or ndarray of int
            The walks whose candidates they are.
        """
        floor, ceiling = np.full(least_ahead_mw.shape[:2], -np.inf), np.full(least_ahead_mw.shape[:2], np.inf)
        for i, e, j in self._open(t):
            later = slice(t + 1, e.first_step + e.steps)
            ahead = min(least_ahead_mw.shape[2], e.first_step + e.steps - t - 1)
            others = np.zeros(self.limits.ceiling_mw.size)
            if j is not None:
                others = np.delete(self.available, j, axis=0).sum(axis=0)
            if e.at_most_mwh is not None:
                left = (e.at_most_mwh - self.taken_mwh[rows, i, None]) / self.step_h - past_mw(e.first_step)
                near = np.maximum(least_ahead_mw[:, :, :ahead] - others[later][:ahead], 0.0).sum(axis=2)
                far = np.maximum(self.still_mw - others, 0.0)[later][ahead:].sum()
                ceiling = np.minimum(ceiling, left - near - far + others[t])
            if e.at_least_mwh is not None:
                most, need = self._most(t, e, j), (e.at_least_mwh - self.taken_mwh[rows, i, None]) / self.step_h
                near = np.minimum(most_ahead_mw[:, :, :ahead], most[1 : 1 + ahead]).sum(axis=2)
                floor = np.maximum(floor, need - near - most[1 + ahead :].sum())
        return floor, ceiling

    def offer(self, t: int, least_ahead_mw: Floats, power_mw: Floats) -> Offer:
        """Return the power on offer in step `t`.

        Parameters
        ----------
        t : int
        least_ahead_mw : ndarray, shape (P, H)
            Facility power that is bound in the steps after `t`.
        power_mw : ndarray, shape (P,)
            Facility power of step `t`, from which it falls no faster than its ramp.
        """
        available = np.tile(self.available[:, t], (self.walks, 1))
        free, forced = available.copy(), np.zeros(available.shape)
        for i, e, j in self._open(t):
            if j is None:
                continue
            if e.at_most_mwh is not None:
                left = (e.at_most_mwh - self.taken_mwh[:, i]) / self.step_h
                least, others = self._least(t, e, j, least_ahead_mw)
                falling = power_mw[:, None] - _ramped(self.limits.ramp_down_mw, np.arange(least.shape[1])) - others
                kept = np.maximum(least, falling)[:, 1:].sum(axis=1)
                available[:, j] = np.minimum(available[:, j], np.maximum(left, 0.0))
                free[:, j] = np.minimum(free[:, j], np.maximum(left - kept, 0.0))
            if e.at_least_mwh is not None:
                need = (e.at_least_mwh - self.taken_mwh[:, i]) / self.step_h - self._most(t, e, j)[1:].sum()
                forced[:, j] = np.maximum(forced[:, j], need)
        free = np.maximum(free, 0.0)
        forced = np.clip(forced, 0.0, free)
        order, plain = self.limits.offers[t].source, self.limits.offers[t]
        columns = np.concatenate([forced[:, order], (free - forced)[:, order], (available - free)[:, order]], axis=1)
        source = np.tile(order, 3)
        cumulative, earning = np.cumsum(columns, axis=1)[:, None], len(order) + plain.earning
        return Offer(cumulative, self.price[source, t], source, earning, up_to(cumulative, earning))

    def free_mw(self, offer: Offer) -> Floats:
        """Return the power that may be taken with nothing kept back for later steps, (P,) [MW]."""
        return np.asarray(offer.cumulative_mw[:, 0, 2 * len(self.available) - 1])

    def forced_mw(self, offer: Offer) -> Floats:
        """Return the power that has to be taken, (P,) [MW]."""
        return np.asarray(offer.cumulative_mw[:, 0, len(self.available) - 1])

    def more(self, t: int) -> Offer:
        """Return what a step that is decided may draw: what it has taken, and what limits now leave beyond that."""
        taken = self.supply_mw[:, :, t]
        rest = np.maximum(self.available[:, t] - taken, 0.0)
        site = np.full(self.walks, np.inf)
        for i, e, j in self._open(t):
            if e.at_most_mwh is not None:
                left = np.maximum(e.at_most_mwh - self.taken_mwh[:, i], 0.0) / self.step_h
                if j is None:
                    site = np.minimum(site, left)
                else:
                    rest[:, j] = np.minimum(rest[:, j], left)
        plain = self.limits.offers[t]
        beyond = np.minimum(np.cumsum(rest[:, plain.source], axis=1), site[:, None])
        cumulative = np.concatenate([np.cumsum(taken, axis=1), taken.sum(axis=1, keepdims=True) + beyond], axis=1)
        source = np.concatenate([np.arange(len(self.available)), plain.source])
        return Offer(cumulative[:, None], self.price[source, t], source, plain.earning, plain.earning_mw)

    def take(self, t: int, offer: Offer, power_mw: Floats) -> None:
        """Note `power_mw` as the facility power of step `t`, (P,), in place of what was noted for it before."""
        columns = np.diff(np.minimum(power_mw[:, None], offer.cumulative_mw[:, 0]), axis=1, prepend=0.0)
        columns[:, -1] += np.maximum(power_mw - offer.cumulative_mw[:, 0, -1], 0.0)
        supply = columns @ np.eye(len(self.available))[offer.source]
        more, self.supply_mw[:, :, t] = supply - self.supply_mw[:, :, t], supply
        for i, _, j in self._open(t):
            self.taken_mwh[:, i] += self.step_h * (more.sum(axis=1) if j is None else more[:, j])

    def cost_usd(self) -> Floats:
        """Return the energy cost of all steps [USD], (P,)."""
        return np.asarray(self.step_h * (self.supply_mw * self.price).sum(axis=(1, 2)))

    def missed(self) -> Floats:
        """Return by how much each limit is missed at the end of its window, and each source in each step, (P, ...)."""
        least = np.array([-np.inf if e.at_least_mwh is None else e.at_least_mwh for e in self.energy])
        most = np.array([np.inf if e.at_most_mwh is None else e.at_most_mwh for e in self.energy])
        energy = np.maximum(self.taken_mwh - most, least - self.taken_mwh)
        power = (self.supply_mw - self.available).reshape(self.walks, -1)
        return np.concatenate([energy, power], axis=1)


def _ramped(ramp_mw: float, distance: Ints) -> Floats:
    """Return by how much a ramp may have changed power so many steps later [MW]."""
    return np.where(distance > 0, ramp_mw, 0.0) * np.maximum(distance, 1)


def _level(least: Floats, slack: Floats, budget: Floats) -> Floats:
    r"""Return the largest power :math:`x` with :math:`\sum_d \max(a_d, x - b_d) \le B`, shape (P,).

    The sum is the largest of :math:`\sum_{d \in D} (x - b_d) + \sum_{d \notin D} a_d` over all sets :math:`D`, and the
    sets that matter hold the smallest :math:`a_d + b_d`: the bound is the least of what those sets allow.

    Parameters
    ----------
    least : ndarray, shape (P, W)
        :math:`a`.
    slack : ndarray, shape (W,)
        :math:`b`; infinite where power may change freely.
    budget : ndarray, shape (P,)
        :math:`B`.
    """
    free = np.isinf(slack)
    budget, least, slack = budget - least[:, free].sum(axis=1), least[:, ~free], slack[~free]
    order = np.argsort(least + slack, axis=1)
    a, b = np.take_along_axis(least, order, axis=1), slack[order]
    rest = a.sum(axis=1, keepdims=True) - np.cumsum(a, axis=1)
    return np.asarray(((budget[:, None] - rest + np.cumsum(b, axis=1)) / np.arange(1, a.shape[1] + 1)).min(axis=1))
