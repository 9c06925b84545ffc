"""Sixteen seeded conflicts, each answered with a sentence that names limit, hour and amount.

Each is tried twice: as the planner does it, checks in words first; and by the elastic solve alone, which has to stand
on its own for conflicts that no check foresees.
"""

import re
from dataclasses import replace

import numpy as np
import pytest

from flexmine.errors import Infeasible, NoPlan
from flexmine.milp.class_data import class_data_of
from flexmine.problem import EnergyLimit, Group, History, Problem
from flexmine.problem.limits import with_site
from flexmine.solving import conflict, highs
from flexmine.solving.engine import SolveOptions, solve
from flexmine.solving.highs import SolverFailed
from flexmine.workflow.solve import solve_checked
from plants import reference_class, simple_problem

T = 12
ON = (History(4, on=True, steps=10, it_power_mw=0.52),)
OFF = (History(4, on=False, steps=10),)


def at(step: int, value: float, other: float) -> np.ndarray:
    series = np.full(T, other, dtype=float)
    series[step] = value
    return series


def mw(amount: float) -> str:
    """Return a pattern for an amount, however many zeros follow it."""
    return rf"\b{re.escape(f'{amount:g}')}(\.?0*) MW"


def fleet(**fields):
    return reference_class(count=4, steps=T, **({"history": ON} | fields))


def site(k, **fields) -> Problem:
    return simple_problem(k, **({"initial": 2.2, "ramp": 4.0} | fields))


def feeder(problem: Problem, cap_mw: float) -> Problem:
    return replace(problem, site=replace(problem.site, groups=(Group("f1", cap_mw, ("s19pro",)),)))


def energy(problem: Problem, source: str | None = None, **mwh: float) -> Problem:
    return with_site(problem, energy_limits=(EnergyLimit("daily/2024-09-10", source, 0, T, **mwh),))


SEEDED = {
    "minimum above cap": (site(fleet(), minimum=at(5, 11.0, 0.0)), ["05:00", mw(11)]),
    "minimum above supply": (site(fleet(), surplus_mw=1.0, firm_mw=2.0, minimum=at(5, 4.0, 0.0)), ["05:00", mw(4)]),
    "cap below standby": (site(fleet(), cap=at(7, 0.03, 10.0)), ["07:00", mw(0.03)]),
    "must-run above availability": (
        site(fleet(must_run=at(6, 3, 0), available=at(6, 1, 4))),
        ["06:00", "3 containers|asks for 3 running"],
    ),
    "must-run in the heat": (
        site(fleet(must_run=at(6, 3, 0), max_it_power_mw=at(6, 0.3, 1.3))),
        ["06:00", "3 containers|asks for 3 running"],
    ),
    "must-run within the minimum down time": (
        site(fleet(history=(History(4, on=False, steps=1),), min_down_steps=6, must_run=at(2, 4, 0)), initial=0.04),
        ["02:00", "4 containers|asks for 4 running"],
    ),
    "minimum up time against an outage": (
        site(fleet(history=(History(4, on=True, steps=1),), min_up_steps=5, available=at(2, 2, 4))),
        ["02:00", "2"],
    ),
    "ramp down cannot reach the cap": (site(fleet(), initial=5.2, ramp=1.0, cap=at(2, 2.0, 10.0)), ["02:00", mw(2)]),
    "ramp up cannot reach the minimum": (
        site(fleet(history=OFF), initial=0.04, ramp=0.5, minimum=at(1, 3.0, 0.0)),
        ["01:00", mw(3)],
    ),
    "feeder below what must run": (feeder(site(fleet(must_run=at(4, 4, 0))), 1.5), ["f1", mw(1.5)]),
    "supply below what is bound to run": (
        site(fleet(history=(History(4, on=True, steps=1),)), surplus_mw=at(1, 0.5, 8.0), firm_mw=1.0),
        ["01:00", f"{mw(1.5)}|{mw(0.5)}"],
    ),
    # Two at 1.02 x 0.52 MW and two on standby of 0.01 MW are 1.0808 MW, in 12 hours 12.9696 MWh.
    "a day's energy below what must run": (
        energy(site(fleet(must_run=2)), at_most_mwh=10.0),
        ["daily/2024-09-10", r"2\.97(0|) MWh"],
    ),
    "a day's energy below what must run, half of it taken": (
        energy(site(fleet(must_run=2)), at_most_mwh=17.0, taken_mwh=7.0),
        ["daily/2024-09-10", r"2\.97(0|) MWh"],
    ),
    # 12 hours of 1 MW.
    "a day's energy above what the source gives": (
        energy(site(fleet(), surplus_mw=1.0), "surplus", at_least_mwh=15.0),
        ["daily/2024-09-10", r"\b3(\.0+)? MWh"],
    ),
    # 12.9696 MWh, of which the grid can give 6.
    "a source's energy below what the others leave": (
        energy(site(fleet(must_run=2), firm_mw=0.5), "surplus", at_most_mwh=5.0),
        ["daily/2024-09-10", r"1\.97(0|) MWh|supply of grid"],
    ),
    "minimum above what the fleet can draw": (site(fleet(), minimum=at(8, 6.0, 0.0)), ["08:00", mw(6)]),
}
ELASTIC_ONLY = {
    # Every pair of limits can be kept; only together they cannot, and only in whole containers.
    "whole containers only": (
        site(
            fleet(it_power_mw=(1.0,), hash_rate_th_s=(30000.0,), max_it_power_mw=1.0, overhead=1.0, standby_mw=0.0),
            initial=2.0,
            minimum=at(3, 2.4, 0.0),
            cap=at(3, 2.6, 10.0),
        ),
        ["03:00", mw(2.4), mw(2.6)],
    ),
    "starts per day against two must-runs": (
        replace(
            site(
                fleet(
                    history=OFF,
                    max_starts_per_day=1,
                    min_up_steps=1,
                    min_down_steps=1,
                    must_run=at(2, 4, 0) + at(8, 4, 0),
                    available=at(5, 0, 4),
                ),
                initial=0.04,
                day_of_step=[0] * T,
            )
        ),
        ["starts per day", "02:00", "08:00"],
    ),
}


