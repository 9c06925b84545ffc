"""US EIA form 930: hourly demand, net generation and interchange; UTC labels that name the end of the hour."""

from __future__ import annotations

from datetime import UTC

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
from flexmine.inputs.times import US_PER_H


def convert(table: Table, settings: Settings) -> Converted:
    """Return demand, net generation and interchange by beginning of the hour.

    Demand is net generation less interchange.  Where both are the same number although power was exchanged, or nobody
    says that none was, one of them was copied: both are left empty.  EIA's imputed values are not used.

    Raises
    ------
    BadInput
        Where a row is no hour or no number.
    """
    table.need("utc_time")
    end_us = clock_us(table, table.text("utc_time"), UTC)
    demand, generation, interchange = (
        numbers(table, f"{name}_mw") for name in ("demand", "net_generation", "total_interchange")
    )
    copied = (demand == generation) & ~(interchange == 0.0)
    rows = pd.DataFrame(
        {
            "interval_start": starts(end_us - US_PER_H, UTC),
            "demand_mw": as_text(np.where(copied, np.nan, demand), 0),
            "net_generation_mw": as_text(np.where(copied, np.nan, generation), 0),
            "interchange_mw": as_text(interchange, 0),
        }
    )
    return Converted(
        rows,
        (
            "utc_time names the end of the hour (EIA-930): moved to its beginning",
            f"{count(np.isnan(demand))} demands, {count(np.isnan(generation))} generations and "
            f"{count(np.isnan(interchange))} interchanges are empty in the source; {gaps(end_us, US_PER_H)} hours "
            "absent",
            f"{count(copied)} hours in which demand equals net generation although power was exchanged, or nobody says "
            "that none was: both left empty",
        ),
    )
