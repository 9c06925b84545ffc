"""The audit: replays and prices a schedule container by container, sharing nothing with the optimizer.

It knows the :class:`~flexmine.problem.Problem` and a :class:`~flexmine.problem.schedule.Schedule`, numpy, and no
solver.  Each container is followed from its history through the horizon; every power, hash rate and cost is computed
again from the problem's data, and every limit is compared with the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flexmine.audit.book import Book, Violation
from flexmine.audit.containers import (
    Bools,
    check_counts,
    check_power,
    follow_containers,
    preheat_mw,
)
from flexmine.audit.miners import Mixes, mix_hash_rate_th_s
from flexmine.audit.prices import Operation, usd_of
from flexmine.problem import ContainerClass, Floats, Problem
from flexmine.problem.money import net_of
from flexmine.problem.schedule import Schedule, class_rows

# By so much a rounded power may miss a limit.
LIMIT_TOLERANCE_MW = 1e-3


@dataclass(frozen=True)
class Replay:
    """What a schedule does, computed from the problem's data alone.

    Attributes
    ----------
    facility_power_mw, it_power_mw, hash_rate_th_s, preheat_mw : ndarray, shape (containers, T)
        Of each container, in the order of ``problem.containers``; facility power includes standby and preheat.
    warm_start, cold_start : ndarray of bool, shape (containers, T)
        Whether the container starts in the step, and whether warm; a start of a tier between counts as cold here.
    site_power_mw : ndarray, shape (T,)
        Facility power of the site, base load included [MW].
    usd : mapping
        What each term of :data:`flexmine.problem.money.MONEY_TERMS` amounts to, by its name and without its sign
        [USD]; shape (T,), or () where the term does not fall into steps.
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
    usd: Mapping[str, Floats]
    surplus_left_mw: Floats
    violations: tuple[Violation, ...]
    checks: int

    @property
    def money_by_step_usd(self) -> Floats:
        """What is earned less what is paid in each step [USD], shape (T,)."""
        return np.asarray(net_of(self.usd, by_step=True))

    @property
    def money_usd(self) -> float:
        """Money over the whole horizon, terms that do not fall into steps included [USD]."""
        return float(self.money_by_step_usd.sum()) + float(net_of(self.usd, by_step=False))

    def published_usd(self, steps: int) -> float:
        """Return the money of the first `steps` steps [USD]."""
        return float(self.money_by_step_usd[:steps].sum())

    @property
    def ok(self) -> bool:
        """Whether every limit is kept."""
        return not self.violations


def replay(problem: Problem, schedule: Schedule, tolerance_mw: float = 1e-6, reserve_mw: float | None = None) -> Replay:
    r"""Replay `schedule`, price it, and compare it with every limit of `problem`.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule
    tolerance_mw : float
        By how much a power may miss a limit [MW]; counts and times have no tolerance.
    reserve_mw : float, optional
        For a plan that is held to the true limits, such as a rounded one: by how much site cap, feeder caps and ramps
        are wider than in the problem [MW], ``problem.site.rounding_reserve_mw``; limits of energy have their own.

    Raises
    ------
    ValueError
        The schedule has other containers, sources or steps than the problem.

    Notes
    -----
    Where the schedule counts miners, each mix is checked, its hash rate is priced in place of the curve's, and a
    container's highest and lowest power may be missed by one miner.

    With overhead :math:`a`, standby :math:`b`, IT power :math:`p`, preheat :math:`h` and state :math:`u`, the facility
    power of container :math:`c` is :math:`a_t p_{c,t} + b_t (1 - u_{c,t}) + h_{c,t}`, and the money of the site

    .. math:: \sum_t \Delta\Bigl(\sum_c v_t H_c(p_{c,t}) - \sum_j \pi_{j,t} s_{j,t}\Bigr)
              - \text{starts} + \text{terminal}.
    """
    _check_shapes(problem, schedule)
    book = Book(problem, tolerance_mw)
    on, it_power = schedule.on, schedule.it_power_mw
    shape = on.shape
    facility, rate, preheat = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    warm, cold, tier = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.int64)
    power_of_class: dict[str, Floats] = {}
    for k, rows in class_rows(problem):
        own_mixes = None if schedule.mixes is None or k.miners is None else schedule.mixes[rows]
        tier[rows] = follow_containers(book, k, on[rows], warm[rows], cold[rows])
        preheat[rows] = preheat_mw(book, k, cold[rows], tier[rows])
        rate[rows] = np.where(on[rows], _hash_rate(k, it_power[rows], own_mixes), 0.0)
        facility[rows] = k.overhead * it_power[rows] + np.where(on[rows], 0.0, k.standby_mw) + preheat[rows]
        power_of_class[k.name] = facility[rows].sum(axis=0)
        check_power(book, k, on[rows], it_power[rows], own_mixes)
        check_counts(book, k, on[rows])
    site_power = problem.site.base_load_mw + facility.sum(axis=0)
    _check_site(book, site_power, power_of_class, reserve_mw or 0.0)
    _check_sources(book, site_power, schedule.supply_mw)
    _check_energy(book, site_power, schedule.supply_mw, true_limits=reserve_mw is not None)
    return Replay(
        facility_power_mw=facility,
        it_power_mw=it_power.copy(),
        hash_rate_th_s=rate,
        preheat_mw=preheat,
        warm_start=warm,
        cold_start=cold,
        site_power_mw=site_power,
        usd=usd_of(problem, schedule, Operation(rate, warm, cold, tier)),
        surplus_left_mw=_surplus_left(problem, schedule.supply_mw),
        violations=tuple(book.violations),
        checks=book.checks,
    )


