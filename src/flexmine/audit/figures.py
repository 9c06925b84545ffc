"""Figures of plan.json that follow from problem.json and the tables: computed here a second time.

None of the code that writes plans is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flexmine.audit.comparison import AtLeast, number_of
from flexmine.audit.replay import Replay
from flexmine.problem import ContainerClass, Floats, Problem
from flexmine.problem.schedule import Schedule

SECONDS_PER_H = 3600.0


def state_after(problem: Problem, schedule: Schedule, truth: Replay, steps: int, written: Any) -> dict[str, Any]:
    """Return the fleet after the first `steps` steps, in the shape of a case's ``state``.

    How long a container had run, and how often it had started, before step 0 is not in the files: its sums are at
    least what it does in the plan.  Neither is the temperature inside a sleeping box: it is taken as `written`.
    """
    said = written.get("containers") if isinstance(written, dict) else None
    claimed = said if isinstance(said, dict) else {}
    time, last = problem.time, steps - 1
    day, dates = time.begin(steps).date(), [time.begin(t).date() for t in range(steps)]
    same_day = np.array([d == day for d in dates])
    before = [h for k in problem.classes for h in k.history for _ in range(h.count)]
    containers: dict[str, Any] = {}
    for i, ((name, _), h) in enumerate(zip(problem.containers, before, strict=True)):
        on, started = schedule.on[i, :steps], (truth.warm_start | truth.cold_start)[i, :steps]
        unlike = np.flatnonzero(on != on[last])
        # Unbroken through the whole plan, the state goes on from what the container did before it.
        goes_on = h.steps if not unlike.size and bool(h.on) == bool(on[last]) else 0
        state: dict[str, Any] = {
            "on": bool(on[last]),
            "hours": (steps - (int(unlike[-1]) + 1 if unlike.size else 0) + goes_on) * time.step_h,
        }
        if on[last]:
            state["it_power_mw"] = float(schedule.it_power_mw[i, last])
        own = claimed.get(name)
        inside = own.get("inside_temperature_c") if isinstance(own, dict) and not on[last] else None
        if isinstance(inside, float | int) and -100.0 < inside < 150.0:
            state["inside_temperature_c"] = inside
        state["starts_today"] = int(started[same_day].sum()) + (h.starts_today if same_day.all() else 0)
        state["run_hours"] = AtLeast(float(on.sum()) * time.step_h)
        state["starts"] = AtLeast(int(started.sum()))
        containers[name] = state
    document: dict[str, Any] = {"initial_mw": float(truth.site_power_mw[last]), "containers": containers}
    taken = _energy_taken_mwh(problem, schedule, truth, steps)
    return document | ({"energy_taken_mwh": taken} if taken else {})


def _energy_taken_mwh(problem: Problem, schedule: Schedule, truth: Replay, steps: int) -> dict[str, float]:
    """Return what each limited period that goes on after the plan has taken by its end [MWh]."""
    supply = {s.name: schedule.supply_mw[j] for j, s in enumerate(problem.sources)}
    taken = {}
    for limit in problem.site.energy_limits:
        begin, end = limit.first_step, limit.first_step + limit.steps
        # A period that reaches the end of the horizon may go on after it.
        if begin < steps and (end > steps or steps == problem.steps):
            power = truth.site_power_mw if limit.source is None else supply[limit.source]
            taken[limit.name] = limit.taken_mwh + float(power[begin:steps].sum()) * problem.time.step_h
    return taken


def break_even(problem: Problem, steps: int) -> list[dict[str, Any]]:
    r"""Return the break-even prices of every class in the first `steps` steps [USD/MWh].

    With hash value :math:`v`, curve :math:`H(P)`, overhead :math:`a` and standby :math:`b`, the average is
    :math:`v H_S / (a P_S)`, that of the lowest power :math:`v H / (a P - b)`, and that of a segment
    :math:`v \Delta H / (a \Delta P)`.
    """
    return [
        {
            "class": k.name,
            "average_usd_per_mwh": _average(k)[:steps].tolist(),
            "gentlest_usd_per_mwh": _lowest(k)[:steps].tolist(),
            "marginal_usd_per_mwh": [_lowest(k)[:steps].tolist(), *(s[:steps].tolist() for s in _segments(k))],
        }
        for k in problem.classes
    ]


def _average(k: ContainerClass) -> Floats:
    return np.asarray(k.hash_value_usd_per_th_s_h * k.hash_rate_th_s[-1] / (k.overhead * k.it_power_mw[-1]))


def _lowest(k: ContainerClass) -> Floats:
    lowest = np.maximum(k.it_power_mw[0], k.min_it_power_mw)
    more_mw = k.overhead * lowest - k.standby_mw
    rate = np.interp(lowest, k.it_power_mw, k.hash_rate_th_s)
    plain = k.hash_rate_th_s[0] / (k.overhead * k.it_power_mw[0])
    # Where running draws no more than standing by, nothing is saved and the average of the lowest mode stands.
    per_mw = np.divide(rate, more_mw, out=np.broadcast_to(plain, rate.shape).copy(), where=more_mw > 0.0)
    return np.asarray(k.hash_value_usd_per_th_s_h * per_mw)


def _segments(k: ContainerClass) -> list[Floats]:
    slopes = np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw)
    return [k.hash_value_usd_per_th_s_h * slope / k.overhead for slope in slopes]


def carbon(
    problem: Problem, schedule: Schedule, truth: Replay, steps: int, written: Mapping[str, Any]
) -> dict[str, tuple[Any, float]]:
    r"""Return each part of the carbon account of the first `steps` steps, and by how much its numbers may be off.

    Emissions are :math:`\Delta \sum_j s_{j,t} e_{j,t}`, location-based.  How many BTC are expected is not in the
    files: it is taken as `written`, and the figures per BTC have to agree with it.
    """
    step_h, span = problem.time.step_h, slice(0, steps)
    supply = np.maximum(schedule.supply_mw, 0.0)
    missing = [f"source {s.name} has no carbon_g_per_kwh" for s in problem.sources if s.carbon_g_per_kwh is None]
    kg, spill, kg_slack = None, None, 0.0
    if not missing:
        rates = np.array([np.broadcast_to(s.carbon_g_per_kwh, (problem.steps,)) for s in problem.sources])  # type: ignore[arg-type]
        kg = (step_h * (supply * rates).sum(axis=0))[span]
        # Supply is written to a watt, kilograms to a gram.
        kg_slack = 1e-3 + 1e-6 * step_h * float(rates.sum(axis=0).max())
    for j, s in enumerate(problem.sources):
        if s.kind == "surplus" and s.headroom_mw is None:
            missing.append(f"source {s.name} states no room in the turbines, so none of it counts as avoided spill")
        elif s.kind == "surplus":
            own = step_h * np.minimum(supply[j], np.asarray(s.headroom_mw))[span]
            spill = own if spill is None else spill + own
    hash_th = float(truth.hash_rate_th_s[:, span].sum()) * step_h * SECONDS_PER_H
    total, btc = None if kg is None else float(kg.sum()), number_of(written.get("btc_expected"))
    per_th = None if total is None or hash_th == 0.0 else 1000.0 * total / hash_th
    per_btc = None if total is None or not btc else 1000.0 * total / btc
    # Written to 6 digits, to whole grams, and with BTC to 8 decimals.
    per_btc_slack = 1.0 if per_btc is None or not btc else 1.0 + per_btc * 1e-8 / btc + 1000.0 * kg_slack * steps / btc
    return {
        "method": ("location-based; no avoided emissions are claimed", 0.0),
        "kg_co2e": (total, kg_slack * steps),
        "g_per_th": (per_th, 0.0 if per_th is None else 1e-5 * per_th + 1000.0 * kg_slack * steps / hash_th),
        "g_per_btc": (per_btc, per_btc_slack),
        "btc_expected": (AtLeast(0.0), 0.0),
        "avoided_spill_mwh": (None if spill is None else float(spill.sum()), 1e-6 * (1.0 + step_h * steps)),
        "kg_co2e_by_step": (None if kg is None else kg.tolist(), kg_slack),
        "missing": (missing, 0.0),
    }
