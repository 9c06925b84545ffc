"""Where the counts, the powers and the kinks of the plant stand in a compiled matrix, and which rows tie them."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from flexmine.milp.class_data import ClassData
from flexmine.problem import Floats, Ints
from flexmine.problem.limits import FAMILIES, LIMIT_OF_ROW, rows_where
from flexmine.solving.rounding.entries import Entries, entries_of
from flexmine.solving.standard_form import Matrix, same_pattern

# A family of rows that problem/limits.py does not declare is not known, and engine auto leaves such a matrix to HiGHS's
# MIP: what is not known is not assumed.
SELDOM = rows_where(seldom=True)
KEPT = 8


@dataclass(frozen=True)
class Layout:
    """Column and row numbers of a matrix; K classes, T steps, J sources, M mode segments of all classes together.

    Attributes
    ----------
    on, start, stop : ndarray of int, shape (K, T)
        Columns of n, y, z.
    warm : ndarray of int, shape (K, T)
        Columns of w; -1 where no row and no cost holds it.
    segment : ndarray of int, shape (M, T)
        Columns of q.
    segment_class : ndarray of int, shape (M,)
        The class of each segment.
    facility : ndarray of int, shape (T,)
        Columns of F.
    supply : ndarray of int, shape (J, T)
        Columns of s.
    facility_before : int or None
        Column of F just before step 0; None where no row holds it.
    balance, ramp_up, ramp_down : ndarray of int, shape (T,)
        Rows of these names; the ramps empty where there are none.
    on_before : ndarray, shape (K, 1)
        How many of each class run before step 0.
    seldom : ndarray of int
        Rows of the families of which hardly any binds; the relaxation takes them in where they do.
    entries : Entries
        Where the entries stand.
    unknown : tuple of str
        Families of rows that threshold rounding does not know.
    refusals : tuple of str
        Why threshold rounding is not known to keep every rule; empty where it is.
    """

    on: Ints
    start: Ints
    stop: Ints
    warm: Ints
    segment: Ints
    segment_class: Ints
    facility: Ints
    supply: Ints
    facility_before: int | None
    balance: Ints
    ramp_up: Ints
    ramp_down: Ints
    on_before: Floats
    seldom: Ints
    entries: Entries
    unknown: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def counts(self) -> Ints:
        """Columns of n, y and z, one after the other."""
        return np.concatenate([self.on.ravel(), self.start.ravel(), self.stop.ravel()])


def layout_of(matrix: Matrix, class_data: Sequence[ClassData], sources: Sequence[str], steps: int) -> Layout:
    """Return the layout of `matrix`; matrices that were filled into one pattern share theirs, except for the numbers.

    Parameters
    ----------
    matrix : Matrix
    class_data : sequence of ClassData
        Classes of the model, in its order.
    sources : sequence of str
        Names of the sources, in the order of the problem.
    steps : int
        Number of steps T.
    """
    key = (
        tuple((k.name, k.parent, len(k.w), k.tied, k.layered) for k in class_data),
        (tuple(sources), steps, np.isfinite(matrix.row_lower).tobytes()),
    )
    layout = _KNOWN.of(matrix, key)
    if layout is None:
        layout = _layout_of(matrix, class_data, sources, steps)
        _KNOWN.keep(matrix, key, layout)
    return replace(layout, on_before=np.array([[float(k.on_before)] for k in class_data]))


class _Known:
    """The layouts of the patterns last seen, each with what it was read from."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[tuple[Matrix, Hashable, Layout]] = deque(maxlen=KEPT)

    def of(self, matrix: Matrix, key: Hashable) -> Layout | None:
        with self._lock:
            found = (layout for known, same, layout in self._entries if same_pattern(known, matrix) and same == key)
            return next(found, None)

    def keep(self, matrix: Matrix, key: Hashable, layout: Layout) -> None:
        with self._lock:
            self._entries.append((matrix, key, layout))


_KNOWN = _Known()


def _layout_of(matrix: Matrix, class_data: Sequence[ClassData], sources: Sequence[str], steps: int) -> Layout:
    column = matrix.column_of
    names = [k.name for k in class_data]

    def series(component: str, *key: object) -> list[int]:
        return [column[component, (*key, t)] for t in range(steps)]

    def table(component: str, keys: Sequence[tuple[object, ...]]) -> Ints:
        return np.array([series(component, *key) for key in keys], dtype=np.int64).reshape(len(keys), steps)

    segments = [(k, s) for k, c in enumerate(class_data) for s in range(len(c.w))]
    rows: dict[str, list[int]] = {name: [] for name in ("facility_balance", "ramp_up", "ramp_down", *SELDOM)}
    for number, (component, _) in enumerate(matrix.rows):
        if component in rows:
            rows[component].append(number)
    unknown = tuple(sorted({component for component, _ in matrix.rows} - set(FAMILIES)))
    balance = np.array(rows["facility_balance"], dtype=np.int64)
    seldom = np.array([number for name in SELDOM for number in rows[name]], dtype=np.int64)
    single = [(name,) for name in names]
    return Layout(
        on=table("n", single),
        start=table("y", single),
        stop=table("z", single),
        warm=np.array([[column.get(("w", (name, t)), -1) for t in range(steps)] for name in names], dtype=np.int64),
        segment=table("q", [(names[k], s) for k, s in segments]),
        segment_class=np.array([k for k, _ in segments], dtype=np.int64),
        facility=np.array([column["F", t] for t in range(steps)], dtype=np.int64),
        supply=table("s", [(name,) for name in sources]),
        facility_before=column.get(("F", -1)),
        balance=balance,
        ramp_up=np.array(rows["ramp_up"], dtype=np.int64),
        ramp_down=np.array(rows["ramp_down"], dtype=np.int64),
        on_before=np.array([[float(k.on_before)] for k in class_data]),
        seldom=seldom,
        entries=entries_of(matrix, balance, seldom),
        unknown=unknown,
        refusals=tuple(_refusals(matrix, class_data, unknown)),
    )


def _refusals(matrix: Matrix, class_data: Sequence[ClassData], unknown: Sequence[str]) -> list[str]:
    """Return why a threshold might break a rule that is not about power."""
    found = [f"{k.name}: starts are tied to their stops" for k in class_data if k.tied]
    found += [f"{k.name}: counts are layered by the starts of the day" for k in class_data if k.layered]
    found += [f"rows {name} are not known to it" for name in unknown]
    parents = [k.parent for k in class_data]
    shared = {name for name in parents if parents.count(name) > 1}
    sums = set()
    for component, index in matrix.rows:
        limit = LIMIT_OF_ROW.get(component)
        if limit is not None and limit.rounding == "may_break":
            found.append(f"rows {component} may be broken by a threshold")
        elif limit is not None and limit.rounding == "kept_alone":
            who, _ = limit.place(index)
            if who in shared or (limit.over != "class" and len(class_data) > 1):
                sums.add((component, who))
    found += [f"rows {component}[{name},...] sum counts over classes" for component, name in sorted(sums)]
    return list(dict.fromkeys(found))


def as_int32(numbers: Ints) -> NDArray[np.int32]:
    """Return column or row `numbers` as int32 in one block, as HiGHS takes them."""
    return np.ascontiguousarray(numbers, dtype=np.int32)
