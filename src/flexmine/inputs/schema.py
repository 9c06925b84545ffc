"""The case: which plant, when, with which prices, orders and state; plant and container are in ``equipment.py``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import (
    AsTuple,
    AwareTime,
    ContainerPowerMw,
    Day,
    Document,
    DurationH,
    MonthDay,
    Name,
    PowerMw,
    TemperatureC,
    Words,
    problems,
)
from flexmine.inputs.hash_value import HashValue
from flexmine.inputs.pins import Pin
from flexmine.inputs.series_spec import (
    AvailableMw,
    CarbonGPerKwh,
    HeadroomMw,
    MinimumMw,
    PriceUsdPerMwh,
    Series,
    TariffUsdPerMwh,
)
from flexmine.problem.model import RESERVED_SOURCES

DEFAULT_PUBLISH_H = 24.0
EnergyMwh = Annotated[float, Field(ge=0.0, le=1e7)]


class SeriesOfCase(Document):
    """Series that are not of one source.

    Attributes
    ----------
    temperature_c
        Outside air: a column of a file.
    ghi_w_m2
        Sunlight on a level surface: a column of a file; absent: no sun.
    """

    temperature_c: Series
    ghi_w_m2: Series | None = None


class SourceEntry(Document):
    """A source of power with its price; a surplus may be left, a firm source is bought as needed.

    Attributes
    ----------
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    kind
        Surplus (may be left) or firm (bought as needed).
    available_mw
        Power on offer in each step, a number or a series.
    price_usd_per_mwh
        Price of its energy, a number or a series.
    network_tariff_usd_per_mwh
        Network charge on top of the price, a number or a series.
    carbon_g_per_kwh
        Location-based intensity; for the account of carbon only.
    headroom_mw
        Room left in the turbines beside this surplus: only so much of what is taken counts as avoided spill.
    """

    name: Name
    kind: Literal["surplus", "firm"]
    available_mw: AvailableMw
    price_usd_per_mwh: PriceUsdPerMwh
    network_tariff_usd_per_mwh: TariffUsdPerMwh = 0.0
    carbon_g_per_kwh: CarbonGPerKwh | None = None
    headroom_mw: HeadroomMw | None = None

    @model_validator(mode="after")
    def _headroom_of_surplus(self) -> SourceEntry:
        if self.headroom_mw is not None and self.kind != "surplus":
            problems([(("headroom_mw",), "belongs to a source of kind surplus; firm power avoids no spill")])
        return self


class Window(Document):
    """A legal or contractual time in which nothing may be mined; yearly (MM-DD) or once (dates), days included.

    Attributes
    ----------
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    source
        Where the rule is written.
    first_day_of_year
        First day of every year, MM-DD.
    last_day_of_year
        Last day of every year, included, MM-DD.
    from_date
        First day, once: YYYY-MM-DD.
    to_date
        Last day, included, once: YYYY-MM-DD.
    hours
        Hours of the site's day (0 to 23) in which it holds; none: all.
    """

    name: Name
    source: str = Field(min_length=1)
    first_day_of_year: MonthDay | None = Field(default=None, alias="from")
    last_day_of_year: MonthDay | None = Field(default=None, alias="to")
    from_date: Day | None = None
    to_date: Day | None = None
    hours: Annotated[tuple[Annotated[int, Field(ge=0, le=23)], ...], AsTuple] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Window:
        yearly = (self.first_day_of_year is not None, self.last_day_of_year is not None)
        once = (self.from_date is not None, self.to_date is not None)
        found: list[tuple[tuple[str | int, ...], str]] = []
        if not ((all(yearly) and not any(once)) or (all(once) and not any(yearly))):
            found.append(((), "a window has either from and to (MM-DD, yearly) or from_date and to_date"))
        elif self.from_date and self.to_date and self.to_date < self.from_date:
            found.append((("to_date",), f"{self.to_date} is before from_date {self.from_date}"))
        problems(found)
        return self


class Span(Document):
    """Base of entries that hold from a time (included) to a time (excluded).

    Attributes
    ----------
    begin
        Beginning, included: a time with its UTC offset.
    end
        End, excluded: a time with its UTC offset.
    """

    begin: AwareTime = Field(alias="from")
    end: AwareTime = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Span:
        if self.end <= self.begin:
            problems([(("to",), f"{self.end.isoformat()} is not after from {self.begin.isoformat()}")])
        return self


class Order(Span):
    """An announced curtailment: the site's facility power stays at or below `cap_mw`.

    Attributes
    ----------
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    cap_mw
        The site draws at most so much.
    """

    name: Name
    cap_mw: PowerMw


class Outage(Span):
    """A container out of service.

    Attributes
    ----------
    container
        Name of the container.
    reason
        Shown where it is off.
    """

    container: Name
    reason: Words = Field(min_length=1)


class MustRun(Span):
    """Named containers that have to run.

    Attributes
    ----------
    containers
        Names of the containers.
    reason
        Shown in the plan.
    """

    containers: Annotated[tuple[Name, ...], AsTuple, Field(min_length=1)]
    reason: Words = Field(min_length=1)


class Available(Span):
    """At most `count` containers of a model run at once, whichever they are.

    Attributes
    ----------
    model
        The text that the plant's groups use as model.
    count
        At most so many at once.
    reason
        Shown in the plan.
    """

    model: str = Field(min_length=1)
    count: int = Field(ge=0, le=100_000)
    reason: Words = ""


class EnergyLimit(Document):
    """Energy that the whole site, or one source, takes at least or at most over a day, a month or a time of its own.

    Attributes
    ----------
    name
        Name of the limit; what its periods have taken goes by it.
    source
        Name of the source; absent: the whole site.
    over
        Every day or month of the site's zone; absent: one time, with from and to.
    begin
        Beginning of that time, included, with its UTC offset.
    end
        End of that time, excluded, with its UTC offset.
    at_least_mwh
        No less energy than this in each period.
    at_most_mwh
        No more energy than this in each period.
    pace
        How at_most_mwh of a period that outlasts the horizon is spent: even, by the hours left; none, once it pays.
    """

    name: Name
    source: Name | None = None
    over: Literal["day", "month"] | None = None
    begin: AwareTime | None = Field(default=None, alias="from")
    end: AwareTime | None = Field(default=None, alias="to")
    at_least_mwh: EnergyMwh | None = None
    at_most_mwh: EnergyMwh | None = None
    pace: Literal["even", "none"] = "even"

    @model_validator(mode="after")
    def _whole(self) -> EnergyLimit:
        found: list[tuple[tuple[str | int, ...], str]] = []
        span = (self.begin is not None, self.end is not None)
        if any(span) if self.over is not None else not all(span):
            found.append(((), "an energy limit has either over (day or month), or from and to"))
        elif self.begin is not None and self.end is not None and self.end <= self.begin:
            found.append((("to",), f"{self.end.isoformat()} is not after from {self.begin.isoformat()}"))
        if self.at_least_mwh is None and self.at_most_mwh is None:
            found.append(((), "an energy limit has at_least_mwh or at_most_mwh, or both"))
        elif self.at_most_mwh is not None and (self.at_least_mwh or 0.0) > self.at_most_mwh:
            found.append((("at_least_mwh",), f"{self.at_least_mwh:g} is above at_most_mwh = {self.at_most_mwh:g}"))
        problems(found)
        return self


class CommittedRun(Span):
    """A container that runs from a time to a time.

    Attributes
    ----------
    container
        Name of the container.
    """

    container: Name


class Commitment(Document):
    """The commitment of an earlier plan, to be kept: only how hard the containers run is decided anew.

    Attributes
    ----------
    plan : str
        Which plan, for the reader.
    runs
        When which container runs; outside of these spans every container is off.
    """

    plan: str = Field(min_length=1, max_length=200)
    runs: Annotated[tuple[CommittedRun, ...], AsTuple]


class ContainerState(Document):
    """What a container did before the first step.

    Attributes
    ----------
    on
        True or false.
    hours
        [h] time spent in the present state.

        Time spent in the present state [h].
    it_power_mw
        IT power just before the first step [MW]; of a running container.
    inside_temperature_c
        Measured inside a sleeping container [C]; needed where its box is modelled by heat balance.
    starts_today
        Starts already made on the site's day of the first step.
    run_hours
        [h] in all; only differences between containers matter, for even wear.

        In all, so that wear can be evened out; only differences between containers matter.
    starts
        In all; only differences between containers matter, for even wear.
    """

    on: bool
    hours: DurationH = Field(gt=0.0)
    it_power_mw: ContainerPowerMw | None = None
    inside_temperature_c: TemperatureC | None = None
    starts_today: int = Field(default=0, ge=0, le=100)
    run_hours: float = Field(default=0.0, ge=0.0, le=1e6)
    starts: int = Field(default=0, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _consistent(self) -> ContainerState:
        if not self.on and self.it_power_mw is not None:
            problems([(("it_power_mw",), "a container that is off has no IT power; leave the key out")])
        return self


class State(Document):
    """The plant just before the first step; `initial_mw` null: the ramp into the first step is free.

    `default` is of the containers that are not named; it may be left out where all are, as in ``state_after`` of
    plan.json.

    Attributes
    ----------
    initial_mw
        Power of the site just before the first step; null: the first ramp is free.
    default
        State of every container that is not named below.
    containers
        State of single containers, by name.
    energy_taken_mwh
        Taken before the first step in each period of an energy limit that has begun: NAME/2024-09-10, NAME/2024-09.
    """

    initial_mw: PowerMw | None
    default: ContainerState | None = None
    containers: dict[str, ContainerState] = Field(default_factory=dict)
    energy_taken_mwh: dict[str, EnergyMwh] = Field(default_factory=dict)

    def of(self, container: str) -> ContainerState:
        """Return the state of `container`, by its name; that each one has a state is checked when the case is read."""
        state = self.containers.get(container, self.default)
        assert state is not None
        return state


class Options(Document):
    """How hard to search.

    Attributes
    ----------
    gap
        How close to the proven bound, as a share of the money.
    time_limit_s
        Time for the search by the solver.  Reading, building, auditing and writing come on top: of a day some seconds,
        of larger cases about half a millisecond for each step of each kind of container.
    seed
        Of the solver's random numbers.
    """

    gap: float = Field(default=1e-4, ge=0.0, le=0.5)
    time_limit_s: float = Field(default=60.0, gt=0.0, le=86_400.0)
    seed: int = Field(default=0, ge=0, le=2_147_483_647)


class CaseDocument(Document):
    """A case file, ``schema: flexmine-case/1``; `publish_h` absent: 24 h, or the horizon where that is shorter.

    `as_of` is the moment of planning: of a series with several issues, what was issued later is not used.

    Attributes
    ----------
    schema_id
        Which kind of file this is.
    name
        A short name: letters, digits, _ and -, beginning with a letter.
    title
        What the report is called.
    notes
        What a reader should know about the data; shown in plan and report.
    plant
        File of the plant, relative to this file, or shipped:plants/NAME.
    start
        Beginning of the first step: a time with its UTC offset.
    as_of
        Moment of planning; of a series with several issues, what was issued later is not used.
    step_minutes
        Length of a step: 15, 30 or 60.
    horizon_h
        How far the plan looks ahead.
    publish_h
        How much of it is the plan; the rest is look-ahead; absent: 24 h or the horizon.
    series
        Series that belong to no source.
    sources
        Sources of power with their prices.
    hash_value
        What a hash earns, and whose money counts.
    windows
        Legal or contractual times in which nothing may be mined.
    orders
        Announced curtailments: a cap on the whole site for a time.
    outages
        Containers out of service.
    must_run
        Containers that have to run.
    available
        At most so many containers of a model at once.
    pins
        What an operator holds a container or the site to.
    commitment
        Who runs, taken from an earlier plan; only power is decided anew.
    state
        The plant just before the first step.
    terminal_on_usd
        What a container is worth that ends on; absent: a warm start saved, below 36 h only.
    minimum_mw
        Power that the site has to take in every step, a number or a series.
    max_starts_per_day
        Starts of one container in a day of the site.
    energy_limits
        Energy of a source or of the site over a day, a month or a time of its own.
    options
        How hard to search.
    unusual
        Dotted keys whose value is meant although it is far from usual, such as ``sources.dam.available_mw``; without
        being named here such a value is refused.
    """

    schema_id: Literal["flexmine-case/1"] = Field(alias="schema")
    name: Name
    title: Words = Field(min_length=1, max_length=200)
    notes: Annotated[tuple[str, ...], AsTuple] = ()
    plant: str = Field(min_length=1)
    start: AwareTime
    as_of: AwareTime | None = None
    step_minutes: Literal[15, 30, 60] = 60
    horizon_h: float = Field(default=48.0, gt=0.0, le=1000.0)
    publish_h: float | None = Field(default=None, gt=0.0, le=1000.0)
    series: SeriesOfCase
    sources: Annotated[tuple[SourceEntry, ...], AsTuple, Field(min_length=1)]
    hash_value: HashValue
    windows: Annotated[tuple[Window, ...], AsTuple] = ()
    orders: Annotated[tuple[Order, ...], AsTuple] = ()
    outages: Annotated[tuple[Outage, ...], AsTuple] = ()
    must_run: Annotated[tuple[MustRun, ...], AsTuple] = ()
    available: Annotated[tuple[Available, ...], AsTuple] = ()
    pins: Annotated[tuple[Pin, ...], AsTuple] = ()
    commitment: Commitment | None = None
    state: State
    terminal_on_usd: float | None = Field(default=None, ge=-1e5, le=1e5)
    minimum_mw: MinimumMw | None = None
    max_starts_per_day: int | None = Field(default=None, ge=0, le=48)
    energy_limits: Annotated[tuple[EnergyLimit, ...], AsTuple] = ()
    options: Options = Options()
    unusual: Annotated[tuple[str, ...], AsTuple] = ()

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.step_minutes / 60.0

    @property
    def steps(self) -> int:
        """Number of steps of the horizon."""
        return round(self.horizon_h / self.step_h)

    @property
    def publish_steps(self) -> int:
        """Number of steps that are published."""
        hours = min(DEFAULT_PUBLISH_H, self.horizon_h) if self.publish_h is None else self.publish_h
        return round(hours / self.step_h)

    @model_validator(mode="after")
    def _whole(self) -> CaseDocument:
        problems(case_problems(self))
        return self


def case_problems(document: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what does not fit within `document`, a CaseDocument, as keys and a sentence each.

    Of a faulty case it is an object with the parts that are right, the others None; these are not looked at.
    """
    minutes, start, horizon_h, publish_h = (
        getattr(document, name) for name in ("step_minutes", "start", "horizon_h", "publish_h")
    )
    found: list[tuple[tuple[str | int, ...], str]] = []
    if minutes is not None:
        for key, hours in (("horizon_h", horizon_h), ("publish_h", publish_h)):
            steps = 0.0 if hours is None else hours * 60.0 / minutes
            if abs(steps - round(steps)) > 1e-9 or (hours is not None and steps < 1):
                found.append(((key,), f"{hours:g} h is not a whole number of {minutes}-minute steps, of at least one"))
        if start is not None and (start.second or start.microsecond or start.minute % minutes):
            found.append((("start",), f"{start.isoformat()} is not on the grid of {minutes}-minute steps"))
    if publish_h is not None and horizon_h is not None and publish_h > horizon_h:
        found.append((("publish_h",), f"{publish_h:g} h is longer than the horizon of {horizon_h:g} h"))
    retarget = getattr(document.hash_value, "next_retarget", None)
    at = getattr(retarget, "at", None)
    if at is not None and start is not None and at <= start:
        text = f"{at.isoformat()} is not after the start; give the new difficulty and leave next_retarget out"
        found.append((("hash_value", "next_retarget", "at"), text))
    sources = [name for entry in document.sources or () if (name := getattr(entry, "name", None)) is not None]
    for i, name in enumerate(getattr(entry, "name", None) for entry in document.sources or ()):
        if name in RESERVED_SOURCES:
            found.append((("sources", i, "name"), f"{name} is a column of every plan; give the source another name"))
    for i, limit in enumerate(document.energy_limits or ()):
        name = getattr(limit, "source", None)
        if name is not None and name not in sources:
            text = f"there is no source {name} in this case; its sources are {', '.join(sources)}"
            found.append((("energy_limits", i, "source"), text))
    for key in ("sources", "windows", "orders", "energy_limits"):
        found += _twice(key, [getattr(entry, "name", None) for entry in getattr(document, key) or ()])
    return found


def _twice(key: str, names: list[str | None]) -> list[tuple[tuple[str | int, ...], str]]:
    return [
        ((key, i, "name"), f"{name} is used twice; names of {key} are unique")
        for i, name in enumerate(names)
        if name is not None and name in names[:i]
    ]
