"""The plant: what stands on the site, behind which limits."""

from __future__ import annotations

import difflib
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, model_validator

from flexmine.inputs.fields import AsTuple, Document, Name, PositivePowerMw, PowerMw, problems

MOST_CONTAINERS = 20_000


class Feeder(Document):
    """A feeder or transformer with a cap of its own; a container hangs on one at most.

    Attributes
    ----------
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    cap_mw
        Highest power of its containers together.
    containers
        Names of the containers that hang on it.
    """

    name: Name
    cap_mw: PositivePowerMw
    containers: Annotated[tuple[Name, ...], AsTuple, Field(min_length=1)]


class Group(Document):
    """Containers of one model and client: `names`, or `prefix` with `first` and `last` (C01 to C14).

    Attributes
    ----------
    model
        File of the container model, relative to this file, or shipped:containers/NAME.
    client
        Whose miners they are.
    names
        Names of the containers; or prefix, first and last.
    prefix
        C makes C01, C02 and so on.
    first
        Number of the first.
    last
        Number of the last.
    digits
        Digits of the numbers.
    """

    model: str = Field(min_length=1)
    client: Name | None = None
    names: Annotated[tuple[Name, ...], AsTuple] = ()
    prefix: str | None = Field(default=None, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=40)
    first: int | None = Field(default=None, ge=0, le=99_999)
    last: int | None = Field(default=None, ge=0, le=99_999)
    digits: int = Field(default=2, ge=1, le=5)

    @model_validator(mode="after")
    def _one_way(self) -> Group:
        row = (self.prefix is not None, self.first is not None, self.last is not None)
        found: list[tuple[tuple[str | int, ...], str]] = []
        if bool(self.names) == all(row) or (self.names and any(row)):
            found.append(((), "containers are given either by names or by prefix, first and last together"))
        elif self.first is not None and self.last is not None and self.last < self.first:
            found.append((("last",), f"{self.last} is below first {self.first}"))
        problems(found)
        return self

    @property
    def count(self) -> int:
        """Number of containers."""
        return len(self.names) or (self.last or 0) - (self.first or 0) + 1

    @property
    def containers(self) -> tuple[str, ...]:
        """Names in order."""
        if self.names:
            return self.names
        assert self.first is not None and self.last is not None
        return tuple(f"{self.prefix}{i:0{self.digits}d}" for i in range(self.first, self.last + 1))


class PlantDocument(Document):
    """A plant file, ``schema: flexmine-plant/1``; a ramp of null means no limit.

    Attributes
    ----------
    schema_id
        Which kind of file this is.
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    zone
        IANA time zone of the site, such as Asia/Irkutsk.
    latitude_deg
        North is positive; for sunlight.
    longitude_deg
        East is positive; for sunlight.
    altitude_m
        Above the sea.
    cap_mw
        Highest power of the site at the meter.
    ramp_up_mw_per_h
        How fast the site may rise; null: no limit.
    ramp_down_mw_per_h
        How fast the site may fall; null: no limit.
    base_load_mw
        What the site draws besides its containers.
    rounding_reserve_mw
        By so much the model stays away from cap, feeder caps and ramps, for rounding to whole miners [MW]; absent:
        4 kW, or the largest step of one miner where that is more.
    feeders
        Feeders or transformers with a cap of their own.
    containers
        Groups of containers of one model.
    sources
        Where the numbers come from, a line each; at least one.
    """

    schema_id: Literal["flexmine-plant/1"] = Field(alias="schema")
    name: Name
    zone: str
    latitude_deg: float = Field(ge=-90.0, le=90.0)
    longitude_deg: float = Field(ge=-180.0, le=180.0)
    altitude_m: float = Field(ge=-430.0, le=6000.0)
    cap_mw: PositivePowerMw
    ramp_up_mw_per_h: PositivePowerMw | None = None
    ramp_down_mw_per_h: PositivePowerMw | None = None
    base_load_mw: PowerMw = 0.0
    rounding_reserve_mw: float | None = Field(default=None, ge=0.0, le=1.0)
    feeders: Annotated[tuple[Feeder, ...], AsTuple] = ()
    containers: Annotated[tuple[Group, ...], AsTuple, Field(min_length=1)]
    sources: Annotated[tuple[str, ...], AsTuple, Field(min_length=1)]

    @property
    def container_names(self) -> tuple[str, ...]:
        """Names of all containers in order."""
        return tuple(name for group in self.containers for name in group.containers)

    @property
    def group_of(self) -> dict[str, Group]:
        """Group by container name."""
        return {name: group for group in self.containers for name in group.containers}

    @property
    def feeder_of(self) -> dict[str, str]:
        """Feeder name by container name; containers on no feeder are absent."""
        return {name: feeder.name for feeder in self.feeders for name in feeder.containers}

    @model_validator(mode="after")
    def _agrees(self) -> PlantDocument:
        found: list[tuple[tuple[str | int, ...], str]] = []
        count = sum(group.count for group in self.containers)
        if count > MOST_CONTAINERS:
            problems([(("containers",), f"{count} containers are too many; at most {MOST_CONTAINERS} are planned")])
        if self.base_load_mw >= self.cap_mw:
            text = f"{self.base_load_mw:g} MW leaves nothing below cap_mw, {self.cap_mw:g} MW"
            found.append((("base_load_mw",), text))
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, or far too long
            near = difflib.get_close_matches(self.zone, sorted(available_timezones()), n=1, cutoff=0.75)
            hint = f"; did you mean {near[0]}?" if near else ""
            found.append((("zone",), f"{self.zone!r} is not an IANA time zone, such as Asia/Irkutsk{hint}"))
        seen: set[str] = set()
        for i, group in enumerate(self.containers):
            for name in group.containers:
                if name in seen:
                    found.append((("containers", i), f"container {name} is given twice"))
                seen.add(name)
        fed: dict[str, str] = {}
        for i, feeder in enumerate(self.feeders):
            if feeder.name in {f.name for f in self.feeders[:i]}:
                found.append((("feeders", i, "name"), f"feeder {feeder.name} is given twice"))
            for j, name in enumerate(feeder.containers):
                if name not in seen:
                    found.append((("feeders", i, "containers", j), f"{name} is not a container of this plant"))
                if name in fed:
                    found.append((("feeders", i, "containers", j), f"{name} hangs on feeder {fed[name]} already"))
                fed[name] = feeder.name
        problems(found)
        return self
