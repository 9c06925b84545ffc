"""Counts that the power in reach allows: valid for every plan, cheap, and the LP gap shrinks."""

from __future__ import annotations

import numpy as np

from flexmine.problem import Floats
from flexmine.solving.rounding.facility import SLACK, Facility
from flexmine.solving.rounding.layout import Layout


def tightened_counts(layout: Layout, facility: Facility, lower: Floats, upper: Floats) -> Floats:
    r"""Return upper bounds of all columns in which those of n hold what facility power can carry.

    .. math:: \alpha_{k,t} n_{k,t} \le \overline F_t - const_t - \sum_{k' \ne k} \min_{n_{k',t}} \alpha_{k',t} n_{k',t}

    Only where segments, and whatever else the step holds, can but add to the power.

    Parameters
    ----------
    layout : Layout
    facility : Facility
    lower, upper : ndarray, shape (columns,)
        Column bounds so far.
    """
    low, high = lower[layout.on], upper[layout.on]
    each = facility.per_container
    least = np.minimum(each * low, each * high)
    room = facility.highest - facility.constant - least.sum(axis=0) + least
    usable = facility.sound & np.all(facility.per_segment >= 0, axis=0) & (each > 0) & np.isfinite(room)
    most = np.floor(np.where(usable, room, 0.0) / np.where(usable, each, 1.0) + SLACK)
    tight = upper.copy()
    tight[layout.on] = np.where(usable, np.minimum(high, np.maximum(most, low)), high)
    return tight
