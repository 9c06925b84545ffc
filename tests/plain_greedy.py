"""The tuned greedy rule once more, in plain Python, container by container: an oracle for small plants.

Written apart from :mod:`flexmine.baselines`: no arrays over walks, every combination of counts tried, power taken piece
by piece.  It knows no ramps, feeders, obligations, limits of energy or starts, and no preheat.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise, product

from flexmine.problem import ContainerClass, Problem

CHANGE_USD = 1e-5


@dataclass
class Box:
    """One container: its class, whether it runs, since which step, and until when it would start warm."""

    k: ContainerClass
    on: bool
    since: int
    warm_until: int


def plain_greedy(problem: Problem, pairs) -> list[float | None]:
    """Return what each pair of charges earns [USD]; None where it breaks a limit.

    An infinite charge of stops: nobody stops who can run.
    """
    return [_walk(problem, pair.start, pair.stop) for pair in pairs]


def _walk(problem: Problem, start_share: float, stop_share: float) -> float | None:
    boxes = []
    for k in problem.classes:
        for h in k.history:
            until = int(k.start.warm_off_steps[0]) - h.steps if h.warm_until_step is None else h.warm_until_step
            boxes += [Box(k, h.on, -h.steps, until) for _ in range(h.count)]
    money = 0.0
    for t in range(problem.steps):
        best = None
        for changes in product(*(_changes(boxes, k, t) for k in problem.classes)):
            flips = [box for flipped, _ in changes for box in flipped]
            earned = _earned(problem, boxes, flips, t)
            if earned is None:
                continue
            cost = sum(usd for _, usd in changes)
            stops = [box for box in flips if box.on]
            score = earned - start_share * cost - CHANGE_USD * len(flips)
            if stop_share == float("inf"):
                score += 1e6 * sum(1 for box in boxes if box.on != any(box is f for f in flips))
            else:
                score -= stop_share * sum(float(box.k.start.warm_cost_usd[t]) for box in stops)
            if best is None or round(score, 6) > best[0]:
                best = round(score, 6), earned - cost, flips
        if best is None:
            return None
        money += best[1]
        for box in best[2]:
            if box.on:
                box.warm_until = t + int(box.k.start.warm_off_steps[t])
            box.on, box.since = not box.on, t
    return money


def _changes(boxes: list[Box], k: ContainerClass, t: int) -> list[tuple[list[Box], float]]:
    """Return every way to change a class: which boxes flip, and what their starts cost; fewest running first."""
    own = [box for box in boxes if box.k is k]
    stops = sorted((b for b in own if b.on and t - b.since >= k.min_up_steps), key=lambda b: b.since)
    ready = [b for b in own if not b.on and t - b.since >= k.min_down_steps]
    warm = sorted((b for b in ready if b.warm_until >= t), key=lambda b: (b.warm_until, b.since))
    cold = sorted((b for b in ready if b.warm_until < t), key=lambda b: b.since)
    prices = [float(k.start.warm_cost_usd[t])] * len(warm) + [float(k.start.cold_cost_usd[t])] * len(cold)
    ways = [(stops[:n], 0.0) for n in range(len(stops), 0, -1)]
    return ways + [((warm + cold)[:n], sum(prices[:n])) for n in range(len(ready) + 1)]


def _earned(problem: Problem, boxes: list[Box], flips: list[Box], t: int) -> float | None:
    """Return the money of step `t` without start costs [USD]; None where now or later a limit is broken."""
    flipped = {id(box) for box in flips}
    running = [box for box in boxes if box.on != (id(box) in flipped)]
    for s in range(t, problem.steps):
        bound = [b for b in running if s == t or (t if id(b) in flipped else b.since) + b.k.min_up_steps > s]
        if s > t and not bound:
            break
        drawn = float(problem.site.base_load_mw[s])
        for k in problem.classes:
            number = sum(1 for b in bound if b.k is k)
            if number > k.available[s] or (number and k.highest_it_power_mw[s] < k.lowest_it_power_mw[s]):
                return None
            drawn += number * float(k.overhead[s] * k.lowest_it_power_mw[s])
            drawn += (k.count - number) * float(k.standby_mw[s])
        if drawn > min(float(problem.site.cap_mw[s]), sum(float(x.available_mw[s]) for x in problem.sources)) + 1e-9:
            return None
    return _money(problem, running, t)


def _money(problem: Problem, running: list[Box], t: int) -> float:
    """Return hash revenue less energy of step `t` with power by merit, terminal value included [USD]."""
    drawn, hourly, pieces = float(problem.site.base_load_mw[t]), 0.0, []
    for k in problem.classes:
        number, a = sum(1 for b in running if b.k is k), float(k.overhead[t])
        value = float(k.hash_value_usd_per_th_s_h[t])
        low, high = float(k.lowest_it_power_mw[t]), float(k.highest_it_power_mw[t])
        drawn += number * a * low + (k.count - number) * float(k.standby_mw[t])
        hourly += number * value * _rate(k, low)
        edges = [low, *(float(p) for p in k.it_power_mw if low < p < high), high]
        for begin, end in pairwise(edges):
            if number and end > begin:
                slope = (_rate(k, end) - _rate(k, begin)) / (end - begin)
                pieces.append((value * slope / a, number * a * (end - begin)))
    cap = float(problem.site.cap_mw[t])
    offers = sorted((float(s.price_usd_per_mwh[t]), float(s.available_mw[t])) for s in problem.sources)
    for price, available in offers:
        taken = min(drawn, available)
        hourly -= price * taken
        drawn, cap, left = drawn - taken, cap - taken, available - taken
        pieces.sort(key=lambda piece: -piece[0])
        while drawn <= 1e-12 and pieces and pieces[0][0] > price and min(left, cap) > 1e-12:
            worth, room = pieces.pop(0)
            more = min(room, left, cap)
            hourly += (worth - price) * more
            left, cap = left - more, cap - more
            if room > more:
                pieces.append((worth, room - more))
                pieces.sort(key=lambda piece: -piece[0])
    terminal = sum(b.k.terminal_on_usd for b in running) if t == problem.steps - 1 else 0.0
    return problem.time.step_h * hourly + terminal


def _rate(k: ContainerClass, power_mw: float) -> float:
    """Return the hash rate of the mode curve at an IT power [TH/s]."""
    x, y = [float(p) for p in k.it_power_mw], [float(r) for r in k.hash_rate_th_s]
    i = min(max(1, bisect_right(x, power_mw)), len(x) - 1)
    return y[i - 1] + (y[i] - y[i - 1]) * (power_mw - x[i - 1]) / (x[i] - x[i - 1]) if len(x) > 1 else y[0]
