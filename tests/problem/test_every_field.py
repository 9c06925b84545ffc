"""Every field of the Problem, found by reflection: its file keeps it, joined days keep it, and it says what it is.

A new field needs no line here: where the plant below leaves a field at its default, a value is made from its
description.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from flexmine.errors import BadInput
from flexmine.jobs import executed_days as joining
from flexmine.jobs.executed_days import Part, join
from flexmine.problem import Group, Miners, Problem, TimeAxis, writing
from flexmine.problem.fields import BY_STEP, Described, every_field, fields_of
from flexmine.problem.limits import with_site
from flexmine.problem.reading import problem_from_document, problem_text
from flexmine.problem.schedule import Schedule
from plants import reference_class, simple_problem

T, EXECUTED = 6, 4
FIELDS = {f"{kind.__name__}.{f.name}": (kind, f) for kind, f in every_field(Problem)}
# Fields of parts that joined days leave out, or take from the first day, as a whole.
OTHERWISE = {f.kind for _, f in FIELDS.values() if f.is_part and f.about.joins and f.about.joins.how != "prepared"}
BY_RULE = [name for name, (kind, f) in FIELDS.items() if f.about.joins is None and kind not in OTHERWISE]
OPTIONAL = [name for name, (_, f) in FIELDS.items() if not f.required]
UNITS = {"-", "count", "steps", "h", "true or false", "W", "MW", "MWh", "TH/s", "W, TH/s", "g/kWh"}
UNITS |= {"USD", "USD/MWh", "USD per TH/s per h"}
# Optional fields that another one needs.
MISSED = {
    "StartTerms.tiers": r"as in start\.tiers",
    "StartTerms.cold_energy_mwh": "cold_energy_mwh: below",
    "Site.day_of_step": r"needs site\.day_of_step",
}


def made(f: Described) -> Any:
    """Return a value that is allowed and is not the default: thirds, which need all their digits, or whole numbers."""
    if f.is_part:
        part = f.kind(**{own.name: made(own) for own in fields_of(f.kind)})
        return (part,) if f.shape == "list" else part
    least = f.about.least or 0.0
    if f.shape in BY_STEP:
        # Whole numbers are counts of one container, or days, which must not fall.
        later = np.arange(T) >= T // 2
        return least + np.arange(1, T + 1) / 3.0 if f.kind is float else later.astype(np.int64)
    one = {float: least + 1.0 / 3.0, int: int(least) + 2, bool: True, str: (*f.about.choices, "x")[0]}[f.kind]
    return {"one": one, "list": (one,), "pairs": ((one, one),), "curve": np.array([one])}[f.shape]


def filled(part: Any) -> Any:
    """Return a part of the Problem with something in place of each default."""
    found = {}
    for f in fields_of(part):
        value = getattr(part, f.name)
        if f.is_default(value):
            value = made(f)
        elif f.is_part:
            value = tuple(map(filled, value)) if f.shape == "list" else filled(value)
        found[f.name] = value
    return replace(part, **found)


def plant() -> Problem:
    """Return a plant of one container without a default; what has to fit to other fields is said here."""
    thirds = np.arange(1, T + 1) / 3.0
    tiers = [(8, 20.0 + thirds, 0.1 + thirds / 10)]
    k = reference_class("box", 1, T, tiers=tiers, cold_energy_mwh=0.2 + thirds / 10, cold_cost_usd=60.0 + thirds)
    past = replace(k.history[0], warm_until_step=1, tier_until_steps=(2,))
    k = replace(k, history=(past,), miners=Miners(400, ((1300.0, 57.2), (3250.0, 110.0)), 25.0, 0.004))
    p = filled(simple_problem(k, surplus_mw=thirds, feeders=(Group("f1", 2.5, ("box",)),)))
    return with_site(p, energy_limits=tuple(replace(e, source="surplus") for e in p.site.energy_limits))


def same(a: Any, b: Any) -> bool:
    """Return whether two values are the same bit by bit."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields_of(a))
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def lost(before: Any, after: Any) -> Iterator[str]:
    """Yield the fields that are not what they were, named as in FIELDS."""
    for f in fields_of(before):
        own, now = getattr(before, f.name), getattr(after, f.name)
        if f.is_part and own and now and f.shape == "list" and len(own) == len(now):
            for one, other in zip(own, now, strict=True):
                yield from lost(one, other)
        elif f.is_part and own and now and f.shape == "one":
            yield from lost(own, now)
        elif not same(own, now):
            yield f"{type(before).__name__}.{f.name}"


