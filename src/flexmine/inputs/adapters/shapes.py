"""The shapes in which publishers give one and the same thing: old and new headers, no header, long tables.

Each function returns the columns that an adapter reads, or the table unchanged where it has them already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from flexmine.errors import BadInput
from flexmine.inputs.layout import Layout
from flexmine.inputs.table import Table, read_table


def renamed(table: Table, names: Mapping[str, Sequence[str]]) -> Table:
    """Return a table with the column names of an adapter; `names` maps each to the names that publishers use."""
    known = {other: own for own, others in names.items() for other in others if own not in table.rows.columns}
    return replace(table, rows=table.rows.rename(columns=known))


def with_cells(table: Table, cells: Mapping[str, Sequence[str]]) -> Table:
    """Return a table with the columns of `cells`, each a text per row, in place of its own or beside them."""
    rows = table.rows.copy()
    for name, values in cells.items():
        rows[name] = list(values)
    return replace(table, rows=rows)


def without_header(raw: bytes, label: str, names: Sequence[str], separator: str) -> Table:
    """Return the table of a file that has no header.

    Parameters
    ----------
    raw : bytes
        The file, UTF-8; bytes that are not are replaced.
    label : str
    names : sequence of str
        Names of the columns, in order; further cells of a line are left out.
    separator : str
        Between the cells of a line; a blank stands for any number of blanks.

    Raises
    ------
    BadInput
        Where a line has fewer cells than `names`.
    """
    text = raw.decode("utf-8", errors="replace")
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    rows = [line.split() if separator == " " else line.split(separator) for _, line in lines]
    for (number, _), row in zip(lines, rows, strict=True):
        if len(row) < len(names):
            raise BadInput(f"{label}:{number}: has {len(row)} cells; expected {len(names)}: {', '.join(names)}")
    frame = pd.DataFrame([row[: len(names)] for row in rows], columns=list(names), dtype=str)
    return Table(label, frame, np.array([number for number, _ in lines], dtype=np.int64))


def below(raw: bytes, label: str, first_cell: str) -> Table:
    """Return the table in `raw`, a CSV file, from the line whose first cell is `first_cell` up to an empty line.

    Raises
    ------
    BadInput
        Where there is no such line.
    """
    lines = raw.decode("utf-8", errors="replace").splitlines()
    begin = next((i for i, line in enumerate(lines) if line.split(",")[0].strip() == first_cell), None)
    if begin is None:
        raise BadInput(f"{label}: there is no line that begins with {first_cell}, as the header of such a file does")
    end = next((i for i in range(begin, len(lines)) if not lines[i].strip()), len(lines))
    return read_table("\n".join(lines[:end]).encode(), label, layout=Layout(header_row=begin + 1))


def named(wanted: str | None, known: Iterable[str]) -> str | None:
    """Return the known name that is wanted, in small or capital letters where only one is it.

    Parameters
    ----------
    wanted : str or None
        As the person wrote it.
    known : iterable of str
        As the file has them.
    """
    alike = [name for name in known if wanted is not None and name.casefold() == wanted.casefold()]
    return alike[0] if len(alike) == 1 else wanted


def only(table: Table, column: str, wanted: str | None, option: str = "--only") -> Table:
    """Return the rows of a table that have one value in a column; all where there is no such column to choose in.

    Parameters
    ----------
    table : Table
    column : str
        Name of the column.
    wanted : str or None
        The value; None: the only one that there is.
    option : str, default "--only"
        How an error names the option that states it.

    Raises
    ------
    BadInput
        Naming the values that there are, where none of several is chosen, or the chosen one is not among them; where
        one is chosen and there is no such column.
    """
    if column not in table.rows.columns:
        if wanted is not None:
            raise BadInput(f"{table.label}: there is no column {column}, in which {option} {wanted!r} could be chosen")
        return table
    text = table.text(column)
    known = list(dict.fromkeys(text))
    if wanted is None and len(known) == 1:
        return table
    wanted = named(wanted, known)
    if wanted not in known:
        said = f"{wanted!r} is none of them" if wanted else "one of them has to be named"
        shown = ", ".join(repr(name) for name in known[:12])
        raise BadInput(f"{table.label}: column {column} holds {shown}: {said} ({option})")
    return table.select(np.flatnonzero((text == wanted).to_numpy()))


def wide(table: Table, index: str, names: str, values: Sequence[str], suffix: Mapping[str, str]) -> Table:
    """Return a long table as one with a row for each `index`.

    Parameters
    ----------
    table : Table
        With a row for each index and name.
    index : str
        Column of the rows, such as a time.
    names : str
        Column of the names that become columns.
    values : sequence of str
        Columns of the values.
    suffix : mapping
        By column of values, what follows the name in that of the new column.

    Raises
    ------
    BadInput
        Where a name stands twice at one index.
    """
    twice = table.rows.duplicated([index, names]).to_numpy()
    if twice.any():
        row = int(twice.argmax())
        what = f"{table.text(names)[row]} of {table.text(index)[row]}"
        raise BadInput(f"{table.place(row)}: {what} stands a second time")
    keys = list(dict.fromkeys(table.text(index)))
    first = {key: int(i) for i, key in reversed(list(enumerate(table.text(index))))}
    frame = pd.DataFrame({index: keys}, dtype=str)
    for name in dict.fromkeys(table.text(names)):
        part = table.rows[(table.text(names) == name).to_numpy()].set_index(index)
        for value in values:
            found = part[value].reindex(keys).fillna("")
            frame[f"{name}{suffix[value]}"] = found.to_numpy()
    return replace(table, rows=frame, lines=table.lines[[first[key] for key in keys]])
