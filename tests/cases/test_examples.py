"""The examples: each plans to its gap, passes the audit of its files, and shows what it was written to show."""

from __future__ import annotations

import re

import numpy as np
import pytest

import flexmine
from flexmine.audit.directory import audit_directory
from flexmine.output import write_plan
from flexmine.report.day import day_figure
from flexmine.report.sentence import finding
from flexmine.solving.phases import Phases
from pages import DOCS, EXAMPLES

RESERVE_MW = 0.004
"""What the model stays away from limits, for rounding to whole miners."""


@pytest.fixture(scope="module")
def plans():
    return {name: flexmine.plan(flexmine.load_case(name)) for name in EXAMPLES}


def codes(plan, steps=slice(None)):
    """Return the reason codes that occur in some steps."""
    return {text.partition(":")[0] for row in plan.reasons.text for text in row[steps]}


def changed(name, changes):
    """Return an example with other values of its case."""
    return flexmine.load_case(name).with_changes(changes)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_plans_to_its_gap_and_passes_the_audit_of_its_files(plans, name, tmp_path):
    """*Proves:* optimal within 1e-4; the written files alone replay to the same money, and no rule earns more.

    *Sensitivity:* a limit that the example needs and the tables lose (an order, an outage, a window) fails the replay.
    """
    plan = plans[name]
    assert plan.status is flexmine.Status.OPTIMAL
    assert plan.gap <= 1e-4
    assert plan.filled == ()
    write_plan(plan, tmp_path / "plan", Phases(), report=False)
    result = audit_directory(tmp_path / "plan")
    assert result.ok, result.violations
    for rule in plan.rules:
        # The rules are rounded too, and may use a part of the reserve that the bound leaves.
        assert rule.money_usd is None or rule.money_usd <= plan.bound_usd + 1e-5 * abs(plan.bound_usd)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_of_an_example_quotes_what_the_plan_finds(plans, name):
    """*Proves:* date, MWh and USD that the page quotes are those of the plan, to 1 %.

    *Sensitivity:* a case changed without its page fails.
    """
    text = (DOCS / "examples" / f"{name}.md").read_text(encoding="utf-8")
    quoted = next(line for line in text.splitlines() if line.startswith("> "))
    words, numbers = [], []
    for sentence in (quoted[2:], finding(plans[name])):
        spaced = re.sub(r"(?<=\d)[ \u202f](?=\d{3}\b)", "", sentence)
        first = spaced[: spaced.index("USD")].replace("\u202f", " ")
        numbers.append([float(n) for n in re.findall(r"\d+\.?\d*", first)])
        words.append(re.sub(r"\d+\.?\d*", "#", first))
    assert words[0] == words[1]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.01)


def test_deep_winter_starts_cold(plans):
    """After 12 hours asleep at -40 C the boxes are at -6 C: every start is cold, and heats 6.6 MJ/K by 6 K and more.

    *Proves:* 14 cold starts, none warm, and preheat at the meter.
    *Sensitivity:* stopped one hour ago at +18 C inside, the same containers start warm and draw no preheat.
    """
    plan = plans["deep-winter"]
    assert (plan.replay.cold_start.sum(), plan.replay.warm_start.sum()) == (14, 0)
    assert plan.setpoints["preheat_mw"].sum() > 14 * 6.6 * 6 / 3600
    rested = {"state.default.hours": 3.0, "state.default.inside_temperature_c": 18.0}
    warm = flexmine.plan(changed("deep-winter", rested))
    assert (warm.replay.cold_start.sum(), warm.replay.warm_start.sum()) == (0, 14)
    assert warm.setpoints["preheat_mw"].sum() == 0.0
    assert warm.money_usd > plan.money_usd + 14 * 45 - 1.0


def test_inside_the_ban_nothing_runs_and_the_plan_says_why(plans):
    """*Proves:* all off, each step names the window, the finding says so, and sleeping miners are still paid for.

    *Sensitivity:* the same day without the window runs all containers and earns more than 30,000 USD.
    """
    plan = plans["deep-winter-ban"]
    assert not plan.schedule.on.any()
    assert codes(plan) == {"window"}
    assert all("winter-ban" in text for row in plan.reasons.text for text in row)
    assert plan.money_usd == pytest.approx(-48 * 14 * 0.01 * 10.0)
    assert finding(plan).endswith("No container runs, because of the window winter-ban.")
    assert flexmine.plan(changed("deep-winter-ban", {"windows": []})).money_usd > 30_000


