"""The model as a whole: read this file first, then the modules that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.core as pe

from flexmine.milp import commitment, container_ramp, layers, numbers, power, starts, variables
from flexmine.milp.letters import letters_of
from flexmine.milp.parts import PARTS
from flexmine.milp.templates import whole_family
from flexmine.milp.variables import Classes
from flexmine.problem import Problem


def build_model(
    p: Problem, given: Mapping[str, Any] | None = None, *, classes: Classes | None = None, templated: bool = False
) -> pe.ConcreteModel:
    """Return the Pyomo model of a Problem; its rows have public names such as ``minimum_up_time[s19pro,12]``.

    Parameters
    ----------
    p : Problem
    given : mapping, optional
        Numbers in place of those of `p`, by letter as in :data:`flexmine.milp.numbers.INDEX`.
    classes : dict, optional
        The classes of the model, where they are known already.
    templated : bool
        Whether rules that do not look at their index are called once for all their rows; the rows are the same.
    """
    classes = classes or {k.name: k for k in letters_of(p)}
    m = pe.ConcreteModel(name="flexmine")
    m.templated = templated
    variables.sets(m, p, classes)
    for part in PARTS:
        part.sets(m, p)
    numbers.parameters(m, given or numbers.numbers_of(p, classes))
    variables.commitment_variables(m, classes)
    variables.power_variables(m)

    commitment.logic(m)
    commitment.minimum_up_time(m, classes)
    commitment.minimum_down_time(m, classes)
    commitment.availability(m, p, classes)
    commitment.must_run(m)
    commitment.kept_commitment(m)
    commitment.starts_per_day(m, p)
    starts.start_kind(m, classes)
    starts.warm_pool(m, classes)
    starts.warm_arcs(m, classes)
    layers.start_layers(m, classes)

    power.mode_curve(m)
    container_ramp.container_ramps(m, classes)
    power.preheat_steps(m, classes)
    power.facility_balance(m)
    power.supply_balance(m)
    power.supply_limit(m)
    power.site_cap(m)
    power.site_minimum(m)
    for part in PARTS:
        part.rows(m, p, classes)
    power.ramps(m)

    money(m, p)
    return m


def money(m: pe.ConcreteModel, p: Problem) -> None:
    r"""Money over the horizon [USD], to be maximised.

    .. math::
        \sum_t \Delta t \Bigl( \sum_k v_{k,t} H_{k,t} - \sum_j c_{j,t} s_{j,t} \Bigr)
        - \sum_{k,t} \Bigl( cw_{k,t} w_{k,t} + \sum_g cu_{k,g,t} u_{k,g,t} + cc_{k,t} c_{k,t} \Bigr)
        + \sum_k \tau_k n_{k,T-1}

    H = H0 n + sum_s g_s q : hash rate [TH/s];  v : hash value [USD per TH/s per h];  tau : terminal value [USD].
    """
    dt = p.time.step_h

    def rule(m):
        lowest = sum((dt * m.v[k, t] * m.H0[k, t] + m.tau[k, t]) * m.n[k, t] for k in m.K for t in m.T)
        above = sum(dt * m.v[k, t] * m.g[k, s] * m.q[k, s, t] for k, s in m.KS for t in m.T)
        energy = sum(dt * m.price[j, t] * m.s[j, t] for j in m.J for t in m.T)
        warm = sum(m.cw[k, t] * m.w[k, t] for k in m.K for t in m.T)
        cold = sum(m.cc[k, t] * m.c[k, t] for k in m.K for t in m.T)
        if not len(m.KG):
            return lowest + above - energy - warm - cold
        between = sum(m.cu[k, g, t] * m.u[k, g, t] for k, g in m.KG for t in m.T)
        return lowest + above - energy - warm - between - cold

    with whole_family(m):
        m.money = pe.Objective(rule=rule, sense=pe.maximize)
