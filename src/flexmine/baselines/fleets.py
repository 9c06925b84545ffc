"""The containers of all classes in many walks at once: who may start or stop, what it costs, what it binds later.

Shapes: P walks, K classes, N containers of all classes, H + 1 steps from this one on, G kinds of start: warm, the tiers
between, cold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.baselines.dispatch import Limits
from flexmine.problem import Ints, Problem

# Beyond all steps and histories, small enough for three of its kind in one sort key.
FAR = 1 << 20


@dataclass(frozen=True)
class Look:
    """What the containers may do in one step, in each walk.

    Attributes
    ----------
    running, fewest, most : ndarray of int, shape (P, K)
        Containers that ran in the step before, and between which counts the class may go.
    ready : ndarray of int, shape (P, K, G)
        Containers that may start, by kind of start.
    unspent : ndarray of int, shape (P, K)
        Of those that may stop, so many may start again on the same day.
    bound, kept_off : ndarray of int, shape (P, K, H + 1)
        Containers that have to run, and that cannot run, whatever is decided.
    """

    running: Ints
    fewest: Ints
    most: Ints
    ready: Ints
    unspent: Ints
    bound: Ints
    kept_off: Ints


@dataclass(frozen=True)
class Held:
    """Whom a ramp of containers forbids to stop, (P, N), and which classes to start, (K,)."""

    from_stopping: NDArray[np.bool_]
    from_starting: NDArray[np.bool_]


class Fleets:
    """The state of all containers in P walks, in the order of the problem.

    Attributes
    ----------
    on : ndarray of bool, shape (P, N)
    of : ndarray of int, shape (N,);  first : ndarray of int, shape (K,)
        Class of each container; the first container of each class.
    cost_usd, heat_mwh : ndarray, shape (T, G, K)
        What a start of each kind costs, and its preheat at the meter.
    ahead : ndarray of int, shape (K,)
        Steps before the start over which it is preheated; 0: in its step.
    """

    def __init__(self, problem: Problem, walks: int):
        classes, steps = problem.classes, problem.steps
        tiers = max(len(k.start.tiers) for k in classes)
        self.kinds, self.walks, self.steps = tiers + 2, walks, steps
        self.count = np.array([k.count for k in classes])
        self.of = np.repeat(np.arange(len(classes)), self.count)
        self.first = np.cumsum(self.count) - self.count
        self._rank = np.arange(len(self.of)) - self.first[self.of]
        self._place = np.arange(walks)[:, None] * len(classes) + self.of
        self.up = np.array([k.min_up_steps for k in classes])
        self.down = np.array([k.min_down_steps for k in classes])
        self.ahead = np.array([k.preheat_steps for k in classes])
        self.cost_usd, self.heat_mwh = np.zeros((2, steps, self.kinds, len(classes)))
        # Until when a start is of each kind but cold, counted from the stop; kinds that a class has not end at once.
        self._window = np.full((steps, self.kinds - 1, len(classes)), -FAR)
        self._preheated = np.zeros((self.kinds, len(classes)), dtype=bool)
        for i, k in enumerate(classes):
            cost = [k.start.warm_cost_usd, *(g.cost_usd for g in k.start.tiers), k.start.cold_cost_usd]
            heat = [np.zeros(steps), *(g.energy_mwh for g in k.start.tiers), k.start.cold_energy_mwh]
            for kind, own_cost, own_heat in zip([*range(len(cost) - 1), -1], cost, heat, strict=True):
                self.cost_usd[:, kind, i], self.heat_mwh[:, kind, i] = own_cost, own_heat
            for kind, off in enumerate([k.start.warm_off_steps, *(g.off_steps for g in k.start.tiers)]):
                self._window[:, kind, i] = np.minimum(off, FAR)
            self._preheated[1:-1, i] = [g.preheated for g in k.start.tiers] + [False] * (tiers - len(k.start.tiers))
            self._preheated[-1, i] = True
        self._days = problem.site.day_of_step if any(k.max_starts_per_day is not None for k in classes) else None
        self._most_starts = np.array([FAR if k.max_starts_per_day is None else k.max_starts_per_day for k in classes])
        self._set_histories(problem)

    def _set_histories(self, problem: Problem) -> None:
        entries = [(i, h) for i, k in enumerate(problem.classes) for h in k.history]
        counts = [h.count for _, h in entries]
        until = np.empty((len(entries), self.kinds - 1), dtype=np.int64)
        for row, (i, h) in enumerate(entries):
            until[row] = self._window[0, :, i] - h.steps
            for kind, step in enumerate([h.warm_until_step, *(h.tier_until_steps or ())]):
                if step is not None:
                    until[row, kind] = step

        def of_all(values: list[bool] | list[int] | Ints) -> NDArray[np.int64]:
            one = np.repeat(np.asarray(values), counts, axis=0)
            return np.repeat(one[None], self.walks, axis=0)

        self.on = of_all([h.on for _, h in entries]).astype(bool)
        self._since = of_all([-h.steps for _, h in entries])
        self._until = np.clip(of_all(until), -FAR, FAR)
        self._starts_today = of_all([h.starts_today for _, h in entries])

    @property
    def limited(self) -> bool:
        """Whether starts are limited by day."""
        return self._days is not None

    @property
    def horizon(self) -> int:
        """For how many steps a choice can bind a container."""
        if self._days is not None:
            return self.steps
        return int(min(self.steps, max(self.up.max(), self.down.max(), self.ahead.max())))

    def barred_until(self, t: int) -> Ints:
        """Return from when on one of each class that has used up its starts of the day of `t` may start again, (K,)."""
        assert self._days is not None
        tomorrow = int(np.searchsorted(self._days, self._days[t], side="right"))
        return np.where(self._most_starts == 0, self.steps, tomorrow)

    def look(self, t: int, ahead: int, limits: Limits, held: Held | None = None) -> Look:
        """Return what may be done in step `t`, and what is bound up to `ahead` steps later.

        Parameters
        ----------
        t, ahead : int
        limits : Limits
        held : Held, optional
            Whom a ramp of containers forbids to change.
        """
        K, G = len(self.count), self.kinds
        if self._days is not None and t > 0 and self._days[t] != self._days[t - 1]:
            self._starts_today[:] = 0
        free = self._since + np.where(self.on, self.up[self.of], self.down[self.of])
        spent = self._starts_today >= self._most_starts[self.of] if self._days is not None else None
        if spent is not None:
            free = np.where(spent & ~self.on, np.maximum(free, self.barred_until(t)[self.of]), free)
        # One group for each kind of start, then: stays as it is, may stop, may stop but then stays off for the day.
        ready = free <= t
        group = np.full(free.shape, G - 1)
        for kind in range(G - 2, -1, -1):
            group = np.where(t <= self._until[:, :, kind], kind, group)
        if t < self.ahead.max():
            group = np.where(self._preheated[group, self.of] & (t < self.ahead[self.of]), G, group)
        stops = ready
        if held is not None:
            stops, group = ready & ~held.from_stopping, np.where(held.from_starting[self.of], G, group)
        stop = G + 1 if spent is None else G + 1 + spent
        self._group = np.where(self.on, np.where(stops, stop, G), np.where(ready, group, G))
        number = np.bincount((self._place * (G + 3) + self._group).ravel(), minlength=self.walks * K * (G + 3))
        number = number.reshape(self.walks, K, G + 3)
        self._stoppable = number[:, :, G + 1 :].sum(axis=2)
        still = np.clip(free - t, 0, ahead + 1)
        later = np.bincount(
            ((self._place * 2 + self.on) * (ahead + 2) + still).ravel(), minlength=self.walks * K * 2 * (ahead + 2)
        ).reshape(self.walks, K, 2, ahead + 2)
        later = np.cumsum(later[..., ::-1], axis=-1)[..., ::-1][..., 1:]
        running = np.add.reduceat(self.on, self.first, axis=1, dtype=np.int64)
        look = Look(running, running, running, number[:, :, :G], number[:, :, G + 1], later[:, :, 1], later[:, :, 0])
        return self._ranged(look, t, limits.runnable, limits.must_run)

    def _ranged(self, look: Look, t: int, runnable: Ints, must_run: Ints) -> Look:
        """Return the look with the counts between which each class can go and keep its later counts."""
        ahead = look.bound.shape[2]
        later, distance = slice(t, t + ahead), np.arange(ahead)
        room = np.where(distance < self.up[:, None], runnable[:, later] - look.bound, FAR).min(axis=2)
        slack = self.count[:, None] - look.kept_off - must_run[:, later]
        slack[:, :, 0] = FAR
        stops = np.where(distance < self.down[:, None], slack, FAR).min(axis=2)
        if self._days is not None:
            spent = np.where(t + distance < self.barred_until(t)[:, None], slack, FAR).min(axis=2)
            stops = np.minimum(stops, look.unspent + np.maximum(spent, 0))
        fewest = look.running - self._stoppable
        most = np.minimum(look.running + np.minimum(look.ready.sum(axis=2), np.maximum(room, 0)), runnable[:, t])
        most = np.maximum(most, fewest)
        least = np.maximum(np.maximum(fewest, must_run[:, t]), look.running - np.maximum(stops, 0))
        least = np.minimum(least, most)
        return Look(look.running, least, most, look.ready, look.unspent, look.bound, look.kept_off)

    def move(self, t: int, running: Ints, count: Ints) -> NDArray[np.bool_]:
        """Start or stop containers so that `count` run, and return who starts, shape (P, N).

        Those that are warm for the shortest time start first, then the next kind, each kind by time off; those that
        have run longest stop first, but one that could not start again today only after all others.

        Parameters
        ----------
        t : int
            The step that was looked at last.
        running, count : ndarray of int, shape (P, K)
            Containers that run before and after.
        """
        change = count - running
        if not change.any():
            return np.zeros(self.on.shape, dtype=bool)
        starts, stops = np.maximum(change, 0)[:, self.of], np.maximum(-change, 0)[:, self.of]
        kind = np.minimum(self._group, self.kinds - 2)
        expiry = np.where(self._group < self.kinds - 1, np.take_along_axis(self._until, kind[..., None], 2)[..., 0], 0)
        # One number for all that decides: class, group, when warmth ends, since when; equals go in the listed order.
        by_group = (self.of * (self.kinds + 3) + self._group) * (2 * FAR + 1) + expiry + FAR
        order = np.argsort(by_group * (2 * FAR + 1) + np.maximum(self._since, -FAR), axis=1, kind="stable")
        first_stop = (self.count - self._stoppable)[:, self.of]
        taken = (self._rank < starts) | ((self._rank >= first_stop) & (self._rank < first_stop + stops))
        chosen = np.zeros_like(self.on)
        np.put_along_axis(chosen, order, taken, axis=1)
        started, stopped = chosen & ~self.on, chosen & self.on
        self._until = np.where(stopped[..., None], t + self._window[t][:, self.of].T, self._until)
        self._since = np.where(chosen, t, self._since)
        self._starts_today = self._starts_today + started
        self.on = self.on ^ chosen
        return np.asarray(started)
