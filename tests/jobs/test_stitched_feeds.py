"""Feeds as they come: one file a night that begins tomorrow, and prices that end tomorrow at midnight."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.jobs.intraday import REDISPATCH, REPLAN, Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from nights import surplus_mw, write_job, write_series

DAY = date(2024, 4, 10)
OSLO = ZoneInfo("Europe/Oslo")
SERIES = "sources.surplus.available_mw"


def at(hour, day=DAY):
    return datetime(day.year, day.month, day.day, tzinfo=OSLO) + timedelta(hours=hour)


def issue(folder, day, days, factor=1.0, name="surplus"):
    """Write what is issued at noon of the day before, for `day` and further days."""
    stamp = (at(12, day) - timedelta(days=1)).astimezone(ZoneInfo("UTC"))
    path = folder / "feeds" / f"{name}_{stamp:%Y%m%dT%H%MZ}.csv"
    column = {"surplus": "surplus_mw", "price": "price_usd_per_mwh"}[name]
    value = {"surplus": surplus_mw, "price": lambda t: 40.0 + t.hour + t.day / 10}[name]
    write_series(path, column, lambda t: round(factor * value(t), 4), "Europe/Oslo", day, days)
    return path


def made(folder, *, tail=None, ladder=""):
    """Write a job whose surplus comes a night at a time, each for two days; prices for one, where there is a tail."""
    folder.mkdir()
    job = write_job(folder, DAY, 0, more=f"ladder: [{ladder}]\n" if ladder else "")
    for back in (1, 0):
        issue(folder, DAY - timedelta(days=back), 2)
    if tail is not None:
        issue(folder, DAY, 1, name="price")
        feed = "  - {series: [sources.grid.price_usd_per_mwh], files: feeds/price_*.csv, max_age_h: 30" + tail + "}\n"
        text = job.read_text(encoding="utf-8")
        assert "feeds:\n" in text
        job.write_text(text.replace("feeds:\n", f"feeds:\n{feed}", 1), encoding="utf-8")
    return job


def night(job, day, now):
    return Night(read_job(job), now).run(day)[0].record


def case_of(job, record):
    return load_case(job.parent / "runs" / record.folder / "inputs" / "case.yaml")


@pytest.mark.parametrize("kind", [REDISPATCH, REPLAN])
def test_inside_the_day_the_rest_of_it_is_yesterday_s_issue(tmp_path, kind):
    """The issue of this noon begins tomorrow; for this afternoon the newest is yesterday's.

    *Proves:* every hour is of the newest issue that covers it, exit 0, and the record names both files.

    *Sensitivity:* with the newest issue alone the afternoon is a gap of 10 h, and the run fails or falls back.
    """
    job = made(tmp_path / "job")
    assert night(job, DAY, at(-4)).exit_code == 0
    tomorrow = issue(job.parent, DAY + timedelta(days=1), 2, factor=0.5)
    record = Intraday(Night(read_job(job), at(13.2)), kind).run()[0].record
    assert (record.exit_code, record.step) == (0, "newest")
    case = case_of(job, record)
    values = case.series[SERIES]
    for t in range(values.size):
        begin = case.time.begin(t)
        factor = 0.5 if begin >= at(24) else 1.0
        assert values[t] == pytest.approx(round(factor * surplus_mw(begin), 4)), begin
    feed = next(f for f in record.feeds if f["series"] == SERIES)
    assert feed["file"] == f"feeds/{tomorrow.name}" and len(feed["completed_by"]) == 1


def test_what_is_older_than_its_reach_is_not_used(tmp_path):
    """*Proves:* `reach_h` bounds how old an hour's newest issue may be.  *Sensitivity:* within it, it is used above."""
    job = made(tmp_path / "job")
    text = job.read_text(encoding="utf-8")
    assert "max_age_h: 30" in text
    job.write_text(text.replace("max_age_h: 30", "max_age_h: 30, reach_h: 24", 1), encoding="utf-8")
    night(job, DAY, at(-4))
    issue(job.parent, DAY + timedelta(days=1), 2)
    with pytest.raises(BadInput, match=r"a gap of \d+ h"):
        Intraday(Night(read_job(job), at(20.2)), REPLAN).run()


