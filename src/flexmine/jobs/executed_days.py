"""Many nights replayed as one: whether anything breaks at the seams that each night's own audit cannot see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, is_dataclass, replace
from datetime import UTC, date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.assembly.reserve import without_reserve
from flexmine.audit.plan_files import read_plan
from flexmine.audit.replay import LIMIT_TOLERANCE_MW, Replay, replay
from flexmine.errors import BadInput
from flexmine.jobs.following import Followed, of_day
from flexmine.problem import ContainerClass, Group, Problem, Source
from flexmine.problem.fields import BY_STEP, Described, fields_of
from flexmine.problem.schedule import Schedule
from flexmine.problem.variants import single_containers
from flexmine.store.runs import RunStore

SAME_WITHIN = 1e-8
"""Narrowing and widening a limit by the reserve leaves so much; far below a watt."""
WORDS: dict[type, str] = {ContainerClass: "container", Source: "source", Group: "feeder"}


@dataclass(frozen=True)
class Part:
    """The published part of one night: the first `steps` steps of a problem and its schedule."""

    day: date
    problem: Problem
    schedule: Schedule
    steps: int


@dataclass(frozen=True)
class Joined:
    """All nights as one problem of single containers, its schedule, and their replay."""

    problem: Problem
    schedule: Schedule
    replay: Replay


def read_part(day: date, plan: Path) -> Part:
    """Read the published part of the plan of `day` from the folder `plan`.

    Raises
    ------
    BadInput
        A file is missing or cannot be read.
    """
    document, problem, tables = read_plan(plan)
    return Part(day, problem, tables.schedule(problem), int(document["horizon"]["publish_steps"]))


def executed(store: RunStore, plant: str, first: date | None = None, last: date | None = None) -> list[Part]:
    """Return what was planned for each hour of the stored days of `plant`, as last planned before that hour.

    Days before `first` or after `last` are left out; None sets no limit.

    Raises
    ------
    BadInput
        A file cannot be read, or a stored plan was altered.
    """
    parts = []
    for day in [r.day for r in store.followed_of_days(plant)]:
        if (first or day) <= day <= (last or day):
            parts += _parts_of_day(store, of_day(store, plant, day))
    return parts


def _parts_of_day(store: RunStore, followed: Sequence[Followed]) -> list[Part]:
    parts = []
    for one in followed:
        part = read_part(one.record.day, store.plan(one.record))
        if not one.is_last_of_day:
            hours = (one.end - one.begin) / timedelta(hours=1)
            part = replace(part, steps=round(hours / part.problem.time.step_h))
        parts.append(part)
    return parts


def join(parts: Sequence[Part]) -> Joined:
    """Join nights that follow each other and replay them as one schedule.

    Every container becomes a class of its own, so that it may change its class from night to night; limits on how many
    of a class run are those of each night and are audited there.  How a field is joined is stated where it is
    described, in :mod:`flexmine.problem.model`.

    Raises
    ------
    BadInput
        There is a gap between two nights, or something that has to be the same in all of them, such as the power curve
        of a container or the ramp of the site, is not.
    """
    _check_times(parts)
    singles = [_of_single_containers(part, parts) for part in parts]
    problem: Problem = _joined(singles, parts, "")
    schedule = _schedule(parts, [k.name for k in problem.classes], [s.name for s in problem.sources])
    return Joined(problem, schedule, replay(problem, schedule, LIMIT_TOLERANCE_MW))


def _check_times(parts: Sequence[Part]) -> None:
    for before, now in pairwise(parts):
        end, begin = before.problem.time.begin(before.steps), now.problem.time.begin(0)
        if end.astimezone(UTC) != begin.astimezone(UTC):
            raise BadInput(f"{before.day} ends at {end.isoformat()}, {now.day} begins at {begin.isoformat()}: a gap")
        if before.problem.time.step_h != now.problem.time.step_h:
            raise BadInput(f"{before.day} and {now.day} have steps of different length")


def _of_single_containers(part: Part, parts: Sequence[Part]) -> Problem:
    """Return the problem of a night as it is joined: of all steps, true limits, and every container a class of one."""
    problem, axis = without_reserve(part.problem), part.problem.time
    classes = tuple(one for k in problem.classes for one in single_containers(k, k.containers))
    feeders = tuple(
        replace(f, classes=tuple(sorted(name for name, k in problem.containers if k.name in f.classes)))
        for f in problem.site.groups
    )
    first_day = parts[0].problem.time.begin(0).date()
    days = np.array([(axis.begin(t).date() - first_day).days for t in range(axis.steps)], dtype=np.int64)
    return replace(
        problem,
        time=replace(axis, steps=sum(p.steps for p in parts)),
        classes=classes,
        site=replace(problem.site, groups=feeders, day_of_step=days),
    )


def _joined(own: Sequence[Any], nights: Sequence[Part], where: str) -> Any:
    """Return the one that the parts of a Problem become, each of which is that of a night."""
    found = {}
    for f in fields_of(own[0]):
        values, path = [getattr(part, f.name) for part in own], f"{where}.{f.key}" if where else f.key
        how = f.about.joins.how if f.about.joins else "by the rule"
        if how == "first":
            found[f.name] = values[0]
        elif how == "dropped":
            found[f.name] = f.default
        else:
            found[f.name] = _joined_value(f, values, nights, path)
    return type(own[0])(**found)


def _joined_value(f: Described, values: Sequence[Any], nights: Sequence[Part], path: str) -> Any:
    if f.is_part and f.shape == "list":
        return tuple(_joined(same, nights, where) for where, same in _matched(f, values, nights, path))
    if all(is_dataclass(value) for value in values):
        return _joined(values, nights, path)
    if f.shape in BY_STEP:
        if not any(value is None for value in values):
            return np.concatenate([value[: part.steps] for value, part in zip(values, nights, strict=True)])
        if not f.about.optimum:
            return None  # an account that some nights lack
    for value, part in zip(values, nights, strict=True):
        if not _same(value, values[0]):
            raise BadInput(f"{path} of {part.day} is not that of {nights[0].day}")
    return values[0]


def _matched(
    f: Described, values: Sequence[Any], nights: Sequence[Part], path: str
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield, for each part of a list, what it is called and what it is in each night: by name, else by place."""
    tables = [{getattr(part, "name", i): part for i, part in enumerate(parts)} for parts in values]
    word = WORDS.get(f.kind, path)
    for table, night in zip(tables, nights, strict=True):
        for name in [*tables[0], *table]:
            if name not in table or name not in tables[0]:
                raise BadInput(f"{word} {name} is not in the plan of {(nights[0] if name in table else night).day}")
    for name in tables[0]:
        yield f"{word} {name}", [table[name] for table in tables]


