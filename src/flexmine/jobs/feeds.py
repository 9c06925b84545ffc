"""Which data each series of the night is made of: the newest issue, or what a named step of the ladder allows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flexmine.audit.seal import read_bytes
from flexmine.errors import BadInput, FlexmineError
from flexmine.inputs.excerpt import excerpt
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Fill as FillPolicy
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table, read_table
from flexmine.jobs.issues import FeedFile, find_issues
from flexmine.jobs.job import Job
from flexmine.jobs.plausible_feed import refuse_unusual
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
        Which file, issued when, at which revision, and the sha256 of every file that was read, for the record.
    marks : tuple of str
        What looks wrong with the files, though they can be used.
    """

    spec: Series
    rows: pd.DataFrame
    step: str
    label: str
    source: Mapping[str, Any]
    marks: tuple[str, ...] = ()


class Unusable(BadInput):
    """Data that a step of the ladder cannot use.

    What a plan says of its inputs is part of them: with an age of now in it, the same inputs would be others an hour
    later.

    Parameters
    ----------
    messages : str or sequence of str
        All that is wrong.
    lasting : str
        The first of it in words that stay the same from one run to the next.
    """

    def __init__(self, messages: str | Sequence[str], lasting: str):
        super().__init__(messages)
        self.lasting = lasting


def lasting(error: FlexmineError) -> str:
    """Return the first thing that is wrong, in words that stay the same from one run to the next."""
    return error.lasting if isinstance(error, Unusable) else error.messages[0]


@dataclass(frozen=True)
class Search:
    """What is looked for: the series of one horizon.

    Attributes
    ----------
    publish_h : float
        How much of the horizon is published [h].
    readings : dict
        The bytes of every file that was read.  Each is read once: a file that is replaced meanwhile would give one
        series, or one step of the ladder, other content than the next.
    """

    job: Job
    axis: TimeAxis
    publish_h: float
    as_of: datetime
    now: datetime
    warn: Callable[[str], None]
    readings: dict[Path, bytes] = field(default_factory=dict)

    @property
    def published_until(self) -> datetime:
        """End of the hours that are published."""
        return self.axis.begin(round(self.publish_h / self.axis.step_h))

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
        there_is_none = f"{key.dotted}: no file {feed.files} was issued"
        raise Unusable(f"{there_is_none} by {_shown(search.as_of)}", f"{there_is_none} in time")
    issue = issues[0]
    age_h = issue.age_h(search.as_of)
    if age_h > feed.max_age_h:
        at = f"{age_h:.1f} h old at {_shown(search.as_of)}"
        raise Unusable(
            f"{key.dotted}: {issue}: {at}; max_age_h allows {feed.max_age_h:g} h",
            f"{key.dotted}: {issue}, is older than the {feed.max_age_h:g} h that max_age_h allows",
        )
    found = _best_known(search, key, feed, issues)
    used = found.used
    source = _source(search, issue, *used)
    if len(used) > 1:
        source["completed_by"] = [other.label for other in used[1:]]
    chosen = _of_table(search, key, found.table, found.spec, step=NEWEST, label="", source=source, of_feed=True)
    return replace(chosen, marks=(*_cut_off(search, key, *used), *_ends_early(search, key, feed, found)))


def _cut_off(search: Search, key: SeriesKey, *files: FeedFile) -> Iterator[str]:
    """Yield the files that may have lost their end on the way, in the middle of a number even."""
    for file in files:
        # UTF-16 has a zero byte on either side of its line break.
        if key.spec.kind == "csv" and not search.read(file.path).rstrip(b"\0").endswith((b"\n", b"\r")):
            yield f"{key.dotted}: {file.label} ends without a line break: it may be cut off, and its last value too"


def _ends_early(search: Search, key: SeriesKey, feed: Feed, found: Stitched) -> Iterator[str]:
    """Yield what stands in for published hours that the newest issue does not reach; for others, it is logged."""
    label, end = found.used[0].label, search.published_until
    what_if = ", in hours that are published too: is the file whole?"
    if found.ends_early is not None:
        sentence = f"{key.dotted}: {label} ends at {_shown(found.ends_early)}; what follows is of an older issue"
        if found.ends_early < end:
            yield sentence + what_if
        else:
            search.warn(sentence)
    if found.tail_from is not None and feed.tail is not None and found.tail_from < end:
        stands_in = f"what follows is its tail, {feed.tail.policy}"
        yield f"{key.dotted}: {found.table.label} ends at {_shown(found.tail_from)}; {stands_in}{what_if}"


