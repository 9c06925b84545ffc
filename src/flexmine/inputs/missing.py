"""Which cells hold no value: the one rule for empty cells and for the marks that a case declares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Bools, Table
from flexmine.problem import Floats


def missing(table: Table, text: NDArray[Any], declared: tuple[str, ...]) -> tuple[Bools, Floats]:
    """Return which cells are empty or hold a declared mark, and all cells as numbers, NaN where they are none.

    Parameters
    ----------
    table : Table
        Whose layout says how numbers are written.
    text : ndarray of str
        Cells without blanks around them.
    declared : tuple of str
        Marks of a missing value; one that is a number stands for that number however it is written: -9999 for -9999.0.
    """
    written = text if table.plain_numbers else np.array([table.number(cell) for cell in text], dtype=object)
    plain = pd.to_numeric(pd.Series(written, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    marks = pd.to_numeric(pd.Series(declared, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    by_text: Bools = np.isin(text.astype(str), ["", *(mark.strip() for mark in declared)])
    return by_text | np.isin(plain, marks[np.isfinite(marks)]), plain


def rows_without_value(table: Table, spec: Series) -> Bools:
    """Return which rows of a table lack a value, in the column of a series or in one of its quantiles."""
    columns = dict.fromkeys((spec.column, *spec.quantiles.values()))
    table.need(*columns)
    gone = [missing(table, table.text(name).to_numpy(dtype=object), spec.missing)[0] for name in columns]
    rows: Bools = np.any(gone, axis=0)
    return rows
