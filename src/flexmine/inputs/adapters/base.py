"""What adapters share: the converted table, the settings of the person, numbers and times of columns."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import timedelta, timezone

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.table import Bools, Table
from flexmine.inputs.time_column import read_times
from flexmine.inputs.times import US_PER_H, moment
from flexmine.problem import Floats, Ints


@dataclass(frozen=True)
class Settings:
    """What the user states because a file does not.

    Attributes
    ----------
    year : int, optional
        Calendar year that a typical year is put on.
    utc_offset_h : float, optional
        Standard time of the file, hours east of UTC.
    only : str, optional
        Name of the one that is meant, where a file holds several: a sequence, an area, a balancing authority.
    """

    year: int | None = None
    utc_offset_h: float | None = None
    only: str | None = None

    def need_offset(self, table: Table) -> timezone:
        """Return the standard time of the file.

        Raises
        ------
        BadInput
            Where it is not given.
        """
        if self.utc_offset_h is None:
            raise BadInput(f"{table.label}: the file does not say its time zone; give --utc-offset, such as 8")
        return timezone(timedelta(hours=self.utc_offset_h))


@dataclass(frozen=True)
class Converted:
    """A table that a case can name.

    Attributes
    ----------
    rows : DataFrame
        All text; ``interval_start`` with offset first.
    provenance : tuple of str
        What the columns are, what was judged and how often; every assumption.
    """

    rows: pd.DataFrame
    provenance: tuple[str, ...]


def numbers(table: Table, column: str, missing: tuple[str, ...] = ()) -> Floats:
    """Return the numbers of `column`, NaN where a cell is empty or one of `missing`, the marks of a missing value.

    Raises
    ------
    BadInput
        Where there is no such column, or a cell is neither a number nor missing.
    """
    table.need(column)
    text = table.text(column)
    gone = text.isin(["", *missing]).to_numpy(dtype=bool)
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~gone & ~np.isfinite(values)
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(f"{table.place(row)}: column {column}: {text[row]!r} is not a number")
    return np.where(gone, np.nan, values)


def as_text(values: Floats, decimals: int) -> list[str]:
    """Return numbers as text with `decimals` digits after the point; empty where one is not finite."""
    return [f"{v:.{decimals}f}" if np.isfinite(v) else "" for v in values]


def starts(begin_us: Ints, zone: timezone) -> list[str]:
    """Return the beginnings `begin_us`, in microseconds since 1970, as ISO 8601 text with the offset of `zone`."""
    return [moment(t).astimezone(zone).isoformat() for t in begin_us]


def clock_us(table: Table, dates: pd.Series[str], zone: timezone, hours: Floats | float = 0.0) -> Ints:
    """Return the moments of clock hours of calendar days in a zone without summer time, rising from row to row.

    Parameters
    ----------
    table : Table
        For the places that errors name.
    dates : Series of str, shape (rows,)
        Calendar days, ISO 8601.
    zone : timezone
    hours : ndarray, shape (rows,), or float, default 0
        Hours of the clock since midnight; fractions are minutes and seconds [h].

    Returns
    -------
    ndarray of int, shape (rows,)
        Microseconds since 1970, UTC.

    Raises
    ------
    BadInput
        Where a row is not a date, stands twice or comes after a later one.
    """
    times = read_times(dates.tolist())
    bad = ~(np.isfinite(hours) & times.naive)
    if times.first_wrong is not None:
        bad[times.first_wrong] = True
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(f"{table.place(row)}: {dates.iloc[row]!r} is not a date, or its hour none; write 2024-09-10")
    result: Ints = times.us + np.rint(np.asarray(hours) * US_PER_H).astype(np.int64)
    result = result - zone.utcoffset(None) // timedelta(microseconds=1)
    back = np.flatnonzero(np.diff(result) <= 0)
    if back.size:
        row = int(back[0]) + 1
        wrong = "stands a second time" if result[row] == result[row - 1] else "comes after a later one"
        raise BadInput(f"{table.place(row)}: {moment(result[row]).isoformat()} {wrong}; times have to rise")
    return result


def on_one_year(first: float, last: float, year: int) -> str:
    """Return the note on a typical year, whose months are of the years `first` to `last`, put on the year `year`."""
    leap = ", which has a 29 February" if calendar.isleap(year) else ""
    return f"a typical year: months of {first:g} to {last:g}, put on {year}{leap}"


def gaps(begin_us: Ints, step_us: int) -> int:
    """Return how many steps of `step_us` are absent between the first and the last of `begin_us`, in microseconds."""
    if not len(begin_us):
        return 0
    return int((begin_us[-1] - begin_us[0]) // step_us) + 1 - len(begin_us)


def count(flags: Bools) -> int:
    """Return how many of `flags` are set."""
    return int(flags.sum())
