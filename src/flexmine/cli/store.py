"""Commands that look into the store of a job: history, show, diff, reproduce, prune."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from flexmine.cli.common import put, say, strict_seals, with_errors
from flexmine.cli.types import IsoDay
from flexmine.errors import BadInput
from flexmine.moments import NoTime, read_moment

JOB = click.argument("job_file", metavar="JOB.yaml", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as one JSON line on stdout.")
DAY = click.argument("day", type=IsoDay())


@click.command(short_help="List the plans that a job has stored.")
@JOB
@click.option("--last", type=click.IntRange(min=1), default=30, show_default=True, help="So many plans.")
@click.option("--attempts", is_flag=True, help="List attempts instead, failed ones too.")
@AS_JSON
@with_errors
def history(job_file: Path, last: int, attempts: bool, as_json: bool) -> int:
    """List the stored plans of a job's plant, the newest day and revision first; or how the last attempts ended."""
    from flexmine.jobs.job import read_job
    from flexmine.jobs.show import attempt_lines, history_lines

    job = read_job(job_file)
    store = job.open_store()
    if attempts:
        tried = store.attempts(job.plant, last)
        _show([_plain(asdict(a)) for a in tried], attempt_lines([_at_site(a, job.zone) for a in tried]), as_json)
    else:
        records = store.history(job.plant, last)
        _show([_with_sequence(r) for r in records], history_lines(records), as_json)
    return 0


@click.command(short_help="Show what is stored of a day.")
@JOB
@DAY
@click.option("--revision", type=click.IntRange(min=1), help="Which plan of the day [default: the newest].")
@AS_JSON
@strict_seals
@with_errors
def show(job_file: Path, day: date, revision: int | None, as_json: bool, strict: bool) -> int:
    """Show a stored plan: its money, its inputs, where its state came from, whether it was published."""
    from flexmine.audit.plan_files import read_document
    from flexmine.jobs.job import read_job
    from flexmine.jobs.show import run_lines

    job = replace(read_job(job_file), strict=strict)
    store = job.open_store()
    record = _revision(job, store, day, revision)
    place = store.place(record)
    document = read_document(store.plan(record))
    summary = {**_with_sequence(record), "folder": str(place), "published": document["published"]}
    _show(summary, run_lines(_at_site(record, job.zone), document, str(place)), as_json)
    return 0


@click.command(short_help="Say what differs between two plans of a day, and why.")
@JOB
@DAY
@click.option(
    "--revision", "revisions", type=click.IntRange(min=1), nargs=2, help="Two revisions [default: the last two]."
)
@AS_JSON
@strict_seals
@with_errors
def diff(job_file: Path, day: date, revisions: tuple[int, int] | None, as_json: bool, strict: bool) -> int:
    """Say which hours and containers differ between two plans of a day, what that is worth, and which inputs did it."""
    from flexmine.jobs.difference import difference
    from flexmine.jobs.job import read_job
    from flexmine.jobs.show import difference_lines

    job = replace(read_job(job_file), strict=strict)
    store = job.open_store()
    if revisions is None:
        newest = _revision(job, store, day, None).revision
        if newest == 1:
            raise BadInput(f"{day} has one plan only; there is nothing to compare it with")
        revisions = (newest - 1, newest)
    a, b = (_revision(job, store, day, r) for r in revisions)
    found = difference(store.stored(a), store.stored(b), None if as_json else job.zone)
    head = f"{day} of {job.plant}: revision {a.revision} ({a.run_id}) -> revision {b.revision} ({b.run_id})"
    summary = {"day": day.isoformat(), "revisions": list(revisions), "runs": [a.run_id, b.run_id], **asdict(found)}
    _show(summary, [head, *difference_lines(found)], as_json)
    return 0


