"""Calendars on steps: spans between two times, and windows in the site's local days and hours.

A step counts wherever it overlaps, however little: what is forbidden for a part of a step is forbidden in all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from flexmine.inputs.schema import Window
from flexmine.problem import Ints, TimeAxis

Mask = NDArray[np.bool_]

# Every offset from UTC in use is a multiple of 15 minutes, so local hours and days begin only at such instants.
_GRAIN = timedelta(minutes=15)
_JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True)
class Clock:
    """The steps of a problem as instants; elapsed time is counted in UTC, calendars in the site's zone."""

    axis: TimeAxis

    @cached_property
    def begins(self) -> tuple[datetime, ...]:
        """Beginnings of all steps, and the end of the last one, in UTC."""
        start = self.axis.start.astimezone(UTC)
        return tuple(start + timedelta(hours=self.axis.step_h * t) for t in range(self.axis.steps + 1))

    @cached_property
    def middle_utc(self) -> NDArray[np.datetime64]:
        """Middle of every step, shape (T,)."""
        half = timedelta(hours=self.axis.step_h / 2)
        return np.array([np.datetime64((b + half).replace(tzinfo=None), "ns") for b in self.begins[:-1]])

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's zone."""
        return ZoneInfo(self.axis.zone)

    def say(self, step: int) -> str:
        """Return the beginning of `step` in site time, for a person; T gives the end of the last step."""
        return self.begins[step].astimezone(self.zone).isoformat(timespec="minutes")

    def in_span(self, begin: datetime, end: datetime) -> Mask:
        """Return which steps overlap the time from `begin` (included) to `end` (excluded), shape (T,)."""
        return np.array([b < end and e > begin for b, e in zip(self.begins, self.begins[1:], strict=False)], dtype=bool)

    def in_window(self, window: Window) -> Mask:
        """Return which steps overlap a window in the site's local time, shape (T,)."""
        return np.array([any(_inside(window, moment) for moment in moments) for moments in self._moments], dtype=bool)

    @cached_property
    def day_of_step(self) -> Ints:
        """Local calendar day in which each step begins, counted from 0, shape (T,)."""
        days = [b.astimezone(self.zone).date() for b in self.begins[:-1]]
        return np.array([(day - days[0]).days for day in days], dtype=np.int64)

    @cached_property
    def _moments(self) -> tuple[tuple[datetime, ...], ...]:
        """Local times that decide whether a step overlaps: its beginning, each quarter in it, just before its end."""
        found = []
        for begin, end in zip(self.begins, self.begins[1:], strict=False):
            instants = [begin, end - _JUST_BEFORE]
            instants += [begin + _GRAIN * i for i in range(1, int((end - begin) / _GRAIN))]
            found.append(tuple(i.astimezone(self.zone) for i in instants))
        return tuple(found)


def _inside(window: Window, moment: datetime) -> bool:
    if window.hours and moment.hour not in window.hours:
        return False
    if window.from_date is not None and window.to_date is not None:
        return window.from_date <= moment.date() <= window.to_date
    first, last = window.first_day_of_year, window.last_day_of_year
    assert first is not None and last is not None
    today = f"{moment:%m-%d}"
    if first <= last:
        return first <= today <= last
    return today >= first or today <= last


def runs_of(mask: Mask) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of every run of True in `mask`, shape (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        yield int(first), int(after) - 1
