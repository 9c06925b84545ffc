"""How cold it is inside a sleeping container by the end of a plan: what decides whether its next start is warm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.assembly.equipment import Cooling
from flexmine.physics.thermal import cool

COOLING = ("asleep_dampers_shut", "powered_off")
"""What holds while a container sleeps, where its own past temperature matters: not under fans or a thermostat."""


@dataclass(frozen=True)
class Box:
    """The box of one container.

    Attributes
    ----------
    asleep : str
        As in the container's file.
    running_temperature_c : float
        Inside while it runs [C].
    begin_c : float or None
        Inside at the beginning of step 0 [C]: as it runs, or as the case states it of one that sleeps.
    """

    cooling: Cooling
    asleep: str
    running_temperature_c: float
    begin_c: float | None


def inside_after(boxes: Mapping[str, Box], on: Mapping[str, NDArray[np.bool_]], step_h: float) -> dict[str, float]:
    """Return the temperature inside the containers that are off after some steps [C].

    Parameters
    ----------
    boxes : mapping
        Boxes by container, of those whose model has a thermal part.
    on : mapping
        By container, whether it runs in each of those steps, from step 0 on; ndarray of bool.
    step_h : float
        Length of a step [h].

    Returns
    -------
    dict
        By container; absent where it runs in the last of the steps, or where its temperature is unknown or not needed.

    Notes
    -----
    The same recursion decides inside a plan how long a container stays warm, so that a plan that begins where this one
    ends sees the same start as warm.
    """
    found = {}
    for name, box in boxes.items():
        inside = _inside_c(box, on[name], step_h)
        if inside is not None:
            found[name] = inside
    return found


def _inside_c(box: Box, on: NDArray[np.bool_], step_h: float) -> float | None:
    if on[-1] or box.asleep == "fans_on":
        return None
    stops = np.flatnonzero(on)
    if box.asleep not in COOLING:
        return box.begin_c if not stops.size else None
    first = int(stops[-1]) + 1 if stops.size else 0
    inside = box.running_temperature_c if stops.size else box.begin_c
    if inside is None:
        return None
    for step in range(first, len(on)):
        inside = float(
            cool(
                inside,
                box.cooling.outside_c[step],
                box.cooling.heat_w[step],
                heat_capacity_j_per_k=box.cooling.heat_capacity_j_per_k,
                conductance_w_per_k=box.cooling.conductance_w_per_k,
                duration_h=step_h,
            )
        )
    return inside
