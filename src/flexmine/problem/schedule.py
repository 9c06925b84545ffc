"""A schedule: what every container and source does in every step.  Neither the optimizer nor the audit owns it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.problem.model import ContainerClass, Floats, History, Problem


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
    """
    before = np.array([h.on for h in histories for _ in range(h.count)], dtype=bool)[:, None]
    found = on & ~np.hstack([before, on[:, :-1]])
    found[:, :-1] |= on[:, :-1] & ~on[:, 1:]
    return found


def supply_by_merit(problem: Problem, facility_power_mw: Floats) -> Floats:
    """Return the cheapest supply for a facility power, shape (sources, T) [MW]; of equal price surplus first.

    What exceeds the sources together is left on the dearest one, so that the audit names it.
    """
    supply = np.zeros((len(problem.sources), problem.steps))
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    firm = np.array([s.kind != "surplus" for s in problem.sources])
    for t in range(problem.steps):
        rest = float(facility_power_mw[t])
        order = np.lexsort((firm, prices[:, t]))
        for j in order:
            supply[j, t] = min(rest, float(problem.sources[j].available_mw[t]))
            rest -= supply[j, t]
        supply[order[-1], t] += rest
    return supply
