"""The simple rules that every plan is compared with: always on, threshold and greedy.

Each walks through the horizon once, step by step, and decides from the state of its containers, the data of the step
and how soon a limit has to be reached; none sees prices ahead.  What a rule cannot keep is reported, not repaired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from flexmine.audit.replay import Replay, replay, replay_rounded
from flexmine.baselines.dispatch import (
    Dispatch,
    Limits,
    dispatch_by_merit,
    dispatch_equally,
    energy_cost,
    limits_of,
    meter_load,
)
from flexmine.baselines.fleet import ClassFleet, Outlook, steps_ahead
from flexmine.planning.rounding import round_schedule
from flexmine.problem import Floats, Ints, Problem
from flexmine.problem.schedule import Schedule, supply_by_merit

# Far below the audit's tolerance, far above rounding errors of sums.
SAME_MW = 1e-9
SAME_USD = 1e-9
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


def simple_rules(problem: Problem, publish_steps: int, friction_usd: float = 0.0) -> tuple[RuleResult, ...]:
    """Return what the three simple rules earn, replayed and priced by the audit.

    Parameters
    ----------
    problem : Problem
    publish_steps : int
        The first so many steps are the plan; their money is given separately.
    friction_usd : float
        What *greedy* charges itself for each start above its cost, so as not to flap [USD].

    Returns
    -------
    tuple of RuleResult
        ``always on``, ``threshold``, ``greedy``.

    Notes
    -----
    *Greedy* walks twice: start costs charged at once to the step of the start, and shared by the steps that the
    minimum up time binds.  The better walk is shown: charged at once, a fleet that is cold may never start.
    """
    limits = limits_of(problem)

    def result(name: str, decide: Decider) -> RuleResult:
        schedule = walk(problem, limits, decide)
        return _result(name, schedule, replay(problem, schedule), publish_steps)

    at_once = tuple(_Charge(1.0, friction_usd) for k in problem.classes)
    spread = tuple(_Charge(1.0 / k.min_up_steps, friction_usd) for k in problem.classes)
    greedy = [result("greedy", partial(_decide_greedy, charges=charges)) for charges in (at_once, spread)]
    return (
        result("always on", _decide_always_on),
        result("threshold", _decide_threshold),
        max(greedy, key=lambda r: -np.inf if r.money_usd is None else r.money_usd),
    )


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


@dataclass
class _Past:
    """What the site has drawn so far [MW]: of the site (T,), of the feeders (F, T)."""

    facility_mw: Floats
    feeder_mw: Floats


@dataclass(frozen=True)
class Step:
    """One step of the walk: where every class may go, and how to judge a choice."""

    problem: Problem
    limits: Limits
    t: int
    outlooks: tuple[Outlook, ...]
    running: Ints
    past: _Past
    tail: tuple[float, float]


@dataclass(frozen=True)
class _Judged:
    """M candidates: their dispatch by merit, what they break, and their money without start costs; arrays over M."""

    dispatch: Dispatch
    preheat_mw: Floats
    floor_mw: Floats
    ceiling_mw: Floats
    broken: Floats
    money_usd: Floats


# A decision: for each class the place of its count in the outlook, and its IT power [MW].
Decider = Callable[[Step], tuple[Ints, Floats]]


def walk(problem: Problem, limits: Limits, decide: Decider) -> Schedule:
    """Return the schedule of a rule that decides step after step and sees no prices ahead.

    Parameters
    ----------
    problem : Problem
    limits : Limits
        Of the problem.
    decide : callable
        From a :class:`Step` to two arrays of shape (K,): the place of each class's count in its outlook, and its IT
        power [MW].
    """
    steps, classes = problem.steps, problem.classes
    fleets = [ClassFleet(problem, i) for i in range(len(classes))]
    horizon = steps_ahead(problem, classes)
    past = _Past(np.zeros(steps), np.zeros((len(limits.feeder_cap_mw), steps)))
    reach_down, reach_up = _reach(limits)
    on = [np.zeros((k.count, steps), dtype=bool) for k in classes]
    power = [np.zeros((k.count, steps)) for k in classes]
    for t in range(steps):
        ahead = min(horizon, steps - 1 - t)
        outlooks = tuple(fleet.outlook(limits, t, ahead) for fleet in fleets)
        running = np.array([int(fleet.on.sum()) for fleet in fleets])
        tail = _tail(limits, t + ahead + 1, ahead + 1, reach_down, reach_up)
        step = Step(problem, limits, t, outlooks, running, past, tail)
        places, it_power = decide(step)
        _record(step, places, it_power)
        for i, fleet in enumerate(fleets):
            count = int(outlooks[i].counts[places[i]])
            fleet.move_to(t, count)
            on[i][:, t] = fleet.on
            power[i][fleet.on, t] = it_power[i] / max(1, count)
    names = tuple(name for name, _ in problem.containers)
    return Schedule(names, np.concatenate(on), np.concatenate(power), supply_by_merit(problem, past.facility_mw))


def _record(step: Step, places: Ints, it_power: Floats) -> None:
    """Write down the power of the step, and the preheat that its cold starts needed in the steps before it."""
    limits, t, past = step.limits, step.t, step.past
    counts = np.array([o.counts[p] for o, p in zip(step.outlooks, places, strict=True)], dtype=np.float64)
    preheat = np.array([o.preheat_mw[p] for o, p in zip(step.outlooks, places, strict=True)])
    load = meter_load(limits, t, counts, it_power, preheat)
    past.feeder_mw[:, t] = load @ limits.feeder_matrix
    past.facility_mw[t] = limits.base_load_mw[t] + load.sum()
    for i, (o, place) in enumerate(zip(step.outlooks, places, strict=True)):
        window = slice(max(0, t - step.problem.classes[i].preheat_steps), t)
        past.facility_mw[window] += o.past_preheat_mw[place]
        past.feeder_mw[limits.feeder_of_class[i], window] += o.past_preheat_mw[place]


def _reach(limits: Limits) -> tuple[Floats, Floats]:
    """Return for each step the highest and lowest power from which the ramps keep all later limits, shape (T + 1,).

    The most and the least that containers of unknown age can and must draw are limits, too: closed windows and heat.
    """
    steps = len(limits.ceiling_mw)
    overhead, rest = limits.overhead, limits.count @ limits.standby_mw + limits.base_load_mw
    gain_low, gain_high = overhead * limits.low_mw - limits.standby_mw, overhead * limits.high_mw - limits.standby_mw
    must = np.minimum(limits.must_run, limits.runnable)
    least = rest + (np.where(gain_low > 0, must, limits.runnable) * gain_low).sum(axis=0)
    by_feeder = limits.feeder_matrix.T @ (np.where(gain_high > 0, limits.runnable, must) * gain_high)
    at_rest = limits.feeder_matrix.T @ (limits.count[:, None] * limits.standby_mw)
    most = rest + np.minimum(by_feeder, limits.feeder_cap_mw[:, None] - at_rest).sum(axis=0)
    highest, lowest = np.full(steps + 1, np.inf), np.full(steps + 1, -np.inf)
    for t in range(steps - 1, -1, -1):
        highest[t] = min(limits.ceiling_mw[t], most[t], highest[t + 1] + limits.ramp_down_mw)
        lowest[t] = max(limits.floor_mw[t], least[t], lowest[t + 1] - limits.ramp_up_mw)
    return highest, lowest


def _tail(limits: Limits, end: int, distance: int, highest: Floats, lowest: Floats) -> tuple[float, float]:
    """Return ceiling and floor of this step from what is `distance` steps ahead, where ages no longer matter."""
    return highest[end] + limits.ramp_down_mw * distance, lowest[end] - limits.ramp_up_mw * distance


def judge(step: Step, places: Ints) -> _Judged:
    """Judge M candidates, each a place in the outlook of every class: `places` has shape (M, K)."""
    limits, t, outlooks = step.limits, step.t, step.outlooks
    counts = np.stack([o.counts[p] for o, p in zip(outlooks, places.T, strict=True)], axis=1).astype(np.float64)
    preheat = np.stack([o.preheat_mw[p] for o, p in zip(outlooks, places.T, strict=True)], axis=1)
    broken = np.sum([o.broken[p] for o, p in zip(outlooks, places.T, strict=True)], axis=0).astype(np.float64)
    before, excess, extra_usd = _preheat_before(step, places)
    floor, ceiling, excess_ahead = _window(step, places, before)
    dispatch = dispatch_by_merit(limits, t, counts, preheat, floor_mw=floor, ceiling_mw=ceiling)
    last = float(t == step.problem.steps - 1)
    terminal = counts @ np.array([k.terminal_on_usd for k in step.problem.classes]) * last
    total = broken + excess + excess_ahead + dispatch.excess_mw
    money = dispatch.money_usd - extra_usd + terminal
    return _Judged(dispatch, preheat, floor, ceiling, np.where(total > SAME_MW, total, 0.0), money)


def _window(step: Step, places: Ints, before_mw: Floats) -> tuple[Floats, Floats, Floats]:
    """Return floor and ceiling of the step's power, and by how much later limits contradict, each (M,) [MW]."""
    limits, t = step.limits, step.t
    ahead = step.outlooks[0].least_mw.shape[1]
    later, distance = slice(t + 1, t + 1 + ahead), np.arange(1, ahead + 1)
    rest = limits.base_load_mw[later] + limits.count @ limits.standby_mw[:, later]
    least, most = np.zeros((len(places), ahead)), np.zeros((len(places), ahead))
    excess = np.zeros(len(places))
    for f, cap in enumerate(limits.feeder_cap_mw):
        own = np.flatnonzero(limits.feeder_of_class == f)
        at_rest = limits.count[own] @ limits.standby_mw[own][:, later]
        least_f = sum((step.outlooks[i].least_mw[places[:, i]] for i in own), np.zeros_like(least))
        most_f = sum((step.outlooks[i].most_mw[places[:, i]] for i in own), np.zeros_like(most))
        excess += np.maximum(least_f - (cap - at_rest), 0.0).sum(axis=1)
        least += least_f
        most += np.minimum(most_f, cap - at_rest)
    least, most = np.maximum(rest + least, limits.floor_mw[later]), np.minimum(rest + most, limits.ceiling_mw[later])
    excess += np.maximum(least - most, 0.0).sum(axis=1)
    highest = (most + limits.ramp_down_mw * distance).min(axis=1, initial=step.tail[0])
    lowest = (least - limits.ramp_up_mw * distance).max(axis=1, initial=step.tail[1])
    ceiling = np.minimum(np.minimum(highest, limits.ceiling_mw[t]), before_mw[:, 1] + limits.ramp_up_mw)
    floor = np.maximum(np.maximum(lowest, limits.floor_mw[t]), before_mw[:, 0] - limits.ramp_down_mw)
    return floor, ceiling, excess


