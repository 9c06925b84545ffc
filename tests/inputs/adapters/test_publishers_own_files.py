"""Files as publishers write them, with numbers of our own: each gives what its re-headed twin gives."""

from __future__ import annotations

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.adapters import convert, read
from flexmine.inputs.adapters.base import Settings

COIN = """\
time,AdrActCnt,BlkCnt,DiffMean,FeeTotNtv,PriceUSD,ROI30d
2024-03-01,1.0,144.0,79301000000000.000,36.0,60000.5,
2024-03-02,2.0,100.0,79302000000000.000,25.0,61000.25,0.1
2024-03-03,,,,,,
"""
BALANCE = """\
"Balancing Authority","Hour","UTC Time at End of Hour","Demand (MW)","Net Generation (MW)","Total Interchange (MW)"
"BPAT","1","01/01/2024 9:00:00 AM","6,101","9,412","3,311"
"BPAT","4","01/01/2024 12:00:00 PM","5,950","9,300","3,350"
"CISO","1","01/01/2024 9:00:00 AM","20,000","18,000","-2,000"
"""
API = """\
period,respondent,respondent-name,type,type-name,value,value-units
2024-01-01T12,BPAT,Bonneville,NG,Net generation,9300,megawatthours
2024-01-01T12,BPAT,Bonneville,D,Demand,5950,megawatthours
2024-01-01T12,BPAT,Bonneville,TI,Total interchange,3350,megawatthours
2024-01-01T09,BPAT,Bonneville,D,Demand,6101,megawatthours
2024-01-01T09,BPAT,Bonneville,NG,Net generation,9412,megawatthours
2024-01-01T09,BPAT,Bonneville,TI,Total interchange,3311,megawatthours
2024-01-01T09,BPAT,Bonneville,DF,Day-ahead demand forecast,6000,megawatthours
"""
ISD = """\
2018 02 23 22  -228 -9999 10132   310     0     0 -9999 -9999
2018 02 23 23 -9999  -272 10133   310    15     0 -9999 -9999
"""
GHCN = """\
RSM00030710,19951101,TMAX,100,,,r,
RSM00030710,19951101,TMIN,0,,,r,
RSM00030710,19951101,PRCP,5,,,r,
RSM00030710,19951102,TMAX,87,,D,r,
RSM00030710,19951102,TMIN,-20,,,r,
RSM00030710,19951103,TMIN,-40,,,r,
"""
GHCN_TWIN = """\
date,tmax_c_x10,tmax_c_x10_mqs,tmin_c_x10,tmin_c_x10_mqs
1995-11-01,100,..r,0,..r
1995-11-02,87,.Dr,-20,..r
1995-11-03,,,-40,..r
"""
PVGIS = """\
Latitude (decimal degrees): 56.150
Elevation (m): 420.0
month,year
1,2018
2,2005
time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP
20180131:2311,-22.10,80,0.0,0,0,200,1.50,300,99000
20050201:0011,-21.05,80,12.5,0,0,200,2.00,300,99000

T2m: 2-m air temperature (degree Celsius)
PVGIS (c) European Union, 2001-2026
"""
NONE = Settings()


def converted(name, text, settings=NONE):
    return convert(name, read(name, text.encode(), "raw.csv"), settings)


def cells(found):
    return found.rows.to_numpy().tolist()


def refusal(name, text, settings=NONE):
    with pytest.raises(BadInput) as caught:
        converted(name, text, settings)
    return caught.value.messages[0]


def test_coin_metrics():
    """*Proves:* own names; fees a block by hand, 36/144 and 25/100; what is empty stays empty.

    *Sensitivity:* fees taken for fees a block are 144 times too high.
    """
    expected = [
        ["2024-03-01T00:00:00+00:00", "60000.5", "79301000000000.000", "0.25000000"],
        ["2024-03-02T00:00:00+00:00", "61000.25", "79302000000000.000", "0.25000000"],
        ["2024-03-03T00:00:00+00:00", "", "", ""],
    ]
    assert cells(converted("coin-metrics", COIN)) == expected
    api = COIN.replace("-01,", "-01T00:00:00.000000000Z,").replace("-02,", "-02T00:00:00Z,")
    assert cells(converted("coin-metrics", api)) == expected
    assert "is not a date" in refusal("coin-metrics", COIN.replace("2024-03-02,", "2024-03-02T05:00:00Z,"))


