"""From a case to an audited plan: the arrows of the house, walked once."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flexmine.assembly import assemble
from flexmine.assembly.inside import Box, inside_after
from flexmine.assembly.reserve import without_reserve
from flexmine.assembly.switching import switching
from flexmine.audit.replay import Replay, replay
from flexmine.baselines.day_kind import DayKind
from flexmine.baselines.rules import RuleResult, realisable, simple_rules
from flexmine.errors import AuditFailed, Infeasible, NoPlan, Status
from flexmine.explain.break_even import break_even
from flexmine.explain.prechecks import conflicts
from flexmine.explain.reasons import reasons
from flexmine.inputs.case import Case
from flexmine.planning.carbon import carbon_account
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.even_shares import with_even_shares
from flexmine.planning.previous import running_before
from flexmine.planning.rounding import round_schedule
from flexmine.planning.state import state_after
from flexmine.problem import Floats, Problem
from flexmine.problem.schedule import Schedule
from flexmine.problem.variants import full_power_only
from flexmine.solving.engine import Solution, SolveOptions, proven, solve
from flexmine.workflow.overrides import conflicting_pins, pin_account
from flexmine.workflow.plan import Plan

MODEL_TOLERANCE_MW = 1e-6
PLAN_TOLERANCE_MW = 1e-3
MONEY_TOLERANCE = 1e-6
COMPARISON_LIMIT_S = 10.0
SHOWN_VIOLATIONS = 20
VERSIONS_OF = ("flexmine", "pyomo", "highspy", "numpy", "pandas", "pvlib")


@dataclass
class Phases:
    """Seconds by phase of a run; they go into run.json and nowhere else."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Add the time spent inside to `phase`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - begin


def options_of(case: Case) -> SolveOptions:
    """Return the solver options that the case asks for."""
    o = case.document.options
    return SolveOptions(gap=o.gap, time_limit_s=o.time_limit_s, seed=o.seed, preference=True)


def plan_case(
    case: Case,
    options: SolveOptions | None = None,
    phases: Phases | None = None,
    previous: Path | None = None,
) -> Plan:
    """Return the audited plan of a case.

    Parameters
    ----------
    case : Case
        From :func:`flexmine.load_case`.
    options : SolveOptions, optional
        In place of what the case asks for.
    phases : Phases, optional
        Receives the seconds spent by phase.
    previous : Path, optional
        Directory of an earlier plan; among plans of equal money the closest to it is taken.

    Raises
    ------
    BadInput, Infeasible, NoPlan
        As by :func:`flexmine.solving.engine.solve`.
    AuditFailed
        Where the plan found does not pass the audit; it is then no plan.
    """
    options = options or options_of(case)
    phases = phases or Phases()
    with phases.measure("physics"):
        assembly = assemble(case)
    before = None if previous is None else running_before(previous, assembly.problem)
    try:
        problem, solution, given_up = _solved(assembly.problem, options, phases, before)
    except Infeasible as error:
        raise Infeasible([*conflicting_pins(case, options), *error.messages]) from error
    solution = with_even_shares(problem, solution)
    run_hours, _ = wear(case, problem)
    with phases.measure("disaggregate"):
        exact = to_schedule(problem, solution, run_hours)
    with phases.measure("audit"):
        money_usd = _audited_money(problem, solution, replay(problem, exact, MODEL_TOLERANCE_MW))
        rounded, audit = _rounded(problem, exact)
    with phases.measure("rules"):
        # Where the commitment is given, the rules have nothing to decide.
        rules = () if case.document.commitment else simple_rules(problem, case.publish_steps)
    with phases.measure("reasons"):
        why = reasons(problem, solution, exact, assembly.causes, options)
    proof = proven(money_usd, solution.bound_usd, options.gap)
    with phases.measure("pins"):
        pins = pin_account(case, proof.money_usd, proof.bound_usd, options)
    return Plan(
        case_name=case.name,
        title=case.title,
        status=proof.status,
        problem=problem,
        publish_steps=case.publish_steps,
        schedule=rounded,
        replay=audit,
        money_usd=proof.money_usd,
        bound_usd=proof.bound_usd,
        gap=proof.gap,
        asked_gap=options.gap,
        engine=solution.engine,
        perspective=case.document.hash_value.perspective,
        rules=tuple(realisable(problem, rule, case.publish_steps) for rule in rules),
        break_even=tuple(break_even(k) for k in problem.classes),
        temperature_c=assembly.temperature_c,
        notes=(*case.notes, *assembly.notes, *given_up, *solution.notes),
        feeds=case.feeds,
        filled=case.filled,
        chain=assembly.chain,
        overrides=assembly.overrides,
        pins=pins,
        day_kind=_day_kind(problem, proof.money_usd, rules, options) if rules else None,
        carbon=carbon_account(problem, rounded, audit, assembly.btc_per_th_s_h),
        preference=asdict(solution.preference),
        state_after=fleet_after(case, assembly.boxes, Executed(problem, rounded, audit, case.publish_steps)),
        reasons=why,
        causes=assembly.causes,
        plant_name=case.plant.name,
        switching={name: asdict(value) for name, value in switching(case, problem).items()},
        options=asdict(options),
        versions=versions(),
        inputs=case.inputs,
    )


