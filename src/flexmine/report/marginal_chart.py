"""What one more MW is worth in each hour: of a source, of the cap, of a ramp; the commitment stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import altair as alt
import numpy as np

from flexmine.problem import Floats
from flexmine.problem.limits import Limit, worth_something
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
from flexmine.report.day import ordered_sources
from flexmine.report.palette import THIN, number
from flexmine.report.sentence import joined
from flexmine.workflow.plan import Plan

NOTHING_USD_PER_MW_H = 0.005  # what would be shown as 0.00
WIDTHS = {"line": 2.2, "dash": 1.6}
MOST_NAMED = 2
FEEDER_SHADES = ("muted", "out", "cap")
STYLES = {"site_cap": "line:cap", "ramp_up": "dash:hot", "ramp_down": "dash:cold", "site_minimum": "dash:muted"}
# Offers of power first, then the site, then its groups.
ORDER = {"source": 0, "site": 1, "group": 2, "class": 3}


@dataclass(frozen=True)
class Worth:
    """The worth of one more MW of one limit by step, shape (T,) [USD per MW and hour]."""

    words: str
    kind: str
    usd_per_mw_h: Floats

    @property
    def is_nothing(self) -> bool:
        """Whether it would be shown as 0.00 in every step that is known."""
        known = self.usd_per_mw_h[np.isfinite(self.usd_per_mw_h)]
        return bool((np.abs(known) < NOTHING_USD_PER_MW_H).all())


def worths(plan: Plan) -> tuple[Worth, ...]:
    """Return the worth of one more MW of every limit on power that the plant has, sources first."""
    if plan.reasons is None:
        return ()
    problem, worth, shades = plan.problem, plan.reasons.values.of, cycle(FEEDER_SHADES)
    colours = {s.name: colour for _, s, colour in ordered_sources(plan)}
    out = [
        (limit.more.format(who=who), _style(limit, colours.get(who), shades), worth[limit.row][member])
        for limit in sorted(worth_something(), key=lambda limit: ORDER[limit.over])
        for member, who in enumerate(limit.members(problem))
        if limit.present(problem)
    ]
    return tuple(Worth(words, kind, series / problem.time.step_h) for words, kind, series in out)


def _style(limit: Limit, colour: str | None, shades: Iterator[str]) -> str:
    """Return line and colour of a limit; sources keep the colour that they have in other charts."""
    if limit.over == "source" and colour is not None:
        return f"line:{colour}"
    return STYLES.get(limit.row) or f"dash:{next(shades)}"


def marginal_figure(plan: Plan) -> Figure | None:
    """Return the figure of the marginal values; None where the plan holds none."""
    every = worths(plan)
    if not every:
        return None
    clock = Clock(plan)
    shown = tuple(w for w in every if not w.is_nothing)
    title = _title(every, clock)
    idle = [w.words for w in every if w.is_nothing]
    notes = (f"Worth nothing in any hour, and not drawn: more of {joined(idle)}.",) if idle and shown else ()
    return Figure(
        key="marginal",
        title=title,
        panels=(_panel(shown, clock),) if shown else (),
        description=f"Worth of one more MW by step. {title}. The table below holds the numbers.",
        source="Source: the plan with the commitment fixed: who runs stays, how hard is free. Each value is for one "
        "more MW in that hour alone; a ramp, for a step that may be one MW larger into that hour.",
        table=_table(every, clock),
        notes=notes,
    )


def _title(every: tuple[Worth, ...], clock: Clock) -> str:
    """Return what the limits with the highest worth in the published part are worth."""
    part = slice(0, clock.publish_steps)
    most = {w.words: float(np.nanmax(w.usd_per_mw_h[part], initial=0.0)) for w in every}
    named = sorted((w for w in every if most[w.words] >= NOTHING_USD_PER_MW_H), key=lambda w: -most[w.words])
    if not named:
        return "With the commitment fixed, one more MW of any limit is worth nothing"
    first, *rest = [(w.words, _range(w.usd_per_mw_h[part])) for w in named[:MOST_NAMED]]
    others = "".join(f", of {words} {worth}" for words, worth in rest)
    return f"One more MW of {first[0]} is worth {first[1]}{others}, commitment fixed"


def _range(series: Floats) -> str:
    known = series[np.isfinite(series)]
    low, high = float(known.min()), float(known.max())
    if number(low) == number(high):
        return f"{number(high)}{THIN}USD an hour"
    return f"{number(low)} to {number(high)}{THIN}USD an hour"


def _panel(shown: tuple[Worth, ...], clock: Clock) -> Panel:
    highest = max(float(np.nanmax(w.usd_per_mw_h)) for w in shown)
    y = alt.Y("v:Q", axis=mw_axis("USD per MW and hour", tickCount=4), scale=scale_from_zero(highest))
    layers: list[alt.Chart] = []
    numbers: list[Row] = [{"t": t, "e": t + 1, "i": clock.interval(t)} for t in range(clock.steps)]
    for n, w in enumerate(shown):
        form, _, colour = w.kind.partition(":")
        line = alt.Chart(values(step_points(w.usd_per_mw_h, clock))).mark_line(
            interpolate="step-after",
            color=f"@{colour}",
            strokeWidth=WIDTHS[form],
            strokeDash=[5, 3] if form == "dash" else [1, 0],
            clip=True,
        )
        layers.append(line.encode(x=clock.x(), y=y))
        for t in range(clock.steps):
            numbers[t][f"w{n}"] = _known(float(w.usd_per_mw_h[t]))
    tips = [("i", "interval"), *((f"w{n}", f"{w.words}, USD/(MW h)") for n, w in enumerate(shown))]
    layers += [hover(numbers, tips, clock), *clock.boundary(label=False)]
    legend = tuple((w.kind, w.words) for w in shown)
    return Panel("marginal", "What one more MW is worth", specification(layers, 130), 130, legend)


def _table(every: tuple[Worth, ...], clock: Clock) -> Table:
    columns = ("interval", *(f"{w.words}, USD/(MW h)" for w in every), "part")
    rows = tuple(
        (
            clock.interval(t),
            *(_known(float(w.usd_per_mw_h[t])) for w in every),
            "plan" if t < clock.publish_steps else "look-ahead",
        )
        for t in range(clock.steps)
    )
    return Table(columns, rows)


def _known(value: float) -> str:
    return number(value, 2) if np.isfinite(value) else "not known"
