"""Series onto the time axis: what is taken, what is averaged, what is refused and where."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Factor, Series
from flexmine.inputs.table import read_table
from flexmine.problem import TimeAxis

SITE = timezone(timedelta(hours=8))
AXIS = TimeAxis(datetime(2024, 9, 10, tzinfo=SITE), 1.0, 4, "Asia/Irkutsk")
UNITS = {"temperature_c": "C", "price_usd_per_mwh": "USD/MWh"}
HOURS = [f"2024-09-10T{h:02}:00:00+08:00" for h in range(6)]


def table(rows: list[tuple[str, str]], header: str = "interval_start,value") -> bytes:
    return "\n".join([header, *(",".join(row) for row in rows)]).encode() + b"\n"


def read(raw: bytes, quantity: str = "temperature_c", axis: TimeAxis = AXIS, **spec) -> list[float]:
    series = Series(file="feed.csv", **{"column": "value", "unit": UNITS[quantity], **spec})
    return read_series(read_table(raw, "feed.csv"), series, quantity, axis).values.tolist()


def refusal(raw: bytes, **options) -> str:
    with pytest.raises(BadInput) as caught:
        read(raw, **options)
    return caught.value.messages[0]


def good() -> list[tuple[str, str]]:
    return [(time, str(10 + h)) for h, time in enumerate(HOURS)]


def with_value(hour: int, value: str) -> bytes:
    rows = good()
    rows[hour] = (rows[hour][0], value)
    return table(rows)


def test_rows_are_found_by_time_and_multiplied_by_their_factors():
    """The horizon begins at hour 0 of the site, in a file that begins two hours before, written in UTC.

    *Proves:* 16:00 UTC is midnight at the site: 3 x 0.5 x 4 = 6 is the first value.
    *Sensitivity:* taking the first rows, or reading UTC as site time, gives other numbers.
    """
    start = datetime(2024, 9, 9, 14)
    rows = [(f"{start + timedelta(hours=h):%Y-%m-%dT%H:%M:%S}Z", str(h + 1)) for h in range(8)]
    factors = (Factor(name="half", value=0.5), Factor(name="four", value=4.0))
    assert read(table(rows), factors=factors) == [6.0, 8.0, 10.0, 12.0]


def test_a_finer_source_is_averaged():
    """Four quarter-hours with 1, 2, 3, 6 make an hour of 3.

    *Proves:* the mean over the interval is taken.  *Sensitivity:* the first or last quarter would give 1 or 6.
    """
    start = datetime(2024, 9, 10, tzinfo=SITE)
    rows = [((start + timedelta(minutes=15 * i)).isoformat(), str([1, 2, 3, 6][i % 4])) for i in range(16)]
    assert read(table(rows)) == [3.0, 3.0, 3.0, 3.0]


def test_a_day_of_23_hours_is_read_in_elapsed_time():
    """Berlin, 31 March 2024: after 01:00+01:00 comes 03:00+02:00, one hour later.

    *Proves:* no gap is seen where the clock jumps.  *Sensitivity:* counting by the clock finds 02:00 missing.
    """
    axis = TimeAxis(datetime(2024, 3, 31, tzinfo=timezone(timedelta(hours=1))), 1.0, 4, "Europe/Berlin")
    times = ["2024-03-31T00:00+01:00", "2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"]
    assert read(table([(t, str(i)) for i, t in enumerate(times)]), axis=axis) == [0.0, 1.0, 2.0, 3.0]


def test_the_double_hour_of_autumn_is_no_duplicate():
    """Berlin, 27 October 2024: 02:00 comes twice, first +02:00, then +01:00.

    *Proves:* offsets tell both apart.  *Sensitivity:* without offsets the second 02:00 is a duplicate.
    """
    axis = TimeAxis(datetime(2024, 10, 27, 1, tzinfo=timezone(timedelta(hours=2))), 1.0, 4, "Europe/Berlin")
    times = ["2024-10-27T01:00+02:00", "2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00", "2024-10-27T03:00+01:00"]
    assert read(table([(t, str(i)) for i, t in enumerate(times)]), axis=axis) == [0.0, 1.0, 2.0, 3.0]


def _moved(days: int = 0, minutes: int = 0) -> list[tuple[str, str]]:
    return [((datetime.fromisoformat(t) + timedelta(days, minutes=minutes)).isoformat(), v) for t, v in good()]


def _quarters_after_two_hours() -> list[tuple[str, str]]:
    later = [(f"2024-09-10T{2 + i // 4:02}:{15 * (i % 4):02}:00+08:00", "1") for i in range(8)]
    return [*good()[:2], *later]


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        (_moved(days=-366), "the file has nothing for these days: are start and the years of the file right?"),
        (
            _moved(minutes=-30),
            "its rows begin 30 min after the steps of the case, as at 2024-09-09T23:30:00+08:00; give the case such a "
            "start",
        ),
        (
            _quarters_after_two_hours(),
            "its rows are 1 h apart, and from 2024-09-10T02:00:00+08:00 on 15 min; bring them to one length",
        ),
        ([good()[0], *good()[2:]], "every step needs a value, or the case a policy (fill)"),
    ],
    ids=["another year", "half past", "hours, then quarters", "a hole"],
)
def test_why_a_file_has_nothing_for_the_horizon(rows, cause):
    """*Proves:* another year, rows beside the steps, and a change of their distance are called what they are.

    *Sensitivity:* a hole is a hole, and the only one that a policy of filling would help.
    """
    assert refusal(table(rows)).endswith(f"; {cause}")


def test_a_comment_in_the_place_of_the_header_is_told():
    """*Proves:* the key that leaves it out is named.  *Sensitivity:* as a header it has too few names."""
    assert "line 1 is a comment: layout: {comment: '#'}" in refusal(b"# prices\n" + table(good()))


def test_rubbish_outside_the_horizon_does_no_harm():
    """*Proves:* only values of the horizon are judged.  *Sensitivity:* a check of the whole column would refuse."""
    assert read(with_value(5, "n/e")) == [10.0, 11.0, 12.0, 13.0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("n/e", "'n/e' is not a finite number"),
        ("inf", "'inf' is not a finite number"),
        ("nan", "'nan' is not a finite number"),
        ("1,5".replace(",", ";"), "'1;5' is not a finite number"),
        ("-9999", "'-9999' is the mark of a missing value in many feeds, and not declared here"),
        ("285.2", "'285.2' is out of range"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_line_and_time(value, words):
    """Hour 2 stands in line 4.

    *Proves:* file, line, column, time, value, count and what is allowed stand in the message.
    *Sensitivity:* a reader that drops or fills would return four numbers.
    """
    message = refusal(with_value(2, value))
    assert message.startswith(f"feed.csv:4: column value, 2024-09-10T02:00:00+08:00: {words}")
    assert "(1 of 4 values of the horizon); allowed: numbers from -70 to 60 for temperature_c" in message


def test_a_missing_mark_is_found_after_its_factor():
    """Tenths of a degree: -9999 x 0.1 = -999.9.

    *Proves:* the band is that of the product, and the mark is recognised before the factor.
    *Sensitivity:* judging the raw value would refuse 139 tenths as 139 C.
    """
    rows = [(time, "139") for time in HOURS]
    tenth = (Factor(name="c_per_tenth", value=0.1),)
    assert read(table(rows), factors=tenth) == pytest.approx([13.9] * 4)
    rows[1] = (rows[1][0], "-9999")
    assert "'-9999' x 0.1 = -999.9 is the mark of a missing value" in refusal(table(rows), factors=tenth)


def test_a_price_per_kwh_is_let_through_only_by_its_band():
    """*Proves:* 45,000 USD/MWh is refused as a price.  *Sensitivity:* without bands it would be planned with."""
    message = refusal(with_value(0, "45000"), quantity="price_usd_per_mwh")
    assert "numbers from -1000 to 5000 for price_usd_per_mwh" in message


def test_naive_times_are_refused():
    """*Proves:* line and number of naive rows are told.  *Sensitivity:* taking them as UTC shifts by 8 hours."""
    rows = good()
    rows[3] = ("2024-09-10T03:00:00", "13")
    message = refusal(table(rows))
    assert message.startswith(
        "feed.csv:5: column interval_start: '2024-09-10T03:00:00' has no UTC offset (1 such rows)"
    )


def test_text_that_is_no_time_is_refused():
    """*Proves:* 25 o'clock is not a time.  *Sensitivity:* coercing it would look like a gap."""
    rows = good()
    rows[3] = ("2024-09-10T25:00:00+08:00", "13")
    assert refusal(table(rows)).startswith(
        "feed.csv:5: column interval_start: '2024-09-10T25:00:00+08:00' is not an ISO"
    )


