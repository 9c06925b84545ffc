"""The reserve for rounding: limits of the site that the plan of the model keeps a few kilowatts away from.

Whole miners meet the model's power only to within one miner.  What caps, feeder caps and ramps are narrowed by, the
rounded plan may use; it is audited against the true limits.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from flexmine.physics.mode_envelope import largest_step_w
from flexmine.problem import ContainerClass, Problem
from flexmine.problem.limits import LIMITS, with_site

DEFAULT_RESERVE_MW = 0.004


def needed_reserve_mw(classes: tuple[ContainerClass, ...]) -> float:
    """Return the largest step of one miner at the meter [MW], rounded up to 0.1 kW; 0 without miners."""
    steps = []
    for k in classes:
        if k.miners is not None:
            power_w, hash_rate_th_s = np.array(k.miners.presets, dtype=np.float64).T
            step_w = largest_step_w(power_w, hash_rate_th_s, k.miners.sleep_w)
            steps.append(1e-6 * step_w * float(k.overhead.max()))
    return ceil(max(steps) * 1e4) / 1e4 if steps else 0.0


def with_reserve(problem: Problem, given_mw: float | None) -> tuple[Problem, list[str]]:
    """Return the problem with caps, feeder caps and ramps narrowed by the rounding reserve, and notes on it.

    Parameters
    ----------
    problem : Problem
        With the true limits.
    given_mw : float or None
        Reserve that the plant's file states [MW]; None: 4 kW, or the largest step of one miner where that is more.

    Notes
    -----
    Nothing is narrowed where no class has miners, and nothing where a ramp or a feeder cap is no larger than the
    reserve: that would forbid what the plant can do.
    """
    needed_mw = needed_reserve_mw(problem.classes)
    if needed_mw == 0.0:
        return problem, []
    reserve_mw = max(DEFAULT_RESERVE_MW, needed_mw) if given_mw is None else given_mw
    site = problem.site
    limits = {
        "ramp_up_mw_per_h": site.ramp_up_mw_per_step,
        "ramp_down_mw_per_h": site.ramp_down_mw_per_step,
        **{f"the cap of feeder {f.name}": f.cap_mw for f in site.groups},
    }
    tight = [name for name, limit in limits.items() if limit is not None and limit <= reserve_mw]
    if tight and reserve_mw > 0.0:
        names = ", ".join(tight)
        return problem, [
            f"the rounding reserve of {1000 * reserve_mw:g} kW is not kept: {names} would leave nothing to plan with"
        ]
    notes = []
    if reserve_mw < needed_mw:
        notes.append(
            f"rounding_reserve_mw of {1000 * reserve_mw:g} kW is less than one miner ({1000 * needed_mw:g} kW at the "
            f"meter); a plan that cannot be rounded within the limits fails its audit"
        )
    return _moved(problem, -reserve_mw, reserve_mw), notes


def keeps_reserve(problem: Problem) -> bool:
    """Return whether some limit is narrower than the true one, for rounding or for hours after the horizon."""
    return problem.site.rounding_reserve_mw > 0.0 or any(e.kept_mwh > 0.0 for e in problem.site.energy_limits)


def without_reserve(problem: Problem) -> Problem:
    """Return the problem with the true limits of the site."""
    return _moved(problem, problem.site.rounding_reserve_mw, 0.0)


def _moved(problem: Problem, by_mw: float, reserve_mw: float) -> Problem:
    for limit in LIMITS:
        if limit.narrow is not None:
            problem = limit.narrow(problem, -by_mw)
    return with_site(problem, rounding_reserve_mw=reserve_mw)