def test_heat_derates_at_the_hottest_hours(plans):
    """Inlet = outside + 5 K; from 35 C on power falls linearly to 90 % at 47 C, so 35.6 C leaves
    1.30 x (1 - 0.1 x 5.6 / 12) = 1.2393 MW.

    *Proves:* where it is above 30 C every container runs at exactly what heat leaves, and the reason is heat.
    *Sensitivity:* without derating they would run at 1.30 MW, as they do at night.
    """
    plan = plans["summer-heat"]
    temperature_c = np.asarray(plan.temperature_c)
    assert temperature_c.max() == pytest.approx(35.6)
    left_mw = 1.30 * (1 - 0.1 * np.clip(temperature_c + 5.0 - 35.0, 0.0, 12.0) / 12.0)
    assert left_mw.min() == pytest.approx(1.2393, abs=1e-4)
    hot = temperature_c > 30.0
    assert hot[: plan.publish_steps].sum() >= 8
    power_mw = plan.schedule.it_power_mw
    one_miner_mw = 0.65e-3  # from 2,600 to 3,250 W
    assert np.all(np.abs(power_mw[:, hot] - left_mw[hot]) <= one_miner_mw)
    assert all(plan.reasons.text[0][t].startswith("heat:") for t in np.flatnonzero(hot))
    assert np.allclose(power_mw[:, ~hot], 1.30, atol=1e-6)
    assert "heat limits containers 09:00–21:00" in finding(plan)


def test_heat_takes_from_an_on_off_plant_too(plans):
    """Seven containers run at the most that heat leaves in every step: an on/off plant would do just the same.

    *Proves:* modes are worth nothing on this day.
    *Sensitivity:* an on/off plant that could not run derated would stand still in the heat, and modes seem worth
    more than half of the money.
    """
    plan = plans["summer-heat"]
    assert plan.day_kind is not None
    assert plan.day_kind.full_power_usd == pytest.approx(plan.money_usd, rel=1e-4)


def test_the_order_at_noon_is_obeyed_within_the_ramps(plans):
    """*Proves:* at most 3 MW from 12:00 to 15:00 and 4 MW per hour in and out of it, the order named as the reason.

    *Sensitivity:* without the order the site stays at its cap of 10 MW through noon.
    """
    plan = plans["curtailment-noon"]
    power_mw = plan.replay.site_power_mw
    assert np.all(power_mw[12:15] <= 3.0 + 1e-3)
    assert np.all(power_mw[12:15] >= 3.0 - 2 * RESERVE_MW)
    assert power_mw[11] <= 7.0 + 1e-3
    assert power_mw[15] <= 7.0 + 1e-3
    assert codes(plan, slice(12, 15)) == {"order"}
    assert "ramp_down" in codes(plan, slice(11, 12))
    assert "order noon caps the site at 3 MW 12:00–15:00" in finding(plan)
    free = flexmine.plan(changed("curtailment-noon", {"orders": []}))
    assert np.all(free.replay.site_power_mw[11:16] > 9.98)


def test_outage_and_trip_keep_their_containers_out_and_say_so(plans):
    """*Proves:* C03 is out from 06:00 to 14:00, C07 from 00:00 to 05:00 against its minimum up time, which is told;
    after 8 hours off C03 starts cold, after 5 C07 starts warm (it is warm for 6).

    *Sensitivity:* a plan that kept C07 to its 4 hours, or forgot the outage, has it on.
    """
    plan = plans["outage-and-trip"]
    rows = {name: i for i, name in enumerate(plan.schedule.containers)}
    on = plan.schedule.on
    assert not on[rows["C03"], 6:14].any()
    assert not on[rows["C07"], 0:5].any()
    assert on[rows["C03"]].any()
    assert on[rows["C07"], 5:].any()
    # Back in service, C03 and C07 run as hard as the twelve that are a class of their own.
    together = plan.schedule.it_power_mw[:, 20]
    assert np.ptp(together) <= 2e-3
    out = plan.setpoints[plan.setpoints["state"] == "out"].groupby("container").size()
    assert out.to_dict() == {"C03": 8, "C07": 5}
    assert len(plan.overrides) == 1
    assert "C07" in plan.overrides[0]
    assert "minimum up time" in plan.overrides[0]
    assert (plan.replay.cold_start[rows["C03"]].sum(), plan.replay.warm_start[rows["C07"]].sum()) == (1, 1)
    assert "C03 is out 06:00–14:00 (filter change); C07 is out 00:00–05:00 (tripped breaker)" in finding(plan)
    assert plan.reasons.text[rows["C03"]][8].startswith("outage: filter change")
    assert plan.reasons.text[rows["C07"]][2].startswith("outage: tripped breaker")


