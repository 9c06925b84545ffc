"""Conflicts in words before the solve: each sentence is a proof that no plan can keep all limits.

Only necessary conditions are tested, so an empty list promises nothing.  All bounds of power are taken towards the
safe side: the *least* power counts only containers that have to run, the *most* power every container that could.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.problem import ContainerClass, Floats, History, Ints, Problem

# Differences below this are within what a solver and the audit of the unrounded plan accept as kept.
TOLERANCE_MW = 1e-6
SHOWN_RANGES = 3


@dataclass(frozen=True)
class _Bounds:
    """What a class is bound to do: containers in each step, and power at the meter, each of shape (T,)."""

    bound_up: Ints
    kept_off: Ints
    at_least: Ints
    at_most: Ints
    idle_mw: Floats
    least_mw: Floats
    most_mw: Floats


def conflicts(problem: Problem) -> list[str]:
    """Return the contradictions that can be proven without a solver, a sentence each; empty where none is found.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    list of str
        Each names the limit, the class, source or feeder, the local hours, the worst amount with its unit, and what
        would have to change.

    Notes
    -----
    With ramps R_up and R_down, every floor f (minimum power, least power) and every ceiling c (cap, supply, most
    power) of facility power F must satisfy, for all steps s < t,

        f[s] - R_down (t - s) <= c[t]   and   f[t] <= c[s] + R_up (t - s),

    and the power before step 0 is floor and ceiling of step -1.
    """
    bounds = {k.name: _class_bounds(problem, k) for k in problem.classes}
    return [sentence for _, proofs in PROOFS for sentence in proofs(problem, bounds)]


def _class_bounds(problem: Problem, k: ContainerClass) -> _Bounds:
    steps = np.arange(problem.steps)
    bound_up = np.zeros(problem.steps, dtype=np.int64)
    kept_off = np.zeros(problem.steps, dtype=np.int64)
    for h in k.history:
        if h.on:
            bound_up += h.count * (h.steps + steps < k.min_up_steps)
        else:
            kept_off += h.count * (steps < _earliest_start(problem, k, h))
    at_most = np.minimum(k.runnable, k.count - kept_off)
    at_least = np.maximum(k.must_run, bound_up)
    if k.committed is not None:
        at_most, at_least = np.minimum(at_most, k.committed), np.maximum(at_least, k.committed)
    at_least = np.minimum(at_least, at_most)
    # A running container may draw less than one at rest: then running more is the way to the least power.
    saved_mw = np.minimum(k.overhead * k.lowest_it_power_mw - k.standby_mw, 0.0)
    added_mw = np.maximum(k.overhead * k.lowest_it_power_mw - k.standby_mw, 0.0)
    idle_mw = k.count * k.standby_mw + at_most * saved_mw
    least_mw = k.count * k.standby_mw + np.where(saved_mw < 0, at_most * saved_mw, at_least * added_mw)
    gain_mw = k.overhead * k.highest_it_power_mw - k.standby_mw
    most_mw = k.count * k.standby_mw + np.where(gain_mw > 0, at_most, at_least) * gain_mw + _preheat_mw(problem, k)
    return _Bounds(bound_up, kept_off, at_least, at_most, idle_mw, least_mw, most_mw)


def _earliest_start(problem: Problem, k: ContainerClass, h: History) -> int:
    """Return the first step in which a container that is off before step 0 can start."""
    earliest = max(0, k.min_down_steps - h.steps)
    days = problem.site.day_of_step
    if k.max_starts_per_day is not None and days is not None:
        if k.max_starts_per_day == 0:
            return problem.steps
        if h.starts_today >= k.max_starts_per_day:
            earliest = max(earliest, int(np.count_nonzero(days == days[0])))
    return earliest if earliest <= _last_without_preheat(k, h) else max(earliest, k.preheat_steps)


def _last_without_preheat(k: ContainerClass, h: History) -> int:
    """Return the last step of a start after a stop before step 0 that needs no preheat: warm, or of such a tier."""
    warm_until = (h.warm_until_step, *(h.tier_until_steps or (None,) * len(k.start.tiers)))
    windows = (k.start.warm_off_steps, *(tier.off_steps for tier in k.start.tiers))
    lasts = [int(w[0]) - h.steps if until is None else until for w, until in zip(windows, warm_until, strict=True)]
    cool = [last for last, tier in zip(lasts[1:], k.start.tiers, strict=True) if not tier.preheated]
    return max(lasts[0], *cool) if cool else lasts[0]


def _preheat_mw(problem: Problem, k: ContainerClass) -> Floats:
    """Return an upper bound of the preheat power of a class [MW], shape (T,).

    A container cannot preheat twice at the same time, so each adds at most the largest energy of the starts that
    reach into the step.
    """
    energy_mwh = k.start.cold_energy_mwh
    spread_h = max(1, k.preheat_steps) * problem.time.step_h
    reach = [energy_mwh[t : t + k.preheat_steps + 1].max() for t in range(problem.steps)]
    return k.count * np.array(reach) / spread_h


def _count_conflicts(problem: Problem, bounds: dict[str, _Bounds]) -> list[str]:
    return [sentence for k in problem.classes for sentence in _conflicts_of_class(problem, k, bounds[k.name])]


def _conflicts_of_class(problem: Problem, k: ContainerClass, b: _Bounds) -> list[str]:
    found = []
    kept = np.zeros(problem.steps, dtype=np.int64) if k.committed is None else k.committed
    for limit, count in (
        ("must_run", k.must_run),
        ("kept commitment", kept),
        ("minimum up time from history", b.bound_up),
    ):
        by_heat = np.where(k.can_run, 0, count)
        if np.any(by_heat > 0):
            t = int(np.argmax(by_heat))
            found.append(
                f"class {k.name}: {limit} asks for {by_heat[t]} running {_when(problem, by_heat > 0, by_heat)}, but "
                f"none can run there: max_it_power_mw of {_mw(k.max_it_power_mw[t])} is below the lowest power of "
                f"{_mw(k.lowest_it_power_mw[t])} (heat or cold); none may be bound to run, or the power range must be "
                "wider."
            )
        excess = np.where(k.can_run, count - k.available, 0)
        if np.any(excess > 0):
            t = int(np.argmax(excess))
            found.append(
                f"class {k.name}: {limit} asks for {count[t]} running, available are {k.available[t]} "
                f"{_when(problem, excess > 0, excess)}; {excess[t]} more must be available, or {excess[t]} fewer bound "
                "to run."
            )
    off = np.where(k.must_run <= k.runnable, k.must_run - (k.count - b.kept_off), 0)
    if np.any(off > 0):
        t = int(np.argmax(off))
        found.append(
            f"class {k.name}: must_run asks for {k.must_run[t]} running, but {b.kept_off[t]} of {k.count} are still "
            f"kept off by {_why_off(problem, k, t)} {_when(problem, off > 0, off)}; must_run must be {off[t]} lower "
            "there."
        )
    return found


def _why_off(problem: Problem, k: ContainerClass, t: int) -> str:
    """Return the limits that keep a container which is off before step 0 from running in step t."""
    reasons = []
    off = [h for h in k.history if not h.on and h.count > 0]
    if any(h.steps + t < k.min_down_steps for h in off):
        reasons.append(f"the minimum down time of {k.min_down_steps} steps")
    limit = k.max_starts_per_day
    days = problem.site.day_of_step
    if limit is not None and days is not None and any(h.starts_today >= limit and days[t] == days[0] for h in off):
        reasons.append(f"max_starts_per_day = {limit}")
    elif limit == 0:
        reasons.append("max_starts_per_day = 0")
    if t < k.preheat_steps:
        reasons.append(f"the preheat of {k.preheat_steps} steps before a cold start")
    return " and ".join(reasons)


def _feeder_conflicts(problem: Problem, bounds: dict[str, _Bounds]) -> list[str]:
    found = []
    for feeder in problem.site.groups:
        own, none = [bounds[name] for name in feeder.classes], np.zeros(problem.steps)
        idle_mw, least_mw = sum((b.idle_mw for b in own), none), sum((b.least_mw for b in own), none)
        cap_mw = np.full(problem.steps, feeder.cap_mw)
        found += _floor_conflicts(problem, f"feeder {feeder.name}: cap_mw", cap_mw, idle_mw, least_mw)
    return found


def _floor_conflicts(problem: Problem, limit: str, ceiling_mw: Floats, idle_mw: Floats, least_mw: Floats) -> list[str]:
    """Return the sentences for a ceiling below what is drawn by containers at rest, or by those bound to run."""
    found = []
    over_idle = idle_mw - ceiling_mw
    over_least = np.where(over_idle > TOLERANCE_MW, 0.0, least_mw - ceiling_mw)
    rest = "standby and base load"
    kept = any(k.committed is not None for k in problem.classes)
    bound = f"the containers bound to run (must_run, minimum up time{', kept commitment' if kept else ''})"
    texts = (
        (over_idle, idle_mw, f"{rest} of all its containers", "a ban on mining is available = 0, not a lower cap"),
        (over_least, least_mw, f"{bound} at their lowest power, with {rest}", "or fewer containers bound to run"),
    )
    for excess, need, what, change in texts:
        wrong = excess > TOLERANCE_MW
        if np.any(wrong):
            t = int(np.argmax(excess))
            found.append(
                f"{limit} of {_mw(ceiling_mw[t])} is below the {_mw(need[t])} of {what} "
                f"{_when(problem, wrong, excess)}; it must be {_mw(excess[t])} higher; {change}."
            )
    return found


@dataclass(frozen=True)
class _Limit:
    """A floor or ceiling of facility power by step; `values_mw` [MW], shape (T,)."""

    name: str
    values_mw: Floats


def _site_conflicts(problem: Problem, bounds: dict[str, _Bounds]) -> list[str]:
    site = problem.site
    idle_mw = site.base_load_mw + np.sum([b.idle_mw for b in bounds.values()], axis=0)
    least_mw = site.base_load_mw + np.sum([b.least_mw for b in bounds.values()], axis=0)
    supply_mw = np.sum([s.available_mw for s in problem.sources], axis=0)
    names = ", ".join(s.name for s in problem.sources)
    cap = _Limit("site cap_mw", site.cap_mw)
    supply = _Limit(f"supply (available_mw of {names})", supply_mw)
    most = _Limit("the most that can be drawn (runnable containers at highest power)", _most_mw(problem, bounds))
    minimum = _Limit("site minimum_mw", site.minimum_mw)
    least = _Limit("the least possible power (containers bound to run at lowest power, standby, base load)", least_mw)

    found = []
    for ceiling in (cap, supply):
        found += _floor_conflicts(problem, ceiling.name, ceiling.values_mw, idle_mw, least_mw)
    for ceiling in (cap, supply, most):
        excess = np.where(site.minimum_mw > 0, site.minimum_mw - ceiling.values_mw, 0.0)
        wrong = excess > TOLERANCE_MW
        if np.any(wrong):
            t = int(np.argmax(excess))
            found.append(
                f"site minimum_mw of {_mw(site.minimum_mw[t])} is above {ceiling.name} of {_mw(ceiling.values_mw[t])} "
                f"{_when(problem, wrong, excess)}; it must be {_mw(excess[t])} lower, or the other limit higher."
            )
    for down in (True, False):
        found += _ramp_conflicts(problem, (minimum, least), (cap, supply, most), down=down)
    return found


def _most_mw(problem: Problem, bounds: dict[str, _Bounds]) -> Floats:
    """Return an upper bound of facility power from what the containers can draw [MW], shape (T,)."""
    on_feeder = {name for feeder in problem.site.groups for name in feeder.classes}
    most_mw: Floats = problem.site.base_load_mw + np.sum(
        [b.most_mw for name, b in bounds.items() if name not in on_feeder] or [np.zeros(problem.steps)], axis=0
    )
    for feeder in problem.site.groups:
        own = [bounds[name].most_mw for name in feeder.classes] or [np.zeros(problem.steps)]
        most_mw = most_mw + np.minimum(np.sum(own, axis=0), feeder.cap_mw)
    return most_mw


def _ramp_conflicts(
    problem: Problem, floors: tuple[_Limit, ...], ceilings: tuple[_Limit, ...], *, down: bool
) -> list[str]:
    """Return the sentences for a floor from which the ramp down does not reach a later ceiling; up, the other way."""
    ramp_mw = problem.site.ramp_down_mw_per_step if down else problem.site.ramp_up_mw_per_step
    if ramp_mw is None:
        return []
    found = []
    origins, targets = (floors, ceilings) if down else (ceilings, floors)
    slope_mw, tightest = (-ramp_mw, np.maximum) if down else (ramp_mw, np.minimum)
    way, moves, beyond, change = (
        ("down", "fall below", "above", "higher") if down else ("up", "rise above", "below", "lower")
    )
    for origin, path, since in _paths(problem, origins, slope_mw, tightest):
        for target in targets:
            excess = path - target.values_mw if down else np.where(target.values_mw > 0, target.values_mw - path, 0.0)
            # A contradiction within one step is no matter of the ramp, and is reported above.
            wrong = (excess > TOLERANCE_MW) & (since < np.arange(problem.steps))
            if np.any(wrong):
                t = int(np.argmax(np.where(wrong, excess, -np.inf)))
                found.append(
                    f"site ramp_{way}_mw_per_step of {_mw(ramp_mw)} is too slow: from {origin}{_at(problem, since[t])} "
                    f"power cannot {moves} {_mw(path[t])}, {beyond} {target.name} of {_mw(target.values_mw[t])} "
                    f"{_when(problem, wrong, excess)}; the ramp must be {_mw(excess[t] / (t - since[t]))} per step "
                    f"faster, or the limit {_mw(excess[t])} {change}."
                )
    return found


def _paths(
    problem: Problem, limits: tuple[_Limit, ...], slope_mw: float, tightest: np.ufunc
) -> list[tuple[str, Floats, Ints]]:
    """Return for initial power and each limit its name, the tightest bound that the ramp makes of it, and since when.

    `tightest` is np.maximum for floors, np.minimum for ceilings.
    """
    steps = np.arange(problem.steps)
    paths: list[tuple[str, Floats, Ints]] = []
    initial_mw = problem.site.initial_mw
    if initial_mw is not None:
        path = np.asarray(initial_mw + slope_mw * (steps + 1), dtype=np.float64)
        paths.append((f"initial_mw of {_mw(initial_mw)}", path, np.full(problem.steps, -1, dtype=np.int64)))
    for limit in limits:
        # limit[s] + slope (t - s) is tightest where limit[s] - slope s is extreme over s <= t.
        level = limit.values_mw - slope_mw * steps
        best = tightest.accumulate(level)
        since: Ints = np.maximum.accumulate(np.where(level == best, steps, 0)).astype(np.int64)
        paths.append((limit.name, best + slope_mw * steps, since))
    return paths


def _mw(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") + " MW"


def _at(problem: Problem, since: int) -> str:
    return "" if since < 0 else f" at {problem.time.begin(int(since)):%Y-%m-%d %H:%M}"


def _when(problem: Problem, wrong: NDArray[np.bool_], excess: Floats | Ints | None = None) -> str:
    """Return the local hours of the steps that are wrong, neighbours merged, and the worst of them."""
    steps = np.flatnonzero(wrong)
    ranges = np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1)
    texts = []
    for run in ranges[:SHOWN_RANGES]:
        text = f"{problem.time.begin(int(run[0])):%Y-%m-%d %H:%M}"
        texts.append(
            text if len(run) == 1 else f"from {text} until {problem.time.begin(int(run[-1]) + 1):%Y-%m-%d %H:%M}"
        )
    more = f" and {len(ranges) - SHOWN_RANGES} later times" if len(ranges) > SHOWN_RANGES else ""
    worst = ""
    if len(steps) > 1 and excess is not None:
        t = int(np.argmax(np.where(wrong, excess, -np.inf)))
        worst = f" (worst at {problem.time.begin(t):%Y-%m-%d %H:%M})"
    head = "" if texts[0].startswith("from") else "at "
    return head + ", ".join(texts) + more + worst


def _energy_conflicts(problem: Problem, bounds: dict[str, _Bounds]) -> list[str]:
    """Return the sentences for limits that demand more energy than can be drawn in their hours, or allow too little."""
    site, found = problem.site, []
    least_mw = np.maximum(site.base_load_mw + np.sum([b.least_mw for b in bounds.values()], axis=0), site.minimum_mw)
    offered = {s.name: s.available_mw for s in problem.sources}
    total_mw = np.sum(list(offered.values()), axis=0)
    most_mw = np.minimum(np.minimum(_most_mw(problem, bounds), site.cap_mw), total_mw)
    for e in site.energy_limits:
        least, most, who, does = least_mw, most_mw, "the site", "draw"
        if e.source is not None:
            # What the other sources cannot give has to come from this one.
            least = np.maximum(least_mw - (total_mw - offered[e.source]), 0.0)
            most, who, does = np.minimum(most_mw, offered[e.source]), f"source {e.source}", "give"
        inside, hours = np.zeros(problem.steps, dtype=bool), problem.time.step_h
        inside[e.window] = True
        has_to, can = (e.taken_mwh + hours * float(mw[e.window].sum()) for mw in (least, most))
        already = f", {e.taken_mwh:g} MWh taken before included" if e.taken_mwh else ""
        if e.at_most_mwh is not None and has_to > e.at_most_mwh + TOLERANCE_MW:
            found.append(
                f"energy limit {e.name}: at_most_mwh of {e.at_most_mwh:g} MWh is below the {has_to:.3f} MWh that "
                f"{who} has to {does} at least (containers bound to run at lowest power, standby, base load{already}) "
                f"{_when(problem, inside)}; it must be {has_to - e.at_most_mwh:.3f} MWh higher, or fewer bound to run."
            )
        if e.at_least_mwh is not None and can < e.at_least_mwh - TOLERANCE_MW:
            found.append(
                f"energy limit {e.name}: at_least_mwh of {e.at_least_mwh:g} MWh is above the {can:.3f} MWh that "
                f"{who} can {does} at most (supply, cap, runnable containers at highest power{already}) "
                f"{_when(problem, inside)}; it must be {e.at_least_mwh - can:.3f} MWh lower."
            )
    return found


# Rows of the limits that proofs in words are about, and the proofs.
PROOFS: tuple[tuple[tuple[str, ...], Callable[[Problem, dict[str, _Bounds]], list[str]]], ...] = (
    (
        ("kept_commitment", "must_run", "minimum_up_time", "minimum_down_time", "availability", "starts_per_day"),
        _count_conflicts,
    ),
    (("feeder_cap",), _feeder_conflicts),
    (("site_cap", "supply_limit", "site_minimum", "ramp_up", "ramp_down"), _site_conflicts),
    (("energy_at_least", "energy_at_most"), _energy_conflicts),
)
PROVEN = frozenset(row for rows, _ in PROOFS for row in rows)
# A container ramp alone never leaves a plant without a plan: it can always stay where it is, or at its lowest power.
LEFT_TO_THE_SOLVER = frozenset(
    ("start_and_stop_power", "start_power", "stop_power", "container_ramp_up", "container_ramp_down")
)
