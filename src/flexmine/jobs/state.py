"""The plant at the beginning of a day: after the executed part of the last plan, or as the job states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flexmine.audit.plan_files import read_document
from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.jobs.calendar import ONE_DAY
from flexmine.jobs.executed_days import read_part
from flexmine.jobs.job import Job
from flexmine.jobs.resolve import CASE_FILE
from flexmine.jobs.template import as_mapping
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore
from flexmine.workflow.fleet import fleet_within

UNSEALED = {"seal": "none: an older version stored it"}
LONGEST_H = 8784.0
"""A case may say no more; whoever has been in one state for a year has served every minimum time."""


@dataclass(frozen=True)
class Before:
    """The state before a day, in the form of a case's ``state``, and where it comes from."""

    state: Mapping[str, Any]
    source: Mapping[str, Any]


def state_before(job: Job, store: RunStore, day: date) -> Before:
    """Return the state at the beginning of `day`.

    Raises
    ------
    BadInput
        There is neither a plan of the day before nor an initial state for this day, or that plan was altered.
    """
    last = store.followed(job.plant, day - ONE_DAY)
    if last is not None:
        stored = store.checked(last, audited=True)
        source = {"plan": last.run_id, "day": last.day.isoformat(), **({} if stored.sealed else UNSEALED)}
        return Before(_carried(read_document(stored.plan)["state_after"]), source)
    if job.document.first_day == day and job.document.initial_state is not None:
        return Before(as_mapping(job.document.initial_state), {"initial_state": day.isoformat()})
    raise BadInput(
        f"{job.loaded.label}: there is no plan of {day - ONE_DAY} in the store, so the state of {job.plant} at the "
        f"beginning of {day} is not known; state it: first_day: {day} with initial_state, or plan the day before"
    )


def state_within(store: RunStore, record: RunRecord, moment: datetime) -> Before:
    """Return the state at `moment` (aware) inside the horizon of a stored plan, had it been followed until then.

    Raises
    ------
    BadInput
        The plan begins later, was altered, or cannot be read.
    """
    stored = store.checked(record, audited=True)
    part = read_part(record.day, stored.plan)
    case = load_case(store.inputs(record) / CASE_FILE)
    time = part.problem.time
    steps = round((moment.astimezone(UTC) - time.begin(0).astimezone(UTC)) / timedelta(hours=time.step_h))
    source = {"plan": record.run_id, "until": moment.isoformat(), **({} if stored.sealed else UNSEALED)}
    if steps < 0:
        raise BadInput(f"run {record.run_id} is in force from {time.begin(0).isoformat()}, after {moment.isoformat()}")
    if steps == 0:
        return Before(as_mapping(case.document.state), source)
    return Before(_carried(fleet_within(case, part.problem, part.schedule, steps)), source)


def _carried(state: Mapping[str, Any]) -> dict[str, Any]:
    containers = {
        name: {**container, "hours": min(container["hours"], LONGEST_H)}
        for name, container in state["containers"].items()
    }
    return {**state, "containers": containers}
