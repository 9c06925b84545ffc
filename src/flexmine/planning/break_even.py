"""Break-even power prices of a class of the Problem."""

from __future__ import annotations

import numpy as np

from flexmine.physics.break_even import container_break_even
from flexmine.planning.plan import BreakEven
from flexmine.problem import ContainerClass


def break_even(k: ContainerClass) -> BreakEven:
    """Return the break-even prices at the meter of one class, by step [USD/MWh]."""
    prices = container_break_even(k.hash_value_usd_per_th_s_h, k.it_power_mw, k.hash_rate_th_s, k.overhead)
    return BreakEven(
        class_name=k.name,
        average_usd_per_mwh=prices.average,
        gentlest_usd_per_mwh=prices.gentlest,
        marginal_usd_per_mwh=np.vstack([prices.gentlest, prices.marginal]),
    )
