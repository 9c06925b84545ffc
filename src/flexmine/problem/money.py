"""Every dollar of a plan by the term that it belongs to, each declared once.

A term has its equation in :mod:`flexmine.milp.money` and its price in :mod:`flexmine.audit.prices`, written twice on
purpose.  The objective, the audit, the tables, plan.json and the report go through the terms that stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MoneyTerm:
    """One part of the money of a plan [USD].

    Attributes
    ----------
    name : str
        Of its equation, of its price, and with ``_usd`` of its column and its total.
    sign : int
        1 where it is earned, -1 where it is paid.
    words : str
        What a report calls it.
    by_step : bool
        Whether it falls into single steps; else it belongs to the horizon as a whole.
    """

    name: str
    sign: int
    words: str
    by_step: bool = True

    @property
    def key(self) -> str:
        """Its column in site.csv and its key in plan.json."""
        return f"{self.name}_usd"


MONEY_TERMS = (
    MoneyTerm("hash_revenue", 1, "hash revenue"),
    MoneyTerm("energy_cost", -1, "energy"),
    MoneyTerm("start_cost", -1, "starts"),
    MoneyTerm("terminal", 1, "terminal value", by_step=False),
)


def money_terms(*, by_step: bool | None = None) -> tuple[MoneyTerm, ...]:
    """Return the terms in their order: by `by_step` those of single steps, those of the horizon, or (None) all."""
    return tuple(term for term in MONEY_TERMS if by_step is None or term.by_step is by_step)


def net_of(parts: Mapping[str, Any], *, by_step: bool | None = None) -> Any:
    """Return what is earned less what is paid.

    Parameters
    ----------
    parts : mapping
        By name of the term, anything that can be added and subtracted: numbers, arrays, expressions of the model.
    by_step : bool, optional
        As in :func:`money_terms`.
    """
    net: Any = 0.0
    for term in money_terms(by_step=by_step):
        net = net + parts[term.name] if term.sign > 0 else net - parts[term.name]
    return net
