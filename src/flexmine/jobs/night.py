"""One night: finish what was left, plan every day that is due, store it, publish it.

The order of writes is what makes it safe to be killed at any moment: the folder of a run is complete, audited and
flushed before it gets its place; it has its place before a row names it; it has its row before it is published.  The
next run finishes whatever is missing of that.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flexmine.errors import EXIT_CODES, AuditFailed, BadInput, FlexmineError, NoPlan
from flexmine.jobs.bias import bias_factors, with_bias
from flexmine.jobs.calendar import days_from, tomorrow
from flexmine.jobs.compare import input_changes
from flexmine.jobs.feeds import NEWEST
from flexmine.jobs.job import Job
from flexmine.jobs.ladder import Climb, Prepared
from flexmine.jobs.lock import plant_lock
from flexmine.jobs.measured import as_measured, fitted
from flexmine.jobs.planning import plan_inputs
from flexmine.jobs.publication import publish_newest
from flexmine.jobs.recover import open_recovered
from flexmine.jobs.resolve import Horizon, digest_of
from flexmine.jobs.state import Before, state_before
from flexmine.output import write_plan
from flexmine.pipeline import Phases
from flexmine.planning.audit_files import audit_directory
from flexmine.planning.plan import Plan
from flexmine.store.files import seal, staging
from flexmine.store.records import NIGHT, RunRecord
from flexmine.store.runs import Attempt, RunStore

LOG = logging.getLogger("flexmine.nightly")


def new_run_id() -> str:
    """Return an id that no other run has; it stands in every line of the run's log."""
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True)
class DayResult:
    """What became of one day: its plan, and whether it is a new one."""

    record: RunRecord
    new: bool


