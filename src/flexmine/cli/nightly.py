"""``flexmine nightly``."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from flexmine.cli.common import errors_in_log, with_errors
from flexmine.cli.types import IsoDay, IsoTime


@click.command(short_help="Plan tomorrow, store it and publish it, unattended.")
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))
@click.option("--day", type=IsoDay(), metavar="DAY", help="The site's day to plan [default: the site's tomorrow].")
@click.option(
    "--at", "at", type=IsoTime(), metavar="TIME", help="Plan as if the clock showed this, with what was issued by then."
)
@click.option("--log-format", type=click.Choice(["human", "json"]), default="human", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what became of every day as one JSON line on stdout.")
@with_errors
def nightly(job_file: Path, day: date | None, at: datetime | None, log_format: str, as_json: bool) -> int:
    """Plan the coming day of a plant from the newest feeds, store the plan and publish it.

    Tomorrow is the day after the one that the site's calendar shows.  Nights that were missed are caught up in order.
    The same inputs again change nothing; changed inputs make a new revision that names what has changed.  Where there
    is no new plan, the one that was published before stays current.
    """
    from flexmine.jobs.afterwards import Afterwards
    from flexmine.jobs.job import read_job
    from flexmine.jobs.log import start_log
    from flexmine.jobs.night import LOG, Night, exit_code, new_run_id

    run_id = new_run_id()
    start_log(run_id, log_format)
    with errors_in_log(LOG):
        night = Night(read_job(job_file), at or datetime.now(UTC), run_id, _progress)
        with Afterwards("nightly", night.job, run_id, LOG.warning) as afterwards:
            results = night.run(day)
            code = afterwards.exit_code = exit_code(results)
            afterwards.message = "; ".join(f"{r.record.day}: {r.record.status}" for r in results)
    if as_json:
        days = [{**r.record.document(), "sequence": r.record.sequence, "new": r.new} for r in results]
        click.echo(json.dumps({"run_id": run_id, "exit_code": code, "days": days}))
    else:
        for r in results:
            click.echo(str(night.job.folder / r.record.folder))
    return code


def _progress(line: str) -> None:
    """Show a line that the next one replaces, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()
