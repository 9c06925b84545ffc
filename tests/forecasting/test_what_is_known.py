"""Nothing that came after the issue changes a forecast, and clocks that are changed lose or double no hour."""

import json
from datetime import date, datetime

import numpy as np
import pytest

import hourly
from flexmine.forecasting import forecast
from flexmine.forecasting.lags import lags
from flexmine.forecasting.quantiles import NAMES
from flexmine.forecasting.rolling import MODELS, SIMPLE, Issues, rolled

KINDS = ("surplus", "price", "temperature")


def without_hash(made):
    """Return the record without the hash of the file."""
    document = json.loads(json.dumps(made.document))
    document["series"].pop("sha256")
    return document


def planted(first_unknown, value):
    """Return an edit that puts a value into every row from an hour of the series on."""

    def edit(table):
        table = table.astype({"value": object})
        table.loc[table.index >= first_unknown, "value"] = value
        return table

    return edit


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["77.5", "rubbish", "-9999"])
def test_a_planted_future_changes_nothing(tmp_path, kind, value):
    """Issued at 10:00 of day 40: of a price day 40 is known whole, of all else its first ten hours.

    *Proves:* with every later row overwritten, with a number or with what is none, all models give the same bytes.
    *Sensitivity:* "lag 24" on every hour reads today's hours from 10:00 on and changes.
    """
    values, unknown = hourly.wavy(44), 24 * 40 + (24 if kind == "price" else 10)
    true, false = tmp_path / "true", tmp_path / "false"
    true.mkdir()
    false.mkdir()
    # all3 holds persistence, the linear one and boosting, which takes most of the time of these tests.
    for model in (*SIMPLE, "linear", *(["all3"] if (kind, value) == ("surplus", "77.5") else [])):
        made = []
        for folder, edit in ((true, lambda table: table), (false, planted(unknown, value))):
            path = hourly.write(folder, values, kind, edit=edit)
            made.append(forecast(hourly.request(path, kind), hourly.issue(40), model))
        assert made[0].csv() == made[1].csv()
        assert without_hash(made[0]) == without_hash(made[1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_known_hour_does_change_it(tmp_path, kind):
    """*Proves:* the hour before those of the test above is used: the test can tell."""
    values, last = hourly.wavy(44), 24 * 40 + (23 if kind == "price" else 9)
    texts = []
    for other in (0.0, 3.0):
        changed = values.copy()
        changed.ravel()[last] += other
        made = forecast(hourly.request(hourly.write(tmp_path, changed, kind), kind), hourly.issue(40), "linear")
        texts.append(made.csv())
    assert texts[0] != texts[1]


@pytest.mark.parametrize("cut", [-3, 0, 10, 24])
def test_rolling_forecasts_do_not_see_later_days(tmp_path, cut):
    """*Proves:* with everything from an issue on overwritten, the issues up to it are the same to the last bit.

    *Sensitivity:* a correction that counts unsettled issues, or a fit on unsettled targets, changes them.
    """
    values, day = hourly.wavy(60), 50
    changed = values.copy()
    changed.ravel()[24 * day + cut :] = 500.0
    made = []
    models, first = (MODELS, 46) if cut == 10 else ((*SIMPLE, "linear"), 31)
    for one in (values, changed):
        found = hourly.history(tmp_path, one)
        issues = Issues(found, tuple(lags(found, cut, lead) for lead in (1, 2)), (0.0, np.inf))
        made.append(rolled(issues, models, first, 52))
    for model in models:
        before, after = (one[model].quantiles[:, first : day + 1] for one in made)
        assert np.isfinite(before).all()
        assert (before == after).all(), model


def test_a_forecast_is_the_last_of_the_rolling_ones(tmp_path):
    """*Proves:* what is scored is what is issued: the issue of a day in a longer file equals the live one.

    The regressions are fitted on the day of issue in both, since fits are counted back from the last.
    """
    values = hourly.wavy(60)
    live = forecast(hourly.request(hourly.write(tmp_path, values[:57])), hourly.issue(56), "linear")
    found = hourly.history(tmp_path, values)
    issues = Issues(found, tuple(lags(found, 10, lead) for lead in (1, 2)), (0.0, np.inf))
    again = rolled(issues, ("linear",), 56 - issues.warm_up, 56)["linear"].quantiles[:, 56]
    assert live.rows[list(NAMES)].to_numpy() == pytest.approx(again.reshape(48, 5), rel=1e-5)


def stairs(days):
    """Return 60 a day more and one an hour: the errors of persistence are 60 a day of lead, in every hour."""
    return 60.0 * np.arange(days)[:, None] + np.arange(24.0)


def by_hour(made):
    return dict(zip(made.rows["interval_start"], made.rows["p50"], strict=True))


def test_a_day_of_23_hours_by_hand(tmp_path):
    """Issued on 30 March 2024, day 60 of the series; 31 March has no 02:00 on the clock of Oslo.

    *Proves:* persistence forecasts 23 hours, and the hours after the change are those of their clock.
    *Sensitivity:* counted in elapsed hours, 03:00 would be 2 and every later hour one too low.
    """
    first = date(2024, 1, 30)
    path = hourly.write(tmp_path, stairs(61), "price", first=first, zone="Europe/Oslo")
    made = forecast(
        hourly.request(path, "price", "Europe/Oslo"), hourly.issue(60, 10, "Europe/Oslo", first), "persistence"
    )
    hours = by_hour(made)
    assert len(hours) == 23 + 24
    assert "2024-03-31T02:00:00+01:00" not in hours
    assert hours["2024-03-31T01:00:00+01:00"] == 3661
    assert hours["2024-03-31T03:00:00+02:00"] == 3663
    assert hours["2024-04-01T00:00:00+02:00"] == 3720
    assert hours["2024-04-01T23:00:00+02:00"] == 3743


def test_a_day_of_25_hours_by_hand(tmp_path):
    """Issued on 26 October 2024; on 27 October 02:00 stands twice on the clock of Oslo.

    *Proves:* both are forecast, as the one hour of the clock that they are.
    *Sensitivity:* counted in elapsed hours the second would be 3, and the day would end at 22:00.
    """
    first = date(2024, 9, 1)
    path = hourly.write(tmp_path, stairs(56), "price", first=first, zone="Europe/Oslo")
    made = forecast(
        hourly.request(path, "price", "Europe/Oslo"), hourly.issue(55, 10, "Europe/Oslo", first), "persistence"
    )
    hours = by_hour(made)
    assert len(hours) == 25 + 24
    assert hours["2024-10-27T02:00:00+02:00"] == hours["2024-10-27T02:00:00+01:00"] == 3362
    assert hours["2024-10-27T23:00:00+01:00"] == 3383
    assert hours["2024-10-28T00:00:00+01:00"] == 3420


def test_after_the_change_the_doubled_hour_is_its_mean(tmp_path):
    """27 October 2024 is the day of issue: 02:00 was 3360 the first time and 3364 the second, the mean is 3362.

    And after 31 March 2024, on which 02:00 did not exist, 02:00 is that of the day before: 3602, and a day more.

    *Proves:* a doubled hour counts once, with its mean; an absent one is that of the day before and not missing.
    """

    def edit(table):
        twice = table["interval_start"].str.startswith("2024-10-27T02:")
        table.loc[twice, "value"] = [3360.0, 3364.0]
        return table

    first = date(2024, 9, 1)
    path = hourly.write(tmp_path, stairs(57), "price", first=first, zone="Europe/Oslo", edit=edit)
    asked = hourly.request(path, "price", "Europe/Oslo")
    made = forecast(asked, hourly.issue(56, 10, "Europe/Oslo", first), "persistence")
    assert by_hour(made)["2024-10-28T02:00:00+01:00"] == 3362 + 60
    first = date(2024, 1, 30)
    path = hourly.write(tmp_path, stairs(62), "price", first=first, zone="Europe/Oslo")
    made = forecast(
        hourly.request(path, "price", "Europe/Oslo"), hourly.issue(61, 10, "Europe/Oslo", first), "persistence"
    )
    assert by_hour(made)["2024-04-01T02:00:00+02:00"] == 3602 + 60
    assert made.document["series"]["hours_missing"] == 0


def test_a_meter_that_lags(tmp_path):
    """Values end at 06:00 of the day of issue: hours 06:00 to 23:00 are those of the day before.

    *Proves:* what is known goes by the last value and not by the clock.
    *Sensitivity:* by the clock, 07:00 would count as known, with yesterday's value, and come out 60 too low.
    """

    def edit(table):
        table = table.astype({"value": object})
        table.loc[table.index >= 24 * 40 + 6, "value"] = ""
        return table

    path = hourly.write(tmp_path, stairs(41), edit=edit)
    hours = by_hour(forecast(hourly.request(path, days=1), hourly.issue(40), "persistence"))
    # Of today's known hours it is 60 more, of yesterday's 120: both as on every settled day.
    assert hours["2024-02-11T03:00:00+01:00"] == 60 * 41 + 3
    assert hours["2024-02-11T07:00:00+01:00"] == 60 * 41 + 7
    assert hours["2024-02-11T12:00:00+01:00"] == 60 * 41 + 12


def test_a_price_is_known_by_the_days_of_its_market(tmp_path):
    """Issued on 1 June 2024: Oslo's day ends at 22:00 UTC; the hours from 22:00 on are of the next auction.

    *Proves:* what is known of a price ends with the market's day, whatever the offsets of the file.
    *Sensitivity:* by days of UTC or of winter time, one or two hours of the next auction would count as known, which
    made the linear model look 2 to 4 points better on open prices.
    """
    first = date(2024, 4, 1)
    path = hourly.write(tmp_path, hourly.wavy(64), "price", first=first, zone="+00:00")
    made = forecast(
        hourly.request(path, "price", "Europe/Oslo"), hourly.issue(61, 10, "Europe/Oslo", first), "persistence"
    )
    assert made.document["known_until"] == "2024-06-02T00:00:00+02:00"
    assert made.document["series"]["rows_not_used"] == 2 + 48
    assert made.rows["interval_start"].iloc[0] == "2024-06-02T00:00:00+02:00"


def test_the_second_of_two_hours_is_known_as_such(tmp_path):
    """Issued at 02:30 by winter time on 27 October 2024, after the hour 02:00 of summer time and half of the other.

    *Proves:* what is known ends at 02:00+01:00, an hour after 02:00+02:00.
    *Sensitivity:* rounded down on the clock alone, the first 02:00 is meant, and an hour that has passed is not known.
    """
    first = date(2024, 9, 1)
    path = hourly.write(tmp_path, hourly.wavy(58), first=first, zone="Europe/Oslo")
    for offset in ("+02:00", "+01:00"):
        at = datetime.fromisoformat(f"2024-10-27T02:30{offset}")
        made = forecast(hourly.request(path, zone="Europe/Oslo"), at, "persistence")
        assert made.document["known_until"] == f"2024-10-27T02:00:00{offset}"
        assert made.stamp == f"20241027T0230{offset.replace(':', '')}"
