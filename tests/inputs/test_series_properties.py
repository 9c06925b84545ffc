"""Random holes in a feed against a second reading written as loops over hours; excerpts read to the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flexmine.errors import BadInput
from flexmine.inputs.excerpt import excerpt
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.problem import TimeAxis

ZONE = ZoneInfo("Europe/Oslo")
BEGIN = datetime(2024, 10, 26, 22, tzinfo=UTC)  # midnight in Oslo; the day has 25 hours
STEPS = 25
AXIS = TimeAxis(BEGIN.astimezone(timezone(timedelta(hours=2))), 1.0, STEPS, "Europe/Oslo")
FIRST, LAST = -30, 34


def by_hours(known: dict[int, float], policy: str, longest: int) -> list[float] | None:
    """Return the values of the horizon, None where the reading has to refuse; hour 0 is the first of the horizon."""
    values: list[float] = []
    for h in range(STEPS):
        if h in known:
            values.append(known[h])
            continue
        left = max((k for k in known if k < h), default=None)
        right = min((k for k in known if k > h), default=None)
        end = STEPS if right is None or (right > STEPS and policy != "interpolate") else right
        if left is None or end - left - 1 > longest:
            return None
        if policy == "hold":
            values.append(known[left])
        elif policy == "interpolate":
            if right is None:
                return None
            values.append(known[left] + (known[right] - known[left]) * (h - left) / (right - left))
        else:
            clock = (BEGIN + timedelta(hours=h)).astimezone(ZONE).replace(tzinfo=None) - timedelta(days=1)
            before = round((clock.replace(tzinfo=ZONE).astimezone(UTC) - BEGIN) / timedelta(hours=1))
            if before not in known:
                return None
            values.append(known[before])
    return values


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    holes=st.sets(st.integers(FIRST, LAST), max_size=12),
    more=st.tuples(st.integers(FIRST, LAST), st.integers(0, 6)),
    policy=st.sampled_from(["hold", "interpolate", "same_hour_yesterday"]),
    longest=st.integers(1, 8),
    empty=st.booleans(),
)
@example(holes=set(), more=(-3, 4), policy="same_hour_yesterday", longest=4, empty=False)
@example(holes=set(), more=(-3, 4), policy="same_hour_yesterday", longest=4, empty=True)
def test_holes_are_filled_as_loops_would(holes, more, policy, longest, empty):
    """*Proves:* policy, longest gap and margins on a day of 25 hours, whether a row is absent or its cell empty; and
    that an excerpt of the feed, as a night keeps it, reads to the same numbers and the same record.

    *Sensitivity:* an hour off in a margin, or a gap counted from the horizon only, differs within a few examples.
    """
    gone = holes | set(range(more[0], more[0] + more[1]))
    known = {h: float((7 * h) % 11 + 1) for h in range(FIRST, LAST + 1) if h not in gone}
    cells = {h: str(known.get(h, "")) for h in range(FIRST, LAST + 1) if empty or h in known}
    rows = [f"{(BEGIN + timedelta(hours=h)).isoformat()},{cell}" for h, cell in cells.items()]
    feed = read_table("\n".join(["interval_start,value", *rows, ""]).encode(), "feed.csv")
    fill = {"policy": policy, "longest_gap_h": float(longest)}
    spec = Series.model_validate({"file": "feed.csv", "column": "value", "unit": "MW", "every": "1h", "fill": fill})
    expected = by_hours(known, policy, longest)
    try:
        found = read_series(feed, spec, "available_mw", AXIS)
    except BadInput:
        assert expected is None
        return
    assert expected is not None
    assert max(abs(a - b) for a, b in zip(found.values, expected, strict=True)) < 1e-9
    assert sum(f.steps for f in found.filled) == sum(h not in known for h in range(STEPS))
    cut, own = excerpt(feed, spec, AXIS)
    again = read_table(cut.rows.to_csv(index=False).encode(), "cut.csv")
    reread = read_series(again, Series.model_validate(own.model_dump(exclude_unset=True)), "available_mw", AXIS)
    assert reread.values.tolist() == found.values.tolist()
    assert reread.filled == found.filled
