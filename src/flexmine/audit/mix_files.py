"""Reading the mixes of miners back from the cells of setpoints.csv, for the audit: nothing repaired."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import Miners, Problem

PART = re.compile(r"(?P<watts>[0-9]+(\.[0-9]+)?)x(?P<count>[1-9][0-9]{0,6})")
# Watts are written with 6 decimals at most.
SAME_W = 1e-6


def read_mixes(problem: Problem, cells: np.ndarray, faults: list[str]) -> NDArray[np.int32] | None:
    """Return the miners by container, step and level that the cells of `miner_mix` name; None without miners.

    Parameters
    ----------
    problem : Problem
    cells : ndarray of str, shape (containers, T)
    faults : list of str
        Receives a sentence for each cell that cannot be read, or that names a power that no miner of the class has.
    """
    if all(k.miners is None for k in problem.classes):
        return None
    levels = 1 + max(len(k.miners.presets) for k in problem.classes if k.miners is not None)
    mixes = np.zeros((*cells.shape, levels), dtype=np.int32)
    for i, (name, k) in enumerate(problem.containers):
        for t in np.flatnonzero(cells[i] != ""):
            if k.miners is None:
                continue
            fault = _read(k.miners, str(cells[i, t]), mixes[i, t])
            if fault:
                time = problem.time.begin(int(t)).isoformat(sep=" ", timespec="minutes")
                faults.append(f"setpoints.csv: miner_mix of container {name} at {time}: {fault}")
    return mixes


def _read(miners: Miners, text: str, counts: NDArray[np.int32]) -> str | None:
    """Fill the counts by level; return what is wrong with the text, None where nothing is."""
    level_w = (miners.sleep_w, *(power_w for power_w, _ in miners.presets))
    for part in text.split(";"):
        found = PART.fullmatch(part)
        if found is None:
            return f"{part!r} is not of the form WATTSxCOUNT."
        near = [j for j, w in enumerate(level_w) if abs(w - float(found["watts"])) <= SAME_W]
        if not near:
            allowed = ", ".join(f"{w:g}" for w in level_w)
            return f"no miner of the class draws {found['watts']} W; allowed are {allowed} W."
        if counts[near[0]]:
            return f"{found['watts']} W stands twice."
        counts[near[0]] = int(found["count"])
    return None
