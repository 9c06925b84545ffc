"""What every published file is tried for: what has to be loaded, and how that is checked; what has to be refused.

Every check reads the raw file a second time, by the csv module alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.inputs.series import SeriesRead

Raw = list[dict[str, str]]
Check = Callable[[SeriesRead, Path], str]


@dataclass(frozen=True)
class Trial:
    """One reading: expected to be refused with `words`, or to be loaded and pass `check`."""

    file: str
    quantity: str
    start: datetime
    hours: int
    words: str = ""
    check: Check | None = None
    change: dict[str, Any] = field(default_factory=dict)
    by_recipe: bool = True


def raw(folder: Path, name: str) -> Raw:
    """Return the rows of a raw file by the csv module."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def equal(values: np.ndarray, expected: list[float], how: str) -> str:
    """Return how it was checked; stop where the numbers differ."""
    assert len(values) == len(expected), f"{len(values)} values, {len(expected)} expected"
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)
    return f"{len(values)} hours equal {how}"


def column_check(name: str, column: str, factor: float, shift: int, how: str) -> Check:
    """Return a check against rows of the raw file in their order, from `shift` on."""

    def check(found: SeriesRead, folder: Path) -> str:
        rows = raw(folder, name)[shift:]
        return equal(found.values, [factor * float(r[column]) for r in rows[: len(found.values)]], how)

    return check


def se1_as_cleaned(found: SeriesRead, folder: Path) -> str:
    rows = raw(folder, "price_se1_2020_2023.csv")
    return equal(found.values, [1.1 * float(r["price_eur_mwh"]) for r in rows], "the cleaned file, hour by hour")


def held_day(name: str, column: str, value: Callable[[dict[str, str]], float], day: str) -> Check:
    def check(found: SeriesRead, folder: Path) -> str:
        (row,) = (r for r in raw(folder, name) if r["date"] == day)
        return equal(found.values, [value(row)] * len(found.values), f"{column} of {day}, held")

    return check


def isd_filled(found: SeriesRead, folder: Path) -> str:
    rows = raw(folder, "weather_northway_isdlite_2018_raw.csv")
    tenths = {
        int(r["hour_utc"]): float(r["air_temp_c_x10"]) / 10 for r in rows if (r["month"], r["day"]) == ("05", "02")
    }
    assert 3 not in tenths
    expected = [tenths.get(h, (tenths[2] + tenths[4]) / 2) for h in range(24)]
    assert [(f.policy, f.first_step, f.steps) for f in found.filled] == [("interpolate", 3, 1)]
    return equal(
        found.values, expected, "the tenths; the absent 03:00 is the mean of 02:00 and 04:00 and listed as filled"
    )


def outage_filled(found: SeriesRead, folder: Path) -> str:
    assert [(f.policy, f.first_step, f.steps) for f in found.filled] == [("same_hour_yesterday", 24, 24)]
    day = [1.1 * float(r["price_eur_mwh"]) for r in raw(folder, SE1_OUT) if r["mtu_cet_cest"].startswith("04.10.2024")]
    return equal(found.values, day * 2, "4 October twice; the 24 hours of the 5th are listed as filled")


def eia_week(found: SeriesRead, folder: Path) -> str:
    by_end = {r["utc_time"]: r["net_generation_mw"] for r in raw(folder, EIA)}
    ends = [utc(2015, 12, 1) + timedelta(hours=h + 1) for h in range(168)]
    return equal(
        found.values, [0.001 * float(by_end[f"{t:%Y-%m-%d %H:%M:%S}"]) for t in ends], "the rows an hour later"
    )


def irkutsk_month(found: SeriesRead, folder: Path) -> str:
    rows = [r for r in raw(folder, "weather_irkutsk_daily.csv") if r["date"].startswith("1990-01")]
    days = found.values.reshape(31, 24)
    highs = np.array([float(r["tmax_c_x10"]) / 10 for r in rows])
    lows = np.array([float(r["tmin_c_x10"]) / 10 for r in rows])
    assert (days.max(axis=1) <= np.maximum(highs, np.roll(highs, 1)) + 0.05).all()
    np.testing.assert_allclose(days[:, 6:15].max(axis=1), highs, atol=0.3)
    np.testing.assert_allclose(days[:, 6:15].min(axis=1), lows, atol=0.3)
    return "31 days: from 06:00 to 15:00 between the day's minimum and maximum, within 0.3 C of both"


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)


