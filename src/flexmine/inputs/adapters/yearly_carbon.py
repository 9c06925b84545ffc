"""A yearly carbon intensity of a zone as days, each with its year's mean; years without one stay empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted, Settings, numbers, starts
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_DAY, to_us

_COLUMNS = {"avg_direct_g_kwh": "direct_g_per_kwh", "avg_lifecycle_g_kwh": "lifecycle_g_per_kwh"}


def convert(table: Table, settings: Settings) -> Converted:
    """Return the yearly means of a zone for each UTC day of their years [g CO2e/kWh].

    Raises
    ------
    BadInput
        Where the file holds several zones, or years from 1990 to 2100 do not follow each other, one a row.
    """
    table.need("year", "zone", *_COLUMNS)
    year = numbers(table, "year")
    if np.isnan(year).any() or (np.diff(year) != 1).any() or not ((year >= 1990) & (year <= 2100)).all():
        raise BadInput(f"{table.label}: column year: a row for each year, one after the other, is expected")
    zones = sorted(set(table.text("zone")))
    if len(zones) > 1:
        raise BadInput(f"{table.label}: column zone: {', '.join(zones)}; a file of one zone is expected")
    first, after = (datetime(int(y), 1, 1, tzinfo=UTC) for y in (year[0], year[-1] + 1))
    day_us = to_us(first) + US_PER_DAY * np.arange((after - first) // timedelta(days=1), dtype=np.int64)
    of_day = pd.DatetimeIndex(day_us.astype("datetime64[us]")).year.to_numpy() - int(year[0])
    rows = pd.DataFrame({"interval_start": starts(day_us, UTC)})
    notes = [f"zone {zones[0]}: the mean of a year on each of its days; no hour and no day is reported from another"]
    for source, name in _COLUMNS.items():
        text = table.text(source).to_numpy()
        empty = ", ".join(f"{int(y):d}" for y in year[np.isnan(numbers(table, source))])
        rows[name] = text[of_day]
        notes.append(f"{name}: {source} as published" + (f"; without a mean, left empty: {empty}" if empty else ""))
    return Converted(rows, tuple(notes))
