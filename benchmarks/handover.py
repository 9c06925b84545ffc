"""From a Problem to a matrix in HiGHS: Pyomo's own interface, the hand-over here, and a repeated night.

Usage: python benchmarks/handover.py [SIZE ...]

Seconds of processor time, the least of N; a ratio is against Pyomo's appsi interface on the same model.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable

from pyomo.contrib.appsi.solvers.highs import Highs

from flexmine.milp.class_data import class_data_of
from flexmine.milp.model import build_model
from flexmine.problem import Problem
from flexmine.solving.handover import compiled, equal, forget, matrix_of
from flexmine.solving.highs import Solver
from plants import plant

SIZES = ("bratsk-day", "bratsk-40", "fleet-500", "week-15min", "fleet-5000")
NIGHTS = 20
OPTIONS = {"threads": 1, "mip_rel_gap": 1e-4}


def least_seconds(action: Callable[[], object], repeat: int) -> float:
    """Return the least processor time of an action."""
    best = float("inf")
    for _ in range(repeat):
        gc.collect()
        begin = time.process_time()
        action()
        best = min(best, time.process_time() - begin)
    return best


def by_appsi(problem: Problem) -> None:
    """Hand a Problem over as Pyomo does: rules one by one, then its interface to HiGHS."""
    Highs().set_instance(build_model(problem))


def first_compile(problem: Problem, *, templated: bool | None = None) -> None:
    """Compile a Problem whose structure was never seen, and pass it to HiGHS."""
    Solver(compiled(problem, templated=templated), OPTIONS)


def repeated_night(size: str) -> float:
    """Return the mean processor time of a night whose structure is known, data to HiGHS; every matrix is checked."""
    forget()
    nights = [plant(size, seed) for seed in range(NIGHTS)]
    for problem in nights[:4]:
        matrix_of(problem)
    seconds = 0.0
    for problem in nights[4:]:
        begin = time.process_time()
        matrix = matrix_of(problem, {k.name: k for k in class_data_of(problem)})
        Solver(matrix, OPTIONS)
        seconds += time.process_time() - begin
        assert equal(matrix, compiled(problem)), "a filled skeleton differs from a fresh compile"
    return seconds / len(nights[4:])


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    print(
        f"{'size':14s}{'nonzeros':>10s}{'appsi s':>10s}{'plain':>8s}{'ratio':>7s}{'first':>8s}{'ratio':>7s}{'night ms':>10s}"
    )
    for size in given.sizes:
        problem = plant(size)
        nonzeros = compiled(problem).A.nnz
        appsi = least_seconds(lambda p=problem: by_appsi(p), given.repeat)
        plain = least_seconds(lambda p=problem: first_compile(p, templated=False), given.repeat)
        first = least_seconds(lambda p=problem: first_compile(p), given.repeat)
        ratios = f"{plain:8.3f}{plain / appsi:7.2f}{first:8.3f}{first / appsi:7.2f}"
        print(f"{size:14s}{nonzeros:10d}{appsi:10.3f}{ratios}{1000 * repeated_night(size):10.2f}", flush=True)


if __name__ == "__main__":
    main()
