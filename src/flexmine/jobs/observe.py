"""Measurements beside the plan: stored step by step with what was planned, and summed by container."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from flexmine.audit.replay import replay
from flexmine.audit.seal import read_bytes
from flexmine.durable import write_durably
from flexmine.errors import BadInput
from flexmine.jobs.calendar import LocalDay
from flexmine.jobs.executed_days import Part, read_part
from flexmine.jobs.following import Followed, of_day
from flexmine.jobs.job import Job
from flexmine.jobs.meter import Meter, Sample, read_meter
from flexmine.problem import ContainerClass, Floats
from flexmine.store.readings import Reading, add_readings
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore

RUNNING_SHARE = 0.5
"""A container counts as running from this share of the way between standby and its lowest power."""


@dataclass(frozen=True)
class InForce:
    """A plan that was in force, with the power of every container by step [MW]."""

    record: RunRecord
    part: Part

    @cached_property
    def facility_mw(self) -> Floats:
        """Facility power [MW], shape (containers, T)."""
        return replay(self.part.problem, self.part.schedule).facility_power_mw

    def step_of(self, moment: datetime) -> int:
        """Return the index of the step that begins at `moment` (aware)."""
        time = self.part.problem.time
        return round((moment.astimezone(UTC) - time.begin(0).astimezone(UTC)) / timedelta(hours=time.step_h))


@dataclass(frozen=True)
class Observed:
    """The readings of a file of measurements.

    Attributes
    ----------
    incomplete : int
        Steps of a container that the samples do not cover in full; they are left out.
    without_plan : int
        Steps for which no plan was in force; they are left out.
    """

    readings: tuple[Reading, ...]
    incomplete: int
    without_plan: int


@dataclass
class _Plans:
    """The plans in force, read once each."""

    job: Job
    store: RunStore
    read: dict[str, InForce] = field(default_factory=dict)
    days: dict[date, list[Followed]] = field(default_factory=dict)

    def at(self, day: LocalDay, moment: datetime) -> InForce | None:
        """Return the plan that is followed at a moment (aware), None where there is none."""
        if day.day not in self.days:
            self.days[day.day] = of_day(self.store, self.job.plant, day.day)
        record = next((part.record for part in self.days[day.day] if part.begin <= moment < part.end), None)
        if record is None:
            return None
        if record.run_id not in self.read:
            self.read[record.run_id] = InForce(record, read_part(record.day, self.store.plan(record)))
        return self.read[record.run_id]


def compare(job: Job, store: RunStore, meter: Meter) -> Observed:
    """Average samples over the steps of the plans in force, and put the planned power beside them.

    Raises
    ------
    BadInput
        The samples are longer than a step of the plan or do not divide it, or a stored plan cannot be read.
    """
    step = timedelta(hours=job.template.case.document.step_h)
    if meter.samples and step % meter.samples[0].length:
        raise BadInput(f"a sample every {meter.samples[0].length} does not divide the steps of the plan, {step}")
    groups: dict[tuple[datetime, str], list[Sample]] = defaultdict(list)
    for sample in meter.samples:
        groups[_begin_of_step(job, sample.begin, step), sample.container].append(sample)
    plans = _Plans(job, store)
    readings, incomplete, without = [], 0, 0
    for (begin, name), samples in sorted(groups.items()):
        # Where they begin at half past, an hour reaches into two steps and covers neither.
        ends = max(s.begin + s.length for s in samples)
        if len(samples) * samples[0].length != step or ends > begin + step:
            incomplete += 1
            continue
        plan = plans.at(_day_of(job, begin), begin)
        if plan is None or name not in plan.part.schedule.containers:
            without += 1
            continue
        readings.append(_reading(plan, meter.quantity, begin, begin + step, samples))
    return Observed(tuple(readings), incomplete, without)


def _day_of(job: Job, moment: datetime) -> LocalDay:
    return LocalDay(moment.astimezone(ZoneInfo(job.zone)).date(), job.zone)


def _begin_of_step(job: Job, moment: datetime, step: timedelta) -> datetime:
    midnight = _day_of(job, moment).begin.astimezone(UTC)
    return midnight + (moment - midnight) // step * step


def _reading(plan: InForce, quantity: str, begin: datetime, end: datetime, samples: Sequence[Sample]) -> Reading:
    last = max(samples, key=lambda s: s.begin)
    name = last.container
    row, t = plan.part.schedule.containers.index(name), plan.step_of(begin)
    k = next(k for known, k in plan.part.problem.containers if known == name)
    planned = plan.facility_mw if quantity == "facility" else plan.part.schedule.it_power_mw
    known = [s.inside_temperature_c for s in samples if s.inside_temperature_c is not None]
    return Reading(
        container=name,
        begin=begin,
        end=end,
        quantity=quantity,
        power_mw=float(np.mean([s.power_mw for s in samples])),
        is_on=last.power_mw > _threshold_mw(k, quantity, t) if last.is_on is None else last.is_on,
        planned_mw=float(planned[row, t]),
        planned_on=bool(plan.part.schedule.on[row, t]),
        run_id=plan.record.run_id,
        inside_temperature_c=known[-1] if known else None,
    )


def _threshold_mw(k: ContainerClass, quantity: str, t: int) -> float:
    if quantity == "it":
        return RUNNING_SHARE * float(k.it_power_mw[0])
    standby, lowest = float(k.standby_mw[t]), float(k.overhead[t] * k.it_power_mw[0])
    return standby + RUNNING_SHARE * (lowest - standby)


@dataclass(frozen=True)
class Deviation:
    """One container over all its readings.

    Attributes
    ----------
    hours : float
        Length of all readings [h].
    planned_mwh, actual_mwh : float
        Energy by the plan and by the meter, of facility or IT power as measured [MWh].
    missed_h, unplanned_h : float
        Planned on and not running by the end of the step; running and not planned [h].
    bias : float or None
        Measured over planned power where it ran as planned; None where it never did.
    """

    container: str
    hours: float
    planned_mwh: float
    actual_mwh: float
    missed_h: float
    unplanned_h: float
    bias: float | None


def deviations(readings: Iterable[Reading]) -> list[Deviation]:
    """Return plan against measurement by container, in order of name."""
    own: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        own[reading.container].append(reading)
    return [_deviation(name, rows) for name, rows in sorted(own.items())]


def _deviation(name: str, rows: list[Reading]) -> Deviation:
    hours = [(r.end - r.begin) / timedelta(hours=1) for r in rows]

    def total(values: Iterable[float]) -> float:
        return float(sum(v * h for v, h in zip(values, hours, strict=True)))

    both = [r for r in rows if r.is_on and r.planned_on]
    planned_mw = sum(r.planned_mw for r in both)
    return Deviation(
        container=name,
        hours=float(sum(hours)),
        planned_mwh=total(r.planned_mw for r in rows),
        actual_mwh=total(r.power_mw for r in rows),
        missed_h=total(float(r.planned_on and not r.is_on) for r in rows),
        unplanned_h=total(float(r.is_on and not r.planned_on) for r in rows),
        bias=sum(r.power_mw for r in both) / planned_mw if planned_mw > 0 else None,
    )


def observe(job: Job, store: RunStore, path: Path) -> Observed:
    """Store a file of measurements: first a copy of it, from which the readings could be made again.

    Raises
    ------
    BadInput
        Everything that is wrong with the file, with line and column, and nothing is stored; or the store cannot be
        written.
    """
    meter = read_meter(path, job.template.plant.document.container_names, job.zone)
    found = compare(job, store, meter)
    raw = read_bytes(path)
    copy = telemetry_folder(job) / f"{hashlib.sha256(raw).hexdigest()}.csv"
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            write_durably(copy, raw)
    except OSError as error:
        raise BadInput(f"{copy}: cannot be written: {error.strerror or error}") from error
    add_readings(store.engine, job.plant, found.readings)
    return found


def observe_again(job: Job, store: RunStore) -> int:
    """Store all files of measurements again after the database was lost, in order of arrival; return their number.

    Raises
    ------
    BadInput
        As by :func:`observe`.
    """
    files = sorted(telemetry_folder(job).glob("*.csv"), key=lambda f: f.stat().st_mtime_ns)
    for path in files:
        observe(job, store, path)
    return len(files)


def telemetry_folder(job: Job) -> Path:
    """Return the folder in which the files of measurements are kept."""
    return job.folder / job.plant / "telemetry"
