"""Runs and differences as lines for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from flexmine.jobs.difference import Difference
from flexmine.jobs.observe import Deviation
from flexmine.store.records import RunRecord
from flexmine.store.runs import Attempt
from flexmine.workflow.plan import GIVEN

SHOWN_NAMES = 8


def history_lines(records: Iterable[RunRecord]) -> list[str]:
    """Return one line for each run, and below it what its plan has to say of its inputs."""
    head = f"{'day':10}  {'rev':>3}  {'kind':10}  {'run':22}  {'status':9}  {'step':13}"
    lines = [f"{head}  {'hours':>5}  {'money USD':>12}  {'USD/h':>9}  {'published':>9}"]
    for r in records:
        lines.append(
            f"{r.day}  {r.revision:>3}  {r.kind:10}  {r.run_id:22}  {r.status:9}  {r.step:13}  {_hours(r):>5g}  "
            f"{r.money_usd:>12.2f}  {r.money_usd / _hours(r):>9.2f}  {'-' if r.sequence is None else r.sequence:>9}"
        )
        lines += [f"    {label}" for label in r.labels]
    return lines


def _hours(record: RunRecord) -> float:
    """Return how many hours a plan's money is of: one of the rest of a day has fewer [h]."""
    return (record.valid_until - record.valid_from) / timedelta(hours=1)


def attempt_lines(attempts: Iterable[Attempt]) -> list[str]:
    """Return one line for each attempt, and below it what it had to say."""
    lines = []
    for a in attempts:
        lines.append(f"{a.started.isoformat(timespec='seconds')}  {a.day}  exit {a.exit_code}  {a.status}  {a.run_id}")
        lines += [f"    {message}" for message in a.messages]
    return lines


def run_lines(record: RunRecord, document: dict[str, Any], folder: str) -> list[str]:
    """Return what is known of one run as lines: its plan's totals, its inputs and whether it was published.

    `document` is the content of its plan.json; `folder` is shown as the place of its files.
    """
    published = document["published"]
    lines = [
        f"{record.day} of {record.plant}, revision {record.revision}: run {record.run_id}, {record.status}"
        + ("" if record.step == "newest" else f", by step {record.step} of the ladder"),
        f"files: {folder}",
        f"planned {_minute(record.planned_at)}; "
        + ("not published" if record.sequence is None else f"published as {record.sequence}"),
        f"valid {_minute(record.valid_from)} to {_minute(record.valid_until)}",
        f"money {published['money_usd']:.2f} USD, energy {published['energy_mwh']:.1f} MWh, surplus taken "
        f"{published['surplus_taken_mwh']:.1f} of {published['surplus_offered_mwh']:.1f} MWh, "
        + ("no gap proven" if record.step in GIVEN else f"gap {record.gap:.2g}"),
        f"starts: {published['starts_warm']} warm, {published['starts_cold']} cold; container hours on: "
        f"{published['container_hours_on']:g}",
        "state before from " + ", ".join(f"{k} {v}" for k, v in record.state_from.items()),
    ]
    lines += [f"note: {label}" for label in record.labels]
    lines += [f"feed: {_feed(feed)}" for feed in record.feeds]
    lines += [f"changed: {change}" for change in record.changes]
    return lines


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _feed(feed: Any) -> str:
    issued = f", issued {feed['issued']}" if "issued" in feed else ""
    step = "" if feed["step"] == "newest" else f" ({feed['step']})"
    older = f"; other hours from {', '.join(feed['completed_by'])}" if "completed_by" in feed else ""
    return f"{feed['series']}: {feed['file']}{issued}{step}{older}"


def difference_lines(found: Difference) -> list[str]:
    """Return hours, containers, money and reasons of a difference."""
    lines = [] if found.whole else [f"compared from {found.begin} to {found.end}, the hours that both plans publish"]
    lines.append(_differ(len(found.hours), "hour") + ":" if found.hours else "every hour is the same")
    for hour in found.hours:
        who = "".join(
            f"; {word} {_names(names)}" for word, names in (("now on", hour.on), ("now off", hour.off)) if names
        )
        lines.append(f"  {hour.begin}  {hour.before_mw:9.3f} -> {hour.now_mw:9.3f} MW{who}")
    if found.containers:
        lines.append(f"{_differ(len(found.containers), 'container')} (energy, MWh):")
        lines += [f"  {name}  {mwh:+.3f}" for name, mwh in found.containers.items()]
    lines.append("money, USD:")
    lines += [f"  {key:18} {a:12.2f} -> {b:12.2f}  ({b - a:+.2f})" for key, (a, b) in found.money_usd.items()]
    lines.append("why:" if found.why else "why: the inputs are the same")
    return [*lines, *(f"  {reason}" for reason in found.why)]


def _differ(count: int, what: str) -> str:
    return f"1 {what} differs" if count == 1 else f"{count} {what}s differ"


def _names(names: tuple[str, ...]) -> str:
    rest = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def deviation_lines(found: Iterable[Deviation]) -> list[str]:
    """Return one line for each container, and the sum."""
    rows = list(found)
    head = (
        f"{'container':12}  {'planned MWh':>11}  {'actual MWh':>10}  {'missed h':>8}  {'unplanned h':>11}  {'bias':>6}"
    )
    lines = [
        f"{d.container:12}  {d.planned_mwh:>11.3f}  {d.actual_mwh:>10.3f}  {d.missed_h:>8g}  {d.unplanned_h:>11g}  "
        f"{'-' if d.bias is None else f'{d.bias:.3f}':>6}"
        for d in rows
    ]
    planned, actual = sum(d.planned_mwh for d in rows), sum(d.actual_mwh for d in rows)
    missed, unplanned = sum(d.missed_h for d in rows), sum(d.unplanned_h for d in rows)
    return [head, *lines, f"{'all':12}  {planned:>11.3f}  {actual:>10.3f}  {missed:>8g}  {unplanned:>11g}"]
