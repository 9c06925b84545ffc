"""How hard they run, and what the site draws: mode curve, balance, sources, caps, feeders, ramps."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pe

from flexmine.milp.variables import Classes
from flexmine.problem import Problem


def mode_curve(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""Segments of the mode curve in perspective form: tight, because it scales with the containers that are on.

    .. math:: q_{k,s,t} \le w_{k,s,t}\, n_{k,t}

    q : IT power above the minimum in segment s [MW];  w : width of the segment for one container [MW].
    Source: Frangioni and Gentile (2006); the weak form with N in place of n opens the LP gap to 2-11 %.
    """

    def rule(m, k, s, t):
        return m.q[k, s, t] <= float(classes[k].w[s, t]) * m.n[k, t]

    m.mode_curve = pe.Constraint(m.KS, m.T, rule=rule)


def it_power(m: pe.ConcreteModel, classes: Classes, k: str, t: int) -> Any:
    r"""IT power of class k in step t [MW]: :math:`P_{k,t} = P0_{k,t}\, n_{k,t} + \sum_s q_{k,s,t}`."""
    c = classes[k]
    return float(c.P0[t]) * m.n[k, t] + sum(m.q[k, s, t] for s in range(len(c.w)))


def class_power(m: pe.ConcreteModel, p: Problem, classes: Classes, k: str, t: int) -> Any:
    r"""Facility power of class k [MW]: running, standing by, being preheated.

    .. math:: a_{k,t} P_{k,t} + sb_{k,t} (N_k - n_{k,t}) + preheat_{k,t}
    """
    c = classes[k]
    standby = float(c.sb[t]) * (c.N - m.n[k, t])
    return float(c.a[t]) * it_power(m, classes, k, t) + standby + preheat_power(m, p, classes, k, t)


def preheat_power(m: pe.ConcreteModel, p: Problem, classes: Classes, k: str, t: int) -> Any:
    r"""Preheat power of class k in step t [MW]: in the step of the cold start, or evenly in the steps before it."""
    c = classes[k]
    if c.preheat == 0:
        spread = {t: 1.0}
    else:
        spread = dict.fromkeys(range(t + 1, min(t + c.preheat, p.steps - 1) + 1), 1.0 / c.preheat)
    return sum(float(c.e[u]) * share / p.time.step_h * m.c[k, u] for u, share in spread.items() if c.e[u] > 0)


def facility_balance(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""Facility power is base load plus what all classes draw.

    .. math:: F_t = B_t + \sum_k \bigl(a_{k,t} P_{k,t} + sb_{k,t}(N_k - n_{k,t}) + preheat_{k,t}\bigr)
    """

    def rule(m, t):
        return m.F[t] == float(p.site.base_load_mw[t]) + sum(class_power(m, p, classes, k, t) for k in m.K)

    m.facility_balance = pe.Constraint(m.T, rule=rule)


def supply_balance(m: pe.ConcreteModel) -> None:
    r"""The sources meet the facility power exactly: :math:`F_t = \sum_j s_{j,t}`."""
    m.supply_balance = pe.Constraint(m.T, rule=lambda m, t: m.F[t] == sum(m.s[j, t] for j in m.J))


def supply_limit(m: pe.ConcreteModel, p: Problem) -> None:
    r"""No more than offered: :math:`s_{j,t} \le S_{j,t}`."""
    offered = {j.name: j.available_mw for j in p.sources}
    m.supply_limit = pe.Constraint(m.J, m.T, rule=lambda m, j, t: m.s[j, t] <= float(offered[j][t]))


def site_cap(m: pe.ConcreteModel, p: Problem) -> None:
    r"""Site cap, curtailment orders folded in: :math:`F_t \le L_t`."""
    m.site_cap = pe.Constraint(m.T, rule=lambda m, t: m.F[t] <= float(p.site.cap_mw[t]))


def site_minimum(m: pe.ConcreteModel, p: Problem) -> None:
    r"""At least so much is drawn: :math:`F_t \ge F^{min}_t`, where there is such a limit."""
    steps = [t for t in range(p.steps) if p.site.minimum_mw[t] > 0]
    m.site_minimum = pe.Constraint(steps, rule=lambda m, t: m.F[t] >= float(p.site.minimum_mw[t]))


def feeder_cap(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""A feeder carries its classes, standby and preheat included: :math:`\sum_{k \in f} F_{k,t} \le L_f`."""
    feeders = {f.name: f for f in p.site.feeders if f.classes}

    def rule(m, f, t):
        on_it = [k for k in m.K if classes[k].parent in feeders[f].classes]
        return sum(class_power(m, p, classes, k, t) for k in on_it) <= feeders[f].cap_mw

    m.feeder_cap = pe.Constraint(list(feeders), m.T, rule=rule)


def ramps(m: pe.ConcreteModel, p: Problem) -> None:
    r"""The site ramps no faster than allowed, from the power measured before step 0.

    .. math:: -R^{down} \le F_t - F_{t-1} \le R^{up}
    """
    up, down = p.site.ramp_up_mw_per_step, p.site.ramp_down_mw_per_step
    steps_up = [] if up is None else list(m.T)
    steps_down = [] if down is None else list(m.T)
    m.ramp_up = pe.Constraint(steps_up, rule=lambda m, t: m.F[t] - m.F[t - 1] <= up)
    m.ramp_down = pe.Constraint(steps_down, rule=lambda m, t: m.F[t - 1] - m.F[t] <= down)
