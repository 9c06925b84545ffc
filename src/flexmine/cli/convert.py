"""``flexmine convert``: a file as its publisher writes it, into a CSV that a case can name, with its provenance."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from flexmine._version import __version__
from flexmine.cli.common import put, say, with_errors
from flexmine.errors import BadInput
from flexmine.inputs.adapters import ADAPTERS, another, convert, read

LIST = "\b\n" + "\n".join(f"{name:<20}{what}" for name, (_, what) in ADAPTERS.items())


@click.command(short_help="Turn a publisher's file into a series.", epilog=LIST)
@click.argument("adapter", type=click.Choice(list(ADAPTERS)), metavar="ADAPTER")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE.csv", help="The CSV to write.")
@click.option("--year", type=click.IntRange(1900, 2200), help="Of a typical year: the calendar year it is put on.")
@click.option(
    "--utc-offset",
    "utc_offset_h",
    type=click.FloatRange(-12, 14),
    metavar="HOURS",
    help="Standard time of a file that does not say its own, hours east of UTC.",
)
@click.option(
    "--only", metavar="NAME", help="Which one, where a file holds several: a sequence, an area, a balancing authority."
)
@click.option(
    "--layout",
    metavar="{KEY: VALUE}",
    help="How the file's text is written, as under layout in a case: {separator: ';', decimal: ','}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the provenance as one JSON line on stdout.")
@with_errors
def convert_command(
    *,
    adapter: str,
    file: Path,
    out: Path,
    year: int | None,
    utc_offset_h: float | None,
    only: str | None,
    layout: str | None,
    as_json: bool,
) -> int:
    """Turn a file as published into FILE.csv, and write what was judged beside it, into FILE.csv.source.json.

    Times get their UTC offset, marks of missing values become empty cells, what the publisher doubts is left out.
    Nothing is filled.
    """
    from flexmine.files import read_regular
    from flexmine.inputs.adapters.base import Settings
    from flexmine.inputs.layout import Layout
    from flexmine.inputs.reading import MAX_CSV_BYTES
    from flexmine.inputs.yaml_loader import loaded, parse_yaml
    from flexmine.output import write_text
    from flexmine.places import check_file

    beside = out.with_name(f"{out.name}.source.json")
    for written in (out, beside):
        check_file(written, reads=file)
    how = None
    if layout is not None:
        braced = layout if layout.lstrip().startswith("{") else f"{{{layout}}}"
        how = loaded(parse_yaml(braced.encode("utf-8"), Path(), Layout, "--layout")).document
    try:
        raw = read_regular(file, MAX_CSV_BYTES)
    except BadInput as error:
        raise BadInput([f"{file} {message}" for message in error.messages]) from error
    try:
        converted = convert(adapter, read(adapter, raw, file.name, how), Settings(year, utc_offset_h, only))
    except BadInput as error:
        raise BadInput([f"{message}{another(adapter, raw)}" for message in error.messages]) from error
    text = converted.rows.to_csv(index=False, lineterminator="\n")
    source = {
        "adapter": adapter,
        "flexmine": __version__,
        "source": file.name,
        "source_sha256": hashlib.sha256(raw).hexdigest(),
        "file": out.name,
        "file_sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "rows": len(converted.rows),
        "provenance": list(converted.provenance),
    }
    write_text(out, text)
    write_text(beside, json.dumps(source, indent=2, ensure_ascii=False) + "\n")
    for sentence in converted.provenance:
        say(f"  {sentence}")
    put(json.dumps(source) if as_json else str(out))
    return 0
