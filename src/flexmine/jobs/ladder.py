"""What is tried, in the order that the job names, until the night has inputs that can be planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.jobs.feeds import NEWEST, OLDER, Chosen, Search, newest, older
from flexmine.jobs.job import Job
from flexmine.jobs.resolve import Horizon, How, Inputs, write_inputs
from flexmine.jobs.schema import Feed, LadderStep
from flexmine.jobs.state import Before
from flexmine.jobs.template import SeriesKey
from flexmine.store.runs import RunStore

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """A folder of inputs of one step of the ladder, ready to be planned, and what each series in it is."""

    folder: Path
    how: How
    feeds: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Climb:
    """What all steps share: the job, the store, the day with its state, and the clock.

    Attributes
    ----------
    now : datetime
        What the clock shows.  A day that has begun is planned with what was known at its beginning: the newest
        forecasts say nothing of its first hours, and plans of hindsight are worth nothing.
    extra : mapping
        Further keys of the case, such as a commitment that is kept.
    """

    job: Job
    store: RunStore
    horizon: Horizon
    before: Before
    now: datetime
    tell: Tell
    extra: Mapping[str, Any] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def steps(self) -> Iterator[tuple[str, Callable[[Path], Prepared]]]:
        """Yield the name of each step and how its inputs are prepared, in order."""
        allowed: list[LadderStep] = []
        yield NEWEST, partial(self._of_feeds, NEWEST, ())
        for step in self.job.document.ladder:
            allowed.append(step)
            yield step.step, partial(self._of_feeds, step.step, tuple(allowed))

    def _of_feeds(self, step: str, allowed: tuple[LadderStep, ...], folder: Path) -> Prepared:
        """Prepare inputs of which every series is from the first allowed step that has it."""
        feeds = {name: feed for feed in self.job.document.feeds for name in feed.series}
        axis = self.horizon.axis(self.job.template.case.document.step_h)
        search = Search(self.job, axis, min(self.now, self.horizon.begin), self.now, self._tell_once)
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
        how = How(step if labels else NEWEST, labels)
        write_inputs(self.job, Inputs(self.horizon, self.before.state, chosen, how, self.extra), folder)
        return Prepared(folder, how, tuple(dict(c.source) | {"step": c.step} for c in chosen.values()))

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self.told:
            self.told.add(sentence)
            self.tell(sentence)

    def _choose(self, search: Search, key: SeriesKey, feed: Feed | None, allowed: tuple[LadderStep, ...]) -> Chosen:
        tries: list[Callable[[], Chosen]] = [lambda: newest(search, key, feed)]
        if feed is not None:
            for step in allowed:
                if step.step == OLDER:
                    tries.append(lambda: older(search, key, feed))
        wrong: list[str] = []
        for attempt in tries:
            try:
                return attempt()
            except BadInput as error:
                wrong += error.messages
        raise BadInput(wrong)
