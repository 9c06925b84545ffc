"""Adapters by hand: a few rows with each kind of dirt, the numbers and counts that come out, and what is refused."""

from __future__ import annotations

import math

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.adapters import ADAPTERS, convert
from flexmine.inputs.adapters.base import Converted, Settings
from flexmine.inputs.table import read_table

EAST_8 = Settings(utc_offset_h=8.0)


NONE = Settings()


def run(name: str, text: str, settings: Settings = NONE) -> Converted:
    return convert(name, read_table(text.encode(), "raw.csv"), settings)


def refusal(name: str, text: str, settings: Settings = NONE) -> str:
    with pytest.raises(BadInput) as caught:
        run(name, text, settings)
    return caught.value.messages[0]


def column(converted: Converted, name: str) -> list[str]:
    return converted.rows[name].tolist()


ISD = """\
year,month,day,hour_utc,air_temp_c_x10,dew_point_c_x10,wind_speed_m_s_x10
2018,02,23,22,-228,-9999,0
2018,02,23,23,-9999,-272,15
2018,02,24,01,-5,-272,15
"""


def test_isd_lite():
    """*Proves:* tenths, -9999 as an empty cell, the absent hour as absent; each is counted.

    *Sensitivity:* dividing before judging makes -999.9 of -9999, a number.
    """
    found = run("isd-lite", ISD)
    assert column(found, "interval_start") == [
        "2018-02-23T22:00:00+00:00",
        "2018-02-23T23:00:00+00:00",
        "2018-02-24T01:00:00+00:00",
    ]
    assert column(found, "temperature_c") == ["-22.8", "", "-0.5"]
    assert column(found, "dew_point_c") == ["", "-27.2", "-27.2"]
    assert column(found, "wind_speed_m_s") == ["0.0", "1.5", "1.5"]
    assert found.provenance[0].startswith("1 hours between the first row and the last are absent")
    assert "1 of 3 are -9999" in found.provenance[1]
    assert (
        refusal("isd-lite", ISD.replace("-228", "mild")) == "raw.csv:2: column air_temp_c_x10: 'mild' is not a number"
    )
    assert "24 is not an hour from 0 to 23" in refusal("isd-lite", ISD.replace("02,23,22", "02,23,24"))
    assert "raw.csv:4: 2018-02-23T23:00:00+00:00 stands a second time" in refusal(
        "isd-lite", ISD.replace("02,24,01", "02,23,23")
    )
    assert "'2018-02-30' is not a date" in refusal("isd-lite", ISD.replace("02,24", "02,30"))


GHCN = """\
date,tmax_c_x10,tmax_c_x10_mqs,tmin_c_x10,tmin_c_x10_mqs
1995-11-01,100,..r,0,..r
1995-11-02,87,.Dr,-20,..r
1995-11-03,60,..r,-40,..r
1995-11-04,60,..r,-30,..r
"""


def test_ghcn_daily():
    """Day 1: 0 C at 06:00, 10 C at 15:00; half past ten is halfway, 5 C.  Day 2's maximum failed its check.

    *Proves:* the profile at three hours by hand; hours between the minima around a failed maximum are empty, 24 of
    them, and told.  *Sensitivity:* read as published the flagged maximum is a month's duplicate.
    """
    found = run("ghcn-daily", GHCN, EAST_8)
    at = dict(zip(column(found, "interval_start"), column(found, "modelled_temperature_c"), strict=True))
    assert at["1995-11-01T10:00:00+08:00"] == "5.0"
    assert float(at["1995-11-01T06:00:00+08:00"]) == pytest.approx(5 * (1 - math.cos(math.pi / 18)), abs=0.05)
    evening = 10 + (-2 - 10) * (1 - math.cos(math.pi * 0.5 / 15)) / 2
    assert float(at["1995-11-01T15:00:00+08:00"]) == pytest.approx(evening, abs=0.05)
    empty = [time for time, value in at.items() if value == ""]
    assert len(empty) == 24
    assert (empty[0], empty[-1]) == ("1995-11-02T06:00:00+08:00", "1995-11-03T05:00:00+08:00")
    assert "0 minima and 1 maxima failed NOAA's quality check" in found.provenance[1]
    assert f"24 of {len(at)} hours lean on a missing extreme" in found.provenance[2]


