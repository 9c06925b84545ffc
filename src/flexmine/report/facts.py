"""The numbers behind the sentence, the key figures and the terminal summary, each computed in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from flexmine.baselines.rules import RuleResult
from flexmine.problem import Floats, Problem
from flexmine.problem.money import money_terms
from flexmine.workflow.plan import Plan

Bools = NDArray[np.bool_]

# A rounded plan stays a little below a limit (reserve, whole miners): nearer than this share counts as reaching it.
NEAR = 0.005


@dataclass(frozen=True)
class Facts:
    """What the published part of a plan amounts to.

    Attributes
    ----------
    steps : int
        Number of published steps P.
    offered_mwh, taken_mwh, firm_mwh : float
        Surplus offered, surplus taken, and firm power taken [MWh].
    money_usd : float
        Of the published steps, what does not fall into steps left out [USD].
    usd : mapping
        What each term of it amounts to, by name and without its sign [USD].
    mean_hash_rate_ph_s : float
        Mean hash rate [PH/s].
    joule_per_th : float or None
        Energy at the meter per hash [J/TH]; None where nothing is hashed.
    running : ndarray of int, shape (P,)
        Containers that run.
    at_cap, at_ramp, at_supply : ndarray of bool, shape (P,)
        Whether the site is at its cap, moves by its ramp limit, or takes all power that is on offer.
    wants_more : ndarray of bool, shape (P,)
        Whether some container that runs is below its highest power, or one that may run does not.
    """

    steps: int
    offered_mwh: float
    taken_mwh: float
    firm_mwh: float
    money_usd: float
    usd: Mapping[str, float]
    mean_hash_rate_ph_s: float
    joule_per_th: float | None
    warm_starts: int
    cold_starts: int
    running: NDArray[np.int64]
    at_cap: Bools
    at_ramp: Bools
    at_supply: Bools
    wants_more: Bools


def facts(plan: Plan) -> Facts:
    """Return the facts of the published part of `plan`."""
    problem, replay, schedule = plan.problem, plan.replay, plan.schedule
    part = slice(0, plan.publish_steps)
    hours = problem.time.step_h
    surplus = [s.kind == "surplus" for s in problem.sources]
    taken = schedule.supply_mw[:, part]
    offered = sum(float(s.available_mw[part].sum()) for s in problem.sources if s.kind == "surplus")
    rate = replay.hash_rate_th_s[:, part].sum(axis=0)
    total_hash = float(rate.sum())
    return Facts(
        steps=plan.publish_steps,
        offered_mwh=hours * offered,
        taken_mwh=hours * float(taken[surplus].sum()),
        firm_mwh=hours * float(taken[[not s for s in surplus]].sum()),
        money_usd=replay.published_usd(plan.publish_steps),
        usd={term.name: float(replay.usd[term.name][part].sum()) for term in money_terms(by_step=True)},
        mean_hash_rate_ph_s=total_hash / max(1, plan.publish_steps) / 1000.0,
        joule_per_th=1e6 * float(replay.site_power_mw[part].sum()) / total_hash if total_hash > 0 else None,
        warm_starts=int(np.sum(replay.warm_start[:, part])),
        cold_starts=int(np.sum(replay.cold_start[:, part])),
        running=schedule.on[:, part].sum(axis=0).astype(np.int64),
        at_cap=at_cap(plan)[part],
        at_ramp=at_ramp(plan)[part],
        at_supply=at_supply(plan)[part],
        wants_more=wants_more(plan)[part],
    )


def at_cap(plan: Plan) -> Bools:
    """Return whether the site is at its cap in each step, to within the reserve and half a percent, shape (T,)."""
    return _reaches(plan, plan.problem.site.cap_mw)


def at_ramp(plan: Plan) -> Bools:
    """Return whether the site moves by its ramp limit from the step before, shape (T,)."""
    site, power = plan.problem.site, plan.replay.site_power_mw
    before = np.concatenate(([np.nan if site.initial_mw is None else site.initial_mw], power[:-1]))
    change, hit = power - before, np.zeros(power.size, dtype=bool)
    for limit, sign in ((site.ramp_up_mw_per_step, 1.0), (site.ramp_down_mw_per_step, -1.0)):
        if limit is not None and np.isfinite(limit) and limit > 0:
            hit |= sign * change >= limit - site.rounding_reserve_mw - NEAR * limit
    return hit


def at_supply(plan: Plan) -> Bools:
    """Return whether all sources together are used up in each step, shape (T,)."""
    return _reaches(plan, np.sum([s.available_mw for s in plan.problem.sources], axis=0))


def _reaches(plan: Plan, most_mw: Floats) -> Bools:
    near = NEAR * np.where(np.isfinite(most_mw), most_mw, 0)
    return np.asarray(plan.replay.site_power_mw >= most_mw - plan.problem.site.rounding_reserve_mw - near)


def wants_more(plan: Plan) -> Bools:
    """Return whether the plant could run harder if nothing but its containers limited it, shape (T,)."""
    most = np.zeros(plan.problem.steps)
    for k in plan.problem.classes:
        most += k.runnable * np.where(k.can_run, k.highest_it_power_mw, 0.0)
    it_power = plan.schedule.it_power_mw.sum(axis=0)
    return np.asarray(it_power < (1.0 - NEAR) * most)


def best_rules(plan: Plan) -> tuple[RuleResult, ...]:
    """Return the feasible simple rules with the most money in the published part; several where they tie."""
    money = {r.name: r.published_money_usd for r in plan.rules if r.published_money_usd is not None}
    most = max(money.values(), default=0.0)
    return tuple(r for r in plan.rules if r.name in money and money[r.name] >= most - 0.5)


def local_edges(problem: Problem) -> list[datetime]:
    """Return the T + 1 edges of the steps as wall-clock times of the site's zone (days of 23 and 25 hours happen)."""
    zone = ZoneInfo(problem.time.zone)
    utc = problem.time.start.astimezone(ZoneInfo("UTC"))
    return [(utc + timedelta(hours=problem.time.step_h * t)).astimezone(zone) for t in range(problem.steps + 1)]


def day_name(moment: datetime) -> str:
    """Return the date of `moment` as in ``Tue 24 Nov 2026``, whatever the locale."""
    days, months = (
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    )
    return f"{days[moment.weekday()]} {moment.day} {months[moment.month - 1]} {moment.year}"


def clock(moment: datetime) -> str:
    """Return the time of day of `moment` as in ``06:00``."""
    return f"{moment.hour:02d}:{moment.minute:02d}"


def runs(flags: Bools) -> list[tuple[int, int]]:
    """Return [first, past the last) of each unbroken run of true values in `flags`, shape (T,)."""
    padded = np.concatenate(([False], flags, [False])).astype(np.int8)
    change = np.flatnonzero(np.diff(padded))
    return [(int(a), int(b)) for a, b in zip(change[::2], change[1::2], strict=True)]
