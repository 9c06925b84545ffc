"""Whole miners before the audit: mixes are priced as they are, doctored ones refused, in memory and in files."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from audit_plants import edit_csv, edit_json, plan_of, reseal, two_containers, write_plan
from flexmine.audit.directory import audit_directory
from flexmine.audit.replay import replay
from flexmine.planning.rounding import round_schedule
from flexmine.problem import Miners
from flexmine.problem.schedule import Schedule, supply_by_merit

MINERS = Miners(400, ((1300.0, 57.2), (1950.0, 79.3), (2600.0, 96.2), (3250.0, 110.0)), 25.0, 0.004)
POWER_MW = ((0.0, 0.7, 1.0, 0.0, 0.75, 0.6), (0.0,) * 6)


def plant():
    """Return two containers of the reference ladder with 4 kW fixed, and the model's schedule."""
    problem = two_containers(
        it_power_mw=(0.524, 0.784, 1.044, 1.304), hash_rate_th_s=(22880.0, 31720.0, 38480.0, 44000.0),
        max_it_power_mw=1.304, miners=MINERS,
    )  # fmt: skip
    problem = replace(problem, site=replace(problem.site, rounding_reserve_mw=0.004))
    power = np.array(POWER_MW)
    blank = Schedule(tuple(n for n, _ in problem.containers), power > 0, power, np.zeros((2, 6)))
    return problem, replace(blank, supply_mw=supply_by_merit(problem, replay(problem, blank).site_power_mw))


def rounded_plant():
    problem, schedule = plant()
    return problem, round_schedule(problem, schedule)


def test_the_hash_of_the_mix_is_priced():
    """Step 1: 0.7 MW; (700 - 4 - 520) kW / 650 W = 270.77, nearest 271: 271 x 79.3 + 129 x 57.2 = 28,869.1 TH/s.

    *Proves:* power and hash of the rounded plan are those of whole miners.
    *Sensitivity:* the curve at 0.7 MW gives 28,864.0.
    """
    problem, schedule = rounded_plant()
    assert schedule.mixes is not None
    assert schedule.mixes[0, 1].tolist() == [0, 129, 271, 0, 0]
    assert schedule.it_power_mw[0, 1] == pytest.approx(0.70015)
    found = replay(problem, schedule, 1e-3, 0.004)
    assert found.ok
    assert found.hash_rate_th_s[0, 1] == pytest.approx(28869.1)
    assert found.usd["hash_revenue"][1] == pytest.approx(28869.1 * 0.002)


def _one_less(mixes):
    mixes[0, 1, 1] -= 1


def _other_level(mixes):
    mixes[0, 1, 1] -= 1
    mixes[0, 1, 2] += 1


def _negative(mixes):
    mixes[0, 1] = [-271, 129 + 542, 0, 0, 0]


def _asleep_and_off(mixes):
    mixes[1, 2, 0] = 400


@pytest.mark.parametrize(
    ("doctor", "limit"),
    [
        (_one_less, "miner_count"),
        (_other_level, "miner_power"),
        (_negative, "miner_count"),
        (_asleep_and_off, "miner_count"),
    ],
)
def test_a_doctored_mix_is_a_violation(doctor, limit):
    """*Proves:* a miner too few, another power, a negative count and a mix of an off container are found.

    *Sensitivity:* a check of the sum alone would let the other power and the negative count pass.
    """
    problem, schedule = rounded_plant()
    assert schedule.mixes is not None
    mixes = schedule.mixes.copy()
    doctor(mixes)
    found = replay(problem, replace(schedule, mixes=mixes), 1e-3, 0.004)
    assert [v.limit for v in found.violations] == [limit]


def test_mixes_of_another_shape_are_refused():
    """*Proves:* fewer levels than presets are no mixes.  *Sensitivity:* an index error would be no sentence."""
    problem, schedule = rounded_plant()
    assert schedule.mixes is not None
    with pytest.raises(ValueError, match="4 levels, 5 are needed"):
        replay(problem, replace(schedule, mixes=schedule.mixes[:, :, :4]))
    with pytest.raises(ValueError, match="mixes have shape"):
        replay(problem, replace(schedule, mixes=schedule.mixes[:1]))


@pytest.fixture
def directory(tmp_path):
    problem, schedule = plant()
    plan = plan_of(problem, schedule)
    money = replay(problem, schedule).money_usd
    bound = money + 0.004
    plan = replace(plan, money_usd=money, bound_usd=bound, gap=(bound - money) / money)
    return write_plan(plan, tmp_path / "plan")


