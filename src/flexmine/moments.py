"""A time as text: one grammar for every reader, so that no two of them can take one text for two moments.

    time   = date [("T" | " ") clock [offset]]
    date   = yyyy-mm-dd
    clock  = hh:mm[:ss[.f]]                      1 to 9 decimals; what is below a microsecond is dropped
    offset = Z | (+ | -)hh:mm | (+ | -)hhmm | (+ | -)hh          up to 14 h, digits 0 to 9 only

It is the part of ISO 8601 that is unambiguous.  Readers of the standard library and of pandas accept more (week dates,
``20240910T00``, ``T00-03``), each of them something else, and pandas takes for UTC what it does not know; so none of
them reads a time here.  What follows a clock time and is not an offset of the grammar is refused as such: if the
message were that an offset is missing, a person would name a zone, and every row would be hours off.

:mod:`flexmine.inputs.time_column` reads whole columns by the same expression and the same ranges.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Times beyond are slips, and near the ends of the calendar no arithmetic with them is possible."""
EXAMPLE = "2024-09-10T00:00:00+08:00"
OFFSETS = "accepted are Z, +08:00, +0800 and +08, up to 14 h"
MOST_OFFSET_MIN = 14 * 60
"""The clocks of Kiritimati; none on Earth is further from UTC, on either side."""
LONGEST = len("2024-09-10T00:00:00.123456789+08:00")
DECIMALS = 6

_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
_OFFSET = r"(?P<offset>Z|(?P<sign>[+-])(?P<offset_hour>[0-9]{2})(?::?(?P<offset_minute>[0-9]{2}))?)"
TIME = re.compile(f"{_DATE}(?:[T ]{_CLOCK}{_OFFSET}?)?")
"""It asks of digits only whether they are there: their values are looked at by :data:`RANGES`."""
_DAY = re.compile(_DATE)
_UP_TO_CLOCK = re.compile(f"{_DATE}[T ]{_CLOCK}(?![0-9:.,])")
_HOUR_ALONE = re.compile(f"{_DATE}[T ][0-9]{{2}}(?![0-9:A-Ya-y])")
RANGES = {"month": (1, 12), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
"""Of the parts that have the same range in every time; the last day goes by the month."""
LAST_OFFSET_MINUTE = 59
NO_TIME = "is not an ISO 8601 time"
_SHOWN = 60


class NoTime(ValueError):
    """A text that is not a time, or not one with an offset.

    Attributes
    ----------
    value : str
        The text as messages show it.
    what : str
        What is wrong with it, to stand after the value.
    """

    def __init__(self, text: object, what: str, example: str = EXAMPLE):
        shown = repr(text)
        self.value = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        self.what = what
        super().__init__(f"{self.value} {what}; write it as {example}")


def read_time(text: object) -> datetime:
    """Return the time that a text names: aware where it has an offset, else a clock time; a date alone is midnight.

    Raises
    ------
    NoTime
        It is not a time by the grammar of this module.
    """
    if not isinstance(text, str):
        raise NoTime(text, NO_TIME)
    return _read(text)


def read_moment(text: object) -> datetime:
    """Return the moment, aware, that a text with a UTC offset names.

    Raises
    ------
    NoTime
        It is not a time, or has no offset.
    """
    time = read_time(text)
    if time.tzinfo is None:
        raise NoTime(text, "has no UTC offset")
    return time


def read_day(text: object) -> date:
    """Return the calendar day that a text names.

    Raises
    ------
    NoTime
        It is not of the form ``yyyy-mm-dd``, or no such day exists.
    """
    if not isinstance(text, str) or _DAY.fullmatch(text) is None:
        raise NoTime(text, "is not a calendar day", EXAMPLE[:10])
    try:
        return read_time(text).date()
    except NoTime as error:
        what = "is not a calendar day" if error.what.startswith(NO_TIME) else error.what
        raise NoTime(text, what, EXAMPLE[:10]) from None


# The rows of a plan repeat the times of its steps once for every container.
@lru_cache(maxsize=4096)
def _read(text: str) -> datetime:
    found = TIME.fullmatch(text)
    if found is None:
        raise NoTime(text, _wrong(text))
    year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NoTime(text, f"is out of range; allowed are the years {FIRST_YEAR} to {LAST_YEAR}")
    for name, (low, high) in RANGES.items():
        if not low <= int(found[name] or low) <= high:
            raise NoTime(text, _beyond(name, found[name], low, high))
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise NoTime(text, _beyond("day", found["day"], 1, last))
    fraction_us = int((found["fraction"] or "0")[:DECIMALS].ljust(DECIMALS, "0"))
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    return datetime(year, month, day, hour, minute, second, fraction_us, tzinfo=_zone(found))


def _beyond(name: str, value: str, low: int, high: int) -> str:
    midnight = " (24:00 is 00:00 of the next day)" if (name, value) == ("hour", "24") else ""
    return f"{NO_TIME}: its {name} is {value}; allowed are {low:02d} to {high:02d}{midnight}"


def _wrong(text: str) -> str:
    """Return what is wrong with a text that is not in the grammar."""
    if before := _UP_TO_CLOCK.match(text):
        return _no_offset(text[before.end() :])
    if _HOUR_ALONE.match(text):
        return f"{NO_TIME}: its clock time needs minutes, hh:mm"
    if (date := _DAY.match(text)) and (clock := text[date.end() :]):
        shown = clock if len(clock) <= _SHOWN else f"{clock[:_SHOWN]}..."
        return f"{NO_TIME}: {shown!r} is not a clock time; accepted are hh:mm and hh:mm:ss, after T or one blank"
    return NO_TIME


def _no_offset(written: str) -> str:
    shown = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}..."
    return f"ends in {shown!r}, which is not an accepted UTC offset; {OFFSETS}"


def _zone(found: re.Match[str]) -> timezone | None:
    offset, hours, minutes = found["offset"], found["offset_hour"], found["offset_minute"]
    if offset is None:
        return None
    if hours is None:
        return UTC
    offset_min = 60 * int(hours) + int(minutes or 0)
    if offset_min > MOST_OFFSET_MIN or int(minutes or 0) > LAST_OFFSET_MINUTE:
        raise NoTime(found.string, _no_offset(offset))
    return timezone(timedelta(minutes=-offset_min if found["sign"] == "-" else offset_min))
