"""The time column of a table as intervals in UTC: with offset, or by the clock of a named zone.

A clock time without offset is read in the zone that the case names, or refused.  Where the clock is set back, an hour
stands twice: its first row is the earlier hour, its second the later.  An hour that the clock leaves out cannot hold
anything: it is refused, unless the row has no value, as in files that keep 24 rows a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.layout import DATE_ORDERS, looks_like_another_date, year_of_two_digits
from flexmine.inputs.missing import missing
from flexmine.inputs.series_spec import MINUTES_OF_STEP, Series, clock_of
from flexmine.inputs.table import Bools, Table, comment_hint
from flexmine.inputs.time_column import read_times
from flexmine.inputs.workbook import NOT_CALCULATED
from flexmine.moments import EXAMPLE, NoTime, read_time
from flexmine.problem import Ints

US_PER_MINUTE = 60_000_000
US_PER_H = 60 * US_PER_MINUTE
US_PER_DAY = 24 * US_PER_H


@dataclass(frozen=True)
class Intervals:
    """The rows of a table as intervals [begin, end) in UTC, ascending, none twice.

    Attributes
    ----------
    begin_us, end_us : ndarray of int, shape (rows,)
        Microseconds since 1970.
    step_us : int
        Length of an interval; of calendar days 24 h, though some have 23 or 25.
    row : ndarray of int, shape (rows,)
        Row of the table that each interval is of.
    """

    begin_us: Ints
    end_us: Ints
    step_us: int
    row: Ints


def intervals(table: Table, spec: Series, default_us: int) -> Intervals:
    """Return the intervals that the rows of a table stand for.

    Parameters
    ----------
    table : Table
    spec : Series
    default_us : int
        Length where neither the case names one nor two rows show one [us].

    Raises
    ------
    BadInput
        Naming the first row whose time cannot be read, has no offset and no zone, is left out by the clock of its
        zone, stands twice or does not come after the row before.
    """
    table, spec = joined(table, spec)
    table.need(spec.time_column)
    clock_us, naive = _parse(table, spec.time_column, zoned=spec.zone is not None)
    if spec.zone is not None and naive.any():
        if not naive.all():
            row = int((~naive).argmax())
            raise BadInput(
                f"{table.place(row)}: column {spec.time_column}: {_cell(table, spec, row)!r} has an offset, others "
                "have none; a column has either"
            )
        return _of_clock(table, spec, clock_us, default_us)
    step_us = _step_us(spec, clock_us, default_us)
    begin_us = clock_us - step_us if spec.label == "ending" else clock_us
    _refuse_disorder(table, spec, begin_us)
    if spec.every == "day":
        end_us = _next_midnight_us(table, spec, begin_us)
    else:
        end_us = begin_us + step_us
    return Intervals(begin_us, end_us, step_us, np.arange(len(begin_us), dtype=np.int64))


def joined(table: Table, spec: Series) -> tuple[Table, Series]:
    """Return a table whose time column holds date and clock, where the file has them in two, and the spec of it.

    Raises
    ------
    BadInput
        Naming the first row that has one of both only: a date by itself would be read as midnight.
    """
    if spec.time_of_day_column is None:
        return table, spec
    table.need(spec.time_column, spec.time_of_day_column)
    days, clocks = table.text(spec.time_column), table.text(spec.time_of_day_column)
    lone = ((days == "") != (clocks == "")).to_numpy(dtype=bool)
    if lone.any():
        row = int(lone.argmax())
        there, gone = (spec.time_column, spec.time_of_day_column)[:: -1 if not days[row] else 1]
        raise BadInput(
            f"{table.place(row)}: column {gone}: '' is not a part of a time, and column {there} has the other"
        )
    # Of a cell that is a date Excel and databases keep the midnight too.
    dates = days.str.replace(r"[T ]00:00(?::00)?$", "", regex=True)
    rows = table.rows.assign(**{spec.time_column: (dates + " " + clocks).str.strip()})
    return replace(table, rows=rows), spec.model_copy(update={"time_of_day_column": None})


def instants_us(table: Table, column: str, zone: str | None) -> Ints:
    """Return `column`, instants in any order, as microseconds since 1970.

    A time without offset is read by the clock of `zone`; without a zone (None) it is refused.

    Raises
    ------
    BadInput
        As by :func:`intervals`; a clock time that stands twice a year cannot be distinguished here and is refused.
    """
    table.need(column)
    clock_us, naive = _parse(table, column, zoned=zone is not None)
    if zone is None or not naive.any():
        return clock_us
    first, second, absent = _both(clock_us, zone)
    unclear = naive & (absent | (first != second))
    if unclear.any():
        row = int(unclear.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: {table.text(column)[row]!r} stands twice or not at all on the clock "
            f"of {zone}; give its UTC offset"
        )
    return np.where(naive, first, clock_us)


def iso(time_us: int | np.integer, zone: tzinfo | None) -> str:
    """Return the moment `time_us`, in microseconds since 1970, as ISO 8601 text in a zone; None: this machine's."""
    return moment(time_us).astimezone(zone).isoformat()


