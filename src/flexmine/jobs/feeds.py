"""Which data each series of the night is made of: the newest issue, or what a named step of the ladder allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

import numpy as np
import pandas as pd

from flexmine.errors import BadInput, FlexmineError
from flexmine.inputs.excerpt import excerpt
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Fill as FillPolicy
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table
from flexmine.jobs.feed_marks import cut_off, ends_early, marks_of
from flexmine.jobs.issues import FeedFile
from flexmine.jobs.plausible_feed import refuse_unusual
from flexmine.jobs.schema import Feed, Fill
from flexmine.jobs.search import Issues, Limit, Search, shown
from flexmine.jobs.stitched import NothingKnown, PassedOver, Stitched, known_values, stitched, with_tail
from flexmine.jobs.template import SeriesKey
from flexmine.problem import Floats

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
    values : ndarray, shape (T,), or None
        In the unit of the key, where they were read already.
    """

    spec: Series
    rows: pd.DataFrame
    step: str
    label: str
    source: Mapping[str, Any]
    marks: tuple[str, ...] = ()
    values: Floats | None = None


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
            table = search.table(path, key.spec.file, key.spec)
        source = {"file": key.spec.file, "sha256": {key.spec.file: search.sha256(path)}}
        return _of_table(search, key, table, key.spec, step=NEWEST, label="", source=source)
    found = _best_known(search, key, feed)
    used = found.used
    source = _source(search, *used)
    if len(used) > 1:
        source["completed_by"] = [other.name for other in used[1:]]
    chosen = _of_table(search, key, found.table, found.spec, step=NEWEST, label="", source=source, of_feed=True)
    return replace(chosen, marks=tuple(marks_of(search, key, feed, found)))


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
    if feed is not None:
        issues, within = _within_reach(search, key, feed)

        def values(some: Sequence[FeedFile]) -> Floats:
            found = stitched(some, issues.rows_of, key.spec, search.axis)
            return known_values(found, key.quantity, search.axis)

        readable = [issue for issue in within if _is_readable(values, issue)]
        for first in range(len(readable)):
            yield values(readable[first:])
    yield np.full(search.axis.steps, np.nan)


def _is_readable(values: Callable[[Sequence[FeedFile]], Floats], issue: FeedFile) -> bool:
    """Return whether an issue can be read; what is wrong with it is reported where it is asked for by itself."""
    try:
        values([issue])
    except BadInput:
        return False
    return True


def _within_reach(search: Search, key: SeriesKey, feed: Feed) -> tuple[Issues, list[FeedFile]]:
    """Return all issues, and those that are not too old to complete newer ones."""
    reach = Limit(max(feed.reach_h, feed.max_age_h), "reach_h").stricter(key.spec)
    issues = search.issues(key, feed, reach)
    return issues, [issue for issue in issues.known if issue.age_h(search.as_of) <= reach.hours]


def _fresh(key: SeriesKey, feed: Feed) -> Limit:
    return Limit(feed.max_age_h, "max_age_h").stricter(key.spec)


def _best_known(search: Search, key: SeriesKey, feed: Feed) -> Stitched:
    """Return the newest issue that gives an hour of the horizon, completed by older ones where it has no value.

    Raises
    ------
    BadInput
        There is none, or it is stale, or cannot be read.
    """
    issues, within = _within_reach(search, key, feed)
    if not issues.known:
        there_is_none = f"{key.dotted}: no file {feed.files} was issued"
        raise Unusable(
            [f"{there_is_none} by {shown(search.as_of)}", *(f"{key.dotted}: {told}" for told in issues.told)],
            f"{there_is_none} in time",
        )
    oldest = search.as_of.astimezone(UTC) - timedelta(hours=_fresh(key, feed).hours)
    with _named(key):
        try:
            found = stitched(within or issues.known[:1], issues.rows_of, key.spec, search.axis, oldest)
        except NothingKnown as error:
            too_old = error.too_old or next(iter(issues.known[len(within) :]), None)
            silent = error.passed_over
        else:
            for sentence in found.left_out:
                search.warn(f"{key.dotted}: left out: {sentence}")
            return with_tail(found, feed.tail, search.axis)
    raise _nothing_fresh(search, key, feed, silent, too_old)


def _nothing_fresh(
    search: Search, key: SeriesKey, feed: Feed, silent: PassedOver, too_old: FeedFile | None
) -> Unusable:
    """Return why no issue of a feed can be the newest: none gives an hour, or the next that might is too old."""
    fresh, now = _fresh(key, feed), f"{key.dotted}: "
    stays = now
    if silent:
        (issue, why), begin = silent[0], shown(search.axis.begin(0))
        late = any(why.startswith("begins") for _, why in silent)
        wanted = f"with an hour from {begin} on" if late else f"that goes beyond {begin}"
        now = stays = f"{now}no file {feed.files} {wanted} has come; the newest, {issue}, {why}"
    if too_old is not None:
        next_one = f"; the next, {too_old}" if silent else str(too_old)
        at = f"{too_old.age_h(search.as_of):.1f} h old at {shown(search.as_of)}"
        now += f"{next_one}: {at}; {fresh.key} allows {fresh.hours:g} h"
        stays += f"{next_one}, is older than the {fresh.hours:g} h that {fresh.key} allows"
    return Unusable(now, stays)


def older(search: Search, key: SeriesKey, feed: Feed) -> Chosen:
    """Return the newest issue that can be read and is within the limit of older issues.

    Raises
    ------
    BadInput
        No issue within the limit can be used; there is a message for each.
    """
    limit = Limit(feed.older_max_age_h or feed.max_age_h, "older_max_age_h").stricter(key.spec)
    issues = search.issues(key, feed, limit)
    wrong: list[str] = []
    for issue in issues.known:
        if issue.age_h(search.as_of) > limit.hours:
            break
        try:
            return _of_issue(search, key, feed, issues, issue)
        except BadInput as error:
            wrong += error.messages
    raise BadInput(
        [*dict.fromkeys(wrong), f"{key.dotted}: no issue of {feed.files} of the last {limit.hours:g} h can be used"]
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


@contextmanager
def _named(key: SeriesKey) -> Iterator[None]:
    """Let every fault name its series."""
    try:
        yield
    except BadInput as error:
        raise BadInput([f"{key.dotted}: {message}" for message in error.messages]) from error


def _source(search: Search, *used: FeedFile) -> dict[str, Any]:
    """Return what the record states about the first issue, and about all files that the series is made from."""
    issue, read = used[0], {file.label: search.sha256(file.path) for file in used}
    return {"file": issue.label, "issued": issue.issued.isoformat(), "revision": issue.revision, "sha256": read}


def _of_issue(search: Search, key: SeriesKey, feed: Feed, issues: Issues, issue: FeedFile) -> Chosen:
    with _named(key):
        why = issues.rows_of(issue).silent(search.axis)
        if why:
            raise BadInput(f"{issue.name}: {why}; the plan begins at {shown(search.axis.begin(0))}")
        alone = stitched([issue], issues.rows_of, key.spec, search.axis)
        found = with_tail(alone, feed.tail, search.axis)
    source, label = _source(search, issue), f"{key.dotted}: an older issue, {issue}"
    chosen = _of_table(search, key, found.table, found.spec, step=OLDER, label=label, source=source, of_feed=True)
    return replace(chosen, marks=(*cut_off(search, key, issue), *ends_early(search, key, feed, found)))


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
    return Chosen(kept, rows.rows, step, label, {"series": key.dotted, **source}, values=read.values)


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
