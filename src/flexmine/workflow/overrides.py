"""What an override costs, and which of several leave no plan: answered by solving the case without them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flexmine.assembly import assemble
from flexmine.errors import Infeasible, NoPlan
from flexmine.inputs.case import Case
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.solution import Proof
from flexmine.workflow.solve import solve_checked


@dataclass(frozen=True)
class OverrideCost:
    """The overrides of one kind in a plan, and what they cost over its whole horizon [USD].

    Attributes
    ----------
    kind : str
        What one of them is called; with an s, the key of their words in plan.json.
    words : tuple of str
        Each of them.
    cost_usd : float or None
        Money of the plan without them less that of the plan with them; None where there is no plan without them.
    least_usd, most_usd : float or None
        Bounds on the true difference, which the gaps of both plans leave open.
    money_without_usd : float or None
    note : str
        Why there is no cost; empty where there is one.
    """

    kind: str
    words: tuple[str, ...]
    cost_usd: float | None
    least_usd: float | None
    most_usd: float | None
    money_without_usd: float | None
    note: str = ""

    @property
    def sentence(self) -> str:
        """What they cost, in words."""
        what = f"the {self.kind}" if len(self.words) == 1 else f"the {len(self.words)} {self.kind}s"
        if self.cost_usd is None or self.least_usd is None or self.most_usd is None:
            return f"what {what} cost is not known: {self.note}"
        proven = f"proven to lie between {self.least_usd:.2f} and {self.most_usd:.2f} USD"
        return f"cost of {what} over the horizon: {self.cost_usd:.2f} USD, {proven}"

    def document(self) -> dict[str, Any]:
        """Return it as it stands in plan.json."""
        figures = {key: getattr(self, key) for key in ("cost_usd", "least_usd", "most_usd", "money_without_usd")}
        rounded = {key: None if value is None else round(value, 4) + 0.0 for key, value in figures.items()}
        return {f"{self.kind}s": list(self.words), **rounded, "note": self.note}


def cost_of_pins(case: Case, proof: Proof, options: SolveOptions) -> OverrideCost | None:
    """Return what the pins of a case cost, see :func:`cost_of_overrides`; None where it has none.

    The cost may be truly negative only where a pin releases a container from its minimum up time.
    """
    words = tuple(pin.words for pin in case.document.pins)
    return cost_of_overrides("pin", words, case.with_pins(()), proof, options) if words else None


def cost_of_overrides(
    kind: str, words: tuple[str, ...], without: Case, proof: Proof, options: SolveOptions
) -> OverrideCost:
    """Return what overrides cost: the money of the same case without them, less that of the plan.

    Parameters
    ----------
    kind : str
        What one of them is called, as in :class:`OverrideCost`.
    words : tuple of str
        Each of them.
    without : Case
        The case without them.
    proof : Proof
        Money and bound of the plan with them [USD].
    options : SolveOptions
        Of the plan.

    Notes
    -----
    With money m and bound b of both plans, the true cost lies between m(without) - b(with) and b(without) - m(with).
    """
    try:
        free = solve(assemble(without).problem, options.by_work())
    except (Infeasible, NoPlan) as error:
        return OverrideCost(kind, words, None, None, None, None, f"without {kind}s: {error.messages[0]}")
    return OverrideCost(
        kind,
        words,
        cost_usd=free.money_usd - proof.money_usd,
        least_usd=free.money_usd - proof.bound_usd,
        most_usd=free.bound_usd - proof.money_usd,
        money_without_usd=free.money_usd,
    )


def conflicting_pins(case: Case, options: SolveOptions) -> list[str]:
    """Return a sentence about the pins that leave no plan; empty where there would be none without pins either.

    Notes
    -----
    Pins are removed one after the other as long as there is no plan without them; those that are left conflict
    with each other or with the rest of the case, and each of them is needed for the conflict.
    """
    needed = list(case.document.pins)
    if not needed or not _feasible(case.with_pins(()), options):
        return []
    for pin in case.document.pins:
        fewer = [p for p in needed if p is not pin]
        if fewer and not _feasible(case.with_pins(fewer), options):
            needed = fewer
    pins_named = "; and ".join(pin.words for pin in needed)
    if len(needed) == 1:
        return [f"a pin leaves no plan: {pins_named}. Without it there is one"]
    return [f"{len(needed)} pins together leave no plan: {pins_named}. Without any one of them there is one"]


def _feasible(case: Case, options: SolveOptions) -> bool:
    """Return whether there is a plan at all; where the search ends without one, it is not known and counts as yes."""
    try:
        solve_checked(assemble(case).problem, replace(options, preference=False, gap=0.5))
    except Infeasible:
        return False
    except NoPlan:
        return True
    return True
