"""US EIA form 930: hourly demand, net generation and interchange; UTC labels that name the end of the hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import numpy as np
import pandas as pd

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
from flexmine.inputs.adapters.shapes import only, renamed, wide, with_cells
from flexmine.inputs.layout import Layout
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H

_BALANCE = {
    "utc_time": ("UTC Time at End of Hour", "UTC time"),
    "demand_mw": ("Demand (MW)",),
    "net_generation_mw": ("Net Generation (MW)",),
    "total_interchange_mw": ("Total Interchange (MW)",),
}
_OF_TYPE = {"D": "demand_mw", "NG": "net_generation_mw", "TI": "total_interchange_mw"}
_AMERICAN = Layout(thousands=",", date_order="mdy")
_NUMBERS = ("demand_mw", "net_generation_mw", "total_interchange_mw")


def _one_shape(table: Table, settings: Settings) -> Table:
    """Return the columns that are read: of the six-month files, of the API's long table, or as they stand."""
    if {"period", "type", "value"} <= set(table.rows.columns):
        table = only(table, "respondent", settings.only)
        of_interest = table.text("type").isin(list(_OF_TYPE)).to_numpy()
        table = wide(table.select(np.flatnonzero(of_interest)), "period", "type", ("value",), {"value": ""})
        # Both services name an hour by its end.
        table = renamed(table, {"utc_time": ("period",), **{own: (kind,) for kind, own in _OF_TYPE.items()}})
        order = np.argsort(table.text("utc_time").to_numpy(), kind="stable")
        table = table.select(order)
        hours = [f"{text}:00" if len(text) == len("2024-01-01T09") else text for text in table.text("utc_time")]
        table = with_cells(table, {"utc_time": hours})
    else:
        table = replace(renamed(only(table, "Balancing Authority", settings.only), _BALANCE), layout=_AMERICAN)
        if "utc_time" in table.rows.columns:
            table = with_cells(table, {"utc_time": table.times("utc_time")})
        there = [name for name in _NUMBERS if name in table.rows.columns]
        table = with_cells(table, {name: table.plain_cells(name) for name in there})
    absent = [name for name in _NUMBERS if name not in table.rows.columns]
    return with_cells(table, {name: [""] * len(table.rows) for name in absent if len(absent) < len(_NUMBERS)})


def convert(table: Table, settings: Settings) -> Converted:
    """Return demand, net generation and interchange by beginning of the hour.

    Demand is net generation less interchange.  Where both are the same number although power was exchanged, or the
    interchange is missing, one of them was copied: both are left empty.  EIA's imputed values are not used.

    Raises
    ------
    BadInput
        Where a row is not an hour or a cell not a number.
    """
    table = _one_shape(table, settings)
    table.need("utc_time")
    end_us = clock_us(table, table.text("utc_time"), UTC)
    demand, generation, interchange = (
        numbers(table, f"{name}_mw") for name in ("demand", "net_generation", "total_interchange")
    )
    copied = (demand == generation) & ~(interchange == 0.0)
    rows = pd.DataFrame(
        {
            "interval_start": starts(end_us - US_PER_H, UTC),
            "demand_mw": as_text(np.where(copied, np.nan, demand), 0),
            "net_generation_mw": as_text(np.where(copied, np.nan, generation), 0),
            "interchange_mw": as_text(interchange, 0),
        }
    )
    return Converted(
        rows,
        (
            "utc_time names the end of the hour (EIA-930): moved to its beginning",
            f"{count(np.isnan(demand))} demands, {count(np.isnan(generation))} generations and "
            f"{count(np.isnan(interchange))} interchanges are empty in the source; {gaps(end_us, US_PER_H)} hours "
            "absent",
            f"{count(copied)} hours in which demand equals net generation although power was exchanged, or nobody says "
            "that none was: both left empty",
        ),
    )
