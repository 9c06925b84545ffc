"""The charts of the report: each with a title that states the finding, its source, and the table behind it.

Specifications are Vega-Lite; colours are names of meanings (see :mod:`flexmine.report.palette`).  The time axis counts
steps from 0 to T and carries labels in site time, so that days of 23 and 25 hours are drawn true to length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import altair as alt
import numpy as np
from altair.utils import schemapi

from flexmine.problem import Floats
from flexmine.report.facts import clock, day_name, local_edges
from flexmine.workflow.plan import Plan

Row = dict[str, Any]
LEFT = 48  # pixels for the labels of the power axis, the same in all panels of the day, so that their hours align
PALE = 0.42
ROW_PX = 34


@dataclass(frozen=True)
class Table:
    """The numbers behind a chart, as text; `is_words` where most columns are words, which stand to the left."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_words: bool = False


@dataclass(frozen=True)
class Panel:
    """One specification and its heading; `legend` holds (colour name or pattern, words)."""

    key: str
    heading: str
    spec: dict[str, Any]
    height_px: int
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Figure:
    """One figure: panels under one title, with the source line and the table.

    Attributes
    ----------
    notes : tuple of str
        Sentences that belong to the charts and stand under them.
    pair : bool
        Whether its panels may stand side by side where there is room.
    table_words : str
        What the folded table holds.
    """

    key: str
    title: str
    panels: tuple[Panel, ...]
    description: str
    source: str
    table: Table
    notes: tuple[str, ...] = ()
    pair: bool = False
    table_words: str = "The numbers as a table"


class Clock:
    """Site time of the steps: labels of intervals, and an axis that names hours and days."""

    def __init__(self, plan: Plan):
        self.steps, self.publish_steps = plan.problem.steps, plan.publish_steps
        self.looks_ahead = self.publish_steps < self.steps
        self.edges = local_edges(plan.problem)
        self.zone = plan.problem.time.zone

    def interval(self, step: int) -> str:
        """Return the interval of `step` as in ``Tue 10 Sep 03:00-04:00 +08:00``."""
        start, end = self.edges[step], self.edges[step + 1]
        offset = start.isoformat()[-6:]
        return f"{day_name(start)[:-5]} {clock(start)}–{clock(end)} {offset}"

    def ticks(self) -> tuple[list[int], list[str]]:
        """Return steps that begin on a local hour divisible by 3 (6 over long horizons), and their labels."""
        span_h = (self.edges[-1] - self.edges[0]).total_seconds() / 3600.0
        every = 3 if span_h <= 60 else 6 if span_h <= 120 else 24
        at = [t for t, e in enumerate(self.edges) if e.minute == 0 and e.hour % every == 0]
        return at, [self._label(self.edges[t]) for t in at]

    def _label(self, edge: datetime) -> str:
        return day_name(edge)[4:-5] if edge.hour == 0 else f"{edge.hour:02d}"

    def x(self, field: str = "t") -> alt.X:
        """Return the encoding of the time axis; rows hold their place on it, in steps, under `field`."""
        at, words = self.ticks()
        pairs = ",".join(f"'{t}':'{w}'" for t, w in zip(at, words, strict=True))
        axis = alt.Axis(
            values=at,
            labelExpr=f"({{{pairs}}})[datum.value]",
            title=None,
            grid=True,
            labelOverlap="greedy",
            labelSeparation=7,
            labelPadding=4,
        )
        return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, self.steps], nice=False, zero=False), axis=axis)

    def pale(self) -> dict[str, Any]:
        """Return an opacity that makes the look-ahead visibly paler."""
        return {"condition": {"test": f"datum.t >= {self.publish_steps}", "value": PALE}, "value": 1}

    def boundary(self, label: bool) -> list[alt.Chart]:
        """Return the rule between plan and look-ahead, with words where `label` is set; empty without a look-ahead."""
        if not self.looks_ahead:
            return []
        at = alt.Chart(values([{"t": self.publish_steps}]))
        rule = at.mark_rule(color="@ink", strokeDash=[2, 3], strokeWidth=1, clip=True).encode(x=self.x())
        if not label:
            return [rule]
        text = at.mark_text(align="left", baseline="top", dx=4, dy=2, color="@muted", fontSize=11, text="look-ahead →")
        return [rule, text.encode(x=self.x(), y=alt.value(0))]


def values(rows: Sequence[Row]) -> alt.InlineData:
    """Return rows as inline data of a specification."""
    # A tuple, because altair copies every row of a list several times over.
    return alt.InlineData(values=tuple(rows))


