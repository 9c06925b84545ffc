"""Two dumber ways to the exact optimum of a small plant, where scipy's LP settles power and supply.

`brute_force` shares no step with the oracle: it goes through every on/off plan of every container, judges each on its
joined history and plan, and gives every container its own power and hash rate.  `best_money` is the oracle wherever
that can; where limits span steps, it solves an LP for the combinations of counts that the oracle enumerates, the one
with the highest bound first, until no other can be better.  Neither knows anything of the planner's rows.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from itertools import groupby, pairwise, product

import numpy as np
from scipy.optimize import linprog

from flexmine.problem import ContainerClass, History, Problem
from flexmine.problem.limits import with_site
from flexmine.problem.schedule import supply_by_merit
from oracle import ClassTable, Concave, class_tables, feasible_rows, hash_money, oracle, step_tables


def best_money(problem: Problem) -> float | None:
    """Return the most money that any plan makes [USD], None where no plan keeps all limits."""
    if not problem.site.energy_limits:
        return oracle(problem)
    tables = class_tables(problem)
    if tables is None:
        return None
    steps = step_tables(problem, tables)
    bounds, rows = _within_reach(problem, tables, steps, *feasible_rows(problem, tables, steps))
    best: float | None = None
    while rows.size:
        order = np.argsort(-bounds, kind="stable")[:BATCH]
        prices: list[Prices] = []
        for i in order:
            if best is not None and bounds[i] <= best:
                break
            index = np.unravel_index(int(rows[i]), _shape(tables))
            running = [
                [table.states[t][table.state[row, t]] for table, row in zip(tables, index, strict=True)]
                for t in range(problem.steps)
            ]
            found = settled_money(problem, [hash_money(problem, t, state) for t, state in enumerate(running)])
            if found is not None:
                usd = found[0] - sum(float(table.cost_usd[row]) for table, row in zip(tables, index, strict=True))
                best = usd if best is None else max(best, usd)
                prices.append(found[1])
        left = np.ones(rows.size, dtype=bool)
        left[order] = False
        bounds, rows = bounds[left], rows[left]
        for price in prices[:2] if rows.size > BATCH else []:
            bounds = np.minimum(bounds, _priced_bounds(problem, tables, rows, price))
        if best is not None:
            bounds, rows = bounds[bounds > best], rows[bounds > best]
    return best


BATCH = 20
Prices = list[tuple[float, float]]
"""Of each limit of energy what one MWh more at the top, and one less at the bottom, is worth [USD/MWh], 0 or more."""


def _shape(tables: list[ClassTable]) -> tuple[int, ...]:
    return tuple(table.cost_usd.size for table in tables)


def _within_reach(problem, tables, steps, bounds, rows):
    """Leave out combinations whose least or most power misses a limit of energy whatever the sources do."""
    dt, sources = problem.time.step_h, problem.sources
    index, total = np.unravel_index(rows, _shape(tables)), sum(s.available_mw for s in sources)
    low, high = (
        np.array(
            [
                getattr(step, side)[tuple(table.state[own, t] for table, own in zip(tables, index, strict=True))]
                for t, step in enumerate(steps)
            ]
        ).reshape(problem.steps, -1)
        for side in ("low", "high")
    )
    keep = np.ones(rows.size, dtype=bool)
    for e in problem.site.energy_limits:
        least, most = low, high
        if e.source is not None:
            own = next(s.available_mw for s in sources if s.name == e.source)
            least, most = np.maximum(low - (total - own)[:, None], 0.0), np.minimum(high, own[:, None])
        if e.at_most_mwh is not None:
            keep &= e.taken_mwh + dt * least[e.window].sum(axis=0) <= e.at_most_mwh + 1e-6
        if e.at_least_mwh is not None:
            keep &= e.taken_mwh + dt * most[e.window].sum(axis=0) >= e.at_least_mwh - 1e-6
    return bounds[keep], rows[keep]


def _priced_bounds(problem: Problem, tables: list[ClassTable], rows: np.ndarray, prices: Prices) -> np.ndarray:
    """Return bounds [USD] with the limits of energy left out and paid for instead, at any prices of 0 and more."""
    paid, sources = 0.0, list(problem.sources)
    for e, (top, bottom) in zip(problem.site.energy_limits, prices, strict=True):
        paid += top * ((e.at_most_mwh or 0.0) - e.taken_mwh) - bottom * ((e.at_least_mwh or 0.0) - e.taken_mwh)
        for j, s in enumerate(sources):
            if e.source in (None, s.name):
                usd = s.price_usd_per_mwh.copy()
                usd[e.window] += top - bottom
                sources[j] = replace(s, price_usd_per_mwh=usd)
    index = np.unravel_index(rows, _shape(tables))
    found = paid - sum(table.cost_usd[own] for table, own in zip(tables, index, strict=True))
    for t, step in enumerate(step_tables(replace(problem, sources=tuple(sources)), tables)):
        found = found + step.best[tuple(table.state[own, t] for table, own in zip(tables, index, strict=True))]
    return np.asarray(found)


def settled_money(problem: Problem, hash_usd: list[Concave]) -> tuple[float, Prices] | None:
    """Return the most money for given counts [USD], and what the limits of energy are worth, None where there is none.

    An LP over the pieces of each step's hash money and the supply.
    """
    dt, steps, sources = problem.time.step_h, problem.steps, problem.sources
    first = np.cumsum([0] + [max(f.x.size - 1, 0) for f in hash_usd])
    width = int(first[-1]) + steps * len(sources)
    cost, bounds = np.zeros(width), [(0.0, 0.0)] * width
    power, start = np.zeros((steps, width)), np.array([f.x[0] for f in hash_usd])
    supply = np.zeros((len(sources), steps, width))
    for t, f in enumerate(hash_usd):
        for i, (dx, dy) in enumerate(zip(np.diff(f.x), np.diff(f.y), strict=True), start=int(first[t])):
            if dx > 0:
                power[t, i], bounds[i], cost[i] = 1.0, (0.0, dx), -dy / dx
    for j, source in enumerate(sources):
        for t in range(steps):
            i = int(first[-1]) + j * steps + t
            supply[j, t, i], bounds[i] = 1.0, (0.0, float(source.available_mw[t]))
            cost[i] = dt * source.price_usd_per_mwh[t]
    above, most, site = [np.zeros(width)], [0.0], problem.site
    for t in range(steps):
        if t == 0 and site.initial_mw is None:
            continue
        row, was = (power[t] - power[t - 1], start[t - 1]) if t else (power[0], site.initial_mw)
        for sign, limit in ((1.0, site.ramp_up_mw_per_step), (-1.0, site.ramp_down_mw_per_step)):
            if limit is not None:
                above.append(sign * row)
                most.append(limit - sign * (start[t] - was))
    names, place = [source.name for source in sources], []
    for e in site.energy_limits:
        row = dt * (power if e.source is None else supply[names.index(e.source)])[e.window].sum(axis=0)
        given = e.taken_mwh + (dt * start[e.window].sum() if e.source is None else 0.0)
        for sign, mwh in ((1.0, e.at_most_mwh), (-1.0, e.at_least_mwh)):
            place.append(0 if mwh is None else len(above))
            if mwh is not None:
                above.append(sign * row)
                most.append(sign * (mwh - given))
    equal = supply.sum(axis=0) - power
    found = linprog(cost, np.array(above), most, equal, start, bounds, method="highs")
    assert found.status in (0, 2), found.message
    if found.status == 2:
        return None
    worth = np.maximum(-found.ineqlin.marginals, 0.0)
    worth[0] = 0.0
    prices = [(float(worth[top]), float(worth[bottom])) for top, bottom in zip(place[::2], place[1::2], strict=True)]
    return sum(float(f.y[0]) for f in hash_usd) - float(found.fun), prices


def best_supply(problem: Problem, power_mw: np.ndarray) -> np.ndarray:
    """Return the cheapest supply for a facility power that keeps the limits of energy of sources [MW]."""
    if not problem.site.energy_limits:
        return supply_by_merit(problem, power_mw)
    steps, names, dt = problem.steps, [s.name for s in problem.sources], problem.time.step_h
    cost = dt * np.concatenate([s.price_usd_per_mwh for s in problem.sources])
    bounds = [(0.0, float(mw)) for s in problem.sources for mw in s.available_mw]
    above, most = [np.zeros(cost.size)], [0.0]
    for e in problem.site.energy_limits:
        row = np.zeros((len(names), steps))
        if e.source is not None:
            row[names.index(e.source), e.window] = dt
            for sign, mwh in ((1.0, e.at_most_mwh), (-1.0, e.at_least_mwh)):
                if mwh is not None:
                    above.append(sign * row.ravel())
                    most.append(sign * (mwh - e.taken_mwh) + 1e-9)
    equal = np.tile(np.eye(steps), len(names))
    found = linprog(cost, np.array(above), most, equal, power_mw, bounds, method="highs")
    assert found.status == 0, found.message
    return np.asarray(found.x).reshape(len(names), steps)


def first_steps(problem: Problem, steps: int) -> Problem:
    """Return the same plant with a shorter horizon."""

    def cut(part):
        if isinstance(part, np.ndarray) and part.shape == (problem.steps,):
            return part[:steps].copy()
        if isinstance(part, tuple):
            return tuple(cut(p) for p in part)
        return cut_fields(part) if is_dataclass(part) else part

    def cut_fields(part, keep=("it_power_mw", "hash_rate_th_s", "presets")):
        return replace(part, **{f.name: cut(getattr(part, f.name)) for f in fields(part) if f.name not in keep})

    def cut_energy(e):
        return replace(e, steps=min(e.steps, steps - e.first_step))

    kept = tuple(cut_energy(e) for e in problem.site.energy_limits if e.first_step < steps)
    shorter = replace(cut_fields(with_site(problem, energy_limits=())), time=replace(problem.time, steps=steps))
    shorter = with_site(shorter, energy_limits=kept)
    # A curve of as many points as steps is not a series; the names kept above see to that.
    assert all(
        np.array_equal(a.it_power_mw, b.it_power_mw) for a, b in zip(shorter.classes, problem.classes, strict=True)
    )
    return shorter


def brute_force(problem: Problem) -> float | None:
    """Return the best money over all plans of all containers, or None."""
    ages = {k.name: [h for h in k.history for _ in range(h.count)] for k in problem.classes}
    histories = [h for k in problem.classes for h in ages[k.name]]
    classes = [k for _, k in problem.containers]
    plans = [
        [plan for plan in product((0, 1), repeat=problem.steps) if _legal(k, h, plan, problem)]
        for k, h in zip(classes, histories, strict=True)
    ]
    best = None
    for combination in product(*plans):
        on = np.array(combination)
        counts = {k.name: sum(on[c] for c, own in enumerate(classes) if own is k) for k in problem.classes}
        if any(np.any(counts[k.name] > k.available) or np.any(counts[k.name] < k.must_run) for k in problem.classes):
            continue
        if any(k.committed is not None and np.any(counts[k.name] != k.committed) for k in problem.classes):
            continue
        power = _power_money(problem, classes, histories, on)
        if power is None:
            continue
        total = power + sum(k.terminal_on_usd * on[c, -1] for c, k in enumerate(classes))
        for k, h, plan in zip(classes, histories, combination, strict=True):
            for t, kind in _starts(k, h, plan):
                total -= _price(k, kind)[t]
        best = total if best is None else max(best, total)
    return best


def _runs(h: History, plan: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Return (state, first step, length) of each run of history and plan together."""
    joined = [int(h.on)] * h.steps + list(plan)
    runs, at = [], -h.steps
    for state, group in groupby(joined):
        length = len(list(group))
        runs.append((state, at, length))
        at += length
    return runs


