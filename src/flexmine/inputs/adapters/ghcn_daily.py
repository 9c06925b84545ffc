"""NOAA GHCN-Daily minimum and maximum as an hourly temperature profile: a model, and named as one.

Between the minimum of a day, the maximum, and the minimum of the next day the temperature follows half cosine waves,
the classical profile of de Wit, Goudriaan and van Laar (1978), *Simulation of Assimilation, Respiration and
Transpiration of Crops*, with the hours of both extremes fixed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.adapters.base import (
    Converted,
    Settings,
    as_text,
    clock_us,
    count,
    numbers,
    starts,
)
from flexmine.inputs.adapters.shapes import wide, with_cells, without_header
from flexmine.inputs.table import Bools, Table, read_table
from flexmine.inputs.times import US_PER_DAY, US_PER_H
from flexmine.problem import Floats, Ints

HOUR_OF_MINIMUM, HOUR_OF_MAXIMUM = 6.0, 15.0
"""Standard time of the extremes [h]; assumed, the same on all days."""
_BLANK = "."


_BY_STATION = ("station", "date", "element", "value", "m", "q", "s")
_ELEMENTS = {"TMAX": "tmax_c_x10", "TMIN": "tmin_c_x10"}


def read(raw: bytes, label: str) -> Table:
    """Return the table in `raw`, the bytes of a file with a header, or of NOAA's by station, with a line per element.

    Raises
    ------
    BadInput
        Where the file holds several stations, or is not such a table.
    """
    if not is_headerless(raw):
        return read_table(raw, label)
    table = without_header(raw, label, _BY_STATION, ",")
    table = table.select(np.flatnonzero(table.text("element").isin(list(_ELEMENTS)).to_numpy()))
    if len(set(table.rows["station"])) > 1:
        raise BadInput(f"{label}: holds several stations; give the file of one")
    flags = [m or _BLANK for m in table.text("m")], [q or _BLANK for q in table.text("q")], list(table.text("s"))
    days = [f"{d[:4]}-{d[4:6]}-{d[6:]}" if len(d) == 8 else d for d in table.text("date")]
    names = [_ELEMENTS[element] for element in table.text("element")]
    together = ["".join(flag) for flag in zip(*flags, strict=True)]
    table = with_cells(table, {"date": days, "element": names, "mqs": together})
    return wide(table, "date", "element", ("value", "mqs"), {"value": "", "mqs": "_mqs"})


def is_headerless(raw: bytes) -> bool:
    """Return whether `raw` is a file of NOAA's by station."""
    first = raw.partition(b"\n")[0].split(b",")
    return len(first) >= len(_BY_STATION) and first[1].strip().isdigit()


def convert(table: Table, settings: Settings) -> Converted:
    """Return the modelled mean temperature of every hour between the first and the last extreme that is known.

    A value that failed NOAA's quality check (second character of its flags) counts as missing; hours that lean on a
    missing extreme stay empty.

    Raises
    ------
    BadInput
        Where a row is not a date, a minimum is above its maximum, or the zone is not given.
    """
    table.need("date", "tmax_c_x10", "tmax_c_x10_mqs", "tmin_c_x10", "tmin_c_x10_mqs")
    zone = settings.need_offset(table)
    day_us = clock_us(table, table.text("date"), zone)
    low_c, low_failed = _judged(table, "tmin_c_x10")
    high_c, high_failed = _judged(table, "tmax_c_x10")
    _refuse_crossed(table, low_c, high_c)
    begin_us, profile_c = _profile(day_us, low_c, high_c)
    rows = pd.DataFrame({"interval_start": starts(begin_us, zone), "modelled_temperature_c": as_text(profile_c, 1)})
    return Converted(
        rows,
        (
            f"modelled_temperature_c: half cosines between daily minimum ({HOUR_OF_MINIMUM:g}:00) and maximum "
            f"({HOUR_OF_MAXIMUM:g}:00) of the standard time {zone}; a model, not an observation",
            f"{count(low_failed)} minima and {count(high_failed)} maxima failed NOAA's quality check: not used",
            f"{count(np.isnan(profile_c))} of {len(profile_c)} hours lean on a missing extreme: left empty",
            "the day of a value is taken as midnight to midnight of that time: assumed",
        ),
    )


def _judged(table: Table, column: str) -> tuple[Floats, Bools]:
    """Return degrees, NaN where missing or failed, and which values failed the quality check."""
    tenths = numbers(table, column, ("-9999",))
    flag = table.text(f"{column}_mqs").str.slice(1, 2)
    failed: Bools = ~flag.isin(["", _BLANK, " "]).to_numpy(dtype=bool) & np.isfinite(tenths)
    return np.where(failed, np.nan, tenths / 10.0), failed


def _refuse_crossed(table: Table, low_c: Floats, high_c: Floats) -> None:
    crossed = low_c > high_c
    if crossed.any():
        row = int(crossed.argmax())
        raise BadInput(
            f"{table.place(row)}: the minimum {low_c[row]:g} C is above the maximum {high_c[row]:g} C of the same day"
        )


def _profile(day_us: Ints, low_c: Floats, high_c: Floats) -> tuple[Ints, Floats]:
    """Return beginnings and temperatures of the hours, each by the profile at its middle."""
    at_us = np.concatenate((day_us + int(HOUR_OF_MINIMUM * US_PER_H), day_us + int(HOUR_OF_MAXIMUM * US_PER_H)))
    order = np.argsort(at_us, kind="stable")
    at_us, extreme_c = at_us[order], np.concatenate((low_c, high_c))[order]
    if not len(at_us):
        return np.empty(0, dtype=np.int64), np.empty(0)
    begin_us = np.arange(at_us[0], at_us[-1], US_PER_H, dtype=np.int64)
    middle_us = begin_us + US_PER_H // 2
    left = np.clip(np.searchsorted(at_us, middle_us, side="right") - 1, 0, len(at_us) - 2)
    span_us = at_us[left + 1] - at_us[left]
    passed = (middle_us - at_us[left]) / span_us
    a, b = extreme_c[left], extreme_c[left + 1]
    profile = a + (b - a) * (1.0 - np.cos(np.pi * passed)) / 2.0
    # Two extremes more than a day apart: a day is absent from the file between them.
    return begin_us, np.where(span_us < US_PER_DAY, profile, np.nan)
