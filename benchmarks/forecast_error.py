"""What a forecast of normal skill costs: setpoints followed blindly, power reset hourly, everything re-planned hourly.

Usage: python benchmarks/forecast_error.py --data FOLDER [--days 365] [--first 0] [--seed 1] [--skill 0.12] [--firm 80]

FOLDER holds the open series that data/SOURCES.md names (hourly flow of Glen Canyon from May 2024 to April 2025, NO2
prices, the typical year of Northway, daily BTC data).  The plant is the announced one of 40 MW with 56 containers.
Every policy is executed hour by hour against what the surplus really was, and priced by the audit:

blind       the plan of the day before, its facility power drawn whatever the surplus is; firm power fills the rest
redispatch  who runs stays as planned, how hard is decided anew each hour from the surplus of now and a new forecast
replan      everything is planned anew each hour
foresight   the plan of the day before had it known the surplus: the yardstick, not a policy

The forecast is the truth times (1 + an error that is an AR(1) of 0.9 an hour, standard deviation `--skill` from
some ten hours ahead on): an assumption, no error of forecasts for the Angara was found.  The firm price is scaled to a
mean, `--firm`, near the break-even of the fleet: where firm power is cheap the plant runs at its cap and no forecast
matters.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from flexmine.audit.replay import replay
from flexmine.physics.hash_value import hash_value_usd_per_th_s_h
from flexmine.planning.disaggregate import to_schedule
from flexmine.planning.state import FleetState, state_after
from flexmine.problem import Floats, History, Problem, TimeAxis
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.solving.engine import SolveOptions, solve
from plants import ZONE, plant

FIRST = datetime(2024, 5, 1, tzinfo=ZoneInfo(ZONE))
DAY_H, HORIZON_H, LEAD_H = 24, 48, 10
CAP_MW, MEMORY = 40.0, 0.9
M3_PER_CUBIC_FOOT, MW_PER_M3_S = 0.0283168, 0.91
BYPASS_SHARE, ABOVE_CONTRACT_SHARE, CONTRACTED_MW = 0.24, 0.10, 200.0
USD_PER_EUR, FIRM_MEAN_USD_PER_MWH, SURPLUS_USD_PER_MWH = 1.17, 80.0, 10.0
OPTIONS = SolveOptions(gap=1e-4)
TOLERANCE_MW = 1e-5


@dataclass(frozen=True)
class Year:
    """Hourly truth, shape (hours,); look-ahead beyond the last day reads the first days again."""

    surplus_mw: Floats
    firm_usd_per_mwh: Floats
    overhead: Floats
    hash_usd_per_th_s_h: Floats

    def window(self, values: Floats, first: int, steps: int) -> Floats:
        """Return `steps` values from hour `first` on."""
        return values[(first + np.arange(steps)) % len(values)]


def read_year(folder: Path, firm_mean: float) -> Year:
    """Read the stand-in series onto the site's clock; each source's local clock hour becomes the site's."""
    river = pd.read_csv(folder / "hydro_glen_canyon_hourly.csv")
    turbine_mw = river["power_release_cfs"].to_numpy() * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    bypass_mw = river["bypass_release_cfs"].to_numpy() * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    surplus = ABOVE_CONTRACT_SHARE * np.maximum(turbine_mw - CONTRACTED_MW, 0.0) + BYPASS_SHARE * bypass_mw
    hours = len(surplus)
    clock = pd.date_range("2024-05-01", periods=hours, freq="h")
    of_year = ((clock.day_of_year.to_numpy() - 1) % 365) * 24 + clock.hour.to_numpy()
    euro = pd.read_csv(folder / "price_no2_2025.csv")["price_eur_mwh"].to_numpy()[of_year] * USD_PER_EUR
    celsius = pd.read_csv(folder / "weather_northway_tmy3.csv")["dry_bulb_c"].to_numpy()[of_year]
    chain = pd.read_csv(folder / "btc_daily.csv", index_col="date").loc[clock.strftime("%Y-%m-%d")]
    value = hash_value_usd_per_th_s_h(
        chain["price_usd"].to_numpy(),
        chain["difficulty"].to_numpy(),
        np.full(hours, 3.125),
        (chain["fees_btc"] / chain["block_count"]).to_numpy(),
        pool_fee=0.02,
        firmware_fee=0.0,
    )
    return Year(
        surplus_mw=np.minimum(surplus, 2 * CAP_MW),
        firm_usd_per_mwh=euro * firm_mean / euro.mean(),
        overhead=1.02 + 0.0012 * np.maximum(0.0, celsius - 5.0),
        hash_usd_per_th_s_h=value,
    )


