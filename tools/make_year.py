"""Make ``data/stand_in_year.csv``, a year of hours for back-tests, from the raw files of their publishers.

Usage: ``python tools/make_year.py RAW_DIR [--out data]``.  RAW_DIR holds ``hydro_glen_canyon_hourly.csv``,
``price_no2_2025.csv`` and ``weather_northway_tmy3.csv``, as ``data/SOURCES.md`` describes them.

Every series is moved by calendar and clock: the hour of a day of the year on the source's own clock becomes that of the
site (UTC+8).  The year of the price is 2025, of the weather a typical one; both are repeated where they end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from example_extracts import CONTRACTED_MW, M3_PER_CUBIC_FOOT, MW_PER_M3_S

FIRST, HOURS = pd.Timestamp("2024-05-01"), 24 * 367
"""Two days of look-ahead after the last day of the river."""
SHARE_OF_BYPASS, SHARE_ABOVE_CONTRACT = 0.24, 0.15


def clock(text: pd.Series) -> pd.Series:
    """Return the local clock time of ISO 8601 text with offset, without the offset."""
    return pd.to_datetime(text.str.slice(0, 19))


def of_year(stamps: pd.Series, values: pd.Series) -> np.ndarray:
    """Return hourly values from FIRST by calendar and clock; an hour that the source's clock leaves out repeats."""
    by_clock = dict(zip(stamps.dt.strftime("%m-%d %H"), values, strict=True))
    wanted = pd.date_range(FIRST, periods=HOURS, freq="h").strftime("%m-%d %H")
    return pd.Series([by_clock.get(t, np.nan) for t in wanted]).ffill().to_numpy()


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--out", type=Path, default=Path("data"))
    given = parser.parse_args()
    dam = pd.read_csv(given.raw / "hydro_glen_canyon_hourly.csv")
    bypass_mw = dam["bypass_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    above_mw = (dam["power_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S - CONTRACTED_MW).clip(lower=0.0)
    surplus = of_year(clock(dam["timestamp"]), SHARE_OF_BYPASS * bypass_mw + SHARE_ABOVE_CONTRACT * above_mw)
    no2 = pd.read_csv(given.raw / "price_no2_2025.csv")
    price = of_year(clock(no2["timestamp_local"]), no2["price_eur_mwh"])
    tmy = pd.read_csv(given.raw / "weather_northway_tmy3.csv")
    stamps = pd.to_datetime(tmy[["month", "day"]].assign(year=2023, hour=tmy["hour_ending_lst"] - 1))
    air = of_year(stamps, tmy["dry_bulb_c"])
    times = pd.date_range(FIRST, periods=HOURS, freq="h")
    rows = [
        f"{t:%Y-%m-%dT%H:%M}+08:00,{s:.3f},{p:.2f},{c:.1f}"
        for t, s, p, c in zip(times, surplus, price, air, strict=True)
    ]
    text = "\n".join(["interval_start,surplus_mw,price_eur_per_mwh,temperature_c", *rows]) + "\n"
    (given.out / "stand_in_year.csv").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