def _same(value: Any, first: Any) -> bool:
    if value is None or first is None:
        return value is first
    if isinstance(value, float | np.ndarray):
        return np.shape(value) == np.shape(first) and np.allclose(value, first, rtol=0.0, atol=SAME_WITHIN)
    return bool(value == first)


def _schedule(parts: Sequence[Part], names: list[str], sources: list[str]) -> Schedule:
    steps = [part.steps for part in parts]
    rows = [[part.schedule.containers.index(name) for name in names] for part in parts]
    offers = [[[s.name for s in part.problem.sources].index(name) for name in sources] for part in parts]

    def chained(values: Iterator[Any]) -> Any:
        return np.concatenate([v[:, :count] for v, count in zip(values, steps, strict=True)], axis=1)

    counted = [part.schedule.mixes for part in parts]
    whole = [mixes[r] for mixes, r in zip(counted, rows, strict=True) if mixes is not None]
    return Schedule(
        containers=tuple(names),
        on=chained(part.schedule.on[r] for part, r in zip(parts, rows, strict=True)),
        it_power_mw=chained(part.schedule.it_power_mw[r] for part, r in zip(parts, rows, strict=True)),
        supply_mw=chained(part.schedule.supply_mw[r] for part, r in zip(parts, offers, strict=True)),
        mixes=chained(iter(whole)) if len(whole) == len(parts) else None,
    )
