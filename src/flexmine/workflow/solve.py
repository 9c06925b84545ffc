"""Solving as every command does it: checked in words first, and audited afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from flexmine.assembly.reserve import keeps_reserve, without_reserve
from flexmine.audit.replay import Replay
from flexmine.errors import AuditFailed, Infeasible, first_of
from flexmine.explain.prechecks import conflicts
from flexmine.problem import Floats, Problem
from flexmine.solving.engine import Solution, SolveOptions, solve
from flexmine.solving.phases import Phases
from flexmine.solving.solution import MONEY_TOLERANCE

SHOWN_VIOLATIONS = 20


def solve_checked(
    problem: Problem, options: SolveOptions, phases: Phases | None = None, before: Mapping[str, Floats] | None = None
) -> Solution:
    """Check in words first, then solve.

    Parameters
    ----------
    problem : Problem
    options : SolveOptions
    phases : Phases, optional
        Receives the seconds spent.
    before : mapping, optional
        As in :func:`flexmine.solving.engine.solve`.

    Raises
    ------
    Infeasible
        From the checks, where one of them proves it, else from the solver.
    NoPlan, BadInput
        As by :func:`flexmine.solving.engine.solve`.
    """
    phases = phases or Phases()
    with phases.measure("prechecks"):
        found = conflicts(problem)
    if found:
        raise Infeasible(found)
    solution = solve(problem, options, before)
    phases.seconds.update(solution.seconds)
    return solution


def conflicts_with_reserve(problem: Problem) -> tuple[list[str], tuple[str, ...]]:
    """Return what the checks in words find, and a note where they find something because of the rounding reserve alone.

    The findings state the true limits, as the user wrote them.
    """
    found = conflicts(problem)
    if not found or not keeps_reserve(problem):
        return found, ()
    true = conflicts(without_reserve(problem))
    return true, () if true else (_without_reserve_note(problem),)


def _without_reserve_note(problem: Problem) -> str:
    kept = []
    if problem.site.rounding_reserve_mw > 0.0:
        kept.append(f"the rounding reserve of {1000 * problem.site.rounding_reserve_mw:g} kW")
    if any(e.kept_mwh > 0.0 for e in problem.site.energy_limits):
        kept.append("energy that is kept for later hours")
    return f"the limits leave no room for {' and '.join(kept)}; the plan uses them in full"


def solve_with_reserve(
    problem: Problem, options: SolveOptions, phases: Phases, before: Mapping[str, Floats] | None
) -> tuple[Problem, Solution, tuple[str, ...]]:
    """Return the problem solved, its solution, and a note where the rounding reserve had to be given up.

    Where only the reserve stands against a plan, the true limits are used in full.

    Parameters
    ----------
    problem : Problem
    options : SolveOptions
    phases : Phases
        Receives the seconds spent.
    before : mapping or None
        As in :func:`flexmine.solving.engine.solve`.

    Raises
    ------
    Infeasible, NoPlan, BadInput
        As by :func:`solve_checked`.
    """
    try:
        return problem, solve_checked(problem, options, phases, before), ()
    except Infeasible:
        if not keeps_reserve(problem):
            raise
        note, problem = _without_reserve_note(problem), without_reserve(problem)
        return problem, solve_checked(problem, options, phases, before), (note,)


def passed(audit: Replay, what: str) -> Replay:
    """Return the replay of a schedule that keeps every limit.

    Parameters
    ----------
    audit : Replay
    what : str
        What the schedule is called in the message, such as ``the solution``.

    Raises
    ------
    AuditFailed
        It breaks a limit.
    """
    if audit.violations:
        messages = [f"{what} fails its audit: {v.message}" for v in audit.violations]
        raise AuditFailed(first_of(messages, SHOWN_VIOLATIONS, "more violations"))
    return audit


def audited_money_usd(solution: Solution, audit: Replay) -> float:
    """Return the money of the exact plan, as the audit prices it [USD].

    Raises
    ------
    AuditFailed
        The plan breaks a limit, or the model claims that it earns more.
    """
    passed(audit, "the plan")
    short = solution.money_usd - audit.money_usd
    # More than the model said is possible: a start charged as cold may turn out to be warm.
    if short > MONEY_TOLERANCE * max(1.0, abs(solution.money_usd)):
        raise AuditFailed(
            f"the model says {solution.money_usd:.6f} USD, the audit prices the same plan at {audit.money_usd:.6f} USD"
        )
    return audit.money_usd
