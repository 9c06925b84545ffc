"""problem.json: the Problem as a public file.  Reading refuses what is wrong, with the path of the wrong value."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import BaseModel, ValidationError

from flexmine import problem_schema as schema
from flexmine.errors import BadInput
from flexmine.problem import (
    ContainerClass,
    Feeder,
    Floats,
    History,
    Ints,
    Miners,
    Problem,
    Site,
    Source,
    StartTerms,
    TimeAxis,
)

CONCAVITY_SLACK = 1e-6
LONGEST_FILE_BYTES = 512 * 1024 * 1024


def read_problem(path: str | Path) -> Problem:
    """Read and check a problem.json, whoever wrote it.

    Raises
    ------
    BadInput
        Each wrong value in one sentence that begins with the file and its JSON path.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LONGEST_FILE_BYTES:
            raise BadInput(f"{file}: larger than {LONGEST_FILE_BYTES // 2**20} MiB; that is not read")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 text (byte {error.start})") from error
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadInput(f"{file}:{error.lineno}:{error.colno}: is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: is not JSON that can be read: {error}") from error
    try:
        return problem_from_document(document)
    except BadInput as error:
        raise BadInput([f"{file}: {message}" for message in error.messages]) from error


def write_problem(problem: Problem, path: str | Path) -> None:
    """Write problem.json; the same Problem gives the same bytes."""
    Path(path).write_text(problem_text(problem), encoding="utf-8", newline="\n")


def problem_text(problem: Problem) -> str:
    """Return problem.json as text: one key a line, lists of numbers on one line."""
    return _pretty(problem_to_document(problem)) + "\n"


def problem_to_document(problem: Problem) -> dict[str, Any]:
    """Return the JSON document of `problem`; numbers keep all their digits."""
    return {
        "schema": schema.SCHEMA,
        "time": {
            "start": problem.time.start.isoformat(),
            "step_h": problem.time.step_h,
            "steps": problem.time.steps,
            "zone": problem.time.zone,
        },
        "classes": [_class_document(k) for k in problem.classes],
        "sources": [_source_document(s) for s in problem.sources],
        "site": _site_document(problem.site),
    }


def problem_from_document(document: Any) -> Problem:
    """Return the Problem of a JSON document.

    Raises
    ------
    BadInput
        All that is wrong, a sentence each: ``classes[0].available: 23 values, expected 24``.
    """
    try:
        part = schema.ProblemPart.model_validate(document)
    except ValidationError as error:
        raise BadInput([_sentence(e) for e in error.errors(include_url=False)]) from error
    checker = _Checker(part.time.steps)
    checker.unknown(part, "")
    try:
        ZoneInfo(part.time.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        checker.wrong("time.zone", f"{part.time.zone!r} is no IANA time zone, such as Asia/Irkutsk")
    classes = [_build_class(checker, f"classes[{i}]", k) for i, k in enumerate(part.classes)]
    sources = [_build_source(checker, f"sources[{i}]", s) for i, s in enumerate(part.sources)]
    site = _build_site(checker, part, [k.name for k in classes])
    checker.unique("classes", [k.name for k in classes])
    checker.unique("sources", [s.name for s in sources])
    checker.unique("containers", [c for k in classes for c in k.containers])
    if checker.errors:
        raise BadInput(checker.errors)
    time = TimeAxis(part.time.start, part.time.step_h, part.time.steps, part.time.zone)
    return Problem(time, tuple(classes), tuple(sources), site, warnings=tuple(checker.warnings))


class _Checker:
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

    def _length(self, path: str, length: int) -> None:
        if length != self.steps:
            self.wrong(path, f"{length} values, expected {self.steps}")


def _repeated(names: list[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def _build_class(c: _Checker, path: str, k: schema.ClassPart) -> ContainerClass:
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
    start = StartTerms(
        c.floats(f"{path}.start.warm_cost_usd", k.start.warm_cost_usd),
        c.floats(f"{path}.start.cold_cost_usd", k.start.cold_cost_usd),
        c.ints(f"{path}.start.warm_off_steps", k.start.warm_off_steps),
        c.floats(f"{path}.start.cold_energy_mwh", k.start.cold_energy_mwh),
    )
    if start.cold_cost_usd.shape == start.warm_cost_usd.shape:
        for t in np.flatnonzero(start.cold_cost_usd < start.warm_cost_usd)[:1]:
            c.wrong(f"{path}.start.cold_cost_usd", f"below warm_cost_usd in step {t}")
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
        history=tuple(
            History(h.count, h.on, h.steps, h.it_power_mw, h.warm_until_step, h.starts_today) for h in k.history
        ),
        preheat_steps=k.preheat_steps,
        terminal_on_usd=k.terminal_on_usd,
        max_starts_per_day=k.max_starts_per_day,
        miners=miners,
    )


def _check_curve(c: _Checker, path: str, k: schema.ClassPart) -> None:
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


def _build_source(c: _Checker, path: str, s: schema.SourcePart) -> Source:
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


def _build_site(c: _Checker, part: schema.ProblemPart, names: list[str]) -> Site:
    s = part.site
    feeders = tuple(Feeder(f.name, f.cap_mw, tuple(f.classes)) for f in s.feeders)
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
        feeders=feeders,
        day_of_step=day,
        rounding_reserve_mw=s.rounding_reserve_mw,
    )


def _class_document(k: ContainerClass) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": k.name,
        "count": k.count,
        "containers": list(k.containers),
        "it_power_mw": k.it_power_mw.tolist(),
        "hash_rate_th_s": k.hash_rate_th_s.tolist(),
        "max_it_power_mw": k.max_it_power_mw.tolist(),
        "overhead": k.overhead.tolist(),
        "standby_mw": k.standby_mw.tolist(),
        "hash_value_usd_per_th_s_h": k.hash_value_usd_per_th_s_h.tolist(),
        "min_up_steps": k.min_up_steps,
        "min_down_steps": k.min_down_steps,
        "start": {
            "warm_cost_usd": k.start.warm_cost_usd.tolist(),
            "cold_cost_usd": k.start.cold_cost_usd.tolist(),
            "warm_off_steps": k.start.warm_off_steps.tolist(),
            "cold_energy_mwh": k.start.cold_energy_mwh.tolist(),
        },
        "available": k.available.tolist(),
        "history": [_history_document(h) for h in k.history],
        "min_it_power_mw": k.min_it_power_mw.tolist(),
        "must_run": k.must_run.tolist(),
        "preheat_steps": k.preheat_steps,
        "terminal_on_usd": k.terminal_on_usd,
    }
    if k.committed is not None:
        document["committed"] = k.committed.tolist()
    if k.max_starts_per_day is not None:
        document["max_starts_per_day"] = k.max_starts_per_day
    if k.miners is not None:
        document["miners"] = {
            "count": k.miners.count,
            "presets": [list(p) for p in k.miners.presets],
            "sleep_w": k.miners.sleep_w,
            "fixed_mw": k.miners.fixed_mw,
        }
    return document


