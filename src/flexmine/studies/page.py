"""backtest.html: the finding first, then money, months and the way through the year, each with its table."""

from __future__ import annotations

from datetime import date
from typing import Any

import altair as alt
import pandas as pd

from flexmine._version import __version__
from flexmine.report.charts import Figure, Panel, Table, bars, quick_charts, specification, values
from flexmine.report.page import Page, page_html
from flexmine.report.palette import THIN, number, percent
from flexmine.studies.result import Backtest
from flexmine.studies.summary import SIMPLE
from flexmine.studies.words import WORDS, conditions, finding, records

COLOURS = {
    "always-on": "out",
    "threshold": "cap",
    "greedy": "muted",
    "nightly": "cold",
    "redispatch": "firm",
    "replan": "surplus",
    "perfect": "ink",
}


def backtest_html(found: Backtest) -> str:
    """Return the page of a back-test."""
    document = found.setup.document
    with quick_charts():
        figures = (_money(found), _way(found), _months(found))
    broken = sum(run.broken for run in found.runs)
    return page_html(
        Page(
            title=f"{document.name} – flexmine back-test",
            heading=f"Back-test {document.name}",
            eyebrow=f"{_day(document.first_day)} to {_day(document.last_day)} · site time, "
            f"{found.setup.case.time.zone} · {found.setup.case.name}",
            finding=finding(found),
            verdict=(
                ("every limit kept" if not broken else f"limits broken: {broken}, see the table", not broken),
                *((f"{policy}: {text}", False) for policy, text in _first_violations(found)),
            ),
            key_figures=_key_figures(found),
            figures=figures,
            notes=conditions(found),
            provenance=(
                ("Back-test", (("digest", found.setup.digest), ("flexmine", __version__))),
                ("Inputs, by sha256", tuple(sorted(found.setup.inputs.items()))),
            ),
            provenance_words=("Where the figures come from", "Digest, version and the sha256 of every input"),
            version=__version__,
        )
    )


def _first_violations(found: Backtest) -> list[tuple[str, str]]:
    return [(run.policy, run.violations[0]) for run in found.runs if run.violations][:3]


def _key_figures(found: Backtest) -> tuple[tuple[str, str, str], ...]:
    """Return those that plan, perfect foresight, and the simple rule that earned most."""
    out = []
    for row in records(found.totals):
        if row["policy"] in SIMPLE and row["policy"] != found.summary.opponent:
            continue
        captured = row["captured"]
        small = "" if captured is None or pd.isna(captured) else f"{percent(captured)} captured, "
        out.append(
            (f"{_short(row['money_usd'])}{THIN}USD", WORDS[row["policy"]], f"{small}{number(row['starts'])} starts")
        )
    return tuple(out)


def _money(found: Backtest) -> Figure:
    rows = [
        {
            "n": row["policy"],
            "a": 0,
            "b": round(row["money_usd"], 2),
            "c": COLOURS[row["policy"]],
            "w": number(row["money_usd"]),
        }
        for row in records(found.totals)
    ]
    return Figure(
        key="money",
        title="What each way of running the plant earned",
        panels=(bars("money", "Money, mean over the seeds", rows),),
        description="Bars of money by policy. The table below holds the numbers.",
        source="Source: the audit's prices of every step against what came true.",
        table=_table(found.totals),
    )


def _way(found: Backtest) -> Figure:
    """Return the money above the opponent's, summed day by day, of the first seed."""
    opponent = found.summary.opponent or found.runs[0].policy
    seed = found.runs[0].seed
    daily = {
        r.policy: r.steps["money_usd"].groupby(r.steps["interval_start"].str.slice(0, 10).to_numpy()).sum()
        for r in found.runs
        if r.seed == seed
    }
    # The other rules fall so far behind that nothing else could be seen.
    names = [name for name in daily if name not in SIMPLE] or [name for name in daily if name != opponent]
    sums = {name: (daily[name] - daily[opponent]).cumsum() for name in names}
    rows = [{"d": day, "v": round(float(value), 2), "p": name} for name in names for day, value in sums[name].items()]
    chart = (
        alt.Chart(values(rows))
        .mark_line(strokeWidth=2)
        .encode(
            # Days have no clock: whatever the zone of the browser, they are those of the site.
            x=alt.X("d:T", scale=alt.Scale(type="utc"), axis=alt.Axis(title=None, labelOverlap="greedy")),
            **_money_by_policy(names, alt.Tooltip("d:N", title="day")),
        )
    )
    legend = tuple((f"line:{COLOURS[name]}", WORDS[name]) for name in names)
    panel = Panel(
        "way", f"Above {WORDS[opponent]}, summed day by day, seed {seed}", specification([chart], 320), 320, legend
    )
    days = list(daily[opponent].index)
    table = Table(
        ("day", *(f"{name}, USD" for name in names)),
        tuple((day, *(number(float(sums[name].iloc[i])) for name in names)) for i, day in enumerate(days)),
    )
    return Figure(
        key="way",
        title="Where on the way it was earned",
        panels=(panel,),
        description="Lines of money above that of the best simple rule, summed day by day.",
        source="Source: the audit's prices. A line that falls is a time in which the simple rule was better.",
        table=table,
        table_words="The days as a table",
    )


def _money_by_policy(policies: list[str], when: alt.Tooltip) -> dict[str, Any]:
    """Return how money is drawn by policy, and what is shown of a point beside when it is of."""
    colours = [f"@{COLOURS[name]}" for name in policies]
    return {
        "y": alt.Y("v:Q", axis=alt.Axis(title="USD", format=",.0f", titleAngle=0, titleAlign="left", titleY=-8)),
        "color": alt.Color("p:N", legend=None, scale=alt.Scale(domain=policies, range=colours)),
        "tooltip": [when, alt.Tooltip("p:N", title="policy"), alt.Tooltip("v:Q", format=",.0f")],
    }


def _months(found: Backtest) -> Figure:
    months = found.by_month
    policies = list(found.totals["policy"])
    rows = [{"m": row["month"], "p": row["policy"], "v": round(row["money_usd"], 2)} for row in records(months)]
    chart = (
        alt.Chart(values(rows))
        .mark_bar()
        .encode(
            x=alt.X("m:N", axis=alt.Axis(title=None, labelAngle=0, labelOverlap="greedy")),
            xOffset=alt.XOffset("p:N", sort=policies),
            **_money_by_policy(policies, alt.Tooltip("m:N", title="month")),
        )
    )
    legend = tuple((COLOURS[name], WORDS[name]) for name in policies)
    return Figure(
        key="months",
        title="Month by month",
        panels=(Panel("months", "Money", specification([chart], 300), 300, legend),),
        description="Bars of money by month and policy.",
        source="Source: the audit's prices, mean over the seeds.",
        table=_table(months),
        table_words="The months as a table",
    )


def _table(frame: pd.DataFrame) -> Table:
    shown = frame.drop(columns=[c for c in frame.columns if frame[c].isna().all()])
    heads = tuple(
        c.replace("_usd_per_day", ", USD/day").replace("_usd", ", USD").replace("_mwh", ", MWh").replace("_", " ")
        for c in shown.columns
    )
    return Table(heads, tuple(tuple(_cell(name, value) for name, value in row.items()) for row in records(shown)))


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return WORDS.get(value, value)
    if value is None or pd.isna(value):
        return "–"
    return percent(float(value)) if name == "captured" else number(float(value), 0 if abs(value) >= 100 else 1)


def _short(usd: float) -> str:
    return f"{number(usd / 1e6, 2)}{THIN}M" if abs(usd) >= 1e6 else number(usd)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
