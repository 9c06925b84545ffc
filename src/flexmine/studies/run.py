"""One policy through all days: decide, follow, book, carry the state on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from flexmine.assembly import assemble
from flexmine.baselines.greedy import walk_with
from flexmine.baselines.rules import decide_always_on, decide_threshold
from flexmine.baselines.walk import Decider, walk
from flexmine.inputs.schema import State
from flexmine.problem import Problem
from flexmine.problem.money import money_terms
from flexmine.studies.execution import Followed, Setpoints, follow
from flexmine.studies.policies import Context, Nightly, Perfect, Policy, Redispatch, Replan, Rule, charge_of
from flexmine.studies.schema import BacktestDocument
from flexmine.studies.world import World, as_metered
from flexmine.workflow.fleet import fleet_after

SHOWN_VIOLATIONS = 5
PLANNED: dict[str, type[Policy]] = {"nightly": Nightly, "redispatch": Redispatch, "replan": Replan}
WALKED: dict[str, Decider] = {"always-on": decide_always_on, "threshold": decide_threshold}


@dataclass
class Run:
    """What one policy did with one draw of the noise.

    Attributes
    ----------
    steps : DataFrame
        A row for each step, with the columns of :func:`rows_of`.
    trips, without_plan : int
        How often a running container had to stop at once; decisions for which there was no plan within the limits.
    cut_mwh : float
        IT energy asked for and not drawn [MWh].
    violations : list of str
        The first of the limits that were broken, as the audit words them.
    broken : int
        How many were broken.
    bound_usd : float or None
        Of perfect foresight alone: what nobody can earn more than.
    """

    policy: str
    seed: int
    steps: pd.DataFrame
    trips: int = 0
    cut_mwh: float = 0.0
    without_plan: int = 0
    broken: int = 0
    violations: list[str] = field(default_factory=list)
    bound_usd: float | None = None


def run_policy(
    world: World, document: BacktestDocument, policy: str, seed: int, progress: Callable[[int], None] | None = None
) -> Run:
    """Take one policy through all days.

    Parameters
    ----------
    world : World
    document : BacktestDocument
    policy : str
    seed : int
        Of the noise in `world`, to be named in the result.
    progress : callable, optional
        Receives the number of days that are done, after each.
    """
    books = _Books(world, Run(policy, seed, pd.DataFrame()), world.case.document.state)
    first = world.truth(world.begin, 1, books.state).problem
    context = Context(world, document, world.case.plant.container_names, _reach(first))
    decider = _policy(policy, context, books.state)
    for day, (begin, end) in enumerate(world.days):
        step = begin
        while step < end:
            steps = decider.steps(step, end)
            books.execute(step, steps, decider.decide(step, steps, books.state))
            step += steps
        if progress is not None:
            progress(day + 1)
    found = books.run
    found.bound_usd = decider.bound_usd if isinstance(decider, Perfect) else None
    found.steps = pd.concat(books.rows, ignore_index=True)
    found.without_plan = context.without_plan
    return found


def _reach(problem: Problem) -> int:
    return max(max(k.min_up_steps, k.min_down_steps) for k in problem.classes)


def _policy(name: str, context: Context, state: State) -> Policy:
    if name == "perfect":
        return Perfect(context, state)
    if name in PLANNED:
        return PLANNED[name](context)
    if name == "greedy":
        return Rule(context, partial(walk_with, charge=charge_of(context.world, context.document)))
    return Rule(context, partial(walk, decide=WALKED[name]))


@dataclass
class _Books:
    """What has been done so far, and the state that it has led to."""

    world: World
    run: Run
    state: State
    rows: list[pd.DataFrame] = field(default_factory=list)

    def execute(self, step: int, steps: int, setpoints: Setpoints) -> None:
        """Execute `steps` steps from `step` on against what came, and book them."""
        world, run = self.world, self.run
        case = world.case.window(step, steps, self.state)
        truth = assemble(case)
        problem = as_metered(case, truth.problem)
        row = {name: i for i, name in enumerate(world.case.plant.container_names)}
        order = [row[name] for name, _ in problem.containers]
        supply = None if setpoints.supply_mw is None else setpoints.supply_mw[:, :steps]
        told = Setpoints(setpoints.on[order, :steps], setpoints.it_power_mw[order, :steps], supply)
        followed = follow(problem, told)
        run.trips += followed.trips
        run.cut_mwh += followed.cut_mwh
        run.broken += len(followed.replay.violations)
        run.violations += [v.message for v in followed.replay.violations][: SHOWN_VIOLATIONS - len(run.violations)]
        self.rows.append(rows_of(problem, followed))
        after = fleet_after(case, problem, followed.schedule, followed.replay, boxes=truth.boxes, steps=steps)
        self.state = State.model_validate(after)


def rows_of(problem: Problem, followed: Followed) -> pd.DataFrame:
    """Return a row for each step: who ran, what was drawn from where, and each term of the money."""
    replay, schedule, axis = followed.replay, followed.schedule, problem.time
    columns: dict[str, object] = {
        "interval_start": [axis.begin(t) for t in range(axis.steps)],
        "running": schedule.on.sum(axis=0),
        "facility_power_mw": replay.site_power_mw,
        "hash_rate_th_s": replay.hash_rate_th_s.sum(axis=0),
        "warm_starts": replay.warm_start.sum(axis=0),
        "cold_starts": replay.cold_start.sum(axis=0),
    }
    for source, supply in zip(problem.sources, schedule.supply_mw, strict=True):
        columns[f"{source.name}_mw"] = supply
    columns["surplus_left_mw"] = replay.surplus_left_mw
    intensities = [s.carbon_g_per_kwh for s in problem.sources]
    if all(g is not None for g in intensities):
        columns["carbon_kg"] = axis.step_h * np.sum(np.array(intensities) * schedule.supply_mw, axis=0)
    for term in money_terms(by_step=True):
        columns[term.key] = replay.usd[term.name]
    columns["money_usd"] = replay.money_by_step_usd
    return pd.DataFrame(columns)