class Forecast:
    """Forecasts of one truth that agree with each other: a later one knows the errors of the hours in between."""

    def __init__(self, year: Year, skill: float, seed: int):
        self.year = year
        rng = np.random.default_rng([seed, 5])
        self.shock = rng.normal(0.0, skill * np.sqrt(1 - MEMORY**2), len(year.surplus_mw) + HORIZON_H + LEAD_H)

    def issued(self, at: int, first: int, steps: int) -> Floats:
        """Return the surplus [MW] of `steps` hours from `first` on, as it was foreseen in hour `at`."""
        error, errors = 0.0, np.zeros(steps)
        for hour in range(at + 1, first + steps):
            error = MEMORY * error + self.shock[hour % len(self.shock)]
            if hour >= first:
                errors[hour - first] = error
        return np.maximum(0.0, self.year.window(self.year.surplus_mw, first, steps) * (1 + errors))


TEMPLATE = plant("bratsk-40", 3, "hard")


def problem(year: Year, first: int, surplus_mw: Floats, state: FleetState | None) -> Problem:
    """Return the problem of the hours from `first` on, from the state that was left."""
    steps = len(surplus_mw)
    k = TEMPLATE.classes[0]
    cut = slice(0, steps)
    start = replace(
        k.start,
        warm_cost_usd=k.start.warm_cost_usd[cut],
        cold_cost_usd=k.start.cold_cost_usd[cut],
        warm_off_steps=k.start.warm_off_steps[cut],
        cold_energy_mwh=k.start.cold_energy_mwh[cut],
    )
    history, initial = k.history, TEMPLATE.site.initial_mw
    if state is not None:
        states = [(state.containers[name].on, round(state.containers[name].hours)) for name in k.containers]
        history = tuple(History(len(list(same)), on, age) for (on, age), same in groupby(states))
        initial = state.initial_mw
    cap, none = np.full(steps, CAP_MW), np.zeros(steps)
    fleet = replace(
        k,
        start=start,
        history=history,
        max_it_power_mw=k.max_it_power_mw[cut],
        min_it_power_mw=k.min_it_power_mw[cut],
        overhead=year.window(year.overhead, first, steps),
        standby_mw=k.standby_mw[cut],
        hash_value_usd_per_th_s_h=year.window(year.hash_usd_per_th_s_h, first, steps),
        available=k.available[cut],
        must_run=k.must_run[cut],
    )
    surplus, grid = TEMPLATE.sources
    sources = (
        replace(surplus, available_mw=surplus_mw, price_usd_per_mwh=np.full(steps, SURPLUS_USD_PER_MWH)),
        replace(grid, available_mw=cap, price_usd_per_mwh=year.window(year.firm_usd_per_mwh, first, steps)),
    )
    site = replace(TEMPLATE.site, cap_mw=cap, base_load_mw=none, minimum_mw=none, initial_mw=initial)
    return Problem(TimeAxis(FIRST + timedelta(hours=first), 1.0, steps, ZONE), (fleet,), sources, site)


def planned(p: Problem) -> Schedule:
    """Return the schedule of the best plan."""
    return to_schedule(p, solve(p, OPTIONS))


def followed(actual: Problem, on: np.ndarray, power: Floats) -> tuple[float, FleetState]:
    """Return money and state after executing a day on the actual surplus, audited; nothing is repaired."""
    k = actual.classes[0]
    facility = (k.overhead * power + k.standby_mw * ~on).sum(axis=0)
    schedule = Schedule(k.containers, on, power, supply_by_merit(actual, facility))
    audit = replay(actual, schedule, TOLERANCE_MW)
    if audit.violations:
        raise SystemExit(f"a policy broke a limit: {audit.violations[0].message}")
    return float(audit.money_by_step_usd.sum()), state_after(actual, schedule, audit, actual.steps)


