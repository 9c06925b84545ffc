"""Hourly series for forecasts, made up, as files and as what was read of them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from flexmine.forecasting.history import hours_of, midnight, open_source, read_history
from flexmine.forecasting.request import Asked, Request
from flexmine.inputs.series_spec import Series, clock_of

FIRST = date(2024, 1, 1)
COLUMNS = {"surplus": "surplus_mw", "price": "price_usd_per_mwh", "temperature": "temperature_c"}


def wavy(days: int, seed: int = 1, step: float = 0.5) -> np.ndarray:
    """Return hourly values above 0 with a daily wave and a level that wanders, shape (days, 24)."""
    rng = np.random.default_rng(seed)
    level = 40.0 + np.cumsum(rng.normal(0.0, step, days))[:, None]
    wave = 8.0 * np.sin(2 * np.pi * np.arange(24) / 24)
    return np.maximum(0.1, level + wave + rng.normal(0.0, 1.0, (days, 24)))


def rows(values: np.ndarray, first: date = FIRST, zone: str = "+01:00") -> pd.DataFrame:
    """Return a table of `values`, shape (days, 24), by clock hour; an hour that stands twice has its value twice."""
    clock = clock_of(zone)
    hour_us, day, hour = hours_of(first, len(values), clock)
    begin = [datetime.fromtimestamp(us / 1e6, tz=clock).isoformat() for us in hour_us]
    return pd.DataFrame({"interval_start": begin, "value": values[day, hour]})


def write(
    folder: Path,
    values: np.ndarray,
    kind: str = "surplus",
    *,
    first: date = FIRST,
    zone: str = "+01:00",
    edit: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
    name: str = "series.csv",
) -> Path:
    """Write a series as a file; `edit` changes its rows before."""
    path = folder / name
    edit(rows(values, first, zone)).rename(columns={"value": COLUMNS[kind]}).to_csv(path, index=False)
    return path


def request(path: Path, kind: str = "surplus", zone: str | None = None, **more: object) -> Request:
    """Return what a forecast of a written series is asked for; a price has the clock of its rows, if none is named."""
    zone = "+01:00" if kind == "price" and zone is None else zone
    return Request(path, Series(file=path.name, column=COLUMNS[kind], zone=zone), kind, **more)


def history(folder: Path, values: np.ndarray, kind: str = "surplus", more_days: int = 0):
    """Return all of a series as read, with `more_days` empty days after its last."""
    path = write(folder, values, kind)
    source = open_source(Asked(path, Series(file=path.name, column=COLUMNS[kind]), kind))
    end = FIRST + timedelta(days=len(values))
    return read_history(source, midnight(end, source.clock), end + timedelta(days=more_days - 1))


def issue(day: int, hour: int = 10, zone: str = "+01:00", first: date = FIRST) -> datetime:
    """Return the time of an issue, `day` days after the first."""
    at = datetime.combine(first + timedelta(days=day), datetime.min.time(), tzinfo=clock_of(zone))
    return at.replace(hour=hour)
