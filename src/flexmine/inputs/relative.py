"""A change of a number in words: ``+20 %``, ``x1.2``, ``+3``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from flexmine.errors import BadInput

EXAMPLES = '"+20 %", "x1.2" or "+3"'
_NUMBER = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([-+]?[0-9]{1,2}))?"
_SHARE = re.compile(rf"([-+])\s*{_NUMBER}\s*%")
_TIMES = re.compile(rf"[x*×]\s*{_NUMBER}")
_MORE = re.compile(rf"([-+])\s*{_NUMBER}")


@dataclass(frozen=True)
class Relative:
    """New value = old value x `factor`, or, where it `adds`, old value + `shift` [unit of the key]."""

    factor: float = 1.0
    shift: float = 0.0
    adds: bool = False

    @property
    def is_none(self) -> bool:
        """Whether it leaves every number unchanged."""
        return self.factor == 1.0 and self.shift == 0.0

    def of(self, number: float) -> float:
        """Return the changed `number`, computed in decimals: 50000 and +10 % are exactly 55000."""
        value = Decimal(repr(number))
        new = value + Decimal(repr(self.shift)) if self.adds else value * Decimal(repr(self.factor))
        return int(new) if isinstance(number, int) and new == new.to_integral_value() else float(new)


def relative(text: str) -> Relative | None:
    """Return the change of a number that a text describes, None where it is not such a text.

    >>> relative("+20 %").factor, relative("x1.5").factor, relative("+3").shift
    (1.2, 1.5, 3.0)

    Raises
    ------
    BadInput
        Where it would take away more than there is, or multiply by 0.
    """
    stripped = text.strip()
    if match := _SHARE.fullmatch(stripped):
        # In decimals, so that +20 % is the 1.2 that a person would write.
        share = _signed(match)
        if share < -100:
            raise BadInput("takes away more than there is and would turn the sign; give the value itself")
        return Relative(factor=float((100 + share) / 100))
    if match := _TIMES.fullmatch(stripped):
        times = _number(match[1], match[2])
        if times == 0:
            raise BadInput("leaves nothing of it; give the number 0")
        return Relative(factor=float(times))
    if match := _MORE.fullmatch(stripped):
        return Relative(shift=float(_signed(match)), adds=True)
    return None


def _signed(match: re.Match[str]) -> Decimal:
    value = _number(match[2], match[3])
    return -value if match[1] == "-" else value


def _number(digits: str, exponent: str | None) -> Decimal:
    return Decimal(f"{digits}e{exponent or 0}")
