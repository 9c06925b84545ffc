"""A plan in counts with its proof."""

from __future__ import annotations

from dataclasses import dataclass

from flexmine.errors import AuditFailed, Status
from flexmine.milp.class_data import ClassData
from flexmine.problem import Floats, Ints

FLOAT_NOISE = 1e-9
# Of one plan solved twice, or solved and audited, as a share of its money.
MONEY_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ClassPlan:
    """What one class of the model does, as counts; arrays have shape (T,).

    Attributes
    ----------
    warm_from : dict
        Where starts are tied to stops: (stop cohort, step) to how many start before they are cold; else empty.
    between : tuple of ndarray of int
        Starts of each tier between warm and cold.
    layers : Layers or None
        Where starts per day are limited.
    """

    class_data: ClassData
    on: Ints
    start: Ints
    stop: Ints
    warm: Ints
    it_power_mw: Floats
    warm_from: dict[tuple[int, int], int]
    between: tuple[Ints, ...] = ()
    layers: Layers | None = None


@dataclass(frozen=True)
class Layers:
    """Starts and stops by how many starts of the day the containers have used, layer j = 0 ... M.

    Attributes
    ----------
    stop, cold : ndarray of int, shape (M + 1, T)
        Stopping with j starts used; starting cold, as the j-th start of the day.
    tied : dict
        (starts used at the stop, stop cohort, step) to how many start before they are cold.
    """

    stop: Ints
    cold: Ints
    tied: dict[tuple[int, int, int], int]


@dataclass(frozen=True)
class Preference:
    """The second stage: fewest starts, then closest to an earlier plan, within what the asked gap leaves.

    Attributes
    ----------
    outcome : str
        ``off``; ``reached``: no plan within the gap has fewer starts;  ``approached``: the calmest plan that a price
        on starts finds, with `starts_at_least` as what is proven;  ``stopped``: a search ended before its proof, by
        its limit of work or a failure of the solver, and the plan is the best found until then;  ``no_room``, where
        the first stage did not reach the asked gap.
    given_up_usd : float
        Money of the first stage less that of the plan.
    starts_before, starts_after : int
    starts_at_least : int
        No plan within the asked gap has fewer.
    """

    outcome: str = "off"
    given_up_usd: float = 0.0
    starts_before: int = 0
    starts_after: int = 0
    starts_at_least: int = 0


@dataclass(frozen=True)
class Solution:
    """A plan in counts with its proof.

    Attributes
    ----------
    money_usd, bound_usd, gap : float
        Money of this plan, upper bound on the money of any plan, (bound - money) / max(1 USD, |money|).
    engine : str
        What closed the gap, or came nearest to it: ``rounding``, ``rounding+cuts``, ``rounding+branch``,
        ``rounding+mip`` or ``mip``.
    supply_mw : ndarray, shape (sources, T)
    preference : Preference
        What the second stage did.
    seconds : dict
        By phase: compile, pass, solve, preference.
    notes : tuple of str
        Why the engine went the way it went, where that needs a word.
    """

    status: Status
    money_usd: float
    bound_usd: float
    gap: float
    engine: str
    classes: tuple[ClassPlan, ...]
    supply_mw: Floats
    preference: Preference
    seconds: dict[str, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """Money, its bound, the gap between them, and the status that follows from the asked gap."""

    status: Status
    money_usd: float
    bound_usd: float
    gap: float


def proven(money_usd: float, bound_usd: float, asked_gap: float) -> Proof:
    r"""Return `money_usd`, `bound_usd`, their gap, and the status that `asked_gap` makes of it.

    .. math:: gap = (bound - money) / \max(1\,\mathrm{USD}, |money|)

    The bound cannot be below a plan that exists: what is left of a difference of two equal sums of floats counts as 0.
    """
    scale = max(1.0, abs(money_usd))
    bound = money_usd if bound_usd - money_usd <= FLOAT_NOISE * scale else bound_usd
    gap = (bound - money_usd) / scale
    return Proof(Status.OPTIMAL if gap <= asked_gap else Status.FEASIBLE, money_usd, bound, gap)


def check_fixed_money(fixed_usd: float, solution: Solution) -> None:
    """Check that a plan with the counts of a solution, its power settled again, earns no more than its gap leaves open.

    Parameters
    ----------
    fixed_usd : float
        Money of that plan [USD].
    solution : Solution

    Raises
    ------
    AuditFailed
        It earns more than any plan can: a limit on power is missing from the program that values and reasons come from.
    """
    money_usd, bound_usd = solution.money_usd, solution.bound_usd
    if fixed_usd > bound_usd + MONEY_TOLERANCE * max(1.0, abs(money_usd)):
        amounts = f"the plan earns {money_usd:.6f} USD, no plan earns more than {bound_usd:.6f} USD"
        raise AuditFailed(f"{amounts}, and with its commitment fixed {fixed_usd:.6f} USD: a limit on power is left out")
