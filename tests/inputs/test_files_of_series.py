"""Parquet and typical years: the same reading whatever the file, and 29 February told."""

from __future__ import annotations

import importlib.util
import io
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from flexmine.errors import BadInput
from flexmine.inputs import table as table_module
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.inputs.typical_year import read_typical_year
from flexmine.problem import TimeAxis

BRATSK = timezone(timedelta(hours=8))
AXIS = TimeAxis(datetime(2024, 9, 10, tzinfo=BRATSK), 1.0, 3, "Asia/Irkutsk")


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def test_parquet_is_read_like_csv():
    """*Proves:* aware times, floats and missing values by the same rules; a place is a row.

    *Sensitivity:* a null read as the text "nan" is not a missing value, and could not be filled.
    """
    times = pd.date_range("2024-09-09T16:00Z", periods=3, freq="h")
    frame = pd.DataFrame({"interval_start": times, "surplus_mw": [1.25, 2.5, 3.0]})
    spec = Series(file="f.parquet", column="surplus_mw")
    assert spec.kind == "parquet"
    feed = read_table(parquet(frame), "f.parquet", spec.kind)
    assert read_series(feed, spec, "available_mw", AXIS).values.tolist() == [1.25, 2.5, 3.0]
    frame.loc[1, "surplus_mw"] = None
    with pytest.raises(BadInput, match=r"^f\.parquet: row 2: column surplus_mw: '', which is not a value"):
        read_series(read_table(parquet(frame), "f.parquet", "parquet"), spec, "available_mw", AXIS)
    naive = frame.assign(interval_start=times.tz_localize(None))
    with pytest.raises(BadInput, match=r"^f\.parquet: row 1: .* has no UTC offset"):
        read_series(read_table(parquet(naive), "f.parquet", "parquet"), spec, "available_mw", AXIS)


def test_what_is_no_parquet_is_refused():
    """*Proves:* a CSV file with the wrong suffix.  *Sensitivity:* pyarrow's own error is an internal one."""
    with pytest.raises(BadInput, match=r"^f\.parquet: this is not a Parquet table"):
        read_table(b"interval_start,value\n", "f.parquet", "parquet")


def test_without_pyarrow_the_extra_is_named(monkeypatch):
    """*Proves:* what to install.  *Sensitivity:* an ImportError is an internal error."""
    monkeypatch.setattr(table_module, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"install flexmine\[parquet\], or write the file as CSV"):
        read_table(b"x", "f.parquet", "parquet")
    assert importlib.util.find_spec("pyarrow") is not None


def common_year() -> list[datetime]:
    return [datetime(2001, 1, 1) + timedelta(hours=h) for h in range(8760)]


def temperature(time: datetime) -> float:
    """Month and day in whole degrees and tenths, hour in hundredths: 9.10 on 10 September at 00, 9.33 at 23."""
    return round(time.month + time.day / 100 + time.hour / 10_000, 4)


def epw(offset_h: float = 8.0, edit=lambda time, value: value) -> bytes:
    """An EPW file with only the numbers that are read: hours 1 to 24 name the end; months of 1991 and 2004."""
    head = f"LOCATION,Somewhere,-,RUS,TMY3,302300,56.3,101.7,{offset_h},500.0"
    lines = [head, *["-"] * 7]
    for t in common_year():
        year = 1991 if t.month < 7 else 2004
        cells = [year, t.month, t.day, t.hour + 1, 0, "?", edit(t, temperature(t)), *[0] * 28]
        lines.append(",".join(map(str, cells)))
    return ("\n".join(lines) + "\n").encode()


def tmy3(offset_h: float = 8.0) -> bytes:
    lines = [
        f'302300,"SOMEWHERE",RU,{offset_h},56.3,101.7,500',
        "Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),Dry-bulb (C)",
    ]
    for t in common_year():
        year = 2004 if t.month == 2 else 1991  # a February of a leap year, which has no 29th in the file
        lines.append(f"{t:%m/%d}/{year},{t.hour + 1:02}:00,{t.hour},{temperature(t)}")
    return ("\n".join(lines) + "\n").encode()


def read(raw: bytes, kind: str, start: datetime, steps: int = 3, zone: str = "Asia/Irkutsk", **spec):
    series = Series(file=f"f.{kind}", format=kind, column="temp_air", **spec)
    year = read_typical_year(raw, f"f.{kind}", kind)
    return read_series(year, series, "temperature_c", TimeAxis(start, 1.0, steps, zone))


