"""From counts back to containers: exact, and with even wear among those that are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.milp.class_data import StopCohort
from flexmine.problem import Floats, Problem
from flexmine.problem.limits import spans_steps
from flexmine.problem.schedule import Schedule, at_start_or_stop, supply_by_merit
from flexmine.solving.engine import ClassPlan, Solution

NO_STOP = StopCohort(step=0, count=None, earliest=0, last_warm=-1)


@dataclass
class _Container:
    """A container on its way through the steps.

    Attributes
    ----------
    since : int
        Step of its last start or stop.
    worn_h : float
        Run hours so far, in history and plan.
    cohort : StopCohort
        Of its last stop; of no meaning where it has not stopped yet.
    used : int
        Starts that it has made on the day, where they are limited.
    """

    number: int
    on: bool
    since: int
    worn_h: float
    cohort: StopCohort = NO_STOP
    used: int = 0


def to_schedule(problem: Problem, solution: Solution, worn_h: Mapping[str, float] | None = None) -> Schedule:
    """Return what each container does.

    Of the containers that may stop, the most worn stops.  Starts take exactly as many warm containers as the solution
    says, the first to expire first (or those that the arcs name), and then the least worn of the cold ones; where no
    cold one is left, a warm one, which was charged as cold and is re-priced by the audit.  Power is shared equally,
    which is optimal because the mode curve is concave.

    Parameters
    ----------
    problem : Problem
    solution : Solution
    worn_h : mapping, optional
        Run hours of containers before step 0 [h]; 0 where not named.

    Raises
    ------
    ArithmeticError
        The counts cannot be served, so they broke a rule of the model.

    Notes
    -----
    Which of the containers past their minimum up time stops changes nothing for the counts: those bound to run are
    the ones started in the last U - 1 steps, and none of them is ever taken.  The same holds for cold starts.
    """
    rows = {name: row for row, (name, _) in enumerate(problem.containers)}
    on = np.zeros((len(rows), problem.steps), dtype=bool)
    power = np.zeros((len(rows), problem.steps))
    for plan in solution.classes:
        members = [rows[name] for name in plan.class_data.containers]
        worn = [float((worn_h or {}).get(name, 0.0)) for name in plan.class_data.containers]
        running = _serve(plan, problem.steps, problem.time.step_h, worn)
        on[members] = running
        power[members] = _shares(plan, running)
    supply = np.maximum(solution.supply_mw, 0.0)
    if not spans_steps(problem):
        # Sources know no yesterday: the cheapest supply of each step is the best, and of equal price the surplus.
        supply = supply_by_merit(problem, supply.sum(axis=0))
    return Schedule(tuple(rows), on, power, supply)


def _shares(plan: ClassPlan, running: NDArray[np.bool_]) -> Floats:
    """Return the IT power of each container [MW], shape (N, T): equal shares, but at start and stop the lowest power.

    Which of them are held at their lowest is a matter of classes with a container ramp alone.
    """
    k, held = plan.class_data, np.zeros_like(running)
    if k.ramp is not None:
        held = at_start_or_stop(k.history, running)
    at_lowest, free = held.sum(axis=0), running.sum(axis=0) - held.sum(axis=0)
    share = np.where(free > 0, (plan.it_power_mw - k.P0 * at_lowest) / np.maximum(free, 1), 0.0)
    return np.asarray(np.where(held, k.P0, running * share))


def _serve(plan: ClassPlan, steps: int, step_h: float, worn_h: list[float]) -> NDArray[np.bool_]:
    """Return which containers of the class run, shape (N, T)."""
    k = plan.class_data
    cohorts = {(cohort.used, cohort.step): cohort for cohort in k.cohorts}
    fleet = _before(plan, worn_h)
    running = np.zeros((k.N, steps), dtype=bool)
    for t in range(steps):
        if k.layered and t > 0 and k.day[t] != k.day[t - 1]:
            for c in fleet:
                c.used = 0
        starting = _starting(plan, fleet, t)
        stopping = _stopping(plan, fleet, t)
        for c in starting:
            c.on, c.since, c.used = True, t, c.used + k.layered
        for c in stopping:
            c.on, c.since, c.cohort = False, t, cohorts[c.used, t]
        for c in fleet:
            running[c.number, t] = c.on
            c.worn_h += step_h * c.on
        if running[:, t].sum() != plan.on[t]:
            raise ArithmeticError(f"class {k.name}, step {t}: the solution says that {plan.on[t]} run")
    return running


def _before(plan: ClassPlan, worn_h: list[float]) -> list[_Container]:
    k = plan.class_data
    history_cohorts = iter(cohort for cohort in k.cohorts if cohort.step < 0)
    fleet: list[_Container] = []
    for h in k.history:
        cohort = None if h.on else next(history_cohorts)
        for _ in range(h.count):
            container = _Container(len(fleet), h.on, -h.steps, worn_h[len(fleet)], used=k.used_before(h))
            container.cohort = cohort or container.cohort
            fleet.append(container)
    return fleet


def _stopping(plan: ClassPlan, fleet: list[_Container], t: int) -> list[_Container]:
    """Return the containers that stop in step t: the most worn of those past their minimum up time.

    Where they ramp and may run for one step alone, those that have just started stop first: they are at their lowest
    power, at which a stop begins, in any case.
    """
    k, chosen = plan.class_data, []
    free = [c for c in fleet if c.on and t - c.since >= k.U]
    just_started = t - 1 if k.ramp is not None and k.U == 1 else t
    free.sort(key=lambda c: (c.since != just_started, -c.worn_h, c.since, c.number))
    wanted = [(None, int(plan.stop[t]))] if plan.layers is None else list(enumerate(plan.layers.stop[:, t].tolist()))
    for used, count in wanted:
        own = [c for c in free if used is None or c.used == used]
        if len(own) < count:
            raise ArithmeticError(f"class {k.name}, step {t}: {len(own)} of {count} stops can be served")
        chosen += own[:count]
    return chosen


def _starting(plan: ClassPlan, fleet: list[_Container], t: int) -> list[_Container]:
    """Return the containers that start in step t: those that the solution ties to their stops, then cold ones."""
    k = plan.class_data
    ready = [c for c in fleet if not c.on and c.cohort.earliest <= t]
    # Containers that stay warm beyond the last warm start of the plan are equally good: wear decides among them.
    needed_until = int(np.flatnonzero(plan.warm)[-1]) if plan.warm.any() else -1
    warm = sorted(
        (c for c in ready if c.cohort.last_tied >= t),
        key=lambda c: (min(c.cohort.last_tied, needed_until), c.worn_h, c.since, c.number),
    )
    chosen = _tied(plan, warm, t) if k.needs_arcs or k.layered else warm[: int(plan.warm[t])]
    taken = {c.number for c in chosen}
    cold = sorted((c for c in ready if c.cohort.last_tied < t), key=lambda c: (c.worn_h, c.since, c.number))
    spare = [c for c in warm if c.number not in taken]
    if plan.layers is None:
        chosen += (cold + spare)[: int(plan.start[t]) - len(chosen)]
    else:
        for used, count in enumerate(plan.layers.cold[1:, t].tolist()):
            chosen += [c for c in cold if c.used == used][:count]
    if len(chosen) != int(plan.start[t]):
        raise ArithmeticError(f"class {k.name}, step {t}: {len(chosen)} of {plan.start[t]} starts can be served")
    return chosen


def _tied(plan: ClassPlan, warm: list[_Container], t: int) -> list[_Container]:
    """Return the containers whose stops the arcs name."""
    if plan.layers is None:
        left = {(0, cohort): count for (cohort, step), count in plan.warm_from.items() if step == t}
    else:
        left = {(used, cohort): count for (used, cohort, step), count in plan.layers.tied.items() if step == t}
    chosen = []
    for c in warm:
        key = (c.cohort.used, c.cohort.step)
        if left.get(key, 0) > 0:
            left[key] -= 1
            chosen.append(c)
    return chosen
