"""HiGHS's MIP on the compiled matrix, and the counts it returns made whole."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from flexmine.errors import NoPlan
from flexmine.problem import Floats
from flexmine.solving.highs import Outcome, Solver, SolverFailed
from flexmine.solving.options import HighsOptions, SolveOptions
from flexmine.solving.standard_form import Matrix

LOG = logging.getLogger(__name__)
INTEGRALITY_SLACK = 1e-4


def mip_options(options: SolveOptions, time_limit_s: float | None = None) -> HighsOptions:
    """Return the options of a MIP run, by HiGHS's own names; `time_limit_s` [s] replaces the limit of `options`."""
    return {
        "threads": options.threads,
        "random_seed": options.seed,
        "time_limit": float(options.time_limit_s if time_limit_s is None else time_limit_s),
        "mip_rel_gap": options.gap,
        # Ours is relative to at least 1 USD: an absolute gap of `gap` USD meets it where money is small.
        "mip_abs_gap": options.gap,
        # The bound is as good as the tolerances under which it was found.
        "mip_feasibility_tolerance": 1e-9,
        **options.highs,
    }


def run_mip(solver: Solver, seed: int) -> Outcome:
    """Solve; a failure is tried again with another seed than `seed`, and an infeasible end again without presolve.

    Raises
    ------
    SolverFailed
        The second try fails too.
    """
    try:
        outcome = solver.run()
    except SolverFailed as failure:
        # About one solve in 1,000 fails for one seed and not for another (HiGHS#2810).
        other_seed = (seed + 1) % 2**31
        LOG.warning("%s; tried once more with seed %d", failure, other_seed)
        solver.set_options({"random_seed": other_seed})
        outcome = solver.run()
    if outcome.status != "infeasible":
        return outcome
    # Presolve has called feasible models infeasible (HiGHS#3296, #1958): ask once more without it.
    solver.set_options({"presolve": "off"})
    return solver.run()


def polished(matrix: Matrix, values: Floats, options: SolveOptions) -> tuple[Floats, float]:
    """Fix the counts to whole numbers and solve the power again, free of the search's tolerances.

    Raises
    ------
    NoPlan
        The counts are not whole, or no power fits them.
    """
    columns = np.flatnonzero(matrix.integer)
    counts = np.rint(values[columns])
    if np.abs(counts - values[columns]).max(initial=0.0) > INTEGRALITY_SLACK:
        raise NoPlan("HiGHS returned counts that are not whole numbers")
    fixed = replace(matrix, lower=matrix.lower.copy(), upper=matrix.upper.copy())
    fixed.lower[columns] = fixed.upper[columns] = counts
    settings: HighsOptions = {
        "threads": options.threads,
        "random_seed": options.seed,
        "solver": "simplex",
        "primal_feasibility_tolerance": 1e-9,
        "dual_feasibility_tolerance": 1e-9,
    }
    outcome = Solver(fixed, settings, relax=True).run()
    if outcome.status != "optimal" or outcome.values is None:
        raise NoPlan(f"the power of the plan that HiGHS found could not be settled: {outcome.status}")
    kept = outcome.values.copy()
    kept[columns] = counts
    return kept, outcome.objective
