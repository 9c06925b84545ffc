"""Problems to measure with: seeded, of every size from one site to 50,000 containers, easy and hard.

``easy``: margins are wide, the fleet starts once and stays on.  ``hard``: the hash value is thin and the price has two
peaks a day, so that shut-downs pay and containers restart many times a week.

All series are made up from a seed; nothing here is data of a real plant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from flexmine.planning.state import FleetState
from flexmine.problem import ContainerClass, Floats, History, Problem, Site, Source, StartTerms, TimeAxis

ZONE = "Asia/Irkutsk"
START = datetime(2024, 1, 1, tzinfo=ZoneInfo(ZONE))
IT_POWER_MW = np.array([0.52, 0.78, 1.04, 1.30])
HASH_RATE_TH_S = np.array([22880.0, 31720.0, 38480.0, 44000.0])
STANDBY_MW = 0.01
CAP_MW_PER_CONTAINER = 10 / 14
RAMP_SHARE_PER_H = 0.4
MIN_UP_H, MIN_DOWN_H, WARM_H, OFF_BEFORE_H = 4, 2, 6, 10
NIGHT_H, COMMITTED_H = 48, 24
DATA = ("easy", "hard")


@dataclass(frozen=True)
class Size:
    """Containers in classes over hours, in steps of `step_h`; `mixed`: every class has ages and outages of its own."""

    containers: int
    classes: int
    hours: int
    step_h: float = 1.0
    mixed: bool = False


SIZES = {
    "bratsk-day": Size(14, 1, 24),
    "bratsk-40": Size(56, 1, 48),
    "week-1h": Size(56, 1, 168),
    "week-15min": Size(56, 1, 168, 0.25),
    "fleet-500": Size(500, 5, 168),
    "fleet-500-in-10": Size(500, 10, 168),
    "fleet-5000": Size(5000, 10, 168),
    "fleet-50000": Size(50000, 10, 168, 0.25),
    "small-classes-5": Size(15, 5, 48, mixed=True),
    "small-classes-10": Size(30, 10, 48, mixed=True),
    "small-classes-20": Size(60, 20, 48, mixed=True),
}


def plant(size: str | Size, seed: int = 1, data: str = "hard", day: int = 0) -> Problem:
    """Return the problem of a size by name, or of any other `Size`; all containers have been off for ten hours.

    Parameters
    ----------
    size : str or Size
    seed : int
        Same seed, same problem.
    data : str
        ``easy`` or ``hard``.
    day : int
        Days after 1 January, where the horizon begins.
    """
    if data not in DATA:
        raise ValueError(f"data {data!r}: allowed are {', '.join(DATA)}")
    s = SIZES[size] if isinstance(size, str) else size
    steps = round(s.hours / s.step_h)
    cap_mw = s.containers * CAP_MW_PER_CONTAINER
    series = _Series(seed, s, steps, day, hard=data == "hard")
    rng = np.random.default_rng([seed, 7])
    counts = _counts(s, rng)
    classes = [_class(number, count, s, series, rng) for number, count in enumerate(counts)]
    if s.mixed:
        classes = [_own_story(k, s.step_h, rng) for k in classes]
    running = sum(h.count * k.it_power_mw[0] * k.overhead[0] for k in classes for h in k.history if h.on)
    off = sum(h.count for k in classes for h in k.history if not h.on)
    ramp = RAMP_SHARE_PER_H * cap_mw * s.step_h
    site = Site(
        cap_mw=np.full(steps, cap_mw),
        base_load_mw=np.zeros(steps),
        minimum_mw=np.zeros(steps),
        ramp_up_mw_per_step=ramp,
        ramp_down_mw_per_step=ramp,
        initial_mw=float(running + off * STANDBY_MW),
    )
    sources = (
        Source("surplus", "surplus", series.surplus_mw * cap_mw / 10, series.surplus_usd_per_mwh),
        Source("grid", "firm", np.full(steps, cap_mw), series.grid_usd_per_mwh),
    )
    axis = TimeAxis(START + timedelta(days=day), s.step_h, steps, ZONE)
    return Problem(axis, tuple(classes), sources, site)


def night(day: int, before: FleetState | None = None, seed: int = 3, data: str = "hard") -> Problem:
    """Return one night of a year of nights: 56 containers, 48 hours, with the state that the day before left.

    Raises
    ------
    ValueError
        Where a state is given that names other containers.
    """
    problem = plant(Size(56, 1, NIGHT_H), seed, data, day)
    if before is None:
        return problem
    k = problem.classes[0]
    if set(before.containers) != set(k.containers):
        raise ValueError("the state names other containers than the problem")
    states = [(before.containers[name].on, round(before.containers[name].hours)) for name in k.containers]
    history = tuple(History(len(list(same)), on, steps) for (on, steps), same in groupby(states))
    site = replace(problem.site, initial_mw=before.initial_mw)
    return replace(problem, classes=(replace(k, history=history),), site=site)


class _Series:
    """Prices, surplus, overhead and hash value of one horizon, shape (T,); surplus for a cap of 10 MW."""

    def __init__(self, seed: int, size: Size, steps: int, day: int, *, hard: bool):
        self.rng = np.random.default_rng([seed, 11, day])
        self.steps, self.step_h = steps, size.step_h
        elapsed_h = np.arange(steps) * size.step_h
        hour, date = elapsed_h % 24, elapsed_h / 24 + day
        evening = np.exp(-(((hour - 19) / 2.2) ** 2))
        surplus = 7 - 4.2 * np.cos((hour - 3) / 24 * 2 * np.pi) - 2.2 * ((hour > 17) & (hour < 22)) + self._noise(0.9)
        self.surplus_usd_per_mwh = np.clip(11.5 + 2 * np.sin(hour / 24 * 2 * np.pi) + self._noise(0.8), 8, 15)
        grid = 45 + 6 * np.sin((hour - 9) / 24 * 2 * np.pi) + 32 * evening + self._noise(3.0)
        warmth = 18 * np.sin(2 * np.pi * (date - 100) / 365) + 6 * np.sin((hour - 9) / 24 * 2 * np.pi)
        temperature_c = np.clip(warmth + self._noise(1.0), -25, 25)
        self.overhead = 1.02 + 0.0012 * np.maximum(0.0, temperature_c - 5)
        self.hash_usd_per_th_s_h = 0.045 / 24 * (1 + 0.1 * np.sin(date / 9) + 0.01 * self._noise(1.0))
        if hard:
            self.hash_usd_per_th_s_h = 0.62 * self.hash_usd_per_th_s_h
            peaks = 38 * np.exp(-(((hour - 19) / 2.0) ** 2)) + 18 * np.exp(-(((hour - 8.5) / 1.5) ** 2))
            grid = 38 + 8 * np.sin((hour - 9) / 24 * 2 * np.pi) + peaks + self._noise(6.0)
            surplus = np.clip(surplus, 2, 12) - self._noise(1.6)
        self.grid_usd_per_mwh = np.clip(grid, 35, 90)
        self.surplus_mw = np.clip(surplus, 2, 12)

    def _noise(self, spread: float) -> Floats:
        """Return noise that is remembered from hour to hour (0.8) and drawn as straight lines between hours."""
        hours = int(np.ceil(self.steps * self.step_h)) + 2
        level, levels = 0.0, np.empty(hours)
        for hour in range(hours):
            level = 0.8 * level + self.rng.normal(0.0, spread)
            levels[hour] = level
        return np.interp(np.arange(self.steps) * self.step_h, np.arange(hours), levels)


def _counts(size: Size, rng: np.random.Generator) -> list[int]:
    if not size.mixed:
        share, rest = divmod(size.containers, size.classes)
        return [share + (number < rest) for number in range(size.classes)]
    counts = rng.integers(1, 6, size.classes)
    return [int(count) for count in counts]


def _class(number: int, count: int, size: Size, series: _Series, rng: np.random.Generator) -> ContainerClass:
    """Return a class; the first is the reference container, each other is scaled and more or less efficient."""
    efficiency = 1.0 if number == 0 else float(np.round(rng.uniform(0.75, 1.45), 3))
    scale = 1.0 if number == 0 else float(np.round(rng.uniform(0.8, 1.2), 2))
    steps, step_h = series.steps, size.step_h
    start = StartTerms(
        warm_cost_usd=np.full(steps, 15.0),
        cold_cost_usd=np.full(steps, 60.0),
        warm_off_steps=np.full(steps, round(WARM_H / step_h)),
        cold_energy_mwh=np.zeros(steps),
    )
    return ContainerClass(
        name=f"k{number}",
        count=count,
        containers=tuple(f"K{number}-{i + 1:05d}" for i in range(count)),
        it_power_mw=IT_POWER_MW * scale,
        hash_rate_th_s=HASH_RATE_TH_S * scale * efficiency,
        max_it_power_mw=np.full(steps, IT_POWER_MW[-1] * scale),
        min_it_power_mw=np.zeros(steps),
        overhead=series.overhead,
        standby_mw=np.full(steps, STANDBY_MW),
        hash_value_usd_per_th_s_h=series.hash_usd_per_th_s_h,
        min_up_steps=round(MIN_UP_H / step_h),
        min_down_steps=round(MIN_DOWN_H / step_h),
        start=start,
        available=np.full(steps, count),
        must_run=np.zeros(steps, dtype=np.int64),
        history=(History(count, on=False, steps=round(OFF_BEFORE_H / step_h)),),
    )


def _own_story(k: ContainerClass, step_h: float, rng: np.random.Generator) -> ContainerClass:
    """Give a class ages of its own, and in two of five cases an outage of some hours of all its containers."""
    on = [bool(x) for x in rng.random(k.count) < 0.5]
    ages = [int(x) for x in rng.integers(1, round(12 / step_h) + 1, k.count)]
    available = k.available.copy()
    if rng.random() < 0.4:
        # Not before those that run may stop: an outage that contradicts the minimum up time has no plan.
        begin = int(rng.integers(k.min_up_steps, available.size))
        available[begin : begin + int(rng.integers(2, 9) / step_h)] = 0
    history = tuple(History(1, state, age) for state, age in zip(on, ages, strict=True))
    return replace(k, history=history, available=available)
