"""Numbers that remember how they were made, so that a matrix can be made again from other numbers.

A model is compiled once with traced numbers in place of its data.  The result is the same matrix, in which every
entry is either a constant or names the sums and products of data that it came from.  Nothing about the model is
written down a second time; and because the operations are repeated in their order, so are the roundings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.numeric_types import RegisterNumericType

from flexmine.problem import Floats

# A traced number is written into a matrix as MARK + its node; no datum and no constant of the model is that large.
MARK = 2.0**40
OPERATIONS: dict[str, np.ufunc] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


class Untraceable(ValueError):
    """A matrix holds something that is not one traced number, and cannot be made again."""


class Tape:
    """What was done to the numbers: nodes are the data first, then constants and results in the order they came."""

    def __init__(self, data: int):
        self.data = data
        self.nodes: list[tuple[str, int, int] | float] = []
        self._constants: dict[float, int] = {}

    def constant(self, value: float) -> int:
        """Return the node of a constant."""
        if value not in self._constants:
            self._constants[value] = self._append(value)
        return self._constants[value]

    def apply(self, operation: str, left: int, right: int) -> int:
        """Return the node of an `operation` (``+``, ``-``, ``*`` or ``/``) on the nodes `left` and `right`."""
        return self._append((operation, left, right))

    def _append(self, node: tuple[str, int, int] | float) -> int:
        self.nodes.append(node)
        return self.data + len(self.nodes) - 1


class Traced:
    """A positive number of no particular size, which Pyomo takes for a number."""

    __slots__ = ("node", "tape")

    def __init__(self, tape: Tape, node: int):
        self.tape, self.node = tape, node

    def _result(self, operation: str, other: Any, *, swapped: bool = False) -> Any:
        if isinstance(other, Traced):
            node = other.node
        elif isinstance(other, int | float):
            node = self.tape.constant(float(other))
        else:
            return NotImplemented
        pair = (node, self.node) if swapped else (self.node, node)
        return Traced(self.tape, self.tape.apply(operation, *pair))

    def __add__(self, other: Any) -> Any:
        return self._result("+", other)

    def __radd__(self, other: Any) -> Any:
        return self._result("+", other, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._result("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._result("-", other, swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self._result("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self._result("*", other, swapped=True)

    def __truediv__(self, other: Any) -> Any:
        return self._result("/", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._result("/", other, swapped=True)

    def __neg__(self) -> Any:
        return self._result("*", -1.0)

    def __float__(self) -> float:
        return MARK + self.node

    def __bool__(self) -> bool:
        return True

    def __lt__(self, other: Any) -> bool:
        return not self._above(other)

    def __le__(self, other: Any) -> bool:
        return not self._above(other)

    def __gt__(self, other: Any) -> bool:
        return self._above(other)

    def __ge__(self, other: Any) -> bool:
        return self._above(other)

    @staticmethod
    def _above(other: Any) -> bool:
        if other != 0:
            raise Untraceable(f"the model compares a datum with {other!r}: its size would decide about the structure")
        return True


RegisterNumericType(Traced)


class Program:
    """Makes vectors again from other data, all operations of one kind and depth at once.

    Parameters
    ----------
    tape : Tape
    vectors : mapping
        What came out of a traced compile: numbers, some of them marks of traced ones.

    Raises
    ------
    Untraceable
        A member is the sum of two marks.
    """

    def __init__(self, tape: Tape, vectors: Mapping[str, Floats]):
        self.data = tape.data
        self._ends = np.cumsum([len(vector) for vector in vectors.values()])[:-1]
        self._names = list(vectors)
        members = np.concatenate(list(vectors.values()))
        marked = np.isfinite(members) & (np.abs(members) >= MARK)
        nodes = np.abs(members[marked]) - MARK
        if np.any(nodes >= tape.data + len(tape.nodes)) or np.any(nodes != np.floor(nodes)):
            raise Untraceable("an entry of the matrix is the sum of two traced numbers")
        place = self._lay_out(tape, nodes.astype(np.int64))
        self._constant = members[~marked]
        self._where_constant, self._where_marked = np.flatnonzero(~marked), np.flatnonzero(marked)
        self._source = place[nodes.astype(np.int64)]
        self._sign = np.sign(members[marked])

    def _lay_out(self, tape: Tape, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Order what is needed by depth and operation; return the place of every node."""
        total = tape.data + len(tape.nodes)
        needed = np.zeros(total, dtype=bool)
        needed[wanted] = True
        for number in range(len(tape.nodes) - 1, -1, -1):
            node = tape.nodes[number]
            if needed[tape.data + number] and isinstance(node, tuple):
                needed[[node[1], node[2]]] = True
        depth = np.zeros(total, dtype=np.int64)
        groups: dict[tuple[int, str], list[int]] = {}
        constants: list[int] = []
        for number, node in enumerate(tape.nodes, start=tape.data):
            if not needed[number]:
                continue
            if isinstance(node, tuple):
                depth[number] = 1 + max(depth[node[1]], depth[node[2]])
                groups.setdefault((int(depth[number]), node[0]), []).append(number)
            else:
                constants.append(number)
        place = np.arange(total)
        place[constants] = tape.data + np.arange(len(constants))
        self._constants = np.array([tape.nodes[number - tape.data] for number in constants], dtype=np.float64)
        filled = tape.data + len(constants)
        self._passes: list[tuple[np.ufunc, NDArray[np.int64], NDArray[np.int64], slice]] = []
        for (_, operation), members in sorted(groups.items()):
            place[members] = filled + np.arange(len(members))
            pairs = np.array([tape.nodes[number - tape.data][1:] for number in members])  # type: ignore[index]
            into = slice(filled, filled + len(members))
            self._passes.append((OPERATIONS[operation], place[pairs[:, 0]], place[pairs[:, 1]], into))
            filled = into.stop
        self._size = filled
        return place

    def __call__(self, data: Floats) -> dict[str, Floats]:
        """Return the vectors by name, made from `data`."""
        values = np.empty(self._size)
        values[: self.data] = data
        values[self.data : self.data + len(self._constants)] = self._constants
        for operation, left, right, into in self._passes:
            operation(values[left], values[right], out=values[into])
        members = np.empty(len(self._constant) + len(self._source))
        members[self._where_constant] = self._constant
        members[self._where_marked] = values[self._source] * self._sign
        return dict(zip(self._names, np.split(members, self._ends), strict=True))
