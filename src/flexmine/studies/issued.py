"""Forecasts that were kept: a CSV with a row for each step of each issue."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from flexmine.assembly.windows import Clock
from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.inputs.case import Case
from flexmine.inputs.reading import MAX_CSV_BYTES
from flexmine.inputs.table import Table, read_table
from flexmine.inputs.times import US_PER_H, instants_us, to_us
from flexmine.inputs.yaml_loader import Loaded
from flexmine.problem import Floats, Ints
from flexmine.studies.schema import BacktestDocument, Issued


def read_issues(loaded: Loaded[BacktestDocument], key: str, how: Issued, case: Case) -> tuple[dict[int, Floats], str]:
    """Return the issues of a series, and the SHA-256 of their file.

    Parameters
    ----------
    loaded : Loaded
        The file of the back-test, which messages name.
    key : str
        Dotted key of the series.
    how : Issued
    case : Case

    Returns
    -------
    dict of ndarray, shape (T,)
        By the first step that began when each was out, NaN where it says nothing.

    Raises
    ------
    BadInput
        The file, a column, a time or a value cannot be read, or no issue reaches into the back-test.
    """
    at = ("forecasts", key)
    path = loaded.path.parent / how.file
    try:
        raw = read_regular(path, MAX_CSV_BYTES)
        table = read_table(raw, how.file)
        table.need(how.issue_column, how.time_column, how.column)
        issued = instants_us(table, how.issue_column, None)
        begins = instants_us(table, how.time_column, None)
        values = _numbers(table, how.column)
        steps = _steps(table, how, issued, begins, case)
    except BadInput as error:
        named = [m if m.startswith(how.file) else f"{how.file} {m}" for m in error.messages]
        raise BadInput([loaded.at(at, message) for message in named]) from error
    T, (first_us, step_us) = case.time.steps, _grid(case)
    found: dict[int, Floats] = {}
    for moment in np.unique(issued):
        rows = (issued == moment) & (steps >= 0) & (steps < T) & (begins >= moment)
        if rows.any():
            out = -(-(int(moment) - first_us) // step_us)
            issue = np.full(T, np.nan)
            issue[steps[rows]] = values[rows]
            found[out] = issue
    if not found:
        raise BadInput(loaded.at(at, f"{how.file}: no issue reaches into the days of the back-test"))
    return found, hashlib.sha256(raw).hexdigest()


def _grid(case: Case) -> tuple[int, int]:
    """Return the beginning of step 0, and the length of a step, in microseconds."""
    return to_us(Clock(case.time).begins[0]), round(case.time.step_h * US_PER_H)


def _numbers(table: Table, column: str) -> Floats:
    cells = table.text(column)
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values) & (cells != "").to_numpy())
    if bad.size:
        raise BadInput(f"{table.place(bad[0])}: column {column}: {cells.iloc[bad[0]]!r} is not a number")
    return np.asarray(values)


def _steps(table: Table, how: Issued, issued: Ints, begins: Ints, case: Case) -> Ints:
    """Return the step of each row; one that begins within a step, or stands there twice, is refused."""
    first_us, step_us = _grid(case)
    within = np.flatnonzero((begins - first_us) % step_us)
    if within.size:
        raise BadInput(
            f"{table.place(within[0])}: column {how.time_column}: does not begin with a step of the case, of "
            f"{case.document.step_minutes} min"
        )
    pairs = pd.DataFrame({"issued": issued, "begin": begins})
    twice = np.flatnonzero(pairs.duplicated())
    if twice.size:
        raise BadInput(f"{table.place(twice[0])}: the same {how.time_column} of the same {how.issue_column} again")
    return (begins - first_us) // step_us
