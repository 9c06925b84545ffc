"""A file of rows as text: CSV or Parquet, nothing interpreted yet, every row with its place in the file."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flexmine.errors import BadInput
from flexmine.problem import Ints

Bools = NDArray[np.bool_]

_HEADER_LINES = 1
MAX_ROWS, MAX_COLUMNS = 1_000_000, 1_000
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
"""Of a Parquet file, whose packed bytes say little about its size in memory."""


@dataclass(frozen=True)
class Table:
    """A file as text, row by row.

    Attributes
    ----------
    label : str
        How messages name the file.
    rows : DataFrame
        All cells are text; an empty cell is the empty text.
    lines : ndarray of int, shape (rows,)
        Where each row stands in the file, counted from 1.
    word : str
        What a line is called: empty for lines of text, ``row`` where the file has none.
    """

    label: str
    rows: pd.DataFrame
    lines: Ints
    word: str = ""

    def place(self, row: int | np.integer) -> str:
        """Return ``file:line`` of a row, or ``file: row N`` where the file has no lines; of -1, the header's."""
        if not self.word:
            return f"{self.label}:{int(self.lines[row]) if row >= 0 else 1}"
        return f"{self.label}: {self.word} {int(self.lines[row])}" if row >= 0 else self.label

    def need(self, *columns: str) -> None:
        """Refuse a table that lacks one of `columns`.

        Raises
        ------
        BadInput
            Naming the columns that there are.
        """
        for column in columns:
            if column not in self.rows.columns:
                known = ", ".join(self.rows.columns)
                split = [mark for mark in (";", "\t", "|") if mark in known and "," not in known]
                hint = f"; the cells are separated by {split[0]!r}, and have to be by commas" if split else ""
                raise BadInput(f"{self.place(-1)}: there is no column {column}; columns: {known}{hint}")

    def text(self, column: str) -> pd.Series[str]:
        """Return a column without blanks around its cells."""
        return self.rows[column].str.strip()

    def select(self, rows: Ints) -> Table:
        """Return the table of some rows, which keep their places."""
        return replace(self, rows=self.rows.iloc[rows].reset_index(drop=True), lines=self.lines[rows])


def read_table(raw: bytes, label: str, kind: str = "csv") -> Table:
    """Read the bytes of a CSV file with a header, or of a Parquet file.

    Parameters
    ----------
    kind : {"csv", "parquet"}

    Raises
    ------
    BadInput
        Where the bytes are no such table with distinct column names.
    """
    return _read_parquet(raw, label) if kind == "parquet" else _read_csv(raw, label)


def _read_csv(raw: bytes, label: str) -> Table:
    try:
        text = raw.decode("utf-8-sig")
        header = text.partition("\n")[0].rstrip("\r").split(",")
        _refuse_size(label, text.count("\n"), len(header))
        rows = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{label}:{line}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInput(f"{label}: this is not a CSV table with a header: {error}") from error
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadInput(f"{label}:1: column {twice[0]} stands twice in the header; names have to be distinct")
    if not isinstance(rows.index, pd.RangeIndex):
        raise BadInput(f"{label}:2: the rows have more cells than the header has names")
    # A row with fewer cells than the header, or a last line without a value.
    return Table(label, rows.fillna(""), np.arange(len(rows), dtype=np.int64) + 1 + _HEADER_LINES)


def _read_parquet(raw: bytes, label: str) -> Table:
    if find_spec("pyarrow") is None:
        raise BadInput(
            f"{label}: a Parquet file needs the package pyarrow; install flexmine[parquet], or write the file as CSV"
        )
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
        _refuse_size(label, file.metadata.num_rows, file.metadata.num_columns, sum(groups))
        frame = file.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{label}: this is not a Parquet table: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = frame.columns.map(str)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise BadInput(f"{label}: column {twice[0]} stands twice; names have to be distinct")
    rows = pd.DataFrame({name: _as_text(frame[name]) for name in frame.columns}, dtype=str)
    return Table(label, rows, np.arange(len(rows), dtype=np.int64) + 1, "row")


def _refuse_size(label: str, rows: int, columns: int, unpacked_bytes: int = 0) -> None:
    """Refuse a table that is too large to unpack."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or unpacked_bytes > MAX_UNPACKED_BYTES:
        raise BadInput(
            f"{label}: {rows} rows of {columns} columns are too much; at most {MAX_ROWS} rows, {MAX_COLUMNS} columns "
            f"and {MAX_UNPACKED_BYTES // 2**20} MiB are read"
        )


def _as_text(column: pd.Series) -> list[str]:
    """Return the cells as the same text that a CSV file would hold: ISO 8601 times, shortest exact numbers."""
    missing = column.isna().to_numpy()
    cells = column.astype(object).tolist()
    return [
        "" if gone else cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
        for cell, gone in zip(cells, missing, strict=True)
    ]