@click.command(short_help="Plan a stored run again and compare byte for byte.")
@JOB
@click.argument("run")
@AS_JSON
@strict_seals
@with_errors
def reproduce(job_file: Path, run: str, as_json: bool, strict: bool) -> int:
    """Plan a stored run again from its own inputs and compare every file but run.json; exit 1 where one differs.

    RUN is the id of a run, or its beginning; flexmine history lists them.
    """
    from flexmine.jobs.job import read_job
    from flexmine.jobs.reproduce import reproduce as again

    job = replace(read_job(job_file), strict=strict)
    store = job.open_store()
    record = store.find(run)
    found = again(store, record)
    files = "1 file is" if len(found.same) == 1 else f"{len(found.same)} files are"
    lines = [f"run {record.run_id}: {files} the same, byte for byte: {', '.join(found.same)}"]
    lines += [f"differs: {name}" for name in found.differing]
    lines += [f"version: {text}" for text in found.versions]
    _show({"run_id": record.run_id, **asdict(found)}, lines, as_json)
    return 1 if found.differing else 0


@click.command(short_help="Forget runs of old days.")
@JOB
@click.option("--days", type=click.IntRange(min=2), help="Keep so many days [default: the job's retention].")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@AS_JSON
@with_errors
def prune(job_file: Path, days: int | None, dry_run: bool, as_json: bool) -> int:
    """Remove runs of old days, but never what is published or what the next night begins from."""
    from flexmine.jobs.job import read_job
    from flexmine.jobs.lock import plant_lock
    from flexmine.jobs.prune import first_kept
    from flexmine.jobs.prune import prune as forget
    from flexmine.jobs.recover import finish_restore

    job = read_job(job_file)
    today = datetime.now(UTC).astimezone(ZoneInfo(job.zone)).date()
    with plant_lock(job.folder, job.plant, job.document.lock_wait_s, say):
        store = job.open_store()
        finish_restore(job, store, say)
        limit = first_kept(job, store, today, days)
        found = forget(job, store, limit, pretend=dry_run)
    runs = "1 run" if len(found.gone) == 1 else f"{len(found.gone)} runs"
    lines = [f"{'would remove' if dry_run else 'removed'} {runs} of days before {limit}"]
    lines += [f"kept {r.day} revision {r.revision}: {reason}" for r, reason in found.kept]
    summary = {"before": limit.isoformat(), "dry_run": dry_run, "gone": [r.run_id for r in found.gone]}
    _show({**summary, "kept": {r.run_id: reason for r, reason in found.kept}}, lines, as_json)
    return 0


def _revision(job: Any, store: Any, day: date, revision: int | None) -> Any:
    found = store.revisions(job.plant, day)
    if not found:
        raise BadInput(f"there is no plan of {day} of {job.plant} in the store; flexmine history lists what there is")
    chosen = [r for r in found if r.revision == (revision or found[-1].revision)]
    if not chosen:
        known = ", ".join(str(r.revision) for r in found)
        raise BadInput(f"{day} of {job.plant} has no revision {revision}; there are: {known}")
    return chosen[0]


def _with_sequence(record: Any) -> dict[str, Any]:
    return {**record.document(), "sequence": record.sequence}


def _at_site(found: Any, zone: str) -> Any:
    """Return a run or an attempt with its times by the site's clock, for lines that people read."""
    tz = ZoneInfo(zone)
    moments = {f.name: getattr(found, f.name) for f in fields(found)}
    shown: dict[str, Any] = {
        name: value.astimezone(tz) for name, value in moments.items() if isinstance(value, datetime)
    }
    feeds = getattr(found, "feeds", ())
    if feeds:
        shown["feeds"] = tuple({**feed, **_issued(feed, tz)} for feed in feeds)
    return replace(found, **shown)


def _issued(feed: Any, zone: ZoneInfo) -> dict[str, str]:
    try:
        return {"issued": read_moment(feed.get("issued")).astimezone(zone).isoformat(timespec="minutes")}
    except NoTime:  # none was noted; what else may stand there is shown as it is
        return {}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in values.items()}


def _show(summary: Any, lines: list[str], as_json: bool) -> None:
    put(*([json.dumps(summary)] if as_json else lines))
