"""The state that crosses nights: what every container has done by the end of the executed part of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.replay import Replay
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule


@dataclass(frozen=True)
class ContainerState:
    """One container at a moment.

    Attributes
    ----------
    hours : float
        In the present state without a break [h].
    it_power_mw : float or None
        Just before the moment; None where off [MW].
    run_hours : float
        In all [h].
    starts : int
        In all.
    starts_today : int
        On the site's day of the moment.
    inside_temperature_c : float or None
        Of a sleeping container whose box is modelled [C].
    """

    on: bool
    hours: float
    it_power_mw: float | None
    run_hours: float
    starts: int
    starts_today: int
    inside_temperature_c: float | None = None


@dataclass(frozen=True)
class FleetState:
    """All containers and the site's power at a moment."""

    initial_mw: float
    containers: dict[str, ContainerState]
    energy_taken_mwh: dict[str, float]

    def document(self) -> dict[str, Any]:
        """Return the state in the shape of a case's ``state``."""
        document: dict[str, Any] = {
            "initial_mw": round(self.initial_mw, 6),
            "containers": {name: _container_document(c) for name, c in self.containers.items()},
        }
        if self.energy_taken_mwh:
            document["energy_taken_mwh"] = {name: round(mwh, 6) for name, mwh in self.energy_taken_mwh.items()}
        return document


def state_after(
    problem: Problem,
    schedule: Schedule,
    replay: Replay,
    steps: int,
    *,
    run_hours: Mapping[str, float] | None = None,
    starts: Mapping[str, int] | None = None,
    inside_temperature_c: Mapping[str, float] | None = None,
) -> FleetState:
    """Return the state after the first `steps` steps of a schedule.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule
    replay : Replay
        Of the schedule.
    steps : int
        At least 1, at most T.
    run_hours, starts : mapping, optional
        Of each container before step 0; 0 where not named.
    inside_temperature_c : mapping, optional
        Of sleeping containers after those steps [C], see :func:`flexmine.assembly.inside.inside_after`.
    """
    histories = [h for k in problem.classes for h in k.history for _ in range(h.count)]
    started = (replay.warm_start | replay.cold_start)[:, :steps]
    today = _same_day(problem, steps)
    containers = {}
    for row, ((name, _), h) in enumerate(zip(problem.containers, histories, strict=True)):
        on = schedule.on[row, :steps]
        changes = np.flatnonzero(np.diff(np.concatenate([[h.on], on]).astype(int)))
        in_state = steps - int(changes[-1]) if len(changes) else steps + h.steps
        last = bool(on[-1])
        earlier_today = h.starts_today if today.all() and _starts_on_day_of_step_0(problem, steps) else 0
        containers[name] = ContainerState(
            on=last,
            hours=in_state * problem.time.step_h,
            it_power_mw=float(schedule.it_power_mw[row, steps - 1]) if last else None,
            run_hours=float((run_hours or {}).get(name, 0.0)) + float(on.sum()) * problem.time.step_h,
            starts=int((starts or {}).get(name, 0)) + int(started[row].sum()),
            starts_today=earlier_today + int(started[row, today].sum()),
            inside_temperature_c=(inside_temperature_c or {}).get(name),
        )
    return FleetState(
        float(replay.site_power_mw[steps - 1]), containers, _energy_taken_mwh(problem, schedule, replay, steps)
    )


def _energy_taken_mwh(problem: Problem, schedule: Schedule, replay: Replay, steps: int) -> dict[str, float]:
    """Return what the periods that have begun, and may go on after `steps`, have taken so far [MWh]."""
    names, taken = [s.name for s in problem.sources], {}
    for e in problem.site.energy_limits:
        if e.first_step < steps and (e.window.stop > steps or steps == problem.steps):
            drawn = replay.site_power_mw if e.source is None else schedule.supply_mw[names.index(e.source)]
            taken[e.name] = e.taken_mwh + problem.time.step_h * float(drawn[e.first_step : steps].sum())
    return taken


def _same_day(problem: Problem, steps: int) -> NDArray[np.bool_]:
    """Return which of the first steps lie on the local day of the moment after them."""
    day = problem.time.begin(steps).date()
    return np.array([problem.time.begin(t).date() == day for t in range(steps)], dtype=bool)


def _starts_on_day_of_step_0(problem: Problem, steps: int) -> bool:
    return problem.time.begin(steps).date() == problem.time.begin(0).date()


def _container_document(c: ContainerState) -> dict[str, Any]:
    document: dict[str, Any] = {"on": c.on, "hours": round(c.hours, 6)}
    if c.it_power_mw is not None:
        document["it_power_mw"] = round(c.it_power_mw, 6)
    if c.inside_temperature_c is not None:
        document["inside_temperature_c"] = round(c.inside_temperature_c, 9)
    return document | {"starts_today": c.starts_today, "run_hours": round(c.run_hours, 6), "starts": c.starts}