def test_at_a_negative_price_the_site_draws_its_cap_from_firm_power(plans):
    """*Proves:* in the three hours below zero the site is at its cap, all of it firm, the surplus at 10 USD left.

    *Sensitivity:* a merit order by kind (surplus first) would take it.
    """
    plan = plans["negative-prices"]
    surplus, grid = plan.problem.sources
    below = np.flatnonzero(grid.price_usd_per_mwh < 0)
    assert below.tolist() == [12, 13, 14]
    assert np.all(plan.replay.site_power_mw[below] >= 10.0 - 2 * RESERVE_MW)
    assert np.all(surplus.available_mw[below] > 0.1)
    taken = dict(zip(("surplus", "grid"), plan.schedule.supply_mw[:, below], strict=True))
    assert np.allclose(taken["surplus"], 0.0, atol=1e-6)
    assert np.all(plan.site["energy_cost_usd"].to_numpy()[below] < 0)


def test_the_last_hash_falls_before_the_ban_and_the_ramp_is_kept(plans):
    """At most 4 MW less per hour: 10, 8.14, 4.14, then 0.14 MW asleep from midnight on.

    *Proves:* nothing runs from 15 November 00:00 on; the fall before it is a ramp, and is named so.
    *Sensitivity:* a plan that looked only at its 24 published hours would run at the cap until midnight.
    """
    plan = plans["ban-at-midnight"]
    assert plan.publish_steps == 24
    assert plan.schedule.on[:, 23].any()
    assert not plan.schedule.on[:, 24:].any()
    power_mw = plan.replay.site_power_mw
    assert np.diff(power_mw).min() >= -4.0 - 1e-3
    assert power_mw[21:25] == pytest.approx([10.0, 8.14, 4.14, 0.14], abs=0.02)
    assert codes(plan, slice(22, 24)) == {"ramp_down"}
    assert codes(plan, slice(24, 48)) == {"window"}
    assert "the window winter-ban closes the site from Sat 15 Nov 00:00" in finding(plan)


@pytest.mark.parametrize(("name", "steps", "twice"), [("day-of-23-hours", 92, []), ("day-of-25-hours", 100, [8, 12])])
def test_a_day_of_23_or_25_hours_is_whole(plans, name, steps, twice):
    """*Proves:* 92 or 100 published quarters; 02:00 stands twice, with both offsets, or not at all.

    *Sensitivity:* a day counted as 96 quarters ends an hour early or late.
    """
    plan = plans[name]
    site = plan.site
    published = site[site["published"] == 1]
    assert len(published) == plan.publish_steps == steps
    starts = list(published["interval_start"])
    at_two = [i for i, text in enumerate(starts) if text[11:16] == "02:00"]
    assert at_two == twice
    assert [starts[i][-6:] for i in twice] == ["+02:00", "+01:00"][: len(twice)]
    assert starts[0][:10] == starts[-1][:10]
    assert (starts[0][11:16], starts[-1][11:16]) == ("00:00", "23:45")


def test_surplus_left_behind_cheaper_firm_power_is_drawn_where_it_is(plans):
    """Until 08:00 firm power is cheaper than surplus: the site draws 10 MW of it and leaves up to 9.6 MW of surplus.

    *Proves:* no band of the power chart reaches above its axis; what is left stands between 0 and what is offered.
    *Sensitivity:* stacked above the firm power it would reach 19.6 MW, out of the chart.
    """
    spec = day_figure(plans["day-of-25-hours"]).panels[0].spec
    layers = {str(layer["mark"].get("fill", "")): layer for layer in spec["layer"] if layer["mark"]["type"] == "rect"}
    behind = spec["datasets"][layers["url(#hatch-behind)"]["data"]["name"]]
    assert len(behind) == 4 * 9
    assert all(row["a"] == 0.0 and 2.0 < row["b"] < 9.7 for row in behind)
    highest = layers["url(#hatch-behind)"]["encoding"]["y"]["scale"]["domain"][1]
    bands = [row for rows in spec["datasets"].values() for row in rows if "a" in row and "b" in row]
    assert max(row["b"] for row in bands) <= highest
