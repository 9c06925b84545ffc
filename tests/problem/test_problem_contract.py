"""The contract of problem.json and solution.json, sentence by sentence, on files that flexmine did not write.

The file is written out here by hand, as another tool would write it: no key of it comes from flexmine's own writer.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from flexmine.cli.main import cli
from flexmine.errors import BadInput
from flexmine.problem.reading import problem_from_document
from flexmine.solving.engine import ENGINES

T = 6


def foreign() -> dict[str, Any]:
    """Return a problem of two classes; with required keys only, and nothing that has a default."""
    return {
        "schema": "flexmine-problem/1",
        "time": {"start": "2024-09-10T00:00:00+08:00", "step_h": 0.5, "steps": T, "zone": "Asia/Irkutsk"},
        "classes": [
            {
                "name": "box",
                "count": 3,
                "containers": ["C01", "C02", "C03"],
                "it_power_mw": [0.5, 1.0],
                "hash_rate_th_s": [1000, 1800],
                "max_it_power_mw": [1.0] * T,
                "overhead": [1.0] * T,
                "standby_mw": 0.01,
                "hash_value_usd_per_th_s_h": [0.1] * T,
                "min_up_steps": 0,
                "min_down_steps": 0,
                "start": {
                    "warm_cost_usd": 1.0,
                    "cold_cost_usd": 5.0,
                    "warm_off_steps": [2] * T,
                    "cold_energy_mwh": 0.0,
                },
                "available": [3] * T,
                "history": [{"count": 3, "on": False, "steps": 10, "it_power_mw": 0.0}],
            }
        ],
        "sources": [
            {"name": "surplus", "kind": "surplus", "available_mw": [1.2] * T, "price_usd_per_mwh": [10.0] * T},
            {"name": "grid", "kind": "firm", "available_mw": [1.0] * T, "price_usd_per_mwh": [300.0] * T},
        ],
        "site": {"cap_mw": [2.0] * T},
    }


def solved(tmp_path, document: dict[str, Any], *options: str) -> tuple[dict[str, Any] | None, int, str]:
    """Run ``flexmine solve``; return solution.json (None where there is none), the exit code and stderr."""
    file, out = tmp_path / "problem.json", tmp_path / "solution.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    out.unlink(missing_ok=True)
    done = CliRunner().invoke(cli, ["solve", str(file), "--out", str(out), *options])
    return (json.loads(out.read_text()) if out.exists() else None), done.exit_code, done.stderr


def money(tmp_path, document: dict[str, Any], *options: str) -> float:
    solution, code, told = solved(tmp_path, document, "--gap", "0", *options)
    assert code == 0, told
    assert solution is not None
    return float(solution["money_usd"])


# One container at 1 MW and one at 0.5 on 1.2 MW of surplus would need 1.5; two at 0.5 leave 0.2 MW for one of them.
# Hash of 2 x 1000 and 0.19 / 0.5 x 800, 0.1 USD and 0.5 h each, less 10 USD/MWh of 1.2 MW, less two cold starts.
BY_HAND = 6 * 0.5 * (0.1 * (2 * 1000 + 0.19 * 1600) - 10 * 1.2) - 2 * 5


def test_money_of_the_foreign_file_by_hand(tmp_path):
    """*Proves:* required keys are enough; money is step_h x (hash - energy) - starts, standby drawn.

    *Sensitivity:* standby left out, step_h forgotten, a start too many or too few moves it.
    """
    assert money(tmp_path, foreign()) == pytest.approx(BY_HAND)


@pytest.mark.parametrize("engine", ENGINES)
def test_solution_adds_up(tmp_path, engine):
    """*Proves:* every field of solution.json is there and they add up, whichever engine ran.

    *Sensitivity:* class power of one container, starts that miss history, or sources that do not meet the site fail.
    """
    document = foreign()
    document["site"]["base_load_mw"] = [0.1] * T
    solution, code, told = solved(tmp_path, document, "--engine", engine)
    assert code == 0, told
    assert solution is not None
    assert list(solution) == [
        *("schema", "status", "money_usd", "bound_usd", "gap", "engine", "classes", "containers", "sources"),
        *("facility_power_mw", "conflict"),
    ]
    assert (solution["schema"], solution["status"], solution["conflict"]) == ("flexmine-solution/1", "optimal", [])
    assert solution["gap"] == pytest.approx(
        (solution["bound_usd"] - solution["money_usd"]) / max(1, abs(solution["money_usd"]))
    )
    (k,), containers = solution["classes"], solution["containers"]
    assert [c["name"] for c in containers] == ["C01", "C02", "C03"]
    on = np.array([c["on"] for c in containers])
    assert on.sum(axis=0).tolist() == k["on"]
    assert np.allclose(np.sum([c["it_power_mw"] for c in containers], axis=0), k["it_power_mw"])
    assert np.diff(on, axis=1, prepend=0).clip(0).sum(axis=0).tolist() == k["start"]
    assert (-np.diff(on, axis=1, prepend=0)).clip(0).sum(axis=0).tolist() == k["stop"]
    facility = 0.1 + np.array(k["it_power_mw"]) + 0.01 * (3 - np.array(k["on"]))
    assert np.allclose(solution["facility_power_mw"], facility)
    assert np.allclose(np.sum([s["mw"] for s in solution["sources"]], axis=0), facility)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("standby_mw", [0.01] * T),
        ("count", 3.0),
        ("available", [3.0] * T),
        ("min_up_steps", 1),
        ("min_down_steps", 1),
        ("max_it_power_mw", [1.5] * T),
        ("min_it_power_mw", [0.4] * T),
        ("must_run", [0] * T),
        ("preheat_steps", 0),
        ("terminal_on_usd", 0.0),
        ("history", [{"count": 0, "on": True, "steps": 1}, {"count": 3, "on": False, "steps": 10}]),
        ("start", {"warm_cost_usd": [1.0] * T, "cold_cost_usd": [5.0] * T, "warm_off_steps": [2] * T}),
        ("start", {"warm_cost_usd": 1.0, "cold_cost_usd": 5.0, "warm_off_steps": [2] * T, "tiers": []}),
        ("history", [{"count": 3, "on": False, "steps": 3, "warm_until_step": -1}]),
    ],
)
def test_the_same_said_in_another_way(tmp_path, path, value):
    """One number or one for each step, whole numbers with a point, a power above the last breakpoint, defaults.

    *Proves:* each says the same as the file above.
    *Sensitivity:* a default with another meaning moves the money, a stricter reader refuses the file.
    """
    document = foreign()
    document["classes"][0][path] = value
    assert money(tmp_path, document) == pytest.approx(BY_HAND)


def changed(**parts: Any) -> dict[str, Any]:
    """Return the foreign file with keys of its class, its site or its sources changed."""
    document = foreign()
    for name, value in parts.items():
        part, _, key = name.partition("__")
        target = {"k": document["classes"][0], "site": document["site"], "grid": document["sources"][1]}[part]
        target[key] = value
    return document


HOT = {"k__max_it_power_mw": [1.0, 1.0, 0.4, 1.0, 1.0, 1.0]}
JUST_ON = {"k__history": [{"count": 3, "on": True, "steps": 1}], "k__min_up_steps": 4}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"site__cap_mw": [0.02] * T}, ["site cap_mw of 0.02 MW", "0.03 MW", "00:00"]),
        ({"k__must_run": [0, 3, 0, 0, 0, 0], "k__available": [2] * T}, ["class box", "must_run", "00:30"]),
        (HOT | {"k__must_run": [0, 0, 1, 0, 0, 0]}, ["class box", "max_it_power_mw", "01:00"]),
        (JUST_ON | {"k__available": [3, 1, 3, 3, 3, 3]}, ["class box", "minimum up time", "00:30", "2 more"]),
        ({"site__minimum_mw": [2.5] * T}, ["site minimum_mw", "site cap_mw"]),
        ({"k__must_run": [1, 0, 0, 0, 0, 0], "k__preheat_steps": 1, "k__start": None}, ["must_run", "preheat"]),
        ({"site__feeders": [{"name": "f", "cap_mw": 0.02, "classes": ["box"]}]}, ["feeder f", "0.03 MW"]),
    ],
)
def test_conflicts_are_named(tmp_path, parts, words):
    """*Proves:* infeasible is exit 3 with the limit, the class and the hour in words; numbers null, lists empty.

    *Sensitivity:* a cap taken for a ban, an obligation given up in silence, or a bare "infeasible" fails.
    """
    document = changed(**parts)
    if parts.get("k__start", 0) is None:
        document["classes"][0]["start"] = {"warm_cost_usd": 1, "cold_cost_usd": 5, "warm_off_steps": [2] * T}
        document["classes"][0]["start"]["cold_energy_mwh"] = 0.1
    solution, code, told = solved(tmp_path, document)
    assert code == 3, told
    assert solution is not None
    assert (solution["status"], solution["money_usd"], solution["bound_usd"]) == ("infeasible", None, None)
    assert solution["classes"] == solution["containers"] == solution["sources"] == solution["facility_power_mw"] == []
    text = " ".join(solution["conflict"])
    assert all(word in text for word in words), text
    assert solution["conflict"][0] in told


def test_where_heat_forbids_running_it_is_as_if_none_were_available(tmp_path):
    """*Proves:* a maximum below the minimum is availability 0.  *Sensitivity:* an infeasible step, or a run, fails."""
    banned = changed(k__available=[3, 3, 0, 3, 3, 3])
    assert money(tmp_path, changed(**HOT)) == pytest.approx(money(tmp_path, banned))


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [(("--time-limit", "1e-9"), "no_plan", 6), (("--gap", "0.5"), "optimal", 0)],
)
def test_statuses(tmp_path, options, status, code):
    """*Proves:* time up without a plan is exit 6 with nulls.  *Sensitivity:* a made-up plan, or another code, fails."""
    document = foreign()
    solution, found, told = solved(tmp_path, document, "--engine", "mip", *options)
    assert found == code, told
    assert solution is not None
    assert solution["status"] == status
    assert (solution["money_usd"] is None) == (status == "no_plan")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--gap", "-1"), "gap: -1.0"),
        (("--gap", "nan"), "gap: nan"),
        (("--time-limit", "0"), "time_limit_s: 0.0"),
        (("--engine", "cplex"), "engine: 'cplex'"),
        (("--seed", "-1"), "seed: -1"),
        (("--seed", "1.5"), "--seed"),
    ],
)
def test_options_are_checked(tmp_path, options, words):
    """*Proves:* a wrong option is exit 2, is named, and nothing is written.  *Sensitivity:* a clipped value exits 0."""
    solution, code, told = solved(tmp_path, foreign(), *options)
    assert (solution, code) == (None, 2)
    assert words in told


def test_bad_input_writes_no_file_and_an_unknown_key_is_a_warning(tmp_path):
    """*Proves:* exit 2 with the JSON path and no file at all; an unknown key is told on stderr and ignored.

    *Sensitivity:* a half-written solution, or silence, fails.
    """
    solution, code, told = solved(tmp_path, changed(k__available=[3] * 5))
    assert (solution, code) == (None, 2)
    assert "classes[0].available: 5 values, expected 6" in told
    solution, code, told = solved(tmp_path, changed(k__colour="teal"))
    assert code == 0
    assert solution is not None
    assert "classes[0].colour: unknown key, ignored" in told


def test_more_than_a_thousand_containers_are_listed_on_demand(tmp_path):
    """*Proves:* classes always, containers up to 1,000 or with --containers.  *Sensitivity:* the default lists them."""
    names = [f"C{i}" for i in range(1001)]
    many = changed(k__count=1001, k__containers=names, k__available=[1001] * T, k__standby_mw=0.0)
    many["classes"][0]["history"][0]["count"] = 1001
    solution, code, _ = solved(tmp_path, many)
    assert code == 0
    assert solution is not None
    assert solution["containers"] == []
    assert solution["classes"][0]["on"][0] == 2
    solution, _, _ = solved(tmp_path, many, "--containers")
    assert solution is not None
    assert [c["name"] for c in solution["containers"]] == names


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("standby_mw",), "0.01", 'classes[0].standby_mw: input should be a valid number, found "0.01"'),
        (("standby_mw",), [0.1] * 5 + ["x"], 'classes[0].standby_mw[5]: input should be a valid number, found "x"'),
        (("available",), [3.5] + [3] * 5, "classes[0].available[0]: input should be a valid integer, found 3.5"),
        (("history", 0, "on"), 1, "classes[0].history[0].on: input should be a valid boolean, found 1"),
        (("start",), [], "classes[0].start: an object is expected"),
        (("containers",), {}, "classes[0].containers: a list is expected"),
        (("start", "tiers"), [{"off_steps": 2, "cost_usd": 3}], "classes[0].start.tiers[0].off_steps: not above warm"),
        (("start", "tiers"), [{"off_steps": 4, "cost_usd": 0}], "classes[0].start.tiers[0].cost_usd: below warm_cost"),
        (("start", "tiers"), [{"off_steps": 4, "cost_usd": 9}], "classes[0].start.cold_cost_usd: below tiers[0].cost"),
        (("history", 0, "tier_until_steps"), [1], "classes[0].history[0].tier_until_steps: 1 values, expected 0"),
        (("container_ramp_mw_per_step",), 0, "classes[0].container_ramp_mw_per_step: input should be greater than"),
    ],
)
def test_one_wrong_value_is_one_sentence(path, value, message):
    """*Proves:* "number or list" and the optional keys name the one thing that is wrong, once.

    *Sensitivity:* a union that tells of both of its branches gives two sentences.
    """
    document = foreign()
    target: Any = document["classes"][0]
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(BadInput) as caught:
        problem_from_document(document)
    assert len(caught.value.messages) == 1
    assert caught.value.messages[0].startswith(message), caught.value.messages
