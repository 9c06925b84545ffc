"""ENTSO-E Transparency Platform, day-ahead prices as exported: local interval text without offset.

The export keeps 24 rows a day: in spring the hour that the clock leaves out stands there without a price, in autumn the
double hour stands twice with the same text, the earlier first.  ``n/e`` ("not exists") is left as it stands, so that
the case has to say that it is a missing value.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted, Settings, numbers
from flexmine.inputs.adapters.shapes import only
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table
from flexmine.inputs.time_column import read_times
from flexmine.inputs.times import US_PER_DAY, US_PER_H, duration, intervals, moment
from flexmine.problem import Ints

ZONE = "Europe/Brussels"
"""The clock of the platform's CET/CEST, whatever the bidding zone."""
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
        Where a row is no interval, an hour that does not exist has a price, or a price is not in EUR.
    """
    table = only(table, "Sequence", settings.only)
    time, price = _column(table, _TIME), _column(table, _PRICE)
    begin = _begin(table, time)
    _refuse_currency(table, price)
    numbers(table, price, (NOT_THERE,))  # refuses what is no number; the text is kept as published
    naive = Table(table.label, pd.DataFrame({"begin": begin, "price": table.text(price)}), table.lines, table.word)
    spec = Series(file=table.label, column="price", time_column="begin", zone=ZONE, missing=(NOT_THERE,))
    found = intervals(naive, spec, US_PER_H)
    text = naive.text("price").to_numpy()[found.row]
    zone = ZoneInfo(ZONE)
    rows = pd.DataFrame(
        {
            "interval_start": [moment(t).astimezone(zone).isoformat() for t in found.begin_us],
            "price_eur_per_mwh": text,
        }
    )
    absent = int((found.begin_us[1:] != found.end_us[:-1]).sum())
    missing = int(np.isin(text, ["", NOT_THERE]).sum())
    first, last = (moment(t).astimezone(UTC).isoformat() for t in (found.begin_us[0], found.end_us[-1]))
    return Converted(
        rows,
        (
            f"price_eur_per_mwh: as published, {duration(found.step_us)} intervals from {first} to {last}",
            f"{len(naive.rows) - len(rows)} rows of hours that the clock of {ZONE} leaves out had no price: dropped",
            f"{missing} of {len(rows)} prices are empty or {NOT_THERE}: left as they stand; {absent} holes in time",
        ),
    )


def _column(table: Table, names: tuple[str, ...]) -> str:
    for name in names:
        if name in table.rows.columns:
            return name
    table.need(names[0])
    return names[0]


def _begin(table: Table, column: str) -> pd.Series:
    """Return the clock time of each beginning as ISO text; on the clock all intervals are of one length."""
    parts = table.text(column).str.extract(_INTERVAL)
    bad = parts.isna().any(axis=1).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: {table.text(column)[row]!r} is no interval; expected the form "
            "29.03.2020 01:00 - 29.03.2020 02:00"
        )
    begin = parts[2] + "-" + parts[1] + "-" + parts[0] + " " + parts[3]
    end = parts[6] + "-" + parts[5] + "-" + parts[4] + " " + parts[7]
    times = [read_times(text.tolist()) for text in (begin, end)]
    absurd = [t.first_wrong for t in times if t.first_wrong is not None]
    length_us = times[1].us - times[0].us
    usual_us = _usual(length_us)
    # Where the clock changes, an interval may end by the new one: 02:45 - 02:00, or 01:45 - 03:00.
    wrong = length_us != usual_us
    for at in np.flatnonzero(wrong):
        wrong[at] = usual_us not in _true_lengths_us(int(times[0].us[at]), int(times[1].us[at]))
    if absurd:
        wrong = np.arange(len(length_us)) == min(absurd)
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: {table.text(column)[row]!r} is no interval as long as the others"
        )
    return begin


def _usual(length_us: Ints) -> int:
    """Return the length that most intervals have."""
    lengths, counts = np.unique(length_us[length_us > 0], return_counts=True)
    return int(lengths[counts.argmax()]) if lengths.size else US_PER_DAY


def _true_lengths_us(begin_us: int, end_us: int) -> list[int]:
    """Return how long an interval between two times of the clock may be, by each of the clocks that may be meant."""
    zone = ZoneInfo(ZONE)
    begins, ends = (
        [moment(us).replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)] for us in (begin_us, end_us)
    )
    return [(end - begin) // timedelta(microseconds=1) for begin in begins for end in ends]


def _refuse_currency(table: Table, price: str) -> None:
    """Refuse a price that is not in EUR; the currency may stand or not stand beside an empty one."""
    column = next((name for name in _CURRENCY if name in table.rows.columns), None)
    if column is None:
        return
    priced = ~table.text(price).isin(["", NOT_THERE])
    wrong = (priced & (table.text(column) != "EUR")).to_numpy(dtype=bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: the price {table.text(price)[row]} is in "
            f"{table.text(column)[row]!r}; this adapter reads EUR"
        )
