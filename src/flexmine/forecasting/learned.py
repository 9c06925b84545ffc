"""Quantile regressions on the difference to the last known same hour: linear, and gradient boosting.

On the difference and not on the level, because trees cannot go beyond the values that they were fitted on.

The linear one is fitted to a smoothed pinball loss by L-BFGS.  scikit-learn's QuantileRegressor solves the same problem
as an exact linear program; on 8,000 rows it took 1.8 to 3.6 s a level, growing with more than the square of the rows,
where the smoothed one takes a tenth of a second on twice as many.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from scipy.optimize import minimize

from flexmine.errors import BadInput
from flexmine.forecasting.history import HOURS
from flexmine.forecasting.lags import COLUMNS, SEASON
from flexmine.forecasting.quantiles import LEVELS
from flexmine.problem import Floats

LEARNED = ("linear", "gbm")
SEASON_DAYS = 365
"""Columns of the time of year mislead a fit of less than a year."""
WINDOW_DAYS = 365
"""Older days count no more."""
RIDGE = 1e-5
SMOOTH = 0.02
"""Width of the rounded corner of the loss, in standard deviations of the target."""
_LINEAR = tuple(COLUMNS.index(name) for name in COLUMNS[:9])
_HOUR, _WEEKDAY, _LEAD = (COLUMNS.index(name) for name in ("hour", "weekday", "lead"))


def need_extra(models: tuple[str, ...]) -> None:
    """Refuse those of `models` whose package is not installed.

    Raises
    ------
    BadInput
        Naming the extra.
    """
    if set(models) & set(LEARNED) and find_spec("sklearn") is None:
        raise BadInput(
            "regressions need the package scikit-learn; install flexmine[forecast], or choose --model persistence, "
            "last-week or climatology"
        )


def fitted_quantiles(name: str, features: Floats, target: Floats, asked: Floats, *, season: bool) -> Floats:
    """Fit every level and return the quantiles of the rows that are asked for, in rising order.

    Parameters
    ----------
    name : {"linear", "gbm"}
    features : ndarray, shape (rows, columns)
        As :mod:`flexmine.forecasting.lags` has them; finite.
    target : ndarray, shape (rows,)
        In the unit of the series; finite.
    asked : ndarray, shape (n, columns)
    season : bool
        Whether the columns of the time of year count.

    Returns
    -------
    ndarray, shape (n, 5)
    """
    # The limit reaches only libraries that are loaded already.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits

    columns = _linear_columns if name == "linear" else _tree_columns
    known, wanted = columns(features, season), columns(asked, season)
    difference = target - features[:, 0]
    fit = _linear if name == "linear" else _boosted
    # One thread: more cost more than they bring, and sums in another order would give other digits elsewhere.
    with threadpool_limits(limits=1):
        levels = fit(known, difference, wanted)
    return np.sort(asked[:, :1] + levels, axis=-1)


def linear_quantile(columns: Floats, target: Floats, level: float) -> Floats:
    r"""Return the coefficients of a linear quantile regression, shape (columns,).

    Parameters
    ----------
    columns : ndarray, shape (rows, columns)
        Of order 1; a constant is one of them.
    target : ndarray, shape (rows,)
        Of standard deviation 1.
    level : float

    Notes
    -----
    .. math::

        \min_b \frac1n \sum_i \tfrac12 s(r_i) + (q - \tfrac12)\,r_i + \lambda \lVert b \rVert^2, \qquad
        s(r) = \begin{cases} r^2 / 2\varepsilon + \varepsilon / 2 & |r| < \varepsilon \\ |r| & \text{else} \end{cases}

    with :math:`r = y - Xb`; for :math:`\varepsilon \to 0` the pinball loss.

    References
    ----------
    Chen (2007), A Finite Smoothing Algorithm for Quantile Regression, Journal of Computational and Graphical Statistics
    16(1).
    """
    rows = len(target)

    def loss(b: Floats) -> tuple[float, Floats]:
        r = target - columns @ b
        size = np.abs(r)
        near = size < SMOOTH
        s = np.where(near, r * r / (2.0 * SMOOTH) + SMOOTH / 2.0, size)
        slope = 0.5 * np.where(near, r / SMOOTH, np.sign(r)) + level - 0.5
        value = float(np.mean(0.5 * s + (level - 0.5) * r) + RIDGE * b @ b)
        return value, -columns.T @ slope / rows + 2.0 * RIDGE * b

    best: Floats = minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return best


def _linear(known: Floats, difference: Floats, wanted: Floats) -> Floats:
    size = float(difference.std())
    if size == 0.0:  # nothing to fit, and nothing to divide by
        return np.full((len(wanted), len(LEVELS)), float(difference[0]))
    # The columns of the hours are 0 and 1 and stay so; the others are standardised.
    mean, spread = known.mean(axis=0), known.std(axis=0)
    mean[-HOURS:], spread[-HOURS:] = 0.0, 1.0
    spread[spread == 0.0] = 1.0
    x, at = (known - mean) / spread, (wanted - mean) / spread
    levels = [at @ linear_quantile(x, difference / size, q) * size for q in LEVELS]
    return np.stack(levels, axis=-1)


def _boosted(known: Floats, difference: Floats, wanted: Floats) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    levels = []
    for q in LEVELS:
        model = HistGradientBoostingRegressor(
            loss="quantile",
            quantile=q,
            max_iter=100,
            learning_rate=0.08,
            max_leaf_nodes=15,
            min_samples_leaf=max(10, min(40, len(known) // 50)),
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        )
        levels.append(model.fit(known, difference).predict(wanted))
    return np.stack(levels, axis=-1)


def _tree_columns(features: Floats, season: bool) -> Floats:
    return features if season else np.delete(features, SEASON, axis=1)


def _linear_columns(features: Floats, season: bool) -> Floats:
    """Return the columns of the linear model: lags, season, lead, weekend, further ones, and one for each hour."""
    hours = np.eye(HOURS)[features[:, _HOUR].astype(int)]
    weekend = (features[:, _WEEKDAY] >= 5).astype(np.float64)[:, None]
    chosen = [*_LINEAR, *(SEASON if season else ()), _LEAD]
    return np.hstack([features[:, chosen], weekend, features[:, len(COLUMNS) :], hours])
