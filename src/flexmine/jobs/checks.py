"""What a look at a plant finds: checks with the levels that monitors use, and figures that they keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property

from flexmine.jobs.job import Job
from flexmine.publish.whole import Whole, newest_whole


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
