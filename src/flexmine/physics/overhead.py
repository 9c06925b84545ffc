"""What outside air does to a running container: overhead, derating, and the least heat that keeps the inlet warm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flexmine.physics.ranges import Floats, above, within


def overhead(temperature_c: ArrayLike, base: float, per_k: float, above_c: float) -> Floats:
    r"""Return facility power per IT power of a running container.

    Parameters
    ----------
    temperature_c : array_like, shape (T,)
        Outside air [C], -90 to 70.
    base : float
        Overhead in the cold, at least 1.
    per_k, above_c : float
        Rise per kelvin [1/K] above a temperature [C].

    Returns
    -------
    ndarray, shape (T,)
        Facility power per IT power: fans, transformer and line losses.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: a(T) = a_0 + a_1 \max(0, T - T_a)
    """
    air = _outside(temperature_c)
    return within("base", base, low=1) + within("per_k", per_k, low=0) * np.maximum(
        0.0, air - within("above_c", above_c)
    )


def highest_it_power_mw(
    temperature_c: ArrayLike,
    full_it_power_mw: float,
    *,
    derate_from_c: float,
    stop_c: float,
    share_at_stop: float,
    inlet_rise_k: float = 0.0,
) -> Floats:
    r"""Return the highest IT power of a container in the heat.

    Parameters
    ----------
    temperature_c : array_like, shape (T,)
        Outside air [C].
    full_it_power_mw : float
        Highest IT power of the mode curve [MW].
    derate_from_c, stop_c : float
        Inlet temperatures at which derating begins, and above which miners switch off [C].
    share_at_stop : float
        Share of full power left at `stop_c`, 0 to 1.
    inlet_rise_k : float
        Inlet above outside air by hot recirculation [K].

    Returns
    -------
    ndarray, shape (T,)
        [MW]; 0 above `stop_c`.

    Raises
    ------
    ValueError
        Where a value is out of range or `stop_c` is not above `derate_from_c`.

    Notes
    -----
    Linear between the two temperatures; a tested S21 goes from 490 to 440 MHz between 40 and 47 C [1]_.

    References
    ----------
    .. [1] BTCWire, "Antminer S21 review", hackernoon.com, 2024-03-11.
    """
    inlet_c = _outside(temperature_c) + within("inlet_rise_k", inlet_rise_k, low=0)
    if not within("stop_c", stop_c) > within("derate_from_c", derate_from_c):
        raise ValueError(f"stop_c ({stop_c:g}) must be above derate_from_c ({derate_from_c:g})")
    depth = np.clip((inlet_c - derate_from_c) / (stop_c - derate_from_c), 0.0, 1.0)
    share = 1.0 - depth * (1.0 - float(within("share_at_stop", share_at_stop, 0, 1)))
    return above("full_it_power_mw", full_it_power_mw, 0) * np.where(inlet_c > stop_c, 0.0, share)


def lowest_it_power_mw(
    temperature_c: ArrayLike,
    inlet_min_c: float,
    recirculation_max: float,
    air_conductance_kw_per_k: float,
    minimum_flow_share: float,
) -> Floats:
    r"""Return the least IT power whose recirculated heat keeps the inlet at its minimum in the cold.

    Parameters
    ----------
    temperature_c : array_like, shape (T,)
        Outside air [C].
    inlet_min_c : float
        Lowest inlet temperature of the miners [C].
    recirculation_max : float
        Largest share of exhaust air that the dampers can lead back, 0 to 1.
    air_conductance_kw_per_k : float
        Heat carried per kelvin by the full air flow [kW/K]; 84 for 400 miners of 370 cfm.
    minimum_flow_share : float
        Lowest share of that flow at which the fans can run, above 0 to 1.

    Returns
    -------
    ndarray, shape (T,)
        [MW], 0 where the air is warm enough, infinity where it is not and nothing can be led back.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    With a recirculated share r and a rise dT over the miners, :math:`T_{in} = T_o + r\,dT/(1-r)`, and
    :math:`dT = P/(G f)`.  The least power takes the most recirculation at the least flow:

    .. math:: P_{min} = G f \, \frac{1-r_{max}}{r_{max}} \, \max(0, T_{in,min} - T_o)
    """
    share = float(within("recirculation_max", recirculation_max, 0, 1))
    flow = float(above("minimum_flow_share", within("minimum_flow_share", minimum_flow_share, 0, 1), 0))
    lift_k = np.maximum(0.0, float(within("inlet_min_c", inlet_min_c)) - _outside(temperature_c))
    carried_mw_per_k = float(above("air_conductance_kw_per_k", air_conductance_kw_per_k, 0)) * flow / 1000
    if share == 0:
        return np.where(lift_k > 0, np.inf, 0.0)
    return carried_mw_per_k * (1 - share) / share * lift_k


def _outside(temperature_c: ArrayLike) -> Floats:
    return within("temperature_c", temperature_c, -90, 70)
