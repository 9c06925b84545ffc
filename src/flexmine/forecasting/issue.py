"""One forecast: issued now, from what is known now, with the scores of its model on the days before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.forecasting.drivers import need_live
from flexmine.forecasting.history import HOURS, History, hours_of, known_until, read_history
from flexmine.forecasting.learned import need_extra
from flexmine.forecasting.quantiles import MEDIAN, NAMES
from flexmine.forecasting.request import Request, described, refuse_short, versions
from flexmine.forecasting.rolling import LEAST_FIT_ROWS, SIMPLE, Issues, Rolled, members, rolled
from flexmine.forecasting.rule import choose, models_to_try
from flexmine.forecasting.scores import table
from flexmine.inputs.times import iso, to_us
from flexmine.problem import Floats, Ints

DIGITS = 6


@dataclass(frozen=True)
class Forecast:
    """A forecast, ready to be written.

    Attributes
    ----------
    column, unit : str
        Of the series, which the forecast keeps.
    issue : datetime
        By the clock of the site.
    model, why : str
        What was taken, and by which rule.
    rows : DataFrame
        ``interval_start``, the column itself (P50) and ``p10`` to ``p90``: a feed file as a case reads it.
    document : dict
        The record: series, issue, model, history, scores, versions.
    """

    column: str
    unit: str
    issue: datetime
    model: str
    why: str
    rows: pd.DataFrame
    document: dict[str, Any]

    @property
    def stamp(self) -> str:
        """The time of issue as names of feed files have it, ``20241103T1000+0100``."""
        return self.issue.strftime("%Y%m%dT%H%M%S%z" if self.issue.second else "%Y%m%dT%H%M%z")

    def csv(self) -> str:
        """Return the rows as the text of a CSV file."""
        return self.rows.to_csv(index=False, lineterminator="\n")


def forecast(request: Request, issue: datetime, model: str = "auto") -> Forecast:
    """Return the forecast of a series for the days after a moment, from what was known then.

    Parameters
    ----------
    request : Request
    issue : datetime
        Aware; nothing that became known later is used.
    model : str
        One of :data:`flexmine.forecasting.rolling.MODELS`, or ``auto``: by the length of the history.

    Returns
    -------
    Forecast
        With P10, P30, P50, P70 and P90 of every hour of the next `days` local days, in the unit of the column.

    Raises
    ------
    BadInput
        Naming file, line and column of the first thing that is wrong, and what is allowed; also where the history is
        too short for the model, or its package is not installed.
    """
    if issue.tzinfo is None:
        raise BadInput(f"--issue {issue.isoformat()}: has no UTC offset; write 2024-11-03T10:00:00+01:00")
    source, drivers = request.open()
    issue = issue.astimezone(source.clock)
    until = known_until(source, issue)
    history = read_history(source, until, issue.date())
    row = len(history.values) - 1
    issues = request.issues(history, _cut(history, row), drivers, issue)
    refuse_short(source, ["persistence"] if model == "auto" else [model], row)
    if drivers and model in SIMPLE:
        raise BadInput(f"--feature: {model} uses none; choose --model linear, gbm, lin+gbm or all3, or leave it out")
    tried, why = models_to_try(issues, request.kind, row) if model == "auto" else ((model,), "as asked for")
    need_extra(members(tried))
    hour_us, day, hour = hours_of(issue.date() + timedelta(days=1), request.days, source.clock)
    need_live(drivers, history, to_us(issue), hour_us)
    first = max(0, row - issues.warm_up)
    made = rolled(issues, tuple(dict.fromkeys(("persistence", *tried))), first, row)
    chosen, why = choose(issues, {name: made[name] for name in tried}, why, row)
    rows = _rows(source.spec.column, made[chosen], row, (hour_us, day, hour), history)
    document = {
        "schema": "flexmine-forecast/1",
        "series": described(source, history, drivers, issues),
        "issue": issue.isoformat(),
        "known_until": iso(to_us(until), source.clock),
        "days_of_history": row,
        "days_ahead": request.days,
        "model": {"asked": model, "chosen": chosen, "why": why},
        "quantiles_corrected_by_issues": made[chosen].corrected_by[:, row].tolist() if chosen not in SIMPLE else None,
        "scores_of_settled_issues": _scores(issues, made, chosen, first, row),
        "versions": versions(),
    }
    return Forecast(source.spec.column, source.convert.unit, issue, chosen, why, rows, document)


def _cut(history: History, row: int) -> int:
    """Return how many hours of the day of issue are known; below 0, so many of the day before are not."""
    last = int(np.flatnonzero(np.isfinite(history.truth))[-1])
    return int(HOURS * (history.day[last] - row) + history.hour[last] + 1)


def _rows(column: str, made: Rolled, row: int, hours: tuple[Ints, Ints, Ints], history: History) -> pd.DataFrame:
    hour_us, day, hour = hours
    values = made.quantiles[day, row, hour]
    if not np.isfinite(values).all():
        gone = int(np.isnan(values).any(axis=1).sum())
        raise BadInput(
            f"{history.source.place}: {gone} hours of the forecast have no value: fewer than {LEAST_FIT_ROWS // HOURS} "
            "settled days of the history have all their values, and those of every --feature"
        )
    digits: Floats = np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(values)
    begins = [iso(us, history.source.clock) for us in hour_us]
    named = {name: digits[:, k] for k, name in enumerate(NAMES)}
    return pd.DataFrame({"interval_start": begins, column: digits[:, MEDIAN], **named})


def _scores(issues: Issues, made: dict[str, Rolled], chosen: str, first: int, row: int) -> Sequence[dict[str, Any]]:
    """Return the scores of the model on the issues before that are settled; empty where there are none."""
    settled = {name: made[name] for name in dict.fromkeys(("persistence", chosen))}
    found = table(issues, settled, first, row - 1)
    if found.empty:
        return []
    whole = found[found["season"] == "all"].drop(columns="season")
    return [{str(key): _plain(value) for key, value in record.items()} for record in whole.to_dict(orient="records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.{DIGITS}g}")
    return value
