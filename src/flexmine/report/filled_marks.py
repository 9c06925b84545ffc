"""Marks of what was filled in: a strip at the foot of the panel that shows the series, and words for the legend."""

from __future__ import annotations

import altair as alt
import numpy as np

from flexmine.inputs.filling import Filled
from flexmine.report.charts import Clock, values
from flexmine.workflow.plan import Plan

STRIP_PX = 6
_PANEL_OF_QUANTITY = {
    "available_mw": "power",
    "minimum_mw": "power",
    "headroom_mw": "power",
    "temperature_c": "temperature",
    "ghi_w_m2": "temperature",
}
"""Where a series is looked for; all others are prices or what the price of a hash is made of."""


def of_panel(plan: Plan, panel: str) -> list[Filled]:
    """Return what was filled in of the series that a `panel` shows: ``power``, ``price`` or ``temperature``."""
    return [f for f in plan.filled if _panel(f) == panel]


def strip(found: list[Filled], clock: Clock, height_px: int) -> list[alt.Chart]:
    """Return the strip over all steps that were filled in, at the foot of a panel `height_px` high; else empty."""
    steps = sorted({t for f in found for t in range(f.first_step, f.first_step + f.steps)})
    if not steps:
        return []
    rows = [{"t": t, "e": t + 1} for t in steps]
    mark = alt.Chart(values(rows)).mark_rect(color="@ink", clip=True)
    return [mark.encode(x=clock.x(), x2="e:Q", y=alt.value(height_px - STRIP_PX), y2=alt.value(height_px))]


def legend(found: list[Filled]) -> list[tuple[str, str]]:
    """Return the entry of the legend, none where nothing was filled in."""
    names = dict.fromkeys(f"{f.series} ({f.how})" for f in found)
    return [("ink", f"filled in, not the feed's: {', '.join(names)}")] if names else []


def by_step(plan: Plan) -> list[str]:
    """Return for each step the series that were filled in, for the table; empty where nothing was."""
    words = np.full(plan.problem.steps, "", dtype=object)
    for f in plan.filled:
        for t in range(f.first_step, f.first_step + f.steps):
            words[t] = f"{words[t]}, {f.series}" if words[t] else f.series
    return [str(w) for w in words]


def _panel(filled: Filled) -> str:
    parts = filled.series.split(".")
    return next((_PANEL_OF_QUANTITY[p] for p in reversed(parts) if p in _PANEL_OF_QUANTITY), "price")
