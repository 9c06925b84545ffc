"""Values that are possible, but far from anything usual beside the rest of the case: nearly always a wrong unit.

Such a value is refused until the case names its key under ``unusual``: a supply of 3,000 MW beside containers that
draw 10 MW may be a large dam, or 3 MW in kW, and a plan made from the wrong one looks right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from flexmine.inputs.equipment import ContainerDocument, PlantDocument
from flexmine.inputs.suspicious import Suspicion
from flexmine.inputs.units import guess
from flexmine.inputs.yaml_loader import Draft, Keys
from flexmine.problem import Floats

MANY_TIMES = 20.0
"""A limit this many times what can be drawn limits nothing."""
MANY_TIMES_SUPPLY = 50.0
"""The same for a supply, which may be that of a whole power station."""
SMALLEST_PRICE = {"price_usd_per_mwh": 0.3, "network_tariff_usd_per_mwh": 0.15, "hosting_fee_usd_per_mwh": 1.0}
"""Below it, and not 0, a price [USD/MWh] is one per kWh."""
LEAST_OF_RUNNING = 0.5
"""A site that drew less than this share of what its running containers need at least: one of the two is wrong."""
LARGEST_MEAN_PRICE = 1500.0
LARGEST_FEE = 0.2
SMALLEST_CARBON = 1.0
FIRST_BLOCK = datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC)
SECONDS_PER_BLOCK = 600.0
HEIGHT_BAND = 0.15
"""Blocks come a little faster than one in 600 s: by 4 % since the first."""


@dataclass(frozen=True)
class Verdict:
    """What was found at one key; `wrong` is empty where the value is usual."""

    dotted: str
    of_plant: bool
    keys: Keys
    wrong: str


def unusual(
    case: Draft[Any],
    document: Any,
    plant: Draft[PlantDocument],
    models: Mapping[str, ContainerDocument],
    series: Mapping[str, Floats],
    *,
    suspicions: Iterable[Suspicion] = (),
) -> tuple[list[str], list[str]]:
    """Return (refusals, notes): unusual values that the case does not name, and those that it does.

    Parameters
    ----------
    case : Draft of CaseDocument
        For the places that messages name.
    document : CaseDocument
        Or, of a faulty case, an object with the parts that are right.
    plant : Draft of PlantDocument
        With nothing wrong.
    models : mapping
        Container models that are right, by the reference that the plant's groups use.
    series : dict of ndarray, shape (T,)
        As :attr:`flexmine.inputs.case.Case.series`.
    suspicions : iterable
        What :func:`flexmine.inputs.suspicious.suspicious` yields.
    """
    assert plant.document is not None
    verdicts = [*_of_plant(plant.document, models), *_of_case(document, plant.document, models, series)]
    verdicts += [Verdict(dotted, False, keys, wrong) for dotted, keys, wrong in suspicions]
    known = ["hash_value", *dict.fromkeys(v.dotted for v in verdicts)]
    accepted = document.unusual or ()
    refused, notes = [], []
    for i, name in enumerate(accepted):
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ";"
            text = f"{name} is not a key that is looked at{hint} Known: {', '.join(known)}"
            refused.append(case.at(("unusual", i), text))
    for verdict in verdicts:
        if not verdict.wrong:
            continue
        if verdict.dotted in accepted:
            notes.append(f"{verdict.dotted}, named as unusual but meant: {verdict.wrong}")
        else:
            source = plant if verdict.of_plant else case
            refused.append(source.at(verdict.keys, f"{verdict.wrong}. {how_to_accept(verdict.dotted)}"))
    return refused, notes


def how_to_accept(dotted: str) -> str:
    """Return what to write into the case where the unusual value of the key `dotted` is meant."""
    return f"If it is meant as it stands, say so in the case: unusual: [{dotted}]"


def _of_plant(plant: PlantDocument, models: Mapping[str, ContainerDocument]) -> Iterator[Verdict]:
    fleet_mw = _fleet_mw(plant.container_names, plant, models)
    yield Verdict("plant.cap_mw", True, ("cap_mw",), _cap(plant.cap_mw, fleet_mw, models))
    for i, feeder in enumerate(plant.feeders):
        on_it_mw = _fleet_mw(feeder.containers, plant, models)
        keys: Keys = ("feeders", i, "cap_mw")
        what = f"its containers together draw ({on_it_mw:g} MW)"
        wrong = _too_much(keys, feeder.cap_mw, MANY_TIMES * on_it_mw, what)
        yield Verdict(f"plant.feeders.{feeder.name}.cap_mw", True, keys, wrong)
    for key in ("ramp_up_mw_per_h", "ramp_down_mw_per_h"):
        ramp = getattr(plant, key)
        most = 5 * MANY_TIMES * fleet_mw
        wrong = "" if ramp is None else _too_much((key,), ramp, most, f"all containers together draw ({fleet_mw:g} MW)")
        yield Verdict(f"plant.{key}", True, (key,), wrong)


def _of_case(
    document: Any, plant: PlantDocument, models: Mapping[str, ContainerDocument], series: Mapping[str, Floats]
) -> Iterator[Verdict]:
    fleet_mw, draw_mw = _fleet_mw(plant.container_names, plant, models), _draw_mw(plant, models)
    yield from of_sources(document, plant, models, series)
    for i, order in enumerate(document.orders or ()):
        cap_mw, keys = getattr(order, "cap_mw", None), ("orders", i, "cap_mw")
        if cap_mw is not None:
            what = f"the plant can draw ({draw_mw:g} MW), so it curtails nothing"
            wrong = _too_much(keys, cap_mw, MANY_TIMES * draw_mw, what)
            yield Verdict(f"orders.{order.name}.cap_mw", False, keys, wrong)
    initial_mw = getattr(document.state, "initial_mw", None)
    if initial_mw is not None:
        # Containers that could not be read draw nothing here: that is reported by itself.
        most = 3 * fleet_mw + plant.base_load_mw if fleet_mw else 0.0
        wrong = _too_much(("state", "initial_mw"), initial_mw, most, f"all containers together draw ({fleet_mw:g} MW)")
        wrong = wrong or _too_little(initial_mw, *_running(document.state, plant, models))
        yield Verdict("state.initial_mw", False, ("state", "initial_mw"), wrong)
    yield from _of_hash_value(document.hash_value, getattr(document, "start", None))


def of_sources(
    document: Any, plant: PlantDocument, models: Mapping[str, ContainerDocument], series: Mapping[str, Floats]
) -> Iterator[Verdict]:
    """Yield what was found at each supply, price and intensity of a source.

    Parameters
    ----------
    document : CaseDocument
        Or, of a faulty case, an object with the parts that are right.
    plant : PlantDocument
    models : mapping of ContainerDocument
        By the reference that the plant's groups use.
    series : mapping of ndarray
        By dotted key; a key that is not in it is not looked at.

    Yields
    ------
    Verdict
    """
    draw_mw = _draw_mw(plant, models)
    for i, source in enumerate(document.sources or ()):
        for name in ("available_mw", "price_usd_per_mwh", "network_tariff_usd_per_mwh", "carbon_g_per_kwh"):
            dotted, keys = f"sources.{getattr(source, 'name', None)}.{name}", ("sources", i, name)
            values = series.get(dotted)
            if values is None:
                continue
            if name == "available_mw":
                most, what = MANY_TIMES_SUPPLY * draw_mw, f"the plant can draw ({draw_mw:g} MW)"
                wrong = _too_much(keys, float(values.max()), most, what)
            elif name == "carbon_g_per_kwh":
                wrong = _small(keys, values, SMALLEST_CARBON)
            else:
                wrong = _price(keys, values)
            yield Verdict(dotted, False, keys, wrong)


def _draw_mw(plant: PlantDocument, models: Mapping[str, ContainerDocument]) -> float:
    """Return what the plant can draw [MW].

    A cap below what one container needs is reported by itself, and not once more with every supply.
    """
    return min(_fleet_mw(plant.container_names, plant, models), max(plant.cap_mw, _needs_mw(models)))


def _of_hash_value(terms: Any, start: datetime | None) -> Iterator[Verdict]:
    height = getattr(terms, "block_height", None)
    if height is not None and start is not None:
        yield Verdict("hash_value.block_height", False, ("hash_value", "block_height"), _height(height, start))
    for name in ("pool_fee", "firmware_fee"):
        fee, keys = getattr(terms, name, None), ("hash_value", name)
        if fee is not None:
            wrong = ""
            if fee > LARGEST_FEE:
                wrong = f"{fee:g} is a share, {100 * fee:g} % of the hash value: more than any pool takes"
                wrong += _guessed(keys, fee)
            yield Verdict(f"hash_value.{name}", False, keys, wrong)
    fee = getattr(terms, "hosting_fee_usd_per_mwh", None)
    if fee is not None:
        keys = ("hash_value", "hosting_fee_usd_per_mwh")
        yield Verdict("hash_value.hosting_fee_usd_per_mwh", False, keys, _price(keys, np.array([fee])))


def _fleet_mw(names: tuple[str, ...], plant: PlantDocument, models: Mapping[str, ContainerDocument]) -> float:
    """Return what containers draw at the meter at full power, in mild weather [MW]."""
    groups = plant.group_of
    used = [models[groups[name].model] for name in names if name in groups and groups[name].model in models]
    return sum(m.highest_it_power_mw * m.overhead.base for m in used)


def _cap(cap_mw: float, fleet_mw: float, models: Mapping[str, ContainerDocument]) -> str:
    needs_mw = _needs_mw(models)
    if cap_mw < needs_mw:
        guessed = _guessed(("cap_mw",), cap_mw)
        return f"{cap_mw:g} MW is less than a single container needs to run ({needs_mw:g} MW){guessed}"
    return _too_much(("cap_mw",), cap_mw, MANY_TIMES * fleet_mw, f"all containers together draw ({fleet_mw:g} MW)")


def _needs_mw(models: Mapping[str, ContainerDocument]) -> float:
    return min((m.lowest_it_power_mw * m.overhead.base for m in models.values()), default=0.0)


def _height(height: int, start: datetime) -> str:
    """Return what is wrong with a height that is far from that of its day, and so perhaps of another subsidy."""
    usual = (start - FIRST_BLOCK).total_seconds() / SECONDS_PER_BLOCK
    if abs(height - usual) <= HEIGHT_BAND * max(usual, 0.0):
        return ""
    return f"block {height} is far from the blocks of {start:%B %Y}, about {max(usual, 0.0):.0f}"


def _too_much(keys: Keys, value: float, most: float, what: str) -> str:
    if most <= 0 or value <= most:
        return ""
    return f"{value:g} MW is far more than {what}{_guessed(keys, value)}"


def _running(state: Any, plant: PlantDocument, models: Mapping[str, ContainerDocument]) -> tuple[int, float]:
    """Return how many containers run before the first step, and what they draw at least at the meter [MW]."""
    named, groups = state.containers or {}, plant.group_of
    running = [name for name in plant.container_names if getattr(named.get(name, state.default), "on", False)]
    used = [models[groups[name].model] for name in running if name in groups and groups[name].model in models]
    return len(used), sum(m.lowest_it_power_mw * m.overhead.base for m in used)


def _too_little(initial_mw: float, running: int, least_mw: float) -> str:
    if initial_mw >= LEAST_OF_RUNNING * least_mw:
        return ""
    return f"{initial_mw:g} MW is far less than the {running} containers that run in this state draw ({least_mw:g} MW)"


def _price(keys: Keys, values: Floats) -> str:
    """Return what is wrong with a price whose every value is nearly nothing, or whose mean is far beyond any market."""
    mean = float(np.abs(values).mean())
    if mean > LARGEST_MEAN_PRICE:
        which = "" if np.all(values == values[0]) else "a mean of "
        return f"{which}{mean:g} USD/MWh is beyond any market{_guessed(keys, mean)}"
    return _small(keys, values, SMALLEST_PRICE[str(keys[-1])])


def _small(keys: Keys, values: Floats, smallest: float) -> str:
    largest = float(values[int(np.abs(values).argmax())])
    if largest == 0 or abs(largest) >= smallest:
        return ""
    which = "" if np.all(values == largest) else " (the largest value)"
    return f"{largest:g}{which} is nearly nothing, and not 0{_guessed(keys, largest)}"


def _guessed(keys: Keys, value: float) -> str:
    meant = guess(keys, value)
    return f"; {meant}" if meant else ""
