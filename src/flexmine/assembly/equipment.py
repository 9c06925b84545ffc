"""What a container model is worth and able to do by step: physics applied to one container file."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite

import numpy as np

from flexmine.assembly.modes import miners, mode_curve
from flexmine.assembly.start_terms import WHOLE, Money, start_terms
from flexmine.assembly.windows import Clock, Mask
from flexmine.errors import BadInput
from flexmine.inputs.equipment import ContainerDocument, Thermal
from flexmine.physics.overhead import highest_it_power_mw, lowest_it_power_mw, overhead
from flexmine.physics.sun import Box, box_sol_air_temperature_c, sol_air_temperature_c, sun_on_faces_w_m2
from flexmine.physics.thermal import kept_warm_standby_mw, preheat_duration_h, preheat_energy_mwh, warm_off_steps
from flexmine.problem import Floats, Ints, Miners, StartTerms

# A higher minimum than any container has says "cannot run" as well as infinity does, and is a number in a file.
_BEYOND_FULL = 2.0


@dataclass(frozen=True)
class Weather:
    """The sky over the site; arrays of shape (T,); `ghi_w_m2` is 0 where the case has none."""

    temperature_c: Floats
    ghi_w_m2: Floats
    latitude_deg: float
    longitude_deg: float


@dataclass(frozen=True)
class Cooling:
    """How a sleeping container of a model cools, ready for :mod:`flexmine.physics.thermal`."""

    outside_c: Floats
    heat_w: Floats
    conductance_w_per_k: float
    heat_capacity_j_per_k: float
    start_temperature_c: float


@dataclass(frozen=True)
class Equipment:
    """One container model by step; the fields are those of :class:`flexmine.problem.ContainerClass`."""

    document: ContainerDocument
    it_power_mw: Floats
    hash_rate_th_s: Floats
    max_it_power_mw: Floats
    min_it_power_mw: Floats
    overhead: Floats
    standby_mw: Floats
    min_up_steps: int
    min_down_steps: int
    preheat_steps: int
    start: StartTerms
    cooling: Cooling | None
    miners: Miners | None
    container_ramp_mw_per_step: float | None
    notes: tuple[str, ...]

    @property
    def lowest_it_power_mw(self) -> Floats:
        """Lowest IT power of a running container, shape (T,)."""
        lowest: Floats = np.maximum(self.it_power_mw[0], self.min_it_power_mw)
        return lowest

    @property
    def too_hot(self) -> Mask:
        """Steps in which derating leaves less than the lowest mode, shape (T,)."""
        hot: Mask = self.max_it_power_mw < self.it_power_mw[0]
        return hot

    @property
    def too_cold(self) -> Mask:
        """Steps in which no allowed power keeps the inlet warm, shape (T,)."""
        most_mw = np.minimum(self.it_power_mw[-1], self.max_it_power_mw)
        cold: Mask = ~self.too_hot & (self.lowest_it_power_mw > most_mw)
        return cold


def equipment(document: ContainerDocument, clock: Clock, weather: Weather, money: Money) -> Equipment:
    """Return a container model by step.

    Raises
    ------
    BadInput
        Where a heater is too weak to warm the container, or the preheat takes longer than the time off before a cold
        start; and as by :func:`flexmine.assembly.modes.mode_curve`.
    """
    step_h, steps = clock.axis.step_h, clock.axis.steps
    power, rate = mode_curve(document)
    shape = document.overhead
    factor = overhead(weather.temperature_c, shape.base, shape.per_k, shape.above_c)
    notes: list[str] = []
    min_down_steps = _steps_up(document.min_down_h, step_h, f"{document.name}: min_down_h", notes)
    preheat_steps = _steps_up(document.start.preheat_h, step_h, f"{document.name}: start.preheat_h", notes)
    standby = np.full(steps, document.standby_mw)
    cooling = _cooling(document, clock, weather)
    if document.thermal is not None and cooling is not None and document.thermal.asleep == "kept_warm":
        standby = _held_standby(document, document.thermal, cooling, notes)
    warm_off = _warm_off_steps(document, cooling, clock)
    if preheat_steps > max(min_down_steps, int(warm_off.min()) + 1):
        s = int(warm_off.argmin())
        raise BadInput(
            f"{document.name}: start.preheat_h ({document.start.preheat_h:g} h) is longer than a container may have "
            f"been off before a cold start: one that stops at {clock.say(s)} starts cold after "
            f"{max(min_down_steps, int(warm_off[s]) + 1) * step_h:g} h. Give a min_down_h of at least preheat_h."
        )
    return Equipment(
        document=document,
        it_power_mw=power,
        hash_rate_th_s=rate,
        max_it_power_mw=_highest(document, weather, power[-1]),
        min_it_power_mw=_lowest(document, weather, power[-1]),
        overhead=factor,
        standby_mw=standby,
        min_up_steps=_steps_up(document.min_up_h, step_h, f"{document.name}: min_up_h", notes),
        min_down_steps=min_down_steps,
        preheat_steps=preheat_steps,
        start=start_terms(
            document,
            warm_off,
            _preheat(document, cooling, clock, notes),
            money,
            overhead=factor,
            first_mode=(float(power[0]), float(rate[0])),
            step_h=step_h,
            notes=notes,
        ),
        cooling=cooling,
        miners=miners(document),
        container_ramp_mw_per_step=None if document.ramp_mw_per_h is None else document.ramp_mw_per_h * step_h,
        notes=tuple(notes),
    )


def _steps_up(hours: float, step_h: float, what: str, notes: list[str]) -> int:
    steps = ceil(hours / step_h - WHOLE)
    if steps * step_h > hours + WHOLE:
        notes.append(f"{what} of {hours:g} h is {steps * step_h:g} h in this plan: steps are {step_h:g} h long")
    return steps


def _highest(document: ContainerDocument, weather: Weather, full_mw: float) -> Floats:
    heat = document.heat
    if heat is None:
        return np.full(weather.temperature_c.size, full_mw)
    return highest_it_power_mw(
        weather.temperature_c,
        full_mw,
        derate_from_c=heat.derate_from_c,
        stop_c=heat.stop_c,
        share_at_stop=heat.share_at_stop,
        inlet_rise_k=heat.inlet_rise_k,
    )


def _lowest(document: ContainerDocument, weather: Weather, full_mw: float) -> Floats:
    cold = document.cold
    if cold is None:
        return np.zeros(weather.temperature_c.size)
    lowest = lowest_it_power_mw(
        weather.temperature_c,
        cold.inlet_min_c,
        cold.recirculation_max,
        cold.air_conductance_kw_per_k,
        cold.minimum_flow_share,
    )
    return np.minimum(lowest, _BEYOND_FULL * full_mw)


def _cooling(document: ContainerDocument, clock: Clock, weather: Weather) -> Cooling | None:
    thermal = document.thermal
    if thermal is None:
        return None
    # The file names the long side that faces the equator; the box is described by its long axis, 90 degrees from it.
    box = Box(thermal.length_m, thermal.width_m, thermal.height_m, (thermal.azimuth_deg - 90.0) % 360.0)
    faces = sun_on_faces_w_m2(
        clock.middle_utc,
        weather.ghi_w_m2,
        latitude_deg=weather.latitude_deg,
        longitude_deg=weather.longitude_deg,
        box=box,
    )
    sol_air = box_sol_air_temperature_c(
        sol_air_temperature_c(weather.temperature_c, faces, thermal.absorptance), box.areas_m2
    )
    fans = thermal.asleep == "fans_on"
    stays_in = thermal.heat_inside_share if thermal.asleep == "asleep_dampers_shut" else 0.0
    return Cooling(
        outside_c=weather.temperature_c if fans else sol_air,
        heat_w=np.full(clock.axis.steps, stays_in * document.standby_mw * 1e6),
        conductance_w_per_k=thermal.fans_conductance_w_per_k if fans else thermal.conductance_w_per_k,
        heat_capacity_j_per_k=thermal.heat_capacity_mj_per_k * 1e6,
        start_temperature_c=thermal.start_temperature_c,
    )


def _held_standby(document: ContainerDocument, thermal: Thermal, cooling: Cooling, notes: list[str]) -> Floats:
    assert thermal.thermostat_c is not None
    held = kept_warm_standby_mw(
        document.standby_mw,
        cooling.outside_c,
        thermal.thermostat_c,
        thermal.conductance_w_per_k,
        thermal.heat_inside_share,
    )
    extra_kw = float((held - document.standby_mw).max()) * 1000
    if thermal.heater_kw is not None and extra_kw > thermal.heater_kw + WHOLE:
        notes.append(
            f"{document.name}: holding {thermal.thermostat_c:g} C takes up to {extra_kw:.0f} kW, more than "
            f"heater_kw ({thermal.heater_kw:g}); the plan counts on it all the same"
        )
    return held


def _warm_off_steps(document: ContainerDocument, cooling: Cooling | None, clock: Clock) -> Ints:
    steps, step_h = clock.axis.steps, clock.axis.step_h
    if cooling is None or document.thermal is None:
        assert document.start.warm_off_h is not None
        return np.full(steps, min(steps, floor(document.start.warm_off_h / step_h + WHOLE)), dtype=np.int64)
    if document.thermal.asleep == "kept_warm":
        return np.full(steps, steps, dtype=np.int64)
    return warm_off_steps(
        cooling.outside_c,
        cooling.heat_w,
        heat_capacity_j_per_k=cooling.heat_capacity_j_per_k,
        conductance_w_per_k=cooling.conductance_w_per_k,
        step_h=step_h,
        running_temperature_c=document.thermal.running_temperature_c,
        start_temperature_c=cooling.start_temperature_c,
    )


def _preheat(document: ContainerDocument, cooling: Cooling | None, clock: Clock, notes: list[str]) -> Floats:
    """Return the energy of a cold start by its step [MWh], shape (T,)."""
    steps, start, thermal = clock.axis.steps, document.start, document.thermal
    if start.cold_energy_mwh is not None:
        return np.full(steps, start.cold_energy_mwh)
    if thermal is None or thermal.heater_kw is None or cooling is None:
        return np.zeros(steps)
    box = {
        "start_temperature_c": thermal.start_temperature_c,
        "heat_capacity_j_per_k": cooling.heat_capacity_j_per_k,
        "conductance_w_per_k": thermal.conductance_w_per_k,
        "standby_heat_w": float(cooling.heat_w[0]),
    }
    duration_h = preheat_duration_h(cooling.outside_c, thermal.heater_kw, **box)
    longest = int(np.argmax(duration_h))
    if not isfinite(duration_h[longest]):
        outside_c = float(cooling.outside_c[longest])
        lost_kw = thermal.conductance_w_per_k * (thermal.start_temperature_c - outside_c) / 1000
        raise BadInput(
            f"{document.name}: thermal.heater_kw ({thermal.heater_kw:g}) is too weak to warm a box that has cooled to "
            f"the {outside_c:.1f} C of {clock.say(longest)} to {thermal.start_temperature_c:g} C, where it loses "
            f"{lost_kw:.1f} kW; heater and standby heat together must be above that"
        )
    given_h = max(start.preheat_h, clock.axis.step_h)
    if duration_h[longest] > given_h:
        notes.append(
            f"{document.name}: a preheat with {thermal.heater_kw:g} kW takes up to {duration_h[longest]:.1f} h "
            f"(start at {clock.say(longest)}), longer than the {given_h:g} h planned for it"
        )
    return preheat_energy_mwh(cooling.outside_c, thermal.heater_kw, **box)
