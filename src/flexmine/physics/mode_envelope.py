"""What a container of many miners can do: the upper concave envelope of all mixes of presets and sleeping miners."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flexmine.physics.ranges import Floats
from flexmine.physics.units import W_PER_MW

# A preset this little (relative) below the chord of its neighbours counts as lying on it, and stays usable.
CHORD_SLACK = 1e-9
WHOLE = 1e-9


def envelope_levels(power_w: ArrayLike, hash_rate_th_s: ArrayLike, sleep_w: float) -> NDArray[np.int64]:
    r"""Return which settings of one miner lie on the upper concave envelope, by increasing power.

    Parameters
    ----------
    power_w, hash_rate_th_s : array_like, shape (P,)
        Presets of one miner [W, TH/s], in any order.
    sleep_w : float
        Power of a sleeping miner [W], below every preset.

    Returns
    -------
    ndarray of int, shape (E,)
        Level 0 is the sleeping miner, level j the preset j - 1; the first is always 0, the last the preset of the
        highest power.  Of two presets with equal power the one with more hash rate counts.

    Raises
    ------
    ValueError
        Without presets, or where a preset draws no more than a sleeping miner.
    """
    power = np.concatenate([[sleep_w], np.asarray(power_w, dtype=np.float64)])
    rate = np.concatenate([[0.0], np.asarray(hash_rate_th_s, dtype=np.float64)])
    if power.size < 2 or power.size != rate.size:
        raise ValueError(f"{power.size - 1} preset powers and {rate.size - 1} hash rates; at least one of each")
    if power[1:].min() <= sleep_w:
        raise ValueError(f"a preset of {power[1:].min():g} W draws no more than a sleeping miner, {sleep_w:g} W")
    kept: list[int] = []
    for level in np.lexsort((rate, power)):
        while kept and power[kept[-1]] == power[level]:
            kept.pop()
        while len(kept) > 1 and _below_chord(power, rate, kept[-2], kept[-1], int(level)):
            kept.pop()
        kept.append(int(level))
    return np.array(kept, dtype=np.int64)


def mode_envelope(
    power_w: ArrayLike,
    hash_rate_th_s: ArrayLike,
    *,
    count: int,
    sleep_w: float,
    fixed_mw: float,
    minimum_power_mw: float,
) -> tuple[Floats, Floats]:
    r"""Return the mode curve of a container of `count` whole miners.

    Parameters
    ----------
    power_w, hash_rate_th_s : array_like, shape (P,)
        Presets of one miner [W, TH/s].
    count : int
        Miners in the container.
    sleep_w : float
        Power of a sleeping miner [W].
    fixed_mw : float
        Controllers, switches and light of a running container [MW].
    minimum_power_mw : float
        Lowest IT power at which the container is stable, by flow and heat [MW].

    Returns
    -------
    it_power_mw : ndarray, shape (S + 1,)
        Breakpoints, increasing [MW]; the first is the lowest mix of whole miners on the envelope at or above
        `minimum_power_mw`.  Every breakpoint is a mix of at most two neighbouring levels.
    hash_rate_th_s : ndarray, shape (S + 1,)
        Hash rate at the breakpoints, concave in power [TH/s].

    Raises
    ------
    ValueError
        Where the minimum is above all miners at their highest preset, or not above all miners asleep.

    Notes
    -----
    A mix of :math:`n_j` miners at level :math:`j` (:math:`j = 0`: asleep, no hash) draws
    :math:`p = p_\text{fix} + \sum_j n_j w_j` and yields :math:`h = \sum_j n_j h_j` with :math:`\sum_j n_j = M`, so

    .. math:: H(p) = \max\Bigl\{\sum_j n_j h_j : \sum_j n_j w_j = p - p_\text{fix},\ \sum_j n_j = M,\ n \ge 0\Bigr\},

    which for real :math:`n` is :math:`M` times the upper concave envelope of the points :math:`(w_j, h_j)`; its
    corners are whole mixes, and between them whole miners lie on it in steps of one miner.
    """
    levels = envelope_levels(power_w, hash_rate_th_s, sleep_w)
    level_w = np.concatenate([[sleep_w], np.asarray(power_w, dtype=np.float64)])[levels]
    level_th_s = np.concatenate([[0.0], np.asarray(hash_rate_th_s, dtype=np.float64)])[levels]
    corner_mw = fixed_mw + count * level_w / W_PER_MW
    if minimum_power_mw <= corner_mw[0]:
        raise ValueError(
            f"the minimum power of {minimum_power_mw:g} MW is not above the {corner_mw[0]:.6g} MW that the container "
            f"draws with all {count} miners asleep"
        )
    if minimum_power_mw > corner_mw[-1] + WHOLE:
        raise ValueError(
            f"the minimum power of {minimum_power_mw:g} MW is above the {corner_mw[-1]:.6g} MW that the container "
            f"draws with all {count} miners at their highest preset"
        )
    i = int(np.searchsorted(corner_mw, minimum_power_mw - WHOLE)) - 1
    upper = int(np.ceil((minimum_power_mw - corner_mw[i]) * W_PER_MW / (level_w[i + 1] - level_w[i]) - WHOLE))
    upper = min(max(upper, 1), count)
    first_mw = fixed_mw + (upper * level_w[i + 1] + (count - upper) * level_w[i]) / W_PER_MW
    first_th_s = upper * level_th_s[i + 1] + (count - upper) * level_th_s[i]
    rest = slice(i + 2, None) if upper == count else slice(i + 1, None)
    power_mw = np.concatenate([[first_mw], corner_mw[rest]])
    return np.round(power_mw, 9), np.concatenate([[first_th_s], count * level_th_s[rest]])


def largest_step_w(power_w: ArrayLike, hash_rate_th_s: ArrayLike, sleep_w: float) -> float:
    """Return the largest power step of one miner between neighbouring levels of the envelope [W].

    Parameters
    ----------
    power_w, hash_rate_th_s : array_like, shape (P,)
        Presets of one miner [W, TH/s], in any order.
    sleep_w : float
        Power of a sleeping miner [W], below every preset.

    Raises
    ------
    ValueError
        Without presets, or where a preset draws no more than a sleeping miner.
    """
    levels = envelope_levels(power_w, hash_rate_th_s, sleep_w)
    level_w = np.concatenate([[sleep_w], np.asarray(power_w, dtype=np.float64)])[levels]
    return float(np.diff(level_w).max())


def _below_chord(power: Floats, rate: Floats, a: int, b: int, c: int) -> bool:
    """Whether point b lies below the straight line from a to c."""
    chord = rate[a] + (rate[c] - rate[a]) * (power[b] - power[a]) / (power[c] - power[a])
    return bool(rate[b] < chord - CHORD_SLACK * max(1.0, abs(chord)))
