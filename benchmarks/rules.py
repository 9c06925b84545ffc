"""The simple rules: processor time against the greedy rule of flexmine 0.1, and money against the plan.

Usage: python benchmarks/rules.py [--nights N]

First table, a fleet a line: seconds of processor time of the earlier greedy alone and of all three rules of today, in
turns; their ratio; and by how much each rule is below the plan.  Second: so many nights in a row, the state of the plan
carried over, with the pair of charges that is best in hindsight and with the best of the nights before.  Last: one walk
with a given pair over six hours.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from flexmine.audit.replay import replay
from flexmine.baselines.greedy import CHARGES, money_of_charges, walk_with
from flexmine.baselines.rules import simple_rules
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.state import FleetState, state_after
from flexmine.solving.engine import SolveOptions, solve
from plants import Size, night, plant

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from earlier_greedy import earlier_greedy

FLEETS = (Size(14, 1, 48), Size(56, 1, 48), Size(500, 5, 48), Size(500, 5, 168))
EXECUTED_H, CALLS = 24, 500


def cpu_s(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return processor seconds and result of a call."""
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def below(money_usd: float | None, plan_usd: float) -> str:
    """Return by how much money is below the plan [%]."""
    return f"{'-':>10s}" if money_usd is None else f"{100 * (1 - money_usd / plan_usd):10.2f}"


def fleets() -> None:
    """Print time and money of four fleets."""
    print(
        f"{'fleet':>16s}{'earlier s':>11s}{'three s':>9s}{'ratio':>7s}{'plan USD':>12s}  below it, %: earlier", end=""
    )
    print(f"{'greedy':>10s}{'always on':>11s}{'threshold':>11s}")
    for size in FLEETS:
        problem = plant(size)
        plan_usd = solve(problem, SolveOptions(gap=1e-4)).money_usd
        earlier_s, earlier_usd = cpu_s(lambda p=problem: earlier_greedy(p))
        rules_s, rules = cpu_s(lambda p=problem: simple_rules(p, p.steps))
        always_on, threshold, greedy = (rule.money_usd for rule in rules)
        label = f"{size.containers} x {size.hours} h in {size.classes}"
        print(f"{label:>16s}{earlier_s:11.2f}{rules_s:9.2f}{earlier_s / rules_s:7.1f}{plan_usd:12,.0f}", end="")
        print(f"  {'':11s}{below(earlier_usd, plan_usd)}{below(greedy, plan_usd)}", end="")
        print(f" {below(always_on, plan_usd)} {below(threshold, plan_usd)}", flush=True)


def nights(number: int) -> None:
    """Print the money of nights in a row, with and without hindsight."""
    state: FleetState | None = None
    sums, past, worst = np.zeros(4), np.zeros(len(CHARGES)), 0.0
    for day in range(number):
        problem = night(day, state)
        solution = solve(problem, SolveOptions(gap=1e-4))
        schedule = to_schedule(problem, solution)
        audit = replay(problem, schedule)
        money = money_of_charges(problem)
        greedy = next(rule.money_usd for rule in simple_rules(problem, problem.steps) if rule.name == "greedy")
        blind = replay(problem, walk_with(problem, CHARGES[int(np.argmax(past))]))
        if not blind.ok or greedy is None:
            raise SystemExit(f"night {day}: a rule breaks a limit")
        sums += (audit.money_usd, greedy, blind.money_usd, earlier_greedy(problem) or 0.0)
        worst = max(worst, greedy - solution.bound_usd)
        past += np.nan_to_num(money, nan=-np.inf)
        state = state_after(problem, schedule, audit, EXECUTED_H)
    share = 100 * (1 - sums[1:] / sums[0])
    print(
        f"{number} nights of 56 x 48 h, plan {sums[0]:,.0f} USD; below it: greedy {share[0]:.2f} %, the pair of the past",
        end="",
    )
    print(f" nights {share[1]:.2f} %, the earlier greedy {share[2]:.2f} %; most above a bound {worst:.6f} USD")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=20)
    number = parser.parse_args().nights
    print(machine(), "\n")
    fleets()
    print()
    nights(number)
    hours = plant(Size(56, 1, 6))
    walk_with(hours, CHARGES[0])
    seconds, _ = cpu_s(lambda: [walk_with(hours, CHARGES[0]) for _ in range(CALLS)])
    print(f"one walk over 56 x 6 h: {1000 * seconds / CALLS:.2f} ms")


if __name__ == "__main__":
    main()
