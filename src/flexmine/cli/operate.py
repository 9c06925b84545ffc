"""``flexmine health``, ``flexmine backup`` and ``flexmine restore``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from flexmine.cli.common import put, say, strict_seals, with_errors
from flexmine.cli.types import IsoTime


@click.command("health", short_help="Whether a plant is looked after; exit codes for monitors.")
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))
@click.option("--at", "at", type=IsoTime(), metavar="TIME", help="As if the clock showed this [default: now].")
@click.option(
    "--metrics", type=click.Path(path_type=Path), metavar="FILE.prom", help="Write the figures for Prometheus too."
)
@click.option("--json", "as_json", is_flag=True, help="Print all checks as one JSON line on stdout.")
@with_errors
def health_command(job_file: Path, at: datetime | None, metrics: Path | None, as_json: bool) -> int:
    """Say whether the current plan is valid, the feeds are fresh and the last runs went well.

    The exit codes are those that monitors of the Nagios kind expect, and not those of the other commands: 0 ok,
    1 warning, 2 critical (also where the job file itself cannot be read).  Nothing is changed.
    """
    from flexmine.jobs.health import health
    from flexmine.jobs.job import read_job

    found = health(read_job(job_file), at or datetime.now(UTC))
    if metrics is not None:
        from flexmine.jobs.metrics import write_metrics

        write_metrics(found, metrics)
    put(*([json.dumps(found.document(), ensure_ascii=False)] if as_json else found.lines))
    return int(found.level)


@click.command("backup", short_help="Write all runs of a plant, rows and files, into one file.")
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Path(path_type=Path), metavar="FILE.tar.gz", required=True)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON line on stdout.")
@with_errors
def backup_command(job_file: Path, target: Path, as_json: bool) -> int:
    """Back up the store of a job while it is in use.

    The file holds the rows of the database and the files of every run with their sha256; it can be restored into
    SQLite and into PostgreSQL.  What is published is not in it: the next run publishes anew.
    """
    from flexmine.jobs.job import read_job
    from flexmine.jobs.keep import backup_job

    counts = backup_job(read_job(job_file), target)
    summary = {"file": str(target), "runs": counts.runs, "rows": counts.rows, "files": counts.files}
    put(json.dumps(summary) if as_json else str(target))
    say(f"flexmine: {counts.runs} runs, {counts.rows} rows, {counts.files} files")
    return 0


@click.command("restore", short_help="Put back what backup has written.")
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))
@click.option("--from", "source", type=click.Path(path_type=Path), metavar="FILE.tar.gz", required=True)
@click.option("--overwrite", is_flag=True, help="Also where the job has rows or files already.")
@click.option("--json", "as_json", is_flag=True, help="Print what was restored as one JSON line on stdout.")
@strict_seals
@with_errors
def restore_command(job_file: Path, source: Path, overwrite: bool, as_json: bool, strict: bool) -> int:
    """Restore the store of a job from a backup, all of it or nothing.

    Every file, row and plan is checked before anything is changed; the files that were there are moved aside.
    """
    from flexmine.jobs.job import read_job
    from flexmine.jobs.keep import restore_job

    counts = restore_job(replace(read_job(job_file), strict=strict), source, overwrite=overwrite)
    summary = {"file": str(source), "runs": counts.runs, "rows": counts.rows, "files": counts.files}
    lines = [f"restored from {source}: {counts.runs} runs, {counts.rows} rows, {counts.files} files"]
    if counts.aside is not None:
        lines.append(f"what was there before is in {counts.aside}, and so are nights later than the backup")
    put(*([json.dumps(summary)] if as_json else lines))
    return 0
