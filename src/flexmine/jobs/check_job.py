"""What would stop the next night of a job: files, places, pins and feeds are read as the night does; nothing solved."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from flexmine.assembly import assemble
from flexmine.errors import BadInput, FlexmineError, Infeasible
from flexmine.inputs.case import load_case
from flexmine.jobs.calendar import tomorrow
from flexmine.jobs.checks import Check
from flexmine.jobs.fallback_chain import FallbackChain, Prepared
from flexmine.jobs.feeds import lasting
from flexmine.jobs.job import Job
from flexmine.jobs.night import Night
from flexmine.jobs.pins import job_pins
from flexmine.jobs.resolve import CASE_FILE, Horizon
from flexmine.jobs.state import state_before
from flexmine.jobs.writable import folders_writable
from flexmine.store.runs import RunStore
from flexmine.workflow.plan import GIVEN
from flexmine.workflow.solve import conflicts_with_reserve


@dataclass(frozen=True)
class JobChecked:
    """What the next run would plan first, and from what.

    Attributes
    ----------
    day : date
        The first day that is due.
    step : str
        Of the ladder: ``newest``, or the first that has inputs.
    labels, marks : tuple of str
        What the plan would have to say of its inputs.
    failed : tuple of str
        Why the steps before it have none.
    feeds : tuple of mapping
        Source and step of each series.
    """

    day: date
    step: str
    labels: tuple[str, ...]
    marks: tuple[str, ...]
    failed: tuple[str, ...]
    feeds: tuple[dict[str, object], ...]


def check_job(job: Job, now: datetime, warn: Callable[[str], None]) -> JobChecked:
    """Prepare the inputs of the next night as it would, and look for conflicts in words; keep nothing.

    Parameters
    ----------
    job : Job
    now : datetime
        What the clock shows, aware.
    warn : callable
        Receives what the log of the night would warn of.

    Raises
    ------
    BadInput
        The night would end without a plan: a place cannot be written, the state is not known, the pins or all steps of
        the ladder fail.
    Infeasible
        The inputs contradict each other; the conflicts are named.
    """
    faults = [check.text for check in folders_writable(job) if isinstance(check, Check)]
    if faults:
        raise BadInput(faults)
    with tempfile.TemporaryDirectory(prefix="flexmine-check-") as name:
        folder = Path(name)
        store = (job if job.has_store else _with_empty_store(job, folder / "runs")).open_store()
        try:
            return _checked(Night(job, now), store, folder, warn)
        finally:
            store.close()


def _with_empty_store(job: Job, folder: Path) -> Job:
    """Return the job with a store elsewhere, as its first run would find it, so that none is made in its own place."""
    folder.mkdir()
    document = job.document.model_copy(update={"folder": str(folder), "store": None})
    return replace(job, loaded=replace(job.loaded, document=document))


def _checked(night: Night, store: RunStore, folder: Path, warn: Callable[[str], None]) -> JobChecked:
    job = night.job
    day = night.due(store, tomorrow(night.now, job.zone))[0]
    horizon = Horizon(job.local_day(day), job.document.look_ahead_h)
    axis = horizon.axis(job.template.case.document.step_h)
    job_pins(job, axis.begin(0), axis.begin(axis.steps))
    chain = night.fallback_chain(store, horizon, state_before(job, store, day))
    prepared, failures = _prepared(replace(chain, warn=warn), folder)
    how = prepared.provenance
    messages = dict.fromkeys(message for failure in failures for message in failure.messages)
    return JobChecked(day, how.step, how.labels, how.marks, tuple(messages), prepared.feeds)


def _prepared(chain: FallbackChain, folder: Path) -> tuple[Prepared, list[FlexmineError]]:
    """Go down the fallback chain as the night does; return the first inputs that can be planned, and what failed."""
    failures: list[FlexmineError] = []
    for name, prepare in chain.steps():
        try:
            prepared = prepare(folder / name, lasting(failures[0]) if failures else "")
            problem = assemble(load_case(prepared.folder / CASE_FILE)).problem
        except BadInput as error:
            failures.append(error)
            continue
        # The last steps solve nothing; what they break is found when they are replayed.
        found = [] if prepared.provenance.step in GIVEN else conflicts_with_reserve(problem)[0]
        if found:
            raise Infeasible(found)
        return prepared, failures
    raise failures[0]
