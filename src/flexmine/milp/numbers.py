"""The numbers of the model: data that may differ from night to night, while the rows and columns stay the same.

Each is an array over index sets, and becomes a parameter of the model with the same letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np
import pyomo.core as pe

from flexmine.milp.class_data import ClassData, StopCohort
from flexmine.milp.parts import PARTS
from flexmine.milp.variables import Classes, fresh_pairs, reach
from flexmine.problem import Floats, Problem

Numbers = Mapping[str, Floats]

# Letter -> index sets of the model, in the order of the array's axes.
INDEX: dict[str, tuple[str, ...]] = {
    "N": ("K",),  # containers of the class [count]
    "P0": ("K", "T"),  # lowest IT power of a container [MW]
    "H0": ("K", "T"),  # hash rate at P0 [TH/s]
    "width": ("KS", "T"),  # width of a segment of the mode curve [MW]
    "g": ("KS",),  # hash rate by power in a segment [TH/s per MW]
    "a": ("K", "T"),  # facility power by IT power
    "sb": ("K", "T"),  # standby power of a container that is not running [MW]
    "v": ("K", "T"),  # hash value [USD per TH/s per h]
    "cw": ("K", "T"),  # a warm start [USD]
    "cc": ("K", "T"),  # a cold start [USD]
    "cu": ("KG", "T"),  # a start of a tier between [USD]
    "tau": ("K", "T"),  # a container that runs at the end [USD], 0 in every step but the last
    "heat": ("KC", "T"),  # preheat power by cold start in t, in each step of its preheat [MW]
    "heat_between": ("KH", "T"),  # the same by start of a tier between [MW]
    "n0": ("K",),  # running before step 0 [count]
    "y0": ("K", "TB"),  # started in a step before step 0, and still on [count]
    "z0": ("K", "TB"),  # stopped in a step before step 0, and still off [count]
    "arrived": ("KP", "T"),  # of those off before step 0, warm ones that may start from t on [count]
    "unspoilt": ("KP", "T"),  # of those off before step 0, warm in t and in the step after it [count]
    "comes": ("KP", "T"),  # 1 where what stopped D steps before comes into the pool of the warm in t, else 0
    "lasts": ("KW",),  # 1 where a stop is still warm in t and in the step after it, else 0
    "cohort": ("KL",),  # containers of a cohort that stopped before step 0 [count]
    "nl0": ("KJ",),  # running before step 0 with j starts of the first day used [count]
    "yl0": ("KJ", "TB"),  # of those, started in a step before step 0 [count]
    "lot_used": ("KU",),  # of a cohort that stopped before step 0 with j starts of the first day used [count]
    "r_slow": ("KR",),  # largest change of the IT power of a container from step to step [MW]
    "P_before": ("KB",),  # its IT power just before step 0 [MW]
    "A": ("G", "T"),  # at most so many may run [count]
    "M": ("GM",),  # at least so many run [count]
    "C": ("GC",),  # exactly so many run [count]
    "starts_left": ("KD",),  # starts on a day [count]
    "S": ("J", "T"),  # offered by a source [MW]
    "price": ("J", "T"),  # of a source [USD/MWh]
    "most": (),  # that all sources together ever offer [MW]
    "F0": ("TF",),  # facility power before step 0, at least and at most [MW]
    "idle": ("T",),  # facility power where nothing runs: base load and standby [MW]
    "L": ("T",),  # cap of the site [MW]
    "Fmin": ("TM",),  # least power of the site [MW]
    "Rup": ("TU",),  # largest step up [MW]
    "Rdown": ("TD",),  # largest step down [MW]
    **{letter: sets for part in PARTS for letter, sets in part.INDEX.items()},
}


def numbers_of(p: Problem, classes: Classes) -> dict[str, Floats]:
    """Return every number of the model as an array over the index sets of `INDEX`."""
    K, T = list(classes.values()), p.steps
    before = range(-reach(classes), 0)
    pools = [_pool_before(k, T) for k in K if k.pooled]
    offered = np.array([j.available_mw for j in p.sources], dtype=np.float64)
    most = float(np.max(offered.sum(axis=0)))
    site = p.site
    up, down = site.ramp_up_mw_per_step, site.ramp_down_mw_per_step
    initial = None if site.initial_mw is None else max(0.0, site.initial_mw)
    return {
        "N": _array([k.N for k in K]),
        "P0": _array([k.P0 for k in K]),
        "H0": _array([k.H0 for k in K]),
        "width": _array([w for k in K for w in k.w]),
        "g": _array([g for k in K for g in k.g]),
        "a": _array([k.a for k in K]),
        "sb": _array([k.sb for k in K]),
        "v": _array([k.v for k in K]),
        "cw": _array([k.cw for k in K]),
        "cc": _array([k.cc for k in K]),
        "cu": _array([tier.cost for k in K for tier in k.tiers]),
        "tau": _array([np.where(np.arange(T) == T - 1, k.terminal, 0.0) for k in K]),
        "heat": _array([k.e / max(1, k.preheat) / p.time.step_h for k in K if k.cold_energy]),
        "heat_between": _array(
            [tier.e / max(1, tier.preheat) / p.time.step_h for k in K for tier in k.tiers if tier.draws]
        ),
        "n0": _array([k.on_before for k in K]),
        "y0": _array([[k.started(t) for t in before] for k in K]),
        "z0": _array([[k.stopped(t) for t in before] for k in K]),
        "arrived": _array([arrived for arrived, _ in pools]),
        "unspoilt": _array([unspoilt for _, unspoilt in pools]),
        "comes": _array([_comes(k, T) for k in K if k.pooled]),
        "lasts": _array([lasts for k in K if k.pooled for lasts in _lasts(k, T)]),
        "cohort": _array([cohort.count for k in K for cohort in lots_before(k)]),
        "nl0": _array([k.on_before_with(j) for k in K for j in k.layers]),
        "yl0": _array([[k.started(t, j) for t in before] for k in K for j in k.layers]),
        "lot_used": _array([cohort.count for k in K if k.layered for cohort in k.cohorts if cohort.count is not None]),
        "r_slow": _array([k.ramp for k in K if k.slow_ramp]),
        "P_before": _array([k.power_before for k in K if k.power_before is not None]),
        "A": _array([g.runnable for g in p.classes]),
        "M": _array([g.must_run[t] for g in p.classes for t in np.flatnonzero(g.must_run > 0)]),
        "C": _array([count for g in p.classes if g.committed is not None for count in g.committed]),
        "starts_left": _array([left for k in K for left in (k.starts_left or {}).values()]),
        "S": offered,
        "price": _array([j.price_usd_per_mwh for j in p.sources]),
        "most": _array([most]),
        "F0": _array([0.0, most] if initial is None else [initial, initial]),
        "idle": site.base_load_mw + sum(k.sb * k.N for k in K),
        "L": _array(site.cap_mw),
        "Fmin": site.minimum_mw[site.minimum_mw > 0],
        "Rup": _array([] if up is None else [up] * T),
        "Rdown": _array([] if down is None else [down] * T),
        **{letter: values for part in PARTS for letter, values in part.numbers(p, classes).items()},
    }


def parameters(m: pe.ConcreteModel, numbers: Mapping[str, Any]) -> None:
    """Declare every number as a parameter over the sets that `INDEX` names, in the order of the array's axes.

    Raises
    ------
    ValueError
        Where an array does not have as many members as its sets.
    """
    for letter, names in INDEX.items():
        values = np.ravel(numbers[letter]).tolist()
        sets = [m.find_component(name) for name in names]
        if len(values) != prod(len(members) for members in sets):
            raise ValueError(f"{letter}: {len(values)} numbers do not fit the index {', '.join(names)}")
        in_order = iter(values)
        m.add_component(
            letter, pe.Param(*sets, initialize=lambda m, *_, following=in_order: next(following), within=pe.Any)
        )


def lots_before(k: ClassData) -> list[StopCohort]:
    """Return the cohorts that stopped before step 0, where starts are tied to stops; else they are sums of a pool."""
    return [cohort for cohort in k.cohorts if cohort.count is not None] if k.tied else []


def _pool_before(k: ClassData, T: int) -> tuple[Floats, Floats]:
    """Return what the stops before step 0 give to the pool of the warm: arriving in t, and lasting beyond t."""
    arrived, unspoilt = np.zeros(T), np.zeros(T)
    for cohort in k.cohorts:
        if cohort.count is not None and cohort.last_warm >= cohort.earliest:
            arrived[cohort.earliest : cohort.earliest + 1] += cohort.count
            unspoilt[cohort.earliest : cohort.last_warm] += cohort.count
    return arrived, unspoilt


def _comes(k: ClassData, T: int) -> Floats:
    """Return whether what stopped D steps before is still warm when it may start, by that step."""
    comes = np.zeros(T)
    for cohort in k.cohorts:
        if cohort.count is None and cohort.earliest < T:
            comes[cohort.earliest] = cohort.last_warm >= cohort.earliest
    return comes


def _lasts(k: ClassData, T: int) -> Floats:
    """Return whether a stop is still warm in a step and in the one after it, by the pairs of `fresh_pairs`."""
    last_warm = {cohort.step: cohort.last_warm for cohort in k.cohorts if cohort.count is None}
    return _array([t < last_warm[i] for i, t in fresh_pairs(k, T)])


def _array(values: Iterable[Any]) -> Floats:
    return np.asarray(values, dtype=np.float64)