@pytest.mark.parametrize(("kind", "raw"), [("epw", epw()), ("tmy3", tmy3())])
def test_a_typical_year_is_found_by_calendar(kind, raw):
    """10 September 23:00 to 11 September 01:00, whichever year the month was taken from.

    *Proves:* hours that name their end are moved to their beginning, once.  *Sensitivity:* an hour's shift, or the
    file's own years, give other values or none.
    """
    found = read(raw, kind, datetime(2024, 9, 10, 23, tzinfo=BRATSK))
    assert found.values == pytest.approx([9.1023, 9.11, 9.1101])
    assert found.feed.note.lower().startswith("typical year of somewhere (months of 1991 to 2004)")
    assert found.filled == ()


def test_the_turn_of_the_year():
    """*Proves:* 31 December 23:00 is followed by 1 January 00:00.  *Sensitivity:* a file read as one year ends."""
    found = read(epw(), "epw", datetime(2024, 12, 31, 23, tzinfo=BRATSK))
    assert found.values == pytest.approx([12.3123, 1.01, 1.0101])


@pytest.mark.parametrize(("kind", "raw"), [("epw", epw()), ("tmy3", tmy3())])
def test_29_february_is_never_silent(kind, raw):
    """*Proves:* refused, unless the case says what stands in; then the 28th, and listed as filled.

    *Sensitivity:* coercing the year drops the day or moves March by one.
    """
    start = datetime(2024, 2, 28, 23, tzinfo=BRATSK)
    with pytest.raises(BadInput, match="the horizon has a 29 February, a typical year has none; say what stands in"):
        read(raw, kind, start)
    found = read(raw, kind, start, 26, leap_day="repeat_28_february")
    assert found.values[:3] == pytest.approx([2.2823, 2.28, 2.2801])
    assert found.values[-2:] == pytest.approx([2.2823, 3.01])
    assert [(f.policy, f.first_step, f.steps) for f in found.filled] == [("repeat_28_february", 1, 24)]


def test_another_longitude_is_refused_until_the_clock_is_named():
    """A file of UTC-9 for a site of UTC+8: noon there is 05:00 of the next day at the site.

    *Proves:* `own` keeps the instant, `site` the hour of the clock.  *Sensitivity:* one of both taken silently puts
    the night's cold into the day, or the day's sun into the night.
    """
    start = datetime(2024, 9, 10, 5, tzinfo=BRATSK)
    with pytest.raises(BadInput, match=r"standard time is UTC-0900, the site's UTC\+0800; say clock: own"):
        read(epw(-9.0), "epw", start)
    assert read(epw(-9.0), "epw", start, clock="own").values[0] == pytest.approx(9.0912)
    assert read(epw(-9.0), "epw", start, clock="site").values[0] == pytest.approx(9.1005)


def test_summer_time_of_the_site_is_not_that_of_the_file():
    """Oslo in July: 12:00 CEST is 11:00 of a file in UTC+1.  *Proves:* standard time.  *Sensitivity:* an hour off."""
    start = datetime(2024, 7, 10, 12, tzinfo=timezone(timedelta(hours=2)))
    assert read(epw(1.0), "epw", start, zone="Europe/Oslo").values[0] == pytest.approx(7.1011)


def test_the_formats_mark_of_a_missing_value_is_a_gap():
    """EPW writes 99.9 for a missing temperature.  *Proves:* line and gap.  *Sensitivity:* 99.9 is out of range."""
    noon = datetime(2001, 9, 10, 12)
    raw = epw(edit=lambda time, value: 99.9 if time == noon else value)
    with pytest.raises(BadInput) as caught:
        read(raw, "epw", datetime(2024, 9, 10, 11, tzinfo=BRATSK))
    line = 8 + 1 + int((noon - datetime(2001, 1, 1)).total_seconds()) // 3600
    assert caught.value.messages[0].startswith(f"f.epw:{line}: column temp_air: '', which is not a value,")


@pytest.mark.parametrize("raw", [b"", b"LOCATION,a\n", b"\xff\xfe", epw()[:50_000], b"date,value\n2024-01-01,3\n" * 20])
@pytest.mark.parametrize("kind", ["epw", "tmy3"])
def test_what_is_no_typical_year_is_refused(raw, kind):
    """*Proves:* bad input, never a traceback.  *Sensitivity:* pvlib raises whatever it meets first."""
    with pytest.raises(BadInput, match=rf"^f\.{kind}: "):
        read_typical_year(raw, f"f.{kind}", kind)


