"""From a Problem to the matrix that the solver takes: Pyomo once, then numbers written into place.

The first Problems of a structure are compiled by Pyomo.  Where more come, one is compiled with traced numbers
(:mod:`flexmine.solving.trace`), which gives a skeleton; from then on a Problem of that structure is a matter of filling
numbers in, and its matrix is the same, entry by entry, as a fresh compile would give.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from threading import Lock
from weakref import ReferenceType, ref

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pyomo.common.gc_manager import PauseGC

from flexmine.milp.class_data import class_data_of
from flexmine.milp.model import build_model
from flexmine.milp.numbers import INDEX, Numbers, numbers_of
from flexmine.milp.variables import Classes
from flexmine.problem import Floats, Problem
from flexmine.solving.standard_form import Matrix, compile_model
from flexmine.solving.structure import disturbed, structure_of
from flexmine.solving.trace import Program, Tape, Traced, Untraceable

LOG = logging.getLogger(__name__)
# A structure seen so often gets a skeleton: a plan with its comparisons meets its own three times.
BUILT_FROM = 4
# Below so many steps of classes, the templates cost more than they save.
TEMPLATED_FROM = 400
KEPT = 32
VECTORS = ("cost", "lower", "upper", "row_lower", "row_upper")


def matrix_of(problem: Problem, classes: Classes | None = None) -> Matrix:
    """Return the matrix of `problem`, from a kept skeleton where there is one.

    Parameters
    ----------
    problem : Problem
    classes : dict, optional
        Classes of the model by name; None where they are not known yet.
    """
    classes = classes or {k.name: k for k in class_data_of(problem)}
    key = structure_of(problem, classes)
    skeleton = _KEPT.of(key, problem, classes)
    matrix = _KEPT.last(key, problem) if skeleton is None else skeleton.fill(numbers_of(problem, classes))
    if matrix is None:
        matrix = compiled(problem, classes)
        _KEPT.keep_last(key, problem, matrix)
    return matrix


def compiled(problem: Problem, classes: Classes | None = None, *, templated: bool | None = None) -> Matrix:
    """Return the matrix of `problem` as Pyomo compiles it.

    Parameters
    ----------
    problem : Problem
    classes : dict, optional
        Classes of the model by name; None where they are not known yet.
    templated : bool, optional
        Whether rules are called once for all their rows; None decides by size.  The matrix is the same.
    """
    classes = classes or {k.name: k for k in class_data_of(problem)}
    if templated is None:
        templated = _templated(problem, classes)
    with PauseGC():
        return compile_model(build_model(problem, classes=classes, templated=templated))


def forget() -> None:
    """Drop every kept skeleton."""
    _KEPT.clear()


def _templated(problem: Problem, classes: Classes) -> bool:
    return len(classes) * problem.steps >= TEMPLATED_FROM


@dataclass
class _Pattern:
    """Where the entries stand, once those that are zero are left out."""

    zero: bytes
    keep: NDArray[np.bool_]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]
    columns: NDArray[np.int64]
    column_of: dict[tuple[str, object], int]


class Skeleton:
    """A compiled matrix without its numbers.

    Parameters
    ----------
    problem : Problem
        Any of the structure.
    classes : dict
        Of the model, by name.

    Raises
    ------
    Untraceable
        Where the model decides by the size of a number, or other numbers give another matrix than a compile.
    """

    def __init__(self, problem: Problem, classes: Classes):
        real = numbers_of(problem, classes)
        tape = Tape(sum(array.size for array in real.values()))
        marks = self._traced(tape, real)
        with PauseGC():
            model = build_model(problem, marks, classes=classes, templated=_templated(problem, classes))
            self._form = compile_model(model)
            vectors = {name: getattr(self._form, name) for name in VECTORS}
            offset = np.array([self._form.offset])
            self._program = Program(tape, {"data": self._form.A.data, "offset": offset, **vectors})
        self._pattern = self._pattern_of(np.ones(self._form.A.nnz), np.ones(len(self._form.cost)))
        self._check(problem, classes)

    @staticmethod
    def _traced(tape: Tape, real: Numbers) -> dict[str, NDArray[np.object_]]:
        marks, first = {}, 0
        for letter in INDEX:
            size = real[letter].size
            marks[letter] = np.array([Traced(tape, node) for node in range(first, first + size)], dtype=object)
            first += size
        return marks

    def _check(self, problem: Problem, classes: Classes) -> None:
        """Compare with a compile in which every number is another one: a datum that is not traced would show."""
        rng = np.random.default_rng(0)
        other, of_other = disturbed(problem, rng), disturbed(classes, rng)
        filled = self.fill(numbers_of(other, of_other))
        if filled is None or not equal(filled, compiled(other, of_other)):
            raise Untraceable("the skeleton and a fresh compile differ")

    def fill(self, numbers: Numbers) -> Matrix | None:
        """Return the matrix with these numbers; None where a row would be left without any entry."""
        made = self._program(np.concatenate([np.ravel(numbers[letter]) for letter in INDEX]))
        data, form = made["data"], self._form
        pattern = self._pattern_of(data, made["cost"])
        if pattern is None:
            return None
        if not pattern.keep.all():
            data = data[pattern.keep]
        pick = pattern.columns
        shape = (form.A.shape[0], len(pick))
        return replace(
            form,
            A=sp.csc_matrix((data, pattern.indices, pattern.indptr), shape=shape, copy=False),
            cost=made["cost"][pick],
            offset=float(made["offset"][0]),
            lower=made["lower"][pick],
            upper=made["upper"][pick],
            row_lower=made["row_lower"],
            row_upper=made["row_upper"],
            integer=form.integer[pick],
            column_of=pattern.column_of,
        )

    def _pattern_of(self, data: Floats, cost: Floats) -> _Pattern | None:
        """Return the pattern without zeros and columns that nothing holds; kept while the zeros are the same."""
        keep = data != 0
        zero = keep.tobytes() + (cost != 0).tobytes()
        kept: _Pattern | None = getattr(self, "_pattern", None)
        if kept is not None and kept.zero == zero:
            return kept
        A = self._form.A.copy()
        A.data = keep.astype(np.float64)
        A.eliminate_zeros()
        if len(np.unique(A.indices)) < A.shape[0]:
            return None
        held = np.flatnonzero((np.diff(A.indptr) > 0) | (cost != 0))
        place = {int(column): number for number, column in enumerate(held)}
        A = A[:, held]
        self._pattern = _Pattern(
            zero,
            keep,
            A.indices,
            A.indptr,
            held,
            {name: place[column] for name, column in self._form.column_of.items() if column in place},
        )
        return self._pattern


def equal(one: Matrix, other: Matrix) -> bool:
    """Return whether two matrices are the same, entry by entry, row by row and column by column."""
    return (
        one.rows == other.rows
        and one.column_of == other.column_of
        and one.offset == other.offset
        and np.array_equal(one.integer, other.integer)
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in VECTORS)
        and all(np.array_equal(getattr(one.A, part), getattr(other.A, part)) for part in ("indptr", "indices", "data"))
    )


class _Kept:
    """The skeletons of the structures last seen; making one takes as long as three compiles."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._last: tuple[Hashable, ReferenceType[Problem], Matrix] | None = None

    def of(self, key: Hashable, problem: Problem, classes: Classes) -> Skeleton | None:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > KEPT:
                self._entries.popitem(last=False)
            entry.seen += 1
            if entry.seen == BUILT_FROM:
                try:
                    entry.skeleton = Skeleton(problem, classes)
                except Untraceable as reason:
                    LOG.warning("every Problem of this structure is compiled anew: %s", reason)
            return entry.skeleton

    def last(self, key: Hashable, problem: Problem) -> Matrix | None:
        """Return the matrix compiled last, where it is that of this very Problem: its reasons need it next."""
        with self._lock:
            if self._last is None or self._last[0] != key or self._last[1]() is not problem:
                return None
            return self._last[2]

    def keep_last(self, key: Hashable, problem: Problem, matrix: Matrix) -> None:
        with self._lock:
            self._last = (key, ref(problem), matrix)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._last = None


@dataclass
class _Entry:
    seen: int = 0
    skeleton: Skeleton | None = None


_KEPT = _Kept()
