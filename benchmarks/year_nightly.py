"""A year of nights of the Bratsk 40 MW plant, each planned, stored and published, then all replayed as one schedule.

Usage: python benchmarks/year_nightly.py --data FOLDER [--nights N] [--work FOLDER]

FOLDER holds the files that ``data/SOURCES.md`` describes, as published: Glen Canyon's releases from May 2024 to April
2025, prices of NO2 of 2025 and the typical year of Northway, all as stand-ins by the site's clock.
"""

import argparse
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from flexmine.jobs.executed_days import executed, join
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night

OFFSET = "+08:00"
M3_PER_CUBIC_FOOT, MW_PER_M3_S = 0.0283168, 0.91
CONTRACTED_MW, SHARE_OF_BYPASS, SHARE_ABOVE_CONTRACT = 200.0, 0.24, 0.15
FIRST, DAYS = date(2024, 5, 1), 365
CASE = """\
schema: flexmine-case/1
name: bratsk-40-year
title: Bratsk, 40 MW, a year of nights
notes: ["All series are stand-ins by the site's clock: see data/SOURCES.md."]
plant: shipped:plants/bratsk-40
start: 2024-05-01T00:00:00+08:00
series:
  temperature_c: {file: temperature.csv, column: temperature_c, unit: C}
sources:
  - name: surplus
    kind: surplus
    available_mw: {file: surplus.csv, column: surplus_mw, unit: MW}
    price_usd_per_mwh: 10.0
  - name: grid
    kind: firm
    available_mw: 40.0
    price_usd_per_mwh: {file: price.csv, column: price_usd_per_mwh, unit: USD/MWh}
hash_value: {btc_price_usd: 65000, difficulty: 95e12, subsidy_btc: 3.125, fees_btc_per_block: 0.1, pool_fee: 0.02}
state: {initial_mw: 0.56, default: {on: false, hours: 10}}
"""
JOB = """\
schema: flexmine-job/1
name: bratsk-40-year
case: case.yaml
first_day: %s
initial_state: {initial_mw: 0.56, default: {on: false, hours: 10}}
look_ahead_h: 24
report: false
"""


def clock(text: pd.Series) -> pd.Series:
    """Return the local clock time of ISO 8601 text with offset, without the offset."""
    return pd.to_datetime(text.str.slice(0, 19))


def year_of(stamps: pd.Series, values: pd.Series) -> pd.Series:
    """Return hourly values from FIRST by calendar and clock, the year left out; an hour without value takes the last."""
    wanted = pd.date_range(pd.Timestamp(FIRST), periods=24 * (DAYS + 2), freq="h")
    by_clock = dict(zip(stamps.dt.strftime("%m-%d %H"), values, strict=True))
    return pd.Series([by_clock.get(t, np.nan) for t in wanted.strftime("%m-%d %H")], index=wanted).ffill()


def write(series: pd.Series, column: str, decimals: int, path: Path) -> None:
    """Write interval_start in site time and the value."""
    lines = [f"{t:%Y-%m-%dT%H:%M:%S}{OFFSET},{v:.{decimals}f}" for t, v in series.items()]
    path.write_text("\n".join([f"interval_start,{column}", *lines]) + "\n", encoding="utf-8")


def write_inputs(data: Path, work: Path) -> None:
    """Write the series, the template and the job."""
    dam = pd.read_csv(data / "hydro_glen_canyon_hourly.csv")
    bypass_mw = dam["bypass_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    above_mw = (dam["power_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S - CONTRACTED_MW).clip(lower=0.0)
    surplus = year_of(clock(dam["timestamp"]), SHARE_OF_BYPASS * bypass_mw + SHARE_ABOVE_CONTRACT * above_mw)
    write(surplus, "surplus_mw", 4, work / "surplus.csv")
    no2 = pd.read_csv(data / "price_no2_2025.csv")
    write(
        year_of(clock(no2["timestamp_local"]), 1.17 * no2["price_eur_mwh"]), "price_usd_per_mwh", 4, work / "price.csv"
    )
    tmy = pd.read_csv(data / "weather_northway_tmy3.csv")
    stamps = pd.to_datetime(tmy[["month", "day"]].assign(year=2023, hour=tmy["hour_ending_lst"] - 1))
    write(year_of(stamps, tmy["dry_bulb_c"]), "temperature_c", 1, work / "temperature.csv")
    (work / "case.yaml").write_text(CASE, encoding="utf-8")
    (work / "job.yaml").write_text(JOB % FIRST.isoformat(), encoding="utf-8")


def run(work: Path, nights: int) -> None:
    """Run all nights and print what came of them."""
    job = read_job(work / "job.yaml")
    begin, cpu, money_usd, slowest = time.perf_counter(), time.process_time(), 0.0, 0.0
    statuses: dict[str, int] = {}
    for i in range(nights):
        day, started = FIRST + timedelta(days=i), time.perf_counter()
        now = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=24 + 8 - 2)
        result = Night(job, now).run(day)[0]
        money_usd += result.record.money_usd
        statuses[result.record.status] = statuses.get(result.record.status, 0) + 1
        slowest = max(slowest, time.perf_counter() - started)
    taken, busy = time.perf_counter() - begin, time.process_time() - cpu
    print(f"{nights} nights in {taken:.1f} s ({busy:.1f} s of processor), the slowest in {slowest:.2f} s: {statuses}")
    print(f"every plan was audited from its files before it was stored; published money {money_usd:,.0f} USD")
    store = job.open_store()
    whole = join(executed(store, job.plant))
    starts = int(whole.replay.warm_start.sum() + whole.replay.cold_start.sum())
    print(
        f"joined: {whole.problem.steps} steps x {len(whole.problem.containers)} containers replayed as one schedule: "
        f"{whole.replay.checks} checks, {len(whole.replay.violations)} violations, {starts} starts, "
        f"{float(whole.replay.money_by_step_usd.sum()):,.0f} USD"
    )
    for violation in whole.replay.violations[:20]:
        print(violation.message)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the raw files")
    parser.add_argument("--nights", type=int, default=DAYS)
    parser.add_argument("--work", type=Path, help="where to keep inputs, runs and publications [default: removed]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = arguments.work or Path(name)
        work.mkdir(parents=True, exist_ok=True)
        write_inputs(arguments.data, work)
        run(work, arguments.nights)


if __name__ == "__main__":
    main()