def sentences(problem: Problem, how: str) -> str:
    with pytest.raises(Infeasible) as caught:
        if how == "planner":
            solve_checked(problem, SolveOptions())
        else:
            solve(problem)
    assert caught.value.exit_code == 3
    return "\n".join(caught.value.messages)


@pytest.mark.parametrize("how", ["planner", "elastic"])
@pytest.mark.parametrize("name", SEEDED)
def test_seeded_conflict_is_named(name, how):
    """*Proves:* limit, hour and amount stand in the answer.  *Sensitivity:* a bare "infeasible" has none of them."""
    problem, expected = SEEDED[name]
    text = sentences(problem, how)
    for pattern in expected:
        assert re.search(pattern, text), (pattern, text)


@pytest.mark.parametrize("name", ELASTIC_ONLY)
def test_conflict_of_integers_is_named(name):
    """*Proves:* conflicts that no check foresees are narrowed to their limits.  *Sensitivity:* an IIS of the linear
    relaxation, which is feasible here, would name nothing.
    """
    problem, expected = ELASTIC_ONLY[name]
    text = sentences(problem, "elastic")
    for pattern in expected:
        assert re.search(pattern, text), (pattern, text)


def test_conflict_is_irreducible():
    """Limits that have nothing to do with the conflict are not named.

    *Proves:* of a cap in all hours, only that of 03:00 stands in the sentence.  *Sensitivity:* the unfiltered set
    names every row.
    """
    text = sentences(ELASTIC_ONLY["whole containers only"][0], "elastic")
    together = text.splitlines()[0]
    assert together.count("site cap") == 1
    assert "ramp" not in together
    assert "04:00" not in together


def test_a_check_that_fails_leaves_the_proof(monkeypatch):
    """A solver failure while the conflict is narrowed: still infeasible, with limits named, and said to be wider.

    *Proves:* proven infeasibility is exit 3 whatever happens while it is explained.  *Sensitivity:* a failure let
    through ends as "no plan", exit 6.
    """
    calls = {"count": 0}
    run = conflict.Solver.run

    def failing(self):
        calls["count"] += 1
        if calls["count"] > 1:
            raise SolverFailed("HiGHS ended with kError, model status 'Solve error'")
        return run(self)

    monkeypatch.setattr(conflict.Solver, "run", failing)
    text = sentences(SEEDED["minimum above cap"][0], "elastic")
    assert text.startswith("no plan keeps all of these limits (not narrowed further)")
    assert "site cap" in text


def test_solver_failure_is_tried_once_more_with_another_seed(monkeypatch, caplog):
    """*Proves:* one failure is retried and logged, two are "no plan".  *Sensitivity:* no retry raises at once."""
    run = highs.Solver.run
    calls = {"count": 0}

    def first_fails(self):
        calls["count"] += 1
        if calls["count"] == 1:
            raise SolverFailed("HiGHS ended with kError, model status 'Solve error'")
        return run(self)

    monkeypatch.setattr(highs.Solver, "run", first_fails)
    assert solve(site(fleet()), SolveOptions(engine="mip")).money_usd > 0
    assert "tried once more with seed 1" in caplog.text

    def always_fails(self):
        raise SolverFailed("HiGHS ended with kError, model status 'Solve error'")

    monkeypatch.setattr(highs.Solver, "run", always_fails)
    with pytest.raises(NoPlan):
        solve(site(fleet()), SolveOptions(engine="mip"))


def test_smallest_change_resolves_the_conflict():
    """*Proves:* the amount named is enough.  *Sensitivity:* 1 kW less leaves the problem infeasible."""
    problem = SEEDED["minimum above what the fleet can draw"][0]
    text = sentences(problem, "elastic")
    most_mw = 4 * 1.3 * 1.02
    assert f"{6.0 - most_mw:.3f} MW lower at 2024-09-10 08:00" in text
    eased = replace(problem, site=replace(problem.site, minimum_mw=at(8, most_mw - 1e-6, 0.0)))
    assert solve(eased).money_usd > 0