def versions() -> dict[str, str]:
    """Return the versions of what a plan is made with."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONS_OF}}


def _rounded(problem: Problem, exact: Schedule) -> tuple[Schedule, Replay]:
    """Return the plan as machines can run it, audited against the true limits."""
    rounded = round_schedule(problem, exact)
    audit = replay(problem, rounded, PLAN_TOLERANCE_MW, problem.site.rounding_reserve_mw)
    _refuse(audit, "the rounded plan")
    return rounded, audit


def _day_kind(problem: Problem, money_usd: float, rules: tuple[RuleResult, ...], options: SolveOptions) -> DayKind:
    """Split the money into what modes and what looking ahead bring."""
    greedy = next(rule.money_usd for rule in rules if rule.name == "greedy")
    # A comparison may not cost more time than the plan itself can spare.
    quick = replace(options, preference=False, time_limit_s=min(options.time_limit_s, COMPARISON_LIMIT_S))
    try:
        on_off = solve(full_power_only(problem), quick)
    except (Infeasible, NoPlan):
        return DayKind(money_usd, None, greedy)
    return DayKind(money_usd, on_off.money_usd if on_off.status is Status.OPTIMAL else None, greedy)


def wear(case: Case, problem: Problem) -> tuple[dict[str, float], dict[str, int]]:
    """Return run hours and starts of every container before step 0, as the case states them."""
    state = case.document.state
    states = {name: state.of(name) for name, _ in problem.containers}
    return {name: s.run_hours for name, s in states.items()}, {name: s.starts for name, s in states.items()}


@dataclass(frozen=True)
class Executed:
    """The first `steps` steps of an audited schedule, taken as done."""

    problem: Problem
    schedule: Schedule
    replay: Replay
    steps: int


def fleet_after(case: Case, boxes: Mapping[str, Box], done: Executed) -> dict[str, Any]:
    """Return the fleet after the executed part of a plan of a case, in the shape of a case's ``state``."""
    run_hours, starts = wear(case, done.problem)
    on = dict(zip(done.schedule.containers, done.schedule.on[:, : done.steps], strict=True))
    inside = inside_after(boxes, on, done.problem.time.step_h)
    state = state_after(
        done.problem,
        done.schedule,
        done.replay,
        done.steps,
        run_hours=run_hours,
        starts=starts,
        inside_temperature_c=inside,
    )
    return state.document()


def _solved(
    problem: Problem, options: SolveOptions, phases: Phases, before: Mapping[str, Floats] | None
) -> tuple[Problem, Solution, tuple[str, ...]]:
    """Solve; where only the rounding reserve stands against a plan, solve with the true limits, and note it."""
    try:
        return problem, solve_checked(problem, options, phases, before), ()
    except Infeasible:
        if problem.site.rounding_reserve_mw == 0.0:
            raise
        reserve_kw = 1000 * problem.site.rounding_reserve_mw
        problem = without_reserve(problem)
        note = f"the limits leave no room for the rounding reserve of {reserve_kw:g} kW; the plan uses them in full"
        return problem, solve_checked(problem, options, phases, before), (note,)


def solve_checked(
    problem: Problem, options: SolveOptions, phases: Phases, before: Mapping[str, Floats] | None = None
) -> Solution:
    """Check in words first, then solve.

    Raises
    ------
    Infeasible
        From the checks, where one of them proves it, else from the solver.
    """
    with phases.measure("prechecks"):
        found = conflicts(problem)
    if found:
        raise Infeasible(found)
    solution = solve(problem, options, before)
    phases.seconds.update(solution.seconds)
    return solution


def _audited_money(problem: Problem, solution: Solution, audit: Replay) -> float:
    """Return the money of the exact plan, as the audit prices it."""
    _refuse(audit, "the plan")
    short = solution.money_usd - audit.money_usd
    # More than the model said is possible: a start charged as cold may turn out to be warm.
    if short > MONEY_TOLERANCE * max(1.0, abs(solution.money_usd)):
        raise AuditFailed(
            f"the model says {solution.money_usd:.6f} USD, the audit prices the same plan at {audit.money_usd:.6f} USD"
        )
    return audit.money_usd


def _refuse(audit: Replay, what: str) -> None:
    if audit.violations:
        shown = [f"{what} fails its audit: {v.message}" for v in audit.violations[:SHOWN_VIOLATIONS]]
        rest = len(audit.violations) - len(shown)
        raise AuditFailed([*shown, f"and {rest} more violations"] if rest else shown)


def with_overrides(options: SolveOptions, **given: object) -> SolveOptions:
    """Return `options` with those of `given` that are not None."""
    return replace(options, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
