"""What every container did before step 0, in whole steps."""

from __future__ import annotations

from math import floor

from flexmine.assembly.equipment import Cooling, Equipment
from flexmine.assembly.start_terms import WHOLE, tiers_of
from flexmine.inputs.equipment import Thermal
from flexmine.inputs.schema import ContainerState
from flexmine.physics.thermal import warm_until_step
from flexmine.problem import History


def history(name: str, state: ContainerState, model: Equipment, step_h: float, steps: int) -> History:
    """Return the history of one container.

    Part of a step is not counted: a container that has run 3.5 h has served three hourly steps.

    Parameters
    ----------
    name : str
    state : ContainerState
        At the beginning of step 0.
    model : Equipment
    step_h : float
        Length of a step [h].
    steps : int
        Number of steps T of the horizon.

    Raises
    ------
    ValueError
        Where the container is off and its temperature inside has to be known, but is not.
    """
    past = max(1, floor(state.hours / step_h + WHOLE))
    if state.on:
        power = state.it_power_mw or 0.0
        return History(count=1, on=True, steps=past, it_power_mw=power, starts_today=state.starts_today)
    warm_until = _warm_until(name, state, model, step_h, steps)
    until = [_until_step(tier.off_h - state.hours, step_h, steps) for tier, _ in tiers_of(model.document, step_h)]
    return History(
        count=1,
        on=False,
        steps=past,
        warm_until_step=warm_until,
        starts_today=state.starts_today,
        tier_until_steps=tuple(until) if until else None,
    )


def _until_step(hours_left: float, step_h: float, steps: int) -> int:
    """Return the last step, at most that of the horizon, that begins within `hours_left`; -1 where none does."""
    return min(steps - 1, max(-1, floor(hours_left / step_h + WHOLE)))


def _warm_until(name: str, state: ContainerState, model: Equipment, step_h: float, steps: int) -> int:
    thermal, cooling = model.document.thermal, model.cooling
    if thermal is None or cooling is None:
        warm_off_h = model.document.start.warm_off_h
        assert warm_off_h is not None
        return _until_step(warm_off_h - state.hours, step_h, steps)
    if thermal.asleep == "kept_warm":
        measured = state.inside_temperature_c
        return steps - 1 if measured is None or measured >= thermal.start_temperature_c else -1
    return warm_until_step(
        _inside_temperature_c(name, state, thermal, cooling),
        cooling.outside_c,
        cooling.heat_w,
        heat_capacity_j_per_k=cooling.heat_capacity_j_per_k,
        conductance_w_per_k=cooling.conductance_w_per_k,
        step_h=step_h,
        start_temperature_c=cooling.start_temperature_c,
    )


def _inside_temperature_c(name: str, state: ContainerState, thermal: Thermal, cooling: Cooling) -> float:
    if state.inside_temperature_c is not None:
        return state.inside_temperature_c
    if thermal.asleep == "fans_on":
        return float(cooling.outside_c[0])
    raise ValueError(
        f"container {name} is off and its model cools with the weather (thermal, {thermal.asleep}): "
        f"state needs its inside_temperature_c"
    )
