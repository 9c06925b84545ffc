"""ENTSO-E Transparency Platform, day-ahead prices as exported: local interval text without offset.

The export keeps 24 rows a day: in spring the hour that the clock leaves out stands there without a price, in autumn the
double hour stands twice with the same text, the earlier first.  ``n/e`` ("not exists") is left unchanged, so that
the case has to declare it as a missing value.
"""

from __future__ import annotations

import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted, Settings, numbers
from flexmine.inputs.adapters.market_clock import priced
from flexmine.inputs.adapters.shapes import only
from flexmine.inputs.table import Table

NOT_THERE = "n/e"
_TIME = ("mtu_cet_cest", "MTU (CET/CEST)")
_PRICE = ("price_eur_mwh", "Day-ahead Price [EUR/MWh]", "Day-ahead Price (EUR/MWh)")
_CURRENCY = ("currency", "Currency")
_DAY_AND_CLOCK = r"([0-9]{2})[./]([0-9]{2})[./]([0-9]{4}) ([0-9]{2}:[0-9]{2})(?::00)?(?: \(CES?T\))?"
_INTERVAL = rf"^{_DAY_AND_CLOCK} - {_DAY_AND_CLOCK}$"


def convert(table: Table, settings: Settings) -> Converted:
    """Return the prices in EUR/MWh by interval with offset; hours that do not exist are dropped where they are empty.

    Raises
    ------
    BadInput
        Where a row is not an interval, an hour that does not exist has a price, or a price is not in EUR.
    """
    table = only(table, "Sequence", settings.only)
    time, price = _column(table, _TIME), _column(table, _PRICE)
    ends = _ends(table, time)
    _refuse_currency(table, price)
    numbers(table, price, (NOT_THERE,))  # refuses what is not a number; the text is kept as published
    return priced(table, time, ends, table.text(price), (NOT_THERE,))


def _column(table: Table, names: tuple[str, ...]) -> str:
    for name in names:
        if name in table.rows.columns:
            return name
    columns = ", ".join(map(str, table.rows.columns))
    wanted = " or ".join(names[::-1])
    raise BadInput(f"{table.place(-1)}: there is no column {wanted}, as an ENTSO-E export has it; columns: {columns}")


def _ends(table: Table, column: str) -> tuple[pd.Series[str], pd.Series[str]]:
    """Return the clock times of each beginning and end as ISO text."""
    parts = table.text(column).str.extract(_INTERVAL)
    bad = parts.isna().any(axis=1).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: {table.text(column)[row]!r} is not an interval; expected the form "
            "29.03.2020 01:00 - 29.03.2020 02:00"
        )
    begin = parts[2] + "-" + parts[1] + "-" + parts[0] + " " + parts[3]
    end = parts[6] + "-" + parts[5] + "-" + parts[4] + " " + parts[7]
    return begin, end


def _refuse_currency(table: Table, price: str) -> None:
    """Refuse a price that is not in EUR; the currency may stand or not stand beside an empty one."""
    column = next((name for name in _CURRENCY if name in table.rows.columns), None)
    if column is None:
        return
    there = ~table.text(price).isin(["", NOT_THERE])
    wrong = (there & (table.text(column) != "EUR")).to_numpy(dtype=bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: the price {table.text(price)[row]} is in "
            f"{table.text(column)[row]!r}; this adapter reads EUR"
        )
