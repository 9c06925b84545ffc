"""Every limit of the Problem, declared once; and every other row of the model, with what a rounding does to it.

A declaration holds words and references, never an equation: the equation stands in ``milp/`` and its check in
``audit/``, written twice on purpose.  Conflicts, marginal values, reasons, what-ifs, the rounding reserve, threshold
rounding and the page of the mathematics take their lists from here, and a test demands every part of every limit.

The order is that in which the search for a conflict tries to do without a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import floor
from typing import Any, Literal

import numpy as np

from flexmine.problem.fields import Floats
from flexmine.problem.model import ContainerClass, EnergyLimit, Group, Problem, Source

Over = Literal["site", "source", "group", "class"]
Window = Literal["step", "day", "period", "horizon"]
Touches = Literal["counts", "power", "both"]
# What threshold rounding does to rows.  kept: a threshold keeps them exactly.  settled: they are settled anew, with
# power, once the counts are whole.  kept_alone: kept where they hold a single class of the model, as sums over classes
# are not.  may_break: a threshold may break them, so that a rounding is tried and may be refused.
Rounding = Literal["kept", "settled", "kept_alone", "may_break"]

# The Problem with a limit wider by an amount, of (problem, amount, who, step); None: all of them, in all steps.
Widen = Callable[[Problem, float, str | None, int | None], Problem]

# Narrowing and widening again gives the same number: 1 mW is far below anything that is written.
DECIMALS = 9


@dataclass(frozen=True)
class Effect:
    """How a binding limit on power shows in a step.

    Attributes
    ----------
    text : str
        Text of a reason; ``{value}`` stands for the number of the limit, ``{who}`` for whose it is.
    forces : bool
        Whether it holds power up; else it holds power down.
    after : int
        Number of steps by which the row comes after the step that it explains.
    """

    text: str
    forces: bool = False
    after: int = 0


@dataclass(frozen=True)
class Limit:
    """One kind of limit.

    Attributes
    ----------
    row : str
        Component of the model that holds it, and its public name.
    words, unit : str
        What a conflict calls it, and the unit by which a row is missed.
    kind : str
        Physical limits are never soft.
    over, window, touches : str
        Whose it is; what one row spans; whether it ties counts, power or both.
    rounding : str
        What threshold rounding does to its rows.
    check : str
        Code under which the audit names a breach.
    reasons : tuple of str
        Codes under which it explains a container-hour; of a source: of one that is surplus, of one that is firm.
    present, relax : callable
        Whether a Problem has such a limit, and the Problem without it.
    value : callable
        The number of the limit, of (problem, who, step).
    least : bool
        Whether it is a lower bound; else an upper bound.
    given_up : bool
        Whether a breach means that a rule is given up, rather than that a number is lower or higher.
    without : str
        Code under which a what-if takes it away; empty: no reason needs that what-if.
    why_off, why_on : str
        Text of the reason for a container that is off, or on, because of it; empty: there is no such reason.
    effects : tuple of Effect
        Of a limit on power that one more unit is worth something of.
    key, more : str
        Name of that worth in plan.json, and in words.
    widen : callable or None
        The Problem with the limit wider by an amount, of (problem, amount, who, step); None: of all, in all steps.
    narrow, reserve : callable or None
        The Problem with all of it narrower by a rounding reserve [MW], or, below 0, as wide as it was; and by how much
        one of it is narrower, in its own unit, of (problem, who).  None: rounding leaves it unchanged.
    value_unit : str
        Where it is another unit than `unit`.
    seldom : bool
        Whether hardly any of its rows bind, so that a relaxation includes only those that do.
    named, steps : callable or None
        Of a limit over periods: its names in a Problem, and the steps that each spans, of (problem, who).
    about : callable
        The source whose energy it limits, of (problem, who); None: it is about the site.
    """

    row: str
    words: str
    unit: str
    kind: Literal["physical", "contractual"]
    over: Over
    window: Window
    touches: Touches
    rounding: Rounding
    check: str
    reasons: tuple[str, ...]
    present: Callable[[Problem], bool]
    relax: Callable[[Problem], Problem]
    value: Callable[[Problem, str, int], float]
    least: bool = False
    given_up: bool = False
    without: str = ""
    why_off: str = ""
    why_on: str = ""
    effects: tuple[Effect, ...] = ()
    key: str = ""
    more: str = ""
    widen: Widen | None = None
    narrow: Callable[[Problem, float], Problem] | None = None
    reserve: Callable[[Problem, str], float] | None = None
    value_unit: str = ""
    seldom: bool = False
    named: Callable[[Problem], tuple[str, ...]] | None = None
    steps: Callable[[Problem, str], range] | None = None
    about: Callable[[Problem, str], str | None] = lambda _p, _who: None

    def members(self, p: Problem) -> tuple[str, ...]:
        """Return the names that it stands for in a Problem; one empty name for the site."""
        if self.named is not None:
            return self.named(p)
        if self.over == "site":
            return ("",)
        of: dict[str, Iterable[Source | Group | ContainerClass]]
        of = {"source": p.sources, "group": p.site.groups, "class": p.classes}
        return tuple(member.name for member in of[self.over])

    def place(self, index: object) -> tuple[str, int]:
        """Return whose row an `index` of the model names, and its step (or day)."""
        if self.window == "period":
            return str(index), 0
        parts = index if isinstance(index, tuple) else (index,)
        return (str(parts[0]) if self.over != "site" else ""), int(parts[-1])

    def index(self, who: str, t: int) -> object:
        """Return the index in the model of the row of `who` in step (or day) `t`; the inverse of :meth:`place`."""
        if self.window == "period":
            return who
        return t if self.over == "site" else (who, t)

    def span(self, p: Problem, who: str, t: int) -> range:
        """Return the steps that its row of `who` in step `t` is about."""
        return range(t, t + 1) if self.steps is None else self.steps(p, who)

    def reasons_of(self, p: Problem, who: str) -> tuple[str, ...]:
        """Return the codes under which it explains a container-hour; of a source `who`, that of its kind."""
        if self.over != "source" or len(self.reasons) == 1:
            return self.reasons
        return self.reasons[:1] if source_of(p, who).kind == "surplus" else self.reasons[1:]

    def key_of(self, p: Problem, who: str) -> str:
        """Return the name of its worth in plan.json; of a source `who`, its kind."""
        return self.key or source_of(p, who).kind

    def concerns(self, p: Problem, who: str, class_name: str) -> bool:
        """Return whether its rows of `who` bind the class `class_name`."""
        if self.over == "class":
            return who == class_name
        return self.over != "group" or any(g.name == who and class_name in g.classes for g in p.site.groups)


@dataclass(frozen=True)
class Row:
    """A family of rows that defines quantities of the model, and forbids nothing that anybody chose.

    Attributes
    ----------
    tightens : str
        Row of a limit that it holds once more, tightened: whoever takes that one away, takes this one away too.
    """

    row: str
    touches: Touches
    rounding: Rounding
    seldom: bool = False
    tightens: str = ""


def class_of(p: Problem, name: str) -> ContainerClass:
    """Return a class by its name in the model: a container planned by itself is named CLASS/CONTAINER.

    Where there is a class of that very name, it is CLASS:CONTAINER.
    """
    classes = {k.name: k for k in p.classes}
    return classes[name] if name in classes else classes[name.rsplit(":" if ":" in name else "/", 1)[0]]


def source_of(p: Problem, name: str) -> Source:
    """Return a source by its name."""
    return next(s for s in p.sources if s.name == name)


def with_site(p: Problem, **changes: Any) -> Problem:
    """Return the Problem with other limits of its site."""
    return replace(p, site=replace(p.site, **changes))


def with_classes(p: Problem, change: Callable[[ContainerClass], ContainerClass]) -> Problem:
    """Return the Problem with every class replaced by what `change` makes of it."""
    return replace(p, classes=tuple(change(k) for k in p.classes))


def bumped(values: Floats, by: float, t: int | None) -> Floats:
    """Return a series with step `t` (None: every step) changed by the amount `by`, in the unit of the series."""
    changed, where = np.array(values, dtype=np.float64), slice(None) if t is None else t
    changed[where] = np.round(changed[where] + by, DECIMALS)
    return changed


def _reserve_mw(p: Problem, _who: str) -> float:
    return p.site.rounding_reserve_mw


def _narrowed(widen: Widen) -> Callable[[Problem, float], Problem]:
    return lambda p, mw: widen(p, -mw, None, None)


def _widen_supply(p: Problem, by: float, who: str | None, t: int | None) -> Problem:
    wider = (replace(s, available_mw=bumped(s.available_mw, by, t)) if who in (None, s.name) else s for s in p.sources)
    return replace(p, sources=tuple(wider))


def _widen_group(p: Problem, by: float, who: str | None, _t: int | None) -> Problem:
    wider = (replace(g, cap_mw=round(g.cap_mw + by, DECIMALS)) if who in (None, g.name) else g for g in p.site.groups)
    return with_site(p, groups=tuple(wider))


def _on_class(row: str, field: str, free: Callable[[ContainerClass], Any], **more: Any) -> Limit:
    """Return a limit that one field of the classes states; `free` is its value where there is no limit."""

    def value(p: Problem, who: str, t: int) -> float:
        stated = getattr(class_of(p, who), field)
        return float(stated[t] if np.ndim(stated) else stated or 0)

    known: dict[str, Any] = {
        "words": row.replace("_", " "),
        "unit": "containers",
        "over": "class",
        "window": "step",
        "touches": "counts",
        "check": row,
        "reasons": (more.get("check", row),),
        "present": lambda p: any(not np.array_equal(getattr(k, field), free(k)) for k in p.classes),
        "relax": lambda p: with_classes(p, lambda k: replace(k, **{field: free(k)})),
        "value": value,
    }
    return Limit(row=row, **(known | more))


def _on_site_power(row: str, field: str, free: Callable[[Problem], Any], *, least: bool = False, **more: Any) -> Limit:
    """Return a limit on power [MW] that one field of the site states; `free` is its value where there is no limit.

    But for a least power, it is narrowed by the rounding reserve.
    """

    def stated(p: Problem) -> Any:
        return getattr(p.site, field)

    def value(p: Problem, _who: str, t: int) -> float:
        return float(stated(p)[t] if np.ndim(stated(p)) else stated(p) or 0.0)

    def widen(p: Problem, by: float, _who: str | None, t: int | None) -> Problem:
        now = stated(p)
        if now is None or (least and t is not None and now[t] <= 0):
            return p
        if np.ndim(now):
            return with_site(p, **{field: bumped(now, -by, t) if least else np.maximum(bumped(now, by, t), 0.0)})
        return with_site(p, **{field: round(now + by, DECIMALS)})

    check, words = more.get("check", row), row.replace("_", " ")
    known: dict[str, Any] = {
        **{"words": words, "unit": "MW", "kind": "physical", "over": "site", "window": "step", "touches": "power"},
        **{"rounding": "settled", "check": check, "reasons": (check,), "key": check, "more": words},
        "present": lambda p: stated(p) is not None and (not least or bool(stated(p).any())),
        "relax": lambda p: with_site(p, **{field: free(p)}),
        **{"value": value, "widen": widen},
    }
    if not least:
        known |= {"narrow": _narrowed(widen), "reserve": _reserve_mw}
    return Limit(row=row, least=least, **(known | more))


def energy_of(p: Problem, who: str) -> EnergyLimit:
    """Return the limit of energy that is named `who`."""
    return next(e for e in p.site.energy_limits if e.name == who)


def _with_energy(p: Problem, change: Callable[[EnergyLimit], EnergyLimit]) -> Problem:
    return with_site(p, energy_limits=tuple(change(e) for e in p.site.energy_limits))


def _moved_energy(e: EnergyLimit, mwh: float, reserve_mwh: float) -> EnergyLimit:
    least, most = e.at_least_mwh, e.at_most_mwh
    least = None if least is None else round(least + mwh, DECIMALS)
    most = None if most is None else round(most - mwh, DECIMALS)
    return replace(e, at_least_mwh=least, at_most_mwh=most, reserve_mwh=reserve_mwh)


def _narrow_energy(p: Problem, mw: float) -> Problem:
    """Keep free what whole miners may miss in the hours of each limit of energy, but not more than there is."""

    def narrower(e: EnergyLimit) -> EnergyLimit:
        rooms = [mw * e.steps * p.time.step_h]
        if e.at_most_mwh is not None:
            rooms += [e.at_most_mwh - e.taken_mwh, (e.at_most_mwh - (e.at_least_mwh or 0.0)) / 2]
        elif e.at_least_mwh is not None and e.at_least_mwh <= e.taken_mwh:
            rooms = [0.0]
        # Rounded down, so that the lower bound never passes the upper one.
        mwh = max(0.0, floor(min(rooms) * 10**DECIMALS) / 10**DECIMALS)
        return _moved_energy(e, mwh, mwh) if mwh > 0 else e

    def wider(e: EnergyLimit) -> EnergyLimit:
        whole = _moved_energy(e, -e.reserve_mwh, 0.0) if e.reserve_mwh > 0 else e
        if e.kept_mwh > 0 and whole.at_most_mwh is not None:
            # What is kept for later hours is not a limit of these.
            whole = replace(whole, at_most_mwh=round(whole.at_most_mwh + e.kept_mwh, DECIMALS), kept_mwh=0.0)
        return whole

    return _with_energy(p, narrower if mw > 0 else wider)


def _energy(bound: Literal["at_least", "at_most"]) -> Limit:
    least, words = bound == "at_least", bound.replace("_", " ")

    def mwh_of(e: EnergyLimit) -> float | None:
        return e.at_least_mwh if least else e.at_most_mwh

    def moved_to(e: EnergyLimit, mwh: float | None) -> EnergyLimit:
        return replace(e, at_least_mwh=mwh) if least else replace(e, at_most_mwh=mwh)

    def names(p: Problem) -> tuple[str, ...]:
        return tuple(e.name for e in p.site.energy_limits if mwh_of(e) is not None)

    def wider(p: Problem, by: float, who: str | None, _t: int | None) -> Problem:
        def change(e: EnergyLimit) -> EnergyLimit:
            mwh = mwh_of(e)
            return e if mwh is None or who not in (None, e.name) else moved_to(e, mwh - by if least else mwh + by)

        return _with_energy(p, change)

    def relaxed(p: Problem) -> Problem:
        without = (moved_to(e, None) for e in p.site.energy_limits)
        kept = tuple(e for e in without if e.at_least_mwh is not None or e.at_most_mwh is not None)
        return with_site(p, energy_limits=kept)

    return Limit(
        row=f"energy_{bound}",
        words=f"energy {words}",
        unit="MWh",
        kind="contractual",
        over="source",
        window="period",
        touches="power",
        rounding="settled",
        check=f"energy_{bound}",
        reasons=("contract",),
        present=lambda p: bool(names(p)),
        relax=relaxed,
        value=lambda p, who, _t: mwh_of(energy_of(p, who)) or 0.0,
        least=least,
        without="contract",
        why_off="" if least else "the energy of a period is limited",
        why_on="the energy of a period has to be taken" if least else "",
        effects=(Effect(f"{words} {{value:.3f}} MWh of {{who}}", forces=least),),
        key=f"energy_{bound}",
        more="energy limit {who}",
        widen=wider,
        # One call narrows both bounds.
        narrow=None if least else _narrow_energy,
        reserve=lambda p, who: energy_of(p, who).reserve_mwh + (0.0 if least else energy_of(p, who).kept_mwh),
        named=names,
        steps=lambda p, who: range(p.steps)[energy_of(p, who).window],
        about=lambda p, who: energy_of(p, who).source,
    )


def _container_ramp(row: str, words: str, unit: str, *, given_up: bool) -> Limit:
    return _on_class(
        row,
        "container_ramp_mw_per_step",
        lambda k: None,
        words=f"container ramp{words}",
        unit=unit,
        kind="physical",
        touches="both",
        rounding="settled",
        check="container_ramp",
        reasons=("ramp_up", "ramp_down"),
        given_up=given_up,
        without="container_ramp",
        value_unit="MW a step",
    )


def _minimum_time(
    way: Literal["up", "down"], free: Callable[[ContainerClass], int], why_off: str, why_on: str
) -> Limit:
    return _on_class(
        f"minimum_{way}_time",
        f"min_{way}_steps",
        free,
        words=f"minimum {way} time",
        kind="physical",
        rounding="kept",
        check=f"minimum_{way}",
        why_off=why_off,
        why_on=why_on,
        value=lambda p, who, _t: getattr(class_of(p, who), f"min_{way}_steps") * p.time.step_h,
        given_up=True,
        without=f"minimum_{way}",
        value_unit="h",
        seldom=True,
    )


LIMITS: tuple[Limit, ...] = (
    _on_class(
        "kept_commitment",
        "committed",
        lambda k: None,
        kind="contractual",
        rounding="kept_alone",
        check="commitment",
        reasons=("contract",),
        given_up=True,
    ),
    _on_class(
        "must_run",
        "must_run",
        lambda k: np.zeros_like(k.must_run),
        words="must-run",
        kind="contractual",
        rounding="kept_alone",
        least=True,
        without="must_run",
        why_on="it has to run",
    ),
    _on_site_power(
        "site_minimum",
        "minimum_mw",
        lambda p: np.zeros(p.steps),
        words="minimum of the site",
        kind="contractual",
        check="minimum",
        reasons=("contract",),
        least=True,
        without="contract",
        why_on="the site has to draw its minimum",
        effects=(Effect("to keep the minimum of the site", forces=True),),
        more="lower minimum",
    ),
    _energy("at_least"),
    _energy("at_most"),
    _on_class(
        "starts_per_day",
        "max_starts_per_day",
        lambda k: None,
        unit="starts",
        kind="contractual",
        window="day",
        rounding="kept",
        check="start_limit",
        without="start_limit",
        why_off="its starts of the day are counted",
        why_on="kept on because starts are counted",
    ),
    Limit(
        row="feeder_cap",
        words="feeder cap",
        unit="MW",
        kind="physical",
        over="group",
        window="step",
        touches="power",
        rounding="settled",
        check="feeder",
        reasons=("feeder",),
        present=lambda p: any(g.classes for g in p.site.groups),
        relax=lambda p: with_site(p, groups=()),
        value=lambda p, who, _t: next(g.cap_mw for g in p.site.groups if g.name == who),
        effects=(Effect("feeder {who} is at its cap of {value:.3f} MW"),),
        key="feeder",
        more="feeder {who}",
        widen=_widen_group,
        narrow=_narrowed(_widen_group),
        reserve=_reserve_mw,
    ),
    _on_site_power(
        "site_cap",
        "cap_mw",
        lambda p: np.full(p.steps, sum(s.available_mw for s in p.sources)),
        check="cap",
        effects=(Effect("the site is at its cap of {value:.3f} MW"),),
    ),
    Limit(
        row="supply_limit",
        words="supply",
        unit="MW",
        kind="physical",
        over="source",
        window="step",
        touches="power",
        rounding="settled",
        check="supply",
        reasons=("surplus", "contract"),
        present=lambda p: True,
        relax=lambda p: _widen_supply(p, float(np.max(p.site.cap_mw)), None, None),
        value=lambda p, who, t: float(source_of(p, who).available_mw[t]),
        effects=(Effect("all {value:.3f} MW of {who} is taken"),),
        about=lambda _p, who: who,
        more="{who}",
        widen=_widen_supply,
    ),
    _on_site_power(
        "ramp_up",
        "ramp_up_mw_per_step",
        lambda p: None,
        unit="MW a step",
        effects=(
            Effect("the site rises as fast as it may into this step"),
            Effect("to keep the rise after it small enough", forces=True, after=1),
        ),
    ),
    _on_site_power(
        "ramp_down",
        "ramp_down_mw_per_step",
        lambda p: None,
        unit="MW a step",
        effects=(
            Effect("to keep the fall into this step small enough", forces=True),
            Effect("the site falls as fast as it may after this step", after=1),
        ),
    ),
    _container_ramp("start_and_stop_power", " (start and stop at lowest power)", "MW", given_up=True),
    _container_ramp("start_power", " (start at lowest power)", "MW", given_up=True),
    _container_ramp("stop_power", " (stop at lowest power)", "MW", given_up=True),
    _container_ramp("container_ramp_up", " up", "MW a step", given_up=False),
    _container_ramp("container_ramp_down", " down", "MW a step", given_up=False),
    _on_class(
        "availability",
        "available",
        lambda k: np.full_like(k.available, k.count),
        kind="physical",
        rounding="kept_alone",
        check="available",
        reasons=("outage",),
        value=lambda p, who, t: float(class_of(p, who).runnable[t]),
        without="outage",
        why_off="not all may run",
    ),
    _minimum_time(
        "up",
        lambda k: 1,
        why_off="once started it would have to run on",
        why_on="it has to run on after its start",
    ),
    _minimum_time(
        "down",
        # A container cannot be preheated while it runs.
        lambda k: min(k.min_down_steps, max(1, k.preheat_steps)),
        why_off="it stopped too short a time ago to start again",
        why_on="kept on because it would have to stay off too long",
    ),
)

ROWS: tuple[Row, ...] = (
    Row("logic", "counts", "kept"),
    Row("start_kind", "counts", "settled"),
    Row("warm_pool", "counts", "settled"),
    Row("warm_pool_fresh", "counts", "settled"),
    Row("warm_pool_backed", "counts", "settled", seldom=True, tightens="minimum_down_time"),
    Row("mode_curve", "both", "settled", seldom=True),
    Row("facility_balance", "power", "settled"),
    Row("supply_balance", "power", "settled"),
    *(Row(name, "counts", "may_break") for name in ("warm_arc_stop", "warm_arc_start", "tier_arc_start", "cold_pool")),
    # Counts layered by starts used merge at midnight.
    *(Row(f"layer_{name}", "counts", "may_break") for name in ("logic", "stops", "starts", "minimum_up_time")),
    *(Row(f"layer_{name}", "counts", "may_break") for name in ("arc_stop", "arc_start", "warm", "tier", "cold_pool")),
)

LIMIT_OF_ROW = {limit.row: limit for limit in LIMITS}
FAMILIES: dict[str, Limit | Row] = {**LIMIT_OF_ROW, **{row.row: row for row in ROWS}}


def rows_where(**wanted: object) -> tuple[str, ...]:
    """Return the names of the rows, limits first, whose declarations have these values (``rounding="kept"``)."""
    return tuple(n for n, family in FAMILIES.items() if all(getattr(family, key) == v for key, v in wanted.items()))


def worth_something() -> tuple[Limit, ...]:
    """Return the limits on power of which one more unit has a worth."""
    return tuple(limit for limit in LIMITS if limit.effects)


def spans_steps(p: Problem) -> bool:
    """Return whether some limit on power ties steps together, so that the cheapest supply of a step is not the best."""
    return any(limit.window != "step" and limit.touches != "counts" and limit.present(p) for limit in LIMITS)


def sources_over_time(p: Problem) -> frozenset[str | None]:
    """Return the sources whose energy over several steps some limit bounds; None stands for the whole site."""
    return frozenset(limit.about(p, who) for limit in LIMITS if limit.window == "period" for who in limit.members(p))
