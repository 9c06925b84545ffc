"""``flexmine check``, ``audit`` and ``explain``: looking at a case or at a written plan; nothing is solved."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from flexmine.cli.common import outside_option, put, say, strict_seals, with_errors
from flexmine.cli.types import IsoTime, Seal
from flexmine.errors import EXIT_INTERNAL, BadInput, first_of

SHOWN_FAULTS = 20


@click.command(short_help="Check a case in words; solve nothing.")
@click.argument("case")
@outside_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON line on stdout.")
@with_errors
def check(case: str, allow_outside: tuple[Path, ...], as_json: bool) -> int:
    """Validate a case and everything it refers to, and look for conflicts in words; solve nothing."""
    from flexmine.assembly import assemble
    from flexmine.errors import Infeasible
    from flexmine.inputs.case import load_case
    from flexmine.workflow.solve import conflicts_with_reserve

    loaded = load_case(case, allow_outside)
    assembly = assemble(loaded)
    found, given_up = conflicts_with_reserve(assembly.problem)
    if found:
        raise Infeasible(found)
    problem = assembly.problem
    fleet = ", ".join(f"{k.count} x {k.name}" for k in problem.classes)
    facts = {
        "case": loaded.name,
        "steps": problem.steps,
        "step_h": problem.time.step_h,
        "start": problem.time.begin(0).isoformat(),
        "end": problem.time.begin(problem.steps).isoformat(),
        "classes": {k.name: k.count for k in problem.classes},
        "sources": [s.name for s in problem.sources],
        "overrides": list(assembly.overrides),
        "filled": [f.document() for f in loaded.filled],
        "feeds": [f.document() for f in loaded.feeds],
    }
    if as_json:
        put(json.dumps(facts))
    else:
        put(f"{loaded.name}: valid; {fleet}; {problem.steps} steps from {facts['start']} to {facts['end']}")
        filled = [f"filled: {f}" for f in loaded.filled]
        for line in (*map(str, loaded.feeds), *filled, *assembly.overrides, *assembly.notes, *given_up):
            put(f"  {line}")
    return 0


@click.command(short_help="Re-check a written plan from its files.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--case", metavar="CASE", help="Build problem.json anew from this case, and compare.")
@outside_option
@click.option("--as-of", "as_of", type=IsoTime(), metavar="TIME", help="With --case: with what was issued by then.")
@click.option("--with-changes", is_flag=True, help="With --case: also with the changes that the plan names.")
@click.option("--seal", type=Seal(), help="The seal that the plan has to carry, as you know it from elsewhere.")
@strict_seals
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON line on stdout.")
@with_errors
def audit(
    *,
    directory: Path,
    case: str | None,
    allow_outside: tuple[Path, ...],
    as_of: datetime | None,
    with_changes: bool,
    seal: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Re-check a written plan from its files alone, and name each violation.

    Everything that follows from problem.json and setpoints.csv is worked out anew; the rest is under the plan's seal
    and is named as a claim.  A record of the store or a publication beside DIR is asked for the seal too.
    """
    from flexmine.audit.plan_files import read_document
    from flexmine.audit.seal import Witness
    from flexmine.inputs.case import load_case
    from flexmine.workflow.audit_files import audit_plan, changed_alike

    if case is None and (with_changes or as_of is not None):
        raise BadInput("--with-changes and --as-of say how --case is read; name the case too")
    loaded = None if case is None else load_case(case, allow_outside, as_of)
    if loaded is not None and with_changes:
        loaded = changed_alike(loaded, directory)
    found = audit_plan(directory, loaded, [Witness("--seal", seal)] if seal else [], strict=strict)
    carried = None if found.replayed is None else found.replayed.document.get("seal")
    if as_json:
        summary = {"directory": str(directory), "passed": found.ok, "checks": found.checks, "seal": carried}
        lists = {"violations": found.violations, "marks": found.marks, "claimed": found.claimed}
        put(json.dumps({**summary, **{key: list(value) for key, value in lists.items()}}))
        return 0 if found.ok else EXIT_INTERNAL
    if found.ok:
        of_case = "" if case is None else f", and it is the plan of {case}"
        put(f"{directory}: audit passed, {found.checks} checks{of_case}; seal {carried or 'none'}")
    else:
        say(f"{directory}: audit FAILED, {len(found.violations)} fault{'s' * (len(found.violations) != 1)}")
        for line in first_of(list(found.violations), SHOWN_FAULTS, "more faults; --json lists all"):
            say(f"flexmine: audit: {line}")
    for line in found.marks:
        put(f"note: {line}")
    if case is not None and not with_changes and read_document(directory).get("changes") and not found.ok:
        put("note: a what-if is not the plan of its case; --with-changes compares it with the case so changed")
    if found.ok:
        put("Checked: every limit, every MWh and every dollar of the setpoints, and what follows from them.")
        put("Claimed, not checked:")
        for line in found.claimed:
            put(f"  {line}")
    return 0 if found.ok else EXIT_INTERNAL


@click.command(short_help="Why a container does what it does.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--container", required=True, help="Name of the container, such as C07.")
@click.option("--at", required=True, metavar="TIME", help="HH:MM of site time (the first in the plan), or an ISO time.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as one JSON line on stdout.")
@with_errors
def explain(directory: Path, container: str, at: str, as_json: bool) -> int:
    """Say in two sentences why a container does what it does, and what would change it."""
    from flexmine.explain.container import explain as explained

    found = explained(directory, container, at)
    sentences = [found.what, found.change]
    put(*([json.dumps({**found.facts, "sentences": sentences})] if as_json else sentences))
    return 0
