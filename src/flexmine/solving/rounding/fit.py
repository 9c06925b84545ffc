"""Whether whole counts leave a facility power within its limits: checked before a relaxation is solved for them."""

from __future__ import annotations

import numpy as np

from flexmine.problem import Floats
from flexmine.solving.rounding.facility import Facility, passed_on
from flexmine.solving.rounding.layout import Layout
from flexmine.solving.rounding.threshold import rounded_on

# Thresholds of one class that are compared, and how often all classes are gone through.
CANDIDATES = 16
SWEEPS = 3
SLACK_MW = 1e-7


class PowerFit:
    r"""Facility power that counts allow, against supply, cap, minimum and ramps.

    Counts n allow any power between :math:`\underline F_t = const_t + \sum_k \alpha n` and the same with all segments
    full.  A power within the limits exists exactly where, for all :math:`i < t`, the least power of t can be reached
    from the most of i, and the other way round.  (Feeders, and preheat, are left to the relaxation.)

    Parameters
    ----------
    layout : Layout
    facility : Facility
    widths : ndarray, shape (M, T)
        q <= width x n [MW].
    """

    def __init__(self, layout: Layout, facility: Facility, widths: Floats):
        self.layout, self.facility = layout, facility
        self.least = facility.per_container
        self.most = facility.per_container.copy()
        np.add.at(self.most, layout.segment_class, np.maximum(facility.per_segment, 0.0) * widths)

    def fitting(self, values: Floats, theta: Floats) -> Floats:
        """Return thresholds by class, shape (K, 1): `theta`, changed class by class until the power fits, if it can."""
        on = rounded_on(self.layout, values, theta)
        misfit = float(self._misfit((self.least * on).sum(axis=0), (self.most * on).sum(axis=0)))
        if misfit <= SLACK_MW:
            return theta
        steps = np.arange(CANDIDATES) / CANDIDATES
        tried = [rounded_on(self.layout, values, (theta + step) % 1.0) for step in steps]
        counts, chosen = np.stack(tried, axis=1), np.zeros(len(on), dtype=np.int64)
        for _ in range(SWEEPS):
            for k in range(len(on)):
                rest = on.copy()
                rest[k] = 0.0
                least = (self.least * rest).sum(axis=0) + self.least[k] * counts[k]
                most = (self.most * rest).sum(axis=0) + self.most[k] * counts[k]
                amounts = self._misfit(least, most)
                best = int(np.argmin(amounts))
                if amounts[best] < misfit - SLACK_MW:
                    misfit, chosen[k], on[k] = float(amounts[best]), best, counts[k, best]
                if misfit <= SLACK_MW:
                    return (theta + steps[chosen][:, None]) % 1.0
        return (theta + steps[chosen][:, None]) % 1.0

    def _misfit(self, least: Floats, most: Floats) -> Floats:
        """Return the sum of what limits are missed by [MW], over the last axis."""
        facility = self.facility
        low = np.maximum(facility.constant + least, facility.lowest)
        high = np.minimum(facility.constant + most, facility.highest)
        too_high = np.maximum(low - passed_on(high, facility.up[1:]), 0.0)
        too_low = np.maximum(-passed_on(-low, facility.down[1:]) - high, 0.0)
        missed: Floats = too_high.sum(axis=-1) + too_low.sum(axis=-1)
        return missed
