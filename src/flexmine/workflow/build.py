"""The one builder of a Plan, whoever decided its schedule: a solver, an earlier plan, or a rule for the worst case."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version

from flexmine._version import __version__
from flexmine.assembly.build import Assembly
from flexmine.assembly.switching import switching
from flexmine.audit.replay import Replay
from flexmine.errors import BadInput
from flexmine.explain.break_even import break_even
from flexmine.inputs.case import Case
from flexmine.planning.carbon import carbon_account
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule
from flexmine.solving.engine import SolveOptions
from flexmine.solving.solution import Proof
from flexmine.workflow.fleet import fleet_after
from flexmine.workflow.plan import Plan

VERSIONS_OF = ("pyomo", "highspy", "numpy", "pandas", "pvlib")


@dataclass(frozen=True)
class Decided:
    """An audited schedule of a problem, with what is proven about it and who decided it.

    Attributes
    ----------
    proof : Proof
        Status, money and bound [USD] of the schedule before it was rounded.
    engine : str
        The solver's, or what stood in for one.
    notes : tuple of str
        What needs explaining about the decision.
    """

    problem: Problem
    schedule: Schedule
    replay: Replay
    proof: Proof
    engine: str
    notes: tuple[str, ...] = ()


def options_of(case: Case) -> SolveOptions:
    """Return the solver options that the case asks for."""
    o = case.document.options
    return SolveOptions(gap=o.gap, time_limit_s=o.time_limit_s, seed=o.seed, preference=True)


def refuse_idle_options(case: Case, options: SolveOptions) -> None:
    """Refuse options that would replace those the case was changed to: the plan would name a change that it lacks.

    Raises
    ------
    BadInput
        Names both.
    """
    asked = options_of(case)
    for change in case.changes:
        head, _, name = change.key.partition(".")
        for key in ("gap", "time_limit_s", "seed") if head == "options" else ():
            if name in ("", key) and getattr(options, key) != getattr(asked, key):
                raise BadInput(
                    f"change {change.asked}: has no effect, because the plan is asked for with {key} = "
                    f"{getattr(options, key):g}; give one of the two"
                )


def build_plan(case: Case, assembly: Assembly, options: SolveOptions, made: Decided) -> Plan:
    """Return the plan of a case without what only a solver can add to it: rules, reasons, pins and preference."""
    problem, schedule, proof = made.problem, made.schedule, made.proof
    return Plan(
        case_name=case.name,
        title=case.title,
        status=proof.status,
        problem=problem,
        publish_steps=case.publish_steps,
        schedule=schedule,
        replay=made.replay,
        money_usd=proof.money_usd,
        bound_usd=proof.bound_usd,
        gap=proof.gap,
        asked_gap=options.gap,
        engine=made.engine,
        perspective=case.document.hash_value.perspective,
        break_even=tuple(break_even(k) for k in problem.classes),
        temperature_c=assembly.temperature_c,
        notes=(*case.notes, *assembly.notes, *made.notes),
        feeds=case.feeds,
        filled=case.filled,
        chain=assembly.chain,
        overrides=assembly.overrides,
        changes=case.changes,
        carbon=carbon_account(problem, schedule, made.replay, assembly.btc_per_th_s_h),
        state_after=fleet_after(case, problem, schedule, made.replay, boxes=assembly.boxes, steps=case.publish_steps),
        causes=assembly.causes,
        plant_name=case.plant.name,
        switching={name: asdict(value) for name, value in switching(case, problem).items()},
        options=asdict(options),
        versions={
            "python": platform.python_version(),
            "flexmine": __version__,
            **{name: version(name) for name in VERSIONS_OF},
        },
        inputs=case.inputs,
    )


def _versions() -> dict[str, str]:
    """Return what the plan is made with; of flexmine itself the version of the code, however it is installed."""
    others = {name: version(name) for name in VERSIONS_OF}
    return {"python": platform.python_version(), "flexmine": __version__, **others}
