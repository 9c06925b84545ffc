"""From the checked shape of problem.json to the Problem: lengths, and rules that compare fields with each other.

Every fault is reported, each with its path.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import BaseModel

from flexmine.problem.fields import BY_STEP, Described, Floats, Ints, fields_of
from flexmine.problem.model import ContainerClass, History, Problem, Site, StartTerms
from flexmine.problem.writing import schema_name

CONCAVITY_SLACK = 1e-6


class Checker:
    """Collects all errors and warnings, each with its JSON path, of a document of schema `number`."""

    def __init__(self, steps: int, number: int):
        self.steps, self.number = steps, number
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def wrong(self, path: str, what: str) -> None:
        """Report `what` is wrong at the JSON path `path`."""
        self.errors.append(f"{path}: {what}")

    def build(self, kind: type, part: BaseModel, path: str = "") -> Any:
        """Return the dataclass `kind` of a part of the document."""
        dot = f"{path}." if path else ""
        self.warnings += [f"{dot}{key}: unknown key, ignored" for key in part.model_extra or {}]
        values = {}
        for f in fields_of(kind):
            if f.key in part.model_fields_set and f.about.optimum and f.about.since > self.number:
                needed, given = schema_name(f.about.since), schema_name(self.number)
                self.wrong(f"{dot}{f.key}", f"needs the schema {needed}; a reader of {given} would leave it out")
            values[f.name] = self._value(f, getattr(part, f.key), f"{dot}{f.key}")
        return kind(**values)

    def _value(self, f: Described, given: Any, path: str) -> Any:
        if given is None and (f.default is None or f.shape not in BY_STEP):
            return None
        if f.shape in ("curve", *BY_STEP):
            return self._array(f, given, path)
        if f.is_part:
            if f.shape == "list":
                return tuple(self.build(f.kind, part, f"{path}[{i}]") for i, part in enumerate(given))
            return self.build(f.kind, given, path)
        if f.shape != "one":
            return tuple(tuple(member) if f.shape == "pairs" else member for member in given)
        return given if f.about.raised_to is None else max(f.about.raised_to, given)

    def _array(self, f: Described, given: Any, path: str) -> Floats | Ints:
        if not isinstance(given, list):
            return np.full(self.steps, f.default if given is None else given, dtype=f.kind)
        if f.shape != "curve" and len(given) != self.steps:
            self.wrong(path, f"{len(given)} values, expected {self.steps}")
        return np.array(given, dtype=f.kind)

    def unique(self, what: str, names: list[str]) -> None:
        """Report each of `names` that stands more than once, under the JSON path `what`."""
        for name in sorted(name for name, count in Counter(names).items() if count > 1):
            self.wrong(what, f"the name {name!r} stands more than once")

    def above(
        self, path: str, values: Floats | Ints, name: str, least: Floats | Ints, *, strictly: bool = False
    ) -> None:
        """Report the first step in which `values` fall below `least`, those of the key `name`.

        Parameters
        ----------
        path : str
            JSON path of the values.
        values : ndarray, shape (T,)
        name : str
            Key of `least`, as the error names it.
        least : ndarray, shape (T,)
            In the unit of the values; of another length, which is reported elsewhere, it is not compared.
        strictly : bool, default False
            Whether equal values are wrong, too.
        """
        if values.shape == least.shape:
            for t in np.flatnonzero(values <= least if strictly else values < least)[:1]:
                self.wrong(path, f"{'not above' if strictly else 'below'} {name} in step {t}")


def check_problem(c: Checker, problem: Problem) -> None:
    """Report what is wrong between fields that are right by themselves."""
    try:
        ZoneInfo(problem.time.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        c.wrong("time.zone", f"{problem.time.zone!r} is not an IANA time zone, such as Asia/Irkutsk")
    for i, k in enumerate(problem.classes):
        path = f"classes[{i}]"
        _check_curve(c, path, k)
        _check_counts(c, path, k)
        _check_start(c, f"{path}.start", k.start)
        _check_preheat(c, path, k)
        for j, h in enumerate(k.history):
            _check_history(c, f"{path}.history[{j}]", h, len(k.start.tiers))
    names = [k.name for k in problem.classes]
    _check_feeders(c, problem.site, names)
    _check_days(c, problem)
    _check_energy(c, problem)
    c.unique("classes", names)
    c.unique("sources", [s.name for s in problem.sources])
    c.unique("containers", [name for k in problem.classes for name in k.containers])


def _check_curve(c: Checker, path: str, k: ContainerClass) -> None:
    power, rate = k.it_power_mw, k.hash_rate_th_s
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


def _check_counts(c: Checker, path: str, k: ContainerClass) -> None:
    if len(k.containers) != k.count:
        c.wrong(f"{path}.containers", f"{len(k.containers)} names, expected count = {k.count}")
    total = sum(h.count for h in k.history)
    if total != k.count:
        c.wrong(f"{path}.history", f"counts add up to {total}, expected count = {k.count}")
    for key in ("available", "must_run", "committed"):
        counts = getattr(k, key)
        for t in np.flatnonzero(counts > k.count)[:1] if counts is not None else ():
            c.wrong(f"{path}.{key}[{t}]", f"{counts[t]} is above count = {k.count}")


def _check_start(c: Checker, path: str, start: StartTerms) -> None:
    """Costs and times off must not fall from warm over the tiers to cold."""
    before_off, before_usd = ("warm_off_steps", start.warm_off_steps), ("warm_cost_usd", start.warm_cost_usd)
    before_mwh = ("", 0.0 * start.cold_energy_mwh)
    for i, tier in enumerate(start.tiers):
        place = f"{path}.tiers[{i}]"
        c.above(f"{place}.off_steps", tier.off_steps, *before_off, strictly=True)
        c.above(f"{place}.cost_usd", tier.cost_usd, *before_usd)
        c.above(f"{place}.energy_mwh", tier.energy_mwh, *before_mwh)
        before_off = (f"tiers[{i}].off_steps", tier.off_steps)
        before_usd, before_mwh = (f"tiers[{i}].cost_usd", tier.cost_usd), (f"tiers[{i}].energy_mwh", tier.energy_mwh)
    c.above(f"{path}.cold_cost_usd", start.cold_cost_usd, *before_usd)
    c.above(f"{path}.cold_energy_mwh", start.cold_energy_mwh, *before_mwh)


def _check_preheat(c: Checker, path: str, k: ContainerClass) -> None:
    longest = max(k.min_down_steps, int(k.start.warm_off_steps.min(initial=2**31)) + 1)
    if k.preheat_steps > longest:
        allowed = "max(min_down_steps, smallest warm_off_steps + 1)"
        c.wrong(f"{path}.preheat_steps", f"{k.preheat_steps} is above {allowed} = {longest}")


def _check_history(c: Checker, path: str, h: History, tiers: int) -> None:
    until = h.tier_until_steps
    if until is not None:
        if len(until) != tiers:
            c.wrong(f"{path}.tier_until_steps", f"{len(until)} values, expected {tiers} as in start.tiers")
        lasts = [-1 if h.warm_until_step is None else h.warm_until_step, *until]
        for i in np.flatnonzero(np.diff(lasts) < 0)[:1]:
            c.wrong(f"{path}.tier_until_steps[{i}]", f"{lasts[i + 1]} is below the {lasts[i]} before it")


def _check_feeders(c: Checker, site: Site, names: list[str]) -> None:
    c.unique("site.feeders", [f.name for f in site.groups])
    on_feeder: dict[str, str] = {}
    for i, f in enumerate(site.groups):
        for name in f.classes:
            if name not in names:
                c.wrong(f"site.feeders[{i}].classes", f"unknown class {name!r}")
            elif name in on_feeder:
                c.wrong(f"site.feeders[{i}].classes", f"class {name!r} is on feeder {on_feeder[name]!r} already")
            on_feeder.setdefault(name, f.name)


def _check_days(c: Checker, problem: Problem) -> None:
    days = problem.site.day_of_step
    for t in np.flatnonzero(np.diff(days) < 0)[:1] if days is not None else ():
        c.wrong(f"site.day_of_step[{t + 1}]", "falls; days must not fall")
    for i, k in enumerate(problem.classes):
        if days is None and k.max_starts_per_day is not None:
            c.wrong(f"classes[{i}].max_starts_per_day", "needs site.day_of_step")


def _check_energy(c: Checker, problem: Problem) -> None:
    sources = [s.name for s in problem.sources]
    c.unique("site.energy_limits", [e.name for e in problem.site.energy_limits])
    for i, e in enumerate(problem.site.energy_limits):
        path, end = f"site.energy_limits[{i}]", e.first_step + e.steps
        if e.source is not None and e.source not in sources:
            c.wrong(f"{path}.source", f"unknown source {e.source!r}; allowed are {', '.join(sources)} and null")
        if end > problem.steps:
            c.wrong(f"{path}.steps", f"ends with step {end - 1}; the last of the horizon is {problem.steps - 1}")
        if e.at_least_mwh is None and e.at_most_mwh is None:
            c.wrong(path, "needs at_least_mwh or at_most_mwh")
        elif e.at_least_mwh is not None and e.at_most_mwh is not None and e.at_least_mwh > e.at_most_mwh:
            c.wrong(f"{path}.at_least_mwh", f"{e.at_least_mwh:g} is above at_most_mwh = {e.at_most_mwh:g}")
