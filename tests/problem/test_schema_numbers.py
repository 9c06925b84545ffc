"""A limit that is younger than the first schema: nothing but its declaration, and no old reader that loses it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Annotated, Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner

from flexmine.cli.main import cli
from flexmine.errors import BadInput
from flexmine.jobs.executed_days import Part, join
from flexmine.problem import EnergyLimit, Problem, Site, shape
from flexmine.problem.fields import About, every_field
from flexmine.problem.limits import with_site
from flexmine.problem.reading import from_document, problem_from_document, problem_json_schema, problem_text
from flexmine.problem.schedule import Schedule
from flexmine.problem.writing import problem_to_document
from plants import NAMED_FEATURES, random_features, random_problem, reference_class, simple_problem

STEPS = 4


@dataclass(frozen=True, kw_only=True)
class HourLimit:
    """Bounds on the hours that containers run in some steps, as a later version may have them."""

    name: Annotated[str, About("-", "name of the limit", optimum=False)]
    source: Annotated[str | None, About("-", "of one source; none: of the whole site", written=True)] = None
    at_least_h: Annotated[float | None, About("h", "at least so much", written=True)] = None
    at_most_h: Annotated[float | None, About("h", "at most so much", written=True)] = None
    first_step: Annotated[int, About("steps", "where it begins")]
    steps: Annotated[int, About("steps", "so many", least=1)]
    taken_h: Annotated[float, About("h", "taken before step 0")] = 0.0


@dataclass(frozen=True, kw_only=True)
class LaterSite(Site):
    """A site with two more fields: a limit, and a note that changes no plan."""

    hour_limits: Annotated[tuple[HourLimit, ...], About("-", "bounds on hours", since=3)] = ()
    soot_g_per_kwh: Annotated[float, About("g/kWh", "for an account", since=3, optimum=False)] = 0.0


@dataclass(frozen=True)
class LaterProblem(Problem):
    """A Problem of that version."""

    site: Annotated[LaterSite, About("-", "limits of the whole")]


DAILY = HourLimit(name="daily", source="surplus", at_most_h=60.0 / 7.0, first_step=0, steps=STEPS)


MONTHLY = EnergyLimit("monthly", None, 0, STEPS, at_most_mwh=60.0 / 7.0)


def later(*limits: HourLimit, soot: float = 0.0) -> LaterProblem:
    p = simple_problem(reference_class(count=1, steps=STEPS))
    known = {f.name: getattr(p.site, f.name) for f in fields(Site)}
    site = LaterSite(**known, hour_limits=limits, soot_g_per_kwh=soot)
    return LaterProblem(p.time, p.classes, p.sources, site)


def read(document: Any) -> LaterProblem:
    return from_document(json.loads(json.dumps(document)), LaterProblem)


def test_a_younger_limit_raises_the_number_of_the_schema():
    """*Proves:* a file with that limit says /3, one with a limit of energy /2; with neither, or a younger account, /1.

    *Sensitivity:* a number that follows the version of the program, and not what is used, is 3 in all of them.
    """
    assert problem_to_document(later())["schema"] == "flexmine-problem/1"
    assert problem_to_document(later(soot=1 / 3))["schema"] == "flexmine-problem/1"
    assert problem_to_document(later(DAILY))["schema"] == "flexmine-problem/3"
    assert problem_to_document(with_site(later(), energy_limits=(MONTHLY,)))["schema"] == "flexmine-problem/2"
    assert problem_text(later()) == problem_text(simple_problem(reference_class(count=1, steps=STEPS)))


def test_a_list_of_parts_needs_its_declaration_alone():
    """*Proves:* it is written with its keys in order, read back the same, and its bounds are checked by path.

    *Sensitivity:* a part that the reader does not build is a dict, or gone.
    """
    document = problem_to_document(later(DAILY))
    assert document["site"]["hour_limits"] == [
        {
            **{"name": "daily", "source": "surplus", "at_least_h": None, "at_most_h": 60.0 / 7.0},
            **{"first_step": 0, "steps": 4, "taken_h": 0.0},
        }
    ]
    assert list(document["site"])[-1] == "hour_limits"
    assert read(document).site.hour_limits == (DAILY,)
    assert read(problem_to_document(later(soot=1 / 3))).site.soot_g_per_kwh == 1 / 3
    document["site"]["hour_limits"][0] |= {"steps": 0, "at_most_h": -1.0, "colour": "teal"}
    with pytest.raises(BadInput) as caught:
        read(document)
    assert caught.value.messages == [
        "site.hour_limits[0].at_most_h: input should be greater than or equal to 0, found -1.0",
        "site.hour_limits[0].steps: input should be greater than or equal to 1, found 0",
    ]


def test_an_old_reader_refuses_it_and_an_old_number_with_it_is_refused():
    """*Proves:* a reader that does not know the limit refuses the file; a file that says /1 and has the limit is
    refused with key and schema; all numbers are read by a reader that knows it.

    *Sensitivity:* an unknown key is a warning: an old reader would plan without the limit.
    """
    document = problem_to_document(later(DAILY))
    with pytest.raises(BadInput, match="'flexmine-problem/1' or 'flexmine-problem/2', found \"flexmine-problem/3\""):
        problem_from_document(document)
    for number in (1, 2):
        with pytest.raises(BadInput) as caught:
            read(document | {"schema": f"flexmine-problem/{number}"})
        assert caught.value.messages == [
            f"site.hour_limits: needs the schema flexmine-problem/3; a reader of flexmine-problem/{number} would leave "
            "it out"
        ]
    for number in (1, 2, 3):
        assert read(problem_to_document(later()) | {"schema": f"flexmine-problem/{number}"}).site.hour_limits == ()
    with pytest.raises(BadInput, match="'flexmine-problem/2' or 'flexmine-problem/3'"):
        read(document | {"schema": "flexmine-problem/4"})
    old = problem_to_document(later(soot=1 / 3))
    assert problem_from_document(old).warnings == ("site.soot_g_per_kwh: unknown key, ignored",)
    assert read(old).warnings == ()


def test_joined_days_keep_it():
    """*Proves:* the same limit on all days is kept; another one is told with its name.

    *Sensitivity:* a joining that builds the site from the keys it knows loses it.
    """
    first = later(DAILY)
    time = replace(first.time, start=first.time.begin(STEPS))
    off = Schedule(("C01",), np.zeros((1, STEPS), dtype=bool), np.zeros((1, STEPS)), np.zeros((2, STEPS)))
    limits = (DAILY, replace(DAILY, at_most_h=5.0))
    same, other = (replace(first, time=time, site=replace(first.site, hour_limits=(limit,))) for limit in limits)
    days = [Part(date(2024, 9, 10) + timedelta(days=i), p, off, STEPS) for i, p in enumerate((first, same))]
    assert join(days).problem.site.hour_limits == (DAILY,)
    with pytest.raises(BadInput, match=r"daily\.at_most_h of 2024-09-11 is not that of 2024-09-10"):
        join([days[0], replace(days[1], problem=other)])


CHECKER = jsonschema.Draft202012Validator(problem_json_schema())


def marked(document: Any, checker: jsonschema.Draft202012Validator = CHECKER) -> Iterator[str]:
    """Yield the path of each place that the JSON Schema marks."""
    for error in checker.iter_errors(json.loads(json.dumps(document))):
        yield error.json_path.removeprefix("$.")


def test_the_json_schema_accepts_what_is_written():
    """*Proves:* valid by its meta-schema; written files of 120 random plants are valid; unit and words are there.

    *Sensitivity:* the wrong files below are marked.
    """
    jsonschema.Draft202012Validator.check_schema(problem_json_schema())
    for seed in range(60):
        for features in (None, {*random_features(seed), *NAMED_FEATURES}):
            assert list(marked(problem_to_document(random_problem(seed, features)))) == []
    parts = problem_json_schema()["$defs"]
    assert parts["Site"]["properties"]["cap_mw"]["description"] == "[MW] most facility power; orders folded in"
    assert "groups" not in parts["Site"]["properties"]
    assert all(key["description"] for part in parts.values() for key in part["properties"].values())
    assert '"ge"' not in json.dumps(parts)
    known = jsonschema.Draft202012Validator(shape.json_schema(LaterProblem))
    assert list(marked(problem_to_document(later(DAILY)), known)) == []
    wrong = replace(DAILY, steps=0)
    assert list(marked(problem_to_document(later(wrong)), known)) == ["site.hour_limits[0].steps"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "flexmine-problem/9"),
        ("time.steps", 0),
        ("time.steps", 2.5),
        ("classes", []),
        ("classes[0].name", "1st"),
        ("classes[0].available[1]", -1),
        ("classes[0].overhead[0]", 0),
        ("classes[0].standby_mw", "0.01"),
        ("classes[0].history[0].on", 1),
        ("classes[0].start.warm_off_steps", [1.5]),
        ("sources[0].kind", "solar"),
        ("site.cap_mw", 3.0),
        ("site.ramp_up_mw_per_step", -1.0),
        ("site.rounding_reserve_mw", None),
    ],
)
def test_the_json_schema_marks_what_is_wrong(path, value):
    """*Proves:* types, bounds, names, choices, each at its place.  *Sensitivity:* the unchanged file is valid."""
    document = json.loads(problem_text(simple_problem(reference_class(count=2, steps=STEPS))))
    assert list(marked(document)) == []
    *places, last = path.replace("[", ".").replace("]", "").split(".")
    part = document
    for place in places:
        part = part[int(place) if place.isdigit() else place]
    part[int(last) if last.isdigit() else last] = value
    assert [place for place in marked(document) if path.startswith(place)]


def test_the_command_writes_it(tmp_path):
    """*Proves:* ``flexmine schema problem`` is that schema.  *Sensitivity:* another kind has another title."""
    out = tmp_path / "problem.schema.json"
    done = CliRunner().invoke(cli, ["schema", "problem", "--out", str(out)])
    assert (done.exit_code, json.loads(out.read_text(encoding="utf-8"))) == (0, problem_json_schema())
    assert problem_json_schema()["title"] == "flexmine problem file"


# The keys of the first schema, by the dataclass that has them; they never become more.
FIRST_SCHEMA = {
    "Problem": "time classes sources site",
    "TimeAxis": "start step_h steps zone",
    "ContainerClass": (
        "name count containers it_power_mw hash_rate_th_s max_it_power_mw overhead standby_mw "
        "hash_value_usd_per_th_s_h min_up_steps min_down_steps start available history min_it_power_mw "
        "must_run preheat_steps terminal_on_usd committed container_ramp_mw_per_step max_starts_per_day "
        "miners"
    ),
    "StartTerms": "warm_cost_usd cold_cost_usd warm_off_steps cold_energy_mwh tiers",
    "StartTier": "off_steps cost_usd energy_mwh",
    "History": "count on steps it_power_mw warm_until_step starts_today tier_until_steps",
    "Miners": "count presets sleep_w fixed_mw",
    "Source": "name kind available_mw price_usd_per_mwh carbon_g_per_kwh headroom_mw",
    "Site": (
        "cap_mw ramp_up_mw_per_step ramp_down_mw_per_step initial_mw feeders base_load_mw minimum_mw "
        "rounding_reserve_mw day_of_step"
    ),
    "Group": "name cap_mw classes",
}


def test_a_key_that_the_first_schema_does_not_have_says_since_when_it_is():
    """*Proves:* a field that comes later and forgets `since` is named: files with it would say that they are of the
    first schema, and an older reader would plan without it.

    *Sensitivity:* a field of `Site` without `since` is missing from the list above.
    """
    later = {f.kind for _, f in every_field(Problem) if f.about.since > 1 and f.is_part}
    found = {(cls.__name__, f.key) for cls, f in every_field(Problem) if f.about.since == 1 and cls not in later}
    assert found == {(name, key) for name, keys in FIRST_SCHEMA.items() for key in keys.split()}
