"""Containers with explicit ages, walked step by step: who may start or stop, and what a choice binds later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.baselines.dispatch import Limits
from flexmine.problem import ContainerClass, Floats, Ints, Problem


@dataclass(frozen=True)
class Outlook:
    """What each possible count of one class in step t means from t on; R = number of possible counts, H = steps ahead.

    Attributes
    ----------
    counts, cold : ndarray of int, shape (R,)
        Containers running, and cold starts among them.
    start_cost_usd : ndarray, shape (R,)
    preheat_mw, past_preheat_mw : ndarray, shape (R,)
        At the meter in step t, and in each of the `preheat_steps` steps before it.
    least_mw, most_mw : ndarray, shape (R, H)
        Facility power above rest that the class must and can draw in the steps t + 1 ... t + H.
    broken : ndarray of int, shape (R,)
        Containers short of, or above, what must and may run, summed over the steps from t on.
    """

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
    """The containers of one class, in their listed order.

    Attributes
    ----------
    on : ndarray of bool, shape (N,)
    since : ndarray of int, shape (N,)
        Step in which the present state began; negative before the horizon.
    warm_until : ndarray of int, shape (N,)
        Of a container that is off: the last step of a warm start.
    """

    def __init__(self, problem: Problem, index: int):
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

    def outlook(self, limits: Limits, t: int, ahead: int) -> Outlook:
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


def steps_ahead(problem: Problem, classes: tuple[ContainerClass, ...]) -> int:
    """Return for how many steps a choice can bind a container."""
    if any(k.max_starts_per_day is not None for k in classes):
        return problem.steps
    return min(problem.steps, max(max(k.min_up_steps, k.min_down_steps, k.preheat_steps) for k in classes))
