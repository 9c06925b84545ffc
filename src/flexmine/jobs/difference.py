"""What differs between two plans of a day: hours, containers, money, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flexmine.audit.plan_files import PlanTables, read_plan
from flexmine.errors import BadInput
from flexmine.jobs.compare import input_changes
from flexmine.problem import Floats, Problem
from flexmine.problem.money import money_terms
from flexmine.store.sealed import Stored

WATT_MW = 1e-6


@dataclass(frozen=True)
class Hour:
    """A step in which the site's power differs [MW], and which containers run in one of both only."""

    begin: str
    before_mw: float
    now_mw: float
    on: tuple[str, ...]
    off: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Of two plans of one day, over the published part.

    Attributes
    ----------
    hours : tuple of Hour
    containers : mapping
        By name, the energy at the meter that it draws more in the second plan [MWh]; only those that differ.
    money_usd : mapping
        By item, (first, second) [USD].
    why : tuple of str
        What differs in the inputs.
    """

    hours: tuple[Hour, ...]
    containers: Mapping[str, float]
    money_usd: Mapping[str, tuple[float, float]]
    why: tuple[str, ...]


@dataclass(frozen=True)
class _Written:
    """A plan read back: its problem, its tables and its document."""

    problem: Problem
    tables: PlanTables
    published: Mapping[str, float]
    steps: int

    def power_mw(self, names: list[str]) -> Floats:
        """Return the facility power of the published part by container, in the order of `names`."""
        return self._rows(self.tables.setpoint_numbers["facility_power_mw"], names)

    def running(self, names: list[str]) -> np.ndarray:
        """Return who runs in the published part, in the order of `names`."""
        return self._rows(np.asarray(self.tables.setpoint_text["state"] == "on"), names)

    def _rows(self, values: np.ndarray, names: list[str]) -> np.ndarray:
        place = {name: i for i, (name, _) in enumerate(self.problem.containers)}
        blank = np.zeros(self.steps, dtype=values.dtype)
        return np.array([values[place[n], : self.steps] if n in place else blank for n in names])


def difference(before: Stored, now: Stored) -> Difference:
    """Compare the published parts of two stored runs of one day.

    Raises
    ------
    BadInput
        The files of one cannot be read, or the days are not the same.
    """
    a, b = _read(before.plan), _read(now.plan)
    same = a.steps == b.steps and a.problem.time.start == b.problem.time.start
    if not same or a.problem.time.step_h != b.problem.time.step_h:
        raise BadInput(f"{before.plan} and {now.plan}: plans of other hours or other steps cannot be compared")
    names = sorted({name for plan in (a, b) for name, _ in plan.problem.containers})
    power_a, power_b = a.power_mw(names), b.power_mw(names)
    on_a, on_b = a.running(names), b.running(names)
    moved = np.flatnonzero((np.abs(power_b - power_a) > WATT_MW).any(axis=0) | (on_a != on_b).any(axis=0))
    site_a, site_b = a.tables.site_numbers["facility_power_mw"], b.tables.site_numbers["facility_power_mw"]
    hours = tuple(
        Hour(
            begin=a.problem.time.begin(int(t)).isoformat(timespec="minutes"),
            before_mw=float(site_a[t]),
            now_mw=float(site_b[t]),
            on=tuple(names[i] for i in np.flatnonzero(on_b[:, t] & ~on_a[:, t])),
            off=tuple(names[i] for i in np.flatnonzero(on_a[:, t] & ~on_b[:, t])),
        )
        for t in moved
    )
    more_mwh = (power_b - power_a).sum(axis=1) * a.problem.time.step_h
    touched = ((np.abs(power_b - power_a) > WATT_MW) | (on_a != on_b)).any(axis=1)
    money = ("money_usd", *(term.key for term in money_terms(by_step=True)))
    return Difference(
        hours=hours,
        containers={name: round(float(more_mwh[i]), 6) for i, name in enumerate(names) if touched[i]},
        money_usd={key: (a.published[key], b.published[key]) for key in money},
        why=input_changes(before.inputs, now.inputs),
    )


def _read(directory: Path) -> _Written:
    document, problem, tables = read_plan(directory)
    return _Written(problem, tables, document["published"], int(document["horizon"]["publish_steps"]))