def _legal(k: ContainerClass, h: History, plan: tuple[int, ...], problem: Problem) -> bool:
    runs = _runs(h, plan)
    # The last run is cut off by the end of the horizon; its length says nothing.
    if any(length < (k.min_up_steps if state else k.min_down_steps) for state, _, length in runs[:-1]):
        return False
    if any(on and k.highest_it_power_mw[t] < k.lowest_it_power_mw[t] for t, on in enumerate(plan)):
        return False
    starts = _starts(k, h, plan)
    if any(_energy(k, kind) is not None and t < k.preheat_steps for t, kind in starts):
        return False
    if k.max_starts_per_day is None:
        return True
    days = [int(problem.site.day_of_step[t]) for t, _ in starts]
    # What was started before the horizon counts for the day of step 0, and binds only a further start on it.
    made_before = {int(problem.site.day_of_step[0]): h.starts_today}
    return all(made_before.get(day, 0) + days.count(day) <= k.max_starts_per_day for day in days)


def _starts(k: ContainerClass, h: History, plan: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return (step, kind) of each start: 0 warm, then the tiers, then cold."""
    runs = _runs(h, plan)
    limits = [k.start.warm_off_steps, *(tier.off_steps for tier in k.start.tiers)]
    starts = []
    for (state, begin, length), (_, t, _) in pairwise(runs):
        if state == 1:
            continue
        warmer = [length > limit[max(begin, 0)] for limit in limits]
        if begin < 0 and h.warm_until_step is not None:
            warmer[0] = t > h.warm_until_step
        if begin < 0 and h.tier_until_steps is not None:
            warmer[1:] = [t > until for until in h.tier_until_steps]
        starts.append((t, next((kind for kind, above in enumerate(warmer) if not above), len(limits))))
    return starts


def _price(k: ContainerClass, kind: int) -> np.ndarray:
    return [k.start.warm_cost_usd, *(tier.cost_usd for tier in k.start.tiers), k.start.cold_cost_usd][kind]


def _energy(k: ContainerClass, kind: int) -> np.ndarray | None:
    """Return the preheat energy by step, None where such a start is not preheated."""
    between = [tier.energy_mwh if tier.energy_mwh.any() else None for tier in k.start.tiers]
    return [None, *between, k.start.cold_energy_mwh][kind]


def _ramp_rows(k: ContainerClass, h: History, on: np.ndarray) -> list[tuple[int, float, float]]:
    """Return (step, least, most) of what the container ramp leaves for the change, or first power, of a running one."""
    ramp, rows = k.container_ramp_mw_per_step, []
    if ramp is None:
        return rows
    for t in np.flatnonzero(on):
        ran = on[t - 1] if t else h.on
        if ran and t:
            rows.append((int(t), -ramp, ramp))
        elif ran and h.it_power_mw > 0:
            rows.append((0, h.it_power_mw - ramp, h.it_power_mw + ramp))
    return rows


def _power_money(problem: Problem, classes, histories, on: np.ndarray) -> float | None:
    """LP over power and hash rate of each container and supply of each source; columns p, h, s by step."""
    steps, dt, site = problem.steps, problem.time.step_h, problem.site
    number, sources = len(classes), len(problem.sources)
    p = np.arange(number * steps).reshape(number, steps)
    rate = p + number * steps
    s = np.arange(sources * steps).reshape(sources, steps) + 2 * number * steps
    width = 2 * number * steps + sources * steps
    cost, bounds = np.zeros(width), [(0.0, 0.0)] * width
    above, most, equal, right = [], [], [], []
    fixed = np.array(site.base_load_mw)
    fixed_of = {k.name: np.zeros(steps) for k in problem.classes}
    for c, k in enumerate(classes):
        own = np.where(on[c] == 1, 0.0, k.standby_mw)
        for t, kind in _starts(k, histories[c], tuple(on[c])):
            energy = _energy(k, kind)
            if energy is not None:
                spread = [t] if k.preheat_steps == 0 else list(range(t - k.preheat_steps, t))
                own[spread] += energy[t] / dt / len(spread)
        fixed = fixed + own
        fixed_of[k.name] = fixed_of[k.name] + own
        for t in np.flatnonzero(on[c]):
            starts, stops = not (on[c, t - 1] if t else histories[c].on), t + 1 < steps and not on[c, t + 1]
            held = k.container_ramp_mw_per_step is not None and (starts or stops)
            bounds[p[c, t]] = (k.lowest_it_power_mw[t], (k.lowest_it_power_mw if held else k.highest_it_power_mw)[t])
            bounds[rate[c, t]] = (None, None)
            cost[rate[c, t]] = -dt * k.hash_value_usd_per_th_s_h[t]
            slopes = np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw) if len(k.it_power_mw) > 1 else [0.0]
            for i, slope in enumerate(slopes):
                row = np.zeros(width)
                row[rate[c, t]], row[p[c, t]] = 1.0, -slope
                above.append(row)
                most.append(k.hash_rate_th_s[i] - slope * k.it_power_mw[i])
        for t, low, high in _ramp_rows(k, histories[c], on[c]):
            row = np.zeros(width)
            row[p[c, t]] = 1.0
            if t:
                row[p[c, t - 1]] = -1.0
            above += [row, -row]
            most += [high, -low]
    load = np.zeros((steps, width))
    for t in range(steps):
        for c, k in enumerate(classes):
            load[t, p[c, t]] = k.overhead[t]
        for j, source in enumerate(problem.sources):
            bounds[s[j, t]] = (0.0, float(source.available_mw[t]))
            cost[s[j, t]] = dt * source.price_usd_per_mwh[t]
        row = load[t].copy()
        row[s[:, t]] = -1.0
        equal.append(row)
        right.append(-fixed[t])
        above += [load[t], -load[t]]
        most += [site.cap_mw[t] - fixed[t], fixed[t] - site.minimum_mw[t]]
        for feeder in site.groups:
            row = np.zeros(width)
            for c, k in enumerate(classes):
                if k.name in feeder.classes:
                    row[p[c, t]] = k.overhead[t]
            above.append(row)
            most.append(feeder.cap_mw - sum(fixed_of[name][t] for name in feeder.classes))
        if t == 0 and site.initial_mw is None:
            continue
        before, before_mw = (load[t - 1], fixed[t - 1]) if t else (np.zeros(width), site.initial_mw)
        for sign, limit in ((1.0, site.ramp_up_mw_per_step), (-1.0, site.ramp_down_mw_per_step)):
            if limit is not None:
                above.append(sign * (load[t] - before))
                most.append(limit - sign * (fixed[t] - before_mw))
    for e in site.energy_limits:
        row, given = np.zeros(width), 0.0
        for t in range(e.first_step, e.first_step + e.steps):
            if e.source is None:
                row += dt * load[t]
                given += dt * fixed[t]
            else:
                row[s[[source.name for source in problem.sources].index(e.source), t]] = dt
        for sign, mwh in ((1.0, e.at_most_mwh), (-1.0, e.at_least_mwh)):
            if mwh is not None:
                above.append(sign * row)
                most.append(sign * (mwh - e.taken_mwh - given))
    result = linprog(cost, np.array(above), most, np.array(equal), right, bounds, method="highs")
    assert result.status in (0, 2), result.message
    return -float(result.fun) if result.status == 0 else None
