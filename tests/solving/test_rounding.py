"""The parts of engine `rounding`, each on its own: thresholds, bounds, cuts, layout, proof."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from flexmine.errors import Infeasible, NoPlan, Status
from flexmine.milp.class_data import class_data_of
from flexmine.problem import Problem
from flexmine.problem.limits import LIMIT_OF_ROW, rows_where
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.first_stage import Task
from flexmine.solving.handover import compiled
from flexmine.solving.highs import Solver
from flexmine.solving.mip import mip_options
from flexmine.solving.rounding.bounds import tightened_counts
from flexmine.solving.rounding.cut_rows import cut_rows
from flexmine.solving.rounding.cuts import CutMaker, Cuts
from flexmine.solving.rounding.facility import facility_of
from flexmine.solving.rounding.incumbent import Incumbent
from flexmine.solving.rounding.layout import Layout, layout_of
from flexmine.solving.rounding.narrow import narrowed
from flexmine.solving.rounding.relaxation import HotLp, TimeIsUp
from flexmine.solving.rounding.search import Search
from flexmine.solving.rounding.threshold import rounded_counts
from flexmine.solving.standard_form import Matrix
from plants import random_features, random_problem, reference_class, simple_problem
from samples import chunks

QUIET = {"threads": 1}
KEPT = rows_where(rounding="kept")
# Features under which threshold rounding is known to keep every rule.
FITTING = frozenset({"ages", "available", "ramp", "several_classes", "tight_supply", "must_run", "negative_price"})


def laid_out(problem: Problem) -> tuple[Matrix, Layout]:
    matrix, class_data = compiled(problem), class_data_of(problem)
    return matrix, layout_of(matrix, class_data, [j.name for j in problem.sources], problem.steps)


def relaxed(matrix: Matrix, lower=None, upper=None) -> HotLp:
    lower, upper = matrix.lower if lower is None else lower, matrix.upper if upper is None else upper
    return HotLp(matrix, lower, upper, time.perf_counter() + 60, QUIET)


def best_plans(matrix: Matrix, seed: int, number: int = 3) -> list[np.ndarray]:
    """Return plans that are optimal for the costs of the matrix and for other ones."""
    rng = np.random.default_rng(seed)
    plans = []
    for shaken in range(number):
        cost = matrix.cost * (1 + 0.5 * (shaken > 0) * rng.standard_normal(len(matrix.cost)))
        outcome = Solver(replace(matrix, cost=cost), mip_options(SolveOptions(gap=0.0))).run()
        if outcome.values is not None:
            plans.append(outcome.values)
    return plans


def spiky(seed: int, count: int = 9, steps: int = 36) -> Problem:
    """Return a plant in which the best counts are fractional in the relaxation: ramps, dear hours, little surplus."""
    rng = np.random.default_rng(seed)
    classes = [
        reference_class("a", count, steps, prefix="A"),
        reference_class("b", 3, steps, prefix="B", hash_value_usd_per_th_s_h=0.0016),
    ]
    return simple_problem(classes, rng.uniform(0.5, 9, steps), 10.0, 10.0, rng.uniform(20, 120, steps), ramp=2.3)


@pytest.mark.parametrize("seed", range(12))
def test_every_threshold_keeps_every_rule_of_the_counts(seed):
    """Any threshold in [0, 1) on any point of the relaxation, not only on an optimum.

    *Proves:* logic, minimum up and down time and the limits on a class's count hold exactly after rounding.
    *Sensitivity:* counts rounded one by one break them (next test).
    """
    problem = random_problem(seed, FITTING)
    matrix, layout = laid_out(problem)
    point = relaxed(matrix).solve()
    if point is None:
        return
    rows = [i for i, (component, _) in enumerate(matrix.rows) if component in {*KEPT, "availability"}]
    if any("availability" in reason for reason in layout.refusals):
        rows = [i for i in rows if matrix.rows[i][0] != "availability"]
    A, rng = matrix.A.tocsr()[rows], np.random.default_rng(seed)
    for theta in rng.random((20, len(layout.on), 1)):
        values = point.values.copy()
        values[layout.counts] = rounded_counts(layout, point.values, theta)
        activity = A @ values
        assert np.all(activity >= matrix.row_lower[rows] - 1e-9)
        assert np.all(activity <= matrix.row_upper[rows] + 1e-9)


def test_counts_rounded_one_by_one_break_a_rule():
    """*Proves:* the thresholds of sums are needed.  *Sensitivity:* if this passed, any rounding would do."""
    broken = 0
    for seed in range(12):
        matrix, layout = laid_out(spiky(seed))
        point = relaxed(matrix).solve()
        values = point.values.copy()
        values[layout.counts] = np.rint(values[layout.counts])
        rows = [i for i, (component, _) in enumerate(matrix.rows) if component in KEPT]
        activity = matrix.A.tocsr()[rows] @ values
        broken += bool(np.any(activity > matrix.row_upper[rows] + 1e-6))
    assert broken > 0


@pytest.mark.parametrize("seed", chunks(range(25), normal=range(0, 25, 3)))
def test_no_plan_is_cut_off(seed):
    """Optimal plans for many prices, against tightened counts and every cut made at the relaxation's optima.

    *Proves:* what is tightened and cut holds for plans, whatever they earn.
    *Sensitivity:* a floor without its slack, a kink taken for a limit, or a segment counted from the wrong end cuts
    plans off here.
    """
    problem = spiky(seed) if seed % 2 else random_problem(seed, random_features(seed) - {"starts_per_day"})
    matrix, layout = laid_out(problem)
    plans = best_plans(matrix, seed)
    lower, upper = layout.entries.single_bounds(matrix)
    facility = facility_of(matrix, layout, lower, upper)
    upper = tightened_counts(layout, facility, lower, upper)
    whole = matrix.integer > 0
    for plan in plans:
        assert np.all(plan[whole] <= upper[whole] + 1e-6)
        assert np.all(plan[layout.facility] <= facility.highest + 1e-6)
        assert np.all(plan[layout.facility] >= facility.lowest - 1e-6)
    widths = np.concatenate([k.w for k in class_data_of(problem)])
    maker = CutMaker(layout, facility, cut_rows(matrix, layout, facility, upper), upper, widths)
    lp = relaxed(matrix, upper=np.where(whole, upper, matrix.upper))
    point = lp.solve()
    assert (point is None) <= (not plans)
    for _ in range(4):
        cuts = maker.separate(point.values) if point is not None else None
        if cuts is None or not len(cuts):
            break
        lp.add_cuts(cuts)
        for plan in plans:
            for i in range(len(cuts)):
                part = slice(cuts.starts[i], cuts.starts[i + 1])
                assert float(cuts.sizes[part] @ plan[cuts.columns[part]]) <= cuts.upper[i] + 1e-5
        point = lp.solve()


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_are_chosen_so_that_the_power_fits(seed):
    """Many classes that must stop at a ramp and a cap together.

    *Proves:* after the choice class by class, no rounding is refused by the power rows.
    *Sensitivity:* one threshold for all is refused on some of these plants.
    """
    rng = np.random.default_rng(seed)
    classes = [
        reference_class(f"k{i}", 7, 48, f"K{i}", hash_value_usd_per_th_s_h=0.0018 * rng.uniform(0.7, 1.3))
        for i in range(6)
    ]
    full = 6 * 7 * 1.3
    series = (rng.uniform(0.1, 0.6, 48) * full, 10.0, full, rng.uniform(20, 120, 48))
    problem = simple_problem(classes, *series, cap=0.5 * full, ramp=0.06 * full)
    matrix, layout = laid_out(problem)
    search = Search(matrix, class_data_of(problem), layout, 0.0, time.perf_counter() + 60, QUIET)
    assert search.run().incumbent.values is not None
    assert search.incumbent.refused == 0


def test_cuts_raise_the_bound():
    """*Proves:* the cuts close part of the gap of the relaxation.  *Sensitivity:* cuts that say nothing leave it."""
    gain = 0.0
    for seed in range(6):
        matrix, layout = laid_out(spiky(seed))
        search = Search(matrix, class_data_of(spiky(seed)), layout, 0.0, time.perf_counter() + 60, QUIET)
        found = search.run()
        start = relaxed(matrix).solve()
        gain += found.incumbent.bound - start.bound
        assert found.incumbent.bound <= found.incumbent.objective + 1e-6
    assert gain > 1.0


@pytest.mark.parametrize("seed", range(10))
def test_the_bound_holds_for_any_duals(seed):
    """Duals of the simplex method, the same with noise, and pure noise.

    *Proves:* `safe_bound` never exceeds the optimum of the relaxation, so that no tolerance can make a bound too low
    in money.  *Sensitivity:* the objective that the simplex method states for noisy duals may lie on either side.
    """
    matrix, _ = laid_out(spiky(seed))
    lp, rng = relaxed(matrix), np.random.default_rng(seed)
    point = lp.solve()
    slack = 1e-9 * abs(point.bound)
    assert point.bound == pytest.approx(float(matrix.cost @ point.values) + matrix.offset, rel=1e-9)
    for noise in (1e-7, 1e-3, 1.0, 30.0):
        duals = point.duals + noise * rng.standard_normal(len(point.duals))
        assert lp.safe_bound(duals) <= point.bound + slack


def test_a_point_is_as_good_after_rows_have_been_taken_in():
    """Rows that a rounding broke are taken in after the point was solved, and the counts are narrowed by its duals.

    *Proves:* its bound and what it narrows the counts to are the same as before.
    *Sensitivity:* duals taken for those of all rows do not fit them any more: an error in place of a plan.
    """
    problem = spiky(2)
    matrix, layout = laid_out(problem)
    lp, loose = relaxed(matrix), 1e3
    lp.add_cuts(Cuts(np.array([0, 2]), layout.on[0, 1:3], np.ones(2), np.array([loose])))
    point = lp.solve()
    widths = np.concatenate([k.w for k in class_data_of(problem)])
    plan = best_plans(matrix, 2, number=1)[0]
    incumbent = Incumbent(matrix, layout, widths, 0.0, plan, float(matrix.cost @ plan) + matrix.offset + 0.01)
    before = narrowed(lp, point, incumbent)
    lp.add_cuts(Cuts(np.array([0, 2]), layout.on[0, :2], np.ones(2), np.array([1.0])))
    after = narrowed(lp, point, incumbent)
    assert lp.safe_bound(point.duals) == point.bound
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_rows_for_later_change_no_optimum(seed):
    """The relaxation with rows of one entry as bounds and seldom rows for later, against all rows at once.

    *Proves:* same optimum, and a point that keeps every row.  *Sensitivity:* a row that is never taken in, or a side
    of a row that is lost, gives a better optimum or a broken row on some of these plants.
    """
    problem = spiky(seed) if seed % 2 else random_problem(seed)
    matrix, layout = laid_out(problem)
    lower, upper = layout.entries.single_bounds(matrix)
    if np.any(lower > upper):
        return
    trimmed, later = layout.entries.trimmed(matrix), layout.entries.rows_for_later(matrix)
    point = HotLp(trimmed, lower, upper, time.perf_counter() + 60, QUIET, later=later).solve()
    whole = relaxed(matrix).solve()
    assert (point is None) == (whole is None)
    if point is not None:
        assert point.bound == pytest.approx(whole.bound, rel=1e-9, abs=1e-9)
        activity = matrix.A @ point.values
        assert np.all(activity <= matrix.row_upper + 1e-8)
        assert np.all(activity >= matrix.row_lower - 1e-8)


def test_rows_that_are_not_known_are_refused():
    """*Proves:* a family of rows that is not on the list sends engine auto to the MIP, with a note that names it.

    *Sensitivity:* a list of what is wrong, in place of what is known, would let a new row pass.
    """
    problem = spiky(1)
    matrix, _ = laid_out(problem)
    strange = replace(matrix, rows=[("moonlight", index) if c == "ramp_up" else (c, index) for c, index in matrix.rows])
    class_data = class_data_of(problem)
    layout = layout_of(strange, class_data, [j.name for j in problem.sources], problem.steps)
    assert layout.unknown == ("moonlight",)
    stage = Task(problem, class_data, strange, layout, SolveOptions()).run()
    assert stage.engine == "mip"
    assert "moonlight" in stage.notes[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cold_energy_mwh": 0.3}, "starts are tied to their stops"),
        ({"warm_off_steps": np.arange(36) % 5 * 2}, "starts are tied to their stops"),
        ({"max_starts_per_day": 1}, "counts are layered by the starts of the day"),
        ({"container_ramp_mw_per_step": 0.3, "available": 4}, "rows availability[s19pro,...] sum counts over classes"),
    ],
    ids=["preheat", "windows", "layers", "slow ramp"],
)
def test_where_thresholds_are_no_more_than_a_try_the_plan_says_so(change, words):
    """*Proves:* structures beyond the thresholds' proof are named, and the plan is still proven.

    *Sensitivity:* a silent try would leave no note.
    """
    rng = np.random.default_rng(3)
    k = reference_class(count=5, steps=36, **change)
    series = (rng.uniform(0.5, 9, 36), 10.0, 10.0, rng.uniform(20, 120, 36))
    problem = simple_problem(k, *series, day_of_step=np.arange(36) // 24)
    solution = solve(problem, SolveOptions(gap=1e-6))
    assert any(words in note for note in solution.notes)
    assert solution.engine != "mip"
    assert solution.status is Status.OPTIMAL
    assert solution.money_usd == pytest.approx(solve(problem, SolveOptions(gap=1e-6, engine="mip")).money_usd, rel=2e-6)


def test_an_empty_relaxation_is_proven_by_its_ray_and_explained():
    """*Proves:* infeasible from the relaxation alone, with the conflict in words.  *Sensitivity:* taken on trust, a
    relaxation that HiGHS merely calls empty would end the same way (the search goes on to the MIP there)."""
    problem = simple_problem(reference_class(count=2, steps=6, must_run=2), surplus_mw=0.1, firm_mw=0.2)
    matrix, layout = laid_out(problem)
    found = Search(matrix, class_data_of(problem), layout, 1e-4, time.perf_counter() + 60, QUIET).run()
    assert found.status == "infeasible"
    with pytest.raises(Infeasible, match="must-run"):
        solve(problem, SolveOptions(engine="rounding"))


def test_time_is_up_before_and_during_the_search():
    """*Proves:* no time, no plan; a search that is cut short keeps what it found, with a bound.

    *Sensitivity:* a clock that is looked at only at the end overruns it.
    """
    problem = spiky(2)
    matrix, layout = laid_out(problem)
    with pytest.raises(TimeIsUp):
        HotLp(matrix, matrix.lower, matrix.upper, time.perf_counter() - 1, QUIET).solve()
    with pytest.raises(NoPlan, match="time was up"):
        solve(problem, SolveOptions(time_limit_s=1e-9))

    class Cut(Search):
        def _cut(self, point):
            raise TimeIsUp

    found = Cut(matrix, class_data_of(problem), layout, 0.0, time.perf_counter() + 60, QUIET).run()
    assert found.status == "time_limit"
    assert found.incumbent.values is not None
    assert found.incumbent.bound < found.incumbent.objective


@pytest.mark.parametrize("engine", ["auto", "rounding"])
def test_same_input_same_plan(engine):
    """*Proves:* two solves agree in every digit.  *Sensitivity:* a choice by clock or by memory address may differ."""
    first, second = (solve(spiky(4), SolveOptions(gap=1e-6, engine=engine)) for _ in range(2))
    assert first.money_usd == second.money_usd
    assert first.bound_usd == second.bound_usd
    assert all(np.array_equal(a.on, b.on) for a, b in zip(first.classes, second.classes, strict=True))
    assert np.array_equal(first.supply_mw, second.supply_mw)


def test_the_plan_says_which_engine_closed_it():
    """*Proves:* the easy plant is closed by rounding alone, and `mip` stays `mip`.  *Sensitivity:* a fixed name."""
    assert solve(simple_problem(reference_class())).engine == "rounding"
    assert solve(simple_problem(reference_class()), SolveOptions(engine="mip")).engine == "mip"


@pytest.mark.parametrize("seed", range(10))
def test_narrowed_bounds_hold_every_better_plan(seed):
    """Bounds narrowed for an incumbent that costs a cent more than some other plan, near the best one and far off.

    *Proves:* the plan that is better by a cent stays inside.
    *Sensitivity:* a fifth of the room, or bounds that fall by the wrong sign of a reduced cost, throw it out.
    """
    problem = spiky(seed, count=2, steps=12)
    matrix, layout = laid_out(problem)
    widths = np.concatenate([k.w for k in class_data_of(problem)])
    lp = relaxed(matrix)
    point = lp.solve()
    narrower = 0
    for plan in best_plans(matrix, seed, number=12):
        money = float(matrix.cost @ plan) + matrix.offset
        incumbent = Incumbent(matrix, layout, widths, 0.0, plan, money + 0.01)
        lower, upper = narrowed(lp, point, incumbent)
        assert np.all(plan >= lower - 1e-6)
        assert np.all(plan <= upper + 1e-6)
        narrower += int(np.sum(upper - lower < lp.upper - lp.lower))
    assert narrower > 0


def test_rows_that_a_threshold_may_break_are_told(monkeypatch):
    """The site cap declared as one that may break, and as a sum that holds for a single class.

    *Proves:* what is declared of a row reaches the note that a rounding may be refused; a sum over the site is one over
    all classes.
    *Sensitivity:* a declaration that nobody reads leaves the list empty.
    """
    cap, problem = LIMIT_OF_ROW["site_cap"], simple_problem([reference_class(n, 2, 6, prefix=n) for n in ("A", "B")])
    class_data = class_data_of(problem)
    for rounding, told in (("may_break", "rows site_cap may be broken"), ("kept_alone", "rows site_cap[,...] sum")):
        monkeypatch.setitem(LIMIT_OF_ROW, "site_cap", replace(cap, rounding=rounding))
        matrix = compiled(problem)
        found = layout_of(matrix, class_data, [s.name for s in problem.sources], problem.steps).refusals
        assert [text for text in found if text.startswith(told)], found
