"""A forecast in the folder of a feed: an issue like any other, which completes what has come of it."""

from datetime import date

import pytest

import hourly
from feed_files import Files, at
from flexmine.forecasting import forecast
from flexmine.jobs.job import read_job
from nights import write_job


def test_a_forecast_completes_a_feed_that_ends_tomorrow(tmp_path):
    """At 10:00 the forecast of two days is issued, at 16:00 the feed brings the 24 h of tomorrow; 48 h are planned.

    *Proves:* without a tail, the hours of tomorrow are the feed's and those after it the forecast's P50.
    *Sensitivity:* a file whose name holds no time of issue, or a column of another name, would not be used.
    """
    first = date(2024, 4, 1)
    path = hourly.write(tmp_path, hourly.wavy(64), first=first, zone="UTC")
    made = forecast(hourly.request(path), at(-14), "persistence")
    folder = tmp_path / "job"
    folder.mkdir()
    files = Files(read_job(write_job(folder, first, 1)), folder, look_ahead=24)
    (folder / f"s_{made.stamp}.csv").write_text(made.csv(), encoding="utf-8")
    alone = files.values()
    assert alone == pytest.approx(made.rows["p50"].tolist())
    files.fresh().span(-8, 0, 24, 7.25)
    both = files.values()
    assert both[:24] == [7.25] * 24
    assert both[24:] == alone[24:]
    (completed_by,) = files.newest().source["completed_by"]
    assert made.stamp in completed_by
