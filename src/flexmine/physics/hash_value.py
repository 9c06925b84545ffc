"""What one TH/s earns in one hour, and whose money it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flexmine.physics.ranges import Floats, above, within
from flexmine.physics.units import SECONDS_PER_HOUR

HASHES_PER_DIFFICULTY = 2.0**32
HASHES_PER_TERAHASH = 1e12
BLOCKS_PER_HALVING = 210_000
FIRST_SUBSIDY_SATOSHI = 5_000_000_000
SATOSHI_PER_BTC = 1e8

PERSPECTIVES = ("plant", "host", "client")


def subsidy_btc(block_height: ArrayLike) -> Floats:
    r"""Return the block subsidy at a block height.

    Parameters
    ----------
    block_height : array_like of int
        Height of the block, any shape; a horizon with a halving inside is an array of heights.

    Returns
    -------
    ndarray
        Subsidy [BTC per block], same shape.

    Raises
    ------
    ValueError
        Where a height is negative or not whole.

    Notes
    -----
    .. math:: S(h) = 50 / 2^{\lfloor h / 210000 \rfloor}

    in whole satoshi, rounded down [1]_.

    References
    ----------
    .. [1] Bitcoin Core, ``GetBlockSubsidy`` in validation.cpp.
    """
    height = within("block_height", block_height, low=0)
    if np.any(height != np.floor(height)):
        raise ValueError("block_height: whole numbers are needed")
    halvings = np.minimum(height.astype(np.int64) // BLOCKS_PER_HALVING, 63)
    return np.right_shift(np.int64(FIRST_SUBSIDY_SATOSHI), halvings) / SATOSHI_PER_BTC


def hash_value_usd_per_th_s_h(
    btc_price_usd: ArrayLike,
    difficulty: ArrayLike,
    subsidy_btc: ArrayLike,
    fees_btc_per_block: ArrayLike,
    *,
    pool_fee: float = 0.0,
    firmware_fee: float = 0.0,
) -> Floats:
    r"""Return the expected value of one TH/s during one hour, net of fees.

    Parameters
    ----------
    btc_price_usd : array_like
        Price of a bitcoin [USD], scalar or shape (T,).
    difficulty : array_like
        Network difficulty, scalar or shape (T,); a retarget inside the horizon is a step.
    subsidy_btc, fees_btc_per_block : array_like
        Subsidy and mean fees of a block [BTC], scalar or shape (T,).
    pool_fee, firmware_fee : float
        Shares kept by the pool and by the firmware, 0 to 1.

    Returns
    -------
    ndarray
        Hash value [USD per TH/s per h], broadcast shape.

    Raises
    ------
    ValueError
        Where difficulty is not above 0, a price, subsidy or fee is negative, or a share lies outside 0 to 1.

    Notes
    -----
    One hash finds a block with probability :math:`1 / (D\,2^{32})` [1]_, hence

    .. math:: v = \frac{10^{12} \cdot 3600\,(S + F)}{D\,2^{32}}\; p\,(1 - f_{pool})(1 - f_{firmware}).

    References
    ----------
    .. [1] Luxor, "Hashprice", docs.luxor.tech/hashrateindex/hashprice.
    """
    price = within("btc_price_usd", btc_price_usd, low=0)
    block = within("subsidy_btc", subsidy_btc, low=0) + within("fees_btc_per_block", fees_btc_per_block, low=0)
    kept = (1 - within("pool_fee", pool_fee, 0, 1)) * (1 - within("firmware_fee", firmware_fee, 0, 1))
    hashes_per_block = above("difficulty", difficulty, 0) * HASHES_PER_DIFFICULTY
    return HASHES_PER_TERAHASH * SECONDS_PER_HOUR * block / hashes_per_block * price * kept


def hashprice_usd_per_ph_s_day(hash_value_usd_per_th_s_h: ArrayLike) -> Floats:
    """Return a hash value in the unit in which it is published.

    Parameters
    ----------
    hash_value_usd_per_th_s_h : array_like
        Hash value [USD per TH/s per h].

    Returns
    -------
    ndarray
        Hashprice [USD per PH/s per day], 24,000 times as much.

    Raises
    ------
    ValueError
        Where a value is not finite.
    """
    return within("hash_value_usd_per_th_s_h", hash_value_usd_per_th_s_h) * 24 * 1000


def hash_value_from_hashprice(hashprice_usd_per_ph_s_day: ArrayLike) -> Floats:
    """Return a published hashprice as a hash value.

    Parameters
    ----------
    hashprice_usd_per_ph_s_day : array_like
        Hashprice [USD per PH/s per day], at least 0.

    Returns
    -------
    ndarray
        Hash value [USD per TH/s per h], a 24,000th of it.

    Raises
    ------
    ValueError
        Where a value is negative or not finite.
    """
    return within("hashprice_usd_per_ph_s_day", hashprice_usd_per_ph_s_day, low=0) / 24 / 1000


def perspective_terms(
    perspective: str,
    host_hash_share: float = 0.0,
    hosting_fee_usd_per_mwh: float = 0.0,
    contracted_j_per_th: float = 0.0,
) -> tuple[float, float]:
    r"""Return the factor and the adder that turn the hash value into one party's money.

    Parameters
    ----------
    perspective : {"plant", "host", "client"}
        Whose money counts: hash and power together, the host's, or the hosting client's.
    host_hash_share : float
        Share of the hash that the host keeps, 0 to 1.
    hosting_fee_usd_per_mwh : float
        Fee that the client pays for energy at the contracted efficiency [USD/MWh], at least 0.
    contracted_j_per_th : float
        Efficiency on which the fee is settled [J/TH], at least 0.

    Returns
    -------
    factor : float
        To multiply the hash value with.
    adder_usd_per_th_s_h : float
        To add to it [USD per TH/s per h].

    Raises
    ------
    ValueError
        Where the perspective is unknown or a number is out of range.

    Notes
    -----
    One TH/s at :math:`e` J/TH draws :math:`e\,10^{-6}` MW, so that a fee of :math:`f` per MWh is
    :math:`f\,e\,10^{-6}` USD per TH/s and hour: the host receives it, the client pays it.  The host pays the power;
    for the client the price of power is therefore 0 in the problem.
    """
    share = float(within("host_hash_share", host_hash_share, 0, 1))
    fee = float(within("hosting_fee_usd_per_mwh", hosting_fee_usd_per_mwh, low=0))
    adder = fee * float(within("contracted_j_per_th", contracted_j_per_th, low=0)) * 1e-6
    terms = {"plant": (1.0, 0.0), "host": (share, adder), "client": (1 - share, -adder)}
    if perspective not in terms:
        raise ValueError(f"perspective: {perspective!r} is unknown; allowed are {', '.join(PERSPECTIVES)}")
    return terms[perspective]


def hash_value_to_party(hash_value_usd_per_th_s_h: ArrayLike, factor: float, adder_usd_per_th_s_h: float) -> Floats:
    """Return what the hash value is worth to one party, ``factor * hash value + adder`` [USD per TH/s per h].

    Parameters
    ----------
    hash_value_usd_per_th_s_h : array_like
        Hash value [USD per TH/s per h], at least 0.
    factor : float
        Share of the hash that the party keeps, 0 to 1.
    adder_usd_per_th_s_h : float
        Hosting fee received, or, below 0, paid [USD per TH/s per h].

    Raises
    ------
    ValueError
        Where a hash value is out of range, or the result is negative: the party would pay for hashing, and no plan
        to run makes sense.
    """
    value = factor * within("hash_value_usd_per_th_s_h", hash_value_usd_per_th_s_h, low=0) + adder_usd_per_th_s_h
    if np.any(value < 0):
        raise ValueError(
            f"the hash value to this party falls to {value.min():.3g} USD per TH/s and hour, below 0, first in step "
            f"{int(np.argmax(np.atleast_1d(value) < 0))}: the hosting fee is more than its share of the hash is worth"
        )
    return value
