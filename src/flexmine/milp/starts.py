"""Warm and cold starts, and those between: a fact of each container by its own last stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pyomo.core as pe

from flexmine.milp.class_data import StopCohort
from flexmine.milp.pyomo_types import Model, Row
from flexmine.milp.templates import whole_family
from flexmine.milp.variables import Classes


def start_kind(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""Every start is warm, of a tier between, or cold.

    .. math:: y_{k,t} = w_{k,t} + \sum_g u_{k,g,t} + c_{k,t}
    """
    m.tiers = pe.Set(m.K, initialize={k: range(len(c.tiers)) for k, c in classes.items()})

    def rule(m: Model, k: str, t: int) -> Row:
        if not len(m.KG):
            return m.y[k, t] == m.w[k, t] + m.c[k, t]
        return m.y[k, t] == m.w[k, t] + sum(m.u[k, g, t] for g in m.tiers[k]) + m.c[k, t]

    with whole_family(m):
        m.start_kind = pe.Constraint(m.K, m.T, rule=rule)


def warm_pool(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""The perishable pool of containers that are off and still warm.

    .. math::
        h_{k,t} = h_{k,t-1} + \sum_{i: E_i = t} z_{k,i} - w_{k,t} - x_{k,t} \\
        h_{k,t} \le \sum_{i: E_i \le t,\; X_i \ge t+1} z_{k,i}

    h : left warm after the starts of t;  x : gone cold;  E, X : first step of a start after stop i, last warm one.
    Both sums run over all stops that might still be warm, with 1 or 0 as numbers (`comes`, `lasts`): so the weather
    changes no row.  Exact where no later stop expires earlier and a cold start never pays; the planner checks both
    (:attr:`flexmine.milp.class_data.ClassData.needs_arcs`).

    What is left warm is off and free to start, and so it is no more than what is (the row of the minimum down time,
    tightened by h):

    .. math:: h_{k,t} + \sum_{i=0}^{D_k-1} z_{k,t-i} \le N_k - n_{k,t} \quad \forall k, t

    Without it a start may be called cold where only warm containers are free to start, because the others are still
    within their minimum down time, and the warmth that it used up serves a more expensive start later.  Arcs and layers
    need no such row: there each start names its stop, or comes out of the pool of the cold (docs/mathematics.md, "Warm
    and cold").  With h = 0 it is the minimum down time, so that it takes no n, y, z away: neither a threshold nor a
    plan.
    """
    m.h = pe.Var(m.KP, m.T1, bounds=lambda m, k, t: (0, m.N[k] if t >= 0 else 0))
    m.x = pe.Var(m.KP, m.T, bounds=lambda m, k, t: (0, m.N[k]))
    fresh: dict[tuple[str, int], list[int]] = {}
    for k, i, t in m.KW:
        fresh.setdefault((k, t), []).append(i)
    m.arriving = pe.Set(m.KP, m.T, initialize=lambda m, k, t: [t - classes[k].D] if t >= classes[k].D else [])
    m.fresh = pe.Set(m.KP, m.T, initialize=lambda m, k, t: fresh.get((k, t), []))

    def balance(m: Model, k: str, t: int) -> Row:
        arrived = m.arrived[k, t] + sum(m.comes[k, t] * m.z[k, i] for i in m.arriving[k, t])
        return m.h[k, t] == m.h[k, t - 1] + arrived - m.w[k, t] - m.x[k, t]

    def still_warm(m: Model, k: str, t: int) -> Row:
        return m.h[k, t] <= m.unspoilt[k, t] + sum(m.lasts[k, i, t] * m.z[k, i] for i in m.fresh[k, t])

    def backed(m: Model, k: str, t: int) -> Row:
        return m.h[k, t] + sum(m.z[k, t - i] for i in m.D[k]) <= m.N[k] - m.n[k, t]

    with whole_family(m, m.KP):
        m.warm_pool = pe.Constraint(m.KP, m.T, rule=balance)
        m.warm_pool_fresh = pe.Constraint(m.KP, m.T, rule=still_warm)
        m.warm_pool_backed = pe.Constraint(m.KP, m.T, rule=backed)


def warm_arcs(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""Stop-to-start arcs for starts that are not cold, and one pool of the cold.

    .. math::
        \sum_{t=E_i}^{X_i} r_{k,i,t} \le z_{k,i}, \qquad
        \sum_{i: t \le X^w_i} r_{k,i,t} = w_{k,t}, \qquad
        \sum_{i: X^{g-1}_i < t \le X^g_i} r_{k,i,t} = u_{k,g,t} \\
        b_{k,t} = b_{k,t-1} + \sum_{i: C_i = t} \Bigl(z_{k,i} - \sum_{t'} r_{k,i,t'}\Bigr) - c_{k,t}

    r : starts in t of containers that stopped in i, not cold yet;  b : cold and off;  C = max(E, X + 1), X the last
    step before cold, :math:`X^w` the last warm one, :math:`X^g` the last of tier g.
    What has grown cold is alike, so that the cold need no arcs of their own: a start is charged as cold, and
    preheated, exactly when its container is.

    What is off is cold, or belongs to a stop that has not started again, from step to step by these rows alone:

    .. math:: N_k - n_{k,t} = b_{k,t} + \sum_{i \le t < C_i} \Bigl(z_{k,i} - \sum_{u \le t} r_{k,i,u}\Bigr)

    Hence arcs used later are always backed by containers that are off and free to start, and no row like
    ``warm_pool_backed`` is missing.
    """
    cohorts = {k: {cohort.step: cohort for cohort in classes[k].cohorts} for k in m.KA}
    arcs = [
        (k, i, t)
        for k in m.KA
        for i, cohort in cohorts[k].items()
        for t in range(cohort.earliest, cohort.last_tied + 1)
    ]
    by_stop: dict[tuple[str, int], list[int]] = {}
    by_start: dict[tuple[str, int, int], list[int]] = {}
    for k, i, t in arcs:
        by_stop.setdefault((k, i), []).append(t)
        by_start.setdefault((k, cohorts[k][i].tier(t), t), []).append(i)
    m.r = pe.Var(arcs, domain=pe.NonNegativeIntegers, bounds=lambda m, k, i, t: (0, m.N[k]))
    m.b = pe.Var(m.KA, m.T1, bounds=lambda m, k, t: (0, m.N[k] if t >= 0 else 0))
    colder = {k: _by(classes[k].cohorts, lambda cohort: cohort.cold_from) for k in m.KA}

    def used(m: Model, k: str, i: int) -> Row:
        return sum(m.r[k, i, t] for t in by_stop[k, i]) <= stopped(m, k, cohorts[k][i])

    def warm(m: Model, k: str, t: int) -> Row:
        return sum(m.r[k, i, t] for i in by_start.get((k, -1, t), ())) == m.w[k, t]

    def of_tier(m: Model, k: str, g: int, t: int) -> Row:
        return sum(m.r[k, i, t] for i in by_start.get((k, g, t), ())) == m.u[k, g, t]

    def cold(m: Model, k: str, t: int) -> Row:
        gone = sum(
            stopped(m, k, cohort) - sum(m.r[k, cohort.step, u] for u in by_stop.get((k, cohort.step), ()))
            for cohort in colder[k].get(t, ())
        )
        return m.b[k, t] == m.b[k, t - 1] + gone - m.c[k, t]

    m.warm_arc_stop = pe.Constraint(list(by_stop), rule=used)
    m.warm_arc_start = pe.Constraint(m.KA, m.T, rule=warm)
    m.tier_arc_start = pe.Constraint([(k, g) for k, g in m.KG if k in cohorts], m.T, rule=of_tier)
    m.cold_pool = pe.Constraint(m.KA, m.T, rule=cold)


def stopped(m: pe.ConcreteModel, k: str, cohort: StopCohort) -> Any:
    """Return how many stopped together: a variable inside the horizon, a number before it."""
    return m.z[k, cohort.step] if cohort.count is None else m.cohort[k, cohort.step]


def _by(cohorts: Iterable[StopCohort], key: Callable[[StopCohort], int]) -> dict[int, list[StopCohort]]:
    groups: dict[int, list[StopCohort]] = {}
    for cohort in cohorts:
        groups.setdefault(key(cohort), []).append(cohort)
    return groups
