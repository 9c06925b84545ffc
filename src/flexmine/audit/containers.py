"""The part of the audit that follows each container: its starts and stops, its power, its ramp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flexmine.audit.book import Book
from flexmine.audit.miners import Mixes, mix_faults, one_miner_mw
from flexmine.problem import ContainerClass, Floats, History, Ints

Bools = NDArray[np.bool_]


def follow_containers(book: Book, k: ContainerClass, on: Bools, warm: Bools, cold: Bools) -> Ints:
    """Follow each container of a class from its history through the horizon, and mark its starts.

    Parameters
    ----------
    book : Book
    k : ContainerClass
    on : ndarray of bool, shape (count, T)
        Whether each container runs.
    warm, cold : ndarray of bool, shape (count, T)
        Receive True where a container starts warm, and where it starts otherwise.

    Returns
    -------
    ndarray of int, shape (count, T)
        The tier of each start that is not warm; the number of tiers where it is cold, and where nothing starts.
    """
    tier = np.full(on.shape, len(k.start.tiers), dtype=np.int64)
    histories = [h for h in k.history for _ in range(h.count)]
    for row, (name, history) in enumerate(zip(k.containers, histories, strict=True)):
        starts = _follow(book, k, f"container {name}", history, on[row])
        for t, kind in starts:
            (warm if kind < 0 else cold)[row, t] = True
            tier[row, t] = kind
        if k.max_starts_per_day is not None:
            _check_starts(book, k.max_starts_per_day, f"container {name}", history, [t for t, _ in starts])
    return tier


def _follow(book: Book, k: ContainerClass, where: str, history: History, on: Bools) -> list[tuple[int, int]]:
    """Check minimum times of one container; return (step, kind) of each start, kinds as in :func:`_kind_of_start`.

    A state that began at step s (negative: before the horizon) and ends at t has lasted t - s steps.
    """
    starts: list[tuple[int, int]] = []
    since = -history.steps
    for t in (int(i) for i in np.flatnonzero(np.diff(on, prepend=history.on))):
        lasted = t - since
        least = k.min_up_steps if not on[t] else k.min_down_steps
        book.checks += 1
        if lasted < least:
            limit, verb, state = ("minimum_down", "starts", "off") if on[t] else ("minimum_up", "stops", "on")
            what = f"{verb} after {lasted} steps {state}; it has to stay {state} for {least} steps."
            book.add(limit, where, t, least - lasted, what)
        if on[t]:
            starts.append((t, _kind_of_start(k, history, since, t)))
        since = t
    return starts


def _kind_of_start(k: ContainerClass, history: History, stopped: int, t: int) -> int:
    """Return -1 for a warm start, the number of its tier, or the number of tiers for a cold one."""
    off, before = t - stopped, stopped < 0
    # The window belongs to the step of the stop; for a stop before the horizon step 0 stands in for it.
    warm_until = history.warm_until_step if before else None
    if t <= warm_until if warm_until is not None else off <= int(k.start.warm_off_steps[max(stopped, 0)]):
        return -1
    for number, tier in enumerate(k.start.tiers):
        until = history.tier_until_steps[number] if before and history.tier_until_steps is not None else None
        if t <= until if until is not None else off <= int(tier.off_steps[max(stopped, 0)]):
            return number
    return len(k.start.tiers)


def _check_starts(book: Book, most: int, where: str, history: History, starts: list[int]) -> None:
    days = book.problem.site.day_of_step
    assert days is not None  # _check_shapes has refused the problem otherwise
    made = {int(days[0]): history.starts_today}
    for t in starts:
        day = int(days[t])
        made[day] = made.get(day, 0) + 1
        book.checks += 1
        if made[day] > most:
            what = f"this is start number {made[day]} of the day, {most} allowed."
            book.add("start_limit", where, t, made[day] - most, what)


def preheat_mw(book: Book, k: ContainerClass, cold: Bools, tier: Ints) -> Floats:
    """Return the preheat power at the meter of each container of a class [MW], shape (count, T).

    A start that leaves too few steps for its preheat is recorded as a violation.

    Parameters
    ----------
    book : Book
    k : ContainerClass
    cold : ndarray of bool, shape (count, T)
        Whether a container starts, and not warm.
    tier : ndarray of int, shape (count, T)
        As :func:`follow_containers` returns it.
    """
    power = np.zeros(cold.shape)
    for row, t in zip(*np.nonzero(cold), strict=True):
        between = tier[row, t] < len(k.start.tiers)
        own = k.start.tiers[tier[row, t]].energy_mwh if between else k.start.cold_energy_mwh
        mean_mw = own[t] / book.problem.time.step_h
        if k.preheat_steps == 0 or (between and not np.any(own > 0)):
            power[row, t] += mean_mw
            continue
        power[row, max(0, t - k.preheat_steps) : t] += mean_mw / k.preheat_steps
        book.checks += 1
        if t < k.preheat_steps:
            what = f"a cold start needs {k.preheat_steps} steps of preheating before it, {t} are there."
            book.add("preheat", f"container {k.containers[row]}", int(t), k.preheat_steps - t, what)
    return power


def _check_container_ramp(book: Book, k: ContainerClass, on: Bools, it_power: Floats, one_miner_mw: float) -> None:
    """Check that containers start and stop at their lowest power and change it slowly enough in between.

    Whole miners may miss the lowest power by one miner, and a change of power by one at either end.
    """
    ramp = k.container_ramp_mw_per_step
    if ramp is None:
        return
    histories, tolerance = [h for h in k.history for _ in range(h.count)], book.tolerance_mw
    for row, (name, h) in enumerate(zip(k.containers, histories, strict=True)):
        where, before = f"container {name}", h.it_power_mw if h.on and h.it_power_mw > 0 else None
        was_on = h.on
        for t in range(on.shape[1]):
            starts, stops = on[row, t] and not was_on, on[row, t] and t + 1 < on.shape[1] and not on[row, t + 1]
            book.checks += 1
            over = it_power[row, t] - k.lowest_it_power_mw[t]
            if (starts or stops) and over > one_miner_mw + tolerance:
                when = "in the step of its start" if starts else "in the last step before its stop"
                what = f"{when} it is {over:.6f} MW above its lowest power; it starts and stops at that."
                book.add("container_ramp", where, t, over, what)
            if on[row, t] and was_on and before is not None:
                change = abs(it_power[row, t] - before) - ramp
                if change > 2 * one_miner_mw + tolerance:
                    what = f"IT power changes by {change + ramp:.6f} MW from the step before, {ramp:.6f} MW is allowed."
                    book.add("container_ramp", where, t, change, what)
            was_on, before = bool(on[row, t]), float(it_power[row, t]) if on[row, t] else None


def check_power(book: Book, k: ContainerClass, on: Bools, it_power: Floats, mixes: Mixes | None) -> None:
    """Check the IT power of each container of a class, its ramp, and its mixes of miners.

    Parameters
    ----------
    book : Book
    k : ContainerClass
    on : ndarray of bool, shape (count, T)
        Whether each container runs.
    it_power : ndarray, shape (count, T)
        IT power of each container [MW].
    mixes : ndarray of int, shape (count, T, levels), or None
        Miners at each level; None where the schedule counts no miners.
    """
    one_miner = 0.0
    if mixes is not None and k.miners is not None:
        # Rounding carries single miners from one container to the next, also at its own highest and lowest power.
        one_miner = one_miner_mw(k.miners)
        book.checks += 2 * on.size
        for limit, row, t, amount, words in mix_faults(k.miners, mixes, on, it_power):
            book.add(limit, f"container {k.containers[row]}", t, amount, words)
    _check_container_ramp(book, k, on, it_power, one_miner)
    # Where the class cannot run at all, check_counts says so once; its crossed limits would only repeat it.
    runs = on & k.can_run
    low = np.where(runs, k.lowest_it_power_mw - one_miner, np.where(on, -np.inf, 0.0))
    high = np.where(runs, k.highest_it_power_mw + one_miner, np.where(on, np.inf, 0.0))
    tolerance = book.tolerance_mw
    book.checks += 2 * on.size
    for row, t in zip(*np.nonzero(~(it_power >= low - tolerance) | ~(it_power <= high + tolerance)), strict=True):
        where, found = f"container {k.containers[row]}", it_power[row, t]
        if not on[row, t]:
            book.add("off_power", where, t, abs(found), f"is off and draws {found:.6f} MW of IT power; 0 is allowed.")
        elif found > high[row, t]:
            over, most = found - high[row, t], high[row, t]
            book.add("maximum_power", where, t, over, f"IT power {found:.6f} MW is above its highest, {most:.6f} MW.")
        else:
            under, least = low[row, t] - found, low[row, t]
            book.add("minimum_power", where, t, under, f"IT power {found:.6f} MW is below its lowest, {least:.6f} MW.")


def check_counts(book: Book, k: ContainerClass, on: Bools) -> None:
    """Check how many containers of a class run; `on` has shape (count, T)."""
    running, where = on.sum(axis=0), f"class {k.name}"
    book.checks += 3 * running.size
    for t in (int(i) for i in np.flatnonzero(running > k.available)):
        over = int(running[t] - k.available[t])
        book.add("available", where, t, over, f"{running[t]} containers run, {k.available[t]} are available.")
    for t in (int(i) for i in np.flatnonzero((running > 0) & ~k.can_run)):
        low, high = k.lowest_it_power_mw[t], k.highest_it_power_mw[t]
        what = f"{running[t]} containers run where none can: lowest power {low:.6f} MW, highest {high:.6f} MW."
        book.add("cannot_run", where, t, int(running[t]), what)
    for t in (int(i) for i in np.flatnonzero(running < k.must_run)):
        under = int(k.must_run[t] - running[t])
        book.add("must_run", where, t, under, f"{running[t]} containers run, {k.must_run[t]} must run.")
    if k.committed is None:
        return
    book.checks += running.size
    for t in (int(i) for i in np.flatnonzero(running != k.committed)):
        off_by = abs(int(running[t] - k.committed[t]))
        book.add("commitment", where, t, off_by, f"{running[t]} containers run, {k.committed[t]} are committed.")
