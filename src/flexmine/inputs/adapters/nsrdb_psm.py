"""NREL's National Solar Radiation Database, physical solar model 3 and 4: two lines on the place, then a table.

The form is that of SAM: names, their values, the header.  ``Time Zone`` is the clock of the rows, which is UTC or the
standard time of the place, halves of an hour included.  ``pvlib.iotools.read_nsrdb_psm4`` reads the same files, but
takes whole hours only, keeps the dates of the several years of a typical year, and does not name the line of a fault;
the tests compare this reader with it.
"""

from __future__ import annotations

import re
from datetime import timezone

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import (
    Converted,
    Settings,
    as_text,
    clock_us,
    count,
    gaps,
    numbers,
    on_one_year,
    starts,
)
from flexmine.inputs.adapters.shapes import with_cells
from flexmine.inputs.adapters.sheets import sheet_of, table_of
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H, US_PER_MINUTE, duration
from flexmine.problem import Ints

ZONE = "Time Zone"
_OF_TIME = ("Year", "Month", "Day", "Hour", "Minute")
_COLUMNS = {
    "Temperature": ("temperature_c", "c"),
    "GHI": ("ghi_w_m2", "w/m2"),
    "Wind Speed": ("wind_speed_m_s", "m/s"),
}
"""Name here and unit, by the publisher's name; a download holds those that were selected."""
FILLED = "Fill Flag"
_OFFSET_H = re.compile(r"[-+]?[0-9]{1,2}(\.[0-9]+)?")
_MOST_H = 14.0


def read(raw: bytes, label: str) -> Table:
    """Return the table in `raw`, the bytes of a file, below the lines on the place, with its time zone in a column.

    Raises
    ------
    BadInput
        Where these lines state no time zone, or a unit that is not the expected one.
    """
    sheet = sheet_of(raw, label, lambda row: tuple(row[: len(_OF_TIME)]) == _OF_TIME)
    at = sheet.header
    said = {} if at is None or at < 2 else dict(zip(sheet.rows[at - 2], sheet.rows[at - 1], strict=False))
    if at is None or ZONE not in said:
        raise BadInput(
            f"{label}: there is no header {','.join(_OF_TIME)} below names and values of the place, {ZONE} among them, "
            "as files of the NSRDB have them in lines 1 to 3"
        )
    for column, (_, unit) in _COLUMNS.items():
        other = said.get(f"{column} Units", unit)
        if other.lower() not in (unit, ""):
            raise BadInput(f"{label}:{sheet.lines[at - 1]}: {column} Units: {other!r}; this adapter reads {unit}")
    table = table_of(sheet, label, sheet.rows[at], at + 1)
    return with_cells(table, {ZONE: [said[ZONE]] * len(table.rows)})


def convert(table: Table, settings: Settings) -> Converted:
    """Return temperature, global irradiance on the horizontal plane and wind, of those that the file holds.

    Raises
    ------
    BadInput
        Where months of several years need a year, a true year is given another, or a row is not a time or a cell not
        a number.
    """
    table.need(*_OF_TIME, ZONE)
    there = {source: name for source, (name, _) in _COLUMNS.items() if source in table.rows.columns}
    if not there:
        table.need(*_COLUMNS)
    zone = _zone(table)
    parts = {name: _whole(table, name) for name in _OF_TIME}
    year, note = _year(table, parts, settings)
    date = pd.Series([f"{y:04d}-{m:02d}-{d:02d}" for y, m, d in zip(year, parts["Month"], parts["Day"], strict=True)])
    stamp_us = clock_us(table, date, zone, (parts["Hour"] + parts["Minute"] / 60.0).astype(np.float64))
    begin_us, step_us = _begins(table, stamp_us, parts)
    rows = pd.DataFrame({"interval_start": starts(begin_us, zone)})
    notes = [note, f"the clock of the file is {zone}, as {ZONE} on top of it says"]
    notes.append(
        f"intervals of {duration(step_us)}, each with the value of the moment within it that the file names: assumed; "
        f"{gaps(begin_us, step_us)} of them are absent between the first row and the last and stay absent"
    )
    for source, name in there.items():
        rows[name] = as_text(numbers(table, source), 2)
    if FILLED in table.rows.columns:
        filled = numbers(table, FILLED) > 0
        notes.append(f"{count(filled)} of {len(filled)} rows have a {FILLED}: the publisher has filled them in; kept")
    return Converted(rows, tuple(notes))


def _zone(table: Table) -> timezone:
    text = str(table.text(ZONE)[0])
    if not _OFFSET_H.fullmatch(text) or abs(float(text)) > _MOST_H:
        raise BadInput(
            f"{table.label}: {ZONE}: {text!r} is not a standard time in hours east of UTC, such as -7 or 5.5"
        )
    return Settings(utc_offset_h=float(text)).need_offset(table)


def _whole(table: Table, column: str) -> Ints:
    values = numbers(table, column)
    low, high = {"Year": (1900, 2199), "Month": (1, 12), "Day": (1, 31), "Hour": (0, 23), "Minute": (0, 59)}[column]
    bad = ~((values >= low) & (values <= high) & (values == np.round(values)))
    if bad.any():
        row = int(bad.argmax())
        found = str(table.text(column)[row])
        raise BadInput(f"{table.place(row)}: column {column}: {found!r}; allowed: whole numbers from {low} to {high}")
    return values.astype(np.int64)


def _year(table: Table, parts: dict[str, Ints], settings: Settings) -> tuple[Ints, str]:
    """Return the year of each row, and where it comes from.

    Rows of several years whose months and days rise all the same are a typical year: in a file of true years they
    start again with each January.
    """
    years = parts["Year"]
    first, last = int(years.min()), int(years.max())
    within = ((parts["Month"] * 31 + parts["Day"]) * 24 + parts["Hour"]) * 60 + parts["Minute"]
    if first == last or (np.diff(within) <= 0).any():
        if settings.year is not None and settings.year != first:
            raise BadInput(
                f"{table.label}: the file holds the true year {first}{'' if first == last else f' to {last}'}; --year "
                "puts a typical year, with months of several years, on another; leave it out"
            )
        return years, f"the year {first}" if first == last else f"the years {first} to {last}"
    if settings.year is None:
        raise BadInput(
            f"{table.label}: months of {first} to {last}: a typical year has no year of its own; give --year, such as "
            "2026"
        )
    return np.full_like(years, settings.year), on_one_year(first, last, settings.year)


def _begins(table: Table, stamp_us: Ints, parts: dict[str, Ints]) -> tuple[Ints, int]:
    """Return the beginnings of the intervals that moments such as 00:30 of an hour stand in, and their length."""
    distances, counts = np.unique(np.diff(stamp_us), return_counts=True)
    step_us = int(distances[counts.argmax()]) if distances.size else US_PER_H
    late_us = (parts["Hour"] * 60 + parts["Minute"]) * US_PER_MINUTE % step_us
    close = np.diff(stamp_us, prepend=stamp_us[0] - step_us) < step_us
    odd = close | (late_us != late_us[0])
    if odd.any():
        row = int(odd.argmax())
        raise BadInput(
            f"{table.place(row)}: column Minute: {parts['Hour'][row]}:{parts['Minute'][row]:02d} does not fit the "
            f"other rows, most of which are {duration(step_us)} apart"
        )
    begins: Ints = stamp_us - late_us
    return begins, step_us
