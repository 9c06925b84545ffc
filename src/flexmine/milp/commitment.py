"""Who runs: logic, minimum times, availability, must-run, starts per day."""

from __future__ import annotations

import pyomo.core as pe

from flexmine.milp.pyomo_types import Model, Row
from flexmine.milp.templates import whole_family
from flexmine.milp.variables import Classes
from flexmine.problem import Problem


def logic(m: pe.ConcreteModel) -> None:
    r"""What runs is what ran, plus starts, less stops.

    .. math:: n_{k,t} - n_{k,t-1} = y_{k,t} - z_{k,t} \quad \forall k, t

    n, y, z : containers of class k on, starting, stopping at the beginning of t [count].
    Source: Rajan and Takriti (2005); counts: Knueven, Ostrowski and Watson (2018).
    """

    def rule(m: Model, k: str, t: int) -> Row:
        return m.n[k, t] - m.n[k, t - 1] == m.y[k, t] - m.z[k, t]

    with whole_family(m):
        m.logic = pe.Constraint(m.K, m.T, rule=rule)


def minimum_up_time(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""A container that starts stays on for U_k steps.

    .. math:: \sum_{i=0}^{U_k-1} y_{k,t-i} \le n_{k,t} \quad \forall k, t

    U : minimum up time [steps].  Source: Rajan and Takriti (2005).
    """
    m.U = pe.Set(m.K, initialize={k: list(range(c.U)) for k, c in classes.items()})

    def rule(m: Model, k: str, t: int) -> Row:
        return sum(m.y[k, t - i] for i in m.U[k]) <= m.n[k, t]

    with whole_family(m):
        m.minimum_up_time = pe.Constraint(m.K, m.T, rule=rule)


def minimum_down_time(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""A container that stops stays off for D_k steps.

    .. math:: \sum_{i=0}^{D_k-1} z_{k,t-i} \le N_k - n_{k,t} \quad \forall k, t

    The full count N stands here, not the number available: a container that stops because it goes out of service
    would be counted twice.  Source: Rajan and Takriti (2005).
    """
    m.D = pe.Set(m.K, initialize={k: list(range(c.D)) for k, c in classes.items()})

    def rule(m: Model, k: str, t: int) -> Row:
        return sum(m.z[k, t - i] for i in m.D[k]) <= m.N[k] - m.n[k, t]

    with whole_family(m):
        m.minimum_down_time = pe.Constraint(m.K, m.T, rule=rule)


def availability(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""At most so many may run at once, whichever; none where heat or cold leaves no power between the limits.

    .. math:: \sum_{k \in g} n_{k,t} \le A_{g,t}
    """
    m.parts = pe.Set(m.G, initialize={g.name: [k for k in m.K if classes[k].parent == g.name] for g in p.classes})

    def rule(m: Model, g: int, t: int) -> Row:
        return sum(m.n[k, t] for k in m.parts[g]) <= m.A[g, t]

    with whole_family(m):
        m.availability = pe.Constraint(m.G, m.T, rule=rule)


def must_run(m: pe.ConcreteModel) -> None:
    r"""At least so many run.

    .. math:: \sum_{k \in g} n_{k,t} \ge M_{g,t} \quad \text{where } M_{g,t} > 0
    """

    def rule(m: Model, g: int, t: int) -> Row:
        return sum(m.n[k, t] for k in m.parts[g]) >= m.M[g, t]

    m.must_run = pe.Constraint(m.GM, rule=rule)


def kept_commitment(m: pe.ConcreteModel) -> None:
    r"""Exactly so many run, where an earlier plan's commitment is kept.

    .. math:: \sum_{k \in g} n_{k,t} = C_{g,t} \quad \text{where } C_{g,t} \text{ is given}
    """

    def rule(m: Model, g: int, t: int) -> Row:
        return sum(m.n[k, t] for k in m.parts[g]) == m.C[g, t]

    m.kept_commitment = pe.Constraint(m.GC, rule=rule)


def starts_per_day(m: pe.ConcreteModel, p: Problem) -> None:
    r"""A container starts at most so often on a local calendar day.

    .. math:: \sum_{t \in d} y_{k,t} \le M_{k,d}

    Such a class holds one container, because the limit of each cannot be summed over containers.
    """
    day = [] if p.site.day_of_step is None else p.site.day_of_step.tolist()

    def rule(m: Model, k: str, d: int) -> Row:
        return sum(m.y[k, t] for t in m.T if day[t] == d) <= m.starts_left[k, d]

    m.starts_per_day = pe.Constraint(m.KD, rule=rule)
