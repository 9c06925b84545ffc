from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexmine.assembly.windows import Clock
from flexmine.inputs.schema import Window
from flexmine.problem import TimeAxis

WINTER = {"name": "winter", "source": "decree", "from": "11-15", "to": "03-15"}


def _clock(start, steps, step_h=1.0, zone="Asia/Irkutsk"):
    return Clock(TimeAxis(datetime.fromisoformat(start), step_h, steps, zone))


def _window(**given):
    return Window.model_validate({**WINTER, **given})


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        ("2024-11-14T22:00:00+08:00", [False, False, True, True]),
        ("2024-11-14T14:00:00+00:00", [False, False, True, True]),
        ("2025-03-15T22:00:00+08:00", [True, True, False, False]),
        ("2024-12-31T22:00:00+08:00", [True, True, True, True]),
        ("2024-02-28T23:00:00+08:00", [True, True, True, True]),
        ("2024-07-01T00:00:00+08:00", [False, False, False, False]),
    ],
)
def test_yearly_window_across_the_year_end(start, inside):
    """15 November to 15 March, both days included, in local time, whatever offset the case is written in.

    *Proves:* the borders of 14/15 November and 15/16 March, and the new year. *Sensitivity:* in UTC the ban would
    begin eight hours late; without both days it would end a day early; `from <= day <= to` would be empty.
    """
    assert _clock(start, 4).in_window(_window()).tolist() == inside


def test_every_step_that_overlaps_counts():
    """A zone at +05:45: hourly steps on the UTC hour begin at :45, so the step of 23:45 reaches into the window.

    *Proves:* overlap, not beginning. *Sensitivity:* by the beginning alone the first step would be free.
    """
    clock = _clock("2024-11-14T17:00:00+00:00", 3, zone="Asia/Kathmandu")
    assert clock.in_window(_window()).tolist() == [False, True, True]


def test_hours_of_the_day():
    """Hours 18 and 19 of each day in quarter-hour steps: eight steps.

    *Proves:* an hour lasts to its end. *Sensitivity:* matching on full hours would find two.
    """
    found = _clock("2024-11-20T17:30:00+08:00", 16, 0.25).in_window(_window(hours=[18, 19]))
    assert found.tolist() == [False] * 2 + [True] * 8 + [False] * 6


def test_window_once():
    """*Proves:* dates bind one year only, both days included. *Sensitivity:* a year later it is free."""
    once = Window.model_validate({"name": "w", "source": "s", "from_date": "2024-11-15", "to_date": "2024-11-15"})
    assert _clock("2024-11-14T23:00:00+08:00", 26).in_window(once).tolist() == [False] + [True] * 24 + [False]
    assert not _clock("2025-11-15T00:00:00+08:00", 24).in_window(once).any()


def test_against_a_count_by_the_minute():
    """Steps found equal those in which some minute is inside, over a change of the clocks.

    *Proves:* overlap on days of 23 and 25 hours. *Sensitivity:* fixed offsets would be an hour off after the change.
    """
    zone = ZoneInfo("Europe/Oslo")
    for start in ("2024-10-26T20:00:00+02:00", "2024-03-30T20:00:00+01:00"):
        window = Window.model_validate(
            {"name": "w", "source": "s", "from_date": start[:10], "to_date": "2024-11-01", "hours": [0, 2, 3]}
        )
        found = _clock(start, 48, zone="Europe/Oslo").in_window(window)
        begin = datetime.fromisoformat(start).astimezone(UTC)
        for step in range(48):
            minutes = [(begin + timedelta(minutes=60 * step + i)).astimezone(zone) for i in range(60)]
            expected = any(m.hour in (0, 2, 3) and m.date() <= date(2024, 11, 1) for m in minutes)
            assert found[step] == expected


def test_span_and_days():
    """An order from 01:30 to 03:00 touches steps 1 and 2; days count from midnight of the site, 25 h in October.

    *Proves:* left-closed, right-open spans, local days. *Sensitivity:* a closed end would touch step 3.
    """
    clock = _clock("2024-09-10T00:00:00+08:00", 5)
    span = clock.in_span(
        datetime.fromisoformat("2024-09-09T17:30:00+00:00"), datetime.fromisoformat("2024-09-09T19:00:00+00:00")
    )
    assert span.tolist() == [False, True, True, False, False]
    days = _clock("2024-10-26T23:00:00+02:00", 30, zone="Europe/Oslo").day_of_step
    assert np.bincount(days).tolist() == [1, 25, 4]


def test_a_start_off_the_quarter_hour():
    """Quarter-hour steps that begin at :57: the one from 23:57 to 00:12 reaches into the window.

    *Proves:* the end of a step is looked at too. *Sensitivity:* by beginnings the ban would come 12 minutes late.
    """
    clock = _clock("2024-11-14T15:42:00+00:00", 3, 0.25)
    assert clock.in_window(_window()).tolist() == [False, True, True]
