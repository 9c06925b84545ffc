"""A case with everything it refers to, read, validated and on one time axis."""

from __future__ import annotations

from dataclasses import dataclass

from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.schema import CaseDocument
from flexmine.problem import Floats, TimeAxis


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
        ``sources.NAME.network_tariff_usd_per_mwh``, ``sources.NAME.carbon_g_per_kwh`` (where given),
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