def _preheat_before(step: Step, places: Ints) -> tuple[Floats, Floats, Floats]:
    """Return what the preheat of the candidates' cold starts makes of the steps before.

    The rule knows the data of the steps that it has just decided, so it may have preheated in what they left free.

    Returns
    -------
    before_mw : ndarray, shape (M, 2)
        Power of the step before, as the ramp down and the ramp up see it (infinite where there is none).
    excess_mw, cost_usd : ndarray, shape (M,)
        By how much limits of the steps before are missed, and what the preheat energy costs.
    """
    limits, t, past = step.limits, step.t, step.past
    candidates, initial = len(places), step.problem.site.initial_mw
    excess, cost = np.zeros(candidates), np.zeros(candidates)
    reach = min(t, max(k.preheat_steps for k in step.problem.classes))
    # One step more than the preheat reaches, for the ramp into it.
    power = np.empty((candidates, reach + 1))
    power[:, 0] = past.facility_mw[t - reach - 1] if t > reach else np.nan if initial is None else initial
    power[:, 1:] = past.facility_mw[t - reach : t]
    feeder = np.tile(past.feeder_mw[:, t - reach : t], (candidates, 1, 1))
    for i, k in enumerate(step.problem.classes):
        added = step.outlooks[i].past_preheat_mw[places[:, i]]
        first = max(0, reach - k.preheat_steps)
        power[:, 1 + first :] += added[:, None]
        feeder[:, limits.feeder_of_class[i], first:] += added[:, None]
    changed = np.any(power[:, 1:] > past.facility_mw[t - reach : t], axis=1)
    if np.any(changed):
        rise = np.nan_to_num(np.diff(power, axis=1))
        excess += np.maximum(power[:, 1:] - limits.ceiling_mw[t - reach : t], 0.0).sum(axis=1)
        excess += np.maximum(feeder - limits.feeder_cap_mw[:, None], 0.0).sum(axis=(1, 2))
        excess += np.maximum(rise - limits.ramp_up_mw, 0.0).sum(axis=1)
        excess += np.maximum(-rise - limits.ramp_down_mw, 0.0).sum(axis=1)
        for s in range(t - reach, t):
            own = power[:, s - t]
            cost += energy_cost(limits, s, own) - energy_cost(limits, s, past.facility_mw[s : s + 1])
        # What was decided without preheat may itself have missed a limit: only these candidates answer for it.
        excess = np.where(changed, excess, 0.0)
    before = power[:, -1]
    unknown = np.isnan(before)
    return np.stack([np.where(unknown, -np.inf, before), np.where(unknown, np.inf, before)], axis=1), excess, cost


