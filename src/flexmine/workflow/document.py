"""plan.json: what the plan is worth, how good it is proven to be, and what it was made from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from flexmine.assembly.causes import Cause
from flexmine.audit.plan_files import PLAN_SCHEMA
from flexmine.audit.seal import sealed
from flexmine.baselines.rules import RuleResult
from flexmine.explain.break_even import BreakEven
from flexmine.problem.limits import worth_something
from flexmine.problem.money import money_terms
from flexmine.workflow.plan import Plan

MONEY_DECIMALS, ENERGY_DECIMALS = 4, 6
SECONDS_PER_H = 3600.0


def plan_document(plan: Plan, file_hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return the document of plan.json.

    Parameters
    ----------
    plan : Plan
    file_hashes : mapping
        Name in the plan's directory to sha256 of each file that is written beside plan.json.

    Notes
    -----
    `money_usd`, `bound_usd` and `gap` are the model's; `rounded_money_usd` and all totals are of the rounded plan,
    which stands in the tables.  `seal` comes last, over all the rest.
    """
    time, replay, published = plan.problem.time, plan.replay, plan.publish_steps
    document = {
        "schema": PLAN_SCHEMA,
        "case": plan.case_name,
        "plant": plan.plant_name,
        "title": plan.title,
        "status": str(plan.status),
        "money_usd": _money(plan.money_usd),
        "bound_usd": _money(plan.bound_usd),
        "gap": _number(plan.gap, 12),
        "asked_gap": plan.asked_gap,
        "rounded_money_usd": _money(replay.money_usd),
        "rounding_loss_usd": _money(plan.rounding_loss_usd),
        "rounding_loss_share": _number(plan.rounding_loss_usd / max(1.0, abs(plan.money_usd)), 12),
        **{term.key: _money(float(replay.usd[term.name])) for term in money_terms(by_step=False)},
        "engine": plan.engine,
        "perspective": plan.perspective,
        "horizon": {
            "start": time.start.isoformat(),
            "steps": time.steps,
            "step_h": time.step_h,
            "zone": time.zone,
            "publish_steps": published,
        },
        "totals": totals(plan, time.steps),
        "published": {"money_usd": _money(replay.published_usd(published)), **totals(plan, published)},
        "rules": [rule_document(rule) for rule in plan.rules],
        "break_even": [_break_even(b, published) for b in plan.break_even],
        "audit": {"passed": replay.ok, "checks": replay.checks},
        "breaches": [dict(b) for b in plan.breaches],
        "filled": [f.document() for f in plan.filled],
        "feeds": [f.document() for f in plan.feeds],
        "overrides": list(plan.overrides),
        "changes": [change.document() for change in plan.changes],
        "pins": None if plan.pins is None else plan.pins.document(),
        "day_kind": None if plan.day_kind is None else plan.day_kind.document(),
        "carbon": None if plan.carbon is None else plan.carbon.document(published),
        "preference": dict(plan.preference),
        "state_after": dict(plan.state_after),
        "switching": {name: dict(value) for name, value in plan.switching.items()},
        "causes": [_cause(c) for c in plan.causes],
        "marginal_values": _marginal_values(plan),
        "chain": [dict(event) for event in plan.chain],
        "notes": list(plan.notes),
        "versions": dict(plan.versions),
        "options": dict(plan.options),
        "seed": plan.options.get("seed"),
        "inputs": dict(plan.inputs),
        "files": dict(file_hashes),
    }
    return sealed(document)


def document_text(document: Mapping[str, Any]) -> str:
    """Return the `document` of plan.json as text; the same document gives the same bytes.

    Raises
    ------
    ValueError
        The document holds a number that JSON does not know.
    """
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def totals(plan: Plan, steps: int) -> dict[str, Any]:
    """Return energy, hash, money and starts of the first `steps` steps of the rounded plan.

    Energy is in MWh at the meter, base load included; `hash_th` is the work done, TH/s x s.
    """
    problem, schedule, replay = plan.problem, plan.schedule, plan.replay
    step_h, span = problem.time.step_h, slice(0, steps)
    surplus = [j for j, source in enumerate(problem.sources) if source.kind == "surplus"]
    offered = sum(float(problem.sources[j].available_mw[span].sum()) for j in surplus)
    return {
        "energy_mwh": _energy(float(replay.site_power_mw[span].sum()) * step_h),
        "surplus_taken_mwh": _energy(float(schedule.supply_mw[surplus, span].sum()) * step_h),
        "surplus_left_mwh": _energy(float(replay.surplus_left_mw[span].sum()) * step_h),
        "surplus_offered_mwh": _energy(offered * step_h),
        **{
            f"{source.name}_mwh": _energy(float(schedule.supply_mw[j, span].sum()) * step_h)
            for j, source in enumerate(problem.sources)
        },
        "hash_th": _number(float(replay.hash_rate_th_s[:, span].sum()) * step_h * SECONDS_PER_H, 1),
        **{term.key: _money(float(replay.usd[term.name][span].sum())) for term in money_terms(by_step=True)},
        "starts_warm": int(replay.warm_start[:, span].sum()),
        "starts_cold": int(replay.cold_start[:, span].sum()),
        "container_hours_on": _energy(int(schedule.on[:, span].sum()) * step_h),
    }


def rule_document(rule: RuleResult) -> dict[str, Any]:
    """Return one of the simple rules as it stands in plan.json."""
    return {
        "name": rule.name,
        "feasible": rule.money_usd is not None,
        "money_usd": None if rule.money_usd is None else _money(rule.money_usd),
        "published_money_usd": None if rule.published_money_usd is None else _money(rule.published_money_usd),
        "violations": list(rule.violations),
    }


def _break_even(b: BreakEven, steps: int) -> dict[str, Any]:
    marginal = np.atleast_2d(b.marginal_usd_per_mwh)
    return {
        "class": b.class_name,
        "average_usd_per_mwh": [_money(float(x)) for x in b.average_usd_per_mwh[:steps]],
        "gentlest_usd_per_mwh": [_money(float(x)) for x in b.gentlest_usd_per_mwh[:steps]],
        "marginal_usd_per_mwh": [[_money(float(x)) for x in mode[:steps]] for mode in marginal],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "code": cause.code,
        "text": cause.text,
        "class": cause.class_name,
        "first_step": cause.first_step,
        "last_step": cause.last_step,
    }


def _marginal_values(plan: Plan) -> dict[str, Any] | None:
    """Return what one more MW of each limit is worth in each step of the horizon."""
    if plan.reasons is None:
        return None
    problem, worth = plan.problem, plan.reasons.values.of
    values: dict[str, Any] = {
        "meaning": "USD for one more MW in that step alone, commitment fixed (who runs stays, how hard is free)",
        **{key: {} for key in ("surplus", "firm", "feeder")},
    }
    for limit in worth_something():
        for who, row in zip(limit.members(problem), worth[limit.row], strict=True):
            key, series = limit.key_of(problem, who), [_money(float(x)) for x in row]
            if limit.over == "site":
                values[key] = series
            else:
                values.setdefault(key, {})[who] = series
    return values


def _money(value: float) -> float | None:
    return _number(value, MONEY_DECIMALS)


def _energy(value: float) -> float | None:
    return _number(value, ENERGY_DECIMALS)


def _number(value: float, decimals: int) -> float | None:
    """Round; JSON knows no infinity, so an unknown value is written as null."""
    return round(float(value), decimals) + 0.0 if math.isfinite(value) else None
