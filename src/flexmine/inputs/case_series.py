"""Every series of a case, read onto its time axis; what is wrong with one does not hide the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.layout import Layout
from flexmine.inputs.reading import MAX_CSV_BYTES
from flexmine.inputs.references import Reader
from flexmine.inputs.schema import CaseDocument
from flexmine.inputs.series import SeriesRead, read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table, read_table
from flexmine.inputs.typical_year import TypicalYear, read_typical_year
from flexmine.inputs.yaml_loader import Draft, Keys
from flexmine.problem import Floats, TimeAxis

SERIES_OF_SOURCE = (
    "available_mw",
    "price_usd_per_mwh",
    "network_tariff_usd_per_mwh",
    "carbon_g_per_kwh",
    "headroom_mw",
)


def stated_numbers(document: Any, axis: TimeAxis) -> dict[str, Floats]:
    """Return what `document` states as one number, by dotted key, as arrays of shape (T,), in the unit of the key."""
    return {
        dotted: frozen(np.full(axis.steps, float(value)))
        for dotted, _, _, value in series_entries(document)
        if not isinstance(value, Series)
    }


def read_all_series(
    case: Draft[CaseDocument], document: Any, axis: TimeAxis, as_of: datetime | None, reader: Reader
) -> dict[str, SeriesRead]:
    """Return every series that the case names by a file, by dotted key; what is wrong is kept by the reader.

    Parameters
    ----------
    case : Draft of CaseDocument
        For the places that messages name.
    document : CaseDocument
        Or, of a faulty case, an object with the parts that are right.
    axis : TimeAxis
    as_of : datetime or None
        Aware; forecasts issued later are not used.  None: no series may hold several issues.
    reader : Reader
    """
    read: dict[str, SeriesRead] = {}
    files: dict[tuple[Path, str, Layout | None], Table | TypicalYear] = {}
    for dotted, keys, quantity, value in series_entries(document):
        if not isinstance(value, Series):
            continue
        try:
            path = reader.access.resolve(value.file, case.path)
            which = (path, value.kind, value.layout)
            if which not in files:
                files[which] = _read_file(path, value, reader)
            read[dotted] = read_series(files[which], value, quantity, axis, key=dotted, as_of=as_of)
        except BadInput as error:
            reader.wrong += [case.at(keys, message) for message in error.messages]
    return read


def frozen(values: Floats) -> Floats:
    """Return the same array, read-only from now on."""
    values.setflags(write=False)
    return values


def series_entries(document: Any) -> Iterator[tuple[str, Keys, str, Series | float]]:
    """Yield (dotted key, keys in the file, quantity, value) of all in `document` that may be a series and is right."""
    for dotted, keys, quantity, value in _all_entries(document):
        if isinstance(value, Series | float | int):
            yield dotted, keys, quantity, value


def _all_entries(document: Any) -> Iterator[tuple[str, Keys, str, Any]]:
    for name in ("temperature_c", "ghi_w_m2"):
        yield name, ("series", name), name, getattr(document.series, name, None)
    for i, source in enumerate(document.sources or ()):
        for name in SERIES_OF_SOURCE:
            value = getattr(source, name, None)
            if value is not None:
                yield f"sources.{source.name}.{name}", ("sources", i, name), name, value
    for name in ("btc_price_usd", "difficulty", "fees_btc_per_block"):
        yield f"hash_value.{name}", ("hash_value", name), name, getattr(document.hash_value, name, None)
    yield "minimum_mw", ("minimum_mw",), "minimum_mw", document.minimum_mw


def _read_file(path: Path, spec: Series, reader: Reader) -> Table | TypicalYear:
    label = reader.access.portable(path)
    if not os.path.lexists(path):
        raise BadInput(f"there is no file {spec.file}; a path is relative to the case")
    try:
        raw = reader.raw(path, label, MAX_CSV_BYTES)
    except BadInput as error:
        raise BadInput([f"{spec.file} {message}" for message in error.messages]) from error
    if spec.typical_year:
        return read_typical_year(raw, label, spec.kind)
    return read_table(raw, label, spec.kind, spec.layout)
