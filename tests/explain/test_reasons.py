"""Every reason of a container-hour survives its own test: relax that limit alone, and see the plan move."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from brute_force import best_supply
from flexmine.audit.replay import replay
from flexmine.errors import Infeasible
from flexmine.explain.reasons import WITHOUT_IT_EITHER, reasons
from flexmine.explain.what_if import WhatIfs
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import EnergyLimit, History, Problem
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.marginal import FixedCommitment
from plants import random_features, random_problem, round_class, round_problem
from samples import chunks

EXACT = SolveOptions(gap=0.0)
NOISE_USD = 1e-5
NOISE_MW = 1e-5
PLANTS, CHUNKS = 54, 6


def classes(p: Problem, change) -> Problem:
    return replace(p, classes=tuple(change(k) for k in p.classes))


def start(k, **changes):
    return replace(k, start=replace(k.start, **changes))


def site(p: Problem, **changes) -> Problem:
    return replace(p, site=replace(p.site, **changes))


def bump(values, t: int, by: float):
    changed = np.array(values, dtype=float)
    changed[t] += by
    return changed


def more_of(p: Problem, kind: str, t: int) -> list[Problem]:
    """One problem for each source of a kind, which offers one MW more in step t."""
    found = []
    for j, s in enumerate(p.sources):
        if s.kind == kind:
            more = replace(s, available_mw=bump(s.available_mw, t, 1.0))
            found.append(replace(p, sources=(*p.sources[:j], more, *p.sources[j + 1 :])))
    return found


def cheaper(p: Problem, t: int) -> Problem:
    sources = tuple(replace(s, price_usd_per_mwh=bump(s.price_usd_per_mwh, t, -1e4)) for s in p.sources)
    return replace(p, sources=sources)


def other_energy(p: Problem) -> list[Problem]:
    """One problem for each limit of energy, wider by 1 MWh, and one without any."""

    def wider(e, name):
        least, most = e.at_least_mwh, e.at_most_mwh
        if e.name != name:
            return e
        return replace(
            e, at_least_mwh=None if least is None else least - 1.0, at_most_mwh=None if most is None else most + 1.0
        )

    limits = p.site.energy_limits
    every = [site(p, energy_limits=tuple(wider(e, own.name) for e in limits)) for own in limits]
    return [*every, site(p, energy_limits=())] if limits else []


def relaxed(p: Problem, code: str, name: str, t: int) -> list[Problem]:
    """The problem without the limit, or with it wider, at that place; several where the code covers several."""
    zero, end = np.zeros(p.steps), np.ones(p.steps)
    feeders = tuple(replace(f, cap_mw=f.cap_mw + 1.0 * (name in f.classes)) for f in p.site.groups)
    up, down = p.site.ramp_up_mw_per_step, p.site.ramp_down_mw_per_step
    ways = {
        "surplus": lambda: more_of(p, "surplus", t),
        "contract": lambda: [
            *more_of(p, "firm", t),
            site(p, minimum_mw=bump(p.site.minimum_mw, t, -1.0)),
            site(p, minimum_mw=zero),
            *other_energy(p),
        ],
        "cap": lambda: [site(p, cap_mw=bump(p.site.cap_mw, t, 1.0))],
        "order": lambda: [site(p, cap_mw=bump(p.site.cap_mw, t, 1.0))],
        "feeder": lambda: [site(p, groups=feeders)],
        "ramp_up": lambda: [] if up is None else [site(p, ramp_up_mw_per_step=up + 1.0)],
        "ramp_down": lambda: [] if down is None else [site(p, ramp_down_mw_per_step=down + 1.0)],
        "price": lambda: [cheaper(p, t)],
        "start_cost": lambda: [classes(p, lambda k: start(k, warm_cost_usd=zero, cold_cost_usd=zero))],
        "minimum_up": lambda: [classes(p, lambda k: replace(k, min_up_steps=1))],
        "minimum_down": lambda: [
            classes(p, lambda k: replace(k, min_down_steps=min(k.min_down_steps, max(1, k.preheat_steps))))
        ],
        "start_limit": lambda: [classes(p, lambda k: replace(k, max_starts_per_day=None))],
        "preheat": lambda: [classes(p, lambda k: replace(start(k, cold_energy_mwh=zero), preheat_steps=0))],
        "terminal": lambda: [classes(p, lambda k: replace(k, terminal_on_usd=0.0))],
        "must_run": lambda: [classes(p, lambda k: replace(k, must_run=np.zeros_like(k.must_run)))],
        "outage": lambda: [classes(p, lambda k: replace(k, available=np.full(p.steps, k.count)))],
        "heat": lambda: [
            classes(p, lambda k: replace(k, max_it_power_mw=k.it_power_mw[-1] * end, min_it_power_mw=zero))
        ],
    }
    return ways[code]()


SINGLE = (
    *("surplus", "contract", "cap", "feeder", "ramp_up", "ramp_down", "price", "start_cost", "minimum_up"),
    *("minimum_down", "start_limit", "preheat", "terminal", "must_run", "outage", "heat"),
)


class Plant:
    """A plan solved to gap 0, and its relaxations, each solved once."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.solution = solve(problem, EXACT)
        self.schedule = to_schedule(problem, self.solution)
        self.rows = {}
        for row, (_, k) in enumerate(problem.containers):
            self.rows.setdefault(k.name, []).append(row)
        self.known = {}

    def gain_and_move(self, other: Problem, name: str, t: int) -> tuple[float, float, float, float]:
        """Money above what the plan itself makes in `other`; and what changes of the class and the site in step t."""
        power = replay(other, self.schedule).site_power_mw
        as_it_is = replay(other, replace(self.schedule, supply_mw=best_supply(other, power))).money_usd
        found = solve(other, EXACT)
        moved = to_schedule(other, found)
        rows = self.rows[name]
        count = int(moved.on[rows, t].sum()) - int(self.schedule.on[rows, t].sum())
        it_power = float(moved.it_power_mw[rows, t].sum() - self.schedule.it_power_mw[rows, t].sum())
        site_power = float(found.supply_mw[:, t].sum() - self.solution.supply_mw[:, t].sum())
        return found.money_usd - as_it_is, count, it_power, site_power

    def moves(self, code: str, name: str, t: int) -> list[tuple[float, float, float, float]]:
        key = (code, name, t)
        if key not in self.known:
            self.known[key] = [self.gain_and_move(other, name, t) for other in relaxed(self.problem, code, name, t)]
        return self.known[key]


