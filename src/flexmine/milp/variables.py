"""Sets and variables of the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyomo.core as pe

from flexmine.milp.class_data import ClassData
from flexmine.milp.pyomo_types import Bounds, Model
from flexmine.problem import Problem

Classes = dict[str, ClassData]


def sets(m: pe.ConcreteModel, p: Problem, classes: Classes) -> None:
    """Steps, classes, segments, sources, and the subsets over which some rows are written.

    T : steps 0..T-1;  T1 : the same with -1, the state before step 0;  TH : reaching back as far as any minimum time;
    TB : the steps of TH before step 0;  TM, TU, TD : steps with a least site power, a ramp up, a ramp down;  TF : the
    least and the most before step 0;  K : classes;  KS : their segments;  KC : those whose cold starts draw energy;
    KG : their tiers of starts between warm and cold; KH : those that draw energy; KP, KA : classes with a pool of
    the warm, with arcs; KW : stops of the former with later steps in which they may still be warm; KJ : layers of
    those whose starts are limited, KY : those that a start leads to; KL, KU : stops before step 0 that arcs, and
    layers, start from; KD : classes with days on which starts are limited; KR, KB : those whose container ramps
    slowly, and whose power before step 0 is known; G : classes of the Problem; GM, GC : with steps in which some,
    and exactly so many, must run; J : sources.
    """
    m.T = pe.RangeSet(0, p.steps - 1)
    m.T1 = pe.RangeSet(-1, p.steps - 1)
    m.TH = pe.RangeSet(-reach(classes), p.steps - 1)
    m.TB = pe.RangeSet(-reach(classes), -1)
    m.TF = set_of(["least", "most"])
    m.TM = set_of(np.flatnonzero(p.site.minimum_mw > 0).tolist())
    m.TU = set_of([] if p.site.ramp_up_mw_per_step is None else range(p.steps))
    m.TD = set_of([] if p.site.ramp_down_mw_per_step is None else range(p.steps))
    m.K = set_of(classes)
    m.KS = set_of([(k, s) for k, c in classes.items() for s in range(len(c.w))], dimen=2)
    m.KC = set_of([k for k, c in classes.items() if c.cold_energy])
    m.KG = set_of([(k, g) for k, c in classes.items() for g in range(len(c.tiers))], dimen=2)
    m.KH = set_of([(k, g) for k, g in m.KG if classes[k].tiers[g].draws], dimen=2)
    m.KP = set_of([k for k, c in classes.items() if c.pooled])
    m.KW = set_of([(k, i, t) for k in m.KP for i, t in fresh_pairs(classes[k], p.steps)], dimen=3)
    m.KA = set_of([k for k, c in classes.items() if c.tied])
    m.KL = set_of([(k, stop.step) for k, c in classes.items() for stop in c.cohorts if c.tied and stop.count], dimen=2)
    m.KJ = set_of([(k, j) for k, c in classes.items() for j in c.layers], dimen=2)
    m.KR = set_of([k for k, c in classes.items() if c.slow_ramp])
    m.KB = set_of([k for k, c in classes.items() if c.power_before is not None])
    m.KU = set_of(
        [
            (k, cohort.used, cohort.step)
            for k, c in classes.items()
            for cohort in c.cohorts
            if c.layered and cohort.count is not None
        ],
        dimen=3,
    )
    m.KY = set_of([(k, j) for k, j in m.KJ if j > 0], dimen=2)
    m.KD = set_of([(k, d) for k, c in classes.items() for d in (c.starts_left or {})], dimen=2)
    m.G = set_of([g.name for g in p.classes])
    m.GM = set_of([(g.name, int(t)) for g in p.classes for t in np.flatnonzero(g.must_run > 0)], dimen=2)
    m.GC = set_of([(g.name, t) for g in p.classes if g.committed is not None for t in range(p.steps)], dimen=2)
    m.J = set_of([j.name for j in p.sources])


def fresh_pairs(k: ClassData, T: int) -> list[tuple[int, int]]:
    """Return (stop, step) for each step in which a container may be free to start and still warm after that stop."""
    return [(i, t) for i in range(T) for t in range(i + k.D, min(T, i + k.fresh_within))]


def reach(classes: Classes) -> int:
    """Return how many steps before step 0 matter to a minimum time."""
    return max(max(k.U, k.D) for k in classes.values())


def set_of(members: Iterable[Any], dimen: int = 1) -> pe.Set:
    """Return an ordered set."""
    return pe.Set(initialize=list(members), dimen=dimen, ordered=True)


def commitment_variables(m: pe.ConcreteModel, classes: Classes) -> None:
    """Counts n (on), y (starting), z (stopping), w, u, c (warm, between, cold starts) [count], all integer.

    What is before step 0 is known: there the bounds are equal.
    """

    def n_bounds(m: Model, k: str, t: int) -> Bounds:
        return (0, m.N[k]) if t >= 0 else (m.n0[k], m.n0[k])

    def y_bounds(m: Model, k: str, t: int) -> Bounds:
        return (0, m.N[k]) if t >= 0 else (m.y0[k, t], m.y0[k, t])

    def z_bounds(m: Model, k: str, t: int) -> Bounds:
        return (0, m.N[k]) if t >= 0 else (m.z0[k, t], m.z0[k, t])

    def c_bounds(m: Model, k: str, t: int) -> Bounds:
        # A cold start in a step before its preheat could have begun is not possible.
        return (0, m.N[k] if t >= classes[k].preheat else 0)

    def u_bounds(m: Model, k: str, g: int, t: int) -> Bounds:
        return (0, m.N[k] if t >= classes[k].tiers[g].preheat else 0)

    m.n = pe.Var(m.K, m.T1, domain=pe.NonNegativeIntegers, bounds=n_bounds)
    m.y = pe.Var(m.K, m.TH, domain=pe.NonNegativeIntegers, bounds=y_bounds)
    m.z = pe.Var(m.K, m.TH, domain=pe.NonNegativeIntegers, bounds=z_bounds)
    m.w = pe.Var(m.K, m.T, domain=pe.NonNegativeIntegers, bounds=lambda m, k, t: (0, m.N[k]))
    m.u = pe.Var(m.KG, m.T, domain=pe.NonNegativeIntegers, bounds=u_bounds)
    m.c = pe.Var(m.K, m.T, domain=pe.NonNegativeIntegers, bounds=c_bounds)


def power_variables(m: pe.ConcreteModel) -> None:
    """Segment power q, supply s and facility power F [MW]."""

    def q_bounds(m: Model, k: str, s: int, t: int) -> Bounds:
        return (0, m.width[k, s, t] * m.N[k])

    def facility_bounds(m: Model, t: int) -> Bounds:
        return (0, m.most) if t >= 0 else (m.F0["least"], m.F0["most"])

    m.q = pe.Var(m.KS, m.T, domain=pe.NonNegativeReals, bounds=q_bounds)
    m.s = pe.Var(m.J, m.T, domain=pe.NonNegativeReals, bounds=lambda m, j, t: (0, m.most))
    m.F = pe.Var(m.T1, domain=pe.NonNegativeReals, bounds=facility_bounds)
