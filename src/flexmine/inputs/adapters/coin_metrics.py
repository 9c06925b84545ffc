"""Coin Metrics community data, a row per UTC day: price, difficulty and the fees of a block.

CC BY-NC 4.0: no commercial use; bring a feed of your own for that.
"""

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
from flexmine.inputs.adapters.shapes import renamed
from flexmine.inputs.table import Table
from flexmine.inputs.times import US_PER_DAY

_NAMES = {
    "date": ("time",),
    "price_usd": ("PriceUSD", "ReferenceRateUSD"),
    "difficulty": ("DiffMean",),
    "block_count": ("BlkCnt",),
    "fees_btc": ("FeeTotNtv",),
}
_MIDNIGHT = r"[T ]00:00:00(\.0+)?Z?$"


def convert(table: Table, settings: Settings) -> Converted:
    """Return price, difficulty and fees a block by UTC day.

    Raises
    ------
    BadInput
        Where a row is not a date or a cell not a number.
    """
    table = renamed(table, _NAMES)
    table.need("date", "price_usd", "difficulty")
    # The API writes days as 2024-03-01T00:00:00.000000000Z.
    day_us = clock_us(table, table.text("date").str.replace(_MIDNIGHT, "", regex=True), UTC)
    blocks, fees = numbers(table, "block_count"), numbers(table, "fees_btc")
    for column in ("price_usd", "difficulty"):
        numbers(table, column)  # refuses what is not a number; the text is kept with all its digits
    a_block = np.divide(fees, blocks, out=np.full(len(fees), np.nan), where=blocks > 0)
    price, difficulty = table.text("price_usd"), table.text("difficulty")
    rows = pd.DataFrame(
        {
            "interval_start": starts(day_us, UTC),
            "price_usd": price,
            "difficulty": difficulty,
            "fees_btc_per_block": as_text(a_block, 8),
        }
    )
    return Converted(
        rows,
        (
            "price_usd: close of the UTC day, which is known only at its end",
            "difficulty: mean over the blocks of the day; on days of a retarget a mixture of two values",
            "fees_btc_per_block: fees of the day / blocks of the day, 8 decimals; single days have true peaks",
            f"{count((price == '').to_numpy())} prices, {count((difficulty == '').to_numpy())} difficulties and "
            f"{count(np.isnan(a_block))} fees are missing: left empty; {gaps(day_us, US_PER_DAY)} days absent",
            "Coin Metrics community data, CC BY-NC 4.0: no commercial use",
        ),
    )
