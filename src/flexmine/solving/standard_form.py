"""Pyomo model -> sparse matrix, with the public name of every row and column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyomo.core as pe
import scipy.sparse as sp
from numpy.typing import NDArray
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from flexmine.problem import Floats


@dataclass(frozen=True)
class Matrix:
    """A linear program with integers, to be minimised: ``min c x + offset, row_lower <= A x <= row_upper``.

    Attributes
    ----------
    A : csc_matrix, shape (rows, columns)
    integer : ndarray of int32, shape (columns,)
        1 where the column is integer.
    column_of : dict
        Index of a Pyomo variable (component name, index) to its column.
    row_names : list of str
        Public names such as ``minimum_up_time[s19pro,12]``.
    """

    A: sp.csc_matrix
    cost: Floats
    offset: float
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    integer: NDArray[np.int32]
    column_of: dict[tuple[str, object], int]
    rows: list[tuple[str, object]]

    @property
    def row_names(self) -> list[str]:
        """Public names of the rows."""
        return [row_name(component, index) for component, index in self.rows]


def same_pattern(one: Matrix, other: Matrix) -> bool:
    """Return whether two matrices name the same rows and columns, by the same objects, and have entries alike."""
    return (
        one.rows is other.rows
        and one.column_of is other.column_of
        and np.array_equal(one.A.indptr, other.A.indptr)
        and np.array_equal(one.A.indices, other.A.indices)
    )


def row_name(component: str, index: object) -> str:
    """Return the public name of a row of constraint `component` at `index`, as in ``minimum_up_time[s19pro,12]``."""
    parts = index if isinstance(index, tuple) else (index,)
    return f"{component}[{','.join(str(part) for part in parts)}]"


def compile_model(model: pe.ConcreteModel) -> Matrix:
    """Return the matrix of `model`, whose objective is to be maximised and is negated here.

    A variable that no row and no cost holds has no column.
    """
    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=pe.minimize)
    names = _names(model)
    columns = len(form.columns)
    lower, upper = np.empty(columns), np.empty(columns)
    integer = np.zeros(columns, dtype=np.int32)
    column_of: dict[tuple[str, object], int] = {}
    for number, variable in enumerate(form.columns):
        low, high = variable.bounds
        lower[number] = -np.inf if low is None else low
        upper[number] = np.inf if high is None else high
        integer[number] = variable.is_integer()
        column_of[names[id(variable)]] = number
    side = np.fromiter((row.bound_type for row in form.rows), dtype=int, count=len(form.rows))
    rhs = np.array([float(side) for side in form.rhs])
    return Matrix(
        A=sp.csc_matrix(form.A),
        cost=np.asarray(form.c.todense(), dtype=np.float64).ravel(),
        offset=float(form.c_offset[0]),
        lower=lower,
        upper=upper,
        row_lower=np.where(side == 1, -np.inf, rhs),
        row_upper=np.where(side == -1, np.inf, rhs),
        integer=integer,
        column_of=column_of,
        rows=[names[id(row.constraint)] for row in form.rows],
    )


def _names(model: pe.ConcreteModel) -> dict[int, tuple[str, object]]:
    """Return component name and index of every variable and row; asking each of them is ten times slower."""
    names: dict[int, tuple[str, object]] = {}
    for component in model.component_objects((pe.Var, pe.Constraint)):
        name = component.name
        names.update((id(member), (name, index)) for index, member in component.items())
    return names
