"""A schedule: what every container and source does in every step.  Neither the optimizer nor the audit owns it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.problem.fields import Floats
from flexmine.problem.model import ContainerClass, History, Problem


@dataclass(frozen=True)
class Schedule:
    """The decision, container by container.

    Attributes
    ----------
    containers : tuple of str
        Names, in the order of the problem's classes.
    on : ndarray of bool, shape (containers, T)
        Whether the container runs.
    it_power_mw : ndarray, shape (containers, T)
        IT power [MW]; 0 where off.
    supply_mw : ndarray, shape (sources, T)
        Power taken from each source, in the problem's order [MW].
    mixes : ndarray of int, shape (containers, T, levels), or None
        Of a plan rounded to whole miners: how many miners are at each level, level 0 asleep and level j the preset
        j - 1 of the class's miners; all 0 where a container is off or its class has no miners.
    """

    containers: tuple[str, ...]
    on: NDArray[np.bool_]
    it_power_mw: Floats
    supply_mw: Floats
    mixes: NDArray[np.int32] | None = None


def class_rows(problem: Problem) -> Iterator[tuple[ContainerClass, slice]]:
    """Yield each class with the rows of its containers in a schedule."""
    first = 0
    for k in problem.classes:
        yield k, slice(first, first + k.count)
        first += k.count


def at_start_or_stop(histories: Iterable[History], on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a container starts, or runs for the last step before a stop, shape (containers, T).

    Parameters
    ----------
    histories : iterable of History
        Of all containers, in their order.
    on : ndarray of bool, shape (containers, T)
        Whether each container runs.
    """
    before = np.array([h.on for h in histories for _ in range(h.count)], dtype=bool)[:, None]
    found: NDArray[np.bool_] = on & ~np.hstack([before, on[:, :-1]])
    found[:, :-1] |= on[:, :-1] & ~on[:, 1:]
    return found


def supply_by_merit(problem: Problem, facility_power_mw: Floats) -> Floats:
    """Return the cheapest supply for a facility power; at equal prices surplus goes first.

    Where a limit caps the energy of a source, no more than it leaves is taken, in the order of time: what is taken
    early is gone, whether or not it would save more later.  Lower bounds on energy are ignored.

    What exceeds this is taken beyond those limits, and what exceeds all sources together is put on the most expensive
    one, so that the audit names either.

    Parameters
    ----------
    problem : Problem
    facility_power_mw : ndarray, shape (T,)
        Facility power to be supplied [MW].

    Returns
    -------
    ndarray, shape (sources, T)
        Power taken from each source [MW].
    """
    supply = np.zeros((len(problem.sources), problem.steps))
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    firm = np.array([s.kind != "surplus" for s in problem.sources])
    budgets = _Budgets(problem)
    for t in range(problem.steps):
        rest = float(facility_power_mw[t])
        order = np.lexsort((firm, prices[:, t]))
        for j in order:
            supply[j, t] = min(rest, float(problem.sources[j].available_mw[t]), budgets.left_mw(j, t))
            rest -= supply[j, t]
        for j in order if rest > 0.0 and budgets.any else ():
            more = min(rest, float(problem.sources[j].available_mw[t]) - supply[j, t])
            supply[j, t] += more
            rest -= more
        supply[order[-1], t] += rest
        budgets.take(supply[:, t], t)
    return supply


class _Budgets:
    """What the limits of energy of sources leave, step by step."""

    def __init__(self, problem: Problem):
        names, self._step_h = [s.name for s in problem.sources], problem.time.step_h
        limits = [e for e in problem.site.energy_limits if e.source is not None and e.at_most_mwh is not None]
        self._source = [names.index(str(e.source)) for e in limits]
        self._steps = [range(problem.steps)[e.window] for e in limits]
        self._left_mwh = [max(0.0, (e.at_most_mwh or 0.0) - e.taken_mwh) for e in limits]
        self.any = bool(limits)

    def left_mw(self, source: int, t: int) -> float:
        """Return the power of a source in step `t` that its limits leave [MW]; inf without a limit."""
        own = [i for i, j in enumerate(self._source) if j == source and t in self._steps[i]]
        return min((self._left_mwh[i] / self._step_h for i in own), default=np.inf)

    def take(self, supply_mw: Floats, t: int) -> None:
        """Note what is taken of each source in step `t` [MW]."""
        for i, j in enumerate(self._source):
            if t in self._steps[i]:
                self._left_mwh[i] = max(0.0, self._left_mwh[i] - self._step_h * float(supply_mw[j]))
