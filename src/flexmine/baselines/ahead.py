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
    rest = limits.count @ limits.standby_mw + limits.base_load_mw
    gain_low = limits.overhead * limits.low_mw - limits.standby_mw
    gain_high = limits.overhead * limits.high_mw - limits.standby_mw
    must = np.minimum(limits.must_run, limits.runnable)
    least = rest + (np.where(gain_low > 0, must, limits.runnable) * gain_low).sum(axis=0)
    by_feeder = limits.feeder_matrix.T @ (np.where(gain_high > 0, limits.runnable, must) * gain_high)
    at_rest = limits.feeder_matrix.T @ (limits.count[:, None] * limits.standby_mw)
    most = rest + np.minimum(by_feeder, limits.feeder_cap_mw[:, None] - at_rest).sum(axis=0)
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
    """The later steps that choices in step `t` can bind, of which only those are looked at that can bind."""

    def __init__(self, limits: Limits, fleets: Fleets, look: Look, t: int):
        self.limits, self.look, ahead = limits, look, look.bound.shape[2] - 1
        self.later, distance = slice(t + 1, t + 1 + ahead), np.arange(1, ahead + 1)
        self.distance = distance
        self.up, self.down = distance < fleets.up[:, None], distance < fleets.down[:, None]
        self.barred = ~self.down & (t + distance < fleets.barred_until(t)[:, None])
        low, high, standby = (x[:, self.later] for x in (limits.low_mw, limits.high_mw, limits.standby_mw))
        self.gain_low = limits.overhead[:, self.later] * low - standby
        self.gain_high = limits.overhead[:, self.later] * high - standby
        self.at_rest = limits.count[:, None] * standby
        self.rest = limits.base_load_mw[self.later] + self.at_rest.sum(axis=0)
        # Whether one that runs always draws more than one that does not.
        self.rising = bool((self.gain_low >= 0.0).all() and (self.gain_high >= 0.0).all())
        self.columns = self.all = np.arange(ahead)

    def _power(self, starts: Ints, stops: Ints, columns: Ints, rows: Rows) -> tuple[Floats, Floats]:
        """Return least and most power above rest of each class in later steps [MW], each (P, M, K, columns)."""
        look, limits = self.look, self.limits
        bound = look.bound[rows, None, :, 1:][..., columns] + starts[..., None] * self.up[:, columns]
        able = limits.count[:, None] - look.kept_off[rows, None, :, 1:][..., columns]
        able = able - stops[..., None] * self.down[:, columns]
        if self.barred.any():
            barred = np.maximum(stops - look.unspent[rows, None], 0)
            able = able - barred[..., None] * self.barred[:, columns]
        runnable, must = limits.runnable[:, self.later][:, columns], limits.must_run[:, self.later][:, columns]
        most, least = np.minimum(runnable, able), np.minimum(np.maximum(bound, must), runnable)
        low, high = self.gain_low[:, columns], self.gain_high[:, columns]
        if self.rising:
            return least * low, most * high
        return np.where(low > 0, least, most) * low, np.where(high > 0, most, least) * high

    def only_binding(self, floor_mw: Floats, ceiling_mw: Floats) -> None:
        """Look only at steps that can bind; `floor_mw` and `ceiling_mw`, shape (P,), hold in this step anyway."""
        limits, look = self.limits, self.look
        if not self.rising or not len(self.columns):
            return
        # Who starts most is bound most, and who stops most can draw least; no choice is further out than these.
        starts, stops = (np.maximum(x, 0)[:, None] for x in (look.most - look.running, look.running - look.fewest))
        lowest, highest, excess = (x[:, 0] for x in self.of_site(starts, stops, self.columns))
        binds = (lowest > limits.ceiling_mw[self.later] + SAME_MW) | (highest < limits.floor_mw[self.later] - SAME_MW)
        binds |= excess > SAME_MW
        binds |= highest + limits.ramp_down_mw * self.distance < ceiling_mw[:, None]
        binds |= lowest - limits.ramp_up_mw * self.distance > floor_mw[:, None]
        self.columns = np.flatnonzero(binds.any(axis=0))

    def of_site(self, starts: Ints, stops: Ints, columns: Ints, rows: Rows = ALL) -> tuple[Floats, Floats, Floats]:
        """Return least and most facility power of later steps, and what feeders cannot take, each (P, M, columns) [MW].

        Parameters
        ----------
        starts, stops : ndarray of int, shape (P, M, K)
            Containers that start and stop in this step.
        columns : ndarray of int
            The later steps, 0 being the next one.
        rows : slice or ndarray of int
            The walks whose candidates they are.
        """
        limits = self.limits
        least, most = self._power(starts, stops, columns, rows)
        excess, by_site = np.zeros((*least.shape[:2], len(columns))), most.sum(axis=2)
        for f, cap in enumerate(limits.feeder_cap_mw[:-1]):
            own = limits.feeder_of_class == f
            room = cap - self.at_rest[own][:, columns].sum(axis=0)
            by_feeder = most[:, :, own].sum(axis=2)
            by_site += np.minimum(by_feeder, room) - by_feeder
            excess += np.maximum(least[:, :, own].sum(axis=2) - room, 0.0)
        floor, ceiling = limits.floor_mw[self.later][columns], limits.ceiling_mw[self.later][columns]
        lowest = np.maximum(self.rest[columns] + least.sum(axis=2), floor)
        return lowest, np.minimum(self.rest[columns] + by_site, ceiling), excess

    def sides(self, starts: Ints, stops: Ints, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """Return floor and ceiling that later steps set to this one, and by how much they contradict, each (P, M) [MW].

        `starts`, `stops` and `rows` are those of :meth:`of_site`.
        """
        lowest, highest, excess = self.of_site(starts, stops, self.columns, rows)
        distance = self.distance[self.columns]
        ceiling = (highest + self.limits.ramp_down_mw * distance).min(axis=2, initial=np.inf)
        floor = (lowest - self.limits.ramp_up_mw * distance).max(axis=2, initial=-np.inf)
        return floor, ceiling, (excess + np.maximum(lowest - highest, 0.0)).sum(axis=2)
