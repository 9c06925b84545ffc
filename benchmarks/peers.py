"""The same plants by other tools with HiGHS, side by side; every answer is re-priced by our audit.

Usage: python benchmarks/peers.py [SIZE ...] [--limit SECONDS] [--seed N]

* ``flexmine``: data to audited plan, engine auto.
* ``Pyomo, per container``: a careful textbook model below, one binary a container and hour (Rajan and Takriti minimum
  times, perspective segments, a warm start where the container stopped within its window), Pyomo's appsi interface.
* ``PyPSA, per unit``: a committable link for each container, its segments tied to its status; PyPSA knows one price of
  a start, and gets the cold one.
* ``PyPSA, per class``: one committable link for each class with modules of one container; in PyPSA 1.4 the rows of its
  minimum down time hold such a class to one module, so that it is also shown without them.

PyPSA comes with ``pip install "flexmine[bench]"``; without it its rows are left out.  Wall seconds, one thread, gap
1e-4.  "below bound": (our proven bound - audited money) / bound.  "breaks": violations that the audit finds.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pyomo.environ as pe
from machine import machine, table
from pyomo.contrib.appsi.solvers.highs import Highs

from flexmine.audit.replay import replay
from flexmine.planning.disaggregate import to_schedule
from flexmine.problem import ContainerClass, Problem
from flexmine.problem.schedule import Schedule, supply_by_merit
from flexmine.solving.engine import SolveOptions, solve
from plants import plant

SIZES = ("bratsk-day", "bratsk-40", "fleet-500")
GAP = 1e-4
COLUMNS = {
    "way": "way",
    "size": "size",
    "build_s": "build s",
    "solve_s": "solve s",
    "ending": "ending",
    "money": "audited USD",
    "below": "below bound",
    "breaks": "breaks",
}


class Answer:
    """What a tool says: on and IT power of every container, shape (containers, T), None where it found nothing."""

    def __init__(self, build_s: float, solve_s: float, ending: str, on: Any = None, it_power_mw: Any = None):
        self.build_s, self.solve_s, self.status = build_s, solve_s, ending
        self.on, self.it_power_mw = on, it_power_mw


def priced(problem: Problem, answer: Answer) -> tuple[float | None, int | None]:
    """Return audited money and violations of an answer; supply is bought at its cheapest."""
    if answer.on is None:
        return None, None
    on = np.asarray(answer.on) > 0.5
    power = np.where(on, answer.it_power_mw, 0.0)
    blank = Schedule(
        tuple(name for name, _ in problem.containers), on, power, np.zeros((len(problem.sources), problem.steps))
    )
    site = replay(problem, blank).site_power_mw
    audit = replay(problem, Schedule(blank.containers, on, power, supply_by_merit(problem, site)), tolerance_mw=1e-4)
    return audit.money_usd, len(audit.violations)


# ------------------------------------------------------------------------------------------- per container, Pyomo


def per_container(problem: Problem, limit_s: float) -> Answer:
    """Solve the textbook model of every container."""
    begin = time.perf_counter()
    model = _textbook_model(problem)
    solver = Highs()
    solver.config.load_solution = False
    solver.config.time_limit = limit_s
    solver.config.mip_gap = GAP
    solver.highs_options = {"threads": 1, "random_seed": 0}
    built = time.perf_counter()
    try:
        result = solver.solve(model)
    except RuntimeError as failure:
        return Answer(built - begin, time.perf_counter() - built, str(failure)[:30])
    seconds = time.perf_counter() - built
    if result.best_feasible_objective is None:
        return Answer(built - begin, seconds, "no plan")
    result.solution_loader.load_vars()
    gap = abs(result.best_objective_bound - result.best_feasible_objective) / max(
        1.0, abs(result.best_feasible_objective)
    )
    C, T = range(len(problem.containers)), range(problem.steps)
    on = np.array([[model.u[c, t].value for t in T] for c in C])
    above = np.array([[sum(model.q[c, t, s].value for s in model.S) for t in T] for c in C])
    power = np.array([model.P0[c] for c in C])[:, None] * on + above
    return Answer(built - begin, seconds, f"gap {gap:.1e}", on, power)


def _textbook_model(problem: Problem) -> pe.ConcreteModel:
    """Return a model with a binary for each container and step; every container has been off for long."""
    kinds = [k for k in problem.classes for _ in range(k.count)]
    T, dt, site = problem.steps, problem.time.step_h, problem.site
    m = pe.ConcreteModel()
    m.C, m.T, m.S = pe.RangeSet(0, len(kinds) - 1), pe.RangeSet(0, T - 1), pe.RangeSet(0, 2)
    m.J = pe.RangeSet(0, len(problem.sources) - 1)
    m.P0 = {c: float(k.it_power_mw[0]) for c, k in enumerate(kinds)}
    width = {c: np.diff(k.it_power_mw).tolist() for c, k in enumerate(kinds)}
    slope = {c: (np.diff(k.hash_rate_th_s) / np.diff(k.it_power_mw)).tolist() for c, k in enumerate(kinds)}
    m.u, m.y, m.z, m.w = (pe.Var(m.C, m.T, domain=pe.Binary) for _ in range(4))
    m.q = pe.Var(m.C, m.T, m.S, domain=pe.NonNegativeReals)
    m.s = pe.Var(m.J, m.T, bounds=lambda m, j, t: (0, float(problem.sources[j].available_mw[t])))
    m.F = pe.Var(m.T, bounds=lambda m, t: (0, float(site.cap_mw[t])))
    before = lambda m, c, t: m.u[c, t - 1] if t > 0 else 0  # noqa: E731
    m.logic = pe.Constraint(m.C, m.T, rule=lambda m, c, t: m.u[c, t] - before(m, c, t) == m.y[c, t] - m.z[c, t])
    m.up = pe.Constraint(
        m.C,
        m.T,
        rule=lambda m, c, t: sum(m.y[c, i] for i in range(max(0, t - kinds[c].min_up_steps + 1), t + 1)) <= m.u[c, t],
    )
    m.down = pe.Constraint(
        m.C,
        m.T,
        rule=lambda m, c, t: (
            sum(m.z[c, i] for i in range(max(0, t - kinds[c].min_down_steps + 1), t + 1)) <= 1 - m.u[c, t]
        ),
    )
    m.warm = pe.Constraint(
        m.C, m.T,
        rule=lambda m, c, t: m.w[c, t]
        <= sum(m.z[c, i] for i in range(max(0, t - int(kinds[c].start.warm_off_steps[t])), t - kinds[c].min_down_steps + 1)),
    )  # fmt: skip
    m.kind = pe.Constraint(m.C, m.T, rule=lambda m, c, t: m.w[c, t] <= m.y[c, t])
    m.segment = pe.Constraint(m.C, m.T, m.S, rule=lambda m, c, t, s: m.q[c, t, s] <= width[c][s] * m.u[c, t])

    def drawn(m, c, t):
        k = kinds[c]
        return float(k.overhead[t]) * (m.P0[c] * m.u[c, t] + sum(m.q[c, t, s] for s in m.S)) + float(
            k.standby_mw[t]
        ) * (1 - m.u[c, t])

    m.balance = pe.Constraint(m.T, rule=lambda m, t: m.F[t] == sum(drawn(m, c, t) for c in m.C))
    m.supply = pe.Constraint(m.T, rule=lambda m, t: m.F[t] == sum(m.s[j, t] for j in m.J))
    last = lambda m, t: m.F[t - 1] if t > 0 else site.initial_mw  # noqa: E731
    m.ramp_up = pe.Constraint(m.T, rule=lambda m, t: m.F[t] - last(m, t) <= site.ramp_up_mw_per_step)
    m.ramp_down = pe.Constraint(m.T, rule=lambda m, t: last(m, t) - m.F[t] <= site.ramp_down_mw_per_step)

    def earned(m, c, t):
        k = kinds[c]
        value = dt * float(k.hash_value_usd_per_th_s_h[t])
        hashing = value * (float(k.hash_rate_th_s[0]) * m.u[c, t] + sum(slope[c][s] * m.q[c, t, s] for s in m.S))
        cold, warm = float(k.start.cold_cost_usd[t]), float(k.start.warm_cost_usd[t])
        return hashing - cold * m.y[c, t] + (cold - warm) * m.w[c, t]

    energy = sum(dt * float(problem.sources[j].price_usd_per_mwh[t]) * m.s[j, t] for j in m.J for t in m.T)
    m.money = pe.Objective(expr=sum(earned(m, c, t) for c in m.C for t in m.T) - energy, sense=pe.maximize)
    return m


# ------------------------------------------------------------------------------------------------------- PyPSA


def pypsa_per_unit(problem: Problem, limit_s: float) -> Answer:
    """Solve with a committable link for each container."""
    units = [(name, k, 1) for k in problem.classes for name in k.containers]
    answer, status, above = _pypsa(problem, units, limit_s)
    if status is None:
        return answer
    on = np.round(status)
    lowest = np.array([k.it_power_mw[0] for _, k, _ in units])[:, None]
    return Answer(answer.build_s, answer.solve_s, answer.status, on, lowest * on + above)


def pypsa_per_class(problem: Problem, limit_s: float, *, down: bool = True) -> Answer:
    """Solve with one modular committable link for each class; counts are told out longest-on and longest-off first."""
    units = [(k.name, k, k.count) for k in problem.classes]
    answer, status, above = _pypsa(problem, units, limit_s, down=down)
    if status is None:
        return answer
    rows_on, rows_power = [], []
    for row, k in enumerate(problem.classes):
        count = np.round(status[row]).astype(int)
        on = _queue(k, count)
        share = k.it_power_mw[0] + np.divide(above[row], count, out=np.zeros(problem.steps), where=count > 0)
        rows_on.append(on)
        rows_power.append(on * share)
    return Answer(answer.build_s, answer.solve_s, answer.status, np.concatenate(rows_on), np.concatenate(rows_power))


def _queue(k: ContainerClass, count: np.ndarray) -> np.ndarray:
    """Return who runs, first in first out."""
    off, on = list(range(k.count)), []
    rows = np.zeros((k.count, count.size))
    for t, wanted in enumerate(count):
        while len(on) < wanted:
            on.append(off.pop(0))
        while len(on) > wanted:
            off.append(on.pop(0))
        rows[on, t] = 1
    return rows


def _pypsa(
    problem: Problem, units: list[tuple[str, ContainerClass, int]], limit_s: float, *, down: bool = True
) -> tuple[Answer, Any, Any]:
    """Build and solve; return (answer without plan, status (units, T), IT power above the lowest (units, T))."""
    import pypsa

    begin = time.perf_counter()
    n = pypsa.Network()
    n.set_snapshots(range(problem.steps))
    n.snapshot_weightings.loc[:, :] = problem.time.step_h
    for bus in ("sources", "site", "hash"):
        n.add("Bus", bus)
    site, T = problem.site, problem.steps
    for source in problem.sources:
        n.add("Generator", source.name, bus="sources", p_nom=float(source.available_mw.max()),
              p_max_pu=source.available_mw / source.available_mw.max(), marginal_cost=source.price_usd_per_mwh)  # fmt: skip
    cap = float(site.cap_mw.max())
    n.add("Link", "cap", bus0="sources", bus1="site", p_nom=cap, p_max_pu=site.cap_mw / cap,
          ramp_limit_up=site.ramp_up_mw_per_step / cap, ramp_limit_down=site.ramp_down_mw_per_step / cap)  # fmt: skip
    n.add("Load", "standby", bus="site", p_set=sum(k.standby_mw * count for _, k, count in units))
    # Hash in PH/s is sold at its value; one price for all classes.
    value = problem.classes[0].hash_value_usd_per_th_s_h
    n.add("Generator", "pool", bus="hash", p_nom=1e7, p_min_pu=-1.0, p_max_pu=0.0, marginal_cost=1000 * value)
    names, slopes = [name for name, _, _ in units], {}
    for name, k, count in units:
        lowest = k.overhead * k.it_power_mw[0] - k.standby_mw
        peak = float(lowest.max())
        modular = {"p_nom_mod": peak} if count > 1 or len(units) == len(problem.classes) else {}
        n.add("Link", name, bus0="site", bus1="hash", committable=True, p_nom=peak * count, p_min_pu=lowest / peak,
              p_max_pu=lowest / peak, efficiency=k.hash_rate_th_s[0] / 1000 / lowest, start_up_cost=float(k.start.cold_cost_usd[0]),
              min_up_time=k.min_up_steps, min_down_time=k.min_down_steps if down else 0, up_time_before=0,
              down_time_before=k.history[0].steps, **modular)  # fmt: skip
        for s, width in enumerate(np.diff(k.it_power_mw)):
            slope = (k.hash_rate_th_s[s + 1] - k.hash_rate_th_s[s]) / width
            slopes[f"{name}/{s}"] = (name, k.overhead * width)
            n.add("Link", f"{name}/{s}", bus0="site", bus1="hash", p_nom=float((k.overhead * width).max()) * count,
                  efficiency=slope / 1000 / k.overhead)  # fmt: skip

    def tie(n: Any, snapshots: Any) -> None:
        import xarray as xr

        power, status = n.model["Link-p"], n.model["Link-status"]
        at = {"snapshot": n.snapshots, "name": list(slopes)}
        width = xr.DataArray(np.array([w for _, w in slopes.values()]).T, coords=at, dims=("snapshot", "name"))
        owner = status.sel(name=[owner for owner, _ in slopes.values()]).assign_coords(name=list(slopes))
        n.model.add_constraints(power.sel(name=list(slopes)) - width * owner <= 0, name="segments")
        first = power.sel(name="cap", snapshot=0)
        n.model.add_constraints(first <= site.initial_mw + site.ramp_up_mw_per_step, name="first-ramp")

    n.optimize.create_model()
    tie(n, n.snapshots)
    built = time.perf_counter()
    options = {"time_limit": limit_s, "mip_rel_gap": GAP, "threads": 1, "output_flag": False}
    status, condition = n.optimize.solve_model(solver_name="highs", solver_options=options)
    seconds = time.perf_counter() - built
    answer = Answer(built - begin, seconds, f"{status}, {condition}")
    if "status" not in n.links_t or n.links_t.status.empty or n.links_t.p0.empty:
        return answer, None, None
    on = n.links_t.status[names].to_numpy().T
    above = np.zeros((len(units), T))
    for row, (name, k, _) in enumerate(units):
        above[row] = sum(n.links_t.p0[f"{name}/{s}"].to_numpy() for s in range(3)) / k.overhead
    return answer, on, above


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of search for each")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    peers: dict[str, Callable[[Problem, float], Answer]] = {"Pyomo, per container": per_container}
    if find_spec("pypsa"):
        peers |= {
            "PyPSA, per unit": pypsa_per_unit,
            "PyPSA, per class": pypsa_per_class,
            "PyPSA, per class, no minimum down time": partial(pypsa_per_class, down=False),
        }
    print(machine(), "\n")
    rows = []
    for size in given.sizes:
        problem = plant(size, given.seed)
        begin = time.perf_counter()
        ours = solve(problem, SolveOptions(gap=GAP))
        audit = replay(problem, to_schedule(problem, ours))
        rows.append(
            {
                "way": "flexmine",
                "size": size,
                "build_s": ours.seconds["compile"],
                "solve_s": time.perf_counter() - begin - ours.seconds["compile"],
                "ending": f"gap {ours.gap:.1e}",
                "money": round(audit.money_usd),
                "below": f"{max(0.0, 1 - audit.money_usd / ours.bound_usd):.2%}",
                "breaks": len(audit.violations),
            }
        )
        print(table(COLUMNS, rows[-1:]).splitlines()[-1], flush=True)
        for way, by in peers.items():
            answer = by(problem, given.limit)
            money, breaks = priced(problem, answer)
            rows.append(
                {
                    "way": way,
                    "size": size,
                    "build_s": answer.build_s,
                    "solve_s": answer.solve_s,
                    "ending": answer.status,
                    "money": "-" if money is None else round(money),
                    "below": "-" if money is None else f"{1 - money / ours.bound_usd:.2%}",
                    "breaks": "-" if breaks is None else breaks,
                }
            )
            print(table(COLUMNS, rows[-1:]).splitlines()[-1], flush=True)
    print()
    print(table(COLUMNS, rows))


if __name__ == "__main__":
    main()
