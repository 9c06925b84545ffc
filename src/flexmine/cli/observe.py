"""``flexmine observe`` and ``replay``: what was measured, and what was planned night after night."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import click

from flexmine.cli.common import put, say, strict_seals, with_errors
from flexmine.cli.types import IsoDay
from flexmine.errors import EXIT_INTERNAL, BadInput

JOB = click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))


@click.command(short_help="Store measurements and say how they differ from the plan.")
@JOB
@click.argument("meter", metavar="METER.csv", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the deviations as one JSON line on stdout.")
@strict_seals
@with_errors
def observe(job_file: Path, meter: Path, as_json: bool, strict: bool) -> int:
    """Store what containers were measured to draw beside what the plan in force had said, and sum it up.

    METER.csv has the columns interval_start (with UTC offset), container, and facility_power_mw or it_power_mw;
    state (on, off) and inside_temperature_c where known.  The same rows again replace themselves.
    """
    from flexmine.jobs.job import read_job
    from flexmine.jobs.lock import plant_lock
    from flexmine.jobs.observe import deviations
    from flexmine.jobs.observe import observe as store_file
    from flexmine.jobs.recover import finish_restore
    from flexmine.jobs.show import deviation_lines

    job = replace(read_job(job_file), strict=strict)
    with plant_lock(job.folder, job.plant, job.document.lock_wait_s, say):
        store = job.open_store()
        finish_restore(job, store, say)
        found = store_file(job, store, meter)
    summary = deviations(found.readings)
    left_out = {"incomplete": found.incomplete, "without_plan": found.without_plan}
    if as_json:
        containers = {d.container: {k: v for k, v in asdict(d).items() if k != "container"} for d in summary}
        put(json.dumps({"readings": len(found.readings), **left_out, "containers": containers}))
    else:
        put(*deviation_lines(summary))
        for key, count in left_out.items():
            if count:
                say(f"flexmine: {count} steps of a container left out: {key.replace('_', ' ')}")
    return 0


@click.command(short_help="Replay stored days as one schedule and check the seams.")
@JOB
@click.option("--from", "first", type=IsoDay(), metavar="DAY", help="First day [default: the first stored one].")
@click.option("--to", "last", type=IsoDay(), metavar="DAY", help="Last day [default: the last stored one].")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON line on stdout.")
@strict_seals
@with_errors
def replay(job_file: Path, first: date | None, last: date | None, as_json: bool, strict: bool) -> int:
    """Join the newest plans of stored days and audit them as one: minimum times, ramps and starts across midnight."""
    from flexmine.jobs.executed_days import executed, join
    from flexmine.jobs.job import read_job

    job = replace(read_job(job_file), strict=strict)
    parts = executed(job.open_store(), job.plant, first, last)
    if not parts:
        raise BadInput(f"there is no stored plan of {job.plant} in these days; flexmine history lists what there is")
    joined = join(parts)
    audit = joined.replay
    violations = [v.message for v in audit.violations]
    summary = {
        "first": parts[0].day.isoformat(),
        "last": parts[-1].day.isoformat(),
        "days": len({p.day for p in parts}),
        "steps": joined.problem.steps,
        "checks": audit.checks,
        "money_usd": round(float(audit.money_by_step_usd.sum()), 4),
        "starts": int(audit.warm_start.sum() + audit.cold_start.sum()),
        "violations": violations,
    }
    if as_json:
        put(json.dumps(summary))
    else:
        days = "1 day" if summary["days"] == 1 else f"{summary['days']} days"
        put(
            f"{days} from {summary['first']} to {summary['last']}, {summary['steps']} steps in one: "
            f"{summary['checks']} checks, {len(violations)} violations, {summary['starts']} starts, "
            f"{summary['money_usd']:.2f} USD"
        )
    for message in violations:
        say(f"flexmine: audit: {message}")
    return EXIT_INTERNAL if violations else 0