def test_an_issue_that_ends_early_is_told(tmp_path, caplog):
    """*Proves:* a newest issue that stops in the middle goes on with the older one, and the log says from when on.

    *Sensitivity:* without a word a transfer that broke off would look like a forecast.
    """
    job = made(tmp_path / "job")
    night(job, DAY, at(-4))
    short = issue(job.parent, DAY + timedelta(days=1), 2, factor=0.5)
    text = short.read_text(encoding="utf-8").split("\n")
    short.write_text("\n".join(text[:10]) + "\n", encoding="utf-8")
    issue(job.parent, DAY, 4)  # the older one knows the days after
    record = night(job, DAY + timedelta(days=1), at(20))
    assert record.exit_code == 0
    assert any(
        f"{short.name} ends at 2024-04-11T09:00+02:00; what follows is of an older issue" in m for m in caplog.messages
    )
    values = case_of(job, record).series[SERIES]
    assert values[8] == pytest.approx(round(0.5 * surplus_mw(at(32)), 4))
    assert values[9] == pytest.approx(round(surplus_mw(at(33)), 4))


def test_prices_that_end_at_midnight_have_a_named_tail(tmp_path):
    """A day-ahead price knows the 24 hours of tomorrow, and the plan looks 12 hours further.

    *Proves:* with `tail` the look-ahead repeats the hours of the day before, exit 0, and plan.json lists exactly those
    steps under `filled`.

    *Sensitivity:* without a tail there is a gap of 12 h, and no plan.
    """
    with pytest.raises(BadInput, match="a gap of 12 h"):
        night(made(tmp_path / "without", tail=""), DAY, at(-4))
    job = made(tmp_path / "with", tail=", tail: {policy: same_hour_yesterday}")
    record = night(job, DAY, at(-4))
    assert (record.exit_code, record.step, record.labels) == (0, "newest", ())
    prices = case_of(job, record).series["sources.grid.price_usd_per_mwh"]
    assert np.array_equal(prices[24:], prices[:12])
    plan = json.loads((job.parent / "runs" / record.folder / "plan" / "plan.json").read_text(encoding="utf-8"))
    (filled,) = plan["filled"]
    assert (filled["policy"], filled["first_step"], filled["steps"]) == ("same_hour_yesterday", 24, 12)


def test_a_tail_is_no_cover_for_a_hole(tmp_path):
    """*Proves:* a value that is missing before the last one is no tail: the run fails as without one.

    *Sensitivity:* a policy of filling alone would fill it without a word in the exit code.
    """
    job = made(tmp_path / "job", tail=", tail: {policy: same_hour_yesterday}")
    price = next((job.parent / "feeds").glob("price_*.csv"))
    lines = price.read_text(encoding="utf-8").split("\n")
    lines[8] = lines[8].split(",")[0] + ","
    price.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadInput, match="'', which is no value, for 2024-04-10T07:00"):
        night(job, DAY, at(-4))


def test_a_longer_tail_repeats_what_stands_in(tmp_path):
    """*Proves:* a tail of more than a day is the same day again and again; longer than `longest_h` it is refused.

    *Sensitivity:* looked up one day back only, its second day is empty.
    """
    job = made(tmp_path / "job", tail=", tail: {policy: same_hour_yesterday, longest_h: 60}")
    text = job.read_text(encoding="utf-8").replace("look_ahead_h: 12", "look_ahead_h: 60")
    job.write_text(text, encoding="utf-8")
    issue(job.parent, DAY, 4)
    prices = case_of(job, night(job, DAY, at(-4))).series["sources.grid.price_usd_per_mwh"]
    assert np.array_equal(prices[24:48], prices[:24]) and np.array_equal(prices[48:], prices[24:60])


def test_persistence_keeps_what_is_known(tmp_path):
    """*Proves:* of a price that knows 24 of 36 hours, persistence replaces twelve, and its label says so.

    *Sensitivity:* replaced as a whole, 24 prices of an auction would be thrown away.
    """
    job = made(tmp_path / "job", tail="", ladder="{step: persistence}")
    price = issue(job.parent, DAY, 2, name="price")
    assert night(job, DAY, at(-4)).exit_code == 0
    price = issue(job.parent, DAY + timedelta(days=1), 1, factor=2.0, name="price")
    issue(job.parent, DAY + timedelta(days=1), 2)
    record = night(job, DAY + timedelta(days=1), at(20))
    assert (record.exit_code, record.step) == (5, "persistence")
    (label,) = record.labels
    assert "in 12 of 36 steps the same hour of the last 1 day with a feed" in label
    prices = case_of(job, record).series["sources.grid.price_usd_per_mwh"]
    assert prices[5] == pytest.approx(2.0 * (40.0 + 5 + 1.1)) and prices[24] == pytest.approx(40.0 + 0 + 1.0)
    assert price.is_file()