def test_a_duplicate_and_a_row_out_of_order_are_refused():
    """*Proves:* both name the second row.  *Sensitivity:* sorting or keeping the last would hide them."""
    twice = good()[:3] + good()[2:]
    assert refusal(table(twice)).startswith(
        "feed.csv:5: column interval_start: 2024-09-10T02:00:00+08:00 stands a second"
    )
    back = [good()[0], good()[2], good()[1], *good()[3:]]
    assert "feed.csv:4: column interval_start: 2024-09-10T01:00:00+08:00 comes after" in refusal(table(back))


def test_a_gap_names_its_first_hour_and_its_length():
    """Hours 1 and 2 are absent.

    *Proves:* first hour, length, count and the row before the gap are named.
    *Sensitivity:* interpolation would return four numbers.
    """
    message = refusal(table([good()[0], *good()[3:]]))
    assert message.startswith("feed.csv:2: column value: nothing for 2024-09-10T01:00:00+08:00, a gap of 2 h (2 of 4")


@pytest.mark.parametrize(("first", "last", "hour", "length"), [(0, 3, 3, 1), (2, 6, 0, 2), (0, 2, 2, 2)])
def test_a_file_too_short_says_what_it_covers(first, last, hour, length):
    """*Proves:* known and wanted range stand in one message.  *Sensitivity:* holding the last value would pass."""
    message = refusal(table(good()[first:last]))
    assert f"nothing for {HOURS[hour]}, a gap of {length} h" in message
    end = f"2024-09-10T{last:02}:00:00+08:00"
    assert f"the file covers {HOURS[first]} to {end}" in message


