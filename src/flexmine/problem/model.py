"""The Problem: every set and parameter of the mathematics, as plain arrays.

This is the seam between the domain and the mathematics.  It knows neither files of the user nor a solver; its
public twin on disk is ``problem.json`` (see :mod:`flexmine.problem.reading`).

A field is described here and nowhere else (see :class:`~flexmine.problem.fields.About`); its place in a class is its
place in the file.  A new one has a default, and `since` the number of the schema that it comes with.

Conventions: ``T`` steps of ``step_h`` hours, period-beginning; arrays over time have shape ``(T,)``; power in MW,
energy in MWh, hash rate in TH/s, money in USD.  History is data: steps before the first one are negative numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from flexmine.problem.fields import ABOVE_0, About, Floats, Ints, Joins

# Binary noise of sums of powers, far below a watt.
RAMP_NOISE_MW = 1e-9
# Why some fields are not compared where executed days are joined.
CONTINUED = Joins("first", "what later days begin with is how the day before ended")
SINGLE = Joins("prepared", "every container becomes a class of one, because its class may change from day to day")


@dataclass(frozen=True)
class TimeAxis:
    """Left-closed intervals of equal length in elapsed time; the zone is to show and to parse, never to count."""

    start: Annotated[datetime, About("-", "beginning of step 0, with its offset", optimum=False, joins=CONTINUED)]
    step_h: Annotated[float, About("h", "length of a step", least=0.01, most=168.0)]
    steps: Annotated[int, About("steps", "number T", least=1, most=200_000, joins=Joins("prepared", "all days"))]
    zone: Annotated[str, About("-", "IANA zone of the site", pattern=None, optimum=False)]

    def begin(self, step: int) -> datetime:
        """Return the beginning of `step` in site time; counted in elapsed time, so that a 23-hour day has 23."""
        elapsed = self.start.astimezone(UTC) + timedelta(hours=self.step_h * step)
        return elapsed.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True)
class History:
    """State of `count` containers before step 0."""

    count: Annotated[int, About("count", "so many containers")]
    on: Annotated[bool, About("true or false", "whether they ran")]
    steps: Annotated[int, About("steps", "whole steps before step 0 in that state", least=1)]
    it_power_mw: Annotated[float, About("MW", "of one of them; above 0, a container ramp begins here")] = 0.0
    warm_until_step: Annotated[
        int | None,
        About("steps", "last step with a warm start; -1: cold; none: while steps + t <= warm_off_steps[0]", least=-1),
    ] = None
    starts_today: Annotated[int, About("count", "starts of each on the day of step 0", written=False)] = 0
    tier_until_steps: Annotated[
        tuple[int, ...] | None,
        About("steps", "the same for each tier; none: while steps + t <= its off_steps[0]", least=-1),
    ] = None


@dataclass(frozen=True)
class StartTier:
    """A start between warm and cold."""

    off_steps: Annotated[
        Ints, About("steps", "by step of the stop: off for at most so many, and of no tier before", one_for_all=True)
    ]
    cost_usd: Annotated[Floats, About("USD", "by step of the start", one_for_all=True)]
    energy_mwh: Annotated[
        Floats, About("MWh", "preheat at the meter, by step of the start", one_for_all=True, absent=0.0)
    ]

    @property
    def preheated(self) -> bool:
        """Whether its starts are preheated, as cold ones are."""
        return bool(np.any(self.energy_mwh > 0))


@dataclass(frozen=True)
class StartTerms:
    """What a start costs, by the step in which it happens, and how long a stop stays warm.

    Costs are wear and the net of hash and energy lost while ramping.
    """

    warm_cost_usd: Annotated[Floats, About("USD", "by step of the start", one_for_all=True)]
    cold_cost_usd: Annotated[Floats, About("USD", "by step of the start", one_for_all=True)]
    warm_off_steps: Annotated[
        Ints, About("steps", "by step of the stop: a start is warm if off for at most so many", one_for_all=True)
    ]
    cold_energy_mwh: Annotated[
        Floats, About("MWh", "preheat of a cold start at the meter, by its step", one_for_all=True, absent=0.0)
    ]
    tiers: Annotated[
        tuple[StartTier, ...], About("-", "kinds of start between warm and cold, each after a longer time off")
    ] = ()


@dataclass(frozen=True)
class Miners:
    """The miners of one container of a class, for rounding and audit."""

    count: Annotated[int, About("count", "miners of one container", least=1, optimum=False)]
    presets: Annotated[
        tuple[tuple[float, float], ...],
        About("W, TH/s", "pairs of power and hash rate that a miner accepts", least=ABOVE_0, optimum=False),
    ]
    sleep_w: Annotated[float, About("W", "of a sleeping miner", optimum=False)] = 0.0
    fixed_mw: Annotated[float, About("MW", "controllers, switches and light of a running container", optimum=False)] = (
        0.0
    )


@dataclass(frozen=True)
class ContainerClass:
    """Identical containers: same equipment, client, feeder, no data of their own."""

    name: Annotated[str, About("-", "name of the class", optimum=False, joins=SINGLE)]
    count: Annotated[int, About("count", "number of containers", least=1, joins=SINGLE)]
    containers: Annotated[
        tuple[str, ...], About("-", "their names, in the order of `history`", optimum=False, joins=SINGLE)
    ]
    it_power_mw: Annotated[
        Floats,
        About("MW", "breakpoints of the mode curve, rising; the first is the minimum", least=ABOVE_0, curve=True),
    ]
    hash_rate_th_s: Annotated[
        Floats, About("TH/s", "concave over the breakpoints; a falling piece is allowed", curve=True)
    ]
    max_it_power_mw: Annotated[Floats, About("MW", "highest power of one running container; heat lowers it")]
    overhead: Annotated[Floats, About("-", "facility power per IT power", least=ABOVE_0)]
    standby_mw: Annotated[Floats, About("MW", "at the meter, of one container that does not run", one_for_all=True)]
    hash_value_usd_per_th_s_h: Annotated[Floats, About("USD per TH/s per h", "net of fees")]
    min_up_steps: Annotated[int, About("steps", "a start keeps it on for so many", raised_to=1)]
    min_down_steps: Annotated[int, About("steps", "a stop keeps it off for so many", raised_to=1)]
    start: Annotated[StartTerms, About("-", "costs and windows of starts")]
    available: Annotated[Ints, About("count", "at most so many run", joins=SINGLE)]
    history: Annotated[tuple[History, ...], About("-", "what they did before step 0", joins=CONTINUED)]
    min_it_power_mw: Annotated[Floats, About("MW", "a higher minimum while on; cold raises it", absent=0.0)]
    must_run: Annotated[Ints, About("count", "at least so many run", absent=0, joins=SINGLE)]
    preheat_steps: Annotated[
        int, About("steps", "0: preheat in the step of the start; k: evenly in the k steps before it")
    ] = 0
    terminal_on_usd: Annotated[
        float,
        About(
            "USD",
            "for each container that runs in the last step",
            least=None,
            joins=Joins("first", "it values the end of a horizon, and executed days end before it"),
        ),
    ] = 0.0
    committed: Annotated[
        Ints | None,
        About(
            "count",
            "exactly so many run, because an earlier plan's commitment is kept",
            joins=Joins("dropped", "which commitment was kept is a matter of each day; what ran is checked as it is"),
        ),
    ] = None
    container_ramp_mw_per_step: Annotated[
        float | None,
        About("MW", "most change of one that runs; it starts, and ends, at its lowest power", least=ABOVE_0),
    ] = None
    max_starts_per_day: Annotated[int | None, About("count", "of each container, by `day_of_step`")] = None
    miners: Annotated[Miners | None, About("-", "for rounding and audit", optimum=False)] = None

    @property
    def lowest_it_power_mw(self) -> Floats:
        """Lowest IT power of one running container by step [MW], shape (T,)."""
        lowest: Floats = np.maximum(self.it_power_mw[0], self.min_it_power_mw)
        return lowest

    @property
    def highest_it_power_mw(self) -> Floats:
        """Highest IT power of one running container by step [MW], shape (T,)."""
        highest: Floats = np.minimum(self.it_power_mw[-1], self.max_it_power_mw)
        return highest

    @property
    def can_run(self) -> NDArray[np.bool_]:
        """Whether a container of the class can run at all in a step, shape (T,)."""
        return self.highest_it_power_mw >= self.lowest_it_power_mw

    @property
    def runnable(self) -> Ints:
        """How many may run by step, shape (T,): `available`, and 0 where heat or cold forbids."""
        return np.where(self.can_run, self.available, 0)

    @property
    def ramps_slowly(self) -> bool:
        """Whether the container ramp binds between steps in which a container runs, and not at start and stop alone.

        Then containers of one class are no longer alike: what each may draw hangs on what it drew before.
        """
        ramp = self.container_ramp_mw_per_step
        if ramp is None:
            return False
        low, high = self.lowest_it_power_mw, np.maximum(self.lowest_it_power_mw, self.highest_it_power_mw)
        before = [h.it_power_mw for h in self.history if h.on and h.count > 0 and h.it_power_mw > 0]
        rises = [*(high[1:] - low[:-1]), *(high[0] - mw for mw in before)]
        falls = [*(high[:-1] - low[1:]), *(mw - low[0] for mw in before)]
        return max(rises + falls, default=0.0) > ramp + RAMP_NOISE_MW


RESERVED_SOURCES = ("energy", "facility_power", "it_power", "surplus_left", "surplus_offered", "surplus_taken")
"""Columns and totals of a plan's own; a source of such a name would write over them."""


