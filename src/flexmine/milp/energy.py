"""Energy over periods: of a source, or of the whole site, at least or at most so much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.core as pe

from flexmine.milp.variables import Classes, set_of
from flexmine.problem import Floats, Problem

INDEX: dict[str, tuple[str, ...]] = {
    "E_least": ("EL",),  # energy that still has to be taken [MWh]
    "E_most": ("EM",),  # energy that may still be taken [MWh]
}


def sets(m: pe.ConcreteModel, p: Problem) -> None:
    """EL, EM : energy limits with a lower, and an upper bound."""
    m.EL = set_of([e.name for e in p.site.energy_limits if e.at_least_mwh is not None])
    m.EM = set_of([e.name for e in p.site.energy_limits if e.at_most_mwh is not None])


def numbers(p: Problem, classes: Classes) -> dict[str, Floats]:
    """Return the numbers of `INDEX`: the bounds less what is taken already."""
    limits = p.site.energy_limits
    return {
        "E_least": np.array([e.at_least_mwh - e.taken_mwh for e in limits if e.at_least_mwh is not None]),
        "E_most": np.array([e.at_most_mwh - e.taken_mwh for e in limits if e.at_most_mwh is not None]),
    }


def rows(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""Energy over the steps of a period, with what is taken already.

    .. math::
        E^{min}_e \le \sum_{t \in e} \Delta t\, s_{j(e),t} \le E^{max}_e

    s : power taken of the limit's source [MW], or F, that of the whole site.  The row spans steps, so that the
    cheapest supply of a step need not be the best.
    """
    limits = {e.name: e for e in p.site.energy_limits}

    def energy(m: Any, name: str) -> Any:
        e = limits[name]
        window = range(e.first_step, e.first_step + e.steps)
        return sum(p.time.step_h * (m.F[t] if e.source is None else m.s[e.source, t]) for t in window)

    m.energy_at_least = pe.Constraint(m.EL, rule=lambda m, e: energy(m, e) >= m.E_least[e])
    m.energy_at_most = pe.Constraint(m.EM, rule=lambda m, e: energy(m, e) <= m.E_most[e])