def test_a_written_plan_of_whole_miners_passes(directory):
    """*Proves:* mix, miners on and loss are written and accepted.  *Sensitivity:* any wrong cell is named."""
    result = audit_directory(directory)
    assert result.ok, result.violations
    rows = (directory / "setpoints.csv").read_text().splitlines()
    assert ",C01,box,on,0.700150,0.000000,0.770165,28869.1,400,1950x271;1300x129," in rows[3]
    assert ",C02,box,off,0.000000,0.000000,0.010000,0.0,0,," in rows[4]
    document = json.loads((directory / "plan.json").read_text())
    loss = document["money_usd"] - document["rounded_money_usd"]
    assert document["rounding_loss_usd"] == pytest.approx(loss, abs=2e-4)
    assert document["rounding_loss_share"] == pytest.approx(loss / document["money_usd"], abs=1e-6)


def _cell(column, text, row=2):
    return lambda rows: rows[row].update({column: text})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_cell("miner_mix", "1950x271;1300x128"), "counts 399 miners at the presets of its class; 400 are expected"),
        (_cell("miner_mix", "1950x272;1300x128"), "its mix draws 700800 W, its IT power is 700150 W"),
        (_cell("miner_mix", "2100x271;1300x129"), "no miner of the class draws 2100 W; allowed are 25, 1300, 1950"),
        (_cell("miner_mix", ""), "counts 0 miners"),
        (_cell("miner_mix", "1950x271 1300x129"), "is not of the form WATTSxCOUNT"),
        (_cell("miner_mix", "1950x271;1950x129"), "1950 W stands twice"),
        (_cell("miner_mix", "1950x-1;1300x401"), "is not of the form WATTSxCOUNT"),
        (_cell("miner_mix", "1300x400", row=3), "counts 400 miners at the presets of its class; 0 are expected"),
        (_cell("miners_on", "399"), "miners_on of container C01 at 2024-09-10 01:00+08:00: '399' is written, '400'"),
        (_cell("hash_rate_th_s", "28875.0"), "hash_rate_th_s of container C01"),
    ],
)
def test_a_doctored_cell_is_refused(directory, change, text):
    """*Proves:* each kind of wrong mix is named with container and time, though the hashes were sealed anew.

    *Sensitivity:* without its check the directory would pass.
    """
    edit_csv(directory / "setpoints.csv", change)
    reseal(directory)
    result = audit_directory(directory)
    assert any(text in v for v in result.violations), result.violations
    assert any("C01" in v or "C02" in v for v in result.violations)


@pytest.mark.parametrize("key", ["rounding_loss_usd", "rounding_loss_share"])
def test_a_loss_that_is_not_the_difference_is_refused(directory, key):
    """*Proves:* the loss to rounding is worked out anew.  *Sensitivity:* 0 would be a nicer figure."""
    edit_json(directory / "plan.json", lambda document: document.update({key: 5.0}))
    assert any(f"plan.json: {key}" in v for v in audit_directory(directory).violations)


def test_a_container_may_pass_its_highest_power_by_one_miner_only():
    """Highest 0.6995 MW, one miner 3,225 W: 274 miners up draw 0.7021 MW, 275 draw 0.70275 MW, 25 W too much.

    *Proves:* one miner of slack for mixes, no more, and none without mixes.
    *Sensitivity:* 1 kW of slack would refuse what joint rounding needs; no limit would let 0.70275 MW pass.
    """
    problem, schedule = plant()
    problem = replace(problem, classes=(replace(problem.classes[0], max_it_power_mw=np.full(6, 0.6995)),))
    power, on = np.zeros((2, 6)), np.zeros((2, 6), dtype=bool)
    on[0, 1:3] = True
    codes = []
    for up in (274, 275):
        mixes = np.zeros((2, 6, 5), dtype=np.int32)
        mixes[0, 1:3] = [0, 400 - up, up, 0, 0]
        power[0, 1:3] = 0.004 + ((400 - up) * 1300 + up * 1950) / 1e6
        for counted in (mixes, None):
            found = replay(problem, replace(schedule, on=on, it_power_mw=power, mixes=counted), 1e-6)
            codes.append(any(v.limit == "maximum_power" for v in found.violations))
    assert codes == [False, True, True, True]
