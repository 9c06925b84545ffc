"""Carbon by hour, location-based; no claim of avoided emissions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flexmine.physics.ranges import Floats, above, within


def location_based_kg(power_mw: ArrayLike, intensity_g_per_kwh: ArrayLike, step_h: float) -> Floats:
    r"""Return the emissions of the power taken from sources, by step.

    Parameters
    ----------
    power_mw : array_like, shape (J, T)
        Power taken from each source [MW].
    intensity_g_per_kwh : array_like, shape (J, T)
        Location-based intensity of each source [g CO2e per kWh].
    step_h : float
        Length of a step [h].

    Returns
    -------
    ndarray, shape (T,)
        [kg CO2e].

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: m_t = \Delta t \sum_j s_{j,t}\, e_{j,t}, \qquad 1\,\mathrm{g/kWh} = 1\,\mathrm{kg/MWh} .

    References
    ----------
    .. [1] GHG Protocol, Scope 2 Guidance (2015), location-based method.
    """
    power = within("power_mw", power_mw, low=0)
    intensity = within("intensity_g_per_kwh", intensity_g_per_kwh, low=0)
    hours = float(above("step_h", step_h, 0))
    carbon_kg: Floats = hours * np.sum(np.atleast_2d(power * intensity), axis=0)
    return carbon_kg


def avoided_spill_mwh(surplus_taken_mw: ArrayLike, headroom_mw: ArrayLike, step_h: float) -> Floats:
    r"""Return the energy of water that would else have passed the turbines unused, by step.

    Parameters
    ----------
    surplus_taken_mw, headroom_mw : array_like, shape (T,)
        Surplus taken, and room left in the turbines without it [MW].
    step_h : float
        Length of a step [h].

    Returns
    -------
    ndarray, shape (T,)
        [MWh]; no emissions are claimed to be avoided by it.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    Where the turbines are full already, more load saves no spill:

    .. math:: \Delta t \min(s_t, h_t) .
    """
    taken = within("surplus_taken_mw", surplus_taken_mw, low=0)
    headroom = within("headroom_mw", headroom_mw, low=0)
    return float(above("step_h", step_h, 0)) * np.minimum(taken, headroom)