def least_broken(judged: _Judged, score: Floats) -> int:
    """Return the candidate that breaks least; among those the highest `score`, shape (M,), then the first, wins."""
    least = judged.broken <= judged.broken.min() + SAME_MW
    return int(np.argmax(np.where(least, score, -np.inf)))


def resting(step: Step) -> Ints:
    """Return for each class the place in its outlook that is nearest to leaving all containers in their state."""
    return np.array([int(np.argmin(np.abs(o.counts - n))) for o, n in zip(step.outlooks, step.running, strict=True)])


@dataclass(frozen=True)
class _Charge:
    """How *greedy* charges the starts of a class to a step: a share of the start cost, and a friction [USD]."""

    share: float
    friction_usd: float


def _decide_greedy(step: Step, charges: tuple[_Charge, ...]) -> tuple[Ints, Floats]:
    """Decide for the most money of this step alone: enumerate the counts of one class, coordinate ascent over several.

    The ascent starts from leaving all containers in their state, from the fewest and from the most containers.
    """
    sizes = np.array([len(o.counts) for o in step.outlooks])
    beginnings = np.stack([resting(step), np.zeros_like(sizes), sizes - 1])
    found = [_ascend(step, begin, charges) for begin in (beginnings[:1] if len(sizes) == 1 else beginnings)]
    judged = judge(step, np.stack(found))
    best = least_broken(judged, _score(step, judged, np.stack(found), charges))
    return found[best], judged.dispatch.it_power_mw[best]