def moment(time_us: int | np.integer) -> datetime:
    """Return the moment `time_us`, in microseconds since 1970, as a time in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(time_us))


def to_us(time: datetime) -> int:
    """Return `time`, which is aware, as microseconds since 1970."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def duration(length_us: int | np.integer) -> str:
    """Return the length of time `length_us`, in microseconds, as ``2 h``, ``15 min`` or ``3 days``."""
    hours = int(length_us) / US_PER_H
    if hours >= 72:
        return f"{hours / 24:g} days"
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"


def _cell(table: Table, spec: Series, row: int) -> str:
    return str(table.text(spec.time_column)[row])


def _refusal(table: Table, column: str, row: int, read: str) -> str:
    """Return why a cell is not a time, in the words of the reader of single times, and what to write in the case.

    Parameters
    ----------
    read : str
        The cell as its layout reads it.
    """
    cell = str(table.text(column)[row])
    if not cell:
        empty = not "".join(table.rows.iloc[row]).strip()
        return "the row is empty; only rows at the end may be" if empty else f"'' is not a time; write it as {EXAMPLE}"
    if cell[:1] == "=":
        return f"{cell!r} is not a time{NOT_CALCULATED}"
    if hint := comment_hint(cell, table.layout):
        return f"{cell!r} is not a time{hint}"
    try:
        read_time(read)
    except NoTime as error:
        if cell == read:
            return f"{error}{_order(table, column, cell)}"
        order = table.layout.date_order
        return f"{cell!r} is not a time with layout: {{date_order: {order}}}: {error}{_order(table, column, cell)}"
    raise AssertionError(f"{read!r} is a time by itself and none in its column")


def _order(table: Table, column: str, cell: str) -> str:
    """Return which order of day, month and year reads the whole column, where its cells look like such dates."""
    if not looks_like_another_date(cell):
        return ""
    if year_of_two_digits(cell):
        return "; a year has four digits"
    cells = table.text(column)
    fitting = []
    for order in DATE_ORDERS:
        way = table.layout.model_copy(update={"date_order": order})
        # Most orders fail within a few rows.
        if all(read_times([way.time(text) for text in part]).first_wrong is None for part in (cells[:100], cells)):
            fitting.append(f"layout: {{date_order: {order}}}")
    if len(fitting) > 1:
        return f"; every row can be read with {' and with '.join(fitting)}: say which one is meant"
    return f"; every row can be read with {fitting[0]}" if fitting else ""


def _parse(table: Table, column: str, *, zoned: bool) -> tuple[Ints, Bools]:
    """Return the times in microseconds (clock time where there is no offset) and which have no offset."""
    cells = table.times(column)
    times = read_times(cells)
    if times.first_wrong is not None:
        row = times.first_wrong
        raise BadInput(f"{table.place(row)}: column {column}: {_refusal(table, column, row, cells[row])}")
    if times.naive.any() and not zoned:
        row, many = int(times.naive.argmax()), int(times.naive.sum())
        raise BadInput(
            f"{table.place(row)}: column {column}: {str(table.text(column)[row])!r} has no UTC offset ({many} such "
            f"rows); write {EXAMPLE}, or name the zone of the clock in the case (zone: UTC, zone: Europe/Oslo, or "
            "zone: +01:00 where it is not changed in summer)"
        )
    return times.us, times.naive


def _step_us(spec: Series, clock_us: Ints, default_us: int) -> int:
    """Return the length of the intervals: as named, else the smallest distance of two rows."""
    if spec.every is not None:
        return US_PER_DAY if spec.every == "day" else MINUTES_OF_STEP[spec.every] * US_PER_MINUTE
    distances = np.diff(np.unique(clock_us))
    return int(distances.min()) if distances.size else default_us


def _refuse_disorder(table: Table, spec: Series, begin_us: Ints, row: Ints | None = None) -> None:
    back = np.flatnonzero(np.diff(begin_us) <= 0)
    if not back.size:
        return
    i = int(back[0])
    after, before = (i + 1, i) if row is None else (int(row[i + 1]), int(row[i]))
    same = begin_us[i] == begin_us[i + 1]
    wrong = "stands a second time" if same else f"comes after {_cell(table, spec, before)}"
    raise BadInput(
        f"{table.place(after)}: column {spec.time_column}: {_cell(table, spec, after)} {wrong}; times have to rise "
        "from row to row"
    )


def _of_clock(table: Table, spec: Series, clock_us: Ints, default_us: int) -> Intervals:
    """Return the intervals of clock times in the zone of the spec."""
    assert spec.zone is not None
    step_us = _step_us(spec, clock_us, default_us)
    # An ending is its beginning plus the step by the clock: so do the publishers who label hours by their end.
    begin_clock_us = clock_us - step_us if spec.label == "ending" else clock_us
    first, second, absent = _both(begin_clock_us, spec.zone)
    row = np.flatnonzero(~_absent_and_empty(table, spec, absent, begin_clock_us))
    twice = first != second
    place = _place_among_equal(begin_clock_us)
    _refuse_single_twin(table, spec, begin_clock_us, twice & ~absent)
    begin_us = np.where(twice & (place > 0), second, first)[row]
    _refuse_disorder(table, spec, begin_us, row)
    if spec.every != "day":
        return Intervals(begin_us, begin_us + step_us, step_us, row)
    off = begin_clock_us % US_PER_DAY != 0
    if off.any():
        raise BadInput(_no_midnight(table, spec, int(off.argmax())))
    end_us = _both(begin_clock_us + US_PER_DAY, spec.zone, "shift_forward")[0][row]
    return Intervals(begin_us, end_us, step_us, row)


