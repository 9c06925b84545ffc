"""From a case to an audited plan: the way through the rooms, walked once."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from flexmine.assembly import assemble
from flexmine.audit.replay import replay, replay_rounded
from flexmine.baselines.rules import RuleResult, realisable, simple_rules
from flexmine.baselines.value_of_planning import ValueOfPlanning
from flexmine.errors import Infeasible, NoPlan, Status
from flexmine.explain.reasons import reasons
from flexmine.inputs.case import Case
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.even_shares import with_even_shares
from flexmine.planning.previous import running_before
from flexmine.planning.rounding import round_schedule
from flexmine.problem import Problem
from flexmine.problem.variants import full_power_only
from flexmine.solving.engine import SolveOptions, proven, solve
from flexmine.solving.phases import Phases
from flexmine.workflow.build import Decided, build_plan, options_of, refuse_idle_options
from flexmine.workflow.fleet import wear
from flexmine.workflow.overrides import conflicting_pins, cost_of_pins
from flexmine.workflow.plan import Plan
from flexmine.workflow.solve import audited_money_usd, passed, solve_with_reserve


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
    BadInput
        The options would replace those that the case was changed to, or as by the functions below.
    Infeasible, NoPlan
        As by :func:`flexmine.solving.engine.solve`.
    AuditFailed
        The plan found does not pass the audit, and so is not a plan.
    """
    options, phases = options or options_of(case), phases or Phases()
    refuse_idle_options(case, options)
    with phases.measure("physics"):
        assembly = assemble(case)
    before = None if previous is None else running_before(previous, assembly.problem)
    try:
        problem, solution, given_up = solve_with_reserve(assembly.problem, options, phases, before)
    except Infeasible as error:
        raise Infeasible([*conflicting_pins(case, options), *error.messages]) from error
    solution = with_even_shares(problem, solution)
    with phases.measure("disaggregate"):
        exact = to_schedule(problem, solution, wear(case, problem)[0])
    with phases.measure("audit"):
        proof = proven(audited_money_usd(solution, replay(problem, exact)), solution.bound_usd, options.gap)
        rounded = round_schedule(problem, exact)
        audit = passed(replay_rounded(problem, rounded), "the rounded plan")
    with phases.measure("rules"):
        # Where the commitment is given, the rules have nothing to decide.
        rules = () if case.document.commitment else simple_rules(problem, case.publish_steps)
    with phases.measure("reasons"):
        why = reasons(problem, solution, exact, assembly.causes, options)
    with phases.measure("pins"):
        pins = cost_of_pins(case, proof, options)
    made = Decided(problem, rounded, audit, proof, solution.engine, (*given_up, *solution.notes))
    return replace(
        build_plan(case, assembly, options, made),
        rules=tuple(realisable(problem, rule, case.publish_steps) for rule in rules),
        day_kind=_value_of_planning(problem, proof.money_usd, rules, options) if rules else None,
        reasons=why,
        pins=pins,
        preference=asdict(solution.preference),
    )


def _value_of_planning(
    problem: Problem, money_usd: float, rules: tuple[RuleResult, ...], options: SolveOptions
) -> ValueOfPlanning:
    """Split the money into what modes and what looking ahead bring."""
    greedy = next(rule.money_usd for rule in rules if rule.name == "greedy")
    try:
        on_off = solve(full_power_only(problem), options.by_work())
    except (Infeasible, NoPlan):
        return ValueOfPlanning(money_usd, None, greedy)
    return ValueOfPlanning(money_usd, on_off.money_usd if on_off.status is Status.OPTIMAL else None, greedy)
