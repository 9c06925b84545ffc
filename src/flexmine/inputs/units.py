"""Units by the end of a key, and a guess in words at what a value in the wrong unit was meant to be.

A guess is a help for the reader of a refusal; no value is ever converted on the strength of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Unit:
    """A unit and those it is mistaken for, each with the factor that turns it into this one.

    Attributes
    ----------
    currency : str
        What else a value that is far too large may be; no factor is known, so no number is suggested for it.
    """

    name: str
    mistaken: Mapping[str, float]
    currency: str = ""


_MASS = {"kg/kWh": 1e3, "t/MWh": 1e3, "g/MWh": 1e-3}
_SHARE = Unit("share of 1", {"percent": 0.01})
_BY_SUFFIX: dict[str, Unit] = {
    "_mw": Unit("MW", {"kW": 1e-3, "W": 1e-6, "GW": 1e3}),
    "_kw": Unit("kW", {"W": 1e-3, "MW": 1e3}),
    "_w": Unit("W", {"kW": 1e3, "MW": 1e6, "mW": 1e-3}),
    "_gw": Unit("GW", {}),
    "_mwh": Unit("MWh", {"kWh": 1e-3, "Wh": 1e-6, "GWh": 1e3}),
    "_kwh": Unit("kWh", {}),
    "_mw_per_h": Unit("MW per hour", {"kW per hour": 1e-3, "MW per minute": 60.0}),
    "_kw_per_h": Unit("kW per hour", {}),
    "_mw_per_min": Unit("MW per minute", {}),
    "_usd_per_mwh": Unit(
        "USD/MWh", {"USD/kWh": 1e3, "cents/kWh": 10.0, "cents/MWh": 0.01}, "another currency, such as RUB/MWh"
    ),
    "_usd_per_kwh": Unit("USD/kWh", {}),
    "_cents_per_kwh": Unit("cents/kWh", {}),
    "_eur_per_mwh": Unit("EUR/MWh", {}),
    "_rub_per_mwh": Unit("RUB/MWh", {}),
    "_th_s": Unit("TH/s", {"PH/s": 1e3, "GH/s": 1e-3, "EH/s": 1e6, "H/s": 1e-12}),
    "_ph_s": Unit("PH/s", {}),
    "_gh_s": Unit("GH/s", {}),
    "_eh_s": Unit("EH/s", {"PH/s": 1e-3, "TH/s": 1e-6, "H/s": 1e-18, "ZH/s": 1e3}),
    "_usd": Unit("USD", {"thousand USD": 1e3, "cents": 0.01}),
    "_cents": Unit("cents", {}),
    "_eur": Unit("EUR", {}),
    "_c": Unit("degrees C", {}),
    "_k": Unit("K", {}),
    "_f": Unit("degrees F", {}),
    "_h": Unit("h", {"minutes": 1 / 60, "seconds": 1 / 3600}),
    "_min": Unit("minutes", {}),
    "_minutes": Unit("minutes", {}),
    "_days": Unit("days", {}),
    "_s": Unit("s", {"ms": 1e-3, "minutes": 60.0}),
    "_ms": Unit("ms", {}),
    "_g_per_kwh": Unit("g/kWh", _MASS),
    "_kg_per_kwh": Unit("kg/kWh", {}),
    "_kg_per_mwh": Unit("kg/MWh", {}),
    "_w_m2": Unit("W/m2", {"kW/m2": 1e3}),
    "_kw_m2": Unit("kW/m2", {}),
    "_btc": Unit("BTC", {"satoshi": 1e-8, "mBTC": 1e-3}),
    "_btc_per_block": Unit("BTC per block", {"satoshi": 1e-8, "mBTC": 1e-3}),
    "_m": Unit("m", {"km": 1e3, "mm": 1e-3, "cm": 1e-2}),
    "_j_per_th": Unit("J/TH", {"J/GH": 1e3, "kWh/TH": 3.6e6}),
    "_deg": Unit("degrees", {}),
    "_w_per_k": Unit("W/K", {"kW/K": 1e3}),
    "_kw_per_k": Unit("kW/K", {"W/K": 1e-3}),
    "_mj_per_k": Unit("MJ/K", {"kJ/K": 1e-3, "J/K": 1e-6}),
    "_share": _SHARE,
    "_tolerance": _SHARE,
}
_BY_KEY: dict[str, Unit] = {
    "per_k": Unit("1/K", {}),
    "pool_fee": _SHARE,
    "firmware_fee": _SHARE,
    "host_hash_share": _SHARE,
    "expected_change": _SHARE,
    "recirculation_max": _SHARE,
    "absorptance": _SHARE,
    "share_at_stop": _SHARE,
    "gap": _SHARE,
    "difficulty": Unit("(a plain number, not trillions)", {"trillions": 1e12, "billions": 1e9}),
}
# What a value usually is; a guess is made only where the converted value falls in here.
_USUAL: dict[str, tuple[float, float]] = {
    "cap_mw": (0.5, 2000.0),
    "available_mw": (0.1, 2000.0),
    "headroom_mw": (0.1, 2000.0),
    "minimum_mw": (0.1, 1000.0),
    "base_load_mw": (0.001, 100.0),
    "initial_mw": (0.1, 1000.0),
    "ramp_up_mw_per_h": (0.1, 2000.0),
    "ramp_down_mw_per_h": (0.1, 2000.0),
    "it_power_mw": (0.05, 10.0),
    "minimum_power_mw": (0.05, 10.0),
    "standby_mw": (0.0005, 0.2),
    "fixed_mw": (0.0001, 0.2),
    "price_usd_per_mwh": (1.0, 500.0),
    "network_tariff_usd_per_mwh": (0.5, 200.0),
    "hosting_fee_usd_per_mwh": (10.0, 200.0),
    "carbon_g_per_kwh": (1.0, 1500.0),
    "btc_price_usd": (3_000.0, 500_000.0),
    "difficulty": (1.0e12, 1.0e15),
    "fees_btc_per_block": (0.001, 10.0),
    "modes.hash_rate_th_s": (1_000.0, 1.0e6),
    "hash_rate_th_s": (10.0, 2_000.0),
    "power_w": (500.0, 12_000.0),
    "sleep_w": (1.0, 100.0),
    "network_hash_rate_eh_s": (10.0, 5_000.0),
    "contracted_efficiency_j_per_th": (10.0, 120.0),
}
_USUAL_BY_UNIT: dict[str, tuple[float, float]] = {
    "share of 1": (0.0, 1.0),
    "h": (0.25, 168.0),
    "s": (0.1, 3600.0),
    "USD": (1.0, 50_000.0),
    "m": (1.0, 4000.0),
    "MWh": (0.001, 20.0),
    "kW": (0.1, 500.0),
    "W/K": (10.0, 5000.0),
    "kW/K": (1.0, 500.0),
    "MJ/K": (0.5, 100.0),
    "W/m2": (1.0, 1300.0),
}
_KELVIN, _USUAL_C = 273.15, (-65.0, 55.0)


def split(key: str) -> tuple[str, str]:
    """Return a key as its stem and the suffix that names the unit, such as ``("cap", "_mw")``; no unit: ``""``."""
    for suffix in sorted(_BY_SUFFIX, key=len, reverse=True):
        if key.endswith(suffix) and len(key) > len(suffix):
            return key.removesuffix(suffix), suffix
    return key, ""


def unit_of(key: str) -> Unit | None:
    """Return the unit that a key's name states, None where it states none."""
    suffix = split(key)[1]
    return _BY_KEY.get(key) or (_BY_SUFFIX[suffix] if suffix else None)


