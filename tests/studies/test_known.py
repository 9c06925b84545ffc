"""What was known of a series: never anything from later, by every way of knowing."""

import numpy as np
import pytest

from flexmine.studies.known import Calendar, expected_of, issued_of, known_before, repeated
from flexmine.studies.schema import DayAhead, Last, Noise, Perfect, Yesterday


def calendar(lengths):
    """Return the hours of days of so many hours; the clock of a day of 23 leaves 02:00 out."""
    day = np.repeat(np.arange(len(lengths)), lengths)
    hour = np.concatenate([[h for h in range(24) if n != 23 or h != 2][:n] for n in lengths]).astype(float)
    return Calendar(1.0, day, hour)


@pytest.mark.parametrize(
    ("step", "ahead_h", "step_h", "known"),
    [
        (10, 0.0, 1.0, 11),
        (10, 1 / 6, 1.0, 10),
        (10, 1.0, 1.0, 10),
        (24, 10.0, 1.0, 15),
        (8, 1 / 6, 0.25, 8),
        (0, 5, 1, 0),
    ],
)
def test_the_step_under_way_is_known(step, ahead_h, step_h, known):
    """*Proves:* with ten minutes of lag a plan for 10:00 knows the hour from 9:00 and not its own; without lag it
    knows its own; ten hours before midnight the hour from 14:00 is the last one known.

    *Sensitivity:* one step more is knowledge of the future, which flatters every policy that decides anew.
    """
    assert known_before(step, ahead_h, step_h) == known


def test_repeating_the_last_known_day_by_hand():
    """*Proves:* hours before 30 are known; later ones repeat the last 24 known ones, again and again.

    *Sensitivity:* "24 hours before" for every hour would take hours 31 to 53 for known.
    """
    values = np.arange(100.0)
    found = repeated(values, 30, np.array([5, 29, 30, 40, 53, 54, 78]), 24)
    assert found.tolist() == [5.0, 29.0, 6.0, 16.0, 29.0, 6.0, 6.0]


def test_a_day_ahead_market_by_hand_over_a_day_of_23_hours():
    """*Proves:* before 13:00 prices end with the day, from 13:00 on with the next one, of 23 hours; beyond, the last
    24 known hours are repeated.

    *Sensitivity:* 24 hours counted in place of the local day would give an hour of a day that is not out yet.
    """
    days, values = calendar([24, 23, 24, 24]), np.arange(95.0)
    expected = expected_of("p", DayAhead(how="day_ahead", at_h=13.0), values, days, 1)
    assert expected(13, 20, 10).tolist() == [20.0, 21.0, 22.0, 23.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert expected(14, 44, 6).tolist() == [44.0, 45.0, 46.0, 23.0, 24.0, 25.0]


WAYS = {
    "yesterday": Yesterday(how="yesterday"),
    "last": Last(how="last"),
    "day ahead": DayAhead(how="day_ahead", at_h=13.0),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_future_changes_nothing(way):
    """*Proves:* whatever stands in the steps that are not known yet, what was expected is the same, byte by byte, on
    300 moments; of a day-ahead price nothing after the days that are out.

    *Sensitivity:* one value of later in any of them fails.
    """
    rng, days = np.random.default_rng(4), calendar([24] * 3 + [23] + [24] * 3)
    values = rng.standard_normal(len(days.day))
    for _ in range(300):
        known = int(rng.integers(49, 120))
        first, steps = known + int(rng.integers(-3, 5)), int(rng.integers(1, 40))
        until = known
        if way == "day ahead":
            until = int(days.first_of_day[days.day[known - 1] + (2 if days.hour[known - 1] >= 13 else 1)])
        planted = values.copy()
        planted[until:] = 1e9 * rng.standard_normal(len(values) - until)
        honest, other = (expected_of("k", WAYS[way], v, days, 1)(known, first, steps) for v in (values, planted))
        assert honest.tobytes() == other.tobytes()
        assert np.abs(honest).max() < 1e6


def test_later_forecasts_know_the_errors_of_earlier_steps():
    """*Proves:* of one draw, what is known has no error; errors of the next steps are those of the stated recursion;
    far ahead their standard deviation is the stated one; another seed, or another series, has another draw.

    *Sensitivity:* a draw of its own for each forecast would let planning anew average its errors away.
    """
    values, spec = np.full(30_000, 100.0), Noise(how="noise", relative=0.12, memory=0.9)
    noisy = expected_of("a", spec, values, calendar([24] * 1250), 1)
    late, early = noisy(11, 10, 3) / 100 - 1, noisy(10, 10, 3) / 100 - 1
    assert late[0] == 0.0
    assert early[1] == pytest.approx(0.9 * early[0] + late[1])
    assert (expected_of("a", spec, values, calendar([24] * 1250), 2)(10, 10, 3) / 100 - 1)[0] != early[0]
    assert (expected_of("b", spec, values, calendar([24] * 1250), 1)(10, 10, 3) / 100 - 1)[0] != early[0]
    far = noisy(0, 100, 29_000) / 100 - 1
    assert far.std() == pytest.approx(0.12, rel=0.1)
    assert np.corrcoef(far[1:], far[:-1])[0, 1] == pytest.approx(0.9, abs=0.01)


def test_noise_of_what_cannot_be_negative_is_cut_at_zero():
    """*Proves:* power on offer is never below 0, a price may be.  *Sensitivity:* negative surplus makes a case fail."""
    values, spec = np.full(500, 1.0), Noise(how="noise", absolute=5.0)
    days = calendar([24] * 21)
    assert expected_of("sources.s.available_mw", spec, values, days, 1)(0, 0, 500).min() == 0.0
    assert expected_of("sources.s.price_usd_per_mwh", spec, values, days, 1)(0, 0, 500).min() < -1.0


def test_issues_are_used_once_they_are_out():
    """*Proves:* each step that is not known yet is of the newest issue that covers it and was out; steps that none
    covers repeat the last known day; an issue that comes a step later is not used.

    *Sensitivity:* an issue used in the hour in which it is made is ahead of its time by up to an hour.
    """
    values, first, second = np.arange(72.0), np.full(72, np.nan), np.full(72, np.nan)
    first[24:72], second[40:60] = 500.0, 700.0
    expected = issued_of(values, {20: first, 39: second}, calendar([24] * 3))
    assert expected(20, 24, 2).tolist() == [0.0, 1.0]
    assert expected(21, 24, 2).tolist() == [500.0, 500.0]
    assert expected(39, 38, 3).tolist() == [38.0, 500.0, 500.0]
    assert expected(40, 38, 3).tolist() == [38.0, 39.0, 700.0]
    assert expected(40, 60, 1).tolist() == [500.0]
    third = np.where(np.arange(72) < 60, first, np.nan)
    assert issued_of(values, {20: third}, calendar([24] * 3))(40, 60, 1).tolist() == [36.0]


def test_perfect_is_what_came():
    """*Proves:* as it came, whatever is known.  *Sensitivity:* nothing of it is ever repeated."""
    assert expected_of("k", Perfect(how="perfect"), np.arange(9.0), calendar([9]), 1)(0, 2, 3).tolist() == [
        2.0,
        3.0,
        4.0,
    ]
