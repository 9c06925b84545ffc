"""Who runs: logic, minimum times, availability, must-run, starts per day."""

from __future__ import annotations

import pyomo.environ as pe

from flexmine.milp.variables import Classes
from flexmine.problem import Problem


def logic(m: pe.ConcreteModel) -> None:
    r"""What runs is what ran, plus starts, less stops.

    .. math:: n_{k,t} - n_{k,t-1} = y_{k,t} - z_{k,t} \quad \forall k, t

    n, y, z : containers of class k on, starting, stopping at the beginning of t [count].
    Source: Rajan and Takriti (2005); counts: Knueven, Ostrowski and Watson (2018).
    """

    def rule(m, k, t):
        return m.n[k, t] - m.n[k, t - 1] == m.y[k, t] - m.z[k, t]

    m.logic = pe.Constraint(m.K, m.T, rule=rule)


def minimum_up_time(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""A container that starts stays on for U_k steps.

    .. math:: \sum_{i=t-U_k+1}^{t} y_{k,i} \le n_{k,t} \quad \forall k, t

    U : minimum up time [steps].  Source: Rajan and Takriti (2005).
    """

    def rule(m, k, t):
        return sum(m.y[k, i] for i in range(t - classes[k].U + 1, t + 1)) <= m.n[k, t]

    m.minimum_up_time = pe.Constraint(m.K, m.T, rule=rule)


def minimum_down_time(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""A container that stops stays off for D_k steps.

    .. math:: \sum_{i=t-D_k+1}^{t} z_{k,i} \le N_k - n_{k,t} \quad \forall k, t

    The full count N stands here, not the number available: a container that stops because it goes out of service
    would be counted twice.  Source: Rajan and Takriti (2005).
    """

    def rule(m, k, t):
        return sum(m.z[k, i] for i in range(t - classes[k].D + 1, t + 1)) <= classes[k].N - m.n[k, t]

    m.minimum_down_time = pe.Constraint(m.K, m.T, rule=rule)


def availability(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""At most so many may run at once, whichever; none where heat or cold leaves no power between the limits.

    .. math:: \sum_{k \in g} n_{k,t} \le A_{g,t}
    """
    runnable = {g.name: g.runnable for g in p.classes}

    def rule(m, g, t):
        return sum(m.n[k, t] for k in m.K if classes[k].parent == g) <= int(runnable[g][t])

    m.availability = pe.Constraint(m.G, m.T, rule=rule)


def must_run(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""At least so many run.

    .. math:: \sum_{k \in g} n_{k,t} \ge M_{g,t} \quad \text{where } M_{g,t} > 0
    """
    wanted = {(g.name, t): int(g.must_run[t]) for g in p.classes for t in range(p.steps) if g.must_run[t] > 0}

    def rule(m, g, t):
        return sum(m.n[k, t] for k in m.K if classes[k].parent == g) >= wanted[g, t]

    m.must_run = pe.Constraint(list(wanted), rule=rule)


def kept_commitment(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""Exactly so many run, where an earlier plan's commitment is kept.

    .. math:: \sum_{k \in g} n_{k,t} = C_{g,t} \quad \text{where } C_{g,t} \text{ is given}
    """
    kept = {(g.name, t): int(g.committed[t]) for g in p.classes if g.committed is not None for t in range(p.steps)}

    def rule(m, g, t):
        return sum(m.n[k, t] for k in m.K if classes[k].parent == g) == kept[g, t]

    m.kept_commitment = pe.Constraint(list(kept), rule=rule)


def starts_per_day(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""A container starts at most so often on a local calendar day.

    .. math:: \sum_{t \in d} y_{k,t} \le M_{k,d}

    Such a class holds one container, because the limit of each cannot be summed over containers.
    """
    limits = {(k, d): left for k, c in classes.items() for d, left in (c.starts_left or {}).items()}
    day = [] if p.site.day_of_step is None else p.site.day_of_step.tolist()

    def rule(m, k, d):
        return sum(m.y[k, t] for t in m.T if day[t] == d) <= limits[k, d]

    m.starts_per_day = pe.Constraint(list(limits), rule=rule)
