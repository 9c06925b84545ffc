"""What adapters share: the converted table, the settings of the person, numbers and times of columns."""

from __future__ import annotations

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
    """What a file does not say itself.

    Attributes
    ----------
    year : int, optional
        Calendar year that a typical year is put on.
    utc_offset_h : float, optional
        Standard time of the file, hours east of UTC.
    only : str, optional
        Which one is meant, where a file holds several: a sequence, an area, a balancing authority.
    """

    year: int | None = None
    utc_offset_h: float | None = None
    only: str | None = None

    def need_offset(self, table: Table) -> timezone:
        """Return the standard time of the file; refuse where it was not said."""
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
    """Return a column of numbers, NaN where it is empty or holds a mark of a missing value.

    Raises
    ------
    BadInput
        Where a cell is neither.
    """
    table.need(column)
    text = table.text(column)
    gone = text.isin(["", *missing]).to_numpy(dtype=bool)
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~gone & ~np.isfinite(values)
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(f"{table.place(row)}: column {column}: {text[row]!r} is no number")
    return np.where(gone, np.nan, values)


def as_text(values: Floats, decimals: int) -> list[str]:
    """Return numbers with so many decimals, an empty text where there is none."""
    return [f"{v:.{decimals}f}" if np.isfinite(v) else "" for v in values]


def starts(begin_us: Ints, zone: timezone) -> list[str]:
    """Return beginnings of intervals as ISO 8601 text with offset."""
    return [moment(t).astimezone(zone).isoformat() for t in begin_us]


def clock_us(table: Table, dates: pd.Series[str], zone: timezone, hours: Floats | float = 0.0) -> Ints:
    """Return the moments of clock hours of calendar days in a zone without summer time, rising from row to row.

    Raises
    ------
    BadInput
        Where a row is no date, stands twice or comes after a later one.
    """
    times = read_times(dates.tolist())
    bad = ~(np.isfinite(hours) & times.naive)
    if times.first_wrong is not None:
        bad[times.first_wrong] = True
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(f"{table.place(row)}: {dates.iloc[row]!r} is no date, or its hour none; write 2024-09-10")
    result: Ints = times.us + np.rint(np.asarray(hours) * US_PER_H).astype(np.int64)
    result = result - zone.utcoffset(None) // timedelta(microseconds=1)
    back = np.flatnonzero(np.diff(result) <= 0)
    if back.size:
        row = int(back[0]) + 1
        wrong = "stands a second time" if result[row] == result[row - 1] else "comes after a later one"
        raise BadInput(f"{table.place(row)}: {moment(result[row]).isoformat()} {wrong}; times have to rise")
    return result


def gaps(begin_us: Ints, step_us: int) -> int:
    """Return how many steps are absent between the first row and the last."""
    if not len(begin_us):
        return 0
    return int((begin_us[-1] - begin_us[0]) // step_us) + 1 - len(begin_us)


def count(flags: Bools) -> int:
    """Return how many flags are set."""
    return int(flags.sum())
