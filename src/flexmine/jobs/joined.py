"""Many nights replayed as one: whether anything breaks at the seams that each night's own audit cannot see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.audit.directory import PLAN_SCHEMA
from flexmine.audit.plan_files import read_document, read_tables
from flexmine.audit.replay import LIMIT_TOLERANCE_MW, Replay, replay
from flexmine.errors import BadInput
from flexmine.problem import ContainerClass, Group, History, Problem, Site, Source, StartTerms, TimeAxis
from flexmine.problem.reading import read_problem
from flexmine.problem.schedule import Schedule
from flexmine.store.records import AGAIN, RunRecord
from flexmine.store.runs import RunStore

CURVES = ("it_power_mw", "hash_rate_th_s")


@dataclass(frozen=True)
class Part:
    """The published part of one night: the first `steps` steps of a problem and its schedule."""

    day: date
    problem: Problem
    schedule: Schedule
    steps: int


@dataclass(frozen=True)
class Joined:
    """All nights as one problem of single containers, its schedule, and what the audit says of it."""

    problem: Problem
    schedule: Schedule
    replay: Replay


def read_part(day: date, plan: Path) -> Part:
    """Read the published part of a written plan.

    Raises
    ------
    BadInput
        A file is missing or cannot be read.
    """
    document = read_document(plan / "plan.json", PLAN_SCHEMA)
    problem = read_problem(plan / "problem.json")
    tables, faults = read_tables(plan, problem)
    if tables is None:
        raise BadInput(faults)
    return Part(day, problem, tables.schedule(problem), int(document["horizon"]["publish_steps"]))


def executed(store: RunStore, plant: str, first: date | None = None, last: date | None = None) -> list[Part]:
    """Return what was planned for each hour of the stored days, as it stood last before that hour.

    Raises
    ------
    BadInput
        A file cannot be read.
    """
    parts = []
    for day in [r.day for r in store.followed_of_days(plant)]:
        if (first or day) <= day <= (last or day):
            parts += _parts_of_day(store, store.revisions(plant, day))
    return parts


def _parts_of_day(store: RunStore, revisions: Sequence[RunRecord]) -> list[Part]:
    kept: list[RunRecord] = []
    for record in [r for r in revisions if r.kind != AGAIN]:
        kept = [*(k for k in kept if k.valid_from < record.valid_from), record]
    parts = []
    for record, after in zip(kept, [*kept[1:], None], strict=True):
        part = read_part(record.day, store.place(record) / "plan")
        if after is not None:
            hours = (after.valid_from - record.valid_from) / timedelta(hours=1)
            part = replace(part, steps=round(hours / part.problem.time.step_h))
        parts.append(part)
    return parts


def join(parts: Sequence[Part]) -> Joined:
    """Join nights that follow each other and replay them as one schedule.

    Every container is a class of its own, so that it may change its class from night to night; limits on how many of a
    class run are those of each night and are audited there.

    Raises
    ------
    BadInput
        There is a gap between two nights, or a container, a source or a feeder is not the same in all of them.
    """
    _check_times(parts)
    names = [name for name, _ in parts[0].problem.containers]
    classes = tuple(_class_of(name, parts) for name in names)
    first = parts[0].problem
    steps = sum(part.steps for part in parts)
    axis = TimeAxis(first.time.start, first.time.step_h, steps, first.time.zone)
    problem = Problem(axis, classes, _sources(parts), _site(parts, axis, classes))
    schedule = _schedule(parts, names)
    reserve = max(part.problem.site.rounding_reserve_mw for part in parts)
    return Joined(problem, schedule, replay(problem, schedule, LIMIT_TOLERANCE_MW, reserve))


def _check_times(parts: Sequence[Part]) -> None:
    for before, now in pairwise(parts):
        end, begin = before.problem.time.begin(before.steps), now.problem.time.begin(0)
        if end.astimezone(UTC) != begin.astimezone(UTC):
            raise BadInput(f"{before.day} ends at {end.isoformat()}, {now.day} begins at {begin.isoformat()}: a gap")
        if before.problem.time.step_h != now.problem.time.step_h:
            raise BadInput(f"{before.day} and {now.day} have steps of different length")


def _class_of(name: str, parts: Sequence[Part]) -> ContainerClass:
    own = [_own_class(name, part) for part in parts]
    first = own[0]
    for k, part in zip(own, parts, strict=True):
        same = all(np.array_equal(getattr(k, c), getattr(first, c)) for c in CURVES)
        if not same or (k.min_up_steps, k.min_down_steps) != (first.min_up_steps, first.min_down_steps):
            raise BadInput(f"container {name} has another curve or other minimum times on {part.day}")
    steps = [part.steps for part in parts]
    joined = {
        f.name: _chain([getattr(k, f.name) for k in own], steps)
        for f in fields(ContainerClass)
        if f.name not in CURVES and isinstance(getattr(first, f.name), np.ndarray)
    }
    terms = {f.name: _chain([getattr(k.start, f.name) for k in own], steps) for f in fields(StartTerms)}
    history = _own_history(name, first)
    return replace(
        first, **joined, name=name, count=1, containers=(name,), start=StartTerms(**terms), history=(history,)
    )


def _own_class(name: str, part: Part) -> ContainerClass:
    """Return the class of a container, its counts turned into those of one."""
    found = [k for known, k in part.problem.containers if known == name]
    if not found:
        raise BadInput(f"container {name} is not in the plan of {part.day}")
    k = found[0]
    # Which commitment was kept is a matter of each night; what the containers did is checked as it is.
    must_run = (k.must_run >= k.count).astype(np.int64)
    return replace(k, available=np.minimum(k.available, 1), must_run=must_run, committed=None)


def _own_history(name: str, k: ContainerClass) -> History:
    entries = [h for h in k.history for _ in range(h.count)]
    return replace(entries[k.containers.index(name)], count=1)


def _chain(arrays: Sequence[Any], steps: Sequence[int]) -> Any:
    return np.concatenate([np.asarray(values)[:count] for values, count in zip(arrays, steps, strict=True)])


def _sources(parts: Sequence[Part]) -> tuple[Source, ...]:
    steps = [part.steps for part in parts]
    found = []
    for source in parts[0].problem.sources:
        own = [_named(source.name, part.problem.sources, part) for part in parts]
        offered, price = (
            _chain([getattr(s, key) for s in own], steps) for key in ("available_mw", "price_usd_per_mwh")
        )
        found.append(Source(source.name, source.kind, offered, price))
    return tuple(found)


def _named(name: str, sources: Sequence[Source], part: Part) -> Source:
    for source in sources:
        if source.name == name:
            return source
    raise BadInput(f"source {name} is not in the plan of {part.day}")


def _site(parts: Sequence[Part], axis: TimeAxis, classes: tuple[ContainerClass, ...]) -> Site:
    first = parts[0].problem
    sites, steps = [part.problem.site for part in parts], [part.steps for part in parts]
    days = [axis.begin(t).date() for t in range(axis.steps)]
    by_step = {key: _chain([getattr(s, key) for s in sites], steps) for key in ("cap_mw", "base_load_mw", "minimum_mw")}
    return replace(
        first.site,
        **by_step,
        groups=tuple(_feeder(f, first) for f in first.site.groups),
        day_of_step=np.array([(day - days[0]).days for day in days], dtype=np.int64),
    )


def _feeder(feeder: Group, first: Problem) -> Group:
    return replace(feeder, classes=tuple(name for name, k in first.containers if k.name in feeder.classes))


def _schedule(parts: Sequence[Part], names: list[str]) -> Schedule:
    steps = [part.steps for part in parts]
    rows = [[part.schedule.containers.index(name) for name in names] for part in parts]

    def chained(values: Iterator[Any]) -> Any:
        return np.concatenate([v[:, :count] for v, count in zip(values, steps, strict=True)], axis=1)

    counted = [part.schedule.mixes for part in parts]
    whole = [mixes[r] for mixes, r in zip(counted, rows, strict=True) if mixes is not None]
    return Schedule(
        containers=tuple(names),
        on=chained(part.schedule.on[r] for part, r in zip(parts, rows, strict=True)),
        it_power_mw=chained(part.schedule.it_power_mw[r] for part, r in zip(parts, rows, strict=True)),
        supply_mw=chained(part.schedule.supply_mw for part in parts),
        mixes=chained(iter(whole)) if len(whole) == len(parts) else None,
    )
