"""``flexmine schema`` and ``flexmine new-plant``: help for whoever writes the files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flexmine.cli.common import put, with_errors

KINDS = ("case", "plant", "container", "miner", "problem")


@click.command("schema", short_help="JSON Schema of the files, for editors.")
@click.argument("kind", type=click.Choice(KINDS), default="case")
@click.option("--out", type=click.Path(path_type=Path), help="File to write [default: stdout].")
@click.option("--json", "as_json", is_flag=True, help="With --out: print what was written as one JSON line on stdout.")
@with_errors
def schema_command(kind: str, out: Path | None, as_json: bool) -> int:
    """Write the JSON Schema (draft 2020-12) of a kind of file: types, ranges, units and meanings.

    An editor with a YAML language server completes and checks a file whose first line is

    \b
    # yaml-language-server: $schema=case.schema.json

    That of `problem` is of the problem.json that `flexmine problem` writes and `flexmine solve` reads.
    """  # noqa: D301 - click reads the \b
    from flexmine.inputs.json_schema import json_schema_text
    from flexmine.output import write_text

    text = json_schema_text(kind)
    if out is None:
        put(*text.rstrip("\n").split("\n"))
        return 0
    write_text(out, text)
    put(json.dumps({"kind": kind, "file": str(out)}) if as_json else str(out))
    return 0


@click.command("new-plant", short_help="A commented starter plant that plans as it is.")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write into [default: NAME].")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON line on stdout.")
@with_errors
def new_plant_command(name: str, out: Path | None, as_json: bool) -> int:
    """Write case.yaml, plant.yaml, container.yaml and series.csv of a small plant called NAME.

    Every key is there, with its unit and meaning; the optional ones as comments.  `flexmine plan DIR/case.yaml` plans
    it as it is.  No file is ever overwritten.
    """
    from flexmine.inputs.starter import starter_files
    from flexmine.output import write_new

    folder = out or Path(name)
    write_new(folder, starter_files(name))
    case = folder / "case.yaml"
    put(json.dumps({"directory": str(folder), "case": str(case)}) if as_json else str(case))
    return 0
