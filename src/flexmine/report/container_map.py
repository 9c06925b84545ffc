"""The container-by-hour map: who runs how hard, who starts, who cannot run."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from flexmine.audit.reason_codes import code_of
from flexmine.problem import Miners
from flexmine.report.charts import LEFT, Clock, Figure, Panel, Row, Table, specification, values
from flexmine.report.facts import facts
from flexmine.report.palette import THIN, number
from flexmine.report.sentence import running_clause, sentence_case
from flexmine.workflow.plan import Plan

MOST_EDGED = 96
"""With more steps than this the edges of the cells would be most of what is seen."""


def map_figure(plan: Plan) -> Figure:
    """Return the figure of the container map."""
    clock = Clock(plan)
    height = int(np.clip(22 * len(plan.schedule.containers), 66, 620))
    low, high = power_range(plan)
    state, replay = states(plan), plan.replay
    marks = (
        ("off", "off", bool((state == 0).any())),
        ("hatch-out", "cannot run", bool((state == 2).any())),
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
    """Return 0 off, 1 on, 2 cannot run, shape (containers, T)."""
    runnable = np.array([k.runnable > 0 for _, k in plan.problem.containers])
    return np.where(plan.schedule.on, 1, np.where(runnable, 0, 2))


def _words_by_letter(plan: Plan) -> dict[str, list[list[str]]]:
    """Return the words of the hover by their letter, by container and step: reason, and miners by preset."""
    out = {}
    if plan.reasons is not None:
        out["r"] = [[shown_reason(r) for r in row] for row in plan.reasons.text]
    if plan.schedule.mixes is not None:
        out["x"] = [
            [mix_words(k.miners, counts) for counts in plan.schedule.mixes[c]]
            for c, (_, k) in enumerate(plan.problem.containers)
        ]
    return out


def shown_reason(reason: str) -> str:
    """Return a `reason` of the setpoints for a reader: its code without underscores."""
    code = code_of(reason)
    return code.replace("_", " ") + reason[len(code) :]


def mix_words(miners: Miners | None, counts: np.ndarray[Any, np.dtype[np.int32]]) -> str:
    """Return a mix as in ``243 at 2 024 W, 157 asleep``, the highest preset first; empty where none is known.

    Parameters
    ----------
    miners : Miners or None
    counts : ndarray of int, shape (levels,)
        Miners at each level: 0 asleep, j the preset j - 1.
    """
    if miners is None or not counts.any():
        return ""
    held = [(watts, int(n)) for (watts, _), n in zip(miners.presets, counts[1:], strict=False) if n]
    words = [f"{number(n)} at {number(watts)}{THIN}W" for watts, n in sorted(held, reverse=True)]
    return ", ".join(words + ([f"{number(int(counts[0]))} asleep"] if counts[0] else []))


def _rows(plan: Plan, clock: Clock, by_letter: dict[str, list[list[str]]], phrases: list[str]) -> list[Row]:
    """Return a row per container and step; its words are numbers of phrases, because many cells share them."""
    state, replay = states(plan), plan.replay
    at = {phrase: i for i, phrase in enumerate(phrases)}
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
            row |= {letter: at[words[c][t]] for letter, words in by_letter.items() if words[c][t]}
            rows.append(row)
    return rows


def _specification(plan: Plan, clock: Clock, height: int) -> dict[str, Any]:
    names, by_letter = list(plan.schedule.containers), _words_by_letter(plan)
    phrases = sorted({text for words in by_letter.values() for row in words for text in row if text})
    axis = alt.Axis(
        title=None, minExtent=LEFT, labelLimit=110, labelOverlap="greedy", ticks=False, domain=False, grid=False
    )
    y = alt.Y("n:N", sort=names, scale=alt.Scale(domain=names, paddingInner=0.08, paddingOuter=0), axis=axis)
    cells = (
        alt.Chart(values(_rows(plan, clock, by_letter, phrases)))
        .transform_calculate(
            n="names[datum.c]",
            e="datum.t + 1",
            i="intervals[datum.t]",
            S="['off','on','cannot run'][datum.s]",
            P="datum.s == 1 ? format(datum.p, '.2f') : '–'",
            F="format(datum.f, '.2f')",
            H="datum.s == 1 ? format(datum.h, ',') : '–'",
            R="isValid(datum.r) ? phrases[datum.r] : '–'",
            X="isValid(datum.x) ? phrases[datum.x] : '–'",
        )
        .encode(x=clock.x(), x2="e:Q", y=y, opacity=clock.pale())
    )
    tips = [("n", "container"), ("i", "interval"), ("S", "state"), ("P", "IT power, MW")]
    tips += [("F", "at the meter, MW"), ("H", "hash rate, TH/s")]
    tips += [(letter.upper(), {"r": "reason", "x": "miners"}[letter]) for letter in by_letter]
    tooltip = [alt.Tooltip(f"{f}:N", title=title) for f, title in tips]
    low, high = power_range(plan)
    scale = alt.Scale(domain=[low, (low + high) / 2, high], range=["@power0", "@power1", "@power2"], clamp=True)
    edge: dict[str, Any] = {"stroke": "@paper", "strokeWidth": 0.6 if clock.steps <= MOST_EDGED else 0}
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
    # Names, intervals and phrases are written once, not in each cell.
    spec["params"] = [
        {"name": "names", "value": names},
        {"name": "phrases", "value": phrases},
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
