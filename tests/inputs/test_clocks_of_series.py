"""Times of a source: clocks without offset, hours that stand twice or not at all, endings, days, coarse sources."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.problem import TimeAxis

OSLO = "Europe/Oslo"
SPRING = datetime(2024, 3, 31, 0, tzinfo=timezone(timedelta(hours=1)))
AUTUMN = datetime(2024, 10, 27, 0, tzinfo=timezone(timedelta(hours=2)))


def read(rows: list[str], start: datetime, steps: int, step_h: float = 1.0, **spec) -> list[float]:
    raw = "\n".join(["interval_start,value", *rows, ""]).encode()
    series = Series(file="feed.csv", **{"column": "value", "unit": "MW", **spec})
    axis = TimeAxis(start, step_h, steps, OSLO)
    return read_series(read_table(raw, "feed.csv"), series, "available_mw", axis).values.tolist()


def refusal(*arguments, **spec) -> str:
    with pytest.raises(BadInput) as caught:
        read(*arguments, **spec)
    return caught.value.messages[0]


def clock(day: str, hours: list[str], values: list[object] | None = None) -> list[str]:
    return [f"{day} {h}:00,{v}" for h, v in zip(hours, values or range(len(hours)), strict=True)]


def test_the_double_hour_of_a_clock_without_offset():
    """Oslo, 27 October: 02:00 stands twice; hours 0 to 4 of the clock are six hours.

    *Proves:* the first of both is the earlier hour.  *Sensitivity:* without judging, the second is a duplicate.
    """
    rows = clock("2024-10-27", ["00", "01", "02", "02", "03"])
    assert read(rows, AUTUMN, 5, zone=OSLO) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_the_double_hour_in_quarters():
    """*Proves:* the whole first hour comes before the whole second.  *Sensitivity:* pairing rows mixes 02:00, 02:15."""
    minutes = ["01:45", "02:00", "02:15", "02:30", "02:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    rows = [f"2024-10-27 {m},{i}" for i, m in enumerate(minutes)]
    start = datetime(2024, 10, 27, 1, 45, tzinfo=timezone(timedelta(hours=2)))
    assert read(rows, start, 10, 0.25, zone=OSLO) == [float(i) for i in range(10)]


def test_one_row_for_an_hour_that_happens_twice_is_refused():
    """*Proves:* which of both is missing is not guessed.  *Sensitivity:* taking the first moves the rest by an hour."""
    message = refusal(clock("2024-10-27", ["00", "01", "02", "03"]), AUTUMN, 5, zone=OSLO)
    assert message.startswith("feed.csv:4: column interval_start: 2024-10-27 02:00 happens twice on the clock of")
    assert "stands once; which of the two is missing cannot be known" in message


def test_an_hour_that_stands_three_times_is_refused():
    """*Proves:* the third is a duplicate.  *Sensitivity:* counting pairs would drop it."""
    message = refusal(clock("2024-10-27", ["00", "01", "02", "02", "02", "03"]), AUTUMN, 5, zone=OSLO)
    assert message.startswith("feed.csv:6: column interval_start: 2024-10-27 02:00 stands a second time")


def test_the_hour_that_does_not_exist_is_passed_over_where_it_is_empty():
    """Oslo, 31 March: after 01:00 comes 03:00; some publishers keep an empty row at 02:00.

    *Proves:* 23 hours are read as 23.  *Sensitivity:* a row moved to 03:00 would be a duplicate.
    """
    rows = clock("2024-03-31", ["00", "01", "02", "03", "04"], [0, 1, "", 3, 4])
    assert read(rows, SPRING, 4, zone=OSLO) == [0.0, 1.0, 3.0, 4.0]
    marked = clock("2024-03-31", ["00", "01", "02", "03", "04"], [0, 1, "n/e", 3, 4])
    assert read(marked, SPRING, 4, zone=OSLO, missing=("n/e",)) == [0.0, 1.0, 3.0, 4.0]


def test_the_hour_that_does_not_exist_is_refused_where_it_has_a_value():
    """*Proves:* the likely causes are named: zone or label.  *Sensitivity:* shifting it hides a wrong zone."""
    message = refusal(clock("2024-03-31", ["00", "01", "02", "03", "04"]), SPRING, 4, zone=OSLO)
    assert message == (
        "feed.csv:4: column interval_start: 2024-03-31 02:00 does not exist on the clock of Europe/Oslo, but has the "
        "value '2'; is the zone right (a clock that is not changed in summer is zone: +01:00), and is the label the "
        "beginning?"
    )


def test_a_mixture_of_times_with_and_without_offset_is_refused():
    """*Proves:* one column, one meaning.  *Sensitivity:* reading each as it comes could shift a part."""
    rows = ["2024-10-27 00:00,1", "2024-10-27T01:00:00+02:00,2"]
    assert "has an offset, others have none" in refusal(rows, AUTUMN, 2, zone=OSLO)


def test_hours_named_by_their_end():
    """The row of 01:00 is the hour from 00:00.

    *Proves:* with an offset the step is taken off in elapsed time.  *Sensitivity:* read as beginnings, all values come
    an hour late, and the first is missing.
    """
    rows = [f"2024-10-27T{t},{i}" for i, t in enumerate(["01:00+02:00", "02:00+02:00", "02:00+01:00", "03:00+01:00"])]
    assert read(rows, AUTUMN, 4, label="ending") == [0.0, 1.0, 2.0, 3.0]
    assert "a gap of 1 h" in refusal(rows, AUTUMN, 4)


def test_endings_on_a_clock_without_offset():
    """Pacific time, 1 November 2015, as EIA-930 labels it: ends 01:00, 02:00, 02:00, 03:00 are UTC 08 to 11.

    *Proves:* an ending is the clock's beginning plus an hour: 00:00, 01:00, 01:00, 02:00.
    *Sensitivity:* putting the ends themselves on the clock finds 02:00 twice where it happens once.
    """
    rows = clock("2015-11-01", ["01", "02", "02", "03"])
    start = datetime(2015, 11, 1, 7, tzinfo=UTC)
    assert read(rows, start, 4, label="ending", zone="America/Los_Angeles") == [0.0, 1.0, 2.0, 3.0]


def test_days_of_23_and_25_hours_are_held():
    """Daily values on Oslo's calendar around 27 October: the day has 25 hours.

    *Proves:* each day holds from midnight to midnight.  *Sensitivity:* days of 24 h leave the 25th hour without value.
    """
    rows = ["2024-10-26,10", "2024-10-27,20", "2024-10-28,30"]
    values = read(rows, AUTUMN, 26, zone=OSLO, coarser="hold", every="day")
    assert values == [20.0] * 25 + [30.0]
    rows = ["2024-03-30,10", "2024-03-31,20", "2024-04-01,30"]
    assert read(rows, SPRING, 24, zone=OSLO, coarser="hold", every="day") == [20.0] * 23 + [30.0]


def test_a_missing_day_is_a_gap_of_a_day():
    """*Proves:* holding ends with the interval.  *Sensitivity:* holding to the next row would cover it."""
    rows = ["2024-10-25,10", "2024-10-26,15", "2024-10-28,30"]
    assert "a gap of 25 h (25 of 26 values" in refusal(rows, AUTUMN, 26, zone=OSLO, coarser="hold", every="day")


def test_a_coarser_source_that_does_not_fit_cannot_be_held():
    """*Proves:* 20 minutes on quarters are refused.  *Sensitivity:* nearest-value look-ups would blur the joint."""
    rows = ["2024-10-27T00:00+02:00,1", "2024-10-27T00:20+02:00,2", "2024-10-27T00:40+02:00,3"]
    message = refusal(rows, AUTUMN, 2, 0.25, coarser="hold", every="20min")
    assert "no multiple of the steps of the case (15 min)" in message


def test_a_stray_row_is_found_where_the_step_is_named():
    """*Proves:* rows may not overlap.  *Sensitivity:* with the step named, a look-up would pass over 00:07."""
    rows = ["2024-10-27T00:00+02:00,1", "2024-10-27T00:07+02:00,9", "2024-10-27T01:00+02:00,2"]
    message = refusal(rows, AUTUMN, 2, every="1h")
    assert message.startswith("feed.csv:3: column interval_start: 7 min after the row before, but every says 1h")


def test_a_feed_that_changed_its_step_is_read_on_either_side():
    """Hours until 02:00, quarters after it, as on markets that went over to quarter-hours.

    *Proves:* with the length named each side is read, and rows of the other do no harm; across the change it is
    refused.  *Sensitivity:* judging the whole file refuses both.
    """
    hours = [f"2024-10-27T0{h}:00+02:00,{h}" for h in range(2)]
    quarters = [f"2024-10-27T02:{m:02}+02:00,{m}" for m in (0, 15, 30, 45)]
    assert read(hours + quarters, AUTUMN, 2, every="1h") == [0.0, 1.0]
    later = datetime(2024, 10, 27, 2, tzinfo=timezone(timedelta(hours=2)))
    assert read(hours + quarters, later, 1, every="15min") == [22.5]
    assert "15 min after the row before, but every says 1h" in refusal(hours + quarters, AUTUMN, 3, every="1h")


def test_a_row_off_the_grid_of_the_case_is_a_gap():
    """*Proves:* hours from half past do not fit hours from the full.  *Sensitivity:* rounding would shift by 30 min."""
    rows = ["2024-10-27T00:30+02:00,1", "2024-10-27T01:30+02:00,2", "2024-10-27T02:30+02:00,3"]
    assert "nothing for 2024-10-27T00:00:00+02:00" in refusal(rows, AUTUMN, 2)


@pytest.mark.parametrize("zone", ["+01:00", "UTC+1", "UTC+01:00", "+0100"])
def test_a_clock_without_summer_time_is_named_by_its_offset(zone):
    """*Proves:* every hour of such a clock is one hour, on both nights of the change, and its days are its own.

    *Sensitivity:* on Oslo's clock the first file lacks an hour, and the second has one that does not exist.
    """
    hours = ["00", "01", "02", "03", "04"]
    autumn, spring = (datetime(*day, 0, tzinfo=timezone(timedelta(hours=1))) for day in ((2024, 10, 27), (2024, 3, 31)))
    assert read(clock("2024-10-27", hours), autumn, 5, zone=zone) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert read(clock("2024-03-31", hours), spring, 5, zone=zone) == [0.0, 1.0, 2.0, 3.0, 4.0]
    days = ["2024-10-26,1", "2024-10-27,2"]
    assert read(days, autumn, 24, zone=zone, coarser="hold", every="day") == [2.0] * 24
    assert "zone: +01:00" in refusal(clock("2024-10-27", hours), autumn, 5, zone=OSLO)


@pytest.mark.parametrize("zone", ["UTC+15", "+14:30", "+01:60", "UTC1", "MEZ", "GMT+1", "+1:0"])
def test_what_is_no_offset_is_no_zone(zone):
    """*Proves:* what else could be meant by the name is not guessed.  *Sensitivity:* POSIX turns the sign of GMT+1."""
    with pytest.raises(ValueError, match=r"is not a time zone; write it as Europe/Oslo, or UTC, or \+01:00"):
        Series(file="f.csv", column="value", zone=zone)


def two_columns(rows: list[str], **spec) -> list[float]:
    raw = "\n".join(["Datum;Uhrzeit;MW", *rows, ""]).encode()
    layout = {"separator": ";", "date_order": "dmy"}
    more = {"time_column": "Datum", "time_of_day_column": "Uhrzeit", "column": "MW", "layout": layout, "zone": OSLO}
    series = Series.model_validate({"file": "feed.csv", **more, **spec})
    axis = TimeAxis(AUTUMN, 1.0, len(rows), OSLO)
    return read_series(read_table(raw, "feed.csv", "csv", series.layout), series, "available_mw", axis).values.tolist()


def test_date_and_time_of_day_in_two_columns():
    """*Proves:* both together are read by the grammar of one column, the double hour too, and in an excerpt.

    *Sensitivity:* the date alone is midnight, and every row would be a duplicate.
    """
    clocks = ["00:00", "01:00", "02:00", "02:00:00", "03:00"]
    assert two_columns([f"27.10.2024;{t};{i}" for i, t in enumerate(clocks)]) == [0.0, 1.0, 2.0, 3.0, 4.0]
    # A date of Excel has a midnight.
    rows = [f"2024-10-27T00:00:00;{t};{i}" for i, t in enumerate(["00:00", "01:00"])]
    assert two_columns(rows) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("27.10.2024;;1", "feed.csv:3: column Uhrzeit: '' is not a part of a time, and column Datum has the other"),
        (";01:00;1", "feed.csv:3: column Datum: '' is not a part of a time, and column Uhrzeit has the other"),
        ("27.10.2024;1;1", "feed.csv:3: column Datum: '27.10.2024 1' is not an ISO"),
        ("27.10.2024;24:00;1", "allowed are 00 to 23 (24:00 is 00:00 of the next day)"),
    ],
)
def test_half_a_time_is_refused(row, words):
    """*Proves:* the column that lacks it is named.  *Sensitivity:* a date without a clock would be midnight."""
    with pytest.raises(BadInput) as caught:
        two_columns(["27.10.2024;00:00;1", row])
    assert words in caught.value.messages[0]


@pytest.mark.parametrize(
    ("cells", "order", "words"),
    [
        (["15.01.2026 00:00", "16.01.2026 00:00"], "mdy", "'15.01.2026 00:00' is not a time with layout: {date_order"),
        (["15.01.2026 00:00", "16.01.2026 00:00"], "mdy", "every row can be read with layout: {date_order: dmy}"),
        (["1/15/2026 12:00 AM", "1/16/2026 12:00 AM"], None, "every row can be read with layout: {date_order: mdy}"),
        (["1/2/2026", "1/3/2026"], None, "{date_order: dmy} and with layout: {date_order: mdy}: say which one"),
        (["1/15/26", "1/16/26"], None, "a year has four digits"),
        (["2026-01-15T24:00", "2026-01-16T00:00"], None, "its hour is 24; allowed are 00 to 23 (24:00 is 00:00 of"),
        (["2026-01-15T02A:00", "2026-01-15T02B:00"], None, "'T02A:00' is not a clock time; accepted are hh:mm"),
        (["2026-02-30T00:00", ""], None, "its day is 30; allowed are 01 to 28"),
        (["# new day", ""], None, "a line of comment: layout: {comment: '#'}"),
    ],
)
def test_a_refused_time_quotes_the_file_and_names_the_order_that_reads_it(cells, order, words):
    """*Proves:* the text of the file, and what reads every row of it.

    *Sensitivity:* ``2026-15-01T00:00`` stands in no file; and dmy was advised for American dates.
    """
    layout = {"date_order": order} if order else {}
    series = Series.model_validate({"file": "f.csv", "column": "v", "unit": "MW", "zone": OSLO, "layout": layout})
    raw = "\n".join(["interval_start,v", *(f"{cell},1" for cell in cells), ""]).encode()
    with pytest.raises(BadInput) as caught:
        feed = read_table(raw, "f.csv", "csv", series.layout)
        read_series(feed, series, "available_mw", TimeAxis(SPRING, 1.0, 2, OSLO))
    assert words in caught.value.messages[0]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"time_column": ["Datum", "Uhrzeit"]}, "name it as time_of_day_column"),
        ({"zone": "Europe/Olso"}, "'Europe/Olso' is not a time zone"),
        ({"zone": "../../etc/passwd"}, "is not a time zone"),
        ({"every": "day"}, "name the zone"),
        ({"coarser": "hold"}, "needs every, the length of the source's intervals"),
        ({"stale_after_h": 3}, "needs issue_column"),
        ({"clock": "own"}, "format has to be epw or tmy3"),
        ({"format": "epw", "zone": "UTC"}, "has no meaning in a typical year"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(spec, words):
    """*Proves:* each is told when the case is read.  *Sensitivity:* a key without effect would pass unseen."""
    with pytest.raises(ValueError, match=words):
        Series(file="f.csv", column="value", **spec)
