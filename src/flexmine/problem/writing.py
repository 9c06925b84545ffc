"""From the Problem to the text of problem.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flexmine.problem.model import ContainerClass, History, Problem, Site, Source

SCHEMA = "flexmine-problem/1"


def write_problem(problem: Problem, path: str | Path) -> None:
    """Write problem.json; the same Problem gives the same bytes."""
    Path(path).write_text(problem_text(problem), encoding="utf-8", newline="\n")


def problem_text(problem: Problem) -> str:
    """Return problem.json as text: one key a line, lists of numbers on one line."""
    return _pretty(problem_to_document(problem)) + "\n"


def problem_to_document(problem: Problem) -> dict[str, Any]:
    """Return the JSON document of `problem`; numbers keep all their digits."""
    return {
        "schema": SCHEMA,
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
    if k.start.tiers:
        document["start"]["tiers"] = [
            {
                "off_steps": tier.off_steps.tolist(),
                "cost_usd": tier.cost_usd.tolist(),
                "energy_mwh": tier.energy_mwh.tolist(),
            }
            for tier in k.start.tiers
        ]
    if k.container_ramp_mw_per_step is not None:
        document["container_ramp_mw_per_step"] = k.container_ramp_mw_per_step
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
    if h.tier_until_steps is not None:
        document["tier_until_steps"] = list(h.tier_until_steps)
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
        "feeders": [{"name": f.name, "cap_mw": f.cap_mw, "classes": list(f.classes)} for f in s.groups],
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