def test_ghcn_daily_refusals():
    """*Proves:* zone, crossing and an absent day.  *Sensitivity:* a curve through two days looks like weather."""
    assert "give --utc-offset" in refusal("ghcn-daily", GHCN)
    assert refusal("ghcn-daily", GHCN.replace("100,..r,0", "100,..r,110"), EAST_8) == (
        "raw.csv:2: the minimum 11 C is above the maximum 10 C of the same day"
    )
    without = GHCN.replace("1995-11-03,60,..r,-40,..r\n", "")
    found = run("ghcn-daily", without, EAST_8)
    empty = [t for t, v in found.rows.itertuples(index=False) if v == ""]
    assert empty[-1] == "1995-11-04T05:00:00+08:00"
    assert len(empty) == 48


ENTSOE = """\
mtu_cet_cest,price_eur_mwh,currency
29.03.2020 01:00 - 29.03.2020 02:00,5.01,EUR
29.03.2020 02:00 - 29.03.2020 03:00,,
29.03.2020 03:00 - 29.03.2020 04:00,5.02,EUR
"""
AUTUMN = """\
MTU (CET/CEST),Day-ahead Price [EUR/MWh],Currency
25.10.2020 01:00 - 25.10.2020 02:00,9.01,EUR
25.10.2020 02:00 - 25.10.2020 03:00,9.02,EUR
25.10.2020 02:00 - 25.10.2020 03:00,n/e,
25.10.2020 03:00 - 25.10.2020 04:00,-9.04,EUR
"""


def test_entsoe_prices():
    """*Proves:* the hour of spring that does not exist is dropped where it is empty, the double hour of autumn is two
    hours, `n/e` stays for the case to judge, digits stay.  *Sensitivity:* one of both double hours dropped shifts the
    rest of the year by an hour.
    """
    spring = run("entsoe-prices", ENTSOE)
    assert column(spring, "interval_start") == ["2020-03-29T01:00:00+01:00", "2020-03-29T03:00:00+02:00"]
    assert column(spring, "price_eur_per_mwh") == ["5.01", "5.02"]
    assert spring.provenance[1].startswith("1 rows of hours that the clock of Europe/Brussels leaves out")
    autumn = run("entsoe-prices", AUTUMN)
    assert column(autumn, "interval_start") == [
        "2020-10-25T01:00:00+02:00",
        "2020-10-25T02:00:00+02:00",
        "2020-10-25T02:00:00+01:00",
        "2020-10-25T03:00:00+01:00",
    ]
    assert column(autumn, "price_eur_per_mwh") == ["9.01", "9.02", "n/e", "-9.04"]
    assert autumn.provenance[2].startswith("1 of 4 prices are empty or n/e")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "02:00 - 29.03.2020 03:00,,",
            "02:00 - 29.03.2020 03:00,5,EUR",
            "does not exist on the clock of Europe/Brussels",
        ),
        ("5.02,EUR", "5.02,SEK", "raw.csv:4: column currency: the price 5.02 is in 'SEK'; this adapter reads EUR"),
        ("29.03.2020 01:00 - 29", "2020-03-29 01:00 - 29", "raw.csv:2: column mtu_cet_cest: "),
        (
            "01:00 - 29.03.2020 02:00",
            "01:00 - 28.03.2020 02:00",
            "raw.csv:2: column mtu_cet_cest: '29.03.2020 01:00 - 28.03",
        ),
        ("03:00 - 29.03.2020 04:00", "03:00 - 29.03.2020 05:00", "is not an interval as long as the others"),
        ("03:00 - 29.03.2020 04:00", "03:00 - 31.02.2020 04:00", "is not an interval as long as the others"),
        ("mtu_cet_cest", "time", "no column MTU (CET/CEST) or mtu_cet_cest, as an ENTSO-E export has it; columns: "),
    ],
)
def test_entsoe_refusals(old, new, words):
    """*Proves:* line and reason of each.  *Sensitivity:* a lenient parser reads all of them."""
    assert words in refusal("entsoe-prices", ENTSOE.replace(old, new))


