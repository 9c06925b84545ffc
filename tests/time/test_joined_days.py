"""Three nights in a row around a change of the clock: what is published, joined, replayed and priced by hand.

Nothing of flexmine's arithmetic is used here: the written CSV files, the shipped table of the example, and the
numbers that the case states.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

import pytest

import flexmine
from flexmine.inputs.case import load_case
from flexmine.output import write_plan
from flexmine.resources import shipped_root
from flexmine.solving.phases import Phases

CONTAINERS = 14
QUARTER_H = 0.25
TH_S_OF_WATTS = {3250: 110.0, 2600: 96.2, 1950: 79.3, 1300: 57.2, 25: 0.0}
SURPLUS_USD_PER_MWH, SURPLUS_SHARE = 10.0, 0.05


@dataclass(frozen=True)
class Days:
    """A case with the nights before and after it: (start, hours), its table, and the numbers it states."""

    case: str
    table: str
    nights: tuple[tuple[str, int], ...]
    usd_per_eur: float
    btc_price_usd: float
    difficulty: float
    fees_btc: float

    @property
    def hash_value_usd_per_th_s_h(self) -> float:
        """10^12 x 3600 x (3.125 + fees) / (difficulty x 2^32) x price x 0.98."""
        return 1e12 * 3600 * (3.125 + self.fees_btc) / (self.difficulty * 2**32) * self.btc_price_usd * 0.98


SPRING = Days(
    "day-of-23-hours",
    "spring_change.csv",
    (("2025-03-29T00:00:00+01:00", 24), ("2025-03-30T00:00:00+01:00", 23), ("2025-03-31T00:00:00+02:00", 24)),
    1.08, 82_000, 113.76e12, 0.02,
)  # fmt: skip
AUTUMN = Days(
    "day-of-25-hours",
    "autumn_change.csv",
    (("2025-10-25T00:00:00+02:00", 24), ("2025-10-26T00:00:00+02:00", 25), ("2025-10-27T00:00:00+01:00", 24)),
    1.16, 110_000, 150e12, 0.02,
)  # fmt: skip


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def plan_nights(days, folder):
    """Plan night after night, each from the state that the one before leaves; return the directories."""
    text = (shipped_root("models") / "cases" / f"{days.case}.yaml").read_text(encoding="utf-8")
    (own_start, own_hours) = days.nights[1]
    head, _, tail = text.partition("state:\n")
    state, options = tail.partition("options:")[0], tail.partition("options:")[2]
    directories = []
    for start, hours in days.nights:
        named = head.replace(f"start: {own_start}", f"start: {start}")
        named = named.replace(f"publish_h: {own_hours}", f"publish_h: {hours}")
        case = folder / f"{start[:10]}.yaml"
        case.write_text(f"{named}state:\n{state}options:{options}", encoding="utf-8")
        directories.append(folder / start[:10])
        write_plan(flexmine.plan(load_case(case)), directories[-1], Phases(), report=False)
        after = json.loads((directories[-1] / "plan.json").read_text())["state_after"]
        state = "  " + json.dumps(after) + "\n"
    return directories


def joined(directories, name):
    return [row for d in directories for row in rows_of(d / name) if row["published"] == "1"]


def start_costs(on):
    """Return the start cost by quarter of one container [USD], and check its minimum times; on for 10 h before."""
    runs = [(state, len(list(group))) for state, group in groupby([True] * 40 + on)]
    cost, at = defaultdict(float), -40
    for i, (state, length) in enumerate(runs):
        ends_inside = i < len(runs) - 1
        assert not ends_inside or length >= (16 if state else 8), "4 h on, 2 h off at least"
        if state and i > 0:
            cost[at] = 15.0 if runs[i - 1][1] <= 24 else 60.0
        at += length
    return cost


@pytest.mark.parametrize("days", [SPRING, AUTUMN], ids=["23 hours", "25 hours"])
def test_the_joined_nights_are_whole_and_their_money_is_right(days, tmp_path):
    """*Proves:* 96, 92 or 100, and 96 quarters follow each other without a hole; every container keeps its minimum
    times and the site its cap and ramps across the seams; money by hand equals what the plans say, day by day.

    *Sensitivity:* a day taken as 24 hours leaves a hole or an overlap of four quarters; prices moved by an hour,
    or a quarter counted as an hour, change the money.
    """
    directories = plan_nights(days, tmp_path)
    site, setpoints = joined(directories, "site.csv"), joined(directories, "setpoints.csv")
    quarters = [4 * hours for _, hours in days.nights]
    begins = [datetime.fromisoformat(row["interval_start"]) for row in site]
    assert len(begins) == sum(quarters)
    assert all(b - a == timedelta(minutes=15) for a, b in pairwise(begins))
    by_day = [len(list(g)) for _, g in groupby(begins, key=lambda b: b.date())]
    assert by_day == quarters

    table = {row["interval_start"]: row for row in rows_of(shipped_root("data") / days.table)}
    power_mw, hash_th_s, starts_usd = [0.0] * len(site), [0.0] * len(site), [0.0] * len(site)
    by_container = defaultdict(list)
    for row in setpoints:
        by_container[row["container"]].append(row)
    assert len(by_container) == CONTAINERS
    for rows in by_container.values():
        assert [row["interval_start"] for row in rows] == [row["interval_start"] for row in site]
        for t, row in enumerate(rows):
            watts = 0.0
            for part in filter(None, row["miner_mix"].split(";")):
                preset_w, count = (int(x) for x in part.split("x"))
                watts += preset_w * count
                hash_th_s[t] += TH_S_OF_WATTS[preset_w] * count
            warm_k = max(0.0, float(table[row["interval_start"]]["temperature_c"]) - 5.0)
            power_mw[t] += 1e-6 * watts * (1.02 + 0.0012 * warm_k) if row["state"] == "on" else 0.01
        for t, usd in start_costs([row["state"] == "on" for row in rows]).items():
            starts_usd[t] += usd

    money_usd = []
    for t, row in enumerate(site):
        source = table[row["interval_start"]]
        surplus, grid = float(row["surplus_mw"]), float(row["grid_mw"])
        assert surplus + grid == pytest.approx(power_mw[t], abs=2e-5)
        assert surplus <= SURPLUS_SHARE * float(source["generation_above_contract_mw"]) + 1e-5
        firm = float(source["price_eur_per_mwh"]) * days.usd_per_eur
        cost = QUARTER_H * (SURPLUS_USD_PER_MWH * surplus + firm * grid)
        money_usd.append(QUARTER_H * days.hash_value_usd_per_th_s_h * hash_th_s[t] - cost - starts_usd[t])
        assert money_usd[t] == pytest.approx(float(row["money_usd"]), abs=1e-3)
    assert max(power_mw) <= 10.0 + 1e-3
    assert max(abs(b - a) for a, b in pairwise(power_mw)) <= 1.0 + 1e-3
    first = 0
    for directory, count in zip(directories, quarters, strict=True):
        said = json.loads((directory / "plan.json").read_text())["published"]["money_usd"]
        assert sum(money_usd[first : first + count]) == pytest.approx(said, abs=0.01)
        first += count
    assert (sum(starts_usd) > 0) == (days is AUTUMN), "the autumn nights stop and start containers"
