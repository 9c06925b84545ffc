"""The inputs of one night as a self-contained folder: a plain case, cut to its horizon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.jobs.calendar import LocalDay, with_site_offset
from flexmine.jobs.cut import write_rows
from flexmine.jobs.feeds import Chosen
from flexmine.jobs.job import Job
from flexmine.jobs.template import as_mapping, write_template
from flexmine.problem import TimeAxis

HOW_SCHEMA = "flexmine-how/1"
HOW_FILE, CASE_FILE = "how.json", "case.yaml"


@dataclass(frozen=True)
class Provenance:
    """How the plan of a folder of inputs is made.

    Attributes
    ----------
    step : str
        Step of the ladder: ``newest``, or the one that was needed.
    labels : tuple of str
        What the plan has to say of it, in sentences.
    marks : tuple of str
        What looks wrong with its inputs, and has not kept the step from using them.
    """

    step: str
    labels: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Horizon:
    """The day that is planned and how far the plan looks.

    Attributes
    ----------
    since : datetime or None
        Aware; beginning of the plan where only the rest of the day is planned.
    """

    day: LocalDay
    look_ahead_h: float
    since: datetime | None = None

    @property
    def begin(self) -> datetime:
        """Beginning of the first step, in the zone."""
        return self.day.begin if self.since is None else self.since.astimezone(self.day.begin.tzinfo)

    @property
    def day_h(self) -> float:
        """What is left of the day from `begin` [h]."""
        return (self.day.end.astimezone(UTC) - self.begin.astimezone(UTC)) / timedelta(hours=1)

    def axis(self, step_h: float) -> TimeAxis:
        """Return the time axis in steps of `step_h` [h]."""
        fixed = with_site_offset(self.begin, self.day.zone)
        return TimeAxis(fixed, step_h, round((self.day_h + self.look_ahead_h) / step_h), self.day.zone)


@dataclass(frozen=True)
class Inputs:
    """What a night is planned from.

    Attributes
    ----------
    state : mapping
        In the form of a case's ``state``.
    chosen : mapping
        By dotted key of the series.
    extra : mapping
        Keys added to the case.
    """

    horizon: Horizon
    state: Mapping[str, Any]
    chosen: Mapping[str, Chosen]
    provenance: Provenance
    extra: Mapping[str, Any] = field(default_factory=dict)


def write_inputs(job: Job, inputs: Inputs, folder: Path) -> None:
    """Write the inputs into the new `folder`; ``flexmine plan FOLDER/case.yaml`` plans them.

    Raises
    ------
    OSError
        The folder exists already or cannot be written.
    """
    folder.mkdir(parents=True)
    write_template(job.template, _case(job, inputs), folder)
    for dotted, chosen in inputs.chosen.items():
        write_rows(chosen.rows, folder / _file_of(dotted))
    provenance = inputs.provenance
    how = {"schema": HOW_SCHEMA, "step": provenance.step, "labels": list(provenance.labels)}
    if provenance.marks:
        how["marks"] = list(provenance.marks)
    (folder / HOW_FILE).write_text(json.dumps(how, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _case(job: Job, inputs: Inputs) -> dict[str, Any]:
    """Return the template's case with time, state, series and options of the night."""
    case = deepcopy(as_mapping(job.template.case.document))
    horizon = inputs.horizon
    case["start"] = horizon.begin.isoformat()
    case["publish_h"] = horizon.day_h
    case["horizon_h"] = horizon.day_h + horizon.look_ahead_h
    # Of a limit of energy that no plan before has known, the template says what its period has taken.
    own = case.get("state", {}).get("energy_taken_mwh", {})
    case["state"] = dict(inputs.state)
    if own:
        case["state"]["energy_taken_mwh"] = {**own, **inputs.state.get("energy_taken_mwh", {})}
    if job.document.options is not None:
        case["options"] = {**case.get("options", {}), **as_mapping(job.document.options)}
    for key in job.template.series():
        place: Any = case
        for part in key.keys[:-1]:
            place = place[part]
        place[key.keys[-1]] = {**as_mapping(inputs.chosen[key.dotted].spec), "file": _file_of(key.dotted)}
    return {**case, **inputs.extra}


def _file_of(dotted: str) -> str:
    return f"series/{dotted}.csv"


def read_provenance(folder: Path) -> Provenance:
    """Read how the inputs in `folder` are planned.

    Raises
    ------
    BadInput
        The folder was not written by a job.
    """
    file = folder / HOW_FILE
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return Provenance(document["step"], tuple(document["labels"]), tuple(document.get("marks", ())))
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file}: is not what a job has written: {error}") from error
