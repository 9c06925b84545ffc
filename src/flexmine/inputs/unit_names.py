"""Units that the name of a column states, as people write them: ``price_eur_mwh``, ``Last [kW]``, ``Temp. (°C)``.

A name says what a column holds whatever the case takes it for, so it is read without regard to the key: a price that
stands where a power belongs would plan without a complaint.  Only what can hardly be anything else counts.  A single
letter (``zone_c``) is a unit of temperature only where temperature is meant, and a word such as ``mw`` only at the end
of a name or in brackets.
"""

from __future__ import annotations

import re
import unicodedata

_ENERGY = {"mwh": "MWh", "kwh": "kWh", "gwh": "GWh", "wh": "Wh"}
_POWER = {"mw": "MW", "kw": "kW", "gw": "GW"}
_CURRENCIES = (
    *("usd", "eur", "gbp", "chf", "nok", "sek", "dkk", "isk", "pln", "czk", "huf", "ron", "bgn", "rsd", "uah", "rub"),
    *("kzt", "gel", "cny", "jpy", "krw", "inr", "cad", "aud", "nzd", "mxn", "brl", "ars", "clp", "cop", "zar", "aed"),
    *("sar", "omr", "etb", "kgs", "pyg"),
)
"""Of countries with markets of power or miners; words of a language, such as ALL or TRY, are left out."""
_SIGNS = {"€": "EUR", "£": "GBP", "₽": "RUB", "zł": "PLN", "$": "$"}
_DOLLARS = ("USD", "CAD", "AUD", "NZD", "MXN", "ARS", "CLP", "COP")
_PER = r"\s*(?:/|[_ ]per[_ ]|[_ ]pro[_ ])\s*"
_PER_OR_BLANK = r"\s*(?:/|[_ ]per[_ ]|[_ ]pro[_ ]|[_ ])\s*"
_MONEY = "|".join((*_CURRENCIES, *map(re.escape, _SIGNS)))
_PRICE = re.compile(rf"(?<![a-z0-9])({_MONEY}){_PER_OR_BLANK}(mwh|kwh|gwh)(?![a-z0-9/])")
_CO2 = r"(?:[ _]?co2[ _-]?(?:eq|e)?)?"
_CARBON = re.compile(
    rf"(?<![a-z0-9])(?:(kg|g){_CO2}{_PER_OR_BLANK}|(t|lb){_CO2}{_PER})(mwh|kwh)(?![a-z0-9/])",
)
_AREA = re.compile(rf"(?<![a-z0-9])(kwh|wh|kw|w){_PER_OR_BLANK}m\^?2(?![a-z0-9])")
_BLOCK = re.compile(rf"(?<![a-z0-9])btc{_PER}block(?![a-z])")
_THING = re.compile(rf"(?<![a-z0-9])({_MONEY}){_PER}(btc|mmbtu|gj|therm|m3)(?![a-z0-9])")
_RAMP = re.compile(rf"(?<![a-z0-9])(mw|kw|gw){_PER}(min|h|s)(?![a-z0-9])")
_SHARE = re.compile(rf"{_PER}(mwh|kwh|gwh|mw|kw|gw)(?![a-z0-9/])")
_DEGREES = re.compile(r"°\s*([cf])(?![a-z])|(?<![a-z])deg[_ ]?([cf])(?![a-z])|(celsius|fahrenheit|kelvin)")
_WORDS = "|".join((*_ENERGY, *_POWER, *_CURRENCIES))
_LETTERS = "[ckfw]"
_BRACKETS = re.compile(rf"[\[(]\s*({_WORDS}|{_LETTERS}|[€£₽$])\s*[\])]")
_IN = re.compile(rf"\sin\s+({_WORDS}|{_LETTERS}|[€£₽$])\s*$")
_END = re.compile(rf"(?:^|[\s_,.:|-])({_WORDS})\s*$|(?:[\s_]|^)([€£₽$])\s*$|_([ckf])$")
_OF_TEMPERATURE = re.compile(r"temp|bulb|dew[_ ]?point|(?:^|[_ ])(?:t_)?(?:air|ambient|outdoor|outside)(?:[_ ]|$)")
_OF_PRICE = re.compile(r"price|preis|tariff?|cost|kosten|pris(?![a-z])|prix|precio|цена")
_COMMON = ("USD", "EUR", "RUB")


