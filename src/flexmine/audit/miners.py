"""The audit of whole miners: what a mix draws and yields, and whether the container can hold it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import Floats, Miners

W_PER_MW = 1e6
WATT = 1.0
# Binary noise of a power in MW, far below a watt.
NOISE_W = 1e-3

Mixes = NDArray[np.int32]
"""Miners by container, step and level, shape (count, T, levels); level 0 asleep, level j the preset j - 1."""


def level_values(miners: Miners, levels: int) -> tuple[Floats, Floats]:
    """Return power [W] and hash rate [TH/s] of `levels` levels, each of shape (levels,); 0 beyond the class's own."""
    power, rate = np.zeros(levels), np.zeros(levels)
    power[0] = miners.sleep_w
    for level, (power_w, hash_rate_th_s) in enumerate(miners.presets, start=1):
        power[level], rate[level] = power_w, hash_rate_th_s
    return power, rate


def mix_power_w(miners: Miners, mixes: Mixes) -> Floats:
    """Return the IT power of running containers with these mixes [W], fixed draw included, shape (count, T)."""
    return np.asarray(miners.fixed_mw * W_PER_MW + mixes @ level_values(miners, mixes.shape[-1])[0])


def mix_hash_rate_th_s(miners: Miners, mixes: Mixes) -> Floats:
    """Return the hash rate of these mixes [TH/s], shape (count, T)."""
    return np.asarray(mixes @ level_values(miners, mixes.shape[-1])[1])


def one_miner_mw(miners: Miners) -> float:
    """Return what one miner draws more at its highest preset than asleep [MW]."""
    return (max(power_w for power_w, _ in miners.presets) - miners.sleep_w) / W_PER_MW


def mix_faults(
    miners: Miners, mixes: Mixes, on: NDArray[np.bool_], it_power_mw: Floats
) -> Iterator[tuple[str, int, int, float, str]]:
    """Yield (limit, row, step, amount, words) of each mix that no container of the class can hold.

    A running container's mix counts all its miners, none of them negative or at a level that the class does not
    have, and draws the container's IT power to 1 W; one that is off has none.

    Parameters
    ----------
    miners : Miners
    mixes : ndarray of int, shape (count, T, levels)
        Miners at each level.
    on : ndarray of bool, shape (count, T)
        Whether each container runs.
    it_power_mw : ndarray, shape (count, T)
        IT power of each container [MW].
    """
    own = 1 + len(miners.presets)
    wrong = np.where(on, mixes.sum(axis=2) != miners.count, mixes.any(axis=2))
    wrong |= (mixes < 0).any(axis=2) | mixes[:, :, own:].any(axis=2)
    for row, t in zip(*np.nonzero(wrong), strict=True):
        found, wanted = int(mixes[row, t].sum()), miners.count if on[row, t] else 0
        words = f"its mix counts {found} miners at the presets of its class; {wanted} are expected."
        yield "miner_count", int(row), int(t), abs(found - wanted), words
    drawn_w, power_w = mix_power_w(miners, mixes), it_power_mw * W_PER_MW
    apart = on & ~wrong & ~(np.abs(drawn_w - power_w) <= WATT + NOISE_W)
    for row, t in zip(*np.nonzero(apart), strict=True):
        words = f"its mix draws {drawn_w[row, t]:.0f} W, its IT power is {power_w[row, t]:.0f} W; 1 W is allowed."
        yield "miner_power", int(row), int(t), abs(float(drawn_w[row, t] - power_w[row, t])) / W_PER_MW, words
