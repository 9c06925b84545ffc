"""Counts are exact: adversarial plants, audited container by container, against enumeration and against themselves.

A plan is *open* where the money of its containers, as the audit prices them, does not come up to the bound: then the
counts promise what no containers can do.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adversarial import adversarial_problem
from flexmine.milp import starts
from flexmine.milp.class_data import ClassData, class_data_of
from flexmine.problem import History, Problem
from flexmine.problem.reading import problem_from_document, problem_text
from flexmine.solving.engine import SolveOptions
from flexmine.solving.handover import compiled, forget
from flexmine.solving.highs import Solver
from flexmine.solving.rounding.layout import layout_of
from flexmine.solving.rounding.threshold import rounded_counts
from flexmine.solving.standard_form import Matrix
from flexmine.workflow.problem_file import solve_to_document
from oracle import oracle
from plants import round_class, round_problem
from samples import GATE

GAP = 1e-6
SAMPLE, GATED, ALL, CHUNK = 100, 300, 20_000, 1000
ENUMERATED, ALL_ENUMERATED = 60, 500
# A check in words took a start of a tier that needs no preheat for one that does.
CALLED_IMPOSSIBLE = 17_673
OPEN_WITHOUT = (93, 186, 331, 403, 419, 797, 838, 1041)
SEEDS = [
    pytest.param(range(SAMPLE), id=f"0-{SAMPLE - 1}"),
    pytest.param(range(SAMPLE, GATED), marks=GATE, id=f"{SAMPLE}-{GATED - 1}"),
] + [
    pytest.param(range(first, first + CHUNK), marks=pytest.mark.slow, id=f"{first}-{first + CHUNK - 1}")
    for first in range(0, ALL, CHUNK)
]
TWIN = Path(__file__).with_name("warm_token.json")


@pytest.fixture
def _without_the_row(monkeypatch):
    """Build every model without `warm_pool_backed`; no skeleton may pass from one kind of model to the other."""
    honest = starts.warm_pool

    def warm_pool(m, classes):
        honest(m, classes)
        m.warm_pool_backed.deactivate()

    forget()
    monkeypatch.setattr(starts, "warm_pool", warm_pool)
    yield
    forget()


def solved(problem: Problem) -> dict:
    """Return solution.json of a plant that has gone through its file, as `flexmine solve` writes it."""
    return solve_to_document(problem_from_document(json.loads(problem_text(problem))), SolveOptions(gap=GAP))[0]


def is_open(document: dict) -> bool:
    if document["status"] == "infeasible":
        return False
    return document["status"] != "optimal" or abs(document["gap"]) > GAP


# --------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("seeds", SEEDS)
def test_no_plan_is_left_open(seeds):
    """Every plant through its file, engine auto, containers and audit, at a gap of 1e-6.

    *Proves:* optimal, with the audited money of the containers at the bound on both sides; or proven infeasible.
    *Sensitivity:* see the next test: the same plants find a model without `warm_pool_backed` out.
    """
    seen = Counter()
    for seed in seeds:
        document = solved(adversarial_problem(seed))
        assert not is_open(document), f"seed {seed}: {document['status']}, gap {document['gap']}"
        seen[document["status"]] += 1
        seen["starts"] += sum(map(sum, (k["start"] for k in document["classes"])))
    # Plants in which nothing starts, or nothing is feasible, would prove nothing.
    assert seen["optimal"] >= 0.8 * len(seeds)
    assert seen["starts"] >= len(seeds)


@pytest.mark.usefixtures("_without_the_row")
@pytest.mark.parametrize(
    ("seeds", "least"),
    [
        pytest.param(OPEN_WITHOUT, len(OPEN_WITHOUT), id="sample"),
        pytest.param(range(ALL), ALL // 200, marks=pytest.mark.slow, id="all"),
    ],
)
def test_these_plants_find_a_token_without_a_container(seeds, least):
    """The same plants, and a model in which warm tokens need no container: 143 of the 20,000 stay open, by up to 42 %.

    *Proves:* the plants tell the two models apart.
    *Sensitivity:* plants too tame to do so would prove nothing above.
    """
    assert sum(is_open(solved(adversarial_problem(seed))) for seed in seeds) >= least


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param((*range(ENUMERATED), CALLED_IMPOSSIBLE), id="sample"),
        pytest.param(range(ENUMERATED, ALL_ENUMERATED), marks=pytest.mark.slow, id="more"),
    ],
)
def test_money_is_that_of_enumeration(seeds):
    """Every on/off schedule of every container, each start priced by its own last stop; no solver takes part.

    *Proves:* the same money, and the same plants infeasible.
    *Sensitivity:* a row that takes plans away makes less than enumeration.
    """
    for seed in seeds:
        problem = adversarial_problem(seed)
        truth, found = oracle(problem), solved(problem)["money_usd"]
        assert (truth is None) == (found is None), f"seed {seed}: {found}, enumerated {truth}"
        if truth is not None:
            assert found == pytest.approx(truth, rel=2e-6, abs=2e-6), f"seed {seed}"


# ------------------------------------------------------------------------------------------------ by hand


def token_kept() -> Problem:
    """Two containers that earn 80 USD an hour; what the second one's start costs hangs on which one went first.

    The first has been off for long and is warm through step 2; the second stopped one step ago, must stay off until
    step 2, and is cold by then.  In steps 0 and 1 there is power for one, from step 2 on for two.  A cold start costs
    6 USD instead of 5 in step 0, and 45 later.
    """
    k = round_class(
        2,
        steps=4,
        min_down_steps=3,
        min_up_steps=4,
        warm_off_steps=3,
        warm_cost_usd=5.0,
        cold_cost_usd=np.array([6.0, 45.0, 45.0, 45.0]),
        history=(History(1, False, 9, warm_until_step=2), History(1, False, 1, warm_until_step=1)),
    )
    return round_problem(k, 20.0, mw=[1, 1, 2, 2])


def test_a_token_needs_a_container():
    """The first starts warm in step 0, since no other may; the second cold in step 2: 6 h x 80 - 5 - 45 = 430.

    *Proves:* the plan is optimal at 430 USD, and enumeration says the same.
    *Sensitivity:* without the row, step 0 is charged as cold and the token is kept for step 2: 480 - 6 - 5 = 469.
    """
    document = solved(token_kept())
    assert document["status"] == "optimal"
    assert document["bound_usd"] == pytest.approx(430.0)
    assert document["money_usd"] == pytest.approx(430.0)
    assert oracle(token_kept()) == pytest.approx(430.0)


@pytest.mark.usefixtures("_without_the_row")
def test_without_the_row_the_token_is_kept():
    """*Proves:* 469 USD promised, 430 earned.  *Sensitivity:* of the test above."""
    document = solved(token_kept())
    assert document["status"] == "feasible"
    assert document["bound_usd"] == pytest.approx(469.0)
    assert document["money_usd"] == pytest.approx(430.0)


def from_file() -> dict:
    return solve_to_document(problem_from_document(json.loads(TWIN.read_text(encoding="utf-8"))), SolveOptions())[0]


def test_a_file_with_a_token():
    """Three containers over ten hours, a ramp, a curve and windows by hour; one is off, free and warm, one is neither.

    *Proves:* optimal as `flexmine solve` solves it, at the money of enumeration.
    *Sensitivity:* the next test.
    """
    document = from_file()
    truth = oracle(problem_from_document(json.loads(TWIN.read_text(encoding="utf-8"))))
    assert document["status"] == "optimal"
    assert document["money_usd"] == pytest.approx(truth, rel=1e-9)


@pytest.mark.usefixtures("_without_the_row")
def test_a_file_with_a_token_without_the_row():
    """*Proves:* 1.3 % of a gap that is none, and `feasible`.  *Sensitivity:* of the test above."""
    document = from_file()
    assert document["status"] == "feasible"
    assert document["gap"] > 0.01


# ------------------------------------------------------------------------------- what the row takes away: nothing


def pooled_problems(seeds: range) -> list[tuple[int, Problem]]:
    """Return the plants whose classes all have a pool of the warm, and no limit on power that might refuse counts."""
    free = [
        (seed, problem) for seed in seeds if (problem := adversarial_problem(seed)).site.ramp_up_mw_per_step is None
    ]
    return [(seed, p) for seed, p in free if all(k.pooled for k in class_data_of(p))]


def test_the_row_takes_no_counts_away():
    """Whole n, y, z, as any threshold rounds them from points of the relaxation, optimal for money and for any costs.

    *Proves:* what the other rows allow, the row allows; where they leave starts to be cold, with no warm ones at all.
    And with the counts whole, the warm starts of the relaxation's vertex are whole, too.
    *Sensitivity:* with one container less on its right side, it refuses some of them.
    """
    seen = Counter()
    for seed, problem in pooled_problems(range(200)):
        rng, matrix, class_data = np.random.default_rng(seed), compiled(problem), class_data_of(problem)
        layout = layout_of(matrix, class_data, [j.name for j in problem.sources], problem.steps)
        names = np.array([name for name, _ in matrix.rows])
        row = np.flatnonzero(names == "warm_pool_backed")
        tighter = replace(matrix, row_upper=matrix.row_upper - (names == "warm_pool_backed"))
        for cost in (matrix.cost, matrix.cost * rng.uniform(-1, 2, len(matrix.cost))):
            point = Solver(replace(matrix, cost=cost), {"threads": 1}, relax=True).run()
            if point.values is None:
                continue
            for theta in rng.random((3, len(class_data), 1)):
                counts = rounded_counts(layout, point.values, theta)
                solver = Solver(matrix, {"threads": 1, "solver": "simplex"}, relax=True)
                solver.fix(layout.counts, counts)
                with_row = solver.run()
                solver.relax_rows(row)
                without = solver.run()
                assert with_row.status == without.status, f"seed {seed}"
                seen[with_row.status] += 1
                narrow = Solver(tighter, {"threads": 1}, relax=True)
                narrow.fix(layout.counts, counts)
                seen["refused by less"] += narrow.run().status != with_row.status
                if with_row.values is not None:
                    warm = with_row.values[layout.warm[layout.warm >= 0]]
                    assert np.abs(warm - np.rint(warm)).max(initial=0.0) <= 1e-6, f"seed {seed}"
                    seen["dearer with the row"] += with_row.objective > without.objective + 1e-6
    assert seen["optimal"] >= 300
    assert seen["dearer with the row"] >= 3
    assert seen["refused by less"] >= 5


# ------------------------------------------------------------------------------------- arcs and layers: nothing missing


def left_to_serve(matrix: Matrix, k: ClassData, t: int, *, cold: bool) -> np.ndarray:
    """Return the row of what arcs or layers have left after the starts of t, less what is off: ready and used later,
    within its minimum down time, and cold; shape (columns,), to be at most minus N.
    """
    row = np.zeros(len(matrix.cost))

    def add(component: str, *index: object) -> None:
        column = matrix.column_of.get((component, index))
        if column is not None:
            row[column] += 1.0

    for cohort in k.cohorts:
        for u in range(max(t + 1, cohort.earliest), cohort.last_tied + 1):
            if cohort.earliest <= t:
                add(*(("rl", k.name, cohort.used, cohort.step, u) if k.layered else ("r", k.name, cohort.step, u)))
    for i in range(t - k.D + 1, t + 1):
        add("z", k.name, i)
    if cold:
        for j in k.layers if k.layered else (0,):
            add(*(("bl", k.name, j, t) if k.layered else ("b", k.name, t)))
    add("n", k.name, t)
    return row


def test_arcs_and_layers_need_no_such_row():
    """The most by which tokens used after t, the minimum down time and the cold may exceed what is off: proven to be 0.

    *Proves:* of the relaxation of arcs and of layers, without their rows of the minimum down time, no point has more
    containers left to serve than are off; so the row with tokens in place of h follows from the others.
    *Sensitivity:* without the pool of the cold, which ties what is left to what is off, most of them exceed it.
    """
    seen = Counter()
    for seed in range(1200):
        problem = adversarial_problem(seed)
        own = [k for k in class_data_of(problem) if not k.pooled and k.N > 1]
        if not own or seen["layers" if own[0].layered else "arcs"] >= 12:
            continue
        matrix = compiled(problem)
        names = [name for name, _ in matrix.rows]
        down = np.flatnonzero([name == "minimum_down_time" for name in names])
        pools = np.flatnonzero([name in ("cold_pool", "layer_cold_pool") for name in names])
        for k in own:
            for t in range(problem.steps):
                most = [
                    most_of(matrix, left_to_serve(matrix, k, t, cold=cold), out)
                    for cold, out in ((True, down), (False, np.concatenate([down, pools])))
                ]
                if most[0] is None:
                    continue
                assert most[0] <= k.N + 1e-6, f"seed {seed}, class {k.name}, step {t}"
                seen["looser without"] += most[1] > k.N + 1e-6
                seen["steps"] += 1
        seen["layers" if own[0].layered else "arcs"] += 1
    assert seen["arcs"] == seen["layers"] == 12
    assert seen["looser without"] >= seen["steps"] // 2


def most_of(matrix: Matrix, row: np.ndarray, out: np.ndarray) -> float | None:
    """Return the most that a row comes to in the relaxation without the rows `out`; None where that is empty."""
    solver = Solver(replace(matrix, cost=-row, offset=0.0), {"threads": 1}, relax=True)
    solver.relax_rows(out)
    outcome = solver.run()
    return None if outcome.values is None else -outcome.objective