def stated_units(column: str, quantity: str) -> list[str]:
    """Return the units that the name of a column states, whichever key it stands at.

    A unit of which only a part is stated is that part: ``EUR`` of ``price_eur``, ``/MWh`` of ``price_per_mwh``.

    Parameters
    ----------
    column : str
        The name, as the file has it.
    quantity : str
        What the key takes; a letter, or ``sek``, means something else beside a price than beside a temperature.

    Examples
    --------
    >>> stated_units("Day-ahead Price [EUR/MWh]", "available_mw")
    ['EUR/MWh']
    >>> stated_units("zone_c", "price_usd_per_mwh")
    []
    """
    text = unicodedata.normalize("NFKC", column.replace("º", "°")).lower().strip()
    found: list[str] = []

    def take(pattern: re.Pattern[str]) -> list[tuple[str | None, ...]]:
        # What is taken is taken out: the MWh of EUR/MWh is not an energy.
        nonlocal text
        groups = [match.groups() for match in pattern.finditer(text)]
        text = pattern.sub(" ", text)
        return groups

    found += [f"{_money(str(money))}/{_ENERGY[str(energy)]}" for money, energy in take(_PRICE)]
    found += [f"{heavy or light}/{_ENERGY[str(energy)]}" for heavy, light, energy in take(_CARBON)]
    areas = {**_ENERGY, "w": "W", "kw": "kW"}
    found += [f"{areas[str(power)]}/m2" for (power,) in take(_AREA)]
    found += [f"{_money(str(money))}/{str(thing).upper()}" for money, thing in take(_THING)]
    found += [f"{_POWER[str(power)]}/{time}" for power, time in take(_RAMP)]
    found += ["BTC/block" for _ in take(_BLOCK)]
    found += [f"/{ {**_ENERGY, **_POWER}[str(per)] }" for (per,) in take(_SHARE)]
    found += [str(next(filter(None, groups)))[0].upper() for groups in take(_DEGREES)]
    for pattern in (_BRACKETS, _IN, _END):
        for groups in take(pattern):
            word = str(next(filter(None, groups)))
            found += _word(word, column.lower(), quantity, bare=pattern is _END)
    return list(dict.fromkeys(found))


def agrees(unit: str, stated: str) -> bool:
    """Return whether a unit is the one that a name states, or a price per what it states, or in the money it does.

    Parameters
    ----------
    unit : str
        The whole unit that the case says.
    stated : str
        What :func:`stated_units` found.
    """
    if unit.lower() == stated.lower() or f"{unit}/BTC" == stated:
        return True
    above, _, below = unit.partition("/")
    if stated[:1] == "/":
        return below == stated[1:]
    money, _, per = stated.partition("/")
    same_money = above == money or (money == "$" and above in _DOLLARS)
    if per:
        return same_money and below == per
    # price_mwh is a price per MWh.
    return (same_money and bool(below or money == "$")) or (stated in _ENERGY.values() and below == stated)


def complete(unit: str) -> bool:
    """Return whether a stated unit is a whole one.

    Parameters
    ----------
    unit : str
        What :func:`stated_units` found; ``$`` may be the dollar of several countries.
    """
    return "$" not in unit and unit[:1] != "/"


def _money(text: str) -> str:
    return _SIGNS.get(text) or text.upper()


def _word(word: str, name: str, quantity: str, *, bare: bool) -> list[str]:
    """Return the unit that a word by itself is, none where it may well be something else."""
    if word in _ENERGY:
        return [] if _OF_PRICE.search(name) and bare and quantity != "price_usd_per_mwh" else [_ENERGY[word]]
    if word in _POWER:
        return [_POWER[word]]
    if word == "w":
        return ["W"] if quantity.endswith("_mw") else []
    if len(word) == 1 and word in "ckf":
        return [word.upper()] if quantity == "temperature_c" or _OF_TEMPERATURE.search(name) else []
    money = _money(word)
    # SEK is a second too, and CAD a program; beside a price they are what they look like.
    return [money] if not bare or quantity.endswith(("usd", "usd_per_mwh")) or money in (*_COMMON, "$") else []
