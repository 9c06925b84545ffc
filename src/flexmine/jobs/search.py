"""What is looked for in the feeds of a horizon, and every file and issue that was read for it, once each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from flexmine.audit.seal import read_bytes
from flexmine.errors import BadInput
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table, read_table
from flexmine.jobs.issue_column import by_rows, within_reach
from flexmine.jobs.issue_rows import ReadRows, reader
from flexmine.jobs.issues import FeedFile, Found, find_issues, not_withdrawn
from flexmine.jobs.job import Job
from flexmine.jobs.schema import Feed
from flexmine.jobs.template import SeriesKey
from flexmine.problem import TimeAxis


@dataclass(frozen=True)
class Limit:
    """How old an issue may be, and which key says so.

    Attributes
    ----------
    hours : float
        [h].
    key : str
        Of the feed or of its series.
    """

    hours: float
    key: str

    def stricter(self, spec: Series) -> Limit:
        """Return this limit, or that of the series, ``stale_after_h``, where it is lower."""
        stale_h = spec.stale_after_h
        return Limit(stale_h, "stale_after_h") if stale_h is not None and stale_h < self.hours else self


@dataclass(frozen=True)
class Issues:
    """The issues of a feed for one of its series.

    Attributes
    ----------
    known : tuple of FeedFile
        All that were issued by then, the newest first.
    read : callable
        Returns the table of an issue.
    rows_of : callable
        Returns its rows as the series reads them.
    told : tuple of str
        Files that hold nothing yet.
    """

    known: tuple[FeedFile, ...]
    read: Callable[[FeedFile], Table]
    rows_of: ReadRows
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Files:
    """The files of feeds as they were when they were first looked at, for all series and all steps of the ladder.

    Looked for and read again, one that is replaced meanwhile would give one of them other content than the next.

    Attributes
    ----------
    listings : dict
        The files of each feed by its pattern, with their times.
    readings : dict
        The bytes of every file that was read.
    tables : dict
        The same as tables, by how they are read.
    """

    listings: dict[str, Found] = field(default_factory=dict)
    readings: dict[Path, bytes] = field(default_factory=dict)
    tables: dict[tuple[Path, str], Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """What is looked for: the series of one horizon.

    Attributes
    ----------
    publish_h : float
        How much of the horizon is published [h].
    files : Files
        What was looked at already.
    """

    job: Job
    axis: TimeAxis
    publish_h: float
    as_of: datetime
    now: datetime
    warn: Callable[[str], None]
    files: Files = field(default_factory=Files)

    @property
    def published_until(self) -> datetime:
        """End of the hours that are published."""
        return self.axis.begin(round(self.publish_h / self.axis.step_h))

    def read(self, path: Path) -> bytes:
        """Return the bytes of the file at `path` as they were when it was first read."""
        if path not in self.files.readings:
            self.files.readings[path] = read_bytes(path)
        return self.files.readings[path]

    def sha256(self, path: Path) -> str:
        """Return the sha256 of those bytes in hexadecimal digits."""
        return hashlib.sha256(self.read(path)).hexdigest()

    def table(self, path: Path, label: str, spec: Series) -> Table:
        """Return the file at `path` as the table that a series reads; `label` is how messages name it.

        Raises
        ------
        BadInput
            It cannot be read, or is a typical year.
        """
        if spec.typical_year:
            raise BadInput(f"{label}: a typical year ({spec.kind}) is not a forecast of a night; give CSV or Parquet")
        how = (path, f"{spec.kind} {spec.layout}")
        if how not in self.files.tables:
            self.files.tables[how] = read_table(self.read(path), label, spec.kind, spec.layout)
        return self.files.tables[how]

    def issues(self, key: SeriesKey, feed: Feed, reach: Limit) -> Issues:
        """Return the issues of a feed; where the series has a column of issues, those inside its files.

        Parameters
        ----------
        key : SeriesKey
        feed : Feed
        reach : Limit
            How old issues are looked for; others may be left out.

        Raises
        ------
        BadInput
            The folder cannot be read.
        """
        if feed.files not in self.files.listings:
            self.files.listings[feed.files] = find_issues(self.job, feed, self.as_of, self.now)
        found = self.files.listings[feed.files]

        def read(issue: FeedFile) -> Table:
            if not self.read(issue.path):
                return Table(issue.label, pd.DataFrame(dtype=str), np.zeros(0, dtype=np.int64))
            return self.table(issue.path, issue.label, key.spec)

        def is_empty(issue: FeedFile) -> bool:
            try:
                return issue in recent and not len(read(issue).rows)
            except BadInput:  # it may have withdrawn something; where it is used, the fault is reported
                return False

        recent = set(within_reach(found.known, self.as_of, reach.hours))
        known = not_withdrawn(found.known, feed, is_empty)
        if key.spec.issue_column is None:
            issues = Issues(known, read, reader(read, key.spec, self.axis))
        else:
            files = [file for file in known if file in recent]
            inside = by_rows(files, read, key.spec, self.as_of, reach.hours)
            issues = Issues(inside.known, inside.read, reader(inside.read, key.spec, self.axis), inside.told)
        for sentence in (*found.passed_over, *issues.told):
            self.warn(sentence)
        return issues


def shown(moment: datetime) -> str:
    """Return `moment`, which is aware, as messages show it, to the minute."""
    return moment.isoformat(timespec="minutes")