def known(search: Search, key: SeriesKey, feed: Feed | None) -> Iterator[Floats]:
    """Yield what the issues know of each step, the best first and at last nothing.

    Parameters
    ----------
    search : Search
    key : SeriesKey
    feed : Feed or None

    Yields
    ------
    ndarray, shape (T,)
        In the unit of the key, NaN where they know nothing: of all issues that can be read, then of all but the
        newest of them, and so on, for whoever finds that what it knows cannot be right.
    """
    issues = () if feed is None else _within_reach(search, feed, _issues(search, feed))
    readable = [issue for issue in issues if _is_readable(search, key, issue)]
    for first in range(len(readable)):
        yield _known(search, key, readable[first:])
    yield np.full(search.axis.steps, np.nan)


def _known(search: Search, key: SeriesKey, issues: Sequence[FeedFile]) -> Floats:
    read = partial(_table_of, search, key)
    return known_values(stitched(issues, read, key.spec, search.axis, search.as_of), key.quantity, search.axis)


def _is_readable(search: Search, key: SeriesKey, issue: FeedFile) -> bool:
    """Return whether an issue can be read; what is wrong with it is reported where it is asked for by itself."""
    try:
        _known(search, key, [issue])
    except BadInput:
        return False
    return True


def _within_reach(search: Search, feed: Feed, issues: Sequence[FeedFile]) -> list[FeedFile]:
    reach_h = max(feed.reach_h, feed.max_age_h)
    return [issue for issue in issues if issue.age_h(search.as_of) <= reach_h]


def _best_known(search: Search, key: SeriesKey, feed: Feed, issues: Sequence[FeedFile]) -> Stitched:
    """Return the newest issue, which is not stale, completed by older ones where it has no value.

    Raises
    ------
    BadInput
        The newest cannot be read, or no issue reaches the horizon.
    """
    within = _within_reach(search, feed, issues)
    with _named(key):
        found = stitched(within, partial(_table_of, search, key), key.spec, search.axis, search.as_of)
        begin = search.axis.begin(0)
        if found.until <= begin:
            newest_of_all = f"the newest, {within[0]}, ends at {_shown(found.until)}"
            raise BadInput(f"no file {feed.files} that goes beyond {_shown(begin)} has come; {newest_of_all}")
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
    raise BadInput(
        [*dict.fromkeys(wrong), f"{key.dotted}: no issue of {feed.files} of the last {limit_h:g} h can be used"]
    )


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
        until = stitched([issue], partial(_table_of, search, key), key.spec, search.axis, search.as_of).until
        if until <= search.axis.begin(0):
            raise BadInput(f"{issue.label}: ends at {_shown(until)}; planned is from {_shown(search.axis.begin(0))} on")
        table = _table_of(search, key, issue)
    source = _source(search, issue)
    chosen = _of_table(search, key, table, key.spec, step=step, label=label, source=source, of_feed=True)
    return replace(chosen, marks=tuple(_cut_off(search, key, issue)))


def _of_table(
    search: Search,
    key: SeriesKey,
    table: Table,
    spec: Series,
    *,
    step: str,
    label: str,
    source: Mapping[str, Any],
    of_feed: bool = False,
) -> Chosen:
    """Return the rows of the horizon, once they have been read, and of a feed looked at, as a plan would do it."""
    with _named(key):
        read = read_series(table, spec, key.quantity, search.axis, as_of=search.as_of)
        if of_feed:
            refuse_unusual(search.job.template, key, read, search.axis, search.publish_h)
        rows, kept = excerpt(table, spec, search.axis, search.as_of)
    return Chosen(kept, rows.rows, step, label, {"series": key.dotted, **source})


def _table_of(search: Search, key: SeriesKey, issue: FeedFile) -> Table:
    return _table(search, issue.path, issue.label, key.spec)


def refuse_persisted(search: Search, key: SeriesKey, chosen: Chosen) -> None:
    """Refuse a series made of known and past values that the case of the night would be refused for.

    Raises
    ------
    BadInput
        Naming what is unusual.
    """
    with _named(key):
        table = Table(str(chosen.source["file"]), chosen.rows, np.arange(len(chosen.rows), dtype=np.int64) + 1, "row")
        read = read_series(table, chosen.spec, key.quantity, search.axis)
        refuse_unusual(search.job.template, key, read, search.axis, search.publish_h)


def _table(search: Search, path: Path, label: str, spec: Series) -> Table:
    if spec.typical_year:
        raise BadInput(f"{label}: a typical year ({spec.kind}) is no forecast of a night; give CSV or Parquet")
    return read_table(search.read(path), label, spec.kind, spec.layout)


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