def _score(step: Step, judged: _Judged, places: Ints, charges: tuple[_Charge, ...]) -> Floats:
    charged = np.zeros(len(places))
    for o, p, charge in zip(step.outlooks, places.T, charges, strict=True):
        charged += charge.share * o.start_cost_usd[p] + charge.friction_usd * o.starts[p]
    counts = np.stack([o.counts[p] for o, p in zip(step.outlooks, places.T, strict=True)], axis=1)
    # Among equals the one that changes least.
    return np.asarray(judged.money_usd - charged - SAME_USD * np.abs(counts - step.running).sum(axis=1))


def _ascend(step: Step, begin: Ints, charges: tuple[_Charge, ...]) -> Ints:
    current, value = begin.copy(), (np.inf, -np.inf)
    while True:
        for i, outlook in enumerate(step.outlooks):
            places = np.tile(current, (len(outlook.counts), 1))
            places[:, i] = np.arange(len(outlook.counts))
            judged = judge(step, places)
            score = _score(step, judged, places, charges)
            best = least_broken(judged, score)
            current, new = places[best], (float(judged.broken[best]), float(score[best]))
        if len(step.outlooks) == 1 or (new[0] > value[0] - SAME_MW and new[1] <= value[1] + SAME_USD):
            return current
        value = new


