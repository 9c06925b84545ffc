"""``flexmine plan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from flexmine.cli.common import ErrorFile, merged, outside_option, put, say, solver_options, with_errors
from flexmine.errors import EXIT_CODES, Status


@click.command("plan", short_help="Plan a case; write setpoints, money and a report.")
@click.argument("case")
@click.option(
    "--out",
    "out",
    type=click.Path(path_type=Path),
    help="Directory to write [default: plans/NAME, of the case's file, or of its folder where that is case.yaml].",
)
@outside_option
@solver_options
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    help="An earlier plan's directory; among plans of equal money the closest to it is taken.",
)
@click.option("--strict", is_flag=True, help="Exit 4 where a contract is breached or a value was filled in.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
@click.option("--json", "as_json", is_flag=True, help="Print plan.json's totals as one JSON line on stdout.")
@click.option("--quiet", "-q", is_flag=True, help="No summary on stderr.")
@with_errors
def plan_command(
    *,
    case: str,
    out: Path | None,
    allow_outside: tuple[Path, ...],
    previous: Path | None,
    strict: bool,
    no_report: bool,
    as_json: bool,
    quiet: bool,
    **solver: Any,
) -> int:
    """Plan a case and write setpoints.csv, site.csv, plan.json, problem.json and report.html.

    CASE is a YAML file or the name of a shipped case.  DIR appears complete or not at all; an older plan moves to
    DIR.previous.  Where there is no plan, DIR stays as it was and DIR.error.json says why.
    """
    target = out or _default_target(case)
    with ErrorFile(target):
        plan = _make_plan(case, target, previous, allow_outside=allow_outside, report=not no_report, solver=solver)
    marks = [*(f"filled: {f}" for f in plan.filled), *(f"breach: {b}" for b in plan.breaches)]
    if marks:
        say("; ".join(marks))
    for note in plan.notes:
        if note.endswith("has no effect"):
            say(f"flexmine: note: {note}")
    if not quiet:
        from flexmine.report.terminal import summary

        say(*summary(plan).split("\n"))
    if as_json:
        from flexmine.workflow.document import plan_document

        document = plan_document(plan, {})
        keys = ("case", "status", "money_usd", "bound_usd", "gap", "rounded_money_usd", "totals", "published", "engine")
        put(json.dumps({"directory": str(target), **{key: document[key] for key in keys}}))
    else:
        put(str(target / ("plan.json" if no_report else "report.html")))
    if strict and marks and plan.status is Status.OPTIMAL:
        return EXIT_CODES[Status.FEASIBLE]
    return EXIT_CODES[plan.status]


def _default_target(case: str) -> Path:
    """Return the directory of a plan that names none: a plant of one's own has its case in ``NAME/case.yaml``."""
    file = Path(case)
    own = file.resolve().parent.name if file.name == "case.yaml" else ""
    return Path("plans") / (own or file.stem)


def _make_plan(
    case: str,
    target: Path,
    previous: Path | None,
    *,
    allow_outside: tuple[Path, ...],
    report: bool,
    solver: dict[str, Any],
) -> Any:
    from flexmine.output import check_target, write_plan
    from flexmine.solving.phases import Phases
    from flexmine.workflow.build import options_of
    from flexmine.workflow.plan_case import plan_case

    check_target(target)
    phases = Phases()
    with phases.measure("read"):
        from flexmine.inputs.case import load_case

        loaded = load_case(case, allow_outside)
    plan = plan_case(loaded, merged(options_of(loaded), solver), phases, previous)
    write_plan(plan, target, phases, report=report)
    return plan
