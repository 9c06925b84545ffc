"""Forecasts issued again on every day of a span, each from what was known then, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd

from flexmine.errors import BadInput
from flexmine.forecasting.history import HOURS, KNOWN_WHOLE_DAY, History, hours_of, midnight, read_history
from flexmine.forecasting.learned import need_extra
from flexmine.forecasting.quantiles import NAMES
from flexmine.forecasting.request import Request, described, refuse_short, versions
from flexmine.forecasting.rolling import MODELS, Rolled, members, rolled
from flexmine.forecasting.rule import candidate
from flexmine.forecasting.scores import losses, printed, table
from flexmine.inputs.times import iso


@dataclass(frozen=True)
class Scores:
    """Scores of models on every issue of a span.

    Attributes
    ----------
    rows : DataFrame
        As :func:`flexmine.forecasting.scores.table` returns it.
    document : dict
        The record: series, span, versions.
    issues : DataFrame or None
        Of a single model: every forecast of the span, a row for each hour of each issue, as a back-test reads them.
    """

    rows: pd.DataFrame
    document: dict[str, Any]
    issues: pd.DataFrame | None = None

    def lines(self) -> list[str]:
        """Return the table and where models lose, as lines for a terminal."""
        series = self.document["series"]
        return [*printed(self.rows, series["unit"], above_0=series["kind"] == "surplus"), *losses(self.rows)]


def score(request: Request, first: date, last: date, *, at: time = time(10), models: Sequence[str] = MODELS) -> Scores:
    """Return the scores of models that are issued anew on every day of a span.

    Parameters
    ----------
    request : Request
    first, last : date
        Local days of the first and the last issue.
    at : time
        Local time of day of every issue; of a price the whole day of issue is known all the same.
    models : sequence of str
        Compared with persistence, which is scored always.

    Raises
    ------
    BadInput
        As by :func:`flexmine.forecasting.issue.forecast`, or the span is empty, or the file ends before its last
        target day.
    """
    if last < first:
        raise BadInput(f"--to {last}: lies before --from {first}")
    need_extra(members(models))
    source, drivers = request.open()
    end = last + timedelta(days=request.days)
    history = read_history(source, midnight(end + timedelta(days=1), source.clock), end)
    refuse_short(source, ["persistence", *models], history.row(first))
    cut = HOURS if request.kind in KNOWN_WHOLE_DAY else at.hour
    issues = request.issues(history, cut, drivers, datetime.combine(first, at, tzinfo=source.clock))
    begin, stop = history.row(first), history.row(last)
    made = rolled(issues, tuple(dict.fromkeys(("persistence", *models))), max(0, begin - issues.warm_up), stop)
    rows = table(issues, made, begin, stop)
    document = {
        "schema": "flexmine-forecast-scores/1",
        "series": described(source, history, drivers, issues),
        "first_issue": first.isoformat(),
        "last_issue": last.isoformat(),
        "issued_at": at.isoformat(timespec="minutes"),
        "default_on_long_history": candidate(request.kind),
        "versions": versions(),
    }
    alone = issued(made[models[0]], range(begin, stop + 1), at, request.days, history) if len(models) == 1 else None
    return Scores(rows, document, alone)


def issued(made: Rolled, rows: Sequence[int], at: time, days: int, history: History) -> pd.DataFrame:
    """Return the forecasts of a span as a table: ``issued_at``, ``interval_start`` and the quantiles of each hour.

    Parameters
    ----------
    made : Rolled
    rows : sequence of int
        Rows of the days of issue.
    at : time
        Local time of day of every issue.
    days : int
        Days ahead.
    history : History
    """
    clock, parts = history.source.clock, []
    for row in rows:
        day = history.date(row)
        hour_us, lead, hour = hours_of(day + timedelta(days=1), days, clock)
        values = made.quantiles[lead, row, hour]
        times = {"issued_at": datetime.combine(day, at, tzinfo=clock).isoformat()}
        begins = [iso(us, clock) for us in hour_us]
        parts.append(pd.DataFrame({**times, "interval_start": begins} | dict(zip(NAMES, values.T, strict=True))))
    return pd.concat(parts, ignore_index=True).dropna()
