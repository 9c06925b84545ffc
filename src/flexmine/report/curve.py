"""The mode curve: energy per hash over IT power, with dots where the container-hours of the plan sit."""

from __future__ import annotations

import altair as alt
import numpy as np

from flexmine.problem import ContainerClass, Floats
from flexmine.report.charts import Figure, Panel, Row, Table, mw_axis, specification, values
from flexmine.report.palette import number, percent
from flexmine.workflow.plan import Plan

MOST_CLASSES = 3
CENT_MW = 0.01


def curve_figure(plan: Plan) -> Figure:
    """Return the figure of the mode curves of the largest classes with more than one mode."""
    largest = sorted((k for k in plan.problem.classes if k.it_power_mw.size > 1), key=lambda k: -k.count)[:MOST_CLASSES]
    hours = {k.name: _hours(plan, k) for k in largest}
    first = largest[0]
    title = _title(first, hours[first.name])
    return Figure(
        key="curve",
        title=title,
        panels=tuple(_panel(k, hours[k.name], len(largest)) for k in largest),
        description=f"Joule per terahash over the IT power of one container. {title}. The table holds the numbers.",
        source="Source: the mode curve of the problem; dots: container-hours of the published part, by IT power.",
        table=_table(largest, hours),
    )


def _hours(plan: Plan, k: ContainerClass) -> dict[float, float]:
    """Return container-hours of the published part by IT power, to 0.01 MW."""
    rows = [i for i, (_, own) in enumerate(plan.problem.containers) if own is k]
    power = plan.schedule.it_power_mw[rows, : plan.publish_steps][plan.schedule.on[rows, : plan.publish_steps]]
    level, count = np.unique(np.round(power / CENT_MW).astype(int), return_counts=True)
    return {float(p) * CENT_MW: float(n) * plan.problem.time.step_h for p, n in zip(level, count, strict=True)}


def _title(k: ContainerClass, hours: dict[float, float]) -> str:
    if not hours:
        return f"No container of class {k.name} runs"
    mean = sum(p * h for p, h in hours.items()) / sum(hours.values())
    rate = sum(float(np.interp(p, k.it_power_mw, k.hash_rate_th_s)) * h for p, h in hours.items()) / sum(hours.values())
    return (
        f"{k.name} containers run at {percent(mean / float(k.it_power_mw[-1]))} of full power on average, "
        f"at {number(1e6 * mean / rate, 1)} J/TH; at full power it is {number(float(full_j_per_th(k)), 1)} J/TH"
    )


def full_j_per_th(k: ContainerClass) -> float:
    """Return the energy per hash at full power, IT power only [J/TH]."""
    return 1e6 * float(k.it_power_mw[-1]) / float(k.hash_rate_th_s[-1])


def marginal_j_per_th(k: ContainerClass) -> Floats:
    """Return the energy of one more hash in each segment of the curve [J/TH]; infinite where hash does not rise."""
    gain = np.diff(k.hash_rate_th_s)
    more = np.diff(k.it_power_mw)
    return np.asarray(np.divide(1e6 * more, gain, out=np.full(gain.shape, np.inf), where=gain > 0))


def _panel(k: ContainerClass, hours: dict[float, float], classes: int) -> Panel:
    power = np.linspace(float(k.it_power_mw[0]), float(k.it_power_mw[-1]), 61)
    rate = np.interp(power, k.it_power_mw, k.hash_rate_th_s)
    average: list[Row] = [
        {"p": round(float(p), 4), "j": round(1e6 * float(p / r), 2)} for p, r in zip(power, rate, strict=True)
    ]
    marginal: list[Row] = []
    for i, j in enumerate(marginal_j_per_th(k)):
        if np.isfinite(j):
            ends = (float(k.it_power_mw[i]), float(k.it_power_mw[i + 1]))
            marginal.append({"p": round(ends[0], 4), "q": round(ends[1], 4), "j": round(float(j), 2)})
    dots: list[Row] = []
    for p, h in hours.items():
        at = float(np.interp(p, k.it_power_mw, k.hash_rate_th_s))
        dots.append(
            {
                "p": round(p, 2),
                "j": round(1e6 * p / at, 2),
                "h": h,
                "w": number(h, 1),
                "P": number(p, 2),
                "J": number(1e6 * p / at, 1),
            }
        )
    x = alt.X(
        "p:Q",
        scale=alt.Scale(zero=False, nice=False, padding=12),
        axis=alt.Axis(title="IT power of one container, MW", tickCount=6, format=".2f", labelFlush=True),
    )
    y = alt.Y("j:Q", scale=alt.Scale(zero=False), axis=mw_axis("J/TH"))
    layers = [alt.Chart(values(average)).mark_line(color="@hash", strokeWidth=2.2).encode(x=x, y=y)]
    if marginal:
        layers.append(
            alt.Chart(values(marginal))
            .mark_rule(color="@hash", strokeDash=[5, 3], strokeWidth=1.3)
            .encode(x=x, x2="q:Q", y=y)
        )
    if dots:
        size = alt.Size("h:Q", scale=alt.Scale(domain=[0, max(r["h"] for r in dots)], range=[20, 420]), legend=None)
        tips = [
            alt.Tooltip(f"{f}:N", title=t) for f, t in (("P", "IT power, MW"), ("J", "J/TH"), ("w", "container-hours"))
        ]
        mark = alt.Chart(values(dots)).mark_circle(color="@power1", opacity=0.75, stroke="@paper", strokeWidth=1)
        layers.append(mark.encode(x=x, y=y, size=size, tooltip=tips))
    legend: tuple[tuple[str, str], ...] = (("line:hash", "average J/TH"), ("dash:hash", "J/TH of one more hash"))
    if dots:
        legend += (("dot:power1", "container-hours of the plan"),)
    heading = "Energy per hash along the mode curve" + (f": {k.name}" if classes > 1 else "")
    return Panel(f"curve-{k.name}", heading, specification(layers, 190), 190, legend)


def _table(classes: list[ContainerClass], hours: dict[str, dict[float, float]]) -> Table:
    rows = []
    for k in classes:
        for p, h in hours[k.name].items():
            rate = float(np.interp(p, k.it_power_mw, k.hash_rate_th_s))
            rows.append((k.name, number(p, 2), number(rate), number(1e6 * p / rate, 1), number(h, 1)))
    return Table(("class", "IT power, MW", "hash rate, TH/s", "J/TH", "container-hours"), tuple(rows))
