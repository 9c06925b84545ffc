"""Why each container does what it does in each step: one code of a fixed list, true by construction.

A limit is named as the reason where the plan moves, or makes more money, once that limit alone is relaxed:

- limits on power (`surplus`, `cap`, `order`, `feeder`, `ramp_up`, `ramp_down`, `contract`): money grows when the limit
  gives one MW more in that step, the commitment fixed; the commitment may move too, and then money grows no less;
- `price`: with power much cheaper in that step, the site draws more in it;
- limits on who runs (`start_cost`, `minimum_up`, `minimum_down`, `start_limit`, `preheat`, `terminal`, `must_run`, and
  `outage` where some of a class may run): the plan solved anew without the limit makes more money and has more (or
  fewer) of the class on in that step.

Which question is asked first depends on what the step itself is worth, the rest of the commitment left as it is: a
container is held off, or kept on, by who-runs limits only where the step alone would say otherwise.  Where several
limits answer, the one worth most is named.  `tie`: no single limit explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from flexmine.assembly.causes import Cause
from flexmine.explain.break_even import gentle_break_even_usd_per_mwh, harder_break_even_usd_per_mwh
from flexmine.explain.what_if import MUCH_CHEAPER, NOISE_MW, NOISE_USD, SEARCHED, WhatIfs
from flexmine.problem import ContainerClass, Ints, Problem
from flexmine.problem.limits import LIMITS, Limit, worth_something
from flexmine.problem.schedule import Schedule
from flexmine.solving.engine import ClassPlan, Solution, SolveOptions
from flexmine.solving.marginal import FixedCommitment, MarginalValues, marginal_values
from flexmine.solving.solution import check_fixed_money

# Of other steps: a start has to be followed by steps in which the container can run.
ELSEWHERE = ("outage", "heat")
# Code of the reason -> what it says of a container that is off, and on, for what is not a limit: money and physics.
BESIDE_LIMITS = {
    "start_cost": ("not worth a start", "kept on to save a restart"),
    "preheat": ("not worth a preheat", "kept on to save a preheat"),
    "terminal": (
        "running in the last step would cost more than it earns",
        "running in the last step is worth something",
    ),
}
KEPT = "the commitment of the plan before is kept"
WITHOUT_IT_EITHER = "it would not run without it either"
NO_SINGLE_LIMIT = "no single limit explains it"
NOT_SEARCHED = "equal to its neighbours or held by several limits; not searched further"


@dataclass(frozen=True)
class Reasons:
    """Reasons and marginal values of a plan.

    Attributes
    ----------
    text : tuple of tuple of str
        ``code`` or ``code: text``, by container (in the order of the schedule) and step.
    values : MarginalValues
        Commitment fixed.
    asked : bool
        Whether plans without a limit were solved; False on a plant too large for it, where reasons come from the
        fixed commitment alone.
    """

    text: tuple[tuple[str, ...], ...]
    values: MarginalValues
    asked: bool


@dataclass(frozen=True)
class _Held:
    """A limit on power that money grows with: code, money for one MW more, words, and whether it holds power up."""

    code: str
    gain_usd: float
    text: str
    forces: bool


def reasons(
    problem: Problem,
    solution: Solution,
    schedule: Schedule,
    causes: tuple[Cause, ...] = (),
    options: SolveOptions | None = None,
) -> Reasons:
    """Return the reason of every container and step, and what one more MW is worth.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        The plan in counts.
    schedule : Schedule
        Which of the containers run.
    causes : tuple of Cause
        From the assembly; names outages, windows and orders.
    options : SolveOptions, optional
        Of the plan.
    """
    writer = _Writer(problem, solution, schedule, causes, options or SolveOptions())
    text: list[tuple[str, ...]] = [()] * len(schedule.containers)
    row_of = {name: row for row, name in enumerate(schedule.containers)}
    for plan in solution.classes:
        for name in plan.class_data.containers:
            row = row_of[name]
            text[row] = tuple(writer.reason(plan, row, t) for t in range(problem.steps))
    return Reasons(tuple(text), writer.values, writer.what_if.allowed)


def _by_code(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by code what its limits say; limits that share a code are taken away together, so it is one or other."""
    found: dict[str, list[str]] = {}
    for code, words in said:
        if words:
            found.setdefault(code, []).append(words)
    return {code: " or ".join(dict.fromkeys(words)) for code, words in found.items()}