def survives(plant: Plant, text: str, row: int, name: str, t: int) -> bool:
    """Whether the reason's own test holds."""
    code = text.split(":", maxsplit=1)[0]
    k = next(k for k in plant.problem.classes if k.name == name)
    on = bool(plant.schedule.on[row, t])
    if code == "full":
        return on and plant.schedule.it_power_mw[row, t] >= k.highest_it_power_mw[t] - NOISE_MW
    if code == "tie":
        return not any(
            gain > NOISE_USD and (count > 0 or (on and (count or abs(it_power) > NOISE_MW)))
            for other in SINGLE
            for gain, count, it_power, _ in plant.moves(other, name, t)
        )
    if text.endswith(WITHOUT_IT_EITHER):
        return not on and k.runnable[t] == 0
    found = [m for m in plant.moves(code, name, t) if m[0] > NOISE_USD]
    if code == "price":
        return any(site_power > NOISE_MW for *_, site_power in found)
    if code in ("surplus", "cap", "order", "feeder", "ramp_up", "ramp_down", "contract"):
        return bool(found)
    if code == "heat" and on:
        return any(it_power > NOISE_MW for _, _, it_power, _ in found)
    return any(count < 0 if on else count > 0 for _, count, *_ in found)


def judged(problem: Problem):
    """Yield (where, text, survived) for every different reason of a plan."""
    try:
        plant = Plant(problem)
    except Infeasible:
        return
    found = reasons(problem, plant.solution, plant.schedule, options=EXACT)
    seen = set()
    for row, (container, k) in enumerate(problem.containers):
        for t, text in enumerate(found.text[row]):
            on = bool(plant.schedule.on[row, t])
            if (k.name, t, on, text) not in seen:
                seen.add((k.name, t, on, text))
                yield (container, t, on), text, survives(plant, text, row, k.name, t)


@pytest.mark.parametrize("chunk", chunks(range(CHUNKS), normal=(0, 3)))
def test_every_reason_survives_its_relaxation(chunk):
    """Random plants of all features.

    *Proves:* with the named limit relaxed alone, the plan's money rises above what the old plan would make, and where
    who runs is concerned, more (or fewer) of the class run in that very step; a tie moves with none of the limits.
    *Sensitivity:* a reason named by the shape of the data, such as `ramp_up` wherever power rises, fails at once.
    """
    failed, codes = [], Counter()
    for seed in range(chunk, PLANTS, CHUNKS):
        for where, text, survived in judged(random_problem(seed)):
            codes[text.split(":")[0]] += 1
            if not survived:
                failed.append((seed, sorted(random_features(seed)), where, text))
    assert not failed, "\n".join(map(str, failed))
    assert len(codes) >= 4


