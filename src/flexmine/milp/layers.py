"""Starts per container and day on counts: layered by how many starts of the day a container has used.

A limit of each container cannot be summed over containers: with one start each, two containers could not make two
starts of one of them.  So the counts of a class are distinguished by the starts used on the local day.  At midnight all
layers become layer 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyomo.core as pe

from flexmine.milp.class_data import ClassData, StopCohort
from flexmine.milp.pyomo_types import Bounds, Model, Row, Term
from flexmine.milp.variables import Classes

CohortKey = tuple[str, int, int]


@dataclass(frozen=True)
class _Arcs:
    """Starts that are not cold, tied to their stops: (class, starts used at the stop, step of the stop) to steps.

    Attributes
    ----------
    cohorts : dict
        By key.
    of_stop : dict
        Steps of the starts, by key.
    of_start : dict
        Keys, by class, number of the start on its day, and step.
    of_kind : dict
        Keys, by class, tier (-1: warm) and step.
    """

    cohorts: dict[CohortKey, StopCohort]
    of_stop: dict[CohortKey, list[int]]
    of_start: dict[tuple[str, int, int], list[CohortKey]]
    of_kind: dict[tuple[str, int, int], list[CohortKey]]


def start_layers(m: pe.ConcreteModel, classes: Classes) -> None:
    """Add the layers of the classes whose starts per day are limited."""
    layered = {k: c for k, c in classes.items() if c.layered}
    arcs = _arcs(layered)
    layer_variables(m, layered, arcs)
    layer_logic(m, layered)
    layer_minimum_up_time(m, layered)
    layer_starts(m, layered, arcs)
    layer_cold_pool(m, layered, arcs)


def layer_variables(m: pe.ConcreteModel, layered: dict[str, ClassData], arcs: _Arcs) -> None:
    """Counts by layer j: nl (on), yl (j-th start of the day), zl (stopping), cl (cold starts among yl), rl, bl.

    rl : starts in t of the containers that stopped in i with j starts used;  bl : off and cold with j starts used.
    """

    def most(m: Model, k: str, j: int, t: int) -> Bounds:
        return (0, m.N[k])

    def on_before(m: Model, k: str, j: int, t: int) -> Bounds:
        return (0, m.N[k]) if t >= 0 else (m.nl0[k, j], m.nl0[k, j])

    def cold(m: Model, k: str, j: int, t: int) -> Bounds:
        return (0, m.N[k] if t >= layered[k].preheat else 0)

    m.nl = pe.Var(m.KJ, m.T1, domain=pe.NonNegativeIntegers, bounds=on_before)
    m.yl = pe.Var(m.KY, m.T, domain=pe.NonNegativeIntegers, bounds=most)
    m.zl = pe.Var(m.KJ, m.T, domain=pe.NonNegativeIntegers, bounds=most)
    m.cl = pe.Var(m.KY, m.T, domain=pe.NonNegativeIntegers, bounds=cold)
    m.rl = pe.Var(
        [(*key, t) for key, steps in arcs.of_stop.items() for t in steps],
        domain=pe.NonNegativeIntegers,
        bounds=lambda m, k, j, i, t: (0, m.N[k]),
    )
    m.bl = pe.Var(m.KJ, m.T1, bounds=lambda m, k, j, t: (0, m.N[k] if t >= 0 else 0))


def layer_logic(m: pe.ConcreteModel, layered: dict[str, ClassData]) -> None:
    r"""Layers add up to the class, and containers move between them by starts and at midnight alone.

    .. math::
        n_{k,j,t} = n_{k,j,t-1} + y_{k,j,t} - z_{k,j,t}, \qquad
        \sum_j y_{k,j,t} = y_{k,t}, \qquad \sum_j z_{k,j,t} = z_{k,t}

    In the first step of a day all that ran before are in layer 0.
    """

    def rule(m: Model, k: str, j: int, t: int) -> Row:
        if _is_midnight(layered[k], t):
            before = sum(m.nl[k, i, t - 1] for i in layered[k].layers) if j == 0 else 0
        else:
            before = m.nl[k, j, t - 1]
        started = m.yl[k, j, t] if j > 0 else 0
        return m.nl[k, j, t] == before + started - m.zl[k, j, t]

    def stops(m: Model, k: str, t: int) -> Row:
        return sum(m.zl[k, j, t] for j in layered[k].layers) == m.z[k, t]

    def starts(m: Model, k: str, t: int) -> Row:
        return sum(m.yl[k, j, t] for j in layered[k].layers if j > 0) == m.y[k, t]

    m.layer_logic = pe.Constraint(m.KJ, m.T, rule=rule)
    m.layer_stops = pe.Constraint(list(layered), m.T, rule=stops)
    m.layer_starts = pe.Constraint(list(layered), m.T, rule=starts)


def layer_minimum_up_time(m: pe.ConcreteModel, layered: dict[str, ClassData]) -> None:
    r"""What started less than U steps ago is still on, in its layer: after midnight in layer 0.

    .. math:: \sum_{i \in (t-U_k, t],\; d(i) = d(t)} y_{k,j,i} \le n_{k,j,t}, \qquad
              \sum_{i \in (t-U_k, t],\; d(i) < d(t)} y_{k,i} \le n_{k,0,t}
    """

    def recent(m: Model, k: str, j: int, t: int) -> Term:
        c = layered[k]
        window, today = range(t - c.U + 1, t + 1), _first_of_day(c, t)
        if j > 0:
            started = [m.yl[k, j, i] for i in window if i >= today]
        else:
            started = [m.y[k, i] for i in window if i < today and today > 0]
        return sum(started) + sum(m.yl0[k, j, i] for i in window if i < 0 and today == 0)

    def rule(m: Model, k: str, j: int, t: int) -> Row:
        return m.nl[k, j, t] >= recent(m, k, j, t)

    # In layer 0 nothing starts: it holds starts of before midnight, or of before the horizon.
    held = [(k, j, t) for k, j in m.KJ for t in m.T if j > 0 or t - layered[k].U + 1 < _first_of_day(layered[k], t)]
    m.layer_minimum_up_time = pe.Constraint(held, rule=rule)


def layer_starts(m: pe.ConcreteModel, layered: dict[str, ClassData], arcs: _Arcs) -> None:
    r"""A start that is not cold belongs to one stop; it is the next one of its container on that day.

    .. math::
        \sum_t r_{k,j,i,t} \le z_{k,j,i}, \qquad
        \sum_{(j',i) \to (j,t)} r_{k,j',i,t} + c_{k,j,t} = y_{k,j,t}

    (j', i) leads to j = j' + 1 on the same day, and to j = 1 on a later one.  Sums over all j by the time off are the
    warm starts w and those of the tiers u of the class.
    """

    def used(m: Model, k: str, j: int, i: int) -> Row:
        return sum(m.rl[k, j, i, t] for t in arcs.of_stop[k, j, i]) <= _stopped(m, k, arcs.cohorts[k, j, i])

    def starts(m: Model, k: str, j: int, t: int) -> Row:
        return sum(m.rl[*key, t] for key in arcs.of_start.get((k, j, t), ())) + m.cl[k, j, t] == m.yl[k, j, t]

    def warm(m: Model, k: str, t: int) -> Row:
        return sum(m.rl[*key, t] for key in arcs.of_kind.get((k, -1, t), ())) == m.w[k, t]

    def of_tier(m: Model, k: str, g: int, t: int) -> Row:
        return sum(m.rl[*key, t] for key in arcs.of_kind.get((k, g, t), ())) == m.u[k, g, t]

    m.layer_arc_stop = pe.Constraint(list(arcs.of_stop), rule=used)
    m.layer_arc_start = pe.Constraint(m.KY, m.T, rule=starts)
    m.layer_warm = pe.Constraint(list(layered), m.T, rule=warm)
    m.layer_tier = pe.Constraint([(k, g) for k, g in m.KG if k in layered], m.T, rule=of_tier)


def layer_cold_pool(m: pe.ConcreteModel, layered: dict[str, ClassData], arcs: _Arcs) -> None:
    r"""The cold of a layer are alike; at midnight all of them are.

    .. math:: b_{k,j,t} = b_{k,j,t-1} + \sum_{(j,i): C = t} \Bigl(z_{k,j,i} - \sum_{t'} r_{k,j,i,t'}\Bigr) - c_{k,j+1,t}
    """
    colder: dict[tuple[str, int, int], list[CohortKey]] = {}
    for key, cohort in arcs.cohorts.items():
        k, t = key[0], cohort.cold_from
        if t < len(layered[k].day):
            colder.setdefault((k, _layer_at(layered[k], cohort, t), t), []).append(key)

    def rule(m: Model, k: str, j: int, t: int) -> Row:
        if _is_midnight(layered[k], t):
            before = sum(m.bl[k, i, t - 1] for i in layered[k].layers) if j == 0 else 0
        else:
            before = m.bl[k, j, t - 1]
        gone = sum(
            _stopped(m, k, arcs.cohorts[key]) - sum(m.rl[*key, u] for u in arcs.of_stop.get(key, ()))
            for key in colder.get((k, j, t), ())
        )
        started = m.cl[k, j + 1, t] if j + 1 in layered[k].layers else 0
        return m.bl[k, j, t] == before + gone - started

    m.layer_cold_pool = pe.Constraint(m.KJ, m.T, rule=rule)


def _arcs(layered: dict[str, ClassData]) -> _Arcs:
    cohorts = {(k, cohort.used, cohort.step): cohort for k, c in layered.items() for cohort in c.cohorts}
    arcs = _Arcs(cohorts, {}, {}, {})
    for key, cohort in cohorts.items():
        k = key[0]
        for t in range(cohort.earliest, cohort.last_tied + 1):
            arcs.of_stop.setdefault(key, []).append(t)
            arcs.of_start.setdefault((k, _layer_at(layered[k], cohort, t) + 1, t), []).append(key)
            arcs.of_kind.setdefault((k, cohort.tier(t), t), []).append(key)
    return arcs


def _is_midnight(c: ClassData, t: int) -> bool:
    """Return whether step `t` begins another day than the step before it."""
    return t > 0 and c.day[t] != c.day[t - 1]


def _first_of_day(c: ClassData, t: int) -> int:
    return c.day.index(c.day[t])


def _layer_at(c: ClassData, cohort: StopCohort, t: int) -> int:
    """Return how many starts of the day the containers of a cohort have used in step `t`, still off."""
    return cohort.used if c.day[t] == c.day[max(cohort.step, 0)] else 0


def _stopped(m: pe.ConcreteModel, k: str, cohort: StopCohort) -> Any:
    return m.zl[k, cohort.used, cohort.step] if cohort.count is None else m.lot_used[k, cohort.used, cohort.step]