Policy = Callable[[Year, Forecast, int, FleetState | None], tuple[np.ndarray, Floats]]


def foresight(year: Year, forecast: Forecast, first: int, state: FleetState | None) -> tuple[np.ndarray, Floats]:
    """Plan the day with the surplus as it will be."""
    known = year.window(year.surplus_mw, first, HORIZON_H)
    s = planned(problem(year, first, known, state))
    return s.on[:, :DAY_H], s.it_power_mw[:, :DAY_H]


def blind(year: Year, forecast: Forecast, first: int, state: FleetState | None) -> tuple[np.ndarray, Floats]:
    """Plan the day from the forecast of the day before, and follow it."""
    s = planned(problem(year, first, forecast.issued(first - LEAD_H, first, HORIZON_H), state))
    return s.on[:, :DAY_H], s.it_power_mw[:, :DAY_H]


def redispatch(year: Year, forecast: Forecast, first: int, state: FleetState | None) -> tuple[np.ndarray, Floats]:
    """Keep who runs; decide each hour anew how hard."""
    plan = planned(problem(year, first, forecast.issued(first - LEAD_H, first, HORIZON_H), state))
    counts = plan.on.sum(axis=0)
    power = np.zeros_like(plan.it_power_mw[:, :DAY_H])
    for hour in range(DAY_H):
        p = problem(year, first + hour, forecast.issued(first + hour, first + hour, HORIZON_H - hour), state)
        p = replace(p, classes=(replace(p.classes[0], committed=counts[hour:]),))
        now = solve(p, OPTIONS).classes[0]
        power[:, hour] = plan.on[:, hour] * float(now.it_power_mw[0]) / max(1, counts[hour])
        state = one_hour(year, p, first + hour, plan.on[:, hour], power[:, hour])
    return plan.on[:, :DAY_H], power


def replan(year: Year, forecast: Forecast, first: int, state: FleetState | None) -> tuple[np.ndarray, Floats]:
    """Plan everything anew each hour."""
    on = np.zeros((TEMPLATE.classes[0].count, DAY_H), dtype=bool)
    power = np.zeros(on.shape)
    for hour in range(DAY_H):
        p = problem(year, first + hour, forecast.issued(first + hour, first + hour, HORIZON_H), state)
        s = planned(p)
        on[:, hour], power[:, hour] = s.on[:, 0], s.it_power_mw[:, 0]
        state = one_hour(year, p, first + hour, on[:, hour], power[:, hour])
    return on, power


def one_hour(year: Year, p: Problem, hour: int, on: np.ndarray, power: Floats) -> FleetState:
    """Return the state after the first hour of `p`, which begins in `hour`."""
    now = problem(year, hour, p.sources[0].available_mw[:1], None)
    k, site = replace(now.classes[0], history=p.classes[0].history), replace(now.site, initial_mw=p.site.initial_mw)
    return followed(replace(now, classes=(k,), site=site), on[:, None], power[:, None])[1]


POLICIES: dict[str, Policy] = {"foresight": foresight, "blind": blind, "redispatch": redispatch, "replan": replan}


def main() -> None:
    """Print money and loss of every policy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--firm", type=float, default=FIRM_MEAN_USD_PER_MWH, help="mean firm price [USD/MWh]")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--skill", type=float, default=0.12)
    given = parser.parse_args()
    year = read_year(given.data, given.firm)
    forecast = Forecast(year, given.skill, given.seed)
    cover = year.surplus_mw.mean() / CAP_MW
    print(
        f"{given.days} days, surplus {cover:.0%} of the cap on average at {SURPLUS_USD_PER_MWH:g} USD/MWh, firm power "
        f"at {given.firm:g} USD/MWh on average, forecast error {given.skill:.0%}"
    )
    best = 0.0
    for name, policy in POLICIES.items():
        money, state, begin = 0.0, None, time.perf_counter()
        for day in range(given.first, given.first + given.days):
            first = day * DAY_H
            on, power = policy(year, forecast, first, state)
            actual = problem(year, first, year.window(year.surplus_mw, first, DAY_H), state)
            usd, state = followed(actual, on, power)
            money += usd
        best = best or money
        print(
            f"{name:11s} {money:14,.0f} USD  loss {1 - money / best:6.2%}  {time.perf_counter() - begin:7.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
