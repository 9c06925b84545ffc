"""Several issues of a forecast in one file: the newest that was known, whole; none from the future, none stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.issues import select_issue
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.problem import TimeAxis

SITE = timezone(timedelta(hours=8))
AXIS = TimeAxis(datetime(2024, 9, 10, tzinfo=SITE), 1.0, 2, "Asia/Irkutsk")
NIGHT, NOON, EVENING = (f"2024-09-09T{hour}:00:00+08:00" for hour in ("02", "12", "18"))
HEADER = "issued,revision,interval_start,surplus_mw"
ROWS = [
    f"{NIGHT},0,2024-09-10T00:00:00+08:00,1",
    f"{NIGHT},0,2024-09-10T01:00:00+08:00,2",
    f"{NOON},0,2024-09-10T00:00:00+08:00,3",
    f"{NOON},0,2024-09-10T01:00:00+08:00,4",
    f"{NOON},1,2024-09-10T00:00:00+08:00,5",
    f"{NOON},1,2024-09-10T01:00:00+08:00,6",
    f"{EVENING},0,2024-09-10T00:00:00+08:00,7",
    f"{EVENING},0,2024-09-10T01:00:00+08:00,8",
]
SPEC = {"file": "f.csv", "column": "surplus_mw", "issue_column": "issued", "revision_column": "revision"}


def table(rows: list[str] = ROWS):
    return read_table("\n".join([HEADER, *rows, ""]).encode(), "f.csv")


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 9, 9, hour, minute, tzinfo=SITE)


def read(as_of: datetime | None, rows: list[str] = ROWS, **spec):
    return read_series(table(rows), Series(**SPEC, **spec), "available_mw", AXIS, as_of=as_of)


@pytest.mark.parametrize(
    ("as_of", "values", "revision"),
    [
        (at(2), [1.0, 2.0], 0),
        (at(11, 59), [1.0, 2.0], 0),
        (at(12), [5.0, 6.0], 1),
        (at(17, 59), [5.0, 6.0], 1),
        (at(23), [7.0, 8.0], 0),
        (datetime(2024, 9, 9, 10, tzinfo=UTC), [7.0, 8.0], 0),
    ],
)
def test_the_newest_issue_known_and_its_highest_revision_are_read(as_of, values, revision):
    """*Proves:* issue time <= as_of, in whatever zone; of one issue the last revision.

    *Sensitivity:* the newest of the file would be 7, 8 always: a forecast from the future.
    """
    found = read(as_of)
    assert found.values.tolist() == values
    assert found.feed.issue is not None
    assert found.feed.issue.revision == revision
    assert found.feed.issue.issued_at <= as_of


def test_rows_are_those_of_the_file():
    """The evening's first row stands in line 8. *Proves:* rows keep their lines. *Sensitivity:* counted anew: 2."""
    rows = [*ROWS[:6], ROWS[6].replace(",7", ",n/e"), ROWS[7]]
    with pytest.raises(BadInput, match=r"^f\.csv:8: column surplus_mw.*'n/e'"):
        read(at(20), rows)


def test_a_hole_in_the_newest_issue_is_a_hole():
    """*Proves:* no patchwork: hour 1 is not taken from the issue before.  *Sensitivity:* that would return 7, 6."""
    with pytest.raises(BadInput, match="a gap of 1 h"):
        read(at(20), ROWS[:7])


def test_nothing_known_yet_is_refused():
    """*Proves:* the first issue and as_of are named.  *Sensitivity:* taking the first there is would plan on it."""
    with pytest.raises(BadInput) as caught:
        read(at(1, 59))
    assert caught.value.messages == [
        "f.csv: column issued: nothing was issued by 2024-09-09T01:59:00+08:00 (as_of); the first was issued "
        "2024-09-09T02:00:00+08:00, and a forecast from the future is never used"
    ]


def test_a_stale_issue_is_refused():
    """*Proves:* 6 h old passes a limit of 6 h, a minute more does not; both times and the limit are named.

    *Sensitivity:* without the limit a feed that stopped days ago would be planned on.
    """
    assert read(at(18) + timedelta(hours=6), stale_after_h=6).values.tolist() == [7.0, 8.0]
    with pytest.raises(BadInput) as caught:
        read(at(18) + timedelta(hours=6, minutes=1), stale_after_h=6)
    assert "the newest issue is of 2024-09-09T18:00:00+08:00" in caught.value.messages[0]
    assert "before 2024-09-10T00:01:00+08:00 (as_of); stale_after_h allows 6 h" in caught.value.messages[0]


def test_a_moment_without_offset_is_refused():
    """*Proves:* no clock of the machine is assumed.  *Sensitivity:* read as local time it may be hours of future."""
    with pytest.raises(BadInput, match="as_of 2024-09-09T12:00:00 has no UTC offset"):
        read(datetime(2024, 9, 9, 12))


def test_as_of_is_needed():
    """*Proves:* no clock of the machine is asked.  *Sensitivity:* a default of now makes yesterday's plan another."""
    with pytest.raises(BadInput, match="the case has to say as_of"):
        read(None)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ROWS[0].replace("+08:00,0", ",0"), "f.csv:2: column issued: '2024-09-09T02:00:00' has no UTC offset"),
        (ROWS[0].replace(NIGHT, "early"), "f.csv:2: column issued: 'early' is not an ISO 8601 time"),
    ],
)
def test_an_issue_time_that_is_none_is_refused(row, words):
    """*Proves:* line and text are named.  *Sensitivity:* coerced to nothing, the row would vanish."""
    with pytest.raises(BadInput) as caught:
        read(at(20), [row, *ROWS[1:]])
    assert caught.value.messages[0].startswith(words)


def test_a_revision_that_is_no_number_is_refused():
    """*Proves:* "final" is not ranked by its letters.  *Sensitivity:* text order puts 10 before 9."""
    rows = [*ROWS[:6], ROWS[6].replace(",0,", ",final,"), ROWS[7]]
    with pytest.raises(BadInput, match=r"^f\.csv:8: column revision: the revision 'final' is not a whole number"):
        read(at(20), rows)


def test_the_selection_alone():
    """*Proves:* the function by itself returns the rows and which issue they are.  *Sensitivity:* another's rows."""
    rows, issue = select_issue(table(), Series(**SPEC), at(13))
    assert rows.rows["surplus_mw"].tolist() == ["5", "6"]
    assert rows.lines.tolist() == [6, 7]
    assert str(issue) == "issued 2024-09-09T04:00:00+00:00, revision 1"
