"""From the model's power to powers that machines can take: whole miners where they are known, else whole watts.

Rounding each container by itself would let small errors add up against a cap or a ramp, so what one container loses
is carried to the next one on its feeder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from flexmine.audit.replay import replay
from flexmine.physics.units import W_PER_MW
from flexmine.planning.miner_rounding import with_mixes
from flexmine.problem import ContainerClass, Floats, Problem
from flexmine.problem.limits import sources_over_time
from flexmine.problem.schedule import Schedule

# Absorbs binary noise (1.3 MW is 1,299,999.9999999999 W), far below a watt.
NOISE_W = 1e-4


def round_schedule(problem: Problem, schedule: Schedule) -> Schedule:
    """Return `schedule` with IT powers in whole watts and sources that meet the facility power of those.

    Where a class has miners, the whole plan is rounded by :mod:`flexmine.planning.miner_rounding`; the rest applies
    to plants without.

    Powers are rounded down, and what is lost is carried on, so that the facility power of a feeder, of the site and
    thus the supply never rises above the schedule's, and falls below it by less than 2 W a feeder.  Two cases are
    off by up to a watt a container: where all of a feeder run at a highest (or lowest) power that is not a whole watt,
    it is rounded inwards, and where no whole watt lies between lowest and highest, the nearest one is taken.  A power
    that breaks a limit by more than a watt is not repaired: the audit has to see it.
    """
    if any(k.miners is not None for k in problem.classes):
        rounded = with_mixes(problem, schedule)
    else:
        rounded = replace(schedule, it_power_mw=_watts_of_feeders(problem, schedule))
    power = replay(problem, rounded).site_power_mw
    return replace(rounded, supply_mw=_adjusted_supply(problem, schedule.supply_mw, power))


def _watts_of_feeders(problem: Problem, schedule: Schedule) -> Floats:
    it_power = np.zeros(schedule.it_power_mw.shape)
    for group in _groups(problem):
        owed_w = np.zeros(problem.steps)
        for row, k in group:
            target_w = schedule.it_power_mw[row] * W_PER_MW
            watts = np.where(schedule.on[row], _whole_watts(k, target_w, owed_w / k.overhead), np.rint(target_w))
            owed_w += (target_w - watts) * k.overhead
            it_power[row] = watts / W_PER_MW
    return it_power


def _groups(problem: Problem) -> Iterator[list[tuple[int, ContainerClass]]]:
    """Yield (row, class) of the containers of each feeder, then of those on none."""
    feeder_of = {name: f.name for f in problem.site.groups for name in f.classes}
    rows: dict[str | None, list[tuple[int, ContainerClass]]] = {}
    for row, (_, k) in enumerate(problem.containers):
        rows.setdefault(feeder_of.get(k.name), []).append((row, k))
    yield from rows.values()


def _whole_watts(k: ContainerClass, target_w: Floats, carried_w: Floats) -> Floats:
    lowest = np.ceil(k.lowest_it_power_mw * W_PER_MW - NOISE_W)
    highest = np.floor(k.highest_it_power_mw * W_PER_MW + NOISE_W)
    watts = np.clip(np.floor(target_w + carried_w + NOISE_W), lowest, np.maximum(lowest, highest))
    keep = (lowest > highest) | (target_w < lowest - 1) | (target_w > highest + 1)
    return np.where(keep, np.rint(target_w), watts)


def _adjusted_supply(problem: Problem, supply_mw: Floats, power_mw: Floats) -> Floats:
    """Return the supply changed as little as possible to meet `power_mw`, within what the sources offer.

    More is taken from the cheapest source with room, less from the most expensive in use; sources whose energy is
    limited over several steps come last.  What no source can give stays missing, and the audit names it.
    """
    offered = np.array([s.available_mw for s in problem.sources])
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    within = np.clip(supply_mw, 0.0, offered)
    # Only the solver's noise is taken off; a real excess stays for the audit.
    supply = np.where(np.abs(within - supply_mw) <= 1.0 / W_PER_MW, within, supply_mw)
    missing, kept = power_mw - supply.sum(axis=0), sources_over_time(problem)
    last = np.array([s.name in kept for s in problem.sources])
    for t in range(problem.steps):
        more = np.lexsort((prices[:, t], last))
        less = np.lexsort((-np.arange(len(last)), -prices[:, t], last))
        for j in more if missing[t] > 0 else less:
            change = np.clip(missing[t], min(0.0, -supply[j, t]), max(0.0, offered[j, t] - supply[j, t]))
            supply[j, t] += change
            missing[t] -= change
    return supply
