"""What the pins of a case cost, and which of them leave no plan: answered by solving the case without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flexmine.assembly import assemble
from flexmine.errors import Infeasible, NoPlan
from flexmine.explain.prechecks import conflicts
from flexmine.inputs.case import Case
from flexmine.inputs.pins import Pin
from flexmine.solving.engine import SolveOptions, solve


@dataclass(frozen=True)
class PinAccount:
    """The pins of a plan and what they cost over its whole horizon [USD].

    Attributes
    ----------
    pins : tuple of str
        In words.
    cost_usd : float or None
        Money of the plan without them less that of the plan with them; None where there is no plan without them.
    least_usd, most_usd : float or None
        Between these lies the true difference, whatever the gaps of both plans hide.
    money_without_usd : float or None
    note : str
        Why there is no cost, or empty.
    """

    pins: tuple[str, ...]
    cost_usd: float | None
    least_usd: float | None
    most_usd: float | None
    money_without_usd: float | None
    note: str = ""

    @property
    def sentence(self) -> str:
        """What they cost, in words."""
        what = "the pin" if len(self.pins) == 1 else f"the {len(self.pins)} pins"
        if self.cost_usd is None or self.least_usd is None or self.most_usd is None:
            return f"what {what} cost is not known: {self.note}"
        proven = f"proven to lie between {self.least_usd:.2f} and {self.most_usd:.2f} USD"
        return f"cost of {what} over the horizon: {self.cost_usd:.2f} USD, {proven}"

    def document(self) -> dict[str, Any]:
        """Return it as it stands in plan.json."""
        figures: Mapping[str, float | None] = {
            "cost_usd": self.cost_usd,
            "least_usd": self.least_usd,
            "most_usd": self.most_usd,
            "money_without_usd": self.money_without_usd,
        }
        rounded = {key: None if value is None else round(value, 4) + 0.0 for key, value in figures.items()}
        return {"pins": list(self.pins), **rounded, "note": self.note}


def pin_account(case: Case, money_usd: float, bound_usd: float, options: SolveOptions) -> PinAccount | None:
    """Return what the pins of a case cost; None where it has none.

    Parameters
    ----------
    money_usd, bound_usd : float
        Of the plan with the pins.

    Notes
    -----
    With money m and bound b of both plans, the true cost lies between m(without) - b(with) and b(without) - m(with).
    It may be below 0 by itself only where a pin releases a container from its minimum up time.
    """
    pins = case.document.pins
    if not pins:
        return None
    words = tuple(pin.words for pin in pins)
    try:
        free = solve(assemble(with_pins(case, ())).problem, replace(options, preference=False))
    except (Infeasible, NoPlan) as error:
        return PinAccount(words, None, None, None, None, f"without pins: {error.messages[0]}")
    return PinAccount(
        words,
        cost_usd=free.money_usd - money_usd,
        least_usd=free.money_usd - bound_usd,
        most_usd=free.bound_usd - money_usd,
        money_without_usd=free.money_usd,
    )


def conflicting_pins(case: Case, options: SolveOptions) -> list[str]:
    """Return a sentence about the pins that leave no plan; empty where there would be none without pins either.

    Notes
    -----
    Pins are taken away one after the other as long as there is no plan without them; those that are left conflict
    with each other or with the rest of the case, and each of them is needed for the conflict.
    """
    needed = list(case.document.pins)
    if not needed or not _feasible(with_pins(case, ()), options):
        return []
    for pin in case.document.pins:
        fewer = [p for p in needed if p is not pin]
        if fewer and not _feasible(with_pins(case, fewer), options):
            needed = fewer
    told = "; and ".join(pin.words for pin in needed)
    if len(needed) == 1:
        return [f"a pin leaves no plan: {told}. Without it there is one"]
    return [f"{len(needed)} pins together leave no plan: {told}. Without any one of them there is one"]


def with_pins(case: Case, pins: Sequence[Pin]) -> Case:
    """Return the same case with other pins."""
    return replace(case, document=case.document.model_copy(update={"pins": tuple(pins)}))


def _feasible(case: Case, options: SolveOptions) -> bool:
    """Return whether there is a plan at all; where the search ends without one, it is not known and counts as yes."""
    problem = assemble(case).problem
    if conflicts(problem):
        return False
    try:
        solve(problem, replace(options, preference=False, gap=0.5))
    except Infeasible:
        return False
    except NoPlan:
        return True
    return True
