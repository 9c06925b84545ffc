"""Files of back-tests that are refused before anything is run."""

import shutil

import pytest

from flexmine.errors import BadInput
from flexmine.studies.backtest import read_backtest
from flexmine.studies.parts import Parts
from years import write_backtest

SURPLUS = "sources.surplus.available_mw: {how: yesterday}"
BAD = {
    "no schema": ("schema: flexmine-backtest/1\n", "", "backtest.yaml.*schema"),
    "another schema": ("flexmine-backtest/1", "flexmine-case/1", "schema"),
    "unknown key": ("name: small", "name: small\nhorizon: 3", "backtest.yaml:3:1 horizon"),
    "last day first": ("last_day: 2024-04-02", "last_day: 2024-03-01", "last_day: 2024-03-01 is before first_day"),
    "a day that is none": ("first_day: 2024-03-26", "first_day: 2024-02-30", "first_day"),
    "a number for a day": ("first_day: 2024-03-26", "first_day: 20240326", "a day is text such as"),
    "unknown policy": ("greedy", "greeedy", r"policies\[2\]"),
    "policy twice": ("greedy", "threshold", "policies: threshold stands there twice"),
    "no policies": ("always-on, threshold, greedy, nightly, redispatch, replan, perfect", "", "policies"),
    "unknown series": ("sources.surplus.", "sources.river.", "is not a series of the case; its series: .*surplus"),
    "a series not named": (f"  {SURPLUS}\n", "", "sources.surplus.available_mw changes in time; say how it was known"),
    "unknown way": ("how: yesterday}\n  sources.g", "how: tomorrow}\n  sources.g", "how"),
    "no size of the noise": (SURPLUS, SURPLUS.replace("yesterday", "noise"), "give either relative, a share"),
    "two sizes": (SURPLUS, SURPLUS.replace("yesterday", "noise, relative: 0.1, absolute: 1"), "give either relative"),
    "noise in percent": (SURPLUS, SURPLUS.replace("yesterday", "noise, relative: 12"), "relative"),
    "memory of one": (SURPLUS, SURPLUS.replace("yesterday", "noise, relative: 0.1, memory: 1"), "memory"),
    "hour of 24": ("at_h: 13", "at_h: 24", "at_h"),
    "negative lag": ("policies:", "lag_min: -5\npolicies:", "lag_min"),
    "seed twice": ("policies:", "seeds: [1, 1]\npolicies:", "seeds: 1 stands there twice"),
    "no seeds": ("policies:", "seeds: []\npolicies:", "seeds"),
    "no case": ("case: case.yaml", "case: cas.yaml", "backtest.yaml:3:7 case: there is no case file"),
    "days before the data": ("first_day: 2024-03-26", "first_day: 2024-03-25", "looked back on"),
    "days after the data": ("last_day: 2024-04-02", "last_day: 2024-04-09", "backtest.yaml:3:7 case: .*csv"),
    "issues not there": (SURPLUS, SURPLUS.replace("yesterday", "issued, file: f.csv, column: v"), "f.csv"),
    "tuned on another year": ("policies:", "tuned_until: 2023-04-01\npolicies:", "tuned_until: 2023-04-01 is not one"),
    "tuned and given": (
        "policies:",
        "tuned_until: 2024-04-01\ngreedy: {start: 0, stop: 1}\npolicies:",
        "tuned_until: has no effect beside greedy",
    ),
    "a plan within a step": (
        "policies:",
        "replan_every_h: 0.25\npolicies:",
        "replan_every_h: 0.25 h is not a whole number",
    ),
    "a plan of 1.5 steps": (
        "policies:",
        "replan_every_h: 1.5\npolicies:",
        "replan_every_h: 1.5 h is not a whole number",
    ),
    "seed of a text": ("policies:", "seeds: [one]\npolicies:", r"seeds\[0\]"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_with_its_place(tmp_path, kind):
    """*Proves:* each is refused as it is read, in a sentence that names the file and what is wrong; nothing is written.

    *Sensitivity:* a default in its place would be a year of figures that answer another question.
    """
    old, new, words = BAD[kind]
    file = write_backtest(tmp_path)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    there = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput, match=words) as error:
        read_backtest(file)
    assert "backtest.yaml" in str(error.value)
    assert sorted(tmp_path.iterdir()) == there


def test_a_halving_at_an_hour_of_its_own_in_each_plan_is_refused(tmp_path):
    """*Proves:* a halving whose hour hangs on the height and the network's hash rate is refused within the days.

    *Sensitivity:* it moved with every window: planning anew earned 4,664 USD above a bound of 4,161.
    """
    file, case = write_backtest(tmp_path), tmp_path / "case.yaml"
    text = case.read_text().replace("2024-01-01", "2024-03-26")
    case.write_text(text.replace("subsidy_btc: 3.125", "block_height: 839900, network_hash_rate_eh_s: 900"))
    with pytest.raises(BadInput, match=r"network_hash_rate_eh_s: a halving falls into the days"):
        read_backtest(file)


def test_a_commitment_is_refused(tmp_path):
    """*Proves:* a case that keeps the commitment of a plan is refused.

    *Sensitivity:* every policy ran as that plan had it, which outside of its hours is not at all.
    """
    file, case = write_backtest(tmp_path), tmp_path / "case.yaml"
    case.write_text(case.read_text().replace("options:", "commitment: {plan: x, runs: []}\noptions:"))
    with pytest.raises(BadInput, match=r"backtest.yaml:3:7 case: commitment: it would be kept by every policy"):
        read_backtest(file)


def test_a_case_is_looked_for_beside_its_file_alone(tmp_path, monkeypatch):
    """*Proves:* a file of that name where the command happens to run is not taken.

    *Sensitivity:* the same back-test of another plant, depending on the folder one stands in.
    """
    file = write_backtest(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "case.yaml").rename(tmp_path / "here" / "case.yaml")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(BadInput, match="there is no case file"):
        read_backtest(file)


def test_a_night_planned_two_days_ahead_needs_three_days_before(tmp_path):
    """*Proves:* with `nightly_h` above 24 a third day before the first is read, as two do not hold a whole known one.

    *Sensitivity:* "yesterday" reached before the first value and came out at the end of the series, in the future.
    """
    with pytest.raises(BadInput, match="days from 2024-03-23 on are looked back on"):
        read_backtest(write_backtest(tmp_path, more="nightly_h: 30\n"))


def test_a_case_of_one_moment_is_refused(tmp_path):
    """*Proves:* a case that states the next retarget is refused: it would come anew in every window.

    *Sensitivity:* without that a year has a retarget of that size in each of its hours.
    """
    file = write_backtest(tmp_path)
    case = tmp_path / "case.yaml"
    fees = "fees_btc_per_block: 0.05"
    case.write_text(case.read_text().replace(fees, f"{fees}, next_retarget: {{expected_change: 0.1}}"))
    with pytest.raises(BadInput, match=r"next_retarget"):
        read_backtest(file)


ISSUES = "issued_at,interval_start,v\n2024-03-25T12:00+01:00,2024-03-26T00:00+01:00,1.0\n"
BAD_ISSUES = {
    "no such column": (ISSUES.replace(",v\n", ",w\n"), "there is no column v"),
    "no offset": (ISSUES.replace("T12:00+01:00", "T12:00"), "issued_at"),
    "not a number": (ISSUES.replace(",1.0", ",one"), "f.csv:2.*'one' is not a number"),
    "within a step": (ISSUES.replace("T00:00", "T00:20"), "f.csv:2.*does not begin with a step of the case"),
    "the same again": (ISSUES + ISSUES.splitlines()[1] + "\n", "f.csv:3.*again"),
    "all of another year": (ISSUES.replace("2024-03-2", "2023-03-2"), "no issue reaches into the days"),
    "empty": ("issued_at,interval_start,v\n", "f.csv"),
}


@pytest.mark.parametrize("kind", BAD_ISSUES)
def test_bad_forecasts_are_refused_with_their_place(tmp_path, kind):
    """*Proves:* file and line of what cannot be right in forecasts that were kept.

    *Sensitivity:* a row left out in silence is an hour in which yesterday passes for the forecast.
    """
    text, words = BAD_ISSUES[kind]
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        read_backtest(write_backtest(tmp_path, surplus="{how: issued, file: f.csv, column: v}"))


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    """*Proves:* a folder with other files, a file in its place, and a mark that is no JSON are refused, each by name.

    *Sensitivity:* --fresh in the wrong folder must not be able to take anything else away.
    """
    other = tmp_path / "photos"
    other.mkdir()
    (other / "a.jpg").write_bytes(b"x")
    with pytest.raises(BadInput, match="photos: holds no back-test that flexmine wrote"):
        Parts.opened(other, "d", fresh=True)
    with pytest.raises(BadInput, match=r"a\.jpg: is no folder"):
        Parts.opened(other / "a.jpg", "d", fresh=True)
    assert [f.name for f in other.iterdir()] == ["a.jpg"]
    shutil.rmtree(other)
    other.mkdir()
    (other / "backtest.json").write_text("{")
    with pytest.raises(BadInput, match=r"backtest\.json: cannot be read"):
        Parts.opened(other, "d", fresh=False)
