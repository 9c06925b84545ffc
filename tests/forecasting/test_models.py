"""What a forecast is: rising quantiles inside the limits, in a file that a case reads, by a model that is named."""

import json
from datetime import UTC
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import hourly
from flexmine.cli.forecast import CHOICES, KINDS
from flexmine.errors import BadInput
from flexmine.forecasting import forecast, learned
from flexmine.forecasting.history import QUANTITIES
from flexmine.forecasting.lags import lags
from flexmine.forecasting.quantiles import NAMES
from flexmine.forecasting.rolling import MODELS, SIMPLE, Issues, rolled
from flexmine.forecasting.rule import models_to_try
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.jobs.issues import STAMP
from flexmine.problem import TimeAxis
from shell import in_process


@pytest.mark.parametrize("model", [*SIMPLE, "linear", "all3"])
def test_quantiles_rise_inside_the_limits(tmp_path, model):
    """A surplus that is 0 half of the time and never above 60.

    *Proves:* P10 <= P30 <= ... <= P90 in every hour, none below 0 or above the named limit, whatever the model.
    *Sensitivity:* fitted level by level, or corrected in the tails, they cross.
    """
    values = np.clip(hourly.wavy(50, step=4.0) - 35.0, 0.0, 25.0)
    made = forecast(hourly.request(hourly.write(tmp_path, values), most=25.0), hourly.issue(49), model)
    quantiles = made.rows[list(NAMES)].to_numpy()
    assert quantiles.shape == (48, 5)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert quantiles.min() >= 0.0
    assert quantiles.max() <= 25.0
    assert (made.rows["surplus_mw"] == made.rows["p50"]).all()


def test_a_forecast_stays_in_the_band_of_its_quantity(tmp_path):
    """0.99 K more each day up to 58.5 C: persistence with its errors of the last days would go on to 60.5 C.

    *Proves:* a forecast lies inside the band of temperatures, which ends at 60 C, in the unit of the column.
    *Sensitivity:* beyond it, the night would refuse the feed that it was made for.
    """
    celsius = np.repeat(10.0 + 0.99 * np.arange(50)[:, None], 24, axis=1)
    path = hourly.write(tmp_path, celsius * 9 / 5 + 32, "temperature")
    spec = Series(file=path.name, column="air", unit="F")
    path.write_text(path.read_text().replace("temperature_c", "air"))
    made = forecast(hourly.Request(path, spec, "temperature"), hourly.issue(49), "persistence")
    assert made.rows["p50"].iloc[30] == pytest.approx(140.0)
    assert made.rows["p50"].iloc[5] == pytest.approx(32 + 9 / 5 * (10.0 + 0.99 * 50), rel=1e-5)


def test_a_combined_model_is_the_mean_of_its_parts(tmp_path):
    """*Proves:* P50 of all3 is the mean of persistence, linear and gbm, of lin+gbm that of the two; P30 and P70 too.

    Without enough settled issues the tails are not corrected either.
    """
    found = hourly.history(tmp_path, hourly.wavy(45))
    issues = Issues(found, (lags(found, 10, 1),), (-np.inf, np.inf))
    one = {name: made.quantiles[0, 44] for name, made in rolled(issues, MODELS, 44, 44).items()}
    assert one["lin+gbm"] == pytest.approx((one["linear"] + one["gbm"]) / 2)
    assert one["all3"] == pytest.approx((one["persistence"] + one["linear"] + one["gbm"]) / 3)
    assert np.abs(one["linear"] - one["gbm"]).max() > 0.1


