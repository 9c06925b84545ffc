"""What a schedule earns and pays, term by term, from what its containers did; the audit's own second writing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import Floats, Ints, Problem
from flexmine.problem.money import money_terms
from flexmine.problem.schedule import Schedule, class_rows

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Operation:
    """What each container does, as far as it is paid for; arrays of shape (containers, T).

    Attributes
    ----------
    hash_rate_th_s : ndarray
    warm, cold : ndarray of bool
        Whether it starts in the step, and whether warm.
    tier : ndarray of int
        Of a start that is not warm; the number of tiers where it is cold, and where nothing starts.
    """

    hash_rate_th_s: Floats
    warm: Bools
    cold: Bools
    tier: Ints


def hash_revenue(problem: Problem, schedule: Schedule, done: Operation) -> Floats:
    """Return the hash rate of the classes at their hash values, net of fees [USD], shape (T,)."""
    revenue = np.zeros(problem.steps)
    for k, rows in class_rows(problem):
        revenue += problem.time.step_h * k.hash_value_usd_per_th_s_h * done.hash_rate_th_s[rows].sum(axis=0)
    return revenue


def energy_cost(problem: Problem, schedule: Schedule, done: Operation) -> Floats:
    """Return the power taken of the sources at their prices [USD], shape (T,)."""
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    return np.asarray(problem.time.step_h * (prices * schedule.supply_mw).sum(axis=0))


def start_cost(problem: Problem, schedule: Schedule, done: Operation) -> Floats:
    """Return what the starts cost, each by how long its container was off [USD], shape (T,)."""
    cost = np.zeros(problem.steps)
    for k, rows in class_rows(problem):
        own = k.start.warm_cost_usd * done.warm[rows].sum(axis=0)
        for number, price in enumerate([*(g.cost_usd for g in k.start.tiers), k.start.cold_cost_usd]):
            own = own + price * (done.cold[rows] & (done.tier[rows] == number)).sum(axis=0)
        cost += own
    return cost


def terminal(problem: Problem, schedule: Schedule, done: Operation) -> Floats:
    """Return the value of the containers that run in the last step [USD], shape ()."""
    return np.asarray(sum(k.terminal_on_usd * int(schedule.on[rows, -1].sum()) for k, rows in class_rows(problem)))


PRICES: dict[str, Callable[[Problem, Schedule, Operation], Floats]] = {
    price.__name__: price for price in (hash_revenue, energy_cost, start_cost, terminal)
}


def usd_of(problem: Problem, schedule: Schedule, done: Operation) -> dict[str, Floats]:
    """Return each term of the money by name, without its sign [USD]."""
    return {term.name: PRICES[term.name](problem, schedule, done) for term in money_terms()}
