"""Files that hold several issues each: every issue apart, by the time that its rows state, whatever the file's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.issues import issue_times_us, nothing_known, rows_of_issue
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table
from flexmine.inputs.times import moment, to_us
from flexmine.jobs.issues import FeedFile

UNREADABLE = 2**63
"""Stands for a revision that cannot be read: it might be the highest, so none is used in its place."""


@dataclass(frozen=True)
class ByRows:
    """The issues inside the files of a feed.

    Attributes
    ----------
    known : tuple of FeedFile
        The newest first.  A file that cannot be read, or has no rows, is an issue of the time in its name.
    rows : dict
        Of each its rows, or what is wrong with them.
    told : tuple of str
        Files that say nothing yet.
    """

    known: tuple[FeedFile, ...]
    rows: dict[FeedFile, Table | BadInput]
    told: tuple[str, ...]

    def read(self, issue: FeedFile) -> Table:
        """Return the rows of an issue.

        Raises
        ------
        BadInput
            They cannot be read.
        """
        found = self.rows[issue]
        if isinstance(found, BadInput):
            raise found
        return found


def by_rows(
    files: Sequence[FeedFile], read: Callable[[FeedFile], Table], spec: Series, as_of: datetime, reach_h: float
) -> ByRows:
    """Return the issues that some files hold, of each time the highest revision only, wherever it stands.

    Of several files with rows of the same time and revision each is an issue, the one with the newest name first.  A
    file without rows is an issue that withdraws nothing.

    Parameters
    ----------
    files : sequence of FeedFile
        The newest first by their names.
    read : callable
        Reads a file.
    spec : Series
        With an `issue_column`.
    as_of : datetime
        Aware; what was issued later is not used.
    reach_h : float
        Older issues are left out [h], but for the newest of a file.
    """
    rows: dict[FeedFile, Table | BadInput] = {}
    found: list[tuple[datetime, int, FeedFile]] = []
    without_rows: list[FeedFile] = []
    told: list[str] = []
    for file in files:
        try:
            table = read(file)
            if table.rows.empty:
                rows[file] = table
                without_rows.append(file)
                continue
            issued_us = issue_times_us(table, spec, as_of)
        except BadInput as error:
            rows[file] = error
            found.append((file.issued, UNREADABLE, file))
            continue
        known_us = np.unique(issued_us[issued_us <= to_us(as_of)])
        if not known_us.size:
            told.append(nothing_known(table, spec, issued_us, as_of))
        oldest_us = to_us(as_of.astimezone(UTC) - timedelta(hours=reach_h))
        for time_us in known_us[(known_us >= oldest_us) | (known_us == known_us[-1:])]:
            own, revision = _one(table, spec, issued_us, int(time_us))
            shown = file.revision if spec.revision_column is None else revision
            issue = replace(file, issued=moment(time_us), revision=shown, of_rows=True)
            rows[issue] = own
            found.append((issue.issued, revision, issue))
    last: dict[datetime, int] = {}
    for issued, revision, _ in found:
        last[issued] = max(revision, last.get(issued, revision))
    in_force = [issue for issued, revision, issue in found if revision == last[issued]]
    # `files` are the newest first, and sorting keeps their order; what has no rows comes before others of its time, so
    # that it is seen.
    known = sorted([*without_rows, *in_force], key=lambda issue: issue.issued, reverse=True)
    return ByRows(tuple(known), rows, tuple(told))


def within_reach(files: Sequence[FeedFile], as_of: datetime, reach_h: float) -> Sequence[FeedFile]:
    """Return the files that may hold issues of the last `reach_h` hours before `as_of`, by name or last change.

    Of several that are older the newest alone, for a message to name it.
    """
    oldest = as_of.astimezone(UTC) - timedelta(hours=reach_h)
    return [file for file in files if max(file.issued, file.modified or file.issued) >= oldest] or files[:1]


def _one(table: Table, spec: Series, issued_us: np.ndarray, time_us: int) -> tuple[Table | BadInput, int]:
    """Return the rows of an issue and its revision, 0 without a column of revisions; or what is wrong with them."""
    try:
        found, issue = rows_of_issue(table, spec, issued_us, time_us)
    except BadInput as error:
        return error, UNREADABLE
    return found, issue.revision or 0