def test_a_limit_of_starts_is_named_though_layers_have_no_row_for_it():
    """Two containers, one start each a day, both to run in three spells of it.

    *Proves:* the limit is told by container and day.
    *Sensitivity:* from the rows of the layers alone, only must-run and availability could be named.
    """
    spells = np.array([2, 2, 0, 2, 2, 0, 2, 2])
    past = (History(2, on=False, steps=10),)
    k = reference_class("box", 2, 8, min_up_steps=1, min_down_steps=1, history=past, max_starts_per_day=1)
    k = replace(k, available=spells, must_run=spells)
    problem = simple_problem(k, ramp=None, initial=None, day_of_step=np.zeros(8))
    with pytest.raises(Infeasible) as refusal:
        solve(problem)
    assert "starts per day of box/C0" in refusal.value.messages[0]
    assert "(1 start) on 2024-" in refusal.value.messages[0]


def test_a_container_ramp_is_named():
    """A minimum of the site in the very step of the starts, which are at lowest power.

    *Proves:* the container ramp is one of the limits that are named.
    *Sensitivity:* left out of the list, the conflict would be the minimum alone, which can be kept without the ramp.
    """
    past = (History(2, on=False, steps=10),)
    k = reference_class("box", 2, 4, history=past, container_ramp_mw_per_step=1.0)
    minimum = np.array([2.0, 0.0, 0.0, 0.0])
    problem = simple_problem(k, ramp=None, initial=None, minimum=minimum)
    with pytest.raises(Infeasible) as refusal:
        solve(problem)
    assert "container ramp (start and stop at lowest power) of box (1.000 MW a step)" in refusal.value.messages[0]
    assert solve(replace(problem, classes=(replace(k, container_ramp_mw_per_step=None),))).money_usd > 0


DOWN_TIME = {
    "history": site(
        fleet(history=(History(4, on=False, steps=1),), min_down_steps=6, must_run=at(2, 4, 0)), initial=0.04
    ),
    "within the horizon": site(
        fleet(min_down_steps=6, min_up_steps=1, available=at(3, 0, 4), must_run=at(5, 2, 0), warm_off_steps=9)
    ),
}


@pytest.mark.parametrize("name", DOWN_TIME)
def test_minimum_down_time_is_named_though_the_warm_pool_holds_it_once_more(name):
    """Must-run within the minimum down time; the class has a pool of the warm, whose row is as tight.

    *Proves:* minimum down time is named.
    *Sensitivity:* with `warm_pool_backed` left in place, leaving the limit out changes nothing, and it is not named.
    """
    problem = DOWN_TIME[name]
    assert all(k.pooled for k in class_data_of(problem))
    together = sentences(problem, "elastic").splitlines()[0]
    assert "minimum down time of s19pro (6 h)" in together
    assert "must-run of s19pro" in together


def test_minimum_down_time_may_give_where_that_is_the_least():
    """All four, just stopped, would have to draw 5 MW: 4 containers an hour too early are less than 4.96 MW too few.

    *Proves:* the elastic solve may give up the minimum down time of a class with a pool.
    *Sensitivity:* upheld by `warm_pool_backed`, the minimum of the site would be the one to give.
    """
    k = fleet(history=(History(4, on=False, steps=1),), min_down_steps=4)
    text = sentences(site(k, initial=0.04, ramp=None, minimum=at(2, 5.0, 0.0)), "elastic")
    assert "minimum down time of s19pro given up for 4 containers at 2024-09-10 02:00" in text


def test_a_wider_limit_of_energy_ends_the_conflict():
    """*Proves:* the MWh that both ways name are those that are missing: with them, and no 1 kWh less, there is a plan.

    *Sensitivity:* an amount counted in MW, or without what is taken already, is another one.
    """
    plant = site(fleet(must_run=2))
    solve_checked(energy(plant, at_most_mwh=10.0 + 2.9697), SolveOptions())
    for how in ("planner", "elastic"):
        sentences(energy(plant, at_most_mwh=10.0 + 2.9686), how)


def test_a_conflict_of_energy_in_whole_containers_is_found_by_the_search():
    """Containers of 1 MW and no other power, between 2.4 and 2.6 MWh in an hour: no check foresees it.

    *Proves:* both bounds are named together.  *Sensitivity:* an unknown row has no words.
    """
    k = fleet(it_power_mw=(1.0,), hash_rate_th_s=(30000.0,), max_it_power_mw=1.0, overhead=1.0, standby_mw=0.0)
    whole = site(k, initial=2.0)
    problem = with_site(whole, energy_limits=(EnergyLimit("a", None, 3, 1, at_least_mwh=2.4, at_most_mwh=2.6),))
    text = sentences(problem, "elastic")
    assert re.search(r"energy at least", text), text
    assert re.search(r"energy at most", text), text
