"""``flexmine problem`` and ``solve``: the numeric problem, in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from flexmine.cli.common import merged, outside_option, put, say, solver_options, with_errors


@click.command(short_help="Write the numeric problem of a case as JSON.")
@click.argument("case")
@outside_option
@click.option("--out", "out", type=click.Path(path_type=Path), required=True, help="The problem.json to write.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON line on stdout.")
@with_errors
def problem(case: str, allow_outside: tuple[Path, ...], out: Path, as_json: bool) -> int:
    """Write the numeric problem of a case, after all physics, for anyone who wants to solve it with something else."""
    from flexmine.assembly import assemble
    from flexmine.inputs.case import load_case
    from flexmine.output import write_text
    from flexmine.places import check_file
    from flexmine.problem.reading import problem_text

    check_file(out, reads=Path(case))
    numeric = assemble(load_case(case, allow_outside)).problem
    write_text(out, problem_text(numeric))
    size = {"file": str(out), "steps": numeric.steps, "classes": len(numeric.classes), "sources": len(numeric.sources)}
    put(json.dumps(size) if as_json else str(out))
    return 0


@click.command(short_help="Solve a problem.json, whoever wrote it.")
@click.argument("problem_file", metavar="PROBLEM.json", type=click.Path(path_type=Path))
@click.option("--out", "out", type=click.Path(path_type=Path), required=True, help="The solution.json to write.")
@solver_options
@click.option("--containers", is_flag=True, help="List the containers also where there are more than 1,000.")
@click.option("--json", "as_json", is_flag=True, help="Print status and money as one JSON line on stdout.")
@with_errors
def solve(*, problem_file: Path, out: Path, containers: bool, as_json: bool, **solver: Any) -> int:
    """Solve a problem.json, whoever wrote it, and write solution.json."""
    from flexmine.output import write_text
    from flexmine.places import check_file
    from flexmine.problem.reading import read_problem
    from flexmine.solving.engine import SolveOptions
    from flexmine.workflow.problem_file import solution_text, solve_to_document

    check_file(out, reads=problem_file)
    loaded = read_problem(problem_file)
    for warning in loaded.warnings:
        say(f"flexmine: warning: {problem_file}: {warning}")
    document, code = solve_to_document(loaded, merged(SolveOptions(), solver), all_containers=containers)
    write_text(out, solution_text(document))
    for sentence in document["conflict"]:
        say(f"flexmine: infeasible: {sentence}")
    summary = {key: document[key] for key in ("status", "money_usd", "bound_usd", "gap", "engine", "conflict")}
    put(json.dumps({"file": str(out), **summary}) if as_json else str(out))
    return code
