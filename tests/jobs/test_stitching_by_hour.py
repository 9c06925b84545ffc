"""Each hour of a feed is of the newest issue that covers it: compared with a search hour by hour."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from flexmine.errors import BadInput
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.jobs.issue_rows import reader
from flexmine.jobs.issues import FeedFile
from flexmine.jobs.schema import Tail
from flexmine.jobs.stitched import known_values, stitched, with_tail
from flexmine.problem import TimeAxis

START = datetime(2024, 4, 10, tzinfo=UTC)
HOURS = 24
AXIS = TimeAxis(START, 1.0, HOURS, "UTC")
SPEC = Series(file="feed.csv", column="mw", time_column="time", unit="MW")
QUANTITY = "available_mw"


def read(spans):
    """Return issues, the newest first, and how each is read: issue i is i + 1 MW from hour a to hour b of the day."""
    files = [FeedFile(Path(f"{i}.csv"), f"{i}.csv", START - timedelta(hours=i + 1), 1) for i in range(len(spans))]

    def table(issue):
        number = int(issue.path.stem)
        rows = [f"{(START + timedelta(hours=h)).isoformat()},{number + 1}" for h in range(*spans[number])]
        return read_table("\n".join(["time,mw", *rows, ""]).encode(), issue.label)

    return files, table


def stitch(spans, tail=None):
    files, table = read(spans)
    return with_tail(stitched(files, reader(table, SPEC, AXIS), SPEC, AXIS), tail, AXIS)


@pytest.mark.parametrize("seed", range(300))
def test_each_hour_is_of_the_newest_issue_that_covers_it(seed):
    """One to five issues that begin and end anywhere around the day, in the past, inside it or behind it.

    *Proves:* hour by hour the value is that of the first issue, the newest first, whose hours hold it; none elsewhere.
    *Sensitivity:* to stop once the newest reaches back a day leaves the end of the day to a tail; to take all newer
    issues for one span leaves a gap between two of them open.
    """
    rng = np.random.default_rng(seed)
    spans = []
    for _ in range(int(rng.integers(1, 6))):
        begin = int(rng.integers(-40, 22))
        spans.append((begin, begin + int(rng.integers(2, 50))))
    expected = [next((i + 1.0 for i, (a, b) in enumerate(spans) if a <= h < b), np.nan) for h in range(HOURS)]
    if np.isnan(expected).all():
        return
    np.testing.assert_array_equal(known_values(stitch(spans), QUANTITY, AXIS), expected)


def test_a_tail_begins_where_no_issue_knows_more():
    """The newest ends at 12, an older one knows 0 to 18: the tail fills from 18.

    *Proves:* what was known goes before what is assumed.  *Sensitivity:* a tail from 12 would hold 1 MW, not 2.
    """
    found = stitch([(-30, 12), (-30, 18)], Tail(policy="hold", longest_h=12))
    assert found.tail_from == START + timedelta(hours=18)
    assert known_values(found, QUANTITY, AXIS)[12:18].tolist() == [2.0] * 6


def test_a_mark_of_a_missing_value_is_a_hole_and_no_end():
    """*Proves:* NA from 9 to 13 sets no tail, as an empty cell; NA at the end is what a tail is for.

    *Sensitivity:* a mark taken for a value lets the tail fill a hole, and leaves the true end without one.
    """
    spec = SPEC.model_copy(update={"missing": ("NA",)})
    file = FeedFile(Path("0.csv"), "0.csv", START - timedelta(hours=1), 1)

    def with_marks(marked):
        rows = [f"{(START + timedelta(hours=h)).isoformat()},{'NA' if h in marked else 3}" for h in range(-1, HOURS)]
        raw = "\n".join(["time,mw", *rows, ""]).encode()
        rows_of = reader(lambda issue: read_table(raw, issue.label), spec, AXIS)
        found = stitched([file], rows_of, spec, AXIS)
        return with_tail(found, Tail(policy="hold", longest_h=12), AXIS)

    assert with_marks(range(9, 14)).spec.fill is None
    assert with_marks(range(18, 24)).tail_from == START + timedelta(hours=18)


def test_calendar_days_are_refused_by_name():
    """*Proves:* a feed of days ends in a sentence.  *Sensitivity:* its zone is gone after stitching: an assertion."""
    files, table = read([(0, 24)])
    with pytest.raises(BadInput, match="every: day is not read from the feeds of a job"):
        days = SPEC.model_copy(update={"every": "day"})
        stitched(files, reader(table, days, AXIS), days, AXIS)