def mw_axis(title: str, **options: Any) -> alt.Axis:
    """Return a vertical axis with its `title` above it, of one width in every panel; `options` are altair's own."""
    return alt.Axis(
        title=title, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-LEFT + 2, titleY=-8,
        minExtent=LEFT, maxExtent=LEFT, tickCount=options.pop("tickCount", 5), **options,
    )  # fmt: skip


def step_points(series: Floats, clock: Clock, **more: Any) -> list[Row]:
    """Return the points of a step line; the last value is held to the end of the last step.

    Parameters
    ----------
    series : ndarray, shape (T,)
        Values in the unit of the axis; NaN and infinite ones have no point.
    clock : Clock
    **more
        Further keys of every row.
    """
    points = [(t, float(series[t])) for t in range(clock.steps) if np.isfinite(series[t])]
    if points and points[-1][0] == clock.steps - 1:
        points.append((clock.steps, points[-1][1]))
    return [{"t": t, "v": round(v, 4), **more} for t, v in points]


def hover(rows: list[Row], tips: Sequence[tuple[str, str]], clock: Clock) -> alt.Chart:
    """Return one invisible bar per step over the full height that shows all numbers of the step.

    Parameters
    ----------
    rows : list of dict
        ``t`` and ``e``, the edges of the step, and the text of every field that is shown.
    tips : sequence of (str, str)
        Field and its title, in the order in which they are shown.
    clock : Clock
    """
    return (
        alt.Chart(values(rows))
        .mark_rect(opacity=0, tooltip=True)
        .encode(x=clock.x(), x2="e:Q", tooltip=[alt.Tooltip(f"{f}:N", title=title) for f, title in tips])
    )


def bars(key: str, heading: str, rows: list[Row], unit: str = "USD") -> Panel:
    """Return horizontal bars with their numbers beside them.

    Parameters
    ----------
    key, heading : str
        As in :class:`Panel`.
    rows : list of dict
        ``n`` name, ``a`` and ``b`` ends of the bar, ``c`` colour name, ``w`` words right of it.
    unit : str, default "USD"
        Unit of the ends, the title of the axis.
    """
    names = [r["n"] for r in rows]
    colours = sorted({r["c"] for r in rows})
    for r in rows:
        r["m"] = max(r["a"], r["b"])
    low, high = min(min(r["a"], r["b"]) for r in rows), max(1.0, *(r["m"] for r in rows))
    room = 0.24 * (high - min(low, 0.0))  # for the words right of the longest bar
    x = alt.X(
        "a:Q",
        scale=alt.Scale(domain=[min(low, 0.0), high + room], nice=False),
        axis=alt.Axis(title=unit, format=",.0f", tickCount=4, tickMinStep=1, labelOverlap="greedy", grid=True),
    )
    axis = alt.Axis(title=None, minExtent=96, labelLimit=130, ticks=False, domain=False)
    y = alt.Y("n:N", sort=names, scale=alt.Scale(domain=names, paddingInner=0.3, paddingOuter=0.1), axis=axis)
    scale = alt.Scale(domain=colours, range=[f"@{c}" for c in colours])
    chart = alt.Chart(values(rows))
    tips = [alt.Tooltip("n:N", title="what"), alt.Tooltip("w:N", title=unit)]
    lying = chart.mark_bar().encode(x=x, x2="b:Q", y=y, color=alt.Color("c:N", scale=scale, legend=None), tooltip=tips)
    text = chart.mark_text(align="left", dx=5, color="@ink", fontSize=12).encode(x="m:Q", y=y, text="w:N")
    height = ROW_PX * len(rows)
    return Panel(key, heading, specification([lying, text], height), height)


def scale_from_zero(highest: float) -> alt.Scale:
    """Return a scale from 0 with room above the `highest` value, so that a line is not taken for the frame."""
    return alt.Scale(domain=[0, max(1e-3, 1.06 * highest)], nice=False)


@contextmanager
def quick_charts() -> Iterator[None]:
    """Skip altair's checks against the schema: they take longer than a plan, and are for tests."""
    with schemapi.debug_mode(False):
        yield


def specification(layers: Sequence[alt.Chart], height_px: int) -> dict[str, Any]:
    """Return the Vega-Lite specification of layered charts, `height_px` high and as wide as the place it stands in."""
    chart = alt.layer(*layers).properties(width="container", height=height_px)
    spec: dict[str, Any] = chart.to_dict(validate=schemapi.DEBUG_MODE)
    spec.pop("config", None)
    return spec
