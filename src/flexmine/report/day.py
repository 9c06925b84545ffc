"""The day: power by source, prices with break-even steps, and temperature, over one time axis."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import numpy as np

from flexmine.explain.break_even import BreakEven
from flexmine.problem import Source
from flexmine.report.charts import (
    Clock,
    Figure,
    Panel,
    Row,
    Table,
    hover,
    mw_axis,
    scale_from_zero,
    specification,
    step_points,
    values,
)
from flexmine.report.facts import facts
from flexmine.report.filled_marks import by_step, of_panel, strip
from flexmine.report.filled_marks import legend as filled_legend
from flexmine.report.palette import energy, number, power
from flexmine.workflow.plan import Plan

SHADES = {"surplus": ("surplus", "surplus2"), "firm": ("firm", "firm2")}
POWER_PX, PRICE_PX, TEMPERATURE_PX = 240, 150, 80
NOTHING_MW = 5e-3  # what would be shown as 0.00 MW is not drawn


def day_figure(plan: Plan) -> Figure:
    """Return the figure of the day."""
    clock = Clock(plan)
    panels = [_power_panel(plan, clock), _price_panel(plan, clock)]
    if plan.temperature_c is not None:
        panels.append(_temperature_panel(plan, clock))
    return Figure(
        key="day",
        title=_title(plan),
        panels=tuple(panels),
        description=f"Power by source, prices and temperature by step, in {clock.zone} time. {_title(plan)}. "
        "The table below holds the numbers.",
        source=f"Source: the audited plan; site time, {clock.zone}."
        + (" The part after the dotted rule is look-ahead." if clock.looks_ahead else ""),
        table=_table(plan, clock),
    )


def ordered_sources(plan: Plan) -> list[tuple[int, Source, str]]:
    """Return (index, source, colour name), surplus first."""
    out: list[tuple[int, Source, str]] = []
    for kind in ("surplus", "firm"):
        same = [(j, s) for j, s in enumerate(plan.problem.sources) if s.kind == kind]
        out.extend((j, s, SHADES[kind][min(i, 1)]) for i, (j, s) in enumerate(same))
    return out


def _title(plan: Plan) -> str:
    found = facts(plan)
    left = found.offered_mwh - found.taken_mwh
    if found.offered_mwh < 0.05:
        return f"No surplus is on offer; {energy(found.firm_mwh)} of firm power is taken"
    if left < 0.05:
        return "All surplus on offer is taken" + ("" if found.firm_mwh < 0.05 else " and topped up with firm power")
    hours = int(np.sum(plan.replay.surplus_left_mw[: found.steps] > NOTHING_MW)) * plan.problem.time.step_h
    full = bool(found.at_cap[plan.replay.surplus_left_mw[: found.steps] > NOTHING_MW].all())
    unit, at_cap = ("hour", ", at the cap") if hours == 1 else ("hours", ", all of them at the cap")
    return f"{energy(left)} of surplus stays unused in {hours:g} {unit}" + (at_cap if full else "")


@dataclass(frozen=True)
class _PowerRows:
    """Rows of the power panel: sources stacked; surplus left above them, and behind firm power; numbers to show."""

    stacked: list[Row]
    left: list[Row]
    behind: list[Row]
    numbers: list[Row]


def _power_rows(plan: Plan, clock: Clock) -> _PowerRows:
    sources = ordered_sources(plan)
    rows = _PowerRows([], [], [], [])
    for t in range(clock.steps):
        base, surplus = 0.0, 0.0
        tip: Row = {"t": t, "e": t + 1, "i": clock.interval(t), "P": number(plan.replay.site_power_mw[t], 2)}
        for j, source, colour in sources:
            taken = float(plan.schedule.supply_mw[j, t])
            if taken > NOTHING_MW:
                rows.stacked.append({"t": t, "e": t + 1, "a": round(base, 4), "b": round(base + taken, 4), "c": colour})
            base += taken
            surplus += taken if source.kind == "surplus" else 0.0
            tip[f"s{j}"] = number(taken, 2)
        over = float(plan.replay.surplus_left_mw[t])
        # What is left reaches from the surplus taken to the surplus offered; firm power may stand before it.
        for bands, low, high in (
            (rows.left, max(base, surplus), surplus + over),
            (rows.behind, surplus, min(base, surplus + over)),
        ):
            if over > NOTHING_MW and high - low > NOTHING_MW:
                bands.append({"t": t, "e": t + 1, "a": round(low, 4), "b": round(high, 4)})
        tip["L"] = number(over, 2)
        cap = float(plan.problem.site.cap_mw[t])
        tip["C"] = number(cap, 2) if np.isfinite(cap) else "none"
        rows.numbers.append(tip)
    return rows


def _power_panel(plan: Plan, clock: Clock) -> Panel:
    shown = _power_rows(plan, clock)
    sources = ordered_sources(plan)
    offered = np.sum(
        [s.available_mw for s in plan.problem.sources if s.kind == "surplus"] or [np.zeros(clock.steps)], axis=0
    )
    colours = sorted({row["c"] for row in shown.stacked})
    scale = alt.Scale(domain=colours, range=[f"@{c}" for c in colours])
    caps = plan.problem.site.cap_mw[np.isfinite(plan.problem.site.cap_mw)]
    highest = max(float(offered.max()), float(caps.max(initial=0.0)), float(plan.replay.site_power_mw.max()))
    y = alt.Y("a:Q", axis=mw_axis("MW"), scale=scale_from_zero(highest))
    rect = {"x": clock.x(), "x2": "e:Q", "y": y, "y2": "b:Q", "opacity": clock.pale()}
    layers = [alt.Chart(values(shown.left)).mark_rect(fill="url(#hatch-left)").encode(**rect)] if shown.left else []
    if shown.stacked:
        fill = alt.Color("c:N", scale=scale, legend=None)
        layers.append(alt.Chart(values(shown.stacked)).mark_rect().encode(color=fill, **rect))
    if shown.behind:
        layers.append(alt.Chart(values(shown.behind)).mark_rect(fill="url(#hatch-behind)").encode(**rect))
    if offered.any():
        line = alt.Chart(values(step_points(offered, clock))).mark_line(
            interpolate="step-after", color="@leftline", strokeWidth=1.5, clip=True
        )
        layers.append(line.encode(x=clock.x(), y=alt.Y("v:Q", axis=mw_axis("MW"))))
    if np.isfinite(plan.problem.site.cap_mw).any():
        cap = alt.Chart(values(step_points(plan.problem.site.cap_mw, clock))).mark_line(
            interpolate="step-after", color="@cap", strokeWidth=2, clip=True
        )
        layers.append(cap.encode(x=clock.x(), y=alt.Y("v:Q", axis=mw_axis("MW"))))
    tips = [("i", "interval"), ("P", "site, MW"), *((f"s{j}", f"{s.name}, MW") for j, s, _ in sources)]
    tips += [("L", "surplus left, MW"), ("C", "cap, MW")]
    filled = of_panel(plan, "power")
    layers += strip(filled, clock, POWER_PX)
    layers.append(hover(shown.numbers, tips, clock))
    layers.extend(clock.boundary(label=True))
    legend = [(c, s.name if s.name != s.kind else f"{s.kind} taken") for _, s, c in sources]
    if offered.any():
        legend.append(("line:leftline", "surplus offered"))
    if shown.left or shown.behind:
        legend.append(("hatch-left", "surplus left over"))
    if np.isfinite(plan.problem.site.cap_mw).any():
        legend.append(("line:cap", "cap"))
    legend += filled_legend(filled)
    return Panel("power", "Power at the meter", specification(layers, POWER_PX), POWER_PX, tuple(legend))


def shown_break_even(plan: Plan) -> BreakEven | None:
    """Return the break-even prices of the largest class, which stand for the plant in the chart."""
    sizes = {k.name: k.count for k in plan.problem.classes}
    return max(plan.break_even, key=lambda b: sizes.get(b.class_name, 0), default=None)


def _price_panel(plan: Plan, clock: Clock) -> Panel:
    layers, legend = [], []
    y = alt.Y("v:Q", axis=mw_axis("USD/MWh"), scale=alt.Scale(zero=True))
    shown = shown_break_even(plan)
    if shown is not None:
        for i, row in enumerate(np.atleast_2d(shown.marginal_usd_per_mwh)):
            line = alt.Chart(values(step_points(row, clock))).mark_line(
                interpolate="step-after",
                color="@hash",
                strokeDash=[5, 3],
                strokeWidth=1.8 if i == 0 else 1.1,
                clip=True,
            )
            layers.append(line.encode(x=clock.x(), y=y))
        legend.append(
            ("dash:hash", f"break-even of each step of the mode curve, {shown.class_name}; bold: minimum power")
        )
    numbers: list[Row] = [{"t": t, "e": t + 1, "i": clock.interval(t)} for t in range(clock.steps)]
    tips = [("i", "interval")]
    for j, s, _ in ordered_sources(plan):
        name = "price" if s.kind == "firm" else "price2"
        line = alt.Chart(values(step_points(s.price_usd_per_mwh, clock))).mark_line(
            interpolate="step-after", color=f"@{name}", strokeWidth=2.2 if s.kind == "firm" else 1.6, clip=True
        )
        layers.append(line.encode(x=clock.x(), y=y))
        legend.append((f"line:{name}", f"price of {s.name}"))
        tips.append((f"p{j}", f"{s.name}, USD/MWh"))
        for t in range(clock.steps):
            numbers[t][f"p{j}"] = number(float(s.price_usd_per_mwh[t]), 1)
    if shown is not None:
        tips += [("g", "break-even at minimum power, USD/MWh"), ("f", "break-even at full power, USD/MWh")]
        for t in range(clock.steps):
            numbers[t]["g"] = number(float(shown.gentlest_usd_per_mwh[t]), 1)
            numbers[t]["f"] = number(float(shown.average_usd_per_mwh[t]), 1)
    filled = of_panel(plan, "price")
    layers += [*strip(filled, clock, PRICE_PX), hover(numbers, tips, clock), *clock.boundary(label=False)]
    legend += filled_legend(filled)
    return Panel("price", "Prices and break-even", specification(layers, PRICE_PX), PRICE_PX, tuple(legend))


def _temperature_panel(plan: Plan, clock: Clock) -> Panel:
    assert plan.temperature_c is not None
    rows = [
        {"t": t, "e": t + 1, "a": 0, "b": round(float(v), 1), "i": clock.interval(t), "v": number(float(v), 1)}
        for t, v in enumerate(plan.temperature_c)
        if np.isfinite(v)
    ]
    colour = {"condition": {"test": "datum.b < 0", "value": "@cold"}, "value": "@hot"}
    bars = (
        alt.Chart(values(rows))
        .mark_rect()
        .encode(
            x=clock.x(),
            x2="e:Q",
            y=alt.Y("a:Q", axis=mw_axis("°C", tickCount=3)),
            y2="b:Q",
            color=colour,
            opacity=clock.pale(),
        )
    )
    filled = of_panel(plan, "temperature")
    tips = [("i", "interval"), ("v", "outside, °C")]
    layers = [bars, *strip(filled, clock, TEMPERATURE_PX), hover(rows, tips, clock), *clock.boundary(label=False)]
    legend = (("cold", "below freezing"), ("hot", "above"), *filled_legend(filled))
    spec = specification(layers, TEMPERATURE_PX)
    return Panel("temperature", "Outside temperature", spec, TEMPERATURE_PX, legend)


def _table(plan: Plan, clock: Clock) -> Table:
    sources = ordered_sources(plan)
    columns = ["interval", "site, MW", *(f"{s.name}, MW" for _, s, _ in sources), "surplus left, MW", "cap, MW"]
    columns += [f"{s.name}, USD/MWh" for _, s, _ in sources] + ["outside, °C", "money, USD", "part"]
    filled = by_step(plan) if plan.filled else []
    columns += ["filled in"] if filled else []
    rows = []
    for t in range(clock.steps):
        cap = float(plan.problem.site.cap_mw[t])
        temperature = np.nan if plan.temperature_c is None else float(plan.temperature_c[t])
        row = [clock.interval(t), power(float(plan.replay.site_power_mw[t]))[:-3]]
        row += [number(float(plan.schedule.supply_mw[j, t]), 2) for j, _, _ in sources]
        row += [number(float(plan.replay.surplus_left_mw[t]), 2), number(cap, 2) if np.isfinite(cap) else "none"]
        row += [number(float(s.price_usd_per_mwh[t]), 1) for _, s, _ in sources]
        row += [
            number(temperature, 1) if np.isfinite(temperature) else "",
            number(float(plan.replay.money_by_step_usd[t])),
        ]
        row.append("plan" if t < clock.publish_steps else "look-ahead")
        rows.append((*row, filled[t]) if filled else tuple(row))
    return Table(tuple(columns), tuple(rows))