class _Writer:
    def __init__(
        self,
        problem: Problem,
        solution: Solution,
        schedule: Schedule,
        causes: tuple[Cause, ...],
        options: SolveOptions,
    ):
        self.problem, self.solution, self.schedule, self.causes = problem, solution, schedule, causes
        self.fixed = FixedCommitment(problem, solution)
        check_fixed_money(self.fixed.money_usd, solution)
        self.values = marginal_values(self.fixed)
        self.what_if = WhatIfs(problem, solution, options)
        self.parents = {k.name: k for k in problem.classes}
        here = [limit for limit in LIMITS if limit.present(problem)]
        off, on = ({code: words[i] for code, words in BESIDE_LIMITS.items()} for i in (0, 1))
        self.why_off = off | _by_code((limit.without, limit.why_off) for limit in here)
        self.why_on = on | _by_code((limit.without, limit.why_on) for limit in here)
        self.lasted = _steps_in_state(problem, schedule)
        self.marginal = [self._marginal_source(t) for t in range(problem.steps)]
        self.limits = [self._limits(t) for t in range(problem.steps)]
        self.cheaper_moves = self._where_cheaper_moves()
        self._known: dict[tuple[str, int, bool, bool, str | None], str] = {}

    def reason(self, plan: ClassPlan, row: int, t: int) -> str:
        """Return the reason of one container in one step."""
        on = bool(self.schedule.on[row, t])
        k = self.parents[plan.class_data.parent]
        # Whether a minimum time or the container ramp binds is all in which containers of a class and state differ.
        young = int(self.lasted[row, t]) < (k.min_up_steps if on else k.min_down_steps)
        ramp = self._container_ramp(k, row, t) if on else None
        key = (plan.class_data.name, t, on, young, ramp)
        if key not in self._known:
            self._known[key] = self._on(plan, k, t, young, ramp) if on else self._off(plan, k, t, young)
        return self._known[key]

    def _container_ramp(self, k: ContainerClass, row: int, t: int) -> str | None:
        """Return how the ramp of a running container holds its power down, where the plan draws more without it."""
        ramp, last = k.container_ramp_mw_per_step, self.problem.steps - 1
        moved = None if ramp is None else self.what_if.without("container_ramp")
        if ramp is None or moved is None or moved.it_power_mw[k.name][t] <= NOISE_MW:
            return None
        on, power = self.schedule.on[row], self.schedule.it_power_mw[row]
        if self.lasted[row, t] == 0:
            return "ramp_up: it starts at its lowest power"
        if t < last and not on[t + 1]:
            return "ramp_down: it is at its lowest power before it stops"
        if t > 0 and power[t] - power[t - 1] >= ramp - NOISE_MW:
            return "ramp_up: its power rises as fast as it may"
        if t < last and power[t] - power[t + 1] >= ramp - NOISE_MW:
            return "ramp_down: its power falls as fast as it may after this step"
        return None

    def _off(self, plan: ClassPlan, k: ContainerClass, t: int, young: bool) -> str:
        if k.runnable[t] == 0:
            return self._out(k, t)
        if k.committed is not None:
            return f"contract: {KEPT}"
        alone = self.fixed.gain_of_counts(plan.class_data.name, t, 1)
        barred = {"minimum_down"} if not young else set()
        if int(k.runnable[t]) >= k.count:
            barred.add("outage")
        if alone is not None and alone > NOISE_USD:
            who = self._who_runs(self.why_off, k.name, t, 1, barred)
            if who is not None:
                words = self._cause_words(who, k.name, t, self.why_off[who])
                return f"{who}: {words}; this step alone would earn {alone:.2f} USD"
        text = self._price_text(t, gentle_break_even_usd_per_mwh(k, t), "running it gently")
        return self._power_limit(k.name, t, text, forcing=False) or self._fallback(self.why_off, k.name, t, 1, barred)

    def _on(self, plan: ClassPlan, k: ContainerClass, t: int, young: bool, ramp: str | None) -> str:
        class_data = plan.class_data
        power = float(plan.it_power_mw[t]) / int(plan.on[t])
        lowest, highest = float(class_data.P0[t]), float(k.highest_it_power_mw[t])
        barred = set() if young else {"minimum_up"}
        if k.must_run[t] == 0:
            barred.add("must_run")
        if k.committed is not None and power <= lowest + NOISE_MW:
            return f"contract: {KEPT}"
        if power <= lowest + NOISE_MW:
            saved = self.fixed.gain_of_counts(class_data.name, t, -1)
            if saved is not None and saved > NOISE_USD:
                who = self._who_runs(self.why_on, k.name, t, -1, barred)
                if who is not None:
                    words = self._cause_words(who, k.name, t, self.why_on[who])
                    return f"{who}: {words}; off in this step alone would save {saved:.2f} USD"
        if ramp is not None:
            return ramp
        if power >= highest - NOISE_MW:
            return self._at_highest(k, t, highest)
        text = self._price_text(t, harder_break_even_usd_per_mwh(k, t, power, NOISE_MW), "running it harder")
        return self._power_limit(k.name, t, text, forcing=True) or self._fallback(self.why_on, k.name, t, -1, barred)

    def _out(self, k: ContainerClass, t: int) -> str:
        if k.available[t] > 0:
            code = "heat"
            hot = k.max_it_power_mw[t] < k.it_power_mw[0]
            words = "too hot outside to run" if hot else "too cold outside to run"
        else:
            cause = self._cause(("window", "outage"), k.name, t)
            code, words = (cause.code, cause.text) if cause else ("outage", "not available")
        if not self.what_if.allowed:
            return f"{code}: {words}"
        moved = self.what_if.without("heat" if code == "heat" else "outage")
        runs = moved is not None and moved.count[k.name][t] > 0.5
        return f"{code}: {words}" if runs else f"{code}: {words}; {WITHOUT_IT_EITHER}"

    def _at_highest(self, k: ContainerClass, t: int, highest_mw: float) -> str:
        order = self._cause(("order",), k.name, t, of_class=True)
        if order is not None and highest_mw < k.it_power_mw[-1] - NOISE_MW:
            return f"order: {order.text}"
        if highest_mw < k.it_power_mw[-1] - NOISE_MW:
            moved = self.what_if.without("heat")
            if moved is not None and moved.it_power_mw[k.name][t] > NOISE_MW:
                return f"heat: {highest_mw:.3f} MW is the most at this temperature"
        return "full"

    def _power_limit(self, name: str, t: int, price_text: str, *, forcing: bool) -> str | None:
        """Return the limit on power that is worth most, or the price; None where neither explains the step."""
        found = [h for h in self.limits[t][name] if forcing or not h.forces]
        if found:
            most = max(found, key=lambda h: h.gain_usd)
            return f"{most.code}: {most.text}"
        return f"price: {price_text}" if t in self.cheaper_moves and price_text else None

    def _fallback(self, codes: Iterable[str], name: str, t: int, sign: int, barred: set[str]) -> str:
        # A minimum time may also hold a container of the class that it does not bind just now.
        who = self._who_runs(codes, name, t, sign, barred - {"minimum_up", "minimum_down"})
        if who is not None:
            return f"{who}: without it this would change"
        if t in self.cheaper_moves and sign > 0:
            run_h = next(k.min_up_steps for k in self.problem.classes if k.name == name) * self.problem.time.step_h
            return (
                f"price: a run of at least {run_h:g} h does not pay here; cheaper power in this step would change this"
            )
        if t in self.cheaper_moves:
            return "price: cheaper power in this step would change this"
        if self._who_runs(("container_ramp",), name, t, sign, set()) is not None:
            slow = "its power could not rise fast enough" if sign > 0 else "its power could not fall fast enough"
            return f"{'ramp_up' if sign > 0 else 'ramp_down'}: {slow} around this step"
        elsewhere = self._who_runs(ELSEWHERE, name, t, sign, set()) if sign > 0 else None
        if elsewhere is not None:
            return f"{elsewhere}: it could not run through the hours around this one"
        return self._search(name, t, sign)

    def _search(self, name: str, t: int, sign: int) -> str:
        """Widen one limit on power after the other, and see whether more (or fewer) of the class run."""
        found = []
        for code in SEARCHED:
            moved = self.what_if.widened(code, name, t)
            if moved is not None and sign * moved.count[name][t] > 0.5:
                found.append((code != "price", moved.gain_usd, code))
        if not found:
            return f"tie: {NO_SINGLE_LIMIT if self.what_if.searches_left else NOT_SEARCHED}"
        code = max(found)[2]
        if code == "price":
            return "price: much cheaper power in this step would change this"
        order = self._cause(("order",), "", t) if code == "cap" else None
        return f"order: {order.text}" if order else f"{code}: one more MW would change who runs"

    def _who_runs(self, codes: Iterable[str], name: str, t: int, sign: int, barred: set[str]) -> str | None:
        """Return the limit on who runs without which more (or fewer) of a class run, worth most; None if none."""
        found = []
        for code in codes:
            moved = None if code in barred else self.what_if.without(code)
            if moved is not None and sign * moved.count[name][t] > 0.5:
                found.append((moved.gain_usd, code))
        return max(found)[1] if found else None

    def _limits(self, t: int) -> dict[str, list[_Held]]:
        """Return by class which limits on power would earn more with one unit more around the step."""
        found: dict[str, list[_Held]] = {k.name: [] for k in self.problem.classes}
        # Where the next MWh comes from a source in use already, more of a cheaper one would only displace it.
        j = self.marginal[t]
        displaced = j is not None and bool(self.solution.supply_mw[j, t] > NOISE_MW)
        for limit in worth_something():
            for member, who in enumerate(limit.members(self.problem)):
                if displaced and limit.about(self.problem, who) is not None:
                    continue
                for held in self._effects(limit, member, who, t):
                    for name, own in found.items():
                        if limit.concerns(self.problem, who, name):
                            own.append(held)
        return found

    def _effects(self, limit: Limit, member: int, who: str, t: int) -> Iterator[_Held]:
        """Yield how a limit holds the power of a step."""
        order = self._cause(("order",), "", t) if limit.row == "site_cap" else None
        for effect in limit.effects:
            row = t + effect.after
            worth = self.values.of[limit.row][member, row] if row < self.problem.steps else 0.0
            gain = self.fixed.gain_of(limit.row, limit.index(who, row)) if worth > 0 else 0.0
            if limit.window == "period":
                worth /= self.problem.time.step_h
            if gain <= NOISE_USD:
                continue
            reserve = 0.0 if limit.reserve is None else limit.reserve(self.problem, who)
            true = limit.value(self.problem, who, row) + (-reserve if limit.least else reserve)
            words = order.text if order else effect.text.format(value=true, who=who)
            code = "order" if order else limit.reasons_of(self.problem, who)[0]
            yield _Held(
                code, gain, f"{words}; one more {limit.unit.split()[0]} is worth {worth:.2f} USD", effect.forces
            )

    def _where_cheaper_moves(self) -> set[int]:
        """Return the steps in which the site would draw more were power much cheaper there."""
        moves, unsure = set(), []
        for t in range(self.problem.steps):
            if self.fixed.more_power_if_cheaper(t, MUCH_CHEAPER) > NOISE_MW:
                moves.add(t)
            elif not all(self.limits[t].values()):
                unsure.append(t)
        return moves | self.what_if.reachable(unsure)

    def _marginal_source(self, t: int) -> int | None:
        """Return the cheapest source that has more to give."""
        sources = self.problem.sources
        room = [
            j
            for j, s in enumerate(sources)
            if s.available_mw[t] - self.solution.supply_mw[j, t] > NOISE_MW and s.name not in self._spent(t)
        ]
        return min(room, key=lambda j: sources[j].price_usd_per_mwh[t], default=None)

    def _spent(self, t: int) -> set[str | None]:
        """Return the sources of which a limit over a period leaves no more to take in a step."""
        return {
            limit.about(self.problem, who)
            for limit in worth_something()
            if limit.window == "period" and not limit.least
            for member, who in enumerate(limit.members(self.problem))
            if self.values.of[limit.row][member, t] > 0
        }

    def _price_text(self, t: int, break_even_usd_per_mwh: float | None, what: str) -> str:
        j = self.marginal[t]
        if j is None or break_even_usd_per_mwh is None:
            return ""
        source = self.problem.sources[j]
        price = float(source.price_usd_per_mwh[t])
        if price < break_even_usd_per_mwh:
            return ""
        return f"{source.name} costs {price:.2f} and {what} breaks even at {break_even_usd_per_mwh:.2f} USD/MWh"

    def _cause(self, codes: tuple[str, ...], name: str, t: int, *, of_class: bool = False) -> Cause | None:
        """Return the first cause that holds; `of_class`: only one of this class, not of the whole site."""
        found = (c for c in self.causes if c.code in codes and c.holds(name, t) and (c.class_name or not of_class))
        return next(found, None)

    def _cause_words(self, code: str, name: str, t: int, otherwise: str) -> str:
        cause = self._cause((code,), name, t)
        return cause.text if cause else otherwise


def _steps_in_state(problem: Problem, schedule: Schedule) -> Ints:
    """Return for how many steps, this one left out, each container has been in its state, shape (containers, T)."""
    before = [h for k in problem.classes for h in k.history for _ in range(h.count)]
    lasted = np.zeros(schedule.on.shape, dtype=np.int64)
    state = np.array([h.on for h in before])
    steps = np.array([h.steps for h in before], dtype=np.int64)
    for t in range(problem.steps):
        now = schedule.on[:, t]
        steps = np.where(now == state, steps, 0)
        lasted[:, t] = steps
        state, steps = now, steps + 1
    return lasted
