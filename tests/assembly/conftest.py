"""Cases made in memory: what the loader would hand over, without files."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from flexmine.inputs.case import Case
from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.schema import CaseDocument
from flexmine.problem import TimeAxis

CONTAINER: dict[str, Any] = {
    "schema": "flexmine-container/1",
    "name": "s19pro",
    "modes": [
        {"it_power_mw": p, "hash_rate_th_s": h}
        for p, h in ((0.52, 22880.0), (0.78, 31720.0), (1.04, 38480.0), (1.30, 44000.0))
    ],
    "miners": {"count": 400, "model": "s19pro"},
    "standby_mw": 0.01,
    "start": {"warm_off_h": 6.0},
    "sources": ["made for a test"],
}
THERMAL: dict[str, Any] = {"asleep": "asleep_dampers_shut"}
PLANT: dict[str, Any] = {
    "schema": "flexmine-plant/1",
    "name": "bratsk",
    "zone": "Asia/Irkutsk",
    "latitude_deg": 56.15,
    "longitude_deg": 101.63,
    "altitude_m": 400.0,
    "cap_mw": 10.0,
    "ramp_up_mw_per_h": 4.0,
    "ramp_down_mw_per_h": 2.0,
    "base_load_mw": 0.1,
    "containers": [{"model": "s19pro.yaml", "prefix": "C", "first": 1, "last": 6}],
    "sources": ["made for a test"],
}
CASE: dict[str, Any] = {
    "schema": "flexmine-case/1",
    "name": "made",
    "title": "Made for a test",
    "plant": "bratsk.yaml",
    "start": "2024-09-10T00:00:00+08:00",
    "horizon_h": 12.0,
    "series": {"temperature_c": {"file": "x.csv", "column": "t"}},
    "sources": [
        {"name": "surplus", "kind": "surplus", "available_mw": 8.0, "price_usd_per_mwh": 10.0},
        {"name": "grid", "kind": "firm", "available_mw": 10.0, "price_usd_per_mwh": 45.0},
    ],
    "hash_value": {
        "btc_price_usd": 57418.0,
        "difficulty": 83.675e12,
        "subsidy_btc": 3.125,
        "fees_btc_per_block": 0.1208,
        "pool_fee": 0.0,
        "firmware_fee": 0.0,
    },
    "state": {"initial_mw": 0.0, "default": {"on": False, "hours": 10.0}},
}


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """Return a function that makes a case; `case`, `plant`, `container` replace top-level keys of the documents."""
    return _make_case


def _make_case(
    case: dict[str, Any] | None = None,
    plant: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    models: dict[str, dict[str, Any]] | None = None,
    temperature_c: Any = 10.0,
    **series: Any,
) -> Case:
    document = CaseDocument.model_validate(deepcopy({**CASE, **(case or {})}))
    models = models or {"s19pro.yaml": {**CONTAINER, **(container or {})}}
    zone_plant = PlantDocument.model_validate(deepcopy({**PLANT, **(plant or {})}))
    steps = document.steps

    def full(value: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype=float), (steps,)).copy()

    values: dict[str, Any] = {
        "temperature_c": temperature_c,
        "hash_value.btc_price_usd": document.hash_value.btc_price_usd,
        "hash_value.difficulty": document.hash_value.difficulty,
        "hash_value.fees_btc_per_block": document.hash_value.fees_btc_per_block,
    }
    for source in document.sources:
        for key in ("available_mw", "price_usd_per_mwh", "network_tariff_usd_per_mwh"):
            values[f"sources.{source.name}.{key}"] = getattr(source, key)
    values |= {key.replace("__", "."): value for key, value in series.items()}
    return Case(
        name=document.name,
        title=document.title,
        notes=(),
        document=document,
        plant=zone_plant,
        container_models={name: ContainerDocument.model_validate(deepcopy(m)) for name, m in models.items()},
        time=TimeAxis(
            start=datetime.fromisoformat(str(document.start)), step_h=document.step_h, steps=steps, zone=zone_plant.zone
        ),
        publish_steps=document.publish_steps,
        series={key: full(value) for key, value in values.items()},
        inputs={},
    )
