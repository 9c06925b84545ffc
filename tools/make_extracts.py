"""Make the shipped extracts in ``data/`` from the raw files of their publishers.

Usage: ``python tools/make_extracts.py RAW_DIR [--out data]``.  RAW_DIR holds ``hydro_glen_canyon_hourly.csv``,
``price_no2_2025.csv``, ``weather_northway_isdlite_2018_raw.csv`` and ``weather_northway_tmy3.csv``, as
``data/SOURCES.md`` describes them.  The tables of the examples are made by ``example_extracts.py``.

Each stand-in series is moved so that its local clock hour becomes the site's: hour h of a day of the source, on
its own local clock, is written as hour h of a day of the site (UTC+8).  Nothing is filled; a missing value stops
the tool.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from example_extracts import CONTRACTED_MW, M3_PER_CUBIC_FOOT, MW_PER_M3_S, examples

SITE_OFFSET = "+08:00"
FIRST_SITE_DAY = pd.Timestamp("2024-09-09")
DAYS = 5
"""One day before and two days after the 48 hours from 2024-09-10 that the cases plan."""


def by_local_clock(local: pd.Series, values: pd.Series, first_source_day: str) -> pd.DataFrame:
    """Return values of DAYS days by the site's clock; `local` holds clock times of the source, without offset."""
    shift = FIRST_SITE_DAY - pd.Timestamp(first_source_day)
    site = local + shift
    keep = (site >= FIRST_SITE_DAY) & (site < FIRST_SITE_DAY + pd.DateOffset(days=DAYS))
    table = pd.DataFrame({"site": site[keep], "source": local[keep], "value": values[keep]}).sort_values("site")
    expected = pd.date_range(FIRST_SITE_DAY, periods=24 * DAYS, freq="h")
    if list(table["site"]) != list(expected):
        raise SystemExit(f"{first_source_day}: the raw file does not hold each of the {24 * DAYS} hours once")
    if table["value"].isna().any():
        raise SystemExit(f"{first_source_day}: a value is missing; choose other days, nothing is filled")
    return table


def write(table: pd.DataFrame, source_offset: str, column: str, decimals: int, path: Path) -> None:
    """Write interval_start in site time, the value, and the time it had at its source."""
    lines = [f"interval_start,{column},source_interval_start"]
    for site, source, value in table.itertuples(index=False):
        lines.append(
            f"{site:%Y-%m-%dT%H:%M:%S}{SITE_OFFSET},{value:.{decimals}f},{source:%Y-%m-%dT%H:%M:%S}{source_offset}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def clock(text: pd.Series) -> pd.Series:
    """Return the local clock time of ISO 8601 text with offset, without the offset."""
    return pd.to_datetime(text.str.slice(0, 19))


def glen_canyon(raw: Path, out: Path) -> None:
    """Bypass flow [m3/s] from 2024-09-09, and turbine generation above contract [MW] from 2025-01-13."""
    table = pd.read_csv(raw / "hydro_glen_canyon_hourly.csv")
    local = clock(table["timestamp"])
    bypass_m3_s = table["bypass_release_cfs"] * M3_PER_CUBIC_FOOT
    moved = by_local_clock(local, bypass_m3_s, "2024-09-09")
    write(moved, "-07:00", "bypass_flow_m3_s", 4, out / "glen_canyon_bypass.csv")
    turbine_mw = table["power_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    surplus_mw = (turbine_mw - CONTRACTED_MW).clip(lower=0.0)
    moved = by_local_clock(local, surplus_mw, "2025-01-13")
    write(moved, "-07:00", "generation_above_contract_mw", 4, out / "glen_canyon_above_contract.csv")


def no2(raw: Path, out: Path) -> None:
    """Day-ahead prices of NO2 [EUR/MWh], from 2025-09-08 and from 2025-09-23."""
    table = pd.read_csv(raw / "price_no2_2025.csv")
    local = clock(table["timestamp_local"])
    for first_day, name in (("2025-09-08", "no2_price_2025-09-08.csv"), ("2025-09-23", "no2_price_2025-09-23.csv")):
        moved = by_local_clock(local, table["price_eur_mwh"], first_day)
        write(moved, "+02:00", "price_eur_per_mwh", 2, out / name)


def northway(raw: Path, out: Path) -> None:
    """Air temperature of Northway [C] from 2018-09-09, local standard time UTC-9; the raw file has tenths and UTC."""
    table = pd.read_csv(raw / "weather_northway_isdlite_2018_raw.csv")
    utc = pd.to_datetime(table[["year", "month", "day"]].assign(hour=table["hour_utc"]))
    tenths = table["air_temp_c_x10"]
    celsius = tenths.where(tenths != -9999) / 10.0
    moved = by_local_clock(utc - pd.Timedelta(hours=9), celsius, "2018-09-09")
    write(moved, "-09:00", "temperature_c", 1, out / "northway_temperature.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("raw", type=Path, help="folder with the raw files")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "data")
    arguments = parser.parse_args()
    for make in (glen_canyon, no2, northway, examples):
        make(arguments.raw, arguments.out)


if __name__ == "__main__":
    main()