@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in (6, 12, 18, 24))])
def test_reasons_of_plants_with_limits_of_energy_survive_too(first):
    """*Proves:* the same where what is taken of a source, or of the site, is limited; some reasons are such a limit.

    *Sensitivity:* energy that is spent looks like power that nobody wants: a tie, or a price.
    """
    failed, texts = [], Counter()
    for seed in range(first, first + 6):
        for where, text, survived in judged(random_problem(seed, {"energy", "several_classes"})):
            texts["at most" if "at most" in text else "at least" if "at least" in text else "other"] += 1
            if not survived:
                failed.append((seed, where, text))
    assert not failed, "\n".join(map(str, failed))
    assert texts["at most"] + texts["at least"] >= 1


@pytest.mark.parametrize(
    ("ramp_mw", "expected"),
    [
        (0.6, ["ramp_up: it starts", "full", "full", "ramp_down: it is at its lowest"]),
        (0.2, ["ramp_up: it starts", "ramp_up: its power rises", "ramp_down: its power falls", "ramp_down: it is at"]),
    ],
)
def test_container_ramps_are_told_as_ramps(ramp_mw, expected):
    """Four cheap hours and two dear ones; 0.5 to 1 MW, from 0.5 and back to 0.5.

    *Proves:* a container that is held at start, at stop and in between is told so, on counts and one by one.
    *Sensitivity:* without it those steps would be ties, or have a price as their reason.
    """
    fields = {"it_power_mw": (0.5, 1.0), "hash_rate_th_s": (500.0, 1000.0), "cold_cost_usd": 10.0, "min_up_steps": 2}
    k = round_class(2, 6, **fields, container_ramp_mw_per_step=ramp_mw, history=(History(2, False, 10),))
    problem = round_problem(k, [20, 20, 20, 20, 300, 300])
    solution = solve(problem, EXACT)
    text = reasons(problem, solution, to_schedule(problem, solution)).text
    for row in text:
        assert all(found.startswith(begin) for found, begin in zip(row, expected, strict=False)), row
        assert all(found.startswith("price") for found in row[4:])


def test_minimum_down_time_is_a_reason_though_the_warm_pool_holds_it_once_more():
    """Two containers that stopped an hour ago have to stay off for four; each of the three hours left costs 80 USD.

    *Proves:* the plan without minimum down time is one without it in the row of the warm pool, too: 480 USD more; and
    with the commitment fixed no row of counts is left, so that one container more in an hour of its own brings 80.
    *Sensitivity:* a row that kept the steps of the plan would leave them off, and the hours without a reason.
    """
    k = round_class(2, steps=6, min_down_steps=4, warm_off_steps=9, history=(History(2, False, 1),))
    problem = round_problem(k, 20.0, mw=2.0)
    solution = solve(problem, EXACT)
    what_ifs = WhatIfs(problem, solution, EXACT)
    assert what_ifs.without("minimum_down").gain_usd == pytest.approx(2 * 3 * 80.0)
    assert FixedCommitment(problem, solution).gain_of_counts("box", 1, 1) == pytest.approx(80.0)


def test_a_spent_budget_is_the_reason_of_the_hours_that_are_left_out():
    """A container that starts for nothing, 20, 90, 40 and 60 USD/MWh, at most 2 MWh of the site: hours 0 and 2.

    *Proves:* the plan without it makes 10 + 40 USD more, and runs in the two hours that are off because of it.
    *Sensitivity:* a what-if that leaves the limit in gains nothing, and both hours would be ties.
    """
    k = round_class(steps=4, warm_cost_usd=0.0, cold_cost_usd=0.0)
    problem = round_problem(k, [20.0, 90.0, 40.0, 60.0])
    problem = site(problem, energy_limits=(EnergyLimit("daily", None, 0, 4, at_most_mwh=2.0),))
    solution = solve(problem, EXACT)
    assert WhatIfs(problem, solution, EXACT).without("contract").gain_usd == pytest.approx(50.0)
    text = reasons(problem, solution, to_schedule(problem, solution), options=EXACT).text[0]
    assert [t.partition(":")[0] for t in text] == ["full", "contract", "full", "contract"], text
