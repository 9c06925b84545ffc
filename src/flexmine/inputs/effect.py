"""Changes that a plan could not show, because something else in the case overrides what was changed.

A change that merely turns out not to bind (a cap that is never reached) is an answer; one that is never used would be
taken for such an answer, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flexmine.errors import printable
from flexmine.inputs.changes import Change
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.schema import CaseDocument


@dataclass(frozen=True)
class Resolved:
    """A case with everything it refers to, as far as it decides what has an effect.

    Attributes
    ----------
    series : collection of str
        Dotted keys of all numbers and series.
    issues : bool
        Whether a series holds several issues of a forecast.
    as_of_given : bool
        Whether `as_of` was given in place of the case's own.
    """

    document: CaseDocument
    plant: PlantDocument
    models: Mapping[str, ContainerDocument]
    series: Collection[str]
    issues: bool
    as_of_given: bool


def without_effect(changes: Sequence[Change], case: Resolved) -> list[str]:
    """Return a sentence for each change that cannot have any effect on a case, and why."""
    idle = [(key, reason(case)) for key, reason in _IDLE.items()]
    idle += _idle_entries(case)
    found = [
        printable(f"change {change.asked}: has no effect, because {why}")
        for change in changes
        for key, why in idle
        if why and (change.key == key or change.key.startswith(f"{key}."))
    ]
    return list(dict.fromkeys(found))


def _as_of(case: Resolved) -> str:
    if case.as_of_given:
        return "load_case was given another as_of, which goes before it"
    return "" if case.issues else "no series of the case holds several issues of a forecast"


def _default_state(case: Resolved) -> str:
    unnamed = set(case.plant.container_names) - set(case.document.state.containers)
    return "" if unnamed else "state.containers names the state of every container"


def _sun(case: Resolved) -> str:
    if not any(model.thermal for model in case.models.values()):
        return "no container of this plant is modelled by heat balance, so that the sun warms none"
    return ""


def _place_on_earth(case: Resolved) -> str:
    return _sun(case) or ("" if "ghi_w_m2" in case.series else "the case has no series.ghi_w_m2: no sun shines")


def _power_before(case: Resolved) -> str:
    plant = case.plant
    free = plant.ramp_up_mw_per_h is None and plant.ramp_down_mw_per_h is None
    return "the plant has no ramp limit, so that its power before the first step is not asked for" if free else ""


_IDLE: dict[str, Callable[[Resolved], str]] = {
    "as_of": _as_of,
    "state.default": _default_state,
    "state.initial_mw": _power_before,
    "series.ghi_w_m2": _sun,
    "plant.latitude_deg": _place_on_earth,
    "plant.longitude_deg": _place_on_earth,
    "plant.altitude_m": lambda _: "no part of a plan depends on the altitude",
}
"""By key: why it has no effect on a case; empty where it has."""


def _idle_entries(case: Resolved) -> Iterator[tuple[str, str]]:
    """Yield keys of entries of lists that have no effect, each with the reason."""
    for limit in case.document.energy_limits:
        if limit.at_most_mwh is None:
            yield f"energy_limits.{limit.name}.pace", "the limit has no at_most_mwh that could be spread"
    for i, group in enumerate(case.plant.containers):
        if group.names:
            yield f"plant.containers.{i}.digits", "the names of these containers are given one by one"
