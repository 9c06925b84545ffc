"""Small plants in round numbers, one for each idea of the model, whose rows a person can check by eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.milp.class_data import class_data_of
from flexmine.milp.variables import Classes
from flexmine.problem import EnergyLimit, Group, History, Problem
from plants import round_class, round_problem, simple_problem

MIXED = (History(1, True, 1), History(1, False, 1))
"""One that started, one that stopped, both an hour before step 0."""


def site() -> Problem:
    """Two containers of 1 to 2 MW for three hours, with every limit of a site and most of those of a class."""
    box = round_class(
        count=2,
        steps=3,
        it_power_mw=(1.0, 2.0),
        hash_rate_th_s=(1000.0, 1600.0),
        overhead=1.1,
        standby_mw=0.05,
        min_up_steps=2,
        min_down_steps=2,
        available=[2, 1, 2],
        must_run=[0, 1, 0],
        history=MIXED,
    )
    plant = simple_problem(
        box,
        surplus_mw=[3.0, 2.0, 4.0],
        firm_mw=5.0,
        cap=[5.0, 4.0, 5.0],
        ramp=1.5,
        ramp_down=2.5,
        initial=1.2,
        base_load=0.1,
        minimum=0.5,
        feeders=(Group("T1", 4.5, ("box",)),),
    )
    limits = (
        EnergyLimit("river", "surplus", 0, 2, at_least_mwh=1.0, at_most_mwh=6.0, taken_mwh=0.5),
        EnergyLimit("licence", None, 1, 2, at_most_mwh=7.0),
    )
    return replace(plant, site=replace(plant.site, energy_limits=limits))


def kept() -> Problem:
    """Two containers that have to run as decided before: one, two, one."""
    return round_problem(round_class(count=2, steps=3, committed=np.array([1, 2, 1])), 20)


def ramped(min_up_steps: int) -> Problem:
    """One container of 1 to 2 MW that changes by 0.4 MW in a step."""
    k = round_class(
        steps=3,
        it_power_mw=(1.0, 2.0),
        hash_rate_th_s=(1000.0, 1600.0),
        min_up_steps=min_up_steps,
        container_ramp_mw_per_step=0.4,
        history=(History(1, True, 10, it_power_mw=1.6),),
    )
    return round_problem(k, 20)


def heated() -> Problem:
    """Two containers that preheat for an hour: warm after one hour off, of a tier after two, cold after that."""
    k = round_class(
        count=2,
        steps=4,
        warm_off_steps=1,
        tiers=((2, 30.0, 0.2),),
        cold_energy_mwh=0.4,
        preheat_steps=1,
        history=MIXED,
    )
    return round_problem(k, 20)


def counted() -> Problem:
    """Two containers that may start once a day, warm, in a tier or cold; the second day begins in step 3."""
    k = round_class(count=2, steps=5, max_starts_per_day=1, tiers=((3, 30.0, 0.0),), history=MIXED)
    return round_problem(k, 20, day_of_step=[0, 0, 0, 1, 1])


def _single(problem: Problem) -> Classes:
    return {k.name: k for k in class_data_of(problem, layered=False)}


# Row -> the plant that shows it, and its classes where it stands only in a model without layers.
SHOWN_BY = {
    "site": (site(), None),
    "kept": (kept(), None),
    "ramped": (ramped(2), None),
    "ramped-briefly": (ramped(1), None),
    "heated": (heated(), None),
    "counted": (counted(), None),
    "counted-in-one": (counted(), _single(counted())),
}