def _next_midnight_us(table: Table, spec: Series, begin_us: Ints) -> Ints:
    """Return the next local midnight after times that are local midnights of the zone."""
    assert spec.zone is not None
    local = pd.DatetimeIndex(begin_us.astype("datetime64[us]")).tz_localize("UTC").tz_convert(clock_of(spec.zone))
    clock_us = local.tz_localize(None).to_numpy(dtype="datetime64[us]").astype(np.int64)
    off = clock_us % US_PER_DAY != 0
    if off.any():
        raise BadInput(_no_midnight(table, spec, int(off.argmax())))
    return _both(clock_us + US_PER_DAY, spec.zone, "shift_forward")[0]


def _no_midnight(table: Table, spec: Series, row: int) -> str:
    return (
        f"{table.place(row)}: column {spec.time_column}: {_cell(table, spec, row)} is not a midnight of {spec.zone}; "
        "with every: day each row begins at midnight"
    )


def _both(clock_us: Ints, zone: str, absent_as: Literal["NaT", "shift_forward"] = "NaT") -> tuple[Ints, Ints, Bools]:
    """Return the first and the second moment in UTC at which the clock of a zone shows a time, and where none does."""
    index = pd.DatetimeIndex(clock_us.astype("datetime64[us]"))
    both = []
    for summer in (True, False):
        flags = np.full(len(index), summer)
        local = index.tz_localize(clock_of(zone), ambiguous=flags, nonexistent=absent_as)
        both.append(local.tz_convert("UTC").tz_localize(None))
    absent: Bools = np.asarray(both[0].isna(), dtype=bool)
    a, b = (moments.to_numpy(dtype="datetime64[us]").astype(np.int64) for moments in both)
    return np.minimum(a, b), np.maximum(a, b), absent


def _absent_and_empty(table: Table, spec: Series, absent: Bools, clock_us: Ints) -> Bools:
    """Return which rows stand at hours that the clock leaves out; refuse those of them that hold a value."""
    if not absent.any():
        return absent
    table.need(spec.column)
    text = table.text(spec.column)
    held = absent & ~missing(table, text.to_numpy(dtype=object), spec.missing)[0]
    if held.any():
        row = int(held.argmax())
        raise BadInput(
            f"{table.place(row)}: column {spec.time_column}: {_cell(table, spec, row)} does not exist on the clock of "
            f"{spec.zone}, but has the value {text[row]!r}; is the zone right (a clock that is not "
            f"changed in summer is zone: {_winter(spec.zone, int(clock_us[row]))}), and is the label the {spec.label}?"
        )
    return absent


def _winter(zone: str | None, clock_us: int) -> str:
    """Return the offset of a zone in winter, by which a clock is named that is not changed in summer.

    Parameters
    ----------
    clock_us : int
        A clock time near a change.
    """
    assert zone is not None
    near = moment(clock_us).replace(tzinfo=None)
    offsets = [(near + timedelta(days=days)).replace(tzinfo=clock_of(zone)).utcoffset() for days in (-2, 2)]
    winter = timezone(min(offset for offset in offsets if offset is not None))
    return near.replace(tzinfo=winter).isoformat()[-len("+01:00") :]


def _place_among_equal(clock_us: Ints) -> Ints:
    """Return for each row how many rows before it show the same clock time."""
    return pd.Series(clock_us).groupby(clock_us).cumcount().to_numpy().astype(np.int64)


def _refuse_single_twin(table: Table, spec: Series, begin_clock_us: Ints, twice: Bools) -> None:
    """Refuse a clock time that happens twice and stands once: which of both it is cannot be known."""
    if not twice.any():
        return
    counts = pd.Series(begin_clock_us).groupby(begin_clock_us).transform("count").to_numpy()
    single = twice & (counts == 1)
    if single.any():
        row = int(single.argmax())
        raise BadInput(
            f"{table.place(row)}: column {spec.time_column}: {_cell(table, spec, row)} happens twice on the clock of "
            f"{spec.zone} and stands once; which of the two is missing cannot be known; give UTC offsets, "
            f"or zone: {_winter(spec.zone, int(begin_clock_us[row]))} where the clock is not changed in summer"
        )


def at_clock(clock: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which the clock of a zone shows `clock`, a naive time, the first of two.

    A time that the clock leaves out when it is put forward stands for the one an hour before it.
    """
    while True:
        shown = clock.replace(tzinfo=zone)
        if shown.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == clock:
            return shown
        clock -= timedelta(hours=1)
