"""Prices of a market whose rows name both ends of their interval by the clock of CET/CEST, without an offset.

Where the clock is set back, an hour stands twice, the earlier first; where it is set forward, the skipped hour is
absent, or stands there without a price.  Markets have changed from hours to quarters, so the length of each row is
that between its own two times.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import Converted
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table
from flexmine.inputs.time_column import read_times
from flexmine.inputs.times import US_PER_H, US_PER_MINUTE, duration, intervals, moment
from flexmine.problem import Ints

ZONE = "Europe/Brussels"
"""A clock of CET/CEST; those of all its zones agree."""
LENGTHS_US = (60 * US_PER_MINUTE, 30 * US_PER_MINUTE, 15 * US_PER_MINUTE)


def priced(
    table: Table,
    column: str,
    ends: tuple[pd.Series[str], pd.Series[str]],
    prices: pd.Series[str],
    missing: tuple[str, ...] = (),
) -> Converted:
    """Return prices in EUR/MWh by interval with offset; hours that do not exist are dropped where they are empty.

    Parameters
    ----------
    table : Table
        For the places and cells that messages name.
    column : str
        The column of times that messages name.
    ends : pair of Series
        Beginning and end of each row as ISO 8601 text of the clock.
    prices : Series of str
        Price of each row, as published [EUR/MWh].
    missing : tuple of str
        Texts that stand for a missing price, beside the empty one; they are kept.

    Raises
    ------
    BadInput
        Where a row is not an interval, begins before the last one ends, or an hour that does not exist has a price.
    """
    begin, end = ends
    length_us = _lengths_us(table, column, begin, end)
    shown = table.text(column)
    naive = Table(table.label, pd.DataFrame({"begin": begin, "price": prices}), table.lines, table.word)
    spec = Series(file=table.label, column="price", time_column="begin", zone=ZONE, missing=missing)
    found = intervals(naive, spec, US_PER_H)
    begin_us, length_us = found.begin_us, length_us[found.row]
    end_us = begin_us + length_us
    over = np.flatnonzero(begin_us[1:] < end_us[:-1])
    if over.size:
        row = int(found.row[over[0] + 1])
        raise BadInput(f"{table.place(row)}: column {column}: {shown[row]} begins before the row above it ends")
    text = naive.text("price").to_numpy()[found.row]
    zone = ZoneInfo(ZONE)
    rows = pd.DataFrame(
        {
            "interval_start": [moment(t).astimezone(zone).isoformat() for t in begin_us],
            "price_eur_per_mwh": text,
        }
    )
    gone = int(np.isin(text, ["", *missing]).sum())
    marks = " or ".join(("empty", *missing))
    return Converted(
        rows,
        (
            f"price_eur_per_mwh: as published, {_told(begin_us, length_us)}",
            f"{len(naive.rows) - len(rows)} rows of hours that the clock of {ZONE} leaves out had no price: dropped",
            f"{gone} of {len(rows)} prices are {marks}: left as they stand; "
            f"{int((begin_us[1:] > end_us[:-1]).sum())} holes in time",
        ),
    )


def _told(begin_us: Ints, length_us: Ints) -> str:
    """Return the lengths of the intervals in words, each with its first and last time."""
    if not len(begin_us):
        return "no interval"
    bounds = [0, *(np.flatnonzero(np.diff(length_us)) + 1).tolist(), len(length_us)]
    notes = []
    for first, after in pairwise(bounds):
        from_, to = (moment(t).isoformat() for t in (begin_us[first], begin_us[after - 1] + length_us[after - 1]))
        notes.append(f"{duration(length_us[first])} intervals from {from_} to {to}")
    return ", then ".join(notes)


def _lengths_us(table: Table, column: str, begin: pd.Series[str], end: pd.Series[str]) -> Ints:
    """Return how long each row is; refuse what is not an interval of a market."""
    times = [read_times(text.tolist()) for text in (begin, end)]
    absurd = [t.first_wrong for t in times if t.first_wrong is not None]
    length_us = times[1].us - times[0].us
    wrong = ~np.isin(length_us, LENGTHS_US)
    if absurd:
        wrong = np.arange(len(length_us)) == min(absurd)
    else:
        # Where the clock changes, an interval may end by the new one: 02:45 - 02:00, or 01:45 - 03:00.
        for at in np.flatnonzero(wrong):
            true_us = _true_lengths_us(int(times[0].us[at]), int(times[1].us[at]))
            possible = [length for length in LENGTHS_US if length in true_us]
            if possible:
                length_us[at], wrong[at] = possible[0], False
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{table.place(row)}: column {column}: {table.text(column)[row]!r} is not an interval as long as the "
            "others; 15, 30 or 60 minutes are expected"
        )
    return length_us


def _true_lengths_us(begin_us: int, end_us: int) -> list[int]:
    """Return how long an interval between two times of the clock may be, by each of the clocks that may be meant."""
    zone = ZoneInfo(ZONE)
    begins, ends = (
        [moment(us).replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)] for us in (begin_us, end_us)
    )
    return [(end - begin) // timedelta(microseconds=1) for begin in begins for end in ends]
