"""The audit: replays and prices a schedule container by container, sharing nothing with the optimizer.

It knows the :class:`~flexmine.problem.Problem` and a :class:`~flexmine.planning.schedule.Schedule`, numpy, and no
solver.  Each container is followed from its history through the horizon; every power, hash rate and cost is computed
anew from the problem's data, and every limit is compared with what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flexmine.planning.audit_miners import Mixes, mix_faults, mix_hash_rate_th_s, one_miner_mw
from flexmine.planning.schedule import Schedule
from flexmine.problem import ContainerClass, Floats, History, Problem

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Violation:
    """A limit that a schedule does not keep.

    Attributes
    ----------
    limit : str
        Code of the limit, such as ``cap`` or ``minimum_up``.
    where : str
        The site, container, class, feeder or source, as in ``container C03``.
    step : int or None
        Step of the violation; None where it belongs to no single step.
    amount : float
        By how much, in the unit that `message` names.
    message : str
        One sentence for a person, with the local time of the step.
    """

    limit: str
    where: str
    step: int | None
    amount: float
    message: str


@dataclass(frozen=True)
class Replay:
    """What a schedule does, computed from the problem's data alone.

    Attributes
    ----------
    facility_power_mw, it_power_mw, hash_rate_th_s, preheat_mw : ndarray, shape (containers, T)
        Of each container, in the order of ``problem.containers``; facility power includes standby and preheat.
    warm_start, cold_start : ndarray of bool, shape (containers, T)
        Whether the container starts in the step, and from which state.
    site_power_mw : ndarray, shape (T,)
        Facility power of the site, base load included [MW].
    hash_revenue_usd, energy_cost_usd, start_cost_usd : ndarray, shape (T,)
        Of each step [USD].
    terminal_usd : float
        Value of the containers that run in the last step [USD].
    surplus_left_mw : ndarray, shape (T,)
        Offered less taken, over all sources of kind surplus [MW].
    violations : tuple of Violation
    checks : int
        Number of single comparisons made.
    """

    facility_power_mw: Floats
    it_power_mw: Floats
    hash_rate_th_s: Floats
    preheat_mw: Floats
    warm_start: Bools
    cold_start: Bools
    site_power_mw: Floats
    hash_revenue_usd: Floats
    energy_cost_usd: Floats
    start_cost_usd: Floats
    terminal_usd: float
    surplus_left_mw: Floats
    violations: tuple[Violation, ...]
    checks: int

    @property
    def money_by_step_usd(self) -> Floats:
        """Hash revenue less energy and start costs of each step [USD], shape (T,)."""
        return self.hash_revenue_usd - self.energy_cost_usd - self.start_cost_usd

    @property
    def money_usd(self) -> float:
        """Money over the whole horizon, terminal value included [USD]."""
        return float(self.money_by_step_usd.sum()) + self.terminal_usd

    @property
    def ok(self) -> bool:
        """Whether every limit is kept."""
        return not self.violations


def replay(problem: Problem, schedule: Schedule, tolerance_mw: float = 1e-6, reserve_mw: float = 0.0) -> Replay:
    r"""Replay `schedule`, price it, and compare it with every limit of `problem`.

    Parameters
    ----------
    tolerance_mw : float
        By so much a power may miss a limit [MW]; counts and times have no tolerance.
    reserve_mw : float
        By so much site cap, feeder caps and ramps are wider than in the problem [MW]: pass
        ``problem.site.rounding_reserve_mw`` for a rounded plan, for which they were narrowed.

    Notes
    -----
    Where the schedule counts miners, each mix is checked, its hash rate is priced in place of the curve's, and a
    container's highest and lowest power may be missed by one miner.

    With overhead :math:`a`, standby :math:`b`, IT power :math:`p`, preheat :math:`h` and state :math:`u`, the facility
    power of container :math:`c` is :math:`a_t p_{c,t} + b_t (1 - u_{c,t}) + h_{c,t}`, and the money of the site

    .. math:: \sum_t \Delta\Bigl(\sum_c v_t H_c(p_{c,t}) - \sum_j \pi_{j,t} s_{j,t}\Bigr)
              - \text{starts} + \text{terminal}.

    Raises
    ------
    ValueError
        The schedule has other containers, sources or steps than the problem.
    """
    _check_shapes(problem, schedule)
    book = _Book(problem, tolerance_mw)
    on, it_power = schedule.on, schedule.it_power_mw
    shape = on.shape
    facility, rate, preheat = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    warm, cold = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    revenue, start_cost, terminal, first = np.zeros(problem.steps), np.zeros(problem.steps), 0.0, 0
    power_of_class: dict[str, Floats] = {}
    for k in problem.classes:
        rows = slice(first, first + k.count)
        first += k.count
        own_mixes = None if schedule.mixes is None or k.miners is None else schedule.mixes[rows]
        _follow_containers(book, k, on[rows], warm[rows], cold[rows])
        preheat[rows] = _preheat(book, k, cold[rows])
        rate[rows] = np.where(on[rows], _hash_rate(k, it_power[rows], own_mixes), 0.0)
        facility[rows] = k.overhead * it_power[rows] + np.where(on[rows], 0.0, k.standby_mw) + preheat[rows]
        power_of_class[k.name] = facility[rows].sum(axis=0)
        _check_power(book, k, on[rows], it_power[rows], own_mixes)
        _check_counts(book, k, on[rows])
        revenue += problem.time.step_h * k.hash_value_usd_per_th_s_h * rate[rows].sum(axis=0)
        start_cost += k.start.warm_cost_usd * warm[rows].sum(axis=0) + k.start.cold_cost_usd * cold[rows].sum(axis=0)
        terminal += k.terminal_on_usd * int(on[rows, -1].sum())
    site_power = problem.site.base_load_mw + facility.sum(axis=0)
    _check_site(book, site_power, power_of_class, reserve_mw)
    _check_sources(book, site_power, schedule.supply_mw)
    return Replay(
        facility_power_mw=facility,
        it_power_mw=it_power.copy(),
        hash_rate_th_s=rate,
        preheat_mw=preheat,
        warm_start=warm,
        cold_start=cold,
        site_power_mw=site_power,
        hash_revenue_usd=revenue,
        energy_cost_usd=_energy_cost(problem, schedule.supply_mw),
        start_cost_usd=start_cost,
        terminal_usd=float(terminal),
        surplus_left_mw=_surplus_left(problem, schedule.supply_mw),
        violations=tuple(book.violations),
        checks=book.checks,
    )


def _hash_rate(k: ContainerClass, it_power: Floats, mixes: Mixes | None) -> Floats:
    """Return the hash rate of running containers [TH/s]: of the mix where miners are counted, else of the curve."""
    if mixes is None or k.miners is None:
        return np.interp(it_power, k.it_power_mw, k.hash_rate_th_s)
    return mix_hash_rate_th_s(k.miners, mixes)


def _check_shapes(problem: Problem, schedule: Schedule) -> None:
    names = tuple(name for name, _ in problem.containers)
    if schedule.containers != names:
        raise ValueError("the schedule's containers are not those of the problem, in its order")
    wanted = {"on": (len(names), problem.steps), "it_power_mw": (len(names), problem.steps)}
    wanted["supply_mw"] = (len(problem.sources), problem.steps)
    for field, shape in wanted.items():
        found = getattr(schedule, field).shape
        if found != shape:
            raise ValueError(f"the schedule's {field} has shape {found}, expected {shape}")
    levels = max((len(k.miners.presets) for k in problem.classes if k.miners is not None), default=0)
    if schedule.mixes is not None and schedule.mixes.shape[:2] != (len(names), problem.steps):
        raise ValueError(f"the schedule's mixes have shape {schedule.mixes.shape}, expected {wanted['on']} and levels")
    if schedule.mixes is not None and schedule.mixes.shape[2] <= levels:
        raise ValueError(f"the schedule's mixes have {schedule.mixes.shape[2]} levels, {levels + 1} are needed")
    if any(k.max_starts_per_day is not None for k in problem.classes) and problem.site.day_of_step is None:
        raise ValueError("max_starts_per_day needs site.day_of_step")


class _Book:
    """Keeps count of the comparisons and writes down what fails."""

    def __init__(self, problem: Problem, tolerance_mw: float):
        self.problem = problem
        self.tolerance_mw = tolerance_mw
        self.violations: list[Violation] = []
        self.checks = 0

    def time(self, step: int) -> str:
        return self.problem.time.begin(step).isoformat(sep=" ", timespec="minutes")

    def add(self, limit: str, where: str, step: int, amount: float, what: str) -> None:
        message = f"{limit}: {where} at {self.time(step)}: {what}"
        self.violations.append(Violation(limit, where, step, float(amount), message))

    def at_most(self, limit: str, where: str, what: str, value_mw: Floats, most_mw: Floats) -> None:
        """Compare powers of shape (T,) with their upper limits; NaN keeps no limit."""
        self.checks += value_mw.size
        for t in np.flatnonzero(~(value_mw <= most_mw + self.tolerance_mw)):
            over = value_mw[t] - most_mw[t]
            words = f"{what} {value_mw[t]:.6f} MW is {over:.6f} MW above the {most_mw[t]:.6f} MW allowed."
            self.add(limit, where, int(t), over, words)

    def at_least(self, limit: str, where: str, what: str, value_mw: Floats, least_mw: Floats) -> None:
        """Compare powers of shape (T,) with their lower limits; NaN keeps no limit."""
        self.checks += value_mw.size
        for t in np.flatnonzero(~(value_mw >= least_mw - self.tolerance_mw)):
            under = least_mw[t] - value_mw[t]
            words = f"{what} {value_mw[t]:.6f} MW is {under:.6f} MW below the {least_mw[t]:.6f} MW required."
            self.add(limit, where, int(t), under, words)


def _follow_containers(book: _Book, k: ContainerClass, on: Bools, warm: Bools, cold: Bools) -> None:
    """Follow each container of a class from its history; fills `warm` and `cold` [count, T]."""
    histories = [h for h in k.history for _ in range(h.count)]
    for row, (name, history) in enumerate(zip(k.containers, histories, strict=True)):
        starts = _follow(book, k, f"container {name}", history, on[row])
        for t, is_warm in starts:
            (warm if is_warm else cold)[row, t] = True
        if k.max_starts_per_day is not None:
            _check_starts(book, k.max_starts_per_day, f"container {name}", history, [t for t, _ in starts])


def _follow(book: _Book, k: ContainerClass, where: str, history: History, on: Bools) -> list[tuple[int, bool]]:
    """Check minimum times of one container; return (step, warm) of each start.

    A state that began at step s (negative: before the horizon) and ends at t has lasted t - s steps.
    """
    starts: list[tuple[int, bool]] = []
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
            if since < 0 and history.warm_until_step is not None:
                starts.append((t, t <= history.warm_until_step))
            else:
                # The window belongs to the step of the stop; for a stop before the horizon step 0 stands in for it.
                starts.append((t, lasted <= int(k.start.warm_off_steps[max(since, 0)])))
        since = t
    return starts


def _check_starts(book: _Book, most: int, where: str, history: History, starts: list[int]) -> None:
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


def _preheat(book: _Book, k: ContainerClass, cold: Bools) -> Floats:
    """Return the preheat power at the meter of each container of a class [MW], shape (count, T)."""
    power = np.zeros(cold.shape)
    for row, t in zip(*np.nonzero(cold), strict=True):
        mean_mw = k.start.cold_energy_mwh[t] / book.problem.time.step_h
        if k.preheat_steps == 0:
            power[row, t] += mean_mw
            continue
        power[row, max(0, t - k.preheat_steps) : t] += mean_mw / k.preheat_steps
        book.checks += 1
        if t < k.preheat_steps:
            what = f"a cold start needs {k.preheat_steps} steps of preheating before it, {t} are there."
            book.add("preheat", f"container {k.containers[row]}", int(t), k.preheat_steps - t, what)
    return power


def _check_power(book: _Book, k: ContainerClass, on: Bools, it_power: Floats, mixes: Mixes | None) -> None:
    one_miner = 0.0
    if mixes is not None and k.miners is not None:
        # Rounding carries single miners from one container to the next, also at its own highest and lowest power.
        one_miner = one_miner_mw(k.miners)
        book.checks += 2 * on.size
        for limit, row, t, amount, words in mix_faults(k.miners, mixes, on, it_power):
            book.add(limit, f"container {k.containers[row]}", t, amount, words)
    # Where the class cannot run at all, _check_counts says so once; its crossed limits would only repeat it.
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


def _check_counts(book: _Book, k: ContainerClass, on: Bools) -> None:
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


def _check_site(book: _Book, power: Floats, power_of_class: dict[str, Floats], reserve_mw: float) -> None:
    site = book.problem.site
    book.at_most("cap", "the site", "facility power", power, site.cap_mw + reserve_mw)
    book.at_least("minimum", "the site", "facility power", power, site.minimum_mw)
    for feeder in site.feeders:
        load = sum((power_of_class[name] for name in feeder.classes), np.zeros(power.size))
        cap = np.full(power.size, feeder.cap_mw + reserve_mw)
        book.at_most("feeder", f"feeder {feeder.name}", "facility power", load, cap)
    # Without a measured power before the horizon there is no ramp into step 0.
    before = power[0] if site.initial_mw is None else site.initial_mw
    change = np.diff(power, prepend=before)
    if site.ramp_up_mw_per_step is not None:
        most = np.full(power.size, site.ramp_up_mw_per_step + reserve_mw)
        book.at_most("ramp_up", "the site", "rise from the step before of", change, most)
    if site.ramp_down_mw_per_step is not None:
        most = np.full(power.size, site.ramp_down_mw_per_step + reserve_mw)
        book.at_most("ramp_down", "the site", "fall from the step before of", -change, most)


def _check_sources(book: _Book, power: Floats, supply: Floats) -> None:
    for j, source in enumerate(book.problem.sources):
        where = f"source {source.name}"
        book.at_most("supply", where, "power taken of", supply[j], source.available_mw)
        book.at_least("supply", where, "power taken of", supply[j], np.zeros(power.size))
    total = supply.sum(axis=0)
    book.checks += power.size
    for t in (int(i) for i in np.flatnonzero(~(np.abs(total - power) <= book.tolerance_mw))):
        what = f"the sources give {total[t]:.6f} MW together, the site draws {power[t]:.6f} MW."
        book.add("balance", "the site", t, abs(total[t] - power[t]), what)


def _energy_cost(problem: Problem, supply: Floats) -> Floats:
    prices = np.array([s.price_usd_per_mwh for s in problem.sources])
    return np.asarray(problem.time.step_h * (prices * supply).sum(axis=0))


def _surplus_left(problem: Problem, supply: Floats) -> Floats:
    left = np.zeros(problem.steps)
    for j, source in enumerate(problem.sources):
        if source.kind == "surplus":
            left += source.available_mw - supply[j]
    return left
