"""An oracle that shares nothing with the planner: the exact optimum of a small plant, container by container.

1. Every on/off schedule of every container is enumerated: minimum times with history, start limits, preheat.  Warm or
   cold, or what is between, is read off the container's own last stop.
2. Over containers of a class, schedules are added up; of those with equal counts and equal preheat power in every
   step only the cheapest in start costs is kept.  (Nothing else of a schedule reaches the rest of the plant; with a
   container ramp as wide as the range, also how many are held at their lowest power, because they start or stop.)
3. For given counts and preheat, the money of a step is a concave piecewise linear function of the facility power:
   the best hash rate for that power (steepest pieces of the mode curves first, within feeders) less the cheapest
   supply.  Equal power in equal containers is optimal because the mode curve is concave.
4. Ramps tie facility powers into a chain, so that the best power is found exactly by passing the concave function
   from step to step.  The sum of the steps' best values is an upper bound; most combinations stop there.

No solver takes part.

Limits that span steps cannot be passed along that chain: such plants are refused here, and are a matter of
`brute_force.best_money`, which solves a small LP for each combination of 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from flexmine.problem import ContainerClass, History, Problem

SLACK_MW = 1e-9
FAR_MW = 1e4
LARGEST = 30_000_000
CHUNK = 500_000


def oracle(problem: Problem) -> float | None:
    """Return the most money that any plan makes [USD], or None where no plan keeps all limits.

    Raises
    ------
    ValueError
        Where the plant has too many combinations to be enumerated, or a limit that spans steps.
    """
    if problem.site.energy_limits:
        raise ValueError("limits of energy span steps, which is too much for this oracle: see brute_force.best_money")
    tables = class_tables(problem)
    return None if tables is None else _best_combination(problem, tables, step_tables(problem, tables))


def class_tables(problem: Problem) -> list[ClassTable] | None:
    """Return what each class can do, None where one of them can do nothing."""
    tables = [_class_table(k, problem) for k in problem.classes]
    if any(table.cost_usd.size == 0 for table in tables):
        return None
    combinations = int(np.prod([table.cost_usd.size for table in tables]))
    if combinations > LARGEST:
        raise ValueError(f"{combinations} combinations are too many to enumerate")
    return tables


def step_tables(problem: Problem, tables: list[ClassTable]) -> list[StepTable]:
    """Return the money of every step for each combination of states."""
    return [StepTable(problem, tables, t) for t in range(problem.steps)]


# ---------------------------------------------------------------------------------------- one container


@dataclass(frozen=True)
class Path:
    """One schedule of one container: its state and its preheated starts by step, and what its starts cost [USD]."""

    on: tuple[int, ...]
    heated: tuple[int, ...]
    cost_usd: float

    def held(self, h: History) -> tuple[int, ...]:
        """Where a container with a ramp is at its lowest power: it starts, or stops in the next step."""
        before, after = (int(h.on), *self.on[:-1]), (*self.on[1:], 1)
        return tuple(int(now and not (was and will)) for was, now, will in zip(before, self.on, after, strict=True))


def container_paths(k: ContainerClass, h: History, problem: Problem) -> list[Path]:
    """Return every schedule of a container of class `k` with history `h` that keeps its own rules."""
    return [p for p in _walk(k, h, problem, 0, (), (), 0.0, -h.steps, {}) if p is not None]


@dataclass(frozen=True)
class Kind:
    """A kind of start: whether it is preheated, and its cost by step [USD]."""

    heated: bool
    cost_usd: np.ndarray


def kind_of_start(k: ContainerClass, h: History, stopped: int, t: int) -> Kind:
    """Return the kind of a start in `t` after a stop in `stopped` (negative: before the horizon)."""
    windows = [k.start.warm_off_steps, *(tier.off_steps for tier in k.start.tiers)]
    told = [h.warm_until_step, *(h.tier_until_steps or [None] * len(k.start.tiers))] if stopped < 0 else [None] * 99
    kinds = [Kind(False, k.start.warm_cost_usd)]
    for tier in k.start.tiers:
        if tier.energy_mwh.any() and not np.array_equal(tier.energy_mwh, k.start.cold_energy_mwh):
            raise ValueError("a tier that draws other energy than a cold start is too much for this oracle")
        kinds.append(Kind(bool(tier.energy_mwh.any()), tier.cost_usd))
    for window, until, kind in zip(windows, told, kinds, strict=False):
        if t <= until if until is not None else t - stopped <= window[max(stopped, 0)]:
            return kind
    return Kind(True, k.start.cold_cost_usd)


def _walk(
    k: ContainerClass,
    h: History,
    problem: Problem,
    t: int,
    on: tuple[int, ...],
    heated: tuple[int, ...],
    cost: float,
    since: int,
    starts: dict[int, int],
) -> Iterator[Path]:
    """Go on from step `t` in the state that began in step `since`."""
    if t == problem.steps:
        yield Path(on, heated, cost)
        return
    before = on[-1] if on else int(h.on)
    if not before or k.runnable[t] > 0:
        yield from _walk(k, h, problem, t + 1, (*on, before), (*heated, 0), cost, since, starts)
    if before and t - since >= k.min_up_steps:
        yield from _walk(k, h, problem, t + 1, (*on, 0), (*heated, 0), cost, t, starts)
    if not before and t - since >= k.min_down_steps and k.runnable[t] > 0:
        kind = kind_of_start(k, h, since, t)
        if kind.heated and t < k.preheat_steps:
            return
        if k.max_starts_per_day is not None:
            day = int(problem.site.day_of_step[t])
            today = h.starts_today if day == problem.site.day_of_step[0] else 0
            if today + starts.get(day, 0) >= k.max_starts_per_day:
                return
            starts = starts | {day: starts.get(day, 0) + 1}
        spent = cost + float(kind.cost_usd[t])
        yield from _walk(k, h, problem, t + 1, (*on, 1), (*heated, int(kind.heated)), spent, t, starts)


# ------------------------------------------------------------------------------------------- one class


State = tuple[int, float, int]


@dataclass(frozen=True)
class ClassTable:
    """What a class can do: one row for each combination of counts and preheat, with its cheapest start costs.

    `state` numbers the triples (on, preheat, held at lowest power) of each step; `states[t]` lists them.
    """

    cost_usd: np.ndarray
    state: np.ndarray
    states: list[list[State]]


def _class_table(k: ContainerClass, problem: Problem) -> ClassTable:
    base, steps = k.count + 1, problem.steps
    digits = base ** np.arange(2 * steps, dtype=np.int64)
    draws, ramped = bool(np.any(k.start.cold_energy_mwh > 0)), k.container_ramp_mw_per_step is not None
    if k.ramps_slowly or (ramped and draws):
        raise ValueError("a slow container ramp, or a ramp and preheat together, are too much for this oracle")
    codes, costs = np.zeros(1, dtype=np.int64), np.zeros(1)
    for h in k.history:
        paths = container_paths(k, h, problem)
        # Besides who runs, a plan reaches the rest of the plant by its preheat, or by who is held at lowest power.
        own_counts = np.array(
            [p.on + (p.held(h) if ramped else p.heated if draws else (0,) * steps) for p in paths], dtype=np.int64
        )
        own_codes, own_costs = own_counts.reshape(-1, 2 * steps) @ digits, np.array([p.cost_usd for p in paths])
        for _ in range(h.count):
            codes = (codes[:, None] + own_codes).ravel()
            costs = (costs[:, None] + own_costs).ravel()
            codes, costs = _cheapest(codes, costs)
            on = codes[:, None] // digits[:steps] % base
            keep = np.all(on <= k.runnable, axis=1)
            codes, costs = codes[keep], costs[keep]
    on, second = codes[:, None] // digits[:steps] % base, codes[:, None] // digits[steps:] % base
    keep = np.all(on >= k.must_run, axis=1)
    if k.committed is not None:
        keep &= np.all(on == k.committed, axis=1)
    on, second, costs = on[keep], second[keep], costs[keep] - k.terminal_on_usd * on[keep, -1]
    heated, held = (np.zeros_like(second), second) if ramped else (second, np.zeros_like(second))
    preheat_mw = np.zeros(heated.shape)
    for t in range(steps):
        mean_mw = heated[:, t] * k.start.cold_energy_mwh[t] / problem.time.step_h
        if k.preheat_steps == 0:
            preheat_mw[:, t] += mean_mw
        for i in range(max(0, t - k.preheat_steps), t):
            preheat_mw[:, i] += mean_mw / k.preheat_steps
    return _number_states(on, np.round(preheat_mw, 12), held, costs)


def _cheapest(codes: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((costs, codes))
    codes, costs = codes[order], costs[order]
    first = np.diff(codes, prepend=-1) != 0
    return codes[first], costs[first]


def _number_states(on: np.ndarray, preheat_mw: np.ndarray, held: np.ndarray, costs: np.ndarray) -> ClassTable:
    state = np.zeros(on.shape, dtype=np.int64)
    states: list[list[State]] = []
    for t in range(on.shape[1]):
        columns = np.column_stack([on[:, t], preheat_mw[:, t], held[:, t]])
        triples, state[:, t] = np.unique(columns, axis=0, return_inverse=True)
        states.append([(int(n), float(mw), int(low)) for n, mw, low in triples])
    return ClassTable(costs, state, states)


# -------------------------------------------------------------------------------------------- one step


@dataclass(frozen=True)
class Concave:
    """A concave piecewise linear function by its breakpoints; nothing outside of them."""

    x: np.ndarray
    y: np.ndarray

    def within(self, low: float, high: float) -> Concave | None:
        """Return it on [low, high], or None where that is empty."""
        low, high = max(low, float(self.x[0])), min(high, float(self.x[-1]))
        if low > high + SLACK_MW:
            return None
        x = np.unique(np.concatenate([[low, max(low, high)], self.x[(self.x > low) & (self.x < high)]]))
        return Concave(x, np.interp(x, self.x, self.y))

    def plus(self, other: Concave) -> Concave | None:
        """Return the sum, where both are."""
        common = self.within(float(other.x[0]), float(other.x[-1]))
        if common is None:
            return None
        x = np.unique(np.concatenate([common.x, other.x[(other.x > common.x[0]) & (other.x < common.x[-1])]]))
        return Concave(x, np.interp(x, self.x, self.y) + np.interp(x, other.x, other.y))

    def reached(self, up: float, down: float) -> Concave:
        """Return the best value from which a point can be reached by a rise of at most `up` or a fall of `down`."""
        best = int(np.argmax(self.y))
        x = np.concatenate([self.x[: best + 1] - down, self.x[best:] + up])
        return Concave(x, np.concatenate([self.y[: best + 1], self.y[best:]]))


def merged(parts: list[Concave]) -> Concave:
    """Return the best sum of values for a total x: the steepest pieces first."""
    widths = np.concatenate([np.diff(p.x) for p in parts])
    rises = np.concatenate([np.diff(p.y) for p in parts])
    keep = widths > 0
    widths, rises = widths[keep], rises[keep]
    order = np.argsort(-rises / widths, kind="stable")
    x = sum(float(p.x[0]) for p in parts) + np.concatenate([[0.0], np.cumsum(widths[order])])
    y = sum(float(p.y[0]) for p in parts) + np.concatenate([[0.0], np.cumsum(rises[order])])
    return Concave(x, y)


def step_money(problem: Problem, t: int, running: list[State]) -> Concave | None:
    """Return the money of step `t` [USD] over facility power [MW], for (on, preheat MW, held) of each class."""
    hash_usd = hash_money(problem, t, running)
    return None if hash_usd is None else hash_usd.plus(_supply_money(problem, t))


def hash_money(problem: Problem, t: int, running: list[State]) -> Concave | None:
    """Return what the hash rate of step `t` earns [USD] over facility power [MW], within feeders, cap and minimum."""
    site = problem.site
    class_money = {
        k.name: _class_money(k, problem.time.step_h, t, state)
        for k, state in zip(problem.classes, running, strict=True)
    }
    parts = [Concave(np.array([site.base_load_mw[t]]), np.zeros(1))]
    for feeder in site.groups:
        load = merged([class_money.pop(name) for name in feeder.classes]).within(-FAR_MW, feeder.cap_mw)
        if load is None:
            return None
        parts.append(load)
    return merged([*parts, *class_money.values()]).within(float(site.minimum_mw[t]), float(site.cap_mw[t]))


def _class_money(k: ContainerClass, step_h: float, t: int, state: State) -> Concave:
    n, preheat_mw, held = state
    low, high = k.lowest_it_power_mw[t], k.highest_it_power_mw[t]
    price = step_h * k.hash_value_usd_per_th_s_h[t]
    fixed_mw = (k.count - n) * k.standby_mw[t] + preheat_mw
    if n == 0:
        return Concave(np.array([fixed_mw]), np.zeros(1))
    fixed_mw += held * k.overhead[t] * low
    fixed_usd = held * price * float(np.interp(low, k.it_power_mw, k.hash_rate_th_s))
    if n == held:
        return Concave(np.array([fixed_mw]), np.array([fixed_usd]))
    inside = k.it_power_mw[(k.it_power_mw > low) & (k.it_power_mw < high)]
    power = np.unique(np.concatenate([[low], inside, [high]]))
    rate = np.interp(power, k.it_power_mw, k.hash_rate_th_s)
    return Concave(fixed_mw + k.overhead[t] * (n - held) * power, fixed_usd + price * (n - held) * rate)


def _supply_money(problem: Problem, t: int) -> Concave:
    offers = sorted((float(s.price_usd_per_mwh[t]), float(s.available_mw[t])) for s in problem.sources)
    x = np.concatenate([[0.0], np.cumsum([mw for _, mw in offers])])
    y = np.concatenate([[0.0], np.cumsum([-problem.time.step_h * price * mw for price, mw in offers])])
    return Concave(x, y)


class StepTable:
    """The money of one step for every pair of states of the classes: the function, its best value and its range."""

    def __init__(self, problem: Problem, tables: list[ClassTable], t: int):
        shape = tuple(len(table.states[t]) for table in tables)
        self.money = np.full(shape, None, dtype=object)
        self.best, self.low, self.high = np.full(shape, -np.inf), np.full(shape, np.inf), np.full(shape, -np.inf)
        for index in product(*(range(n) for n in shape)):
            running = [table.states[t][i] for table, i in zip(tables, index, strict=True)]
            money = step_money(problem, t, running)
            if money is not None:
                self.money[index] = money
                self.best[index], self.low[index], self.high[index] = money.y.max(), money.x[0], money.x[-1]


# ------------------------------------------------------------------------------------------- the plant


def _best_combination(problem: Problem, tables: list[ClassTable], steps: list[StepTable]) -> float | None:
    """Go through the combinations of the classes' rows, highest upper bound first."""
    up, down = ramps_of(problem)
    bounds, rows = feasible_rows(problem, tables, steps)
    best: float | None = None
    for i in np.argsort(-bounds, kind="stable"):
        if best is not None and bounds[i] <= best:
            break
        index = np.unravel_index(int(rows[i]), tuple(table.cost_usd.size for table in tables))
        functions = [
            step.money[tuple(table.state[row, t] for table, row in zip(tables, index, strict=True))]
            for t, step in enumerate(steps)
        ]
        value = chain_money(functions, up, down, problem.site.initial_mw)
        if value is None:
            continue
        value -= sum(float(table.cost_usd[row]) for table, row in zip(tables, index, strict=True))
        best = value if best is None else max(best, value)
    return best


