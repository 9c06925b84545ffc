"""A small plant with series over many days, to be back-tested."""

from datetime import date, datetime, timedelta
from pathlib import Path

import nights
from flexmine.studies.backtest import read_backtest

ZONE = "Europe/Oslo"
FIRST = date(2024, 3, 26)
"""Five days before the clocks change."""
FILE = """\
schema: flexmine-backtest/1
name: small
case: case.yaml
first_day: {first}
last_day: {last}
policies: [{policies}]
forecasts:
  temperature_c: {{how: yesterday}}
  sources.surplus.available_mw: {surplus}
  sources.grid.price_usd_per_mwh: {{how: day_ahead, at_h: 13}}
"""
ALL = "always-on, threshold, greedy, nightly, redispatch, replan, perfect"


def write_backtest(
    folder: Path,
    days: int = 8,
    policies: str = ALL,
    surplus: str = "{how: yesterday}",
    more: str = "",
    changed_from: datetime | None = None,
) -> Path:
    """Write plant, case, series and back-test; from `changed_from` on, surplus, price and weather are others."""

    def of(function, factor):
        return lambda t: round(function(t) * (factor if changed_from is not None and t >= changed_from else 1.0), 4)

    (folder / "box.yaml").write_text(nights.CONTAINER, encoding="utf-8")
    (folder / "plant.yaml").write_text(nights.PLANT.format(zone=ZONE), encoding="utf-8")
    (folder / "case.yaml").write_text(nights.CASE, encoding="utf-8")
    begin = FIRST - timedelta(days=2)
    for name, column, function, factor in (
        ("weather", "temperature_c", nights.temperature_c, 1.4),
        ("price", "price_usd_per_mwh", nights.price_usd_per_mwh, 0.6),
        ("surplus", "surplus_mw", nights.surplus_mw, 0.5),
    ):
        nights.write_series(folder / f"{name}.csv", column, of(function, factor), ZONE, begin, days + 4)
    last = FIRST + timedelta(days=days - 1)
    file = folder / "backtest.yaml"
    file.write_text(FILE.format(first=FIRST, last=last, policies=policies, surplus=surplus) + more, encoding="utf-8")
    return file


def setup_of(folder: Path, **given):
    """Return a back-test as it is read."""
    return read_backtest(write_backtest(folder, **given))
