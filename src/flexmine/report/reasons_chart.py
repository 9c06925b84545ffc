"""Why containers are off, and what limits the power of those that run: container-hours by reason."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.reason_codes import CODES, code_of, text_of
from flexmine.report.charts import Figure, Panel, Row, Table, bars
from flexmine.report.container_map import states
from flexmine.report.palette import THIN, number
from flexmine.report.sentence import joined, when
from flexmine.workflow.plan import Plan

STATES = ("off", "on", "out")
MOST_NAMED = 3

Texts = NDArray[np.object_]


def reasons_figure(plan: Plan) -> Figure | None:
    """Return the figure of the reasons of the published part; None where the plan holds none."""
    if plan.reasons is None:
        return None
    part = slice(0, plan.publish_steps)
    reason = np.array(plan.reasons.text, dtype=object)[:, part]
    state = states(plan)[:, part]
    title = _title(plan, reason, state)
    off, on = (hours_by_code(plan, reason, chosen) for chosen in (state != 1, state == 1))
    panels = [_panel("why-off", "Off, by reason", off, "muted")] if off else []
    panels += [_panel("why-on", "On, by what holds the power where it is", on, "power1")] if on else []
    asked = (
        ""
        if plan.reasons.asked
        else " The plant is too large to plan it anew without each limit; reasons come from the fixed commitment alone."
    )
    return Figure(
        key="reasons",
        title=title,
        panels=tuple(panels),
        description=f"Container-hours by reason. {title}. The table below names the hours of each container.",
        source="Source: the limit without which the container would do otherwise, published part." + asked,
        table=Table(
            ("container", "state", "reason", "hours", "when", "in words"), tuple(_rows(plan, reason, state)), True
        ),
        pair=len(panels) > 1,
        table_words="Why each container is on or off, and when",
    )


def hours_by_code(plan: Plan, reason: Texts, chosen: NDArray[np.bool_]) -> list[tuple[str, float]]:
    """Return (code, container-hours) of the chosen container-steps, the most hours first.

    Parameters
    ----------
    plan : Plan
    reason : ndarray of str, shape (containers, P)
        Reasons of the published steps.
    chosen : ndarray of bool, shape (containers, P)
        Which of them are counted.
    """
    code, count = np.unique([code_of(str(r)) for r in reason[chosen]], return_counts=True)
    hours = [(str(c), float(n) * plan.problem.time.step_h) for c, n in zip(code, count, strict=True)]
    return sorted(hours, key=lambda pair: (-pair[1], pair[0]))


def hours_words(value_h: float) -> str:
    """Return `value_h` [h] without needless digits."""
    return number(value_h, 0 if float(value_h).is_integer() else 2)


def _title(plan: Plan, reason: Texts, state: NDArray[np.int64]) -> str:
    off = hours_by_code(plan, reason, state != 1)
    total = reason.size * plan.problem.time.step_h
    if not off:
        code, hours = hours_by_code(plan, reason, state == 1)[0]
        share = f"{hours_words(hours)} of {hours_words(total)} hours"
        return f"No container is off; {CODES[code].chart} sets the power in {share}"
    away = sum(h for _, h in off)
    names = [f"{CODES[c].chart} ({hours_words(h)})" for c, h in off[:MOST_NAMED]]
    rest = "and other reasons" if len(off) > MOST_NAMED else ""
    because = f"{', '.join(names)} {rest}" if rest else joined(names)
    return f"Containers are off in {hours_words(away)} of {hours_words(total)} container-hours: {because}"


def _panel(key: str, heading: str, hours: list[tuple[str, float]], colour: str) -> Panel:
    rows: list[Row] = [
        {"n": CODES[c].chart, "a": 0, "b": round(h, 2), "c": colour, "w": f"{hours_words(h)}{THIN}h"} for c, h in hours
    ]
    return bars(key, heading, rows, "container-hours")


def _rows(plan: Plan, reason: Texts, state: NDArray[np.int64]) -> Iterator[tuple[str, ...]]:
    """Yield a row per container, state and reason, with its hours; where its words differ, the first are given."""
    for i, (name, _) in enumerate(plan.problem.containers):
        codes = np.array([code_of(str(r)) for r in reason[i]])
        for s in (0, 2, 1):
            for code in dict.fromkeys(codes[state[i] == s]):
                flags = (state[i] == s) & (codes == code)
                texts = list(dict.fromkeys(text_of(str(r)) for r in reason[i][flags]))
                words = texts[0] if len(texts) == 1 else f"{texts[0]} (the first of {len(texts)})"
                hours = float(flags.sum()) * plan.problem.time.step_h
                yield name, STATES[s], str(code), hours_words(hours), when(flags, plan), words
