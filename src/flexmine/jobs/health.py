"""The health of a plant: its current plan, its feeds and its last runs, for monitors and for people."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from shutil import disk_usage
from statistics import median
from typing import Any

from flexmine.errors import EXIT_CODES, BadInput, FlexmineError, Status
from flexmine.jobs.calendar import site_time
from flexmine.jobs.checks import Check, Found, Level, View
from flexmine.jobs.following import chain_from
from flexmine.jobs.issues import FeedFile, find_issues, not_withdrawn
from flexmine.jobs.job import Job
from flexmine.jobs.lock import abandoned
from flexmine.jobs.pins import job_pins
from flexmine.jobs.standing import missing_hours, standing
from flexmine.jobs.writable import database_writable, folders_writable
from flexmine.publish.reader import Publication, read_current
from flexmine.publish.whole import AHEAD, made_at
from flexmine.store.runs import Attempt, RunStore
from flexmine.workflow.plan import GIVEN

ONE_HOUR = timedelta(hours=1)
PLANNED = tuple(EXIT_CODES[s] for s in (Status.OPTIMAL, Status.FEASIBLE, Status.FALLBACK))
LOOKED_INTO = 8
COMPARED_ISSUES, FEWEST_ISSUES, THIN_SHARE = 7, 3, 0.5
LEAST_FREE_MB = 500.0
NO_INPUTS = "no redispatch, replan or backup can begin from it"


@dataclass(frozen=True)
class Health:
    """All checks, and the figures that monitors keep.

    Attributes
    ----------
    checks : tuple of Check
        In the order in which they were made.
    figures : tuple
        ``(name of the metric, {label: value}, number)`` each.
    """

    plant: str
    checks: tuple[Check, ...]
    figures: tuple[tuple[str, dict[str, str], float], ...]

    @property
    def level(self) -> Level:
        """The worst of all checks."""
        return max((c.level for c in self.checks), default=Level.OK)

    @property
    def lines(self) -> list[str]:
        """One line for monitors, then one for each check, the worst first."""
        worst = sorted(self.checks, key=lambda c: -c.level)
        first = next((c.text for c in worst if c.level == self.level), "")
        head = f"FLEXMINE {self.level.name} - {self.plant}: {first}"
        return [head, *(f"{c.level.name}: {c.name}: {c.text}" for c in worst)]

    def document(self) -> dict[str, Any]:
        """Return plant, level, exit code and checks as plain values, for JSON."""
        checks = [{"name": c.name, "level": c.level.name, "text": c.text} for c in self.checks]
        return {"plant": self.plant, "level": self.level.name, "exit_code": int(self.level), "checks": checks}


def health(job: Job, now: datetime) -> Health:
    """Check a plant at `now` (aware); that it can be written to is tested by writing, and nothing is changed."""
    checks: list[Check] = []
    figures: list[tuple[str, dict[str, str], float]] = []
    parts = {
        "current plan": _current,
        "store": _folders,
        "runs": _runs,
        "feeds": _feeds,
        "pins": _pins,
        "disk": _disk,
    }
    with closing(View(job, now)) as view:
        for name, part in parts.items():
            try:
                for found in part(view):
                    if isinstance(found, Check):
                        checks.append(found)
                    else:
                        figures.append(found)
            except (FlexmineError, OSError, ValueError, LookupError, TypeError) as error:
                # What cannot be looked at is not well, and must not keep the rest from being reported.
                checks.append(Check(name, Level.CRITICAL, f"cannot be looked at: {type(error).__name__}: {error}"))
    result = Health(job.plant, tuple(checks), tuple(figures))
    return Health(job.plant, result.checks, (*result.figures, ("health", {}, float(result.level))))


def _current(view: View) -> Found:
    job, now = view.job, view.now
    target, watch = job.path_of(job.document.publish.directory), job.document.watch
    try:
        current = read_current(target)
        faults = view.whole.damage
    except BadInput as error:
        yield Check("current plan", Level.CRITICAL, error.messages[0])
        return
    if current is None:
        yield Check("current plan", Level.CRITICAL, f"nothing is published in {target}")
        return
    if faults:
        yield Check("current plan", Level.CRITICAL, faults[0])
    left_h = (current.valid_until - now) / ONE_HOUR
    published = made_at(current)
    age_h = (now - published) / ONE_HOUR
    words = f"publication {current.sequence}, {age_h:.1f} h old, is valid for {left_h:.1f} h more"
    if published - now > AHEAD:
        ahead = f"publication {current.sequence} was made {-age_h:.1f} h after now; is the clock right?"
        yield Check("clock", Level.WARNING, ahead)
    if left_h <= 0:
        words = f"publication {current.sequence} ended {-left_h:.1f} h ago; {_expiry(current)}"
    level = Level.OK if left_h >= watch.warning_h else Level.WARNING
    yield Check("validity", Level.CRITICAL if left_h < max(watch.critical_h, 1e-9) else level, words)
    status = current.document["status"]
    usual = status == Status.OPTIMAL.value
    why = _why(view, current) if status == Status.FALLBACK.value else ""
    yield Check("status", Level.OK if usual else Level.WARNING, f"the plan{_of_day(current)} is {status}{why}")
    yield "plan_sequence", {}, float(current.sequence)
    yield "plan_published_timestamp_seconds", {}, published.timestamp()
    yield "clock_behind_seconds", {"what": "publication"}, max(0.0, (published - now).total_seconds())
    yield "plan_valid_until_timestamp_seconds", {}, current.valid_until.timestamp()
    yield "plan_fallback", {}, float(status == Status.FALLBACK.value)


def _of_day(current: Publication) -> str:
    """Return which day a plan is of, which may not be today; one that was published by hand names none."""
    run = current.document.get("run")
    return f" of {run['day']}" if isinstance(run, dict) and run.get("day") else ""


def _why(view: View, current: Publication) -> str:
    """Return the step of the ladder and the reason, where the store knows the plan that machines follow."""
    if view.store is None:
        return ""
    record = view.store.run(str(current.document["run"].get("run_id")))
    return "" if record is None else f", by step {record.step}: {'; '.join(record.labels)}"


def _expiry(current: Publication) -> str:
    return f"machines do what after_validity says: {current.document['after_validity']['action']}"


def _folders(view: View) -> Found:
    yield from folders_writable(view.job)


def _runs(view: View) -> Found:
    job, now = view.job, view.now
    who = abandoned(job.folder, job.plant)
    if who:
        yield Check("runs", Level.WARNING, f"{who} has ended without finishing; the next run puts things in order")
    try:
        store = view.store
    except BadInput as error:
        yield Check("store", Level.CRITICAL, error.messages[0])
        yield "database_writable", {}, 0.0
        return
    try:
        if store is not None:
            yield from database_writable(store)
            yield from _stored(job, store)
            yield from _unpublished(job, store, now)
            yield from _standing(view, store)
        attempts = view.attempts
    except BadInput as error:
        yield Check("store", Level.CRITICAL, error.messages[0])
        return
    if not attempts:
        yield Check("runs", Level.WARNING, "no run has been made yet")
        return
    yield from _clock(attempts[0], datetime.now(UTC))
    yield from _last(job, attempts[0], _failures(attempts))


def _stored(job: Job, store: RunStore) -> Found:
    """Check the newest runs, so that an altered one is reported before something has to begin from it."""
    for newest, record in enumerate(store.history(job.plant, LOOKED_INTO)):
        for part, stopped in ((store.plan, "the next night cannot begin from it"), (store.inputs, NO_INPUTS)):
            try:
                part(record)
            except BadInput as error:
                if store.is_pruned(record):
                    break
                what = stopped if newest == 0 else "no backup can be made"
                yield Check("store", Level.CRITICAL, f"{error.messages[0]}; {what}")


def _standing(view: View, store: RunStore) -> Found:
    """Compare what machines read with the store."""
    plant, now = view.job.plant, view.now
    try:
        chain = chain_from(store, plant, now)
        found = standing(view.job, store, now, view.whole)
        by_hand = bool(found.note)
        fault = found.fault or missing_hours(chain.parts, view.whole.publication, now, by_hand=by_hand)
    except BadInput:  # a stored plan, or the pointer, which another check has told
        return
    if fault and store.last_published(plant) is not None:
        text = f"{fault}; the next run publishes the stored plans again: flexmine nightly, or flexmine replan"
        yield Check("publication", Level.CRITICAL, text)
    for sentence in filter(None, (found.note, chain.broken)):
        yield Check("publication", Level.WARNING, sentence)
    for sentence in chain.planned_after(now)[:1]:
        yield Check("clock", Level.WARNING, f"{sentence}; is the clock right? In its hours flexmine replan renews it")


def _unpublished(job: Job, store: RunStore, now: datetime) -> Found:
    day = store.last_day(job.plant)
    record = None if day is None else store.followed(job.plant, day)
    if record is None:
        return
    yield "plan_money_usd", {}, record.money_usd
    if record.step not in GIVEN:
        yield "plan_gap", {}, record.gap
    if record.sequence is None and record.valid_until > now:
        what = f"the plan of {record.day}, revision {record.revision}"
        yield Check("publication", Level.WARNING, f"{what}, is stored and not published; the next run does it")


def _clock(last: Attempt, clock: datetime) -> Found:
    """Warn of a run that ended after now, by what the clock of the machine showed then."""
    ahead = (last.ended or last.started) - clock
    if ahead > AHEAD:
        text = f"the last run ended {ahead / ONE_HOUR:.1f} h after now; is the clock right?"
        yield Check("clock", Level.WARNING, text)
    yield "clock_behind_seconds", {"what": "run"}, max(0.0, ahead.total_seconds())


def _failures(attempts: list[Attempt]) -> int:
    """Return how many attempts in a row, the last one backwards, brought no plan."""
    return next((i for i, a in enumerate(attempts) if a.exit_code in PLANNED), len(attempts))


def _last(job: Job, last: Attempt, failures: int) -> Found:
    when = site_time(last.ended or last.started, job.zone)
    text = f"the last one, of {last.day} at {when}, ended with exit {last.exit_code} ({last.status})"
    level = Level.OK if last.exit_code == 0 else Level.WARNING
    if failures:
        text += f", {failures} in a row without a plan: {last.messages[0] if last.messages else 'no message'}"
        level = Level.CRITICAL if failures >= job.document.watch.failures else Level.WARNING
    yield Check("runs", level, text)
    yield "last_run_exit_code", {}, float(last.exit_code)
    yield "last_run_timestamp_seconds", {}, (last.ended or last.started).timestamp()
    yield "runs_without_plan", {}, float(failures)


def _feeds(view: View) -> Found:
    job, now = view.job, view.now
    for feed in job.document.feeds:
        try:
            found = find_issues(job, feed, now, now)
        except BadInput as error:
            yield Check(f"feed {feed.files}", Level.WARNING, error.messages[0])
            continue
        if not found.known:
            ahead = f" by {site_time(now, job.zone)}; {found.passed_over[0]}" if found.passed_over else ""
            yield Check(f"feed {feed.files}", Level.WARNING, f"there is no issue{ahead}")
            continue
        known = not_withdrawn(found.known, feed, lambda file: not file.size_bytes)
        issue = known[0]
        age_h = issue.age_h(now)
        stale = age_h > feed.max_age_h
        words = f"{issue}, is {age_h:.1f} h old" + (f"; max_age_h allows {feed.max_age_h:g} h" if stale else "")
        if feed.every_h is not None and age_h > feed.every_h:
            stale, words = True, f"{words}; one is expected every {feed.every_h:g} h"
        told = [sentence for sentence in view.last_messages if any(f"{key}: " in sentence for key in feed.series)]
        if told:
            words += f"; the last run: {'; '.join(told)}"
        yield Check(f"feed {feed.files}", Level.WARNING if stale or told else Level.OK, words)
        thin = _thinned(known)
        if thin:
            yield Check(f"feed {feed.files}", Level.WARNING, thin)
        yield "feed_size_bytes", {"feed": feed.files}, float(issue.size_bytes)
        yield "feed_issued_timestamp_seconds", {"feed": feed.files}, issue.issued.timestamp()
        yield "feed_max_age_seconds", {"feed": feed.files}, feed.max_age_h * 3600.0


def _thinned(issues: Sequence[FeedFile]) -> str:
    """Return a sentence where the newest issue is much smaller than those before it: it may have been cut off."""
    sizes = [issue.size_bytes for issue in issues[: 1 + COMPARED_ISSUES]]
    if len(sizes) <= FEWEST_ISSUES:
        return ""
    usual = median(sizes[1:])
    if sizes[0] >= THIN_SHARE * usual:
        return ""
    return f"{issues[0].label} has {sizes[0]} bytes, the {len(sizes) - 1} issues before it had a median of {usual:.0f}"


def _disk(view: View) -> Found:
    """Check that there is room for the next nights, before one of them fails for lack of it."""
    job = view.job
    free_mb = disk_usage(job.folder if job.folder.is_dir() else job.path_of(".")).free / 1e6
    if free_mb < LEAST_FREE_MB:
        text = f"{free_mb:.0f} MB are free where the runs are kept; below {LEAST_FREE_MB:g} MB nights may fail"
        yield Check("disk", Level.WARNING if free_mb > LEAST_FREE_MB / 10 else Level.CRITICAL, text)
    yield "disk_free_bytes", {}, free_mb * 1e6


def _pins(view: View) -> Found:
    job, now = view.job, view.now
    try:
        pins = job_pins(job, now, now + ONE_HOUR)
    except BadInput as error:
        yield Check("pins", Level.WARNING, error.messages[0])
        return
    if job.document.pins is None:
        return
    for pin in pins.in_force:
        yield Check("pin", Level.OK, pin.words)
    for pin in pins.expired:
        yield Check("pin", Level.OK, f"expired: {pin.words}")
    yield "pins_in_force", {}, float(len(pins.in_force))
