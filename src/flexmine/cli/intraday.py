"""``flexmine redispatch`` and ``replan``: inside the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flexmine.cli.common import strict_seals, with_errors
from flexmine.cli.types import IsoTime
from flexmine.cli.unattended import run_unattended

if TYPE_CHECKING:
    from flexmine.jobs.night import Night
    from flexmine.jobs.plan_and_store import DayResult


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        [
            click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path)),
            click.option("--at", "at", type=IsoTime(), metavar="TIME", help="Plan as if the clock showed this."),
            click.option("--log-format", type=click.Choice(["human", "json"]), default="human", show_default=True),
            click.option("--json", "as_json", is_flag=True, help="Print what was planned as one JSON line on stdout."),
            strict_seals,
        ]
    ):
        command = option(command)
    return command


@click.command(short_help="Reset power inside the commitment of the plan in force.")
@_options
@with_errors
def redispatch(job_file: Path, at: datetime | None, log_format: str, as_json: bool, strict: bool) -> int:
    """Decide anew how hard containers run for the rest of the day, from the surplus, prices and states of now.

    Who runs stays as planned.  A plan of tomorrow that is made already is redispatched too, because it begins where
    today ends.  The result is audited, stored as a revision and published; the same inputs again change nothing.
    """
    return _run("redispatch", job_file, at, log_format, as_json=as_json, strict=strict)


@click.command(short_help="Plan the rest of the day anew.")
@_options
@with_errors
def replan(job_file: Path, at: datetime | None, log_format: str, as_json: bool, strict: bool) -> int:
    """Plan the rest of the day anew from the state and the feeds of now, and tomorrow where it is planned already.

    The result is audited, stored as a revision and published; the same inputs again change nothing.
    """
    return _run("replan", job_file, at, log_format, as_json=as_json, strict=strict)


def _run(kind: str, job_file: Path, at: datetime | None, log_format: str, *, as_json: bool, strict: bool) -> int:
    def inside(night: Night) -> list[DayResult]:
        from flexmine.jobs.intraday import Intraday

        return Intraday(night, kind).run()

    return run_unattended(kind, job_file, at, log_format, inside, as_json=as_json, strict=strict)