def test_eia930_in_both_shapes():
    """*Proves:* groups of digits, AM and PM, the end of the hour, and the API's long table give one table.

    *Sensitivity:* 12 PM read as midnight moves a value by half a day; types not asked for would be columns.
    """
    expected = [
        ["2024-01-01T08:00:00+00:00", "6101", "9412", "3311"],
        ["2024-01-01T11:00:00+00:00", "5950", "9300", "3350"],
    ]
    assert cells(converted("eia930", BALANCE, Settings(only="BPAT"))) == expected
    assert cells(converted("eia930", API)) == expected
    several = refusal("eia930", BALANCE)
    assert several == ("raw.csv: column Balancing Authority holds 'BPAT', 'CISO': one of them has to be named (--only)")
    assert "'XXXX' is none of them" in refusal("eia930", BALANCE, Settings(only="XXXX"))
    nameless = BALANCE.replace("Balancing Authority", "Utility")
    assert "there is no column Balancing Authority" in refusal("eia930", nameless, Settings(only="BPAT"))
    assert "D of 2024-01-01T09 stands a second time" in refusal("eia930", API + API.split("\n")[4] + "\n")


def test_isd_lite_without_header():
    """*Proves:* NOAA's own file, columns of blanks.  *Sensitivity:* read as CSV its first row is the header."""
    assert cells(converted("isd-lite", ISD)) == [
        ["2018-02-23T22:00:00+00:00", "-22.8", "", "0.0"],
        ["2018-02-23T23:00:00+00:00", "", "-27.2", "1.5"],
    ]
    assert refusal("isd-lite", ISD + "2018 02 24 00 -5\n").startswith("raw.csv:3: has 5 cells; expected 9")


def test_ghcn_by_station():
    """*Proves:* a line for each element is the table with a line for each day, flags and absent maxima included.

    *Sensitivity:* the flag of quality in another place would let the failed maximum of the second day pass.
    """
    east = Settings(utc_offset_h=8.0)
    own, twin = converted("ghcn-daily", GHCN, east), converted("ghcn-daily", GHCN_TWIN, east)
    assert cells(own) == cells(twin) and own.provenance == twin.provenance
    assert "holds several stations" in refusal("ghcn-daily", GHCN + "X,19951104,TMIN,1,,,r,\n", east)


def entsoe(pairs, *, sequences=("Sequence 1",), head='"Day-ahead Price (EUR/MWh)"'):
    rows = [f'"MTU (CET/CEST)","Area","Sequence",{head},"Intraday Price (EUR/MWh)"']
    for begin, end in pairs:
        for number, name in enumerate(sequences):
            rows.append(f'"{begin} - {end}","BZN|DE-LU","{name}","{100 * number + len(rows)}",""')
    return "\n".join(rows) + "\n"


SPRING = [
    ("30/03/2025 01:30:00", "30/03/2025 01:45:00"),
    ("30/03/2025 01:45:00", "30/03/2025 03:00:00"),
    ("30/03/2025 03:00:00", "30/03/2025 03:15:00"),
]
AUTUMN = [
    ("26/10/2025 02:30:00", "26/10/2025 02:45:00"),
    ("26/10/2025 02:45:00", "26/10/2025 02:00:00"),
    ("26/10/2025 02:00:00", "26/10/2025 02:15:00"),
]


