"""A back-test from its file to its result: read, checked, run part by part, resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from flexmine._version import __version__
from flexmine.errors import BadInput
from flexmine.inputs.case import Case, load_span
from flexmine.inputs.yaml_loader import Loaded, read_yaml
from flexmine.problem import Floats
from flexmine.resources import PREFIX, shipped_names, shipped_path
from flexmine.studies.issued import read_issues
from flexmine.studies.known import Calendar, expected_of, issued_of, needs_past_days
from flexmine.studies.parts import Parts
from flexmine.studies.run import Run, run_policy
from flexmine.studies.schema import BacktestDocument, Issued, Perfect
from flexmine.studies.world import PAST_DAYS, World, calendar_of, refuse_unknown_limits
from flexmine.workflow.build import options_of

HOURS_OF_PAST = 24.0
"""So long before a midnight a plan still knows one whole day, of those that are read before the first."""
Progress = Callable[[str, int, int, int], None]
"""Receives policy, seed, days done and days in all; where parts run side by side, only when one is finished."""


@dataclass(frozen=True)
class Setup:
    """A back-test that was read and checked.

    Attributes
    ----------
    loaded : Loaded
        Its file.
    case : Case
        Over all its days, those before the first that are looked back on, and the look-ahead after the last.
    begin : int
        Step in which the first day begins.
    issues : mapping
        By dotted key, the forecasts that were kept, see :func:`flexmine.studies.issued.read_issues`.
    inputs : mapping of str
        SHA-256 of every file that was read.
    calendar : Calendar
        Its steps by local day and hour.
    """

    loaded: Loaded[BacktestDocument]
    case: Case
    begin: int
    issues: Mapping[str, Mapping[int, Floats]]
    inputs: Mapping[str, str]
    calendar: Calendar

    @property
    def document(self) -> BacktestDocument:
        """The file, validated."""
        return self.loaded.document

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.document.last_day - self.document.first_day).days + 1

    @property
    def tasks(self) -> list[tuple[str, int]]:
        """Policy and seed of each part; what knows all that comes does not depend on the noise."""
        document = self.document
        return [
            (policy, seed)
            for policy in document.policies
            for seed in (document.seeds[:1] if policy == "perfect" else document.seeds)
        ]

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the result; which policies and seeds are run does not, each is a part."""
        document = self.document.model_dump(mode="json", exclude={"policies", "seeds"})
        told = {"document": document, "inputs": dict(sorted(self.inputs.items())), "flexmine": __version__}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def world(self, seed: int) -> World:
        """Return the world of one draw of the noise, by its `seed`."""
        case, calendar, how = self.case, self.calendar, self.document.forecasts
        ahead = Perfect(how="perfect")
        expected = {
            key: issued_of(values, self.issues[key], calendar)
            if key in self.issues
            else expected_of(key, how.get(key, ahead), values, calendar, seed)
            for key, values in case.series.items()
        }
        # Among plans of equal money none is preferred: nobody looks at them, and settling takes what comes.
        options = replace(options_of(case), preference=False)
        return World(case, expected, self.begin, case.publish_steps, case.document.steps, options, calendar)


def read_backtest(path: Path) -> Setup:
    """Read the file of a back-test, or the shipped one of that name, its case and its series.

    Raises
    ------
    BadInput
        All that is wrong, with file, line and key; nothing has been run then.
    """
    if not path.is_file() and str(path) in shipped_names("backtests"):
        path = shipped_path(f"backtests/{path}")
    if not path.is_file():
        listed = ", ".join(shipped_names("backtests"))
        raise BadInput(f"there is no back-test file {path} and no shipped one of that name; shipped: {listed}")
    loaded = read_yaml(path, BacktestDocument, path.name)
    document = loaded.document
    looks_back = any(needs_past_days(how) for how in document.forecasts.values())
    past_days = PAST_DAYS + (document.nightly_h > HOURS_OF_PAST) if looks_back else 0
    past = timedelta(days=past_days)
    try:
        case = load_span(_case_of(loaded), document.first_day - past, document.last_day)
    except BadInput as error:
        why = f"; days from {document.first_day - past} on are looked back on" if looks_back else ""
        raise BadInput([f"{loaded.at(('case',), message)}{why}" for message in error.messages]) from error
    _refuse_unknown_series(loaded, case)
    steps = document.replan_every_h / case.time.step_h
    if abs(steps - round(steps)) > 1e-9 or steps < 1:
        text = f"{document.replan_every_h:g} h is not a whole number of the case's steps of {case.time.step_h:g} h"
        raise BadInput(loaded.at(("replan_every_h",), text))
    calendar = calendar_of(case)
    begin = int(np.searchsorted(calendar.day, past_days))
    issues, hashes = {}, dict(case.inputs)
    for key, how in document.forecasts.items():
        if isinstance(how, Issued):
            issues[key], hashes[how.file] = read_issues(loaded, key, how, case)
    setup = Setup(loaded, case, begin, issues, hashes, calendar)
    world = setup.world(0)
    try:
        refuse_unknown_limits(case, world.truth(begin, world.end - begin, case.document.state))
    except BadInput as error:
        raise BadInput([loaded.at(("case",), message) for message in error.messages]) from error
    return setup


