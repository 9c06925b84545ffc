"""Back-tests of a small plant from file to folder, over the day on which the clocks change."""

import csv
import json
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import flexmine
from flexmine.errors import BadInput
from flexmine.problem.money import money_terms
from years import ALL, FIRST, ZONE, write_backtest

TUNED = f"tuned_until: {FIRST + timedelta(days=3)}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight days of all policies."""
    folder = tmp_path_factory.mktemp("year")
    flexmine.backtest(write_backtest(folder, more=TUNED), folder / "out")
    return folder


def rows(folder, policy):
    """Return the steps of a policy."""
    with (folder / "out" / "parts" / f"{policy}-1.csv").open() as file:
        return list(csv.DictReader(file))


def about(folder, policy):
    """Return what is said of a part."""
    return json.loads((folder / "out" / "parts" / f"{policy}-1.json").read_text())


def test_nobody_earns_more_than_the_bound_of_perfect_foresight(folder):
    """*Proves:* every policy keeps every limit, and none earns more than the proven bound of one solve over all days;
    perfect foresight comes within its gap of that bound.

    *Sensitivity:* a start that is not paid for, or a state that is not carried over midnight, earns more.
    """
    bound = about(folder, "perfect")["bound_usd"]
    for policy in ALL.split(", "):
        assert about(folder, policy)["broken"] == 0, about(folder, policy)["violations"]
        assert sum(float(row["money_usd"]) for row in rows(folder, policy)) <= bound + 1e-6
    assert sum(float(row["money_usd"]) for row in rows(folder, "perfect")) >= bound * (1 - 2e-4)


def test_all_days_are_there_and_the_short_one_is_short(folder):
    """*Proves:* 8 days with one of 23 hours are 191 steps, with offsets.  *Sensitivity:* days of 24 steps each."""
    times = [row["interval_start"] for row in rows(folder, "replan")]
    assert len(times) == 8 * 24 - 1
    assert times[0] == f"{FIRST}T00:00:00+01:00"
    assert times[-1].endswith("T23:00:00+02:00")


@pytest.mark.parametrize("policy", ["greedy", "nightly", "replan", "perfect"])
def test_money_repriced_without_the_package(folder, policy):
    """*Proves:* revenue, energy and starts follow from the states, the series as written and the plant's numbers, by
    sums that share nothing with the package; supply adds up, and the cheaper source goes first.

    *Sensitivity:* settling against what was forecast instead of what came gives other sums.
    """

    def series(name):
        with (folder / f"{name}.csv").open() as file:
            return {row[0]: float(row[1]) for row in list(csv.reader(file))[1:]}

    price, surplus = series("price"), series("surplus")
    # A block takes 2^32 hashes times the difficulty; the pool keeps the 2 % that a case assumes.
    usd_per_th_s_h = 0.98 * 3600e12 / (89.47e12 * 2**32) * (3.125 + 0.05) * 58000
    for row in rows(folder, policy):
        own = {key: float(value) for key, value in row.items() if key != "interval_start"}
        at = row["interval_start"]
        assert own["hash_revenue_usd"] == pytest.approx(own["hash_rate_th_s"] * usd_per_th_s_h, abs=1e-6)
        assert own["energy_cost_usd"] == pytest.approx(10 * own["surplus_mw"] + price[at] * own["grid_mw"], abs=1e-6)
        assert own["facility_power_mw"] == pytest.approx(own["surplus_mw"] + own["grid_mw"], abs=1e-6)
        assert own["surplus_mw"] <= surplus[at] + 1e-6
        if price[at] > 10 and own["grid_mw"] > 1e-6:
            assert own["surplus_mw"] == pytest.approx(surplus[at], abs=1e-6)
        assert own["start_cost_usd"] == pytest.approx(5 * own["warm_starts"] + 20 * own["cold_starts"], abs=1e-6)
        assert own["money_usd"] == pytest.approx(
            own["hash_revenue_usd"] - own["energy_cost_usd"] - own["start_cost_usd"], abs=1e-6
        )


