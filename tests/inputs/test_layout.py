"""Files as offices write them: the same series as from a plain file, and refusals that name the key to write."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from datetime import datetime, timedelta

import openpyxl
import pandas as pd
import pytest
from pydantic import ValidationError

from flexmine.errors import BadInput
from flexmine.inputs.layout import Layout
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.problem import TimeAxis

START = datetime.fromisoformat("2026-01-15T00:00:00+01:00")
AXIS = TimeAxis(START, 1.0, 24, "Europe/Berlin")
VALUES = [1030.5 - 7.25 * hour if hour % 5 else -12.5 for hour in range(24)]
HOURS = [START + timedelta(hours=h) for h in range(24)]
UNIT = {"unit": "USD/MWh", "zone": "Europe/Berlin", "time_column": "Zeit", "column": "Preis"}


def as_zip(change, method=zipfile.ZIP_DEFLATED):
    """Return the sheet with its members changed by a function of name and text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(excel())) as packed, zipfile.ZipFile(out, "w", method) as other:
        for name in packed.namelist():
            other.writestr(name, change(name, packed.read(name)))
    return out.getvalue()


def in_directory(offset, value):
    """Return the sheet with another number in the entries of the archive's directory."""
    raw = bytearray(excel())
    for entry in re.finditer(b"PK\x01\x02", bytes(raw)):
        struct.pack_into("<H", raw, entry.start() + offset, value)
    return bytes(raw)


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def french(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", "\u202f,"))


def lines(head, rows, separator):
    return "\n".join([*head, f"Zeit{separator}Preis", *(separator.join(row) for row in rows)]) + "\n"


def excel(head=(), sheets=("Tabelle1",), noise_us=0):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        for row in head:
            sheet.append(row)
        sheet.append(["Zeit", "Preis", None])
        for hour, value in zip(HOURS, VALUES, strict=True):
            sheet.append([hour.replace(tzinfo=None) + timedelta(microseconds=noise_us), value])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def day_first(t):
    return f"{t:%d.%m.%Y %H:%M}"


def american(t):
    return f"{t.month}/{t.day}/{t.year} {t.hour % 12 or 12}:{t:%M:%S} {'PM' if t.hour >= 12 else 'AM'}"


FILES = {
    "German, from a spreadsheet": (
        lines([], [(day_first(t), german(v)) for t, v in zip(HOURS, VALUES, strict=True)], ";").encode(),
        {"separator": ";", "decimal": ",", "thousands": ".", "date_order": "dmy"},
    ),
    "French, narrow blanks, Latin-1 above the header": (
        lines(
            ["Prix de r\xe9f\xe9rence", "\xe9dition 3"],
            [(day_first(t), french(v)) for t, v in zip(HOURS, VALUES, strict=True)],
            "\t",
        )
        .replace("\u202f", "\xa0")
        .encode("latin-1"),
        {
            "separator": "\t",
            "decimal": ",",
            "thousands": " ",
            "date_order": "dmy",
            "encoding": "latin-1",
            "header_row": 3,
        },
    ),
    "American": (
        lines(
            ["# as of today", "# prices"], [(american(t), f'"{v:,}"') for t, v in zip(HOURS, VALUES, strict=True)], ","
        ).encode(),
        {"thousands": ",", "date_order": "mdy", "comment": "#"},
    ),
    "UTF-16 with bars": (
        lines([], [(t.isoformat()[:19], str(v)) for t, v in zip(HOURS, VALUES, strict=True)], "|").encode("utf-16"),
        {"separator": "|", "encoding": "utf-16"},
    ),
    "comments in between": (
        lines([], [(f"{t:%Y/%m/%d %H.%M}", str(v)) for t, v in zip(HOURS, VALUES, strict=True)], ";")
        .replace("\n2026/01/15 05", "\n// checked\n2026/01/15 05")
        .encode(),
        {"separator": ";", "date_order": "ymd", "comment": "//"},
    ),
}


def read(raw, layout, kind="csv", **more):
    spec = Series.model_validate({"file": f"feed.{kind}", **UNIT, "layout": layout, **more})
    return read_series(read_table(raw, spec.file, spec.kind, spec.layout), spec, "price_usd_per_mwh", AXIS).values


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_it_is_written_gives_the_series_of_a_plain_one(name):
    """*Proves:* separators, decimals, groups of digits, order of dates, encodings, headers and comments are read as the
    layout says.  *Sensitivity:* a group read as decimals, or a month as a day, changes a value or refuses.
    """
    raw, layout = FILES[name]
    assert read(raw, layout).tolist() == VALUES


@pytest.mark.parametrize(
    ("raw", "layout"),
    [
        (excel(), {}),
        (excel([["Preise"], []]), {"header_row": 3}),
        (excel(sheets=("a", "Preise")), {"sheet": "Preise"}),
        (excel(noise_us=-3), {}),
        (as_zip(lambda _, text: re.sub(rb'(<dimension ref=)"[^"]*"', rb'\1"A1:XFD1048576"', text)), {}),
        (as_zip(lambda _, text: text, zipfile.ZIP_LZMA), {}),
    ],
    ids=["plain", "two rows above", "named sheet", "times that Excel could not keep", "a size that is none", "LZMA"],
)
def test_a_sheet_of_excel(raw, layout):
    """*Proves:* cells are as a person sees them.  *Sensitivity:* 00:59:59.999997 is not an hour."""
    assert read(raw, layout, "xlsx").tolist() == VALUES


@pytest.mark.parametrize("values", [[1.237, "1.245,50", 45], [1.24, "45,50", 3e-05]])
def test_a_layout_is_of_texts_and_not_of_numbers(values):
    """*Proves:* a cell that is a number in the file stays it beside texts with commas.

    *Sensitivity:* 1.237 was read as 1237 where points stand between thousands, and 1.24 was refused.
    """
    layout = Layout(decimal=",", thousands=".")
    book = openpyxl.Workbook()
    book.active.append(["Preis"])
    for value in values:
        book.active.append([value])
    out = io.BytesIO()
    book.save(out)
    expected = [values[0], 1245.5 if values[1][0] == "1" else 45.5, values[2]]
    assert [float(v) for v in read_table(out.getvalue(), "f.xlsx", "xlsx", layout).plain_cells("Preis")] == expected
    numbers = io.BytesIO()
    pd.DataFrame({"Preis": [values[0], values[2]]}).to_parquet(numbers, index=False)
    cells = read_table(numbers.getvalue(), "f.parquet", "parquet", layout).plain_cells("Preis")
    assert [float(v) for v in cells] == [values[0], values[2]]


@pytest.mark.parametrize("where", ["Zeit", "Preis"])
def test_a_formula_that_was_never_calculated_is_told(where):
    """*Proves:* what to do with it.  *Sensitivity:* its cell is empty, and was told as a gap, or filled."""
    book = openpyxl.Workbook()
    book.active.append(["Zeit", "Preis"])
    for row, hour in enumerate(HOURS, 2):
        cells = {"Zeit": hour.replace(tzinfo=None), "Preis": 1.0} | {where: f"=C{row}*2"}
        book.active.append([cells["Zeit"], cells["Preis"], 1.0])
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(BadInput, match=r"row 2: .*'=C2\*2' is .*formula without a saved value.*save it"):
        read(out.getvalue(), {}, "xlsx", fill={"policy": "hold", "longest_gap_h": 100})


def test_a_formula_whose_saved_value_is_an_empty_text_is_a_missing_value():
    """*Proves:* as Excel saves ``=IF(A2="","",1)``.  *Sensitivity:* a calculated file would be refused as none."""
    formula = b'<c r="B2" t="str"><f>IF(A2="","",1)</f><v></v></c>'
    sheet = as_zip(lambda _, text: re.sub(rb'<c r="B2"[^>]*>.*?</c>', lambda _: formula, text, count=1))
    cells = read_table(sheet, "f.xlsx", "xlsx").plain_cells("Preis")
    assert cells[0] == "" and len(cells) == 24


WRONG = {
    "semicolons": (FILES["German, from a spreadsheet"][0], {}, r"separated by ';': layout: \{separator: ';'\}"),
    "commas": (
        b"Zeit,Preis\n2026-01-15T00:00,30.5\n",
        {"separator": ";"},
        r"no column Zeit; .*separated by ',': layout: \{separator: ','\}",
    ),
    "a comma inside a name": (b"Datum, lokal;Preis\n1;2\n", {"separator": ";"}, r"columns: Datum, lokal, Preis$"),
    "decimal comma and comma": (
        b"Zeit,Preis\n2026-01-15T00:00,30,5\n2026-01-15T01:00,31,5\n",
        {},
        "separator: ';', decimal: ','",
    ),
    "UTF-16": (FILES["UTF-16 with bars"][0], {"separator": "|"}, r"is UTF-16; say so: layout: \{encoding: utf-16\}"),
    "Latin-1": (b"Zeit,Preis\n# \xe9\n", {}, r"feed.csv:2: byte 14 is not UTF-8.*encoding: windows-1252"),
    "day first": (b"Zeit,Preis\n15.01.2026 00:00,1\n", {}, r"'15.01.2026 00:00'.*layout: \{date_order: dmy\}"),
    "no such month": (b"Zeit,Preis\n15.13.2026 00:00,1\n", {"date_order": "dmy"}, r"feed.csv:2: .*2026-13-15T00:00"),
    "two digits of a year": (b"Zeit,Preis\n15.01.26 00:00,1\n", {"date_order": "dmy"}, "'15.01.26 00:00'"),
    "13 PM": (b"Zeit,Preis\n01/15/2026 13:00 PM,1\n", {"date_order": "mdy"}, "'01/15/2026 13:00 PM'"),
    "a point among commas": (
        b"Zeit;Preis\n2026-01-15T00:00;30.5\n",
        {"separator": ";", "decimal": ","},
        r"'30.5' is not a finite number.*it is 30.5 with layout: \{decimal: '.'\}, but the layout says decimal: ','",
    ),
    "groups of two": (
        b"Zeit;Preis\n2026-01-15T00:00;12.34\n",
        {"separator": ";", "decimal": ",", "thousands": "."},
        r"'12.34' is not a finite number.*it is 12.34 with layout: \{decimal: '.'\}",
    ),
    "a name without an end": (b"Zeit,Preis" + b"x" * 200_000 + b"\n", {}, r"feed.csv:1: this is not a CSV table"),
    "a row of a million cells": (
        b"Zeit,Preis\n" + b"1," * 10**6 + b"\n",
        {},
        r"feed.csv: .*of 1000001 columns are too much",
    ),
    "a comment above the header": (
        b"# station 7\n# MW, USD, C\nZeit,Preis\n",
        {},
        r"feed.csv:2: .*line 1 is a comment: layout: \{comment: '#'\}",
    ),
    "a comment among the rows": (
        b"Zeit,Preis\n2026-01-15T00:00,1\n// a, b, c\n",
        {},
        r"feed.csv:3: .*this is a line of comment: layout: \{comment: '//'\}",
    ),
    "a separator at the end of rows": (b"Zeit,Preis\n1,2,\n1,2,\n", {}, "feed.csv:2: .*column 3 has no name; give it"),
    "a title": (
        b"Leitsystem\nvom 1.\nZeit;Preis\n1;2\n",
        {"separator": ";"},
        r"feed.csv:3: has 2 cells, .*line 3 seems to be the header: layout: \{header_row: 3\}",
    ),
    "a title with separators": (
        b"Leitsystem;;\nZeit;Preis;x\n1;2;3\n",
        {"separator": ";"},
        r"several columns have no name; line 2 seems to be the header: layout: \{header_row: 2\}",
    ),
    "a title as wide as the table": (
        b"Werk,Nord\nZeit,Preis\n1,2\n",
        {},
        r"there is no column Zeit; .*line 2 has it: layout: \{header_row: 2\}",
    ),
    "a blank in a name": (b"Zeit, Preis\n1,2\n", {}, "columns: Zeit, ' Preis'; did you mean ' Preis'"),
    "another case": (b"zeit,Preis\n1,2\n", {}, r"there is no column Zeit; columns: zeit, Preis; did you mean zeit\?"),
    "an empty row": (
        b"Zeit,Preis\n2026-01-15T00:00,1\n,\n2026-01-15T01:00,1\n",
        {},
        "feed.csv:3: column Zeit: the row is empty; only rows at the end may be",
    ),
    "no such line": (b"Zeit,Preis\n", {"header_row": 9}, "there is no line 9"),
}


@pytest.mark.parametrize("end", [b"\n\n", b",\n,\n", b" , \n\n,"])
def test_empty_rows_at_the_end_are_left_out(end):
    """*Proves:* what spreadsheets leave below a table is not a row.  *Sensitivity:* an empty time is not a time."""
    found = read_table(b"Zeit,Preis\n2026-01-15T00:00,1\n2026-01-15T01:00,\n" + end, "f.csv")
    assert found.rows.to_numpy().tolist() == [["2026-01-15T00:00", "1"], ["2026-01-15T01:00", ""]]
    assert found.lines.tolist() == [2, 3]


@pytest.mark.parametrize("name", WRONG)
def test_a_refusal_says_which_key_is_missing(name):
    """*Proves:* what is written otherwise than the layout says is refused with its line, and the key to write.

    *Sensitivity:* a guess would read 12.34 as 1234, or the 3rd of April as the 4th of March.
    """
    raw, layout, words = WRONG[name]
    with pytest.raises(BadInput, match=words):
        read(raw, layout)


@pytest.mark.parametrize(
    ("raw", "layout", "words"),
    [
        (b"no zip", {}, "this is not an Excel file"),
        (b"PK\x03\x04" + b"\0" * 40, {}, "this is not an Excel file"),
        (excel(sheets=("a", "b")), {}, r"layout: \{sheet: a\}; its sheets: a, b"),
        (excel(), {"sheet": "x"}, "there is no sheet x"),
        (excel(), {"header_row": 400}, "the sheet has 25 rows; its header is looked for in row 400"),
        (excel(), {"header_row": 2}, "there is no column Zeit"),
        (in_directory(8, 1), {}, "this is not an Excel file.*is encrypted"),
        (in_directory(10, 99), {}, "this is not an Excel file.*compression method is not supported"),
        (as_zip(lambda name, text: text if "workbook" not in name else b""), {}, "this is not an Excel file"),
        (
            as_zip(lambda _, text: text.replace(b"<row ", b"<row>" + b"<c/>" * 9999 + b"</row><row ", 1)),
            {},
            "1000 columns",
        ),
    ],
)
def test_a_sheet_that_cannot_be_read_is_named(raw, layout, words):
    """*Proves:* broken files, and absent sheets, end as bad input.  *Sensitivity:* openpyxl's own errors."""
    with pytest.raises(BadInput, match=words):
        read(raw, layout, "xlsx")


@pytest.mark.parametrize(
    ("kind", "layout", "words"),
    [
        ("csv", {"sheet": "a"}, "has no meaning in a csv file"),
        ("xlsx", {"separator": ";"}, "has no meaning in a xlsx file"),
        ("parquet", {"encoding": "latin-1"}, "has no meaning in a parquet file"),
        ("epw", {"decimal": ","}, "has no meaning in a typical year"),
        ("csv", {"decimal": ",", "thousands": ","}, "is the decimal mark too"),
        ("csv", {"separator": ":"}, "separator"),
        ("csv", {"encoding": "rot13"}, "encoding"),
    ],
)
def test_a_layout_that_cannot_be(kind, layout, words):
    """*Proves:* keys without a meaning, and contradictions, are refused.  *Sensitivity:* passed over, they mislead."""
    with pytest.raises(ValidationError, match=words):
        Series.model_validate({"file": f"feed.{kind}", "column": "x", "layout": layout})


def test_numbers_by_hand():
    """*Proves:* what is and is not a number, case by case.  *Sensitivity:* each line differs in one mark."""
    plain, comma = Layout(), Layout(decimal=",", thousands=".")
    apostrophe, blank = Layout(thousands="'"), Layout(decimal=",", thousands=" ")
    for layout, text, expected in (
        (plain, "1e-3", "1e-3"),
        (plain, "1,5", ""),
        (plain, ".", ""),
        (plain, "-.5", "-.5"),
        (comma, "1.234.567,8", "1234567.8"),
        (comma, "1234567,8", "1234567.8"),
        (comma, "1.23,4", ""),
        (comma, "1.2345", ""),
        (comma, "-0,5", "-0.5"),
        (comma, "1,2e3", "1.2e3"),
        (apostrophe, "12'345.6", "12345.6"),
        (blank, "1 234,5", "1234.5"),
        (blank, "1\u202f234,5", "1234.5"),
        (blank, "1 2345", ""),
        (plain, "\u0661", ""),
    ):
        assert layout.number(text) == expected, text


def damaged(part, change):
    """Return a workbook one of whose parts is changed, or left out where the change gives nothing."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(excel())) as whole, zipfile.ZipFile(out, "w") as copy:
        for name in whole.namelist():
            content = change(whole.read(name)) if name == part else whole.read(name)
            if content is not None:
                copy.writestr(name, content)
    return out.getvalue()


def flipped():
    """Return a workbook whose packed rows have other bits in their middle."""
    raw = bytearray(excel())
    with zipfile.ZipFile(io.BytesIO(bytes(raw))) as whole:
        sheet = whole.getinfo("xl/worksheets/sheet1.xml")
    middle = sheet.header_offset + 30 + len(sheet.filename) + sheet.compress_size // 2
    raw[middle : middle + 8] = bytes(255 - byte for byte in raw[middle : middle + 8])
    return bytes(raw)


@pytest.mark.parametrize(
    "raw",
    [
        flipped(),
        excel()[:-200],
        damaged("[Content_Types].xml", lambda text: text.replace(b"sheet.main", b"other")),
        damaged("xl/workbook.xml", lambda _: None),
        damaged("xl/worksheets/sheet1.xml", lambda text: text[: len(text) // 2]),
        damaged("xl/worksheets/sheet1.xml", lambda text: text.replace(b"<v>", b"<v>x", 1)),
    ],
    ids=["bits", "cut", "no workbook", "part left out", "XML cut", "no number"],
)
def test_a_damaged_workbook_is_refused(raw):
    """*Proves:* whatever is broken, the archive, its parts, XML or cells, is told as no Excel file.

    *Sensitivity:* a transfer that broke off would end as an internal error of zlib or openpyxl.
    """
    with pytest.raises(BadInput, match=r"^f\.xlsx: this is not an Excel file \(\.xlsx\): "):
        read_table(raw, "f.xlsx", "xlsx")
