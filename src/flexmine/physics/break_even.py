"""The power price at which hashing stops paying: on average, at minimum power, and for each next step up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flexmine.physics.ranges import Floats, above, within


@dataclass(frozen=True)
class BreakEven:
    """Break-even power prices at the meter of one class [USD/MWh].

    Attributes
    ----------
    average : ndarray, shape (T,)
        At the last breakpoint (nameplate): what threshold tools use.
    at_minimum_power : ndarray, shape (T,)
        At the first breakpoint (minimum stable power).
    marginal : ndarray, shape (S, T)
        Of the next MWh in each segment of the mode curve: what decides between modes.
    """

    average: Floats
    at_minimum_power: Floats
    marginal: Floats


def average_break_even_usd_per_mwh(
    hashprice_usd_per_ph_s_day: ArrayLike, efficiency_j_per_th: ArrayLike, overhead: ArrayLike = 1.0
) -> Floats:
    r"""Return the power price at which a machine of a given efficiency earns nothing.

    Parameters
    ----------
    hashprice_usd_per_ph_s_day : array_like
        Hashprice [USD per PH/s per day].
    efficiency_j_per_th : array_like
        Efficiency [J/TH], above 0.
    overhead : array_like
        Facility power per IT power; 1 gives the price at the miner.

    Returns
    -------
    ndarray
        Break-even price at the meter [USD/MWh], broadcast shape.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    1 PH/s at :math:`e` J/TH draws :math:`e / 1000` MW, in a day :math:`24 e / 1000` MWh:

    .. math:: c = \frac{h}{24\,e / 1000\; a} = 41.667 \frac{h}{e\,a} .
    """
    hashprice = within("hashprice_usd_per_ph_s_day", hashprice_usd_per_ph_s_day, low=0)
    energy_mwh_per_day = 24 * above("efficiency_j_per_th", efficiency_j_per_th, 0) / 1000
    return hashprice / (energy_mwh_per_day * above("overhead", overhead, 0))


def marginal_break_even_usd_per_mwh(
    hash_value_usd_per_th_s_h: ArrayLike, it_power_mw: ArrayLike, hash_rate_th_s: ArrayLike, overhead: ArrayLike
) -> Floats:
    r"""Return the break-even price of the next MWh in each segment of a mode curve.

    Parameters
    ----------
    hash_value_usd_per_th_s_h : array_like, shape (T,)
        Hash value [USD per TH/s per h].
    it_power_mw, hash_rate_th_s : array_like, shape (S + 1,)
        Breakpoints of the mode curve; powers increasing [MW], [TH/s].
    overhead : array_like, shape (T,)
        Facility power per IT power.

    Returns
    -------
    ndarray, shape (S, T)
        [USD/MWh] at the meter.

    Raises
    ------
    ValueError
        Where powers do not increase, lengths differ or a value is out of range.

    Notes
    -----
    .. math:: c_{s,t} = v_t \, \frac{H_{s+1} - H_s}{P_{s+1} - P_s} \, / \, a_t .
    """
    power, rate = _curve(it_power_mw, hash_rate_th_s)
    slope = np.diff(rate) / np.diff(power)
    return slope[:, None] * _value_per_overhead(hash_value_usd_per_th_s_h, overhead)[None, :]


def container_break_even(
    hash_value_usd_per_th_s_h: ArrayLike, it_power_mw: ArrayLike, hash_rate_th_s: ArrayLike, overhead: ArrayLike
) -> BreakEven:
    r"""Return the break-even prices of one container: average, at minimum power and marginal.

    Parameters
    ----------
    hash_value_usd_per_th_s_h : array_like, shape (T,)
        Hash value [USD per TH/s per h], at least 0.
    it_power_mw, hash_rate_th_s : array_like, shape (S + 1,)
        Breakpoints of the mode curve; powers increasing and above 0 [MW], [TH/s].
    overhead : array_like, shape (T,)
        Facility power per IT power, above 0.

    Raises
    ------
    ValueError
        Where powers do not increase, lengths differ or a value is out of range.

    Notes
    -----
    Average, with the last breakpoint, and at minimum power, with the first:

    .. math:: c_t = \frac{v_t}{a_t} \frac{H_S}{P_S}, \qquad c_{min,t} = \frac{v_t}{a_t} \frac{H_0}{P_0} .
    """
    power, rate = _curve(it_power_mw, hash_rate_th_s)
    worth = _value_per_overhead(hash_value_usd_per_th_s_h, overhead)
    return BreakEven(
        average=worth * (rate[-1] / power[-1]),
        at_minimum_power=worth * (rate[0] / power[0]),
        marginal=marginal_break_even_usd_per_mwh(hash_value_usd_per_th_s_h, power, rate, overhead),
    )


def _value_per_overhead(hash_value_usd_per_th_s_h: ArrayLike, overhead: ArrayLike) -> Floats:
    value = within("hash_value_usd_per_th_s_h", hash_value_usd_per_th_s_h, low=0)
    return np.atleast_1d(value / above("overhead", overhead, 0))


def _curve(it_power_mw: ArrayLike, hash_rate_th_s: ArrayLike) -> tuple[Floats, Floats]:
    power = np.atleast_1d(above("it_power_mw", it_power_mw, 0))
    rate = np.atleast_1d(within("hash_rate_th_s", hash_rate_th_s, low=0))
    if power.shape != rate.shape:
        raise ValueError(f"it_power_mw has {power.size} breakpoints, hash_rate_th_s {rate.size}: as many are needed")
    if np.any(np.diff(power) <= 0):
        raise ValueError("it_power_mw: breakpoints must increase")
    return power, rate
