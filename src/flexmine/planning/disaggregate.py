"""From counts back to containers: exact, first in first out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.planning.schedule import Schedule
from flexmine.problem import Problem
from flexmine.solving.engine import ClassPlan, Solution


@dataclass
class _Off:
    """A container that is off: which, since when, from which stop lot, until when warm."""

    number: int
    since: int
    lot: int
    earliest: int
    last_warm: int


def to_schedule(problem: Problem, solution: Solution) -> Schedule:
    """Return what each container does.

    Stops take the longest-on.  Starts take exactly as many warm containers as the solution says, the first to expire
    first (or those that the arcs name), and the longest-off of the cold ones; where no cold one is left, a warm one,
    which was charged as cold and is re-priced by the audit.  Power is shared equally, which is optimal because the
    mode curve is concave.

    Raises
    ------
    ArithmeticError
        Where the counts cannot be served; they then broke a rule of the model.
    """
    rows = {name: row for row, (name, _) in enumerate(problem.containers)}
    on = np.zeros((len(rows), problem.steps), dtype=bool)
    power = np.zeros((len(rows), problem.steps))
    for plan in solution.classes:
        members = [rows[name] for name in plan.letters.containers]
        running = _serve(plan, problem.steps)
        on[members] = running
        share = np.where(plan.on > 0, plan.it_power_mw / np.maximum(plan.on, 1), 0.0)
        power[members] = running * share
    return Schedule(tuple(rows), on, power, np.maximum(solution.supply_mw, 0.0))


def _serve(plan: ClassPlan, steps: int) -> np.ndarray:
    """Return which containers of the class run, shape (N, T)."""
    k = plan.letters
    on_since: list[tuple[int, int]] = []
    off: list[_Off] = []
    history_lots = iter(lot for lot in k.lots if lot.step < 0)
    number = 0
    for h in k.history:
        lot = None if h.on else next(history_lots)
        for _ in range(h.count):
            if lot is None:
                on_since.append((-h.steps, number))
            else:
                off.append(_Off(number, -h.steps, lot.step, lot.earliest, lot.last_warm))
            number += 1
    on_since.sort()
    by_step = {lot.step: lot for lot in k.lots}
    running = np.zeros((k.N, steps), dtype=bool)
    for t in range(steps):
        starting = _starting(plan, off, t)
        stopping = on_since[: plan.stop[t]]
        if len(stopping) < plan.stop[t] or any(t - since < k.U for since, _ in stopping):
            raise ArithmeticError(f"class {k.name}, step {t}: no container may stop")
        on_since = on_since[plan.stop[t] :]
        taken = {o.number for o in starting}
        off = [o for o in off if o.number not in taken]
        off += [_Off(n, t, t, by_step[t].earliest, by_step[t].last_warm) for _, n in stopping]
        on_since += [(t, o.number) for o in starting]
        if len(on_since) != plan.on[t]:
            raise ArithmeticError(f"class {k.name}, step {t}: {len(on_since)} run, the solution says {plan.on[t]}")
        running[[n for _, n in on_since], t] = True
    return running


def _starting(plan: ClassPlan, off: list[_Off], t: int) -> list[_Off]:
    """Return the containers that start in step t."""
    wanted, wanted_warm = int(plan.start[t]), int(plan.warm[t])
    ready = [o for o in off if o.earliest <= t]
    warm = sorted((o for o in ready if o.last_warm >= t), key=lambda o: (o.last_warm, o.since, o.number))
    if plan.warm_from or plan.letters.needs_arcs:
        left = {lot: count for (lot, step), count in plan.warm_from.items() if step == t}
        chosen = []
        for o in warm:
            if left.get(o.lot, 0) > 0:
                left[o.lot] -= 1
                chosen.append(o)
    else:
        chosen = warm[:wanted_warm]
    taken = {o.number for o in chosen}
    cold = sorted((o for o in ready if o.last_warm < t), key=lambda o: (o.since, o.number))
    spare = [o for o in warm if o.number not in taken]
    chosen += (cold + spare)[: wanted - len(chosen)]
    if len(chosen) != wanted:
        raise ArithmeticError(f"class {plan.letters.name}, step {t}: {len(chosen)} of {wanted} starts can be served")
    return chosen
