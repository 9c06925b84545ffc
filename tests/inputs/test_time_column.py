"""Whole columns of times are read exactly as one time after the other; each against a second, plain reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flexmine.inputs.time_column import _ROWS_AT_ONCE, read_times
from flexmine.moments import NoTime, read_day, read_moment, read_time

DATES = (
    *("2024-09-10", "2024-02-29", "2023-02-29", "1900-01-01", "2199-12-31", "1899-12-31", "2200-01-01", "0000-01-01"),
    *(
        "2024-13-01",
        "2024-00-10",
        "2024-09-00",
        "2024-09-31",
        "2024-9-1",
        "20240910",
        "2024-W37-2",
        "２０２４-09-10",
        "",
    ),
)
BETWEEN = ("T", " ", "t", "", "  ", "\t")
CLOCKS = (
    *("00:00", "23:59", "24:00", "12:60", "00:00:59", "00:00:60", "00:00:00.5", "12:34:56.123456", "00:00:00,5"),
    *("00:00:00.1234567", "00:00:00.123456789", "00:00:00.1234567890", "00:00:00.", "00", "0000", "0:00", "00:0", ""),
)
OFFSETS = (
    *("", "Z", "z", "+08", "+0800", "+08:00", "-03:30", "-00:00", "+8", "+080", " +08", "+08:0", "+25:00", "+08:60"),
    *(
        "+14:00",
        "+14:01",
        "-14",
        "-15",
        "UTC",
        "−03:00",
        "+０８:00",
        "+08:00:00",
        "\0",
        "Z\0",
        "\n",
        "+08\n",
        "Zé",
        " ",
    ),
)
TEXTS = st.one_of(
    st.tuples(*(st.sampled_from(part) for part in (DATES, BETWEEN, CLOCKS, OFFSETS))).map("".join),
    st.text(alphabet="0123456789-+:T Z.\0٠é", max_size=40),
    st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)).map(datetime.isoformat),
)


def one_by_one(text: str) -> tuple[int, bool] | None:
    """Return microseconds and whether there is no offset, by the reader of single times; None where it refuses."""
    try:
        time = read_time(text)
    except NoTime:
        return None
    since = time.replace(tzinfo=time.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1), time.tzinfo is None


def agree(texts: list[str]) -> None:
    single = [one_by_one(text) for text in texts]
    wrong = single.index(None) if None in single else None
    column = read_times(texts)
    assert column.first_wrong == wrong, texts[:wrong]
    upto = len(texts) if wrong is None else wrong
    assert list(zip(column.us[:upto].tolist(), column.naive[:upto].tolist(), strict=True)) == single[:upto]


def test_all_combinations_of_pieces_are_read_alike():
    """16 dates x 6 separators x 18 clock times x 27 offsets, a seventh each as a column of its own; all times together.

    *Proves:* column and single reader agree on which texts are times, and on their moments.
    *Sensitivity:* a range or an offset that only one of them looks at differs in many of the 50 000 texts.
    """
    texts = [d + b + c + o for d in DATES for b in BETWEEN for c in CLOCKS for o in OFFSETS]
    right = [text for text in texts if one_by_one(text) is not None]
    assert 500 < len(right) < 2000
    agree(right)
    for text in texts[::7]:
        agree([text])


@settings(max_examples=600, deadline=None)
@given(st.lists(TEXTS, max_size=6))
@example(["2024-09-10T00:00Z", "2024-09-31T00:00Z", "noon"])
@example(["2024-09-10T00:00Z", "noon", "2024-09-31T00:00Z"])
def test_columns_of_odd_texts_are_read_alike(texts):
    """*Proves:* also in mixed columns the first wrong row is the first that the single reader refuses.

    *Sensitivity:* shapes looked at in another order name a later row.
    """
    agree(texts)


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["auto", "minutes", "seconds", "microseconds"]),
)
def test_moments_are_those_of_the_standard_library(clock, offset_min, timespec):
    """What Python writes is read back: also every file that earlier versions wrote.

    *Proves:* days, microseconds and the sign of the offset.  *Sensitivity:* an offset added instead of subtracted.
    """
    sign, (hours, minutes) = "-" if offset_min < 0 else "+", divmod(abs(offset_min), 60)
    text = f"{clock.isoformat(timespec=timespec)}{sign}{hours:02}:{minutes:02}"
    assert read_moment(text) == datetime.fromisoformat(text)
    agree([text, text[:-6]])


def test_a_long_column_of_two_shapes_and_a_late_slip():
    """Rows beyond the first block: 65 536 and some, whole and half hours, and one bad offset.

    *Proves:* places count on over blocks.  *Sensitivity:* a place within its block is row 464.
    """
    begin = np.datetime64("2020-01-01T00:00")
    texts = [f"{begin + np.timedelta64(30 * i, 'm')}{'Z' if i % 2 else '+08:00'}" for i in range(_ROWS_AT_ONCE + 1000)]
    assert read_times(texts).first_wrong is None
    agree(texts[-1500:])
    texts[_ROWS_AT_ONCE + 464] = texts[_ROWS_AT_ONCE + 464].replace("+08:00", "+8")
    assert read_times(texts).first_wrong == _ROWS_AT_ONCE + 464
    assert read_times([]).us.shape == (0,)


@pytest.mark.parametrize("value", [None, 20240910, 2024.5, True, [], {}, b"2024-09-10T00:00Z"])
def test_what_is_no_text_is_no_time(value):
    """*Proves:* a null or number of JSON is refused, and not read as seconds.  *Sensitivity:* they raise TypeError."""
    for read in (read_time, read_moment, read_day):
        with pytest.raises(NoTime):
            read(value)
