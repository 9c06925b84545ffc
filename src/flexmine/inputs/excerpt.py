"""The rows of a feed that one horizon needs, as a table of their own that reads to the same series."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from flexmine.inputs.issues import of_one_issue, select_issue
from flexmine.inputs.resample import YESTERDAY_H
from flexmine.inputs.series_spec import MINUTES_OF_STEP, Series
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_H, US_PER_MINUTE, intervals, joined, to_us
from flexmine.problem import TimeAxis


def excerpt(table: Table, spec: Series, axis: TimeAxis, as_of: datetime | None = None) -> tuple[Table, Series]:
    """Return the rows that a horizon and its policy of filling need, and the spec that reads them as CSV.

    The issue known at `as_of` (aware; None: the file has no issues) is chosen here, so that the excerpt holds one
    issue and its spec needs none.

    Raises
    ------
    BadInput
        As by :func:`flexmine.inputs.series.read_series`, which is to be called first.
    """
    table, spec = joined(table, spec)
    if spec.issue_column is not None and as_of is not None:
        table, _ = select_issue(table, spec, as_of)
    rows = intervals(table, spec, round(axis.step_h * US_PER_H))
    begin_us, end_us = (to_us(t) for t in (axis.begin(0) - _margin(spec), axis.begin(axis.steps) + _margin(spec)))
    wanted = np.unique(rows.row[(rows.end_us > begin_us) & (rows.begin_us < end_us)])
    columns = dict.fromkeys((spec.time_column, spec.column, *spec.quantiles.values()))
    cut = table.select(wanted)
    kept = of_one_issue(spec).model_copy(update={"format": "csv", "every": named_step(spec, rows.step_us)})
    plain = cut.rows[list(columns)].copy()
    if spec.layout is not None:
        # The excerpt is written as every CSV of ours; marks of missing values are texts, and stay as they are.
        plain[spec.time_column] = cut.times(spec.time_column)
        for column in (spec.column, *spec.quantiles.values()):
            plain[column] = cut.plain_cells(column, spec.missing)
        kept = kept.model_copy(update={"layout": None})
    return Table(cut.label, plain, cut.lines, cut.word, files=cut.files), kept


def _margin(spec: Series) -> timedelta:
    """Return how far beyond the horizon the policy of filling may look."""
    if spec.fill is None:
        return timedelta(0)
    return timedelta(hours=max(spec.fill.longest_gap_h, YESTERDAY_H) + 1)


def named_step(spec: Series, step_us: int) -> str | None:
    """Return the length of the intervals `step_us`, in microseconds, by its name, as the spec's `every` states it.

    The spec's own `every` takes precedence; None where the length has no name.  A few rows may no longer show it.
    """
    if spec.every is not None:
        return spec.every
    names = {minutes * US_PER_MINUTE: name for name, minutes in MINUTES_OF_STEP.items()}
    return names.get(step_us)
