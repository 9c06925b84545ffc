"""What a case says of other times: told, and doubted where it is of another year and nothing in its list is of this."""

from datetime import datetime, timedelta

import pytest

from flexmine.assembly import assemble
from flexmine.assembly.outside import Entry, doubts
from flexmine.assembly.windows import Clock
from flexmine.problem import TimeAxis

# The horizon of conftest.py: 10 September 2024, 00:00 to 12:00 of UTC+8.
DOUBT = "(of 2024 in place of 2023 it would be inside; is the year right?)"


def span(day, first="08:00", last="10:00"):
    return {"from": f"{day}T{first}:00+08:00", "to": f"{day}T{last}:00+08:00"}


def order(name, day, **hours):
    return {"name": name, "cap_mw": 3.0, **span(day, **hours)}


def ban(name, first, last):
    return {"name": name, "source": "decree", "from_date": first, "to_date": last}


def notes_of(make_case, **parts):
    return [note for note in assemble(make_case(parts)).notes if "outside the horizon" in note]


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (
            {"orders": [order("noon", "2023-09-10")]},
            "order noon (2023-09-10T08:00:00+08:00 to 2023-09-10T10:00:00+08:00)",
        ),
        (
            {"outages": [{"container": "C02", "reason": "fan", **span("2023-09-10")}]},
            "outage of C02 (2023-09-10T08:00:00",
        ),
        (
            {"must_run": [{"containers": ["C01"], "reason": "heat", **span("2023-09-10")}]},
            "must-run of C01 (2023-09-10T",
        ),
        (
            {"windows": [ban("fair", "2023-09-08", "2023-09-10")]},
            "window fair (2023-09-08T00:00:00+08:00 to 2023-09-11T",
        ),
        (
            {"energy_limits": [{"name": "week", "at_most_mwh": 9.0, **span("2023-09-10")}]},
            "energy limit week lies outside the horizon",
        ),
    ],
    ids=["order", "outage", "must-run", "window", "energy limit"],
)
def test_the_year_of_what_would_be_inside_is_doubted(make_case, parts, what):
    """*Proves:* each kind of dated entry, a year before the horizon, is told with the year in which it would hold.

    *Sensitivity:* a ban of the wrong year, in silence, is a plan that mines through it.
    """
    (note,) = notes_of(make_case, **parts)
    assert note.startswith(what)
    assert note.endswith(f"lies outside the horizon {DOUBT} and has no effect")


@pytest.mark.parametrize("day", ["2024-09-11", "2023-06-10", "2023-09-11"])
def test_what_would_be_outside_in_every_year_is_only_told(make_case, day):
    """*Proves:* another day is not a wrong year.  *Sensitivity:* a doubt at every order of the past is one at none."""
    (note,) = notes_of(make_case, orders=[order("noon", day)])
    assert note.endswith("lies outside the horizon and has no effect")


def test_a_list_of_several_years_is_no_mistake(make_case):
    """Orders of the same day of three years, one of which is of this year, in the horizon or not.

    *Proves:* no doubt where the list names this year too; a list of past years only has one, and plans all the same.

    *Sensitivity:* judged one by one, every order of a yearly list would be doubted on its day.
    """
    past = [order("a", "2022-09-10"), order("b", "2023-09-10")]
    for this_year in ("2024-09-10", "2024-02-01", "2024-12-31"):
        notes = notes_of(make_case, orders=[*past, order("c", this_year)])
        assert len(notes) == (2 if this_year == "2024-09-10" else 3)
        assert not any("is the year right?" in note for note in notes)
    notes = notes_of(make_case, orders=past)
    assert [
        f"in place of {year} it would be inside" in note for year, note in zip((2022, 2023), notes, strict=True)
    ] == [
        True,
        True,
    ]
    other_list = notes_of(make_case, orders=past, windows=[ban("fair", "2024-09-10", "2024-09-10")])
    assert all("is the year right?" in note for note in other_list)


def test_yearly_windows_are_never_doubted(make_case):
    """*Proves:* MM-DD has no year.  *Sensitivity:* every winter ban would be told in summer."""
    yearly = {"name": "winter", "source": "decree", "from": "11-15", "to": "03-15"}
    assert notes_of(make_case, windows=[yearly]) == []


@pytest.mark.parametrize(
    ("start", "begin", "hours", "year"),
    [
        ("2024-12-31T20:00:00+08:00", "2023-01-01T02:00:00+08:00", 2, 2025),
        ("2025-01-01T02:00:00+08:00", "2023-12-31T20:00:00+08:00", 12, 2024),
        ("2024-03-01T00:00:00+08:00", "2020-02-29T20:00:00+08:00", 8, 2024),
        ("2023-03-01T00:00:00+08:00", "2020-02-29T02:00:00+08:00", 2, 2023),
        ("2024-06-01T00:00:00+08:00", "2020-02-29T02:00:00+08:00", 2, None),
        ("2024-02-29T00:00:00+08:00", "2020-02-29T02:00:00+08:00", 2, 2024),
        ("2024-04-20T00:00:00+08:00", "2025-04-10T00:00:00+08:00", 876_000, 2024),
    ],
)
def test_around_new_year_and_in_leap_years(start, begin, hours, year):
    """*Proves:* the year that is named is that of the beginning, also across New Year, and the nearest of several;
    29 February is 1 March of a common year.

    *Sensitivity:* the year of the start alone misses the first day of the next; 29 February of 2023 is an error.
    """
    clock = Clock(TimeAxis(datetime.fromisoformat(start), 1.0, 12, "Asia/Irkutsk"))
    first = datetime.fromisoformat(begin)
    entry = Entry("x", first, first + timedelta(hours=hours))
    (found,) = doubts([entry], clock)
    assert (f"(of {year} in place of" in found) if year else found == ""
