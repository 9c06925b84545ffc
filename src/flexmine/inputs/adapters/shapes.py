"""The shapes in which publishers give one and the same thing: old and new headers, no header, long tables.

Each function returns the columns that an adapter reads, or the table as it is where it has them already.
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
    """Return a table whose columns are called as an adapter calls them; `names`: from that to what publishers write."""
    known = {other: own for own, others in names.items() for other in others if own not in table.rows.columns}
    return replace(table, rows=table.rows.rename(columns=known))


def with_cells(table: Table, cells: Mapping[str, Sequence[str]]) -> Table:
    """Return a table with other cells in some columns."""
    rows = table.rows.copy()
    for name, values in cells.items():
        rows[name] = list(values)
    return replace(table, rows=rows)


def without_header(raw: bytes, label: str, names: Sequence[str], separator: str) -> Table:
    """Return a table of a file that has no header; `separator` is a comma or blank, which stands for several.

    Raises
    ------
    BadInput
        Where a line has fewer cells than `names`, or the text is not UTF-8.
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
    """Return the table that begins with the line whose first cell is `first_cell`, up to an empty line.

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
    """Return the rows that have `wanted` in a column; without it, all where they all have the same.

    Raises
    ------
    BadInput
        Naming what there is, where that has to be said.
    """
    if column not in table.rows.columns:
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
    """Return a long table with a row for each `index`: of each name, its `values` under ``name + suffix``.

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
