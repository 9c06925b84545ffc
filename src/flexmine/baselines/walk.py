"""Walks of rules through the horizon, step by step, many at once; none sees prices ahead.

A rule decides how many containers of each class run, from their state, the data of the step and how soon a limit has to
be reached.  The walk keeps the books: its money and the limits that it misses are those of the audit.

Shapes: P walks, M candidates, K classes, T steps, N containers, S pieces of all mode curves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flexmine.baselines.ahead import ALL, Ahead, Rows, drawn_at_least_and_most, reach
from flexmine.baselines.container_power import Alike, Basis, Ramped
from flexmine.baselines.dispatch import fill, limits_of, meter_load
from flexmine.baselines.energy import Budgets
from flexmine.baselines.fleets import Fleets
from flexmine.problem import Floats, Ints, Problem
from flexmine.problem.schedule import Schedule, supply_by_merit

SAME_MW = 1e-9
# By so much a limit may be missed, as in the audit.
TOLERANCE_MW = 1e-6


@dataclass(frozen=True)
class Walks:
    """What P walks have decided.

    Attributes
    ----------
    counts : ndarray of int, shape (P, T, K)
    money_usd, missed_mw : ndarray, shape (P,)
        Money by the walk's own books, and by how much it misses limits (containers and MWh count as MW); 0 where it
        keeps all.
    """

    counts: Ints
    money_usd: Floats
    missed_mw: Floats


# A rule: from a step to the counts that shall run, (P, K), and how they are judged, arrays of (P, 1, ...).
Decider = Callable[["Step"], tuple[Ints, "Judged"]]


def walk_many(problem: Problem, decide: Decider, walks: int) -> Walks:
    """Return what a rule does that decides `walks` walks at once; only their counts are kept."""
    state = Walk(problem, walks)
    for t in range(problem.steps):
        state.step(t, decide)
    return Walks(state.counts, state.earned_usd - state.cost_usd(), state.missed())


def walk(problem: Problem, decide: Decider) -> Schedule:
    """Return the schedule of a rule, container by container.

    Parameters
    ----------
    problem : Problem
        Its histories are the state to start from.
    decide : callable
        The rule, for a single walk.
    """
    state, on, power = Walk(problem, 1), [], []
    for t in range(problem.steps):
        it_power = state.step(t, decide)
        on.append(state.fleets.on[0])
        power.append(np.where(on[-1], it_power[0, state.power.place], 0.0))
    if state.budgets is None:
        supply = supply_by_merit(problem, state.facility_mw[0])
    else:
        supply = state.budgets.supply_mw[0]
    names = tuple(name for name, _ in problem.containers)
    return Schedule(names, np.array(on).T, np.array(power).T, supply)


def follow(problem: Problem, counts: Ints) -> Schedule:
    """Return the schedule with given counts of each class, `counts` of shape (T, K), and power by merit."""
    return walk(problem, lambda step: (counts[None, step.t], step.judge(counts[None, None, step.t])))


class Walk:
    """P walks, as far as they have come."""

    def __init__(self, problem: Problem, walks: int):
        self.problem, self.limits, self.fleets = problem, limits_of(problem), Fleets(problem, walks)
        ramped = any(k.container_ramp_mw_per_step is not None for k in problem.classes)
        self.power: Alike = (Ramped if ramped else Alike)(problem, self.limits, self.fleets)
        least, most = drawn_at_least_and_most(self.limits)
        self.highest, self.lowest = reach(self.limits, least, most)
        self.budgets = Budgets(problem, self.limits, walks, least, most) if problem.site.energy_limits else None
        self.counts = np.zeros((walks, problem.steps, len(problem.classes)), dtype=np.int64)
        self.facility_mw = np.zeros((walks, problem.steps))
        self.feeder_mw = np.zeros((walks, len(self.limits.feeder_cap_mw), problem.steps))
        # Without the cost of energy, which is added at the end: preheat changes the power of steps that are decided.
        self.earned_usd = np.zeros(walks)

    def step(self, t: int, decide: Decider) -> Floats:
        """Decide step `t` in all walks, write down what it does, and return the power as :meth:`Alike.settle` does."""
        limits, fleets = self.limits, self.fleets
        ahead = min(fleets.horizon, self.problem.steps - 1 - t)
        look = fleets.look(t, ahead, limits, self.power.begin(t))
        step = Step(self, t, Ahead(limits, fleets, look, t))
        counts, judged = decide(step)
        started = fleets.move(t, look.running, counts)
        self.counts[:, t] = counts
        basis, load, added = judged.basis.only(0), judged.load_mw[:, 0], judged.added_mw[:, 0]
        if isinstance(self.power, Ramped):
            basis = self.power.basis_after(t, started)
            load = meter_load(limits, t, counts, basis.it_mw, judged.heat_mw[:, 0])
            room, sides = basis.room_mw[:, None], {"floor_mw": judged.floor_mw, "ceiling_mw": judged.ceiling_mw}
            added = fill(limits, t, step.offer, load[:, None], room, **sides)[0][:, 0]
        it_power = self.power.settle(t, counts, basis, added)
        if len(limits.feeder_cap_mw) > 1:
            of_piece = limits.feeder_matrix[limits.piece_class[t]]
            self.feeder_mw[:, :, t] = load @ limits.feeder_matrix + added @ of_piece
        self.facility_mw[:, t] = limits.base_load_mw[t] + load.sum(axis=1) + added.sum(axis=1)
        revenue = basis.revenue_usd_per_h + added @ limits.piece_usd_per_mwh[t]
        self.earned_usd += limits.step_h * revenue + judged.terminal_usd[:, 0] - judged.start_cost_usd[:, 0]
        self._preheat_before(t, judged.past_mw[:, 0])
        if self.budgets is not None:
            power = self.facility_mw[:, t]
            self.budgets.take(t, self.budgets.offer(t, step.still_mw(counts), power), power)
        return it_power

    def missed(self) -> Floats:
        """Return by how much the walks miss limits, (P,): MW, MWh and containers together; 0 where they keep all."""
        limits, power = self.limits, self.facility_mw
        change = np.diff(power, axis=1, prepend=self.power_before(0)[:, None])
        over = [power - limits.ceiling_mw, limits.floor_mw - power, change - limits.ramp_up_mw]
        over += [-change - limits.ramp_down_mw, *(self.feeder_mw - limits.feeder_cap_mw[:, None]).transpose(1, 0, 2)]
        if self.budgets is not None:
            over.append(self.budgets.missed())
        counts = self.counts.transpose(2, 0, 1)
        over += [*(counts - limits.runnable[:, None]), *(limits.must_run[:, None] - counts)]
        beyond = sum(np.where(x > TOLERANCE_MW, x, 0.0).sum(axis=1) for x in over)
        return np.asarray(self.power.missed_mw + beyond)

    def cost_usd(self) -> Floats:
        """Return the energy cost of all steps [USD], (P,)."""
        if self.budgets is not None:
            return self.budgets.cost_usd()
        pairs = zip(self.limits.offers, self.facility_mw.T, strict=True)
        return np.asarray(self.limits.step_h * sum(offer.cost_usd_per_h(power) for offer, power in pairs))

    def power_before(self, t: int) -> Floats:
        """Return the facility power before step `t`, (P,) [MW]; NaN: unknown."""
        if t > 0:
            return self.facility_mw[:, t - 1]
        initial = self.problem.site.initial_mw
        return np.full(len(self.earned_usd), np.nan if initial is None else initial)

    def _preheat_before(self, t: int, past_mw: Floats) -> None:
        """Add the preheat of starts in step `t` to the steps before it; `past_mw` has shape (P, K)."""
        if not past_mw.any():
            return
        ahead = self.fleets.ahead
        for s in range(max(0, t - int(ahead.max())), t):
            own = past_mw * (s >= t - ahead)
            self.facility_mw[:, s] += own.sum(axis=1)
            self.feeder_mw[:, :, s] += own @ self.limits.feeder_matrix
            if self.budgets is not None:
                self.budgets.take(s, self.budgets.more(s), self.facility_mw[:, s])


@dataclass(frozen=True)
class Judged:
    """M candidates in P walks.

    Attributes
    ----------
    money_usd, start_cost_usd, terminal_usd : ndarray, shape (P, M)
        Hash revenue and terminal value less the energy of the step and preheat before it; start costs are apart.
    missed_mw : ndarray, shape (P, M)
        By how much limits of this step, of those before and of those ahead are missed; 0 where they are kept.
    floor_mw, ceiling_mw : ndarray, shape (P, M)
        Between what facility power has to lie.
    heat_mw, past_mw : ndarray, shape (P, M, K)
        Preheat of the starts, in this step and in each of the steps before it.
    basis : Basis
    load_mw : ndarray, shape (P, M, K)
        Facility power of the classes where all that run draw their least.
    added_mw : ndarray, shape (P, M, S)
        What is taken of each piece of the mode curves above it.
    """

    money_usd: Floats
    start_cost_usd: Floats
    terminal_usd: Floats
    missed_mw: Floats
    floor_mw: Floats
    ceiling_mw: Floats
    heat_mw: Floats
    past_mw: Floats
    basis: Basis
    load_mw: Floats
    added_mw: Floats

    def only(self, found: Ints) -> Judged:
        """Return one candidate of each walk, `found` of shape (P,); arrays of (P, 1, ...)."""
        rows = np.arange(len(found))

        def of(x: Floats) -> Floats:
            return x[rows, found][:, None] if x.shape[1] > 1 else x

        basis = Basis(of(self.basis.it_mw), of(self.basis.room_mw), of(self.basis.revenue_usd_per_h))
        own = {name: of(x) for name, x in vars(self).items() if name != "basis"}
        return Judged(basis=basis, **own)


class Step:
    """One step of P walks: which counts are possible, and what they are worth."""

    def __init__(self, walk: Walk, t: int, ahead: Ahead):
        self.walk, self.t, self.ahead, self.look = walk, t, ahead, ahead.look
        limits, number = walk.limits, len(walk.earned_usd)
        self.before = before = walk.power_before(t)
        far = t + len(ahead.all) + 1
        distance = far - t
        self.ceiling = np.full(number, min(limits.ceiling_mw[t], walk.highest[far] + limits.ramp_down_mw * distance))
        self.floor = np.full(number, max(limits.floor_mw[t], walk.lowest[far] - limits.ramp_up_mw * distance))
        self.offer = limits.offers[t]
        if walk.budgets is not None:
            self._budget(walk.budgets)
        self.preheats, self.nothing = bool(walk.fleets.ahead.any()), np.zeros((number, 1, len(limits.count)))
        on_usd = np.array([k.terminal_on_usd for k in walk.problem.classes])
        self.terminal_usd = on_usd * (t == walk.problem.steps - 1)
        if number == 1:
            return  # All steps are looked at as quickly as those that bind are found.
        ahead.only_binding(
            self.floor if self.preheats else np.fmax(self.floor, before - limits.ramp_down_mw),
            self.ceiling if self.preheats else np.fmin(self.ceiling, before + limits.ramp_up_mw),
        )

    def _budget(self, budgets: Budgets) -> None:
        still = self.still_mw(self.look.running)
        floor, ceiling = budgets.sides(self.t, still)
        power = np.fmin(self.before, ceiling)
        self.offer = budgets.offer(self.t, still, np.where(np.isnan(power), -np.inf, power))
        self.ceiling = np.minimum(self.ceiling, np.minimum(ceiling, budgets.free_mw(self.offer)))
        self.floor = np.maximum(self.floor, np.maximum(floor, budgets.forced_mw(self.offer)))

    def still_mw(self, counts: Ints) -> Floats:
        """Return the facility power that is bound in later steps once `counts` run, (P, H) [MW]."""
        change = (counts - self.look.running)[:, None]
        return self.ahead.of_site(np.maximum(change, 0), np.maximum(-change, 0), self.ahead.all)[0][:, 0]

    def judge(self, counts: Ints, rows: Rows = ALL) -> Judged:
        """Return what candidates are worth, power by merit; `counts`, shape (P, M, K), are of the walks `rows`."""
        walk, limits, fleets, t = self.walk, self.walk.limits, self.walk.fleets, self.t
        change = counts - self.look.running[rows, None]
        starts, stops = np.maximum(change, 0), np.maximum(-change, 0)
        cost, heat = self._starts(starts, rows)
        now, past = heat, self.nothing[rows]
        if self.preheats:
            now, past = heat * (fleets.ahead == 0), heat * (fleets.ahead > 0) / np.maximum(1, fleets.ahead)
        before, missed, past_usd = self._past(past, rows)
        # Unknown power before the horizon binds nothing.
        floor = np.fmax(self.floor[rows, None], before - limits.ramp_down_mw)
        ceiling = np.fmin(self.ceiling[rows, None], before + limits.ramp_up_mw)
        if len(self.ahead.steps):
            least, most, contradiction = self.ahead.sides(starts, stops, rows)
            floor, ceiling, missed = np.maximum(floor, least), np.minimum(ceiling, most), missed + contradiction
        offer = self.offer
        if walk.budgets is not None:
            least, most = self._budgeted(
                walk.budgets, self.ahead.of_site(starts, stops, self.ahead.all, rows), past, rows
            )
            floor, ceiling, offer = np.maximum(floor, least), np.minimum(ceiling, most), offer.only(rows)
        basis = walk.power.basis(t, counts, starts, stops, rows)
        load = meter_load(limits, t, counts, basis.it_mw, now)
        added, total, excess = fill(limits, t, offer, load, basis.room_mw, floor_mw=floor, ceiling_mw=ceiling)
        revenue = basis.revenue_usd_per_h + added @ limits.piece_usd_per_mwh[t]
        terminal = counts @ self.terminal_usd
        return Judged(
            money_usd=limits.step_h * (revenue - offer.cost_usd_per_h(total)) - past_usd + terminal,
            start_cost_usd=cost,
            terminal_usd=terminal,
            missed_mw=np.where(missed + excess > SAME_MW, missed + excess, 0.0),
            floor_mw=floor,
            ceiling_mw=ceiling,
            heat_mw=now,
            past_mw=past,
            basis=basis,
            load_mw=load,
            added_mw=added,
        )

    def _starts(self, starts: Ints, rows: Rows) -> tuple[Floats, Floats]:
        """Return what starts cost [USD], (P, M), and the mean power of their preheat in one step [MW], (P, M, K)."""
        fleets, t, ready = self.walk.fleets, self.t, self.look.ready[rows, None]
        warm = np.minimum(starts, ready[..., 0])
        left = starts - warm
        cost, heat = warm @ fleets.cost_usd[t, 0], np.zeros(1)
        for kind in range(1, fleets.kinds):
            own = left if kind == fleets.kinds - 1 else np.minimum(left, ready[..., kind])
            left = left - own
            cost = cost + own @ fleets.cost_usd[t, kind]
            heat = heat + own * (fleets.heat_mwh[t, kind] / self.walk.limits.step_h)
        return cost, heat

    def _budgeted(
        self, budgets: Budgets, ahead: tuple[Floats, Floats, Floats], past: Floats, rows: Rows
    ) -> tuple[Floats, Floats]:
        """Return floor and ceiling by limits of energy, for what candidates bind ahead and have drawn in the past."""

        def past_mw(first: int) -> Floats:
            return np.asarray(past @ np.minimum(self.walk.fleets.ahead, self.t - first))

        return budgets.sides_of(self.t, ahead[0], ahead[1], past_mw, rows)

    def _past(self, past: Floats, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """Return what preheat ahead of the starts makes of the steps before.

        The rule knows the data of the steps that it has just decided, so it may have preheated in what they left free.

        Returns
        -------
        before_mw, missed_mw, cost_usd : ndarray, shape (P, M)
            Power of the step before (NaN: unknown), by how much limits of the steps before are missed, and what the
            preheat costs.
        """
        walk, limits, t = self.walk, self.walk.limits, self.t
        if not self.preheats or not past.any():
            return self.before[rows, None], np.zeros(1), np.zeros(1)
        missed, cost = np.zeros(past.shape[:2]), np.zeros(past.shape[:2])
        reach = min(t, int(walk.fleets.ahead.max()))
        drawn = walk.power_before(t - reach)[rows, None]
        for s in range(t - reach, t):
            own = past * (s >= t - walk.fleets.ahead)
            power = walk.facility_mw[rows, s, None] + own.sum(axis=2)
            rise = np.nan_to_num(power - drawn)
            feeders = walk.feeder_mw[rows, None, :, s] + own @ limits.feeder_matrix
            offer = limits.offers[s] if walk.budgets is None else walk.budgets.more(s).only(rows)
            ceiling = np.minimum(walk.problem.site.cap_mw[s], offer.cumulative_mw[..., -1])
            missed += np.maximum(power - ceiling, 0.0) + np.maximum(feeders - limits.feeder_cap_mw, 0.0).sum(axis=2)
            missed += np.maximum(rise - limits.ramp_up_mw, 0.0) + np.maximum(-rise - limits.ramp_down_mw, 0.0)
            cost += limits.step_h * offer.cost_usd_per_h(power)
            cost -= limits.step_h * offer.cost_usd_per_h(walk.facility_mw[rows, s, None])
            drawn = power
        # What was decided without preheat may itself have missed a limit: only these candidates answer for it.
        return drawn, np.where(past.any(axis=2), missed, 0.0), cost
