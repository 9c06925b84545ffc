"""Several issues of one forecast in a file: the newest that was known, whole, never one from the future.

The rule: of all rows, those of the newest issue with issue time <= `as_of` are taken, and of that issue the highest
revision.  A whole issue is used, never a patchwork of several: a hole in the newest issue is a hole, and is then an
error or is filled by the policy that the case names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H, duration, instants_us, iso, moment, to_us
from flexmine.problem import Ints

_WHOLE = re.compile(r"[-+]?[0-9]{1,19}(?:\.0*)?", re.ASCII)
MOST_REVISION = 2**63 - 1


@dataclass(frozen=True)
class Issue:
    """Which issue of a forecast is used.

    Attributes
    ----------
    issued_at : datetime
        In UTC.
    revision : int or None
        Where the file has a column of revisions.
    """

    issued_at: datetime
    revision: int | None = None

    def __str__(self) -> str:
        text = f"issued {self.issued_at.isoformat()}"
        return text if self.revision is None else f"{text}, revision {self.revision}"


def select_issue(table: Table, spec: Series, as_of: datetime) -> tuple[Table, Issue]:
    """Return the rows of the newest issue known at a moment, and which issue that is.

    Parameters
    ----------
    table : Table
    spec : Series
        With an `issue_column`; its times need a UTC offset, or the `zone` of the spec.
    as_of : datetime
        Aware; what was issued later is ignored.

    Raises
    ------
    BadInput
        Where `as_of` has no offset, nothing was issued by then, or the newest is older than `stale_after_h`.
    """
    issued_us = issue_times_us(table, spec, as_of)
    as_of_us = to_us(as_of)
    known_us = issued_us[issued_us <= as_of_us]
    if not known_us.size:
        raise BadInput(nothing_known(table, spec, issued_us, as_of))
    newest_us = int(known_us.max())
    _refuse_stale(table, spec, newest_us, as_of, as_of_us)
    return rows_of_issue(table, spec, issued_us, newest_us)


def issue_times_us(table: Table, spec: Series, as_of: datetime) -> Ints:
    """Return when each row was issued, in microseconds since 1970; some rows may be of after `as_of`.

    Raises
    ------
    BadInput
        Naming the first time of issue that cannot be read, or `as_of`, where it has no offset.
    """
    assert spec.issue_column is not None
    if as_of.tzinfo is None:
        raise BadInput(f"as_of {as_of.isoformat()} has no UTC offset; write 2024-09-10T00:00:00+08:00")
    return instants_us(table, spec.issue_column, spec.zone)


def rows_of_issue(table: Table, spec: Series, issued_us: Ints, time_us: int) -> tuple[Table, Issue]:
    """Return the rows of one issue, of its highest revision only, and which issue that is.

    Parameters
    ----------
    table : Table
    spec : Series
    issued_us : ndarray of int, shape (rows,)
        When each row was issued, in microseconds since 1970.
    time_us : int
        One of them.

    Raises
    ------
    BadInput
        Naming the first revision of this issue that is not a whole number.
    """
    rows = np.flatnonzero(issued_us == time_us)
    revision = None
    if spec.revision_column is not None:
        revisions = _revisions(table, spec.revision_column, rows)
        revision = int(revisions.max())
        rows = rows[revisions == revision]
    return table.select(rows), Issue(moment(time_us), revision)


def of_one_issue(spec: Series) -> Series:
    """Return the spec of a series without what it says of issues, for rows that are those of one."""
    return spec.model_copy(update={"issue_column": None, "revision_column": None, "stale_after_h": None})


def nothing_known(table: Table, spec: Series, issued_us: Ints, as_of: datetime) -> str:
    """Return in words that no row was issued by `as_of`; `issued_us` are the times of all rows."""
    first = f"the first was issued {iso(issued_us.min(), as_of.tzinfo)}" if issued_us.size else "the file has no rows"
    return (
        f"{table.label}: column {spec.issue_column}: nothing was issued by {as_of.isoformat()} (as_of); {first}, and a "
        "forecast from the future is never used"
    )


def _refuse_stale(table: Table, spec: Series, newest_us: int, as_of: datetime, as_of_us: int) -> None:
    if spec.stale_after_h is None or as_of_us - newest_us <= spec.stale_after_h * US_PER_H:
        return
    raise BadInput(
        f"{table.label}: column {spec.issue_column}: the newest issue is of {iso(newest_us, as_of.tzinfo)}, "
        f"{duration(as_of_us - newest_us)} before {as_of.isoformat()} (as_of); stale_after_h allows "
        f"{spec.stale_after_h:g} h"
    )


def _revisions(table: Table, column: str, rows: Ints) -> Ints:
    """Return the revisions of some rows, whole numbers."""
    table.need(column)
    text = table.text(column).to_numpy()[rows]
    # By their digits: as floating-point numbers, times written as 20240910013000123 would be equal.
    numbers = [int(cell.partition(".")[0]) if _WHOLE.fullmatch(cell) else MOST_REVISION + 1 for cell in text]
    bad = next((i for i, number in enumerate(numbers) if abs(number) > MOST_REVISION), None)
    if bad is not None:
        place = f"{table.place(rows[bad])}: column {column}"
        raise BadInput(f"{place}: the revision {text[bad]!r} is not a whole number up to {MOST_REVISION}")
    return np.array(numbers, dtype=np.int64)
