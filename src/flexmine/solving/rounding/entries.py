"""Which entries of a matrix stand in which rows: a matter of its pattern alone, so that numbers may change under it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from flexmine.problem import Floats, Ints
from flexmine.solving.standard_form import Matrix


@dataclass(frozen=True)
class Entries:
    """Places in the data of a matrix in CSC form.

    Attributes
    ----------
    single, single_row, single_column : ndarray of int
        Entries that are alone in their row.
    balance, balance_column, balance_step : ndarray of int
        Entries of the rows of the facility balance.
    later, later_column, later_starts, later_rows : ndarray of int
        Rows that hardly ever bind, and their entries row by row, as in a CSR matrix.
    kept, kept_rows : ndarray of int
        Entries and rows that are left without both.
    indices, indptr : ndarray of int
        Of the CSC form that is left.
    """

    single: Ints
    single_row: Ints
    single_column: Ints
    balance: Ints
    balance_column: Ints
    balance_step: Ints
    later: Ints
    later_column: Ints
    later_starts: Ints
    later_rows: Ints
    kept: Ints
    kept_rows: Ints
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]

    def trimmed(self, matrix: Matrix) -> Matrix:
        """Return the matrix without its rows of one entry and those that hardly ever bind; rows have no names."""
        shape = (len(self.kept_rows), matrix.A.shape[1])
        return replace(
            matrix,
            A=sp.csc_matrix((matrix.A.data[self.kept], self.indices, self.indptr), shape=shape),
            row_lower=matrix.row_lower[self.kept_rows],
            row_upper=matrix.row_upper[self.kept_rows],
            rows=[],
        )

    def rows_for_later(self, matrix: Matrix) -> tuple[sp.csr_matrix, Floats]:
        """Return the rows that hardly ever bind, and their upper sides."""
        shape = (len(self.later_rows), matrix.A.shape[1])
        rows = sp.csr_matrix((matrix.A.data[self.later], self.later_column, self.later_starts), shape=shape)
        return rows, matrix.row_upper[self.later_rows]

    def single_bounds(self, matrix: Matrix) -> tuple[Floats, Floats]:
        """Return the column bounds with all rows of one entry taken in, shapes (columns,)."""
        lower, upper = matrix.lower.copy(), matrix.upper.copy()
        size = matrix.A.data[self.single]
        one, other = matrix.row_lower[self.single_row] / size, matrix.row_upper[self.single_row] / size
        np.maximum.at(lower, self.single_column, np.where(size > 0, one, other))
        np.minimum.at(upper, self.single_column, np.where(size > 0, other, one))
        return lower, upper


def entries_of(matrix: Matrix, balance: Ints, seldom: Ints) -> Entries:
    """Return the entries of `matrix`.

    Parameters
    ----------
    matrix : Matrix
    balance : ndarray of int
        Rows of the facility balance, in the order of the steps.
    seldom : ndarray of int
        Rows that hardly ever bind; those that have more than one entry and no lower side are for later.
    """
    A = matrix.A
    rows, columns = A.shape
    column = np.repeat(np.arange(columns), np.diff(A.indptr))
    alone = np.bincount(A.indices, minlength=rows) == 1
    late = np.zeros(rows, dtype=bool)
    late[seldom] = ~np.isfinite(matrix.row_lower[seldom])
    late &= ~alone
    single, later = np.flatnonzero(alone[A.indices]), np.flatnonzero(late[A.indices])
    later = later[np.argsort(A.indices[later], kind="stable")]
    kept, kept_rows = np.flatnonzero(~(alone | late)[A.indices]), np.flatnonzero(~(alone | late))
    later_rows = np.flatnonzero(late)
    number = np.zeros(rows, dtype=np.int32)
    number[kept_rows] = np.arange(len(kept_rows))
    step = np.full(rows, -1)
    step[balance] = np.arange(len(balance))
    in_balance = np.flatnonzero(step[A.indices] >= 0)
    return Entries(
        single=single,
        single_row=A.indices[single],
        single_column=column[single],
        balance=in_balance,
        balance_column=column[in_balance],
        balance_step=step[A.indices[in_balance]],
        later=later,
        later_column=column[later],
        later_starts=_starts(np.bincount(A.indices[later], minlength=rows)[later_rows]),
        later_rows=later_rows,
        kept=kept,
        kept_rows=kept_rows,
        indices=number[A.indices[kept]],
        indptr=_starts(np.bincount(column[kept], minlength=columns)).astype(np.int32),
    )


def _starts(sizes: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)])
