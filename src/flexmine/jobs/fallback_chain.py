"""What is tried, in the order that the job names, until the night has a plan."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.inputs.case_series import series_entries
from flexmine.inputs.series_spec import Series
from flexmine.jobs.calendar import ONE_DAY, with_site_offset
from flexmine.jobs.feeds import (
    NEWEST,
    Chosen,
    Unusable,
    filled,
    known,
    lasting,
    newest,
    older,
    refuse_persisted,
)
from flexmine.jobs.job import Job
from flexmine.jobs.persistence import Past, of_values, persisted, taken_over
from flexmine.jobs.pins import job_pins
from flexmine.jobs.plausible_feed import COMPARED, unlike_before
from flexmine.jobs.resolve import CASE_FILE, Horizon, Inputs, Provenance, write_inputs
from flexmine.jobs.schema import Feed, Fill, Hold, LadderStep, OlderIssue, Persistence, PreviousPlan
from flexmine.jobs.search import Files, Search
from flexmine.jobs.state import Before
from flexmine.jobs.template import SeriesKey
from flexmine.problem import TimeAxis
from flexmine.store.records import RunRecord
from flexmine.store.runs import RunStore
from flexmine.workflow.plan import GIVEN

PREVIOUS_PLAN, HOLD = GIVEN
KEPT_FOLDER = "kept"
COMPARED_DAYS = 3
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
    files : Files
        The files of feeds as they were found and read first.
    in_force : RunRecord or None
        The plan that machines follow in these hours: it goes before a worse step of the ladder.
    """

    job: Job
    store: RunStore
    horizon: Horizon
    before: Before
    now: datetime
    warn: Callable[[str], None]
    extra: Mapping[str, Any] = field(default_factory=dict)
    warned: set[str] = field(default_factory=set)
    files: Files = field(default_factory=Files)
    in_force: RunRecord | None = None

    def steps(self) -> Iterator[tuple[str, Callable[[Path, str], Prepared]]]:
        """Yield the name of each step and how its inputs are prepared, in order.

        A step of the feeds may use all feed steps before it, series by series; the newest issue always comes first.

        Yields
        ------
        name : str
            ``newest``, or the step's name in the job's ladder.
        prepare : callable
            Takes the folder to write, and in words why the newest issues could not be used; raises BadInput where this
            step has no inputs.
        """
        allowed: list[LadderStep] = []
        yield NEWEST, partial(self._of_feeds, NEWEST, ())
        for step in self.job.document.ladder:
            allowed.append(step)
            if isinstance(step, PreviousPlan):
                yield step.step, self._of_previous_plan
            else:
                yield step.step, partial(self._of_feeds, step.step, tuple(allowed))

    def _of_feeds(self, name: str, allowed: tuple[LadderStep, ...], folder: Path, why: str) -> Prepared:
        """Prepare inputs of which every series is from the first allowed step that has it."""
        feeds, search = self._feeds(), self._search(self.horizon)
        chosen: dict[str, Chosen] = {}
        wrong: list[str] = []
        faults: dict[str, str] = {}
        for key in self.job.template.series():
            try:
                chosen[key.dotted] = self._choose(search, key, feeds.get(key.dotted), allowed)
            except BadInput as error:
                wrong += error.messages
                faults[key.dotted] = lasting(error)
        if wrong:
            first, *others = faults
            more = f"; nor can {' and '.join(others)} be used" if others else ""
            raise Unusable(wrong, f"{faults[first]}{more}")
        labels = tuple(c.label for c in chosen.values() if c.label)
        marks = tuple(mark for c in chosen.values() for mark in c.marks)
        if name == HOLD:
            held = "held at safe power: nobody starts, who runs goes to the lowest power"
            provenance = Provenance(HOLD, (held, *labels) if labels else (f"{held}; {why}",), marks)
        else:
            provenance = Provenance(name if labels else NEWEST, labels, marks)
        return self._write(self.horizon, chosen, provenance, folder)

    def _feeds(self) -> dict[str, Feed]:
        """Return the feed of each series that has one, by its dotted key."""
        return {key: feed for feed in self.job.document.feeds for key in feed.series}

    def _search(self, horizon: Horizon) -> Search:
        as_of = with_site_offset(min(self.now, self.horizon.begin), self.job.zone)
        axis = self._axis(horizon)
        return Search(self.job, axis, horizon.day_h, as_of, self.now, self._warn_once, self.files)

    def _choose(self, search: Search, key: SeriesKey, feed: Feed | None, allowed: tuple[LadderStep, ...]) -> Chosen:
        """Return a series from the first step that has it; its label says why it is not the newest issue."""
        tries: list[Callable[[], Chosen]] = [partial(newest, search, key, feed)]
        for step in allowed:
            if isinstance(step, OlderIssue) and feed is not None:
                tries.append(partial(older, search, key, feed))
            elif isinstance(step, Fill) and feed is not None:
                tries.append(partial(filled, search, key, feed, step))
            elif isinstance(step, Persistence | Hold):
                tries.append(partial(self._persisted, search, key, feed, step))
        wrong: list[str] = []
        why = ""
        for attempt in tries:
            try:
                found = attempt()
            except BadInput as error:
                wrong += error.messages
                why = why or lasting(error)
                continue
            if feed is not None:
                found = replace(found, marks=(*found.marks, *self._unlike_before(search, key, found)))
            reason = why.removeprefix(f"{key.dotted}: ")
            return replace(found, label=f"{found.label}; the newest cannot be used: {reason}") if reason else found
        raise Unusable(list(dict.fromkeys(wrong)), why)

    def _unlike_before(self, search: Search, key: SeriesKey, found: Chosen) -> Iterator[str]:
        """Yield that the published values of a feed are far from those of the days before; none where none are kept."""
        if found.values is None or key.quantity not in COMPARED:
            return
        try:
            before = [value for values in self.past.by_clock(key.dotted).values() for value in values]
        except BadInput as error:
            self._warn_once(f"{key.dotted}: not compared with the days before: {error.messages[0]}")
            return
        values = found.values[: round(search.publish_h / search.axis.step_h)]
        if sentence := unlike_before(key, values, before, COMPARED_DAYS):
            yield sentence

    @cached_property
    def past(self) -> Past:
        """What the last days were planned with, to compare feeds with."""
        return Past(self.job, self.store, self.horizon.day, COMPARED_DAYS)

    def _persisted(self, search: Search, key: SeriesKey, feed: Feed | None, step: Persistence | Hold) -> Chosen:
        """Return what is known completed by the past; what makes no usable series together is not known."""
        past = Past(self.job, self.store, self.horizon.day, step.days)
        for values in known(search, key, feed):
            made = persisted(past, key, search.axis, step, values)
            try:
                refuse_persisted(search, key, made)
            except BadInput:
                if np.isnan(values).all():
                    raise
                continue
            break
        return made

    def _of_previous_plan(self, folder: Path, why: str) -> Prepared:
        """Prepare the look-ahead of the plan of the day before: its series, and its schedule as it stands."""
        day = self.horizon.day
        if self.horizon.since is not None:
            raise BadInput("inside the day there is no look-ahead to keep: the plan in force stays")
        last = self.store.followed(self.job.plant, day.day - ONE_DAY)
        if last is None:
            raise BadInput(f"there is no plan of {day.day - ONE_DAY} whose look-ahead could be kept")
        plan = self.store.plan(last)
        inputs = self.store.inputs(last)
        case = load_case(inputs / CASE_FILE)
        tail = case.time.steps - case.publish_steps
        tail_h = tail * case.time.step_h
        if tail_h < day.hours or case.time.step_h != self.job.template.case.document.step_h:
            raise BadInput(
                f"the plan of {last.day} looks {tail_h:g} h ahead, less than the {day.hours:g} h of {day.day}"
            )
        horizon = Horizon(day, tail_h - day.hours)
        label = f"the look-ahead of revision {last.revision} of {last.day}, as it stands; {why}"
        own = {dotted: spec for dotted, _, _, spec in series_entries(case.document) if isinstance(spec, Series)}
        chosen = {}
        for key in self.job.template.series():
            if key.dotted not in own:
                raise BadInput(f"{key.dotted}: was no series of the plan of {last.day}")
            chosen[key.dotted] = taken_over(key, own[key.dotted], inputs, self._axis(horizon), step=PREVIOUS_PLAN)
        prepared = self._write(horizon, chosen, Provenance(PREVIOUS_PLAN, (label,)), folder)
        self._keep_plan(plan, folder)
        return prepared

    def of_plan_in_force(self, folder: Path) -> Prepared:
        """Prepare what is left of the plan in force, with what is known now: its published hours, and its schedule.

        Each series is what its issues know, and where they know nothing what the plan was made from.

        Parameters
        ----------
        folder : Path
            Where the inputs are written, and the plan as it was made beside them.

        Returns
        -------
        Prepared

        Raises
        ------
        BadInput
            The plan does not cover these hours, or its files cannot be read.
        """
        assert self.in_force is not None
        last, inputs = self.in_force, self.store.inputs(self.in_force)
        case = load_case(inputs / CASE_FILE)
        rest = Horizon(self.horizon.day, 0.0, self.horizon.since)
        search = self._search(rest)
        axis = search.axis
        first = round((axis.begin(0) - case.time.begin(0)) / timedelta(hours=axis.step_h))
        if case.time.step_h != axis.step_h or first < 0 or first + axis.steps > case.time.steps:
            raise BadInput(f"revision {last.revision} does not cover the hours from {axis.begin(0).isoformat()} on")
        feeds, chosen = self._feeds(), {}
        for key in self.job.template.series():
            if key.dotted not in case.series:
                raise BadInput(f"{key.dotted}: was no series of revision {last.revision}")
            own = case.series[key.dotted][first : first + axis.steps]
            values = next(known(search, key, feeds.get(key.dotted)))
            made = of_values(key, np.where(np.isnan(values), own, values), axis, step=last.step, label="")
            chosen[key.dotted] = made
        alone = replace(self, extra={})
        prepared = alone._write(rest, chosen, Provenance(PREVIOUS_PLAN), folder)
        self._keep_plan(self.store.plan(last), folder)
        return prepared

    def _keep_plan(self, plan: Path, folder: Path) -> None:
        (folder / KEPT_FOLDER).mkdir()
        for name in KEPT_FILES:
            shutil.copyfile(plan / name, folder / KEPT_FOLDER / name)

    def _axis(self, horizon: Horizon) -> TimeAxis:
        return horizon.axis(self.job.template.case.document.step_h)

    def _write(self, horizon: Horizon, chosen: dict[str, Chosen], provenance: Provenance, folder: Path) -> Prepared:
        axis = self._axis(horizon)
        pins = job_pins(self.job, axis.begin(0), axis.begin(axis.steps))
        for pin in pins.expired:
            self._warn_once(f"over by then, without effect: {pin.words}")
        extra = {**self.extra, **pins.extra()}
        write_inputs(self.job, Inputs(horizon, self.before.state, chosen, provenance, extra), folder)
        return Prepared(folder, provenance, tuple(dict(c.source) | {"step": c.step} for c in chosen.values()))

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self.warned:
            self.warned.add(sentence)
            self.warn(sentence)
