"""``flexmine nightly``."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path

import click

from flexmine.cli.common import strict_seals, with_errors
from flexmine.cli.types import IsoDay, IsoTime
from flexmine.cli.unattended import run_unattended
from flexmine.errors import on_one_line


@click.command(short_help="Plan tomorrow, store it and publish it, unattended.")
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))
@click.option("--day", type=IsoDay(), metavar="DAY", help="The site's day to plan [default: the site's tomorrow].")
@click.option(
    "--at", "at", type=IsoTime(), metavar="TIME", help="Plan as if the clock showed this, with what was issued by then."
)
@click.option("--log-format", type=click.Choice(["human", "json"]), default="human", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what became of every day as one JSON line on stdout.")
@strict_seals
@with_errors
def nightly(
    *, job_file: Path, day: date | None, at: datetime | None, log_format: str, as_json: bool, strict: bool
) -> int:
    """Plan the coming day of a plant from the newest feeds, store the plan and publish it.

    Tomorrow is the day after the one that the site's calendar shows.  Nights that were missed are caught up in order.
    The same inputs again change nothing; changed inputs make a new revision that names what has changed.  Where there
    is not a new plan, the one that was published before stays current.
    """
    return run_unattended(
        "nightly",
        job_file,
        at,
        log_format,
        lambda night: night.run(day),
        as_json=as_json,
        strict=strict,
        progress=_progress,
    )


def _progress(line: str) -> None:
    """Show a line that the next one replaces, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{on_one_line(line)}")
        sys.stderr.flush()
