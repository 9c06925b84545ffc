"""How hard they run, and what the site draws: mode curve, balance, sources, caps, ramps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyomo.core as pe

from flexmine.milp.pyomo_types import Model, Row
from flexmine.milp.templates import whole_family
from flexmine.milp.variables import Classes


def mode_curve(m: pe.ConcreteModel) -> None:
    r"""Segments of the mode curve in perspective form: tight, because it scales with the containers that are on.

    .. math:: q_{k,s,t} \le w_{k,s,t}\, n_{k,t}

    q : IT power above the minimum in segment s [MW];  w : width of the segment for one container [MW].
    Source: Frangioni and Gentile (2006); the weak form with N in place of n opens the LP gap to 2-11 %.
    """

    def rule(m: Model, k: str, s: int, t: int) -> Row:
        return m.q[k, s, t] <= m.width[k, s, t] * m.n[k, t]

    with whole_family(m, m.KS):
        m.mode_curve = pe.Constraint(m.KS, m.T, rule=rule)


def above_idle(m: pe.ConcreteModel, t: Any, classes: Any, segments: Any, heated: tuple[Any, Any]) -> Any:
    r"""What some classes draw above standing by [MW].

    .. math:: \sum_k \bigl( a_{k,t} P_{k,t} - sb_{k,t}\, n_{k,t} + preheat_{k,t} \bigr),
        \qquad P_{k,t} = P0_{k,t}\, n_{k,t} + \sum_s q_{k,s,t}

    The preheat of a start falls into its step, or evenly into the steps before it; `heated` are the classes whose cold
    starts, and the tiers whose starts are preheated.
    """
    lowest = sum((m.a[k, t] * m.P0[k, t] - m.sb[k, t]) * m.n[k, t] for k in classes)
    above = sum(m.a[k, t] * m.q[k, s, t] for k, s in segments)
    drawn = lowest + above
    if len(m.KC):
        drawn += sum(m.heat[k, u] * m.c[k, u] for k in heated[0] for u in m.heating[k, t])
    if len(m.KH):
        drawn += sum(m.heat_between[k, g, u] * m.u[k, g, u] for k, g in heated[1] for u in m.heating_between[k, t])
    return drawn


def preheat_steps(m: pe.ConcreteModel, classes: Classes) -> None:
    """Declare, by step, the steps of the starts that are being preheated in it, cold ones and those between."""
    last = len(m.T) - 1

    def started_in(m: Model, k: str, t: int) -> Iterable[int]:
        ahead = classes[k].preheat
        return [t] if ahead == 0 else range(t + 1, min(t + ahead, last) + 1)

    m.heating = pe.Set(m.KC, m.T, initialize=started_in)
    m.heating_between = pe.Set(sorted({k for k, g in m.KH}), m.T, initialize=started_in)


def facility_balance(m: pe.ConcreteModel) -> None:
    r"""Facility power is base load plus what all classes draw.

    .. math:: F_t = B_t + \sum_k \bigl(a_{k,t} P_{k,t} + sb_{k,t}(N_k - n_{k,t}) + preheat_{k,t}\bigr)

    idle : :math:`B_t + \sum_k sb_{k,t} N_k`, what is drawn where nothing runs [MW].
    """

    def rule(m: Model, t: int) -> Row:
        return m.F[t] == m.idle[t] + above_idle(m, t, m.K, m.KS, (m.KC, m.KH))

    with whole_family(m):
        m.facility_balance = pe.Constraint(m.T, rule=rule)


def supply_balance(m: pe.ConcreteModel) -> None:
    r"""The sources meet the facility power exactly: :math:`F_t = \sum_j s_{j,t}`."""
    with whole_family(m):
        m.supply_balance = pe.Constraint(m.T, rule=lambda m, t: m.F[t] == sum(m.s[j, t] for j in m.J))


def supply_limit(m: pe.ConcreteModel) -> None:
    r"""No more than offered: :math:`s_{j,t} \le S_{j,t}`."""
    with whole_family(m):
        m.supply_limit = pe.Constraint(m.J, m.T, rule=lambda m, j, t: m.s[j, t] <= m.S[j, t])


def site_cap(m: pe.ConcreteModel) -> None:
    r"""Site cap, curtailment orders folded in: :math:`F_t \le L_t`."""
    with whole_family(m):
        m.site_cap = pe.Constraint(m.T, rule=lambda m, t: m.F[t] <= m.L[t])


def site_minimum(m: pe.ConcreteModel) -> None:
    r"""At least so much is drawn: :math:`F_t \ge F^{min}_t`, where there is such a limit."""
    m.site_minimum = pe.Constraint(m.TM, rule=lambda m, t: m.F[t] >= m.Fmin[t])


def ramps(m: pe.ConcreteModel) -> None:
    r"""The site ramps no faster than allowed, from the power measured before step 0.

    .. math:: -R^{down} \le F_t - F_{t-1} \le R^{up}
    """
    with whole_family(m, m.TU):
        m.ramp_up = pe.Constraint(m.TU, rule=lambda m, t: m.F[t] - m.F[t - 1] <= m.Rup[t])
    with whole_family(m, m.TD):
        m.ramp_down = pe.Constraint(m.TD, rule=lambda m, t: m.F[t - 1] - m.F[t] <= m.Rdown[t])
