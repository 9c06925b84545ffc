"""A year of back-tests: 10 and 40 MW, thin and rich surplus, high and low hash value, against simple rules.

Usage: python benchmarks/backtest_year.py --work FOLDER [--sizes 40 10] [--seeds 1 2] [--price-noise]

The year is the shipped one of stand-ins, ``data/stand_in_year.csv``: May 2024 to April 2025.  The rule *greedy* is tuned in hindsight on the first six months; money is printed of the last six, which nothing
was tuned on, and of all.  The surplus is forecast with errors of 12 % far ahead, prices are those of a day-ahead market
that publishes at 13:00, or, with ``--price-noise``, forecast with errors of 10 %; weather is known.  Setpoints are
decided from what is known ten minutes before.  Finished parts are kept in the work folder: run it again to go on.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from machine import machine

import flexmine
from flexmine.resources import shipped_path

if TYPE_CHECKING:
    from flexmine.studies.result import Backtest

FIRST, LAST, TUNED = date(2024, 5, 3), date(2025, 4, 30), date(2024, 10, 31)
SURPLUS = {"thin": 0.35, "rich": 1.0}
DIFFICULTY = {"high": "95e12", "low": "150e12"}
"""At 65,000 USD: 49 and 31 USD per PH/s and day."""
BACKTEST = """\
schema: flexmine-backtest/1
name: {name}
case: case.yaml
first_day: {first}
last_day: {last}
policies: [{policies}]
perfect: true
forecasts:
  sources.surplus.available_mw: {{how: noise, relative: 0.12}}
  sources.grid.price_usd_per_mwh: {price}
lag_min: 10
tuned_until: {tuned}
seeds: [{seeds}]
"""
POLICIES = "always-on, threshold, greedy, nightly, redispatch, replan, perfect"


def write(folder: Path, name: str, size: int, regime: tuple[str, str], given: argparse.Namespace) -> Path:
    """Write case and back-test of one regime, and return the file of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    case = shipped_path("years/bratsk-10-year").read_text(encoding="utf-8")
    case = case.replace("value: 0.25", f"value: {SURPLUS[regime[0]] * size / 40:g}")
    case = case.replace("difficulty: 95e12", f"difficulty: {DIFFICULTY[regime[1]]}")
    if size == 40:
        case = case.replace("plants/bratsk-10", "plants/bratsk-40").replace("available_mw: 10.0", "available_mw: 40.0")
        case = case.replace("initial_mw: 0.14", "initial_mw: 0.56")
    (folder / "case.yaml").write_text(case, encoding="utf-8")
    price = "{how: noise, relative: 0.1}" if given.price_noise else "{how: day_ahead, at_h: 13}"
    file = folder / "backtest.yaml"
    text = BACKTEST.format(
        name=name, first=FIRST, last=LAST, tuned=TUNED, price=price,
        policies=", ".join(given.policies), seeds=", ".join(map(str, given.seeds)),
    )  # fmt: skip
    file.write_text(text, encoding="utf-8")
    return file


def money(found: Backtest, first: str) -> dict[str, float]:
    """Return the money of each policy from a day on, mean over the seeds [USD]."""
    sums: dict[str, list[float]] = {}
    for run in found.runs:
        later = run.steps["interval_start"] >= first
        sums.setdefault(run.policy, []).append(float(run.steps["money_usd"][later].sum()))
    return {policy: sum(values) / len(values) for policy, values in sums.items()}


def line(name: str, span: str, own: dict[str, float]) -> str:
    """Return a line of the table."""
    cells = [f"{own.get(policy, float('nan')):12,.0f}" for policy in POLICIES.split(", ")]
    share = own.get("replan", float("nan")) / own.get("perfect", float("nan"))
    above = own.get("replan", float("nan")) / own.get("greedy", float("nan")) - 1
    return f"{name:18} {span:5} {''.join(cells)}  {share:7.2%} {above:+8.2%}"


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", choices=(10, 40), default=[40, 10])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--policies", nargs="+", choices=POLICIES.split(", "), default=POLICIES.split(", "))
    parser.add_argument("--price-noise", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    print(machine())
    print(f"{'':18} {'':5} {''.join(f'{p:>12}' for p in POLICIES.split(', '))}  of perf. on greedy", flush=True)
    for size, *regime in product(given.sizes, SURPLUS, DIFFICULTY):
        name = f"mw{size}-{regime[0]}-{regime[1]}" + ("-noise" if given.price_noise else "")
        begin = time.perf_counter()
        file = write(given.work / name, name, size, (regime[0], regime[1]), given)
        found = flexmine.backtest(file, given.work / name / "out", workers=given.workers)
        print(line(name, "last6", money(found, "2024-11-01")))
        print(line("", "all", money(found, "")), f" {time.perf_counter() - begin:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
