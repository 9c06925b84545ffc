"""``flexmine check``, ``audit`` and ``explain``: looking at a case or at a written plan; nothing is solved."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from flexmine.cli.common import outside_option, put, say, strict_seals, with_errors
from flexmine.cli.types import IsoTime, Seal
from flexmine.errors import EXIT_INTERNAL, BadInput, first_of

SHOWN_FAULTS = 20


@click.command(short_help="Check a case or a job in words; solve nothing.")
@click.argument("case", metavar="CASE|JOB.yaml")
@outside_option
@click.option("--at", "at", type=IsoTime(), metavar="TIME", help="Of a job: as if the clock showed this.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON line on stdout.")
@with_errors
def check(case: str, allow_outside: tuple[Path, ...], at: datetime | None, as_json: bool) -> int:
    """Validate a case and everything it refers to, and look for conflicts in words; solve nothing.

    Of a job, everything that its next night needs: folders, store, pins, and the feeds as they are now.  Exit 0: the
    newest feeds can be planned; 5: only a step of the ladder can; 2 or 3: there would be no plan, and why.
    """
    from flexmine.assembly import assemble
    from flexmine.errors import Infeasible
    from flexmine.inputs.case import load_case
    from flexmine.inputs.kinds import is_job
    from flexmine.workflow.solve import conflicts_with_reserve

    if is_job(Path(case)):
        if allow_outside:
            raise BadInput("--allow-outside is for a case; a job reads what its files name")
        return _check_job(Path(case), at, as_json)
    if at is not None:
        raise BadInput("--at is for a job; a case names its own start, and as_of")
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


def _check_job(path: Path, at: datetime | None, as_json: bool) -> int:
    from dataclasses import asdict

    from flexmine.errors import EXIT_CODES, Status
    from flexmine.jobs.check_job import check_job
    from flexmine.jobs.feeds import NEWEST
    from flexmine.jobs.job import read_job

    job = read_job(path)
    told: list[str] = []
    found = check_job(job, at or datetime.now(UTC), told.append)
    if as_json:
        put(json.dumps({"job": job.document.name, **asdict(found), "day": found.day.isoformat(), "warnings": told}))
    else:
        how = "the newest feeds can be planned" if found.step == NEWEST else f"only step {found.step} of the ladder can"
        put(f"{job.document.name}: {job.plant}, {found.day}: {how}")
        for line in (*(f"failed: {text}" for text in found.failed), *found.labels, *found.marks, *told):
            put(f"  {line}")
        for feed in found.feeds:
            put(f"  {feed['series']}: {feed['file']} ({feed['step']})")
    return EXIT_CODES[Status.OPTIMAL if found.step == NEWEST else Status.FALLBACK]


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
