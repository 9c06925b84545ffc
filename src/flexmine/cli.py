"""The command line: parse, call one function, print.  Nothing heavy is imported before a command runs."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import click

from flexmine._version import __version__
from flexmine.errors import EXIT_CODES, EXIT_INTERNAL, BadInput, FlexmineError, Status

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    context_settings=HELP,
    epilog="Shipped cases to try: bratsk-day, bratsk-shaped, bratsk-40, bratsk-day-measured, fleet-mixed.",
)
@click.version_option(__version__, prog_name="flexmine")
def cli() -> None:
    """Plan the power of bitcoin-mining containers hour by hour against hydropower surplus, price and temperature.

    \b
    Energy trader    flexmine plan CASE --out DIR     tomorrow's plan, its money, and report.html
    Nightly job      flexmine plan CASE --out DIR --json --quiet
                                                      one JSON line on stdout, and the exit codes below
    Grid operator    flexmine check CASE              every limit checked in words, nothing solved
                     flexmine audit DIR               a written plan re-checked from its files alone
    Fleet operator   flexmine explain DIR --container C07 --at 03:00
                                                      why it does what it does, in two sentences

    \b
    Exit codes: 0 planned to the asked gap, 2 bad usage or input, 3 infeasible (the conflict is named),
    4 planned but the gap was not reached in time, 5 planned by a named fallback, 6 no plan,
    1 internal error or a plan that failed its audit.
    """  # noqa: D301 - click reads the \b


def _common(command: Callable[..., int]) -> Callable[..., None]:
    """Turn a command that returns an exit code, or raises a FlexmineError, into a click command body."""

    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @wraps(command)
    def body(debug: bool, **arguments: Any) -> None:
        if not debug:
            sys.excepthook = _short_internal_error
        try:
            code = command(**arguments)
        except FlexmineError as error:
            if debug:
                raise
            for message in error.messages:
                _say(f"flexmine: {error.status}: {message}")
            code = error.exit_code
        sys.exit(code)

    return body


def _short_internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    where = traceback.extract_tb(trace)[-1] if trace else None
    place = f" ({Path(where.filename).name}:{where.lineno})" if where else ""
    _say(f"flexmine: internal error: {kind.__name__}: {error}{place}; no plan was written. --debug shows more.")


def _solver_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        [
            click.option("--gap", type=float, help="Relative gap to prove [default: the case's, else 1e-4]."),
            click.option("--time-limit", type=float, metavar="SECONDS", help="Time for the search [default: 60]."),
            click.option("--seed", type=int, help="Random seed of the solver [default: 0]."),
            click.option("--engine", help="auto or mip [default: auto]."),
            click.option(
                "--solver-option",
                "solver_option",
                multiple=True,
                metavar="NAME=VALUE",
                help="A HiGHS option by its own name; an unknown one is refused.  Repeatable.",
            ),
        ]
    ):
        command = option(command)
    return command


@cli.command("plan")
@click.argument("case")
@click.option("--out", "out", type=click.Path(path_type=Path), help="Directory to write [default: plans/CASE-NAME].")
@_solver_options
@click.option(
    "--previous",
    type=click.Path(path_type=Path),
    help="An earlier plan's directory; among plans of equal money the closest to it is taken.",
)
@click.option("--strict", is_flag=True, help="Exit 4 where a contract is breached or a value was filled in.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
@click.option("--json", "as_json", is_flag=True, help="Print plan.json's totals as one JSON line on stdout.")
@click.option("--quiet", "-q", is_flag=True, help="No summary on stderr.")
@_common
def plan_command(
    *,
    case: str,
    out: Path | None,
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
    target = out or Path("plans") / Path(case).stem
    with _ErrorFile(target):
        plan = _make_plan(case, target, previous, report=not no_report, solver=solver)
    for note in plan.notes:
        if note.endswith("has no effect"):
            _say(f"flexmine: note: {note}")
    told = [*(f"filled: {f}" for f in plan.filled), *(f"breach: {b}" for b in plan.breaches)]
    if told:
        _say("; ".join(told))
    if not quiet:
        from flexmine.report.terminal import summary

        _say(summary(plan))
    if as_json:
        from flexmine.planning.document import plan_document

        document = plan_document(plan, {})
        keys = ("case", "status", "money_usd", "bound_usd", "gap", "rounded_money_usd", "totals", "published", "engine")
        click.echo(json.dumps({"directory": str(target), **{key: document[key] for key in keys}}))
    else:
        click.echo(str(target / ("plan.json" if no_report else "report.html")))
    if strict and told and plan.status is Status.OPTIMAL:
        return EXIT_CODES[Status.FEASIBLE]
    return EXIT_CODES[plan.status]


def _make_plan(case: str, target: Path, previous: Path | None, *, report: bool, solver: dict[str, Any]) -> Any:
    from flexmine.output import check_target, write_plan
    from flexmine.pipeline import Phases, options_of, plan_case

    check_target(target)
    phases = Phases()
    with phases.measure("read"):
        from flexmine.inputs.case import load_case

        loaded = load_case(case)
    plan = plan_case(loaded, _merge(options_of(loaded), solver), phases, previous)
    write_plan(plan, target, phases, report=report)
    return plan


@cli.command()
@click.argument("case")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON line on stdout.")
@_common
def check(case: str, as_json: bool) -> int:
    """Validate a case and everything it refers to, and look for conflicts in words; solve nothing."""
    from flexmine.assembly import assemble
    from flexmine.errors import Infeasible
    from flexmine.inputs.case import load_case
    from flexmine.planning.prechecks import conflicts

    loaded = load_case(case)
    assembly = assemble(loaded)
    found = conflicts(assembly.problem)
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
        "filled": list(loaded.filled),
    }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo(f"{loaded.name}: valid; {fleet}; {problem.steps} steps from {facts['start']} to {facts['end']}")
        for line in (*assembly.overrides, *loaded.filled, *assembly.notes):
            click.echo(f"  {line}")
    return 0


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON line on stdout.")
@_common
def audit(directory: Path, as_json: bool) -> int:
    """Re-check a written plan from its files alone, and name each violation."""
    from flexmine.planning.audit_files import audit_directory

    result = audit_directory(directory)
    if as_json:
        sentences = list(result.violations)
        click.echo(
            json.dumps(
                {"directory": str(directory), "passed": result.ok, "checks": result.checks, "violations": sentences}
            )
        )
    elif result.ok:
        click.echo(f"{directory}: audit passed, {result.checks} checks")
    for v in result.violations:
        _say(f"flexmine: audit: {v}")
    return 0 if result.ok else EXIT_INTERNAL


@cli.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--container", required=True, help="Name of the container, such as C07.")
@click.option("--at", required=True, metavar="TIME", help="HH:MM of site time (the first in the plan), or an ISO time.")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as one JSON line on stdout.")
@_common
def explain(directory: Path, container: str, at: str, as_json: bool) -> int:
    """Say in two sentences why a container does what it does, and what would change it."""
    from flexmine.planning.explain import explain as explained

    found = explained(directory, container, at)
    sentences = [found.what, found.change]
    click.echo(json.dumps({**found.facts, "sentences": sentences}) if as_json else "\n".join(sentences))
    return 0


@cli.command()
@click.argument("case")
@click.option("--out", "out", type=click.Path(path_type=Path), required=True, help="The problem.json to write.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON line on stdout.")
@_common
def problem(case: str, out: Path, as_json: bool) -> int:
    """Write the numeric problem of a case, after all physics, for anyone who wants to solve it with something else."""
    from flexmine.assembly import assemble
    from flexmine.inputs.case import load_case
    from flexmine.output import write_text
    from flexmine.problem_json import problem_text

    numeric = assemble(load_case(case)).problem
    write_text(out, problem_text(numeric))
    size = {"file": str(out), "steps": numeric.steps, "classes": len(numeric.classes), "sources": len(numeric.sources)}
    click.echo(json.dumps(size) if as_json else str(out))
    return 0


@cli.command()
@click.argument("problem_file", metavar="PROBLEM.json", type=click.Path(path_type=Path))
@click.option("--out", "out", type=click.Path(path_type=Path), required=True, help="The solution.json to write.")
@_solver_options
@click.option("--containers", is_flag=True, help="List the containers also where there are more than 1,000.")
@click.option("--json", "as_json", is_flag=True, help="Print status and money as one JSON line on stdout.")
@_common
def solve(*, problem_file: Path, out: Path, containers: bool, as_json: bool, **solver: Any) -> int:
    """Solve a problem.json, whoever wrote it, and write solution.json."""
    from flexmine.output import write_text
    from flexmine.planning.solution_json import solution_text, solve_to_document
    from flexmine.problem_json import read_problem
    from flexmine.solving.engine import SolveOptions

    loaded = read_problem(problem_file)
    for warning in loaded.warnings:
        _say(f"flexmine: warning: {problem_file}: {warning}")
    document, code = solve_to_document(loaded, _merge(SolveOptions(), solver), all_containers=containers)
    write_text(out, solution_text(document))
    for sentence in document["conflict"]:
        _say(f"flexmine: infeasible: {sentence}")
    told = {key: document[key] for key in ("status", "money_usd", "bound_usd", "gap", "engine", "conflict")}
    click.echo(json.dumps({"file": str(out), **told}) if as_json else str(out))
    return code


def _merge(options: Any, given: dict[str, Any]) -> Any:
    from flexmine.pipeline import with_overrides

    highs = dict(_name_and_value(text) for text in given["solver_option"])
    chosen = {
        "gap": given["gap"],
        "time_limit_s": given["time_limit"],
        "seed": given["seed"],
        "engine": given["engine"],
    }
    return with_overrides(options, **chosen, highs=highs or None)


def _name_and_value(text: str) -> tuple[str, bool | int | float | str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--solver-option {text!r}: expected NAME=VALUE, such as mip_heuristic_effort=0.1")
    if value in ("true", "false"):
        return name, value == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


class _ErrorFile:
    """Writes DIR.error.json on the way out of an error; the error itself goes on."""

    def __init__(self, directory: Path):
        self.directory = directory

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A directory without a name ("." or "/") has no place beside it.
        if kind is None or not issubclass(kind, Exception) or not self.directory.name:
            return
        from flexmine.output import write_error

        known = error if isinstance(error, FlexmineError) else FlexmineError(f"{kind.__name__}: {error}")
        try:
            write_error(self.directory, known)
        except OSError as failure:
            _say(f"flexmine: {self.directory}.error.json cannot be written: {failure.strerror or failure}")


_say: Callable[[str], None] = partial(click.echo, err=True)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the command ``flexmine``."""
    _utf8(sys.stdout)
    _utf8(sys.stderr)
    cli.main(args=arguments, prog_name="flexmine")


def _utf8(stream: TextIO) -> None:
    """Show thin spaces and arrows also where the locale is C; a terminal that cannot gets a replacement."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="replace")
