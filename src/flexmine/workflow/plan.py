"""The Plan: one audited schedule, with everything that a person or a machine asks about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flexmine.errors import Status
from flexmine.problem import Floats, Problem
from flexmine.problem.schedule import Schedule

if TYPE_CHECKING:
    import pandas as pd

    from flexmine.assembly.causes import Cause
    from flexmine.audit.replay import Replay
    from flexmine.baselines.rules import RuleResult
    from flexmine.baselines.value_of_planning import ValueOfPlanning
    from flexmine.explain.break_even import BreakEven
    from flexmine.explain.reasons import Reasons
    from flexmine.inputs.changes import Change
    from flexmine.inputs.filling import Filled
    from flexmine.inputs.series import Feed
    from flexmine.planning.carbon import CarbonAccount
    from flexmine.workflow.overrides import OverrideCost

GIVEN = ("previous_plan", "hold")
"""Engines that search for nothing: the last steps of the fallback chain."""


@dataclass(frozen=True)
class Plan:
    """An audited plan.

    Attributes
    ----------
    case_name, title : str
        Of the case.
    problem : Problem
        What was planned: every set and parameter, as numbers.
    status : Status
        ``optimal``, ``feasible`` or ``fallback``.
    schedule, replay : Schedule, Replay
        Of the rounded, realisable plan, and what the audit recomputed for it.
    money_usd, bound_usd, gap : float
        The model's objective over the whole horizon, its proven upper bound, and
        ``(bound - money) / max(1 USD, |money|)``.
    asked_gap : float
        The gap at which the search may stop.
    engine : str
        How it was solved: ``rounding``, ``mip``, or the step of the fallback chain that it comes from.
    perspective : str
        Whose money is counted.
    publish_steps : int
        The first so many steps are the plan; the rest is look-ahead.
    rules : tuple of RuleResult
        What simple rules earn on the same problem.
    break_even : tuple of BreakEven
        By class.
    temperature_c : ndarray, shape (T,) or None
        Outside temperature, to show [C].
    carbon : CarbonAccount or None
        Emissions by hour, location-based.
    pins : OverrideCost or None
        What operators have pinned, and what that costs.
    day_kind : ValueOfPlanning or None
        What modes and looking ahead bring.
    preference : mapping
        What the second stage did: outcome, money given up, starts before and after.
    state_after : mapping
        The fleet at the end of the published part, in the shape of a case's ``state``.
    reasons : Reasons or None
        Why each container does what it does, and what one more MW is worth.
    overrides : tuple of str
        Outages, windows, orders, obligations and pins, in words.
    breaches : tuple of mapping
        Contracts that the plan does not keep, with what that costs; none exist yet.
    causes : tuple of Cause
        Outages, windows, orders and obligations of the case, by class and step.
    chain : tuple of mapping
        Retarget and halvings within the horizon, each with its expected time.
    notes : tuple of str
        What the case says about its data, shown with the plan.
    because : tuple of str
        Of a fallback: what it had to stand in for, one sentence each; they are among the notes too.
    plant_name : str
        Empty where the plan was not made from a case.
    switching : mapping
        By class, how fast its containers switch: the fields of :class:`flexmine.assembly.switching.Switching`.
    feeds : tuple of Feed
        Of every series of the case: which file and column, how it became steps, which issue was used.
    filled : tuple of Filled
        Steps of series whose values are not the feed's own.
    changes : tuple of Change
        What was planned otherwise than the files say, see :meth:`flexmine.inputs.case.Case.with_changes`.
    options : mapping
        With which the solver was called.
    versions : mapping
        Of Python, flexmine and the packages that decide the bytes of a plan.
    inputs : mapping
        Path (relative to the case) to sha256 of every file that was read.
    """

    case_name: str
    title: str
    status: Status
    problem: Problem
    publish_steps: int
    schedule: Schedule
    replay: Replay
    money_usd: float
    bound_usd: float
    gap: float
    asked_gap: float
    engine: str
    perspective: str
    rules: tuple[RuleResult, ...] = ()
    break_even: tuple[BreakEven, ...] = ()
    temperature_c: Floats | None = None
    notes: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    plant_name: str = ""
    switching: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    chain: tuple[Mapping[str, Any], ...] = ()
    feeds: tuple[Feed, ...] = ()
    filled: tuple[Filled, ...] = ()
    overrides: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    breaches: tuple[Mapping[str, Any], ...] = ()
    carbon: CarbonAccount | None = None
    pins: OverrideCost | None = None
    day_kind: ValueOfPlanning | None = None
    preference: Mapping[str, Any] = field(default_factory=dict)
    state_after: Mapping[str, Any] = field(default_factory=dict)
    reasons: Reasons | None = None
    causes: tuple[Cause, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return one line; the arrays of a plan would fill screens."""
        time = self.problem.time
        span = f"{time.begin(0).isoformat()} to {time.begin(self.publish_steps).isoformat()}"
        money = f"{self.replay.published_usd(self.publish_steps):.2f} USD"
        gap = "nothing proven" if self.is_given else f"gap {self.gap:.1g}"
        return f"<Plan {self.case_name}: {self.status.value}, {gap}, {money} from {span}>"

    @property
    def is_given(self) -> bool:
        """Whether no solver made it: its bound is a coarse one, and nobody has looked for a better plan."""
        return self.engine in GIVEN

    @property
    def headline(self) -> str:
        """The title on one line, and before it that the plan is a what-if."""
        title = " ".join(self.title.split())
        return f"What-if: {title}" if self.changes else title

    @property
    def rounding_loss_usd(self) -> float:
        """Money of the model less that of the rounded plan [USD]; below 0 where a start turned out warm."""
        return self.money_usd - self.replay.money_usd

    @property
    def setpoints(self) -> pd.DataFrame:
        """A row per container and step, with the columns of setpoints.csv (see *File formats*)."""
        from flexmine.planning.tables import setpoints_table

        reasons = () if self.reasons is None else self.reasons.text
        return setpoints_table(self.problem, self.schedule, self.replay, self.publish_steps, reasons)

    @property
    def site(self) -> pd.DataFrame:
        """A row per step, with the columns of site.csv (see *File formats*)."""
        from flexmine.planning.tables import site_table

        return site_table(self.problem, self.schedule, self.replay, self.publish_steps, self.temperature_c)
