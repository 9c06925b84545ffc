"""Every limit of the Problem, declared once; and every other row of the model, with what a rounding does to it.

A declaration holds words and references, never an equation: the equation stands in ``milp/`` and its check in
``audit/``, written twice on purpose.  Conflicts, marginal values, reasons, what-ifs, the rounding reserve, threshold
rounding and the page of the mathematics take their lists from here, and a test demands every part of every limit.

The order is that in which the search for a conflict tries to do without a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from math import floor
from typing import Any, Literal

import numpy as np

from flexmine.problem.model import ContainerClass, EnergyLimit, Floats, Group, Problem, Source

Over = Literal["site", "source", "group", "class"]
Window = Literal["step", "day", "period", "horizon"]
Touches = Literal["counts", "power", "both"]
# What threshold rounding does to rows: keeps them exactly; settles them anew, with power, once the counts are whole;
# keeps them where they hold a single class of the model; may break them.
Rounding = Literal["kept", "settled", "kept_alone", "may_break"]

# Narrowing and widening again gives the same number: 1 mW is far below anything that is written.
DECIMALS = 9


@dataclass(frozen=True)
class Effect:
    """How a binding limit on power shows in a step.

    Attributes
    ----------
    text : str
        What a reason says; ``{value}`` is what the limit says, ``{who}`` whose it is.
    forces : bool
        Whether it holds power up; else it holds power down.
    after : int
        By so many steps the row comes after the step that it explains.
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
        What the limit says, of (problem, who, step).
    least : bool
        Whether at least so much is asked for; else at most.
    given_up : bool
        Whether a breach is a rule given up, and not a number that is lower or higher.
    without : str
        Code under which a what-if takes it away; empty: reasons do not ask for that.
    effects : tuple of Effect
        Of a limit on power that one more unit is worth something of.
    key, more : str
        Name of that worth in plan.json, and in words.
    widen : callable or None
        The Problem with the limit wider by an amount, of (problem, amount, who, step); None: of all, in all steps.
    narrow, reserve : callable or None
        The Problem with all of it narrower by a rounding reserve [MW], or, below 0, as wide as it was; and by how much
        one of it is narrower, in its own unit, of (problem, who).  None: rounding keeps it as it is.
    value_unit : str
        Where it is another unit than `unit`.
    seldom : bool
        Whether hardly any of its rows binds, so that a relaxation takes them in only where they do.
    named, steps : callable or None
        Of a limit over periods: its names in a Problem, and the steps that each spans, of (problem, who).
    about : callable
        The source of which it says how much is taken, of (problem, who); None: it is about the site.
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
    effects: tuple[Effect, ...] = ()
    key: str = ""
    more: str = ""
    widen: Callable[[Problem, float, str | None, int | None], Problem] | None = None
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
        """Return whose row an index of the model names, and its step (or day)."""
        if self.window == "period":
            return str(index), 0
        parts = index if isinstance(index, tuple) else (index,)
        return (str(parts[0]) if self.over != "site" else ""), int(parts[-1])

    def index(self, who: str, t: int) -> object:
        """Return the index of a row of the model; its counterpart is :meth:`place`."""
        if self.window == "period":
            return who
        return t if self.over == "site" else (who, t)

    def span(self, p: Problem, who: str, t: int) -> range:
        """Return the steps that one of its rows is about."""
        return range(t, t + 1) if self.steps is None else self.steps(p, who)

    def reasons_of(self, p: Problem, who: str) -> tuple[str, ...]:
        """Return the codes under which it explains a container-hour; a source has that of its kind."""
        if self.over != "source" or len(self.reasons) == 1:
            return self.reasons
        return self.reasons[:1] if source_of(p, who).kind == "surplus" else self.reasons[1:]

    def key_of(self, p: Problem, who: str) -> str:
        """Return the name of its worth in plan.json; sources go by their kind."""
        return self.key or source_of(p, who).kind

    def concerns(self, p: Problem, who: str, class_name: str) -> bool:
        """Return whether a class is under it."""
        if self.over == "class":
            return who == class_name
        return self.over != "group" or any(g.name == who and class_name in g.classes for g in p.site.groups)


