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
from flexmine.store.runs import Attempt, RunStore

LOOKED_AT = 50
"""So many attempts."""


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
    def store(self) -> RunStore | None:
        """The store of the plant; None where no run has made one.

        Raises
        ------
        BadInput
            It cannot be opened.
        """
        return self.job.open_store() if self.job.has_store else None

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The last attempts at planning a day, the newest first.

        Raises
        ------
        BadInput
            The store cannot be read.
        """
        return [] if self.store is None else self.store.attempts(self.job.plant, LOOKED_AT)

    @cached_property
    def last_messages(self) -> tuple[str, ...]:
        """What the last run has reported about its plans and inputs; nothing where the store cannot be read."""
        try:
            attempts = self.attempts
        except BadInput:  # which another check reports
            return ()
        return tuple(message for a in attempts if a.run_id == attempts[0].run_id for message in a.messages)

    def close(self) -> None:
        """Close the store, where one was opened."""
        store: RunStore | None = self.__dict__.get("store")
        if store is not None:
            store.close()
