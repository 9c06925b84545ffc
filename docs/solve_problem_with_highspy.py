"""Solve a problem.json without flexmine: python solve_problem_with_highspy.py problem.json [gap] prints the optimum."""

import json
import sys
from pathlib import Path

import highspy
import numpy as np

KNOWN = """
schema time classes sources site start step_h steps zone name count containers it_power_mw hash_rate_th_s on
kind max_it_power_mw min_it_power_mw overhead standby_mw hash_value_usd_per_th_s_h min_up_steps min_down_steps
available history must_run preheat_steps terminal_on_usd miners warm_cost_usd cold_cost_usd warm_off_steps
cold_energy_mwh warm_until_step starts_today available_mw price_usd_per_mwh carbon_g_per_kwh headroom_mw
cap_mw ramp_up_mw_per_step initial_mw feeders ramp_down_mw_per_step base_load_mw minimum_mw
rounding_reserve_mw day_of_step energy_limits source first_step at_least_mwh at_most_mwh taken_mwh reserve_mwh
kept_mwh presets sleep_w fixed_mw
""".split()  # noqa: SIM905


def part(pairs):
    """Return a part of the file; a key that these rows do not know may change the optimum, and is refused."""
    more = {key for key, value in pairs if value not in (None, [])} - set(KNOWN)
    assert not more, f"{more}: more than these rows say"
    return dict(pairs)


p, h = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"), object_pairs_hook=part), highspy.Highs()
assert p["schema"] in ("flexmine-problem/1", "flexmine-problem/2"), f"{p['schema']} is not known here"
money, load, used = [], {}, []
T, dt, site = p["time"]["steps"], p["time"]["step_h"], p["site"]
base, minimum = (np.broadcast_to(site.get(key) or 0, T) for key in ("base_load_mw", "minimum_mw"))
keys = "standby_mw min_it_power_mw must_run warm_cost_usd cold_cost_usd cold_energy_mwh warm_off_steps".split()  # noqa: SIM905
for place in (*p["classes"], *(k["start"] for k in p["classes"])):  # each key: a number, T numbers, or absent
    place |= {key: np.broadcast_to(place.get(key) or 0, T) for key in keys}
for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", float([*sys.argv, 1e-6][2]))):
    h.setOptionValue(option, value)
F = [h.addVariable(least, cap) for least, cap in zip(minimum, site["cap_mw"], strict=True)]  # facility power
for k in p["classes"]:
    N, U, D, lead = k["count"], max(1, k["min_up_steps"]), max(1, k["min_down_steps"]), k.get("preheat_steps", 0)
    power, rate, s, warm_off = np.array(k["it_power_mw"]), k["hash_rate_th_s"], k["start"], k["start"]["warm_off_steps"]
    low, high = np.maximum(power[0], k["min_it_power_mw"]), np.minimum(power[-1], k["max_it_power_mw"])
    n, y, z = ([h.addIntegral(0, N) for _ in range(T)] for _ in range(3))  # running, starting, stopping
    mine = load[k["name"]] = [[standby * N - standby * n[t]] for t, standby in enumerate(k["standby_mw"])]
    lots = [(z[i], i + D, i + warm_off[i]) for i in range(T)]  # off: how many, first step of a start, last warm one
    for e in (e for e in k["history"] if not e["on"]):
        lots.append((e["count"], max(0, D - e["steps"]), e.get("warm_until_step", warm_off[0] - e["steps"])))
    started = [[] for _ in range(T)]
    for stopped, first, last_warm in lots:
        arcs = {t: h.addVariable(0, N) for t in range(first, T) if t <= last_warm or t >= lead}
        h.addConstr(h.qsum(list(arcs.values())) <= stopped)
        for t, x in arcs.items():
            started[t].append(x)
            money.append(-s["warm_cost_usd" if t <= last_warm else "cold_cost_usd"][t] * x)
            for i in range(t - lead, max(t, t - lead + 1)) if t > last_warm else ():  # preheat of a cold start
                mine[i].append(s["cold_energy_mwh"][t] / (max(1, lead) * dt) * x)
    for t in range(T):
        was_on, bound = (sum(e["count"] for e in k["history"] if e["on"] and e["steps"] < u) for u in (np.inf, U - t))
        h.addConstrs(n[t] - y[t] + z[t] == (n[t - 1] if t else was_on), h.qsum(started[t]) == y[t])
        h.addConstr(h.qsum(y[max(0, t - U + 1) : t + 1]) + bound <= n[t])
        h.changeColBounds(n[t].index, k["must_run"][t], k["available"][t] if low[t] <= high[t] else 0)
        parts = [(low[t], np.interp(low[t], power, rate) / low[t], n[t])]  # IT power of each, TH/s per MW, how many
        for width, slope in zip(np.diff(power.clip(low[t], high[t])), np.diff(rate) / np.diff(power), strict=True):
            parts.append((1.0, slope, h.addVariable()))
            h.addConstr(parts[-1][2] <= max(0.0, width) * n[t])
        money += [dt * k["hash_value_usd_per_th_s_h"][t] * slope * mw * x for mw, slope, x in parts]
        mine[t] += [k["overhead"][t] * mw * x for mw, _, x in parts]
    money.append(k.get("terminal_on_usd", 0.0) * n[-1])
for t in range(T):
    supply = [h.addVariable(0, j["available_mw"][t]) for j in p["sources"]]
    money += [-dt * j["price_usd_per_mwh"][t] * mw for j, mw in zip(p["sources"], supply, strict=True)]
    used.append({None: F[t]} | {j["name"]: mw for j, mw in zip(p["sources"], supply, strict=True)})
    h.addConstrs(F[t] == h.qsum(supply), F[t] == h.qsum([x for mine in load.values() for x in mine[t]]) + base[t])
    for f in site.get("feeders", []):
        h.addConstr(h.qsum([x for name in f["classes"] for x in load[name][t]]) <= f["cap_mw"])
    for sign, ramp_mw in ((1, site.get("ramp_up_mw_per_step")), (-1, site.get("ramp_down_mw_per_step"))):
        if ramp_mw is not None and (t or site.get("initial_mw") is not None):
            h.addConstr(sign * (F[t] - (F[t - 1] if t else site["initial_mw"])) <= ramp_mw)
for e in site.get("energy_limits", []):  # of a source, or of the site, with what is taken already
    mwh = dt * h.qsum([at[e["source"]] for at in used[e["first_step"] : e["first_step"] + e["steps"]]])
    low, high = (e[key] if e.get(key) is not None else at for key, at in (("at_least_mwh", -1e9), ("at_most_mwh", 1e9)))
    h.addConstrs(mwh >= low - e.get("taken_mwh", 0.0), mwh <= high - e.get("taken_mwh", 0.0))
h.maximize(h.qsum(money))
print(h.getInfo().objective_function_value if h.getModelStatus() == highspy.HighsModelStatus.kOptimal else "no optimum")
