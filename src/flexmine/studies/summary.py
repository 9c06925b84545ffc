"""What came of a back-test: totals, months, what was captured of what looking ahead could bring, and how sure that is.

Notes
-----
Intervals resample whole blocks of seven days with replacement (a moving-block bootstrap with blocks that do not
overlap): weather, prices and errors of neighbouring days go together, so that single days would make them too narrow.
Source: Kuensch (1989), The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from flexmine.problem import Floats
from flexmine.problem.money import money_terms
from flexmine.studies.run import Run
from flexmine.studies.schema import POLICIES

BLOCK_DAYS = 7
LEAST_BLOCKS = 4
DRAWS = 2000
SHARE = 0.9
SIMPLE = ("always-on", "threshold", "greedy")
MW = "_mw"


@dataclass(frozen=True)
class Summary:
    """The figures of a back-test.

    Attributes
    ----------
    totals, months : DataFrame
        A row for each policy (and month), the mean over the seeds.
    by_seed : DataFrame
        A row for each policy and seed.
    opponent : str or None
        The simple rule that earned most, of those that keep all limits where any does; what is captured is counted
        from it.
    bound_usd : float or None
        What nobody can earn more than, where perfect foresight was run [USD].
    """

    totals: pd.DataFrame
    months: pd.DataFrame
    by_seed: pd.DataFrame
    opponent: str | None
    bound_usd: float | None


def summarise(runs: Sequence[Run], step_h: float) -> Summary:
    """Return the figures of all runs.

    Parameters
    ----------
    runs : sequence of Run
    step_h : float
        Length of a step [h].

    Notes
    -----
    With the opponent g and perfect foresight p, a policy that plans has captured :math:`(m - m_g) / (m_p - m_g)`; there
    is no such share where looking ahead could bring less than 0.1 % of the opponent's money.
    """
    rows = [{"policy": r.policy, "seed": r.seed, **totals_of(r.steps, step_h), **_faults(r)} for r in runs]
    by_seed = pd.DataFrame(rows)
    totals = _in_order(by_seed.drop(columns="seed").groupby("policy", as_index=False).mean())
    months = pd.DataFrame(
        [
            {"policy": r.policy, "seed": r.seed, "month": month, **totals_of(part, step_h)}
            for r in runs
            for month, part in r.steps.groupby(r.steps["interval_start"].str.slice(0, 7))
        ]
    )
    months = months.drop(columns="seed").groupby(["policy", "month"], as_index=False).mean()
    money = dict(zip(totals["policy"], totals["money_usd"], strict=True))
    simple = [name for name in SIMPLE if name in money]
    broken = dict(zip(totals["policy"], totals["broken_limits"], strict=True))
    # Money that was earned by breaking limits is no measure, as long as a rule keeps them.
    opponent = max(simple, key=lambda name: (broken[name] == 0, money[name])) if simple else None
    totals["captured"] = [_captured(money, name, opponent) for name in totals["policy"]]
    for column, values in _against(runs, opponent).items():
        totals[column] = [values.get(name) for name in totals["policy"]]
    bounds = [r.bound_usd for r in runs if r.bound_usd is not None]
    return Summary(totals, _in_order(months), _in_order(by_seed), opponent, max(bounds) if bounds else None)


def totals_of(steps: pd.DataFrame, step_h: float) -> dict[str, Any]:
    """Return sums over steps: money by term [USD], energy [MWh], starts, hash [EH], carbon [t], running hours.

    `step_h` is the length of a step [h].
    """
    out: dict[str, Any] = {"money_usd": float(steps["money_usd"].sum())}
    out |= {term.key: float(steps[term.key].sum()) for term in money_terms(by_step=True)}
    for column in steps.columns:
        if column.endswith(MW):
            out[f"{column.removesuffix(MW)}_mwh"] = step_h * float(steps[column].sum())
    out["running_h"] = step_h * float(steps["running"].sum())
    out["starts"] = int(steps["warm_starts"].sum() + steps["cold_starts"].sum())
    out["hash_eh"] = 3600.0 * step_h * float(steps["hash_rate_th_s"].sum()) / 1e6
    if "carbon_kg" in steps:
        out["carbon_t"] = float(steps["carbon_kg"].sum()) / 1000.0
    return out


def interval_of_mean(daily: Floats, seed: int = 0) -> tuple[float, float] | None:
    """Return the 90 % interval of the mean of daily values by 7-day blocks, None below four blocks.

    Parameters
    ----------
    daily : ndarray, shape (days,)
        Days after the last whole block are left out.
    seed : int
        Of the draws.
    """
    blocks = len(daily) // BLOCK_DAYS
    if blocks < LEAST_BLOCKS:
        return None
    means = daily[: blocks * BLOCK_DAYS].reshape(blocks, BLOCK_DAYS).mean(axis=1)
    drawn = np.random.default_rng(seed).integers(0, blocks, size=(DRAWS, blocks))
    low, high = np.quantile(means[drawn].mean(axis=1), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def _faults(run: Run) -> dict[str, Any]:
    return {
        "trips": run.trips,
        "cut_mwh": run.cut_mwh,
        "without_plan": run.without_plan,
        "broken_limits": run.broken,
    }


def _captured(money: dict[str, float], name: str, opponent: str | None) -> float | None:
    if opponent is None or name in SIMPLE or "perfect" not in money:
        return None
    could = money["perfect"] - money[opponent]
    return (money[name] - money[opponent]) / could if could > 0.001 * abs(money[opponent]) else None


def _against(runs: Sequence[Run], opponent: str | None) -> dict[str, dict[str, float]]:
    """Return the mean daily money above the opponent's, and its interval, by policy [USD/day]."""
    daily = {(r.policy, r.seed): _daily(r) for r in runs}
    out: dict[str, dict[str, float]] = {"more_usd_per_day": {}, "more_low": {}, "more_high": {}}
    for policy in dict.fromkeys(r.policy for r in runs):
        pairs = [(daily[r.policy, r.seed], daily.get((opponent or "", r.seed))) for r in runs if r.policy == policy]
        apart = [own - other for own, other in pairs if other is not None]
        if policy == opponent or not apart:
            continue
        mean = np.mean(apart, axis=0)
        out["more_usd_per_day"][policy] = float(mean.mean())
        found = interval_of_mean(mean)
        if found is not None:
            out["more_low"][policy], out["more_high"][policy] = found
    return out


def _daily(run: Run) -> Floats:
    days = run.steps["interval_start"].str.slice(0, 10)
    return run.steps["money_usd"].groupby(days.to_numpy()).sum().to_numpy()


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("policy", key=lambda names: names.map(POLICIES.index), kind="stable").reset_index(
        drop=True
    )