def _history_document(h: History) -> dict[str, Any]:
    document: dict[str, Any] = {"count": h.count, "on": h.on, "steps": h.steps, "it_power_mw": h.it_power_mw}
    if h.warm_until_step is not None:
        document["warm_until_step"] = h.warm_until_step
    if h.starts_today:
        document["starts_today"] = h.starts_today
    return document


def _source_document(s: Source) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": s.name,
        "kind": s.kind,
        "available_mw": s.available_mw.tolist(),
        "price_usd_per_mwh": s.price_usd_per_mwh.tolist(),
    }
    if s.carbon_g_per_kwh is not None:
        document["carbon_g_per_kwh"] = s.carbon_g_per_kwh.tolist()
    if s.headroom_mw is not None:
        document["headroom_mw"] = s.headroom_mw.tolist()
    return document


def _site_document(s: Site) -> dict[str, Any]:
    document: dict[str, Any] = {
        "cap_mw": s.cap_mw.tolist(),
        "ramp_up_mw_per_step": s.ramp_up_mw_per_step,
        "ramp_down_mw_per_step": s.ramp_down_mw_per_step,
        "initial_mw": s.initial_mw,
        "feeders": [{"name": f.name, "cap_mw": f.cap_mw, "classes": list(f.classes)} for f in s.feeders],
        "base_load_mw": s.base_load_mw.tolist(),
        "minimum_mw": s.minimum_mw.tolist(),
        "rounding_reserve_mw": s.rounding_reserve_mw,
    }
    if s.day_of_step is not None:
        document["day_of_step"] = s.day_of_step.tolist()
    return document


def _pretty(value: Any, indent: str = "") -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json.dumps(key)}: {_pretty(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _sentence(error: Any) -> str:
    path = ""
    for step in error["loc"]:
        # A union ("number or list") shows its branches as names of types; they are no part of the JSON path.
        if isinstance(step, int):
            path += f"[{step}]"
        elif not any(mark in step for mark in ("[", "constrained-", "function-")) and step not in ("float", "int"):
            path += f".{step}" if path else step
    if error["type"] == "missing":
        return f"{path}: missing"
    message = error["msg"][0].lower() + error["msg"][1:]
    given = error["input"]
    shown = f", found {json.dumps(given, default=str)[:60]}" if not isinstance(given, dict | list) else ""
    return f"{path or 'document'}: {message}{shown}"


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            raise ValueError(f"the key {key!r} stands twice in one object")
        document[key] = value
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
