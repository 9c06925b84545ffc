"""The Problem: every set and parameter of the mathematics, as plain arrays.

This is the seam between the domain and the mathematics.  It knows neither files of the user nor a solver; its
public twin on disk is ``problem.json`` (see :mod:`flexmine.problem.reading`).

Conventions: ``T`` steps of ``step_h`` hours, period-beginning; arrays over time have shape ``(T,)``; power in MW,
energy in MWh, hash rate in TH/s, money in USD.  History is data: steps before the first one are negative numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Binary noise of sums of powers, far below a watt.
RAMP_NOISE_MW = 1e-9


@dataclass(frozen=True)
class TimeAxis:
    """Left-closed intervals of equal length in elapsed time.

    Attributes
    ----------
    start : datetime
        Beginning of step 0, with an offset.
    step_h : float
        Length of a step [h].
    steps : int
        Number of steps T.
    zone : str
        IANA name of the site's zone; used only to show and to parse, never to count.
    """

    start: datetime
    step_h: float
    steps: int
    zone: str

    def begin(self, step: int) -> datetime:
        """Return the beginning of `step` in site time; counted in elapsed time, so that a 23-hour day has 23."""
        elapsed = self.start.astimezone(UTC) + timedelta(hours=self.step_h * step)
        return elapsed.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True)
class History:
    """State of `count` containers before step 0.

    Attributes
    ----------
    steps : int
        Whole steps before step 0 spent in the present state, at least 1.
    it_power_mw : float
        IT power just before step 0, for information [MW].
    warm_until_step : int or None
        For a container that is off: the last step in which a start is still warm; -1 where it is cold already;
        None where ``steps + t <= warm_off_steps[0]`` decides.
    starts_today : int
        Starts that each of them has made on the day of step 0.
    tier_until_steps : tuple of int or None
        For a container that is off: the last step in which a start is still of each of the class's tiers; None where
        ``steps + t <= off_steps[0]`` of the tier decides.
    """

    count: int
    on: bool
    steps: int
    it_power_mw: float = 0.0
    warm_until_step: int | None = None
    starts_today: int = 0
    tier_until_steps: tuple[int, ...] | None = None


@dataclass(frozen=True)
class StartTier:
    """A start between warm and cold; arrays have shape (T,).

    Attributes
    ----------
    off_steps : ndarray of int
        By step of the *stop*: a start is of this tier if the container was off for at most so many steps, and it is
        of no earlier one.
    cost_usd, energy_mwh : ndarray
        By step of the start [USD], [MWh at the meter].
    """

    off_steps: Ints
    cost_usd: Floats
    energy_mwh: Floats

    @property
    def preheated(self) -> bool:
        """Whether its starts are preheated, as cold ones are."""
        return bool(np.any(self.energy_mwh > 0))


@dataclass(frozen=True)
class StartTerms:
    """What a start costs, by the step in which it happens, and how long a stop stays warm.

    Attributes
    ----------
    warm_cost_usd, cold_cost_usd : ndarray, shape (T,)
        Wear and the net of hash and energy lost while ramping [USD].
    warm_off_steps : ndarray of int, shape (T,)
        By step of the *stop*: a start is warm if the container was off for at most so many steps.
    cold_energy_mwh : ndarray, shape (T,)
        Preheat energy at the meter of a cold start [MWh].
    tiers : tuple of StartTier
        Further kinds of starts between warm and cold, each after a longer time off than the one before.
    """

    warm_cost_usd: Floats
    cold_cost_usd: Floats
    warm_off_steps: Ints
    cold_energy_mwh: Floats
    tiers: tuple[StartTier, ...] = ()


@dataclass(frozen=True)
class Miners:
    """The miners of one container of a class, for rounding and audit.

    Attributes
    ----------
    presets : tuple of (float, float)
        Power [W] and hash rate [TH/s] of each preset.
    sleep_w : float
        Power of a sleeping miner [W].
    fixed_mw : float
        Controllers, switches and light of a container that is on [MW].
    """

    count: int
    presets: tuple[tuple[float, float], ...]
    sleep_w: float = 0.0
    fixed_mw: float = 0.0


@dataclass(frozen=True)
class ContainerClass:
    """Identical containers: same equipment, client, feeder, no data of their own.

    Attributes
    ----------
    it_power_mw, hash_rate_th_s : ndarray, shape (S + 1,)
        Breakpoints of the mode curve of one container; concave; the first is the minimum stable power.
    max_it_power_mw : ndarray, shape (T,)
        Highest IT power of one container by step (hot derating) [MW].
    min_it_power_mw : ndarray, shape (T,)
        Lowest IT power of one running container by step, where above the first breakpoint (cold) [MW].
    overhead : ndarray, shape (T,)
        Facility power per IT power.
    standby_mw : ndarray, shape (T,)
        Facility power of one container that is not running [MW].
    hash_value_usd_per_th_s_h : ndarray, shape (T,)
        Net of fees.
    available, must_run : ndarray of int, shape (T,)
        At most, and at least, so many containers run.
    committed : ndarray of int, shape (T,), or None
        Exactly so many containers run, because an earlier plan's commitment is kept; None: free.
    preheat_steps : int
        0: preheat falls into the step of the start; k: evenly into the k steps before it.
    terminal_on_usd : float
        For each container that runs in the last step.
    container_ramp_mw_per_step : float or None
        By so much the IT power of one container changes from step to step while it runs [MW]; it starts at its lowest
        power, and is at it in the last step before a stop.  None: no such limit.
    """

    name: str
    count: int
    containers: tuple[str, ...]
    it_power_mw: Floats
    hash_rate_th_s: Floats
    max_it_power_mw: Floats
    min_it_power_mw: Floats
    overhead: Floats
    standby_mw: Floats
    hash_value_usd_per_th_s_h: Floats
    min_up_steps: int
    min_down_steps: int
    start: StartTerms
    available: Ints
    must_run: Ints
    history: tuple[History, ...]
    preheat_steps: int = 0
    terminal_on_usd: float = 0.0
    max_starts_per_day: int | None = None
    miners: Miners | None = None
    committed: Ints | None = None
    container_ramp_mw_per_step: float | None = None

    @property
    def lowest_it_power_mw(self) -> Floats:
        """Lowest IT power of one running container by step [MW], shape (T,)."""
        return np.maximum(self.it_power_mw[0], self.min_it_power_mw)

    @property
    def highest_it_power_mw(self) -> Floats:
        """Highest IT power of one running container by step [MW], shape (T,)."""
        return np.minimum(self.it_power_mw[-1], self.max_it_power_mw)

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


@dataclass(frozen=True)
class Source:
    """A source of power; `kind` is ``surplus`` or ``firm``; arrays have shape (T,).

    Attributes
    ----------
    carbon_g_per_kwh : ndarray or None
        Location-based intensity, for the account of carbon only.
    headroom_mw : ndarray or None
        Room left in the turbines: so much of a surplus taken is water that would else have been spilled.
    """

    name: str
    kind: str
    available_mw: Floats
    price_usd_per_mwh: Floats
    carbon_g_per_kwh: Floats | None = None
    headroom_mw: Floats | None = None


@dataclass(frozen=True)
class Group:
    """A named set of classes with limits of its own: a feeder or transformer, later also a client or a quota.

    Attributes
    ----------
    cap_mw : float
        Facility power of its classes together, standby and preheat included [MW].
    """

    name: str
    cap_mw: float
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """Limits of the whole site, and of groups within it; arrays have shape (T,); None means no such limit."""

    cap_mw: Floats
    base_load_mw: Floats
    minimum_mw: Floats
    ramp_up_mw_per_step: float | None = None
    ramp_down_mw_per_step: float | None = None
    initial_mw: float | None = None
    groups: tuple[Group, ...] = ()
    day_of_step: Ints | None = None
    rounding_reserve_mw: float = 0.0


@dataclass(frozen=True)
class Problem:
    """Everything that the optimizer, the audit and another solver need to know."""

    time: TimeAxis
    classes: tuple[ContainerClass, ...]
    sources: tuple[Source, ...]
    site: Site
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def steps(self) -> int:
        """Return the number of steps T."""
        return self.time.steps

    @property
    def containers(self) -> tuple[tuple[str, ContainerClass], ...]:
        """Return (container name, its class) in the order of the classes."""
        return tuple((name, k) for k in self.classes for name in k.containers)
