"""Typical years (EPW, TMY3) as tables: read by pvlib, mapped to the dates of a case by calendar, never silently.

A typical year joins months of different years; its rows have a date and an hour, but no year that means anything.
The hour of a case finds its row by month, day and hour: of the file's own standard time (``clock: own``, the same
instant), or of the site's (``clock: site``, for a stand-in from another longitude, whose hour h becomes the site's
hour h).  Where both clocks are the same nothing need be stated; where they differ the case states which.  Neither
format has a 29 February: there a case names what stands in, and it is listed as filled.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.decoding import text_of
from flexmine.inputs.recognised import packed, weather_file
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Bools, Table
from flexmine.problem import Ints, TimeAxis

_HEADER_LINES = {"epw": 8, "tmy3": 2}
_MARKS = {"temp_air": "99.9", "temp_dew": "99.9", "ghi": "9999", "dni": "9999", "dhi": "9999"}
"""Missing values of EPW, by the EnergyPlus documentation of the format."""
_ANY_COMMON_YEAR = 2001
_FARTHEST_OFFSET_H = 14.0
_MARGIN_H = 192
"""Hours before and after the horizon that a policy of filling may look at: the longest gap and a day."""


@dataclass(frozen=True)
class TypicalYear:
    """A typical year as read.

    Attributes
    ----------
    frame : DataFrame
        pvlib's columns; the index holds month, day and hour (beginning) as MMDDHH.
    offset_h : float
        Standard time of the file, hours east of UTC.
    place : str
        Name of the place in the file's header.
    years : tuple of int
        First and last year that its months were taken from.
    """

    label: str
    frame: pd.DataFrame
    lines: Ints
    offset_h: float
    place: str
    years: tuple[int, int]


def read_typical_year(raw: bytes, label: str, kind: str) -> TypicalYear:
    """Read `raw`, the bytes of a file of `kind` ``"epw"`` or ``"tmy3"``, with ``pvlib.iotools``.

    Raises
    ------
    BadInput
        Where they are not such a file with 8,760 hours.
    """
    from pvlib import iotools

    read = iotools.read_epw if kind == "epw" else iotools.read_tmy3
    if what := packed(raw):
        raise BadInput(f"{label}: this is {what}; unpack it")
    # Nothing but the name of the place is written with other letters than ASCII.
    text = text_of(raw)
    what = weather_file(text)
    if what and f"format: {kind}" not in what:
        raise BadInput(f"{label}:1: this is {what}")
    try:
        frame, meta = read(io.StringIO(text, newline=None), coerce_year=None)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, pd.errors.ParserError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"{label}: pvlib cannot read this as {kind.upper()}: {reason}") from error
    begin = frame.index - pd.Timedelta(hours=1) if kind == "tmy3" else frame.index
    key = begin.month * 10_000 + begin.day * 100 + begin.hour
    # A leap year's February that ends at 24:00 is moved on by pvlib; its last hour is that of the 28th.
    key = np.where(key == 22923, 22823, key)
    if not abs(meta["TZ"]) <= _FARTHEST_OFFSET_H:
        raise BadInput(f"{label}:1: a standard time of {meta['TZ']:g} h east of UTC; allowed: -14 to 14")
    if len(key) != 8760 or len(np.unique(key)) != 8760:
        raise BadInput(f"{label}: {len(key)} rows of {len(np.unique(key))} different hours; a typical year has 8760")
    frame.index = pd.Index(key)
    lines = np.arange(len(frame), dtype=np.int64) + 1 + _HEADER_LINES[kind]
    place = str(meta.get("city", meta.get("Name", ""))).strip('" ')
    years = (int(begin.year.min()), int(begin.year.max()))
    return TypicalYear(label, frame, lines, float(meta["TZ"]), place, years)


def on_dates(year: TypicalYear, spec: Series, axis: TimeAxis) -> tuple[Table, Bools, str]:
    """Return the rows of the case's dates with times, which of them stand in for 29 February, and a note.

    Raises
    ------
    BadInput
        Where there is no such column, where the file's clock is not the site's and the case does not state which one
        counts, or where the horizon has a 29 February and the case does not state what stands in.
    """
    if spec.column not in year.frame.columns:
        raise BadInput(f"{year.label}: there is no column {spec.column}; columns: {', '.join(map(str, year.frame))}")
    clock = _clock(year, spec, axis)
    hours = np.arange(-_MARGIN_H, round(axis.steps * axis.step_h) + _MARGIN_H + 1)
    start = axis.start.astimezone(clock).replace(minute=0)
    local = [start + timedelta(hours=int(h)) for h in hours]
    leap = np.array([(t.month, t.day) == (2, 29) for t in local])
    in_horizon = np.array([axis.start - timedelta(hours=1) < t < axis.begin(axis.steps) for t in local])
    if (leap & in_horizon).any() and spec.leap_day is None:
        raise BadInput(
            f"{year.label}: the horizon has a 29 February, a typical year has none; say what stands in, "
            "leap_day: repeat_28_february"
        )
    key = [t.month * 10_000 + (28 if is_leap else t.day) * 100 + t.hour for t, is_leap in zip(local, leap, strict=True)]
    at = year.frame.index.get_indexer(pd.Index(key))
    cells = year.frame[spec.column].to_numpy()[at]
    marks = {_MARKS[spec.column]} if spec.kind == "epw" and spec.column in _MARKS else set()
    text = [_text(cell, marks) for cell in cells]
    rows = pd.DataFrame({spec.time_column: [t.isoformat() for t in local], spec.column: text}, dtype=str)
    return Table(year.label, rows, year.lines[at]), leap, _note(year, clock)


def _text(cell: object, marks: set[str]) -> str:
    """Return a cell as a CSV file would hold it; empty where the format marks it as missing."""
    if isinstance(cell, str):
        return cell
    value = float(cell)  # type: ignore[arg-type]
    return "" if np.isnan(value) or f"{value:g}" in marks else repr(value)


def _clock(year: TypicalYear, spec: Series, axis: TimeAxis) -> timezone:
    """Return the standard time by whose month, day and hour the rows are found."""
    own = timezone(timedelta(hours=year.offset_h))
    site = _standard_time(axis)
    if spec.clock is None and own.utcoffset(None) != site.utcoffset(None):
        raise BadInput(
            f"{year.label}: the file's standard time is {_utc(own)}, the site's {_utc(site)}; say clock: own (the same "
            "instant) or clock: site (for a stand-in: hour h of its clock becomes hour h of the site's)"
        )
    return site if spec.clock == "site" else own


def _standard_time(axis: TimeAxis) -> timezone:
    local = axis.start.astimezone(ZoneInfo(axis.zone))
    offset, summer = local.utcoffset(), local.dst()
    assert offset is not None
    return timezone(offset - (summer or timedelta(0)))


def _utc(clock: timezone) -> str:
    return datetime(_ANY_COMMON_YEAR, 1, 1, tzinfo=clock).strftime("UTC%z")


def _note(year: TypicalYear, clock: timezone) -> str:
    first, last = year.years
    years = f"months of {first} to {last}" if last > first else f"of {first}"
    return f"typical year of {year.place} ({years}), found by calendar in standard time {_utc(clock)}"
