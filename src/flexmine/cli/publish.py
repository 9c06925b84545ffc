"""``flexmine publish``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flexmine.cli.common import say, with_errors


@click.command("publish", short_help="Publish an audited plan to machines, atomically.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", "target", metavar="TARGET", type=click.Path(path_type=Path), required=True)
@click.option(
    "--after-validity",
    type=click.Choice(["hold", "minimum", "off"]),
    default="minimum",
    show_default=True,
    help="What machines do when the plan has ended and no newer one has come.",
)
@click.option(
    "--tolerance-kw",
    type=float,
    default=20.0,
    show_default=True,
    help="A container follows its setpoint while its mean facility power is within so much of it.",
)
@click.option("--keep", type=int, default=30, show_default=True, help="Publications to keep.")
@click.option("--supersede", is_flag=True, help="Also where the plan ends before what is published now.")
@click.option("--json", "as_json", is_flag=True, help="Print the publication as one JSON line on stdout.")
@with_errors
def publish_command(
    *,
    directory: Path,
    target: Path,
    after_validity: str,
    tolerance_kw: float,
    keep: int,
    supersede: bool,
    as_json: bool,
) -> int:
    """Publish the plan in DIR for machines: audit its files, copy them into TARGET, move TARGET/current to them.

    Readers of TARGET/current/setpoints.csv see the old publication or the new one, complete.  The same plan again
    changes nothing.
    """
    from flexmine.publish.directory import Terms, publish

    terms = Terms(tolerance_kw=tolerance_kw, after_validity=after_validity, keep=keep)  # type: ignore[arg-type]
    outcome = publish(directory, target, terms, supersede=supersede)
    told = outcome.publication.document
    breaks = told["after_validity"]["breaks"]
    if breaks:
        more = f" ({len(breaks) - 1} more in publication.json)" if len(breaks) > 1 else ""
        say(f"flexmine: after the plan's end, {after_validity} would break a limit: {breaks[0]}{more}")
    if not outcome.new:
        say(f"flexmine: this plan is publication {outcome.publication.sequence} already; nothing is changed")
    if as_json:
        keys = ("sequence", "plan_id", "plant", "valid_from", "valid_until", "after_validity", "tolerance_kw")
        click.echo(json.dumps({"target": str(target), "new": outcome.new, **{key: told[key] for key in keys}}))
    else:
        click.echo(str(outcome.publication.directory))
    return 0
