"""The planner against the oracle: same money, same infeasibility, and schedules that the audit accepts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyomo.environ as pe
import pytest

from brute_force import best_money
from flexmine.audit.replay import replay
from flexmine.errors import Infeasible, Status
from flexmine.milp import class_data, commitment
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import ContainerClass, History, Problem
from flexmine.solving.engine import ENGINES, SolveOptions, solve
from flexmine.solving.handover import forget, matrix_of
from plants import FEATURES, NAMED_FEATURES, random_features, random_problem, round_class, round_problem
from samples import by_sample, chunks

EXACT = SolveOptions(gap=0.0)
CHUNKS, CHUNK = 12, 20


def close(money_usd: float):
    """Within 1e-6 relative plus 1e-6 USD."""
    return pytest.approx(money_usd, rel=0, abs=1e-6 + 1e-6 * abs(money_usd))


def money_of(problem: Problem) -> float | None:
    try:
        return solve(problem, EXACT).money_usd
    except Infeasible:
        return None


def compare(problem: Problem, where: str) -> str:
    """Compare planner, oracle and audit on one plant; return what was seen."""
    expected = best_money(problem)
    if expected is None:
        with pytest.raises(Infeasible) as refusal:
            solution = solve(problem, EXACT)
            pytest.fail(f"{where}: the planner says {solution.money_usd}, the oracle knows of no plan")
        assert refusal.value.messages, f"{where}: infeasible without a word"
        return "infeasible"
    try:
        solution = solve(problem, EXACT)
    except Infeasible as refusal:
        pytest.fail(f"{where}: the oracle makes {expected}, the planner says: {refusal}")
    assert solution.money_usd == close(expected), f"{where}: planner {solution.money_usd}, oracle {expected}"
    assert solution.bound_usd == close(expected), f"{where}: bound {solution.bound_usd}, oracle {expected}"
    assert solution.status == Status.OPTIMAL, f"{where} {solution.gap}"
    schedule = to_schedule(problem, solution)
    seen = replay(problem, schedule)
    assert seen.ok, f"{where}: " + "; ".join(v.message for v in seen.violations)
    assert seen.money_usd == close(expected), f"{where}: audit {seen.money_usd}, oracle {expected}"
    return "warm start" if seen.warm_start.any() else "cold start" if seen.cold_start.any() else "no start"


@pytest.mark.parametrize("chunk", chunks(range(CHUNKS), normal=range(0, CHUNKS, 3)))
def test_mixed_features(chunk):
    """Random plants with two to seven features each.

    *Proves:* money and bound equal the enumerated optimum, infeasible exactly where no plan exists, the schedule
    of containers keeps every limit and earns the same money.
    *Sensitivity:* see the tests below, in which known wrong formulations are told apart by these plants.
    """
    seen = Counter()
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        where = f"seed {seed}, features {sorted(random_features(seed))}"
        seen[compare(random_problem(seed), where)] += 1
    # A comparison in which nothing starts, or nothing is feasible, would prove nothing.
    assert seen["warm start"] + seen["cold start"] >= 4
    assert seen["infeasible"] <= CHUNK // 2


@pytest.mark.parametrize("feature", (*FEATURES, *NAMED_FEATURES))
def test_one_feature(feature):
    """Random plants with one feature each, so that a failure names it.

    *Proves:* as above, feature by feature.
    *Sensitivity:* the feature alone is wrong where only its test fails.
    """
    for seed in range(5000, 5005):
        compare(random_problem(seed, {feature}), f"seed {seed}, feature {feature}")


@pytest.mark.parametrize("first", chunks(range(6000, 6030, 10), normal=(6000,)))
def test_ages_and_windows_together(first):
    """Every feature that touches starts at once: ages, windows by step, warm_until_step, preheat, costs by step.

    *Proves:* start facts stay exact where all of them meet.
    *Sensitivity:* the perishable pool alone is wrong here (next test).
    """
    features = {"ages", "window_by_step", "warm_until", "preheat", "costs_by_step", "negative_price"}
    for seed in range(first, first + 10):
        compare(random_problem(seed, features), f"seed {seed}, features {sorted(features)}")


@pytest.mark.parametrize("first", chunks(range(6500, 6540, 10), normal=(6500,)))
def test_restless_starts(first):
    """Several stops and starts of one container, with windows out of order and preheat: nothing is used twice.

    *Proves:* a warm window belongs to one stop and is spent by one start.
    *Sensitivity:* pooled windows without expiry, or the window on counts, are wrong where a container stops twice.
    """
    features = {"restless", "window_by_step", "costs_by_step"}
    for seed in range(first, first + 10):
        compare(random_problem(seed, features), f"seed {seed}, features {sorted(features)}")


@pytest.mark.parametrize("plants", by_sample(8, 15))
@pytest.mark.parametrize(
    "features",
    [
        {"tiers", "restless", "ages", "preheat", "warm_until"},
        {"tiers", "ages", "starts_per_day", "window_by_step", "costs_by_step"},
        {"container_ramp", "restless", "ages", "derating", "cold_minimum"},
        {"container_ramp", "starts_per_day", "restless", "ages", "feeders"},
    ],
    ids=lambda features: "-".join(sorted(features)),
)
def test_ramps_and_tiers_with_what_they_meet(features, plants):
    """Start tiers and container ramps together with everything that touches starts and power.

    *Proves:* the enumerated optimum, where three and more prices, layers, preheat, derating and ramps meet.
    *Sensitivity:* each alone is tested above; a mistake in how they meet shows only here.
    """
    seen = Counter()
    for seed in range(6800, 6800 + plants):
        problem = random_problem(seed, features)
        if not any(k.ramps_slowly for k in problem.classes):
            seen[compare(problem, f"seed {seed}, features {sorted(features)}")] += 1
    assert seen["warm start"] + seen["cold start"] >= 4 * plants // 15


def _reaching_beyond(problem: Problem, rng: np.random.Generator) -> Problem:
    """Return the plant with minimum times around and far beyond its horizon, and containers bound until inside it."""
    T, long = problem.steps, 1_000_000

    def least() -> int:
        return int(rng.choice([1, 2, T - 1, T, T + 1, T + 2, 3 * T, long, 10**9]))

    def stretched(k: ContainerClass) -> ContainerClass:
        up, down = least(), max(least(), k.preheat_steps)

        def older(h: History) -> History:
            # As many steps as leave it bound for 0 to T + 2 more, or as they were.
            bound = int(rng.integers(0, T + 3))
            return replace(h, steps=max(1, (up if h.on else down) - bound)) if rng.random() < 0.7 else h

        return replace(k, min_up_steps=up, min_down_steps=down, history=tuple(map(older, k.history)))

    return replace(problem, classes=tuple(map(stretched, problem.classes)))


@pytest.mark.parametrize("features", [{"ages"}, {"ages", "starts_per_day"}, {"tiers", "ages", "preheat"}, {"restless"}])
def test_minimum_times_beyond_the_horizon(features):
    """Minimum times of T - 1 steps to a thousand million, on containers that are bound to their state until any step.

    *Proves:* the rows, which reach back no further than T + 1 steps, bind exactly as long ones would.
    *Sensitivity:* with the history left as it was, a container that ran for long counts as free (a mistake below).
    """
    seen = Counter()
    for seed in range(7000, 7040):
        problem = _reaching_beyond(random_problem(seed, features), np.random.default_rng(seed))
        seen[compare(problem, f"seed {seed}, features {sorted(features)}")] += 1
    assert seen["warm start"] + seen["cold start"] >= 4


def test_a_minimum_time_of_a_million_steps_makes_no_more_rows():
    """*Proves:* the matrix is no larger than that of a minimum time of T + 1 steps.

    *Sensitivity:* reaching back as far as they say, the model has a column for every step of a million.
    """
    sizes = set()
    for up in (7, 1_000_000, 10**9):
        problem = round_problem(round_class(steps=6, min_up_steps=up), 50.0)
        sizes.add(matrix_of(problem).A.shape)
    assert len(sizes) == 1


@pytest.mark.parametrize("first", chunks(range(9000, 9040, 10), normal=(9000,)))
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine(engine, first):
    """Each engine within the asked gap of 1e-4, with a bound that holds for the exact problem.

    *Proves:* money <= optimum <= bound, whichever engine ran, and status optimal exactly where the gap is reached.
    *Sensitivity:* a bound from a relaxation that cuts plans off lies below the oracle.
    """
    for seed in range(first, first + 10):
        problem = random_problem(seed)
        expected = best_money(problem)
        where = f"engine {engine}, seed {seed}, features {sorted(random_features(seed))}"
        if expected is None:
            with pytest.raises(Infeasible):
                solve(problem, SolveOptions(gap=1e-4, engine=engine))
            continue
        solution = solve(problem, SolveOptions(gap=1e-4, engine=engine))
        slack = 1e-6 + 1e-6 * abs(expected)
        assert solution.money_usd - slack <= expected <= solution.bound_usd + slack, where
        reached = solution.bound_usd - solution.money_usd <= 1e-4 * max(1.0, abs(solution.money_usd)) + 1e-9
        assert (solution.status == Status.OPTIMAL) == reached, where
        seen = replay(problem, to_schedule(problem, solution))
        assert seen.ok, where
        assert seen.money_usd >= solution.money_usd - slack, where


def _window_one_longer(monkeypatch):
    honest = class_data._cohorts

    def longer(k, history, steps, *limits):
        cohorts = honest(k, history, steps, *limits)
        return tuple(replace(cohort, last_warm=min(cohort.last_warm + 1, steps - 1)) for cohort in cohorts)

    monkeypatch.setattr(class_data, "_cohorts", longer)


def _minimum_up_without_history(monkeypatch):
    monkeypatch.setattr(class_data.ClassData, "started", lambda k, step: 0)


def _minimum_down_without_history(monkeypatch):
    monkeypatch.setattr(class_data.ClassData, "stopped", lambda k, step: 0)


def _minimum_down_by_available(monkeypatch):
    """With the number available in place of the full count, a container that goes out is counted twice."""

    def by_available(m, classes):
        def rule(m, k, t):
            most = m.availability[classes[k].parent, t].upper
            return sum(m.z[k, i] for i in range(t - classes[k].D + 1, t + 1)) <= most - m.n[k, t]

        m.del_component(m.minimum_down_time)
        m.minimum_down_time = pe.Constraint(m.K, m.T, rule=rule)

    def build(m, p, classes):
        honest_availability(m, p, classes)
        by_available(m, classes)

    honest_availability = commitment.availability
    monkeypatch.setattr(commitment, "availability", build)


def _history_as_it_was(monkeypatch):
    monkeypatch.setattr(class_data, "_seen", lambda k, h, T: h)


@pytest.fixture
def _no_skeletons():
    """No skeleton of an honest model may serve a wrong one, nor the other way round."""
    forget()
    yield
    forget()


@pytest.mark.parametrize(
    ("mistake", "features"),
    [
        (_window_one_longer, {"ages", "window_by_step"}),
        (_minimum_up_without_history, {"ages", "window_by_step", "ramp"}),
        (_minimum_down_without_history, {"ages", "several_classes"}),
        (_minimum_down_by_available, {"available"}),
        (_history_as_it_was, {"ages"}),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_known_mistakes_are_told_apart(monkeypatch, _no_skeletons, mistake, features):
    """The comparison has teeth: formulations that are known to be wrong differ from the oracle.

    *Proves:* each mistake shows in at least one of 60 plants.
    *Sensitivity:* plants too tame to show a mistake would pass any planner.
    """
    mistake(monkeypatch)
    for seed in range(7000, 7060):
        problem = random_problem(seed, features)
        if mistake is _history_as_it_was:
            problem = _reaching_beyond(problem, np.random.default_rng(seed))
        expected, found = best_money(problem), money_of(problem)
        if (expected is None) != (found is None) or (expected is not None and found != close(expected)):
            return
    pytest.fail("no plant shows the mistake")
