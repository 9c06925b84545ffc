"""What a staggered start loses inside its first step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flexmine.physics.ranges import Floats, above, within
from flexmine.physics.units import SECONDS_PER_HOUR


def stagger_duration_h(miners: int, miners_per_packet: int, packet_interval_s: float) -> float:
    r"""Return how long a staggered start takes, from the first packet until after the last.

    Parameters
    ----------
    miners : int
        Miners in the container, at least 0.
    miners_per_packet : int
        Miners switched on together, at least 1.
    packet_interval_s : float
        Time from packet to packet [s].

    Returns
    -------
    float
        [h]; 400 miners in packets of 10 every 5 s take 200 s.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: d = \lceil M / m \rceil \, \tau

    for :math:`M` miners in packets of :math:`m`, one every :math:`\tau`, as mining firmware sends them [1]_.

    References
    ----------
    .. [1] Hashcore Pulse, "Operation packets" (10 devices every 5 s), docs.hashcore.com.
    """
    packets = np.ceil(within("miners", miners, low=0) / within("miners_per_packet", miners_per_packet, low=1))
    return float(packets * within("packet_interval_s", packet_interval_s, low=0) / SECONDS_PER_HOUR)


def mean_start_loss_h(miners: int, miners_per_packet: int, packet_interval_s: float, boot_s: float) -> float:
    r"""Return the time of full running that a start loses, averaged over the miners.

    Parameters
    ----------
    miners : int
        Miners in the container, at least 0.
    miners_per_packet : int
        Miners switched on together, at least 1.
    packet_interval_s : float
        Time from packet to packet [s].
    boot_s : float
        Time of one miner from switching on to full hash rate [s].

    Returns
    -------
    float
        [h].

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    A miner waits for half of the stagger :math:`d` (:func:`stagger_duration_h`) on average, then boots for :math:`b`:

    .. math:: \bar d = d / 2 + b .
    """
    stagger = stagger_duration_h(miners, miners_per_packet, packet_interval_s)
    return stagger / 2 + float(within("boot_s", boot_s, low=0)) / SECONDS_PER_HOUR


def ramp_cost_usd(
    lost_h: float,
    *,
    hash_value_usd_per_th_s_h: ArrayLike,
    hash_rate_th_s: float,
    it_power_mw: float,
    overhead: ArrayLike,
    credit_price_usd_per_mwh: ArrayLike,
) -> Floats:
    r"""Return what a start loses while it ramps, net of the power not drawn meanwhile.

    Parameters
    ----------
    lost_h : float
        Mean time lost [h], see :func:`mean_start_loss_h`.
    hash_value_usd_per_th_s_h : array_like, shape (T,)
        Hash value [USD per TH/s per h].
    hash_rate_th_s, it_power_mw : float
        Of the lowest mode: what every start runs at or above [TH/s], [MW].
    overhead : array_like, shape (T,)
        Facility power per IT power.
    credit_price_usd_per_mwh : array_like, shape (T,)
        Price of the power not drawn [USD/MWh].

    Returns
    -------
    ndarray, shape (T,)
        [USD], never below 0.

    Raises
    ------
    ValueError
        Where a value is out of range.

    Notes
    -----
    .. math:: c = d \max(0,\; v\,H_{ref} - c_{credit}\,a\,P_{ref})

    The step of a start is booked at its plateau; this cost takes back the part that is not reached.  The price of
    the credit should be that of the cheapest source of the step: which source would have been left is not known
    before the plan is, and the cheapest never credits more than is saved.  The power not drawn stays booked under
    caps and ramps, on the safe side.
    """
    value = within("hash_value_usd_per_th_s_h", hash_value_usd_per_th_s_h, low=0)
    saved = within("credit_price_usd_per_mwh", credit_price_usd_per_mwh) * above("overhead", overhead, 0)
    rate, power = within("hash_rate_th_s", hash_rate_th_s, low=0), within("it_power_mw", it_power_mw, low=0)
    return within("lost_h", lost_h, low=0) * np.maximum(0.0, value * rate - saved * power)
