"""What the plan earns and pays: the equation of each term of the money, and the objective that they make up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyomo.core as pe

from flexmine.milp.templates import whole_family
from flexmine.problem import Problem
from flexmine.problem.money import money_terms, net_of


def hash_revenue(m: pe.ConcreteModel, p: Problem) -> Any:
    r"""What the hash rate earns, net of fees [USD].

    .. math:: \sum_{k,t} \Delta t\, v_{k,t} \Bigl( H0_{k,t}\, n_{k,t} + \sum_s g_{k,s} q_{k,s,t} \Bigr)

    H0 : hash rate at the lowest power [TH/s];  g : slope of a segment [TH/s per MW];  v : hash value [USD per TH/s
    per h].
    """
    dt = p.time.step_h
    lowest = sum(dt * m.v[k, t] * m.H0[k, t] * m.n[k, t] for k in m.K for t in m.T)
    return lowest + sum(dt * m.v[k, t] * m.g[k, s] * m.q[k, s, t] for k, s in m.KS for t in m.T)


def energy_cost(m: pe.ConcreteModel, p: Problem) -> Any:
    r"""What the sources charge [USD]: :math:`\sum_{j,t} \Delta t\, p_{j,t} s_{j,t}`; p : price [USD/MWh]."""
    return sum(p.time.step_h * m.price[j, t] * m.s[j, t] for j in m.J for t in m.T)


def start_cost(m: pe.ConcreteModel, p: Problem) -> Any:
    r"""What the starts cost, warm, of a tier between, and cold [USD].

    .. math:: \sum_{k,t} \Bigl( cw_{k,t} w_{k,t} + \sum_g cu_{k,g,t} u_{k,g,t} + cc_{k,t} c_{k,t} \Bigr)
    """
    warm = sum(m.cw[k, t] * m.w[k, t] for k in m.K for t in m.T)
    cold = sum(m.cc[k, t] * m.c[k, t] for k in m.K for t in m.T)
    if not len(m.KG):
        return warm + cold
    return warm + sum(m.cu[k, g, t] * m.u[k, g, t] for k, g in m.KG for t in m.T) + cold


def terminal(m: pe.ConcreteModel, p: Problem) -> Any:
    r"""What running at the end is worth [USD]: :math:`\sum_{k,t} \tau_{k,t} n_{k,t}`; 0 in every step but the last."""
    return sum(m.tau[k, t] * m.n[k, t] for k in m.K for t in m.T)


EQUATIONS: dict[str, Callable[[pe.ConcreteModel, Problem], Any]] = {
    equation.__name__: equation for equation in (hash_revenue, energy_cost, start_cost, terminal)
}


def objective(m: pe.ConcreteModel, p: Problem) -> None:
    """Money over the horizon [USD], to be maximised: all terms of :data:`flexmine.problem.money.MONEY_TERMS`."""

    def rule(m):
        return net_of({term.name: EQUATIONS[term.name](m, p) for term in money_terms()})

    with whole_family(m):
        m.money = pe.Objective(rule=rule, sense=pe.maximize)
