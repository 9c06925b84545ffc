"""The series of the example cases: one table for each, cut from the raw files and moved onto the clock of its site.

Called by ``make_extracts.py``.  A stand-in series is read at the same clock hour of another day (`by_clock`); a series
that was measured in the zone of the site is read at the same instant (`by_instant`).  On a local day of 25 hours the
clock hour that stands twice reads the same hour of a stand-in twice; on one of 23 hours the hour that does not exist
is left out.  A table of 15-minute rows repeats the hour of its source four times.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

M3_PER_CUBIC_FOOT = 0.0283168
MW_PER_M3_S = 0.91
"""Power of one cubic metre a second at Bratsk, from a head of about 100-106 m and an efficiency of 0.9 (assumed)."""
CONTRACTED_MW = 200.0
"""Turbine generation taken as sold under contract: a choice, not a datum of any station."""
IRKUTSK_HIGHEST_C = 35.6
"""Highest daily maximum of Irkutsk, 1981-2011, on 2010-06-22: GHCN-Daily RSM00030710, quality flag blank."""


@dataclass(frozen=True)
class Source:
    """An hourly series of a publisher by its own local clock; `zone` is an IANA name, or a fixed ``Etc/GMT+9``."""

    column: str
    values: pd.Series
    zone: str
    decimals: int
    first_day: str | None = None
    """The day that becomes the first one of the table; none: the same instants."""


def northway(raw: Path, first_day: str) -> Source:
    """Observed air temperature of Northway in 2018 [C], local standard time UTC-9; the raw file has tenths and UTC."""
    table = pd.read_csv(raw / "weather_northway_isdlite_2018_raw.csv")
    utc = pd.to_datetime(table[["year", "month", "day"]].assign(hour=table["hour_utc"]))
    tenths = table["air_temp_c_x10"]
    celsius = (tenths.where(tenths != -9999) / 10.0).set_axis(utc - pd.Timedelta(hours=9))
    return Source("temperature_c", celsius, "Etc/GMT+9", 1, first_day)


def lifted_northway(raw: Path, first_day: str) -> Source:
    """Synthetic heat [C]: two July days of Northway's typical year, lifted so that their highest hour is Irkutsk's."""
    table = pd.read_csv(raw / "weather_northway_tmy3.csv")
    year = pd.Timestamp(first_day).year
    begin = pd.to_datetime(table[["month", "day"]].assign(year=year, hour=table["hour_ending_lst"] - 1))
    celsius = table["dry_bulb_c"].set_axis(begin)
    days = celsius[first_day : str(pd.Timestamp(first_day) + pd.Timedelta(hours=47))]
    return Source("temperature_c", celsius + (IRKUTSK_HIGHEST_C - days.max()), "Etc/GMT+9", 1, first_day)


def glen_canyon(raw: Path, first_day: str) -> Source:
    """Turbine generation of Glen Canyon Dam above a contracted level [MW]; its clock is taken as UTC-7."""
    table = pd.read_csv(raw / "hydro_glen_canyon_hourly.csv")
    clock = pd.to_datetime(table["timestamp"].str.slice(0, 19))
    turbine_mw = table["power_release_cfs"] * M3_PER_CUBIC_FOOT * MW_PER_M3_S
    above = (turbine_mw - CONTRACTED_MW).clip(lower=0.0).set_axis(clock)
    return Source("generation_above_contract_mw", above, "Etc/GMT+7", 4, first_day)


def no2(raw: Path, first_day: str | None = None) -> Source:
    """Day-ahead price of NO2 [EUR/MWh]; by instant, or by the clock of Europe/Oslo (days without a change)."""
    table = pd.read_csv(raw / "price_no2_2025.csv")
    utc = pd.to_datetime(table["timestamp_utc"], utc=True)
    local = utc.dt.tz_convert("Europe/Oslo")
    index = pd.DatetimeIndex(utc if first_day is None else local.dt.tz_localize(None))
    return Source("price_eur_per_mwh", table["price_eur_mwh"].set_axis(index), "Europe/Oslo", 2, first_day)


@dataclass(frozen=True)
class Days:
    """Whole local days of a site, in rows of `minutes`."""

    zone: str
    first: str
    count: int
    minutes: int = 60

    def begins(self) -> pd.DatetimeIndex:
        """Return the beginning of every row."""
        first = pd.Timestamp(self.first, tz=self.zone)
        after = first + pd.DateOffset(days=self.count)
        return pd.date_range(first, after, freq=f"{self.minutes}min", inclusive="left")


def example(path: Path, days: Days, *sources: Source) -> None:
    """Write a table of local days of a site, and beside each value the time it had at its source."""
    begins = days.begins()
    table = pd.DataFrame({"interval_start": [b.isoformat() for b in begins]})
    for source in sources:
        at = _at_source(begins, days.first, source)
        lookup = at.tz_convert("UTC") if source.first_day is None else at.tz_localize(None)
        found = source.values[~source.values.index.duplicated()].reindex(lookup)
        if found.isna().any():
            hour = at[int(found.isna().to_numpy().argmax())]
            raise SystemExit(f"{path.name}: {source.column} has no value for {hour}; nothing is filled")
        table[source.column] = [f"{value:.{source.decimals}f}" for value in found]
        table[f"{source.column}_source_start"] = [moment.isoformat() for moment in at]
    path.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")


def _at_source(begins: pd.DatetimeIndex, first_day: str, source: Source) -> pd.DatetimeIndex:
    """Return the beginning of the hour of the source that each row reads."""
    if source.first_day is None:
        return begins.tz_convert("UTC").floor("h").tz_convert(source.zone)
    shift = pd.Timestamp(source.first_day) - pd.Timestamp(first_day)
    return (begins.tz_localize(None).floor("h") + shift).tz_localize(source.zone)


def examples(raw: Path, out: Path) -> None:
    """Write the tables of all examples that need series of their own."""
    siberia, oslo = "Asia/Irkutsk", "Europe/Oslo"
    winter = (northway(raw, "2018-02-03"), no2(raw, "2025-02-03"), glen_canyon(raw, "2025-02-03"))
    example(out / "deep_winter.csv", Days(siberia, "2025-02-03", 3), *winter)
    summer = (lifted_northway(raw, "2004-07-13"), no2(raw, "2025-07-22"), glen_canyon(raw, "2024-07-23"))
    example(out / "summer_heat.csv", Days(siberia, "2024-07-23", 2), *summer)
    ban = (northway(raw, "2018-11-14"), no2(raw, "2025-11-14"), glen_canyon(raw, "2025-01-16"))
    example(out / "ban_at_midnight.csv", Days(siberia, "2025-11-14", 3), *ban)
    negative = (northway(raw, "2018-04-28"), no2(raw), glen_canyon(raw, "2025-04-27"))
    example(out / "negative_prices.csv", Days(oslo, "2025-04-27", 3), *negative)
    spring = (northway(raw, "2018-03-29"), no2(raw), glen_canyon(raw, "2025-03-25"))
    example(out / "spring_change.csv", Days(oslo, "2025-03-29", 4, 15), *spring)
    autumn = (northway(raw, "2018-10-25"), no2(raw), glen_canyon(raw, "2025-01-13"))
    example(out / "autumn_change.csv", Days(oslo, "2025-10-25", 4, 15), *autumn)
