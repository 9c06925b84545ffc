"""PVGIS typical meteorological year (Joint Research Centre): hours in UTC, months of many years.

Huld, T., Müller, R. and Gambardella, A. (2012), *A new solar radiation database for estimating PV performance in Europe
and Africa*, Solar Energy 86; the columns are described in the PVGIS user manual.
"""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted, Settings, as_text, clock_us, gaps, numbers, on_one_year, starts
from flexmine.inputs.adapters.shapes import below
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H

TIME = "time(UTC)"
_COLUMNS = {"T2m": "temperature_c", "G(h)": "ghi_w_m2", "WS10m": "wind_speed_m_s"}
_HOUR = r"^(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2}):(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})$"


def read(raw: bytes, label: str) -> Table:
    """Return the table in `raw`, the bytes of a file, between the lines on place and months and those on the columns.

    Raises
    ------
    BadInput
        Where there is no line with the names of the columns.
    """
    return below(raw, label, TIME)


def convert(table: Table, settings: Settings) -> Converted:
    """Return temperature, global irradiance on the horizontal plane and wind by hour of one calendar year, in UTC.

    Raises
    ------
    BadInput
        Where the year is not given, or a row is not an hour or a cell not a number.
    """
    table.need(TIME, *_COLUMNS)
    if settings.year is None:
        raise BadInput(f"{table.label}: a typical year has no year of its own; give --year, such as 2026")
    parts = table.text(TIME).str.extract(_HOUR)
    bad = parts.isna().any(axis=1).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(
            f"{table.place(row)}: column {TIME}: {table.text(TIME)[row]!r} is not an hour such as 20180131:2300"
        )
    # Satellites pass at some minute of the hour, which the file names for all rows; the value stands for the hour.
    date = str(settings.year) + "-" + parts["month"] + "-" + parts["day"]
    begin_us = clock_us(table, date, UTC, parts["hour"].to_numpy(dtype=np.float64))
    rows = pd.DataFrame({"interval_start": starts(begin_us, UTC)})
    for source, name in _COLUMNS.items():
        rows[name] = as_text(numbers(table, source), 2)
    years = parts["year"].astype(int)
    return Converted(
        rows,
        (
            on_one_year(years.min(), years.max(), settings.year),
            f"{gaps(begin_us, US_PER_H)} hours between the first row and the last are absent and stay absent",
            "a value stands for the hour that it names in UTC, whatever minute the satellite passed: assumed",
        ),
    )
