"""Break-even power prices of a class of the Problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flexmine.physics.break_even import container_break_even
from flexmine.problem import ContainerClass, Floats


@dataclass(frozen=True)
class BreakEven:
    """Break-even power prices at the meter by step, for one class [USD/MWh], each of shape (T,).

    Attributes
    ----------
    class_name : str
        Name of the class of the Problem.
    average_usd_per_mwh : ndarray
        Of running at full power: below it a full-power container earns.
    gentlest_usd_per_mwh : ndarray
        Of running at the lowest power rather than standing by.
    marginal_usd_per_mwh : ndarray, shape (modes, T)
        Of the energy of each step of the mode curve: first the lowest mode, then each segment.
    """

    class_name: str
    average_usd_per_mwh: Floats
    gentlest_usd_per_mwh: Floats
    marginal_usd_per_mwh: Floats


def break_even(k: ContainerClass) -> BreakEven:
    """Return the break-even prices at the meter of one class, by step [USD/MWh].

    For the lowest power as in :func:`gentle_break_even_usd_per_mwh`: a container that runs does not draw standby power.
    """
    prices = container_break_even(k.hash_value_usd_per_th_s_h, k.it_power_mw, k.hash_rate_th_s, k.overhead)
    netted = [gentle_break_even_usd_per_mwh(k, t) for t in range(len(k.overhead))]
    at_minimum_power = np.array(
        [plain if own is None else own for own, plain in zip(netted, prices.at_minimum_power, strict=True)]
    )
    return BreakEven(
        class_name=k.name,
        average_usd_per_mwh=prices.average,
        gentlest_usd_per_mwh=at_minimum_power,
        marginal_usd_per_mwh=np.vstack([at_minimum_power, prices.marginal]),
    )


def gentle_break_even_usd_per_mwh(k: ContainerClass, step: int) -> float | None:
    """Return the price in `step` at which one more container at its lowest power earns nothing [USD/MWh].

    It draws no standby power then, so that this is a little above the average of its lowest power.  None where running
    draws no more than standing by.
    """
    lowest_mw = float(k.lowest_it_power_mw[step])
    added_mw = float(k.overhead[step]) * lowest_mw - float(k.standby_mw[step])
    rate = float(np.interp(lowest_mw, k.it_power_mw, k.hash_rate_th_s))
    return float(k.hash_value_usd_per_th_s_h[step]) * rate / added_mw if added_mw > 0 else None


def harder_break_even_usd_per_mwh(k: ContainerClass, step: int, it_power_mw: float, slack_mw: float) -> float | None:
    """Return the power price at which running harder earns nothing [USD/MWh]; None at the highest power.

    Parameters
    ----------
    k : ContainerClass
    step : int
    it_power_mw : float
        IT power of one container now [MW].
    slack_mw : float
        Within so much of its highest power in the step, a container cannot run harder [MW].
    """
    if it_power_mw >= float(k.highest_it_power_mw[step]) - slack_mw:
        return None
    ahead = int(np.searchsorted(k.it_power_mw[1:], it_power_mw + slack_mw, side="right"))
    slope = (k.hash_rate_th_s[ahead + 1] - k.hash_rate_th_s[ahead]) / (k.it_power_mw[ahead + 1] - k.it_power_mw[ahead])
    return float(k.hash_value_usd_per_th_s_h[step] * slope / k.overhead[step])
