"""What a forecast is asked for: which column, how it is read, how far ahead, from which further columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.errors import BadInput
from flexmine.forecasting.drivers import Driver, columns_of, read_driver
from flexmine.forecasting.history import KNOWN_WHOLE_DAY, QUANTITIES, Asked, History, Source, open_source
from flexmine.forecasting.lags import COLUMNS, lags
from flexmine.forecasting.quantiles import NAMES
from flexmine.forecasting.rolling import LEAST_DAYS, LEAST_FIT_DAYS, MODELS, Issues, members
from flexmine.inputs.series_spec import Series
from flexmine.inputs.times import to_us

MOST_DAYS = 6
"""A week ahead the same hour of last week is not known yet."""
NOT_OF_HISTORY = (
    "fill",
    "issue_column",
    "revision_column",
    "stale_after_h",
    "quantiles",
    "clock",
    "leap_day",
    "coarser",
)
"""Keys of a series that have no meaning for what was measured."""


@dataclass(frozen=True)
class Request:
    """A series to be forecast.

    Attributes
    ----------
    path : Path
        CSV, Parquet or Excel file with one row an hour or finer.
    spec : Series
        Which column, and how the file is read, as in a case; its `zone` is the clock by which days begin, of a price
        that of the market (absent: the one UTC offset of all rows), its `file` is not looked at.
    kind : {"surplus", "price", "temperature"}
    days : int
        Days ahead, from 1 to 6; the day of issue is none of them.
    most : float or None
        What the series cannot exceed, in the unit of the column.
    features : sequence of (Path, str)
        File and column of forecasts that reach into the future.
    issued_column : str or None
        Of the files of the features: says when each row was issued.
    """

    path: Path
    spec: Series
    kind: str
    days: int = 2
    most: float | None = None
    features: Sequence[tuple[Path, str]] = ()
    issued_column: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in QUANTITIES:
            raise BadInput(f"--kind {self.kind!r}: is none of {', '.join(QUANTITIES)}")
        if self.kind in KNOWN_WHOLE_DAY and self.spec.zone is None:
            raise BadInput(
                f"--zone: a {self.kind} needs the clock of its market, such as Europe/Oslo: by another one, hours of "
                "the next auction would count as known"
            )
        if not 1 <= self.days <= MOST_DAYS:
            raise BadInput(f"--days {self.days}: allowed are 1 to {MOST_DAYS}")
        if self.spec.column in (*NAMES, "interval_start"):
            raise BadInput(f"--column {self.spec.column}: a forecast has a column of this name of its own; rename it")
        idle = [key for key in NOT_OF_HISTORY if key in self.spec.model_fields_set]
        if idle:
            raise BadInput(f"--series: {idle[0]} has no meaning for what was measured; leave it out")
        if self.issued_column is not None and not self.features:
            raise BadInput("--feature-issued: is of the files of --feature, and there is none")

    def open(self) -> tuple[Source, list[Driver]]:
        """Return the file with its times read, and the further columns.

        Raises
        ------
        BadInput
            Naming file, line and column of the first thing that is wrong, and what is allowed.
        """
        source = open_source(Asked(self.path, self.spec, self.kind, self.most))
        drivers = [read_driver(path, column, self.issued_column, self.spec.zone) for path, column in self.features]
        return source, drivers

    def issues(self, history: History, cut: int, drivers: Sequence[Driver], at: datetime) -> Issues:
        """Return what rolling forecasts are made from.

        Parameters
        ----------
        history : History
        cut : int
            Hours of the day of issue that are known.
        drivers : sequence of Driver
        at : datetime
            A time of issue; all others are at the same time of day.
        """
        clock = history.source.clock
        issue_us = [to_us(same_time(at, history.date(row), clock)) for row in range(len(history.values))]
        leads = range(1, self.days + 1)
        each = tuple(lags(history, cut, lead, columns_of(drivers, history, lead, issue_us)) for lead in leads)
        return Issues(history, each, history.source.limits)


def same_time(at: datetime, day: date, clock: tzinfo) -> datetime:
    """Return the time of day of `at` on another day, `day`, by a clock."""
    return datetime.combine(day, at.astimezone(clock).time(), tzinfo=clock)


def refuse_short(source: Source, models: Sequence[str], row: int) -> None:
    """Refuse a history that is too short for a model.

    Parameters
    ----------
    source : Source
    models : sequence of str
    row : int
        Whole days before the issue.

    Raises
    ------
    BadInput
        Naming how many days there are and how many the model needs.
    """
    unknown = [model for model in models if model not in MODELS]
    if unknown:
        raise BadInput(f"--model {unknown[0]!r}: is none of {', '.join(MODELS)}, auto")
    for model in models:
        least = LEAST_FIT_DAYS if {"linear", "gbm"} & set(members([model])) else LEAST_DAYS
        if row < least:
            raise BadInput(
                f"{source.place}: holds {max(row, 0)} whole days before the first issue; {model} needs at least {least}"
            )


def versions() -> dict[str, str]:
    """Return the versions that decide the digits of a forecast."""
    from importlib.metadata import PackageNotFoundError, version

    from flexmine._version import __version__

    found = {"flexmine": __version__}
    for name in ("numpy", "pandas", "scipy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def described(source: Source, history: History, drivers: Sequence[Driver], issues: Issues) -> dict[str, Any]:
    """Return what the record says of the series and of the further columns."""
    features = [
        {
            "name": driver.name,
            "sha256": driver.sha256,
            "has_issue_times": driver.has_issues,
            "issues_known": int(np.isfinite(issues.lags[0].features[..., len(COLUMNS) + k]).all(axis=1).sum()),
        }
        for k, driver in enumerate(drivers)
    ]
    return {
        "file": source.table.label,
        "sha256": source.sha256,
        "column": source.spec.column,
        "unit": source.convert.unit,
        "kind": source.asked.kind,
        "most": source.asked.most,
        "clock": source.spec.zone or str(source.clock),
        "first_day": history.first.isoformat(),
        "hours_missing": history.missing,
        "rows_not_used": history.dropped,
        "features": features,
    }
