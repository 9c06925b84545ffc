"""The matrix: the same whether rules are called row by row or once, and whether compiled or filled into a skeleton."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pe
import pytest

from flexmine.milp import commitment, power
from flexmine.milp.class_data import class_data_of
from flexmine.milp.model import build_model
from flexmine.milp.numbers import numbers_of
from flexmine.problem import ContainerClass, History, Problem, Source
from flexmine.solving import handover
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.handover import TEMPLATED_FROM, Skeleton, compiled, equal, forget, matrix_of
from flexmine.solving.structure import structure_of
from flexmine.solving.trace import Program, Tape, Traced, Untraceable
from plants import random_problem, reference_class, simple_problem
from samples import by_sample

ROW_BY_ROW = {
    *("must_run", "kept_commitment", "starts_per_day", "warm_arc_stop", "warm_arc_start", "cold_pool"),
    *("site_minimum", "feeder_cap"),
    *("layer_logic", "layer_starts", "layer_stops", "layer_minimum_up_time", "layer_arc_stop", "layer_arc_start"),
    *("layer_warm", "layer_tier", "layer_cold_pool", "tier_arc_start"),
    *("start_and_stop_power", "start_power", "stop_power", "container_ramp_up", "container_ramp_down"),
}


@pytest.fixture(autouse=True)
def _no_skeletons():
    forget()
    yield
    forget()


def classes_of(problem: Problem):
    return {k.name: k for k in class_data_of(problem)}


def another_night(problem: Problem, rng: np.random.Generator) -> Problem:
    """Return the same plant on another night: other weather, prices, offers and history; some numbers become zero."""

    def stretched(values: np.ndarray) -> np.ndarray:
        return values * rng.uniform(0.6, 1.4, values.shape)

    def class_tonight(k: ContainerClass) -> ContainerClass:
        ages = [History(1, bool(rng.random() < 0.5), int(rng.integers(1, 9))) for _ in range(k.count)]
        low, high = k.it_power_mw[0], k.it_power_mw[-1]
        hot = rng.random(problem.steps) < 0.3
        return replace(
            k,
            history=tuple(ages),
            overhead=1 + 0.1 * rng.random(problem.steps),
            standby_mw=stretched(k.standby_mw) * (rng.random() < 0.8),
            hash_value_usd_per_th_s_h=stretched(k.hash_value_usd_per_th_s_h),
            max_it_power_mw=np.where(hot, low + (high - low) * rng.uniform(0, 1, problem.steps), high),
            start=replace(k.start, warm_cost_usd=stretched(k.start.warm_cost_usd)),
        )

    def offer_tonight(j: Source) -> Source:
        return replace(
            j, available_mw=stretched(j.available_mw), price_usd_per_mwh=j.price_usd_per_mwh + rng.normal(0, 5)
        )

    site = replace(
        problem.site,
        initial_mw=None if problem.site.initial_mw is None else float(rng.uniform(0, 2)),
        cap_mw=stretched(problem.site.cap_mw),
    )
    classes = tuple(class_tonight(k) for k in problem.classes)
    return replace(problem, classes=classes, sources=tuple(offer_tonight(j) for j in problem.sources), site=site)


@pytest.mark.parametrize("seed", range(25))
def test_templates_give_the_same_matrix(seed):
    """*Proves:* rules called once for all their rows give the matrix of rules called row by row, bit by bit.

    *Sensitivity:* a sum in another order, a lost zero, another order of rows or columns fails.
    """
    problem = random_problem(seed)
    assert equal(compiled(problem, templated=False), compiled(problem, templated=True))


def test_which_families_are_templates():
    """*Proves:* every family of rows is a template, except those that are named here.

    *Sensitivity:* Pyomo falls back row by row without a word where a rule cannot be a template; that shows here.
    """
    problem = random_problem(3, {"several_classes", "ramp", "minimum_mw", "must_run", "feeders", "starts_per_day"})
    model = build_model(problem, templated=True)
    families = [*model.component_objects(pe.Constraint), model.money]
    plain = {c.name for c in families for member in c.values() if not hasattr(member, "template_expr")}
    assert plain <= ROW_BY_ROW
    assert {"feeder_cap", "must_run", "site_minimum"} <= plain


@pytest.mark.parametrize("plants", by_sample(20, 55))
def test_other_nights_of_the_same_plant_fill_the_skeleton(plants):
    """*Proves:* on more than 200 pairs of nights of 55 plants a filled skeleton equals a fresh compile, by entry.

    *Sensitivity:* one datum written to a wrong place, a zero kept, an operation in another order fails.
    """
    pairs, zeros = 0, set()
    for seed in range(plants):
        rng = np.random.default_rng([seed, 5])
        problem = random_problem(seed)
        skeleton = Skeleton(problem, classes_of(problem))
        key = structure_of(problem, classes_of(problem))
        for _ in range(6):
            tonight = another_night(problem, rng)
            classes = classes_of(tonight)
            if structure_of(tonight, classes) != key:
                continue
            filled = skeleton.fill(numbers_of(tonight, classes))
            assert filled is not None, seed
            assert equal(filled, compiled(tonight)), seed
            pairs += 1
            zeros.add(filled.A.nnz)
    assert pairs >= 200 * plants // 55
    assert len(zeros) > plants, "no night had other zeros than the first"


def test_a_plant_so_large_that_it_is_templated_has_a_skeleton():
    """Ten classes over 48 hours, with and without a terminal value.

    *Proves:* where rules are called once for all their rows, no entry is made of two traced numbers either, such as the
    hash value and the terminal value of one count.
    *Sensitivity:* money written term by term ended here as "the sum of two traced numbers", and every night of a large
    fleet was compiled anew, five times as slow.
    """
    for terminal_on_usd in (0.0, 7.0):
        fleet = [
            reference_class(f"k{i}", 3, 48, prefix=f"K{i}-", terminal_on_usd=terminal_on_usd, cold_cost_usd=40.0 + i)
            for i in range(10)
        ]
        problem = simple_problem(fleet, surplus_mw=20.0, firm_mw=20.0, cap=30.0)
        classes = classes_of(problem)
        assert len(classes) * problem.steps >= TEMPLATED_FROM
        filled = Skeleton(problem, classes).fill(numbers_of(problem, classes))
        assert equal(filled, compiled(problem))


def test_nights_with_layers_tiers_and_ramps_fill_the_skeleton():
    """*Proves:* what is layered, tied by arcs of several prices or ramped takes its numbers from the night, too.

    *Sensitivity:* starts used before step 0, a tier's price or a ramp written as a constant of the first night fails.
    """
    features = {"tiers", "preheat", "ages", "starts_per_day", "several_classes"}
    pairs = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 6])
        ramped = {"container_ramp", "restless"} if seed % 2 else set()
        problem = random_problem(seed, (features if seed % 3 else {"starts_per_day", "ages"}) | ramped)
        skeleton = Skeleton(problem, classes_of(problem))
        key = structure_of(problem, classes_of(problem))
        for _ in range(4):
            tonight = another_night(problem, rng)
            classes = classes_of(tonight)
            if structure_of(tonight, classes) == key:
                filled = skeleton.fill(numbers_of(tonight, classes))
                assert filled is not None
                assert equal(filled, compiled(tonight)), seed
                pairs += 1
    assert pairs >= 12


def test_a_repeated_structure_is_filled_and_changes_no_plan():
    """*Proves:* from the fourth night on the skeleton serves, and plans are what they are without it.

    *Sensitivity:* a skeleton that keeps a number of the night before gives other money.
    """
    rng = np.random.default_rng(1)
    problem = simple_problem(reference_class(count=5, steps=12), surplus_mw=5.0)
    nights = [another_night(problem, rng) for _ in range(8)]
    options = SolveOptions(engine="mip", gap=0.0)
    with_skeleton = [solve(night, options).money_usd for night in nights]
    assert handover._KEPT._entries[structure_of(problem, classes_of(problem))].skeleton is not None
    alone = []
    for night in nights:
        forget()
        alone.append(solve(night, options).money_usd)
    assert with_skeleton == alone


def test_the_matrix_filled_first_is_not_overwritten_by_the_next():
    """*Proves:* a matrix in somebody's hands keeps its numbers.

    *Sensitivity:* numbers written into one shared array fail.
    """
    problem = simple_problem(reference_class(count=5, steps=12))
    skeleton = Skeleton(problem, classes_of(problem))
    first = skeleton.fill(numbers_of(problem, classes_of(problem)))
    other = another_night(problem, np.random.default_rng(0))
    skeleton.fill(numbers_of(other, classes_of(other)))
    assert equal(first, compiled(problem))


def test_a_datum_that_passes_by_the_parameters_is_found_out(monkeypatch, caplog):
    """*Proves:* a rule that reads a number of the Problem itself gets no skeleton, a warning, and right matrices.

    *Sensitivity:* without the comparison with other numbers, tonight's availability would be that of the first night.
    """

    def availability(m, p, classes):
        honest(m, p, classes)
        runnable = {g.name: g.runnable for g in p.classes}
        m.again = pe.Constraint(m.G, m.T, rule=lambda m, g, t: m.n[g, t] <= 2 * int(runnable[g][t]))

    honest = commitment.availability
    monkeypatch.setattr(commitment, "availability", availability)
    problem = simple_problem(reference_class(count=4, steps=6))
    with pytest.raises(Untraceable, match="differ"):
        Skeleton(problem, classes_of(problem))
    for available in (4, 3, 2, 2, 1, 3):
        k = replace(problem.classes[0], available=np.full(6, available))
        tonight = replace(problem, classes=(k,))
        assert equal(matrix_of(tonight), compiled(tonight))
    assert "compiled anew" in caplog.text


def test_a_model_that_decides_by_a_number_gets_no_skeleton(monkeypatch):
    """*Proves:* a rule that compares a datum is refused by the trace.

    *Sensitivity:* taken for granted, the choice of the first night would hold for all.
    """

    def site_cap(m):
        def rule(m, t):
            return m.F[t] <= m.L[t] if m.L[t] > 5 else m.F[t] <= 0

        m.site_cap = pe.Constraint(m.T, rule=rule)

    monkeypatch.setattr(power, "site_cap", site_cap)
    problem = simple_problem(reference_class(count=4, steps=6))
    with pytest.raises(Untraceable, match="size would decide"):
        Skeleton(problem, classes_of(problem))


def test_structure_tells_windows_and_patterns_apart():
    """*Proves:* what moves an entry is structure; what changes one is not.

    *Sensitivity:* a key without the reach of warm windows would leave stops out of the rows of another night.
    """

    def key(days=(0,) * 6, **changes):
        problem = simple_problem(reference_class(count=4, steps=6, **changes), day_of_step=np.array(days))
        return structure_of(problem, classes_of(problem))

    often = {"min_up_steps": 1, "min_down_steps": 1}
    same = [
        {"overhead": 1.1},
        {"standby_mw": 0.0},
        {"history": (History(4, True, 3),)},
        {"warm_off_steps": 3},
        {"days": (0, 0, 1, 1, 1, 1)},
    ]
    other = [
        {"warm_off_steps": 0},
        often | {"max_starts_per_day": 1},
        often | {"max_starts_per_day": 1, "days": (0, 0, 1, 1, 1, 1)},
        {"min_up_steps": 2},
        {"must_run": 1},
        {"cold_energy_mwh": 0.1},
        {"preheat_steps": 1},
    ]
    assert all(key(**changes) == key() for changes in same)
    assert len({key(), *(key(**changes) for changes in other)}) == 1 + len(other)


def test_the_weather_of_the_night_fills_the_skeleton():
    """*Proves:* warm windows that differ from stop to stop and from night to night, none among them, are numbers: what
    is filled in is the matrix that a compile gives, on 40 nights of one plant.

    *Sensitivity:* a stop that is warm one night and cold in the next is an entry too many, or one too few.
    """
    rng, seen = np.random.default_rng(3), set()

    def night():
        reach = int(rng.integers(1, 9))
        last = np.maximum.accumulate(np.arange(12) + rng.integers(0, reach + 1, size=12))
        warm = np.minimum(last - np.arange(12), 8)
        return simple_problem(reference_class(count=4, steps=12, warm_off_steps=warm, min_down_steps=2))

    forget()
    for problem in (night() for _ in range(40)):
        classes = classes_of(problem)
        seen.add(structure_of(problem, classes))
        assert equal(matrix_of(problem, classes), compiled(problem, classes))
    assert len(seen) <= 2


def test_a_program_repeats_operations_and_their_roundings():
    """*Proves:* sums and products come out bit by bit as Python computes them, and a double mark is refused.

    *Sensitivity:* another order of 0.1 + 0.2 + 0.3 differs in the last bit.
    """
    tape = Tape(3)
    a, b, c = (Traced(tape, node) for node in range(3))
    marks = np.array([float(a + b + c), float(2 * a - b / c), -float(a), 7.0, np.inf])
    values = np.array([0.1, 0.2, 0.3])
    (made,) = Program(tape, {"x": marks})(values).values()
    assert made.tolist() == [0.1 + 0.2 + 0.3, 2 * 0.1 - 0.2 / 0.3, -0.1, 7.0, np.inf]
    with pytest.raises(Untraceable, match="sum of two"):
        Program(tape, {"x": np.array([float(a) + float(b)])})
