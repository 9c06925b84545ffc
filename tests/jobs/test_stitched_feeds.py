"""Feeds as they come: one file a night that begins tomorrow, and prices that end tomorrow at midnight."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
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


CLOCK = "zone: Europe/Oslo"
SHAPES = {
    "offset": ("{:%Y-%m-%dT%H:%M:%S+02:00}", "{:%Y-%m-%dT%H:%M:%S+02:00}", ",", ""),
    "utc": ("{:%Y-%m-%dT%H:%M:%S+02:00}", "{:%Y-%m-%dT%H:%M:%SZ}", ",", ""),
    "zone": ("{:%Y-%m-%dT%H:%M:%S}", "{:%Y-%m-%dT%H:%M:%S}", ",", CLOCK),
    "zone of the issue alone": ("{:%Y-%m-%dT%H:%M:%S+02:00}", "{:%Y-%m-%dT%H:%M}", ",", CLOCK),
    "day first": (
        "{:%d.%m.%Y %H:%M}",
        "{:%d.%m.%Y %H:%M}",
        ";",
        f"{CLOCK}, layout: {{separator: ';', date_order: dmy}}",
    ),
    "month first": ("{:%m/%d/%Y %I:%M %p}", "{:%m/%d/%Y %I:%M %p}", ",", f"{CLOCK}, layout: {{date_order: mdy}}"),
    "day first, with offset": ("{:%d.%m.%Y %H:%M+02:00}", "{:%d.%m.%Y %H:%M +02:00}", ",", "layout: {date_order: dmy}"),
    "blanks": ("  {:%Y-%m-%d %H:%M}  ", " {:%Y-%m-%d %H:%M} ", ",", CLOCK),
    "only a day": ("{:%Y-%m-%dT%H:%M:%S}", "{:%Y-%m-%d}", ",", CLOCK),
    "workbook": ("{}", "{}", "", f"{CLOCK}, format: xlsx"),
}


def reissued(path, shape, later_h=11):
    """Write the issue of a file again, after an older one of the day before and one that nobody knows yet.

    The older one has three times its values, the one from the future five times; each column of times has the shape.
    """
    begin, when, separator, _ = SHAPES[shape]
    head, *lines = path.read_text(encoding="utf-8").split()
    assert head == "interval_start,surplus_mw"
    values = [(datetime.fromisoformat(t).astimezone(OSLO), float(v)) for t, v in (line.split(",") for line in lines)]
    day = datetime.strptime(path.stem, "surplus_%Y%m%dT%H%MZ").replace(tzinfo=ZoneInfo("UTC")).astimezone(OSLO)
    issues = [(day - timedelta(days=1), 3.0), (day, 1.0), (day + timedelta(hours=later_h), 5.0)]
    if shape == "only a day":
        issues = [(day - timedelta(days=1), 3.0), (day, 1.0), (day + timedelta(days=2), 5.0)]
    rows = [(t, issued, factor * v) for issued, factor in issues for t, v in values]
    if shape == "workbook":
        book = openpyxl.Workbook()
        book.active.append(["Beginn", "Ausgabe", "Leistung"])
        for t, issued, v in rows:
            # Excel keeps times to some microseconds only.
            book.active.append([t.replace(tzinfo=None), issued.replace(tzinfo=None, microsecond=3), v])
        book.save(path.with_suffix(".xlsx"))
        path.unlink()
        return
    zone = ZoneInfo("UTC") if shape == "utc" else OSLO
    said = [(begin.format(t), when.format(issued.astimezone(zone)), v) for t, issued, v in rows]
    text = "\n".join(separator.join(map(str, cells)) for cells in [("Beginn", "Ausgabe", "Leistung"), *said])
    path.write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_time_of_issue_in_every_shape(tmp_path, shape):
    """Files of a night that hold several issues: at 20:00 that of 23:00 is not known, at 13:12 not that of 13:30.

    *Proves:* ISO with offset, by the clock of the zone, day or month first, blanks, days and Excel's times; this
    afternoon comes from yesterday's file, tomorrow from that of this noon, each from its newest issue that is known.

    *Sensitivity:* asked for what is known when the horizon begins, at midnight and at 14:00, the issues from the future
    give five times the surplus; read in UTC, noon is 14:00 and the issue before it is taken, three times the surplus.
    """
    job = made(tmp_path / "job")
    for path in sorted((job.parent / "feeds").glob("surplus_*.csv")):
        reissued(path, shape)
    more = SHAPES[shape][3]
    old = "{file: surplus.csv, column: surplus_mw, unit: MW}"
    keys = "column: Leistung, time_column: Beginn, issue_column: Ausgabe, unit: MW"
    case = job.parent / "case.yaml"
    text = case.read_text(encoding="utf-8")
    assert old in text
    case.write_text(text.replace(old, f"{{file: surplus.csv, {keys}{', ' if more else ''}{more}}}"), encoding="utf-8")
    if shape == "workbook":
        job.write_text(job.read_text(encoding="utf-8").replace("surplus_*.csv", "surplus_*.xlsx"), encoding="utf-8")
    record = night(job, DAY, at(-4))
    assert (record.exit_code, record.step) == (0, "newest")
    read = case_of(job, record)
    expected = [round(surplus_mw(read.time.begin(t)), 4) for t in range(read.time.steps)]
    assert read.series[SERIES].tolist() == pytest.approx(expected)

    reissued(issue(job.parent, DAY + timedelta(days=1), 2, factor=0.5), shape, later_h=1.5)
    record = Intraday(Night(read_job(job), at(13.2)), REPLAN).run()[0].record
    assert (record.exit_code, record.step) == (0, "newest")
    read = case_of(job, record)
    begins = [read.time.begin(t) for t in range(read.time.steps)]
    assert begins[0] == at(14) and begins[-1] >= at(24)
    # By now the issue of 23:00, or of today, is known, and an older file has it.
    factors = [0.5 if begin >= at(24) else 5.0 for begin in begins]
    expected = [round(f * round(surplus_mw(begin), 4), 4) for f, begin in zip(factors, begins, strict=True)]
    assert read.series[SERIES].tolist() == pytest.approx(expected)
    feed = next(f for f in record.feeds if f["series"] == SERIES)
    assert len(feed["completed_by"]) == 1


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
    """*Proves:* a value that is missing before the last one is not a tail: the run fails as without one.

    *Sensitivity:* a policy of filling alone would fill it without a word in the exit code.
    """
    job = made(tmp_path / "job", tail=", tail: {policy: same_hour_yesterday}")
    price = next((job.parent / "feeds").glob("price_*.csv"))
    lines = price.read_text(encoding="utf-8").split("\n")
    lines[8] = lines[8].split(",")[0] + ","
    price.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadInput, match="'', which is not a value, for 2024-04-10T07:00"):
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


def test_a_fault_names_the_file_that_holds_it(tmp_path):
    """A bad cell for this evening stands in yesterday's file, which completes the one of tomorrow.

    *Proves:* the message begins with the name and line of the file that holds the cell.

    *Sensitivity:* lines counted under the name of the newest issue lead to a row that is right, or is not there.
    """
    job = made(tmp_path / "job")
    night(job, DAY, at(-4))
    today = max((job.parent / "feeds").glob("surplus_*.csv"))
    issue(job.parent, DAY + timedelta(days=1), 2)
    lines = today.read_text(encoding="utf-8").split("\n")
    lines[19] = lines[19].split(",")[0] + ",x1.5"
    today.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"^{SERIES}: feeds/{today.name}:20: column surplus_mw, .*'x1.5'"):
        Intraday(Night(read_job(job), at(13.2)), REPLAN).run()