def _decide_always_on(step: Step) -> tuple[Ints, Floats]:
    """Decide for as many containers as all limits allow, at equal IT power, and as much as all limits allow."""
    most = np.array([len(o.counts) - 1 for o in step.outlooks])
    share = np.linspace(0.0, 1.0, min(GRID, int(most.max())) + 1 if len(most) > 1 else int(most.max()) + 1)
    places = np.floor(share[:, None] * most + SAME_MW).astype(np.int64)
    judged = judge(step, places)
    current = places[least_broken(judged, places.sum(axis=1).astype(np.float64))]
    # One by one what still fits, the class with the smallest share of its containers first.
    full: set[int] = set()
    while len(most) > 1 and len(full) < len(most):
        fractions = [np.inf if i in full else current[i] / max(1, most[i]) for i in range(len(most))]
        i = int(np.argmin(fractions))
        more = current + (np.arange(len(most)) == i)
        if current[i] == most[i] or np.diff(judge(step, np.stack([current, more])).broken)[0] > SAME_MW:
            full.add(i)
        else:
            current = more
    return current, _shared_power(step, current)


def _decide_threshold(step: Step) -> tuple[Ints, Floats]:
    """Decide class by class, highest break-even first: as many at full power as fit and the price allows; else off."""
    limits, t = step.limits, step.t
    full_mw = limits.overhead[:, t] * limits.high_mw[:, t]
    break_even = np.array([_break_even(step, i) for i in range(len(step.outlooks))])
    current = np.zeros(len(step.outlooks), dtype=np.int64)
    for i in np.argsort(-break_even, kind="stable"):
        counts = step.outlooks[i].counts
        places = np.tile(current, (len(counts), 1))
        places[:, i] = np.arange(len(counts))
        judged = judge(step, places)
        running = np.stack([o.counts[p] for o, p in zip(step.outlooks, places.T, strict=True)], axis=1)
        load = meter_load(limits, t, running.astype(np.float64), running * limits.high_mw[:, t], judged.preheat_mw)
        total = limits.base_load_mw[t] + load.sum(axis=1)
        fits = (total <= judged.ceiling_mw + SAME_MW) & np.all(
            load @ limits.feeder_matrix <= limits.feeder_cap_mw + SAME_MW, axis=1
        )
        source = np.minimum(
            (limits.cumulative_mw[:, t] < total[:, None] - SAME_MW).sum(axis=1), len(limits.cumulative_mw) - 1
        )
        wanted = fits & (limits.price_usd_per_mwh[source, t] <= break_even[i]) & (full_mw[i] > 0)
        score = np.where(wanted, counts, -counts).astype(np.float64) + np.where(wanted, 1e9, 0.0)
        current[i] = least_broken(judged, score)
    return current, _shared_power(step, current)


def _break_even(step: Step, i: int) -> float:
    """Return the power price at which a container at nameplate earns nothing [USD/MWh]."""
    k, t = step.problem.classes[i], step.t
    return float(k.hash_value_usd_per_th_s_h[t] * k.hash_rate_th_s[-1] / (k.overhead[t] * k.it_power_mw[-1]))


def _shared_power(step: Step, places: Ints) -> Floats:
    """Return the IT power of each class [MW] where all running containers share what the limits allow."""
    judged = judge(step, places[None, :])
    counts = np.array([o.counts[p] for o, p in zip(step.outlooks, places, strict=True)], dtype=np.float64)
    return dispatch_equally(step.limits, step.t, counts, judged.preheat_mw[0], float(judged.ceiling_mw[0]))
