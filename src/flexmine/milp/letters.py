"""From the words of the Problem to the letters of the mathematics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flexmine.problem import ContainerClass, Floats, History, Ints, Problem


@dataclass(frozen=True)
class StopLot:
    """Containers that stopped together, and can start again together.

    Attributes
    ----------
    step : int
        Step of the stop; for a stop before the horizon, a negative number that only tells lots apart.
    count : int or None
        How many stopped; None for a stop inside the horizon, which the model decides.
    earliest : int
        First step in which they may start again.
    last_warm : int
        Last step in which their start is warm.
    """

    step: int
    count: int | None
    earliest: int
    last_warm: int


@dataclass(frozen=True)
class Letters:
    """One class of the model; arrays over steps have shape (T,), over segments (S,), over both (S, T).

    A class of the Problem is one class of the model, except where starts per day are limited: there every container
    is a class of its own, because a limit per container cannot be summed over containers.
    """

    name: str
    parent: str
    containers: tuple[str, ...]
    history: tuple[History, ...]
    N: int
    U: int
    D: int
    P0: Floats
    H0: Floats
    w: Floats
    g: Floats
    a: Floats
    sb: Floats
    v: Floats
    cw: Floats
    cc: Floats
    e: Floats
    preheat: int
    terminal: float
    lots: tuple[StopLot, ...]
    starts_left: dict[int, int] | None

    @property
    def needs_arcs(self) -> bool:
        """Whether starts must be tied to their stops: windows out of order, or cold starts that draw energy."""
        return self.cold_energy or not windows_in_order(self.lots)

    @property
    def cold_energy(self) -> bool:
        """Whether cold starts draw energy."""
        return bool(np.any(self.e > 0))

    def started(self, step: int) -> int:
        """Return how many of them started in a step before the horizon, of those still on."""
        return sum(h.count for h in self.history if h.on and h.steps == -step)

    def stopped(self, step: int) -> int:
        """Return how many of them stopped in a step before the horizon, of those still off."""
        return sum(h.count for h in self.history if not h.on and h.steps == -step)

    @property
    def on_before(self) -> int:
        """How many run just before step 0."""
        return sum(h.count for h in self.history if h.on)


def letters_of(problem: Problem) -> list[Letters]:
    """Return the classes of the model in the order of the problem's classes."""
    return [part for k in problem.classes for part in _letters_of_class(k, problem)]


def windows_in_order(lots: Sequence[StopLot]) -> bool:
    """Return whether no later stop expires earlier, which makes the perishable pool exact."""
    warm = sorted((lot.earliest, lot.last_warm) for lot in lots if lot.last_warm >= lot.earliest)
    last_of_earlier, earliest, widest = -1, -1, -1
    for begin, last in warm:
        if begin > earliest:
            last_of_earlier, earliest = widest, begin
        if last < last_of_earlier:
            return False
        widest = max(widest, last)
    return True


def _letters_of_class(k: ContainerClass, problem: Problem) -> list[Letters]:
    if k.max_starts_per_day is None:
        return [_letters(k, k.name, k.containers, k.history, problem)]
    ages = [replace(h, count=1) for h in k.history for _ in range(h.count)]
    return [
        _letters(k, f"{k.name}/{name}" if k.count > 1 else k.name, (name,), (h,), problem)
        for name, h in zip(k.containers, ages, strict=True)
    ]


def _letters(
    k: ContainerClass, name: str, containers: tuple[str, ...], history: tuple[History, ...], problem: Problem
) -> Letters:
    low = np.minimum(k.lowest_it_power_mw, k.it_power_mw[-1])
    high = np.maximum(low, k.highest_it_power_mw)
    left, right = k.it_power_mw[:-1, None], k.it_power_mw[1:, None]
    width = np.maximum(0.0, np.minimum(right, high) - np.maximum(left, low))
    slope = np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw)
    return Letters(
        name=name,
        parent=k.name,
        containers=containers,
        history=history,
        N=len(containers),
        U=k.min_up_steps,
        D=k.min_down_steps,
        P0=low,
        H0=np.interp(low, k.it_power_mw, k.hash_rate_th_s),
        w=width,
        g=slope,
        a=k.overhead,
        sb=k.standby_mw,
        v=k.hash_value_usd_per_th_s_h,
        cw=k.start.warm_cost_usd,
        cc=k.start.cold_cost_usd,
        e=k.start.cold_energy_mwh,
        preheat=k.preheat_steps,
        terminal=k.terminal_on_usd,
        lots=_lots(k, history, problem.steps),
        starts_left=_starts_left(k, history, problem.site.day_of_step),
    )


def _lots(k: ContainerClass, history: tuple[History, ...], T: int) -> tuple[StopLot, ...]:
    W = k.start.warm_off_steps
    lots = []
    for number, h in enumerate(h for h in history if not h.on):
        last = int(W[0]) - h.steps if h.warm_until_step is None else h.warm_until_step
        lots.append(StopLot(-1 - number, h.count, max(0, k.min_down_steps - h.steps), min(last, T - 1)))
    for i in range(T):
        lots.append(StopLot(i, None, i + k.min_down_steps, min(i + int(W[i]), T - 1)))
    return tuple(lots)


def _starts_left(k: ContainerClass, history: tuple[History, ...], day: Ints | None) -> dict[int, int] | None:
    if k.max_starts_per_day is None or day is None:
        return None
    left = {int(d): k.max_starts_per_day for d in np.unique(day)}
    left[int(day[0])] = max(0, k.max_starts_per_day - history[0].starts_today)
    return left
