"""Whether a case, its plant and its container models fit each other: names, powers, models."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.inputs.energy import amounts_out_of_place
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.schema import CaseDocument, ContainerState, EnergyLimit, State
from flexmine.inputs.yaml_loader import Draft, Keys

_POWER_SLACK_MW = 1e-6
MOST_CELLS = 5_000_000
"""Containers times steps: the rows of setpoints.csv."""
_CONTAINER = "container of the plant"


def cross_checks(
    case: Draft[CaseDocument], document: Any, plant: PlantDocument, models: dict[str, ContainerDocument]
) -> list[str]:
    """Return one message for each place of the case that does not fit plant and models; none: all fits.

    Parameters
    ----------
    case : Draft of CaseDocument
        For the places that messages name.
    document : CaseDocument
        Or, of a faulty case, an object with the parts that are right, see
        :func:`flexmine.inputs.partial_validation.parts_of`.
    plant : PlantDocument
    models : dict
        The container models that are right, by the reference that the plant's groups use.
    """
    names = plant.container_names
    known_models = tuple(dict.fromkeys(group.model for group in plant.containers))
    found: list[tuple[Keys, str]] = []
    if document.horizon_h is not None and document.step_minutes is not None:
        cells = len(names) * document.horizon_h * 60.0 / document.step_minutes
        if cells > MOST_CELLS:
            text = f"{len(names)} containers in that many steps are too much; at most {MOST_CELLS} rows are planned"
            found.append((("horizon_h",), text))
    for i, outage in enumerate(document.outages or ()):
        found += _unknown(("outages", i, "container"), getattr(outage, "container", None), names, _CONTAINER)
    for i, entry in enumerate(document.must_run or ()):
        for j, name in enumerate(getattr(entry, "containers", None) or ()):
            found += _unknown(("must_run", i, "containers", j), name, names, _CONTAINER)
    for i, limit in enumerate(document.available or ()):
        model = getattr(limit, "model", None)
        found += _unknown(("available", i, "model"), model, known_models, "container model of the plant")
    for i, run in enumerate(getattr(document.commitment, "runs", None) or ()):
        name = getattr(run, "container", None)
        found += _unknown(("commitment", "runs", i, "container"), name, names, _CONTAINER)
    for i, pin in enumerate(document.pins or ()):
        found += _unknown(("pins", i, "container"), getattr(pin, "container", None), names, _CONTAINER)
    found += _orders(document, plant, models)
    if document.state is not None:
        for name in document.state.containers or ():
            found += _unknown(("state", "containers", name), name, names, _CONTAINER)
        found += _states(document.state, plant, models)
        found += _amounts(document, plant)
    return [case.at(keys, message) for keys, message in found]


def _orders(document: Any, plant: PlantDocument, models: dict[str, ContainerDocument]) -> list[tuple[Keys, str]]:
    """Return the orders that no plant can keep: below what it draws with every container asleep."""
    counts = Counter(group.model for group in plant.containers for _ in group.containers)
    if not document.orders or counts.keys() - models.keys():
        return []
    asleep_mw = plant.base_load_mw + sum(count * models[model].standby_mw for model, count in counts.items())
    text = (
        "{:g} MW is not allowed; allowed: at least {:g} MW, which the plant draws with every container asleep; where "
        "mining is forbidden altogether, say so by a window (windows)"
    )
    caps = [(i, getattr(order, "cap_mw", None)) for i, order in enumerate(document.orders)]
    return [
        (("orders", i, "cap_mw"), text.format(cap, asleep_mw))
        for i, cap in caps
        if isinstance(cap, int | float) and cap < asleep_mw - 1e-9
    ]


def _amounts(document: Any, plant: PlantDocument) -> list[tuple[Keys, str]]:
    """Return what the state lacks for the periods of energy limits; of a faulty case, as far as it is known."""
    limits = [limit for limit in document.energy_limits or () if isinstance(limit, EnergyLimit)]
    given, start, horizon_h = document.state.energy_taken_mwh, document.start, document.horizon_h
    if None in (given, start, horizon_h, document.step_minutes):
        return []
    step, end = timedelta(minutes=document.step_minutes), start + timedelta(hours=horizon_h)
    return amounts_out_of_place(limits, given, start, end, step=step, zone=ZoneInfo(plant.zone))


def _without_zeros(name: str) -> str:
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", name).casefold()


def _unknown(keys: Keys, name: str | None, known: Collection[str], what: str) -> list[tuple[Keys, str]]:
    if name is None or name in known:
        return []
    # C1 is C01 before it is C14.
    same = [other for other in known if _without_zeros(other) == _without_zeros(name)]
    near = same or difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    listed = list(known)
    shown = ", ".join(listed) if len(listed) <= 12 else f"{listed[0]} to {listed[-1]}, {len(listed)} in all"
    return [(keys, f"{name} is not a {what}{hint} Known: {shown}")]


def _states(state: Any, plant: PlantDocument, models: dict[str, ContainerDocument]) -> list[tuple[Keys, str]]:
    """Return what does not fit in the state of the fleet; parts that are wrong by themselves are None, and left out."""
    found: list[tuple[Keys, str]] = []
    named = state.containers or {}
    unnamed = [name for name in plant.container_names if name not in named]
    if unnamed and isinstance(state, State) and state.default is None:
        shown = ", ".join(unnamed[:5]) + (f" and {len(unnamed) - 5} more" if len(unnamed) > 5 else "")
        text = f"is missing; it is needed for the containers that state.containers does not name: {shown}"
        found.append((("state", "default"), text))
    for reference in sorted({plant.group_of[name].model for name in unnamed} & set(models)):
        if isinstance(state.default, ContainerState):
            found += _state(("state", "default"), state.default, models[reference])
    for name, of_container in named.items():
        group = plant.group_of.get(name)
        if group is not None and group.model in models and isinstance(of_container, ContainerState):
            found += _state(("state", "containers", name), of_container, models[group.model])
    return found


def _state(keys: Keys, state: ContainerState, model: ContainerDocument) -> list[tuple[Keys, str]]:
    found: list[tuple[Keys, str]] = []
    highest_mw = model.highest_it_power_mw
    if state.it_power_mw is not None and state.it_power_mw > highest_mw + _POWER_SLACK_MW:
        text = f"{state.it_power_mw:g} MW is above the highest mode of {model.name}, {highest_mw:g} MW"
        found.append(((*keys, "it_power_mw"), text))
    if state.inside_temperature_c is not None and model.thermal is None:
        text = f"{model.name} has no thermal part; there the hours off alone decide what is warm"
        found.append(((*keys, "inside_temperature_c"), text))
    return found
