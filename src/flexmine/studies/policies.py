"""How the setpoints of the coming steps are decided: simple rules, plans of the night, and plans of the hour.

A policy sees the world through :meth:`flexmine.studies.world.World.foreseen` alone, and says how much of the past it
knows.  Where there is no plan within the limits, the last one goes on, and where that has ended, the fleet holds safe
power; both are counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from flexmine.baselines.greedy import Charge, tuned_charge
from flexmine.baselines.hold import hold_safe_power
from flexmine.errors import Infeasible, NoPlan
from flexmine.inputs.schema import State
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.phases import Phases
from flexmine.studies.execution import Setpoints
from flexmine.studies.known import known_before
from flexmine.studies.schema import BacktestDocument
from flexmine.studies.world import World
from flexmine.workflow.solve import solve_with_reserve


@dataclass
class Context:
    """What all policies share.

    Attributes
    ----------
    names : tuple of str
        Containers in the order of setpoints.
    reach : int
        For how many steps a choice can bind a container.
    without_plan : int
        How often there was no plan within the limits.
    """

    world: World
    document: BacktestDocument
    names: tuple[str, ...]
    reach: int
    without_plan: int = 0

    def known(self, step: int) -> int:
        """Return how many steps are known to a decision for `step`."""
        return known_before(step, self.document.lag_min / 60.0, self.world.calendar.step_h)

    def known_at_night(self, midnight: int) -> int:
        """Return how many steps are known to the plan of the day that begins at the step `midnight`."""
        return known_before(midnight, self.document.nightly_h, self.world.calendar.step_h)

    def setpoints(self, schedule: Schedule) -> Setpoints:
        """Return a schedule in the order of the plant's containers."""
        row = {name: i for i, name in enumerate(schedule.containers)}
        rows = [row[name] for name in self.names]
        return Setpoints(schedule.on[rows], schedule.it_power_mw[rows], schedule.supply_mw)

    def planned(self, problem: Problem, rest: Setpoints | None) -> Setpoints:
        """Return the best plan of a problem; without one what is left of the last plan, or safe power."""
        try:
            return self.setpoints(best(problem, self.world.options))
        except (Infeasible, NoPlan):
            self.without_plan += 1
        return rest if rest is not None and rest.on.shape[1] else self.setpoints(hold_safe_power(problem))


def best(problem: Problem, options: SolveOptions) -> Schedule:
    """Return the schedule of the best plan; where only the rounding reserve stands against one, without it.

    Raises
    ------
    Infeasible, NoPlan
        As by :func:`flexmine.workflow.solve.solve_with_reserve`.
    """
    problem, solution, _ = solve_with_reserve(problem, options, Phases(), None)
    return to_schedule(problem, solution)


class Policy(ABC):
    """Decides for as many steps as :meth:`steps` says."""

    def __init__(self, context: Context):
        self.context = context

    def steps(self, step: int, day_end: int) -> int:
        """Return for how many steps the next decision, at `step`, is made; a day ends with `day_end`."""
        return day_end - step

    @abstractmethod
    def decide(self, step: int, steps: int, state: State) -> Setpoints:
        """Return setpoints of at least `steps` steps from `step` on, for a fleet that is in `state` just before."""


class Nightly(Policy):
    """The plan of the day before, followed whatever comes.

    It is made from what was known `nightly_h` before midnight, for a fleet in the state that it really has then.
    """

    def decide(self, step: int, steps: int, state: State) -> Setpoints:
        """Plan from `step` on, for the day of `steps` steps or as far as plans look ahead, if that is more."""
        c = self.context
        problem = c.world.foreseen(step, max(steps, c.world.horizon), state, c.known_at_night(step))
        return c.planned(problem, None)


class _Hourly(Policy):
    """Decides anew every `replan_every_h`, from what is known `lag_min` before."""

    def steps(self, step: int, day_end: int) -> int:
        """Return the steps between two decisions, or up to the end of the day."""
        every = max(1, round(self.context.document.replan_every_h / self.context.world.calendar.step_h))
        return min(every, day_end - step)


