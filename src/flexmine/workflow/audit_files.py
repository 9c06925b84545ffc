"""The full audit of a written plan: with the checks for which the simple rules, or the case, have to be run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.assembly import assemble
from flexmine.assembly.reserve import without_reserve
from flexmine.audit.claims import FROM_THE_CASE, WRITTEN_SLACK_USD, Replayed, claimed
from flexmine.audit.comparison import Comparison, number_of
from flexmine.audit.directory import FileAudit, audit_directory
from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import Witness, is_own_version, version_of
from flexmine.baselines.rules import RuleResult, realisable, simple_rules
from flexmine.baselines.value_of_planning import ValueOfPlanning
from flexmine.errors import BadInput, Status
from flexmine.inputs.case import Case
from flexmine.problem.writing import problem_to_document
from flexmine.solving.solution import Proof
from flexmine.workflow.build import Decided, build_plan, options_of
from flexmine.workflow.document import MONEY_DECIMALS, plan_document, rule_document
from flexmine.workflow.fixed_schedule import bound_usd_of
from flexmine.workflow.plan import GIVEN

SAME_SHARE = 1e-9
"""Physics on another machine may differ in the last digits."""
TEMPERATURE_SLACK_C = 0.051
"""It is written with one decimal."""


def audit_plan(
    directory: Path, case: Case | None = None, witnesses: Sequence[Witness] = (), *, strict: bool = False
) -> FileAudit:
    """Audit a written plan as :func:`flexmine.audit.directory.audit_directory` does, and run the simple rules again.

    Parameters
    ----------
    directory : Path
        Directory of the plan.
    case : Case, optional
        What the plan was made from by its own account: problem.json is built again from it and compared, and so is all
        that plan.json takes over from a case.
    witnesses : sequence of Witness
        What is known about the seal of the plan elsewhere.
    strict : bool
        Whether a plan without a seal is refused; otherwise it is only marked.

    Raises
    ------
    BadInput
        A file is missing or cannot be read, or problem.json is refused.
    """
    found = audit_directory(directory, witnesses, strict=strict)
    made = found.replayed
    if made is None:
        return found
    book = Comparison()
    rules = _rules(made)
    unchecked = _check_rules(book, made, rules)
    _check_day_kind(book, made, rules)
    _check_fallback(book, made)
    found = found.extended(book)
    if case is not None:
        of_case = Comparison("the case")
        _check_case(of_case, made, case, whole=found.ok)
        found = found.extended(of_case)
    lines = tuple(claimed(made.document, with_case=case is not None))
    return replace(found, claimed=(*lines, *unchecked))


def _check_rules(book: Comparison, made: Replayed, rules: tuple[RuleResult, ...]) -> list[str]:
    """Compare the rules of a plan with those of this version; return what an older version claims of its own."""
    written = made.document.get("rules")
    true = [rule_document(realisable(made.problem, rule, made.publish_steps)) for rule in rules]
    if is_own_version(made.document):
        book.same("plan.json: rules", written, true, WRITTEN_SLACK_USD)
        return []
    own = Comparison()
    own.same("plan.json: rules", written, true, WRITTEN_SLACK_USD)
    book.checks += own.checks
    return [f"rules: of flexmine {version_of(made.document)}; this version's earn other amounts"] if own.faults else []


def _rules(made: Replayed) -> tuple[RuleResult, ...]:
    """Return the simple rules; none where they had nothing to decide, or where no solver made the plan."""
    committed = any(k.committed is not None for k in made.problem.classes)
    given = committed or made.document.get("engine") in GIVEN
    return () if given else simple_rules(made.problem, made.publish_steps)


def _check_day_kind(book: Comparison, made: Replayed, rules: tuple[RuleResult, ...]) -> None:
    said, money = made.document.get("day_kind"), number_of(made.document.get("money_usd"))
    if not rules or money is None:
        book.same("plan.json: day_kind", said, None)
        return
    if not isinstance(said, dict):
        book.hold(False, "plan.json: day_kind is not an object.")
        return
    full = said.get("full_power_money_usd")
    bound = number_of(made.document.get("bound_usd"))
    known = number_of(full)
    book.hold(full is None or known is not None, f"plan.json: day_kind.full_power_money_usd: {full!r} is not a number.")
    ramps = any(k.container_ramp_mw_per_step is not None for k in made.problem.classes)
    if known is not None and bound is not None and not ramps:
        # Fewer modes never earn more than the bound with all of them; but a container that has to ramp up from its
        # lowest power starts at full power where that is its only one.
        book.hold(
            known <= bound + WRITTEN_SLACK_USD, f"plan.json: day_kind.full_power_money_usd: {known} is above bound_usd."
        )
    greedy = next(rule.money_usd for rule in rules if rule.name == "greedy")
    if not is_own_version(made.document):
        greedy = number_of(said.get("greedy_money_usd"))
    true = ValueOfPlanning(money, known, greedy).document()
    # Amounts are written rounded, and a sentence may round them to the other side.
    near = [
        ValueOfPlanning(
            money + a, None if known is None else known + b, None if greedy is None else greedy + c
        ).sentence
        for a, b, c in product((-1e-4, 0.0, 1e-4), repeat=3)
    ]
    sentence = said.get("sentence")
    book.same(
        "plan.json: day_kind", said, true | ({"sentence": sentence} if sentence in near else {}), WRITTEN_SLACK_USD
    )


def _check_fallback(book: Comparison, made: Replayed) -> None:
    """Check that a plan that no solver made claims no more than a bound that needs none."""
    document = made.document
    if document.get("engine") in GIVEN:
        true = max(number_of(document.get("money_usd")) or 0.0, round(bound_usd_of(made.problem), MONEY_DECIMALS))
        book.number("plan.json: bound_usd", document.get("bound_usd"), true, WRITTEN_SLACK_USD)
        book.same("plan.json: status", document.get("status"), Status.FALLBACK.value)


def _check_case(book: Comparison, made: Replayed, case: Case, *, whole: bool) -> None:
    assembly = assemble(case)
    written = problem_to_document(made.problem)
    found = []
    for problem in (assembly.problem, without_reserve(assembly.problem)):
        own = Comparison("the case")
        own.same("problem.json", written, problem_to_document(problem), share=SAME_SHARE)
        found.append(own)
    best = min(found, key=lambda own: len(own.faults))
    book.checks += best.checks
    book.faults += best.faults
    if made.problem.steps != assembly.problem.steps:
        return
    temperature = np.full(made.problem.steps, np.nan) if assembly.temperature_c is None else assembly.temperature_c
    off = ~np.isclose(made.temperature_c, temperature, rtol=0.0, atol=TEMPERATURE_SLACK_C, equal_nan=True)
    book.all(
        f"site.csv: temperature_c at {made.problem.time.begin(int(t)).isoformat()}: {made.temperature_c[t]:g} is "
        f"written, the case has {temperature[t]:g}."
        for t in np.flatnonzero(off)[:1]
    )
    if whole and not best.faults:
        _check_taken_over(book, made, case, assembly)


def changed_alike(case: Case, directory: Path) -> Case:
    """Return the case with the changes that the plan written in `directory` states under ``changes``.

    Raises
    ------
    BadInput
        plan.json cannot be read, ``changes`` is not a list of changes, or the case does not allow them.
    """
    said = read_document(directory).get("changes")
    together: dict[str, Any] = {}
    for change in said if isinstance(said, list) else ():
        if not isinstance(change, dict) or not isinstance(change.get("key"), str) or "value" not in change:
            raise BadInput(
                f"{directory / 'plan.json'}: changes: {change!r} is not an object with the keys key and value"
            )
        key, value = change["key"], change["value"]
        if key in together:  # changed twice, one after the other
            case, together = case.with_changes(together), {}
        together[key] = value
    return case.with_changes(together) if together else case


def _check_taken_over(book: Comparison, made: Replayed, case: Case, assembly: Any) -> None:
    """Compare what plan.json takes over from the case with a plan built again around the written schedule."""
    document = made.document
    figures = (number_of(document.get(key)) or 0.0 for key in ("money_usd", "bound_usd", "gap"))
    proof = Proof(Status(document["status"]), *figures)
    decided = Decided(made.problem, made.schedule, made.truth, proof, str(document.get("engine")))
    plan = build_plan(case, assembly, options_of(case), decided)
    true = plan_document(plan, {})
    older = not is_own_version(document)
    for key in [key for keys, _ in FROM_THE_CASE for key in keys if key not in ("notes", "carbon", "state_after")]:
        if older and key not in document:
            continue
        book.same(f"plan.json: {key}", document.get(key), true.get(key), share=SAME_SHARE)
    book.same("plan.json: horizon", document.get("horizon"), true["horizon"])
    book.same("plan.json: state_after", document.get("state_after"), true["state_after"], 1e-5, SAME_SHARE)
    book.same("plan.json: carbon", document.get("carbon"), true["carbon"], 2e-3, 1e-5)
    said = document.get("notes")
    notes = said if isinstance(said, list) else []
    book.all(f"plan.json: notes: the case's own is missing: {note!r}" for note in plan.notes if note not in notes)
