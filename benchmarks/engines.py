"""Engines against each other: from a matrix in memory to whole counts with a proven gap.

Usage: python benchmarks/engines.py [--quick] [--sizes NAME ...] [--seeds N] [--json FILE]

One thread each; seconds of processor time, so that another process on the machine does not decide.  `auto` and `mip`
take turns on the same matrix.  Every pair of plans is compared: the money of both lies within both bounds.  "chain" is
all of it, data to audited plan, by engine auto, with a structure that was seen before.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intervals import audited_by_intervals
from machine import machine, peak_mb, table

from flexmine.audit.replay import replay
from flexmine.errors import NoPlan
from flexmine.milp.class_data import class_data_of
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.state import state_after
from flexmine.problem import Problem
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.first_stage import FirstStage, Task
from flexmine.solving.handover import matrix_of
from flexmine.solving.rounding.layout import layout_of
from plants import Size, night, plant

GAPS = (1e-4, 1e-6)
SEEDS = {"fleet-5000": 4, "fleet-50000": 1}
LIMIT_S = {"fleet-50000": 60.0, "fleet-5000": 40.0}
SIZES = (
    *("bratsk-day", "bratsk-40", "week-15min", "fleet-500", "fleet-5000", "fleet-50000"),
    *("small-classes-5", "small-classes-10", "small-classes-20"),
)
QUICK = ("bratsk-day", "bratsk-40", "fleet-500", "small-classes-5")
BY_INTERVALS_FROM = 5000
COLUMNS = {
    "size": "size",
    "data": "data",
    "gap": "gap",
    "seeds": "seeds",
    "auto_s": "auto s",
    "mip_s": "mip s",
    "ratio": "auto/mip",
    "worst": "worst gap",
    "mip_worst": "mip's",
    "ended": "closed by",
    "chain_s": "chain s",
    "peak_mb": "peak MB",
}
YEAR_COLUMNS = {
    "nights": "nights",
    "gap": "gap",
    "auto_s": "auto s",
    "mip_s": "mip s",
    "ratio": "auto/mip",
    "chain_s": "chain s",
}
GROWTH_COLUMNS = {
    "what": "what grows",
    "value": "to",
    "nonzeros": "nonzeros",
    "auto_s": "auto s",
    "gap": "gap",
    "engine": "closed by",
}


@dataclass(frozen=True)
class Timed:
    """A first stage and its processor time [s]; None where time was up without a plan."""

    seconds: float
    stage: FirstStage | None

    @property
    def gap(self) -> float:
        """Return the proven gap."""
        if self.stage is None:
            return float("inf")
        return max(0.0, self.stage.objective - self.stage.bound) / max(1.0, abs(self.stage.objective))


def timed(problem: Problem, engine: str, gap: float, limit_s: float) -> Timed:
    """Solve the matrix of a Problem; making the matrix is outside of the time."""
    class_data = class_data_of(problem)
    matrix = matrix_of(problem, {k.name: k for k in class_data})
    layout = layout_of(matrix, class_data, [j.name for j in problem.sources], problem.steps)
    options = SolveOptions(gap=gap, engine=engine, time_limit_s=limit_s)
    gc.collect()
    begin = time.process_time()
    try:
        stage = Task(problem, class_data, matrix, layout, options).run()
    except NoPlan:
        stage = None
    return Timed(time.process_time() - begin, stage)


def chain_s(problem: Problem, gap: float) -> float:
    """Return the processor time from data to an audited plan."""
    begin = time.process_time()
    solution = solve(problem, SolveOptions(gap=gap))
    if len(problem.containers) >= BY_INTERVALS_FROM:
        audited_by_intervals(problem, solution)
    else:
        audit = replay(problem, to_schedule(problem, solution))
        assert audit.ok, audit.violations[0].message
        assert audit.money_usd >= solution.money_usd - 1e-6 * abs(solution.money_usd)
    return time.process_time() - begin


def compared(size: str, data: str, gap: float, seeds: int) -> dict[str, Any]:
    """Return a row of the table: medians over seeds."""
    limit = LIMIT_S.get(size, 30.0)
    pairs = []
    for seed in range(1, seeds + 1):
        problem = plant(size, seed, data)
        auto, mip = (timed(problem, engine, gap, limit) for engine in ("auto", "mip"))
        assert auto.stage is not None, f"{size}, seed {seed}: engine auto has no plan"
        if mip.stage is not None:
            noise = 1e-6 * max(1.0, abs(mip.stage.objective))
            assert auto.stage.bound - noise <= mip.stage.objective, "a plan below the bound of engine auto"
            assert mip.stage.bound - noise <= auto.stage.objective, "a plan below the bound of engine mip"
        pairs.append((auto, mip))
    ended = Counter(auto.stage.engine for auto, _ in pairs)
    autos, mips = zip(*pairs, strict=True)
    return {
        "size": size,
        "data": data,
        "gap": gap,
        "seeds": seeds,
        "auto_s": statistics.median(a.seconds for a in autos),
        "mip_s": statistics.median(m.seconds for m in mips),
        "ratio": statistics.median(a.seconds / m.seconds for a, m in pairs),
        "worst": max(a.gap for a in autos),
        "mip_worst": max(m.gap for m in mips),
        "ended": ", ".join(f"{name} {count}" for name, count in ended.most_common()),
        "chain_s": chain_s(plant(size, 1, data), gap),
        "peak_mb": round(peak_mb()),
    }


def year(nights: int, gap: float) -> dict[str, Any]:
    """Return a row: nights of 48 hours in a row, 24 of them executed, the state carried; both engines see the same."""
    state, sums = None, Counter()
    for day in range(nights):
        problem = night(day, state)
        for engine in ("auto", "mip"):
            sums[engine] += timed(problem, engine, gap, 30.0).seconds
        begin = time.process_time()
        schedule = to_schedule(problem, solve(problem, SolveOptions(gap=gap)))
        audit = replay(problem, schedule)
        assert audit.ok, audit.violations[0].message
        state = state_after(problem, schedule, audit, 24)
        sums["chain"] += time.process_time() - begin
    ratio = sums["auto"] / sums["mip"]
    return {
        "nights": nights,
        "gap": gap,
        "auto_s": sums["auto"],
        "mip_s": sums["mip"],
        "ratio": ratio,
        "chain_s": sums["chain"],
    }


def growth(quick: bool) -> list[dict[str, Any]]:
    """Return rows: one dimension grows at a time, engine auto, gap 1e-4, hard data, the least of three runs."""
    ladders = {
        "containers in ten classes, 168 h": [(n, Size(n, 10, 168)) for n in (100, 500, 5000, 50000)],
        "classes of 100 containers, 48 h": [(k, Size(100 * k, k, 48)) for k in (1, 5, 10, 20)],
        "hours, 56 containers": [(h, Size(56, 1, h)) for h in (24, 48, 168, 336)],
        "steps an hour, 56 containers, 48 h": [(round(1 / s), Size(56, 1, 48, s)) for s in (1.0, 0.5, 0.25)],
    }
    rows = []
    for what, ladder in ladders.items():
        for value, size in ladder[: 2 if quick else None]:
            problem = plant(size, 1)
            runs = [timed(problem, "auto", 1e-4, 30.0) for _ in range(3)]
            best = min(runs, key=lambda run: run.seconds)
            rows.append(
                {
                    "what": what,
                    "value": value,
                    "nonzeros": matrix_of(problem).A.nnz,
                    "auto_s": best.seconds,
                    "gap": best.gap,
                    "engine": best.stage.engine,
                }
            )
    return rows


def main() -> None:
    """Print three Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few sizes, three seeds, 20 nights")
    parser.add_argument("--sizes", nargs="*")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--json", type=Path, help="where to write all rows")
    given = parser.parse_args()
    print(machine(), "\n")
    rows: dict[str, list[dict[str, Any]]] = {"engines": [], "year": [], "growth": []}
    for size in given.sizes or (QUICK if given.quick else SIZES):
        seeds = given.seeds or (3 if given.quick else SEEDS.get(size, 8))
        for data in ("hard", "easy"):
            for gap in GAPS:
                rows["engines"].append(compared(size, data, gap, seeds if data == "hard" else min(seeds, 3)))
                print(table(COLUMNS, rows["engines"][-1:]).splitlines()[-1], flush=True)
    if not given.sizes:
        rows["year"] = [year(20 if given.quick else 365, 1e-4)]
        rows["growth"] = growth(given.quick)
    print()
    for name, columns in (("engines", COLUMNS), ("year", YEAR_COLUMNS), ("growth", GROWTH_COLUMNS)):
        if rows[name]:
            print(table(columns, rows[name]), "\n")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), **rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
