"""Rows of cells as publishers give them, whether in a CSV file, an Excel file, or a page of HTML under either name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from flexmine.errors import BadInput, printable
from flexmine.inputs.decoding import text_of
from flexmine.inputs.layout import Layout
from flexmine.inputs.table import HEADER_WITHIN, PLAIN, Table
from flexmine.inputs.workbook import MAX_COLUMNS, sheet_cells

_SEPARATORS = (";", ",", "\t")


@dataclass(frozen=True)
class Sheet:
    """Rows of cells without blanks around them.

    Attributes
    ----------
    lines : list of int
        Where each row stands in the file, counted from 1.
    word : str
        Name of a line in messages, as in a Table.
    header : int or None
        Index of the row that names the columns, from 0; None where none was found.
    """

    rows: list[list[str]]
    lines: list[int]
    word: str
    header: int | None


def sheet_of(raw: bytes, label: str, is_header: Callable[[Sequence[str]], bool]) -> Sheet:
    """Return the rows of `raw`, the bytes of a file, whose header is the first row for which `is_header` is true.

    Raises
    ------
    BadInput
        Where the bytes are an Excel file that cannot be read, or not CSV.
    """
    if raw[:4] == b"PK\x03\x04":
        return _sheet(sheet_cells(raw, label, PLAIN), None, "row", is_header)
    if raw[:4] == b"\xd0\xcf\x11\xe0":
        raise BadInput(f"{label}: an Excel file of before 2007 (.xls) cannot be read; save it as .xlsx or CSV")
    text = text_of(raw)
    if text.lstrip()[:1] == "<":
        page = _FirstTable()
        page.feed(text)
        return _sheet(page.rows, None, "row", is_header)
    head = "\n".join(text.splitlines()[:HEADER_WITHIN])
    fits = (mark for mark in _SEPARATORS if _sheet(*_csv(head, mark, label), "", is_header).header is not None)
    return _sheet(*_csv(text, next(fits, ","), label), "", is_header)


def table_of(sheet: Sheet, label: str, names: Sequence[str], first: int) -> Table:
    """Return the rows from index `first` on as a table with the columns `names`.

    Columns with an empty name and rows with only empty cells are left out.

    Raises
    ------
    BadInput
        Where a name stands twice, or a row has a cell that no name stands above.
    """
    body = [i for i in range(first, len(sheet.rows)) if any(sheet.rows[i])]
    layout = Layout(header_row=sheet.lines[sheet.header or 0])
    empty = Table(label, pd.DataFrame(), np.array(sheet.lines, dtype=np.int64), sheet.word, layout)
    twice = [name for i, name in enumerate(names) if name and name in names[:i]]
    if twice:
        raise BadInput(f"{empty.place(-1)}: column {twice[0]} stands twice; names have to be distinct")
    for i in body:
        if any(sheet.rows[i][len(names) :]):
            raise BadInput(
                f"{empty.place(i)}: has {len(sheet.rows[i])} cells, the header {len(names)} names; where a number has "
                "a decimal comma, cells are separated by a semicolon, or stand in quotes"
            )
        nameless = next((cell for name, cell in zip(names, sheet.rows[i], strict=False) if cell and not name), None)
        if nameless is not None:
            raise BadInput(f"{empty.place(i)}: the header has no name above the cell {nameless!r}")
    padded = [[*sheet.rows[i], *[""] * len(names)] for i in body]
    cells = {name: [row[i] for row in padded] for i, name in enumerate(names) if name}
    return replace(empty, rows=pd.DataFrame(cells, dtype=str), lines=empty.lines[body])


def _sheet(
    rows: Sequence[Sequence[str]], lines: list[int] | None, word: str, is_header: Callable[[Sequence[str]], bool]
) -> Sheet:
    cells = [[cell.strip() for cell in row] for row in rows]
    header = next((i for i, row in enumerate(cells[:HEADER_WITHIN]) if is_header(row)), None)
    return Sheet(cells, lines or list(range(1, len(cells) + 1)), word, header)


def _csv(text: str, separator: str, label: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows, lines = [], []
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise BadInput(f"{label}:{reader.line_num}: this is not CSV: {printable(str(error))}") from error
    return rows, lines


class _FirstTable(HTMLParser):
    """The cells of the first table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = self._over = False
        self._spanned = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._over:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            span = dict(attrs).get("colspan") or "1"
            # What a cell that spans several holds belongs to the first of them.
            self._spanned = min(int(span), MAX_COLUMNS) if span.isdecimal() else 1
            self.rows[-1] += [""] * self._spanned
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th", "tr")
        self._over = self._over or tag == "table"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-self._spanned] += data
