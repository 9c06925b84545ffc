# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What temperature does
#
# Four things that outside air does to a container, each a pure function of `flexmine.physics`, on three days that ship
# with flexmine: the coldest day of 2018 at Northway (a stand-in for Siberia), a September day there, and a synthetic
# day of Irkutsk's record heat.

# %%
import altair as alt
import numpy as np
import pandas as pd

import flexmine
from flexmine.physics.overhead import highest_it_power_mw, lowest_it_power_mw, overhead
from flexmine.physics.thermal import warm_off_steps
from flexmine.resources import shipped_path

DAYS = {
    "deep winter": "deep_winter.csv",
    "September": "northway_temperature.csv",
    "heat (synthetic)": "summer_heat.csv",
}


def temperature(table: str) -> np.ndarray:
    """Return the first 48 hours of a shipped table [C]."""
    return pd.read_csv(shipped_path(f"shipped:{table}"))["temperature_c"].to_numpy()[:48]


air = {day: temperature(table) for day, table in DAYS.items()}
pd.DataFrame(air).agg(["min", "mean", "max"]).round(1)

# %% [markdown]
# ## Overhead
#
# Fans and losses: facility power per IT power is $1.02 + 0.0012 \max(0, T - 5)$. A MW at the meter brings less hash on
# a hot day, but not by much.

# %%
factor = {day: overhead(t, base=1.02, per_k=0.0012, above_c=5.0) for day, t in air.items()}
pd.DataFrame(factor).agg(["min", "max"]).round(4)

# %% [markdown]
# ## Derating in the heat
#
# With 5 K of hot recirculation a container derates from 30 °C outside on. At 35.6 °C 1.30 MW become 1.24 MW.

# %%
hot = highest_it_power_mw(
    air["heat (synthetic)"], 1.30, derate_from_c=35.0, stop_c=47.0, share_at_stop=0.9, inlet_rise_k=5.0
)
heat_day = pd.DataFrame({"hour": np.arange(48), "outside, °C": air["heat (synthetic)"], "highest IT power, MW": hot})
alt.Chart(heat_day, title="Above 30 °C outside, heat takes up to 5 % of the power").mark_line(
    interpolate="step-after", color="#c0392b"
).encode(x="hour:Q", y=alt.Y("highest IT power, MW:Q", scale=alt.Scale(domain=[1.2, 1.32])))

# %% [markdown]
# ## The least power in the cold
#
# A running container leads exhaust back to its inlets to keep them above 0 °C. That takes heat: below some power it
# cannot. At -43 °C that is 0.27 MW, well below the minimum power of 0.52 MW, so the cold does not bind a container of
# 400 S19 Pro that runs. With dampers that can lead back only 60 % it would.

# %%
least = {
    share: lowest_it_power_mw(
        air["deep winter"], 0.0, recirculation_max=share, air_conductance_kw_per_k=84.0, minimum_flow_share=0.3
    )
    for share in (0.8, 0.7, 0.6)
}
pd.DataFrame(least).max().round(2)

# %% [markdown]
# ## How long a sleeping container stays warm
#
# $C\,dT/dt = \text{heat inside} - UA\,(T - T_{outside})$ from 20 °C down to 0 °C. Asleep with dampers shut, the 10 kW
# of 400 sleeping miners stay inside and hold a plain box 33 K above the outside: on the coldest day it stays warm for
# 6 to 11 hours, depending on when it stops, and in September for ever (48 is the whole horizon). Switched off at the
# breaker there is no heat inside, and two hours are the most at -40 °C.

# %%
box = {"heat_capacity_j_per_k": 6.6e6, "conductance_w_per_k": 300.0, "step_h": 1.0}
limits = {"running_temperature_c": 20.0, "start_temperature_c": 0.0}
window = pd.DataFrame(
    {
        (day, state): warm_off_steps(air[day], np.full(48, heat_w), **box, **limits)
        for day in ("deep winter", "September")
        for state, heat_w in (("asleep, dampers shut", 10_000.0), ("powered off", 0.0))
    }
)
window.iloc[:24].agg(["min", "max"])

# %% [markdown]
# ## What it does to a plan
#
# The deep-winter example: all containers asleep for twelve hours, so that every start is cold. The same day after
# three hours asleep: every start is warm.

# %%
case = flexmine.load_case("deep-winter")
plan = flexmine.plan(case)
rested = case.with_changes({"state.default.hours": 3.0, "state.default.inside_temperature_c": 18.0})
warm_plan = flexmine.plan(rested)

starts = pd.DataFrame(
    {
        name: {
            "warm starts": int(p.replay.warm_start.sum()),
            "cold starts": int(p.replay.cold_start.sum()),
            "preheat, MWh": round(float(p.setpoints["preheat_mw"].sum()), 2),
            "money, USD": round(p.money_usd),
        }
        for name, p in (("12 h asleep", plan), ("3 h asleep", warm_plan))
    }
)
starts
