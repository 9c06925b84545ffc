"""The cells of an Excel file as text, and how large a packed table may be."""

from __future__ import annotations

import io
import lzma
import re
import warnings
import zipfile
import zlib
from datetime import datetime, timedelta
from importlib.util import find_spec
from itertools import islice, pairwise
from typing import Any

import numpy as np

from flexmine.errors import BadInput, printable
from flexmine.inputs.layout import Layout

MAX_ROWS, MAX_COLUMNS = 1_000_000, 1_000
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
"""Of a Parquet or Excel file, whose packed bytes say little about its size in memory."""


_NOT_EXCEL = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError),
    *(ValueError, TypeError, AttributeError, LookupError, OverflowError, SyntaxError),
)
"""What zipfile raises on an archive that is damaged, encrypted or packed by another method, and openpyxl on XML that is
damaged or not a workbook's; neither documents which errors it raises."""
_ROW = re.compile(rb"<(?:[\w.-]+:)?row[\s/>]")
_FORMULA = re.compile(rb"<c(?P<how>(?:\s[^<>]*)?)><f(?:\s[^<>]*)?(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>")
"""A formula without its value; that of an empty text has none either, but says that it is a text."""
NOT_CALCULATED = "; it is a formula without a saved value: open the file in Excel, or the like, and save it"
_MOST_TAGS = 10 * MAX_COLUMNS
"""In a row; a cell has three elements at most, each with a beginning and an end."""


def refuse_size(label: str, rows: int, columns: int, unpacked_bytes: int = 0) -> None:
    """Refuse a table that is too large to unpack.

    Parameters
    ----------
    label : str
    rows, columns : int
        Of the table; 0 where not known yet.
    unpacked_bytes : int, default 0
        Size of the unpacked file [bytes]; 0 where not known.

    Raises
    ------
    BadInput
        Naming the largest size that is read.
    """
    if rows > MAX_ROWS or columns > MAX_COLUMNS or unpacked_bytes > MAX_UNPACKED_BYTES:
        raise BadInput(
            f"{label}: {rows} rows of {columns} columns are too much; at most {MAX_ROWS} rows, {MAX_COLUMNS} columns "
            f"and {MAX_UNPACKED_BYTES // 2**20} MiB are read"
        )


def sheet_cells(raw: bytes, label: str, how: Layout) -> list[list[str]]:
    """Return the rows of a sheet of the Excel file `raw`, from its first one on, as the texts of a CSV file.

    Raises
    ------
    BadInput
        Where openpyxl is missing, the bytes are not such a file or too large, or none of several sheets is chosen.
    """
    if find_spec("openpyxl") is None:
        raise BadInput(
            f"{label}: an Excel file needs the package openpyxl; install flexmine[xlsx], or save the sheet as CSV"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            refuse_size(label, 0, 0, sum(entry.file_size for entry in archive.infolist()))
            _refuse_large_sheets(label, archive, how.header_row)
            calculated = _calculated(archive)
        with warnings.catch_warnings():
            # They are of styles, and of cells that it turns into errors, which are refused where they are needed.
            warnings.filterwarnings("ignore", module="openpyxl")
            rows = _rows(raw, label, how, values=True)
            if not calculated:
                both = zip(rows, _rows(raw, label, how, values=False), strict=True)
                rows = [tuple(f if _stands_in(f, v) else v for v, f in zip(*pair, strict=True)) for pair in both]
    except _NOT_EXCEL as error:
        raise BadInput(f"{label}: this is not an Excel file (.xlsx): {printable(str(error))}") from error
    refuse_size(label, len(rows), max((len(row) for row in rows), default=0))
    return [[cell_text(value, how) for value in row] for row in rows]


def _rows(raw: bytes, label: str, how: Layout, *, values: bool) -> list[tuple[Any, ...]]:
    """Return the rows of the sheet that is meant, with values or with formulas."""
    import openpyxl

    sheet = _sheet(openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=values), label, how)
    # Programs write sizes of sheets that are none; rows are as long as they are.
    sheet.reset_dimensions()
    return list(islice(sheet.iter_rows(values_only=True), MAX_ROWS + how.header_row + 1))


def _calculated(archive: zipfile.ZipFile) -> bool:
    """Return whether every formula has its value: programs that cannot calculate write files in which none has."""
    sheets = (archive.read(name) for name in archive.namelist())
    found = (match for text in sheets if b"sheetData" in text for match in _FORMULA.finditer(text))
    return all(b't="str"' in match["how"] for match in found)


def _stands_in(formula: Any, value: Any) -> bool:
    """Return whether a cell has a formula and no value: its text then is the formula, which is not an empty cell."""
    return value is None and isinstance(formula, str) and formula[:1] == "="


def _refuse_large_sheets(label: str, archive: zipfile.ZipFile, above: int) -> None:
    """Refuse sheets of too many rows, `above` of them above the table, and rows of far too many cells.

    openpyxl takes seconds until it has counted the rows, and holds all cells of the row that it reads as objects.
    """
    for entry in archive.infolist():
        text = archive.read(entry)
        if b"sheetData" not in text:
            continue
        begins = [0, *(found.start() for found in _ROW.finditer(text)), len(text)]
        if len(begins) - 2 > MAX_ROWS + above:
            refuse_size(label, len(begins) - 2, 0)
        if any(text.count(b"<", a, b) > _MOST_TAGS for a, b in pairwise(begins)):
            raise BadInput(f"{label}: a row has too many cells; at most {MAX_COLUMNS} columns are read")


def _sheet(book: Any, label: str, how: Layout) -> Any:
    names = book.sheetnames
    if how.sheet is None and len(names) == 1:
        return book[names[0]]
    if how.sheet in names:
        return book[how.sheet]
    asked = "which of its sheets is meant is not said" if how.sheet is None else f"there is no sheet {how.sheet}"
    raise BadInput(f"{label}: {asked}: layout: {{sheet: {names[0]}}}; its sheets: {', '.join(map(printable, names))}")


def cell_text(value: Any, how: Layout) -> str:
    """Return a typed cell as the text that a CSV file of this layout would hold.

    A number is one whatever the decimal mark of the texts beside it.  Excel keeps times to some microseconds only.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if isinstance(value, float | np.floating):
        return str(value).replace(".", how.decimal)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
