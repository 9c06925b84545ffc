"""Sets and variables of the model."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pe

from flexmine.milp.letters import Letters
from flexmine.problem import Problem

Classes = dict[str, Letters]


def sets(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    """Steps, classes, segments and sources.

    T : steps 0..T-1;  T1 : the same with -1, the state before step 0;  TH : reaching back as far as any minimum time.
    """
    reach = max(max(k.U, k.D) for k in classes.values())
    m.T = pe.RangeSet(0, p.steps - 1)
    m.T1 = pe.RangeSet(-1, p.steps - 1)
    m.TH = pe.RangeSet(-reach, p.steps - 1)
    m.K = pe.Set(initialize=list(classes), ordered=True)
    m.KS = pe.Set(initialize=[(k, s) for k, c in classes.items() for s in range(len(c.w))], dimen=2, ordered=True)
    m.G = pe.Set(initialize=[g.name for g in p.classes], ordered=True)
    m.J = pe.Set(initialize=[j.name for j in p.sources], ordered=True)


def commitment_variables(m: pe.ConcreteModel, classes: Classes) -> None:
    """Counts n (on), y (starting), z (stopping), w (warm starts), c (cold starts) [count], all integer.

    What is before step 0 is known: there the bounds are equal.
    """

    def n_bounds(m, k, t):
        return (0, classes[k].N) if t >= 0 else (classes[k].on_before,) * 2

    def y_bounds(m, k, t):
        return (0, classes[k].N) if t >= 0 else (classes[k].started(t),) * 2

    def z_bounds(m, k, t):
        return (0, classes[k].N) if t >= 0 else (classes[k].stopped(t),) * 2

    def c_bounds(m, k, t):
        # A cold start in a step before its preheat could have begun is not possible.
        return (0, classes[k].N if t >= classes[k].preheat else 0)

    m.n = pe.Var(m.K, m.T1, domain=pe.NonNegativeIntegers, bounds=n_bounds)
    m.y = pe.Var(m.K, m.TH, domain=pe.NonNegativeIntegers, bounds=y_bounds)
    m.z = pe.Var(m.K, m.TH, domain=pe.NonNegativeIntegers, bounds=z_bounds)
    m.w = pe.Var(m.K, m.T, domain=pe.NonNegativeIntegers, bounds=lambda m, k, t: (0, classes[k].N))
    m.c = pe.Var(m.K, m.T, domain=pe.NonNegativeIntegers, bounds=c_bounds)


def power_variables(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    """Segment power q, supply s and facility power F [MW]."""
    most = float(np.max(np.sum([s.available_mw for s in p.sources], axis=0)))
    before = p.site.initial_mw

    def q_bounds(m, k, s, t):
        return (0, float(classes[k].w[s, t]) * classes[k].N)

    def facility_bounds(m, t):
        return (0, most) if t >= 0 else ((0, most) if before is None else (before, before))

    m.q = pe.Var(m.KS, m.T, domain=pe.NonNegativeReals, bounds=q_bounds)
    m.s = pe.Var(m.J, m.T, domain=pe.NonNegativeReals, bounds=(0, most))
    m.F = pe.Var(m.T1, domain=pe.NonNegativeReals, bounds=facility_bounds)
