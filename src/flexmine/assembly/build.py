"""Assembly as a whole: a Case becomes a Problem, with notes on what was decided on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flexmine.assembly.causes import Cause, causes
from flexmine.assembly.chain import chain
from flexmine.assembly.classes import available_counts, container_class, group
from flexmine.assembly.equipment import Equipment, Weather, equipment
from flexmine.assembly.fleet import containers, waivers
from flexmine.assembly.inside import COOLING, Box
from flexmine.assembly.outside import outside
from flexmine.assembly.reserve import with_reserve
from flexmine.assembly.site import (
    btc_per_th_s_h,
    cheapest_price_usd_per_mwh,
    energy_limits,
    hash_value,
    limits,
    site,
    sources,
)
from flexmine.assembly.start_terms import Money
from flexmine.assembly.windows import Clock, runs_of
from flexmine.errors import BadInput
from flexmine.inputs.case import Case
from flexmine.problem import ContainerClass, Floats, Problem

TERMINAL_VALUE_BELOW_H = 36.0


@dataclass(frozen=True)
class Assembly:
    """The Problem of a case.

    Attributes
    ----------
    notes : tuple of str
        What a reader of the plan should know: roundings, perspective, heat and cold that stop a model.
    overrides : tuple of str
        Obligations that something hard overrides, in words.
    temperature_c : ndarray, shape (T,)
        Outside air, for tables and explanations [C].
    btc_per_th_s_h : ndarray, shape (T,)
        Bitcoin that a hash rate is expected to mine [BTC per TH/s per h].
    chain : tuple of dict
        Retarget and halvings within the horizon, for plan.json.
    causes : tuple of Cause
        Why containers may not run, or have to.
    boxes : mapping
        By container, where its model has a thermal part.
    """

    problem: Problem
    notes: tuple[str, ...]
    overrides: tuple[str, ...]
    temperature_c: Floats
    btc_per_th_s_h: Floats
    chain: tuple[dict[str, Any], ...]
    causes: tuple[Cause, ...]
    boxes: Mapping[str, Box]


def assemble(case: Case) -> Assembly:
    """Return the numeric problem of a case.

    Raises
    ------
    BadInput
        Naming all that is wrong, where physics or the state of a container cannot be worked out from the case.
    """
    clock = Clock(case.time)
    notes: list[str] = []
    offered = sources(case, notes)
    changes = chain(case, clock, notes)
    value = hash_value(case, changes, notes)
    models = _models(case, clock, Money(value, cheapest_price_usd_per_mwh(offered)), notes)
    held = limits(case, clock)
    fleet, overrides = waivers(case, clock, containers(case, clock, models), models, held)
    groups = group(fleet, models)
    available, shared = available_counts(groups, models, held)
    classes = tuple(
        container_class(
            name,
            members,
            models[members[0].model],
            available=available[name],
            hash_value_usd_per_th_s_h=value,
            terminal_on_usd=_terminal_on_usd(case, models[members[0].model]),
            max_starts_per_day=case.document.max_starts_per_day,
        )
        for name, members in groups.items()
    )
    for model in models.values():
        notes += [*model.notes, *_unable(model, clock)]
    drawable_mw = np.minimum(held.cap_mw, held.base_load_mw + _most_mw(classes))
    own = replace(site(case, clock, held, groups), energy_limits=energy_limits(case, clock, drawable_mw, notes))
    true = Problem(time=case.time, classes=classes, sources=offered, site=own)
    problem, reserved = with_reserve(true, case.plant.rounding_reserve_mw)
    return Assembly(
        problem=problem,
        notes=(*notes, *shared, *reserved, *_kept(case), *outside(case, clock)),
        overrides=tuple(overrides),
        temperature_c=case.series["temperature_c"],
        btc_per_th_s_h=btc_per_th_s_h(case, changes),
        chain=tuple(event.document(clock) for event in changes.events),
        causes=causes(case, clock, held, groups),
        boxes=_boxes(case, models),
    )


def _most_mw(classes: tuple[ContainerClass, ...]) -> Floats:
    """Return what all containers draw at their highest power, shape (T,) [MW]."""
    return np.asarray(sum(k.count * np.maximum(k.overhead * k.highest_it_power_mw, k.standby_mw) for k in classes))


def _boxes(case: Case, models: dict[str, Equipment]) -> dict[str, Box]:
    found = {}
    for name, group_of_it in case.plant.group_of.items():
        model = models[group_of_it.model]
        thermal = model.document.thermal
        if thermal is not None and model.cooling is not None:
            state = case.document.state.of(name)
            # One that stops in step 0 cools from what it was like while it ran.
            ran = state.on and thermal.asleep in COOLING
            inside_c = thermal.running_temperature_c if ran else state.inside_temperature_c
            found[name] = Box(model.cooling, thermal.asleep, thermal.running_temperature_c, inside_c)
    return found


def _models(case: Case, clock: Clock, money: Money, notes: list[str]) -> dict[str, Equipment]:
    """Return all container models by step, by the text that groups use.

    Raises
    ------
    BadInput
        With what is wrong with every model.
    """
    ghi = case.series.get("ghi_w_m2")
    if ghi is None and any(d.thermal is not None for d in case.container_models.values()):
        notes.append("the case has no ghi_w_m2: containers cool as if the sun did not shine")
    weather = Weather(
        temperature_c=case.series["temperature_c"],
        ghi_w_m2=np.zeros(case.time.steps) if ghi is None else ghi,
        latitude_deg=case.plant.latitude_deg,
        longitude_deg=case.plant.longitude_deg,
    )
    models: dict[str, Equipment] = {}
    wrong: list[str] = []
    for reference, document in case.container_models.items():
        twins = [r for r, m in models.items() if m.document.name == document.name]
        if twins:
            wrong.append(f"container models {twins[0]} and {reference} are both named {document.name}; rename one")
        try:
            models[reference] = equipment(document, clock, weather, money)
        except BadInput as error:
            wrong += error.messages
    if wrong:
        raise BadInput(wrong)
    return models


def _terminal_on_usd(case: Case, model: Equipment) -> float:
    """Return the worth of a container that ends on [USD]: as given, or, on a short horizon, the warm start it saves."""
    given = case.document.terminal_on_usd
    if given is not None:
        return given
    if case.time.steps * case.time.step_h >= TERMINAL_VALUE_BELOW_H:
        return 0.0
    return float(model.start.warm_cost_usd[-1])


def _kept(case: Case) -> list[str]:
    kept = case.document.commitment
    if kept is None:
        return []
    return [f"the commitment of {kept.plan} is kept: who runs is given, how hard is decided; bound and gap are of that"]


def _unable(model: Equipment, clock: Clock) -> list[str]:
    """Return in words when heat or cold stops a model."""
    found = []
    for cause, mask in (("heat", model.too_hot), ("cold", model.too_cold)):
        if mask.any():
            step_h = clock.axis.step_h
            times = ", ".join(f"{clock.say(a)} ({(b - a + 1) * step_h:g} h)" for a, b in runs_of(mask))
            found.append(f"{model.document.name} cannot run for {cause}, from {times}")
    return found
