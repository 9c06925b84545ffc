"""A year of nights of the Bratsk 40 MW plant, each planned, stored and published, then all replayed as one schedule.

Usage: python benchmarks/year_nightly.py [--nights N] [--work FOLDER]

The year is the shipped one of stand-ins, ``data/stand_in_year.csv``: May 2024 to April 2025 by the site's clock.
"""

import argparse
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from flexmine.jobs.executed_days import executed, join
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night

FIRST, DAYS = date(2024, 5, 1), 365
CASE = """\
schema: flexmine-case/1
name: bratsk-40-year
title: Bratsk, 40 MW, a year of nights
notes: ["All series are stand-ins by the site's clock: see data/SOURCES.md."]
plant: shipped:plants/bratsk-40
start: 2024-05-01T00:00:00+08:00
series:
  temperature_c: {file: shipped:stand_in_year.csv, column: temperature_c, unit: C}
sources:
  - name: surplus
    kind: surplus
    available_mw: {file: shipped:stand_in_year.csv, column: surplus_mw, unit: MW}
    price_usd_per_mwh: 10.0
  - name: grid
    kind: firm
    available_mw: 40.0
    price_usd_per_mwh:
      file: shipped:stand_in_year.csv
      column: price_eur_per_mwh
      unit: EUR/MWh
      factors: [{name: usd_per_eur, value: 1.17, note: assumed}]
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


def write_inputs(work: Path) -> None:
    """Write the template and the job."""
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
    parser.add_argument("--nights", type=int, default=DAYS)
    parser.add_argument("--work", type=Path, help="where to keep inputs, runs and publications [default: removed]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = arguments.work or Path(name)
        work.mkdir(parents=True, exist_ok=True)
        write_inputs(work)
        run(work, arguments.nights)


if __name__ == "__main__":
    main()
