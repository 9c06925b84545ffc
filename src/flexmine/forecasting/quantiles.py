"""Quantiles of a forecast: how they are scored, and how past misses correct the outer two.

The levels are the midpoints of five equal parts of (0, 1), so that the mean over them stands for the integral over all
levels.
"""

from __future__ import annotations

import numpy as np

from flexmine.problem import Floats

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
NAMES = ("p10", "p30", "p50", "p70", "p90")
LOW, MEDIAN, HIGH = 0, 2, 4
"""Places of P10, P50 and P90."""
SETTLED_ISSUES = 30
"""Past issues that the correction looks at."""
LEAST_ISSUES = 10
"""Fewer settled issues say nothing of a tail."""


def pinball(quantiles: Floats, truth: Floats) -> Floats:
    r"""Return the pinball loss of each level, in the unit of the series.

    Parameters
    ----------
    quantiles : ndarray, shape (..., 5)
    truth : ndarray, shape (...)

    Returns
    -------
    ndarray, shape (..., 5)

    Notes
    -----
    .. math:: \ell_q(y, f) = \max\big(q\,(y - f),\ (q - 1)(y - f)\big)

    References
    ----------
    Koenker and Bassett (1978), Regression Quantiles, Econometrica 46(1).
    """
    q = np.array(LEVELS)
    miss = truth[..., None] - quantiles
    loss: Floats = np.maximum(q * miss, (q - 1.0) * miss)
    return loss


def crps(quantiles: Floats, truth: Floats) -> Floats:
    r"""Return the continuous ranked probability score, in the unit of the series, by the five levels.

    Parameters
    ----------
    quantiles : ndarray, shape (..., 5)
    truth : ndarray, shape (...)

    Returns
    -------
    ndarray, shape (...)

    Notes
    -----
    .. math:: \mathrm{CRPS} = 2 \int_0^1 \ell_q\,\mathrm{d}q \approx \frac{2}{5} \sum_q \ell_q

    References
    ----------
    Gneiting and Raftery (2007), Strictly Proper Scoring Rules, Journal of the American Statistical Association 102.
    """
    score: Floats = 2.0 * pinball(quantiles, truth).mean(axis=-1)
    return score


def rising(quantiles: Floats, least: float, most: float) -> Floats:
    """Return quantiles in rising order and inside the physical limits, shape (..., 5).

    Parameters
    ----------
    quantiles : ndarray, shape (..., 5)
        Models fitted level by level may cross.
    least, most : float
        In the unit of the series; infinite where there is no limit.

    References
    ----------
    Chernozhukov, Fernandez-Val and Galichon (2010), Quantile and Probability Curves without Crossing, Econometrica
    78(3): sorting never worsens the pinball loss.
    """
    return np.clip(np.sort(quantiles, axis=-1), least, most)


def corrected(quantiles: Floats, past: Floats, truth: Floats) -> tuple[Floats, int]:
    r"""Return quantiles whose P10 and P90 are moved by the misses of settled issues of the same lead, each tail apart.

    Parameters
    ----------
    quantiles : ndarray, shape (24, 5)
        Of one issue.
    past : ndarray, shape (issues, 24, 5)
        Of the settled issues before, as they were forecast, uncorrected; NaN where there was none.
    truth : ndarray, shape (issues, 24)
        What came; NaN where it is not known.

    Returns
    -------
    moved : ndarray, shape (24, 5)
        Uncorrected where fewer than :data:`LEAST_ISSUES` are settled.
    issues : int
        How many settled issues it rests on; 0 where it is uncorrected.

    Notes
    -----
    .. math::
        P_{10} \leftarrow \min\big(P_{10} - Q_{0.9}(P_{10} - y),\ P_{50}\big), \qquad
        P_{90} \leftarrow \max\big(P_{90} + Q_{0.9}(y - P_{90}),\ P_{50}\big)

    References
    ----------
    Romano, Patterson and Candes (2019), Conformalized Quantile Regression, NeurIPS 32; with a rolling window, since
    rivers and prices are not exchangeable over a year.
    """
    settled = np.isfinite(past[..., 0]) & np.isfinite(truth)
    used = settled.any(axis=1)
    if int(used.sum()) < LEAST_ISSUES:
        return quantiles, 0
    below = (past[..., LOW] - truth)[settled]
    above = (truth - past[..., HIGH])[settled]
    moved = quantiles.copy()
    moved[:, LOW] = np.minimum(quantiles[:, LOW] - np.quantile(below, 0.9), quantiles[:, MEDIAN])
    moved[:, HIGH] = np.maximum(quantiles[:, HIGH] + np.quantile(above, 0.9), quantiles[:, MEDIAN])
    return moved, int(used.sum())
