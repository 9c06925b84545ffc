"""Nights in a row: 56 containers, 48 hours planned and 24 executed, the state carried, every night audited.

Usage: python benchmarks/nights.py [--nights N] [--data easy|hard] [--gap G]

Every 100 nights: seconds of processor time a night, what of them is spent beyond the search, and the memory that the
process holds.  The run fails where a night fails its audit, or where the state that is carried over differs from what
the audit saw.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections import Counter

from machine import machine, resident_mb

from flexmine.audit.replay import replay
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.state import FleetState, state_after
from flexmine.problem import Problem
from flexmine.solving.engine import Solution, SolveOptions, solve
from plants import DATA, night

EXECUTED_H = 24
TOLD_EVERY = 100


def one_night(problem: Problem, gap: float, engines: Counter[str]) -> tuple[FleetState, float, float, Solution]:
    """Plan and audit a night; return the state after it, its processor time, and that of hand-over alone."""
    begin = time.process_time()
    solution = solve(problem, SolveOptions(gap=gap))
    schedule = to_schedule(problem, solution)
    audit = replay(problem, schedule)
    if not audit.ok:
        raise SystemExit(f"{problem.time.start:%Y-%m-%d}: {audit.violations[0].message}")
    if audit.money_usd < solution.money_usd - 1e-6 * max(1.0, abs(solution.money_usd)):
        raise SystemExit(
            f"{problem.time.start:%Y-%m-%d}: the model says {solution.money_usd}, the audit {audit.money_usd}"
        )
    after = state_after(problem, schedule, audit, EXECUTED_H)
    engines[solution.engine] += 1
    handed_over = solution.seconds["compile"] + solution.seconds["pass"]
    return after, time.process_time() - begin, handed_over, solution


def main() -> None:
    """Print a line every 100 nights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--data", choices=DATA, default="hard")
    parser.add_argument("--gap", type=float, default=1e-4)
    given = parser.parse_args()
    print(machine(), "\n")
    print(
        f"{'nights':>7s}{'ms a night':>12s}{'hand-over ms':>14s}{'starts':>8s}{'worst gap':>11s}{'memory MB':>11s}  closed by"
    )
    state: FleetState | None = None
    engines: Counter[str] = Counter()
    spent, handed, starts, worst = 0.0, 0.0, 0, 0.0
    for number in range(given.nights):
        state, seconds, handed_over, solution = one_night(night(number, state, data=given.data), given.gap, engines)
        spent, handed, worst = spent + seconds, handed + handed_over, max(worst, solution.gap)
        starts += sum(int(k.start[:EXECUTED_H].sum()) for k in solution.classes)
        if (number + 1) % TOLD_EVERY == 0 or number + 1 == given.nights:
            told = (number % TOLD_EVERY) + 1
            gc.collect()
            ended = ", ".join(f"{name} {count}" for name, count in engines.most_common())
            figures = (
                f"{1000 * spent / told:12.1f}{1000 * handed / told:14.2f}{starts:8d}{worst:11.1e}{resident_mb():11.1f}"
            )
            print(f"{number + 1:7d}{figures}  {ended}", flush=True)
            engines.clear()
            spent, handed, starts, worst = 0.0, 0.0, 0, 0.0


if __name__ == "__main__":
    main()
