"""Forecasts that need no fit: the same hour of the last known day, of last week, and of the time of year.

Each is a point; its quantiles are the point plus quantiles of its own errors on settled days.
"""

from __future__ import annotations

import numpy as np

from flexmine.forecasting.history import HOURS, History
from flexmine.forecasting.lags import Lags, whole
from flexmine.forecasting.quantiles import LEAST_ISSUES, LEVELS
from flexmine.problem import Floats

ERROR_DAYS = 60
"""Settled target days whose errors count."""
SAME_MONTH_DAYS = 10
"""Fewer days of the month of the target say little of it; then the last :data:`RECENT_DAYS` count."""
RECENT_DAYS = 30
LEAST_DAYS = 7


def points(name: str, history: History, lags: Lags) -> Floats:
    """Return the point forecast of every issue day, shape (days, 24).

    Parameters
    ----------
    name : {"persistence", "last-week", "climatology"}
    history : History
    lags : Lags
    """
    if name == "persistence":
        return lags.known
    return lags.week if name == "last-week" else _climatology(history, lags)


def around(point: Floats, lags: Lags, row: int) -> Floats:
    r"""Return the quantiles of the issue of `row`, shape (24, 5); NaN where too few errors are known.

    Parameters
    ----------
    point : ndarray, shape (days, 24)
        Of every issue.
    lags : Lags
    row : int

    Notes
    -----
    .. math:: f_{q,h} = p_h + Q_q\big(\{y_{d,i} - p_{d,i} : i \in \{h-1, h, h+1\}\}\big)

    over the last 60 settled target days :math:`d` of the same lead, hours counted around the clock.
    """
    end = lags.settled(row)
    some = slice(max(0, end - ERROR_DAYS), end)
    errors = lags.target[some] - point[some]
    if int(np.isfinite(errors).any(axis=1).sum()) < LEAST_ISSUES:
        return np.full((HOURS, len(LEVELS)), np.nan)
    near = np.concatenate([errors, np.roll(errors, 1, axis=1), np.roll(errors, -1, axis=1)])
    spread: Floats = np.nanquantile(near, LEVELS, axis=0).T
    quantiles: Floats = point[row][:, None] + spread
    return quantiles


def _climatology(history: History, lags: Lags) -> Floats:
    """Return the mean of each clock hour over the known days of the target's month, else over the last 30 days."""
    level = history.complete
    month = np.array([history.date(row).month for row in range(len(level) + lags.lead)])
    result = np.full_like(level, np.nan)
    for row in range(len(level)):
        end = whole(row, lags.cut)
        same = np.flatnonzero(month[: max(0, end)] == month[row + lags.lead])
        if len(same) >= SAME_MONTH_DAYS:
            result[row] = level[same].mean(axis=0)
        elif end >= LEAST_DAYS:
            result[row] = level[max(0, end - RECENT_DAYS) : end].mean(axis=0)
    return result
