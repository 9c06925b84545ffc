"""What is tried, in the order that the job names, until the night has a plan."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.jobs.calendar import ONE_DAY
from flexmine.jobs.feeds import NEWEST, Chosen, Search, filled, known, newest, older
from flexmine.jobs.job import Job
from flexmine.jobs.persistence import Past, of_values, persisted
from flexmine.jobs.pins import job_pins
from flexmine.jobs.resolve import CASE_FILE, Horizon, Inputs, Provenance, write_inputs
from flexmine.jobs.schema import Feed, Fill, Hold, LadderStep, OlderIssue, Persistence, PreviousPlan
from flexmine.jobs.state import Before
from flexmine.jobs.template import SeriesKey
from flexmine.problem import TimeAxis
from flexmine.store.runs import RunStore

PREVIOUS_PLAN, HOLD = "previous_plan", "hold"
KEPT_FOLDER = "kept"
KEPT_FILES = ("problem.json", "setpoints.csv", "site.csv", "plan.json")


@dataclass(frozen=True)
class Prepared:
    """A folder of inputs of one step of the ladder, ready to be planned, and the source of each of its series."""

    folder: Path
    provenance: Provenance
    feeds: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class FallbackChain:
    """What all steps share: the job, the store, the day with its state, and the clock.

    Attributes
    ----------
    now : datetime
        What the clock shows.  A day that has begun is planned with what was known at its beginning: the newest
        forecasts say nothing about its first hours, and plans made with hindsight are worth nothing.
    extra : mapping
        Keys added to the case, such as ``commitment``.
    readings : dict
        The files of feeds as first read, see :class:`flexmine.jobs.feeds.Search`.
    """

    job: Job
    store: RunStore
    horizon: Horizon
    before: Before
    now: datetime
    warn: Callable[[str], None]
    extra: Mapping[str, Any] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    readings: dict[Path, bytes] = field(default_factory=dict)

    def steps(self) -> Iterator[tuple[str, Callable[[Path], Prepared]]]:
        """Yield the name of each step and how its inputs are prepared, in order.

        A step of the feeds may use all feed steps before it, series by series; the newest issue always comes first.

        Yields
        ------
        name : str
            ``newest``, or the step's name in the job's ladder.
        prepare : callable
            Writes the inputs into a new folder; raises BadInput where this step has none.
        """
        allowed: list[LadderStep] = []
        yield NEWEST, partial(self._of_feeds, NEWEST, ())
        for step in self.job.document.ladder:
            allowed.append(step)
            if isinstance(step, PreviousPlan):
                yield step.step, self._of_previous_plan
            else:
                yield step.step, partial(self._of_feeds, step.step, tuple(allowed))

    def _of_feeds(self, name: str, allowed: tuple[LadderStep, ...], folder: Path) -> Prepared:
        """Prepare inputs in which every series is from the first allowed step that has it."""
        feeds = {key: feed for feed in self.job.document.feeds for key in feed.series}
        axis = self._axis(self.horizon)
        as_of = min(self.now, self.horizon.begin)
        search = Search(self.job, axis, as_of, self.now, self._tell_once, self.readings)
        chosen: dict[str, Chosen] = {}
        wrong: list[str] = []
        for key in self.job.template.series():
            try:
                chosen[key.dotted] = self._choose(search, key, feeds.get(key.dotted), allowed)
            except BadInput as error:
                wrong += error.messages
        if wrong:
            raise BadInput(wrong)
        labels = tuple(c.label for c in chosen.values() if c.label)
        if name == HOLD:
            provenance = Provenance(
                HOLD, ("held at safe power: nobody starts, who runs goes to the lowest power", *labels)
            )
        else:
            provenance = Provenance(name if labels else NEWEST, labels)
        return self._write(self.horizon, chosen, provenance, folder)

    def _choose(self, search: Search, key: SeriesKey, feed: Feed | None, allowed: tuple[LadderStep, ...]) -> Chosen:
        tries: list[Callable[[], Chosen]] = [partial(newest, search, key, feed)]
        for step in allowed:
            if isinstance(step, OlderIssue) and feed is not None:
                tries.append(partial(older, search, key, feed))
            elif isinstance(step, Fill) and feed is not None:
                tries.append(partial(filled, search, key, feed, step))
            elif isinstance(step, Persistence | Hold):
                tries.append(partial(self._persisted, search, key, feed, step))
        wrong: list[str] = []
        for attempt in tries:
            try:
                return attempt()
            except BadInput as error:
                wrong += error.messages
        raise BadInput(wrong)

    def _persisted(self, search: Search, key: SeriesKey, feed: Feed | None, step: Persistence | Hold) -> Chosen:
        past = Past(self.job, self.store, self.horizon.day, step.days)
        return persisted(past, key, search.axis, step, known(search, key, feed))

    def _of_previous_plan(self, folder: Path) -> Prepared:
        """Prepare the look-ahead of the previous day's plan: its series, and its schedule unchanged."""
        day = self.horizon.day
        if self.horizon.since is not None:
            raise BadInput("inside the day there is no look-ahead to keep: the plan in force stays")
        last = self.store.followed(self.job.plant, day.day - ONE_DAY)
        if last is None:
            raise BadInput(f"there is no plan of {day.day - ONE_DAY} whose look-ahead could be kept")
        plan = self.store.plan(last)
        case = load_case(self.store.inputs(last) / CASE_FILE)
        tail = case.time.steps - case.publish_steps
        tail_h = tail * case.time.step_h
        if tail_h < day.hours or case.time.step_h != self.job.template.case.document.step_h:
            raise BadInput(
                f"the plan of {last.day} looks {tail_h:g} h ahead, less than the {day.hours:g} h of {day.day}"
            )
        horizon = Horizon(day, tail_h - day.hours)
        label = f"the look-ahead of revision {last.revision} of {last.day}, as it stands"
        chosen = {}
        for key in self.job.template.series():
            if key.dotted not in case.series:
                raise BadInput(f"{key.dotted}: was no series of the plan of {last.day}")
            values = case.series[key.dotted][case.publish_steps :]
            chosen[key.dotted] = of_values(key, values, self._axis(horizon), step=PREVIOUS_PLAN, label="")
        prepared = self._write(horizon, chosen, Provenance(PREVIOUS_PLAN, (label,)), folder)
        (folder / KEPT_FOLDER).mkdir()
        for name in KEPT_FILES:
            shutil.copyfile(plan / name, folder / KEPT_FOLDER / name)
        return prepared

    def _axis(self, horizon: Horizon) -> TimeAxis:
        return horizon.axis(self.job.template.case.document.step_h)

    def _write(self, horizon: Horizon, chosen: dict[str, Chosen], provenance: Provenance, folder: Path) -> Prepared:
        axis = self._axis(horizon)
        pins = job_pins(self.job, axis.begin(0), axis.begin(axis.steps))
        for pin in pins.expired:
            self._tell_once(f"over by then, without effect: {pin.words}")
        extra = {**self.extra, **pins.extra()}
        write_inputs(self.job, Inputs(horizon, self.before.state, chosen, provenance, extra), folder)
        return Prepared(folder, provenance, tuple(dict(c.source) | {"step": c.step} for c in chosen.values()))

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self.told:
            self.told.add(sentence)
            self.warn(sentence)
