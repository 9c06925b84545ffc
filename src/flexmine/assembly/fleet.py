"""The containers of a plant, one by one, before they are grouped: their data, and what overrides their obligations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flexmine.assembly.equipment import Equipment
from flexmine.assembly.history import history
from flexmine.assembly.pins import pinned, pins_by_step, pins_of
from flexmine.assembly.windows import Clock, Mask
from flexmine.errors import BadInput
from flexmine.inputs.case import Case
from flexmine.inputs.schema import ContainerState
from flexmine.problem import Floats, History, Ints

_SLACK_MW = 1e-9


@dataclass(frozen=True, eq=False)
class Container:
    """One container.

    Attributes
    ----------
    model : str
        As the plant's groups write it.
    out, must_run : ndarray of bool, shape (T,)
        Out of service; has to run.
    most_mw : ndarray, shape (T,)
        Highest IT power that pins leave it, infinity where there is none [MW].
    committed : ndarray of bool, shape (T,), or None
        When it runs by a commitment that is kept; None: free.
    released : bool
        Its unfinished minimum up time is given up, because something overrides it.
    """

    name: str
    model: str
    client: str | None
    feeder: str | None
    out: Mask
    must_run: Mask
    past: History
    most_mw: Floats
    committed: Mask | None = None
    released: bool = False

    def obliged_steps(self, min_up_steps: int) -> int:
        """Return for how many steps of the horizon a minimum up time of `min_up_steps` still binds it."""
        if not self.past.on or self.released:
            return 0
        return min(max(0, min_up_steps - self.past.steps), self.out.size)

    def release(self, min_up_steps: int) -> Container:
        """Return the same container with its minimum up time of `min_up_steps` served."""
        return replace(self, released=True, past=replace(self.past, steps=max(self.past.steps, min_up_steps)))


def containers(case: Case, clock: Clock, models: dict[str, Equipment]) -> list[Container]:
    """Return all containers of the plant in order.

    Parameters
    ----------
    case : Case
    clock : Clock
    models : dict
        Container models by the reference that the plant's groups use.

    Raises
    ------
    BadInput
        Naming every container whose state lacks what its model needs.
    """
    steps, document = clock.axis.steps, case.document
    out = {name: np.zeros(steps, dtype=bool) for name in case.plant.container_names}
    must = {name: np.zeros(steps, dtype=bool) for name in case.plant.container_names}
    for outage in document.outages:
        out[outage.container] |= clock.in_span(outage.begin, outage.end)
    for entry in document.must_run:
        for name in entry.containers:
            must[name] |= clock.in_span(entry.begin, entry.end)
    committed, pins = _committed(case, clock), pins_by_step(case, clock)
    group_of, feeder_of = case.plant.group_of, case.plant.feeder_of
    found: list[Container] = []
    wrong: list[str] = []
    known: dict[tuple[str, ContainerState], History] = {}
    for name in case.plant.container_names:
        group = group_of[name]
        state = document.state.of(name)
        if (group.model, state) not in known:
            try:
                known[group.model, state] = history(name, state, models[group.model], clock.axis.step_h, steps)
            except ValueError as error:
                wrong.append(str(error))
                continue
        past, feeder = known[group.model, state], feeder_of.get(name)
        held = pinned(name, pins, models[group.model])
        found.append(
            Container(
                name,
                group.model,
                group.client,
                feeder,
                out=out[name] | held.out,
                must_run=must[name] | held.must_run,
                past=past,
                most_mw=held.most_mw,
                committed=committed.get(name),
            )
        )
    if wrong:
        raise BadInput(wrong)
    return found


def _committed(case: Case, clock: Clock) -> dict[str, Mask]:
    """Return by container when it runs, where the case keeps a commitment; else nothing.

    What forbids running outright overrides a commitment: a container that is out does not run.
    """
    kept = case.document.commitment
    if kept is None:
        return {}
    masks = {name: np.zeros(clock.axis.steps, dtype=bool) for name in case.plant.container_names}
    for run in kept.runs:
        masks[run.container] |= clock.in_span(run.begin, run.end)
    return masks


@dataclass(frozen=True)
class Limits:
    """What forbids running, by step; masks have shape (T,).

    Attributes
    ----------
    windows, orders : dict
        Steps by name.
    counts : dict
        Most containers of a model that may run, shape (T,), by model; absent: no such limit.
    cap_mw, base_load_mw : ndarray, shape (T,)
        Orders are folded into the cap.
    """

    windows: dict[str, Mask]
    orders: dict[str, Mask]
    counts: dict[str, Ints]
    cap_mw: Floats
    base_load_mw: Floats

    @property
    def banned(self) -> Mask:
        """Steps in which a window forbids all mining."""
        banned: Mask = np.any([np.zeros(self.cap_mw.size, dtype=bool), *self.windows.values()], axis=0)
        return banned


def waivers(
    case: Case, clock: Clock, fleet: list[Container], models: dict[str, Equipment], limits: Limits
) -> tuple[list[Container], list[str]]:
    """Release the containers whose unfinished minimum up time meets something that forbids running.

    Parameters
    ----------
    case : Case
    clock : Clock
    fleet : list of Container
        In plant order.
    models : dict
        Container models by the reference that the plant's groups use.
    limits : Limits

    Returns
    -------
    fleet : list of Container
        In the same order.
    overrides : list of str
        Each release in words: which container, which limit, from when.
    """
    texts: dict[str, str] = {}
    fleet = list(fleet)

    def release(container: Container, step: int, cause: str) -> Container:
        min_up_steps = models[container.model].min_up_steps
        until = container.obliged_steps(min_up_steps)
        due = clock.begins[until].astimezone(clock.zone).isoformat(timespec="minutes")
        texts[container.name] = (
            f"container {container.name}: its minimum up time (due until {due}) is given up, "
            f"because of {cause} from {clock.say(step)}"
        )
        return container.release(min_up_steps)

    for i, container in enumerate(fleet):
        obliged = container.obliged_steps(models[container.model].min_up_steps)
        if obliged == 0:
            continue
        conflict = _first_conflict(case, clock, container, models[container.model], limits)
        if conflict is not None and conflict[0] < obliged:
            fleet[i] = release(container, *conflict)
    horizon = max((c.obliged_steps(models[c.model].min_up_steps) for c in fleet), default=0)
    for step in range(horizon):
        for model, limit in limits.counts.items():
            bound = [i for i in _obliged(fleet, models, step) if fleet[i].model == model]
            for i in _longest_on_first(fleet, bound)[: max(0, len(bound) - int(limit[step]))]:
                fleet[i] = release(fleet[i], step, f"at most {limit[step]} of {model} available")
        ordered = [name for name, mask in limits.orders.items() if mask[step]]
        if not ordered:
            continue
        excess_mw = _least_facility_mw(fleet, models, limits, step) - limits.cap_mw[step]
        for i in _longest_on_first(fleet, _obliged(fleet, models, step)):
            if excess_mw <= _SLACK_MW:
                break
            if not fleet[i].must_run[step]:
                fleet[i] = release(fleet[i], step, f"order {', '.join(ordered)} (cap {limits.cap_mw[step]:g} MW)")
                excess_mw -= _saved_by_stopping_mw(models[fleet[i].model], step)
    return fleet, [texts[c.name] for c in fleet if c.name in texts]


def _first_conflict(
    case: Case, clock: Clock, container: Container, model: Equipment, limits: Limits
) -> tuple[int, str] | None:
    """Return the first step in which it cannot run, and why."""
    never = container.out | limits.banned | model.too_hot | model.too_cold
    if not never.any():
        return None
    step = int(np.argmax(never))
    if container.out[step]:
        reasons = [
            o.reason
            for o in case.document.outages
            if o.container == container.name and clock.in_span(o.begin, o.end)[step]
        ]
        reasons += [pin.words for pin, mask in pins_of(container.name, pins_by_step(case, clock)) if mask[step]]
        return step, f"an outage ({', '.join(reasons)})"
    names = [name for name, mask in limits.windows.items() if mask[step]]
    if names:
        return step, f"window {', '.join(names)}"
    return step, "heat" if model.too_hot[step] else "cold"


def _obliged(fleet: list[Container], models: dict[str, Equipment], step: int) -> list[int]:
    return [i for i, c in enumerate(fleet) if c.obliged_steps(models[c.model].min_up_steps) > step]


def _longest_on_first(fleet: list[Container], chosen: list[int]) -> list[int]:
    return sorted(chosen, key=lambda i: (-fleet[i].past.steps, i))


def _least_facility_mw(fleet: list[Container], models: dict[str, Equipment], limits: Limits, step: int) -> float:
    """Return the facility power with only the obliged containers on, at their lowest."""
    obliged = set(_obliged(fleet, models, step))
    total = float(limits.base_load_mw[step])
    for i, container in enumerate(fleet):
        model = models[container.model]
        total += float(model.standby_mw[step])
        if i in obliged or container.must_run[step]:
            total += _saved_by_stopping_mw(model, step)
    return total


def _saved_by_stopping_mw(model: Equipment, step: int) -> float:
    return float(model.overhead[step] * model.lowest_it_power_mw[step] - model.standby_mw[step])
