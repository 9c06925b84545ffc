"""The money of the published part by term, as a waterfall, beside the simple rules."""

from __future__ import annotations

import altair as alt
import numpy as np

from flexmine.planning.plan import Plan
from flexmine.report.charts import Figure, Panel, Row, Table, specification, values
from flexmine.report.facts import Facts, best_rules, facts
from flexmine.report.palette import number
from flexmine.report.sentence import money_clause, sentence_case

ROW_PX = 34


def money_figure(plan: Plan) -> Figure:
    """Return the figure of the money."""
    found = facts(plan)
    title = sentence_case(money_clause(found, plan).removeprefix("it "))
    panels = [_waterfall(plan, found)]
    if plan.rules:
        panels.append(_rules(plan, found))
    return Figure(
        key="money",
        title=f"The plant {title[:1].lower()}{title[1:]}",
        panels=tuple(panels),
        description=f"Money by term and money of the simple rules. The plant {title[:1].lower()}{title[1:]}. "
        "The table below holds the numbers.",
        source=f"Source: the audit's prices, published part, terminal value left out; perspective: {plan.perspective}. "
        "The rules keep the same physical limits and are priced by the same audit.",
        table=_table(plan, found),
    )


def terms(plan: Plan, found: Facts) -> list[tuple[str, float, str]]:
    """Return (words, signed money [USD], colour name) of each term of the published part; they add up to its money."""
    part, step_h = slice(0, plan.publish_steps), plan.problem.time.step_h
    out = [("hash revenue", found.hash_usd, "hash")]
    for j, s in enumerate(plan.problem.sources):
        cost = step_h * float(np.sum(s.price_usd_per_mwh[part] * plan.schedule.supply_mw[j, part]))
        out.append((f"{s.name} energy", -cost, "surplus" if s.kind == "surplus" else "firm"))
    out.append(("starts", -found.start_usd, "hot"))
    return out


def _waterfall(plan: Plan, found: Facts) -> Panel:
    rows: list[Row] = []
    base = 0.0
    for words, value, colour in terms(plan, found):
        rows.append(
            {"n": words, "a": round(base, 2), "b": round(base + value, 2), "c": f"{colour}", "w": number(value)}
        )
        base += value
    rows.append({"n": "money", "a": 0, "b": round(base, 2), "c": "ink", "w": number(base)})
    return _bars("terms", "Where the money comes from and goes", rows)


def _rules(plan: Plan, found: Facts) -> Panel:
    rows: list[Row] = [
        {"n": "this plan", "a": 0, "b": round(found.money_usd, 2), "c": "ink", "w": number(found.money_usd)}
    ]
    best = {r.name for r in best_rules(plan)}
    for rule in plan.rules:
        value = rule.published_money_usd
        if value is None:
            rows.append({"n": rule.name, "a": 0, "b": 0, "c": "muted", "w": "not feasible"})
        else:
            colour = "muted" if rule.name in best else "out"
            rows.append({"n": rule.name, "a": 0, "b": round(value, 2), "c": colour, "w": number(value)})
    return _bars("rules", "Beside the simple rules", rows)


def _bars(key: str, heading: str, rows: list[Row]) -> Panel:
    names = [r["n"] for r in rows]
    colours = sorted({r["c"] for r in rows})
    for r in rows:
        r["m"] = max(r["a"], r["b"])
    low, high = min(min(r["a"], r["b"]) for r in rows), max(1.0, *(r["m"] for r in rows))
    room = 0.24 * (high - min(low, 0.0))  # for the words right of the longest bar
    x = alt.X(
        "a:Q",
        scale=alt.Scale(domain=[min(low, 0.0), high + room], nice=False),
        axis=alt.Axis(title="USD", format=",.0f", tickCount=4, labelOverlap="greedy", grid=True),
    )
    axis = alt.Axis(title=None, minExtent=96, labelLimit=130, ticks=False, domain=False)
    y = alt.Y("n:N", sort=names, scale=alt.Scale(domain=names, paddingInner=0.3, paddingOuter=0.1), axis=axis)
    scale = alt.Scale(domain=colours, range=[f"@{c}" for c in colours])
    chart = alt.Chart(values(rows))
    tips = [alt.Tooltip("n:N", title="term"), alt.Tooltip("w:N", title="USD")]
    bars = chart.mark_bar().encode(x=x, x2="b:Q", y=y, color=alt.Color("c:N", scale=scale, legend=None), tooltip=tips)
    text = chart.mark_text(align="left", dx=5, color="@ink", fontSize=12).encode(x="m:Q", y=y, text="w:N")
    height = ROW_PX * len(rows)
    return Panel(key, heading, specification([bars, text], height), height)


def _table(plan: Plan, found: Facts) -> Table:
    by_term = tuple(number(value) for _, value, _ in terms(plan, found))
    columns = [
        "",
        *(f"{words}, USD" for words, _, _ in terms(plan, found)),
        "published, USD",
        "whole horizon, USD",
        "keeps all limits",
    ]
    blank = ("",) * (len(columns) - 4)
    own = (
        "this plan",
        *by_term,
        number(found.money_usd),
        number(plan.replay.money_usd),
        "yes" if plan.replay.ok else "no",
    )
    others = []
    for r in plan.rules:
        if r.money_usd is None or r.published_money_usd is None:
            others.append((r.name, *blank, "–", "–", "no: " + ("; ".join(r.violations) or "a hard limit is broken")))
        else:
            others.append((r.name, *blank, number(r.published_money_usd), number(r.money_usd), "yes"))
    terminal = ("terminal value in the whole horizon", *blank, "", number(plan.replay.terminal_usd), "")
    return Table(tuple(columns), (own, *others, terminal))
