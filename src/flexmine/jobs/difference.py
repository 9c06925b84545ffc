"""What differs between two plans of a day: hours, containers, money, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from flexmine.audit.plan_files import PlanTables, read_plan
from flexmine.audit.replay import Replay, replay_rounded
from flexmine.errors import BadInput
from flexmine.jobs.compare import input_changes
from flexmine.problem import Problem
from flexmine.problem.money import money_terms
from flexmine.store.sealed import Stored

WATT_MW = 1e-6


@dataclass(frozen=True)
class Hour:
    """A step in which containers differ: the site's power in both plans [MW], and who runs in only one of them."""

    begin: str
    before_mw: float
    now_mw: float
    on: tuple[str, ...]
    off: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """The difference between two plans of one day, over the hours that both publish.

    Attributes
    ----------
    begin, end : str
        Of those hours, ISO 8601.
    whole : bool
        Whether those are all published hours of both.
    hours : tuple of Hour
        The steps that differ.
    containers : mapping
        By name, how much more energy it draws at the meter in the second plan [MWh]; only those that differ.
    money_usd : mapping
        By item, (first, second) [USD].
    why : tuple of str
        What differs in the inputs.
    """

    begin: str
    end: str
    whole: bool
    hours: tuple[Hour, ...]
    containers: Mapping[str, float]
    money_usd: Mapping[str, tuple[float, float]]
    why: tuple[str, ...]


@dataclass(frozen=True)
class _Written:
    """A plan read back: its problem, its tables and their replay."""

    problem: Problem
    tables: PlanTables
    steps: int

    @cached_property
    def truth(self) -> Replay:
        """Replay of the written schedule, with the money of every step."""
        return replay_rounded(self.problem, self.tables.schedule(self.problem))

    def part(self, values: np.ndarray, names: list[str], hours: slice) -> np.ndarray:
        """Return values of the containers in the order of `names`; 0 for a container that the plan does not have."""
        place = {name: i for i, (name, _) in enumerate(self.problem.containers)}
        blank = np.zeros(hours.stop - hours.start, dtype=values.dtype)
        return np.array([values[place[n], hours] if n in place else blank for n in names])


def difference(before: Stored, now: Stored, zone: str | None = None) -> Difference:
    """Compare two stored runs of one day over the hours that both publish.

    The second may plan only the rest of the day: money is the sum over the common steps, not that of the whole plan.

    Parameters
    ----------
    before, now : Stored
    zone : str, optional
        IANA name of the zone in which the sentences of `why` name times; None: as the files have them.

    Raises
    ------
    BadInput
        A file cannot be read, or the plans have no hours in common or steps of different length.
    """
    a, b = _read(before.plan), _read(now.plan)
    hours_a, hours_b = _common(a, b)
    if hours_a.start >= hours_a.stop:
        raise BadInput(f"{before.plan} and {now.plan}: have no hours in common, or steps of another length")
    names = sorted({name for plan in (a, b) for name, _ in plan.problem.containers})
    both = ((a, hours_a), (b, hours_b))
    power_a, power_b = (p.part(p.tables.setpoint_numbers["facility_power_mw"], names, span) for p, span in both)
    on_a, on_b = (p.part(np.asarray(p.tables.setpoint_text["state"] == "on"), names, span) for p, span in both)
    moved = np.flatnonzero((np.abs(power_b - power_a) > WATT_MW).any(axis=0) | (on_a != on_b).any(axis=0))
    site_a, site_b = (p.tables.site_numbers["facility_power_mw"][span] for p, span in both)
    time = a.problem.time
    hours = tuple(
        Hour(
            begin=time.begin(hours_a.start + int(t)).isoformat(timespec="minutes"),
            before_mw=float(site_a[t]),
            now_mw=float(site_b[t]),
            on=tuple(names[i] for i in np.flatnonzero(on_b[:, t] & ~on_a[:, t])),
            off=tuple(names[i] for i in np.flatnonzero(on_a[:, t] & ~on_b[:, t])),
        )
        for t in moved
    )
    more_mwh = (power_b - power_a).sum(axis=1) * time.step_h
    touched = ((np.abs(power_b - power_a) > WATT_MW) | (on_a != on_b)).any(axis=1)
    money = {
        "money_usd": tuple(float(p.truth.money_by_step_usd[span].sum()) for p, span in both),
        **{t.key: tuple(float(p.truth.usd[t.name][s].sum()) for p, s in both) for t in money_terms(by_step=True)},
    }
    return Difference(
        begin=time.begin(hours_a.start).isoformat(timespec="minutes"),
        end=time.begin(hours_a.stop).isoformat(timespec="minutes"),
        whole=(hours_a, hours_b) == (slice(0, a.steps), slice(0, b.steps)),
        hours=hours,
        containers={name: round(float(more_mwh[i]), 6) for i, name in enumerate(names) if touched[i]},
        money_usd={key: (round(first, 4), round(second, 4)) for key, (first, second) in money.items()},
        why=input_changes(before.inputs, now.inputs, zone),
    )


def _common(a: _Written, b: _Written) -> tuple[slice, slice]:
    """Return which published steps of each are those that both publish; none where their steps do not fit."""
    step = timedelta(hours=a.problem.time.step_h)
    gap = (b.problem.time.begin(0).astimezone(UTC) - a.problem.time.begin(0).astimezone(UTC)) / step
    if a.problem.time.step_h != b.problem.time.step_h or gap != round(gap):
        return slice(0, 0), slice(0, 0)
    first = max(0, round(gap))
    last = min(a.steps, round(gap) + b.steps)
    return slice(first, last), slice(first - round(gap), last - round(gap))


def _read(directory: Path) -> _Written:
    document, problem, tables = read_plan(directory)
    return _Written(problem, tables, int(document["horizon"]["publish_steps"]))