@pytest.mark.parametrize(("kind", "unit"), [("surplus", "kW"), ("price", "EUR/MWh"), ("temperature", "F")])
def test_the_forecast_is_read_as_a_feed(tmp_path, kind, unit):
    """*Proves:* the column keeps name and unit, so that the series of a case reads file and forecast alike.

    *Sensitivity:* converted to MW, USD or C without a word, the case would convert a second time.
    """
    factor = ({"name": "usd_per_eur", "value": 1.17},) if unit == "EUR/MWh" else ()
    column = {"kW": "surplus_kw", "EUR/MWh": "price_eur_per_mwh", "F": "temperature_f"}[unit]
    path = hourly.write(tmp_path, hourly.wavy(45), kind)
    path.write_text(path.read_text().replace(hourly.COLUMNS[kind], column))
    spec = Series(file=path.name, column=column, zone="+01:00")
    made = forecast(hourly.Request(path, spec, kind), hourly.issue(44), "persistence")
    assert made.unit == unit
    of_case = spec.model_copy(update={"quantiles": {name: name for name in NAMES}, "factors": ()})
    of_case = Series.model_validate({**of_case.model_dump(exclude_unset=True), "factors": factor})
    axis = TimeAxis(hourly.issue(45, 0), 1.0, 48, "Europe/Oslo")
    read = read_series(read_table(made.csv().encode(), "f.csv"), of_case, QUANTITY[kind], axis)
    scale = {"kW": 1e-3, "EUR/MWh": 1.17, "F": 5 / 9}[unit]
    shift = -160 / 9 if unit == "F" else 0.0
    assert read.values == pytest.approx(made.rows["p50"].to_numpy() * scale + shift)
    assert set(read.quantiles) == set(NAMES)


QUANTITY = {"surplus": "available_mw", "price": "price_usd_per_mwh", "temperature": "temperature_c"}


def command(folder, *more, kind="surplus", values=None, edit=lambda table: table, **written):
    """Run the command on a written series and return what it did."""
    path = hourly.write(folder, hourly.wavy(45) if values is None else values, kind, edit=edit, **written)
    line = ["forecast", path.name, "--column", hourly.COLUMNS[kind], "--kind", kind]
    return in_process(*line, *more, cwd=folder)


ISSUE = ("--issue", "2024-02-14T10:00+01:00")


