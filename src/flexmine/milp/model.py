"""The model as a whole: read this file first, then the modules that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyomo.core as pe

from flexmine.milp import commitment, container_ramp, layers, money, numbers, power, starts, variables
from flexmine.milp.class_data import class_data_of
from flexmine.milp.parts import PARTS
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
    classes = classes or {k.name: k for k in class_data_of(p)}
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

    money.objective(m, p)
    return m
