"""Options, statuses, determinism and the shape of the model."""

from dataclasses import replace

import numpy as np
import pytest

from flexmine.errors import BadInput, NoPlan, Status
from flexmine.milp.model import build_model
from flexmine.problem import History
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.standard_form import compile_model
from plants import random_problem, reference_class, simple_problem


def spiky(steps=48, seed=5, count=14):
    rng = np.random.default_rng(seed)
    on = reference_class(count=count, steps=steps, history=(History(count, on=True, steps=10, it_power_mw=0.52),))
    return simple_problem(on, rng.uniform(0.5, 9, steps), 10.0, 10.0, rng.uniform(20, 120, steps), initial=7.43)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gap": -0.1}, "gap: -0.1"),
        ({"gap": float("nan")}, "gap: nan"),
        ({"time_limit_s": 0}, "time_limit_s: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"threads": 0}, "threads: 0"),
        ({"engine": "cplex"}, "engine: 'cplex' is unknown; allowed: auto, rounding, mip"),
    ],
)
def test_options_out_of_range_are_refused(wrong, message):
    """*Proves:* each option is checked.  *Sensitivity:* a swallowed option raises nothing."""
    with pytest.raises(BadInput, match=message):
        SolveOptions(**wrong)


@pytest.mark.parametrize(
    ("highs", "message"),
    [
        ({"mip_rel_gapp": 0.5}, "'mip_rel_gapp': HiGHS knows no such option"),
        ({"presolve": "banana"}, "'presolve': HiGHS refuses the value 'banana'"),
        ({"mip_rel_gap": "wide"}, "'mip_rel_gap': HiGHS refuses the value 'wide'"),
    ],
)
def test_unknown_or_refused_solver_options_raise(highs, message):
    """*Proves:* a misspelt option of HiGHS is an error.  *Sensitivity:* dropping its status would solve in silence."""
    with pytest.raises(BadInput, match=message):
        solve(spiky(steps=4), SolveOptions(highs=highs))


def test_same_input_same_plan():
    """*Proves:* two solves agree in every count and every digit.  *Sensitivity:* free threads or seeds may differ."""
    first, second = solve(spiky()), solve(spiky())
    assert first.money_usd == second.money_usd
    assert np.array_equal(first.supply_mw, second.supply_mw)
    assert np.array_equal(first.classes[0].on, second.classes[0].on)


def test_gap_is_of_the_contract():
    """gap = (bound - money) / max(1 USD, |money|), at most the asked one where the status is optimal.

    *Proves:* status and gap of the plan agree.  *Sensitivity:* HiGHS's own gap, relative to |money| alone, differs
    where money is below 1 USD.
    """
    solution = solve(spiky(), SolveOptions(gap=1e-3))
    assert solution.gap == (solution.bound_usd - solution.money_usd) / max(1.0, abs(solution.money_usd))
    assert solution.status is Status.OPTIMAL
    assert 0 <= solution.gap <= 1e-3


def test_time_limit_gives_incumbent_or_says_no_plan():
    """A search cut short states its gap, or ends as "no plan"; it never calls itself optimal.

    *Proves:* the status follows from bound and money, for limits from far too short to long enough.
    *Sensitivity:* a status that defaults to optimal fails here, because the gap asked is 0 and the plant is hard.
    """
    rng = np.random.default_rng(0)
    classes = [
        reference_class(f"k{i}", 3, steps=96, prefix=f"K{i}", hash_value_usd_per_th_s_h=0.0018 * rng.uniform(0.8, 1.2))
        for i in range(6)
    ]
    problem = simple_problem(classes, rng.uniform(0, 9, 96), 10.0, 10.0, rng.uniform(20, 120, 96), ramp=1.0)
    endings = set()
    for limit_s in (1e-6, 0.02, 0.2, 1.0):
        try:
            solution = solve(problem, SolveOptions(gap=0.0, time_limit_s=limit_s))
        except NoPlan as error:
            assert "time was up" in error.messages[0]
            endings.add("no_plan")
            continue
        expected = Status.OPTIMAL if solution.gap == 0 else Status.FEASIBLE
        assert solution.status is expected
        endings.add(solution.status.value)
    assert "no_plan" in endings


def test_money_is_unchanged_by_a_coarser_bound():
    """*Proves:* a wide gap still gives a valid bound above the optimum.  *Sensitivity:* a bound below it would show."""
    best = solve(spiky(), SolveOptions(gap=0.0)).money_usd
    loose = solve(spiky(), SolveOptions(gap=0.05))
    assert loose.money_usd <= best + 1e-6 <= loose.bound_usd + 2e-6


@pytest.mark.parametrize("seed", range(20))
def test_coefficients_stay_in_range(seed):
    """No big-M: the largest coefficient of a row is below 1e6 times the smallest, and every column is bounded.

    *Proves:* the matrix is scaled in MW and counts.  *Sensitivity:* one big-M of 1e6 or a unit mixed up fails.
    """
    matrix = compile_model(build_model(random_problem(seed)))
    sizes = np.abs(matrix.A.data[matrix.A.data != 0])
    assert sizes.max() / sizes.min() < 1e6
    assert np.all(np.isfinite(matrix.lower))
    assert np.all(np.isfinite(matrix.upper))


def test_rows_have_public_names():
    """*Proves:* a row is found by the name that explanations use.  *Sensitivity:* renaming a component fails."""
    names = set(compile_model(build_model(spiky(steps=6))).row_names)
    for name in (
        "minimum_up_time[s19pro,3]",
        "site_cap[5]",
        "supply_limit[surplus,0]",
        "ramp_up[0]",
        "warm_pool[s19pro,2]",
    ):
        assert name in names


def test_free_ramp_into_the_first_step():
    """Without a measured power before step 0 the first step is free of the ramp.

    Two containers off, 0.1 MW a step of ramp: from a measured 0.02 MW none can ever start (0.52 MW each); free, both
    run from the first step on.
    *Proves:* initial_mw null means no limit.  *Sensitivity:* reading null as 0 keeps everything off.
    """
    k = reference_class(count=2, steps=4, history=(History(2, on=False, steps=10),))
    tied = simple_problem(k, ramp=0.1, initial=0.02)
    free = replace(tied, site=replace(tied.site, initial_mw=None))
    assert solve(tied).classes[0].on.tolist() == [0, 0, 0, 0]
    assert solve(free).classes[0].on.tolist() == [2, 2, 2, 2]