@dataclass(frozen=True)
class Source:
    """A source of power, which may go unused."""

    name: Annotated[str, About("-", "name of the source", optimum=False)]
    kind: Annotated[str, About("-", "may be left, or bought as needed", choices=("surplus", "firm"), optimum=False)]
    available_mw: Annotated[Floats, About("MW", "on offer")]
    price_usd_per_mwh: Annotated[Floats, About("USD/MWh", "of what is taken", least=None)]
    carbon_g_per_kwh: Annotated[
        Floats | None, About("g/kWh", "location-based intensity, for the account of carbon only", optimum=False)
    ] = None
    headroom_mw: Annotated[
        Floats | None,
        About("MW", "room left in the turbines: so much of a surplus taken would else be spilled", optimum=False),
    ] = None


@dataclass(frozen=True)
class Group:
    """A named set of classes with limits of its own: a feeder or transformer, later also a client or a quota."""

    name: Annotated[str, About("-", "name of the feeder", optimum=False)]
    cap_mw: Annotated[float, About("MW", "facility power of its classes, standby and preheat included")]
    classes: Annotated[
        tuple[str, ...], About("-", "what hangs on it", joins=Joins("prepared", "the containers of these classes"))
    ]


@dataclass(frozen=True)
class EnergyLimit:
    """Energy of one source, or of the whole site, over the part of a period that lies in the horizon."""

    name: Annotated[str, About("-", "name of the limit and its period", optimum=False)]
    source: Annotated[str | None, About("-", "whose energy; null: of the whole site", written=True)]
    first_step: Annotated[int, About("steps", "first step of the period")]
    steps: Annotated[int, About("steps", "how many of its steps lie in the horizon", least=1)]
    at_least_mwh: Annotated[float | None, About("MWh", "by the end of them, with what is taken already")] = None
    at_most_mwh: Annotated[float | None, About("MWh", "by the end of them, with what is taken already")] = None
    taken_mwh: Annotated[float, About("MWh", "taken in the period before step 0")] = 0.0
    reserve_mwh: Annotated[
        float, About("MWh", "by so much `at_least_mwh` and `at_most_mwh` are narrowed already", optimum=False)
    ] = 0.0
    kept_mwh: Annotated[
        float,
        About("MWh", "by so much `at_most_mwh` is narrowed for hours of the period after step T-1", optimum=False),
    ] = 0.0

    @property
    def window(self) -> slice:
        """Its steps."""
        return slice(self.first_step, self.first_step + self.steps)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Limits of the whole site, and of groups within it; None means no such limit."""

    cap_mw: Annotated[Floats, About("MW", "most facility power; orders folded in")]
    ramp_up_mw_per_step: Annotated[float | None, About("MW", "most rise; none: free", written=True)] = None
    ramp_down_mw_per_step: Annotated[float | None, About("MW", "most fall; none: free", written=True)] = None
    initial_mw: Annotated[
        float | None,
        About("MW", "facility power before step 0; none: the ramp into it is free", written=True, joins=CONTINUED),
    ] = None
    groups: Annotated[
        tuple[Group, ...], About("-", "feeders; a class lies on one at most", key="feeders", written=True)
    ] = ()
    base_load_mw: Annotated[Floats, About("MW", "always drawn, on no feeder", absent=0.0)]
    minimum_mw: Annotated[Floats, About("MW", "the least that is drawn, base load included", absent=0.0)]
    rounding_reserve_mw: Annotated[
        float,
        About(
            "MW",
            "by so much caps, feeder caps and ramps are narrowed already",
            joins=Joins("prepared", "it may change from day to day, and the true limits are joined"),
        ),
    ] = 0.0
    day_of_step: Annotated[
        Ints | None, About("-", "local calendar day: 0, 0, ..., 1", joins=Joins("prepared", "days since the first"))
    ] = None
    energy_limits: Annotated[
        tuple[EnergyLimit, ...],
        About(
            "-",
            "energy over periods",
            since=2,
            joins=Joins("dropped", "each day has its part of a period, with what was taken before, and is audited so"),
        ),
    ] = ()


@dataclass(frozen=True)
class Problem:
    """Everything that the optimizer, the audit and another solver need to know.

    What the reader of a file warned of is not a part of it, and is not written.
    """

    time: Annotated[TimeAxis, About("-", "the steps")]
    classes: Annotated[tuple[ContainerClass, ...], About("-", "what runs", shortest=1)]
    sources: Annotated[tuple[Source, ...], About("-", "what it runs on", shortest=1)]
    site: Annotated[Site, About("-", "limits of the whole")]
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def steps(self) -> int:
        """Return the number of steps T."""
        return self.time.steps

    @property
    def containers(self) -> tuple[tuple[str, ContainerClass], ...]:
        """Return (container name, its class) in the order of the classes."""
        return tuple((name, k) for k in self.classes for name in k.containers)
