"""The mix of a container's miners as it stands in setpoints.csv: ``2024x243;25x157``, the highest preset first."""

from __future__ import annotations

import numpy as np

from flexmine.problem import Miners, Problem
from flexmine.problem.schedule import Schedule


def mix_text(miners: Miners, counts: np.ndarray) -> str:
    """Return ``WATTSxCOUNT;...`` of the levels that hold miners, sleepers included.

    Parameters
    ----------
    miners : Miners
    counts : ndarray of int, shape (levels,)
        Miners at each level: 0 asleep, j the preset j - 1.
    """
    level_w = (miners.sleep_w, *(power_w for power_w, _ in miners.presets))
    held = sorted(((w, int(n)) for w, n in zip(level_w, counts, strict=False) if n), reverse=True)
    return ";".join(f"{watts_text(w)}x{n}" for w, n in held)


def watts_text(power_w: float) -> str:
    """Return a power `power_w` [W] without an exponent and without trailing zeros."""
    return f"{power_w:.6f}".rstrip("0").rstrip(".")


def miner_columns(problem: Problem, schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells of `miners_on` and `miner_mix`, shape (containers, T).

    Both are empty for a class without miners; a container that is not running has 0 miners on and no mix.
    """
    awake = np.full(schedule.on.shape, "", dtype=object)
    mix = np.full(schedule.on.shape, "", dtype=object)
    if schedule.mixes is None:
        return awake, mix
    for row, (_, k) in enumerate(problem.containers):
        if k.miners is None:
            continue
        awake[row] = [str(n) for n in schedule.mixes[row, :, 1:].sum(axis=1)]
        for t in np.flatnonzero(schedule.on[row]):
            mix[row, t] = mix_text(k.miners, schedule.mixes[row, t])
    return awake, mix
