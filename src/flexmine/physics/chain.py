"""When the block chain changes what a hash earns: expected hours of the difficulty retarget and of the halvings."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from flexmine.physics.hash_value import BLOCKS_PER_HALVING, HASHES_PER_DIFFICULTY
from flexmine.physics.ranges import Floats, above, within
from flexmine.physics.units import SECONDS_PER_HOUR

BLOCKS_PER_RETARGET = 2016
TARGET_INTERVAL_S = 600.0
HASHES_PER_EXAHASH = 1e18


def block_interval_s(
    difficulty: float, network_hash_rate_eh_s: float | None = None, expected_change: float | None = None
) -> float:
    r"""Return the mean time from block to block until the next retarget.

    Parameters
    ----------
    difficulty : float
        Network difficulty, above 0.
    network_hash_rate_eh_s : float, optional
        Hash rate of the whole network [EH/s], above 0; where known, it decides.
    expected_change : float, optional
        Expected change of the difficulty at the retarget, as a share (-0.05: 5 % down); else this decides.

    Returns
    -------
    float
        Block interval [s]; 600 s where neither is known.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    A block takes :math:`D\,2^{32}` hashes on average, hence with the network's hash rate :math:`R`

    .. math:: m = D\,2^{32} / R.

    The retarget makes :math:`D'/D = 2016 \cdot 600\,\mathrm{s} / T`, with :math:`T` the time that the epoch took
    [1]_; a change of :math:`c` therefore implies that its blocks come every

    .. math:: m = 600\,\mathrm{s} / (1 + c).

    References
    ----------
    .. [1] Bitcoin Core, ``CalculateNextWorkRequired`` in pow.cpp (which also limits the factor to 1/4 ... 4).
    """
    if network_hash_rate_eh_s is not None:
        hashes = float(above("difficulty", difficulty, 0)) * HASHES_PER_DIFFICULTY
        return hashes / (float(above("network_hash_rate_eh_s", network_hash_rate_eh_s, 0)) * HASHES_PER_EXAHASH)
    if expected_change is not None:
        return TARGET_INTERVAL_S / (1.0 + float(within("expected_change", expected_change, -0.75, 3.0)))
    return TARGET_INTERVAL_S


def next_retarget_height(block_height: int) -> int:
    """Return the first height after `block_height` at which the difficulty changes, a multiple of 2016."""
    return (block_height // BLOCKS_PER_RETARGET + 1) * BLOCKS_PER_RETARGET


def halving_heights(block_height: int, last_height: float) -> list[int]:
    """Return the heights after `block_height` and up to `last_height` at which the subsidy halves."""
    first = (block_height // BLOCKS_PER_HALVING + 1) * BLOCKS_PER_HALVING
    return list(range(first, math.floor(last_height) + 1, BLOCKS_PER_HALVING))


def hours_to_block(height: int, block_height: int, interval_s: float) -> tuple[float, float]:
    r"""Return when the network is expected to begin to work on a block, and the standard deviation of that.

    Parameters
    ----------
    height, block_height : int
        The block, and the block that is worked on now.
    interval_s : float
        Mean block interval [s], above 0.

    Returns
    -------
    hours : float
        Expected time from now [h].
    deviation_h : float
        Standard deviation of that time [h].

    Raises
    ------
    ValueError
        Where `height` is below `block_height`, or `interval_s` is not above 0.

    Notes
    -----
    Blocks come as a Poisson process, so that :math:`n` of them take :math:`n m \pm \sqrt{n}\,m`.
    """
    blocks = float(within("blocks to go", height - block_height, low=0))
    interval_h = float(above("interval_s", interval_s, 0)) / SECONDS_PER_HOUR
    return blocks * interval_h, math.sqrt(blocks) * interval_h


def share_after(hours: float, steps: int, step_h: float) -> Floats:
    """Return the share of each step that lies after an hour.

    Parameters
    ----------
    hours : float
        The hour, counted from the beginning of the first step [h].
    steps : int
        Number of steps T.
    step_h : float
        Length of a step [h].

    Returns
    -------
    ndarray, shape (T,)
        0 to 1.
    """
    ends = step_h * np.arange(1, steps + 1)
    return np.clip((ends - hours) / step_h, 0.0, 1.0)


def mean_over_steps(values: ArrayLike, hours: ArrayLike, steps: int, step_h: float) -> Floats:
    r"""Return the mean over each step of a quantity that is constant between a few changes.

    Parameters
    ----------
    values : array_like, shape (n + 1,)
        Before the first change and after each one.
    hours : array_like, shape (n,)
        Hours of the changes from the first step on, rising [h].
    steps : int
        Number of steps T.
    step_h : float
        Length of a step [h].

    Returns
    -------
    ndarray, shape (T,)
        In the unit of the values.

    Notes
    -----
    .. math:: \bar v_t = v_0 + \sum_i (v_i - v_{i-1})\,s_{i,t}

    with :math:`s_{i,t}` the share of step :math:`t` after change :math:`i`.  A container holds its power during a
    step, so what it earns in a step is its hash rate times this mean: a change within a step is counted exactly.
    """
    levels, times = np.asarray(values, dtype=float), np.asarray(hours, dtype=float)
    mean = np.full(steps, levels[0])
    for change, hour in zip(np.diff(levels), times, strict=True):
        mean = mean + change * share_after(float(hour), steps, step_h)
    return mean