@dataclass(frozen=True)
class Night:
    """One call of the nightly job.

    Attributes
    ----------
    now : datetime
        What the clock shows; issues and days are judged by it.
    progress : callable
        Receives a short line when a phase begins.
    """

    job: Job
    now: datetime
    run_id: str = field(default_factory=new_run_id)
    progress: Callable[[str], None] = lambda _: None

    def run(self, day: date | None = None) -> list[DayResult]:
        """Plan `day`, or tomorrow, and whatever was missed before it.

        Raises
        ------
        BadInput, Infeasible, NoPlan, AuditFailed
            There is no new plan; what was published before stays as it is.
        """
        job = self.job
        target = day or tomorrow(self.now, job.zone)
        LOG.info("%s: planning %s; the clock shows %s", job.plant, target, self.now.isoformat(timespec="seconds"))
        with plant_lock(job.folder, job.plant, job.document.lock_wait_s, LOG.warning):
            store = open_recovered(job, LOG.warning)
            try:
                results = []
                for due in self._due(store, target):
                    self._publish_left(store)
                    results.append(self.attempted(store, due, partial(self._plan_day, store, due)))
                publish_newest(job, store, self.now, LOG.info)
                return [replace(r, record=store.find(r.record.run_id)) for r in results]
            finally:
                store.close()

    def _publish_left(self, store: RunStore) -> None:
        """Publish what is stored and not published; that it fails is no reason not to plan the next day."""
        try:
            publish_newest(self.job, store, self.now, LOG.info)
        except (BadInput, AuditFailed) as error:
            for message in error.messages:
                LOG.warning("not published: %s", message)

    def _due(self, store: RunStore, target: date) -> list[date]:
        """Return the days to plan, in order: those that were missed, then the target."""
        job = self.job
        last = store.last_day_before(job.plant, target)
        first = job.document.first_day
        if last is not None:
            begin = days_from(last, target)[1]
        elif first is not None and first <= target:
            begin = first
        else:
            begin = target
        missed = (target - begin).days
        rule = job.document.catch_up
        if missed and rule.rule == "refuse":
            raise BadInput(f"{begin} to {target}: {missed} days before {target} have no plan; catch_up.rule is refuse")
        if missed > rule.max_days:
            raise BadInput(
                f"{begin} to {target}: {missed} days before {target} have no plan; catch_up.max_days allows "
                f"{rule.max_days}. Is the clock right? Else plan them one by one with --day, or state the plant anew "
                "with first_day and initial_state in a new folder"
            )
        if missed:
            LOG.warning("%s: %d missed days are planned first, from %s", job.plant, missed, begin)
        return days_from(begin, target)

    def attempted(self, store: RunStore, day: date, plan: Callable[[], DayResult], kind: str = NIGHT) -> DayResult:
        """Plan one day and note how it ended."""
        attempt = Attempt(self.run_id, self.job.plant, day, datetime.now(UTC), kind=kind)
        try:
            result = plan()
        except FlexmineError as error:
            store.add_attempt(attempt.ended_with(error.exit_code, error.status, error.messages))
            raise
        record = result.record
        store.add_attempt(attempt.ended_with(record.exit_code, record.status, record.labels))
        return result

    def _plan_day(self, store: RunStore, day: date) -> DayResult:
        job = self.job
        before = state_before(job, store, day)
        horizon = Horizon(job.local_day(day), job.document.look_ahead_h)
        climb = self.climb(store, horizon, before)
        night = [r for r in store.revisions(job.plant, day) if r.kind == NIGHT]
        return self.settle(store, climb, night[-1] if night else None)

    def climb(
        self, store: RunStore, horizon: Horizon, planned: Before, extra: Mapping[str, Any] | None = None
    ) -> Climb:
        """Return the ladder of a horizon: its state corrected by what was measured, its containers as they draw."""
        before = as_measured(self.job, store, planned, horizon.begin, LOG.warning)
        told = ", ".join(f"{k} {v}" for k, v in before.source.items())
        LOG.info("%s: state before it from %s", horizon.day.day, told)
        factors = bias_factors(self.job, store, min(self.now, horizon.begin), LOG.warning)
        job = replace(self.job, template=with_bias(self.job.template, factors))
        if factors:
            LOG.info("%s: %d containers are planned as they were measured", horizon.day.day, len(factors))
        return Climb(job, store, horizon, fitted(before, job), self.now, LOG.warning, extra or {})

    def settle(self, store: RunStore, climb: Climb, known: RunRecord | None, kind: str = NIGHT) -> DayResult:
        """Plan what a climb prepares, and keep it.

        Parameters
        ----------
        known : RunRecord, optional
            The run that has to be planned anew only where the inputs are others.
        kind : str
            What the run is kept as.

        Raises
        ------
        BadInput, Infeasible, NoPlan, AuditFailed
            There is no new plan.
        """
        job, day = self.job, climb.horizon.day.day
        try:
            with staging(job.folder, job.plant, f"{self.run_id}-{day}") as staged:
                made = self._make(climb, known, staged)
                if made is None:
                    assert known is not None
                    return DayResult(known, new=False)
                return DayResult(self._keep(store, climb, known, made, staged=staged, kind=kind), new=True)
        except OSError as error:
            raise BadInput(f"{job.folder}: cannot be written: {error.strerror or error}") from error

    def _make(self, climb: Climb, known: RunRecord | None, staged: Path) -> tuple[Prepared, Plan] | None:
        """Climb the ladder; return the first inputs with their plan, None where the known run stays as it is."""
        day = climb.horizon.day.day
        failures: list[FlexmineError] = []
        tried: set[str] = set()
        for name, prepare in climb.steps():
            self.progress(f"{day}: {name}")
            phases = Phases()
            try:
                prepared = prepare(staged / name)
                digest = digest_of(prepared.folder)
                if known is not None and (known.inputs_sha256 == digest or self._is_better(climb, known, prepared)):
                    LOG.info("%s: revision %d stays as it is (%s)", day, known.revision, known.step)
                    return None
                if digest in tried:
                    continue
                tried.add(digest)
                plan = plan_inputs(prepared.folder, phases)
            except (BadInput, NoPlan, AuditFailed) as error:
                failures.append(error)
                for message in error.messages:
                    LOG.warning("%s: step %s fails: %s", day, name, message)
                continue
            self._write(plan, staged / "plan", phases)
            prepared.folder.rename(staged / "inputs")
            return replace(prepared, folder=staged / "inputs"), plan
        raise failures[0]

    def _is_better(self, climb: Climb, known: RunRecord, prepared: Prepared) -> bool:
        """Return whether a stored plan from the same state was made on an earlier step of the ladder."""
        order = [NEWEST, *(step.step for step in self.job.document.ladder)]
        if known.step not in order or order.index(known.step) >= order.index(prepared.how.step):
            return False
        return dict(known.state_from) == dict(climb.before.source)

    def _write(self, plan: Plan, target: Path, phases: Phases) -> None:
        """Write a plan, and audit what is written."""
        write_plan(plan, target, phases, report=self.job.document.report)
        audit = audit_directory(target)
        if not audit.ok:
            raise AuditFailed(list(audit.violations))

    def _keep(
        self,
        store: RunStore,
        climb: Climb,
        known: RunRecord | None,
        made: tuple[Prepared, Plan],
        *,
        staged: Path,
        kind: str,
    ) -> RunRecord:
        prepared, plan = made
        newest = store.newest(self.job.plant, climb.horizon.day.day)
        record = replace(self._record(climb, newest, prepared, plan), kind=kind)
        if known is not None:
            changes = input_changes(store.place(known) / "inputs", prepared.folder)
            record = replace(record, changes=changes)
            for change in changes:
                LOG.info("%s: changed since revision %d: %s", record.day, known.revision, change)
        for folder in [f for f in staged.iterdir() if f.name not in ("inputs", "plan")]:
            shutil.rmtree(folder)
        seal(staged, record, self.job.folder)
        store.add(record)
        LOG.info(
            "%s: %s, %.2f USD, stored as revision %d", record.day, record.status, record.money_usd, record.revision
        )
        return record

    def _record(self, climb: Climb, newest: RunRecord | None, prepared: Prepared, plan: Plan) -> RunRecord:
        local, begin = climb.horizon.day, climb.horizon.begin
        labels = prepared.how.labels
        if self.now >= begin:
            labels = (*labels, f"planned at {self.now.isoformat(timespec='minutes')}, after the day had begun")
        return RunRecord(
            run_id=f"{self.run_id}-{local.day:%Y%m%d}",
            plant=self.job.plant,
            day=local.day,
            revision=1 if newest is None else newest.revision + 1,
            inputs_sha256=digest_of(prepared.folder),
            status=plan.status,
            exit_code=EXIT_CODES[plan.status],
            planned_at=self.now,
            valid_from=begin,
            valid_until=local.end,
            money_usd=round(float(plan.replay.money_by_step_usd[: plan.publish_steps].sum()), 4),
            gap=plan.gap,
            step=prepared.how.step,
            labels=labels,
            state_from=climb.before.source,
            feeds=prepared.feeds,
        )


def exit_code(results: list[DayResult]) -> int:
    """Return the code of a night: of several, the first of 2, 1, 3, 6, 5, 4, 0 that holds."""
    codes = {result.record.exit_code for result in results}
    return next(code for code in (2, 1, 3, 6, 5, 4, 0) if code in codes)
