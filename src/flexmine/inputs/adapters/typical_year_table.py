"""A typical year given as columns (month, day, hour ending, no header of its format), onto one calendar year."""

from __future__ import annotations

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted, Settings, clock_us, gaps, numbers, on_one_year, starts
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H

_COLUMNS = {
    "dry_bulb_c": "temperature_c",
    "dew_point_c": "dew_point_c",
    "ghi_wh_m2": "ghi_wh_m2",
    "dni_wh_m2": "dni_wh_m2",
    "dhi_wh_m2": "dhi_wh_m2",
}


def convert(table: Table, settings: Settings) -> Converted:
    """Return the rows with the dates of `year`, by beginning of the hour; 29 February stays absent.

    Raises
    ------
    BadInput
        Where year or zone is not given, or a row is not an hour of a year.
    """
    table.need("source_year", "month", "day", "hour_ending_lst", *_COLUMNS)
    if settings.year is None:
        raise BadInput(f"{table.label}: a typical year has no year of its own; give --year, such as 2024")
    zone = settings.need_offset(table)
    hour = numbers(table, "hour_ending_lst")
    wrong = ~((hour >= 1) & (hour <= 24))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(f"{table.place(row)}: column hour_ending_lst: {hour[row]:g} is not an hour from 1 to 24")
    date = str(settings.year) + "-" + table.text("month").str.zfill(2) + "-" + table.text("day").str.zfill(2)
    begin_us = clock_us(table, date, zone, hour - 1)
    rows = pd.DataFrame({"interval_start": starts(begin_us, zone)})
    for source, name in _COLUMNS.items():
        numbers(table, source)
        rows[name] = table.text(source)
    years = numbers(table, "source_year")
    return Converted(
        rows,
        (
            on_one_year(np.nanmin(years), np.nanmax(years), settings.year),
            f"hours named by their end in standard time {zone}: moved to their beginning",
            f"{gaps(begin_us, US_PER_H)} hours between the first row and the last are absent and stay absent",
            "irradiance is energy in the hour [Wh/m2], its number the mean power [W/m2]",
        ),
    )
