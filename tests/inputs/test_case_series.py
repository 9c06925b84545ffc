"""Series of a whole case: issues by as_of, quantiles, fees, typical years, Parquet; what the case keeps of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pandas as pd
import pytest

from flexmine import load_case
from flexmine.assembly import assemble
from flexmine.errors import BadInput

SITE = timezone(timedelta(hours=8))
FEED = """\
issued,start,p10,p50,p90
2024-09-09T06:00:00+08:00,2024-09-10T00:00:00+08:00,1000,2000,3000
2024-09-09T06:00:00+08:00,2024-09-10T01:00:00+08:00,1000,2000,3000
2024-09-09T06:00:00+08:00,2024-09-10T02:00:00+08:00,1000,2000,3000
2024-09-09T06:00:00+08:00,2024-09-10T03:00:00+08:00,1000,2000,3000
2024-09-09T18:00:00+08:00,2024-09-10T00:00:00+08:00,1500,2500,3000
2024-09-09T18:00:00+08:00,2024-09-10T01:00:00+08:00,1500,,3000
2024-09-09T18:00:00+08:00,2024-09-10T02:00:00+08:00,1500,2700,3000
2024-09-09T18:00:00+08:00,2024-09-10T03:00:00+08:00,1500,2800,3000
"""
SPEC = (
    "{file: feed.csv, time_column: start, column: p50, unit: kW, issue_column: issued, stale_after_h: 24, "
    "quantiles: {p10: p10, p50: p50, p90: p90}, fill: {policy: interpolate, longest_gap_h: 1}}"
)


@pytest.fixture
def forecast(folder):
    """A case whose surplus is a forecast of two issues with quantiles, the second with a hole."""
    folder.write("feed.csv", FEED)
    folder.edit("case.yaml", "available_mw: 3.0", f"available_mw: {SPEC}")
    folder.edit("case.yaml", "horizon_h: 4\n", "horizon_h: 4\nas_of: 2024-09-09T20:00:00+08:00\n")
    return folder


def test_the_case_keeps_issue_quantiles_and_what_was_filled(forecast):
    """*Proves:* kW in MW, the issue known at as_of, its hole filled in plan and quantile alike, and each recorded.

    *Sensitivity:* the earlier issue has no hole; a patchwork of both would list nothing as filled.
    """
    case = load_case(forecast.case)
    key = "sources.surplus.available_mw"
    assert case.series[key].tolist() == pytest.approx([2.5, 2.6, 2.7, 2.8])
    assert {name: q.tolist() for name, q in case.quantiles[key].items()} == {
        "p10": [1.5] * 4,
        "p50": pytest.approx([2.5, 2.6, 2.7, 2.8]),
        "p90": [3.0] * 4,
    }
    assert [(f.series, f.first_step, f.steps) for f in case.filled] == [(key, 1, 1), (f"{key}.p50", 1, 1)]
    (feed,) = (f for f in case.feeds if f.series == key)
    assert feed.document()["issued_at"] == "2024-09-09T10:00:00+00:00"
    assert "issued 2024-09-09T10:00:00+00:00" in str(feed)


def test_who_loads_a_case_may_name_the_moment(forecast):
    """*Proves:* an earlier moment reads the earlier issue, too late a one finds it stale, none is an error.

    *Sensitivity:* the file's as_of would win, and a re-run of yesterday would use today's forecast.
    """
    early = load_case(forecast.case, as_of=datetime(2024, 9, 9, 7, tzinfo=SITE))
    assert early.series["sources.surplus.available_mw"].tolist() == [2.0] * 4
    assert early.filled == ()
    with pytest.raises(BadInput, match=r"case\.yaml:13:19 sources\[0\]\.available_mw: feed\.csv: .* stale_after_h"):
        load_case(forecast.case, as_of=datetime(2024, 9, 11, tzinfo=SITE))
    forecast.edit("case.yaml", "as_of: 2024-09-09T20:00:00+08:00\n", "")
    with pytest.raises(BadInput, match="the case has to say as_of, a time"):
        load_case(forecast.case)


def test_fees_may_be_a_series(folder):
    """Fees of 0.05 and 1.0 BTC on a subsidy of 3.125: the hash value rises by 4.125 / 3.175.

    *Proves:* the series reaches the hash value hour by hour.  *Sensitivity:* the first value for all hours is flat.
    """
    rows = [f"2024-09-10T{h:02}:00:00+08:00,{v}" for h, v in enumerate(["0.05", "0.05", "1.0", "1.0"])]
    folder.write("fees.csv", "\n".join(["interval_start,fees_btc_per_block", *rows, ""]))
    spec = "{file: fees.csv, column: fees_btc_per_block}"
    folder.edit("case.yaml", "fees_btc_per_block: 0.05", f"fees_btc_per_block: {spec}")
    case = load_case(folder.case)
    assert case.series["hash_value.fees_btc_per_block"].tolist() == [0.05, 0.05, 1.0, 1.0]
    value = assemble(case).problem.classes[0].hash_value_usd_per_th_s_h
    assert value[2] / value[0] == pytest.approx(4.125 / 3.175)
    assert value[3] == value[2]


def test_daily_chain_data_in_an_hourly_case(folder):
    """*Proves:* a UTC day is held from 08:00 to 08:00 of the site, once the case says so.

    *Sensitivity:* a day of the site would switch at midnight.
    """
    folder.write("btc.csv", "date,price_usd\n2024-09-09,50000\n2024-09-10,60000\n")
    folder.edit("case.yaml", "start: 2024-09-10T00:00:00", "start: 2024-09-10T06:00:00")
    folder.edit("case.yaml", "temperature_c: {file: weather.csv", "temperature_c: {file: late.csv")
    folder.edit("case.yaml", "{file: prices.csv, column: price, unit: USD/MWh}", "10")
    rows = [f"2024-09-10T{h:02}:00:00+08:00,3" for h in range(6, 10)]
    folder.write("late.csv", "\n".join(["interval_start,temperature_c", *rows, ""]))
    spec = "{file: btc.csv, time_column: date, column: price_usd, zone: UTC, every: day, coarser: hold}"
    folder.edit("case.yaml", "btc_price_usd: 60000", f"btc_price_usd: {spec}")
    case = load_case(folder.case)
    assert case.series["hash_value.btc_price_usd"].tolist() == [50000.0, 50000.0, 60000.0, 60000.0]


def test_a_case_reads_parquet(folder):
    """*Proves:* by its suffix, hash kept under its name.  *Sensitivity:* read as text it is not UTF-8."""
    times = pd.date_range("2024-09-10T00:00+08:00", periods=5, freq="h")
    frame = pd.DataFrame({"interval_start": times, "temperature_c": [1.0, 2.0, 3.0, 4.0, 5.0]})
    frame.to_parquet(folder.path / "weather.parquet", index=False)
    folder.edit("case.yaml", "{file: weather.csv", "{file: weather.parquet")
    case = load_case(folder.case)
    assert case.series["temperature_c"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert "weather.parquet" in case.inputs
