"""Problems of all kinds through their file: each engine against HiGHS's MIP, bounds that hold, schedules audited."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from flexmine.problem.reading import problem_from_document, problem_text
from flexmine.solving.engine import SolveOptions
from flexmine.workflow.problem_file import solve_to_document
from plants import NAMED_FEATURES, random_features, random_problem
from spiky import sampled


@sampled
def test_auto_and_mip_agree_on_problems_read_from_files(how_many, capsys):
    """Several classes, histories, availability, negative prices, derating, ramps, tiers, sub-hourly, infeasible ones.

    *Proves:* money equal to that of the MIP solved to gap 0 within the asked gap, a bound that is never below it, the
    same problems infeasible; every schedule has passed the audit, else there is no document.
    *Sensitivity:* a key lost on the way through the file, or an engine that cuts off the best plan, differs.
    """
    seen, worst = Counter(), 0.0
    for seed in range(20_000, 20_000 + 3 * how_many):
        rng = np.random.default_rng(seed)
        features = set(random_features(seed)) | {f for f in NAMED_FEATURES if rng.random() < 0.3}
        problem = problem_from_document(json.loads(problem_text(random_problem(seed, features))))
        found, _ = solve_to_document(problem, SolveOptions())
        truth, _ = solve_to_document(problem, SolveOptions(engine="mip", gap=0.0))
        where = f"seed {seed}, features {sorted(features)}"
        assert (found["status"] == "infeasible") == (truth["status"] == "infeasible"), where
        seen[found["engine"] or found["status"]] += 1
        if truth["status"] == "infeasible":
            continue
        money, scale = truth["money_usd"], max(1.0, abs(truth["money_usd"]))
        assert found["money_usd"] >= money - 1.001e-4 * scale, where
        assert found["bound_usd"] >= money - 1e-6 * scale, where
        worst = max(worst, (money - found["money_usd"]) / scale)
    with capsys.disabled():
        print(f"\n{3 * how_many} problems, {dict(seen)}, worst loss {worst:.1e}")
    assert len(seen) >= 3
