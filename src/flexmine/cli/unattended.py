"""What nightly, redispatch and replan share: one run id in every line, what follows a run, and what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flexmine.cli.common import errors_in_log, put

if TYPE_CHECKING:
    from flexmine.jobs.night import Night
    from flexmine.jobs.plan_and_store import DayResult


def run_unattended(
    kind: str,
    job_file: Path,
    at: datetime | None,
    log_format: str,
    work: Callable[[Night], Sequence[DayResult]],
    *,
    as_json: bool,
    strict: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> int:
    """Run a job, report what became of each day, and return the exit code."""
    import logging

    from flexmine.jobs.afterwards import Afterwards
    from flexmine.jobs.job import read_job
    from flexmine.jobs.log import start_log
    from flexmine.jobs.night import Night, exit_code, new_run_id

    run_id, log = new_run_id(), logging.getLogger(f"flexmine.{kind}")
    start_log(run_id, log_format)
    with errors_in_log(log):
        night = Night(replace(read_job(job_file), strict=strict), at or datetime.now(UTC), run_id, progress)
        with Afterwards(kind, night.job, run_id, log.warning, at=at) as afterwards:
            results = list(work(night))
            code = afterwards.exit_code = exit_code(results)
            afterwards.message = "\n".join(line for result in results for line in result.lines)
    if as_json:
        days = [{**r.record.document(), "sequence": r.record.sequence, "new": r.new} for r in results]
        put(json.dumps({"run_id": run_id, "exit_code": code, "days": days}))
    else:
        for r in results:
            put(str(night.job.folder / r.record.folder))
    return code
