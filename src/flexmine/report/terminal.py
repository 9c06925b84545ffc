"""The summary of a plan on a terminal: one screen, plain text, aligned."""

from __future__ import annotations

import textwrap
from datetime import datetime

import numpy as np

from flexmine.problem import Floats
from flexmine.report.facts import facts, local_edges
from flexmine.report.palette import MINUS, THIN, THIN_SPACE, number
from flexmine.report.sentence import finding, verdict
from flexmine.workflow.plan import Plan

BLOCKS = "▁▂▃▄▅▆▇█"
LABEL = 18


def summary(plan: Plan, width: int = 80) -> str:
    """Return the summary of `plan` in lines of at most `width` columns.

    Raises
    ------
    ValueError
        `width` leaves no room (less than 50 columns), or the plan publishes no step.
    """
    if width < 50:
        raise ValueError(f"width is {width}, at least 50 columns are needed")
    words = ["!! " + text if not good else text for text, good in verdict(plan)]
    parts = [
        [plan.headline],
        textwrap.wrap(finding(plan), width),
        textwrap.wrap("; ".join(words), width, subsequent_indent="  "),
        _hours(plan, width),
        _rules(plan, width),
        _value_of_planning(plan, width),
        *([line] for line in _notes(plan, width)),
    ]
    lines = "\n\n".join("\n".join(part) for part in parts if part)
    text = lines.replace(THIN, " ").replace(MINUS, "-")
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in text.split("\n"))


def _value_of_planning(plan: Plan, width: int) -> list[str]:
    """Return what kind of day it is, where modes or looking ahead bring too little to be worth the effort."""
    kind = plan.day_kind
    known = () if kind is None else (kind.modes_usd, kind.look_ahead_usd)
    if kind is None or not any(amount is not None and kind.is_nothing(amount) for amount in known):
        return []
    return textwrap.wrap(kind.sentence.replace(THIN_SPACE, THIN), width)


def _notes(plan: Plan, width: int) -> list[str]:
    if not plan.notes:
        return []
    count = "1 note" if len(plan.notes) == 1 else f"{len(plan.notes)} notes"
    return [textwrap.shorten(f"Data: {count} on stand-ins and assumptions in report.html.", width, placeholder="…")]


def _hours(plan: Plan, width: int) -> list[str]:
    """Return a line of blocks per series over the published steps, under a line of hours."""
    problem, part = plan.problem, slice(0, plan.publish_steps)
    room = width - LABEL - 22
    pool = -(-plan.publish_steps // room)
    edges = local_edges(problem)[: plan.publish_steps]
    hours = [_six_hours(edges[i : i + pool]) for i in range(0, len(edges), pool)]
    stretch = max(1, room // len(hours))
    marks = "".join(hour.ljust(stretch)[: max(stretch, 2)] for hour in hours) if stretch > 1 else _sparse_marks(hours)
    lines = [f"{problem.time.zone:<{LABEL}.{LABEL - 1}}{marks:<{len(hours) * stretch}}{'least':>10}{'most':>10}"]
    for name, values, digits in _series(plan):
        shown = _pooled(values[part], pool)
        blocks = "".join(c * stretch for c in sparkline(shown, 0.5 * 10.0**-digits))
        least, most = number(float(values[part].min()), digits), number(float(values[part].max()), digits)
        lines.append(f"{name:<{LABEL}.{LABEL}}{blocks}{least:>10}{most:>10}".rstrip())
    return lines


def _six_hours(times: list[datetime]) -> str:
    """Return the hour that a block holds the beginning of, where it is 00, 06, 12 or 18."""
    return next((f"{time.hour:02d}" for time in times if time.minute == 0 and time.hour % 6 == 0), "")


def _sparse_marks(marks: list[str]) -> str:
    line = [" "] * len(marks)
    for at, mark in enumerate(marks):
        for offset, letter in enumerate(mark):
            if at + offset < len(line):
                line[at + offset] = letter
    return "".join(line)


def _series(plan: Plan) -> list[tuple[str, Floats, int]]:
    problem = plan.problem
    surplus = [s for s in problem.sources if s.kind == "surplus"]
    rows: list[tuple[str, Floats, int]] = [("power, MW", plan.replay.site_power_mw, 2)]
    if surplus:
        offered = np.asarray(np.sum([s.available_mw for s in surplus], axis=0))
        rows.append(("surplus, MW", offered, 2))
        rows.append(("left over, MW", plan.replay.surplus_left_mw, 2))
    rows.extend((f"{s.name[:9]}, USD/MWh", s.price_usd_per_mwh, 1) for s in problem.sources)
    rows.append(("containers on", plan.schedule.on.sum(axis=0).astype(np.float64), 0))
    if plan.temperature_c is not None:
        rows.append(("outside, C", plan.temperature_c, 1))
    return rows


def _pooled(values: Floats, pool: int) -> Floats:
    """Return means of `pool` neighbours, so that fine steps still fit."""
    return np.array([values[i : i + pool].mean() for i in range(0, values.size, pool)])


def sparkline(values: Floats, least: float = 0.0) -> str:
    """Return one block per value, from the lowest or zero to the highest.

    A series that does not go below zero stands on zero, so that half the height is half the value; one that spans no
    more than `least` (what is shown as 0) is flat, so that noise is not drawn.
    """
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if high - low <= least:
        return BLOCKS[0] * values.size
    level = np.round((values - low) / (high - low) * (len(BLOCKS) - 1)).astype(int)
    return "".join(BLOCKS[i] for i in level)


def _rules(plan: Plan, width: int) -> list[str]:
    """Return the money of the plan and of the simple rules, aligned; an infeasible rule is named as such."""
    found = facts(plan)
    whole = plan.replay.money_usd
    lines = [f"{'money':<{LABEL}}{'published':>14}{'whole horizon':>18}"]
    lines.append(f"{'this plan':<{LABEL}}{number(found.money_usd):>10} USD{number(whole):>14} USD")
    for rule in plan.rules:
        if rule.money_usd is None or rule.published_money_usd is None:
            reason = f": {rule.violations[0]}" if rule.violations else ""
            text = textwrap.shorten(f"not feasible{reason}", width - LABEL - 1, placeholder="…")
        else:
            text = f"{number(rule.published_money_usd):>10} USD{number(rule.money_usd):>14} USD"
        lines.append(f"{rule.name:<{LABEL}}{text}")
    return lines
