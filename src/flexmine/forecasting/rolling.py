"""Forecasts issued day after day, each from what was known then; the issue of today is the last of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from flexmine.forecasting.history import HOURS, History
from flexmine.forecasting.lags import FIRST_ISSUE, Lags
from flexmine.forecasting.learned import LEARNED, SEASON_DAYS, WINDOW_DAYS, fitted_quantiles
from flexmine.forecasting.quantiles import LEVELS, SETTLED_ISSUES, corrected, rising
from flexmine.forecasting.simple import around, points
from flexmine.problem import Floats

SIMPLE = ("persistence", "last-week", "climatology")
COMBINED = {"lin+gbm": ("linear", "gbm"), "all3": ("persistence", "linear", "gbm")}
MODELS = (*SIMPLE, *LEARNED, *COMBINED)
REFIT_DAYS = 7
LEAST_DAYS = 24
"""Whole days before an issue, so that the errors of every simple model are known on ten of them."""
LEAST_FIT_DAYS = 30
"""Whole days before a fit; on fewer a regression is worse than persistence."""
LEAST_FIT_ROWS = 14 * HOURS
"""Settled hours of a lead, with all features known, below which nothing is fitted and nothing forecast."""


@dataclass(frozen=True)
class Issues:
    """What rolling forecasts are made from: the lags of every lead, and the physical limits."""

    history: History
    lags: tuple[Lags, ...]
    limits: tuple[float, float]

    @property
    def warm_up(self) -> int:
        """Issues before the first one that counts, so that enough of them are settled for its correction."""
        return SETTLED_ISSUES + len(self.lags) + int(self.lags[0].cut < 0)


@dataclass(frozen=True)
class Rolled:
    """Forecasts of one model.

    Attributes
    ----------
    quantiles : ndarray, shape (leads, days, 24, 5)
        By row of the issue; NaN where there is none.
    corrected_by : ndarray of int, shape (leads, days)
        Settled issues that the outer quantiles were corrected by; 0: not corrected.
    """

    quantiles: Floats
    corrected_by: np.ndarray


def members(models: Sequence[str]) -> tuple[str, ...]:
    """Return the single models that `models` are made of."""
    return tuple(dict.fromkeys(part for model in models for part in COMBINED.get(model, (model,))))


def rolled(issues: Issues, models: Sequence[str], first: int, last: int) -> dict[str, Rolled]:
    """Return the forecasts of some models, issued on every day of a span.

    Regressions are fitted every seventh day, counted back from the last, on what was settled then.

    Parameters
    ----------
    issues : Issues
    models : sequence of str
        Of :data:`MODELS`.
    first, last : int
        Rows of the days of issue.
    """
    days = len(issues.history.values)
    single = {name: np.full((len(issues.lags), days, HOURS, len(LEVELS)), np.nan) for name in members(models)}
    for name, made in single.items():
        if name in SIMPLE:
            _issue_simple(issues, name, made, first, last)
    learned = [name for name in single if name in LEARNED]
    if learned:
        for begin, end in _blocks(max(first, LEAST_FIT_DAYS), last):
            settled = _settled(issues, begin)
            for name in learned if len(settled[1]) >= LEAST_FIT_ROWS * len(issues.lags) else ():
                single[name][:, begin : end + 1] = _learned(issues, name, settled, begin, end)
    result = {}
    for model in models:
        raw = np.mean([rising(single[part], *issues.limits) for part in COMBINED.get(model, (model,))], axis=0)
        as_it_is = Rolled(raw, np.zeros(raw.shape[:2], dtype=np.int64))
        result[model] = as_it_is if model in SIMPLE else _corrected(issues, raw, first, last)
    return result


def _blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last day of each span that one fit serves, the last one beginning at the last day."""
    begins = sorted({first, *(row for row in range(last, first, -REFIT_DAYS))})
    yield from zip(begins, [*(row - 1 for row in begins[1:]), last], strict=True)


def _issue_simple(issues: Issues, name: str, made: Floats, first: int, last: int) -> None:
    for i, lags in enumerate(issues.lags):
        point = points(name, issues.history, lags)
        for row in range(first, last + 1):
            made[i, row] = around(point, lags, row)


def _settled(issues: Issues, row: int) -> tuple[Floats, Floats]:
    """Return features and targets, of all leads together, that were known at an issue."""
    features, targets = [], []
    for lags in issues.lags:
        end = lags.settled(row)
        some = slice(max(FIRST_ISSUE, end - WINDOW_DAYS), end)
        features.append(lags.features[some].reshape(-1, lags.features.shape[-1]))
        targets.append(lags.target[some].ravel())
    x, y = np.concatenate(features), np.concatenate(targets)
    whole = np.isfinite(y) & np.isfinite(x).all(axis=1)
    return x[whole], y[whole]


def _learned(issues: Issues, name: str, settled: tuple[Floats, Floats], begin: int, end: int) -> Floats:
    """Return what one fit says of the issues of a span, shape (leads, days, 24, 5)."""
    asked = np.stack([lags.features[begin : end + 1] for lags in issues.lags])
    flat = asked.reshape(-1, asked.shape[-1])
    whole = np.isfinite(flat).all(axis=1)
    levels = np.full((len(flat), len(LEVELS)), np.nan)
    if whole.any():
        levels[whole] = fitted_quantiles(name, *settled, flat[whole], season=begin >= SEASON_DAYS)
    return levels.reshape(*asked.shape[:-1], len(LEVELS))


def _corrected(issues: Issues, raw: Floats, first: int, last: int) -> Rolled:
    """Return forecasts whose outer quantiles are corrected by the settled ones before, which stay uncorrected."""
    made, used = raw.copy(), np.zeros(raw.shape[:2], dtype=np.int64)
    for i, lags in enumerate(issues.lags):
        for row in range(first, last + 1):
            end = lags.settled(row)
            some = slice(max(0, end - SETTLED_ISSUES), end)
            made[i, row], used[i, row] = corrected(raw[i, row], raw[i, some], lags.target[some])
    return Rolled(rising(made, *issues.limits), used)
