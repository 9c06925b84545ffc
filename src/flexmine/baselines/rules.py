"""The simple rules that every plan is compared with: always on, threshold and greedy.

Each walks through the horizon once, step by step, and decides from the state of its containers, the data of the step
and how soon a limit has to be reached; none sees prices ahead.  What a rule cannot keep is reported, not repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flexmine.audit.replay import Replay, replay, replay_rounded
from flexmine.baselines.dispatch import equal_shares, meter_load
from flexmine.baselines.greedy import tuned_greedy
from flexmine.baselines.walk import SAME_MW, Judged, Step, walk
from flexmine.planning.rounding import round_schedule
from flexmine.problem import Floats, Ints, Problem
from flexmine.problem.schedule import Schedule

GRID = 200


@dataclass(frozen=True)
class RuleResult:
    """One of the simple rules that every plan is compared with, replayed and priced by the audit.

    Attributes
    ----------
    name : str
        ``always on``, ``threshold`` or ``greedy``.
    money_usd : float or None
        Over the whole horizon; None where the rule cannot keep a hard limit.
    published_money_usd : float or None
        Over the published steps, terminal value left out.
    violations : tuple of str
        The hard limits that it cannot keep, in words; empty where feasible.
    schedule : Schedule or None
    """

    name: str
    money_usd: float | None
    published_money_usd: float | None
    violations: tuple[str, ...] = ()
    schedule: Schedule | None = None


def simple_rules(problem: Problem, publish_steps: int) -> tuple[RuleResult, ...]:
    """Return what the three simple rules earn, replayed and priced by the audit.

    Parameters
    ----------
    problem : Problem
    publish_steps : int
        The first so many steps are the plan; their money is given separately.

    Returns
    -------
    tuple of RuleResult
        ``always on``, ``threshold``, ``greedy``.

    Notes
    -----
    *Greedy* is tuned in hindsight over the horizon, see :mod:`flexmine.baselines.greedy`; where one of the other two
    rules earns more than every pair of its charges, it does as that rule does.
    """

    def result(name: str, schedule: Schedule) -> RuleResult:
        return _result(name, schedule, replay(problem, schedule), publish_steps)

    always_on = result("always on", walk(problem, decide_always_on))
    threshold = result("threshold", walk(problem, decide_threshold))
    tuned = result("greedy", tuned_greedy(problem))
    best = max((tuned, always_on, threshold), key=lambda r: -np.inf if r.money_usd is None else round(r.money_usd, 6))
    return always_on, threshold, replace(best, name="greedy")


def _result(name: str, schedule: Schedule, priced: Replay, publish_steps: int) -> RuleResult:
    if priced.violations:
        return RuleResult(name, None, None, tuple(v.message for v in priced.violations), schedule)
    return RuleResult(name, priced.money_usd, priced.published_usd(publish_steps), (), schedule)


def realisable(problem: Problem, rule: RuleResult, publish_steps: int) -> RuleResult:
    """Return a rule rounded as the plan is, so that both are compared as machines would run them.

    Parameters
    ----------
    problem : Problem
    rule : RuleResult
        One that cannot keep a hard limit is returned unchanged.
    publish_steps : int
        The first so many steps are the plan; their money is given separately.
    """
    if rule.money_usd is None or rule.schedule is None:
        return rule
    rounded = round_schedule(problem, rule.schedule)
    return _result(rule.name, rounded, replay_rounded(problem, rounded), publish_steps)


def decide_always_on(step: Step) -> tuple[Ints, Judged]:
    """Decide for as many containers as all limits allow, at equal IT power, and as much as all limits allow."""
    fewest, most = step.look.fewest[0], step.look.most[0]
    share = np.linspace(0.0, 1.0, min(GRID, int(most.max())) + 1 if len(most) > 1 else int(most.max()) + 1)
    counts = np.maximum(fewest, np.floor(share[:, None] * most + SAME_MW).astype(np.int64))
    current = counts[least_missed(step.judge(counts[None]), counts.sum(axis=1).astype(np.float64))]
    # One by one what still fits, the class with the smallest share of its containers first.
    full: set[int] = set()
    while len(most) > 1 and len(full) < len(most):
        fractions = [np.inf if i in full else current[i] / max(1, most[i]) for i in range(len(most))]
        i = int(np.argmin(fractions))
        more = current + (np.arange(len(most)) == i)
        if current[i] == most[i] or np.diff(step.judge(np.stack([current, more])[None]).missed_mw[0])[0] > SAME_MW:
            full.add(i)
        else:
            current = more
    return _shared(step, current)


def decide_threshold(step: Step) -> tuple[Ints, Judged]:
    """Decide class by class, highest break-even first: as many at full power as fit and the price allows; else off."""
    limits, t = step.walk.limits, step.t
    full_mw = limits.overhead[:, t] * limits.high_mw[:, t]
    break_even = np.array([_break_even(step, i) for i in range(len(full_mw))])
    current = step.look.fewest[0].copy()
    for i in np.argsort(-break_even, kind="stable"):
        own = np.arange(step.look.fewest[0, i], step.look.most[0, i] + 1)
        counts = np.tile(current, (len(own), 1))
        counts[:, i] = own
        judged = step.judge(counts[None])
        load = meter_load(limits, t, counts, counts * limits.high_mw[:, t], judged.heat_mw[0])
        total = limits.base_load_mw[t] + load.sum(axis=1)
        fits = (total <= judged.ceiling_mw[0] + SAME_MW) & np.all(
            load @ limits.feeder_matrix <= limits.feeder_cap_mw + SAME_MW, axis=1
        )
        price, offered = step.offer.price_usd_per_mwh, step.offer.cumulative_mw.reshape(-1)
        source = np.minimum(np.searchsorted(offered, total - SAME_MW), len(offered) - 1)
        wanted = fits & (price[source] <= break_even[i]) & (full_mw[i] > 0)
        score = np.where(wanted, own, -own).astype(np.float64) + np.where(wanted, 1e9, 0.0)
        current[i] = own[least_missed(judged, score)]
    return _shared(step, current)


def least_missed(judged: Judged, score: Floats) -> int:
    """Return the candidate of a single walk that misses limits least; among those the highest `score`, (M,), wins."""
    least = judged.missed_mw[0] <= judged.missed_mw[0].min() + SAME_MW
    return int(np.argmax(np.where(least, score, -np.inf)))


def _break_even(step: Step, i: int) -> float:
    """Return the power price at which a container at nameplate earns nothing [USD/MWh]."""
    k, t = step.walk.problem.classes[i], step.t
    return float(k.hash_value_usd_per_th_s_h[t] * k.hash_rate_th_s[-1] / (k.overhead[t] * k.it_power_mw[-1]))


def _shared(step: Step, counts: Ints) -> tuple[Ints, Judged]:
    """Return counts with as much power as the limits allow, of which all running containers get the same.

    Where a ramp of containers holds, power goes by merit up to that: then they cannot all draw the same.
    """
    judged = step.judge(counts[None, None])
    limits, ceiling = step.walk.limits, float(judged.ceiling_mw[0, 0])
    added = equal_shares(limits, step.t, counts, judged.load_mw[0, 0], ceiling)
    return counts[None], replace(judged, added_mw=added[None, None], floor_mw=judged.ceiling_mw)
