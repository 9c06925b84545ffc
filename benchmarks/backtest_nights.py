"""365 nights of a back-test, 56 containers and 48 hours each: our search against HiGHS's MIP on the same kept matrix.

Usage: python benchmarks/backtest_nights.py [--nights 363] [--regime thin high]

Both take the policy *nightly* through the same nights with the same settlement,
turn by turn in blocks of days in one run; printed are seconds of processor time of each, money, and their ratio.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from backtest_year import DIFFICULTY, SURPLUS, write
from machine import machine

from flexmine.studies.backtest import read_backtest
from flexmine.studies.run import run_policy

FIRST = date(2024, 5, 3)
BLOCK_DAYS = 28


def main() -> None:
    """Print a line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=363)
    parser.add_argument("--regime", nargs=2, default=["rich", "high"], help=f"of {[*SURPLUS]} and {[*DIFFICULTY]}")
    given = parser.parse_args()
    given.policies, given.seeds, given.price_noise = ["nightly"], [1], False
    taken, earned = {"auto": 0.0, "mip": 0.0}, {"auto": 0.0, "mip": 0.0}
    with tempfile.TemporaryDirectory() as name:
        for first in range(0, given.nights, BLOCK_DAYS):
            file = write(Path(name), "nights", 40, tuple(given.regime), given)
            last = min(first + BLOCK_DAYS, given.nights) - 1
            text = file.read_text(encoding="utf-8").replace("tuned_until: 2024-10-31\n", "")
            text = text.replace(f"first_day: {FIRST}", f"first_day: {FIRST + timedelta(days=first)}")
            text = text.replace("last_day: 2025-04-30", f"last_day: {FIRST + timedelta(days=last)}")
            file.write_text(text, encoding="utf-8")
            setup = read_backtest(file)
            for engine in taken:
                world = setup.world(1)
                world = replace(world, options=replace(world.options, engine=engine))
                begin = time.process_time()
                run = run_policy(world, setup.document, "nightly", 1)
                taken[engine] += time.process_time() - begin
                earned[engine] += float(run.steps["money_usd"].sum())
                if run.broken or run.without_plan:
                    raise SystemExit(f"{engine}: {run.violations} {run.without_plan} nights without a plan")
    print(machine())
    for engine, seconds in taken.items():
        print(f"{engine:5} {given.nights} nights {seconds:8.1f} s of processor, {earned[engine]:14,.0f} USD")
    print(f"ratio {taken['auto'] / taken['mip']:.3f}")


if __name__ == "__main__":
    main()