class Replan(_Hourly):
    """Everything is planned anew."""

    def __init__(self, context: Context):
        super().__init__(context)
        self.rest: Setpoints | None = None

    def decide(self, step: int, steps: int, state: State) -> Setpoints:
        """Plan from `step` on, to follow the plan for `steps` steps."""
        c = self.context
        plan = c.planned(c.world.foreseen(step, c.world.horizon, state, c.known(step)), self.rest)
        self.rest = plan.after(steps)
        return plan


class Redispatch(_Hourly):
    """Who runs stays as the plan of the day before has it; how hard is decided anew."""

    def __init__(self, context: Context):
        super().__init__(context)
        self.night, self.midnight = Nightly(context), 0
        self.plan: Setpoints | None = None

    def decide(self, step: int, steps: int, state: State) -> Setpoints:
        """Plan the commitment where `step` is midnight, and its power for `steps` steps in every call."""
        c = self.context
        day_ends = dict(c.world.days)
        if step in day_ends:
            self.plan = self.night.decide(step, day_ends[step] - step, state)
            self.midnight = step
        assert self.plan is not None
        kept = self.plan.after(step - self.midnight)
        problem = _committed(c, c.world.foreseen(step, kept.on.shape[1], state, c.known(step)), kept)
        return replace(c.planned(problem, kept), on=kept.on)


def _committed(context: Context, problem: Problem, kept: Setpoints) -> Problem:
    """Return a problem in which as many of each class run as `kept` says."""
    row = {name: i for i, name in enumerate(context.names)}
    counts = [kept.on[[row[name] for name in k.containers]].sum(axis=0) for k in problem.classes]
    return replace(
        problem, classes=tuple(replace(k, committed=n) for k, n in zip(problem.classes, counts, strict=True))
    )


class Perfect(Policy):
    """The best plan of the whole time at once, knowing all that comes: no policy, but what every policy stays below.

    Attributes
    ----------
    bound_usd : float
        Proven: nobody earns more from the same beginning, whatever he knows [USD].
    """

    def __init__(self, context: Context, state: State):
        super().__init__(context)
        world = context.world
        problem = money_alone(world.truth(world.begin, world.end - world.begin, state).problem)
        try:
            solution = solve(problem, world.options)
        except (Infeasible, NoPlan) as error:
            why = "perfect: there is no plan of all days at once; mend the case, or leave perfect out"
            raise type(error)([why, *error.messages]) from error
        self.bound_usd = solution.bound_usd
        self.whole = context.setpoints(to_schedule(problem, solution))

    def decide(self, step: int, steps: int, state: State) -> Setpoints:
        """Return the plan of `steps` steps from `step` on."""
        return self.whole.after(step - self.context.world.begin)


class Rule(_Hourly):
    """A simple rule, which sees the coming steps alone, and no price after them.

    The limits of as many steps more as a choice can bind are in its view, so that it keeps them.
    """

    def __init__(self, context: Context, schedule_of: Callable[[Problem], Schedule]):
        super().__init__(context)
        self.schedule_of = schedule_of

    def decide(self, step: int, steps: int, state: State) -> Setpoints:
        """Walk through `steps` steps from `step` on, and as many after them as a choice can bind."""
        c = self.context
        problem = c.world.foreseen(step, steps + c.reach, state, c.known(step))
        return c.setpoints(self.schedule_of(problem))


def money_alone(problem: Problem) -> Problem:
    """Return the problem without the worth of containers that end on, which nobody is paid."""
    return replace(problem, classes=tuple(replace(k, terminal_on_usd=0.0) for k in problem.classes))


def charge_of(world: World, document: BacktestDocument) -> Charge:
    """Return how *greedy* charges starts and stops: as the document says, or as it would have earned most.

    Tuned in hindsight over the days up to `tuned_until`, on what came.
    """
    if document.greedy is not None:
        return Charge(document.greedy.start, document.greedy.stop)
    until = document.last_day if document.tuned_until is None else document.tuned_until
    days = (until - document.first_day).days + 1
    problem = world.truth(world.begin, world.days[days - 1][1] - world.begin, world.case.document.state).problem
    return tuned_charge(money_alone(problem))