def guess(keys: Sequence[str | int], value: float) -> str:
    """Return a sentence such as "did you mean 10 MW? the value looks like kW", or an empty text where none fits.

    The last name among `keys`, which lead to the value, states its unit.
    """
    words = [key for key in keys if isinstance(key, str)]
    key = words[-1] if words else ""
    unit = unit_of(key)
    if unit is None or isinstance(value, bool) or abs(value) > 1e30:
        return ""
    if unit.name == "degrees C":
        return _guess_celsius(value)
    usual = _USUAL.get(".".join(words[-2:])) or _USUAL.get(key) or _USUAL_BY_UNIT.get(unit.name)
    if usual is None or (value < 0 and unit.name != "USD/MWh"):  # only a price is meant below 0
        return ""
    for name, factor in unit.mistaken.items():
        converted = value * factor
        if usual[0] <= abs(converted) <= usual[1]:
            if unit.currency and factor < 1:
                return f"the value looks like {unit.currency}, or like {name}"
            shown = f"{converted:g}" if unit.name.startswith(("share", "(")) else f"{converted:g} {unit.name}"
            return f"did you mean {shown}? the value looks like {name}"
    return ""


def _guess_celsius(value: float) -> str:
    low, high = _USUAL_C
    if low <= value - _KELVIN <= high:
        return f"did you mean {value - _KELVIN:g} degrees C? the value looks like kelvin"
    fahrenheit = (value - 32) / 1.8
    if low <= fahrenheit <= high:
        return f"did you mean {fahrenheit:.3g} degrees C? the value looks like Fahrenheit"
    return ""


def known_in_another_unit(key: str, known: Sequence[str]) -> str | None:
    """Return the one of the keys `known` that differs from `key` only by its unit, such as ``cap_mw`` for ``cap_kw``.

    None where there is none.
    """
    stem, suffix = split(key)
    for other in known:
        other_stem, other_suffix = split(other)
        if other_stem == stem and other_suffix and other_suffix != suffix:
            return other
    return None


def in_other_unit(key: str, other: str, value: Any) -> str:
    """Return what to write in place of ``key: value`` under the known key `other`, in its unit."""
    unit, wrong = unit_of(other), unit_of(key)
    assert unit is not None
    if (
        wrong is None
        or wrong.name not in unit.mistaken
        or isinstance(value, bool)
        or not isinstance(value, int | float)
    ):
        return f"it takes {unit.name}"
    return f"it takes {unit.name}: write {other}: {value * unit.mistaken[wrong.name]:g}"
