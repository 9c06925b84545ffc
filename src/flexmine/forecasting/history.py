"""A series up to the time of issue, by local day and clock hour: what is known, and nothing after it.

It is read by the inputs room's own readers, so that a file which a plan would refuse is refused here in the same words.
A local day has 24 clock hours here: of the hour that stands twice in autumn the mean is taken, the hour that the clock
leaves out in spring has no value.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from pathlib import Path

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.inputs.conversion import Conversion, conversion, unit_in_name
from flexmine.inputs.reading import MAX_CSV_BYTES
from flexmine.inputs.resample import grid
from flexmine.inputs.series_spec import BANDS, Factor, Series, clock_of
from flexmine.inputs.table import Table, read_table
from flexmine.inputs.times import US_PER_H, Intervals, duration, intervals, iso, joined, to_us
from flexmine.inputs.values import Column, numbers
from flexmine.moments import read_time
from flexmine.problem import Floats, Ints, TimeAxis

QUANTITIES = {"surplus": "available_mw", "price": "price_usd_per_mwh", "temperature": "temperature_c"}
"""Key of a case that a kind of series stands at."""
KNOWN_WHOLE_DAY = ("price",)
"""Kinds of which the whole day of issue is known: it was auctioned the day before."""
MOST_MISSING = 0.02
HOURS = 24


@dataclass(frozen=True)
class Asked:
    """Which column of which file, and what it is.

    Attributes
    ----------
    path : Path
    spec : Series
        As a case would name it.
    kind : {"surplus", "price", "temperature"}
    most : float or None
        What the series cannot exceed, in the unit of the column.
    """

    path: Path
    spec: Series
    kind: str
    most: float | None = None


@dataclass(frozen=True)
class Source:
    """A file whose times are read, before any of its values.

    Attributes
    ----------
    clock : tzinfo
        Of the site: the zone that was named, or the one offset of all rows.
    rows : Intervals
        All rows of the file.
    """

    asked: Asked
    table: Table
    spec: Series
    convert: Conversion
    rows: Intervals
    clock: tzinfo
    sha256: str

    @property
    def place(self) -> str:
        """How messages name the column."""
        return f"{self.table.label}: column {self.spec.column}"

    @property
    def limits(self) -> tuple[float, float]:
        """Between what a forecast lies, in the unit of the column: the band of its quantity, and what was named."""
        low, high = np.sort(_in_column_unit(self, np.array(BANDS[QUANTITIES[self.asked.kind]])))
        return float(low), float(high if self.asked.most is None else min(high, self.asked.most))


@dataclass(frozen=True)
class History:
    """Known values of a series by local day and clock hour, in the unit of its column.

    Attributes
    ----------
    source : Source
    first : date
        Local day of row 0; the last row is the last day that was asked for.
    values : ndarray, shape (days, 24)
        NaN where nothing is known.
    complete : ndarray, shape (days, 24)
        The same, where a missing value is that of the clock hour on the last day before it.
    hour_us, day, hour : ndarray of int, shape (hours,)
        Every hour that was read: its beginning in microseconds since 1970, its row and its clock hour.
    truth : ndarray, shape (hours,)
        Their values.
    missing : int
        Hours without a value.
    dropped : int
        Rows of the file that lie after what was known.
    """

    source: Source
    first: date
    values: Floats
    complete: Floats
    hour_us: Ints
    day: Ints
    hour: Ints
    truth: Floats
    missing: int
    dropped: int

    def row(self, day: date) -> int:
        """Return the row of the local day `day`."""
        return (day - self.first).days

    def date(self, row: int) -> date:
        """Return the local day of the row `row`."""
        return self.first + timedelta(days=row)


def open_source(asked: Asked) -> Source:
    """Return a file with its times read and its unit known.

    Raises
    ------
    BadInput
        Naming file, line and column of the first thing that is wrong, and what is allowed.
    """
    spec = _with_rate(asked.spec, QUANTITIES[asked.kind])
    raw = _bytes(asked.path)
    table, spec = joined(read_table(raw, asked.path.name, spec.kind, spec.layout), spec)
    table.need(spec.time_column, spec.column)
    try:
        convert = conversion(spec, QUANTITIES[asked.kind])
    except BadInput as error:
        raise BadInput([f"{table.label}: {message}" for message in error.messages]) from error
    if not len(table.rows):
        raise BadInput(f"{table.label}: has no rows; a forecast needs some weeks of hours")
    rows = intervals(table, spec, US_PER_H)
    if rows.step_us > US_PER_H:
        raise BadInput(
            f"{table.label}: one row every {duration(rows.step_us)}; a forecast needs rows of an hour or finer"
        )
    return Source(asked, table, spec, convert, rows, _clock(table, spec), hashlib.sha256(raw).hexdigest())


def known_until(source: Source, issue: datetime) -> datetime:
    """Return up to when a series is known at a moment: of a price the day of issue whole, else the hour before it.

    Parameters
    ----------
    source : Source
    issue : datetime
        Aware.

    Returns
    -------
    datetime
        In UTC.
    """
    local = issue.astimezone(source.clock)
    if source.asked.kind in KNOWN_WHOLE_DAY:
        return midnight(local.date() + timedelta(days=1), source.clock)
    # Not by subtraction, which forgets that it is the second of two hours.
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def read_history(source: Source, until: datetime, last_day: date) -> History:
    """Return what is known of a series before a moment; nothing that begins later is read.

    Parameters
    ----------
    source : Source
    until : datetime
        Aware, on a full hour of the clock.
    last_day : date
        Local day of the last row of the result.

    Raises
    ------
    BadInput
        Nothing lies before, the last value ends over a day before, more than 2 % of the hours have no value, or a cell
        is no number of its band.
    """
    until_us = to_us(until)
    rows = source.rows
    first = _first_day(source, until)
    begin = midnight(first, source.clock)
    axis = TimeAxis(begin, 1.0, (until_us - to_us(begin)) // US_PER_H, "UTC")
    if axis.steps < 1:
        raise BadInput(
            f"{source.place}: begins at {iso(rows.begin_us[0], source.clock)}, and at {_shown(until, source)} not one "
            "whole day of it is known; only what lies before the issue is used"
        )
    cells = grid(source.table, source.spec, rows, axis)
    column = Column(source.table, source.spec.column, source.spec, QUANTITIES[source.asked.kind])
    values = _in_column_unit(source, cells.steps(numbers(column, source.convert, cells.cells)))
    hour_us = to_us(axis.start) + US_PER_H * np.arange(axis.steps, dtype=np.int64)
    _refuse_gaps(source, values, hour_us, until_us)
    _refuse_above(source, values, hour_us)
    day, hour = _by_clock(hour_us, source.clock, first)
    days = (last_day - first).days + 1
    by_day = np.full((days, HOURS), np.nan)
    inside = day < days
    sums = pd.DataFrame({"day": day[inside], "hour": hour[inside], "value": values[inside]})
    means = sums.groupby(["day", "hour"])["value"].mean()
    by_day[means.index.get_level_values(0), means.index.get_level_values(1)] = means.to_numpy()
    return History(
        source,
        first,
        by_day,
        pd.DataFrame(by_day).ffill().to_numpy(),
        hour_us,
        day,
        hour,
        values,
        int(np.isnan(values).sum()),
        int((rows.begin_us >= until_us).sum()),
    )


def midnight(day: date, clock: tzinfo) -> datetime:
    """Return the beginning of the local day `day`, in UTC."""
    return datetime.combine(day, time(0), tzinfo=clock).astimezone(UTC)


def hours_of(first: date, days: int, clock: tzinfo) -> tuple[Ints, Ints, Ints]:
    """Return the hours of so many local `days` from `first` on, 23 or 25 of each where the clock is changed.

    Returns
    -------
    begin_us : ndarray of int, shape (hours,)
        Microseconds since 1970.
    day, hour : ndarray of int, shape (hours,)
        Days since `first`, and clock hour.
    """
    begin_us = to_us(midnight(first, clock))
    end_us = to_us(midnight(first + timedelta(days=days), clock))
    hour_us: Ints = np.arange(begin_us, end_us, US_PER_H, dtype=np.int64)
    return hour_us, *_by_clock(hour_us, clock, first)


def _by_clock(hour_us: Ints, clock: tzinfo, first: date) -> tuple[Ints, Ints]:
    local = pd.DatetimeIndex(hour_us.astype("datetime64[us]")).tz_localize("UTC").tz_convert(clock)
    wall = local.tz_localize(None)
    days = (wall.normalize() - np.datetime64(first, "ns")).days
    return days.to_numpy(dtype=np.int64), wall.hour.to_numpy(dtype=np.int64)


def _bytes(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_CSV_BYTES)
    except BadInput as error:
        raise BadInput([f"{path} {message}" for message in error.messages]) from error


def _with_rate(spec: Series, quantity: str) -> Series:
    """Return a spec whose price keeps its currency: the forecast is in the unit of the column, so 1 is its rate."""
    unit = spec.unit or unit_in_name(spec.column, quantity)
    money = unit.replace("€", "EUR").partition("/")[0]
    if quantity != QUANTITIES["price"] or spec.factors or money in ("", "USD") or not money.isalpha():
        return spec
    rate = Factor(name=f"usd_per_{money.lower()}", value=1.0, note="the forecast stays in the currency of the column")
    return spec.model_copy(update={"factors": (rate,)})


def _clock(table: Table, spec: Series) -> tzinfo:
    """Return the clock of the site, by which its days begin.

    Raises
    ------
    BadInput
        No zone is named, and the rows have two offsets.
    """
    if spec.zone is not None:
        return clock_of(spec.zone)
    cells = pd.Series(table.times(spec.time_column))
    endings = cells.str.extract(r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)$", expand=False)
    kinds = endings.drop_duplicates()
    offsets = {row: read_time(cells[row]).utcoffset() for row in kinds.index}
    first = offsets[0]
    assert first is not None
    other = next((row for row, offset in offsets.items() if offset != first), None)
    if other is not None:
        raise BadInput(
            f"{table.place(int(str(other)))}: column {spec.time_column}: the rows have two offsets, {endings[0]} and "
            f"{endings[other]}; name the clock by which days begin, such as --zone Europe/Oslo"
        )
    return timezone(first)


def _first_day(source: Source, until: datetime) -> date:
    """Return the first local day that the file holds from its midnight on."""
    begin = datetime.fromtimestamp(int(source.rows.begin_us[0]) / 1e6, tz=UTC)
    day = begin.astimezone(source.clock).date()
    return day if midnight(day, source.clock) >= begin else day + timedelta(days=1)


def _in_column_unit(source: Source, values: Floats) -> Floats:
    """Return values of the key in the unit of the column, as the file has them: what a feed multiplies stays undone."""
    convert, spec = source.convert, source.spec
    # An energy is that of the hour, as its forecast's rows are.
    return (values - spec.shift - convert.offset) / convert.scale / spec.factor


def _refuse_gaps(source: Source, values: Floats, hour_us: Ints, until_us: int) -> None:
    held = np.flatnonzero(np.isfinite(values))
    if not held.size:
        raise BadInput(f"{source.place}: not one value before {iso(until_us, source.clock)}; all its cells are missing")
    last = int(held[-1])
    end_us = int(hour_us[last]) + US_PER_H
    if until_us - end_us > HOURS * US_PER_H:
        raise BadInput(
            f"{source.place}: its last value ends at {iso(end_us, source.clock)}, {duration(until_us - end_us)} before "
            f"{iso(until_us, source.clock)}, up to which it has to be known; a day is allowed"
        )
    gone = np.isnan(values[: last + 1])
    if gone.mean() > MOST_MISSING:
        raise BadInput(
            f"{source.place}: {int(gone.sum())} of {last + 1} hours have no value, the first of them "
            f"{iso(hour_us[int(gone.argmax())], source.clock)}; at most {MOST_MISSING:.0%} may be missing"
        )


def _refuse_above(source: Source, values: Floats, hour_us: Ints) -> None:
    most = source.asked.most
    if most is not None and (above := values > most).any():
        first = int(above.argmax())
        raise BadInput(
            f"{source.place}: {values[first]:g} at {iso(hour_us[first], source.clock)} is above --most {most:g} "
            f"({int(above.sum())} hours); name what the series cannot exceed, or leave --most out"
        )


def _shown(time: datetime, source: Source) -> str:
    return time.astimezone(source.clock).isoformat(timespec="minutes")
