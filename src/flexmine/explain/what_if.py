"""What would the plan be without a limit?  Answered by a solve, so that a reason is shown, not guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from flexmine.errors import Infeasible, NoPlan
from flexmine.problem import ContainerClass, Floats, Problem, StartTerms
from flexmine.problem.limits import LIMITS, bumped, with_classes, worth_something
from flexmine.solving.engine import Solution, SolveOptions, solve
from flexmine.solving.marginal import FixedCommitment

# Larger plants are explained from the fixed commitment alone; a limit in seconds would make plans irreproducible.
MOST_CLASS_STEPS = 500
TIGHT_GAP = 1e-6
NOISE_USD = 1e-4
NOISE_MW = 1e-6
# Larger than anything that an hour can earn, so that the plan takes what it can get at such a price.
MUCH_CHEAPER = 1e4  # USD/MWh


def _start(k: ContainerClass, tiers: dict[str, Floats], **changes: Floats) -> ContainerClass:
    own = tuple(replace(tier, **tiers) for tier in k.start.tiers)  # type: ignore[arg-type]
    terms: StartTerms = replace(k.start, tiers=own, **changes)  # type: ignore[arg-type]
    return replace(k, start=terms)


def _without_start_cost(p: Problem) -> Problem:
    zero = np.zeros(p.steps)
    return with_classes(p, lambda k: _start(k, {"cost_usd": zero}, warm_cost_usd=zero, cold_cost_usd=zero))


def _without_preheat(p: Problem) -> Problem:
    zero = np.zeros(p.steps)
    return with_classes(p, lambda k: replace(_start(k, {"energy_mwh": zero}, cold_energy_mwh=zero), preheat_steps=0))


def _without_heat(p: Problem) -> Problem:
    full = np.ones(p.steps)
    return with_classes(p, lambda k: replace(k, max_it_power_mw=k.it_power_mw[-1] * full, min_it_power_mw=0.0 * full))


# Code of the reason -> (has the problem such a thing, the problem without it), for money and physics, beside limits.
BESIDE_LIMITS: dict[str, tuple[Callable[[Problem], bool], Callable[[Problem], Problem]]] = {
    "start_cost": (
        lambda p: any(k.start.warm_cost_usd.any() or k.start.cold_cost_usd.any() or k.start.tiers for k in p.classes),
        _without_start_cost,
    ),
    "preheat": (
        lambda p: any(k.start.cold_energy_mwh.any() or k.preheat_steps or k.start.tiers for k in p.classes),
        _without_preheat,
    ),
    "terminal": (
        lambda p: any(k.terminal_on_usd for k in p.classes),
        lambda p: with_classes(p, lambda k: replace(k, terminal_on_usd=0.0)),
    ),
    "heat": (
        lambda p: any(
            (k.highest_it_power_mw < k.it_power_mw[-1]).any() or (k.lowest_it_power_mw > k.it_power_mw[0]).any()
            for k in p.classes
        ),
        _without_heat,
    ),
}


def _relaxed(p: Problem, code: str) -> Problem | None:
    """Return the problem without what a code names; None where it has no such thing."""
    if code in BESIDE_LIMITS:
        has, relax = BESIDE_LIMITS[code]
        return relax(p) if has(p) else None
    limits = [limit for limit in LIMITS if limit.without == code and limit.present(p)]
    return reduce(lambda relaxed, limit: limit.relax(relaxed), limits, p) if limits else None


# Limits of one step (or one number for all steps), searched one by one where nothing else explains a step.
SEARCHED = (*dict.fromkeys(code for limit in worth_something() for code in limit.reasons), "price")
WIDER_MW = 1.0
# Class-steps solved in all, and not seconds, so that the same input gives the same reasons.
MOST_SEARCHED_CLASS_STEPS = 1500


def _wider(p: Problem, code: str, name: str, t: int) -> list[Problem]:
    """Return the problem with one limit wider by 1 MW at one place; several where the code covers several limits."""
    if code == "price":
        cheaper = (replace(s, price_usd_per_mwh=bumped(s.price_usd_per_mwh, -MUCH_CHEAPER, t)) for s in p.sources)
        return [replace(p, sources=tuple(cheaper))]
    ways = [
        limit.widen(p, WIDER_MW, who, t)
        for limit in worth_something()
        for who in limit.members(p)
        if limit.widen and code in limit.reasons_of(p, who) and limit.concerns(p, who, name)
    ]
    return [way for way in ways if way is not p]


# Those that make the same plan more expensive or cheaper, and not only more plans possible.
PRICED = ("start_cost", "preheat", "terminal")


@dataclass(frozen=True)
class Moved:
    """How the plan without a limit differs from the plan.

    Attributes
    ----------
    gain_usd : float
        Money above what the plan itself would make without the limit, less what its gap leaves open.
    count, it_power_mw : dict of ndarray, shape (T,)
        Change of the containers on and of the IT power [MW], by class of the Problem.
    """

    gain_usd: float
    count: Mapping[str, Floats]
    it_power_mw: Mapping[str, Floats]


class WhatIfs:
    """Works out, once for each limit and only when wanted, what the plan would be without it.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        The plan.
    options : SolveOptions
        Of the plan; the what-ifs are solved to a tight gap.
    """

    def __init__(self, problem: Problem, solution: Solution, options: SolveOptions):
        self.problem, self.solution = problem, solution
        class_steps = len(solution.classes) * problem.steps
        self.allowed = class_steps <= MOST_CLASS_STEPS
        self.searches_left = MOST_SEARCHED_CLASS_STEPS // class_steps
        self._options = replace(options.by_work(), gap=min(options.gap, TIGHT_GAP))
        self._moved: dict[str, Moved | None] = {}
        self._searched: dict[tuple[str, str, int], Moved | None] = {}
        self._now = _by_class(problem, solution)

    def without(self, code: str) -> Moved | None:
        """Return how the plan moves without the limit of a reason's `code`; None without such a limit or any gain."""
        if code not in self._moved:
            self._moved[code] = self._ask(code)
        return self._moved[code]

    def widened(self, code: str, name: str, step: int) -> Moved | None:
        """Return how the commitment moves with one limit on power wider at one place; None where it does not.

        The plan itself, its power settled again within the wider limit, is what the gain is counted from.

        Parameters
        ----------
        code : str
            Code of a reason, such as ``cap``.
        name : str
            Class of the Problem.
        step : int
            Where the limit is one of single steps, the step in which it is wider.
        """
        per_step = code in ("surplus", "cap", "contract", "price")
        key = (code, name if code == "feeder" else "", step if per_step else -1)
        if key not in self._searched:
            best: Moved | None = None
            for relaxed in _wider(self.problem, code, name, step) if self.allowed else []:
                if self.searches_left == 0:
                    break
                self.searches_left -= 1
                moved = self._compare(relaxed, FixedCommitment(relaxed, self.solution).money_usd)
                if moved is not None and (best is None or moved.gain_usd > best.gain_usd):
                    best = moved
            self._searched[key] = best
        return self._searched[key]

    def reachable(self, steps: list[int]) -> set[int]:
        """Return those of `steps` in which some plan draws more than this one, found by much lower prices there."""
        if not steps or not self.allowed:
            return set()
        cheaper = np.zeros(self.problem.steps)
        cheaper[steps] = MUCH_CHEAPER
        sources = tuple(replace(s, price_usd_per_mwh=s.price_usd_per_mwh - cheaper) for s in self.problem.sources)
        found = self._solve(replace(self.problem, sources=sources))
        if found is None:
            return set()
        more = found.supply_mw.sum(axis=0) > self.solution.supply_mw.sum(axis=0) + 1e3 * NOISE_MW
        return {t for t in steps if more[t]}

    def _ask(self, code: str) -> Moved | None:
        relaxed = _relaxed(self.problem, code) if self.allowed else None
        if relaxed is None:
            return None
        priced = code in PRICED
        base = FixedCommitment(relaxed, self.solution).money_usd if priced else self.solution.money_usd
        return self._compare(relaxed, base)

    def _compare(self, relaxed: Problem, base_usd: float) -> Moved | None:
        found = self._solve(relaxed)
        if found is None:
            return None
        open_usd = max(0.0, self.solution.bound_usd - self.solution.money_usd)
        gain = found.money_usd - base_usd - open_usd
        if gain <= NOISE_USD:
            return None
        counts, power = _by_class(self.problem, found)
        return Moved(
            gain,
            {name: counts[name] - self._now[0][name] for name in counts},
            {name: power[name] - self._now[1][name] for name in power},
        )

    def _solve(self, relaxed: Problem) -> Solution | None:
        try:
            return solve(relaxed, self._options)
        except (NoPlan, Infeasible):
            # The limit of work was reached, or the solver erred: no limit less cannot be infeasible.  There is no
            # evidence, and the reason is sought elsewhere.
            return None


def _by_class(problem: Problem, solution: Solution) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return containers on and IT power [MW] by class of the Problem, each of shape (T,)."""
    counts = {k.name: np.zeros(problem.steps) for k in problem.classes}
    power = {k.name: np.zeros(problem.steps) for k in problem.classes}
    for plan in solution.classes:
        counts[plan.class_data.parent] += plan.on
        power[plan.class_data.parent] += plan.it_power_mw
    return counts, power