def test_a_planted_future_changes_nothing_that_was_done_before(folder, tmp_path):
    """*Proves:* with other surplus, prices and weather from noon of the sixth day on, every step of every policy but
    perfect foresight up to eleven is the same, byte by byte; what comes after is not.

    *Sensitivity:* one policy that looks an hour too far, such as at the running hour of what it plans, fails.
    """
    noon = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=ZoneInfo(ZONE)) + timedelta(days=5)
    flexmine.backtest(write_backtest(tmp_path, more=TUNED, changed_from=noon), tmp_path / "out")
    for policy in ALL.split(", "):
        old, new = ((f / "out" / "parts" / f"{policy}-1.csv").read_bytes().split(b"\n") for f in (folder, tmp_path))
        at = next(i for i, line in enumerate(old) if line.startswith(noon.isoformat().encode()))
        # Prices of the sixth day are out on the fifth, so that only the decisions of the fifth up to 13:00 are alike.
        known_from = at - 23
        if policy != "perfect":
            assert old[:known_from] == new[:known_from], policy
        assert old[at:] != new[at:], policy


def test_finished_parts_are_kept_and_the_rest_comes_out_the_same(folder, tmp_path):
    """*Proves:* a part that is missing is run again with the same bytes, by one process or by two; parts that are
    there are not touched; another back-test is refused in the same folder unless it is asked to begin anew.

    *Sensitivity:* a draw or a sum that depends on the order of the work.
    """
    out = folder / "out"
    names = ("greedy-1.csv", "nightly-1.csv")
    before = {name: (out / "parts" / name).read_bytes() for name in names}
    whole = {f.name: f.read_bytes() for f in out.iterdir() if f.is_file()}
    kept = (out / "parts" / "replan-1.csv").stat().st_mtime_ns
    for name in names:
        (out / "parts" / name).with_suffix(".json").unlink()
        (out / "parts" / name).unlink()
    flexmine.backtest(folder / "backtest.yaml", out, workers=2)
    assert {name: (out / "parts" / name).read_bytes() for name in names} == before
    assert (out / "parts" / "replan-1.csv").stat().st_mtime_ns == kept
    assert {f.name: f.read_bytes() for f in out.iterdir() if f.is_file()} == whole
    other = write_backtest(tmp_path, more=TUNED + "lag_min: 70\n")
    with pytest.raises(BadInput, match=r"holds a back-test of another file.*--fresh"):
        flexmine.backtest(other, out)


def test_the_command_goes_on_and_writes_parquet(folder):
    """*Proves:* the command finds what is finished, prints the page on stdout and the finding on stderr, and all steps
    of all policies stand in one Parquet file.

    *Sensitivity:* a digest that differs between command and function would run all anew, or refuse.
    """
    arguments = ("backtest", folder / "backtest.yaml", "--out", folder / "out", "--parquet")
    done = subprocess.run(
        [sys.executable, "-m", "flexmine", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stdout.strip().endswith("backtest.html")
    assert "Over 8 days the plant would have earned" in " ".join(done.stderr.split())
    assert max(map(len, done.stderr.splitlines())) <= 80
    steps = pd.read_parquet(folder / "out" / "steps.parquet")
    assert len(steps) == 7 * 191
    replan = steps[steps["policy"] == "replan"]
    assert replan["money_usd"].tolist() == [float(row["money_usd"]) for row in rows(folder, "replan")]


def test_knowing_less_never_pays_more_than_chance(folder):
    """*Proves:* who plans anew every hour earns at least what the plan of the night earns over these days, and the
    summary's columns are the sums of the steps.

    *Sensitivity:* setpoints that act an hour late, or columns of another policy.
    """
    with (folder / "out" / "summary.csv").open() as file:
        totals = {row["policy"]: row for row in csv.DictReader(file)}
    assert list(totals) == ALL.split(", ")
    assert float(totals["replan"]["money_usd"]) > float(totals["nightly"]["money_usd"])
    for policy, total in totals.items():
        steps = rows(folder, policy)
        for term in money_terms(by_step=True):
            assert float(total[term.key]) == pytest.approx(sum(float(row[term.key]) for row in steps))
        assert float(total["grid_mwh"]) == pytest.approx(sum(float(row["grid_mw"]) for row in steps))
        assert float(total["starts"]) == sum(float(row["warm_starts"]) + float(row["cold_starts"]) for row in steps)
