"""From the unit of a column to the unit of its key; a unit that is neither known nor converted by a factor is refused.

Powers and prices are means over an interval.  An energy (MWh, Wh/m2) is the sum over its interval: it is divided by
the length of the source's interval, so that the mean power over a step is the sum of its energies over its length.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from flexmine.errors import BadInput
from flexmine.inputs.series_spec import Series
from flexmine.inputs.unit_names import agrees, complete, stated_units

_ENERGY_MWH = {"MWh": 1.0, "kWh": 1e-3, "GWh": 1e3, "Wh": 1e-6}
_POWER_MW = {"MW": 1.0, "kW": 1e-3, "GW": 1e3, "W": 1e-6}
_CARBON = {"g/kWh": 1.0, "kg/MWh": 1.0, "kg/kWh": 1e3, "t/MWh": 1e3, "lb/MWh": 0.45359237}
_PER_ENERGY = {"MWh": 1.0, "kWh": 1e3, "GWh": 1e-3}
_PRICE = re.compile(r"([A-Z]{3})/(MWh|kWh|GWh)$")
_COIN_PRICE = re.compile(r"([A-Z]{3})(?:/BTC)?$")
_OWN = {
    "temperature_c": "C",
    "ghi_w_m2": "W/m2",
    "available_mw": "MW",
    "minimum_mw": "MW",
    "headroom_mw": "MW",
    "price_usd_per_mwh": "USD/MWh",
    "network_tariff_usd_per_mwh": "USD/MWh",
    "carbon_g_per_kwh": "g/kWh",
    "btc_price_usd": "USD/BTC",
    "difficulty": "1",
    "fees_btc_per_block": "BTC/block",
}
"""Unit of every quantity."""
_STEM = {
    "C": "c",
    "W/m2": "w_m2",
    "MW": "mw",
    "USD/MWh": "usd",
    "g/kWh": "g",
    "USD/BTC": "usd",
    "1": "",
    "BTC/block": "btc",
}
"""First word of a factor that leads to the unit: ``mw_per_m3_s``."""


@dataclass(frozen=True)
class Conversion:
    """Key = scale x (column x factors) + offset; `energy`: then divided by the length of the interval [h]."""

    unit: str
    scale: float = 1.0
    offset: float = 0.0
    energy: bool = False


def conversion(spec: Series, quantity: str) -> Conversion:
    """Return how a column becomes `quantity`, that of its key, such as ``price_usd_per_mwh``.

    Raises
    ------
    BadInput
        Where no unit is declared or stands in the column's name, where the two differ, where a currency has no rate
        (factor ``usd_per_eur``), or where a foreign unit has no factor that leads to the key's unit.
    """
    declared = _tidy(spec.unit) or unit_in_name(spec.column, quantity) or _of_format(spec)
    if not declared:
        raise BadInput(_without_unit(spec, quantity))
    for column in (spec.column, *spec.quantiles.values()):
        wrong = [unit for unit in stated_units(column, quantity) if not agrees(declared, unit)]
        if wrong:
            raise BadInput(
                f"the unit is {declared}, but the name of column {column} says {_shown(wrong[0])}; one of them is wrong"
            )
    found = _known(declared, quantity)
    currency = _currency(declared, quantity)
    if currency:
        _need_rate(spec, declared, currency)
    elif declared.startswith("USD"):
        _refuse_rate(spec, declared)
    if found is None and not _leads_home(spec, quantity, declared):
        raise BadInput(_unknown_unit(declared, quantity))
    return found or Conversion(declared)


def own_unit(quantity: str) -> str:
    """Return the unit of `quantity`, such as ``MW`` of ``available_mw``."""
    return _OWN[quantity]


def unit_in_name(column: str, quantity: str) -> str:
    """Return the unit in which the name of `column` ends, where `quantity` can be in it; empty where there is none.

    >>> unit_in_name("price_eur_mwh", "price_usd_per_mwh")
    'EUR/MWh'
    """
    stated = stated_units(column, quantity)
    if len(stated) == 1 and complete(stated[0]) and _known(stated[0], quantity):
        return stated[0]
    return "1" if quantity == "difficulty" and not stated and column.lower().endswith("difficulty") else ""


def _without_unit(spec: Series, quantity: str) -> str:
    """Return that a column has no unit, or that its name states one of something else."""
    own = _OWN[quantity]
    for unit in stated_units(spec.column, quantity):
        # Of a price only the money may be stated, or only what it is per.
        part = not complete(unit) or "/" not in unit
        if _known(unit, quantity) is None and not (part and "/" in own):
            return (
                f"the name of column {spec.column} says {_shown(unit)}, which is not a unit of {quantity}; is it the "
                f"right column? If it is, give it another name in the file, and write its unit, such as unit: {own}"
            )
    return (
        f"column {spec.column} has no unit; write the unit of the column as it stands in the file, such as unit: {own}"
    )


def _shown(stated: str) -> str:
    return f"something per {stated[1:]}" if stated[:1] == "/" else stated


def _tidy(unit: str) -> str:
    """Return a unit without what it is a unit of: ``MW of the station, above 200 MW`` is MW."""
    text = unit.partition(" of ")[0].strip().replace("€/", "EUR/").replace("²", "2")
    return {"°C": "C", "degC": "C", "°F": "F", "W/m^2": "W/m2", "Wh/m^2": "Wh/m2", "gCO2/kWh": "g/kWh"}.get(text, text)


def _of_format(spec: Series) -> str:
    """Return the unit that the format itself lays down, of the columns of typical years that a plan can use."""
    if not spec.typical_year:
        return ""
    return {"temp_air": "C", "temp_dew": "C", "ghi": "Wh/m2", "dni": "Wh/m2", "dhi": "Wh/m2"}.get(spec.column, "")


def _known(unit: str, quantity: str) -> Conversion | None:
    own = _OWN[quantity]
    if own == "MW":
        if unit in _POWER_MW:
            return Conversion(unit, _POWER_MW[unit])
        return Conversion(unit, _ENERGY_MWH[unit], energy=True) if unit in _ENERGY_MWH else None
    if own == "USD/MWh":
        match = _PRICE.match(unit)
        return Conversion(unit, _PER_ENERGY[match[2]]) if match else None
    if own == "USD/BTC":
        return Conversion(unit) if _COIN_PRICE.match(unit) else None
    table: dict[str, dict[str, Conversion]] = {
        "C": {"C": Conversion("C"), "K": Conversion("K", offset=-273.15), "F": Conversion("F", 5 / 9, -160 / 9)},
        "W/m2": {
            "W/m2": Conversion("W/m2"),
            "kW/m2": Conversion("kW/m2", 1e3),
            "Wh/m2": Conversion("Wh/m2", energy=True),
            "kWh/m2": Conversion("kWh/m2", 1e3, energy=True),
        },
        "g/kWh": {name: Conversion(name, scale) for name, scale in _CARBON.items()},
        "1": {"1": Conversion("1"), "T": Conversion("T", 1e12)},
        "BTC/block": {"BTC/block": Conversion("BTC/block"), "BTC": Conversion("BTC")},
    }
    return table[own].get(unit)


def _currency(unit: str, quantity: str) -> str:
    """Return the foreign currency of a price, empty where there is none."""
    own = _OWN[quantity]
    match = _PRICE.match(unit) if own == "USD/MWh" else _COIN_PRICE.match(unit) if own == "USD/BTC" else None
    return match[1] if match and match[1] != "USD" else ""


def _need_rate(spec: Series, unit: str, currency: str) -> None:
    rate = f"usd_per_{currency.lower()}"
    if rate not in [f.name for f in spec.factors]:
        raise BadInput(
            f"column {spec.column} is in {unit} and the key in USD; name the rate of exchange: "
            f"factors: [{{name: {rate}, value: ...}}]"
        )


def _refuse_rate(spec: Series, unit: str) -> None:
    for factor in spec.factors:
        match = re.fullmatch(r"usd_per_([a-z]{3})", factor.name)
        if match and match[1] not in ("mwh", "kwh", "btc"):
            raise BadInput(
                f"column {spec.column}: the unit is {unit}, but the factor {factor.name} turns {match[1].upper()} into "
                "USD; one of them is wrong"
            )


def _leads_home(spec: Series, quantity: str, unit: str) -> bool:
    """Return whether the name of a factor shows that it leads to the unit of the key, such as ``mw_per_m3_s``.

    A bare currency is not a unit of a price per MWh: its rate does not state the energy.
    """
    if _OWN[quantity] == "USD/MWh" and re.fullmatch(r"[A-Z]{3}", unit):
        return False
    stem = _STEM[_OWN[quantity]]
    return any(f.name.startswith(f"{stem}_per_") for f in spec.factors)


def _unknown_unit(unit: str, quantity: str) -> str:
    own = _OWN[quantity]
    known = {
        "MW": [*_POWER_MW, *_ENERGY_MWH],
        "USD/MWh": ["USD/MWh", "USD/kWh", "EUR/MWh"],
        "C": ["C", "K", "F"],
        "W/m2": ["W/m2", "kW/m2", "Wh/m2", "kWh/m2"],
        "g/kWh": list(_CARBON),
        "USD/BTC": ["USD/BTC", "USD", "EUR/BTC"],
        "1": ["1", "T"],
        "BTC/block": ["BTC/block"],
    }[own]
    near = difflib.get_close_matches(unit.lower(), [k.lower() for k in known], n=1)
    hint = next((f"; did you mean {k}?" for k in known if near and k.lower() == near[0]), ";")
    stem = _STEM[own]
    factor = f", or any unit with a factor named {stem}_per_... that leads to {own}" if stem else ""
    return f"the unit {unit!r} is not known for {quantity}{hint} Known: {', '.join(known)}{factor}"
