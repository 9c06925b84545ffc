"""Reasons, miners, marginal values, carbon and the split of the money: each where the plan holds it, and right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flexmine.audit.reason_codes import CODES
from flexmine.baselines.value_of_planning import ValueOfPlanning
from flexmine.explain.reasons import Reasons
from flexmine.planning.carbon import carbon_account
from flexmine.problem import Miners
from flexmine.problem.limits import worth_something
from flexmine.report.carbon_chart import carbon_figure, mass, significant
from flexmine.report.charts import quick_charts
from flexmine.report.container_map import map_figure, mix_words
from flexmine.report.day import day_figure
from flexmine.report.marginal_chart import marginal_figure
from flexmine.report.money_chart import money_figure, preference_words, rounding_words
from flexmine.report.page import all_figures, report_html
from flexmine.report.palette import MINUS, THIN
from flexmine.report.reasons_chart import reasons_figure
from flexmine.report.sentence import verdict
from flexmine.report.terminal import summary
from flexmine.solving.marginal import MarginalValues

STEPS = 24


def plain(text: str) -> str:
    return text.replace(THIN, " ").replace(MINUS, "-")


def rows_of(panel, field: str) -> list[dict]:
    return next(rows for rows in panel.spec["datasets"].values() if rows and field in rows[0])


def marginal(**known) -> MarginalValues:
    members = {"supply_limit": 2, "feeder_cap": 0}
    nothing = {limit.row: np.zeros((members.get(limit.row, 1), STEPS)) for limit in worth_something()}
    return MarginalValues(nothing | {row: np.atleast_2d(series) for row, series in known.items()})


@pytest.fixture
def told(make_plan):
    """C02 is off until 06:00 for the price, then until 08:00 for its start cost; surplus is worth 40, then 90 USD."""
    on = np.ones((2, STEPS), dtype=bool)
    on[1, :8] = False
    second = [f"price: grid costs {80 + t}.00" for t in range(6)] + ["start_cost: a start costs 15"] * 2
    worth = np.zeros((2, STEPS))
    worth[0] = np.where(np.arange(STEPS) < 12, 40.0, 90.0)
    text = (("cap",) * STEPS, (*second, *(("full",) * (STEPS - 8))))
    return make_plan(on=on, reasons=Reasons(text, marginal(supply_limit=worth), True))


def test_nothing_is_shown_that_the_plan_does_not_hold(make_plan, told):
    """*Proves:* no section without its data. *Sensitivity:* an empty chart would claim that nothing is emitted."""
    assert [f.key for f in all_figures(make_plan())] == ["day", "map", "money"]
    assert [f.key for f in all_figures(told)] == ["day", "map", "reasons", "money", "marginal"]
    assert [p.key for p in money_figure(make_plan()).panels] == ["terms"]


def test_one_hour_is_an_hour(make_plan, make_problem):
    """*Proves:* `1 hour`, and `2 hours`.  *Sensitivity:* `in 1 hours`."""
    titles = [plain(day_figure(make_plan(make_problem(steps=steps))).title) for steps in (1, 2)]
    assert titles[0].endswith("of surplus stays unused in 1 hour, at the cap")
    assert titles[1].endswith("of surplus stays unused in 2 hours, all of them at the cap")


def test_container_hours_by_reason(told):
    """6 h price and 2 h start cost of 48 container-hours.

    *Proves:* counts, order, and the table row that answers "why is C02 off".
    *Sensitivity:* with the on hours counted too, "full" would be named.
    """
    figure = reasons_figure(told)
    assert figure.title == "Containers are off in 8 of 48 container-hours: price (6) and start cost (2)"
    assert [(r["n"], r["b"]) for r in rows_of(figure.panels[0], "n")] == [("price", 6.0), ("start cost", 2.0)]
    assert [(r["n"], r["b"]) for r in rows_of(figure.panels[1], "n")] == [("site cap", 24.0), ("full power", 16.0)]
    name = told.schedule.containers[1]
    assert [row[1:] for row in figure.table.rows if row[0] == name] == [
        ("off", "price", "6", "00:00–06:00", "grid costs 80.00 (the first of 6)"),
        ("off", "start_cost", "2", "06:00–08:00", "a start costs 15"),
        ("on", "full", "16", "08:00–24:00", ""),
    ]


def test_no_container_is_off(make_plan):
    """*Proves:* the title then says what sets the power. *Sensitivity:* "off in 0 of 48" says nothing."""
    plan = make_plan(reasons=Reasons((("cap",) * STEPS,) * 2, marginal(), False))
    figure = reasons_figure(plan)
    assert figure.title == "No container is off; site cap sets the power in 48 of 48 hours"
    assert "too large" in figure.source
    assert [p.key for p in figure.panels] == ["why-on"]


def test_every_code_has_words():
    """*Proves:* no plan can fail on a code. *Sensitivity:* a new code without words would raise KeyError."""
    assert all(code.chart for code in CODES.values())
    assert {name for name, code in CODES.items() if not code.words} == {"tie", "full"}


def test_the_hover_holds_reasons_once(told):
    """*Proves:* cells point to phrases, each written once, without underscores.

    *Sensitivity:* counted from another order C02 at 06:00 would show a price.
    """
    spec = map_figure(told).panels[0].spec
    phrases = next(p["value"] for p in spec["params"] if p["name"] == "phrases")
    cells = {(r["c"], r["t"]): r for r in rows_of(map_figure(told).panels[0], "s")}
    assert phrases[cells[1, 6]["r"]] == "start cost: a start costs 15"
    assert phrases[cells[0, 0]["r"]] == "cap"
    assert len(phrases) == len(set(phrases)) == 9


def test_mix_in_words():
    """243 miners at 2,024 W, 150 at 1,300 W and 7 asleep. *Proves:* highest first, sleepers last.

    *Sensitivity:* level 0 taken for a preset would put the sleepers at 1,300 W.
    """
    miners = Miners(400, ((1300.0, 57.0), (2024.0, 80.0)), 25.0)
    assert plain(mix_words(miners, np.array([7, 150, 243]))) == "243 at 2 024 W, 150 at 1 300 W, 7 asleep"
    assert mix_words(miners, np.array([0, 0, 0])) == mix_words(None, np.array([1])) == ""


def test_marginal_values_by_hour(told):
    """Surplus is worth 40, then 90 USD; cap and grid nothing; this plant has no ramp.

    *Proves:* title, line, and what is not drawn. *Sensitivity:* a ramp that is not a limit would be named.
    """
    figure = marginal_figure(told)
    assert plain(figure.title) == "One more MW of surplus is worth 40 to 90 USD an hour, commitment fixed"
    assert figure.notes == ("Worth nothing in any hour, and not drawn: more of grid and site cap.",)
    points = rows_of(figure.panels[0], "v")
    assert (points[0]["v"], points[-1]["v"], len(points)) == (40.0, 90.0, STEPS + 1)
    assert figure.table.columns == (
        "interval", "surplus, USD/(MW h)", "grid, USD/(MW h)", "site cap, USD/(MW h)", "part",
    )  # fmt: skip


def test_marginal_values_are_per_hour(make_plan, make_problem):
    """10 USD for one more MW in a step of 15 minutes is 40 USD per MW and hour.

    *Proves:* the unit. *Sensitivity:* per step it would be 10. A value that is not known is said to be so.
    """
    problem = make_problem(steps=STEPS, step_h=0.25)
    cap = np.full(STEPS, 10.0)
    cap[3] = np.nan
    figure = marginal_figure(make_plan(problem, reasons=Reasons((("cap",) * STEPS,) * 2, marginal(site_cap=cap), True)))
    assert plain(figure.title) == "One more MW of site cap is worth 40 USD an hour, commitment fixed"
    assert figure.table.rows[3][3] == "not known"
    assert len(rows_of(figure.panels[0], "v")) == STEPS


def test_two_limits_that_are_worth_something(make_plan):
    """Cap 40, surplus 15 USD. *Proves:* most expensive first. *Sensitivity:* by the legend surplus leads."""
    worth = np.zeros((2, STEPS))
    worth[0] = 15.0
    values = marginal(supply_limit=worth, site_cap=np.full(STEPS, 40.0))
    figure = marginal_figure(make_plan(reasons=Reasons((("cap",) * STEPS,) * 2, values, True)))
    assert plain(figure.title) == (
        "One more MW of site cap is worth 40 USD an hour, of surplus 15 USD an hour, commitment fixed"
    )
    assert [words for _, words in figure.panels[0].legend] == ["surplus", "site cap"]


def test_nothing_is_worth_more(make_plan):
    """*Proves:* said in words, with the table. *Sensitivity:* a chart of zeros would look like a finding."""
    figure = marginal_figure(make_plan(reasons=Reasons((("cap",) * STEPS,) * 2, marginal(), True)))
    assert figure.title == "With the commitment fixed, one more MW of any limit is worth nothing"
    assert figure.panels == ()
    assert len(figure.table.rows) == STEPS


@pytest.fixture
def with_carbon(make_plan, make_problem):
    """Return a maker: 2 MW, 1 MW each of surplus at 20 and firm power at 180 g/kWh, 0.0001 BTC per TH/s and hour."""

    def make(surplus_g: float | None = 20.0, headroom: float | None = None, firm_g: float = 180.0):
        problem = make_problem(surplus_mw=1.0)
        room = None if headroom is None else np.full(STEPS, headroom)
        grams = (surplus_g, firm_g)
        sources = tuple(
            replace(
                s,
                carbon_g_per_kwh=None if g is None else np.full(STEPS, g),
                headroom_mw=room if s.kind == "surplus" else None,
            )
            for s, g in zip(problem.sources, grams, strict=True)
        )
        plan = make_plan(replace(problem, sources=sources))
        account = carbon_account(plan.problem, plan.schedule, plan.replay, np.full(STEPS, 1e-4))
        return replace(plan, carbon=account)

    return make


def test_carbon_of_a_day(with_carbon):
    """24 h x (1 MWh x 20 + 1 MWh x 180 g/kWh) = 4,800 kg, 90 % of it from firm power.

    *Proves:* total, share, the stack of each hour and what is missing; nothing is called avoided.
    *Sensitivity:* per kWh taken as per MWh it would be 4.8 kg.
    """
    plan = with_carbon()
    figure = carbon_figure(plan)
    assert plain(figure.title) == "The power taken emits 4.8 t CO₂e, location-based; 90 % of it from grid"
    stack = [(r["a"], r["b"], r["c"]) for r in rows_of(figure.panels[0], "c") if r["t"] == 5]
    assert stack == [(0.0, 20.0, "surplus"), (20.0, 200.0, "firm")]
    assert figure.table.rows[0][1:4] == ("200.0", "20.0", "180.0")
    assert "avoided spill" not in " ".join(figure.notes[:1]) and figure.notes[-1].startswith(
        "Not known: source surplus"
    )
    rate = float(plan.replay.hash_rate_th_s.sum())
    per_th = 4_800_000.0 / (rate * 3600.0)
    assert plain(figure.notes[0]).startswith(f"{plain(significant(per_th))} g CO₂e per TH; ")


def test_carbon_that_is_not_known(with_carbon):
    """*Proves:* no chart and no number, but the words of what is missing. *Sensitivity:* taken as 0 it is drawn."""
    figure = carbon_figure(with_carbon(surplus_g=None))
    assert figure.title == "The carbon of the power is not known"
    assert figure.panels == ()
    assert "Not known: source surplus has no carbon_g_per_kwh." in figure.notes
    assert {row[1] for row in figure.table.rows} == {"not known"}


def test_power_without_emissions(with_carbon):
    """*Proves:* said in words, without an empty chart. *Sensitivity:* the share of the largest source divides by 0."""
    figure = carbon_figure(with_carbon(surplus_g=0.0, firm_g=0.0))
    assert figure.title == "The power taken emits no CO₂e, location-based"
    assert figure.panels == ()


def test_avoided_spill_only_where_it_is_stated(with_carbon):
    """Room for 0.5 of the 1 MW of surplus: 12 MWh. *Proves:* the room is read. *Sensitivity:* without it 24 MWh."""
    notes = plain(" ".join(carbon_figure(with_carbon(headroom=0.5)).notes))
    assert "12.0 MWh lie within the room of the turbines: avoided spill." in notes
    assert "avoided spill, MWh" in carbon_figure(with_carbon(headroom=0.5)).table.columns


def test_mass_and_significant_digits():
    """*Proves:* kg below one tonne, three digits without an exponent. *Sensitivity:* ".3g" writes 9.3e-06."""
    assert plain(mass(999.0)) == "999.0 kg CO₂e"
    assert plain(mass(20341.2)) == "20.3 t CO₂e"
    assert [significant(v) for v in (0.0, 9.3e-6, 0.000930021, 12.34)] == ["0", "0.00000930", "0.000930", "12.3"]


def test_what_planning_brings(make_plan):
    """4,320 USD, 3,000 with full power only, 4,200 by greedy: modes bring 1,320, looking ahead 120 USD.

    *Proves:* both bars, and words where one is not known. *Sensitivity:* swapped they would be 120 and 1,320.
    """
    figure = money_figure(make_plan(day_kind=ValueOfPlanning(4320.0, 3000.0, 4200.0)))
    bars = {r["n"]: (r["b"], plain(r["w"])) for r in rows_of(figure.panels[-1], "n")}
    assert bars == {"modes": (1320.0, "1 320"), "looking ahead": (120.0, "120")}
    assert "modes bring 1 320 USD against the best plan with full power only" in plain(" ".join(figure.notes))
    half = money_figure(make_plan(day_kind=ValueOfPlanning(4320.0, None, 4200.0)))
    assert rows_of(half.panels[-1], "n")[0]["w"] == "no plan without"
    neither = money_figure(make_plan(day_kind=ValueOfPlanning(4320.0, None, None)))
    assert [p.key for p in neither.panels] == ["terms"]


def test_the_terminal_says_where_there_is_nothing_to_gain(make_plan):
    """*Proves:* the sentence stands where greedy earns as much, and not where both bring something.

    *Sensitivity:* a comparison with 0 would miss 4,319 of 4,320 USD.
    """
    assert "nothing to gain by looking ahead" in " ".join(
        summary(make_plan(day_kind=ValueOfPlanning(4320.0, 3000.0, 4319.0))).split()
    )
    assert "Looking ahead brings" not in summary(make_plan(day_kind=ValueOfPlanning(4320.0, 3000.0, 4200.0)))


def test_rounding_and_preference_in_words():
    """*Proves:* a cost is called one, a gain too; starts saved and a search that ended early are told apart.

    *Sensitivity:* by the absolute value alone a gain would be a cost.
    """
    assert plain(rounding_words(0.0998)) == "Rounding to whole miners costs 0.10 USD over the whole horizon."
    assert plain(rounding_words(-4.0)) == "Rounding to whole miners brings 4.00 USD over the whole horizon."
    assert "costs nothing" in rounding_words(0.001)
    reached = {"outcome": "reached", "given_up_usd": 0.55, "starts_before": 17, "starts_after": 16}
    assert plain(preference_words(reached)).endswith("0.55 USD given up, 1 start saved.")
    assert "ended before its proof" in preference_words({**reached, "outcome": "stopped"})
    near = preference_words({**reached, "outcome": "approached", "starts_at_least": 15})
    assert "no plan of nearly equal money needs fewer than 15" in near
    idle = {"outcome": "reached", "given_up_usd": 0.0, "starts_before": 6, "starts_after": 6}
    assert preference_words(idle) == "No plan of nearly equal money needs fewer starts."
    assert preference_words({}) == preference_words({**reached, "outcome": "no_room"}) == ""


def test_the_verdict_tells_of_a_preference_cut_short(make_plan):
    """*Proves:* only where a search ended before its proof. *Sensitivity:* "reached" in the verdict would be noise."""
    cut = {"outcome": "stopped", "given_up_usd": 0.0, "starts_before": 1, "starts_after": 1}
    assert [w for w, good in verdict(make_plan(preference=cut)) if not good] == [
        "the search for a calmer plan ended before its proof"
    ]
    assert verdict(make_plan(preference={**cut, "outcome": "reached"})) == verdict(make_plan())
    assert "given up usd" in report_html(make_plan(preference=cut))


def test_charts_that_are_not_checked_are_the_same_charts(make_plan):
    """*Proves:* a report takes its charts unchecked, and they are those that altair checks in these tests.

    *Sensitivity:* a figure that altair completes or changes while checking differs.
    """
    checked = all_figures(make_plan())
    with quick_charts():
        assert all_figures(make_plan()) == checked
