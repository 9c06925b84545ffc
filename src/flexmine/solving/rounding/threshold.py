"""Whole counts from fractional ones: thresholds of cumulative starts and stops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flexmine.problem import Floats
from flexmine.solving.rounding.layout import Layout

THETAS = (0.5, 0.3, 0.7, 0.1, 0.9)
# Fractions of an irrational number are spread evenly: classes that round at different thresholds share what is lost.
SPREAD = 0.6180339887498949
GRID = 7


def thresholds(classes: int, number: int) -> Iterator[Floats]:
    """Yield at most `number` vectors of thresholds for K = `classes`, shape (K, 1).

    With several classes, vectors that differ from class to class alternate with equal ones.
    """
    spread = np.arange(classes)[:, None] * SPREAD
    tried: list[Floats] = []
    for theta in THETAS:
        alike = np.full((classes, 1), theta)
        tried += [alike] if classes == 1 else [(alike + spread) % 1.0, alike]
    yield from tried[:number]


def rounded_counts(layout: Layout, values: Floats, theta: Floats) -> Floats:
    r"""Return whole n, y, z in the order of `Layout.counts`, shape (3 K T,).

    .. math:: Y_t = \lfloor \sum_{i \le t} y_i + \theta \rfloor, \quad Z_t = \lfloor \sum_{i \le t} z_i + \theta \rfloor

    Logic, minimum times, and limits on a count of one class are differences of Y and Z below a whole number, and
    :math:`a \le b + c` with whole c gives :math:`\lfloor a + \theta \rfloor \le \lfloor b + \theta \rfloor + c`.  Hence
    every theta keeps all of them exactly.  What is left warm, h, is left to the relaxation: ``warm_pool_backed`` with
    h = 0 is the minimum down time, and takes no n, y, z away that the other rows allow.

    Parameters
    ----------
    layout : Layout
    values : ndarray, shape (columns,)
        A point of the relaxation.
    theta : ndarray, shape (K, 1)
        Threshold of each class, in [0, 1).
    """
    started, stopped = _cumulated(layout, values, theta)
    on = layout.on_before + started - stopped
    start, stop = np.diff(started, axis=1, prepend=0.0), np.diff(stopped, axis=1, prepend=0.0)
    return np.concatenate([on.ravel(), start.ravel(), stop.ravel()])


def rounded_on(layout: Layout, values: Floats, theta: Floats) -> Floats:
    """Return the whole n of :func:`rounded_counts` with the same `theta`, shape (K, T)."""
    started, stopped = _cumulated(layout, values, theta)
    return layout.on_before + started - stopped


def _cumulated(layout: Layout, values: Floats, theta: Floats) -> tuple[Floats, Floats]:
    # Sums of floats that stand for the same number must round to the same one.
    started = np.floor(np.round(np.cumsum(values[layout.start], axis=1), GRID) + theta)
    stopped = np.floor(np.round(np.cumsum(values[layout.stop], axis=1), GRID) + theta)
    return started, stopped
