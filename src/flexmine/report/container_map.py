"""The container-by-hour map: who runs how hard, who starts, who is out of service."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from flexmine.planning.plan import Plan
from flexmine.report.charts import LEFT, Clock, Figure, Panel, Row, Table, specification, values
from flexmine.report.facts import facts
from flexmine.report.palette import number
from flexmine.report.sentence import running_clause, sentence_case


def map_figure(plan: Plan) -> Figure:
    """Return the figure of the container map."""
    clock = Clock(plan)
    height = int(np.clip(22 * len(plan.schedule.containers), 66, 620))
    low, high = power_range(plan)
    state, replay = states(plan), plan.replay
    marks = (
        ("off", "off", bool((state == 0).any())),
        ("hatch-out", "out of service", bool((state == 2).any())),
        ("triangle:hot", "warm start", bool(replay.warm_start.any())),
        ("diamond:cold", "cold start", bool(replay.cold_start.any())),
    )
    span = number(low, 2) if high - low < 0.005 else f"from {number(low, 2)} to {number(high, 2)}"
    legend = (("ramp", f"IT power {span} MW"), *((kind, words) for kind, words, present in marks if present))
    title = sentence_case(running_clause(facts(plan), plan))
    return Figure(
        key="map",
        title=title,
        panels=(Panel("map", "IT power of each container", _specification(plan, clock, height), height, legend),),
        description=f"A row per container, a column per step, coloured by IT power. {title}. "
        "The table below holds the power of each container.",
        source=f"Source: the audited plan, rounded to whole miners; site time, {clock.zone}."
        + (" Paler: look-ahead." if clock.looks_ahead else ""),
        table=_table(plan, clock),
    )


def power_range(plan: Plan) -> tuple[float, float]:
    """Return the lowest and the highest IT power at which a container of the plant can run [MW]."""
    return min(float(k.it_power_mw[0]) for k in plan.problem.classes), max(
        float(k.it_power_mw[-1]) for k in plan.problem.classes
    )


def states(plan: Plan) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return 0 off, 1 on, 2 out of service, shape (containers, T)."""
    runnable = np.array([k.runnable > 0 for _, k in plan.problem.containers])
    return np.where(plan.schedule.on, 1, np.where(runnable, 0, 2))


def _reasons(plan: Plan) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the reason of each container-hour as the setpoints have it, shape (containers, T)."""
    reason = plan.setpoints["reason"].to_numpy(dtype=object)
    return reason.reshape(plan.problem.steps, len(plan.schedule.containers)).T


def _rows(plan: Plan, clock: Clock) -> list[Row]:
    state, replay, reason = states(plan), plan.replay, _reasons(plan)
    rows: list[Row] = []
    for c in range(len(plan.schedule.containers)):
        for t in range(clock.steps):
            row: Row = {"c": c, "t": t, "s": int(state[c, t])}
            row["f"] = round(float(replay.facility_power_mw[c, t]), 3)
            if state[c, t] == 1:
                row["p"], row["h"] = (
                    round(float(replay.it_power_mw[c, t]), 3),
                    round(float(replay.hash_rate_th_s[c, t])),
                )
            if reason[c, t]:
                row["r"] = str(reason[c, t])
            rows.append(row)
    return rows


def _specification(plan: Plan, clock: Clock, height: int) -> dict[str, Any]:
    names = list(plan.schedule.containers)
    axis = alt.Axis(
        title=None, minExtent=LEFT, labelLimit=110, labelOverlap="greedy", ticks=False, domain=False, grid=False
    )
    y = alt.Y("n:N", sort=names, scale=alt.Scale(domain=names, paddingInner=0.08, paddingOuter=0), axis=axis)
    cells = (
        alt.Chart(values(_rows(plan, clock)))
        .transform_calculate(
            n="names[datum.c]",
            e="datum.t + 1",
            i="intervals[datum.t]",
            S="['off','on','out of service'][datum.s]",
            P="datum.s == 1 ? format(datum.p, '.2f') : '–'",
            F="format(datum.f, '.2f')",
            H="datum.s == 1 ? format(datum.h, ',') : '–'",
            R="datum.r || '–'",
        )
        .encode(x=clock.x(), x2="e:Q", y=y, opacity=clock.pale())
    )
    tips = [("n", "container"), ("i", "interval"), ("S", "state"), ("P", "IT power, MW")]
    tips += [("F", "at the meter, MW"), ("H", "hash rate, TH/s")]
    if any(_reasons(plan).ravel()):
        tips.append(("R", "reason"))
    tooltip = [alt.Tooltip(f"{f}:N", title=title) for f, title in tips]
    low, high = power_range(plan)
    scale = alt.Scale(domain=[low, (low + high) / 2, high], range=["@power0", "@power1", "@power2"], clamp=True)
    edge: dict[str, Any] = {"stroke": "@paper", "strokeWidth": 0.6}
    layers = [
        cells.transform_filter("datum.s == 0").mark_rect(fill="@off", **edge).encode(tooltip=tooltip),
        cells.transform_filter("datum.s == 2").mark_rect(fill="url(#hatch-out)", **edge).encode(tooltip=tooltip),
        cells.transform_filter("datum.s == 1")
        .mark_rect(**edge)
        .encode(color=alt.Color("p:Q", scale=scale, legend=None), tooltip=tooltip),
        *_starts(plan, clock, y),
        *clock.boundary(label=False),
    ]
    spec = specification(layers, height)
    # Names and intervals are written once, not in each cell.
    spec["params"] = [
        {"name": "names", "value": names},
        {"name": "intervals", "value": [clock.interval(t) for t in range(clock.steps)]},
    ]
    return spec


def _starts(plan: Plan, clock: Clock, y: alt.Y) -> list[alt.Chart]:
    marks: list[alt.Chart] = []
    size = float(np.clip(3600 / len(plan.schedule.containers), 34, 110))
    kinds = (
        (plan.replay.warm_start, "triangle-up", "@hot", "warm start"),
        (plan.replay.cold_start, "diamond", "@cold", "cold start"),
    )
    for flags, shape, colour, words in kinds:
        rows = [
            {"n": plan.schedule.containers[c], "t": int(t), "m": int(t) + 0.5, "i": clock.interval(int(t)), "w": words}
            for c, t in zip(*np.nonzero(flags), strict=True)
        ]
        if rows:
            mark = alt.Chart(values(rows)).mark_point(
                shape=shape, filled=True, fill=colour, stroke="@paper", strokeWidth=1.8, size=size, opacity=1
            )
            tips = [
                alt.Tooltip(f"{f}:N", title=title)
                for f, title in (("n", "container"), ("i", "interval"), ("w", "starts"))
            ]
            marks.append(mark.encode(x=clock.x("m"), y=y, tooltip=tips))
    return marks


def _table(plan: Plan, clock: Clock) -> Table:
    """Return containers by steps: IT power [MW], ``off`` or ``out``; w and c mark warm and cold starts."""
    state = states(plan)
    rows = []
    for c, name in enumerate(plan.schedule.containers):
        cells = [name]
        for t in range(clock.steps):
            text = ("off", number(float(plan.schedule.it_power_mw[c, t]), 2), "out")[state[c, t]]
            mark = " w" if plan.replay.warm_start[c, t] else " c" if plan.replay.cold_start[c, t] else ""
            cells.append(text + mark)
        rows.append(tuple(cells))
    columns = ["IT power, MW (w warm start, c cold start)"]
    columns += [f"{e.hour:02d}:{e.minute:02d}" for e in clock.edges[:-1]]
    return Table(tuple(columns), tuple(rows))
