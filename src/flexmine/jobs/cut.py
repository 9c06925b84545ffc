"""The rows of a table that a horizon needs, as they stand in the source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from flexmine.inputs.fields import Series
from flexmine.inputs.series import Table


def cut_rows(table: Table, spec: Series, begin: datetime, end: datetime) -> pd.DataFrame:
    """Return time and value of the rows from `begin` to `end`, as text, untouched."""
    times = pd.to_datetime(table.rows[spec.time_column].str.strip(), utc=True, format="ISO8601")
    inside = (times >= begin.astimezone(UTC) - margin(spec)) & (times < end.astimezone(UTC) + margin(spec))
    return table.rows.loc[inside.to_numpy(), [spec.time_column, spec.column]]


def margin(spec: Series) -> timedelta:
    """Return how far beyond the horizon the reading of a series may look."""
    return timedelta(0)


def write_rows(rows: pd.DataFrame, path: Path) -> None:
    """Write the rows as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
