"""A column of a CSV file onto the time axis of a case, or a sentence that says where it fails and what is allowed.

The rule for steps: a source as fine as the case is taken as it is; a finer one is averaged over each step of the
case (mean power, mean price, mean temperature of the interval); a coarser one is refused, because whether to hold
or to interpolate it is not for this program to guess.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.fields import BANDS, Series
from flexmine.problem import Floats, Ints, TimeAxis

_OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_HEADER_LINES = 1
_MISSING_MARKERS = (-9999.0, -999.0, 9999.0)
_MICROSECONDS_PER_H = 3_600_000_000


@dataclass(frozen=True)
class Table:
    """A CSV file as text, row by row; row i stands in line i + 2.

    Attributes
    ----------
    label : str
        How messages name the file.
    """

    label: str
    rows: pd.DataFrame


def read_table(raw: bytes, label: str) -> Table:
    """Read the bytes of a CSV file with a header; nothing is interpreted yet.

    Raises
    ------
    BadInput
        Where the bytes are no UTF-8 table with distinct column names.
    """
    try:
        text = raw.decode("utf-8-sig")
        header = text.partition("\n")[0].rstrip("\r").split(",")
        rows = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{label}:{line}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInput(f"{label}: this is not a CSV table with a header: {error}") from error
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadInput(f"{label}:1: column {twice[0]} stands twice in the header; names have to be distinct")
    if not isinstance(rows.index, pd.RangeIndex):
        raise BadInput(f"{label}:2: the rows have more cells than the header has names")
    return Table(label, rows)


def read_series(table: Table, spec: Series, quantity: str, axis: TimeAxis) -> Floats:
    """Return column x factors on the time axis of the case, shape (T,), in the unit of `quantity`.

    Parameters
    ----------
    quantity : str
        Key of :data:`flexmine.inputs.fields.BANDS`: which band of values is plausible.

    Raises
    ------
    BadInput
        Naming file, line, column, time and extent of the first thing that is wrong, and what is allowed.
    """
    for column in (spec.time_column, spec.column):
        if column not in table.rows.columns:
            known = ", ".join(table.rows.columns)
            raise BadInput(f"{table.label}:1: there is no column {column}; columns: {known}")
    times_us = _times_us(table, spec.time_column)
    step_us = _source_step_us(table, spec.time_column, times_us, axis)
    rows = _rows_of_horizon(table, spec, times_us, step_us, axis)
    values = _values(table, spec, quantity, rows, times_us[rows])
    per_step = round(axis.step_h * _MICROSECONDS_PER_H) // step_us
    return values.reshape(axis.steps, per_step).mean(axis=1)


def _line(row: int) -> int:
    return int(row) + 1 + _HEADER_LINES


def _times_us(table: Table, column: str) -> Ints:
    """Return the beginnings of the intervals, microseconds since 1970 in UTC, checked for order."""
    text = table.rows[column].str.strip()
    where = f"{table.label}:{{}}: column {column}: "
    naive = ~text.str.contains(_OFFSET)
    if naive.any():
        row = int(naive.to_numpy().argmax())
        raise BadInput(
            where.format(_line(row))
            + f"{text[row]!r} has no UTC offset ({int(naive.sum())} such rows); write 2024-09-10T00:00:00+08:00"
        )
    times = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    bad = times.isna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise BadInput(where.format(_line(row)) + f"{text[row]!r} is no ISO 8601 time; write 2024-09-10T00:00:00+08:00")
    result: Ints = times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]").astype(np.int64)
    back = np.flatnonzero(np.diff(result) <= 0)
    if back.size:
        row = int(back[0]) + 1
        same = result[row] == result[row - 1]
        wrong = "stands a second time" if same else f"comes after {text[row - 1]}"
        raise BadInput(where.format(_line(row)) + f"{text[row]} {wrong}; times have to rise from row to row")
    return result


def _source_step_us(table: Table, column: str, times_us: Ints, axis: TimeAxis) -> int:
    """Return the step of the source: the smallest distance of two rows, which must divide the step of the case."""
    case_us = round(axis.step_h * _MICROSECONDS_PER_H)
    if len(times_us) < 2:
        return case_us
    distances = np.diff(times_us)
    row = int(distances.argmin())
    step_us = int(distances[row])
    if step_us > case_us:
        raise BadInput(
            f"{table.label}: one row every {_duration(step_us)}, coarser than the steps of the case "
            f"({_duration(case_us)}); give a series at least as fine, or a longer step_minutes"
        )
    if case_us % step_us:
        raise BadInput(
            f"{table.label}:{_line(row + 1)}: column {column}: {_duration(step_us)} after the row before, which does "
            f"not divide the steps of the case ({_duration(case_us)})"
        )
    return step_us


def _rows_of_horizon(table: Table, spec: Series, times_us: Ints, step_us: int, axis: TimeAxis) -> Ints:
    """Return the row of every source step of the horizon, none missing."""
    start_us = round(axis.start.timestamp() * 1e6)
    count = round(axis.steps * axis.step_h * _MICROSECONDS_PER_H) // step_us
    wanted = start_us + step_us * np.arange(count, dtype=np.int64)
    rows = np.searchsorted(times_us, wanted)
    found = (rows < len(times_us)) & (
        times_us[np.minimum(rows, len(times_us) - 1)] == wanted if len(times_us) else False
    )
    if found.all():
        return rows
    missing = np.flatnonzero(~found)
    first = int(missing[0])
    run = int(np.argmin(np.append(~found[first:], False)))
    near = max(int(rows[first]) - 1, 0)
    covers = (
        f"the file covers {_iso(times_us[0], axis)} to {_iso(times_us[-1] + step_us, axis)}"
        if len(times_us)
        else "the file has no rows"
    )
    raise BadInput(
        f"{table.label}:{_line(near)}: column {spec.column}: nothing for {_iso(wanted[first], axis)}, a gap of "
        f"{_duration(run * step_us)} ({len(missing)} of {count} values missing in the horizon from "
        f"{_iso(start_us, axis)} to {_iso(wanted[-1] + step_us, axis)}; {covers}); every step needs a value"
    )


def _values(table: Table, spec: Series, quantity: str, rows: Ints, times_us: Ints) -> Floats:
    """Return the values of the rows times the factors, finite and within the band of the quantity."""
    low, high = BANDS[quantity]
    text = table.rows[spec.column].to_numpy()[rows]
    plain = pd.to_numeric(pd.Series(text).str.strip(), errors="coerce").to_numpy(dtype=np.float64)
    values = plain * spec.factor
    bad = ~np.isfinite(values)
    wrong = "is no finite number"
    if not bad.any():
        bad = (values < low) | (values > high)
        wrong = "is out of range"
    if bad.any():
        i = int(bad.argmax())
        product = f" x {spec.factor:g} = {values[i]:g}" if spec.factors and np.isfinite(values[i]) else ""
        marker = ", the mark of a missing value," if plain[i] in _MISSING_MARKERS else ""
        time = datetime.fromtimestamp(times_us[i] / 1e6, tz=UTC).isoformat()
        raise BadInput(
            f"{table.label}:{_line(rows[i])}: column {spec.column}, {time}: {text[i]!r}{product}{marker} {wrong} "
            f"({int(bad.sum())} of {len(values)} values of the horizon); allowed: numbers from {low:g} to {high:g} "
            f"for {quantity}"
        )
    return values


def _iso(time_us: int | np.int64, axis: TimeAxis) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(time_us))
    return moment.astimezone(axis.start.tzinfo).isoformat()


def _duration(length_us: int) -> str:
    hours = length_us / _MICROSECONDS_PER_H
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
