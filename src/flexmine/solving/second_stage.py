r"""The second stage: what the asked gap leaves is spent on calm, by the same engine that made the money.

A price on starts in place of a limit on money keeps the structure of the matrix, so that thresholds, cuts and the
short branch and bound apply; and each price proves how few starts a plan within the gap must have at least:

.. math:: unrest \ge \bigl( \min (-money + price \cdot unrest) + floor \bigr) / price

for every plan whose money is at least `floor`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flexmine.errors import NoPlan, Status
from flexmine.problem import Floats
from flexmine.solving.first_stage import FirstStage, Task
from flexmine.solving.preference import CLOSENESS_WEIGHT, Counts, calm_matrix, least_money, starts_of, unrest_of
from flexmine.solving.rounding.entries import entries_of
from flexmine.solving.solution import Preference, proven

MONEY_NOISE_USD = 1e-6
# Prices on starts are 2^e times the one at which nothing can cost more than what the gap leaves, e below this; the
# highest one whose plan is within the gap is looked for by halving.
EXPONENTS = 9
# How exactly the priced problem is solved, as a share of the asked gap: large ones need not be solved to the last cent.
LARGE = 20_000
EXACTNESS = {False: 1e-3, True: 0.1}


def prefer(task: Task, first: FirstStage, before: Counts | None) -> tuple[Floats, float, Preference]:
    """Return values and objective after the second stage; the first stage's where nothing calmer was found.

    Parameters
    ----------
    task : Task
        The first stage.
    first : FirstStage
        What it found.
    before : mapping, optional
        Containers that ran in an earlier plan, by class of the model and step, NaN where it says nothing.
    """
    matrix, options = task.matrix, task.options
    starts = starts_of(matrix, first.values)
    if proven(-first.objective, -first.bound, options.gap).status is not Status.OPTIMAL:
        return first.values, first.objective, Preference("no_room", 0.0, starts, starts)
    unrest = unrest_of(task.problem, matrix, first.values, before)
    if unrest == 0:
        return first.values, first.objective, Preference("reached", 0.0, 0, 0)
    ceiling = -min(least_money(-first.bound, options.gap), -first.objective)
    search = _PriceSearch(task, first, ceiling, before)
    label = search.run(unrest)
    values, objective = search.values, search.objective
    after, least = starts_of(matrix, values), max(0, int(np.ceil(search.least - MONEY_NOISE_USD)))
    return values, objective, Preference(label, objective - first.objective, starts, after, min(least, after))


class _PriceSearch:
    """Looks for the highest price on starts whose plan still has the asked gap."""

    def __init__(self, task: Task, first: FirstStage, ceiling: float, before: Counts | None):
        self.task, self.ceiling, self.before = task, ceiling, before
        self.values, self.objective = first.values, first.objective
        self.least = 0.0

    def run(self, unrest: float) -> str:
        """Return the outcome; `unrest` is that of the first stage."""
        base = max(self.ceiling - self.objective, MONEY_NOISE_USD) / unrest
        fits, breaks = -1, EXPONENTS
        while breaks - fits > 1:
            middle = (fits + breaks) // 2
            price = base * 2.0**middle
            calm = _priced(self.task, price, self.before)
            if calm is None:
                return "stopped"
            apart = CLOSENESS_WEIGHT if self.before else 0.0
            self.least = max(self.least, (calm.bound - self.ceiling) / price - apart)
            unrest_now = self._take(calm, unrest)
            if unrest_now is None:
                breaks = middle
            else:
                fits, unrest = middle, unrest_now
            if starts_of(self.task.matrix, self.values) < self.least + 1 - MONEY_NOISE_USD:
                return "reached"
        return "approached"

    def _take(self, calm: FirstStage, unrest: float) -> float | None:
        """Keep a plan that is within the gap and no less calm; return its unrest, None where it is neither."""
        matrix = self.task.matrix
        values = calm.values[: len(matrix.cost)]
        objective = float((matrix.cost * values).sum()) + matrix.offset
        own = unrest_of(self.task.problem, matrix, values, self.before)
        if objective > self.ceiling + MONEY_NOISE_USD or own > unrest + MONEY_NOISE_USD:
            return None
        self.values, self.objective = values, objective
        return own


def _priced(task: Task, price_usd: float, before: Counts | None) -> FirstStage | None:
    """Return the plan of most money less the price of its starts; None where the search ended before it was proven."""
    options = task.options
    exactness = EXACTNESS[task.matrix.A.nnz > LARGE]
    quick = replace(options.by_work(), gap=exactness * options.gap)
    matrix = calm_matrix(task.problem, task.matrix, price_usd, before)
    layout = task.layout
    if matrix.A.shape != task.matrix.A.shape:
        layout = replace(layout, entries=entries_of(matrix, layout.balance, layout.seldom))
    try:
        found = Task(task.problem, task.class_data, matrix, layout, quick).run()
    except NoPlan:
        return None
    ended = proven(-found.objective, -found.bound, quick.gap).status is Status.OPTIMAL
    return found if ended else None
