"""problem.json from anybody: refused in a sentence, or solved, audited and, where it is small, the best there is."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.inputs.case import load_case
from flexmine.problem.reading import problem_text
from fuzz.damage import damaged
from fuzz.integers import problems, raised
from fuzz.solved import solve
from plants import NAMED_FEATURES, random_features, random_problem

SHIPPED = ("bratsk-day", "bratsk-shaped", "deep-winter", "fleet-mixed", "outage-and-trip", "day-of-25-hours")
SAMPLE, ALL = range(40), range(1000, 4000)


@pytest.mark.parametrize("seeds", [SAMPLE, pytest.param(ALL, marks=pytest.mark.slow)], ids=["sample", "3000"])
def test_damaged_problem_files(seeds, tmp_path, capsys):
    """Random plants of every feature, and two of five times shipped cases, damaged in values, shape or text.

    *Proves:* exit 2 in sentences that name the file and hold nothing that cannot be seen, with nothing written; or an
    answer within 10 s and 2 GiB whose schedule, read back from solution.json, keeps every limit and earns what is
    said; for small plants it is that of the oracle, and infeasible exactly where the oracle knows of no plan.
    *Sensitivity:* one file in ten, at least, is compared with the oracle, else the damage would only try the reader.
    """
    seen, faults = Counter(), []
    for seed in seeds:
        rng = np.random.default_rng([seed, 7])
        file = tmp_path / "problem.json"
        file.write_bytes(damaged(_text(seed, rng), rng))
        ended, found = solve(file, oracle=True)
        seen[ended] += 1
        faults += [f"seed {seed}: {fault}" for fault in found]
    with capsys.disabled():
        print(f"\n{len(seeds)} damaged problem files: {dict(seen)}")
    assert faults == []
    assert seen["optimal, compared"] + seen["infeasible, compared"] >= 0.1 * len(seeds)


def _text(seed: int, rng: np.random.Generator) -> str:
    if seed % 5 < 2:
        return _shipped(SHIPPED[seed // 5 % len(SHIPPED)])
    features = set(random_features(seed)) | {f for f in NAMED_FEATURES if rng.random() < 0.3}
    return problem_text(random_problem(seed, features))


@cache
def _shipped(name: str) -> str:
    return problem_text(assemble(load_case(name)).problem)


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.slow)], ids=["sample", "all"])
def test_huge_whole_numbers_of_problem_files(every, tmp_path, capsys):
    """Each whole number of three plants, all numbers of a key, and those of two keys together, up to 10^18.

    *Proves:* none of them makes time or memory grow: a refusal, or an audited answer, in less than 10 s.
    *Sensitivity:* layers of starts for each that a limit of 10^9 allows, or rows that reach back 10^6 steps, hang.
    """
    seen, faults = Counter(), []
    tried = [(n, *one) for n, document in enumerate(problems()) for one in raised(document)]
    for n, words, document in tried[::every]:
        file = tmp_path / "problem.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        ended, found = solve(file)
        seen[ended] += 1
        faults += [f"plant {n}, {words}: {fault}" for fault in found]
    with capsys.disabled():
        print(f"\n{sum(seen.values())} problem files with huge whole numbers: {dict(seen)}")
    assert faults == []
    assert seen["optimal"] >= 0.1 * sum(seen.values())


def test_a_thousand_sources_are_one_in_a_thousand_parts(tmp_path):
    """*Proves:* what a source earns in one piece it earns in 1,000, in time and within the cap of memory.

    *Sensitivity:* a cut for each source in every step, each over all of them, takes a minute and gigabytes.
    """
    file = tmp_path / "problem.json"
    document = json.loads(problem_text(random_problem(37, {"ages", "tiers", "ramp"})))
    money = []
    for parts in (1, 1000):
        first, *others = document["sources"]
        own = [mw / parts for mw in first["available_mw"]]
        split = [{**first, "name": f"part{i}", "available_mw": own} for i in range(parts)]
        file.write_text(json.dumps({**document, "sources": [*split, *others]}), encoding="utf-8")
        ended, faults = solve(file)
        assert (ended in ("optimal", "feasible"), faults) == (True, [])
        money.append(json.loads((tmp_path / "solution.json").read_text(encoding="utf-8"))["money_usd"])
    assert money[1] == pytest.approx(money[0], rel=1e-4)
