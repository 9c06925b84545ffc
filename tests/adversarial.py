"""Small plants made to break counts: what is warm, what is free to start and what a start costs pull apart.

Warm windows that end before the minimum down time is served, histories of several ages, costs of warm and cold starts
that change by hour, windows that change by hour, short runs, and prices that jump.  Two in three of them have no
feature besides; the others have preheat, tiers, layers of starts, counted availability, must-run or a ramp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from flexmine.problem import ContainerClass, History, Problem
from plants import reference_class, simple_problem

BESIDE = ("preheat", "energy", "tiers", "starts_per_day", "available", "must_run", "ramp", "negative_price")


def adversarial_problem(seed: int) -> Problem:
    """Return a plant of one to four containers and four to eight steps, always the same for a seed."""
    rng = np.random.default_rng([seed, 77])
    features = frozenset(f for f in BESIDE if rng.random() < 0.3) if rng.random() < 0.35 else frozenset()
    return _Dice(rng, features, int(rng.integers(4, 9))).problem()


@dataclass
class _Dice:
    rng: Generator
    features: frozenset[str]
    steps: int

    def problem(self) -> Problem:
        rng, steps = self.rng, self.steps
        if rng.random() < 0.75:
            counts = [int(rng.choice([1, 2, 3], p=[0.1, 0.55, 0.35]))]
        else:
            counts = [int(rng.integers(1, 3)), int(rng.integers(1, 3))]
        classes = tuple(self._class(f"k{i}", count) for i, count in enumerate(counts))
        total = sum(counts)
        # Supply for so many containers, that jumps; or prices that do.
        room = rng.integers(0, total + 1, steps) if rng.random() < 0.5 else np.full(steps, total)
        price = rng.choice([5.0, 40.0, 90.0], steps) + rng.uniform(-4, 4, steps)
        if "negative_price" in self.features:
            price = np.where(rng.random(steps) < 0.3, -rng.uniform(5, 80, steps), price)
        ramp = float(rng.uniform(0.5, 1.6)) if "ramp" in self.features else None
        running = sum(h.count for k in classes for h in k.history if h.on)
        spare = 1.0 if "energy" in self.features else 0.05
        return simple_problem(
            classes,
            surplus_mw=room * 0.8 + 0.02 * total + spare,
            surplus_price=price,
            firm_mw=None,
            cap=10.0,
            ramp=ramp,
            initial=None if ramp is None else 0.6 * running + 0.02 * total,
            day_of_step=np.arange(steps) >= rng.integers(1, steps) if "starts_per_day" in self.features else None,
        )

    def _class(self, name: str, count: int) -> ContainerClass:
        rng, steps = self.rng, self.steps
        down, up = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        warm = rng.uniform(0.5, 15, steps)
        extra = rng.choice([0.5, 4.0, 30.0], steps) * rng.uniform(0.5, 1.5, steps)
        windows = self._windows(down)
        fields: dict[str, Any] = {
            "it_power_mw": (0.5, 0.75) if rng.random() < 0.3 else (0.7,),
            "hash_rate_th_s": (25000.0, 36000.0) if rng.random() < 0.3 else (35000.0, 40000.0),
            "hash_value_usd_per_th_s_h": 0.0018 * rng.choice([0.3, 1.0, 2.0], steps) * rng.uniform(0.9, 1.1, steps),
            "min_up_steps": up,
            "min_down_steps": down,
            "warm_cost_usd": warm,
            "cold_cost_usd": warm + extra,
            "warm_off_steps": windows,
            "history": self._history(count, down),
        }
        fields["hash_rate_th_s"] = fields["hash_rate_th_s"][: len(fields["it_power_mw"])]
        if "energy" in self.features:
            fields["cold_energy_mwh"] = rng.uniform(0, 0.6, steps) if rng.random() < 0.5 else 0.3
        if "preheat" in self.features:
            fields["preheat_steps"] = int(rng.integers(0, min(2, max(down, int(windows.min()) + 1)) + 1))
        if "tiers" in self.features:
            middle = warm + extra * rng.uniform(0, 1, steps)
            energy = fields.get("cold_energy_mwh", 0.0) if rng.random() < 0.5 else 0.0
            fields["tiers"] = [(windows + rng.integers(1, 3), middle, energy)]
        if "available" in self.features:
            fields["available"] = np.where(rng.random(steps) < 0.3, rng.integers(0, count + 1, steps), count)
        if "must_run" in self.features:
            fields["must_run"] = np.where(rng.random(steps) < 0.2, rng.integers(0, count + 1, steps), 0)
        if "starts_per_day" in self.features:
            fields["max_starts_per_day"] = int(rng.integers(1, 3))
        k = reference_class(name, count, steps, prefix=f"{name.upper()}-", **fields)
        if k.start.tiers and rng.random() < 0.5:
            k = replace(k, history=tuple(self._with_tier(h) for h in k.history))
        return k

    def _windows(self, down: int) -> np.ndarray:
        """Draw windows by step of the stop: alike, in order, in order but for stops that are never warm, or any."""
        rng, steps = self.rng, self.steps
        kind = rng.choice(["alike", "in order", "some never", "any"], p=[0.25, 0.3, 0.3, 0.15])
        if kind == "alike":
            return np.full(steps, int(rng.integers(0, 7)))
        if kind == "any":
            return rng.integers(0, 7, steps)
        last = np.maximum.accumulate(np.arange(steps) + rng.integers(0, 7, steps))
        windows = last - np.arange(steps)
        if kind == "some never":
            windows = np.where(rng.random(steps) < 0.4, rng.integers(0, down, steps), windows)
        return windows

    def _history(self, count: int, down: int) -> tuple[History, ...]:
        """Draw a state and an age for each container; many are off, and warm for less long than they stay down."""
        rng, entries = self.rng, []
        for _ in range(count):
            if rng.random() < 0.4:
                entries.append(History(1, True, int(rng.integers(1, 5))))
                continue
            off = int(rng.integers(1, down + 2))
            kind = rng.choice(["by window", "too short", "free"], p=[0.2, 0.4, 0.4])
            until = {
                "by window": None,
                "too short": int(rng.integers(-1, max(0, down - off) + 1)),
                "free": int(rng.integers(0, self.steps)),
            }[str(kind)]
            entries.append(History(1, False, off, warm_until_step=until))
        if "starts_per_day" in self.features:
            entries = [replace(h, starts_today=int(rng.integers(0, 2))) for h in entries]
        return tuple(entries)

    def _with_tier(self, h: History) -> History:
        if h.on or h.warm_until_step is None:
            return h
        return replace(h, tier_until_steps=(h.warm_until_step + int(self.rng.integers(0, 3)),))
