"""The rows of a table that a horizon needs, as they stand in the source, written as CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def write_rows(rows: pd.DataFrame, path: Path) -> None:
    """Write `rows` as CSV to `path`, whose folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
