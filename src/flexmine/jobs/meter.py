"""A file of measurements: power of containers by time, as a meter or a miner-management system writes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.audit.seal import read_bytes
from flexmine.errors import BadInput, first_of
from flexmine.inputs.table import Table, read_table
from flexmine.inputs.times import instants_us, moment, to_us
from flexmine.jobs.calendar import LocalDay

QUANTITIES = {"facility_power_mw": "facility", "it_power_mw": "it"}
STATES = {"on": True, "off": False}
USUAL_SAMPLES_S = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)
MOST_JITTER = 0.1
"""The distance of two samples may miss their length by such a share."""
MOST_LATE = 0.25
"""Samples are moved to the steps of the day where half of them are nearer to one than such a share of their length."""
HIGHEST_MW = 20.0
TEMPERATURES_C = (-70.0, 100.0)
SHOWN = 20


@dataclass(frozen=True)
class Sample:
    """One row: mean power [MW] over `length` from `begin`; state and temperature [C] are None where it has none."""

    container: str
    begin: datetime
    length: timedelta
    power_mw: float
    is_on: bool | None
    inside_temperature_c: float | None


@dataclass(frozen=True)
class Meter:
    """A file of samples of one quantity, ``facility`` or ``it``."""

    quantity: str
    samples: tuple[Sample, ...]


def read_meter(path: Path, containers: tuple[str, ...], zone: str = "UTC") -> Meter:
    """Read measurements with the columns interval_start, container and facility_power_mw or it_power_mw.

    Columns ``state`` (on, off) and ``inside_temperature_c`` are optional.  Names other than those in `containers` are
    an error.  Samples that are some seconds late are those of the intervals that midnight in `zone` begins.

    Raises
    ------
    BadInput
        Everything that is wrong, with file, line and column.
    """
    table = read_table(read_bytes(path), path.name)
    table.need("interval_start", "container")
    given = [column for column in QUANTITIES if column in table.rows.columns]
    if len(given) != 1:
        raise BadInput(f"{table.place(-1)}: exactly one of the columns {' and '.join(QUANTITIES)} is needed")
    measured, names = instants_us(table, "interval_start", None), table.text("container")
    length_us = _length_us(names, measured)
    times = _without_jitter(measured, length_us, zone)
    wrong = list(_unknown(table, names, containers))
    power = _numbers(table, given[0], (0.0, HIGHEST_MW), wrong)
    inside = _numbers(table, "inside_temperature_c", TEMPERATURES_C, wrong, may_lack=True)
    state = _states(table, wrong)
    wrong += _twice(table, names, times)
    if wrong:
        raise BadInput(first_of(wrong, SHOWN))
    length = timedelta(microseconds=length_us)
    return Meter(
        QUANTITIES[given[0]],
        tuple(
            Sample(names[i], moment(times[i]), length, float(power[i]), state[i], None if np.isnan(t) else float(t))
            for i, t in enumerate(inside)
        ),
    )


def _unknown(table: Table, names: pd.Series, containers: tuple[str, ...]) -> Iterator[str]:
    for row in np.flatnonzero(~names.isin(containers)):
        near = difflib.get_close_matches(names[row], containers, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"{table.place(row)}: column container: {names[row]!r} is not a container of the plant{hint}"


def _numbers(
    table: Table, column: str, band: tuple[float, float], wrong: list[str], *, may_lack: bool = False
) -> np.ndarray:
    if may_lack and column not in table.rows.columns:
        return np.full(len(table.rows), np.nan)
    text = table.text(column)
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~((values >= band[0]) & (values <= band[1]))
    if may_lack:
        bad &= (text != "").to_numpy()
    for row in np.flatnonzero(bad):
        wrong.append(
            f"{table.place(row)}: column {column}: {text[row]!r} is not a number from {band[0]:g} to {band[1]:g}; "
            "leave out what was not measured"
        )
    return values


def _states(table: Table, wrong: list[str]) -> list[bool | None]:
    if "state" not in table.rows.columns:
        return [None] * len(table.rows)
    text = table.text("state")
    for row in np.flatnonzero(~text.isin([*STATES, ""])):
        wrong.append(f"{table.place(row)}: column state: {text[row]!r} is neither on nor off")
    return [STATES.get(value) for value in text]


def _twice(table: Table, names: pd.Series, times: np.ndarray) -> Iterator[str]:
    again = pd.DataFrame({"name": names, "time": times}).duplicated()
    for row in np.flatnonzero(again):
        yield f"{table.place(row)}: container {names[row]} stands a second time at {table.text('interval_start')[row]}"


def _length_us(names: pd.Series, times: np.ndarray) -> int:
    """Return the length of a sample [µs]: the most frequent distance of two that follow each other in a container.

    A lost sample leaves a hole, which is a rarer distance.  One within `MOST_JITTER` of a usual length counts as that.
    """
    ordered = pd.DataFrame({"name": names, "time": times}).drop_duplicates().sort_values(["name", "time"])
    distances = ordered.groupby("name")["time"].diff().dropna().to_numpy(dtype=np.float64)
    if not distances.size:
        return 3_600_000_000
    usual = 1e6 * np.array(USUAL_SAMPLES_S)
    near = usual[np.abs(np.log(distances[:, None] / usual)).argmin(axis=1)]
    lengths, counts = np.unique(
        np.where(np.abs(distances / near - 1.0) <= MOST_JITTER, near, distances), return_counts=True
    )
    return int(lengths[counts.argmax()])


def _without_jitter(times: np.ndarray, length_us: int, zone: str) -> np.ndarray:
    """Return the beginnings that samples stand for: meters answer some seconds late, by less than half a sample.

    Intervals are counted from local midnight, as the steps of a plan are; a zone may be three quarters of an hour away
    from UTC.  Where samples keep to other times than these, such as half past, none moves.
    """
    if length_us not in {1_000_000 * s for s in USUAL_SAMPLES_S}:
        return times
    dates = [moment(time).astimezone(ZoneInfo(zone)).date() for time in times]
    midnights = {day: to_us(LocalDay(day, zone).begin) for day in set(dates)}
    midnight = np.array([midnights[day] for day in dates], dtype=np.int64)
    nearest = midnight + (times - midnight + length_us // 2) // length_us * length_us
    return nearest if np.median(np.abs(times - nearest)) < MOST_LATE * length_us else times
