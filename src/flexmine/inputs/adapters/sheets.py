"""Rows of cells as publishers give them, whether in a CSV file, an Excel file, or a page of HTML under either name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from flexmine.errors import BadInput, printable
from flexmine.inputs.decoding import text_of
from flexmine.inputs.table import sheet_cells

_SEPARATORS = (";", ",", "\t")
HEADER_WITHIN = 20
"""Rows in which a header is looked for."""


@dataclass(frozen=True)
class Sheet:
    """Rows of cells without blanks around them.

    Attributes
    ----------
    lines : list of int
        Where each row stands in the file, counted from 1.
    word : str
        What a line is called, as of a table.
    header : int or None
        The row that names the columns.
    """

    rows: list[list[str]]
    lines: list[int]
    word: str
    header: int | None


def sheet_of(raw: bytes, label: str, is_header: Callable[[Sequence[str]], bool]) -> Sheet:
    """Return the rows of a file, whose header is the first row that `is_header` takes for one.

    Raises
    ------
    BadInput
        Where the bytes are an Excel file that cannot be read, or no CSV.
    """
    if raw[:4] == b"PK\x03\x04":
        return _sheet(sheet_cells(raw, label), None, "row", is_header)
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
        raise BadInput(f"{label}:{reader.line_num}: this is no CSV: {printable(str(error))}") from error
    return rows, lines


class _FirstTable(HTMLParser):
    """The cells of the first table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = self._over = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if self._over:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th", "tr")
        self._over = self._over or tag == "table"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data
