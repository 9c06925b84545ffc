"""One case over many days: what came true, what was known ahead, and the problem of any window of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from flexmine.assembly import assemble
from flexmine.assembly.build import Assembly
from flexmine.assembly.windows import Clock
from flexmine.errors import BadInput
from flexmine.inputs.case import Case
from flexmine.inputs.energy import periods
from flexmine.inputs.schema import State
from flexmine.problem import Problem
from flexmine.solving.engine import SolveOptions
from flexmine.studies.known import Calendar, Expected

PAST_DAYS = 2
"""Read before the first day, so that yesterday is known on it; one more where the night plans over 24 h ahead."""


@dataclass(frozen=True)
class World:
    """What policies act in.

    Attributes
    ----------
    case : Case
        Its steps are those of the past days, of the back-test and of the look-ahead after the last day.
    expected : mapping
        By dotted key, how each series was known.
    begin, end : int
        First step of the back-test, and first after it.
    horizon : int
        Steps that a plan looks ahead.
    options : SolveOptions
        Of every plan.
    calendar : Calendar
        The steps by local day and hour.
    """

    case: Case
    expected: Mapping[str, Expected]
    begin: int
    end: int
    horizon: int
    options: SolveOptions
    calendar: Calendar

    @cached_property
    def days(self) -> list[tuple[int, int]]:
        """First step of each day of the back-test, and first step after it."""
        edges = [int(t) for t in self.calendar.first_of_day if self.begin <= t <= self.end]
        return list(pairwise(edges))

    def truth(self, first: int, steps: int, state: State) -> Assembly:
        """Return the problem of `steps` steps from `first` on as they came, from a state just before."""
        return assemble(self.case.window(first, steps, state))

    def foreseen(self, first: int, steps: int, state: State, known: int) -> Problem:
        """Return the problem of `steps` steps from `first` on, as expected when the steps before `known` had begun."""
        steps = min(steps, self.case.time.steps - first)
        series = {key: expected(known, first, steps) for key, expected in self.expected.items()}
        return assemble(self.case.window(first, steps, state, series)).problem


def as_metered(case: Case, problem: Problem) -> Problem:
    """Return a problem whose limits of energy are those of their whole periods, to settle what was done.

    A plan keeps a share of them for hours after its horizon; what was done breaks an upper one only where the whole of
    it is taken, and a lower one only with the end of its period.

    Parameters
    ----------
    case : Case
        Of the same steps.
    problem : Problem
    """
    clock = Clock(case.time)
    start, end = clock.begins[0], clock.begins[-1]
    stated = {
        name: (limit.at_least_mwh, until)
        for limit in case.document.energy_limits
        for name, _, until in periods(limit, start, end, clock.zone)
    }
    whole = tuple(
        replace(
            e,
            at_most_mwh=None if e.at_most_mwh is None else e.at_most_mwh + e.kept_mwh,
            at_least_mwh=stated[e.name][0] if stated[e.name][1] <= end else None,
            kept_mwh=0.0,
        )
        for e in problem.site.energy_limits
    )
    return replace(problem, site=replace(problem.site, energy_limits=whole))


def calendar_of(case: Case) -> Calendar:
    """Return the steps of a case by local day and hour."""
    clock = Clock(case.time)
    local = [b.astimezone(clock.zone) for b in clock.begins[:-1]]
    hours = np.array([b.hour + b.minute / 60.0 for b in local])
    return Calendar(case.time.step_h, clock.day_of_step, hours)


def refuse_unknown_limits(case: Case, truth: Assembly) -> None:
    """Refuse what a back-test cannot carry from step to step.

    Parameters
    ----------
    case : Case
    truth : Assembly
        Of all days as they came.

    Raises
    ------
    BadInput
        Naming the key, and the kind of container where it is of one.
    """
    wrong = []
    if truth.chain and case.document.hash_value.network_hash_rate_eh_s is not None:
        wrong.append(
            f"hash_value.network_hash_rate_eh_s: a halving falls into the days at {truth.chain[0]['expected_at']}, "
            "and each plan would expect it at another time; leave the key out"
        )
    if case.document.commitment is not None:
        wrong.append("commitment: it would be kept by every policy; leave it out")
    for k in truth.problem.classes:
        heated = np.any(k.start.cold_energy_mwh > 0.0) or any(tier.preheated for tier in k.start.tiers)
        if k.preheat_steps > 0 and heated:
            wrong.append(f"class {k.name}: start.preheat_h spans whole steps; a back-test cannot carry a preheat yet")
        if k.ramps_slowly:
            wrong.append(f"class {k.name}: its container ramp binds between steps; a back-test cannot carry it yet")
    if wrong:
        raise BadInput(wrong)