@dataclass(frozen=True)
class Row:
    """A family of rows that says what is, and forbids nothing that anybody chose.

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
    """Return the Problem with every class changed."""
    return replace(p, classes=tuple(change(k) for k in p.classes))


def bumped(values: Floats, by: float, t: int | None) -> Floats:
    """Return a series with one step, or all, changed by an amount."""
    changed, where = np.array(values, dtype=np.float64), slice(None) if t is None else t
    changed[where] = np.round(changed[where] + by, DECIMALS)
    return changed


def _reserve_mw(p: Problem, _who: str) -> float:
    return p.site.rounding_reserve_mw


def _widen_cap(p: Problem, by: float, _who: str | None, t: int | None) -> Problem:
    return with_site(p, cap_mw=np.maximum(bumped(p.site.cap_mw, by, t), 0.0))


def _widen_minimum(p: Problem, by: float, _who: str | None, t: int | None) -> Problem:
    if t is not None and p.site.minimum_mw[t] <= 0:
        return p
    return with_site(p, minimum_mw=bumped(p.site.minimum_mw, -by, t))


def _widen_supply(p: Problem, by: float, who: str | None, t: int | None) -> Problem:
    wider = (replace(s, available_mw=bumped(s.available_mw, by, t)) if who in (None, s.name) else s for s in p.sources)
    return replace(p, sources=tuple(wider))


def _widen_group(p: Problem, by: float, who: str | None, _t: int | None) -> Problem:
    wider = (replace(g, cap_mw=round(g.cap_mw + by, DECIMALS)) if who in (None, g.name) else g for g in p.site.groups)
    return with_site(p, groups=tuple(wider))


def _free_to_start(k: ContainerClass) -> ContainerClass:
    """Return a class without minimum down time, but for its preheat: a container cannot be preheated while it runs."""
    return replace(k, min_down_steps=min(k.min_down_steps, max(1, k.preheat_steps)))


def energy_of(p: Problem, who: str) -> EnergyLimit:
    """Return a limit of energy by its name."""
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
        return _moved_energy(e, -e.reserve_mwh, 0.0) if e.reserve_mwh > 0 else e

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
        effects=(Effect(f"{words} {{value:.3f}} MWh of {{who}}", forces=least),),
        key=f"energy_{bound}",
        more=f"energy {words} of {{who}}",
        widen=wider,
        # One call narrows both bounds.
        narrow=None if least else _narrow_energy,
        reserve=lambda p, who: energy_of(p, who).reserve_mwh,
        named=names,
        steps=lambda p, who: range(p.steps)[energy_of(p, who).window],
        about=lambda p, who: energy_of(p, who).source,
    )


# What most limits have in common.
_of_counts = partial(Limit, over="class", window="step", touches="counts", unit="containers")
_of_power = partial(Limit, window="step", touches="power", unit="MW", rounding="settled")


def _ramp(row: Literal["ramp_up", "ramp_down"], into: Effect, after: Effect) -> Limit:
    field, words = f"{row}_mw_per_step", row.replace("_", " ")

    def now(p: Problem) -> float | None:
        mw: float | None = getattr(p.site, field)
        return mw

    def widen(p: Problem, by: float, _who: str | None, _t: int | None) -> Problem:
        mw = now(p)
        return p if mw is None else with_site(p, **{field: round(mw + by, DECIMALS)})

    return _of_power(
        row=row,
        words=words,
        unit="MW a step",
        kind="physical",
        over="site",
        check=row,
        reasons=(row,),
        present=lambda p: now(p) is not None,
        relax=lambda p: with_site(p, **{field: None}),
        value=lambda p, _who, _t: now(p) or 0.0,
        effects=(into, after),
        key=row,
        more=words,
        widen=widen,
        narrow=lambda p, mw: widen(p, -mw, None, None),
        reserve=_reserve_mw,
    )


def _container_ramp(row: str, words: str, unit: str, *, given_up: bool) -> Limit:
    return Limit(
        row=row,
        words=f"container ramp{words}",
        unit=unit,
        kind="physical",
        over="class",
        window="step",
        touches="both",
        rounding="settled",
        check="container_ramp",
        reasons=("ramp_up", "ramp_down"),
        present=lambda p: any(k.container_ramp_mw_per_step is not None for k in p.classes),
        relax=lambda p: with_classes(p, lambda k: replace(k, container_ramp_mw_per_step=None)),
        value=lambda p, who, _t: class_of(p, who).container_ramp_mw_per_step or 0.0,
        given_up=given_up,
        without="container_ramp",
        value_unit="MW a step",
    )


LIMITS: tuple[Limit, ...] = (
    _of_counts(
        row="kept_commitment",
        words="kept commitment",
        kind="contractual",
        rounding="kept_alone",
        check="commitment",
        reasons=("contract",),
        present=lambda p: any(k.committed is not None for k in p.classes),
        relax=lambda p: with_classes(p, lambda k: replace(k, committed=None)),
        value=lambda p, who, t: 0.0 if (kept := class_of(p, who).committed) is None else float(kept[t]),
        given_up=True,
    ),
    _of_counts(
        row="must_run",
        words="must-run",
        kind="contractual",
        rounding="kept_alone",
        check="must_run",
        reasons=("must_run",),
        present=lambda p: any(k.must_run.any() for k in p.classes),
        relax=lambda p: with_classes(p, lambda k: replace(k, must_run=np.zeros_like(k.must_run))),
        value=lambda p, who, t: float(class_of(p, who).must_run[t]),
        least=True,
        without="must_run",
    ),
    _of_power(
        row="site_minimum",
        words="minimum of the site",
        kind="contractual",
        over="site",
        check="minimum",
        reasons=("contract",),
        present=lambda p: bool(p.site.minimum_mw.any()),
        relax=lambda p: with_site(p, minimum_mw=np.zeros(p.steps)),
        value=lambda p, _who, t: float(p.site.minimum_mw[t]),
        least=True,
        without="contract",
        effects=(Effect("to keep the minimum of the site", forces=True),),
        key="minimum",
        more="lower minimum",
        widen=_widen_minimum,
    ),
    _energy("at_least"),
    _energy("at_most"),
    _of_counts(
        row="starts_per_day",
        words="starts per day",
        unit="starts",
        kind="contractual",
        window="day",
        rounding="kept",
        check="start_limit",
        reasons=("start_limit",),
        present=lambda p: any(k.max_starts_per_day is not None for k in p.classes),
        relax=lambda p: with_classes(p, lambda k: replace(k, max_starts_per_day=None)),
        value=lambda p, who, _day: float(class_of(p, who).max_starts_per_day or 0),
        without="start_limit",
    ),
    _of_power(
        row="feeder_cap",
        words="feeder cap",
        kind="physical",
        over="group",
        check="feeder",
        reasons=("feeder",),
        present=lambda p: any(g.classes for g in p.site.groups),
        relax=lambda p: with_site(p, groups=()),
        value=lambda p, who, _t: next(g.cap_mw for g in p.site.groups if g.name == who),
        effects=(Effect("feeder {who} is at its cap of {value:.3f} MW"),),
        key="feeder",
        more="feeder {who}",
        widen=_widen_group,
        narrow=lambda p, mw: _widen_group(p, -mw, None, None),
        reserve=_reserve_mw,
    ),
    _of_power(
        row="site_cap",
        words="site cap",
        kind="physical",
        over="site",
        check="cap",
        reasons=("cap",),
        present=lambda p: True,
        relax=lambda p: with_site(p, cap_mw=np.full(p.steps, sum(s.available_mw for s in p.sources))),
        value=lambda p, _who, t: float(p.site.cap_mw[t]),
        effects=(Effect("the site is at its cap of {value:.3f} MW"),),
        key="cap",
        more="site cap",
        widen=_widen_cap,
        narrow=lambda p, mw: _widen_cap(p, -mw, None, None),
        reserve=_reserve_mw,
    ),
    _of_power(
        row="supply_limit",
        words="supply",
        kind="physical",
        over="source",
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
    _ramp(
        "ramp_up",
        Effect("the site rises as fast as it may into this step"),
        Effect("to keep the rise after it small enough", forces=True, after=1),
    ),
    _ramp(
        "ramp_down",
        Effect("to keep the fall into this step small enough", forces=True),
        Effect("the site falls as fast as it may after this step", after=1),
    ),
    _container_ramp("start_and_stop_power", " (start and stop at lowest power)", "MW", given_up=True),
    _container_ramp("start_power", " (start at lowest power)", "MW", given_up=True),
    _container_ramp("stop_power", " (stop at lowest power)", "MW", given_up=True),
    _container_ramp("container_ramp_up", " up", "MW a step", given_up=False),
    _container_ramp("container_ramp_down", " down", "MW a step", given_up=False),
    _of_counts(
        row="availability",
        words="availability",
        kind="physical",
        rounding="kept_alone",
        check="available",
        reasons=("outage",),
        present=lambda p: any((k.available < k.count).any() for k in p.classes),
        relax=lambda p: with_classes(p, lambda k: replace(k, available=np.full(p.steps, k.count))),
        value=lambda p, who, t: float(class_of(p, who).runnable[t]),
        without="outage",
    ),
    _of_counts(
        row="minimum_up_time",
        words="minimum up time",
        kind="physical",
        rounding="kept",
        check="minimum_up",
        reasons=("minimum_up",),
        present=lambda p: any(k.min_up_steps > 1 for k in p.classes),
        relax=lambda p: with_classes(p, lambda k: replace(k, min_up_steps=1)),
        value=lambda p, who, _t: class_of(p, who).min_up_steps * p.time.step_h,
        given_up=True,
        without="minimum_up",
        value_unit="h",
        seldom=True,
    ),
    _of_counts(
        row="minimum_down_time",
        words="minimum down time",
        kind="physical",
        rounding="kept",
        check="minimum_down",
        reasons=("minimum_down",),
        present=lambda p: any(k.min_down_steps > 1 for k in p.classes),
        relax=lambda p: with_classes(p, _free_to_start),
        value=lambda p, who, _t: class_of(p, who).min_down_steps * p.time.step_h,
        given_up=True,
        without="minimum_down",
        value_unit="h",
        seldom=True,
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
    """Return the sources of which a limit says how much is taken over several steps."""
    return frozenset(limit.about(p, who) for limit in LIMITS if limit.window == "period" for who in limit.members(p))
