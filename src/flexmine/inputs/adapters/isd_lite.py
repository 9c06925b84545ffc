"""NOAA ISD-Lite: hourly observations in UTC, values in tenths, -9999 for a missing one.

Lott, N. (2006). ISD-Lite: format documentation. NOAA National Centers for Environmental Information.
"""

from __future__ import annotations

from datetime import UTC

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
    starts,
)
from flexmine.inputs.adapters.shapes import without_header
from flexmine.inputs.table import Table, read_table
from flexmine.inputs.times import US_PER_H

MISSING = ("-9999",)
_COLUMNS = {"air_temp_c_x10": "temperature_c", "dew_point_c_x10": "dew_point_c", "wind_speed_m_s_x10": "wind_speed_m_s"}


_FIXED = (
    "year",
    "month",
    "day",
    "hour_utc",
    "air_temp_c_x10",
    "dew_point_c_x10",
    "slp",
    "direction",
    "wind_speed_m_s_x10",
)


def read(raw: bytes, label: str) -> Table:
    """Return the table in `raw`, the bytes of a file with a header, or of NOAA's own: split by blanks, without one."""
    return without_header(raw, label, _FIXED, " ") if is_headerless(raw) else read_table(raw, label)


def is_headerless(raw: bytes) -> bool:
    """Return whether `raw` is a file of NOAA's own."""
    return raw.lstrip()[:4].isdigit() and b"," not in raw.partition(b"\n")[0]


def convert(table: Table, settings: Settings) -> Converted:
    """Return temperature, dew point and wind of every row; the observation at the hour stands for the hour it begins.

    Raises
    ------
    BadInput
        Where a row is not an hour or a cell not a number.
    """
    table.need("year", "month", "day", "hour_utc", *_COLUMNS)
    date = table.text("year") + "-" + table.text("month").str.zfill(2) + "-" + table.text("day").str.zfill(2)
    hour = numbers(table, "hour_utc")
    wrong = ~((hour >= 0) & (hour <= 23))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(f"{table.place(row)}: column hour_utc: {hour[row]:g} is not an hour from 0 to 23")
    begin_us = clock_us(table, date, UTC, hour)
    rows = pd.DataFrame({"interval_start": starts(begin_us, UTC)})
    notes = [f"{gaps(begin_us, US_PER_H)} hours between the first row and the last are absent and stay absent"]
    for source, name in _COLUMNS.items():
        tenths = numbers(table, source, MISSING)
        rows[name] = as_text(tenths / 10.0, 1)
        notes.append(f"{name}: {source} / 10; {count(np.isnan(tenths))} of {len(tenths)} are -9999: left empty")
    notes.append("the observation at the full hour stands for the hour that begins there: assumed")
    return Converted(rows, tuple(notes))