def east(hours: int, *when: int) -> datetime:
    return datetime(*when, tzinfo=timezone(timedelta(hours=hours)))


BTC, ISD, SE1, SE1_RAW, SE1_OUT = (
    "btc_daily.csv",
    "weather_northway_isdlite_2018_raw.csv",
    "price_se1_2020_2023.csv",
    "price_se1_2020_2023_raw.csv",
    "price_se1_2024_autumn_raw.csv",
)
TMY, GLEN, POWELL = "weather_northway_tmy3.csv", "hydro_glen_canyon_hourly.csv", "hydro_lake_powell_daily.csv"
NO2, BPAT, EIA = "price_no2_2025.csv", "hydro_bpat_2022.csv", "hydro_bpat_2015h2_eia930_raw.csv"
IRKUTSK, CARBON, MW_PER_CFS = "weather_irkutsk_daily.csv", "carbon_siberia_annual.csv", 0.0257683


def number(column: str) -> Callable[[dict[str, str]], float]:
    return lambda row: float(row[column])


def fees(row: dict[str, str]) -> float:
    return round(float(row["fees_btc"]) / float(row["block_count"]), 8)


def not_turbined(row: dict[str, str]) -> float:
    return MW_PER_CFS * (float(row["total_release_cfs"]) - float(row["power_release_cfs"]))


def bypassed(row: dict[str, str]) -> float:
    return MW_PER_CFS * float(row["bypass_release_cfs"])


def mean_of_2021(found: SeriesRead, folder: Path) -> str:
    (row,) = (r for r in raw(folder, CARBON) if r["year"] == "2021")
    return equal(found.values, [float(row["avg_lifecycle_g_kwh"])] * 24, "the mean of 2021, held")


def loaded(file: str, quantity: str, start: datetime, hours: int, check: Check, **change: Any) -> Trial:
    return Trial(file, quantity, start, hours, check=check, change=change)


def refused(file: str, quantity: str, start: datetime, hours: int, words: str, **change: Any) -> Trial:
    return Trial(file, quantity, start, hours, words=words, change=change)


def raw_refused(file: str, quantity: str, start: datetime, words: str, **change: Any) -> Trial:
    return Trial(file, quantity, start, 24, words=words, change=change, by_recipe=False)


POWER, PRICE, CELSIUS, COIN = "available_mw", "price_usd_per_mwh", "temperature_c", "btc_price_usd"
RAW_SE1 = {"column": "price_eur_mwh"}
EMPTY = "'', which is no value, for "
NO2_ROWS = column_check(NO2, "price_eur_mwh", 1.17, 0, "the raw rows x 1.17, also over the days of 23 and 25 hours")
SE1_ROWS = column_check(SE1, "price_eur_mwh", 1.1, 0, "the raw rows x 1.1")
SE1_OUT_ROWS = column_check(SE1_OUT, "price_eur_mwh", 1.1, 0, "the raw rows x 1.1, up to the outage")
TMY_ROWS = column_check(TMY, "dry_bulb_c", 1.0, 0, "the raw rows, hour 1 becoming 00:00")
TMY_SUN = column_check(TMY, "ghi_wh_m2", 1.0, 0, "the raw rows, Wh/m2 in an hour being W/m2")
BPAT_HYDRO = column_check(BPAT, "hydro_mw", 0.001, 1, "the raw rows, the one labelled 01:00 being the hour from 00:00")
BPAT_CARBON = column_check(BPAT, "carbon_intensity_g_kwh", 1.0, 1, "the raw rows, hour ending")
GLEN_ROWS = column_check(GLEN, "bypass_release_cfs", MW_PER_CFS * 0.06, 0, "the raw rows x both factors")

