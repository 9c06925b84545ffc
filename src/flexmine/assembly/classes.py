"""Containers with identical data become one class; only the few with data of their own are split off."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import numpy as np

from flexmine.assembly.equipment import Equipment
from flexmine.assembly.fleet import Container, Limits
from flexmine.problem import ContainerClass, Floats, History, Ints


def group(fleet: list[Container], models: dict[str, Equipment]) -> dict[str, list[Container]]:
    """Return the containers by class name, in plant order.

    Identical are those of one model, client and feeder with the same outages, hours of must-run, pins, commitment and
    override.  The first group of a model without outages, must-run, pins or override bears the model's name; every
    other one is named ``MODEL/FIRST CONTAINER``.

    Parameters
    ----------
    fleet : list of Container
        In plant order.
    models : dict
        Container models by the reference that the plant's groups use.
    """
    groups: dict[tuple[object, ...], list[Container]] = {}
    for c in fleet:
        committed = None if c.committed is None else c.committed.tobytes()
        own = (c.out.tobytes(), c.must_run.tobytes(), c.most_mw.tobytes(), committed, c.released)
        key = (c.model, c.client, c.feeder, *own)
        groups.setdefault(key, []).append(c)
    named: dict[str, list[Container]] = {}
    for members in groups.values():
        first = members[0]
        model_name = models[first.model].document.name
        pinned = bool(np.isfinite(first.most_mw).any())
        regular = not (first.out.any() or first.must_run.any() or pinned or first.released)
        name = model_name if regular and model_name not in named else f"{model_name}/{first.name}"
        named[name] = members
    return named


def available_counts(
    groups: dict[str, list[Container]], models: dict[str, Equipment], limits: Limits
) -> tuple[dict[str, Ints], list[str]]:
    """Return how many containers of each class may run by step, and notes on limits that several classes share.

    A limit on a model that has become several classes is a sum over classes, for which the Problem has no row.  It
    is kept by giving each class its share beforehand: first what has to run, then the largest class.

    Parameters
    ----------
    groups : dict
        Containers by class name, as :func:`group` returns them.
    models : dict
        Container models by the reference that the plant's groups use.
    limits : Limits
    """
    given = {
        name: np.where(limits.banned | members[0].out, 0, len(members)).astype(np.int64)
        for name, members in groups.items()
    }
    notes = []
    for model, limit in limits.counts.items():
        names = [name for name, members in groups.items() if members[0].model == model]
        bound = {name: np.minimum(given[name], _bound(groups[name], models[model])) for name in names}
        by_size = sorted(names, key=lambda name: -len(groups[name]))
        if len(names) > 1 and np.any(sum(given[name] for name in names) > limit):
            notes.append(
                f"at most so many of {model}: its containers are in {len(names)} classes ({', '.join(names)}); "
                f"the number is shared out in advance, {by_size[0]} first, which may cost some money"
            )
        rest = limit.copy()
        for name in by_size:
            bound[name] = np.minimum(bound[name], rest)
            rest = rest - bound[name]
        for name in by_size:
            more = np.minimum(given[name] - bound[name], rest)
            given[name] = bound[name] + more
            rest = rest - more
    return given, notes


def container_class(
    name: str,
    members: list[Container],
    model: Equipment,
    *,
    available: Ints,
    hash_value_usd_per_th_s_h: Floats,
    terminal_on_usd: float,
    max_starts_per_day: int | None,
) -> ContainerClass:
    """Return one class of the Problem.

    Parameters
    ----------
    name : str
    members : list of Container
        Identical ones, see :func:`group`.
    model : Equipment
    available : ndarray of int, shape (T,)
        How many may run in each step.
    hash_value_usd_per_th_s_h : ndarray, shape (T,)
        To the party whose money counts [USD per TH/s per h].
    terminal_on_usd : float
        Worth of each container that runs in the last step [USD].
    max_starts_per_day : int or None
        Of each container; None: no limit.
    """
    return ContainerClass(
        name=name,
        count=len(members),
        containers=tuple(c.name for c in members),
        it_power_mw=model.it_power_mw,
        hash_rate_th_s=model.hash_rate_th_s,
        max_it_power_mw=np.minimum(model.max_it_power_mw, members[0].most_mw),
        min_it_power_mw=model.min_it_power_mw,
        overhead=model.overhead,
        standby_mw=model.standby_mw,
        hash_value_usd_per_th_s_h=hash_value_usd_per_th_s_h,
        min_up_steps=model.min_up_steps,
        min_down_steps=model.min_down_steps,
        start=model.start,
        available=available,
        must_run=members[0].must_run.astype(np.int64) * len(members),
        history=_run_lengths([c.past for c in members]),
        preheat_steps=model.preheat_steps,
        terminal_on_usd=terminal_on_usd,
        max_starts_per_day=max_starts_per_day,
        miners=model.miners,
        container_ramp_mw_per_step=model.container_ramp_mw_per_step,
        committed=_committed(members, model, available),
    )


def _committed(members: list[Container], model: Equipment, available: Ints) -> Ints | None:
    """Return how many run by a commitment that is kept; none where the class may not, or cannot for heat or cold."""
    mask = members[0].committed
    if mask is None:
        return None
    runs = mask & ~(model.too_hot | model.too_cold)
    return np.minimum(runs.astype(np.int64) * len(members), available)


def _bound(members: list[Container], model: Equipment) -> Ints:
    """Return how many of a class have to run by step: must-run, or an unfinished minimum up time."""
    steps = np.arange(members[0].out.size)
    obliged = sum((steps < c.obliged_steps(model.min_up_steps)).astype(np.int64) for c in members)
    return np.maximum(members[0].must_run.astype(np.int64) * len(members), obliged)


def _run_lengths(past: list[History]) -> tuple[History, ...]:
    return tuple(replace(entry, count=len(list(run))) for entry, run in groupby(past))
