"""A file of rows as text: CSV, Parquet or Excel, nothing interpreted yet, every row with its place in the file."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flexmine.errors import BadInput, printable
from flexmine.inputs.layout import Layout
from flexmine.inputs.recognised import packed, weather_file
from flexmine.inputs.workbook import cell_text, refuse_size, sheet_cells
from flexmine.problem import Ints

Bools = NDArray[np.bool_]

HEADER_WITHIN = 20
"""Rows in which a header is looked for."""
PLAIN = Layout()
"""How files are written unless their series state otherwise."""


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
        Name of a line in messages: empty for lines of text, ``row`` where the file has none.
    layout : Layout
        How its numbers and times are written.
    files : ndarray of str, shape (rows,), or None
        Where the rows are of several files: how messages name the file of each.
    """

    label: str
    rows: pd.DataFrame
    lines: Ints
    word: str = ""
    layout: Layout = PLAIN
    files: NDArray[np.object_] | None = None

    def place(self, row: int | np.integer) -> str:
        """Return ``file:line`` of the row with index `row`, ``file: row N`` in a file without lines; -1: the header."""
        label = self.label if self.files is None or row < 0 else self.files[row]
        if not self.word:
            return f"{label}:{int(self.lines[row]) if row >= 0 else self.layout.header_row}"
        return f"{label}: {self.word} {int(self.lines[row])}" if row >= 0 else label

    def need(self, *columns: str) -> None:
        """Refuse a table that lacks one of `columns`.

        Raises
        ------
        BadInput
            Naming the columns that there are.
        """
        for column in columns:
            if column not in self.rows.columns:
                names = list(map(str, self.rows.columns))
                # A blank at the end of a name cannot be seen.
                shown = ", ".join(name if name == name.strip() else repr(name) for name in names)
                header = self.layout.separator.join(names)
                hint = _header_hint(header, self.layout) or self._named_below(column) or _alike(column, names)
                raise BadInput(f"{self.place(-1)}: there is no column {column}; columns: {shown}{hint}")

    def _named_below(self, column: str) -> str:
        """Return which row names a column, where the header is not the row it is looked for in."""
        for row in range(min(len(self.rows), HEADER_WITHIN)):
            if column in (cell.strip() for cell in self.rows.iloc[row]):
                return f"; line {int(self.lines[row])} has it: layout: {{header_row: {int(self.lines[row])}}}"
        return ""

    def text(self, column: str) -> pd.Series[str]:
        """Return the cells of `column` without blanks around them."""
        return self.rows[column].str.strip()

    def number(self, text: str) -> str:
        """Return a cell as a number with a decimal point and no groups; empty where it is not a number."""
        return self.layout.number(text)

    def plain_cells(self, column: str, missing: Sequence[str] = ()) -> list[str]:
        """Return the cells of `column`, numbers with a decimal point and no groups; `missing` and other texts stay."""
        return [cell if cell in missing else self.number(cell) or cell for cell in self.text(column)]

    @property
    def plain_numbers(self) -> bool:
        """Whether numbers are written with a decimal point and nothing else."""
        return self.layout.decimal == "." and not self.layout.thousands

    def times(self, column: str) -> list[str]:
        """Return the times of `column` as ISO 8601 text; what is not a time stays as written."""
        cells = self.text(column).tolist()
        return cells if self.layout.date_order is None else [self.layout.time(cell) for cell in cells]

    def rewritten(self) -> Table:
        """Return the table with numbers as Python writes them and times in ISO 8601, for readers that know no layout.

        Raises
        ------
        BadInput
            A cell is a number, but not in the layout of its file: 1.234 where the decimal mark is a comma.
        """
        frame = self.rows.copy()
        for column in self.rows.columns:
            cells = self.times(column) if self.layout.date_order else self.text(column).tolist()
            for row, cell in enumerate(cells):
                number = self.number(cell)
                if not number and PLAIN.number(cell):
                    raise BadInput(f"{self.place(row)}: column {column}: {cell!r} is not a number in the layout given")
                cells[row] = number or cell
            frame[column] = cells
        return replace(self, rows=frame, layout=PLAIN)

    def select(self, rows: Ints) -> Table:
        """Return the table of `rows`, by their indices, which keep their places in the file."""
        files = None if self.files is None else self.files[rows]
        return replace(self, rows=self.rows.iloc[rows].reset_index(drop=True), lines=self.lines[rows], files=files)


