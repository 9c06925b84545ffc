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
# # Plan a day
#
# A plan from Python: load a case, plan it, look at the frames.  The notebook and the script of the same name hold the
# same cells.

# %%
import flexmine

case = flexmine.load_case("bratsk-shaped")
plan = flexmine.plan(case)
f"{plan.status}, gap {plan.gap:.1e}, {plan.money_usd:,.0f} USD over {plan.problem.steps} hours"

# %% [markdown]
# ## What the site draws
# The first `publish_steps` rows are the plan; the rest is look-ahead.

# %%
site = plan.site
published = site[site["published"] == 1]
published[["interval_start", "facility_power_mw", "surplus_mw", "grid_mw", "surplus_left_mw", "money_usd"]]

# %% [markdown]
# ## What each container does

# %%
setpoints = plan.setpoints
hours_on = setpoints[setpoints["published"] == 1].groupby("container")["state"].apply(lambda s: int((s == "on").sum()))
hours_on

# %% [markdown]
# ## What the simple rules would have earned

# %%
{rule.name: rule.money_usd for rule in plan.rules} | {"this plan": plan.money_usd}

# %% [markdown]
# ## When power is too dear
# Break-even prices at the meter, first for minimum power, then for each step up the mode curve.

# %%
[round(float(price[0]), 1) for price in plan.break_even[0].marginal_usd_per_mwh]
