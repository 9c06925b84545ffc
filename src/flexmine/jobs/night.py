"""One night: finish what was left, plan every day that is due, store it, publish it.

The order of writes is what makes it safe to be killed at any moment: the folder of a run is complete, audited and
flushed before it gets its place; it has its place before a row names it; it has its row before it is published.  The
next run finishes whatever is missing of that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from flexmine.errors import AuditFailed, BadInput, FlexmineError
from flexmine.jobs.bias import bias_factors, with_bias
from flexmine.jobs.calendar import ONE_DAY, days_from, same_moment, site_time, tomorrow
from flexmine.jobs.fallback_chain import FallbackChain
from flexmine.jobs.feeds import NEWEST
from flexmine.jobs.following import goes_on, of_day
from flexmine.jobs.lock import plant_lock
from flexmine.jobs.measured import as_measured, fitted
from flexmine.jobs.plan_and_store import DayResult, Planner, new_run_id
from flexmine.jobs.publication import publish_newest
from flexmine.jobs.recover import open_recovered
from flexmine.jobs.resolve import Horizon
from flexmine.jobs.state import Before, state_before
from flexmine.store.records import AGAIN, NIGHT, RunRecord
from flexmine.store.runs import Attempt, RunStore

LOG = logging.getLogger("flexmine.nightly")
__all__ = ["LOG", "DayResult", "Night", "exit_code", "new_run_id"]


@dataclass(frozen=True)
class Night(Planner):
    """One call of the nightly job."""

    def run(self, day: date | None = None) -> list[DayResult]:
        """Plan `day` (None: tomorrow at the site), after the days before it that were missed.

        Raises
        ------
        BadInput, Infeasible, NoPlan, AuditFailed
            There is no new plan; what was published before stays.
        """
        job = self.job
        target = day or tomorrow(self.now, job.zone)
        LOG.info("%s: planning %s; the clock shows %s", job.plant, target, site_time(self.now, job.zone))
        with plant_lock(job.folder, job.plant, job.document.lock_wait_s, LOG.warning):
            store = open_recovered(job, LOG.warning)
            try:
                results = []
                for due in self.due(store, target):
                    self._publish_left(store)
                    results.append(self.attempted(store, due, partial(self._plan_day, store, due)))
                publish_newest(job, store, self.now, LOG.info)
                return [replace(r, record=store.find(r.record.run_id)) for r in results]
            finally:
                store.close()

    def _publish_left(self, store: RunStore) -> None:
        """Publish what is stored and not published; a failure is no reason not to plan the next day."""
        try:
            publish_newest(self.job, store, self.now, LOG.info)
        except (BadInput, AuditFailed) as error:
            for message in error.messages:
                LOG.warning("not published: %s", message)

    def due(self, store: RunStore, target: date) -> list[date]:
        """Return the days to plan, in order: those that were missed, then the target.

        Parameters
        ----------
        store : RunStore
        target : date
            The site's day that is asked for.

        Raises
        ------
        BadInput
            More were missed than the job allows.
        """
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
        count = f"1 day before {target} has" if missed == 1 else f"{missed} days before {target} have"
        without = f"{begin} to {target}: {count} no plan"
        if missed and rule.rule == "refuse":
            raise BadInput(f"{without}; catch_up.rule is refuse")
        if missed > rule.max_days:
            raise BadInput(
                f"{without}; catch_up.max_days allows {rule.max_days}. Is the clock right? Else plan them one by "
                "one with --day, or state the plant anew with first_day and initial_state in a new folder"
            )
        if missed:
            days = "1 missed day is" if missed == 1 else f"{missed} missed days are"
            LOG.warning("%s: %s planned first, from %s", job.plant, days, begin)
        return days_from(begin, target)

    def attempted(self, store: RunStore, day: date, plan: Callable[[], DayResult], kind: str = NIGHT) -> DayResult:
        """Plan one day and note how it ended.

        Parameters
        ----------
        store : RunStore
        day : date
        plan : callable
            Plans the day; its errors are noted and raised on.
        kind : str, default "night"
            What the attempt is noted as: ``night``, ``redispatch`` or ``replan``.
        """
        attempt = Attempt(self.run_id, self.job.plant, day, datetime.now(UTC), kind=kind)
        try:
            result = plan()
        except FlexmineError as error:
            store.add_attempt(attempt.ended_with(error.exit_code, error.status, error.messages))
            raise
        record = result.record
        store.add_attempt(attempt.ended_with(record.exit_code, record.status, (*record.labels, *result.why)))
        return result

    def _plan_day(self, store: RunStore, day: date) -> DayResult:
        job = self.job
        before = state_before(job, store, day)
        horizon = Horizon(job.local_day(day), job.document.look_ahead_h)
        chain = self.fallback_chain(store, horizon, before)
        revisions = store.revisions(job.plant, day)
        # A replan of the day before plans this one whole, too: the same inputs make no second plan of it.
        whole = [r for r in revisions if same_moment(r.valid_from, horizon.begin)]
        result = self.plan_and_store(store, chain, whole[-1] if whole else None, self._kind(store, revisions, horizon))
        if result.new and result.record.kind == AGAIN:
            LOG.warning(
                "%s: revision %d is stored and not published: machines follow another plan of the day; "
                "flexmine replan plans what is left of it",
                day,
                result.record.revision,
            )
        return result

    def _kind(self, store: RunStore, revisions: list[RunRecord], horizon: Horizon) -> str:
        """Return the kind of a night: once machines follow a plan of the day, no other one begins at midnight.

        Of a day to come they follow only what begins where the day before ends, and no fallback longer than needed.
        """
        plant, day = self.job.plant, horizon.day.day
        if not any(record.sequence is not None for record in revisions):
            return NIGHT
        if self.now >= horizon.begin:
            return AGAIN
        if store.last_day(plant) == day:
            return NIGHT
        before, first = store.followed(plant, day - ONE_DAY), of_day(store, plant, day)[:1]
        joined = before is None or all(goes_on(store, before, part.record) for part in first)
        return AGAIN if joined and all(part.record.step == NEWEST for part in first) else NIGHT

    def fallback_chain(
        self, store: RunStore, horizon: Horizon, planned: Before, extra: Mapping[str, Any] | None = None
    ) -> FallbackChain:
        """Return the fallback chain of a horizon, with state and containers corrected by measurements.

        Parameters
        ----------
        store : RunStore
        horizon : Horizon
        planned : Before
            The state by the plan.
        extra : mapping, optional
            Keys added to the case, such as ``commitment``.
        """
        before = as_measured(self.job, store, planned, horizon.begin, LOG.warning)
        told = ", ".join(f"{k} {v}" for k, v in before.source.items())
        LOG.info("%s: state before it from %s", horizon.day.day, told)
        factors = bias_factors(self.job, store, min(self.now, horizon.begin), LOG.warning)
        job = replace(self.job, template=with_bias(self.job.template, factors))
        if factors:
            count = "1 container is" if len(factors) == 1 else f"{len(factors)} containers are"
            LOG.info("%s: %s planned as measured", horizon.day.day, count)
        return FallbackChain(job, store, horizon, fitted(before, job), self.now, LOG.warning, extra or {})


def exit_code(results: list[DayResult]) -> int:
    """Return the exit code of a night: of several days, the first of 2, 1, 3, 6, 5, 4, 0 that occurs."""
    codes = {result.record.exit_code for result in results}
    return next(code for code in (2, 1, 3, 6, 5, 4, 0) if code in codes)