def read_table(raw: bytes, label: str, kind: str = "csv", layout: Layout | None = None) -> Table:
    """Read the bytes of a CSV file with a header, of a Parquet file, or of a sheet of an Excel file.

    Parameters
    ----------
    raw : bytes
        The whole file.
    label : str
        How messages name the file.
    kind : {"csv", "parquet", "xlsx"}
    layout : Layout, optional
        How it is written, where that is not UTF-8 with commas and a header in the first line.

    Raises
    ------
    BadInput
        Where the bytes are not such a table with distinct column names, or it is too large.
    """
    how = layout or PLAIN
    if not raw:
        raise BadInput(f"{label}: the file is empty (0 bytes)")
    if kind == "parquet":
        return _read_parquet(raw, label, how)
    return _without_empty_end(_read_xlsx(raw, label, how) if kind == "xlsx" else _read_csv(raw, label, how))


def _without_empty_end(table: Table) -> Table:
    """Return a table without the rows at its end that have no cell, as spreadsheets leave them."""
    if not len(table.rows) or "".join(table.rows.iloc[-1]).strip():
        return table
    held = [np.flatnonzero(table.rows.iloc[:, i].str.strip() != "") for i in range(table.rows.shape[1])]
    last = max((int(rows[-1]) for rows in held if rows.size), default=-1)
    return table.select(np.arange(last + 1, dtype=np.int64))


def _read_csv(raw: bytes, label: str, how: Layout) -> Table:
    if what := packed(raw):
        raise BadInput(f"{label}: this is {what}, no CSV; unpack it, or say format: xlsx")
    decoded = _decoded(raw, label, how)
    if how.header_row == 1 and (what := weather_file(decoded)):
        raise BadInput(f"{label}:1: this is {what}")
    lines, text = _lines(decoded, how, label)
    place = f"{label}:{how.header_row}"
    try:
        above, _, below = text.partition("\n")
        header = next(csv.reader([above.rstrip("\r")], delimiter=how.separator), [])
        # As many cells as the first row has more than the header would become an index.
        row = next(csv.reader(io.StringIO(below, newline=""), delimiter=how.separator), [])
    except csv.Error as error:
        raise BadInput(f"{place}: this is not a CSV table with a header: {error}") from error
    refuse_size(label, len(lines), max(len(header), len(row)))
    try:
        rows = pd.read_csv(
            io.StringIO(text), sep=how.separator, dtype=str, keep_default_na=False, skip_blank_lines=False
        )
    except pd.errors.EmptyDataError as error:
        raise BadInput(f"{place}: this is not a CSV table with a header: it is empty") from error
    except pd.errors.ParserError as error:
        raise BadInput(_cells(str(error), label, lines, text, how)) from error
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice and not twice[0].strip():
        hint = _header_below(text, lines, how, len(header))
        raise BadInput(f"{place}: several columns have no name{hint or '; names have to be distinct'}")
    if twice:
        raise BadInput(f"{place}: column {twice[0]} stands twice in the header; names have to be distinct")
    if not isinstance(rows.index, pd.RangeIndex):
        first = (lines or [how.header_row + 1])[0]
        what = "the rows have more cells than the header has names"
        if not any(row[len(header) :]):
            nameless = f"column {len(header) + 1} has no name; give it one, or leave out {how.separator!r} at the end"
            raise BadInput(f"{label}:{first}: {what}; {nameless} of the rows")
        hint = _header_hint(how.separator.join(header), how) or _header_below(text, lines, how, len(row)) or _comma(how)
        raise BadInput(f"{label}:{first}: {what}{hint}")
    # A cell may hold a line break; then rows are named by their number from the header on.
    at = lines[: len(rows)] if len(lines) >= len(rows) else [how.header_row + 1 + i for i in range(len(rows))]
    # A row with fewer cells than the header, or a last line without a value.
    return Table(label, rows.fillna(""), np.array(at, dtype=np.int64), layout=how)


