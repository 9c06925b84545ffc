"""What was filled in is drawn where the series is shown, over the steps that were filled, and named."""

from __future__ import annotations

from datetime import UTC, datetime

from flexmine.inputs.filling import Filled
from flexmine.report.day import day_figure
from flexmine.report.sentence import verdict

WHEN = datetime(2024, 9, 10, tzinfo=UTC)


def filled(series: str, first: int, steps: int, policy: str = "hold") -> Filled:
    return Filled(series, policy, WHEN, WHEN, first, steps)


def strips(panel) -> list[int]:
    """Return the steps of the strip: the rows that hold nothing but where they begin and end."""
    return [row["t"] for rows in panel.spec["datasets"].values() for row in rows if set(row) == {"t", "e"}]


def test_each_series_is_marked_in_its_panel(make_plan):
    """*Proves:* power, price and temperature each mark their own steps, overlaps once, and the table says which.

    *Sensitivity:* marks in one panel only would tell that the price was made up when the weather was.
    """
    plan = make_plan(
        filled=(
            filled("sources.surplus.available_mw", 3, 2),
            filled("sources.surplus.available_mw.p10", 4, 2),
            filled("temperature_c", 0, 1, "repeat_28_february"),
            filled("hash_value.btc_price_usd", 20, 1),
        )
    )
    power, price, temperature = day_figure(plan).panels
    assert strips(power) == [3, 4, 5]
    assert strips(price) == [20]
    assert strips(temperature) == [0]
    assert ("ink", "filled in, not the feed's: temperature_c (28 February repeated)") in temperature.legend
    table = day_figure(plan).table
    assert table.columns[-1] == "filled in"
    assert [row[-1] for row in table.rows[3:6]] == [
        "sources.surplus.available_mw",
        "sources.surplus.available_mw, sources.surplus.available_mw.p10",
        "sources.surplus.available_mw.p10",
    ]
    assert (f"filled: {plan.filled[0]}", False) in verdict(plan)


def test_nothing_filled_nothing_marked(make_plan):
    """*Proves:* no legend, no column.  *Sensitivity:* an empty mark would be taken for a warning."""
    figure = day_figure(make_plan())
    assert [strips(panel) for panel in figure.panels] == [[], [], []]
    assert "filled in" not in figure.table.columns
    assert not any("filled" in words for panel in figure.panels for _, words in panel.legend)
