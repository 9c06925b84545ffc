"""problem.json: round trip, and what is refused."""

import json
from typing import Any

import pytest

from flexmine.errors import BadInput
from flexmine.problem.reading import problem_from_document, problem_text, problem_to_document, read_problem
from plants import random_problem, reference_class, simple_problem


def document() -> dict[str, Any]:
    return json.loads(problem_text(simple_problem(reference_class(count=2, steps=4))))


@pytest.mark.parametrize("seed", range(40))
def test_round_trip_keeps_every_bit(seed):
    """A problem written, read and written again is the same text.

    *Proves:* no key is lost and no digit rounded on the way through the file, whatever the features.
    *Sensitivity:* one key left out of reader or writer, or a number printed with fewer digits, changes the text.
    """
    text = problem_text(random_problem(seed))
    assert problem_text(problem_from_document(json.loads(text))) == text


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the document with one value changed, or dropped where the value is `...`."""
    whole = document()
    *parents, last = [int(p) if p.isdigit() else p for p in path.split("/")]
    part: Any = whole
    for key in parents:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return whole


REFUSED = [
    ("schema", "flexmine-problem/3", "schema: input should be 'flexmine-problem/1' or 'flexmine-problem/2'"),
    ("time", ..., "time: missing"),
    ("time/steps", 0, "time.steps: "),
    ("time/step_h", 0, "time.step_h: "),
    ("time/start", "2024-09-10T00:00:00", "time.start: "),
    ("time/zone", "Asia/Bratsk", "time.zone: 'Asia/Bratsk' is not an IANA time zone"),
    ("classes/0/available", [2, 2, 2], "classes[0].available: 3 values, expected 4"),
    ("classes/0/available", [2, 2, 2, 3], "classes[0].available[3]: 3 is above count = 2"),
    ("classes/0/available", [2, 2, 2, 1.5], "classes[0].available[3]: "),
    ("classes/0/overhead", [1.0, "1.0", 1.0, 1.0], "classes[0].overhead[1]: "),
    ("classes/0/overhead", [1.0, 0.0, 1.0, 1.0], "classes[0].overhead[1]: "),
    ("classes/0/standby_mw", [0.1], "classes[0].standby_mw: 1 values, expected 4"),
    ("classes/0/it_power_mw", [0.52, 0.52, 1.04, 1.3], "classes[0].it_power_mw[1]: 0.52 is not above 0.52"),
    ("classes/0/hash_rate_th_s", [22880.0, 25000.0, 38480.0, 44000.0], "classes[0].hash_rate_th_s: not concave"),
    ("classes/0/containers", ["C01"], "classes[0].containers: 1 names, expected count = 2"),
    ("classes/0/containers", ["C01", "C01"], "containers: the name 'C01' stands more than once"),
    ("classes/0/history", [{"count": 1, "on": False, "steps": 3}], "classes[0].history: counts add up to 1"),
    ("classes/0/history/0/steps", 0, "classes[0].history[0].steps: "),
    ("classes/0/start/cold_cost_usd", 1.0, "classes[0].start.cold_cost_usd: below warm_cost_usd in step 0"),
    ("classes/0/hash_value_usd_per_th_s_h", [0.1, -0.1, 0.1, 0.1], "classes[0].hash_value_usd_per_th_s_h[1]: "),
    ("classes/0/must_run", [3, 0, 0, 0], "classes[0].must_run[0]: 3 is above count = 2"),
    ("classes/0/preheat_steps", 8, "classes[0].preheat_steps: 8 is above max(min_down_steps"),
    ("classes/0/max_starts_per_day", 1, "classes[0].max_starts_per_day: needs site.day_of_step"),
    ("classes/0/name", "1st", "classes[0].name: "),
    ("sources/0/kind", "solar", "sources[0].kind: "),
    ("sources/1/name", "surplus", "sources: the name 'surplus' stands more than once"),
    ("sources/0/available_mw", [8.0, -1.0, 8.0, 8.0], "sources[0].available_mw[1]: "),
    ("site/cap_mw", ..., "site.cap_mw: missing"),
    ("site/ramp_up_mw_per_step", -1.0, "site.ramp_up_mw_per_step: "),
    ("site/day_of_step", [1, 1, 0, 0], "site.day_of_step[2]: falls"),
    ("site/feeders", [{"name": "f", "cap_mw": 1, "classes": ["x"]}], "site.feeders[0].classes: unknown class 'x'"),
    (
        "site/feeders",
        [{"name": "f", "cap_mw": 1.0, "classes": ["s19pro"]}, {"name": "g", "cap_mw": 1.0, "classes": ["s19pro"]}],
        "site.feeders[1].classes: class 's19pro' is on feeder 'f' already",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), REFUSED)
def test_wrong_value_is_refused_with_its_path(path, value, message):
    """*Proves:* a wrong value is named by its path in the file.  *Sensitivity:* without the check nothing is raised."""
    with pytest.raises(BadInput) as caught:
        problem_from_document(changed(path, value))
    assert any(m.startswith(message) for m in caught.value.messages), caught.value.messages


DAILY = {"name": "daily", "source": "surplus", "first_step": 1, "steps": 3, "at_most_mwh": 5.0}
WRONG_ENERGY = [
    ({"source": "wind"}, "site.energy_limits[0].source: unknown source 'wind'; allowed are surplus, grid and null"),
    ({"steps": 4}, "site.energy_limits[0].steps: ends with step 4; the last of the horizon is 3"),
    ({"steps": 0}, "site.energy_limits[0].steps: input should be greater than or equal to 1"),
    ({"first_step": -1}, "site.energy_limits[0].first_step: input should be greater than or equal to 0"),
    ({"first_step": 0.5}, "site.energy_limits[0].first_step: "),
    ({"at_most_mwh": None}, "site.energy_limits[0]: needs at_least_mwh or at_most_mwh"),
    ({"at_least_mwh": 6.0}, "site.energy_limits[0].at_least_mwh: 6 is above at_most_mwh = 5"),
    ({"at_most_mwh": -5.0}, "site.energy_limits[0].at_most_mwh: input should be greater than or equal to 0"),
    ({"at_most_mwh": "5"}, "site.energy_limits[0].at_most_mwh: "),
    ({"taken_mwh": -1.0}, "site.energy_limits[0].taken_mwh: input should be greater than or equal to 0"),
    ({"reserve_mwh": None}, "site.energy_limits[0].reserve_mwh: "),
    ({"name": "1st"}, "site.energy_limits[0].name: "),
    ({"source": ...}, "site.energy_limits[0].source: missing"),
    ({"first_step": ...}, "site.energy_limits[0].first_step: missing"),
]


def with_energy(*limits):
    """Return a document with limits of energy; a key that is ... is left out."""
    whole = changed("schema", "flexmine-problem/2")
    whole["site"]["energy_limits"] = [{k: v for k, v in limit.items() if v is not ...} for limit in limits]
    return whole


@pytest.mark.parametrize(("change", "message"), WRONG_ENERGY)
def test_a_wrong_limit_of_energy_is_refused_with_its_path(change, message):
    """*Proves:* each key is checked where it stands.  *Sensitivity:* unchanged, the limit is read."""
    assert problem_from_document(with_energy(DAILY)).site.energy_limits[0].window == slice(1, 4)
    with pytest.raises(BadInput) as caught:
        problem_from_document(with_energy(DAILY | change))
    assert any(m.startswith(message) for m in caught.value.messages), caught.value.messages


def test_two_limits_of_energy_of_one_name_are_refused():
    """*Proves:* a name is one limit.  *Sensitivity:* two of one name would share a row of the model."""
    with pytest.raises(BadInput, match=r"site\.energy_limits: the name 'daily' stands more than once"):
        problem_from_document(with_energy(DAILY, DAILY))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"schema": 1, "schema": 2}', "stands twice"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[" * 100_000, "is not JSON that can be read"),
        ("3", "document: "),
    ],
)
def test_broken_files_are_refused(tmp_path, text, message):
    """*Proves:* a broken file ends in a sentence with its name.  *Sensitivity:* else a traceback would come."""
    file = tmp_path / "problem.json"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_problem(file)
    assert str(file) in caught.value.messages[0]
    assert message in caught.value.messages[0]


def test_all_errors_come_at_once():
    """*Proves:* two wrong lengths give two sentences.  *Sensitivity:* stopping at the first would give one."""
    whole = changed("classes/0/available", [2])
    whole["site"]["cap_mw"] = [1.0]
    with pytest.raises(BadInput) as caught:
        problem_from_document(whole)
    assert len(caught.value.messages) == 2


def test_unknown_keys_are_warnings():
    """*Proves:* a key of a later schema is told and ignored.  *Sensitivity:* an error, or silence, would fail."""
    whole = changed("classes/0/colour", "teal")
    whole["site"]["feeders"] = [{"name": "f", "cap_mw": 5.0, "classes": ["s19pro"], "phase": 3}]
    problem = problem_from_document(whole)
    assert problem.warnings == (
        "classes[0].colour: unknown key, ignored",
        "site.feeders[0].phase: unknown key, ignored",
    )


def test_one_number_stands_for_all_steps():
    """*Proves:* `number or [T]` of the contract.  *Sensitivity:* a reader that wants lists refuses the number."""
    whole = changed("classes/0/standby_mw", 0.02)
    whole["classes"][0]["start"]["warm_off_steps"] = 3
    k = problem_from_document(whole).classes[0]
    assert k.standby_mw.tolist() == [0.02] * 4
    assert k.start.warm_off_steps.tolist() == [3] * 4


def test_document_holds_plain_json():
    """*Proves:* the document is made of JSON types only.  *Sensitivity:* a numpy number left in it cannot be dumped."""
    assert json.loads(json.dumps(problem_to_document(random_problem(3))))["schema"] == "flexmine-problem/1"
