"""A short branch and bound on the hot relaxation, counts only."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from flexmine.problem import Floats, Ints
from flexmine.solving.rounding.incumbent import NEARLY, Incumbent
from flexmine.solving.rounding.relaxation import HotLp, Point


@dataclass(order=True)
class _Node:
    """Bounds of the branched columns, whose parent has the bound `bound`."""

    bound: float
    number: int
    lower: Floats = field(compare=False)
    upper: Floats = field(compare=False)


class Branching:
    """Best bound first, and from each node down along the nearer side.

    Every node that is left unopened, or closed because it cannot win more than the asked gap, keeps its bound, and
    the bound of the whole is the least of them.
    """

    def __init__(self, lp: HotLp, incumbent: Incumbent, columns: Ints, nodes: int):
        self.lp, self.incumbent, self.columns = lp, incumbent, columns
        self.left = nodes
        self.open: list[_Node] = []
        self.closed_at = np.inf
        self.numbers = 0

    def run(self, root: Point) -> None:
        """Branch from the root's point until the gap is reached, or the nodes are used up.

        The bounds of the relaxation are restored; the incumbent holds what was found and proven.
        """
        low, high = self.lp.lower[self.columns], self.lp.upper[self.columns]
        dive: _Node | None = _Node(root.bound, 0, low.copy(), high.copy())
        point: Point | None = root
        try:
            while dive is not None and self.left > 0:
                dive, point = self._step(dive, point)
                if dive is None and self.open:
                    if self.open[0].bound >= self.incumbent.cutoff:
                        break
                    dive, point = heapq.heappop(self.open), None
        finally:
            if dive is not None:
                heapq.heappush(self.open, dive)
            self.lp.bound_columns(self.columns, low, high)
            self.incumbent.raise_bound(min([self.closed_at, *(node.bound for node in self.open)]))

    def _step(self, node: _Node, point: Point | None) -> tuple[_Node | None, Point | None]:
        """Look at a node; return the child to go on with."""
        if point is None:
            self.lp.bound_columns(self.columns, node.lower, node.upper)
            self.left -= 1
            point = self.lp.solve()
            if point is None:
                return None, None
        bound = max(node.bound, point.bound)
        if bound >= self.incumbent.cutoff:
            self.closed_at = min(self.closed_at, bound)
            return None, None
        counts = point.values[self.columns]
        fraction = np.abs(counts - np.rint(counts))
        if fraction.max(initial=0.0) <= NEARLY:
            return self._leaf(bound, np.rint(counts))
        i = int(np.argmax(fraction))
        below, above = node.upper.copy(), node.lower.copy()
        below[i], above[i] = np.floor(counts[i]), np.ceil(counts[i])
        down = _Node(bound, self._next(), node.lower, below)
        up = _Node(bound, self._next(), above, node.upper)
        near, far = (down, up) if counts[i] - np.floor(counts[i]) < 0.5 else (up, down)
        heapq.heappush(self.open, far)
        return near, None

    def _leaf(self, bound: float, counts: Floats) -> tuple[None, None]:
        """Settle the rest of a node whose branched columns are whole; nothing in it is better than its bound."""
        self.left -= 1
        self.incumbent.settle(self.lp, self.columns, counts)
        self.closed_at = min(self.closed_at, bound)
        return None, None

    def _next(self) -> int:
        self.numbers += 1
        return self.numbers
