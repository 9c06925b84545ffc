"""A case with everything it refers to, read, validated and on one time axis."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.errors import BadInput, printable
from flexmine.inputs.agreement import agreement
from flexmine.inputs.case_series import frozen, read_all_series, stated_numbers
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.filling import Filled
from flexmine.inputs.reading import Access
from flexmine.inputs.references import Reader
from flexmine.inputs.salvage import parts_of
from flexmine.inputs.schema import CaseDocument, case_problems
from flexmine.inputs.series import Feed
from flexmine.inputs.suspicious import suspicious
from flexmine.inputs.unusual import unusual
from flexmine.inputs.yaml_loader import Draft, loaded
from flexmine.problem import Floats, TimeAxis
from flexmine.resources import PREFIX, shipped_names, shipped_path, shipped_reference, short


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
        ``hash_value.btc_price_usd``, ``hash_value.difficulty``, ``hash_value.fees_btc_per_block``, ``minimum_mw``
        (where given).
    inputs : dict of str
        SHA-256 of every file read, by a portable name: relative to the case's folder, or ``shipped:NAME``.
    feeds : tuple of Feed
        Of every series: which file and column, how it became steps, which issue was used.
    filled : tuple of Filled
        Steps that a named policy has filled in.
    quantiles : dict of dict of ndarray, shape (T,)
        By dotted key and name (``p10``), of the series whose feed has columns of quantiles.
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
    feeds: tuple[Feed, ...] = ()
    filled: tuple[Filled, ...] = ()
    quantiles: dict[str, dict[str, Floats]] = field(default_factory=dict)


def load_case(
    path_or_name: str | Path, allow_outside: Sequence[str | Path] = (), as_of: datetime | None = None
) -> Case:
    """Read a case with its plant, container models and series.

    Parameters
    ----------
    path_or_name : str or Path
        A file; or, where no such file is, the name of a shipped case such as ``bratsk-day`` (or
        ``shipped:cases/bratsk-day``).
    allow_outside : sequence of str or Path
        Folders from which the case may read beside its own.
    as_of : datetime, optional
        Aware; in place of the case's own `as_of`: forecasts issued later are not used.

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
    read = {} if axis is None else read_all_series(case, document, axis, as_of or document.as_of, reader)
    series = {} if axis is None else stated_numbers(document, axis) | {key: frozen(r.values) for key, r in read.items()}
    notes: list[str] = []
    if plant is not None and plant.document is not None:
        suspicions = () if axis is None else suspicious(document, axis, read)
        refused, notes = unusual(case, document, plant, models, series, suspicions=suspicions)
        reader.wrong += refused
    if reader.wrong:
        raise BadInput(reader.wrong)
    assert axis is not None and plant is not None
    return Case(
        name=document.name,
        title=document.title,
        notes=(*document.notes, *notes, *(f"{r.feed.series}: {r.feed.note}" for r in read.values() if r.feed.note)),
        document=document,
        plant=loaded(plant).document,
        container_models=models,
        time=axis,
        publish_steps=document.publish_steps,
        series=series,
        inputs=dict(sorted(reader.inputs.items())),
        feeds=tuple(r.feed for r in read.values()),
        filled=tuple(f for r in read.values() for f in r.filled),
        quantiles={key: {name: frozen(q) for name, q in r.quantiles.items()} for key, r in read.items() if r.quantiles},
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