def replay_rounded(problem: Problem, schedule: Schedule) -> Replay:
    """Replay a rounded plan: held to 1 kW, and to the limits as they were before the rounding reserve narrowed them."""
    return replay(problem, schedule, LIMIT_TOLERANCE_MW, problem.site.rounding_reserve_mw)


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


def _check_site(book: Book, power: Floats, power_of_class: dict[str, Floats], reserve_mw: float) -> None:
    site = book.problem.site
    book.at_most("cap", "the site", "facility power", power, site.cap_mw + reserve_mw)
    book.at_least("minimum", "the site", "facility power", power, site.minimum_mw)
    for feeder in site.groups:
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


def _check_sources(book: Book, power: Floats, supply: Floats) -> None:
    for j, source in enumerate(book.problem.sources):
        where = f"source {source.name}"
        book.at_most("supply", where, "power taken of", supply[j], source.available_mw)
        book.at_least("supply", where, "power taken of", supply[j], np.zeros(power.size))
    total = supply.sum(axis=0)
    book.checks += power.size
    for t in (int(i) for i in np.flatnonzero(~(np.abs(total - power) <= book.tolerance_mw))):
        what = f"the sources give {total[t]:.6f} MW together, the site draws {power[t]:.6f} MW."
        book.add("balance", "the site", t, abs(total[t] - power[t]), what)


def _check_energy(book: Book, power: Floats, supply: Floats, *, true_limits: bool) -> None:
    """Compare the energy drawn in the hours of each limit with it; powers may be off by the tolerance in every hour."""
    names, step_h = [s.name for s in book.problem.sources], book.problem.time.step_h
    for e in book.problem.site.energy_limits:
        drawn = power if e.source is None else supply[names.index(e.source)]
        mwh = e.taken_mwh + step_h * float(drawn[e.first_step : e.first_step + e.steps].sum())
        slack, reserve = book.tolerance_mw * step_h * e.steps, e.reserve_mwh if true_limits else 0.0
        book.checks += 2
        if e.at_most_mwh is not None:
            most = e.at_most_mwh + reserve + (e.kept_mwh if true_limits else 0.0)
            if not mwh <= most + slack:
                what = f"{mwh:.6f} MWh by the end of its steps, {most:.6f} MWh allowed."
                book.add("energy_at_most", f"energy limit {e.name}", e.first_step, mwh - most, what)
        if e.at_least_mwh is not None:
            least = e.at_least_mwh - reserve
            if not mwh >= least - slack:
                what = f"{mwh:.6f} MWh by the end of its steps, {least:.6f} MWh required."
                book.add("energy_at_least", f"energy limit {e.name}", e.first_step, least - mwh, what)


def _surplus_left(problem: Problem, supply: Floats) -> Floats:
    pairs = zip(problem.sources, supply, strict=True)
    return sum((s.available_mw - taken for s, taken in pairs if s.kind == "surplus"), np.zeros(problem.steps))
