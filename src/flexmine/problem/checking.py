"""From the parts of a problem.json to the Problem: lengths, sums and orders are checked, and all that is wrong told."""

from __future__ import annotations

from collections import Counter

import numpy as np
from pydantic import BaseModel

from flexmine.problem import shape as schema
from flexmine.problem.model import (
    ContainerClass,
    Floats,
    Group,
    History,
    Ints,
    Miners,
    Site,
    Source,
    StartTerms,
    StartTier,
)

CONCAVITY_SLACK = 1e-6


class Checker:
    """Collects all errors and warnings, each with its JSON path."""

    def __init__(self, steps: int):
        self.steps = steps
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def wrong(self, path: str, what: str) -> None:
        self.errors.append(f"{path}: {what}")

    def unknown(self, part: BaseModel, path: str) -> None:
        dot = f"{path}." if path else ""
        for key in part.model_extra or {}:
            self.warnings.append(f"{dot}{key}: unknown key, ignored")
        for name, value in part:
            if isinstance(value, BaseModel):
                self.unknown(value, f"{dot}{name}")
            elif isinstance(value, list):
                for i, item in enumerate(value):
                    if isinstance(item, BaseModel):
                        self.unknown(item, f"{dot}{name}[{i}]")

    def unique(self, what: str, names: list[str]) -> None:
        for name in sorted(_repeated(names)):
            self.wrong(what, f"the name {name!r} stands more than once")

    def floats(self, path: str, value: float | list[float]) -> Floats:
        if isinstance(value, list):
            self._length(path, len(value))
            return np.array(value, dtype=np.float64)
        return np.full(self.steps, float(value))

    def ints(self, path: str, value: int | list[int]) -> Ints:
        if isinstance(value, list):
            self._length(path, len(value))
            return np.array(value, dtype=np.int64)
        return np.full(self.steps, value, dtype=np.int64)

    def above(
        self, path: str, values: Floats | Ints, name: str, least: Floats | Ints, *, strictly: bool = False
    ) -> None:
        """Tell the first step in which `values` are below (or not above) those of the key `name`."""
        if values.shape == least.shape:
            for t in np.flatnonzero(values <= least if strictly else values < least)[:1]:
                self.wrong(path, f"{'not above' if strictly else 'below'} {name} in step {t}")

    def _length(self, path: str, length: int) -> None:
        if length != self.steps:
            self.wrong(path, f"{length} values, expected {self.steps}")


