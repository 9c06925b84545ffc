"""What looks wrong with the files of a series, though they can be used: told beside the plan that is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from flexmine.inputs.times import US_PER_H, intervals, to_us
from flexmine.jobs.issues import FeedFile
from flexmine.jobs.schema import Feed
from flexmine.jobs.search import Search, shown
from flexmine.jobs.stitched import Stitched
from flexmine.jobs.template import SeriesKey

ONE_DAY_H = 24.0


def marks_of(search: Search, key: SeriesKey, feed: Feed, found: Stitched) -> Iterator[str]:
    """Yield what a reader of the plan should know about the files that a series is made of.

    Parameters
    ----------
    search : Search
    key : SeriesKey
    feed : Feed
    found : Stitched

    Yields
    ------
    str
        A sentence that begins with the series; it has no age in it, for it is part of the inputs.
    """
    yield from _overdue(search, key, feed, found)
    yield from _passed_over(key, found)
    yield from cut_off(search, key, *found.used)
    yield from ends_early(search, key, feed, found)
    yield from _stale_hours(search, key, feed, found)


def _overdue(search: Search, key: SeriesKey, feed: Feed, found: Stitched) -> Iterator[str]:
    """Yield that an issue should have come since the newest, though that one reaches far enough."""
    if feed.every_h is not None:
        newest = max((found.used[0], *(issue for issue, _ in found.passed_over)), key=lambda issue: issue.issued)
        if newest.age_h(search.as_of) > feed.every_h:
            yield f"{key.dotted}: nothing has come since {newest}; every_h expects an issue every {feed.every_h:g} h"


def _passed_over(key: SeriesKey, found: Stitched) -> Iterator[str]:
    """Yield the newer issues of which no hour is, unless they are of later hours."""
    silent = [(issue, why) for issue, why in found.passed_over if not why.startswith("begins")]
    if silent:
        (issue, why), more = silent[0], len(silent) - 1
        others = f" ({more} more likewise)" if more else ""
        instead = f"the values are taken from {found.used[0]}"
        yield f"{key.dotted}: {issue} {why}{others}, and is skipped: {instead}; is the file complete?"


def cut_off(search: Search, key: SeriesKey, *files: FeedFile) -> Iterator[str]:
    """Yield the files that may have lost their end on the way, in the middle of a number even."""
    for file in {file.path: file for file in files}.values():
        # UTF-16 has a zero byte on either side of its line break.
        if key.spec.kind == "csv" and not search.read(file.path).rstrip(b"\0").endswith((b"\n", b"\r")):
            yield f"{key.dotted}: {file.label} ends without a line break: it may be cut off, and its last value too"


def ends_early(search: Search, key: SeriesKey, feed: Feed, found: Stitched) -> Iterator[str]:
    """Yield what stands in for published hours that the newest issue does not reach; for others, it is logged."""
    label, end = found.used[0].name, search.published_until
    what_if = ", in hours that are published too: is the file complete?"
    if found.ends_early is not None:
        sentence = f"{key.dotted}: {label} ends at {shown(found.ends_early)}; what follows is of an older issue"
        if found.ends_early < end:
            yield sentence + what_if
        else:
            search.warn(sentence)
    if found.tail_from is not None and feed.tail is not None and found.tail_from < end:
        stands_in = f"what follows is its tail, {feed.tail.policy}"
        yield f"{key.dotted}: {found.table.label} ends at {shown(found.tail_from)}; {stands_in}{what_if}"


def _stale_hours(search: Search, key: SeriesKey, feed: Feed, found: Stitched) -> Iterator[str]:
    """Yield the stale issues of which published hours are, where they were stale a day before these hours already.

    In the evening the rest of the day is of yesterday's issue, and should be: a day before, it was fresh.
    """
    until_us, rows = (
        to_us(search.published_until),
        intervals(found.table, found.spec, round(search.axis.step_h * US_PER_H)),
    )
    begin_us = to_us(search.axis.begin(0))
    stale = [issue for issue in found.used if issue.age_h(search.as_of) > feed.max_age_h]
    for issue in stale:
        allowed_us = to_us(issue.issued + timedelta(hours=feed.max_age_h + ONE_DAY_H))
        of_it = [found.issue_of[row] == issue for row in rows.row]
        if (of_it & (rows.begin_us < until_us) & (rows.end_us > max(allowed_us, begin_us))).any():
            limit = f"older than the {feed.max_age_h:g} h that max_age_h allows the newest"
            yield f"{key.dotted}: hours that are published are of {issue}, {limit}"
