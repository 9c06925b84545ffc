"""What an issue knows of a target hour, against a slow search hour by hour."""

import numpy as np
import pytest

import hourly
from flexmine.forecasting.lags import COLUMNS, FIRST_ISSUE, lags


def slow(values, cut, lead, day, hour):
    """Return the features of one target hour, from the list of the hours that are known and nothing else."""
    known = [values[d, h] for d in range(day + 1) for h in range(24) if 24 * d + h < 24 * day + cut]

    def newest(before):
        """Return the newest known value of the clock hour, at most on day `before`."""
        d = before
        while 24 * d + hour >= 24 * day + cut:
            d -= 1
        return d

    last = newest(day)
    at = [values[last - k, hour] for k in range(7)]
    week = day + lead - 7
    while 24 * week + hour >= 24 * day + cut:
        week -= 7
    return {
        "last_same_hour": at[0],
        "day_before": at[1] - at[0],
        "week_before": values[week, hour] - at[0],
        "mean_7": np.mean(at) - at[0],
        "last_value": known[-1] - at[0],
        "mean_24": np.mean(known[-24:]) - at[0],
        "mean_168": np.mean(known[-168:]) - at[0],
        "max_24": max(known[-24:]) - at[0],
        "min_24": min(known[-24:]) - at[0],
        "hour": hour,
        "lead": lead,
        "level_7": np.mean(at),
        "level_24": np.mean(known[-24:]),
    }


@pytest.mark.parametrize("cut", [-23, -7, 0, 1, 10, 23, 24])
@pytest.mark.parametrize("lead", [1, 2, 6])
def test_against_a_slow_search(tmp_path, cut, lead):
    """*Proves:* every lag is the newest value that was known, for every hour by itself.

    *Sensitivity:* "lag 24" on every hour takes today's hours from `cut` on, which the slow list does not hold.
    """
    values = hourly.wavy(30, seed=100 + cut)
    found = lags(hourly.history(tmp_path, values), cut, lead)
    for day in (16, 22, 29):
        for hour in range(24):
            wanted = slow(values, cut, lead, day, hour)
            got = dict(zip(COLUMNS, found.features[day, hour], strict=True))
            assert {name: got[name] for name in wanted} == pytest.approx(wanted)
            assert found.known[day, hour] == pytest.approx(wanted["last_same_hour"])


@pytest.mark.parametrize("cut", [-5, 10, 24])
def test_targets_are_used_once_they_are_settled(tmp_path, cut):
    """*Proves:* the targets before `settled` end before the first unknown hour; one issue more would not.

    *Sensitivity:* off by one, a fit sees hours of the day that it forecasts.
    """
    made = lags(hourly.history(tmp_path, hourly.wavy(40)), cut, 2)
    for row in range(FIRST_ISSUE + 2, 38):
        last_target = made.settled(row) - 1 + made.lead
        assert 24 * (last_target + 1) <= 24 * row + cut
        if cut < 24:
            assert 24 * (last_target + 2) > 24 * row + cut


def test_the_weekday_and_season_are_those_of_the_target(tmp_path):
    """1 January 2024 is a Monday; of an issue on it with lead 6 the target is Sunday, 7 January.

    *Proves:* calendar columns are of the target and not of the issue.
    """
    made = lags(hourly.history(tmp_path, hourly.wavy(20)), 10, 6)
    first = dict(zip(COLUMNS, made.features[0, 0], strict=True))
    assert first["weekday"] == 6
    assert first["sin_year"] == pytest.approx(np.sin(2 * np.pi * 7 / 365.25))
