"""US Bureau of Reclamation, Glen Canyon Dam by day: releases and what passed the turbines."""

from __future__ import annotations

from datetime import timedelta, timezone

import numpy as np
import pandas as pd

from flexmine.inputs.adapters.base import (
    Converted,
    Settings,
    as_text,
    clock_us,
    count,
    gaps,
    numbers,
    starts,
)
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_DAY

MOUNTAIN_STANDARD_TIME = timezone(timedelta(hours=-7))
GAUGES_AGREE_CFS = 2.0
"""Rounding of two gauges; a larger power release than the total release is a disagreement."""


def convert(table: Table, settings: Settings) -> Converted:
    """Return inflow, power release and spill by day of Mountain Standard Time [cfs].

    Spill is bypass and spillway as published; before they were, it is derived as total less power release.  Where the
    two gauges contradict each other (more through the turbines than in all) it cannot be derived and stays empty.

    Raises
    ------
    BadInput
        Where a row is not a date or a cell not a number.
    """
    table.need("date")
    day_us = clock_us(table, table.text("date"), MOUNTAIN_STANDARD_TIME)
    names = ("inflow", "power_release", "bypass_release", "spillway_release", "total_release")
    inflow, power, bypass, spillway, total = (numbers(table, f"{name}_cfs") for name in names)
    published = bypass + spillway
    derived = total - power
    contradicts = np.isnan(published) & (derived < -GAUGES_AGREE_CFS)
    derived = np.where(contradicts, np.nan, np.where(np.abs(derived) <= GAUGES_AGREE_CFS, 0.0, derived))
    spill = np.where(np.isnan(published), derived, published)
    how = np.where(~np.isnan(published), "published", np.where(np.isnan(spill), "", "derived"))
    rows = pd.DataFrame(
        {
            "interval_start": starts(day_us, MOUNTAIN_STANDARD_TIME),
            "inflow_cfs": as_text(inflow, 2),
            "power_release_cfs": as_text(power, 2),
            "spill_cfs": as_text(spill, 2),
            "spill_is": how,
        }
    )
    return Converted(
        rows,
        (
            "days of Mountain Standard Time (UTC-7): assumed, the source states no zone",
            f"spill_cfs: bypass + spillway where published ({count(how == 'published')} days), else total - power "
            f"release ({count(how == 'derived')} days), within {GAUGES_AGREE_CFS:g} cfs taken as 0",
            f"{count(contradicts)} days on which more went through the turbines than in all (two gauges that disagree) "
            f"and {count(np.isnan(spill) & ~contradicts)} days without both releases: left empty",
            f"{gaps(day_us, US_PER_DAY)} days absent; no electrical surplus: flow is turned into MW by a named factor",
        ),
    )
