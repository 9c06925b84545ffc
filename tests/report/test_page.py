"""report.html: offline, small, the same bytes, a table behind each chart, nothing that breaks out of its place."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.errors import Status
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.report.charts import Clock
from flexmine.report.facts import facts
from flexmine.report.money_chart import terms
from flexmine.report.page import all_figures, report_html
from flexmine.report.palette import DARK, LIGHT, paint
from plants import reference_class, simple_problem


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    return parser.seen


def specs(page: str) -> dict:
    text = re.search(r'<script type="application/json" id="specs">(.*?)</script>', page, re.S)
    assert text is not None
    return json.loads(text.group(1))


@pytest.fixture
def page(make_plan, make_rule) -> str:
    return report_html(
        make_plan(rules=(make_rule("greedy", 4000.0), make_rule("threshold", None, None, "cap at 06:00")))
    )


def test_nothing_is_loaded_from_elsewhere(page):
    """*Proves:* no element names an address, and the browser is told to fetch nothing.

    *Sensitivity:* a chart library from an outside host would show as a src.
    """
    for tag, attributes in elements(page):
        assert tag not in ("link", "iframe", "img", "object", "embed", "base"), tag
        for name in ("src", "href", "action", "data", "srcset"):
            assert name not in attributes, (tag, attributes)
    assert "@import" not in page
    policy = [a["content"] for tag, a in elements(page) if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and policy[0].startswith("default-src 'none'")
    assert "url" not in json.dumps([d for s in specs(page).values() for d in (s.get("data"), s.get("datasets"))])


def test_same_plan_same_bytes(make_plan):
    """*Proves:* no time of creation, no counter, no random id. *Sensitivity:* chart names that count up differ."""
    assert report_html(make_plan()) == report_html(make_plan())


def test_size_of_a_large_plant(make_plan):
    """56 containers over 48 steps. *Proves:* under 2 MB. *Sensitivity:* names in each cell alone add 0.3 MB."""
    problem = simple_problem(reference_class(count=56, steps=48), cap=99.0, surplus_mw=99.0, ramp=None, initial=None)
    on = np.ones((56, 48), dtype=bool)
    power = np.where(on, 0.52 + 0.013 * np.arange(56)[:, None], 0.0)
    schedule = Schedule(
        tuple(n for n, _ in problem.containers), on, power, supply_by_merit(problem, 1.02 * power.sum(axis=0))
    )
    plan = replace(
        make_plan(), problem=problem, schedule=schedule, replay=replay(problem, schedule, 1e-3),
        break_even=(), temperature_c=None,
    )  # fmt: skip
    assert len(report_html(plan).encode()) < 2_000_000


def test_every_chart_has_words_and_a_table(page, make_plan):
    """*Proves:* each chart names itself to a screen reader and each figure holds a table with rows.

    *Sensitivity:* a figure without its table would leave the counts unequal.
    """
    seen = elements(page)
    charts = [a for _, a in seen if "data-spec" in a]
    assert {a["data-spec"] for a in charts} == set(specs(page))
    assert all(a.get("role") == "img" and len(a.get("aria-label") or "") > 20 for a in charts)
    figures = [1 for tag, _ in seen if tag == "figure"]
    assert len(figures) == len([1 for tag, _ in seen if tag == "table"]) == len(all_figures(make_plan()))
    for figure in all_figures(make_plan()):
        assert figure.table.rows
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows), figure.key


def test_text_of_the_case_stays_text(make_plan):
    """*Proves:* markup in names and notes is shown, not run. *Sensitivity:* without escaping a script stands there."""
    evil = "</script><script>alert(1)</script>"
    plan = make_plan(title=evil, notes=(evil,), inputs={evil: "0"})
    page = report_html(plan)
    assert evil not in page
    scripts = [1 for tag, _ in elements(page) if tag == "script"]
    assert len(scripts) == 3
    named = replace(plan.problem.sources[0], name=evil)
    problem = replace(plan.problem, sources=(named, *plan.problem.sources[1:]))
    assert evil not in report_html(replace(plan, problem=problem))


def test_of_a_schedule_that_was_given_no_proof_is_shown(make_plan):
    """*Proves:* bound and gap of a plan held at safe power say that none is proven.

    *Sensitivity:* its coarse bound, shown in the place of a dual one, looks like what the plant might have earned.
    """
    held = report_html(make_plan(status=Status.FALLBACK, engine="hold", bound_usd=98765.43, gap=0.5))
    assert held.count("none proven") == 2 and "98765" not in held.replace("\u2009", "")
    assert "none proven" not in report_html(make_plan())


def test_an_infeasible_rule_is_said_in_words(page):
    """*Proves:* "no: cap at 06:00" stands in the table. *Sensitivity:* a bar of 0 USD alone would mislead."""
    assert "no: cap at 06:00" in page


def test_waterfall_adds_up(make_plan, make_problem):
    """2 MW for 24 h, 1 MW of it surplus: 4,800 - 240 - 1,080 USD, no starts; sums to 3,480 USD.

    *Proves:* the terms are those of the audit. *Sensitivity:* with prices swapped it is 2,640.
    """
    plan = make_plan(make_problem(surplus_mw=1.0))
    shown = [value for _, value, _ in terms(plan, facts(plan))]
    assert shown == pytest.approx([4800.0, -240.0, -1080.0, 0.0])
    assert sum(shown) == pytest.approx(facts(plan).money_usd) == pytest.approx(3480.0)


def test_left_over_surplus_is_drawn(make_plan):
    """Offered 3, taken 2 MW. *Proves:* the hatched part reaches from 2 to 3 MW. *Sensitivity:* from 0 it would hide."""
    power = all_figures(make_plan())[0].panels[0].spec
    hatched = next(layer for layer in power["layer"] if layer["mark"].get("fill") == "url(#hatch-left)")
    rows = power["datasets"][hatched["data"]["name"]]
    assert len(rows) == 24
    assert {(r["a"], r["b"]) for r in rows} == {(2.0, 3.0)}


def test_the_axis_tells_site_time_on_a_long_day(make_plan, make_problem):
    """Berlin, 27 October 2024: the hour from 02:00 comes twice, so 03:00 is step 4.

    *Proves:* labels follow the zone's clock. *Sensitivity:* counted from midnight 03 would stand at step 3.
    """
    plan = make_plan(make_problem(steps=25))
    axis = replace(
        plan.problem.time, zone="Europe/Berlin", start=plan.problem.time.start.fromisoformat("2024-10-27T00:00+02:00")
    )
    at, words = Clock(replace(plan, problem=replace(plan.problem, time=axis))).ticks()
    assert dict(zip(at, words, strict=True)) | {} == {
        0: "27 Oct", 4: "03", 7: "06", 10: "09", 13: "12", 16: "15", 19: "18", 22: "21", 25: "28 Oct",
    }  # fmt: skip


def test_colours_exist_in_both_schemes(page):
    """*Proves:* each colour that a chart names is known in light and dark. *Sensitivity:* a typo raises KeyError."""
    assert LIGHT.keys() == DARK.keys()
    for scheme in (LIGHT, DARK):
        assert '"@' not in json.dumps(paint(specs(page), scheme))
    assert '"@surplus"' in json.dumps(specs(page))


def test_mode_curve_of_the_reference_container(make_plan):
    """14 reference containers at 0.65 MW: half-way between 22,880 and 31,720 TH/s, 0.65e6 / 27,300 = 23.8 J/TH.

    *Proves:* the title and the dot read the curve between its points. *Sensitivity:* at full power it is 29.5 J/TH.
    """
    problem = simple_problem(reference_class(steps=24), ramp=None, initial=None)
    on = np.ones((14, 24), dtype=bool)
    schedule = Schedule(tuple(n for n, _ in problem.containers), on, 0.65 * on, supply_by_merit(problem, 9.282 * on[0]))
    plan = replace(make_plan(), problem=problem, schedule=schedule, replay=replay(problem, schedule), break_even=())
    figure = all_figures(plan)[-1]
    assert figure.title.replace("\u202f", " ") == (
        "s19pro containers run at 50 % of full power on average, at 23.8 J/TH; at full power it is 29.5 J/TH"
    )
    assert [tuple(row) for row in figure.table.rows] == [("s19pro", "0.65", "27\u202f300", "23.8", "336.0")]
