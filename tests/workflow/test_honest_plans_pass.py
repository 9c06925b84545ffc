"""Plans of random plants, as they are written, pass the audit from their files in full: no false alarm."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from adversarial import adversarial_problem
from flexmine._version import __version__
from flexmine.audit.replay import replay, replay_rounded
from flexmine.baselines.hold import hold_safe_power
from flexmine.baselines.rules import realisable, simple_rules
from flexmine.errors import Infeasible, NoPlan, Status
from flexmine.explain.break_even import break_even
from flexmine.explain.reasons import reasons
from flexmine.output import write_plan
from flexmine.planning.carbon import carbon_account
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.even_shares import with_even_shares
from flexmine.planning.rounding import round_schedule
from flexmine.planning.state import state_after
from flexmine.solving.engine import SolveOptions, proven
from flexmine.solving.phases import Phases
from flexmine.workflow.audit_files import audit_plan
from flexmine.workflow.fixed_schedule import bound_usd_of
from flexmine.workflow.plan import Plan
from flexmine.workflow.plan_case import _value_of_planning
from flexmine.workflow.solve import audited_money_usd, passed, solve_with_reserve
from miner_plants import touching
from plants import FEATURES, random_problem


def solved(problem, publish_steps, options):
    """What `plan_case` makes, without a case."""
    problem, solution, _ = solve_with_reserve(problem, options, Phases(), None)
    solution = with_even_shares(problem, solution)
    exact = to_schedule(problem, solution)
    proof = proven(audited_money_usd(solution, replay(problem, exact)), solution.bound_usd, options.gap)
    schedule = round_schedule(problem, exact)
    committed = any(k.committed is not None for k in problem.classes)
    rules = () if committed else simple_rules(problem, publish_steps)
    more = {
        "rules": tuple(realisable(problem, rule, publish_steps) for rule in rules),
        "day_kind": _value_of_planning(problem, proof.money_usd, rules, options) if rules else None,
        "reasons": reasons(problem, solution, exact, (), options),
        "preference": asdict(solution.preference),
    }
    return _plan(problem, schedule, proof, solution.engine, options, publish_steps, **more)


def held(problem, publish_steps, options):
    """What the last step of a ladder makes."""
    schedule = hold_safe_power(problem)
    money_usd = round(replay_rounded(problem, schedule).money_usd, 4)
    bound_usd = max(money_usd, round(bound_usd_of(problem), 4))
    proof = replace(proven(money_usd, bound_usd, options.gap), status=Status.FALLBACK)
    return _plan(problem, schedule, proof, "hold", options, publish_steps)


def _plan(problem, schedule, proof, engine, options, publish_steps, **more):
    audit = replay_rounded(problem, schedule)
    if engine == "hold" and audit.violations:
        raise NoPlan("held at safe power it breaks a limit")
    audit = passed(audit, "the plan")
    return Plan(
        case_name="random",
        title="A random plant",
        status=proof.status,
        problem=problem,
        publish_steps=publish_steps,
        schedule=schedule,
        replay=audit,
        money_usd=proof.money_usd,
        bound_usd=proof.bound_usd,
        gap=proof.gap,
        asked_gap=options.gap,
        engine=engine,
        perspective="plant",
        break_even=tuple(break_even(k) for k in problem.classes),
        carbon=carbon_account(problem, schedule, audit, np.full(problem.steps, 1e-9)),
        state_after=state_after(problem, schedule, audit, publish_steps).document(),
        options=asdict(options),
        versions={"flexmine": __version__},
        **more,
    )


def _problem(kind, seed):
    features = ("container_ramp", FEATURES[seed % len(FEATURES)], FEATURES[(7 * seed + 3) % len(FEATURES)])
    makers = {
        "random": lambda: random_problem(seed),
        "with a ramp": lambda: random_problem(seed, dict.fromkeys(features)),
        "adversarial": lambda: adversarial_problem(seed),
        "miners": lambda: touching(seed)[0],
    }
    return makers[kind]()


def check(kind, seed, folder):
    problem = _problem(kind, seed)
    if problem.site.initial_mw is not None and problem.site.initial_mw < 0.0:
        return  # no file may say so
    rng = np.random.default_rng(seed)
    publish_steps, options = int(rng.integers(1, problem.steps + 1)), SolveOptions(gap=1e-4, time_limit_s=30.0)
    for name, make in (("solved", solved), ("held", held)):
        try:
            plan = make(problem, publish_steps, options)
        except (Infeasible, NoPlan):
            continue
        write_plan(plan, folder / name, Phases(), report=False)
        found = audit_plan(folder / name, strict=True)
        assert (found.violations, found.marks) == ((), ()), (kind, seed, name)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["random", "with a ramp", "adversarial", "miners"])
def test_a_few_plans_pass(kind, seed, tmp_path):
    """*Proves:* state, rules, day kind, carbon and break-even prices that are worked out anew are those that were
    written.  *Sensitivity:* a slack that is too small, or a bound that does not hold, refuses an honest plan.
    """
    check(kind, seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 104))
@pytest.mark.parametrize("kind", ["random", "with a ramp", "miners"])
def test_three_hundred_plans_pass(kind, seed, tmp_path):
    """*Proves:* as above, on 300 plants.  *Sensitivity:* as above."""
    check(kind, seed, tmp_path)