def through_its_file(problem: Problem) -> Problem:
    return problem_from_document(json.loads(problem_text(problem)))


def without(name: str) -> Any:
    """Return a list of fields in which one is forgotten."""
    kind, forgotten = FIELDS[name]

    def fewer(part: Any) -> tuple[Described, ...]:
        own = part if isinstance(part, type) else type(part)
        return tuple(f for f in fields_of(part) if (own, f) != (kind, forgotten))

    return fewer


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_survives_its_file(name):
    """*Proves:* each field, at a value that is not its default, is the same bit by bit after problem.json.

    *Sensitivity:* a field that reader or writer know nothing of comes back as its default, and is named; next test.
    """
    kind, f = FIELDS[name]
    before = plant()
    assert name not in set(lost(before, through_its_file(before)))
    values = [getattr(part, f.name) for part in parts_of(before) if type(part) is kind]
    assert values and not any(f.is_default(value) for value in values)


def parts_of(part: Any) -> Iterator[Any]:
    yield part
    for f in fields_of(part):
        if f.is_part:
            value = getattr(part, f.name)
            for below in value if f.shape == "list" else (value,):
                yield from parts_of(below)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_the_writer_forgets_is_named(name, monkeypatch):
    """*Proves:* the test above can fail: with one field taken from the writer's list, that one is told by name.

    *Sensitivity:* a plant in which the field has its default, or a comparison that skips it, tells nothing.
    """
    f, before = FIELDS[name][1], plant()
    monkeypatch.setattr(writing, "fields_of", without(name))
    refusal = rf"\b{f.key}: missing" if f.required else MISSED.get(name)
    if refusal is None:
        assert set(lost(before, through_its_file(before))) == {name}
    else:
        with pytest.raises(BadInput, match=refusal):
            through_its_file(before)


def two_days(**second: Any) -> list[Part]:
    """Return two days of which EXECUTED steps each were executed; what goes by step is reversed on the second."""
    first = plant()
    axis = TimeAxis(first.time.begin(EXECUTED), first.time.step_h, T, first.time.zone)
    later = replace(reversed_in_time(first), time=axis, **second)
    off = np.zeros((1, T), dtype=bool)
    schedule = Schedule(("C01",), off, np.zeros((1, T)), np.zeros((len(first.sources), T)))
    day = date(2024, 9, 10)
    return [Part(day + i * timedelta(days=1), problem, schedule, EXECUTED) for i, problem in enumerate((first, later))]


def reversed_in_time(part: Any) -> Any:
    """Return a part of the Problem with all that goes by step in another order."""

    def other(f: Described, value: Any) -> Any:
        if f.is_part:
            return tuple(map(reversed_in_time, value)) if f.shape == "list" else reversed_in_time(value)
        return value[::-1] if f.shape in BY_STEP else value

    return replace(part, **{f.name: other(f, getattr(part, f.name)) for f in fields_of(part)})


def badly_joined(one: Any, two: Any, whole: Any) -> Iterator[str]:
    """Yield the fields that are neither joined by the rule nor declared to be joined otherwise."""
    for f in fields_of(one):
        a, b, now = (getattr(part, f.name) for part in (one, two, whole))
        how = f.about.joins.how if f.about.joins else "by the rule"
        if how == "prepared":
            continue
        if f.is_part and how == "by the rule":
            if not now:
                yield f"{type(one).__name__}.{f.name}"
            else:
                for three in zip(a, b, now, strict=True) if f.shape == "list" else [(a, b, now)]:
                    yield from badly_joined(*three)
            continue
        chained = np.concatenate([a[:EXECUTED], b[:EXECUTED]]) if f.shape in BY_STEP else a
        due = {"by the rule": chained, "first": a, "dropped": f.default}[how]
        # The reserve is taken off limits and put on again: the same to a billionth of a megawatt.
        close = isinstance(due, float | np.ndarray) and now is not None and np.shape(now) == np.shape(due)
        if not (np.allclose(now, due, rtol=0, atol=1e-8) if close else same(now, due)):
            yield f"{type(one).__name__}.{f.name}"


def test_an_account_that_a_day_lacks_is_left_out_and_a_limit_is_not():
    """*Proves:* where one day has no carbon, joined days have none; a limit that one day lacks is told.

    *Sensitivity:* refusing the first keeps executed days from being checked; dropping the second checks too little.
    """
    parts = two_days()
    later = parts[1].problem
    plain = tuple(replace(s, carbon_g_per_kwh=None) for s in later.sources)
    found = join([parts[0], replace(parts[1], problem=replace(later, sources=plain))]).problem.sources
    assert [s.carbon_g_per_kwh for s in found] == [None, None]
    free = replace(later, site=replace(later.site, ramp_up_mw_per_step=None))
    with pytest.raises(BadInput, match=r"site\.ramp_up_mw_per_step of 2024-09-11 is not that of 2024-09-10"):
        join([parts[0], replace(parts[1], problem=free)])