EIA = """\
utc_time,demand_mw,net_generation_mw,total_interchange_mw
2015-09-15 18:00:00,6000,11000,5000
2015-09-15 19:00:00,6016,6016,
2015-09-15 20:00:00,6233,6233,5800
2015-09-15 21:00:00,6165,6165,0
2015-09-15 22:00:00,,11800,5600
"""


def test_eia930():
    """*Proves:* ends become beginnings; equal demand and generation are left out where power flowed, or nobody says;
    with an interchange of 0 they are right.  *Sensitivity:* comparing numbers alone drops that hour too.
    """
    found = run("eia930", EIA)
    assert column(found, "interval_start")[0] == "2015-09-15T17:00:00+00:00"
    assert column(found, "demand_mw") == ["6000", "", "", "6165", ""]
    assert column(found, "net_generation_mw") == ["11000", "", "", "6165", "11800"]
    assert column(found, "interchange_mw") == ["5000", "", "5800", "0", "5600"]
    assert found.provenance[1].startswith("1 demands, 0 generations and 1 interchanges are empty in the source")
    assert found.provenance[2].startswith("2 hours in which demand equals net generation")


def test_coin_metrics():
    """144 blocks with 7.2 BTC of fees: 0.05 BTC a block; a day without blocks has none, not 0.

    *Proves:* fees a block by hand; digits of price and difficulty stay.  *Sensitivity:* 0/0 read as 0 is a free block.
    """
    head = "date,price_usd,difficulty,block_count,fees_btc"
    found = run("coin-metrics", f"{head}\n2024-09-10,58000.12,91234567890123.45,144,7.2\n2024-09-11,,,0,0\n")
    assert column(found, "interval_start") == ["2024-09-10T00:00:00+00:00", "2024-09-11T00:00:00+00:00"]
    assert column(found, "price_usd") == ["58000.12", ""]
    assert column(found, "difficulty") == ["91234567890123.45", ""]
    assert column(found, "fees_btc_per_block") == ["0.05000000", ""]


def test_lake_powell():
    """*Proves:* published spill wins, derived is called so, within 2 cfs it is 0, and gauges that contradict each other
    or are empty leave it empty.  *Sensitivity:* clipping the difference at 0 turns a disagreement into "no spill".
    """
    head = "date,inflow_cfs,power_release_cfs,bypass_release_cfs,spillway_release_cfs,total_release_cfs"
    rows = [
        "1983-06-29,90000,26869,,,92600",
        "1983-06-30,90000,26869,,,26868",
        "1983-07-01,90000,26869,,,26000",
        "1983-07-02,90000,,,,26000",
        "2004-11-22,9000,20000,15000,8,35200",
    ]
    found = run("lake-powell", "\n".join([head, *rows, ""]))
    assert column(found, "spill_cfs") == ["65731.00", "0.00", "", "", "15008.00"]
    assert column(found, "spill_is") == ["derived", "derived", "", "", "published"]
    assert column(found, "interval_start")[0] == "1983-06-29T00:00:00-07:00"
    assert found.provenance[2].startswith("1 days on which more went through the turbines than in all")


