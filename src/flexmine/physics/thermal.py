"""How long a container that stopped stays warm, and what it takes to warm one up.

One thermal mass: ``C dT/dt = Q - UA (T - T_outside)``, with everything constant within a step, so that the
exponential update is exact.  ``T_outside`` is the sol-air temperature of the box, or the air itself with fans on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flexmine.physics.ranges import Floats, above, within
from flexmine.physics.units import SECONDS_PER_HOUR


def cool(
    inside_c: ArrayLike,
    outside_c: ArrayLike,
    heat_w: ArrayLike,
    *,
    heat_capacity_j_per_k: float,
    conductance_w_per_k: float,
    duration_h: float,
) -> Floats:
    r"""Return the temperature of a box after a while of constant weather.

    Parameters
    ----------
    inside_c, outside_c : array_like
        Temperature of the box at the beginning, and what it relaxes to without heat [C].
    heat_w : array_like
        Heat released inside [W].
    heat_capacity_j_per_k : float
        C [J/K], above 0.
    conductance_w_per_k : float
        UA [W/K], above 0.
    duration_h : float
        Time in this weather [h], at least 0.

    Returns
    -------
    ndarray
        [C], broadcast shape.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: T(d) = T_\infty + (T(0) - T_\infty)\,e^{-d\,UA/C}, \qquad T_\infty = T_o + Q / UA
    """
    conductance = above("conductance_w_per_k", conductance_w_per_k, 0)
    rest_c = within("outside_c", outside_c) + within("heat_w", heat_w, low=0) / conductance
    seconds = within("duration_h", duration_h, low=0) * SECONDS_PER_HOUR
    decay = np.exp(-seconds * conductance / above("heat_capacity_j_per_k", heat_capacity_j_per_k, 0))
    return rest_c + (within("inside_c", inside_c) - rest_c) * decay


def hours_until_c(
    inside_c: float,
    limit_c: float,
    outside_c: float,
    heat_w: float,
    *,
    heat_capacity_j_per_k: float,
    conductance_w_per_k: float,
) -> float:
    r"""Return how long a box takes to cool to a limit in constant weather.

    Parameters
    ----------
    inside_c : float
        Temperature of the box at the beginning [C].
    limit_c : float
        Temperature to which it is to cool [C].
    outside_c : float
        What the box relaxes to without heat [C].
    heat_w : float
        Heat released inside [W], at least 0.
    heat_capacity_j_per_k : float
        C [J/K], above 0.
    conductance_w_per_k : float
        UA [W/K], above 0.

    Returns
    -------
    float
        [h]; 0 where it is there already, infinity where it never gets there.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: d = \frac{C}{UA} \ln \frac{T(0) - T_\infty}{T_{lim} - T_\infty}
    """
    conductance = float(above("conductance_w_per_k", conductance_w_per_k, 0))
    rest_c = float(within("outside_c", outside_c)) + float(within("heat_w", heat_w, low=0)) / conductance
    if inside_c <= limit_c:
        return 0.0
    if rest_c >= limit_c:
        return float("inf")
    time_constant_h = float(above("heat_capacity_j_per_k", heat_capacity_j_per_k, 0)) / conductance / SECONDS_PER_HOUR
    return time_constant_h * float(np.log((inside_c - rest_c) / (limit_c - rest_c)))


def warm_off_steps(
    outside_c: ArrayLike,
    heat_w: ArrayLike,
    *,
    heat_capacity_j_per_k: float,
    conductance_w_per_k: float,
    step_h: float,
    running_temperature_c: float,
    start_temperature_c: float,
) -> NDArray[np.int64]:
    r"""Return for how many steps off a start is still warm, by step of the stop.

    Parameters
    ----------
    outside_c : array_like, shape (T,)
        Sol-air temperature of the box by step, or outside air where fans run [C].
    heat_w : array_like, scalar or shape (T,)
        Heat released inside while off [W].
    heat_capacity_j_per_k, conductance_w_per_k, step_h : float
        C [J/K], UA [W/K], length of a step [h].
    running_temperature_c : float
        Temperature of the box when it stops, at the beginning of the step [C].
    start_temperature_c : float
        Lowest temperature at which a start counts as warm [C].

    Returns
    -------
    ndarray of int, shape (T,)
        For a stop at s the largest w such that the box is warm at the beginning of all of s+1 .. s+w; T where it
        is warm until the end of the horizon (what the weather does beyond cannot matter to any start in it).

    Raises
    ------
    ValueError
        Where a value is out of range.
    """
    outside = np.atleast_1d(within("outside_c", outside_c))
    steps = outside.size
    heat = np.broadcast_to(within("heat_w", heat_w, low=0), (steps,))
    warm = np.zeros(steps, dtype=np.int64)
    inside = np.full(steps, float(within("running_temperature_c", running_temperature_c)))
    active = np.arange(steps)
    shell = {
        "heat_capacity_j_per_k": heat_capacity_j_per_k,
        "conductance_w_per_k": conductance_w_per_k,
        "duration_h": step_h,
    }
    # All stops are followed at once: after `lag` steps, stop s has just been through the weather of step s + lag - 1.
    for lag in range(1, steps + 1):
        now = active + lag - 1
        ended = now >= steps - 1
        warm[active[ended]] = steps
        active, now = active[~ended], now[~ended]
        inside[active] = cool(inside[active], outside[now], heat[now], **shell)
        active = active[inside[active] >= start_temperature_c]
        warm[active] = lag
        if active.size == 0:
            break
    return warm


def warm_until_step(
    inside_temperature_c: float,
    outside_c: ArrayLike,
    heat_w: ArrayLike,
    *,
    heat_capacity_j_per_k: float,
    conductance_w_per_k: float,
    step_h: float,
    start_temperature_c: float,
) -> int:
    """Return the last step in which a container that is already off still starts warm.

    Parameters
    ----------
    inside_temperature_c : float
        Measured temperature inside at the beginning of step 0 [C].
    outside_c : array_like, shape (T,)
        Sol-air temperature of the box by step, or outside air where fans run [C].
    heat_w : array_like, scalar or shape (T,)
        Heat released inside while off [W].
    heat_capacity_j_per_k, conductance_w_per_k, step_h : float
        C [J/K], UA [W/K], length of a step [h].
    start_temperature_c : float
        Lowest temperature at which a start counts as warm [C].

    Returns
    -------
    int
        -1 where it is cold already; T - 1 where it stays warm throughout.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """
    outside = np.atleast_1d(within("outside_c", outside_c))
    heat = np.broadcast_to(within("heat_w", heat_w, low=0), outside.shape)
    inside = float(within("inside_temperature_c", inside_temperature_c))
    shell = {
        "heat_capacity_j_per_k": heat_capacity_j_per_k,
        "conductance_w_per_k": conductance_w_per_k,
        "duration_h": step_h,
    }
    for step in range(outside.size):
        if inside < start_temperature_c:
            return step - 1
        inside = float(cool(inside, outside[step], heat[step], **shell))
    return outside.size - 1


def kept_warm_standby_mw(
    standby_mw: ArrayLike,
    outside_c: ArrayLike,
    hold_temperature_c: float,
    conductance_w_per_k: float,
    standby_share_inside: float = 1.0,
) -> Floats:
    r"""Return the standby power of a container that a thermostat keeps at a temperature.

    Parameters
    ----------
    standby_mw : array_like, scalar or shape (T,)
        Standby power without heater [MW].
    outside_c : array_like, shape (T,)
        Sol-air temperature of the box [C].
    hold_temperature_c : float
        Set point of the thermostat [C].
    conductance_w_per_k : float
        UA [W/K].
    standby_share_inside : float
        Share of the standby power that stays in the box as heat, 0 to 1.

    Returns
    -------
    ndarray, shape (T,)
        Standby and heater together [MW].

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: P = P_0 + \max(0,\; UA\,(T_{hold} - T_o) - \sigma P_0)
    """
    base = within("standby_mw", standby_mw, low=0)
    outside = np.atleast_1d(within("outside_c", outside_c))
    loss_mw = above("conductance_w_per_k", conductance_w_per_k, 0) * (hold_temperature_c - outside) / 1e6
    return base + np.maximum(0.0, loss_mw - within("standby_share_inside", standby_share_inside, 0, 1) * base)


def preheat_duration_h(
    outside_c: ArrayLike,
    heater_kw: float,
    *,
    start_temperature_c: float,
    heat_capacity_j_per_k: float,
    conductance_w_per_k: float,
    standby_heat_w: float = 0.0,
) -> Floats:
    r"""Return how long a heater takes to warm a box that has cooled to the outside, by step of the start.

    Parameters
    ----------
    outside_c : array_like, shape (T,)
        Sol-air temperature of the box [C].
    heater_kw : float
        Power of the heater [kW].
    start_temperature_c : float
        Temperature that a start needs [C].
    heat_capacity_j_per_k, conductance_w_per_k : float
        C [J/K], UA [W/K].
    standby_heat_w : float
        Heat that the standby power leaves in the box meanwhile [W].

    Returns
    -------
    ndarray, shape (T,)
        [h]; 0 where it is warm enough outside, infinity where the heater is too weak ever to get there.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    With the lift :math:`\Delta = \max(0, T_{start} - T_o)` and heater and standby heat Q:

    .. math:: d = \frac{C}{UA} \ln \frac{Q}{Q - UA\,\Delta}

    A box that is cold but not yet as cold as the outside needs less: the estimate is on the safe side.
    """
    lift_k = np.maximum(0.0, float(within("start_temperature_c", start_temperature_c)) - within("outside_c", outside_c))
    conductance = float(above("conductance_w_per_k", conductance_w_per_k, 0))
    capacity = float(above("heat_capacity_j_per_k", heat_capacity_j_per_k, 0))
    heat_w = float(above("heater_kw", heater_kw, 0)) * 1000 + float(within("standby_heat_w", standby_heat_w, low=0))
    lost_share = conductance * lift_k / heat_w
    enough = lost_share < 1
    time_constant_h = capacity / conductance / SECONDS_PER_HOUR
    return np.where(enough, -time_constant_h * np.log1p(-np.where(enough, lost_share, 0.0)), np.inf)


def preheat_energy_mwh(outside_c: ArrayLike, heater_kw: float, **box: float) -> Floats:
    """Return the energy of a preheat from the outside temperature, losses meanwhile included, by step of the start.

    Parameters
    ----------
    outside_c : array_like, shape (T,)
        Sol-air temperature of the box [C].
    heater_kw : float
        Power of the heater [kW].
    **box : float
        The other arguments of :func:`preheat_duration_h`, all by name.

    Returns
    -------
    ndarray, shape (T,)
        Heater power times duration [MWh]; with a strong heater ``C * lift``.

    Raises
    ------
    ValueError
        Where a value is out of range.
    """
    return heater_kw / 1000 * preheat_duration_h(outside_c, heater_kw, **box)
