"""Files of the NSRDB, true and typical years, with numbers of our own; instants and values as pvlib reads them."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from pvlib import iotools

from flexmine.errors import BadInput
from flexmine.inputs.adapters import convert, read
from flexmine.inputs.adapters.base import Settings

NAMES = "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone"
UNITS = "Dew Point Units,GHI Units,Temperature Units,Wind Speed Units,Version"
HEADER = "Year,Month,Day,Hour,Minute,Temperature,Alpha,GHI,Fill Flag,Wind Speed"
NONE = Settings()


def psm(rows, zone="-7", header=HEADER, units="c,w/m2,c,m/s,4.0.0"):
    head = [f"{NAMES},{UNITS}", f"NSRDB,149190,-,-,-,40.01,-105.26,{zone},1601,-7,{units}", header]
    return "\n".join([*head, *rows]) + "\n"


def times(begin, count, minutes):
    return [datetime.fromisoformat(begin) + timedelta(minutes=minutes * i) for i in range(count)]


def rows(stamps, first=0):
    """Temperature in tenths from -4.0 on, irradiance 3 W/m2 a row, every fourth row filled in by the publisher."""
    return [
        f"{t.year},{t.month},{t.day},{t.hour},{t.minute},{-4 + i / 10:g},1.2,{3 * i},{7 * (i % 4 == 3)},{i / 5:g}"
        for i, t in enumerate(stamps, first)
    ]


def converted(raw, settings=NONE):
    raw = raw.encode() if isinstance(raw, str) else raw
    return convert("nsrdb-psm", read("nsrdb-psm", raw, "raw.csv"), settings)


def cells(found):
    return found.rows.to_numpy().tolist()


def refusal(raw, settings=NONE):
    with pytest.raises(BadInput) as caught:
        converted(raw, settings)
    return caught.value.messages[0]


def test_a_true_year_by_the_hour():
    """*Proves:* 00:30 stands for the hour that it lies in, in the standard time of the lines on top; what was filled in
    by the publisher is counted.

    *Sensitivity:* left at half past, no hour of a case finds its row; the machine's clock or UTC moves the sun by 7 h.
    """
    found = converted(psm(rows(times("2023-03-12 00:30", 4, 60))))
    assert found.rows.columns.tolist() == ["interval_start", "temperature_c", "ghi_w_m2", "wind_speed_m_s"]
    assert cells(found) == [
        ["2023-03-12T00:00:00-07:00", "-4.00", "0.00", "0.00"],
        ["2023-03-12T01:00:00-07:00", "-3.90", "3.00", "0.20"],
        ["2023-03-12T02:00:00-07:00", "-3.80", "6.00", "0.40"],
        ["2023-03-12T03:00:00-07:00", "-3.70", "9.00", "0.60"],
    ]
    assert found.provenance[0] == "the year 2023"
    assert found.provenance[1] == "the clock of the file is UTC-07:00, as Time Zone on top of it says"
    assert found.provenance[2].startswith("intervals of 1 h, ") and "; 0 of them are absent" in found.provenance[2]
    assert found.provenance[3].startswith("1 of 4 rows have a Fill Flag")


@pytest.mark.parametrize(
    ("zone", "offset", "begin", "minutes", "expected"),
    [
        ("0", "+00:00", "2023-06-01 00:00", 60, ["00:00:00", "01:00:00"]),
        ("-7", "-07:00", "2023-06-01 00:00", 30, ["00:00:00", "00:30:00"]),
        ("5.5", "+05:30", "2020-06-01 00:30", 60, ["00:00:00", "01:00:00"]),
        ("-7", "-07:00", "2023-06-01 00:35", 5, ["00:35:00", "00:40:00"]),
        ("8", "+08:00", "2020-06-01 00:15", 30, ["00:00:00", "00:30:00"]),
    ],
)
def test_clocks_and_steps(zone, offset, begin, minutes, expected):
    """*Proves:* UTC and standard times with half hours; steps of 5, 30 and 60 minutes, at their beginning or middle.

    *Sensitivity:* an hour east of UTC read as one west is a night at noon.
    """
    found = converted(psm(rows(times(begin, 2, minutes)), zone))
    assert [time[11:] for time, *_ in cells(found)] == [f"{t}{offset}" for t in expected]


@pytest.mark.parametrize("zone", ["-7", "0"])
def test_instants_and_values_are_those_of_pvlib(zone):
    """*Proves:* two days as `pvlib.iotools.read_nsrdb_psm4` reads them, 30 min later as it leaves them in the middle.

    *Sensitivity:* a reader of our own that agrees with nobody.
    """
    raw = psm(rows(times("2023-12-30 00:30", 48, 60)), zone)
    frame, _ = iotools.read_nsrdb_psm4(io.StringIO(raw))
    found = converted(raw).rows
    begins = [datetime.fromisoformat(t) + timedelta(minutes=30) for t in found["interval_start"]]
    assert begins == frame.index.to_pydatetime().tolist()
    assert found["temperature_c"].astype(float).tolist() == pytest.approx(frame["temp_air"].tolist(), abs=0.005)
    assert found["ghi_w_m2"].astype(float).tolist() == frame["ghi"].tolist()


def test_a_typical_year_is_put_on_a_year():
    """January of 2003, February of 2012, a leap year, and March of 1998.

    *Proves:* put on 2026 each row follows the one before; on a leap year 29 February is absent and told.

    *Sensitivity:* with their own years the rows of March would come before those of January.
    """
    stamps = [
        *times("2003-01-30 00:30", 48, 60),
        *times("2012-02-01 00:30", 28 * 24, 60),
        *times("1998-03-01 00:30", 24, 60),
    ]
    raw = psm(rows(stamps))
    found = converted(raw, Settings(year=2026))
    assert cells(found)[48][:2] == ["2026-02-01T00:00:00-07:00", "0.80"]
    assert cells(found)[-24][0] == "2026-03-01T00:00:00-07:00"
    assert found.provenance[0] == "a typical year: months of 1998 to 2012, put on 2026"
    assert "; 0 of them are absent" in found.provenance[2]
    leap = converted(raw, Settings(year=2028))
    assert leap.provenance[0].endswith("put on 2028, which has a 29 February")
    assert "; 24 of them are absent" in leap.provenance[2]
    assert "months of 1998 to 2012: a typical year has no year of its own; give --year" in refusal(raw)


def test_several_true_years_stay_as_they_are():
    """*Proves:* New Year's Eve of 2019 and 2020 in one file; another year for it is refused, its own is not.

    *Sensitivity:* taken for typical, the second January would stand a second time.
    """
    raw = psm(rows(times("2019-12-31 22:30", 4, 60)))
    found = converted(raw)
    assert [row[0][:13] for row in cells(found)] == ["2019-12-31T22", "2019-12-31T23", "2020-01-01T00", "2020-01-01T01"]
    assert found.provenance[0] == "the years 2019 to 2020"
    assert "the file holds the true year 2019 to 2020; --year puts a typical year" in refusal(raw, Settings(year=2026))
    one = psm(rows(times("2020-02-28 23:30", 2, 60)))
    assert cells(converted(one, Settings(year=2020)))[1][0] == "2020-02-29T00:00:00-07:00"
    assert "the file holds the true year 2020; --year" in refusal(one, Settings(year=2026))


def test_as_people_pass_it_on():
    """*Proves:* a mark of UTF-8, CRLF, empty columns that Excel adds, semicolons and a city in another code.

    *Sensitivity:* an empty name twice, or the mark before `Source`, would be refused as no such file.
    """
    raw = psm(rows(times("2023-03-12 00:30", 3, 60)))
    expected = cells(converted(raw))
    excel = "\r\n".join(f"{line},,," for line in raw.splitlines())
    for other in (
        raw.replace("\n", "\r\n").encode("utf-8-sig"),
        excel,
        raw.replace(",", ";"),
        raw.replace(",-,-,-,", ",Curitibaná,-,-,").encode("latin-1"),
    ):
        assert cells(converted(other)) == expected
    some = psm(["2023,1,1,0,0,12", "2023,1,1,1,0,13"], header="Year,Month,Day,Hour,Minute,GHI")
    assert converted(some).rows.columns.tolist() == ["interval_start", "ghi_w_m2"]


GOOD = rows(times("2023-03-12 00:30", 3, 60))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (psm(["2023,1,1,0,30,cold,1,0,0,0"]), "raw.csv:4: column Temperature: 'cold' is not a number"),
        (psm([GOOD[0], "2023,3,12,24,30,1,1,1,0,1"]), "raw.csv:5: column Hour: '24'; allowed: whole numbers from 0 to"),
        (psm([GOOD[0], "2023,2,30,0,30,1,1,1,0,1"]), "raw.csv:5: '2023-02-30' is not a date"),
        (psm([GOOD[0], GOOD[0]]), "raw.csv:5: 2023-03-12T07:30:00+00:00 stands a second time"),
        (psm([GOOD[1], GOOD[0]]), "raw.csv:5: 2023-03-12T07:30:00+00:00 comes after a later one"),
        (
            psm([*GOOD, "2023,3,12,4,0,1,1,1,0,1"]),
            "raw.csv:7: column Minute: 4:00 does not fit the other rows, most of which are 1 h apart",
        ),
        (psm([*GOOD, "2023,3,12,2,37,1,1,1,0,1"]), "raw.csv:7: column Minute: 2:37 does not fit the other rows"),
        (psm([GOOD[0] + ",5"]), "raw.csv:4: has 11 cells, the header 10 names"),
        (psm(GOOD, "MST"), "raw.csv: Time Zone: 'MST' is not a standard time in hours east of UTC"),
        (psm(GOOD, "-70"), "raw.csv: Time Zone: '-70' is not a standard time"),
        (psm(GOOD, units="c,w/m2,f,m/s,4.0.0"), "raw.csv:2: Temperature Units: 'f'; this adapter reads c"),
        (psm(GOOD).replace("Time Zone", "Zone"), "raw.csv: there is no header Year,Month,Day,Hour,Minute below names"),
        ("\n".join([HEADER, *GOOD]), "raw.csv: there is no header Year,Month,Day,Hour,Minute below names and values"),
        ('{"errors": ["the API key is wrong"]}', "raw.csv: there is no header Year,Month,Day,Hour,Minute below"),
        ("", "raw.csv: there is no header"),
        (psm([]), "raw.csv: the file has no rows"),
        (psm(["2023,1,1,0,0,9"], header="Year,Month,Day,Hour,Minute,DNI"), "raw.csv:3: there is no column Temperature"),
    ],
)
def test_refusals(raw, words):
    """*Proves:* line, column and reason.  *Sensitivity:* pvlib's reader names neither, or raises what pandas raises."""
    assert words in refusal(raw)