@pytest.mark.parametrize(("kind", "raw"), [("epw", epw()), ("tmy3", tmy3())])
def test_a_typical_year_in_every_code(kind, raw):
    """*Proves:* marks of UTF-8 and UTF-16, ends of lines of Windows and of old Macs, a place in Latin-1, give one year.

    *Sensitivity:* held to UTF-8, a file of Montréal is refused with a byte of its name, and nothing is told.
    """
    start = datetime(2024, 9, 10, 23, tzinfo=BRATSK)
    expected = read(raw, kind, start).values.tolist()
    text = raw.decode()
    named = text.replace("Somewhere", "Montréal").replace("SOMEWHERE", "Montréal")
    for other in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r").encode(),
        named.encode(),
        named.encode("latin-1"),
        named.replace("\n", "\r\n").encode("cp1252"),
    ):
        assert read(other, kind, start).values.tolist() == expected
    assert "typical year of Montréal (" in read(named.encode("latin-1"), kind, start).feed.note


def test_typical_years_by_their_suffix():
    """*Proves:* `.EPW` and `.TMY3` in capitals; `.CSV` by its format.  *Sensitivity:* `.TMY3` read as CSV."""
    assert Series(file="A.EPW", column="temp_air", unit="C").kind == "epw"
    assert Series(file="A.TMY3", column="temp_air", unit="C").kind == "tmy3"
    assert Series(file="723170TYA.CSV", format="tmy3", column="temp_air", unit="C").typical_year
    assert Series(file="723170TYA.CSV", column="temp_air", unit="C").kind == "csv"


NSRDB = "Source,Location ID,City,Time Zone\nNSRDB,1,-,-7\nYear,Month,Day,Hour,Minute,GHI\n2024,1,1,0,30,0\n"
DESIGNED = epw().decode().replace("\n-\n", "\nDESIGN CONDITIONS,0\n", 1)


@pytest.mark.parametrize(
    ("text", "words", "of"),
    [
        (DESIGNED, ":1: this is an EPW file; say so: format: epw", "epw"),
        (tmy3().decode(), ":1: this is a TMY3 file; say so: format: tmy3", "tmy3"),
        (NSRDB, ":1: this is a file of the NSRDB; make a series of it: flexmine convert nsrdb-psm", None),
        ("PK\x03\x04", ": this is a ZIP archive or an Excel file", None),
        ("\x1f\x8b\x08", ": this is packed by gzip", None),
    ],
)
def test_a_weather_file_read_as_something_else(text, words, of):
    """*Proves:* whatever it is read as, the refusal says what it is.

    *Sensitivity:* as CSV the rows "have more cells than the header"; as the other format it is "'altitude'".
    """
    raw = text.encode("latin-1")
    for kind in ("csv", "epw", "tmy3"):
        if kind == of:
            read_typical_year(raw, f"f.{kind}", kind)
            continue
        with pytest.raises(BadInput) as caught:
            read_table(raw, "f.csv") if kind == "csv" else read_typical_year(raw, f"f.{kind}", kind)
        assert caught.value.messages[0].startswith(f"f.{kind}{words}")


def test_a_column_that_pvlib_does_not_know():
    """*Proves:* the known ones are listed.  *Sensitivity:* a KeyError is an internal error."""
    series = Series(file="f.epw", column="dry_bulb", unit="C")
    with pytest.raises(BadInput, match="there is no column dry_bulb; columns: year, month"):
        read_series(read_typical_year(epw(), "f.epw", "epw"), series, "temperature_c", AXIS)


def test_a_typical_year_in_utc_quarters():
    """*Proves:* hours on a 15-minute case only by `coarser: hold`.  *Sensitivity:* held silently, an hour is flat."""
    series = Series(file="f.epw", column="temp_air")
    quarters = TimeAxis(datetime(2024, 9, 10, tzinfo=UTC), 0.25, 5, "Asia/Irkutsk")
    with pytest.raises(BadInput, match="coarser than the steps of the case"):
        read_series(read_typical_year(epw(), "f.epw", "epw"), series, "temperature_c", quarters)
    held = series.model_copy(update={"coarser": "hold"})
    found = read_series(read_typical_year(epw(), "f.epw", "epw"), held, "temperature_c", quarters)
    assert found.values == pytest.approx([9.1008] * 4 + [9.1009])
