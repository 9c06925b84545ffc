"""The measured state of the plant in place of the planned one, where measurements reach up to the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.assembly.inside import COOLING
from flexmine.inputs.equipment import ContainerDocument
from flexmine.jobs.job import Job
from flexmine.jobs.state import LONGEST_H, Before
from flexmine.store.readings import Reading, readings_between
from flexmine.store.runs import RunStore

REACH = timedelta(hours=72)
ONE_HOUR = timedelta(hours=1)
BELOW_START_K = 1.0


def as_measured(job: Job, store: RunStore, before: Before, moment: datetime, warn: Callable[[str], None]) -> Before:
    """Return the state at `moment` (aware), by container as measured where the job asks for it and a reading is recent.

    A container whose last reading ended more than ``max_gap_h`` ago keeps its planned state; within the gap it is taken
    to have gone on unchanged.  `warn` receives a sentence for each container measured on or off against the plan, and
    one where no reading is recent.

    Raises
    ------
    BadInput
        The store cannot be read.
    """
    telemetry = job.document.telemetry
    if telemetry is None or not telemetry.state:
        return before
    rows: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings_between(store.engine, job.plant, moment - REACH, moment):
        rows[reading.container].append(reading)
    fresh = {name: own for name, own in rows.items() if moment - own[-1].end <= timedelta(hours=telemetry.max_gap_h)}
    if not fresh:
        warn(f"no container was measured within {telemetry.max_gap_h:g} h of {moment.isoformat()}: the plan counts")
        return before
    states = {name: dict(state) for name, state in before.state.get("containers", {}).items()}
    excess_mw = 0.0
    for name, own in fresh.items():
        if name in states:
            states[name] = _measured(job, name, states[name], own, moment)
            excess_mw += own[-1].power_mw - own[-1].planned_mw
            if states[name]["on"] != before.state["containers"][name]["on"]:
                warn(f"{name}: measured {'on' if own[-1].is_on else 'off'}, against the plan")
    initial_mw = before.state["initial_mw"]
    if initial_mw is not None:
        initial_mw = round(max(0.0, initial_mw + excess_mw), 6)
    source = {**before.source, "measured_until": max(own[-1].end for own in fresh.values()).isoformat()}
    return Before({**before.state, "initial_mw": initial_mw, "containers": states}, source)


def _measured(job: Job, name: str, planned: dict[str, Any], rows: list[Reading], moment: datetime) -> dict[str, Any]:
    """Return the state of one container; total run hours and starts remain the planned ones."""
    last, model = rows[-1], _model(job, name)
    same = _unbroken(rows)
    agrees = planned["on"] == last.is_on and all(r.is_on == r.planned_on for r in same)
    state: dict[str, Any] = {key: planned[key] for key in ("starts_today", "run_hours", "starts") if key in planned}
    state["on"] = last.is_on
    state["hours"] = planned["hours"] if agrees else min(LONGEST_H, (moment - same[0].begin) / ONE_HOUR)
    if not agrees:
        state["starts_today"] = _starts_on_day(job, rows, moment)
    if last.is_on:
        state["it_power_mw"] = round(min(max(_it_power_mw(planned, last), 1e-6), model.highest_it_power_mw), 6)
    elif model.thermal is not None and model.thermal.asleep in COOLING:
        # Not measured and not planned: taken as cold, which costs more and breaks nothing.
        cold = planned.get("inside_temperature_c", model.thermal.start_temperature_c - BELOW_START_K)
        state["inside_temperature_c"] = cold if last.inside_temperature_c is None else last.inside_temperature_c
    return state


def _model(job: Job, name: str) -> ContainerDocument:
    template = job.template
    reference = template.plant.document.group_of[name].model
    document = template.models[reference].document
    if reference in template.miners:
        return document.model_copy(update={"miners": document.miners.of_model(template.miners[reference].document)})
    return document


def _unbroken(rows: list[Reading]) -> list[Reading]:
    """Return the last readings of one state that follow each other without a gap."""
    same = [rows[-1]]
    for reading in reversed(rows[:-1]):
        if reading.is_on != same[0].is_on or reading.end != same[0].begin:
            break
        same.insert(0, reading)
    return same


def _starts_on_day(job: Job, rows: list[Reading], moment: datetime) -> int:
    zone = ZoneInfo(job.zone)
    today = moment.astimezone(zone).date()
    return sum(b.is_on and not a.is_on and b.begin.astimezone(zone).date() == today for a, b in pairwise(rows))


def _it_power_mw(planned: dict[str, Any], last: Reading) -> float:
    if last.quantity == "it":
        return last.power_mw
    if planned.get("it_power_mw") and last.planned_on and last.planned_mw > 0.0:
        return float(planned["it_power_mw"]) * last.power_mw / last.planned_mw
    return last.power_mw


def fitted(before: Before, job: Job) -> Before:
    """Return a state in which no running container draws more IT power than its model can."""
    states = {name: dict(state) for name, state in before.state.get("containers", {}).items()}
    for name, state in states.items():
        if state.get("it_power_mw") is not None:
            state["it_power_mw"] = min(state["it_power_mw"], _model(job, name).highest_it_power_mw)
    return replace(before, state={**before.state, "containers": states}) if states else before
