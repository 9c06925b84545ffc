"""A case with everything it refers to, read, validated and on one time axis."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.agreement import agreement
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.fields import Series
from flexmine.inputs.reading import MAX_CSV_BYTES, Access
from flexmine.inputs.references import Reader
from flexmine.inputs.salvage import parts_of
from flexmine.inputs.schema import CaseDocument, case_problems
from flexmine.inputs.series import Table, read_series, read_table
from flexmine.inputs.yaml_loader import Draft, Keys, loaded, printable
from flexmine.problem import Floats, TimeAxis
from flexmine.resources import PREFIX, shipped_names, shipped_path, shipped_reference, short

SERIES_OF_SOURCE = (
    "available_mw",
    "price_usd_per_mwh",
    "network_tariff_usd_per_mwh",
    "carbon_g_per_kwh",
    "headroom_mw",
)


@dataclass(frozen=True)
class Case:
    """What a person wrote, checked and resolved; no physics yet.

    Attributes
    ----------
    container_models : dict
        By the text that the plant's groups use as `model`.
    publish_steps : int
        The first so many steps are the plan, the rest is look-ahead.
    series : dict of ndarray, shape (T,)
        Every number or series of the case by its dotted key: ``temperature_c``, ``ghi_w_m2`` (where given),
        ``sources.NAME.available_mw``, ``sources.NAME.price_usd_per_mwh``,
        ``sources.NAME.network_tariff_usd_per_mwh``, ``sources.NAME.carbon_g_per_kwh`` and
        ``sources.NAME.headroom_mw`` (where given),
        ``hash_value.btc_price_usd``, ``hash_value.difficulty``, ``minimum_mw`` (where given).
    inputs : dict of str
        SHA-256 of every file read, by a portable name: relative to the case's folder, or ``shipped:NAME``.
    filled : tuple of str
        Values that a named policy has filled in.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    document: CaseDocument
    plant: PlantDocument
    container_models: dict[str, ContainerDocument]
    time: TimeAxis
    publish_steps: int
    series: dict[str, Floats]
    inputs: dict[str, str]
    filled: tuple[str, ...] = ()


def load_case(path_or_name: str | Path, allow_outside: Sequence[str | Path] = ()) -> Case:
    """Read a case with its plant, container models and series.

    Parameters
    ----------
    path_or_name : str or Path
        A file; or, where no such file is, the name of a shipped case such as ``bratsk-day`` (or
        ``shipped:cases/bratsk-day``).
    allow_outside : sequence of str or Path
        Folders from which the case may read beside its own.

    Raises
    ------
    BadInput
        All that is wrong in all files, one message each, with file, line and column.
    """
    path = _case_file(path_or_name)
    reader = Reader(Access(path.parent, [Path(folder) for folder in allow_outside]))
    label = shipped_reference(path) or path.name
    try:
        case = reader.draft(path, CaseDocument, label)
    except BadInput as error:
        raise BadInput([f"{path}: {message}" for message in error.messages]) from error
    if case.data is None:
        raise BadInput(reader.wrong)
    document = parts_of(case.data, CaseDocument)
    plant = reader.referred(case, ("plant",), case.data.get("plant"), PlantDocument)
    models = {} if plant is None else reader.models(plant)
    more = [] if case.document else [case.at(keys, message) for keys, message in case_problems(document)]
    if plant is not None and plant.document is not None:
        more += agreement(case, document, plant.document, models)
    reader.wrong += [message for message in more if message not in reader.wrong]
    axis = _time_axis(document, plant)
    series = {} if axis is None else _read_all_series(case, document, axis, reader)
    if reader.wrong:
        raise BadInput(reader.wrong)
    assert axis is not None and plant is not None
    return Case(
        name=document.name,
        title=document.title,
        notes=document.notes,
        document=document,
        plant=loaded(plant).document,
        container_models=models,
        time=axis,
        publish_steps=document.publish_steps,
        series=series,
        inputs=dict(sorted(reader.inputs.items())),
    )


def _case_file(path_or_name: str | Path) -> Path:
    path = Path(path_or_name)
    if os.path.isfile(path):  # noqa: PTH113 - unlike Path.is_file it is False, not an error, for an impossible name
        return path
    known = shipped_names("cases")
    name = str(path_or_name).removeprefix(f"{PREFIX}cases/")
    if name in known:
        return shipped_path(f"cases/{name}")
    if os.path.isdir(path):  # noqa: PTH112
        raise BadInput(f"{path} is a folder; name the case file in it, such as {path / 'case.yaml'}")
    if os.path.exists(path):  # noqa: PTH110
        return path  # a pipe or a device: reading says so
    near = difflib.get_close_matches(short(name), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise BadInput(
        printable(
            f"there is no case file {short(path_or_name)} and no shipped case of that name{hint} "
            f"Shipped cases: {', '.join(known)}"
        )
    )


def _time_axis(document: Any, plant: Draft[PlantDocument] | None) -> TimeAxis | None:
    """Return the steps of the case; None where the case does not say when it is."""
    if document.start is None or document.step_minutes is None or document.horizon_h is None:
        return None
    step_h = document.step_minutes / 60.0
    steps = round(document.horizon_h / step_h)
    if steps < 1:
        return None
    zone = plant.document.zone if plant is not None and plant.document is not None else "UTC"
    local = document.start.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    # A fixed offset, so that adding hours counts elapsed time on days of 23 and 25 hours as well.
    return TimeAxis(local.replace(tzinfo=timezone(offset)), step_h, steps, zone)


def _entries(document: Any) -> Iterator[tuple[str, Keys, str, Series | float]]:
    """Yield (dotted key, keys in the file, quantity, value) of everything that may be a series and is right."""
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
    for name in ("btc_price_usd", "difficulty"):
        yield f"hash_value.{name}", ("hash_value", name), name, getattr(document.hash_value, name, None)
    yield "minimum_mw", ("minimum_mw",), "minimum_mw", document.minimum_mw


def _read_all_series(case: Draft[CaseDocument], document: Any, axis: TimeAxis, reader: Reader) -> dict[str, Floats]:
    """Return every series of the case; what is wrong is kept by the reader."""
    series: dict[str, Floats] = {}
    tables: dict[Path, Table] = {}
    for dotted, keys, quantity, value in _entries(document):
        if not isinstance(value, Series):
            series[dotted] = np.full(axis.steps, float(value))
            series[dotted].setflags(write=False)
            continue
        try:
            path = reader.access.resolve(value.file, case.path)
            if path not in tables:
                tables[path] = _read_csv(path, value.file, reader)
            series[dotted] = read_series(tables[path], value, quantity, axis)
            series[dotted].setflags(write=False)
        except BadInput as error:
            reader.wrong += [case.at(keys, message) for message in error.messages]
    return series


def _read_csv(path: Path, reference: str, reader: Reader) -> Table:
    label = reader.access.portable(path)
    if not os.path.lexists(path):
        raise BadInput(f"there is no file {reference}; a path is relative to the case")
    try:
        raw = reader.raw(path, label, MAX_CSV_BYTES)
    except BadInput as error:
        raise BadInput([f"{reference} {message}" for message in error.messages]) from error
    return read_table(raw, label)