@pytest.mark.parametrize(("day", "lacking"), [(0, "2024-09-10"), (1, "2024-09-11")])
def test_containers_that_a_day_lacks_are_named(day, lacking):
    """*Proves:* the containers have to be the same on all days.  *Sensitivity:* joining what the first day has."""
    parts = two_days()
    other = parts[1 - day].problem
    (k,) = other.classes
    more = replace(other, classes=(k, replace(k, name="new", containers=("C02",))))
    parts[1 - day] = replace(parts[1 - day], problem=more)
    with pytest.raises(BadInput, match=f"container C02 is not in the plan of {lacking}"):
        join(parts)


def true_limits(parts: list[Part]) -> list[Problem]:
    return [joining.without_reserve(part.problem) for part in parts]


def test_joined_days_keep_every_field():
    """*Proves:* all that goes by step is chained, all else kept, but for what is declared with its reason.

    *Sensitivity:* carbon, headroom or tiers, which the joining once dropped, are named; see the next test.
    """
    parts = two_days()
    assert list(badly_joined(*true_limits(parts), join(parts).problem)) == []
    for f in (f for _, f in every_field(Problem) if f.about.joins):
        assert len(f.about.joins.why) > 5, f.name


@pytest.mark.parametrize("name", [name for name in OPTIONAL if name in BY_RULE and not name.startswith("History")])
def test_a_field_that_the_joining_forgets_is_named(name, monkeypatch):
    """*Proves:* a field that the joining knows nothing of is told by name, in place of vanishing.

    *Sensitivity:* a comparison that skips a field tells nothing here.
    """
    monkeypatch.setattr(joining, "fields_of", without(name))
    parts, (kind, f) = two_days(), FIELDS[name]
    if any(own.name == f.name and own.default is dataclasses.MISSING for own in dataclasses.fields(kind)):
        with pytest.raises(TypeError, match=f.name):
            join(parts)
        return
    assert set(badly_joined(*true_limits(parts), join(parts).problem)) == {name}


def another(value: Any) -> Any:
    """Return another value of the same kind and length."""
    if isinstance(value, tuple):
        return tuple(map(another, value))
    return f"{value}x" if isinstance(value, str) else value + 1


def changed(part: Any, name: str) -> Any:
    """Return a part of the Problem in which one field, wherever it is, has another value."""
    found = {}
    for f in fields_of(part):
        value = getattr(part, f.name)
        if f"{type(part).__name__}.{f.name}" == name:
            value = another(value)
        elif f.is_part:
            value = tuple(changed(p, name) for p in value) if f.shape == "list" else changed(value, name)
        found[f.name] = value
    return replace(part, **found)


SAME = [
    name
    for name in BY_RULE
    if (f := FIELDS[name][1]).shape not in BY_STEP and not f.is_part and not name.startswith(("History", "TimeAxis"))
]


@pytest.mark.parametrize("name", SAME)
def test_what_has_to_be_the_same_is_compared(name):
    """*Proves:* two days that differ in a field that cannot be chained are not joined; the sentence names it.

    *Sensitivity:* taking the value of the first day in silence raises nothing.
    """
    parts = two_days()
    other = changed(parts[1].problem, name)
    told = "is not in the plan of" if name.endswith(".name") else rf"\.{FIELDS[name][1].key} of 2024-09-11 is not that"
    with pytest.raises(BadInput, match=told):
        join([parts[0], replace(parts[1], problem=other)])


def test_every_field_says_what_it_is():
    """*Proves:* each field of each dataclass has a description with a known unit and words; one alone has none.

    *Sensitivity:* a field without one is neither read nor written: it is named here.
    """
    kinds = {Problem, *(kind for kind, _ in every_field(Problem))}
    all_fields = {f"{kind.__name__}.{f.name}" for kind in kinds for f in dataclasses.fields(kind)}
    assert all_fields - set(FIELDS) == {"Problem.warnings"}
    for name, (_, f) in FIELDS.items():
        assert f.about.unit in UNITS, name
        assert re.search(r"\w{3}", f.about.words), name
        # What lies in a part that changes no plan changes none either.
        assert f.about.optimum or not f.is_part or not any(own.about.optimum for own in fields_of(f.kind)), name
