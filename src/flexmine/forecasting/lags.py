"""What each issue knows of each target hour: lags hour by hour, and nothing that was not known at the issue.

The trap is a lag of 24 h on every hour: an issue of 10:00 knows today up to 09:59, so the hours from 10:00 on have to
come from yesterday.  Taken from today they flatter every score by as much as any model gains.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from flexmine.forecasting.history import HOURS, History
from flexmine.problem import Floats

FIRST_ISSUE = 8
"""Row of the first issue whose lags of a week are known."""
COLUMNS = (
    *("last_same_hour", "day_before", "week_before", "mean_7", "last_value", "mean_24", "mean_168", "max_24", "min_24"),
    *("hour", "weekday", "sin_year", "cos_year", "lead", "level_7", "level_24"),
)
"""Columns of the features; the first is a level, those up to ``min_24`` are differences to it."""
SEASON = (COLUMNS.index("sin_year"), COLUMNS.index("cos_year"))


@dataclass(frozen=True)
class Lags:
    """Features and targets of every issue day, of one lead.

    Attributes
    ----------
    cut : int
        Hours of the day of issue that are known; below 0, so many of the day before are not.
    lead : int
        Days from the day of issue to the target day.
    known : ndarray, shape (days, 24)
        The last known value of each clock hour.
    week : ndarray, shape (days, 24)
        The last known value of it on the weekday of the target.
    features : ndarray, shape (days, 24, columns)
    target : ndarray, shape (days, 24)
        NaN where it is not known yet.
    """

    cut: int
    lead: int
    known: Floats
    week: Floats
    features: Floats
    target: Floats

    def settled(self, row: int) -> int:
        """Return the row before which the targets of all issues are known whole at the issue of `row`."""
        return max(0, whole(row, self.cut) - self.lead)


def whole(row: int, cut: int) -> int:
    """Return the row before which days are known whole at the issue of `row`, of whose hours `cut` are known."""
    return row if cut >= 0 else row - 1


def lags(history: History, cut: int, lead: int, extra: Floats | None = None) -> Lags:
    """Return features and targets of every issue day.

    Parameters
    ----------
    history : History
    cut : int
        From -24 to 24.
    lead : int
        Days ahead, from 1 to 6.
    extra : ndarray, shape (days, 24, drivers), optional
        Further columns: what other forecasts said of the target hours at each issue.
    """
    level = history.complete
    days = len(level)
    back = _days_back(cut)
    known = _shifted_by_hour(level, back)
    # The weekday of the target, a week before it, or two where that is not known yet.
    week = _shifted_by_hour(level, np.where(7 - lead >= back, 7 - lead, 14 - lead))
    mean_7 = np.mean([_shifted(known, k) for k in range(7)], axis=0)
    recent = _recent(level, cut)
    target_days = pd.date_range(history.first + timedelta(days=lead), periods=days, freq="D")
    turn = target_days.day_of_year.to_numpy() * (2.0 * np.pi / 365.25)

    def each_hour(column: Floats) -> Floats:
        return np.repeat(np.asarray(column, dtype=np.float64)[:, None], HOURS, axis=1)

    differences = [_shifted(known, 1), week, mean_7, *map(each_hour, recent)]
    columns = [
        known,
        *(column - known for column in differences),
        np.tile(np.arange(float(HOURS)), (days, 1)),
        *map(each_hour, (target_days.day_of_week.to_numpy(), np.sin(turn), np.cos(turn), np.full(days, float(lead)))),
        mean_7,
        each_hour(recent[1]),
    ]
    features = np.stack(columns, axis=-1)
    if extra is not None:
        features = np.concatenate([features, extra], axis=-1)
    target = np.full((days, HOURS), np.nan)
    target[: days - lead] = history.values[lead:]
    return Lags(cut, lead, known, week, features, target)


def _days_back(cut: int) -> Floats:
    """Return how many days back each clock hour was known last, shape (24,)."""
    return np.maximum(0, (np.arange(HOURS) - cut) // HOURS + 1)


def _shifted(values: Floats, days: int) -> Floats:
    """Return the rows of so many days before."""
    moved = np.full_like(values, np.nan)
    moved[days:] = values[: max(0, len(values) - days)]
    return moved


def _shifted_by_hour(values: Floats, days: Floats) -> Floats:
    """Return each clock hour of its own number of days before."""
    return np.stack([_shifted(values[:, h : h + 1], int(days[h]))[:, 0] for h in range(HOURS)], axis=1)


def _recent(level: Floats, cut: int) -> tuple[Floats, ...]:
    """Return of each issue the last known value, the means of 24 and 168 hours before, and the span of the last 24."""
    flat = pd.Series(level.ravel())
    last = np.arange(len(level)) * HOURS + cut - 1
    day, week = flat.rolling(HOURS), flat.rolling(7 * HOURS)
    series = (flat, day.mean(), week.mean(), day.max(), day.min())
    return tuple(np.where(last >= 0, column.to_numpy()[np.maximum(last, 0)], np.nan) for column in series)
