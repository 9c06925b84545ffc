"""Power of the containers that run: alike in each class, or each with its own where a container ramp holds.

Shapes: P walks, M candidates, K classes, N containers of all classes, S pieces of all mode curves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.baselines.dispatch import Limits, it_added
from flexmine.baselines.fleets import Fleets, Held
from flexmine.problem import Floats, Ints, Problem

SAME_MW = 1e-9


@dataclass(frozen=True)
class Basis:
    """What is drawn and earned where all that run draw their least, and what may be added.

    Attributes
    ----------
    it_mw : ndarray, shape (..., K)
        IT power of each class.
    room_mw : ndarray, shape (..., S)
        Power of each piece of the mode curves, together in its class, at the meter.
    revenue_usd_per_h : ndarray, shape (...)
    """

    it_mw: Floats
    room_mw: Floats
    revenue_usd_per_h: Floats

    def only(self, candidate: int) -> Basis:
        """Return the one with number `candidate` of all walks, which are the first dimension."""
        return Basis(self.it_mw[:, candidate], self.room_mw[:, candidate], self.revenue_usd_per_h[:, candidate])


class Alike:
    """Containers of one class share its power equally.

    Attributes
    ----------
    place : ndarray of int, shape (N,)
        Where the power of each container stands in what :meth:`settle` returns.
    missed_mw : ndarray, shape (P,)
        By how much the ramp of containers is missed.
    """

    def __init__(self, problem: Problem, limits: Limits, fleets: Fleets):
        self.limits, self.fleets, self.place = limits, fleets, fleets.of
        self.missed_mw = np.zeros(fleets.walks)

    def begin(self, t: int) -> Held | None:
        """Return whom the power of step `t` - 1 forbids to start or stop in step `t`."""
        return None

    def basis(self, t: int, counts: Ints, starts: Ints, stops: Ints, rows: slice | Ints) -> Basis:
        """Return the basis of candidates of the walks `rows`; `counts`, `starts`, `stops` have shape (P, M, K)."""
        limits = self.limits
        return Basis(
            counts * limits.low_mw[:, t],
            counts[..., limits.piece_class[t]] * limits.piece_mw[t],
            counts @ (limits.hash_value[:, t] * limits.low_hash_th_s[:, t]),
        )

    def settle(self, t: int, counts: Ints, basis: Basis, added_mw: Floats) -> Floats:
        """Return the IT power of one that runs, of each class, (P, K); `counts` has shape (P, K), `added_mw` (P, S)."""
        return (basis.it_mw + it_added(self.limits, t, added_mw)) / np.maximum(counts, 1)


class Ramped(Alike):
    """Each container has its own power, since a ramp ties it to what it drew before.

    One that starts, and one in its last step before a stop, draws its lowest power.  A rule that knows no prices ahead
    stops whom it finds at the lowest power; only where fewer may run in the next step, all of the class go down to it.
    """

    def __init__(self, problem: Problem, limits: Limits, fleets: Fleets):
        super().__init__(problem, limits, fleets)
        self.place = np.arange(len(fleets.of))
        self.classes, self.first = problem.classes, fleets.first
        ramps = [k.container_ramp_mw_per_step for k in problem.classes]
        self.ramp = np.array([np.inf if r is None else r for r in ramps])
        self.slow = np.isfinite(self.ramp)
        before = np.array([h.it_power_mw for k in problem.classes for h in k.history for _ in range(h.count)])
        self.before = np.where(fleets.on & (before > 0), before, np.nan)
        # Power from which later lowest and highest powers are still reached.
        self.lowest, self.highest = limits.low_mw.copy(), np.maximum(limits.low_mw, limits.high_mw)
        for t in range(problem.steps - 2, -1, -1):
            self.lowest[:, t] = np.maximum(self.lowest[:, t], self.lowest[:, t + 1] - self.ramp)
            self.highest[:, t] = np.minimum(self.highest[:, t], self.highest[:, t + 1] + self.ramp)

    def begin(self, t: int) -> Held:
        """Return whom the power of step `t` - 1 forbids to start or stop in step `t`."""
        limits, of = self.limits, self.fleets.of
        above = np.zeros(self.before.shape, dtype=bool)
        if t > 0:
            above = self.slow[of] & (np.nan_to_num(self.before) > limits.low_mw[of, t - 1] + SAME_MW)
        self._low, self._high = self._range(t, self.before, of, self._glide(t)[:, of])
        return Held(above, self.slow & (limits.low_mw[:, t] < self.lowest[:, t] - SAME_MW))

    def _range(self, t: int, before: Floats, of: Ints, glide: Floats | float) -> tuple[Floats, Floats]:
        """Return lowest and highest power in step `t` of containers of classes `of` that drew `before`, (..., N)."""
        low = np.fmax(self.lowest[of, t], before - self.ramp[of])
        high = np.minimum(np.fmin(self.highest[of, t], before + self.ramp[of]), glide)
        return low, np.maximum(low, high)

    def _highest(self, t: int) -> Floats:
        """Return the highest power that range and ramp allow each container, (P, N)."""
        of, limits = self.fleets.of, self.limits
        highest = np.maximum(limits.low_mw, limits.high_mw)[of, t]
        return np.asarray(np.fmin(highest, self.before + self.ramp[of]))

    def _glide(self, t: int) -> Floats:
        """Return the most from which a class is at its lowest power before a step in which fewer may run, (P, K)."""
        limits, running = self.limits, np.add.reduceat(self.fleets.on, self.first, axis=1, dtype=np.int64)
        glide = np.full(running.shape, np.inf)
        for s in range(t + 1, limits.low_mw.shape[1]):
            reached = limits.low_mw[:, s - 1] + (self.ramp * (s - 1 - t) if s > t + 1 else 0.0)
            if np.all(reached >= self.highest[:, t]):
                break
            fewer = (running > limits.runnable[:, s]) | (
                limits.rest_mw[s] + running @ limits.gain_low_mw[:, s] > limits.ceiling_mw[s]
            )[:, None]
            glide = np.where(fewer & self.slow, np.minimum(glide, reached), glide)
        return glide

    def basis(self, t: int, counts: Ints, starts: Ints, stops: Ints, rows: slice | Ints) -> Basis:
        """Return the basis of candidates of the walks `rows`; `counts`, `starts`, `stops` have shape (P, M, K)."""
        limits, on, own = self.limits, self.fleets.on, self.limits.piece_class[t]
        now, (low, high) = self._sums(t, on, self._low, self._high), self._of_a_stop(t)
        low, high = (np.broadcast_to(x, (len(on), x.shape[1]))[rows] for x in (low, high))
        room = now.room_mw[rows, None] - stops[..., own] * self._overlap(t, low, high)[:, None]
        room = np.maximum(room, 0.0) + (starts * ~self.slow)[..., own] * limits.piece_mw[t]
        revenue = (starts * self._revenue(t, limits.low_mw[:, t]) - stops * self._revenue(t, low)[:, None]).sum(axis=-1)
        it_mw = now.it_mw[rows, None] + starts * limits.low_mw[:, t] - stops * low[:, None]
        return Basis(it_mw, room, now.revenue_usd_per_h[rows, None] + revenue)

    def _of_a_stop(self, t: int) -> tuple[Floats, Floats]:
        """Return lowest and highest power that one of each class would have had that stops in step `t`, (P, K)."""
        if t > 0:
            low, high = self._range(t, self.limits.low_mw[:, t - 1], np.arange(len(self.ramp)), np.inf)
            return low[None], high[None]
        # Before step 0 powers differ; a mean is near enough to choose by, and what is chosen is summed up exactly.
        on = self.fleets.on
        number = np.maximum(1, np.add.reduceat(on, self.first, axis=1, dtype=np.int64))
        low, high = (
            np.add.reduceat(np.where(on, x, 0.0), self.first, axis=1) / number for x in (self._low, self._high)
        )
        return low, high

    def basis_after(self, t: int, started: NDArray[np.bool_]) -> Basis:
        """Return the basis once containers have started and stopped; `started`, (P, N), are at their lowest power."""
        of, low = self.fleets.of, self.limits.low_mw[:, t][self.fleets.of]
        self._low = np.where(started, low, self._low)
        self._high = np.where(started, np.where(self.slow[of], low, self.highest[of, t]), self._high)
        return self._sums(t, self.fleets.on, self._low, self._high)

    def settle(self, t: int, counts: Ints, basis: Basis, added_mw: Floats) -> Floats:
        """Return the IT power of each container, (P, N); `counts`, `added_mw` as for :class:`Alike`."""
        share = added_mw / np.where(basis.room_mw > 0, basis.room_mw, 1.0)
        power = np.where(self.fleets.on, self._low, 0.0)
        for j, k in enumerate(self.limits.piece_class[t]):
            own = self._containers(k)
            power[:, own] += share[:, j, None] * self._of_piece(t, j, own) / self.limits.overhead[k, t]
        # Nobody could keep the ramp and the range of the step: who had drawn too much or too little before.
        over = np.where(self.fleets.on, self._low - self._highest(t), 0.0)
        self.missed_mw += np.where(over > SAME_MW, over, 0.0).sum(axis=1)
        self.before = np.where(self.fleets.on, power, np.nan)
        return power

    def _containers(self, k: int) -> slice:
        return slice(int(self.first[k]), int(self.first[k] + self.limits.count[k]))

    def _of_piece(self, t: int, j: int, own: slice) -> Floats:
        """Return how much of piece `j` each container of its class may take, at the meter, (P, containers)."""
        k = self.limits.piece_class[t, j]
        begin, overhead = self.limits.piece_from_mw[t, j], self.limits.overhead[k, t]
        end = begin + self.limits.piece_mw[t, j] / overhead
        width = np.minimum(self._high[:, own], end) - np.maximum(self._low[:, own], begin)
        return np.asarray(np.where(self.fleets.on[:, own], overhead * np.maximum(width, 0.0), 0.0))

    def _sums(self, t: int, on: NDArray[np.bool_], low: Floats, high: Floats) -> Basis:
        pieces = enumerate(self.limits.piece_class[t])
        room = [self._of_piece(t, j, self._containers(k)).sum(axis=1) for j, k in pieces]
        revenue = np.zeros(len(on))
        for i, k in enumerate(self.classes):
            own = self._containers(i)
            rate = np.interp(low[:, own], k.it_power_mw, k.hash_rate_th_s)
            revenue += self.limits.hash_value[i, t] * np.where(on[:, own], rate, 0.0).sum(axis=1)
        it_mw = np.add.reduceat(np.where(on, low, 0.0), self.first, axis=1)
        return Basis(it_mw, np.array(room).reshape(len(room), len(on)).T, revenue)

    def _overlap(self, t: int, low: Floats, high: Floats) -> Floats:
        """Return how much of each piece lies between two powers of its class, at the meter, (..., S)."""
        k = self.limits.piece_class[t]
        begin, overhead = self.limits.piece_from_mw[t], self.limits.overhead[k, t]
        end = begin + self.limits.piece_mw[t] / overhead
        return np.asarray(overhead * np.maximum(0.0, np.minimum(high[..., k], end) - np.maximum(low[..., k], begin)))

    def _revenue(self, t: int, low: Floats) -> Floats:
        """Return the hash revenue of one container of each class at a power, in an hour [USD], (..., K)."""
        rates = [np.interp(low[..., i], k.it_power_mw, k.hash_rate_th_s) for i, k in enumerate(self.classes)]
        return np.asarray(self.limits.hash_value[:, t] * np.stack(rates, axis=-1))
