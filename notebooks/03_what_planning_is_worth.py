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
# # What planning is worth in a year, and when it is not
#
# Four days of each month of the shipped year of stand-ins (May 2024 to April 2025), 10 MW at Bratsk: a greedy
# rule as strong as an engineer could tune it in hindsight, the plan of the night followed blindly, a plan every hour,
# and perfect foresight. The whole year takes some minutes: `flexmine backtest bratsk-year`.

# %%
import tempfile
from pathlib import Path

import altair as alt
import pandas as pd

import flexmine
from flexmine.resources import shipped_path

DAYS = 4
MONTHS = [(month.start_time + pd.Timedelta(days=9)).date() for month in pd.period_range("2024-05", "2025-04", freq="M")]
BACKTEST = """\
schema: flexmine-backtest/1
name: month
case: case.yaml
first_day: {first}
last_day: {last}
policies: [greedy, nightly, replan, perfect]
perfect: true
forecasts:
  sources.surplus.available_mw: {{how: noise, relative: 0.12}}
  sources.grid.price_usd_per_mwh: {{how: day_ahead, at_h: 13}}
"""


def months(difficulty: str) -> pd.DataFrame:
    """Return the money of each policy by month [USD], with another difficulty of mining."""
    found = {}
    case = shipped_path("years/bratsk-10-year").read_text(encoding="utf-8")
    for first in MONTHS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "case.yaml").write_text(case.replace("95e12", difficulty), encoding="utf-8")
            last = first + pd.Timedelta(days=DAYS - 1)
            (folder / "month.yaml").write_text(BACKTEST.format(first=first, last=last), encoding="utf-8")
            result = flexmine.backtest(folder / "month.yaml", folder / "out")
            found[f"{first:%Y-%m}"] = result.totals.set_index("policy")["money_usd"]
    return pd.DataFrame(found).T


money = months("95e12")
money.round(0)

# %% [markdown]
# ## Where it is worth something
#
# What looking ahead could bring is perfect foresight less the greedy rule: about 2 % of the money. Planning anew every
# hour, from what is known ten minutes before, gets about a third of it, against a rule tuned on these very days;
# the plan of the night, followed blindly, loses most of that again to surplus that comes otherwise. In July it earns
# less than the rule.

# %%
gain = money.sub(money["greedy"], axis=0).drop(columns="greedy")
sums = gain.sum()
share = 100 * gain.sum() / money["greedy"].sum()
captured = 100 * sums["replan"] / sums["perfect"]
rows = gain.rename_axis("month").reset_index().melt("month", var_name="policy", value_name="usd")
alt.Chart(rows).mark_bar().encode(
    x=alt.X("month:N", title=None),
    xOffset=alt.XOffset("policy:N", sort=["nightly", "replan", "perfect"]),
    y=alt.Y("usd:Q", title="USD above greedy, four days"),
    color=alt.Color("policy:N", sort=["nightly", "replan", "perfect"], title=None),
)

# %%
pd.DataFrame({"above greedy, USD": sums.round(0), "above greedy, %": share.round(1)})

# %% [markdown]
# ## When it is not
#
# Mining that earns well runs at full power whatever comes, and there is nothing to decide. With a third of the
# difficulty every MWh is worth taking at nearly every price: the rule earns as much as perfect foresight.

# %%
well_paid = months("30e12")
left = 100 * (well_paid["perfect"] / well_paid["greedy"] - 1)
pd.DataFrame({"greedy": well_paid["greedy"].round(0), "left to gain, %": left.round(2)})