def ramps_of(problem: Problem) -> tuple[float, float]:
    up, down = problem.site.ramp_up_mw_per_step, problem.site.ramp_down_mw_per_step
    return (FAR_MW if up is None else up, FAR_MW if down is None else down)


def chain_money(functions: list[Concave], up: float, down: float, initial: float | None) -> float | None:
    """Return the most money over all steps, the facility power of neighbours tied by the ramps."""
    so_far: Concave | None = None
    if initial is not None:
        so_far = Concave(np.array([initial]), np.zeros(1))
    for money in functions:
        so_far = money if so_far is None else so_far.reached(up, down).plus(money)
        if so_far is None:
            return None
    return None if so_far is None else float(so_far.y.max())


def feasible_rows(problem: Problem, tables: list[ClassTable], steps: list[StepTable]) -> tuple[np.ndarray, np.ndarray]:
    """Return the upper bounds [USD] and the flat numbers of the combinations whose powers can keep the ramps."""
    up, down = ramps_of(problem)
    shape = tuple(table.cost_usd.size for table in tables)
    bounds, rows = [], []
    for begin in range(0, int(np.prod(shape)), CHUNK):
        flat = np.arange(begin, min(begin + CHUNK, int(np.prod(shape))))
        index = np.unravel_index(flat, shape)
        bound = -sum(table.cost_usd[own] for table, own in zip(tables, index, strict=True))
        initial = problem.site.initial_mw
        low = np.full(flat.size, -FAR_MW if initial is None else initial - down)
        high = np.full(flat.size, FAR_MW if initial is None else initial + up)
        for t, step in enumerate(steps):
            at = tuple(table.state[own, t] for table, own in zip(tables, index, strict=True))
            bound += step.best[at]
            low, high = np.maximum(step.low[at], low), np.minimum(step.high[at], high)
            kept = low <= high + SLACK_MW
            index, flat, bound = tuple(own[kept] for own in index), flat[kept], bound[kept]
            low, high = low[kept] - down, np.maximum(low, high)[kept] + up
        bounds.append(bound)
        rows.append(flat)
    return np.concatenate(bounds), np.concatenate(rows)
