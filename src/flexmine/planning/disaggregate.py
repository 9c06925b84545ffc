"""From counts back to containers: exact, and with even wear among those that are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.planning.schedule import Schedule, supply_by_merit
from flexmine.problem import Problem
from flexmine.solving.engine import ClassPlan, Solution


@dataclass
class _Container:
    """A container on its way through the steps.

    Attributes
    ----------
    since : int
        Step of its last start or stop.
    lot, earliest, last_warm : int
        Of its last stop: the stop lot, the first step of a new start, the last step of a warm one.
    worn_h : float
        Run hours so far, in history and plan.
    """

    number: int
    on: bool
    since: int
    worn_h: float
    lot: int = 0
    earliest: int = 0
    last_warm: int = -1


def to_schedule(problem: Problem, solution: Solution, worn_h: Mapping[str, float] | None = None) -> Schedule:
    """Return what each container does.

    Of the containers that may stop, the most worn stops.  Starts take exactly as many warm containers as the solution
    says, the first to expire first (or those that the arcs name), and then the least worn of the cold ones; where no
    cold one is left, a warm one, which was charged as cold and is re-priced by the audit.  Power is shared equally,
    which is optimal because the mode curve is concave.

    Parameters
    ----------
    worn_h : mapping, optional
        Run hours of containers before step 0 [h]; 0 where not named.

    Raises
    ------
    ArithmeticError
        Where the counts cannot be served; they then broke a rule of the model.

    Notes
    -----
    Which of the containers past their minimum up time stops changes nothing for the counts: those bound to run are
    the ones started in the last U - 1 steps, and none of them is ever taken.  The same holds for cold starts.
    """
    rows = {name: row for row, (name, _) in enumerate(problem.containers)}
    on = np.zeros((len(rows), problem.steps), dtype=bool)
    power = np.zeros((len(rows), problem.steps))
    for plan in solution.classes:
        members = [rows[name] for name in plan.letters.containers]
        worn = [float((worn_h or {}).get(name, 0.0)) for name in plan.letters.containers]
        running = _serve(plan, problem.steps, problem.time.step_h, worn)
        on[members] = running
        share = np.where(plan.on > 0, plan.it_power_mw / np.maximum(plan.on, 1), 0.0)
        power[members] = running * share
    # Sources know no yesterday: the cheapest supply of each step is the best, and of equal price the surplus.
    supply = supply_by_merit(problem, np.maximum(solution.supply_mw, 0.0).sum(axis=0))
    return Schedule(tuple(rows), on, power, supply)


def _serve(plan: ClassPlan, steps: int, step_h: float, worn_h: list[float]) -> NDArray[np.bool_]:
    """Return which containers of the class run, shape (N, T)."""
    k = plan.letters
    lots = {lot.step: lot for lot in k.lots}
    fleet = _before(plan, worn_h)
    running = np.zeros((k.N, steps), dtype=bool)
    for t in range(steps):
        starting = _starting(plan, fleet, t)
        stopping = _stopping(plan, fleet, t)
        for c in starting:
            c.on, c.since = True, t
        for c in stopping:
            c.on, c.since, c.lot = False, t, t
            c.earliest, c.last_warm = lots[t].earliest, lots[t].last_warm
        for c in fleet:
            running[c.number, t] = c.on
            c.worn_h += step_h * c.on
        if running[:, t].sum() != plan.on[t]:
            raise ArithmeticError(f"class {k.name}, step {t}: the solution says that {plan.on[t]} run")
    return running


def _before(plan: ClassPlan, worn_h: list[float]) -> list[_Container]:
    k = plan.letters
    history_lots = iter(lot for lot in k.lots if lot.step < 0)
    fleet: list[_Container] = []
    for h in k.history:
        lot = None if h.on else next(history_lots)
        for _ in range(h.count):
            container = _Container(len(fleet), h.on, -h.steps, worn_h[len(fleet)])
            if lot is not None:
                container.lot, container.earliest, container.last_warm = lot.step, lot.earliest, lot.last_warm
            fleet.append(container)
    return fleet


def _stopping(plan: ClassPlan, fleet: list[_Container], t: int) -> list[_Container]:
    """Return the containers that stop in step t: the most worn of those past their minimum up time."""
    wanted = int(plan.stop[t])
    free = [c for c in fleet if c.on and t - c.since >= plan.letters.U]
    if len(free) < wanted:
        raise ArithmeticError(f"class {plan.letters.name}, step {t}: {len(free)} of {wanted} stops can be served")
    return sorted(free, key=lambda c: (-c.worn_h, c.since, c.number))[:wanted]


def _starting(plan: ClassPlan, fleet: list[_Container], t: int) -> list[_Container]:
    """Return the containers that start in step t."""
    wanted, wanted_warm = int(plan.start[t]), int(plan.warm[t])
    ready = [c for c in fleet if not c.on and c.earliest <= t]
    # Containers that stay warm beyond the last warm start of the plan are equally good: wear decides among them.
    needed_until = int(np.flatnonzero(plan.warm)[-1]) if plan.warm.any() else -1
    warm = sorted(
        (c for c in ready if c.last_warm >= t),
        key=lambda c: (min(c.last_warm, needed_until), c.worn_h, c.since, c.number),
    )
    if plan.letters.needs_arcs:
        left = {lot: count for (lot, step), count in plan.warm_from.items() if step == t}
        chosen = []
        for c in warm:
            if left.get(c.lot, 0) > 0:
                left[c.lot] -= 1
                chosen.append(c)
    else:
        chosen = warm[:wanted_warm]
    taken = {c.number for c in chosen}
    cold = sorted((c for c in ready if c.last_warm < t), key=lambda c: (c.worn_h, c.since, c.number))
    spare = [c for c in warm if c.number not in taken]
    chosen += (cold + spare)[: wanted - len(chosen)]
    if len(chosen) != wanted:
        raise ArithmeticError(f"class {plan.letters.name}, step {t}: {len(chosen)} of {wanted} starts can be served")
    return chosen
