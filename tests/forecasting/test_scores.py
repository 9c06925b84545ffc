"""Scores of rolling forecasts, worked out by hand."""

from dataclasses import replace
from datetime import date, time, timedelta

import numpy as np
import pytest

import hourly
from flexmine.errors import BadInput
from flexmine.forecasting import score
from flexmine.forecasting.lags import lags
from flexmine.forecasting.rolling import SIMPLE, Issues, Rolled
from flexmine.forecasting.scores import by_day, losses, printed, table


def made_up(folder, truth, quantiles, lead=1):
    """Return issues of a series, and forecasts with the same five quantiles in every hour of an issue."""
    found = hourly.history(folder, truth)
    days = len(truth)
    each = np.full((1, days, 24, 5), np.nan)
    for row, levels in quantiles.items():
        each[0, row] = levels
    issues = Issues(found, (lags(found, 10, lead),), (0.0, np.inf))
    return issues, Rolled(each, np.zeros((1, days), dtype=np.int64))


def test_two_days_by_hand(tmp_path):
    """Truth 10 in all hours of day 1; on day 2 it is 0 in twelve hours and 4 in the others.

    Day 1 is forecast as 8, 9, 11, 12, 13: MAE 1, covered. Losses 0.2, 0.3, 0.5, 0.6, 0.3: CRPS 2 x 1.9 / 5 = 0.76.
    Day 2 is forecast as 0, 0, 1, 2, 3: MAE (1 + 3) / 2 = 2; the zeros are covered and the fours are not: cover 0.5.
    Losses at 0: 0, 0, 0.5, 0.6, 0.3, sum 1.4; at 4: 0.4, 1.2, 1.5, 1.4, 0.9, sum 5.4; CRPS 2 / 5 x 3.4 = 1.36.

    *Proves:* means over hours and then days; cover of all hours 75 %, and 24 of 36 of those with a truth above 0.
    *Sensitivity:* a tie at 0 that did not count as covered would give 50 %; means over hours above 0 only another MAE.
    """
    truth = np.full((4, 24), 10.0)
    truth[2, :12], truth[2, 12:] = 0.0, 4.0
    issues, made = made_up(tmp_path, truth, {0: [8, 9, 11, 12, 13], 1: [0, 0, 1, 2, 3]})
    days = by_day(issues, made, [range(0, 3)])
    assert days["target"].tolist() == [1, 2]
    assert days["mae"].tolist() == pytest.approx([1.0, 2.0])
    assert days["crps"].tolist() == pytest.approx([0.76, 1.36])
    assert days["pinball_p90"].tolist() == pytest.approx([0.3, 0.6])
    reference = replace(made, quantiles=made.quantiles + np.array([0.0, 0.0, 1.0, 1.0, 1.0]))
    row = table(issues, {"persistence": reference, "x": made}, 0, 2).query("model == 'x' and season == 'all'").iloc[0]
    assert row["days"] == 2
    assert row["covered"] == pytest.approx(0.75)
    assert row["covered_above_0"] == pytest.approx(24 / 36)
    # The reference has its P50 one higher: MAE 2 on day 1, (2 + 2) / 2 on day 2.
    assert row["mae_change"] == pytest.approx((1.5 - 2.0) / 2.0)


def test_a_missing_truth_is_not_scored(tmp_path):
    """The hour at 05:00 has no value; the one of the day before was 35.

    *Proves:* an hour without a value counts in no mean.  *Sensitivity:* filled with the day before, MAE would be 1.96.
    """
    truth = np.full((6, 24), 10.0)
    truth[0, 5], truth[1, 5] = 35.0, np.nan
    issues, made = made_up(tmp_path, truth, {0: [8, 9, 11, 12, 13]})
    assert issues.history.missing == 1
    assert issues.history.complete[1, 5] == 35.0
    assert by_day(issues, made, [range(0, 1)])["mae"].tolist() == pytest.approx([1.0])


def test_the_issue_counts_and_the_season_is_of_the_target(tmp_path):
    """Issues from 28 February to 2 March 2024, one day ahead: one target in February, three in March.

    *Proves:* the span is of issues and the season of targets.
    """
    path = hourly.write(tmp_path, hourly.wavy(70))
    found = score(hourly.request(path, days=1), date(2024, 2, 28), date(2024, 3, 2), models=("last-week",)).rows
    days = found[found["model"] == "last-week"].set_index("season")["days"]
    assert days.to_dict() == {"all": 4, "DJF": 1, "MAM": 3}


def test_persistence_against_a_loop(tmp_path):
    """*Proves:* MAE of persistence and of last week over 20 issues is that of a plain loop over days and hours.

    *Sensitivity:* "lag 24" on every hour is 10 % to 20 % lower here too.
    """
    values = hourly.wavy(70, step=3.0)
    first, last = date(2024, 2, 10), date(2024, 2, 29)
    asked = hourly.request(hourly.write(tmp_path, values))
    found = score(asked, first, last, at=time(10), models=SIMPLE).rows.query("season == 'all'")
    rows = [(first - hourly.FIRST).days + k for k in range(20)]
    # The points are seen through the median of 60 days of errors, which a loop has to move by, too.
    for name, lead in (("persistence", 1), ("last-week", 2)):
        misses = []
        for row in rows:
            for h in range(24):
                point = point_of(values, name, row, lead, h)
                past = range(max(0, row - lead - 60), row - lead)
                errors = [
                    values[d + lead, i] - point_of(values, name, d, lead, i)
                    for d in past
                    for i in ((h - 1) % 24, h, (h + 1) % 24)
                    if d + lead >= 7 or (name == "persistence" and (d > 0 or i < 10))
                ]
                misses.append(abs(values[row + lead, h] - point - np.median(errors)))
        got = found[(found["model"] == name) & (found["lead"] == lead)]["mae"].iloc[0]
        assert got == pytest.approx(np.mean(misses)), name


def point_of(values, name, row, lead, hour):
    """Return the forecast of an hour: today's or yesterday's, or that of a week before the target."""
    if name == "persistence":
        return values[row if hour < 10 else row - 1, hour]
    return values[row + lead - 7, hour]


def test_the_table_says_where_a_model_loses(tmp_path):
    """*Proves:* a model that is worse is named with lead, season and share; the table has at most 100 columns."""
    truth = hourly.wavy(70)
    issues, made = made_up(tmp_path, truth, {row: [30, 35, 40, 45, 50] for row in range(60)})
    worse = replace(made, quantiles=made.quantiles + 30.0)
    scores = table(issues, {"persistence": made, "x": worse}, 0, 59)
    said = losses(scores)
    assert said[0].startswith("x loses to persistence in 3 of 3 rows: D+1 all +")
    assert "for sure" in said[0]
    assert all(len(line) <= 100 for line in (*printed(scores, "MW", above_0=True), *said))
    better = table(issues, {"persistence": worse, "x": made}, 0, 59)
    assert losses(better) == ["x loses to persistence in none of 3 rows"]


def test_a_span_beyond_the_file(tmp_path):
    """*Proves:* targets without a truth are not passed over: the span is refused with the last value named."""
    asked = hourly.request(hourly.write(tmp_path, hourly.wavy(60)))
    end = hourly.FIRST + timedelta(days=60)
    with pytest.raises(BadInput, match=r"its last value ends at 2024-03-01T00:00:00\+01:00"):
        score(asked, date(2024, 2, 20), end, models=("persistence",))
