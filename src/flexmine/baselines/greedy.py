"""The rule *greedy*: in each step the most money of that step, less a price on starts and a price on stops.

The prices are shares of what starts cost (:data:`CHARGES`).  All pairs of shares are walked at once, as arrays; what
is shown as *greedy* is the pair that earns most over the horizon of the plan, chosen in hindsight: as strong as an
engineer could tune the rule.  :func:`walk_with` walks with one pair, and :func:`money_of_charges` is what each pair
earns, so that a pair can be chosen by past nights instead.

Shapes: P walks, M candidates, K classes.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from flexmine.baselines.ahead import ALL, Rows
from flexmine.baselines.walk import SAME_MW, Judged, Step, Walks, follow, walk, walk_many
from flexmine.problem import Floats, Ints, Problem
from flexmine.problem.schedule import Schedule


@dataclass(frozen=True)
class Charge:
    """What a walk charges itself above the money of a step; nobody pays it.

    Attributes
    ----------
    start : float
        Share of the start cost that is charged to the step of a start.
    stop : float
        Share of the cost of a warm start that is charged to a stop; infinite: nobody stops who can run.
    """

    start: float
    stop: float


#: Pairs that are tried; a half, a third and a quarter share a start cost among as many steps as a start may bind.
CHARGES = (
    *(Charge(start, stop) for stop in (0.0, 0.1, 0.5) for start in (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)),
    *(Charge(start, 0.0) for start in (1 / 4, 1 / 3, 1 / 2)),
    Charge(0.0, 1.0),
    Charge(0.1, 1.0),
    Charge(0.0, np.inf),
    # Nobody starts but where a limit demands it: it keeps limits where others have started one too many.
    Charge(1000.0, 0.0),
)

# Candidates of all classes together are enumerated up to so many; beyond, counts move by powers of MOVE and by swaps.
ENUMERATED = 64
MOVE = 4
# Scores are compared to this many decimals: below, they are noise of the arithmetic, and the first of equals is taken.
DECIMALS = 6
CHANGE_USD = 1e-5
# For one that holds, a container that runs outweighs all money; a limit missed by however little outweighs both.
HOLD_USD = 1e6
MISSED_USD, MISSED_USD_PER_MW = 1e12, 1e10


def tuned_greedy(problem: Problem) -> Schedule:
    """Return the walk with the pair of :data:`CHARGES` that earns most, of those that miss limits by least.

    The pair is chosen in hindsight, over the whole horizon of the problem.
    """
    found = walk_all(problem, CHARGES)
    return follow(problem, found.counts[_best(found)])


def tuned_charge(problem: Problem) -> Charge:
    """Return the pair with which :func:`tuned_greedy` walks."""
    return CHARGES[_best(walk_all(problem, CHARGES))]


def _best(found: Walks) -> int:
    kept = found.missed_mw <= found.missed_mw.min() + SAME_MW
    return int(np.argmax(np.where(kept, np.round(found.money_usd, DECIMALS), -np.inf)))


def walk_with(problem: Problem, charge: Charge) -> Schedule:
    """Return the walk with one pair, which somebody has chosen without hindsight.

    Parameters
    ----------
    problem : Problem
        Its histories are the state to start from; its horizon is as long as the caller likes.
    charge : Charge
        Any pair of shares, such as one of :data:`CHARGES`.
    """
    return walk(problem, _Greedy(problem, (charge,)))


def money_of_charges(problem: Problem) -> Floats:
    """Return what each pair of :data:`CHARGES` earns over the horizon [USD], (pairs,); NaN where it breaks a limit.

    Summed over past nights, it is what a pair can be chosen by without hindsight.
    """
    found = walk_all(problem, CHARGES)
    return np.where(found.missed_mw > 0.0, np.nan, found.money_usd)


def walk_all(problem: Problem, charges: tuple[Charge, ...]) -> Walks:
    """Walk once through the horizon with all `charges` at once."""
    return walk_many(problem, _Greedy(problem, charges), len(charges))


class _Greedy:
    """Decides for the highest score of the step: its money less what the walk charges itself."""

    def __init__(self, problem: Problem, charges: tuple[Charge, ...]):
        self.start_share, stop_share = np.array([astuple(charge) for charge in charges]).T[:, :, None]
        self.hold_usd = np.where(np.isinf(stop_share), HOLD_USD, 0.0)
        self.stop_share = np.where(np.isinf(stop_share), 0.0, stop_share)
        self.moves = _moves(np.array([k.count for k in problem.classes]))
        self.ones = np.ones(len(problem.classes))

    def __call__(self, step: Step) -> tuple[Ints, Judged]:
        """Return the counts with the best score in each walk: enumerated, or found by pattern search."""
        fewest, most = step.look.fewest, step.look.most
        low, high = fewest.min(axis=0), most.max(axis=0)
        if np.prod(high - low + 1.0) <= ENUMERATED:
            return self._enumerated(step, low, high)
        counts, rows = np.clip(step.look.running, fewest, most), np.arange(len(fewest))
        while True:
            around = np.clip(counts[rows, None] + self.moves, fewest[rows, None], most[rows, None])
            score = self._score(step, around, step.judge(around, rows), rows)
            found = np.argmax(score, axis=1)
            better = score[np.arange(len(rows)), found] > score[:, 0]
            if not better.any():
                return counts, step.judge(counts[:, None])
            rows, found, around = rows[better], found[better], around[better]
            counts[rows] = around[np.arange(len(rows)), found]

    def _enumerated(self, step: Step, low: Ints, high: Ints) -> tuple[Ints, Judged]:
        """Return the best of all counts between `low` and `high`, each (K,)."""
        span = high - low + 1
        grid = np.stack(np.unravel_index(np.arange(span.prod()), span), axis=1) + low
        counts = np.repeat(grid[None], len(step.look.fewest), axis=0)
        judged = step.judge(counts)
        score = self._score(step, counts, judged, ALL)
        inside = (counts >= step.look.fewest[:, None]) & (counts <= step.look.most[:, None])
        found = np.argmax(np.where(inside.all(axis=2), score, -np.inf), axis=1)
        return grid[found], judged.only(found)

    def _score(self, step: Step, counts: Ints, judged: Judged, rows: Rows) -> Floats:
        """Return the score of candidates [USD], shape (P, M)."""
        change = counts - step.look.running[rows, None]
        stop_usd = np.maximum(-change, 0) @ step.walk.fleets.cost_usd[step.t, 0]
        charged = self.start_share[rows] * judged.start_cost_usd + self.stop_share[rows] * stop_usd
        # Among equals the one that changes least.
        charged = charged + CHANGE_USD * (np.abs(change) @ self.ones)
        charged = charged + MISSED_USD * (judged.missed_mw > 0.0) + MISSED_USD_PER_MW * judged.missed_mw
        score = judged.money_usd - charged + self.hold_usd[rows] * (counts @ self.ones)
        return np.asarray(np.round(score, DECIMALS))


def _moves(count: Ints) -> Ints:
    """Return the moves of the pattern search, shape (moves, K): none, one class alone, one container for another."""
    own, largest = np.eye(len(count), dtype=np.int64), int(count.max())
    far = [MOVE**i for i in range(largest.bit_length()) if MOVE**i <= largest]
    alone = [sign * size * one for one in own for size in far for sign in (1, -1)]
    swaps = [one - other for one in own for other in own if one is not other]
    return np.array([0 * own[0], *alone, *swaps])
