"""Forecasts of others as features, such as a weather forecast: what they said of a target hour when it was issued."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.forecasting.history import HOURS, History, hours_of
from flexmine.inputs.missing import missing
from flexmine.inputs.reading import MAX_CSV_BYTES
from flexmine.inputs.table import read_table
from flexmine.inputs.times import instants_us, iso
from flexmine.problem import Floats, Ints

TIME_COLUMN = "interval_start"


@dataclass(frozen=True)
class Driver:
    """A column that reaches into the future.

    Attributes
    ----------
    name : str
        File and column, for messages and the record.
    begin_us, issued_us : ndarray of int, shape (rows,)
        Of each row, by issue and then by time; where the file states no issues, all are issued at the beginning of
        time.
    value : ndarray, shape (rows,)
        NaN where a cell is missing.
    has_issues : bool
    """

    name: str
    begin_us: Ints
    issued_us: Ints
    value: Floats
    has_issues: bool
    sha256: str

    def at(self, issue_us: int, hour_us: Ints) -> Floats:
        """Return what the newest issue known at a moment says of some hours, NaN where it says nothing.

        Parameters
        ----------
        issue_us : int
            Microseconds since 1970; what was issued later is not looked at.
        hour_us : ndarray of int, shape (n,)
            Beginnings of hours.
        """
        end = int(np.searchsorted(self.issued_us, issue_us, side="right"))
        if not end:
            return np.full(len(hour_us), np.nan)
        begin = int(np.searchsorted(self.issued_us, self.issued_us[end - 1], side="left"))
        times, values = self.begin_us[begin:end], self.value[begin:end]
        place = np.minimum(np.searchsorted(times, hour_us), len(times) - 1)
        return np.where(times[place] == hour_us, values[place], np.nan)


def read_driver(path: Path, column: str, issued_column: str | None, zone: str | None) -> Driver:
    """Read a column that reaches into the future.

    Parameters
    ----------
    path : Path
    column : str
    issued_column : str or None
        Says when each row was issued; None: the file holds one issue that was always known, such as a calendar.
    zone : str or None
        Clock of times without offset.

    Raises
    ------
    BadInput
        Naming file, line and column of a time or number that cannot be read, or of an hour that stands twice.
    """
    try:
        raw = read_regular(path, MAX_CSV_BYTES)
    except BadInput as error:
        raise BadInput([f"{path} {message}" for message in error.messages]) from error
    suffix = path.suffix.lower().removeprefix(".")
    table = read_table(raw, path.name, suffix if suffix in ("parquet", "xlsx") else "csv")
    table.need(TIME_COLUMN, column, *([issued_column] if issued_column else []))
    if not len(table.rows):
        raise BadInput(f"{table.label}: has no rows")
    begin_us = instants_us(table, TIME_COLUMN, zone)
    issued_us = instants_us(table, issued_column, zone) if issued_column else np.full(len(begin_us), -(2**62))
    text = table.text(column).to_numpy(dtype=object)
    gone, plain = missing(table, text, ())
    bad = ~gone & ~np.isfinite(plain)
    if bad.any():
        row = int(bad.argmax())
        raise BadInput(f"{table.place(row)}: column {column}: {text[row]!r} is not a finite number")
    order = np.lexsort((begin_us, issued_us))
    twice = np.flatnonzero((np.diff(begin_us[order]) == 0) & (np.diff(issued_us[order]) == 0))
    if twice.size:
        row = int(order[twice[0] + 1])
        raise BadInput(f"{table.place(row)}: column {TIME_COLUMN}: this hour stands twice in one issue")
    values = np.where(gone, np.nan, plain)[order]
    digest = hashlib.sha256(raw).hexdigest()
    return Driver(f"{path.name}:{column}", begin_us[order], issued_us[order], values, issued_column is not None, digest)


def columns_of(drivers: Sequence[Driver], history: History, lead: int, issue_us: Sequence[int]) -> Floats | None:
    """Return what each issue knew of its target hours, shape (days, 24, drivers); None where there are no drivers.

    Parameters
    ----------
    drivers : sequence of Driver
    history : History
    lead : int
    issue_us : sequence of int
        Of each row of the history.
    """
    if not drivers:
        return None
    days = len(history.values)
    first = history.first + timedelta(days=lead)
    hour_us, day, hour = hours_of(first, days, history.source.clock)
    # Of the hour that stands twice the first counts; the one that does not exist has no time.
    at = np.full((days, HOURS), -1, dtype=np.int64)
    at[day[::-1], hour[::-1]] = hour_us[::-1]
    return np.stack([[driver.at(issue_us[row], at[row]) for row in range(days)] for driver in drivers], axis=-1)


def need_live(drivers: Sequence[Driver], history: History, issue_us: int, hour_us: Ints) -> None:
    """Refuse an issue at `issue_us` for which a driver says nothing of one of the target hours `hour_us`.

    Raises
    ------
    BadInput
        Naming driver and hour.
    """
    for driver in drivers:
        gone = np.isnan(driver.at(issue_us, hour_us))
        if gone.any():
            raise BadInput(
                f"--feature {driver.name}: nothing for {iso(hour_us[int(gone.argmax())], history.source.clock)} "
                f"({int(gone.sum())} of {len(hour_us)} hours) in the newest issue known at "
                f"{iso(issue_us, history.source.clock)}; a feature has to reach to the end of the forecast"
            )