def test_an_empty_file_and_one_row_are_refused_as_gaps():
    """*Proves:* no crash on files without rows.  *Sensitivity:* indexing the first row would raise IndexError."""
    assert "the file has no rows" in refusal(table([]))
    assert "a gap of 3 h (3 of 4" in refusal(table(good()[:1]))


def test_a_coarser_source_is_refused():
    """*Proves:* two-hourly rows are not held over two hours.  *Sensitivity:* a silent hold would return numbers."""
    assert "one row every 2 h, coarser than the steps of the case (1 h)" in refusal(table(good()[::2]))


def test_a_stray_row_between_the_steps_is_refused():
    """*Proves:* 00:07 is named by line.  *Sensitivity:* searching by nearest time would use or skip it."""
    rows = [good()[0], ("2024-09-10T00:07:00+08:00", "1"), *good()[1:]]
    assert refusal(table(rows)).startswith("feed.csv:3: column interval_start: 7 min after the row before")


def test_a_wrong_column_lists_the_right_ones():
    """*Proves:* the header is quoted.  *Sensitivity:* a bare KeyError is an internal error."""
    assert refusal(table(good()), column="price") == (
        "feed.csv:1: there is no column price; columns: interval_start, value"
    )


@pytest.mark.parametrize(
    ("raw", "begins"),
    [
        (b"", "feed.csv: the file is empty (0 bytes)"),
        (table(good(), "interval_start,value,value"), "feed.csv:1: column value stands twice"),
        (table([(*row, "9") for row in good()]), "feed.csv:2: the rows have more cells"),
        (b"interval_start,value\n\xff,1\n", "feed.csv:2: byte 22 is not UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused(raw, begins):
    """*Proves:* broken files end as bad input.  *Sensitivity:* pandas would rename, shift or raise its own error."""
    assert refusal(raw).startswith(begins)