def _case_of(loaded: Loaded[BacktestDocument]) -> Path | str:
    """Return the file or the name of the case: beside the back-test, or shipped."""
    name = loaded.document.case
    if name.startswith(PREFIX):
        return shipped_path(name)
    beside = loaded.path.parent / name
    return name if name in shipped_names("cases") and not beside.is_file() else beside


def _refuse_unknown_series(loaded: Loaded[BacktestDocument], case: Case) -> None:
    document, wrong = loaded.document, []
    if case.document.hash_value.next_retarget is not None:
        text = "its hash_value.next_retarget is of one moment: leave it out, and give difficulty as a series"
        wrong.append(loaded.at(("case",), text))
    moving = {key for key, values in case.series.items() if np.ptp(values) > 0.0}
    for key in document.forecasts:
        if key not in case.series:
            listed = ", ".join(sorted(moving)) or "none"
            wrong.append(loaded.at(("forecasts", key), f"is not a series of the case; its series: {listed}"))
    for key in sorted(moving - set(document.forecasts)):
        if not document.perfect:
            wrong.append(
                loaded.at(
                    ("forecasts",),
                    f"{key} changes in time; say how it was known ahead (noise, yesterday, last, day_ahead, issued, "
                    "perfect), or perfect: true for all that are not named",
                )
            )
    if wrong:
        raise BadInput(wrong)


def run_all(setup: Setup, parts: Parts, workers: int, progress: Progress | None = None) -> list[Run]:
    """Run every part that is not there yet, and return all of them, in the order of the file.

    Parameters
    ----------
    setup : Setup
    parts : Parts
        Where finished parts are kept.
    workers : int
        Processes side by side; the result does not depend on it.
    progress : callable, optional

    Raises
    ------
    BadInput
        A worker died; what is finished stays, and the next run goes on from there.
    """
    kept = {task: parts.get(*task) for task in setup.tasks}
    missing = [task for task, run in kept.items() if run is None]
    if workers <= 1 or len(missing) <= 1:
        for policy, seed in missing:
            parts.put(_run(setup, policy, seed, progress))
    elif missing:
        _side_by_side(setup, missing, parts, workers, progress)
    kept |= {task: parts.get(*task) for task in missing}
    found = [run for run in kept.values() if run is not None]
    if len(found) < len(kept):
        raise BadInput(f"{parts.folder}: a part was taken away while others ran; run it again, and one at a time")
    return found


def _run(setup: Setup, policy: str, seed: int, progress: Progress | None) -> Run:
    tell = None if progress is None else lambda done: progress(policy, seed, done, setup.days)
    return run_policy(setup.world(seed), setup.document, policy, seed, tell)


def _in_a_worker(path: Path, digest: str, policy: str, seed: int) -> Run:
    setup = read_backtest(path)
    if setup.digest != digest:
        raise BadInput(f"{path}: the back-test, its case or a series was changed while it ran; run it again")
    return _run(setup, policy, seed, None)


def _side_by_side(
    setup: Setup, tasks: list[tuple[str, int]], parts: Parts, workers: int, progress: Progress | None
) -> None:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: set[Future[Run]] = {
            pool.submit(_in_a_worker, setup.loaded.path, setup.digest, *task) for task in tasks
        }
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                try:
                    run = future.result()
                except BrokenProcessPool as error:
                    raise BadInput(
                        "a worker died, of want of memory perhaps; finished parts are kept: run it again, with fewer "
                        "--workers"
                    ) from error
                parts.put(run)
                if progress is not None:
                    progress(run.policy, run.seed, setup.days, setup.days)
