"""Plants to test with: the reference container, a site around it, and small random plants of every kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from flexmine.problem import (
    ContainerClass,
    EnergyLimit,
    Group,
    History,
    Problem,
    Site,
    Source,
    StartTerms,
    StartTier,
    TimeAxis,
)

ZONE = "Asia/Irkutsk"
START = datetime(2024, 9, 10, tzinfo=ZoneInfo(ZONE))
REFERENCE_IT_POWER_MW = (0.52, 0.78, 1.04, 1.30)
REFERENCE_HASH_RATE_TH_S = (22880.0, 31720.0, 38480.0, 44000.0)

FLOATS_BY_STEP = (
    "max_it_power_mw",
    "min_it_power_mw",
    "overhead",
    "standby_mw",
    "hash_value_usd_per_th_s_h",
)
COUNTS_BY_STEP = ("available", "must_run")
START_FLOATS = ("warm_cost_usd", "cold_cost_usd", "cold_energy_mwh")

FEATURES = (
    "ages",  # mixed ages and states before step 0, even of one class
    "available",  # counted availability below the class's count
    "base_load",
    "cold_minimum",  # a higher minimum power in some steps
    "costs_by_step",  # start costs by step of the start
    "derating",  # a lower maximum power in some steps, sometimes below the minimum
    "falling_curve",  # the last piece of the mode curve loses hash rate
    "feeders",
    "initial_none",
    "minimum_mw",
    "must_run",
    "negative_price",
    "one_source",
    "outage",  # a class of one that is out of service for some steps
    "overhead_by_step",
    "preheat",
    "ramp",
    "restless",  # short minimum times and wild prices: several stops and starts of one container
    "several_classes",
    "standby_by_step",
    "starts_per_day",
    "step_length",
    "terminal",
    "tight_supply",
    "warm_until",
    "window_by_step",  # warm windows by step of the stop, also out of order
)

# Features that are drawn only where they are named, so that the plants above stay what they are.
NAMED_FEATURES = (
    "container_ramp",  # as wide as the range, starts and stops at lowest power
    "energy",  # one to three limits of energy over some steps, of a source or the site, sometimes too tight
    "kept_commitment",  # exactly so many run, up and down by one now and then
    "tiers",  # one or two start prices between warm and cold
)


def reference_class(
    name: str = "s19pro", count: int = 14, steps: int = 24, prefix: str = "C", **overrides: Any
) -> ContainerClass:
    """Return `count` reference containers, named C01, C02, ...; off for 10 steps before step 0.

    `overrides` are fields of ContainerClass or StartTerms; a number stands for all steps.  `tiers` are given as
    (off_steps, cost_usd, energy_mwh), each a number or by step.
    """
    fields: dict[str, Any] = {
        "containers": tuple(f"{prefix}{i + 1:02d}" for i in range(count)),
        "it_power_mw": REFERENCE_IT_POWER_MW,
        "hash_rate_th_s": REFERENCE_HASH_RATE_TH_S,
        "min_it_power_mw": 0.0,
        "overhead": 1.02,
        "standby_mw": 0.01,
        "hash_value_usd_per_th_s_h": 0.0018,
        "min_up_steps": 4,
        "min_down_steps": 2,
        "available": count,
        "must_run": 0,
        "history": (History(count, on=False, steps=10),),
        "warm_cost_usd": 15.0,
        "cold_cost_usd": 60.0,
        "warm_off_steps": 6,
        "cold_energy_mwh": 0.0,
    } | overrides
    fields.setdefault("max_it_power_mw", float(np.asarray(fields["it_power_mw"])[-1]))
    for key in ("it_power_mw", "hash_rate_th_s"):
        fields[key] = np.array(fields[key], dtype=np.float64)
    for key in FLOATS_BY_STEP + START_FLOATS:
        fields[key] = _by_step(fields[key], steps)
    for key in (*COUNTS_BY_STEP, "warm_off_steps"):
        fields[key] = _by_step(fields[key], steps).astype(np.int64)
    tiers = tuple(
        StartTier(_by_step(off, steps).astype(np.int64), _by_step(usd, steps), _by_step(mwh, steps))
        for off, usd, mwh in fields.pop("tiers", ())
    )
    start = StartTerms(**{key: fields.pop(key) for key in (*START_FLOATS, "warm_off_steps")}, tiers=tiers)
    return ContainerClass(name=name, count=count, start=start, **fields)


def round_class(count: int = 1, steps: int = 5, **overrides: Any) -> ContainerClass:
    """Return containers for sums by hand: 1 MW earns 100 USD an hour, standby draws nothing, minimum times are 1.

    On for 10 steps before step 0; a start costs 10 USD warm and 90 USD cold, and is warm after at most 2 steps off.
    """
    fields: dict[str, Any] = {
        "it_power_mw": (1.0,),
        "hash_rate_th_s": (1000.0,),
        "hash_value_usd_per_th_s_h": 0.1,
        "overhead": 1.0,
        "standby_mw": 0.0,
        "min_up_steps": 1,
        "min_down_steps": 1,
        "warm_cost_usd": 10.0,
        "cold_cost_usd": 90.0,
        "warm_off_steps": 2,
        "history": (History(count, on=True, steps=10),),
    } | overrides
    return reference_class("box", count, steps, **fields)


def round_problem(
    classes: ContainerClass | Iterable[ContainerClass], price: Any, mw: Any = 10.0, **site: Any
) -> Problem:
    """Return a site with one source of `mw` at `price` and no ramp, for sums by hand."""
    fields: dict[str, Any] = {"cap": 10.0, "ramp": None, "initial": None} | site
    return simple_problem(classes, surplus_mw=mw, surplus_price=price, firm_mw=None, **fields)


def simple_problem(
    classes: ContainerClass | Iterable[ContainerClass],
    surplus_mw: Any = 8.0,
    surplus_price: Any = 10.0,
    firm_mw: Any = 10.0,
    firm_price: Any = 45.0,
    cap: Any = 10.0,
    ramp: float | None = 4.0,
    initial: float | None = 0.0,
    step_h: float = 1.0,
    ramp_down: float | None = None,
    base_load: Any = 0.0,
    minimum: Any = 0.0,
    feeders: tuple[Group, ...] = (),
    day_of_step: Any = None,
) -> Problem:
    """Return a site with a surplus source and a grid around `classes`; a number stands for all steps.

    `ramp` holds both ways unless `ramp_down` is given; no grid where `firm_mw` is None.
    """
    classes = (classes,) if isinstance(classes, ContainerClass) else tuple(classes)
    steps = classes[0].overhead.size
    sources = [Source("surplus", "surplus", _by_step(surplus_mw, steps), _by_step(surplus_price, steps))]
    if firm_mw is not None:
        sources.append(Source("grid", "firm", _by_step(firm_mw, steps), _by_step(firm_price, steps)))
    site = Site(
        cap_mw=_by_step(cap, steps),
        base_load_mw=_by_step(base_load, steps),
        minimum_mw=_by_step(minimum, steps),
        ramp_up_mw_per_step=ramp,
        ramp_down_mw_per_step=ramp if ramp_down is None else ramp_down,
        initial_mw=initial,
        groups=feeders,
        day_of_step=None if day_of_step is None else np.asarray(day_of_step, dtype=np.int64),
    )
    return Problem(TimeAxis(START, step_h, steps, ZONE), classes, tuple(sources), site)


def random_features(seed: int) -> frozenset[str]:
    """Return a mix of two to seven features, always the same for a seed."""
    rng = np.random.default_rng([seed, 1])
    return frozenset(rng.choice(FEATURES, size=int(rng.integers(2, 8)), replace=False).tolist())


def random_problem(seed: int | Generator, features: Iterable[str] | None = None) -> Problem:
    """Return a small random plant: one to four containers, five to twelve steps.

    Raises
    ------
    ValueError
        On a feature that is none of FEATURES.
    """
    if features is None:
        if isinstance(seed, Generator):
            raise ValueError("a generator has no features of its own: name them")
        features = random_features(seed)
    chosen = frozenset(features)
    if unknown := chosen - set(FEATURES) - set(NAMED_FEATURES):
        raise ValueError(f"unknown features: {', '.join(sorted(unknown))}")
    rng = seed if isinstance(seed, Generator) else np.random.default_rng([seed, 2])
    return _Dice(rng, chosen).problem()


def _by_step(value: Any, steps: int) -> np.ndarray:
    return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (steps,)))


@dataclass
class _Dice:
    """Draws one plant; `step_h` and `steps` are drawn first, because everything hangs on them."""

    rng: Generator
    features: frozenset[str]
    steps: int = 0
    step_h: float = 1.0

    def problem(self) -> Problem:
        counts = self._counts()
        up, down = (int(self.rng.integers(1, 5)), int(self.rng.integers(1, 4)))
        if "restless" in self.features:
            up, down = 1, int(self.rng.integers(1, 3))
        # Few containers or long minimum times leave few schedules: then the horizon may be longer.
        longest = {1: 12, 2: 10, 3: 8, 4: 7}[sum(counts)] - (1 if up + down <= 3 and sum(counts) > 2 else 0)
        self.steps = longest if "restless" in self.features else int(self.rng.integers(5, longest + 1))
        self.step_h = float(self.rng.choice([0.25, 0.5, 1.0])) if "step_length" in self.features else 1.0
        classes = [self._class(f"k{i}", count, up, down) for i, count in enumerate(counts)]
        if "outage" in self.features:
            classes = self._with_outage(classes)
        return self._site(tuple(classes))

    def _counts(self) -> list[int]:
        total = int(self.rng.integers(1, 5))
        if "outage" in self.features:
            total = max(2, total)
        if "several_classes" not in self.features or total == 1:
            return [total]
        parts = int(self.rng.integers(2, min(3, total) + 1))
        return [1 + int(extra) for extra in self.rng.multinomial(total - parts, [1 / parts] * parts)]

    def _class(self, name: str, count: int, up: int, down: int) -> ContainerClass:
        rng, steps = self.rng, self.steps
        power, rate = self._curve()
        window = rng.integers(0, 6, steps) if "window_by_step" in self.features else int(rng.integers(0, 6))
        warm, extra = (float(x) * self.step_h for x in rng.uniform((0.5, 3), (12, 40)))
        costs: dict[str, Any] = {"warm_cost_usd": warm, "cold_cost_usd": warm + extra}
        if "costs_by_step" in self.features:
            costs["warm_cost_usd"] = rng.uniform(0.5, 15, steps)
            costs["cold_cost_usd"] = costs["warm_cost_usd"] + rng.uniform(0, 40, steps)
        overrides: dict[str, Any] = costs | {
            "it_power_mw": power,
            "hash_rate_th_s": rate,
            "hash_value_usd_per_th_s_h": self._hash_value(),
            "overhead": rng.uniform(1.0, 1.15, steps) if "overhead_by_step" in self.features else 1.02,
            "standby_mw": rng.uniform(0, 0.08, steps) if "standby_by_step" in self.features else 0.01,
            "min_up_steps": up,
            "min_down_steps": down,
            "warm_off_steps": window,
            "history": self._history(count),
        }
        if "preheat" in self.features:
            longest = max(down, int(np.min(window)) + 1)
            overrides["preheat_steps"] = int(rng.integers(0, min(3, longest) + 1))
            overrides["cold_energy_mwh"] = self.step_h * (rng.uniform(0, 0.4, steps) if rng.random() < 0.5 else 0.2)
        if "derating" in self.features:
            share = np.where(rng.random(steps) < 0.4, rng.uniform(-0.15, 1.0, steps), 1.0)
            overrides["max_it_power_mw"] = power[0] + share * (power[-1] - power[0])
        if "cold_minimum" in self.features:
            share = np.where(rng.random(steps) < 0.4, rng.uniform(0.0, 0.9, steps), 0.0)
            overrides["min_it_power_mw"] = power[0] + share * (power[-1] - power[0])
        if "available" in self.features:
            overrides["available"] = np.where(rng.random(steps) < 0.3, rng.integers(0, count + 1, steps), count)
        if "must_run" in self.features:
            overrides["must_run"] = np.where(rng.random(steps) < 0.25, rng.integers(0, count + 1, steps), 0)
        if "kept_commitment" in self.features:
            before = sum(h.count for h in overrides["history"] if h.on)
            changes = rng.integers(-1, 2, steps) * (np.arange(steps) % max(up, down) == 0)
            overrides["committed"] = np.clip(before + np.cumsum(changes), 0, overrides.get("available", count))
        if "terminal" in self.features:
            overrides["terminal_on_usd"] = float(rng.uniform(-20, 60))
        if "container_ramp" in self.features:
            overrides["container_ramp_mw_per_step"] = float(power[-1] - power[0]) + 0.01
        if "tiers" in self.features:
            overrides["tiers"] = self._tiers(overrides)
        if "starts_per_day" in self.features:
            overrides["max_starts_per_day"] = int(rng.integers(0, 3)) if rng.random() < 0.2 else 1
        return reference_class(name, count, steps, prefix=f"{name.upper()}-", **overrides)

    def _tiers(self, own: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
        """Draw one or two kinds of starts between warm and cold; some draw the energy of a cold one."""
        rng, off = self.rng, own["warm_off_steps"]
        energy, share, tiers = own.get("cold_energy_mwh", 0.0), 0.0, []
        for _ in range(int(rng.integers(1, 3))):
            off, share = off + rng.integers(1, 3, np.shape(off)), rng.uniform(share, 1.0)
            cost = own["warm_cost_usd"] + share * (own["cold_cost_usd"] - own["warm_cost_usd"])
            tiers.append((off, cost, energy if (tiers and tiers[-1][2] is energy) or rng.random() < 0.5 else 0.0))
        return tiers

    def _hash_value(self) -> np.ndarray:
        levels = [0.05, 1.5] if "restless" in self.features else [0.1, 0.5, 1.0, 1.2]
        return 0.0018 * self.rng.choice(levels, self.steps) * self.rng.uniform(0.9, 1.1)

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        rng = self.rng
        pieces = int(rng.integers(0, 4))
        power = rng.uniform(0.35, 0.65) + np.concatenate([[0.0], np.cumsum(rng.uniform(0.08, 0.35, pieces))])
        slopes = np.sort(rng.uniform(8000, 42000, pieces))[::-1]
        if "falling_curve" in self.features and pieces:
            slopes[-1] = rng.uniform(-9000, 0)
        rate = power[0] * rng.uniform(33000, 50000) + np.concatenate([[0.0], np.cumsum(slopes * np.diff(power))])
        return power, rate

    def _history(self, count: int) -> tuple[History, ...]:
        rng = self.rng
        mixed = "ages" in self.features
        groups = int(rng.integers(1, count + 1)) if mixed else 1
        sizes = 1 + rng.multinomial(count - groups, [1 / groups] * groups)
        entries = []
        for size in sizes:
            on = bool(rng.random() < 0.5)
            steps = int(rng.integers(1, 7)) if mixed else 10
            warm_until = None
            if not on and "warm_until" in self.features and rng.random() < 0.7:
                warm_until = int(rng.integers(-1, self.steps))
            today = int(rng.integers(0, 2)) if "starts_per_day" in self.features else 0
            entries.append(History(int(size), on, steps, warm_until_step=warm_until, starts_today=today))
        return tuple(entries)

    def _with_outage(self, classes: list[ContainerClass]) -> list[ContainerClass]:
        """Split one container off the largest class, with steps in which it cannot run."""
        largest = max(range(len(classes)), key=lambda i: classes[i].count)
        k = classes[largest]
        begin = int(self.rng.integers(0, self.steps))
        dark = np.arange(self.steps)
        dark = (dark >= begin) & (dark < begin + int(self.rng.integers(1, 4)))
        ages = [replace(h, count=1) for h in k.history for _ in range(h.count)]
        single = replace(
            k,
            name=f"{k.name}/out",
            count=1,
            containers=k.containers[:1],
            available=np.where(dark, 0, np.minimum(k.available, 1)),
            must_run=np.zeros(self.steps, dtype=np.int64),
            committed=None,
            history=(ages[0],),
        )
        if k.count == 1:
            return [*classes[:largest], single, *classes[largest + 1 :]]
        rest = replace(
            k,
            count=k.count - 1,
            containers=k.containers[1:],
            available=np.minimum(k.available, k.count - 1),
            must_run=np.minimum(k.must_run, k.count - 1),
            committed=None if k.committed is None else np.minimum(k.committed, k.count - 1),
            history=tuple(ages[1:]),
        )
        return [*classes[:largest], rest, single, *classes[largest + 1 :]]

    def _site(self, classes: tuple[ContainerClass, ...]) -> Problem:
        rng, steps, features = self.rng, self.steps, self.features
        full = sum(k.count * k.it_power_mw[-1] * 1.05 for k in classes)
        idle = sum(k.count * k.standby_mw.max() for k in classes)
        base = rng.uniform(0, 0.5, steps) if "base_load" in features else np.zeros(steps)
        scarce = 0.7 if "tight_supply" in features else 1.1
        cheap, dear = rng.uniform(5, 40, steps), rng.choice([30.0, 50.0, 90.0], steps) + rng.uniform(-8, 8, steps)
        if "negative_price" in features:
            cheap = np.where(rng.random(steps) < 0.3, -rng.uniform(5, 80, steps), cheap)
            dear = np.where(rng.random(steps) < 0.2, -rng.uniform(5, 80, steps), dear)
        run_mw = sum(h.count * k.it_power_mw[0] for k in classes for h in k.history if h.on)
        ramp_up, ramp_down = (
            rng.uniform(0.3, 0.9, 2) * full if "ramp" in features or rng.random() < 0.3 else (None, None)
        )
        surplus = base * rng.uniform(0, 1) + rng.uniform(0, scarce, steps) * full
        problem = simple_problem(
            classes,
            surplus_mw=surplus + (base + idle if "one_source" in features else 0.0),
            surplus_price=cheap,
            firm_mw=None if "one_source" in features else base + idle + rng.uniform(0.1, scarce, steps) * full,
            firm_price=dear,
            cap=base + idle + rng.uniform(0.45, 1.1) * full * rng.choice([1.0, 1.0, 0.7], steps),
            ramp=None if ramp_up is None else float(ramp_up),
            ramp_down=None if ramp_down is None else float(ramp_down),
            initial=None if "initial_none" in features else float(base[0] + idle + run_mw * rng.uniform(1.0, 1.4)),
            step_h=self.step_h,
            base_load=base,
            minimum=base + idle * 0.5 + rng.uniform(0, 0.25, steps) * full * (rng.random(steps) < 0.4)
            if "minimum_mw" in features
            else 0.0,
            feeders=self._feeders(classes, full, idle),
            day_of_step=np.arange(steps) >= rng.integers(1, steps) if "starts_per_day" in features else None,
        )
        if "ramp" in features and rng.random() < 0.25:
            problem = replace(problem, site=replace(problem.site, ramp_down_mw_per_step=None))
        if "energy" in features:
            limits = tuple(self._energy_limit(f"e{i}", problem, full) for i in range(int(rng.integers(1, 4))))
            problem = replace(problem, site=replace(problem.site, energy_limits=limits))
        return problem

    def _energy_limit(self, name: str, problem: Problem, full: float) -> EnergyLimit:
        """Draw a limit between what is drawn at rest and at full power in some steps, so that most of them bind."""
        rng = self.rng
        first = int(rng.integers(0, self.steps - 1)) if rng.random() < 0.5 else 0
        steps = int(rng.integers(1, self.steps - first + 1)) if rng.random() < 0.6 else self.steps - first
        source = problem.sources[int(rng.integers(len(problem.sources)))] if rng.random() < 0.7 else None
        offered, rest = problem.site.cap_mw, problem.site.base_load_mw + 0.05 * full
        if source is not None:
            offered, rest = np.minimum(source.available_mw, full), np.zeros(self.steps)
        window, dt = slice(first, first + steps), self.step_h
        idle, most = dt * float(rest[window].sum()), dt * float(np.maximum(offered, rest)[window].sum())
        taken = float(rng.uniform(0.5, 3.0) * dt) if rng.random() < 0.4 else 0.0
        low, high = (taken + idle + (most - idle) * share for share in np.sort(rng.uniform(0.0, 0.9, 2)))
        kind = rng.choice(["least", "most", "most", "both"])
        return EnergyLimit(
            name,
            None if source is None else source.name,
            first,
            steps,
            at_least_mwh=None if kind == "most" else float(low if kind == "both" else taken + 0.6 * (low - taken)),
            at_most_mwh=None if kind == "least" else float(high),
            taken_mwh=taken,
        )

    def _feeders(self, classes: tuple[ContainerClass, ...], full: float, idle: float) -> tuple[Group, ...]:
        if "feeders" not in self.features:
            return ()
        named = [k.name for k in classes[: max(1, len(classes) - int(self.rng.integers(0, 2)))]]
        share = len(named) / len(classes)
        cut = int(self.rng.integers(1, len(named) + 1))
        parts = [named[:cut], named[cut:]]
        return tuple(
            Group(f"f{i}", float(idle + self.rng.uniform(0.5, 1.0) * full * share), tuple(part))
            for i, part in enumerate(parts)
            if part
        )
