"""A case with everything it refers to, read, validated and on one time axis."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator
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
from flexmine.inputs.miners import MinerDocument
from flexmine.inputs.schema import CaseDocument
from flexmine.inputs.series import Table, read_series, read_table
from flexmine.inputs.yaml_loader import D, Keys, Loaded, read_yaml
from flexmine.problem import Floats, TimeAxis
from flexmine.resources import PREFIX, shipped_names, shipped_path, shipped_reference

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


def load_case(path_or_name: str | Path) -> Case:
    """Read a case with its plant, container models and series.

    Parameters
    ----------
    path_or_name : str or Path
        A file; or, where no such file is, the name of a shipped case such as ``bratsk-day`` (or
        ``shipped:cases/bratsk-day``).

    Raises
    ------
    BadInput
        All that is wrong, one message each, with file, line and column.
    """
    case = _read_case_file(path_or_name)
    document = case.document
    folder = case.path.parent
    inputs = {case.label: _sha256(case.raw)}
    plant = _read_referred(case, ("plant",), document.plant, PlantDocument, folder=folder, inputs=inputs)
    models: dict[str, ContainerDocument] = {}
    found: list[str] = []
    for i, group in enumerate(plant.document.containers):
        if group.model not in models:
            try:
                model = _read_referred(
                    plant, ("containers", i, "model"), group.model, ContainerDocument, folder=folder, inputs=inputs
                )
                models[group.model] = _with_miners(model, folder=folder, inputs=inputs)
            except BadInput as error:
                found += error.messages
    axis = _time_axis(document, plant.document.zone)
    if not found:
        found += agreement(case, plant.document, models)
    series, wrong = _read_all_series(case, axis, folder, inputs)
    if found or wrong:
        raise BadInput([*found, *wrong])
    return Case(
        name=document.name,
        title=document.title,
        notes=document.notes,
        document=document,
        plant=plant.document,
        container_models=models,
        time=axis,
        publish_steps=document.publish_steps,
        series=series,
        inputs=dict(sorted(inputs.items())),
    )


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _read_case_file(path_or_name: str | Path) -> Loaded[CaseDocument]:
    path = Path(path_or_name)
    if not path.is_file():
        known = shipped_names("cases")
        name = str(path_or_name).removeprefix(f"{PREFIX}cases/")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise BadInput(
                f"there is no case file {path_or_name} and no shipped case of that name{hint} "
                f"Shipped cases: {', '.join(known)}"
            )
        path = shipped_path(f"cases/{name}")
    return read_yaml(path, CaseDocument, shipped_reference(path) or path.name)


def _portable(path: Path, folder: Path) -> str:
    """Return a name of `path` that means the same on another machine."""
    shipped = shipped_reference(path)
    if shipped:
        return shipped
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive on Windows: nothing relative leads there
        return path.name


def _resolve(reference: str, beside: Path) -> Path:
    if reference.startswith(PREFIX):
        return shipped_path(reference)
    return beside.parent / reference


def _read_referred(
    source: Loaded[Any], keys: Keys, reference: str, model: type[D], *, folder: Path, inputs: dict[str, str]
) -> Loaded[D]:
    """Read a YAML file that `source` names under `keys`."""
    try:
        path = _resolve(reference, source.path)
    except BadInput as error:
        raise BadInput([source.at(keys, message) for message in error.messages]) from error
    label = _portable(path, folder)
    if not path.is_file():
        raise BadInput(source.at(keys, f"there is no file {reference}; a path is relative to the file that names it"))
    loaded = read_yaml(path, model, label)
    inputs[label] = _sha256(loaded.raw)
    return loaded


def _with_miners(model: Loaded[ContainerDocument], *, folder: Path, inputs: dict[str, str]) -> ContainerDocument:
    """Return a container model with the presets of the miner file that it names, if it names one."""
    document = model.document
    if not document.names_miner_file:
        return document
    keys: Keys = ("miners", "model")
    miner = _read_referred(model, keys, document.miners.model, MinerDocument, folder=folder, inputs=inputs)
    return document.model_copy(update={"miners": document.miners.of_model(miner.document)})


def _time_axis(document: CaseDocument, zone: str) -> TimeAxis:
    local = document.start.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    # A fixed offset, so that adding hours counts elapsed time on days of 23 and 25 hours as well.
    return TimeAxis(local.replace(tzinfo=timezone(offset)), document.step_h, document.steps, zone)


def _entries(document: CaseDocument) -> Iterator[tuple[str, Keys, str, Series | float]]:
    """Yield (dotted key, keys in the file, quantity, value) of everything that may be a series."""
    for name in ("temperature_c", "ghi_w_m2"):
        value = getattr(document.series, name)
        if value is not None:
            yield name, ("series", name), name, value
    for i, source in enumerate(document.sources):
        for name in SERIES_OF_SOURCE:
            value = getattr(source, name)
            if value is not None:
                yield f"sources.{source.name}.{name}", ("sources", i, name), name, value
    for name in ("btc_price_usd", "difficulty"):
        yield f"hash_value.{name}", ("hash_value", name), name, getattr(document.hash_value, name)
    if document.minimum_mw is not None:
        yield "minimum_mw", ("minimum_mw",), "minimum_mw", document.minimum_mw


def _read_all_series(
    case: Loaded[CaseDocument], axis: TimeAxis, folder: Path, inputs: dict[str, str]
) -> tuple[dict[str, Floats], list[str]]:
    series: dict[str, Floats] = {}
    tables: dict[Path, Table] = {}
    wrong: list[str] = []
    for dotted, keys, quantity, value in _entries(case.document):
        if not isinstance(value, Series):
            series[dotted] = np.full(axis.steps, float(value))
            series[dotted].setflags(write=False)
            continue
        try:
            path = _resolve(value.file, case.path)
            if path not in tables:
                tables[path] = _read_csv(path, value.file, _portable(path, folder), inputs)
            series[dotted] = read_series(tables[path], value, quantity, axis)
            series[dotted].setflags(write=False)
        except BadInput as error:
            wrong += [case.at(keys, message) for message in error.messages]
    return series, wrong


def _read_csv(path: Path, reference: str, label: str, inputs: dict[str, str]) -> Table:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"there is no readable file {reference} ({error.strerror}); paths are relative to the case"
        ) from error
    inputs[label] = _sha256(raw)
    return read_table(raw, label)
