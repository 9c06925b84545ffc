"""What becomes of setpoints when something else comes than was foreseen."""

from dataclasses import replace

import numpy as np
import pytest

from flexmine.audit.replay import replay
from flexmine.errors import Infeasible
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import Group, History
from flexmine.solving.engine import SolveOptions, solve
from flexmine.studies.execution import Setpoints, follow
from plants import random_problem, reference_class, simple_problem

OPTIONS = SolveOptions(preference=False)


def setpoints(on, power):
    """Return setpoints of lists, one row for each container."""
    return Setpoints(np.array(on, dtype=bool), np.array(power, dtype=float))


def plans(seeds):
    """Yield random plants with what a back-test carries, and their best plans, where there are any."""
    for seed in seeds:
        problem = random_problem(seed)
        if any(k.preheat_steps or k.ramps_slowly for k in problem.classes) or problem.site.energy_limits:
            continue
        try:
            yield seed, problem, to_schedule(problem, solve(problem, OPTIONS))
        except Infeasible:
            continue


@pytest.mark.parametrize("seeds", [range(i, i + 25) for i in range(0, 200, 25)])
def test_a_plan_that_comes_true_is_followed_to_the_watt(seeds):
    """*Proves:* on random plants with every feature that a back-test carries, following the best plan in the world that
    it was made for changes nothing: same states, same power, same money, no violation.

    *Sensitivity:* a minimum time counted by one step, or a ceiling without the ramp, changes the schedule.
    """
    compared = 0
    for seed, problem, plan in plans(seeds):
        found = follow(problem, Setpoints(plan.on, plan.it_power_mw))
        assert np.array_equal(found.schedule.on, plan.on), seed
        assert found.schedule.it_power_mw == pytest.approx(plan.it_power_mw, abs=1e-6), seed
        assert found.replay.violations == (), seed
        assert found.trips == 0
        assert found.replay.money_usd == pytest.approx(replay(problem, plan).money_usd, abs=1e-3), seed
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("seeds", [range(i, i + 25) for i in range(0, 200, 25)])
def test_less_surplus_than_foreseen_never_draws_more_than_there_is(seeds):
    """*Proves:* the same plans, with sources cut by chance: what is drawn is never above what is there nor above the
    cap, whatever was asked for, and every container that trips is one that could not have stayed.

    *Sensitivity:* power that follows the plan whatever comes is bought from a source that has none.
    """
    for seed, problem, plan in plans(seeds):
        rng = np.random.default_rng([seed, 3])
        cut = tuple(replace(s, available_mw=s.available_mw * rng.random(problem.steps)) for s in problem.sources)
        came = replace(problem, sources=cut)
        found = follow(came, Setpoints(plan.on, plan.it_power_mw))
        offered = np.sum([s.available_mw for s in cut], axis=0)
        least = came.site.base_load_mw + found.replay.preheat_mw.sum(axis=0)
        least = least + sum(k.count * k.standby_mw for k in came.classes)
        drawn = found.replay.site_power_mw
        assert np.all(drawn <= np.maximum(np.minimum(offered, came.site.cap_mw), least) + 1e-6), seed
        assert np.all(found.schedule.it_power_mw[~found.schedule.on] == 0.0)


def test_all_running_ones_give_the_same_share_by_hand():
    """*Proves:* asked for 3.25 and 2.0 MW of IT power where the site may draw 4.5: above the least power of 1.0 each
    there are 3.25, of which 0.75 have to go, so that each gives 3/13 of what it has.

    *Sensitivity:* cutting by share of power, or one after the other, gives other numbers.
    """
    k = reference_class(
        count=2, steps=1, it_power_mw=[1.0, 4.0], hash_rate_th_s=[10.0, 40.0], overhead=1.0, standby_mw=0.0,
        max_it_power_mw=4.0, history=(History(2, True, 9),),
    )  # fmt: skip
    problem = simple_problem(k, cap=4.5, ramp=None, initial=None)
    found = follow(problem, setpoints([[1], [1]], [[3.25], [2.0]]))
    share = 0.75 / 3.25
    assert found.schedule.it_power_mw[:, 0] == pytest.approx([3.25 - share * 2.25, 2.0 - share * 1.0])
    assert found.cut_mwh == pytest.approx(0.75)
    assert found.trips == 0


def test_minimum_times_come_before_orders():
    """*Proves:* a container that started two steps ago with a minimum of four stays on for two more although it is told
    to stop, and one that has just stopped stays off for its minimum of two.

    *Sensitivity:* an order obeyed at once breaks a limit that the audit would name.
    """
    k = reference_class(
        count=2, steps=4, min_up_steps=4, min_down_steps=2, history=(History(1, True, 2), History(1, False, 1))
    )
    low = float(k.lowest_it_power_mw[0])
    found = follow(simple_problem(k), setpoints([[0, 0, 0, 0], [1, 1, 1, 1]], [[0.0] * 4, [low] * 4]))
    assert found.schedule.on.tolist() == [[True, True, False, False], [False, True, True, True]]
    assert found.replay.violations == ()


def test_a_feeder_is_kept_where_it_is_hotter_than_foreseen():
    """Two containers on one feeder of 4.5 MW, one off it, each asked for 3 MW at a PUE of 1.

    *Proves:* those on the feeder give up 0.75 MW each, and the other one nothing.

    *Sensitivity:* with the site's limits alone the feeder carries 6 MW.
    """
    given = {"steps": 1, "it_power_mw": [1.0, 4.0], "hash_rate_th_s": [10.0, 40.0], "overhead": 1.0, "standby_mw": 0.0}
    k = reference_class(count=2, max_it_power_mw=4.0, history=(History(2, True, 9),), **given)
    other = reference_class(name="B", count=1, max_it_power_mw=4.0, history=(History(1, True, 9),), **given)
    problem = simple_problem(k, cap=20.0, ramp=None, initial=None)
    other = replace(other, containers=("B1",))
    site = replace(problem.site, groups=(Group("F", 4.5, (k.name,)),))
    found = follow(replace(problem, classes=(k, other), site=site), setpoints([[1]] * 3, [[3.0]] * 3))
    assert found.schedule.it_power_mw[:, 0] == pytest.approx([2.25, 2.25, 3.0])
    assert found.replay.violations == ()


def test_one_that_never_started_has_not_tripped():
    """Told to run in two steps where the source has power for neither of two containers; one of them ran before.

    *Proves:* one trip.  *Sensitivity:* each hour in which one that is off is told to run was counted: 4.
    """
    k = reference_class(
        count=2, steps=2, it_power_mw=[1.0, 4.0], hash_rate_th_s=[10.0, 40.0], overhead=1.0, standby_mw=0.0,
        max_it_power_mw=4.0, min_up_steps=1, min_down_steps=1, history=(History(1, True, 9), History(1, False, 9)),
    )  # fmt: skip
    found = follow(simple_problem(k, cap=0.5, ramp=None, initial=None), setpoints([[1, 1]] * 2, [[2.0, 2.0]] * 2))
    assert not found.schedule.on.any()
    assert found.trips == 1
