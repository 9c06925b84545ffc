"""One colour per meaning, the same in every chart; and how numbers are written.

Charts name a colour by its meaning (``@surplus``); the page puts in the hex value of the light or the dark scheme when
it draws, so that one specification serves both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Hues follow Okabe and Ito (2008) and keep apart for the common kinds of colour blindness; the luminance of each
# pair that lies side by side differs, so that a black-and-white print can be read too.
LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "ink": "#1d2327",
    "muted": "#5c666d",
    "grid": "#e4e8ea",
    "surplus": "#0a9484",
    "surplus2": "#4fb8aa",
    "firm": "#e39a00",
    "firm2": "#f2c05c",
    "left": "#d6efeb",
    "leftline": "#04564c",
    "cap": "#3c4348",
    "price": "#7a3e9d",
    "price2": "#b491ca",
    "hash": "#a87b00",
    "cold": "#2b6cb0",
    "hot": "#c0392b",
    "off": "#f1f2f3",
    "out": "#9aa3a8",
    "power0": "#a3c6e6",
    "power1": "#4a84bd",
    "power2": "#12396b",
    "good": "#0a7d55",
    "bad": "#b3261e",
}
DARK: Mapping[str, str] = {
    "paper": "#14191c",
    "ink": "#e8ecee",
    "muted": "#9eaab1",
    "grid": "#2b3439",
    "surplus": "#22b3a1",
    "surplus2": "#137a6d",
    "firm": "#f0ac1f",
    "firm2": "#a8770f",
    "left": "#183c39",
    "leftline": "#93e6da",
    "cap": "#c6ced3",
    "price": "#c08fe0",
    "price2": "#7d5a96",
    "hash": "#e2bd45",
    "cold": "#62a8e5",
    "hot": "#f0806f",
    "off": "#20282c",
    "out": "#66737b",
    "power0": "#2a4f78",
    "power1": "#4583bd",
    "power2": "#c4e1ff",
    "good": "#4cc38a",
    "bad": "#ff8a80",
}

THIN = "\u202f"  # narrow no-break space
THIN_SPACE = "\u2009"  # the same for the eye, but a line may end there
MINUS = "\u2212"


def paint(spec: Any, scheme: Mapping[str, str]) -> Any:
    """Return the chart specification `spec` with every ``@name`` replaced by the colour of `scheme`."""
    if isinstance(spec, dict):
        return {key: paint(value, scheme) for key, value in spec.items()}
    if isinstance(spec, list):
        return [paint(value, scheme) for value in spec]
    if isinstance(spec, str) and spec.startswith("@"):
        return scheme[spec[1:]]
    return spec


def number(value: float, digits: int = 0) -> str:
    """Return a number to `digits` decimals with thin spaces between thousands and a true minus sign; never "-0"."""
    text = f"{abs(value):,.{digits}f}".replace(",", THIN)
    negative = value < 0 and any(c in "123456789" for c in text)
    return MINUS + text if negative else text


def power(value_mw: float) -> str:
    """Return a power `value_mw` [MW] as in ``10.00 MW``."""
    return f"{number(value_mw, 2)}{THIN}MW"


def energy(value_mwh: float) -> str:
    """Return an energy `value_mwh` [MWh] as in ``143.2 MWh``."""
    return f"{number(value_mwh, 1)}{THIN}MWh"


def money(value_usd: float) -> str:
    """Return an amount `value_usd` [USD] as in ``4 310 USD``."""
    return f"{number(value_usd)}{THIN}USD"


def percent(share: float) -> str:
    """Return a `share` such as 0.84 as in ``84 %``: one digit below 10 %, so that a small difference still shows."""
    value = 100.0 * share
    return f"{number(value, 1 if abs(value) < 9.95 else 0)}{THIN}%"
