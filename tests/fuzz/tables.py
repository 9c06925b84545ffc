"""Damaged CSV and Excel files, and what they say to a reader that shares nothing with flexmine's."""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
from numpy.random import Generator
from openpyxl.cell.cell import MergedCell

from inputs.mutations import mutate

Damage = Callable[[bytes, Generator], bytes]
CELLS: tuple[Any, ...] = (
    "=1+1", "=A1", "#DIV/0!", "#REF!", True, False, None, "", "n/e", "1,5", "12 MW", -9999, 1e308, -1e308, 1e-320,
    10**18, datetime(2024, 9, 10), datetime(9999, 12, 31, 23, 59, 59, 999_999), datetime(1900, 1, 1), date(2024, 9, 10),
    timedelta(hours=5), timedelta(days=400_000), "x" * 30_000, "2024-09-10T00:00:00+08:00", "٣", "a\nb", "_x0007_",
)  # fmt: skip


def _pick(rng: Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


# --- text ---------------------------------------------------------------------------------------------------------


def _few(raw: bytes, rng: Generator) -> bytes:
    """One to three of the small changes that cases are damaged by."""
    steps = [tuple(int(x) for x in rng.integers(0, 2**20, 3)) for _ in range(int(rng.integers(1, 4)))]
    return mutate(raw, "series.csv", steps)


def _of_text(change: Callable[[str, Generator], str]) -> Damage:
    return lambda raw, rng: change(raw.decode("utf-8", "surrogateescape"), rng).encode("utf-8", "surrogateescape")


def _separators(text: str, rng: Generator) -> str:
    return text.replace(",", _pick(rng, (";", "\t", "|", ", ", " ", ",,", "\x1f")))


def _quotes(text: str, rng: Generator) -> str:
    lines = text.split("\n")
    i = int(rng.integers(len(lines)))
    mark = _pick(rng, ('"', "'", '""', '"\n'))
    lines[i] = _pick(rng, (mark + lines[i], lines[i] + mark, lines[i].replace(",", f"{mark},{mark}"), f'"{lines[i]}"'))
    return "\n".join(lines)


def _decimals(text: str, rng: Generator) -> str:
    other = _pick(rng, (r"\1,\2", r'"\1,\2"', r"\1.\2.\2", r"\1 \2", r"1,\1.\2", r"1'\1.\2", r"\1.\2e9", r"0x\1"))
    return re.sub(r"(\d+)\.(\d+)", other, text)


def _ends(text: str, rng: Generator) -> str:
    return text.replace("\n", _pick(rng, ("\r\n", "\r", "\n\n", "\n\r", "\x0b", "\x0c", "\u2028", "\r\r\n")))


def _long_line(text: str, rng: Generator) -> str:
    """A line of so many cells, or one cell of so many characters."""
    lines = text.split("\n")
    i = _pick(rng, (0, int(rng.integers(len(lines))), len(lines) - 1))
    lines[i] += _pick(rng, ("," * 10**6, ",1" * 10**6, ",".join(f"c{n}" for n in range(1_100)), "9" * 200_000))
    return "\n".join(lines)


def _long_cell(text: str, rng: Generator) -> str:
    where = int(rng.integers(len(text) + 1))
    return (
        text[:where]
        + _pick(rng, ("x" * 10**6, '"' + "y\n" * 300_000 + '"', "1" * 5_000, "\x00" * 300_000))
        + text[where:]
    )


def _encoded(raw: bytes, rng: Generator) -> bytes:
    text = raw.decode("utf-8", "replace")
    return text.encode(
        _pick(rng, ("utf-16", "utf-16-le", "utf-8-sig", "utf-32", "cp1252", "utf-7", "cp037")), "replace"
    )


def _bytes(raw: bytes, rng: Generator) -> bytes:
    other = (
        b"",
        b"\n",
        b"\x00" * 1000,
        raw * 3,
        raw[::-1],
        b"PK\x03\x04" + raw,
        b"\x1f\x8b" + raw,
        b"PAR1" + raw + b"PAR1",
    )
    return _pick(rng, other)


OF_CSV: tuple[Damage, ...] = (
    *[_few] * 8, _of_text(_separators), _of_text(_quotes), _of_text(_quotes), _of_text(_decimals), _of_text(_ends),
    _of_text(_long_line), _of_text(_long_cell), _encoded, _bytes,
)  # fmt: skip


def damaged_csv(raw: bytes, rng: Generator) -> bytes:
    """Return the bytes of a CSV file after one kind of damage."""
    return _pick(rng, OF_CSV)(raw, rng)


def says(raw: bytes, time: str, value: str) -> dict[str, str]:
    """Return the cells of a column of a plain CSV file by those of its times, read by the standard library alone."""
    csv.field_size_limit(10**9)
    rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    found = [((row[time] or "").strip(), (row[value] or "").strip()) for row in rows]
    return {at: cell for at, cell in found if at or cell}  # empty rows at the end are left out


# --- Excel --------------------------------------------------------------------------------------------------------


def excel(raw: bytes) -> bytes:
    """Return a CSV file as a sheet, its times as text and its numbers as numbers."""
    book = openpyxl.Workbook()
    for i, row in enumerate(csv.reader(io.StringIO(raw.decode()))):
        book.active.append([cell if i == 0 or j == 0 else float(cell) for j, cell in enumerate(row)])
    return _saved(book)


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _in_cells(raw: bytes, rng: Generator) -> bytes:
    """Cells, rows, columns and sheets, as a person changes them."""
    book = openpyxl.load_workbook(io.BytesIO(raw))
    sheet = book.active

    def put(row: int, column: int, value: Any) -> None:
        if not isinstance(sheet.cell(row, column), MergedCell):
            sheet.cell(row, column).value = value

    for _ in range(int(rng.integers(1, 4))):
        row, column = int(rng.integers(1, sheet.max_row + 2)), int(rng.integers(1, sheet.max_column + 2))
        what = int(rng.integers(9))
        if what < 4:
            put(row, column, _pick(rng, CELLS))
        elif what == 4:
            sheet.merge_cells(start_row=row, start_column=column, end_row=row + 1, end_column=column + 1)
        elif what == 5:
            (sheet.delete_rows if rng.random() < 0.5 else sheet.insert_rows)(row)
        elif what == 6:
            (sheet.delete_cols if rng.random() < 0.5 else sheet.insert_cols)(column)
        elif what == 7:
            book.create_sheet(_pick(rng, ("Sheet2", "\u202eteehS", "x" * 31)), _pick(rng, (0, 1)))
        else:
            put(_pick(rng, (row, 1_048_576)), _pick(rng, (column, 16_384)), 1)
    return _saved(book)


def _members(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _packed(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    return out.getvalue()


def _in_xml(raw: bytes, rng: Generator) -> bytes:
    """The XML of a member, damaged as text, absent, or another's."""
    members = _members(raw)
    name = _pick(rng, [*members, *[n for n in members if "sheet" in n.lower()] * 3])
    what = int(rng.integers(4))
    if what == 0:
        del members[name]
    elif what == 1:
        members[name] = members[_pick(rng, list(members))]
    else:
        members[name] = mutate(
            members[name].replace(b"><", b">\n<"), "x", [tuple(int(x) for x in rng.integers(0, 2**20, 3))]
        )
    return _packed(members, _pick(rng, (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))


_ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">'.encode() for i in range(9)
)


def _hostile(raw: bytes, rng: Generator) -> bytes:
    """A sheet that is small in the file and large in memory."""
    return bomb(raw, int(rng.integers(BOMBS)))


BOMBS = 8


def bomb(raw: bytes, what: int) -> bytes:
    """Return an Excel file with a sheet that is small in the file and large in memory, of eight kinds."""
    members = _members(raw)
    sheet = next(name for name in members if name.endswith("sheet1.xml"))
    text = members[sheet]
    if what == 0:
        members[sheet] = text.replace(b"<sheetData>", b"<sheetData>" + b" " * 300_000_000)
    elif what == 1:
        members[sheet] = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', text)
    elif what == 2:
        members[sheet] = re.sub(rb'<row r="2"', b'<row r="1048576"', text)
    elif what == 3:
        members[sheet] = re.sub(rb'r="B2"', b'r="XFD2"', text)
    elif what == 4:
        members[sheet] = text.replace(b"<sheetData>", b"<sheetData>" + b'<row><c t="n"><v>1</v></c></row>' * 2_000_000)
    elif what == 5:
        head, _, tail = text.partition(b"<worksheet")
        members[sheet] = head + _ENTITIES + b"]><worksheet" + tail.replace(b"<v>", b"<v>&j;", 1)
    elif what == 6:
        head, _, tail = text.partition(b"<worksheet")
        outside = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet'
        members[sheet] = head + outside + tail.replace(b"<v>", b"<v>&e;", 1)
    else:
        members[sheet] = text.replace(b"<sheetData>", b"<sheetData>" + b"<row>" + b"<c/>" * 5_000_000 + b"</row>")
    return _packed(members)


def _in_zip(raw: bytes, rng: Generator) -> bytes:
    """The archive itself: cut, flipped, encrypted by its flags, packed by an unknown method, with other sizes."""
    what = int(rng.integers(6))
    where = int(rng.integers(len(raw)))
    if what == 0:
        return raw[:where]
    if what == 1:
        return raw[:where] + bytes([int(rng.integers(256))]) + raw[where + 1 :]
    if what == 2:
        return raw[:where] + raw[where + int(rng.integers(1, 400)) :]
    central = [found.start() for found in re.finditer(b"PK\x01\x02", raw)]
    at = _pick(rng, central)
    offset, value, width = ((8, 1, "H"), (10, 99, "H"), (24, int(rng.integers(2**32)), "I"))[what - 3]
    return raw[: at + offset] + struct.pack(f"<{width}", value) + raw[at + offset + struct.calcsize(width) :]


OF_EXCEL: tuple[Damage, ...] = (*[_in_cells] * 5, *[_in_xml] * 4, *[_in_zip] * 4, _hostile, _bytes)


def damaged_excel(raw: bytes, rng: Generator) -> bytes:
    """Return the bytes of an Excel file after one kind of damage."""
    return _pick(rng, OF_EXCEL)(raw, rng)
