"""Nord Pool day-ahead prices: the yearly files of the old site and the exports of the data portal.

The old site's ``elspot-prices_2019_hourly_eur.xls`` is a page of HTML under the name of an Excel file; people keep it
as CSV or .xlsx too.  A line states the currency, the day stands left of ``Hours`` (``00 - 01``), and there is a column
for each area.  The portal writes ``Delivery Start (CET)``, ``Delivery End (CET)`` and a column for each area, in Excel
files with the currency in a second header; from 1 October 2025 on its rows are quarters of an hour.  Both write the
clock of CET/CEST: in autumn an hour stands twice, in spring the old files have it without prices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted, Settings
from flexmine.inputs.adapters.market_clock import priced
from flexmine.inputs.adapters.shapes import named, with_cells
from flexmine.inputs.adapters.sheets import sheet_of, table_of
from flexmine.inputs.layout import Layout
from flexmine.inputs.table import PLAIN, Table
from flexmine.inputs.time_column import read_times
from flexmine.inputs.times import US_PER_DAY, US_PER_H, moment

START, END = "Delivery Start (CET)", "Delivery End (CET)"
DAY, HOURS = "Date", "Hours"
_OF_TIME = (START, END, DAY, HOURS)
CURRENCY = "EUR"
_DAY_FIRST, _DECIMAL_COMMA = Layout(date_order="dmy"), Layout(decimal=",")
_AREA = re.compile(r"(?P<area>.+?)(?: Price)? \((?P<currency>[A-Z]{3})(?:/MWh)?\)")
_SECOND_HEADER = re.compile(r"Price \([A-Z]{3}(?:/MWh)?\)")
_ABOVE = re.compile(r"\b([A-Z]{3})/MWh")
_IN_NAME = re.compile(r"_(eur|nok|sek|dkk|gbp|pln)(?=[_.])", re.IGNORECASE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FROM_TO = re.compile(r"([0-9]{2})\s*-\s*([0-9]{2})")
_PERHAPS_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
"""Prices have two decimals: 1,234 may well be 1234."""


def read(raw: bytes, label: str) -> Table:
    """Return the table in `raw`, the bytes of a CSV file, Excel file or HTML page, each area named with its currency.

    Raises
    ------
    BadInput
        Where there is no header of either shape, or a row has more cells than the header.
    """
    sheet = sheet_of(raw, label, lambda row: HOURS in row[1:] or START in row)
    if sheet.header is None:
        raise BadInput(
            f"{label}: there is no header with {HOURS} and areas, or with {START}, as Nord Pool's files of prices by "
            "the hour or quarter have it"
        )
    header, first = list(sheet.rows[sheet.header]), sheet.header + 1
    second = sheet.rows[first] if first < len(sheet.rows) else []
    if any(_SECOND_HEADER.fullmatch(cell) for cell in second):
        padded = [*second, *[""] * len(header)][: len(header)]
        header = [f"{a} {b}".strip() if a and a not in _OF_TIME else a for a, b in zip(header, padded, strict=True)]
        first += 1
    if HOURS in header[1:]:
        header[header.index(HOURS) - 1] = DAY
    header = _with_currency(header, [cell for row in sheet.rows[: sheet.header] for cell in row], label)
    return table_of(sheet, label, header, first)


def convert(table: Table, settings: Settings) -> Converted:
    """Return the prices of an area in EUR/MWh by interval with offset.

    Raises
    ------
    BadInput
        Where none of several areas is chosen, a price is not a number or not in EUR, a row is not an interval, or an
        hour that does not exist has a price.
    """
    old = HOURS in table.rows.columns
    table.need(*((DAY, HOURS) if old else (START, END)))
    column = _area(table, settings.only)
    if old:
        # Blanks between the hours do not break.
        pairs = zip(table.text(DAY), table.text(HOURS), strict=True)
        table = with_cells(table, {HOURS: [f"{day} {' '.join(hours.split())}" for day, hours in pairs]})
    ends = _hours(table) if old else _deliveries(table)
    _refuse_month_first(table, DAY if old else START, ends[0])
    found = priced(table, HOURS if old else START, ends, pd.Series(_prices(table, column), dtype=str))
    return replace(found, provenance=(f"column {column}", *found.provenance))


def _with_currency(header: list[str], above: Sequence[str], label: str) -> list[str]:
    """Return the header with a currency behind each area: the column's own, else that of a line above, or of the file.

    Files are named ``elspot-prices_2019_hourly_eur``, or ``AuctionPrice_2025_DayAhead_NO2_EUR_None`` by the portal.
    """
    said = {found[1] for cell in above for found in _ABOVE.finditer(cell)}
    said |= {found[1].upper() for found in _IN_NAME.finditer(label)}
    if len(said) > 1:
        raise BadInput(f"{label}: lines above the header and the file's name state several currencies: {sorted(said)}")
    if not said:
        return header
    (one,) = said
    return [name if not name or name in _OF_TIME or _AREA.fullmatch(name) else f"{name} ({one})" for name in header]


def _area(table: Table, wanted: str | None) -> str:
    """Return the column of the area that is meant, which holds prices in EUR."""
    found = {name: _AREA.fullmatch(name) for name in table.rows.columns if name not in _OF_TIME}
    areas: dict[str, list[str]] = {}
    for name, match in found.items():
        areas.setdefault(match["area"] if match else name, []).append(name)
    if wanted is None and len(areas) == 1:
        wanted = next(iter(areas))
    wanted = named(wanted, areas)
    if wanted not in areas:
        said = f"{wanted!r} is none of them" if wanted else "one of them has to be named"
        raise BadInput(f"{table.place(-1)}: the areas are {', '.join(map(repr, areas)) or 'none'}: {said} (--only)")
    currency = {name: match["currency"] if (match := found[name]) else "" for name in areas[wanted]}
    fitting = [name for name, code in currency.items() if code == CURRENCY]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise BadInput(f"{table.place(-1)}: columns {' and '.join(fitting)} are of one area; leave one of them")
    name = areas[wanted][0]
    if not currency[name]:
        raise BadInput(
            f"{table.place(-1)}: column {name}: neither the file's name, nor the column's, nor a line above says the "
            f"currency; this adapter reads {CURRENCY}: where it is that, call the column {name} ({CURRENCY})"
        )
    raise BadInput(
        f"{table.place(-1)}: column {name}: the prices are in {currency[name]}; this adapter reads {CURRENCY}, in "
        "which Nord Pool publishes them too"
    )


def _hours(table: Table) -> tuple[pd.Series[str], pd.Series[str]]:
    """Return the clock times of the beginnings and ends of hours such as ``31-12-2019 00 - 01``."""
    days = [_DAY_FIRST.time(text).removesuffix("T00:00:00") for text in table.text(DAY)]
    times = read_times(days)
    hours = [
        _FROM_TO.fullmatch(text[len(day) :].strip())
        for text, day in zip(table.text(HOURS), table.text(DAY), strict=True)
    ]
    ends: tuple[list[str], list[str]] = ([], [])
    for row, (day, day_us, found) in enumerate(zip(days, times.us.tolist(), hours, strict=True)):
        if found is None or found[1] > "23" or not _DAY.fullmatch(day) or row == times.first_wrong:
            raise BadInput(
                f"{table.place(row)}: column {HOURS}: {table.text(HOURS)[row]!r} is not an hour of a day; expected the "
                "form 31-12-2019 00 - 01"
            )
        # The last hour of a day is 23 - 00.
        later_us = US_PER_DAY if found[2] == "00" else 0
        for texts, us in zip(ends, (int(found[1]) * US_PER_H, int(found[2]) * US_PER_H + later_us), strict=True):
            texts.append(moment(day_us + us).replace(tzinfo=None).isoformat())
    return pd.Series(ends[0], dtype=str), pd.Series(ends[1], dtype=str)


def _refuse_month_first(table: Table, column: str, begins: pd.Series[str]) -> None:
    """Refuse dates of one day of each month in turn: read month first, they are the days of one month in turn."""
    days = np.unique(read_times(begins.tolist()).us // US_PER_DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    of_month = (days - months).astype(np.int64) + 1
    if len(days) > 1 and (np.diff(months).astype(np.int64) == 1).all() and np.ptp(of_month) == 0 and of_month[0] <= 12:
        raise BadInput(
            f"{table.place(0)}: column {column}: {table.text(column)[0]!r}: read with the day first, the days of this "
            "file are a month apart each; this adapter reads no dates with the month first"
        )


def _deliveries(table: Table) -> tuple[pd.Series[str], pd.Series[str]]:
    begin, end = (pd.Series([_DAY_FIRST.time(t) for t in table.text(c)], dtype=str) for c in (START, END))
    return begin, end


def _prices(table: Table, column: str) -> list[str]:
    """Return the prices as numbers are written everywhere else; a column has decimal commas or points."""
    text = table.text(column)
    comma, point = (text.str.contains(mark, regex=False).to_numpy(dtype=bool) for mark in (",", "."))
    layout = _DECIMAL_COMMA if comma.any() else PLAIN
    number = np.array([bool(layout.number(cell)) and not _PERHAPS_THOUSANDS.fullmatch(cell) for cell in text])
    wrong = ((text != "").to_numpy(dtype=bool) & ~number) | (point & comma.any())
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: {text[row]!r} is not a price; a column has decimal commas or "
            "decimal points, and nothing between thousands"
        )
    return replace(table, layout=layout).plain_cells(column)
