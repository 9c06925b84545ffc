"""What was known ahead of a series: a function of the values that had come by then, and of nothing later.

Each way of knowing is handed the values of the steps before `known`, and says what was expected of later ones.  Only
what is perfect, or is drawn about the truth, sees what came; that is what these words mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import ceil
from typing import Protocol

import numpy as np

from flexmine.problem import Floats, Ints
from flexmine.studies.schema import DayAhead, Known, Last, Noise, Perfect

NOTHING_BELOW_0 = ("available_mw", "headroom_mw", "btc_price_usd", "difficulty", "fees_btc_per_block")
"""Ends of keys whose values cannot be negative, so that no forecast of them is."""


ISSUES_BACK = 16


@dataclass(frozen=True)
class Calendar:
    """The steps of a back-test.

    Attributes
    ----------
    step_h : float
    day : ndarray of int, shape (T,)
        Local day in which each step begins, counted from 0.
    hour : ndarray, shape (T,)
        Local time at which each step begins [h].
    """

    step_h: float
    day: Ints
    hour: Floats

    @property
    def steps_per_day(self) -> int:
        """Steps of a day of 24 hours."""
        return round(24.0 / self.step_h)

    @cached_property
    def first_of_day(self) -> Ints:
        """First step of each day, and the number of all steps, shape (D + 1,)."""
        return np.append(np.flatnonzero(np.diff(self.day, prepend=-1)), len(self.day))


class Expected(Protocol):
    """How the later values of one series were known."""

    def __call__(self, known: int, first: int, steps: int) -> Floats:
        """Return the values of `steps` steps from `first` on, as expected when those before `known` had come."""
        ...


def repeated(values: Floats, until: int, steps: Ints, period: int) -> Floats:
    """Return `values` at `steps`; from `until` on, those of the same time of the last `period` steps before it."""
    behind = np.where(steps < until, 0, (steps - until) // period + 1)
    return np.asarray(values[steps - behind * period])


@dataclass(frozen=True)
class _AsItCame:
    values: Floats

    def __call__(self, known: int, first: int, steps: int) -> Floats:
        return self.values[first : first + steps]


@dataclass(frozen=True)
class _Repeated:
    """The last `period` steps that are known go on."""

    values: Floats
    period: int

    def __call__(self, known: int, first: int, steps: int) -> Floats:
        return repeated(self.values, known, np.arange(first, first + steps), self.period)


@dataclass(frozen=True)
class _DayAhead:
    values: Floats
    calendar: Calendar
    at_h: float

    def __call__(self, known: int, first: int, steps: int) -> Floats:
        now, day = known - 1, self.calendar.first_of_day
        ahead = 2 if self.calendar.hour[now] >= self.at_h else 1
        until = int(day[min(self.calendar.day[now] + ahead, len(day) - 1)])
        return repeated(self.values, until, np.arange(first, first + steps), self.calendar.steps_per_day)


@dataclass(frozen=True)
class _Noisy:
    """AR(1) errors of one draw for all forecasts: a later one knows the errors of the steps before it."""

    values: Floats
    spec: Noise
    step_h: float
    draw: Floats
    floor: float

    def __call__(self, known: int, first: int, steps: int) -> Floats:
        keep = self.spec.memory**self.step_h
        size = (self.spec.relative or self.spec.absolute or 0.0) * np.sqrt(1.0 - keep**2)
        error, errors = 0.0, np.zeros(steps)
        for step in range(min(known, first + steps), first + steps):
            error = keep * error + size * self.draw[step]
            if step >= first:
                errors[step - first] = error
        came = self.values[first : first + steps]
        return np.maximum(self.floor, came * (1.0 + errors) if self.spec.absolute is None else came + errors)


@dataclass(frozen=True)
class _Issued:
    """Each step by the newest issue that covers it and was out when the step before `known` began.

    Where none of the last `ISSUES_BACK` does, the last known day is repeated.

    Attributes
    ----------
    values : ndarray, shape (T,)
        What came.
    issues : mapping of ndarray, shape (T,)
        By the step in or before which each was issued, in rising order; NaN where it has no row.
    """

    values: Floats
    issues: Mapping[int, Floats]
    period: int
    steps_of_issues: Ints

    def __call__(self, known: int, first: int, steps: int) -> Floats:
        span = np.arange(first, first + steps)
        expected = repeated(self.values, known, span, self.period)
        out = int(np.searchsorted(self.steps_of_issues, known - 1, side="right"))
        # Oldest first, so that a newer one takes the place of an older one.
        for at in self.steps_of_issues[max(0, out - ISSUES_BACK) : out]:
            issue = self.issues[int(at)][first : first + steps]
            expected = np.where((span >= known) & np.isfinite(issue), issue, expected)
        return expected


def needs_past_days(how: Known) -> bool:
    """Return whether a way of knowing looks back on earlier days, which have to be there on the first day, too."""
    return not isinstance(how, Perfect | Noise)


def issued_of(values: Floats, issues: Mapping[int, Floats], calendar: Calendar) -> Expected:
    """Return how a series was known by forecasts that were kept.

    Parameters
    ----------
    values : ndarray, shape (T,)
        What came.
    issues : mapping
        As read by :func:`flexmine.studies.issued.read_issues`.
    calendar : Calendar
    """
    found = dict(sorted(issues.items()))
    return _Issued(values, found, calendar.steps_per_day, np.array(list(found), dtype=np.int64))


def expected_of(key: str, how: Known, values: Floats, calendar: Calendar, seed: int) -> Expected:
    """Return how a series was known, by any other way than issued forecasts.

    Parameters
    ----------
    key : str
        Its dotted key.
    how : Known
    values : ndarray, shape (T,)
        What came.
    calendar : Calendar
    seed : int
        Of the noise; each key has a draw of its own.
    """
    if isinstance(how, Perfect):
        return _AsItCame(values)
    if isinstance(how, Last):
        return _Repeated(values, 1)
    if isinstance(how, DayAhead):
        return _DayAhead(values, calendar, how.at_h)
    if isinstance(how, Noise):
        own = int.from_bytes(sha256(key.encode()).digest()[:4], "big")
        draw = np.random.default_rng([seed, own]).standard_normal(len(values))
        return _Noisy(values, how, calendar.step_h, draw, 0.0 if key.endswith(NOTHING_BELOW_0) else -np.inf)
    return _Repeated(values, calendar.steps_per_day)


def known_before(step: int, ahead_h: float, step_h: float) -> int:
    """Return how many steps, each of `step_h` [h], had begun `ahead_h` [h] before the beginning of `step`.

    The step that is under way counts as known: a meter has seen most of it.
    """
    return max(0, step - ceil(ahead_h / step_h - 1e-9) + 1)
