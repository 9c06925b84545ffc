from dataclasses import replace

import numpy as np
import pytest

from flexmine.assembly import assemble
from flexmine.errors import Infeasible
from flexmine.problem import History, Problem
from flexmine.solving.engine import SolveOptions, solve

NAMES = [f"C{i:02d}" for i in range(1, 7)]


def _random_documents(seed):
    rng = np.random.default_rng(seed)

    def span():
        first = int(rng.integers(0, 5))
        last = first + int(rng.integers(1, 3))
        return {"from": f"2024-09-10T{first:02d}:00:00+08:00", "to": f"2024-09-10T{last:02d}:00:00+08:00"}

    states = {name: {"on": bool(rng.random() < 0.7), "hours": float(rng.integers(1, 5))} for name in NAMES}
    case = {"state": {"initial_mw": None, "default": {"on": False, "hours": 9.0}, "containers": states}}
    kind = seed % 4
    if kind in (0, 3):
        case["outages"] = [{"container": str(rng.choice(NAMES)), "reason": "fan", **span()} for _ in range(2)]
    if kind in (1, 3):
        case["orders"] = [{"name": "order", "cap_mw": float(rng.uniform(0.3, 3.0)), **span()}]
    if kind in (2, 3):
        case["available"] = [{"model": "s19pro.yaml", "count": int(rng.integers(0, 6)), **span()}]
    if kind == 2:
        hour = int(rng.integers(0, 5))
        case["windows"] = [{"name": "ban", "source": "decree", "from": "09-10", "to": "09-10", "hours": [hour]}]
    return case


def _as_it_was(problem: Problem, states) -> Problem:
    """Return the problem with every container's true age in place of the one written by an override."""
    classes = tuple(
        replace(
            k,
            history=tuple(
                History(count=1, on=states[name]["on"], steps=int(states[name]["hours"])) for name in k.containers
            ),
        )
        for k in problem.classes
    )
    return replace(problem, classes=classes)


@pytest.mark.parametrize("seed", range(24))
def test_with_its_overrides_a_case_can_be_solved_and_without_them_not(make_case, seed):
    """Random outages, orders, counts and windows meet random unfinished minimum up times of 5 h; no ramp limits.

    *Proves:* what is released is enough in every case, and where something is released it had to be.
    *Sensitivity:* with the true ages put back, each case that lists an override is infeasible.
    """
    documents = _random_documents(seed)
    free = {"ramp_up_mw_per_h": None, "ramp_down_mw_per_h": None}
    result = assemble(make_case(documents, plant=free, container={"min_up_h": 5.0}))
    assert solve(result.problem, SolveOptions()).status.value == "optimal"
    as_it_was = _as_it_was(result.problem, documents["state"]["containers"])
    if result.overrides:
        with pytest.raises(Infeasible):
            solve(as_it_was, SolveOptions())
    else:
        assert solve(as_it_was, SolveOptions()).status.value == "optimal"


def test_the_random_cases_do_override(make_case):
    """*Proves:* the cases above are not empty. *Sensitivity:* at least ten of the 24 list an override."""
    found = [assemble(make_case(_random_documents(s), container={"min_up_h": 5.0})).overrides for s in range(24)]
    assert sum(bool(o) for o in found) >= 10
