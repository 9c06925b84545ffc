"""The model as a whole: read this file first, then the modules that it names."""

from __future__ import annotations

import pyomo.environ as pe

from flexmine.milp import commitment, power, starts, variables
from flexmine.milp.letters import letters_of
from flexmine.milp.variables import Classes
from flexmine.problem import Problem


def build_model(p: Problem) -> pe.ConcreteModel:
    """Return the Pyomo model of a Problem; its rows have public names such as ``minimum_up_time[s19pro,12]``."""
    classes: Classes = {k.name: k for k in letters_of(p)}
    m = pe.ConcreteModel(name="flexmine")
    variables.sets(m, p, classes)
    variables.commitment_variables(m, classes)
    variables.power_variables(m, p, classes)

    commitment.logic(m)
    commitment.minimum_up_time(m, classes)
    commitment.minimum_down_time(m, classes)
    commitment.availability(m, p, classes)
    commitment.must_run(m, p, classes)
    commitment.kept_commitment(m, p, classes)
    commitment.starts_per_day(m, p, classes)
    starts.start_kind(m)
    starts.warm_pool(m, classes)
    starts.warm_arcs(m, classes)

    power.mode_curve(m, classes)
    power.facility_balance(m, p, classes)
    power.supply_balance(m)
    power.supply_limit(m, p)
    power.site_cap(m, p)
    power.site_minimum(m, p)
    power.feeder_cap(m, p, classes)
    power.ramps(m, p)

    money(m, p, classes)
    return m


def money(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""Money over the horizon [USD], to be maximised.

    .. math::
        \sum_t \Delta t \Bigl( \sum_k v_{k,t} H_{k,t} - \sum_j c_{j,t} s_{j,t} \Bigr)
        - \sum_{k,t} \bigl( cw_{k,t} w_{k,t} + cc_{k,t} c_{k,t} \bigr) + \sum_k \tau_k n_{k,T-1}

    H = H0 n + sum_s g_s q : hash rate [TH/s];  v : hash value [USD per TH/s per h];  tau : terminal value [USD].
    """
    dt = p.time.step_h
    price = {j.name: j.price_usd_per_mwh for j in p.sources}
    revenue = sum(
        dt * float(c.v[t] * c.H0[t]) * m.n[k, t]
        + sum(dt * float(c.v[t] * c.g[s, t]) * m.q[k, s, t] for s in range(len(c.w)))
        for k, c in classes.items()
        for t in m.T
    )
    energy = sum(dt * float(price[j][t]) * m.s[j, t] for j in m.J for t in m.T)
    start = sum(float(c.cw[t]) * m.w[k, t] + float(c.cc[t]) * m.c[k, t] for k, c in classes.items() for t in m.T)
    terminal = sum(c.terminal * m.n[k, p.steps - 1] for k, c in classes.items())
    m.money = pe.Objective(expr=revenue - energy - start + terminal, sense=pe.maximize)
