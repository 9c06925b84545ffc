"""Which data each series of the night is made of: the newest issue, or what a named step of the ladder allows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flexmine.audit.seal import read_bytes
from flexmine.errors import BadInput
from flexmine.inputs.excerpt import excerpt
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Fill as FillPolicy
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table, read_table
from flexmine.jobs.issues import FeedFile, find_issues
from flexmine.jobs.job import Job
from flexmine.jobs.schema import Feed, Fill
from flexmine.jobs.stitched import Stitched, known_values, stitched, with_tail
from flexmine.jobs.template import SeriesKey
from flexmine.problem import Floats, TimeAxis

NEWEST, OLDER, FILL, PERSISTENCE = "newest", "older_issue", "fill", "persistence"


@dataclass(frozen=True)
class Chosen:
    """The data of one series for one night.

    Attributes
    ----------
    spec : Series
        How `rows` are read.
    rows : DataFrame
        Time and value as text, cut to the horizon.
    step : str
        Step of the ladder that it was taken on.
    label : str
        What a reader of the plan should know about it; empty for a newest issue.
    source : mapping
        For the record: which file, when it was issued, its revision, and the sha256 of every file that was read.
    """

    spec: Series
    rows: pd.DataFrame
    step: str
    label: str
    source: Mapping[str, Any]


@dataclass(frozen=True)
class Search:
    """What is looked for: the series of one horizon.

    Attributes
    ----------
    as_of : datetime
        Aware; issues after it are not used.
    now : datetime
        Aware, by the clock; issues after it are not used either, and reported.
    readings : dict
        The bytes of every file that was read.  Each is read once: a file that is replaced meanwhile would give one
        series, or one step of the ladder, other content than the next.
    """

    job: Job
    axis: TimeAxis
    as_of: datetime
    now: datetime
    warn: Callable[[str], None]
    readings: dict[Path, bytes] = field(default_factory=dict)

    def read(self, path: Path) -> bytes:
        """Return the bytes of the file at `path` as they were when it was first read."""
        if path not in self.readings:
            self.readings[path] = read_bytes(path)
        return self.readings[path]

    def sha256(self, path: Path) -> str:
        """Return the sha256 of those bytes in hexadecimal digits."""
        return hashlib.sha256(self.read(path)).hexdigest()


def newest(search: Search, key: SeriesKey, feed: Feed | None) -> Chosen:
    """Return the newest issue of a series; for a series without a feed, the template's own file.

    Raises
    ------
    BadInput
        It is stale, or cannot be read for this horizon, or there is none.
    """
    if feed is None:
        path = search.job.template.series_file(key.spec)
        with _named(key):
            table = _table(search, path, key.spec.file, key.spec)
        source = {"file": key.spec.file, "sha256": {key.spec.file: search.sha256(path)}}
        return _of_table(search, key, table, key.spec, step=NEWEST, label="", source=source)
    issues = _issues(search, feed)
    if not issues:
        raise BadInput(f"{key.dotted}: no file {feed.files} was issued by {_shown(search.as_of)}")
    issue = issues[0]
    age_h = issue.age_h(search.as_of)
    if age_h > feed.max_age_h:
        raise BadInput(
            f"{key.dotted}: {issue}: {age_h:.1f} h old at {_shown(search.as_of)}; max_age_h allows {feed.max_age_h:g} h"
        )
    found = _best_known(search, key, feed, issues)
    used = found.used
    source = _source(search, issue, *used)
    if len(used) > 1:
        source["completed_by"] = [other.label for other in used[1:]]
    if found.ends_early is not None:
        search.warn(
            f"{key.dotted}: {issue.label} ends at {_shown(found.ends_early)}; what follows is of an older issue"
        )
    return _of_table(search, key, found.table, found.spec, step=NEWEST, label="", source=source)


def known(search: Search, key: SeriesKey, feed: Feed | None) -> Floats:
    """Return what the issues know of each step, in the unit of the key, NaN where they know nothing, shape (T,)."""
    if feed is None:
        return np.full(search.axis.steps, np.nan)
    try:
        return known_values(_best_known(search, key, feed, _issues(search, feed)), key.quantity, search.axis)
    except BadInput:
        # What is wrong with the newest issue is reported where it is asked for first.
        return np.full(search.axis.steps, np.nan)


def _best_known(search: Search, key: SeriesKey, feed: Feed, issues: Sequence[FeedFile]) -> Stitched:
    """Return the newest issue, completed by older ones where it has no value.

    Raises
    ------
    BadInput
        There is none, or the newest cannot be read.
    """
    within = [issue for issue in issues if issue.age_h(search.as_of) <= max(feed.reach_h, feed.max_age_h)]
    if not within:
        raise BadInput(f"{key.dotted}: no file {feed.files} was issued in the {feed.reach_h:g} h before")
    with _named(key):

        def read(issue: FeedFile) -> Table:
            return _table(search, issue.path, issue.label, key.spec)

        found = stitched(within, read, key.spec, search.axis, search.as_of)
        return with_tail(found, feed.tail, search.axis)


def older(search: Search, key: SeriesKey, feed: Feed) -> Chosen:
    """Return the newest issue that can be read and is within the limit of older issues.

    Raises
    ------
    BadInput
        No issue within the limit can be used; there is a message for each.
    """
    limit_h = feed.older_max_age_h or feed.max_age_h
    wrong: list[str] = []
    for issue in _issues(search, feed):
        if issue.age_h(search.as_of) > limit_h:
            break
        label = f"{key.dotted}: an older issue, {issue}"
        try:
            return _of_issue(search, key, issue, OLDER, label)
        except BadInput as error:
            wrong += error.messages
    raise BadInput([*wrong, f"{key.dotted}: no issue of {feed.files} of the last {limit_h:g} h can be used"])


def filled(search: Search, key: SeriesKey, feed: Feed, step: Fill) -> Chosen:
    """Return the newest issue with its gaps filled by the policy of a step.

    Raises
    ------
    BadInput
        It is stale, or lacks more than the policy may fill.
    """
    policy = FillPolicy(policy=step.policy, longest_gap_h=step.longest_gap_h)
    filling = replace(key, spec=key.spec.model_copy(update={"fill": policy}))
    found = newest(search, filling, feed)
    label = f"{key.dotted}: {found.source['file']} has gaps, filled by {step.policy}"
    return replace(found, step=FILL, label=label)


def _issues(search: Search, feed: Feed) -> tuple[FeedFile, ...]:
    found = find_issues(search.job, feed, search.as_of, search.now)
    for sentence in found.passed_over:
        search.warn(sentence)
    return found.known


@contextmanager
def _named(key: SeriesKey) -> Iterator[None]:
    """Let every fault name its series."""
    try:
        yield
    except BadInput as error:
        raise BadInput([f"{key.dotted}: {message}" for message in error.messages]) from error


def _source(search: Search, issue: FeedFile, *used: FeedFile) -> dict[str, Any]:
    """Return what the record states about an issue, and about all files that the series is made from."""
    read = {file.label: search.sha256(file.path) for file in (issue, *used)}
    return {"file": issue.label, "issued": issue.issued.isoformat(), "revision": issue.revision, "sha256": read}


def _of_issue(search: Search, key: SeriesKey, issue: FeedFile, step: str, label: str) -> Chosen:
    with _named(key):
        table = _table(search, issue.path, issue.label, key.spec)
    return _of_table(search, key, table, key.spec, step=step, label=label, source=_source(search, issue))


def _of_table(
    search: Search, key: SeriesKey, table: Table, spec: Series, *, step: str, label: str, source: Mapping[str, Any]
) -> Chosen:
    """Return the rows of the horizon, once they have been read as a plan would read them."""
    with _named(key):
        read_series(table, spec, key.quantity, search.axis, as_of=search.as_of)
        rows, kept = excerpt(table, spec, search.axis, search.as_of)
    return Chosen(kept, rows.rows, step, label, {"series": key.dotted, **source})


def _table(search: Search, path: Path, label: str, spec: Series) -> Table:
    if spec.typical_year:
        raise BadInput(f"{label}: a typical year ({spec.kind}) is no forecast of a night; give CSV or Parquet")
    return read_table(search.read(path), label, spec.kind, spec.layout)


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
