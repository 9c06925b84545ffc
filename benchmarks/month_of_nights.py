"""A month of deploy/bratsk-10 as it runs: a night for each day and a replan at :50 of each hour, feeds as they come.

Usage: python benchmarks/month_of_nights.py [--days N] [--prices 24|72] [--seed S]

Once a day come the surplus and the weather of 72 hours and, with ``--prices 24``, the prices of tomorrow alone, as a
day-ahead market has them: the job's tail says how the plan goes on.  With ``--prices 72`` they reach as far as the
plan looks: the tail is perfect.  What is forecast for an hour is what comes true, so that only the tail makes a
difference.  Prices move about the break-even of the containers, so that starts depend on what comes next.  Broker,
notices, metrics and reports are left out.  Printed: exit codes, in how many plans something was filled, what the
executed hours earned, and what the replay of all days says.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from machine import machine

from flexmine.errors import FlexmineError
from flexmine.jobs.executed_days import executed, join
from flexmine.jobs.intraday import REPLAN, Intraday
from flexmine.jobs.job import Job, read_job
from flexmine.jobs.night import Night

DEPLOY = Path(__file__).parents[1] / "deploy" / "bratsk-10"
BEGIN = datetime(2026, 11, 30, 16, tzinfo=UTC)
"""Midnight of 1 December in Bratsk."""
ISSUED = timedelta(hours=-10)
"""Before the day that it begins with: 14:00 of the day before."""
HOUR = timedelta(hours=1)


def truth(days: int, seed: int) -> dict[str, np.ndarray]:
    """Return hourly surplus [MW], price [USD/MWh] and temperature [C]; the level of each day is drawn anew."""
    rng, t = np.random.default_rng(seed), np.arange(24 * (days + 4))
    day, hour = t // 24, t % 24
    level = 62.0 + 14.0 * rng.standard_normal(days + 4)
    price = level[day] + 12.0 * np.sin(2 * np.pi * (hour - 13) / 24) + 3.0 * rng.standard_normal(t.size)
    water = np.clip(4.0 + 3.0 * rng.standard_normal(days + 4), 0.0, 9.0)
    surplus = np.clip(water[day] + 2.0 * np.sin(2 * np.pi * (hour - 4) / 24), 0.0, 10.0)
    cold = -18.0 + 6.0 * rng.standard_normal(days + 4)
    temperature = cold[day] + 4.0 * np.sin(2 * np.pi * (hour - 9) / 24)
    return {"surplus_mw": surplus.round(3), "price_usd_per_mwh": price.round(2), "temperature_c": temperature.round(1)}


def issue(feeds: Path, values: dict[str, np.ndarray], day: int, price_h: int) -> None:
    """Write what comes for a day: one file of each feed."""
    stamp = f"{BEGIN + day * 24 * HOUR + ISSUED:%Y%m%dT%H%MZ}"
    for name, column, hours in (
        ("surplus", "surplus_mw", 72),
        ("price", "price_usd_per_mwh", price_h),
        ("weather", "temperature_c", 72),
    ):
        rows = [
            f"{(BEGIN + t * HOUR).isoformat()},{values[column][t]}"
            for t in range(24 * day, min(24 * day + hours, len(values[column])))
        ]
        text = "\n".join([f"interval_start,{column}", *rows]) + "\n"
        (feeds / f"{name}_{stamp}.csv").write_text(text, encoding="utf-8")


def made(folder: Path) -> Job:
    """Copy the shipped job into a folder of its own, without what would reach outside it."""
    for name in ("case.yaml", "pins.yaml", "job.yaml"):
        text = (DEPLOY / name).read_text(encoding="utf-8").replace("/var/lib/flexmine/bratsk-10", str(folder))
        lines = text.splitlines()
        if name == "job.yaml":
            outside = ("  mqtt:", "notices:", "  - {command", "  - {webhook", "metrics:")
            lines = [line for line in lines if not line.startswith(outside)]
            lines.append("report: false")
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_job(folder / "job.yaml")


def main() -> None:
    """Run the month and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--prices", type=int, choices=(24, 72), default=24)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    values, ended = truth(given.days, given.seed), Counter[str]()
    filled = plans = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "feeds").mkdir()
        job = made(folder)

        def run(what: str, call: Night | Intraday) -> None:
            nonlocal filled, plans
            try:
                results = call.run()
            except FlexmineError as error:
                ended[f"{what} exit {error.exit_code}: {error.messages[0][:160]}"] += 1
                return
            for result in results:
                ended[f"{what} exit {result.record.exit_code}"] += 1
                plan = job.folder / result.record.folder / "plan" / "plan.json"
                filled += bool(json.loads(plan.read_text(encoding="utf-8"))["filled"])
                plans += 1

        for day in range(given.days):
            issue(folder / "feeds", values, day, given.prices)
            midnight = BEGIN + day * 24 * HOUR
            for hour in range(-10, 14):  # of the day before, from when its feeds have come
                now = midnight + hour * HOUR
                if hour == -9:
                    run("night", Night(job, now))
                elif day > 0 or hour >= 0:
                    run("replan", Intraday(Night(job, now + timedelta(minutes=50)), REPLAN))
        store = job.open_store()
        joined = join(executed(store, job.plant))
        store.close()
    print(machine())
    print(f"{given.days} days, prices of {given.prices} h, seed {given.seed}")
    for line, count in sorted(ended.items()):
        print(f"  {count:5d}  {line}")
    print(f"  {filled} of {plans} plans with something filled")
    starts = int((joined.replay.warm_start | joined.replay.cold_start).sum())
    print(f"  earned {joined.replay.money_usd:.2f} USD, {starts} starts, {len(joined.replay.violations)} violations")


if __name__ == "__main__":
    main()