def _repeated(names: list[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def build_class(c: Checker, path: str, k: schema.ClassPart) -> ContainerClass:
    _check_curve(c, path, k)
    if len(k.containers) != k.count:
        c.wrong(f"{path}.containers", f"{len(k.containers)} names, expected count = {k.count}")
    total = sum(h.count for h in k.history)
    if total != k.count:
        c.wrong(f"{path}.history", f"counts add up to {total}, expected count = {k.count}")
    available = c.ints(f"{path}.available", k.available)
    for t in np.flatnonzero(available > k.count)[:1]:
        c.wrong(f"{path}.available[{t}]", f"{available[t]} is above count = {k.count}")
    must_run = c.ints(f"{path}.must_run", 0 if k.must_run is None else k.must_run)
    for t in np.flatnonzero(must_run > k.count)[:1]:
        c.wrong(f"{path}.must_run[{t}]", f"{must_run[t]} is above count = {k.count}")
    committed = None
    if k.committed is not None:
        committed = c.ints(f"{path}.committed", k.committed)
        for t in np.flatnonzero(committed > k.count)[:1]:
            c.wrong(f"{path}.committed[{t}]", f"{committed[t]} is above count = {k.count}")
    start = _build_start(c, f"{path}.start", k.start)
    longest = max(1, k.min_down_steps, int(start.warm_off_steps.min(initial=2**31)) + 1)
    if k.preheat_steps > longest:
        allowed = "max(min_down_steps, smallest warm_off_steps + 1)"
        c.wrong(f"{path}.preheat_steps", f"{k.preheat_steps} is above {allowed} = {longest}")
    miners = None
    if k.miners is not None:
        presets = tuple((float(w), float(h)) for w, h in k.miners.presets)
        miners = Miners(k.miners.count, presets, k.miners.sleep_w, k.miners.fixed_mw)
    return ContainerClass(
        name=k.name,
        count=k.count,
        containers=tuple(k.containers),
        it_power_mw=np.array(k.it_power_mw, dtype=np.float64),
        hash_rate_th_s=np.array(k.hash_rate_th_s, dtype=np.float64),
        max_it_power_mw=c.floats(f"{path}.max_it_power_mw", k.max_it_power_mw),
        min_it_power_mw=c.floats(f"{path}.min_it_power_mw", 0.0 if k.min_it_power_mw is None else k.min_it_power_mw),
        overhead=c.floats(f"{path}.overhead", k.overhead),
        standby_mw=c.floats(f"{path}.standby_mw", k.standby_mw),
        hash_value_usd_per_th_s_h=c.floats(f"{path}.hash_value_usd_per_th_s_h", k.hash_value_usd_per_th_s_h),
        min_up_steps=max(1, k.min_up_steps),
        min_down_steps=max(1, k.min_down_steps),
        start=start,
        available=available,
        must_run=must_run,
        committed=committed,
        history=tuple(_build_history(c, f"{path}.history[{i}]", h, len(start.tiers)) for i, h in enumerate(k.history)),
        preheat_steps=k.preheat_steps,
        terminal_on_usd=k.terminal_on_usd,
        max_starts_per_day=k.max_starts_per_day,
        miners=miners,
        container_ramp_mw_per_step=k.container_ramp_mw_per_step,
    )


def _build_start(c: Checker, path: str, s: schema.StartPart) -> StartTerms:
    """Return the terms of a start; costs and times off must not fall from warm over the tiers to cold."""
    warm_off = c.ints(f"{path}.warm_off_steps", s.warm_off_steps)
    warm, cold = c.floats(f"{path}.warm_cost_usd", s.warm_cost_usd), c.floats(f"{path}.cold_cost_usd", s.cold_cost_usd)
    energy = c.floats(f"{path}.cold_energy_mwh", s.cold_energy_mwh)
    tiers = tuple(
        StartTier(
            c.ints(f"{path}.tiers[{i}].off_steps", tier.off_steps),
            c.floats(f"{path}.tiers[{i}].cost_usd", tier.cost_usd),
            c.floats(f"{path}.tiers[{i}].energy_mwh", tier.energy_mwh),
        )
        for i, tier in enumerate(s.tiers)
    )
    before_off, before_usd, before_mwh = ("warm_off_steps", warm_off), ("warm_cost_usd", warm), ("", 0.0 * energy)
    for i, tier in enumerate(tiers):
        place = f"{path}.tiers[{i}]"
        c.above(f"{place}.off_steps", tier.off_steps, *before_off, strictly=True)
        c.above(f"{place}.cost_usd", tier.cost_usd, *before_usd)
        c.above(f"{place}.energy_mwh", tier.energy_mwh, *before_mwh)
        before_off = (f"tiers[{i}].off_steps", tier.off_steps)
        before_usd, before_mwh = (f"tiers[{i}].cost_usd", tier.cost_usd), (f"tiers[{i}].energy_mwh", tier.energy_mwh)
    c.above(f"{path}.cold_cost_usd", cold, *before_usd)
    c.above(f"{path}.cold_energy_mwh", energy, *before_mwh)
    return StartTerms(warm, cold, warm_off, energy, tiers)


def _build_history(c: Checker, path: str, h: schema.HistoryPart, tiers: int) -> History:
    until = h.tier_until_steps
    if until is not None:
        if len(until) != tiers:
            c.wrong(f"{path}.tier_until_steps", f"{len(until)} values, expected {tiers} as in start.tiers")
        lasts = [-1 if h.warm_until_step is None else h.warm_until_step, *until]
        for i in np.flatnonzero(np.diff(lasts) < 0)[:1]:
            c.wrong(f"{path}.tier_until_steps[{i}]", f"{lasts[i + 1]} is below the {lasts[i]} before it")
    return History(
        h.count,
        h.on,
        h.steps,
        h.it_power_mw,
        h.warm_until_step,
        h.starts_today,
        None if until is None else tuple(until),
    )


def _check_curve(c: Checker, path: str, k: schema.ClassPart) -> None:
    power, rate = np.array(k.it_power_mw), np.array(k.hash_rate_th_s)
    if len(power) != len(rate):
        c.wrong(f"{path}.hash_rate_th_s", f"{len(rate)} values, expected {len(power)} as in it_power_mw")
        return
    widths = np.diff(power)
    for i in np.flatnonzero(widths <= 0)[:1]:
        c.wrong(f"{path}.it_power_mw[{i + 1}]", f"{power[i + 1]} is not above {power[i]}: breakpoints must increase")
        return
    slopes = np.diff(rate) / widths if len(widths) else np.zeros(0)
    slack = CONCAVITY_SLACK * max(1.0, float(np.abs(slopes).max(initial=0.0)))
    for i in np.flatnonzero(np.diff(slopes) > slack)[:1]:
        c.wrong(
            f"{path}.hash_rate_th_s",
            f"not concave at {power[i + 1]} MW: {slopes[i]:.1f} TH/s per MW before it, {slopes[i + 1]:.1f} after it",
        )


def build_source(c: Checker, path: str, s: schema.SourcePart) -> Source:
    carbon = None if s.carbon_g_per_kwh is None else c.floats(f"{path}.carbon_g_per_kwh", s.carbon_g_per_kwh)
    headroom = None if s.headroom_mw is None else c.floats(f"{path}.headroom_mw", s.headroom_mw)
    return Source(
        s.name,
        s.kind,
        c.floats(f"{path}.available_mw", s.available_mw),
        c.floats(f"{path}.price_usd_per_mwh", s.price_usd_per_mwh),
        carbon,
        headroom,
    )


def build_site(c: Checker, part: schema.ProblemPart, names: list[str]) -> Site:
    s = part.site
    feeders = tuple(Group(f.name, f.cap_mw, tuple(f.classes)) for f in s.feeders)
    c.unique("site.feeders", [f.name for f in feeders])
    on_feeder: dict[str, str] = {}
    for i, f in enumerate(feeders):
        for name in f.classes:
            if name not in names:
                c.wrong(f"site.feeders[{i}].classes", f"unknown class {name!r}")
            elif name in on_feeder:
                c.wrong(f"site.feeders[{i}].classes", f"class {name!r} is on feeder {on_feeder[name]!r} already")
            on_feeder.setdefault(name, f.name)
    day = None if s.day_of_step is None else c.ints("site.day_of_step", s.day_of_step)
    if day is not None and np.any(np.diff(day) < 0):
        c.wrong(f"site.day_of_step[{int(np.flatnonzero(np.diff(day) < 0)[0]) + 1}]", "falls; days must not fall")
    if day is None:
        for i, k in enumerate(part.classes):
            if k.max_starts_per_day is not None:
                c.wrong(f"classes[{i}].max_starts_per_day", "needs site.day_of_step")
    return Site(
        cap_mw=c.floats("site.cap_mw", s.cap_mw),
        base_load_mw=c.floats("site.base_load_mw", 0.0 if s.base_load_mw is None else s.base_load_mw),
        minimum_mw=c.floats("site.minimum_mw", 0.0 if s.minimum_mw is None else s.minimum_mw),
        ramp_up_mw_per_step=s.ramp_up_mw_per_step,
        ramp_down_mw_per_step=s.ramp_down_mw_per_step,
        initial_mw=s.initial_mw,
        groups=feeders,
        day_of_step=day,
        rounding_reserve_mw=s.rounding_reserve_mw,
    )
