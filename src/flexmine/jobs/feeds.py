"""Which data each series of the night is made of: the newest issue, or what a named step of the ladder allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
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
    rows : DataFrame
        Time and value as text, cut to the horizon.
    step : str
        Step of the ladder that it was taken on.
    label : str
        What a reader of the plan should know about it; empty for a newest issue.
    source : mapping
        Which file, issued when, at which revision, for the record.
    """

    spec: Series
    rows: pd.DataFrame
    step: str
    label: str
    source: Mapping[str, Any]


@dataclass(frozen=True)
class Search:
    """What is looked for: the series of one horizon as they were known at `as_of`, at the latest `now`."""

    job: Job
    axis: TimeAxis
    as_of: datetime
    now: datetime
    tell: Callable[[str], None]


def newest(search: Search, key: SeriesKey, feed: Feed | None) -> Chosen:
    """Return the newest issue of a series; of a series without feed, the template's own file.

    Raises
    ------
    BadInput
        It is stale, or cannot be read for this horizon, or there is none.
    """
    if feed is None:
        path = search.job.template.series_file(key.spec)
        return _checked(search, key, path, step=NEWEST, label="", source={"file": key.spec.file})
    issue = next(iter(_issues(search, feed)), None)
    if issue is None:
        raise BadInput(f"{key.dotted}: no file {feed.files} was issued by {_shown(search.as_of)}")
    age_h = issue.age_h(search.as_of)
    if age_h > feed.max_age_h:
        raise BadInput(
            f"{key.dotted}: {issue}: {age_h:.1f} h old at {_shown(search.as_of)}; max_age_h allows {feed.max_age_h:g} h"
        )
    found = _best_known(search, key, feed)
    used = found.used
    source = {"file": issue.label, "issued": issue.issued.isoformat(), "revision": issue.revision}
    if len(used) > 1:
        source["completed_by"] = [other.label for other in used[1:]]
    if found.ends_early is not None:
        search.tell(
            f"{key.dotted}: {issue.label} ends at {_shown(found.ends_early)}; what follows is of an older issue"
        )
    return _of_table(search, key, found.table, found.spec, step=NEWEST, label="", source=source)


def known(search: Search, key: SeriesKey, feed: Feed | None) -> Floats:
    """Return what the issues know of each step, in the unit of the key, NaN where they know nothing, shape (T,)."""
    if feed is None:
        return np.full(search.axis.steps, np.nan)
    try:
        return known_values(_best_known(search, key, feed), key.quantity, search.axis)
    except BadInput:
        # What is wrong with the newest issue is told where it is asked for first.
        return np.full(search.axis.steps, np.nan)


def _best_known(search: Search, key: SeriesKey, feed: Feed) -> Stitched:
    """Return the newest issue, completed by older ones where it says nothing.

    Raises
    ------
    BadInput
        There is none, or the newest cannot be read.
    """
    within = [
        issue for issue in _issues(search, feed) if issue.age_h(search.as_of) <= max(feed.reach_h, feed.max_age_h)
    ]
    if not within:
        raise BadInput(f"{key.dotted}: no file {feed.files} was issued in the {feed.reach_h:g} h before")
    try:

        def read(issue: FeedFile) -> Table:
            return _table(issue.path, issue.label, key.spec)

        found = stitched(within, read, key.spec, search.axis, search.as_of)
        return with_tail(found, feed.tail, search.axis)
    except BadInput as error:
        raise BadInput([f"{key.dotted}: {message}" for message in error.messages]) from error


def older(search: Search, key: SeriesKey, feed: Feed) -> Chosen:
    """Return the newest issue that can be read and is within the limit of older issues.

    Raises
    ------
    BadInput
        With what is wrong with each issue within the limit.
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
    """Return the newest issue with what it lacks filled by the policy of a step.

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


def _issues(search: Search, feed: Feed) -> Iterator[FeedFile]:
    found = find_issues(search.job, feed, search.as_of, search.now)
    for sentence in found.passed_over:
        search.tell(sentence)
    yield from found.known


def _of_issue(search: Search, key: SeriesKey, issue: FeedFile, step: str, label: str) -> Chosen:
    source = {"file": issue.label, "issued": issue.issued.isoformat(), "revision": issue.revision}
    return _checked(search, key, issue.path, step=step, label=label, source=source)


def _checked(search: Search, key: SeriesKey, path: Path, *, step: str, label: str, source: Mapping[str, Any]) -> Chosen:
    """Return the rows of the horizon, once they have been read as a plan would read them."""
    try:
        table = _table(path, source["file"], key.spec)
    except BadInput as error:
        raise BadInput([f"{key.dotted}: {message}" for message in error.messages]) from error
    return _of_table(search, key, table, key.spec, step=step, label=label, source=source)


def _of_table(
    search: Search, key: SeriesKey, table: Table, spec: Series, *, step: str, label: str, source: Mapping[str, Any]
) -> Chosen:
    try:
        read_series(table, spec, key.quantity, search.axis, as_of=search.as_of)
        rows, kept = excerpt(table, spec, search.axis, search.as_of)
    except BadInput as error:
        raise BadInput([f"{key.dotted}: {message}" for message in error.messages]) from error
    return Chosen(kept, rows.rows, step, label, {"series": key.dotted, **source})


def _table(path: Path, label: str, spec: Series) -> Table:
    if spec.typical_year:
        raise BadInput(f"{label}: a typical year ({spec.kind}) is no forecast of a night; give CSV or Parquet")
    return read_table(read_bytes(path), label, spec.kind, spec.layout)


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
