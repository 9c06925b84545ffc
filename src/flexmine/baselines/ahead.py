"""What later limits leave to a step: ramps towards caps, floors and feeders, given what a choice binds.

Shapes: P walks, M candidates, K classes, H later steps that a choice can bind, F feeders.
"""

from __future__ import annotations

import numpy as np

from flexmine.baselines.dispatch import Limits
from flexmine.baselines.fleets import Fleets, Look
from flexmine.problem import Floats, Ints

SAME_MW = 1e-9
# Walks to look at: all, or some by number.
Rows = slice | Ints
ALL = slice(None)


def drawn_at_least_and_most(limits: Limits) -> tuple[Floats, Floats]:
    """Return the least and the most that containers of unknown age must and can draw [MW], each (T,)."""
    low, high, must = limits.gain_low_mw, limits.gain_high_mw, np.minimum(limits.must_run, limits.runnable)
    least = limits.rest_mw + (np.where(low > 0, must, limits.runnable) * low).sum(axis=0)
    by_feeder = limits.feeder_matrix.T @ (np.where(high > 0, limits.runnable, must) * high)
    most = limits.rest_mw + np.minimum(by_feeder, limits.feeder_room_mw).sum(axis=0)
    return np.maximum(least, limits.floor_mw), np.minimum(most, limits.ceiling_mw)


def reach(limits: Limits, least_mw: Floats, most_mw: Floats) -> tuple[Floats, Floats]:
    """Return for each step the highest and lowest power from which the ramps keep all later limits, each (T + 1,).

    `least_mw` and `most_mw` are as :func:`drawn_at_least_and_most` returns them.
    """
    steps = len(least_mw)
    highest, lowest = np.full(steps + 1, np.inf), np.full(steps + 1, -np.inf)
    for t in range(steps - 1, -1, -1):
        highest[t] = min(most_mw[t], highest[t + 1] + limits.ramp_down_mw)
        lowest[t] = max(least_mw[t], lowest[t + 1] - limits.ramp_up_mw)
    return highest, lowest


class Ahead:
    """The later steps that choices in step `t` can bind.

    Attributes
    ----------
    all, steps : ndarray of int
        Those steps, and those of them that can bind.
    """

    def __init__(self, limits: Limits, fleets: Fleets, look: Look, t: int):
        self.limits, self.fleets, self.look, self.t = limits, fleets, look, t
        self.all = self.steps = np.arange(t + 1, t + look.bound.shape[2])

    def only_binding(self, floor_mw: Floats, ceiling_mw: Floats) -> None:
        """Look only at steps that can bind; `floor_mw` and `ceiling_mw`, shape (P,), hold in this step anyway."""
        limits, look, later = self.limits, self.look, self.all
        if not limits.rising or not len(later):
            return
        # Who starts most is bound most, and who stops most can draw least; no choice is further out than these.
        starts, stops = (np.maximum(x, 0)[:, None] for x in (look.most - look.running, look.running - look.fewest))
        lowest, highest, excess = (x[:, 0] for x in self.of_site(starts, stops, later))
        binds = (lowest > limits.ceiling_mw[later] + SAME_MW) | (highest < limits.floor_mw[later] - SAME_MW)
        binds |= excess > SAME_MW
        binds |= highest + limits.ramp_down_mw * (later - self.t) < ceiling_mw[:, None]
        binds |= lowest - limits.ramp_up_mw * (later - self.t) > floor_mw[:, None]
        self.steps = later[binds.any(axis=0)]

    def of_site(self, starts: Ints, stops: Ints, steps: Ints, rows: Rows = ALL) -> tuple[Floats, Floats, Floats]:
        """Return least and most facility power of later steps, and what feeders cannot take, each (P, M, steps) [MW].

        Parameters
        ----------
        starts, stops : ndarray of int, shape (P, M, K)
            Containers that start and stop in this step.
        steps : ndarray of int
            The later steps.
        rows : slice or ndarray of int
            The walks whose candidates they are.
        """
        limits, look, fleets, distance = self.limits, self.look, self.fleets, steps - self.t
        bound = look.bound[rows, None][..., distance] + starts[..., None] * (distance < fleets.up[:, None])
        able = limits.count[:, None] - look.kept_off[rows, None][..., distance]
        back = self.t + fleets.down[:, None]
        able = able - stops[..., None] * (steps < back)
        if fleets.limited:
            barred = np.maximum(stops - look.unspent[rows, None], 0)
            able = able - barred[..., None] * ((steps >= back) & (steps < fleets.barred_until(self.t)[:, None]))
        runnable, low, high = (x[:, steps] for x in (limits.runnable, limits.gain_low_mw, limits.gain_high_mw))
        most_n = np.minimum(runnable, able)
        least_n = np.minimum(np.maximum(bound, limits.must_run[:, steps]), runnable)
        if limits.rising:
            least, most = least_n * low, most_n * high
        else:
            least, most = np.where(low > 0, least_n, most_n) * low, np.where(high > 0, most_n, least_n) * high
        excess, by_site = np.zeros((*least.shape[:2], len(steps))), most.sum(axis=2)
        for f, room in enumerate(limits.feeder_room_mw[:-1, steps]):
            own = limits.feeder_of_class == f
            by_feeder = most[:, :, own].sum(axis=2)
            by_site += np.minimum(by_feeder, room) - by_feeder
            excess += np.maximum(least[:, :, own].sum(axis=2) - room, 0.0)
        lowest = np.maximum(limits.rest_mw[steps] + least.sum(axis=2), limits.floor_mw[steps])
        return lowest, np.minimum(limits.rest_mw[steps] + by_site, limits.ceiling_mw[steps]), excess

    def sides(self, starts: Ints, stops: Ints, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """Return floor and ceiling that later steps set to this one, and by how much they contradict, each (P, M) [MW].

        `starts`, `stops` and `rows` are those of :meth:`of_site`.
        """
        lowest, highest, excess = self.of_site(starts, stops, self.steps, rows)
        distance = self.steps - self.t
        ceiling = (highest + self.limits.ramp_down_mw * distance).min(axis=2, initial=np.inf)
        floor = (lowest - self.limits.ramp_up_mw * distance).max(axis=2, initial=-np.inf)
        return floor, ceiling, (excess + np.maximum(lowest - highest, 0.0)).sum(axis=2)