TRIALS = (
    loaded(BTC, COIN, utc(2024, 9, 10), 24, held_day(BTC, "price_usd", number("price_usd"), "2024-09-10")),
    loaded(BTC, "difficulty", utc(2024, 9, 10), 24, held_day(BTC, "difficulty", number("difficulty"), "2024-09-10")),
    loaded(BTC, "fees_btc_per_block", utc(2024, 4, 20), 24, held_day(BTC, "fees / blocks", fees, "2024-04-20")),
    refused(BTC, COIN, utc(2010, 7, 1), 24, EMPTY + "2010-07-01"),
    refused(BTC, COIN, utc(2024, 9, 10), 24, "coarser than the steps of the case", coarser=None),
    raw_refused(BTC, COIN, utc(2024, 9, 10), "has no UTC offset", time_column="date"),
    loaded(NO2, PRICE, utc(2024, 12, 31, 23), 8760, NO2_ROWS),
    refused(NO2, PRICE, utc(2025, 1, 1), 24, "is in EUR/MWh and the key in USD; name the rate", factors=[]),
    loaded(SE1, PRICE, utc(2019, 12, 31, 23), 35064, SE1_ROWS),
    loaded(SE1_RAW, PRICE, utc(2019, 12, 31, 23), 35064, se1_as_cleaned),
    raw_refused(SE1_RAW, PRICE, utc(2020, 1, 1), "has no UTC offset", time_column="mtu_cet_cest", **RAW_SE1),
    loaded(SE1_OUT, PRICE, east(2, 2024, 9, 16), 456, SE1_OUT_ROWS),
    loaded(SE1_OUT, PRICE, east(2, 2024, 10, 4), 48, outage_filled),
    refused(SE1_OUT, PRICE, east(2, 2024, 10, 4), 49, "a gap of 25 h (25 of 49 values missing"),
    refused(SE1_OUT, PRICE, east(2, 2024, 10, 5), 48, "'n/e' is no finite number", missing=[], fill=None),
    loaded(ISD, CELSIUS, utc(2018, 5, 2), 24, isd_filled),
    refused(ISD, CELSIUS, utc(2018, 5, 2), 24, "nothing for 2018-05-02T03:00:00+00:00, a gap of 1 h", fill=None),
    refused(ISD, CELSIUS, utc(2018, 1, 1), 8760, "132 of 8760 values missing in the horizon", fill=None),
    raw_refused(ISD, CELSIUS, utc(2018, 1, 1), "there is no column interval_start"),
    loaded(TMY, CELSIUS, east(-9, 2023, 1, 1), 8760, TMY_ROWS),
    loaded(TMY, "ghi_w_m2", east(-9, 2023, 1, 1), 8760, TMY_SUN),
    refused(TMY, CELSIUS, east(-9, 2024, 1, 1), 24, "nothing for 2024-01-01T00:00:00-09:00"),
    loaded(IRKUTSK, CELSIUS, east(8, 1990, 1, 1), 744, irkutsk_month),
    refused(IRKUTSK, CELSIUS, east(8, 1995, 11, 10), 48, EMPTY + "1995-11-10T00:00:00+08:00, a gap of 48 h"),
    loaded(BPAT, POWER, utc(2022, 1, 1), 8759, BPAT_HYDRO),
    loaded(BPAT, "carbon_g_per_kwh", utc(2022, 1, 1), 8759, BPAT_CARBON),
    refused(BPAT, POWER, utc(2022, 3, 11), 24, "'9999' x 0.001 = 9.999 is the mark of a missing value", not_missing=[]),
    refused(BPAT, POWER, utc(2022, 6, 1), 24, "is out of range", factors=[]),
    loaded(EIA, POWER, utc(2015, 12, 1), 168, eia_week),
    refused(EIA, POWER, utc(2015, 9, 15), 48, "a gap of 21 h"),
    raw_refused(EIA, POWER, utc(2015, 12, 1), "has no UTC offset", time_column="utc_time"),
    loaded(GLEN, POWER, east(-7, 2024, 5, 1), 8760, GLEN_ROWS),
    loaded(POWELL, POWER, east(-7, 1983, 6, 29), 24, held_day(POWELL, "total less power", not_turbined, "1983-06-29")),
    loaded(POWELL, POWER, east(-7, 2004, 11, 22), 24, held_day(POWELL, "the bypass", bypassed, "2004-11-22")),
    refused(POWELL, POWER, east(-7, 1963, 3, 14), 24, EMPTY + "1963-03-14"),
    loaded(CARBON, "carbon_g_per_kwh", utc(2021, 6, 1), 24, mean_of_2021),
    refused(CARBON, "carbon_g_per_kwh", utc(2023, 6, 1), 24, EMPTY + "2023-06-01"),
)
