"""Planning what a ladder prepares, and keeping it: staged, audited, flushed, put in its place, then given a row."""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from flexmine._version import __version__
from flexmine.audit.directory import audit_directory
from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import SEAL
from flexmine.errors import EXIT_CODES, AuditFailed, BadInput, FlexmineError, NoPlan
from flexmine.jobs.calendar import site_time
from flexmine.jobs.compare import input_changes
from flexmine.jobs.fallback_chain import FallbackChain, Prepared
from flexmine.jobs.feeds import NEWEST, lasting
from flexmine.jobs.job import Job
from flexmine.jobs.planning import plan_inputs, refuse_broken
from flexmine.output import write_plan
from flexmine.solving.phases import Phases
from flexmine.store.files import seal, staging
from flexmine.store.records import NIGHT, RunRecord
from flexmine.store.runs import RunStore
from flexmine.store.sealed import digest_of
from flexmine.workflow.plan import Plan

LOG = logging.getLogger("flexmine.nightly")


def new_run_id() -> str:
    """Return an id that no other run has; it stands in every line of the run's log."""
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True)
class DayResult:
    """What became of one day: its plan, whether it is a new one, and why it stays where a new one would be worse."""

    record: RunRecord
    new: bool
    why: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What became of it, for people: the status, by which step, and what its inputs lacked."""
        record = self.record
        by = "" if record.step == NEWEST else f", by step {record.step} of the ladder"
        return [f"{record.day}: {record.status}{by}", *(f"{record.day}: {s}" for s in (*record.labels, *self.why))]


@dataclass(frozen=True)
class Planner:
    """One call that plans days of a job, whatever kind it is.

    Attributes
    ----------
    now : datetime
        What the clock shows, aware; issues and days are judged by it.
    progress : callable
        Receives a short line when a phase begins.
    """

    job: Job
    now: datetime
    run_id: str = field(default_factory=new_run_id)
    progress: Callable[[str], None] = lambda _: None

    def plan_and_store(
        self, store: RunStore, chain: FallbackChain, known: RunRecord | None, kind: str = NIGHT
    ) -> DayResult:
        """Plan what a chain prepares, and keep it.

        Parameters
        ----------
        store : RunStore
        chain : FallbackChain
        known : RunRecord or None
            The run that is planned again only where the inputs differ from its own.
        kind : str, default "night"
            What the run is kept as.

        Raises
        ------
        BadInput, Infeasible, NoPlan, AuditFailed
            There is no new plan.
        """
        job, day = self.job, chain.horizon.day.day
        try:
            with staging(job.folder, job.plant, f"{self.run_id}-{day}") as staged:
                made = self._make(chain, known, staged)
                if isinstance(made, DayResult):
                    return made
                return DayResult(self._keep(store, chain, known, made, staged=staged, kind=kind), new=True)
        except OSError as error:
            raise BadInput(f"{job.folder}: cannot be written: {error.strerror or error}") from error

    def _make(self, chain: FallbackChain, known: RunRecord | None, staged: Path) -> tuple[Prepared, Plan] | DayResult:
        """Go down the fallback chain; return the first inputs with their plan, or the run that stays."""
        day = chain.horizon.day.day
        failures: list[FlexmineError] = []
        tried: set[str] = set()
        in_force = chain.in_force
        for name, prepare in chain.steps():
            self.progress(f"{day}: {name}")
            phases = Phases()
            try:
                prepared = prepare(staged / name, lasting(failures[0]) if failures else "")
                digest = digest_of(prepared.folder)
                same = next((r for r in (known, chain.in_force) if r is not None and r.inputs_sha256 == digest), None)
                if same is not None:
                    return self._stays(same, ())
                if known is not None and self._is_better(chain, known, prepared):
                    return self._stays(known, failures)
                if in_force is not None and self._is_worse(prepared, in_force):
                    if self._holds(chain, in_force, staged):
                        return self._stays(in_force, failures)
                    in_force = None
                if digest in tried:
                    LOG.warning(
                        "%s: step %s changes nothing: its inputs are those of a step that has failed", day, name
                    )
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

    def _is_better(self, chain: FallbackChain, known: RunRecord, prepared: Prepared) -> bool:
        """Return whether a stored plan from the same state was made on an earlier step of the ladder."""
        return self._is_worse(prepared, known) and dict(known.state_from) == dict(chain.before.source)

    def _is_worse(self, prepared: Prepared, known: RunRecord) -> bool:
        """Return whether a stored plan was made on an earlier step of the ladder."""
        order = [NEWEST, *(step.step for step in self.job.document.ladder)]
        return known.step in order and order.index(known.step) < order.index(prepared.provenance.step)

    def _holds(self, chain: FallbackChain, in_force: RunRecord, staged: Path) -> bool:
        """Return whether the plan in force still keeps all limits, by what is known now."""
        try:
            refuse_broken(chain.of_plan_in_force(staged / "in_force").folder)
        except (BadInput, NoPlan) as error:
            for message in error.messages:
                LOG.warning("%s: revision %d cannot stay: %s", in_force.day, in_force.revision, message)
            return False
        return True

    def _stays(self, known: RunRecord, failures: Sequence[FlexmineError]) -> DayResult:
        LOG.info("%s: revision %d stays as it is (%s)", known.day, known.revision, known.step)
        messages = failures[0].messages if failures else []
        why = tuple(f"revision {known.revision} ({known.step}) stays: {message}" for message in messages)
        for sentence in why:
            LOG.warning("%s: %s", known.day, sentence)
        return DayResult(known, new=False, why=why)

    def _write(self, plan: Plan, target: Path, phases: Phases) -> None:
        """Write a plan, and audit the files written."""
        write_plan(plan, target, phases, report=self.job.document.report)
        audit = audit_directory(target)
        if not audit.ok:
            raise AuditFailed(list(audit.violations))

    def _keep(
        self,
        store: RunStore,
        chain: FallbackChain,
        known: RunRecord | None,
        made: tuple[Prepared, Plan],
        *,
        staged: Path,
        kind: str,
    ) -> RunRecord:
        prepared, plan = made
        newest = store.newest(self.job.plant, chain.horizon.day.day)
        seal_of_plan = str(read_document(staged / "plan")[SEAL])
        record = replace(self._record(chain, newest, prepared, plan), kind=kind, seal=seal_of_plan)
        if known is not None:
            changes = input_changes(store.inputs(known), prepared.folder)
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
        for label in record.labels:
            LOG.warning("%s: %s: %s", record.day, record.step, label)
        return record

    def _record(self, chain: FallbackChain, newest: RunRecord | None, prepared: Prepared, plan: Plan) -> RunRecord:
        local, begin = chain.horizon.day, chain.horizon.begin
        labels = (*prepared.provenance.labels, *prepared.provenance.marks)
        if self.now >= begin:
            labels = (*labels, f"planned at {site_time(self.now, self.job.zone)}, after the day had begun")
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
            money_usd=round(plan.replay.published_usd(plan.publish_steps), 4),
            gap=plan.gap,
            step=prepared.provenance.step,
            labels=labels,
            state_from=chain.before.source,
            feeds=prepared.feeds,
            flexmine=__version__,
        )
