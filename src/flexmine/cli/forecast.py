"""``flexmine forecast``: a series into the days ahead, as a feed file, or the scores of doing so every day."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flexmine.cli.common import put, say, with_errors
from flexmine.cli.types import IsoDay, IsoTime
from flexmine.errors import BadInput

if TYPE_CHECKING:
    from flexmine.forecasting import Forecast
    from flexmine.forecasting.request import Request

KINDS = ("surplus", "price", "temperature")
CHOICES = ("auto", "persistence", "last-week", "climatology", "linear", "gbm", "lin+gbm", "all3")
_TIME_OF_DAY = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])", re.ASCII)
_STAMP = re.compile(r"[0-9]{8}T[0-9]{4}")


@click.command(short_help="Forecast a series, or score forecasts of it.")
@click.argument("file", type=click.Path(path_type=Path), metavar="SERIES.csv")
@click.option("--column", required=True, metavar="NAME", help="The column to forecast.")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it is; it decides what is known when.")
@click.option("--issue", type=IsoTime(), metavar="TIME", help="Now, with its UTC offset; nothing later is used.")
@click.option("--days", type=int, default=2, show_default=True, help="Days ahead, after the day of issue; up to 6.")
@click.option(
    "--model", "models", type=click.Choice(CHOICES), multiple=True, help="Repeatable with --score.  [default: auto]"
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.csv", help="The time of issue joins its name.")
@click.option("--zone", metavar="ZONE", help="The site's clock, such as Europe/Oslo, by which days begin.")
@click.option("--series", metavar="{KEY: VALUE}", help="Keys as of a series in a case: {unit: MW, time_column: t}.")
@click.option("--most", type=float, metavar="VALUE", help="What the series cannot exceed, in the unit of the column.")
@click.option("--feature", "features", multiple=True, metavar="FILE:COLUMN", help="A forecast to use.  Repeatable.")
@click.option("--feature-issued", metavar="COLUMN", help="Column of the features' files: when a row was issued.")
@click.option("--score", is_flag=True, help="Issue again every day from --from to --to, and score.")
@click.option("--from", "first", type=IsoDay(), metavar="DAY", help="First day of issue to score.")
@click.option("--to", "last", type=IsoDay(), metavar="DAY", help="Last day of issue to score.")
@click.option("--at", metavar="HH:MM", help="With --score: local time of every issue.  [default: 10:00]")
@click.option("--issues", type=click.Path(path_type=Path), help="With --score: every forecast of one model, as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as one JSON line on stdout.")
@with_errors
def forecast_command(
    *,
    file: Path,
    issue: datetime | None,
    models: tuple[str, ...],
    out: Path | None,
    score: bool,
    first: date | None,
    last: date | None,
    at: str | None,
    issues: Path | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """Forecast a column for the days after --issue from what was known then, with P10 to P90.

    FILE_20241103T1000+0100.csv is a feed file for a case; beside it, NAME.forecast.json says which model was taken and
    why.  With --score: how good the models would have been.
    """
    if score:
        if first is None or last is None:
            raise BadInput("--score: needs --from and --to, days of issue such as 2024-11-03")
        if issue is not None:
            raise BadInput("--issue: has no meaning with --score; --at is the time of day of every issue")
        if issues is not None and (len(models) != 1 or models[0] == "auto"):
            raise BadInput("--issues: is of one model; name it with --model")
        return _score(_request(file, **asked), _arguments(first, last, at, models), (out, issues), as_json=as_json)
    for option, value in (("--from", first), ("--to", last), ("--at", at), ("--issues", issues)):
        if value is not None:
            raise BadInput(f"{option}: belongs to --score")
    if issue is None:
        raise BadInput("--issue: is needed, a time with its offset such as 2024-11-03T10:00+01:00; or --score")
    if len(models) > 1:
        raise BadInput(f"--model: a forecast is of one model, and {len(models)} are named; --score compares several")
    return _forecast(_request(file, **asked), issue, models[0] if models else "auto", out, as_json=as_json)


def _request(
    file: Path,
    *,
    column: str,
    zone: str | None,
    series: str | None,
    features: tuple[str, ...],
    feature_issued: str | None,
    **asked: Any,
) -> Request:
    from flexmine.forecasting.request import Request
    from flexmine.inputs.series_spec import Series
    from flexmine.inputs.yaml_loader import loaded, parse_yaml

    def complete(data: dict[str, Any], _: Any) -> None:
        for key, option in (("file", "SERIES.csv"), ("column", "--column"), ("zone", "--zone")):
            if key in data:
                raise BadInput(f"--series: {key} is given by {option}; leave it out")
        data |= {"file": str(file), "column": column, **({} if zone is None else {"zone": zone})}

    pairs = []
    for pair in features:
        name, _, feature = pair.rpartition(":")
        if not (name and feature):
            raise BadInput(f"--feature {pair!r}: expected FILE:COLUMN, such as weather.csv:temperature_c")
        pairs.append((Path(name), feature))
    keys = (series or "").strip()
    braced = keys if keys.startswith("{") else f"{{{keys}}}"
    spec = loaded(parse_yaml(braced.encode("utf-8"), Path(), Series, "--series", complete)).document
    return Request(file, spec, features=pairs, issued_column=feature_issued, **asked)


def _forecast(request: Request, issue: datetime, model: str, out: Path | None, *, as_json: bool) -> int:
    from flexmine.forecasting import forecast
    from flexmine.output import write_text
    from flexmine.places import check_file

    if out is None:
        raise BadInput("--out: is needed, a file such as feeds/surplus.csv; the time of issue joins its name")
    if out.suffix != ".csv" or _STAMP.search(out.name):
        raise BadInput(f"--out {out}: write NAME.csv without a time; the time of issue joins the name")
    check_file(out, reads=request.path)
    made = forecast(request, issue, model)
    target = out.with_name(f"{out.stem}_{made.stamp}.csv")
    record = target.with_suffix(".forecast.json")
    for written in (target, record):
        check_file(written, reads=request.path)
    write_text(record, json.dumps(made.document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    write_text(target, made.csv())
    say(*(f"  {line}" for line in _told(made)))
    put(json.dumps(made.document, allow_nan=False) if as_json else str(target))
    return 0


def _told(made: Forecast) -> list[str]:
    """Return what a person should know of a forecast."""
    series, lines = made.document["series"], [f"{made.model}: {made.why}"]
    not_used = f"; {series['rows_not_used']} later rows are not used" if series["rows_not_used"] else ""
    lines.append(f"known until {made.document['known_until']}{not_used}")
    if series["hours_missing"]:
        lines.append(f"{series['hours_missing']} hours without a value are those of the day before")
    named = [feature["name"] for feature in series["features"] if not feature["has_issue_times"]]
    return [*lines, *(f"{name} states no times of issue: it counts as always known" for name in named)]


def _score(
    request: Request, arguments: dict[str, Any], files: tuple[Path | None, Path | None], *, as_json: bool
) -> int:
    from flexmine.forecasting import score
    from flexmine.output import write_text
    from flexmine.places import check_file

    for file in files:
        if file is not None:
            check_file(file, reads=request.path)
    found = score(request, **arguments)
    for file, rows in zip(files, (found.rows, found.issues), strict=True):
        if file is not None and rows is not None:
            write_text(file, rows.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    if as_json:
        put(json.dumps({**found.document, "scores": json.loads(found.rows.to_json(orient="records"))}))
    else:
        put(*found.lines())
    return 0


def _arguments(first: date, last: date, at: str | None, models: tuple[str, ...]) -> dict[str, Any]:
    """Return what scores are asked for; without models, or with auto alone, they are of all of them."""
    if "auto" in models and len(models) > 1:
        raise BadInput("--model auto: --score compares named models; leave --model out for all of them")
    named = {"models": models} if models and models != ("auto",) else {}
    return {"first": first, "last": last, "at": _clock_time(at), **named}


def _clock_time(text: str | None) -> time:
    found = _TIME_OF_DAY.fullmatch(text or "10:00")
    if found is None:
        raise BadInput(f"--at {text!r}: is not a time of day on the site's clock; write it as 10:00")
    return time(int(found["hour"]), int(found["minute"]))
