"""Whether a case, its plant and its container models fit each other: names, powers, models."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.schema import CaseDocument, ContainerState
from flexmine.inputs.yaml_loader import Keys, Loaded

_POWER_SLACK_MW = 1e-6


def agreement(case: Loaded[CaseDocument], plant: PlantDocument, models: dict[str, ContainerDocument]) -> list[str]:
    """Return one message for each place of the case that does not fit plant and models; none: all fits."""
    document = case.document
    names = plant.container_names
    found: list[tuple[Keys, str]] = []
    for i, outage in enumerate(document.outages):
        found += _unknown(("outages", i, "container"), outage.container, names, "container of the plant")
    for i, entry in enumerate(document.must_run):
        for j, name in enumerate(entry.containers):
            found += _unknown(("must_run", i, "containers", j), name, names, "container of the plant")
    for i, limit in enumerate(document.available):
        found += _unknown(("available", i, "model"), limit.model, tuple(models), "container model of the plant")
    for i, run in enumerate(document.commitment.runs if document.commitment else ()):
        found += _unknown(("commitment", "runs", i, "container"), run.container, names, "container of the plant")
    for name in document.state.containers:
        found += _unknown(("state", "containers", name), name, names, "container of the plant")
    found += _states(document, plant, models)
    return [case.at(keys, message) for keys, message in found]


def _unknown(keys: Keys, name: str, known: Collection[str], what: str) -> list[tuple[Keys, str]]:
    if name in known:
        return []
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    listed = list(known)
    shown = ", ".join(listed) if len(listed) <= 12 else f"{listed[0]} to {listed[-1]}, {len(listed)} in all"
    return [(keys, f"{name} is no {what}{hint} Known: {shown}")]


def _states(
    document: CaseDocument, plant: PlantDocument, models: dict[str, ContainerDocument]
) -> list[tuple[Keys, str]]:
    found: list[tuple[Keys, str]] = []
    defaulted = {group.model for name, group in plant.group_of.items() if name not in document.state.containers}
    if document.state.default is None:
        unnamed = [name for name in plant.container_names if name not in document.state.containers]
        if unnamed:
            shown = ", ".join(unnamed[:5]) + (f" and {len(unnamed) - 5} more" if len(unnamed) > 5 else "")
            text = f"is missing; it is needed for the containers that state.containers does not name: {shown}"
            found.append((("state", "default"), text))
        defaulted = set()
    for reference in sorted(defaulted):
        assert document.state.default is not None
        found += _state(("state", "default"), document.state.default, models[reference])
    for name, state in document.state.containers.items():
        if name in plant.group_of:
            model = models[plant.group_of[name].model]
            found += _state(("state", "containers", name), state, model)
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
