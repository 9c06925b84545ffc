"""What the matrix states about facility power: who draws it, and between which limits it can move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.standard_form import Matrix

# No bound is moved by less than this share: what rounding errors decide is left as it is.
SLACK = 1e-7


@dataclass(frozen=True)
class Facility:
    """Facility power by step, ``F = constant + sum_k per_container n + sum_m per_segment q + other`` [MW].

    Attributes
    ----------
    constant : ndarray, shape (T,)
    per_container : ndarray, shape (K, T)
        MW that one more running container adds at its lowest power.
    per_segment : ndarray, shape (M, T)
        Facility MW per IT MW.
    plain : ndarray of bool, shape (T,)
        Whether counts and segments are all there is (no preheat in this step).
    sound : ndarray of bool, shape (T,)
        Whether all that is `other` can only add power.
    up, down : ndarray, shape (T,)
        By how much the power may rise and fall into each step; infinite where there is no ramp.
    highest, lowest : ndarray, shape (T,)
        Limits of F that follow from the site's cap and minimum, the supply, and the ramps from the measured power.
    """

    constant: Floats
    per_container: Floats
    per_segment: Floats
    plain: np.ndarray
    sound: np.ndarray
    up: Floats
    down: Floats
    highest: Floats
    lowest: Floats


def facility_of(matrix: Matrix, layout: Layout, lower: Floats, upper: Floats) -> Facility:
    """Return what the rows of the facility balance say within the column bounds `lower` and `upper`, (columns,)."""
    steps, entries = len(layout.facility), layout.entries
    columns, step, size = entries.balance_column, entries.balance_step, matrix.A.data[entries.balance]
    own = columns == layout.facility[step]
    scale = np.ones(steps)
    scale[step[own]] = size[own]
    adds = -size / scale[step]
    per_column = np.zeros(len(lower))
    per_column[columns] = adds
    known = own.copy()
    roles = np.zeros(len(lower), dtype=bool)
    roles[layout.on.ravel()] = roles[layout.segment.ravel()] = True
    known |= roles[columns]
    plain, sound = np.ones(steps, dtype=bool), np.ones(steps, dtype=bool)
    plain[step[~known]] = False
    sound[step[~known & ((adds < 0) | (lower[columns] < 0))]] = False
    up, down = _climb(matrix, layout.ramp_up, steps), _climb(matrix, layout.ramp_down, steps)
    highest, lowest = _reach(layout, lower, upper, up, down)
    return Facility(
        constant=matrix.row_upper[layout.balance] / scale,
        per_container=per_column[layout.on],
        per_segment=per_column[layout.segment],
        plain=plain,
        sound=sound,
        up=up,
        down=down,
        highest=highest,
        lowest=lowest,
    )


def _reach(layout: Layout, lower: Floats, upper: Floats, up: Floats, down: Floats) -> tuple[Floats, Floats]:
    highest = np.minimum(upper[layout.facility], upper[layout.supply].sum(axis=0))
    lowest = lower[layout.facility].copy()
    before = layout.facility_before
    start = (np.inf, -np.inf) if before is None else (upper[before], lower[before])
    # From step to step the power rises by at most `up` and falls by at most `down`, forwards and, read backwards, too.
    highest = passed_on(np.concatenate([[start[0]], highest]), up)[1:]
    lowest = -passed_on(np.concatenate([[-start[1]], -lowest]), down)[1:]
    highest = passed_on(highest[::-1], down[:0:-1])[::-1]
    lowest = -passed_on(-lowest[::-1], up[:0:-1])[::-1]
    return highest, lowest


def _climb(matrix: Matrix, rows: Ints, steps: int) -> Floats:
    """Return by how much the power may move into each step, shape (T,)."""
    if not len(rows):
        return np.full(steps, np.inf)
    return np.maximum(0.0, matrix.row_upper[rows])


def passed_on(limit: Floats, climb: Floats) -> Floats:
    r"""Return the limits on power that follow from those of the earlier steps, along the last axis [MW].

    .. math:: \min_{i \le t} \bigl( limit_i + climb_i + \dots + climb_{t-1} \bigr)

    Parameters
    ----------
    limit : ndarray, shape (..., T)
        Highest power of each step [MW].
    climb : ndarray, shape (T - 1,)
        By how much power may rise from each step to the next [MW]; where any is infinite, `limit` is returned.
    """
    if not np.isfinite(climb).all():
        return limit
    total = np.concatenate([[0.0], np.cumsum(climb)])
    within: Floats = np.minimum.accumulate(limit - total, axis=-1) + total
    return within