def _decoded(raw: bytes, label: str, how: Layout) -> str:
    if how.encoding == "utf-8" and raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise BadInput(f"{label}:1: the file is UTF-16; say so: layout: {{encoding: utf-16}}")
    try:
        return raw.decode("utf-8-sig" if how.encoding == "utf-8" else how.encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "; save the file as UTF-8, or say how it is written: layout: {encoding: windows-1252}"
        raise BadInput(f"{label}:{line}: byte {error.start + 1} is not {how.encoding.upper()}{hint}") from error


def _lines(text: str, how: Layout, label: str) -> tuple[list[int], str]:
    """Return the numbers of the lines of rows, and the text from the header on, without comments."""
    if how.header_row == 1 and how.comment is None:
        return list(range(2, text.count("\n") + 1 + (not text.endswith("\n")))), text
    kept = [
        (number, line)
        for number, line in enumerate(text.split("\n"), 1)
        if number >= how.header_row and not (how.comment and line.startswith(how.comment))
    ]
    if not kept:
        raise BadInput(f"{label}: there is no line {how.header_row}, in which its layout says that the header is")
    return [number for number, _ in kept[1:]], "\n".join(line for _, line in kept)


def _cells(error: str, label: str, lines: list[int], text: str, how: Layout) -> str:
    """Return why the parser stopped, in words: a line with more cells than the header."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error)
    if found is None:
        return f"{label}: this is not a CSV table with a header: {printable(error.strip())}"
    row = int(found[2]) - 2
    line = lines[row] if 0 <= row < len(lines) else int(found[2])
    written = text.split("\n")
    header, wrong = written[0], written[row + 1] if row + 1 < len(written) else ""
    hint = _header_hint(header, how) or comment_hint(wrong, how) or _header_below(text, lines, how, int(found[3]))
    return f"{label}:{line}: has {found[3]} cells, the header {found[1]} names{hint or _comma(how)}"


def _header_below(text: str, lines: list[int], how: Layout, cells: int) -> str:
    """Return which line seems to be the header where a title stands above it: the first with all names of a row.

    Parameters
    ----------
    cells : int
        Of the rows.
    """
    head = text.split("\n")[1:HEADER_WITHIN]
    for number, row in zip(lines, csv.reader(head, delimiter=how.separator), strict=False):
        if len(row) == cells:
            names = all(cell.strip() and not any(c.isdigit() for c in cell[:4]) for cell in row)
            return f"; line {number} seems to be the header: layout: {{header_row: {number}}}" if names else ""
    return ""


def _header_hint(header: str, how: Layout) -> str:
    """Return what the header seems to be: a comment, or names separated by another mark."""
    if hint := comment_hint(header, how, f"line {how.header_row} is a comment"):
        return hint
    # A comma may stand inside a name, so it is a separator only where the one that is stated does not occur.
    marks = (";", "\t", "|") if how.separator in header else (";", "\t", "|", ",")
    found = next((mark for mark in marks if mark in header and mark != how.separator), None)
    return "" if found is None else f"; the cells seem to be separated by {found!r}: layout: {{separator: {found!r}}}"


def _alike(column: str, names: list[str]) -> str:
    """Return the name that a name was meant for, where one differs by little."""
    alike = {name.strip().casefold(): name for name in names}
    near = difflib.get_close_matches(column.strip().casefold(), alike, n=1, cutoff=0.75)
    if not near:
        return ""
    name = alike[near[0]]
    return f"; did you mean {name if name == name.strip() else repr(name)}?"


def comment_hint(text: str, how: Layout, what: str = "this is a line of comment") -> str:
    """Return what to write where a line is a comment, empty where it looks like none.

    Parameters
    ----------
    text : str
        The line, or its first cell.
    what : str
        What the message calls it.
    """
    mark = next((mark for mark in ("#", "//") if text.startswith(mark)), None)
    return "" if mark is None or how.comment is not None else f"; {what}: layout: {{comment: '{mark}'}}"


def _comma(how: Layout) -> str:
    if how.separator != "," or how.decimal == ",":
        return ""
    what = "where a number has a decimal comma, cells are separated by another mark"
    return f"; {what}: layout: {{separator: ';', decimal: ','}}"


def _read_xlsx(raw: bytes, label: str, how: Layout) -> Table:
    cells = sheet_cells(raw, label, how)
    if len(cells) < how.header_row:
        raise BadInput(f"{label}: the sheet has {len(cells)} rows; its header is looked for in row {how.header_row}")
    header = [name.strip() for name in cells[how.header_row - 1]]
    named = [i for i, name in enumerate(header) if name]
    twice = sorted({header[i] for i in named if header.count(header[i]) > 1})
    if twice:
        raise BadInput(f"{label}: column {twice[0]} stands twice; names have to be distinct")
    body = cells[how.header_row :]
    rows = pd.DataFrame({header[i]: [row[i] if i < len(row) else "" for row in body] for i in named}, dtype=str)
    return Table(label, rows, np.arange(len(rows), dtype=np.int64) + 1 + how.header_row, "row", how)


def _read_parquet(raw: bytes, label: str, how: Layout) -> Table:
    if find_spec("pyarrow") is None:
        raise BadInput(
            f"{label}: a Parquet file needs the package pyarrow; install flexmine[parquet], or write the file as CSV"
        )
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
        refuse_size(label, file.metadata.num_rows, file.metadata.num_columns, sum(groups))
        frame = file.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{label}: this is not a Parquet table: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame.columns = frame.columns.map(str)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise BadInput(f"{label}: column {twice[0]} stands twice; names have to be distinct")
    rows = pd.DataFrame({name: _as_text(frame[name], how) for name in frame.columns}, dtype=str)
    return Table(label, rows, np.arange(len(rows), dtype=np.int64) + 1, "row", how)


def _as_text(column: pd.Series, how: Layout) -> list[str]:
    """Return the cells as the same text that a CSV file would hold: ISO 8601 times, shortest exact numbers."""
    missing = column.isna().to_numpy()
    cells = column.astype(object).tolist()
    return ["" if gone else cell_text(cell, how) for cell, gone in zip(cells, missing, strict=True)]
