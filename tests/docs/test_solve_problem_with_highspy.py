"""The short script must find the same optimum from the same file, by its own formulation and without flexmine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flexmine.errors import Infeasible
from flexmine.problem import Group, History
from flexmine.problem.reading import write_problem
from flexmine.solving.engine import SolveOptions, solve
from plants import random_features, random_problem, reference_class, simple_problem

SCRIPT = Path(__file__).parents[2] / "docs" / "solve_problem_with_highspy.py"
DAY = simple_problem(
    reference_class(steps=48),
    surplus_mw=np.tile([8, 8, 2, 2, 6, 9], 8),
    firm_price=np.tile([45, 80, 30, 90, 45, 60], 8),
)
MIXED = simple_problem(
    [
        reference_class("old", 6, 24, prefix="A", overhead=np.linspace(1.0, 1.1, 24), must_run=np.arange(24) % 9 == 3),
        reference_class(
            "new", 8, 24, prefix="B", history=(History(5, True, 2), History(3, False, 1)), cold_energy_mwh=0.3,
            warm_off_steps=np.tile([2, 5, 4], 8), available=np.where(np.arange(24) < 9, 6, 8), terminal_on_usd=20.0,
            max_it_power_mw=np.where(np.arange(24) == 14, 0.4, 1.2),
        ),
    ],
    surplus_mw=np.tile([9, 3, 0.5, 6], 6), initial=4.0, base_load=0.3, feeders=(Group("f1", 4.0, ("new",)),),
)  # fmt: skip
SEEDS = [seed for seed in range(60) if "starts_per_day" not in random_features(seed)][:12]


def printed(problem, tmp_path):
    path = tmp_path / "problem.json"
    write_problem(problem, path)
    run = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=True)
    return run.stdout.split("\n")[-2]


@pytest.mark.parametrize("problem", [DAY, MIXED], ids=["reference 14 x 48 h", "two classes with everything"])
def test_same_optimum_as_the_engine(problem, tmp_path):
    """*Proves:* two formulations that share no line agree to 1e-6 on what problem.json means.

    *Sensitivity:* a wrong reading of history, warm window, preheat or ramp on either side moves the money by far more.
    """
    money = solve(problem, SolveOptions(gap=1e-8)).money_usd
    assert float(printed(problem, tmp_path)) == pytest.approx(money, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_same_answer_on_random_plants(seed, tmp_path):
    """*Proves:* same optimum, or both say that there is none, on small plants with mixed features.

    *Sensitivity:* the features include ages, outages, negative prices and windows by step, each of which changes money.
    """
    problem = random_problem(seed)
    try:
        money = solve(problem, SolveOptions(gap=1e-8)).money_usd
    except Infeasible:
        assert printed(problem, tmp_path) == "no optimum"
        return
    assert float(printed(problem, tmp_path)) == pytest.approx(money, rel=1e-6, abs=1e-6)


def test_numbers_for_all_steps_and_absent_keys(tmp_path):
    """*Proves:* the script reads "number or [T]" and keys that are absent, as files of other people have them.

    *Sensitivity:* indexing a number, or asking for an absent key, ends without an optimum.
    """
    path = tmp_path / "problem.json"
    write_problem(DAY, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    k = document["classes"][0]
    for place, key in [(k, "standby_mw"), *((k["start"], key) for key in k["start"])]:
        place[key] = place[key][0]
    for place, key in [(k, "must_run"), (k, "min_it_power_mw"), (k["start"], "cold_energy_mwh"),
                       (document["site"], "base_load_mw"), (document["site"], "feeders")]:  # fmt: skip
        del place[key]
    path.write_text(json.dumps(document), encoding="utf-8")
    run = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=True)
    assert float(run.stdout.split("\n")[-2]) == pytest.approx(solve(DAY).money_usd, rel=1e-4)


def test_script_is_short_and_knows_no_flexmine():
    """*Proves:* some 80 lines, no import of flexmine.  *Sensitivity:* a helper borrowed from flexmine shows here."""
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 85
    assert "import flexmine" not in text and "from flexmine" not in text


@pytest.mark.parametrize("case", ["bratsk-day", "bratsk-shaped"])
def test_shipped_case(case, tmp_path):
    """*Proves:* what `flexmine problem` writes for a shipped case is enough for somebody else to find its optimum.

    *Sensitivity:* a key whose meaning is not in the file (a folded order, an override) would move the money.
    """
    path, answer = tmp_path / "problem.json", tmp_path / "solution.json"
    for arguments in (["problem", case, "--out", path], ["solve", path, "--gap", "1e-8", "--out", answer]):
        subprocess.run([sys.executable, "-m", "flexmine", *map(str, arguments)], capture_output=True, check=True)
    run = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=True)
    money = json.loads(answer.read_text(encoding="utf-8"))["money_usd"]
    assert float(run.stdout.split("\n")[-2]) == pytest.approx(money, rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_limits_of_energy_are_kept(seed, tmp_path):
    """*Proves:* a file of the second schema has the same optimum here, or none on both sides.

    *Sensitivity:* the limits left out, most of these plants would earn more.
    """
    problem = random_problem(seed, {"energy", "ages", "several_classes"})
    try:
        money = solve(problem, SolveOptions(gap=1e-8)).money_usd
    except Infeasible:
        assert printed(problem, tmp_path) == "no optimum"
        return
    assert float(printed(problem, tmp_path)) == pytest.approx(money, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("feature", ["kept_commitment", "container_ramp", "tiers", "starts_per_day"])
def test_what_the_rows_do_not_say_is_refused(feature, tmp_path):
    """*Proves:* a file with more than the script knows ends in a word, not in another number.

    *Sensitivity:* without the refusal the money of these plants is another one.
    """
    path = tmp_path / "problem.json"
    write_problem(random_problem(3, {feature}), path)
    assert "more than these rows say" in refusal(path)


@pytest.mark.parametrize("place", ["site", "sources", "classes"])
def test_a_key_of_a_later_limit_is_refused(place, tmp_path):
    """*Proves:* what a later version adds anywhere ends in a word, with the key; null and an empty list are as absent.

    *Sensitivity:* a list of the keys that are refused would have to be brought up to date by whoever adds one.
    """
    path = tmp_path / "problem.json"
    write_problem(DAY, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    part = document[place][0] if isinstance(document[place], list) else document[place]
    part |= {"most_starts_at_once": 2, "tiers": [], "max_starts_per_day": None}
    path.write_text(json.dumps(document), encoding="utf-8")
    assert "{'most_starts_at_once'}: more than these rows say" in refusal(path)


def refusal(path):
    run = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    return run.stderr
