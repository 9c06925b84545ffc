"""Inside the day: power reset within the commitment of the plan in force, or the rest of the day planned again.

Both are nights of a shorter day: they begin with the next step, from the state that the plan in force leads to, with
the newest issues by now, and are stored as a revision of the day and published like any plan.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.assembly.windows import runs_of
from flexmine.errors import BadInput, Infeasible
from flexmine.inputs.case import load_case
from flexmine.jobs.calendar import ONE_DAY, LocalDay, same_moment
from flexmine.jobs.executed_days import read_part
from flexmine.jobs.following import plan_at
from flexmine.jobs.lock import plant_lock
from flexmine.jobs.night import DayResult, Night
from flexmine.jobs.publication import publish_newest
from flexmine.jobs.recover import open_recovered
from flexmine.jobs.resolve import CASE_FILE, Horizon
from flexmine.jobs.state import Before, state_before, state_within
from flexmine.moments import read_moment
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore

LOG = logging.getLogger("flexmine.intraday")
REDISPATCH, REPLAN = "redispatch", "replan"


@dataclass(frozen=True)
class Intraday:
    """One call of ``flexmine redispatch`` or ``flexmine replan``.

    Attributes
    ----------
    night : Night
        Job, clock and run id.
    kind : str
        ``redispatch`` keeps who runs; ``replan`` decides that again too.
    """

    night: Night
    kind: str

    def run(self) -> list[DayResult]:
        """Plan the rest of the present day, and the days after it that are planned already; store and publish them.

        Each begins where the new plan of the day before ends: its old plan was made for another state.

        Raises
        ------
        BadInput
            There is no plan for the rest of the day, or a feed fails.
        Infeasible, NoPlan, AuditFailed
            There is no new plan; the one in force stays current.
        """
        job, now = self.night.job, self.night.now
        with plant_lock(job.folder, job.plant, job.document.lock_wait_s, LOG.warning):
            store = open_recovered(job, LOG.warning)
            try:
                publish_newest(job, store, now, LOG.info)
                results = [self._attempted(store, horizon) for horizon in self._horizons(store)]
                publish_newest(job, store, now, LOG.info)
                return [replace(result, record=store.find(result.record.run_id)) for result in results]
            finally:
                store.close()

    def _horizons(self, store: RunStore) -> list[Horizon]:
        """Return the rest of the day from the next step on (one that has begun is past), and later days."""
        job = self.night.job
        day = job.local_day(self.night.now.astimezone(ZoneInfo(job.zone)).date())
        since = next_step(self.night.now, day, job.template.case.document.step_minutes)
        look_ahead_h = job.document.look_ahead_h
        rest = [] if since >= day.end else [Horizon(day, look_ahead_h, since)]
        later = day.day + ONE_DAY
        while store.followed(job.plant, later) is not None:
            rest.append(Horizon(job.local_day(later), look_ahead_h))
            later += ONE_DAY
        if not rest:
            raise BadInput(
                f"the last step of {day.day} has begun, and {later} is not planned; flexmine nightly does it"
            )
        return rest

    def _attempted(self, store: RunStore, horizon: Horizon) -> DayResult:
        return self.night.attempted(store, horizon.day.day, lambda: self._settle(store, horizon), self.kind)

    def _settle(self, store: RunStore, horizon: Horizon) -> DayResult:
        job, day = self.night.job, horizon.day.day
        in_force = plan_at(store, job.plant, day, horizon.begin)
        if in_force is None:
            raise BadInput(f"there is no plan of {day} for {job.plant}; flexmine nightly --day {day} makes one")
        LOG.info("%s: %s from %s, revision %d is in force", day, self.kind, horizon.begin, in_force.revision)
        whole = horizon.since is None
        before = state_before(job, store, day) if whole else state_within(store, in_force, horizon.begin)
        own = in_force.kind == self.kind and same_moment(in_force.valid_from, horizon.begin)
        chain = replace(self.night.fallback_chain(store, horizon, before), in_force=in_force)
        if self.kind == REDISPATCH:
            chain = replace(chain, extra=_kept_commitment(store, in_force, horizon, stopped(before, chain.before)))
        try:
            return self.night.plan_and_store(store, chain, in_force if own else None, self.kind)
        except Infeasible as error:
            if self.kind == REPLAN or job.document.redispatch_conflict != REPLAN:
                raise
            for message in error.messages:
                LOG.warning("%s: the commitment cannot be kept: %s", day, message)
            return self.night.plan_and_store(store, self.night.fallback_chain(store, horizon, before), None, REPLAN)


def _kept_commitment(store: RunStore, in_force: RunRecord, horizon: Horizon, off: Collection[str]) -> Mapping[str, Any]:
    """Return the commitment in the form of a case; it keeps the name of the plan that decided it."""
    kept = load_case(store.inputs(in_force) / CASE_FILE).document.commitment
    whose = in_force.run_id if kept is None else kept.plan
    runs = [run for run in committed_runs(store, in_force, horizon.begin) if not _goes_on(run, horizon.begin, off)]
    # Containers of a schedule stand by class, and a kept commitment may make other classes: the order is none of it.
    runs.sort(key=lambda run: (run["container"], run["from"]))
    return {"commitment": {"plan": whose, "runs": runs}}


def stopped(planned: Before, measured: Before) -> set[str]:
    """Return the containers that ought to be running and were measured off.

    Such a container is out of the commitment until the plan next starts it: restarting it earlier would be a decision
    about who runs.
    """
    states = planned.state.get("containers", {})
    return {
        name
        for name, now in measured.state.get("containers", {}).items()
        if name in states and not now["on"] and states[name]["on"]
    }


def _goes_on(run: Mapping[str, str], begin: datetime, off: Collection[str]) -> bool:
    return run["container"] in off and same_moment(read_moment(run["from"]), begin)


def next_step(now: datetime, day: LocalDay, step_minutes: int) -> datetime:
    """Return the beginning of the day's first step, of `step_minutes` [min], that has not begun at `now` (aware)."""
    step = timedelta(minutes=step_minutes)
    elapsed = now.astimezone(UTC) - day.begin.astimezone(UTC)
    return (day.begin.astimezone(UTC) + -(-elapsed // step) * step).astimezone(day.begin.tzinfo)


def committed_runs(store: RunStore, record: RunRecord, begin: datetime) -> Iterator[dict[str, str]]:
    """Yield the runs of containers from `begin` (aware) on by a stored plan, in the form of a case's ``commitment``."""
    part = read_part(record.day, store.plan(record))
    time = part.problem.time
    first = round((begin.astimezone(UTC) - time.begin(0).astimezone(UTC)) / timedelta(hours=time.step_h))
    for name, row in zip(part.schedule.containers, part.schedule.on, strict=True):
        for start, last in runs_of(row[first:]):
            yield {
                "container": name,
                "from": time.begin(first + start).isoformat(),
                "to": time.begin(first + last + 1).isoformat(),
            }
