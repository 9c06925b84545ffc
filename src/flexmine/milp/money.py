"""What the plan earns and pays: the equation of each term of the money, and the objective that they make up.

A term is given by its coefficients: by variable, what one unit of it earns or costs [USD].  Those of one variable are
added up before the variable comes in, so that no entry of the matrix is made of two numbers by the compiler, which
could not be traced (:mod:`flexmine.solving.trace`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyomo.core as pe

from flexmine.milp.pyomo_types import Model, Term
from flexmine.milp.templates import whole_family
from flexmine.problem import Problem
from flexmine.problem.money import money_terms

Coefficients = Mapping[str, Callable[..., Any]]
# Variables that money hangs on -> the index set beside T.
OVER = {"n": "K", "q": "KS", "s": "J", "w": "K", "u": "KG", "c": "K"}


def hash_revenue(m: pe.ConcreteModel, p: Problem) -> Coefficients:
    r"""What the hash rate earns, net of fees [USD].

    .. math:: \sum_{k,t} \Delta t\, v_{k,t} \Bigl( H0_{k,t}\, n_{k,t} + \sum_s g_{k,s} q_{k,s,t} \Bigr)

    H0 : hash rate at the lowest power [TH/s];  g : slope of a segment [TH/s per MW];  v : hash value [USD per TH/s
    per h].
    """
    dt = p.time.step_h
    return {
        "n": lambda k, t: dt * m.v[k, t] * m.H0[k, t],
        "q": lambda k, s, t: dt * m.v[k, t] * m.g[k, s],
    }


def energy_cost(m: pe.ConcreteModel, p: Problem) -> Coefficients:
    r"""What the sources charge [USD]: :math:`\sum_{j,t} \Delta t\, p_{j,t} s_{j,t}`; p : price [USD/MWh]."""
    return {"s": lambda j, t: p.time.step_h * m.price[j, t]}


def start_cost(m: pe.ConcreteModel, p: Problem) -> Coefficients:
    r"""What the starts cost, warm, of a tier between, and cold [USD].

    .. math:: \sum_{k,t} \Bigl( cw_{k,t} w_{k,t} + \sum_g cu_{k,g,t} u_{k,g,t} + cc_{k,t} c_{k,t} \Bigr)
    """
    return {
        "w": lambda k, t: m.cw[k, t],
        "u": lambda k, g, t: m.cu[k, g, t],
        "c": lambda k, t: m.cc[k, t],
    }


def terminal(m: pe.ConcreteModel, p: Problem) -> Coefficients:
    r"""What running at the end is worth [USD]: :math:`\sum_{k,t} \tau_{k,t} n_{k,t}`; 0 in every step but the last."""
    return {"n": lambda k, t: m.tau[k, t]}


EQUATIONS: dict[str, Callable[[pe.ConcreteModel, Problem], Coefficients]] = {
    equation.__name__: equation for equation in (hash_revenue, energy_cost, start_cost, terminal)
}


def objective(m: pe.ConcreteModel, p: Problem) -> None:
    """Money over the horizon [USD], to be maximised: all terms of :data:`flexmine.problem.money.MONEY_TERMS`."""
    terms = [(term.sign, EQUATIONS[term.name](m, p)) for term in money_terms()]

    def rule(m: Model) -> Term:
        return sum(_sum_over(m, name, [(sign, part[name]) for sign, part in terms if name in part]) for name in OVER)

    with whole_family(m):
        m.money = pe.Objective(rule=rule, sense=pe.maximize)


def _sum_over(m: Any, name: str, parts: list[tuple[int, Callable[..., Any]]]) -> Any:
    """Return what all units of a variable earn less what they cost."""
    members, variable = m.component(OVER[name]), m.component(name)
    if not parts or not len(members):
        return 0.0

    def net(*index: Any) -> Any:
        (sign, first), *others = parts
        total = first(*index) if sign > 0 else -first(*index)
        for sign, part in others:
            total = total + part(*index) if sign > 0 else total - part(*index)
        return total

    # A template takes a loop over a set as it stands: two indices have to be two.
    if members.dimen == 2:
        return sum(net(k, s, t) * variable[k, s, t] for k, s in members for t in m.T)
    return sum(net(k, t) * variable[k, t] for k in members for t in m.T)
