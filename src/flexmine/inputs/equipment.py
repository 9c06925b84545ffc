"""The container models: how a container behaves; the plant, in its own module, is named here too."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import (
    AsTuple,
    ContainerPowerMw,
    Document,
    DurationH,
    Name,
    PositivePowerMw,
    Share,
    TemperatureC,
    Usd,
    Words,
    problems,
)
from flexmine.inputs.miners import MinerDocument, Presets, efficiency_problems, preset_problems
from flexmine.inputs.plant import Feeder, Group, PlantDocument

__all__ = [
    "CONCAVE_SLACK",
    "Cold",
    "ContainerDocument",
    "Feeder",
    "Group",
    "Heat",
    "MinerSet",
    "Mode",
    "Overhead",
    "PlantDocument",
    "Stagger",
    "Start",
    "StartTier",
    "Thermal",
]

CONCAVE_SLACK = 1e-6
"""Relative slack within which a mode curve counts as concave (the same as of problem.json)."""


class Mode(Document):
    """A breakpoint of the mode curve of one container.

    Attributes
    ----------
    it_power_mw
        IT power of one container.
    hash_rate_th_s
        Hash rate of one container at it.
    """

    it_power_mw: ContainerPowerMw
    hash_rate_th_s: float = Field(ge=100.0, le=2.0e6)

    @model_validator(mode="after")
    def _believable(self) -> Mode:
        problems(efficiency_problems(1e6 * self.it_power_mw, self.hash_rate_th_s))
        return self


class MinerSet(Document):
    """The miners of one container.

    Attributes
    ----------
    count
        Miners in a container.
    model
        With `minimum_power_mw` and without presets: the file of a miner model, or ``shipped:miners/NAME``, whose
        presets and sleep power hold here; else its name in words.
    presets
        Settings that the miners accept; without any, a plan is not rounded to whole miners.
    sleep_w
        Power of a sleeping miner [W]; in place of that of the miner file where both are given.
    fixed_mw
        Controllers, switches and light of a running container [MW]; fans and losses belong to `overhead`.
    minimum_power_mw
        In place of `modes`: the mode curve is the envelope of all mixes of the miners, from here on; the lowest IT
        power at which flow and heat are stable, not the lowest preset [MW].
    """

    count: int = Field(ge=1, le=100_000)
    model: str = Field(min_length=1)
    presets: Presets = ()
    sleep_w: float = Field(default=25.0, ge=0.0, le=200.0)
    fixed_mw: float = Field(default=0.0, ge=0.0, le=1.0)
    minimum_power_mw: ContainerPowerMw | None = None

    @model_validator(mode="after")
    def _consistent(self) -> MinerSet:
        problems(preset_problems(self.presets, self.sleep_w))
        return self

    def of_model(self, miner: MinerDocument) -> MinerSet:
        """Return the same miners with presets and sleep power of a miner file."""
        sleep_w = self.sleep_w if "sleep_w" in self.model_fields_set else miner.sleep_w
        return self.model_copy(update={"presets": miner.presets, "sleep_w": sleep_w})


class Overhead(Document):
    """Facility power per IT power (PUE) of a running container: base + per_k * max(0, outside temperature - above_c).

    Attributes
    ----------
    base
        Facility power per IT power (PUE) in cool air.
    per_k
        More of it for each kelvin above above_c.
    above_c
        Outside temperature from which it rises.
    """

    base: float = Field(default=1.02, ge=1.0, le=2.0)
    per_k: float = Field(default=0.0012, ge=0.0, le=0.1)
    above_c: TemperatureC = 5.0


class Stagger(Document):
    """Miners are started in packets; `boot_s` is the time from command to full hash of one miner [s].

    Attributes
    ----------
    miners_per_packet
        Miners started at once.
    packet_interval_s
        Time from packet to packet.
    boot_s
        Time from command to full hash of one miner.
    """

    miners_per_packet: int = Field(default=10, ge=1, le=100_000)
    packet_interval_s: float = Field(default=5.0, ge=0.0, le=3600.0)
    boot_s: float = Field(default=0.0, ge=0.0, le=3600.0)


class StartTier(Document):
    """A start between warm and cold.

    Attributes
    ----------
    off_h
        For containers that were off for at most so long [h].
    wear_usd
        Wear of such a start [USD].
    energy_mwh
        Its preheat energy at the meter [MWh]; with any, it is preheated as long as a cold one.
    """

    off_h: DurationH
    wear_usd: Usd
    energy_mwh: float = Field(default=0.0, ge=0.0, le=100.0)


class Start(Document):
    """What a start costs.

    Attributes
    ----------
    warm_wear_usd
        Wear of one warm start.

        Wear of one start [USD].
    cold_wear_usd
        Wear of one cold start.
    warm_off_h
        A start is warm where the container was off for at most so long [h]; absent where `thermal` decides.
    tiers
        Further kinds of starts between warm and cold, each after a longer time off; with `warm_off_h` only.
    cold_energy_mwh
        Preheat energy of a cold start at the meter [MWh]; null: worked out from `thermal` where it names a
        heater, else 0.
    preheat_h
        0: preheat falls into the step of the start; else into the hours before it.
    stagger
        How miners are started; null: the hash lost while starting is not counted.
    """

    warm_wear_usd: Usd = 15.0
    cold_wear_usd: Usd = 60.0
    warm_off_h: DurationH | None = None
    tiers: Annotated[tuple[StartTier, ...], AsTuple] = ()
    cold_energy_mwh: float | None = Field(default=None, ge=0.0, le=100.0)
    preheat_h: float = Field(default=0.0, ge=0.0, le=48.0)
    stagger: Stagger | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Start:
        found: list[tuple[tuple[str | int, ...], str]] = []
        off_h, wear_usd, energy_mwh = self.warm_off_h, self.warm_wear_usd, 0.0
        for i, tier in enumerate(self.tiers):
            if off_h is None:
                found.append((("tiers", i), "tiers need start.warm_off_h: their times off are in hours, as that is"))
                break
            if tier.off_h <= off_h:
                found.append((("tiers", i, "off_h"), f"{tier.off_h:g} h is not above the {off_h:g} h before it"))
            if tier.wear_usd < wear_usd:
                text = f"{tier.wear_usd:g} USD is below the {wear_usd:g} USD of the warmer start before it"
                found.append((("tiers", i, "wear_usd"), text))
            if tier.energy_mwh < energy_mwh:
                text = f"{tier.energy_mwh:g} MWh is below the {energy_mwh:g} MWh of the warmer start before it"
                found.append((("tiers", i, "energy_mwh"), text))
            off_h, wear_usd, energy_mwh = tier.off_h, tier.wear_usd, tier.energy_mwh
        if self.cold_wear_usd < wear_usd:
            warmer = "a warm one" if not self.tiers else f"one of the tier before it ({wear_usd:g} USD)"
            found.append((("cold_wear_usd",), f"a cold start costs at least as much as {warmer}"))
        if (self.cold_energy_mwh or 0.0) < energy_mwh:
            found.append(
                (("cold_energy_mwh",), f"a cold start draws at least the {energy_mwh:g} MWh of the tier before it")
            )
        problems(found)
        return self


class Thermal(Document):
    """How a sleeping container cools: C dT/dt = heat inside - UA (T - T_sol-air).

    Attributes
    ----------
    asleep
        What holds while it is off: dampers shut, breaker open, fans running, or a thermostat that keeps it warm.
    heat_capacity_mj_per_k
        Of the box and what stands in it.
    conductance_w_per_k
        Of walls and leaks with the dampers shut.
    fans_conductance_w_per_k
        With the fans running.
    heat_inside_share
        Share of the standby power that stays in the box.
    running_temperature_c
        Inside, while running.

        Inside temperature while running, and below which a start is cold [C].
    start_temperature_c
        Inside; below it a start is cold.
    thermostat_c
        Set point; belongs to asleep: kept_warm.

        Set point of the thermostat (asleep: kept_warm) and power of the heater [kW].
    absorptance
        Of the outer faces for sunlight.
    length_m
        Of the box.
    width_m
        Of the box.
    height_m
        Of the box.
    azimuth_deg
        Of the long side that faces the equator most, clockwise from north.
    heater_kw
        Power of the heater; gives the energy of a cold start.
    """

    asleep: Literal["asleep_dampers_shut", "powered_off", "fans_on", "kept_warm"]
    heat_capacity_mj_per_k: float = Field(default=6.6, gt=0.0, le=200.0)
    conductance_w_per_k: float = Field(default=300.0, gt=0.0, le=20_000.0)
    fans_conductance_w_per_k: float = Field(default=84_000.0, gt=0.0, le=1.0e6)
    heat_inside_share: Share = 1.0
    running_temperature_c: TemperatureC = 20.0
    start_temperature_c: TemperatureC = 0.0
    thermostat_c: TemperatureC | None = None
    absorptance: Share = 0.7
    length_m: float = Field(default=12.19, gt=0.0, le=100.0)
    width_m: float = Field(default=2.44, gt=0.0, le=100.0)
    height_m: float = Field(default=2.59, gt=0.0, le=100.0)
    azimuth_deg: float = Field(default=180.0, ge=0.0, lt=360.0)
    heater_kw: float | None = Field(default=None, gt=0.0, le=2000.0)

    @model_validator(mode="after")
    def _consistent(self) -> Thermal:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if self.asleep == "kept_warm" and self.thermostat_c is None:
            found.append(((), "asleep: kept_warm needs thermostat_c"))
        if self.asleep != "kept_warm" and self.thermostat_c is not None:
            found.append((("thermostat_c",), "belongs to asleep: kept_warm only"))
        if self.running_temperature_c <= self.start_temperature_c:
            found.append((("running_temperature_c",), "is not above start_temperature_c"))
        problems(found)
        return self


class Heat(Document):
    """Derating in hot air: full power up to `derate_from_c` at the inlet, a share at `stop_c`, nothing above.

    Attributes
    ----------
    inlet_rise_k
        How much warmer than outside the inlet is.
    derate_from_c
        Inlet temperature up to which full power is possible.
    stop_c
        Inlet temperature above which nothing runs.
    share_at_stop
        Share of full power at stop_c.
    """

    inlet_rise_k: float = Field(default=0.0, ge=0.0, le=30.0)
    derate_from_c: float = Field(default=40.0, ge=0.0, le=80.0)
    stop_c: float = Field(default=47.0, ge=0.0, le=90.0)
    share_at_stop: Share = 0.9

    @model_validator(mode="after")
    def _ordered(self) -> Heat:
        if self.stop_c <= self.derate_from_c:
            problems([(("stop_c",), f"{self.stop_c:g} C is not above derate_from_c {self.derate_from_c:g} C")])
        return self


class Cold(Document):
    """The power a running container needs so that recirculated air keeps its inlet above `inlet_min_c`.

    Attributes
    ----------
    inlet_min_c
        Lowest inlet temperature allowed.
    recirculation_max
        Largest share of warm air that can be led back.
    air_conductance_kw_per_k
        Heat that the full air flow carries per kelvin.
    minimum_flow_share
        Least share of the full air flow.
    """

    inlet_min_c: TemperatureC = 0.0
    recirculation_max: float = Field(default=0.8, ge=0.0, lt=1.0)
    air_conductance_kw_per_k: float = Field(default=84.0, gt=0.0, le=2000.0)
    minimum_flow_share: float = Field(default=0.3, gt=0.0, le=1.0)


class ContainerDocument(Document):
    """A container model, ``schema: flexmine-container/1``; the mode curve is `modes`, or follows from `miners`.

    Attributes
    ----------
    schema_id
        Which kind of file this is.
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    title
        In words.
    modes
        Breakpoints of IT power and hash rate, rising and concave; or miners.minimum_power_mw.
    miners
        The miners in one container.
    overhead
        Facility power per IT power (PUE), by outside temperature.
    standby_mw
        Draw of a container that is off.
    min_up_h
        Once started it stays on so long.
    min_down_h
        Once stopped it stays off so long.
    ramp_mw_per_h
        By so much the IT power of a running container changes in an hour at most; it starts at its lowest power, and
        is at that in the last step before a stop [MW/h].  Absent: no such limit.
    start
        What a start costs.
    thermal
        How a sleeping container cools; decides which starts are cold.
    heat
        Derating in hot air.
    cold
        Least power in cold air.
    sources
        Where the numbers come from, a line each; at least one.
    """

    schema_id: Literal["flexmine-container/1"] = Field(alias="schema")
    name: Name
    title: Words = ""
    modes: Annotated[tuple[Mode, ...], AsTuple] = ()
    miners: MinerSet
    overhead: Overhead = Overhead()
    standby_mw: float = Field(ge=0.0, le=2.0)
    min_up_h: DurationH = 4.0
    min_down_h: DurationH = 2.0
    ramp_mw_per_h: PositivePowerMw | None = None
    start: Start
    thermal: Thermal | None = None
    heat: Heat | None = None
    cold: Cold | None = None
    sources: Annotated[tuple[str, ...], AsTuple, Field(min_length=1)]

    @property
    def names_miner_file(self) -> bool:
        """Whether ``miners.model`` stands for a file that gives the presets."""
        return not self.modes and not self.miners.presets

    @property
    def highest_it_power_mw(self) -> float:
        """IT power at the last mode, or with all miners at their highest preset [MW]."""
        if self.modes:
            return self.modes[-1].it_power_mw
        return self.miners.fixed_mw + 1e-6 * self.miners.count * max(p.power_w for p in self.miners.presets)

    @property
    def lowest_it_power_mw(self) -> float:
        """IT power at the first mode, or where the envelope of the miners begins [MW]."""
        return self.modes[0].it_power_mw if self.modes else self.miners.minimum_power_mw or 0.0

    @model_validator(mode="after")
    def _consistent(self) -> ContainerDocument:
        found = _curve_problems(self.modes)
        if self.modes and self.standby_mw >= self.lowest_it_power_mw:
            text = f"{self.standby_mw:g} MW asleep is not below {self.lowest_it_power_mw:g} MW, the lowest mode"
            found.append((("standby_mw",), text))
        if bool(self.modes) == (self.miners.minimum_power_mw is not None):
            text = "exactly one gives the mode curve: modes, or miners.minimum_power_mw (the envelope of the miners)"
            found.append(((), text))
        if (self.start.warm_off_h is None) == (self.thermal is None):
            found.append((("start",), "exactly one decides what is a warm start: start.warm_off_h or thermal"))
        if self.start.cold_energy_mwh is not None and self.thermal is not None and self.thermal.heater_kw is not None:
            found.append((("start", "cold_energy_mwh"), "thermal.heater_kw gives the preheat energy already"))
        problems(found)
        return self


def _curve_problems(modes: tuple[Mode, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[tuple[tuple[str | int, ...], str]] = []
    slopes: list[float] = []
    for i in range(1, len(modes)):
        a, b = modes[i - 1], modes[i]
        if b.it_power_mw <= a.it_power_mw:
            where: tuple[str | int, ...] = ("modes", i, "it_power_mw")
            found.append((where, f"{b.it_power_mw:g} MW is not above the {a.it_power_mw:g} MW before it"))
            return found
        slopes.append((b.hash_rate_th_s - a.hash_rate_th_s) / (b.it_power_mw - a.it_power_mw))
    for i in range(1, len(slopes)):
        if slopes[i] > slopes[i - 1] + CONCAVE_SLACK * abs(slopes[i - 1]):
            text = "the curve is not concave here; give its upper envelope (mixes of miners reach it)"
            found.append((("modes", i), text))
    return found
