"""Scores of rolling forecasts by lead and season, each against persistence on the same days."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from flexmine.forecasting.quantiles import HIGH, LEVELS, LOW, MEDIAN, crps, pinball
from flexmine.forecasting.rolling import Issues, Rolled
from flexmine.problem import Floats

SEASONS = {"DJF": (12, 1, 2), "MAM": (3, 4, 5), "JJA": (6, 7, 8), "SON": (9, 10, 11)}
BLOCK_DAYS = 7
"""Errors of neighbouring days go together; drawn day by day, intervals come out a quarter to two fifths too narrow."""
DRAWS = 1000
LEAST_BLOCKS = 3
WIDE = 100
_BY_DAY = ("mae", "crps", "pinball_p10", "pinball_p50", "pinball_p90", "covered")


def by_day(issues: Issues, made: Rolled, rows: Sequence[range]) -> pd.DataFrame:
    """Return the scores of each target day, by its real hours: 23 or 25 where the clock is changed.

    Parameters
    ----------
    issues : Issues
    made : Rolled
    rows : sequence of range
        Days of issue that count, of each lead; a day without a forecast or without a known hour is left out.

    Returns
    -------
    DataFrame
        ``lead``, ``target`` (row of the target day), means over its hours of ``mae``, ``crps`` and ``pinball_*`` in the
        unit of the series and of ``covered`` (between P10 and P90), and how many ``hours_above_0`` it had, of which
        how many were ``covered_above_0``.
    """
    history = issues.history
    days = []
    for i, lags in enumerate(issues.lags):
        issue = history.day - lags.lead
        inside = (issue >= rows[i].start) & (issue < rows[i].stop) & np.isfinite(history.truth)
        truth, quantiles = history.truth[inside], made.quantiles[i, issue[inside], history.hour[inside]]
        losses = pinball(quantiles, truth)
        covered = (truth >= quantiles[:, LOW]) & (truth <= quantiles[:, HIGH])
        hours = pd.DataFrame(
            {
                "target": history.day[inside],
                "mae": np.abs(truth - quantiles[:, MEDIAN]),
                "crps": crps(quantiles, truth),
                **{f"pinball_p{round(100 * LEVELS[k])}": losses[:, k] for k in (LOW, MEDIAN, HIGH)},
                "covered": covered.astype(np.float64),
                "hours_above_0": truth > 0,
                "covered_above_0": covered & (truth > 0),
            }
        )[np.isfinite(quantiles).all(axis=1)]
        groups = hours.groupby("target")
        day = groups[list(_BY_DAY)].mean().join(groups[["hours_above_0", "covered_above_0"]].sum())
        days.append(day.reset_index().assign(lead=lags.lead))
    scored: pd.DataFrame = pd.concat(days, ignore_index=True)
    return scored


def block_interval(difference: Floats, level: float = 0.9) -> Floats:
    """Return the interval of the mean of daily differences, by a block bootstrap; NaN where days are too few.

    Parameters
    ----------
    difference : ndarray, shape (days,)
        In the order of the days.
    level : float

    References
    ----------
    Politis and Romano (1992), A Circular Block-Resampling Procedure for Stationary Data, in Exploring the Limits of
    Bootstrap; blocks go around the end, so that every day is drawn alike.
    """
    days = len(difference)
    if days < LEAST_BLOCKS * BLOCK_DAYS:
        return np.array([np.nan, np.nan])
    rng = np.random.default_rng(0)
    begins = rng.integers(0, days, (DRAWS, -(-days // BLOCK_DAYS)))
    drawn = (begins[..., None] + np.arange(BLOCK_DAYS)).reshape(DRAWS, -1)[:, :days] % days
    interval: Floats = np.quantile(difference[drawn].mean(axis=1), [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return interval


def table(issues: Issues, made: dict[str, Rolled], first: int, last: int) -> pd.DataFrame:
    """Return the scores of every model by lead and season; a season without a scored day is left out.

    Parameters
    ----------
    issues : Issues
    made : dict of Rolled
        With ``persistence``, which the others are compared with on the days that both have.
    first, last : int
        Rows of the days of issue.

    Returns
    -------
    DataFrame
        One row for each model, lead and season (``all`` for the whole span).
    """
    rows = [range(first, last + 1)] * len(issues.lags)
    key = ["lead", "target"]
    days = {name: by_day(issues, one, rows).set_index(key) for name, one in made.items()}
    reference = days["persistence"]
    found = []
    for name, scored in days.items():
        common = scored.index.intersection(reference.index)
        for lead in dict.fromkeys(common.get_level_values("lead")):
            of_lead = common[common.get_level_values("lead") == lead]
            month = np.array([issues.history.date(int(row)).month for row in of_lead.get_level_values("target")])
            for season, months in {"all": tuple(range(1, 13)), **SEASONS}.items():
                chosen = of_lead[np.isin(month, months)]
                if len(chosen):
                    found.append(
                        {
                            "model": name,
                            "lead": lead,
                            "season": season,
                            **_row(scored.loc[chosen], reference.loc[chosen]),
                        }
                    )
    return pd.DataFrame(found)


def _row(scored: pd.DataFrame, reference: pd.DataFrame) -> dict[str, float]:
    above = int(scored["hours_above_0"].sum())
    row: dict[str, float] = {"days": len(scored), **{name: float(scored[name].mean()) for name in _BY_DAY}}
    row["covered_above_0"] = float(scored["covered_above_0"].sum()) / above if above else np.nan
    for name in ("mae", "crps"):
        base = float(reference[name].mean())
        difference = (scored[name] - reference[name]).to_numpy(dtype=np.float64)
        low, high = block_interval(difference)
        # Of a series that persistence foresees exactly there is no share.
        parts = (difference.mean(), low, high)
        row |= {
            f"{name}_{part}": value / base if base else np.nan
            for part, value in zip(("change", "low", "high"), parts, strict=True)
        }
    return row


def losses(scores: pd.DataFrame) -> list[str]:
    """Return in words where each model is worse than persistence by MAE, in lines of at most 100 characters.

    Parameters
    ----------
    scores : DataFrame
        As :func:`table` returns it.
    """
    said = []
    for name in dict.fromkeys(scores["model"]):
        rows: list[Any] = list(scores[scores["model"] == name].itertuples())
        worse = [
            f"D+{row.lead} {row.season} {row.mae_change:+.1%}{' for sure' if row.mae_low > 0 else ''}"
            for row in rows
            if row.mae_change > 0
        ]
        where = f"in {len(worse)} of {len(rows)} rows: {', '.join(worse)}" if worse else f"in none of {len(rows)} rows"
        if name != "persistence":
            said += wrap(f"{name} loses to persistence {where}", WIDE, subsequent_indent="  ")
    return said


def printed(scores: pd.DataFrame, unit: str, *, above_0: bool) -> list[str]:
    """Return the table as lines of at most 100 characters, rows of the whole span first.

    Parameters
    ----------
    scores : DataFrame
    unit : str
        Of the series.
    above_0 : bool
        Whether cover of the hours above 0 is shown apart: of a series that is 0 for long, ties at 0 count as covered.
    """
    head = f"{'model':<12}{'lead':<5}{'':<4}{'days':>5}{'MAE':>8} {'against persistence':<26}{'CRPS':>8} {'change':>7}"
    lines = [
        f"MAE and CRPS in {unit}; change with its 90 % interval, by blocks of {BLOCK_DAYS} days",
        f"cover: hours between P10 and P90, 80 % where they are right{'; > 0: of those above 0' if above_0 else ''}",
        f"{head}{'cover':>7}{'> 0' if above_0 else '':>6}".rstrip(),
    ]
    whole = scores["season"] == "all"
    by_season = scores[~whole].sort_values(["lead", "season"], kind="stable")
    rows: list[Any] = list(pd.concat([scores[whole], by_season]).itertuples())
    for row in rows:
        if row.model == "persistence":
            against = change = ""
        else:
            interval = f" [{row.mae_low:+.1%}, {row.mae_high:+.1%}]" if np.isfinite(row.mae_low) else ""
            against, change = f"{row.mae_change:+.1%}{interval}", f"{row.crps_change:+.1%}"
        above = f"{row.covered_above_0:.0%}" if above_0 and np.isfinite(row.covered_above_0) else ""
        lines.append(
            f"{row.model:<12}D+{row.lead:<3}{row.season:<4}{row.days:>5}{row.mae:>8.4g} {against:<26}{row.crps:>8.4g} "
            f"{change:>7}{row.covered:>7.0%}{above:>6}".rstrip()
        )
    return lines
