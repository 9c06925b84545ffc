"""Groups of classes with limits of their own: feeders and transformers."""

from __future__ import annotations

import numpy as np
import pyomo.core as pe

from flexmine.milp.power import above_idle
from flexmine.milp.pyomo_types import Model, Row
from flexmine.milp.variables import Classes, set_of
from flexmine.problem import Floats, Problem

INDEX: dict[str, tuple[str, ...]] = {
    "idle_on_feeder": ("FD", "T"),  # the standby power of its classes [MW]
    "Lf": ("FD",),  # cap of a feeder [MW]
}


def sets(m: pe.ConcreteModel, p: Problem) -> None:
    """FD : feeders that bear classes."""
    m.FD = set_of([f.name for f in p.site.groups if f.classes])


def numbers(p: Problem, classes: Classes) -> dict[str, Floats]:
    """Return the numbers of `INDEX`."""
    feeders = [f for f in p.site.groups if f.classes]
    idle = [sum(k.sb * k.N for k in classes.values() if k.parent in f.classes) for f in feeders]
    return {
        "idle_on_feeder": np.asarray(idle, dtype=np.float64),
        "Lf": np.asarray([f.cap_mw for f in feeders], dtype=np.float64),
    }


def rows(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    """Add the rows of all groups."""
    feeder_cap(m, p, classes)


def feeder_cap(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    r"""A feeder carries its classes, standby and preheat included: :math:`\sum_{k \in f} F_{k,t} \le L_f`."""
    hung = {f.name: [k for k in m.K if classes[k].parent in f.classes] for f in p.site.groups if f.classes}
    m.on_feeder = pe.Set(m.FD, initialize=hung)
    m.segments_on_feeder = pe.Set(m.FD, dimen=2, initialize=lambda m, f: [(k, s) for k, s in m.KS if k in hung[f]])
    m.heated_on_feeder = pe.Set(m.FD, initialize=lambda m, f: [k for k in m.KC if k in hung[f]])
    m.heated_between_on_feeder = pe.Set(m.FD, dimen=2, initialize=lambda m, f: [kg for kg in m.KH if kg[0] in hung[f]])

    def rule(m: Model, f: str, t: int) -> Row:
        heated = m.heated_on_feeder[f], m.heated_between_on_feeder[f]
        drawn = above_idle(m, t, m.on_feeder[f], m.segments_on_feeder[f], heated)
        return m.idle_on_feeder[f, t] + drawn <= m.Lf[f]

    m.feeder_cap = pe.Constraint(m.FD, m.T, rule=rule)
