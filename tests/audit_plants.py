"""A plant of two containers and six steps whose money can be worked out by hand, and its plan in a directory.

C01 starts cold in step 1, runs at 0.5 and 1.0 MW, stops in step 3, starts warm in step 4 and runs at 0.75 and
0.5 MW; C02 stays off.  Overhead 1.1, standby 0.01 MW, hash value 0.002 USD per TH/s and hour.

======  ========  ========  =======  =======
step    facility  surplus   grid     hash
======  ========  ========  =======  =======
0       0.020     0.020     0        0
1       0.560     0.560     0        20,000
2       1.110     1.000     0.110    30,000
3       0.020     0.020     0        0
4       0.835     0.835     0        25,000
5       0.560     0.560     0        20,000
======  ========  ========  =======  =======

Hash revenue 0.002 x 95,000 = 190; energy 10 x 2.995 + 45 x 0.11 = 34.90; starts 60 + 15 = 75; money 80.10 USD.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flexmine._version import __version__
from flexmine.audit.replay import replay
from flexmine.audit.seal import sealed
from flexmine.baselines.rules import RuleResult
from flexmine.errors import Status
from flexmine.explain.break_even import break_even
from flexmine.planning.rounding import round_schedule
from flexmine.planning.state import state_after
from flexmine.planning.tables import write_csv
from flexmine.problem import Problem
from flexmine.problem.reading import write_problem
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.workflow.document import document_text, plan_document
from flexmine.workflow.plan import Plan
from plants import reference_class, simple_problem

STEPS = 6
ON = ((0, 1, 1, 0, 1, 1), (0, 0, 0, 0, 0, 0))
IT_POWER_MW = ((0.0, 0.5, 1.0, 0.0, 0.75, 0.5), (0.0,) * 6)


def two_containers(**changes: Any) -> Problem:
    """Return the plant; `changes` go to the class, or to the site where simple_problem knows them."""
    site = {"surplus_mw": 1.0, "cap": 3.0, "ramp": None, "initial": None}
    keys = ("surplus_mw", "cap", "ramp", "ramp_down", "initial", "base_load", "minimum", "feeders", "step_h")
    for key in (*keys, "day_of_step", "firm_mw", "firm_price"):
        if key in changes:
            site[key] = changes.pop(key)
    fields = {
        "it_power_mw": (0.5, 1.0),
        "hash_rate_th_s": (20_000.0, 30_000.0),
        "overhead": 1.1,
        "hash_value_usd_per_th_s_h": 0.002,
        "min_up_steps": 2,
        "min_down_steps": 1,
        "warm_off_steps": 1,
    } | changes
    return simple_problem(reference_class("box", 2, STEPS, **fields), **site)


def schedule_of(problem: Problem, on: Any = ON, it_power_mw: Any = IT_POWER_MW, supply_mw: Any = None) -> Schedule:
    """Return a schedule of the two containers; the cheapest supply for it unless one is given."""
    states, power = np.array(on, dtype=bool), np.array(it_power_mw, dtype=float)
    names = tuple(name for name, _ in problem.containers)
    blank = Schedule(names, states, power, np.zeros((len(problem.sources), problem.steps)))
    site_power = replay(problem, blank).site_power_mw
    supply = supply_by_merit(problem, site_power) if supply_mw is None else np.array(supply_mw, dtype=float)
    return replace(blank, supply_mw=supply)


def plan_of(problem: Problem, schedule: Schedule, **changes: Any) -> Plan:
    """Return the schedule as an audited plan, proven to 0.004 USD, that publishes four of its steps."""
    rounded = round_schedule(problem, schedule)
    money = replay(problem, schedule).money_usd
    bound = money + 0.004
    audit = replay(problem, rounded, tolerance_mw=1e-3, reserve_mw=problem.site.rounding_reserve_mw)
    fields: dict[str, Any] = {
        "case_name": "two",
        "title": "Two containers",
        "status": Status.OPTIMAL,
        "problem": problem,
        "publish_steps": 4,
        "schedule": rounded,
        "replay": audit,
        "money_usd": money,
        "bound_usd": bound,
        "gap": (bound - money) / max(1.0, abs(money)),
        "asked_gap": 1e-4,
        "engine": "mip",
        "perspective": "plant",
        "rules": (
            RuleResult("threshold", 12.5, 3.5),
            RuleResult("always on", None, None, ("cap: the site at 03:00: too much.",)),
        ),
        "break_even": tuple(break_even(k) for k in problem.classes),
        "state_after": state_after(problem, rounded, audit, 4).document(),
        "options": {"gap": 1e-4, "seed": 0, "engine": "auto"},
        "versions": {"flexmine": __version__},
        "inputs": {"case.yaml": "0" * 64},
    }
    return Plan(**(fields | changes))


def write_plan(plan: Plan, directory: Path) -> Path:
    """Write the files that the audit reads."""
    directory.mkdir(parents=True, exist_ok=True)
    write_problem(plan.problem, directory / "problem.json")
    write_csv(plan.setpoints, directory / "setpoints.csv")
    write_csv(plan.site, directory / "site.csv")
    (directory / "plan.json").write_text(document_text(plan_document(plan, _hashes(directory))), encoding="utf-8")
    return directory


def reseal(directory: Path) -> None:
    """Write the files' true hashes into plan.json and seal it anew, as a careful forger would."""

    def anew(document: dict[str, Any]) -> None:
        document.update(files=_hashes(directory))
        document.update(sealed(document))

    edit_json(directory / "plan.json", anew)


def edit_json(file: Path, change: Callable[[Any], Any]) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document)
    file.write_text(json.dumps(document), encoding="utf-8")


def edit_csv(file: Path, change: Callable[[list[dict[str, str]]], Any]) -> None:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = list(rows[0])
    change(rows)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _hashes(directory: Path) -> dict[str, str]:
    names = ("problem.json", "setpoints.csv", "site.csv")
    return {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in names}
