"""The series that forecasts are scored on, derived from the open ones: ``forecast_series.py --data FOLDER --out FOLDER``.

FOLDER holds the open series that data/SOURCES.md names.  Each series is one file with `interval_start` and a column;
none is a measured surplus for sale:

glen.csv   surplus_mw     as in forecast_error.py: a tenth of the turbine power above 200 MW and a share of the bypass
bpat.csv   surplus_mw     hydro generation above 9 GW, divided by 60
northway.csv  temperature_c   as measured; 132 hours of the year are missing and stay so
no2.csv, se1.csv  price_eur_per_mwh   as published

Surplus is at most 80 MW, twice the cap of the plant that it is for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from forecast_error import ABOVE_CONTRACT_SHARE, BYPASS_SHARE, CAP_MW, CONTRACTED_MW, M3_PER_CUBIC_FOOT, MW_PER_M3_S

MOST_MW = 2 * CAP_MW
THRESHOLD_MW, SHRINK = 9000.0, 60.0
NOT_MEASURED = -9999


def glen(folder: Path) -> pd.DataFrame:
    """Surplus of a station like Glen Canyon [MW], by Mountain Standard Time."""
    river = pd.read_csv(folder / "hydro_glen_canyon_hourly.csv")
    turbine_mw = river["power_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    bypass_mw = river["bypass_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    surplus = ABOVE_CONTRACT_SHARE * np.maximum(turbine_mw - CONTRACTED_MW, 0.0) + BYPASS_SHARE * bypass_mw
    return pd.DataFrame({"interval_start": river["timestamp"], "surplus_mw": np.minimum(surplus, MOST_MW)})


def bpat(folder: Path) -> pd.DataFrame:
    """Surplus like that of the Columbia [MW], by Pacific Standard Time; the source names the end of each hour."""
    river = pd.read_csv(folder / "hydro_bpat_2022.csv")
    begin = pd.to_datetime(river["timestamp_utc"]) - pd.Timedelta(hours=1)
    surplus = np.clip((river["hydro_mw"] - THRESHOLD_MW) / SHRINK, 0.0, MOST_MW)
    return pd.DataFrame({"interval_start": written(begin, -8), "surplus_mw": surplus})


def northway(folder: Path) -> pd.DataFrame:
    """Air temperature of Northway, Alaska [C], by its standard time."""
    raw = pd.read_csv(folder / "weather_northway_isdlite_2018_raw.csv")
    parts = raw[["year", "month", "day"]].assign(hour=raw["hour_utc"])
    tenths = raw["air_temp_c_x10"]
    begin = pd.to_datetime(parts).dt.tz_localize("UTC")
    return pd.DataFrame(
        {"interval_start": written(begin, -9), "temperature_c": (tenths / 10).where(tenths != NOT_MEASURED)}
    )


def price(folder: Path, name: str) -> pd.DataFrame:
    """Day-ahead price [EUR/MWh], with the offsets of its own clock."""
    raw = pd.read_csv(folder / name)
    return pd.DataFrame({"interval_start": raw["timestamp_local"], "price_eur_per_mwh": raw["price_eur_mwh"]})


def written(begin: pd.Series, offset_h: int) -> pd.Series:
    """Return times as ISO 8601 text with a fixed offset."""
    clock = (begin + pd.Timedelta(hours=offset_h)).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return clock + f"{offset_h:+03d}:00"


def main() -> None:
    """Write the five files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    series = {
        "glen": glen(given.data),
        "bpat": bpat(given.data),
        "northway": northway(given.data),
        "no2": price(given.data, "price_no2_2025.csv"),
        "se1": price(given.data, "price_se1_2020_2023.csv"),
    }
    for name, rows in series.items():
        rows.to_csv(given.out / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{given.out / name}.csv: {len(rows)} rows")


if __name__ == "__main__":
    main()