def test_the_name_holds_the_time_of_issue(tmp_path):
    """*Proves:* the file is named so that a feed knows when it was issued; the record stands beside it."""
    done = command(tmp_path, *ISSUE, "--model", "persistence", "--out", "feeds/surplus.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "feeds/surplus_20240214T1000+0100.csv"
    found = STAMP.search(done.stdout)
    assert found is not None
    assert found["offset"] == "+0100"
    record = json.loads((tmp_path / "feeds/surplus_20240214T1000+0100.forecast.json").read_text())
    assert record["model"]["chosen"] == "persistence"
    assert record["days_of_history"] == 44
    assert record["series"]["rows_not_used"] == 14
    assert {row["model"] for row in record["scores_of_settled_issues"]} == {"persistence"}
    assert "14 later rows are not used" in done.stderr
    assert sorted(f.name for f in (tmp_path / "feeds").iterdir()) == [
        "surplus_20240214T1000+0100.csv",
        "surplus_20240214T1000+0100.forecast.json",
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path):
    """*Proves:* boosting is seeded and no clock is in the record."""
    asked, at = hourly.request(hourly.write(tmp_path, hourly.wavy(40))), hourly.issue(39)
    one, two = (forecast(asked, at, "gbm") for _ in range(2))
    assert one.csv() == two.csv()
    assert one.document == two.document


def test_an_issue_in_utc_is_the_same(tmp_path):
    """*Proves:* the moment counts, not how it is written; the name has the offset of the site."""
    asked, at = hourly.request(hourly.write(tmp_path, hourly.wavy(40))), hourly.issue(39)
    one, two = (forecast(asked, when, "persistence") for when in (at, at.astimezone(UTC)))
    assert one.csv() == two.csv()
    assert one.stamp == two.stamp == "20240209T1000+0100"


def test_the_command_offers_what_there_is():
    """*Proves:* the choices of the command, which it has to name before anything is loaded, are those of the room."""
    assert ("auto", *MODELS) == CHOICES
    assert tuple(QUANTITIES) == KINDS


@pytest.mark.parametrize(
    ("kind", "days", "models", "word"),
    [
        ("price", 29, ("persistence",), "below 30 days"),
        ("price", 61, ("persistence",), "needs 62"),
        ("price", 62, ("persistence", "lin+gbm"), "62 days"),
        ("surplus", 179, ("persistence", "all3"), "179 days"),
        ("surplus", 180, ("all3",), "from 180 days on all3"),
        ("temperature", 400, ("all3",), "all3 is the default for a temperature"),
        ("price", 180, ("lin+gbm",), "lin+gbm is the default for a price"),
    ],
)
def test_the_rule_by_length(kind, days, models, word):
    """*Proves:* every limit of the rule, on both sides, and that the reason says which one it was."""
    tried, why = models_to_try(SimpleNamespace(warm_up=32), kind, days)
    assert tried == models
    assert word in why


def test_the_site_decides_for_persistence(tmp_path):
    """Each day is the one before plus noise, known whole as a price is: no regression can do better than that day.

    *Proves:* between 62 and 180 days persistence stays where the test on the last 30 issues is not sure.
    """
    values = np.repeat(np.cumsum(np.random.default_rng(4).normal(0.0, 2.0, 75))[:, None], 24, axis=1) + 100.0
    path = hourly.write(tmp_path, values, "price")
    made = forecast(hourly.request(path, "price", days=1), hourly.issue(70))
    assert made.model == "persistence"
    assert "on the last 30 settled issues lin+gbm was not surely better: MAE " in made.why


def test_the_site_decides_for_a_regression(tmp_path):
    """Working days at 60, weekends at 20: persistence is wrong on two days of seven, a regression learns the weekday.

    *Proves:* the test on the site's own days can choose the regression, and says by how much it was better.
    """
    day = np.arange(75)
    values = np.where(day % 7 >= 5, 20.0, 60.0)[:, None] + np.random.default_rng(4).normal(0.0, 1.0, (75, 24))
    made = forecast(hourly.request(hourly.write(tmp_path, values), days=1), hourly.issue(70))
    assert made.model == "all3"
    assert "on the last 30 settled issues its MAE was -" in made.why


def test_season_columns_from_a_year_on(monkeypatch, tmp_path):
    """*Proves:* a fit on 364 days before the issue has no columns of the time of year, one on 365 has them."""
    asked = []

    def record(name, features, target, wanted, *, season):
        asked.append(season)
        return np.repeat(wanted[:, :1], 5, axis=1)

    monkeypatch.setattr("flexmine.forecasting.rolling.fitted_quantiles", record)
    path = hourly.write(tmp_path, hourly.wavy(370))
    for days in (364, 365):
        asked.clear()
        forecast(hourly.request(path), hourly.issue(days), "linear")
        assert asked[-1] == (days == 365)


def test_at_most_a_year_is_fitted(monkeypatch, tmp_path):
    """*Proves:* of 400 days a fit sees 365 target days of each lead."""
    rows = []
    monkeypatch.setattr(
        "flexmine.forecasting.rolling.fitted_quantiles",
        lambda name, features, target, wanted, *, season: (
            rows.append(len(target)),
            np.repeat(wanted[:, :1], 5, axis=1),
        )[1],
    )
    forecast(hourly.request(hourly.write(tmp_path, hourly.wavy(405))), hourly.issue(400), "linear")
    assert rows[-1] == 2 * 365 * 24


def test_without_the_extra(monkeypatch, tmp_path):
    """*Proves:* where scikit-learn is missing a regression is refused with the extra's name; persistence needs none."""
    monkeypatch.setattr(learned, "find_spec", lambda name: None)
    asked, at = hourly.request(hourly.write(tmp_path, hourly.wavy(40))), hourly.issue(39)
    for model in ("linear", "gbm", "all3"):
        with pytest.raises(BadInput, match=r"flexmine\[forecast\]"):
            forecast(asked, at, model)
    assert forecast(asked, at).model == "persistence"


def test_a_missing_hour_is_that_of_the_day_before(tmp_path):
    """*Proves:* a hole before the issue is filled with the same hour of the day before, and counted.

    *Sensitivity:* interpolated, the hole would know the hour after it.
    """
    values = hourly.wavy(45)
    filled = values.copy()
    filled[39, 15] = filled[38, 15]
    holey = values.copy()
    holey[39, 15] = np.nan
    at = hourly.issue(40)
    points = []
    for one in (filled, holey):
        made = forecast(hourly.request(hourly.write(tmp_path, one)), at, "persistence")
        points.append(made.rows["p50"].iloc[15])
        missing = made.document["series"]["hours_missing"]
    assert missing == 1
    # The errors of the hole itself do not count, so the median of the errors may differ a little.
    assert points[0] == pytest.approx(points[1], abs=0.5)
    assert abs(values[39, 15] - filled[39, 15]) > 0.0


@pytest.mark.parametrize("unit", ["MW", "MWh"])
def test_quarter_hours_are_taken_by_their_mean(tmp_path, unit):
    """Rows of 15 minutes whose mean is the hour; an energy is a quarter of it each, and the forecast's that of an hour.

    *Proves:* a finer series gives the same hourly forecast; of energies the sum over the hour counts.
    *Sensitivity:* written by the quarter-hour's energy, a case would plan with a fourth.
    """
    hourly_path = hourly.write(tmp_path, hourly.wavy(40))
    hours = pd.read_csv(hourly_path)
    begin = pd.to_datetime(hours["interval_start"])
    parts = []
    for quarter, error in enumerate((-0.1, 0.1, 0.05, -0.05)):
        value = hours["surplus_mw"] + error
        times = (begin + pd.Timedelta(minutes=15 * quarter)).map(lambda time: time.isoformat())
        parts.append(pd.DataFrame({"interval_start": times, "surplus": value / (4 if unit == "MWh" else 1)}))
    pd.concat(parts).sort_values("interval_start").to_csv(tmp_path / "fine.csv", index=False)
    spec = Series(file="fine.csv", column="surplus", unit=unit)
    fine = forecast(hourly.Request(tmp_path / "fine.csv", spec, "surplus"), hourly.issue(39), "persistence")
    coarse = forecast(hourly.request(hourly_path), hourly.issue(39), "persistence")
    assert fine.rows["p50"].to_numpy() == pytest.approx(coarse.rows["p50"].to_numpy(), rel=1e-5)


def test_score_command(tmp_path):
    """*Proves:* the table goes to stdout and the CSV to its file; a forecast that loses is said to; the forecasts that
    are kept for a back-test are the live ones.

    *Sensitivity:* issues that were kept an hour or a day off would be another forecast than the one that was scored.
    """
    days = ("--from", "2024-02-05", "--to", "2024-02-11")
    done = command(tmp_path, "--score", *days, "--model", "last-week", "--out", "scores.csv")
    assert done.returncode == 0, done.stderr
    assert "against persistence" in done.stdout
    assert "last-week loses to persistence in" in done.stdout
    assert (tmp_path / "scores.csv").read_text().startswith("model,lead,season,days,mae,crps,pinball_p10")
    command(tmp_path, "--score", *days, "--model", "last-week", "--issues", "issues.csv")
    kept = pd.read_csv(tmp_path / "issues.csv")
    command(tmp_path, "--issue", "2024-02-11T10:00+01:00", "--model", "last-week", "--out", "live.csv")
    live = pd.read_csv(next(tmp_path.glob("live_*.csv")))
    assert list(kept) == ["issued_at", "interval_start", "p10", "p30", "p50", "p70", "p90"]
    assert len(kept) == 7 * 48 and kept["issued_at"].nunique() == 7
    last = kept[kept["issued_at"] == "2024-02-11T10:00:00+01:00"].reset_index(drop=True)
    assert last["interval_start"].tolist() == live["interval_start"].tolist()
    assert last["p50"].to_numpy() == pytest.approx(live["p50"].to_numpy())
    told = command(tmp_path, "--score", *days, "--model", "last-week", "--json")
    assert json.loads(told.stdout)["scores"][0]["model"] == "persistence"
