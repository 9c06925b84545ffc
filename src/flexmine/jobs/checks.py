"""What a look at a plant finds: checks with the levels that monitors use, and figures that they keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property

from flexmine.errors import BadInput
from flexmine.jobs.job import Job
from flexmine.publish.whole import Whole, newest_whole

DAYS_OF_A_RUN = 50


class Level(IntEnum):
    """Levels as in Nagios plugins; also the exit codes of ``flexmine health``."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Level
    text: str


Found = Iterator[Check | tuple[str, dict[str, str], float]]
"""Checks, and figures: name of the metric, labels, value."""


@dataclass(frozen=True)
class View:
    """A plant at one moment; what several checks need is read only once."""

    job: Job
    now: datetime

    @cached_property
    def whole(self) -> Whole:
        """The newest undamaged publication, and what is wrong with later ones."""
        return newest_whole(self.job.path_of(self.job.document.publish.directory))

    @cached_property
    def told(self) -> tuple[str, ...]:
        """What the last run has said of its plans and inputs; nothing where the store cannot be read."""
        if not self.job.has_store:
            return ()
        try:
            store = self.job.open_store()
        except BadInput:  # which another check tells
            return ()
        try:
            attempts = store.attempts(self.job.plant, DAYS_OF_A_RUN)
        except BadInput:
            return ()
        finally:
            store.close()
        return tuple(message for a in attempts if a.run_id == attempts[0].run_id for message in a.messages)