def test_yearly_carbon():
    """*Proves:* 366 and 365 days, the year's mean on each, an empty year empty.  *Sensitivity:* holding 2024's."""
    head = "year,zone,avg_direct_g_kwh,avg_lifecycle_g_kwh"
    found = run("yearly-carbon", f"{head}\n2024,RU-2,320.5,450.1\n2025,RU-2,,\n")
    assert len(found.rows) == 366 + 365
    assert column(found, "lifecycle_g_per_kwh")[365:367] == ["450.1", ""]
    assert column(found, "interval_start")[366] == "2025-01-01T00:00:00+00:00"
    assert found.provenance[1].endswith("without a mean, left empty: 2025")
    assert "one after the other" in refusal("yearly-carbon", f"{head}\n2023,RU-2,1,1\n2025,RU-2,1,1\n")
    assert "RU-1, RU-2" in refusal("yearly-carbon", f"{head}\n2023,RU-1,1,1\n2024,RU-2,1,1\n")


TYPICAL = """\
source_year,month,day,hour_ending_lst,dry_bulb_c,dew_point_c,ghi_wh_m2,dni_wh_m2,dhi_wh_m2
1991,2,28,24,-20.10,-22.00,0,0,0
2004,3,1,1,-10.30,-12.00,0,0,0
"""


FIXED = Settings(2023, 0.0)


def test_typical_year_table():
    """*Proves:* hour 24 ends at midnight; 29 February of a leap year is 24 absent hours, told.

    *Sensitivity:* an hour ending read as a beginning makes 24:00 of the 28th.
    """
    found = run("typical-year-table", TYPICAL, Settings(2024, -9.0))
    assert column(found, "interval_start") == ["2024-02-28T23:00:00-09:00", "2024-03-01T00:00:00-09:00"]
    assert column(found, "temperature_c") == ["-20.10", "-10.30"]
    assert found.provenance[0].endswith("put on 2024, which has a 29 February")
    assert found.provenance[2].startswith("24 hours between the first row and the last are absent")
    assert run("typical-year-table", TYPICAL, Settings(2023, -9.0)).provenance[2].startswith("0 hours")
    assert "give --year" in refusal("typical-year-table", TYPICAL)
    assert "give --utc-offset" in refusal("typical-year-table", TYPICAL, Settings(2023))
    assert "is not an hour from 1 to 24" in refusal(
        "typical-year-table", TYPICAL.replace(",24,", ",25,"), Settings(2023, 0)
    )


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_names_the_column_that_a_foreign_file_lacks(name):
    """*Proves:* bad input for each adapter.  *Sensitivity:* a KeyError is an internal error."""
    assert refusal(name, "a,b\n1,2\n", Settings(2024, 8.0)).startswith("raw.csv:1: there is no column ")


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_survives_a_file_without_rows(name):
    """*Proves:* a header alone ends in an empty table or bad input.  *Sensitivity:* indexing row 0 is a traceback."""
    header = {
        "isd-lite": ISD,
        "ghcn-daily": GHCN,
        "entsoe-prices": ENTSOE,
        "eia930": EIA,
        "coin-metrics": "date,price_usd,difficulty,block_count,fees_btc",
        "lake-powell": "date,inflow_cfs,power_release_cfs,bypass_release_cfs,spillway_release_cfs,total_release_cfs",
        "yearly-carbon": "year,zone,avg_direct_g_kwh,avg_lifecycle_g_kwh",
        "typical-year-table": TYPICAL,
        "pvgis-tmy": "time(UTC),T2m,G(h),WS10m",
        "nsrdb-psm": "Year,Month,Day,Hour,Minute,GHI,Temperature",
        "nord-pool": "Delivery Start (CET),Delivery End (CET),NO2 (EUR)",
    }[name].partition("\n")[0]
    with pytest.raises(BadInput, match=r"raw\.csv: the file has no rows"):
        run(name, f"{header}\n", Settings(2024, 8.0))


def test_an_unknown_adapter_lists_the_known_ones():
    """*Proves:* the nearest is proposed.  *Sensitivity:* a KeyError."""
    assert "did you mean isd-lite?" in refusal("isd_lite", ISD)
