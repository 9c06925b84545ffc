"""Containers that draw more or less than planned, planned as they were measured."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.inputs.equipment import ContainerDocument, Group
from flexmine.inputs.miners import MinerDocument, Preset
from flexmine.inputs.yaml_loader import Loaded
from flexmine.jobs.job import Job
from flexmine.jobs.template import BIAS_FILE, Template
from flexmine.store.readings import readings_between
from flexmine.store.runs import RunStore

STEP, LOWEST, HIGHEST = 0.01, 0.8, 1.25
"""Factors are whole per cent, so that containers stay alike; beyond these ends a meter is wrong, not a container."""


def bias_factors(job: Job, store: RunStore, begin: datetime, warn: Callable[[str], None]) -> dict[str, float]:
    """Return, by container, measured over unbiased planned power where the two differ.

    Parameters
    ----------
    job : Job
    store : RunStore
    begin : datetime
        Aware; the readings of the ``bias_days`` before it are used.
    warn : callable
        Receives a sentence for each container whose factor is below `LOWEST` or above `HIGHEST`; it gets no factor.

    Raises
    ------
    BadInput
        The store cannot be read, or the inputs of a run with readings were altered.

    Notes
    -----
    Over the steps in which a container ran as planned, with the factor that the plan in force already held for it (1
    where it held none)::

        factor = sum(measured_mw) / sum(planned_mw / factor_of_plan)

    rounded to `STEP`.  Containers whose factor is 1 are left out.
    """
    telemetry = job.document.telemetry
    if telemetry is None or telemetry.bias_days is None:
        return {}

    @cache
    def applied(run_id: str) -> Mapping[str, float]:
        return read_bias(store.inputs(store.find(run_id))) if run_id else {}

    actual: dict[str, float] = defaultdict(float)
    planned: dict[str, float] = defaultdict(float)
    for r in readings_between(store.engine, job.plant, begin - timedelta(days=telemetry.bias_days), begin):
        if r.is_on and r.planned_on:
            actual[r.container] += r.power_mw
            planned[r.container] += r.planned_mw / applied(r.run_id).get(r.container, 1.0)
    found = {}
    for name, mw in sorted(planned.items()):
        factor = round(actual[name] / mw / STEP) * STEP if mw > 0.0 else 1.0
        if not LOWEST <= factor <= HIGHEST:
            warn(
                f"{name}: measured {factor:.2f} of the planned power; that is a meter's fault, and is not planned with"
            )
        elif abs(factor - 1.0) > STEP / 2:
            found[name] = round(factor, 4)
    return found


def read_bias(inputs: Path) -> dict[str, float]:
    """Return the factors by container that the folder `inputs` was written with; empty where it was written without."""
    file = inputs / BIAS_FILE
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def with_bias(template: Template, factors: Mapping[str, float]) -> Template:
    """Return a template in which the containers named in `factors` have models of their own with scaled powers.

    `factors` maps the name of a container to measured over planned power; without any, the template is returned
    unchanged.

    Raises
    ------
    BadInput
        The case limits how many of a model run at once, which has no meaning once its containers differ.
    """
    if not factors:
        return template
    if template.case.document.available:
        raise BadInput(
            "telemetry.bias_days: the case has `available` counts of models, which a bias by container splits"
        )
    models, miners = dict(template.models), dict(template.miners)
    groups: list[Group] = []
    for group in template.plant.document.containers:
        by_factor: dict[float, list[str]] = defaultdict(list)
        for name in group.containers:
            by_factor[factors.get(name, 1.0)].append(name)
        for factor, names in by_factor.items():
            reference = group.model if factor == 1.0 else f"{group.model}*{factor:g}"
            if factor != 1.0:
                models[reference] = _scaled_model(template, group.model, factor)
                if group.model in template.miners:
                    miners[reference] = _scaled_miners(template, group.model, factor)
            own = Group(model=reference, names=tuple(names))
            groups.append(own if group.client is None else own.model_copy(update={"client": group.client}))
    plant = template.plant.document.model_copy(update={"containers": tuple(groups)})
    return replace(
        template, plant=replace(template.plant, document=plant), models=models, miners=miners, bias=dict(factors)
    )


def _name(name: str, factor: float) -> str:
    return f"{name}-x{factor * 100:.0f}"


def _scaled_model(template: Template, reference: str, factor: float) -> Loaded[ContainerDocument]:
    loaded = template.models[reference]
    document: ContainerDocument = loaded.document
    miners = document.miners
    scaled: dict[str, Any] = {"presets": tuple(_scaled(p, factor) for p in miners.presets)} if miners.presets else {}
    if miners.minimum_power_mw is not None:
        scaled["minimum_power_mw"] = miners.minimum_power_mw * factor
    update: dict[str, Any] = {"name": _name(document.name, factor), "miners": miners.model_copy(update=scaled)}
    if document.modes:
        update["modes"] = tuple(m.model_copy(update={"it_power_mw": m.it_power_mw * factor}) for m in document.modes)
    return replace(loaded, document=document.model_copy(update=update))


def _scaled_miners(template: Template, reference: str, factor: float) -> Loaded[MinerDocument]:
    loaded = template.miners[reference]
    document: MinerDocument = loaded.document
    presets = tuple(_scaled(p, factor) for p in document.presets)
    return replace(
        loaded, document=document.model_copy(update={"name": _name(document.name, factor), "presets": presets})
    )


def _scaled(preset: Preset, factor: float) -> Preset:
    return preset.model_copy(update={"power_w": preset.power_w * factor})