def test_entsoe_of_2025():
    """*Proves:* slashes, seconds, sequences; ends by the new clock where it is changed; with the clock's name behind.

    *Sensitivity:* two sequences together would stand twice at each time.
    """
    both = entsoe(SPRING, sequences=("Sequence 1", "Sequence 2"))
    assert "holds 'Sequence 1', 'Sequence 2': one of them has to be named" in refusal("entsoe-prices", both)
    found = cells(converted("entsoe-prices", both, Settings(only="Sequence 2")))
    assert found == [
        ["2025-03-30T01:30:00+01:00", "102"],
        ["2025-03-30T01:45:00+01:00", "104"],
        ["2025-03-30T03:00:00+02:00", "106"],
    ]
    named = entsoe([(f"{a} (CET)", f"{b} (CEST)") for a, b in SPRING])
    assert [row[0] for row in cells(converted("entsoe-prices", named))] == [row[0] for row in found]
    whole = [(f"26/10/2025 02:{m:02d}:00", f"26/10/2025 02:{m + 15:02d}:00") for m in (0, 15)]
    again = [(f"26/10/2025 02:{m:02d}:00", f"26/10/2025 02:{m + 15:02d}:00") for m in (15, 30)]
    rows = [*whole, *AUTUMN, *again, ("26/10/2025 02:45:00", "26/10/2025 03:00:00")]
    begins = [row[0] for row in cells(converted("entsoe-prices", entsoe(rows)))]
    assert begins[3:5] == ["2025-10-26T02:45:00+02:00", "2025-10-26T02:00:00+01:00"]
    formula = entsoe(SPRING).replace('"2"', '"=1+1"')
    assert "column Day-ahead Price (EUR/MWh): '=1+1' is not a number" in refusal("entsoe-prices", formula)
    other_day = [(a.replace("30/03", "31/03"), b.replace("30/03", "31/03")) for a, b in SPRING]
    assert "is not an interval as long as the others" in refusal("entsoe-prices", entsoe(other_day))


def test_entsoe_of_the_autumn_in_which_hours_became_quarters():
    """*Proves:* one export of 30 September and 1 October 2025, hours and then quarters, is read and told as both.

    *Sensitivity:* held to one length a year's file would be refused at the first quarter.
    """
    pairs = [
        ("30/09/2025 22:00:00", "30/09/2025 23:00:00"),
        ("30/09/2025 23:00:00", "01/10/2025 00:00:00"),
        ("01/10/2025 00:00:00", "01/10/2025 00:15:00"),
        ("01/10/2025 00:15:00", "01/10/2025 00:30:00"),
    ]
    found = converted("entsoe-prices", entsoe(pairs))
    assert [row[0][8:16] for row in cells(found)] == ["30T22:00", "30T23:00", "01T00:00", "01T00:15"]
    assert "T22:00:00+00:00, then 15 min intervals from 2025-09-30T22:00:00+00:00 to" in found.provenance[0]
    assert found.provenance[2].endswith("0 holes in time")
    over = [pairs[0], ("30/09/2025 22:45:00", "30/09/2025 23:00:00")]
    assert "30/09/2025 22:45:00 - 30/09/2025 23:00:00 begins before the row above it ends" in (
        refusal("entsoe-prices", entsoe(over))
    )


def test_pvgis():
    """*Proves:* the table between its lines of explanation, put on a year, at the hour that is named.

    *Sensitivity:* with the years of its months the first row would come seven years after the last.
    """
    found = converted("pvgis-tmy", PVGIS, Settings(year=2026))
    assert cells(found) == [
        ["2026-01-31T23:00:00+00:00", "-22.10", "0.00", "1.50"],
        ["2026-02-01T00:00:00+00:00", "-21.05", "12.50", "2.00"],
    ]
    assert found.provenance[0] == "a typical year: months of 2005 to 2018, put on 2026"
    assert "give --year" in refusal("pvgis-tmy", PVGIS)
    wrong = refusal("pvgis-tmy", PVGIS.replace("20050201:0011", "soon"), Settings(year=2026))
    assert wrong == "raw.csv:8: column time(UTC): 'soon' is not an hour such as 20180131:2300"
    assert "there is no line that begins with time(UTC)" in refusal("pvgis-tmy", COIN, Settings(year=2026))
