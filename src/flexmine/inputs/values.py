"""Cells of a column as numbers: missing ones apart, sentinels and texts refused by name, the rest inside its band."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.conversion import Conversion
from flexmine.inputs.layout import Layout
from flexmine.inputs.missing import missing
from flexmine.inputs.series_spec import BANDS, Series
from flexmine.inputs.table import PLAIN, Bools, Table
from flexmine.inputs.times import US_PER_H
from flexmine.inputs.units import guess
from flexmine.inputs.workbook import NOT_CALCULATED
from flexmine.problem import Floats, Ints

SENTINELS = (-99999.0, -9999.0, -999.99, -999.9, -999.0, 9999.0, 9999.9, 99999.0)
"""Numbers that publishers write for a missing value; some lie inside a band, so they are refused by name."""
_NO_SENTINEL = ("btc_price_usd", "difficulty")
"""Quantities that may well be 9999 or 99999."""
_OUT_OF_RANGE = "is out of range"


_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_GROUPS = re.compile(r"[-+]?[0-9]{1,3}(?P<mark>[ '.,\u00a0\u202f])[0-9]{3}((?P=mark)[0-9]{3})*([.,][0-9]+)?")
_WAYS = ((".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", " "), (".", "'"))
"""Decimal mark and mark of thousands, as most of the world has them."""
_SIGN = re.compile(r"(?P<sign>[$€£₽%]|USD|EUR)")


@dataclass(frozen=True)
class Column:
    """A column of a table, its entry in the case, and the quantity that it becomes."""

    table: Table
    name: str
    spec: Series
    quantity: str


@dataclass(frozen=True)
class Cells:
    """Where the values of a series stand.

    Attributes
    ----------
    row : ndarray of int
        Row of the table of each cell, -1 where no row covers it.
    begin_us, length_us : ndarray of int
        Beginning of each cell, and length of the source interval it is of.
    inside : ndarray of bool
        Which cells lie in the horizon; what lies outside is used for filling only.
    """

    row: Ints
    begin_us: Ints
    length_us: Ints
    inside: Bools


def numbers(column: Column, convert: Conversion, cells: Cells) -> Floats:
    """Return the value of each cell in the unit of the key, NaN where it is missing.

    Raises
    ------
    BadInput
        Naming the first cell of the horizon that holds text, an undeclared sentinel, or a value out of its band.
        Outside the horizon such a cell counts as missing.
    """
    text = np.full(len(cells.row), "", dtype=object)
    there = cells.row >= 0
    text[there] = column.table.text(column.name).to_numpy(dtype=object)[cells.row[there]]
    table = column.table
    gone, plain = missing(table, text, column.spec.missing)
    values = convert.scale * (plain * column.spec.factor) + convert.offset
    if convert.energy:
        values = values / (cells.length_us / US_PER_H)
    if column.spec.shift:
        values = values + column.spec.shift
    faults = np.zeros(len(values), dtype=bool)
    doubtful = np.isin(plain, _sentinels(column))
    for bad, wrong, hint in _kinds_of_fault(values, column.quantity, ~gone, doubtful):
        if (bad & cells.inside).any():
            i = int((bad & cells.inside).argmax())
            shown = f"{text[i]!r}{_product(column, plain[i], values[i])} {wrong}"
            meant = guess((column.quantity,), float(values[i])) if wrong == _OUT_OF_RANGE else ""
            raise BadInput(
                _sentence(column, cells, bad, shown)
                + hint.format(text=text[i], other=written_otherwise(str(text[i]), table.layout))
                + (f"; {meant}" if meant else "")
            )
        faults |= bad
    return np.where(gone | faults, np.nan, values)


def _sentinels(column: Column) -> list[float]:
    """Return the numbers that are taken for marks of missing values in a column."""
    known = [s for s in SENTINELS if s < 0 or column.quantity not in _NO_SENTINEL]
    return [s for s in known if not any(text.strip() in (f"{s:g}", f"{s:.1f}") for text in column.spec.not_missing)]


def _kinds_of_fault(values: Floats, quantity: str, given: Bools, doubtful: Bools) -> tuple[tuple[Bools, str, str], ...]:
    """Return (cells, what is wrong, what helps) of each kind of fault."""
    low, high = BANDS[quantity]
    declare = "; where it stands for a missing value, the case says so: missing: [{text!r}]"
    other = "{other}"
    number = "; where it is a number: not_missing: [{text!r}]"
    return (
        (given & ~np.isfinite(values), "is not a finite number", other),
        (given & doubtful, "is the mark of a missing value in many feeds, and not declared here", declare + number),
        (given & ((values < low) | (values > high)), _OUT_OF_RANGE, ""),
    )


def written_otherwise(text: str, layout: Layout = PLAIN) -> str:
    """Return what helps where a text is not a number: another layout, a sign, a formula; or that it may be a mark."""
    if text[:1] == "=":
        return NOT_CALCULATED
    if layout.decimal == "," or layout.thousands:
        return _in_another_layout(text, layout) or _no_number(text)
    return _no_number(text)


def _in_another_layout(text: str, layout: Layout) -> str:
    """Return as what a text would be a number, where the layout of its file is not that of most files."""
    for decimal, thousands in _WAYS:
        other = Layout.model_validate({"decimal": decimal, "thousands": thousands})
        if number := other.number(text):
            told = f"it is {number} with layout: {{{_marks(other)}}}, but the layout says {_marks(layout)}"
            return f"; {told}; a column is written in one way"
    return ""


def _marks(layout: Layout) -> str:
    thousands = f", thousands: {layout.thousands!r}" if layout.thousands else ""
    return f"decimal: {layout.decimal!r}{thousands}"


def _no_number(text: str) -> str:
    groups = _GROUPS.fullmatch(text)
    if groups is not None and groups["mark"] == "," and _COMMA.fullmatch(text):
        either = f"{text.replace(',', '.')} or {text.replace(',', '')}"
        return f"; that is {either}: layout: {{decimal: ','}} or {{thousands: ','}}"
    if groups is not None:
        mark = " " if groups["mark"].isspace() else groups["mark"]
        return f"; its digits stand in groups: layout: {{thousands: {mark!r}}}, with decimal: ',' where it has such"
    if _COMMA.fullmatch(text):
        return f"; it has a decimal comma: layout: {{decimal: ','}}, or write {text.replace(',', '.')}"
    sign = _SIGN.search(text)
    if sign is not None and any(c.isdigit() for c in text):
        return f"; leave {sign['sign']} out: a cell is the number alone, and unit says of what"
    return f"; where it stands for a missing value, the case says so: missing: [{text!r}]"


def _product(column: Column, plain: float, value: float) -> str:
    if not np.isfinite(value) or value == plain:
        return ""
    factor = f" x {column.spec.factor:g}" if column.spec.factors else ""
    shift = f", shifted by {column.spec.shift:g}," if column.spec.shift else ""
    return f"{factor}{shift} = {value:g}"


def _sentence(column: Column, cells: Cells, bad: Bools, shown: str) -> str:
    low, high = BANDS[column.quantity]
    bad = bad & cells.inside
    i = int(bad.argmax())
    # The file's own time finds the row; site time may be another.
    when = column.table.text(column.spec.time_column)[cells.row[i]]
    return (
        f"{column.table.place(cells.row[i])}: column {column.name}, {when}: {shown} "
        f"({int(bad.sum())} of {int(cells.inside.sum())} values of the horizon); allowed: numbers from {low:g} to "
        f"{high:g} for {column.quantity}"
    )
