"""Forecasts of others as features: what was issued by then, and nothing else."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

import hourly
from flexmine.forecasting import forecast
from flexmine.forecasting.drivers import columns_of, read_driver
from flexmine.inputs.times import to_us

DAYS = 50


def driven(folder):
    """Write a series that is 30 plus the weather of its own hour, and the weather as it was forecast at 06:00 each day.

    Every issue holds the three days after it, exact, and there is a later one at 18:00 that is off by 50.
    """
    rng = np.random.default_rng(8)
    weather = np.repeat(rng.normal(0.0, 8.0, (DAYS + 5, 4)), 6, axis=1)
    path = hourly.write(folder, np.maximum(0.0, 30.0 + weather[:DAYS] + rng.normal(0.0, 0.2, (DAYS, 24))))
    rows = []
    for day in range(DAYS):
        for hour, error in ((6, 0.0), (18, 50.0)):
            for k in range(24, 72):
                at = hourly.issue(day, 0) + timedelta(hours=k)
                value = weather.ravel()[24 * day + k] + error
                rows.append((at.isoformat(), hourly.issue(day, hour).isoformat(), value))
    file = folder / "weather.csv"
    pd.DataFrame(rows, columns=["interval_start", "issued_at", "wind"]).to_csv(file, index=False)
    return path, file


def test_a_weather_forecast_is_used(tmp_path):
    """The weather of tomorrow is not to be guessed from the series; with its forecast the error is almost nothing.

    *Proves:* the feature of a target hour is that hour's.  *Sensitivity:* off by one hour, or of the issue of 18:00
    whose values are 50 too high, the error is as large as without.
    """
    path, file = driven(tmp_path)
    truth = pd.read_csv(path)["surplus_mw"].to_numpy()[24 * 46 : 24 * 48]
    error = {}
    for features in ((), ((file, "wind"),)):
        asked = hourly.request(path, features=features, issued_column="issued_at" if features else None)
        made = forecast(asked, hourly.issue(45), "linear")
        error[len(features)] = np.abs(made.rows["p50"].to_numpy() - truth).mean()
    assert error[1] < 0.5
    assert error[0] > 4.0


def test_a_later_issue_changes_nothing(tmp_path):
    """*Proves:* rows issued after 10:00 of the day of issue, overwritten with 1000 or left out, change no byte."""
    path, file = driven(tmp_path)
    asked = hourly.request(path, features=((file, "wind"),), issued_column="issued_at")
    before = forecast(asked, hourly.issue(45), "linear").csv()
    table = pd.read_csv(file)
    later = pd.to_datetime(table["issued_at"]) > pd.Timestamp(hourly.issue(45))
    assert later.any()
    table.loc[later, "wind"] = 1000.0
    table.to_csv(file, index=False)
    assert forecast(asked, hourly.issue(45), "linear").csv() == before
    table[~later].to_csv(file, index=False)
    assert forecast(asked, hourly.issue(45), "linear").csv() == before


def test_the_newest_issue_whole(tmp_path):
    """Issued at 1 and at 2 h; the second lacks an hour that the first has.

    *Proves:* of several issues the newest known one counts, whole: its hole is a hole.
    *Sensitivity:* a patchwork would take the hour from the older issue.
    """
    file = tmp_path / "w.csv"
    t = [f"2024-01-02T0{hour}:00+01:00" for hour in range(5)]
    file.write_text(f"interval_start,issued_at,x\n{t[3]},{t[1]},1\n{t[4]},{t[1]},2\n{t[3]},{t[2]},3\n")
    driver = read_driver(file, "x", "issued_at", None)
    at = [to_us(hourly.issue(1, hour)) for hour in range(5)]
    hours = np.array(at[3:])
    assert np.isnan(driver.at(at[0], hours)).all()
    assert driver.at(at[1], hours).tolist() == [1.0, 2.0]
    assert driver.at(at[2], hours)[0] == 3.0
    assert np.isnan(driver.at(at[2], hours)[1])


def test_a_file_without_issues_is_always_known(tmp_path):
    """*Proves:* a calendar, such as a declared outage, counts at every issue, and the record says so."""
    found = hourly.history(tmp_path, hourly.wavy(30), more_days=2)
    file = tmp_path / "calendar.csv"
    hourly.rows(np.arange(34.0)[:, None] + np.zeros(24)).to_csv(file, index=False)
    driver = read_driver(file, "value", None, None)
    column = columns_of([driver], found, 2, [to_us(hourly.issue(row)) for row in range(32)])
    assert column is not None
    assert column[..., 0] == pytest.approx(np.arange(32.0)[:, None] + 2 + np.zeros(24))
    assert not driver.has_issues


@pytest.mark.parametrize("known", [20, 35])
def test_a_feature_that_has_just_begun(tmp_path, known):
    """A weather feed of the last 20 or 35 days of 66: too short for the test that decides between models.

    *Proves:* days without the feature are left out of fit and test, and the rule stays with persistence.
    *Sensitivity:* compared day by day without regard to which they are, the two models would not even have equal days.
    """
    values = hourly.wavy(66)
    path, file = hourly.write(tmp_path, values), tmp_path / "weather.csv"
    table = hourly.rows(np.vstack([values, values[:4]])).rename(columns={"value": "wind"})
    table.iloc[24 * (66 - known) :].to_csv(file, index=False)
    made = forecast(hourly.request(path, features=((file, "wind"),)), hourly.issue(65))
    assert made.model == "persistence"
    assert "not surely better" in made.why
    assert made.document["series"]["features"][0]["issues_known"] == known + 1
