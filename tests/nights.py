"""A small plant with feeds that are issued every day, as jobs on disk: three containers, weather, surplus, a price."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

CONTAINER = """\
schema: flexmine-container/1
name: box
modes:
  - {it_power_mw: 0.5, hash_rate_th_s: 22000}
  - {it_power_mw: 1.0, hash_rate_th_s: 37000}
miners:
  count: 400
  model: any
  sleep_w: 25
  presets: [{power_w: 1250, hash_rate_th_s: 55}, {power_w: 2500, hash_rate_th_s: 92.5}]
overhead: {base: 1.02}
standby_mw: 0.01
min_up_h: 4
min_down_h: 3
start: {warm_wear_usd: 5, cold_wear_usd: 20, warm_off_h: 5}
sources: ["made up"]
"""
PLANT = """\
schema: flexmine-plant/1
name: small
zone: {zone}
latitude_deg: 60.0
longitude_deg: 10.0
altitude_m: 100
cap_mw: 3.2
ramp_up_mw_per_h: 1.3
ramp_down_mw_per_h: 1.3
containers: [{{model: box.yaml, prefix: C, first: 1, last: 3}}]
sources: ["made up"]
"""
CASE = """\
schema: flexmine-case/1
name: small-day
title: A small plant
plant: plant.yaml
start: 2024-01-01T00:00:00+01:00
horizon_h: 24
series:
  temperature_c: {file: weather.csv, column: temperature_c, unit: C}
sources:
  - name: surplus
    kind: surplus
    available_mw: {file: surplus.csv, column: surplus_mw, unit: MW}
    price_usd_per_mwh: 10.0
  - name: grid
    kind: firm
    available_mw: 3.2
    price_usd_per_mwh: {file: price.csv, column: price_usd_per_mwh, unit: USD/MWh}
hash_value: {btc_price_usd: 58000, difficulty: 89.47e12, subsidy_btc: 3.125, fees_btc_per_block: 0.05}
state: {initial_mw: 0.03, default: {on: false, hours: 10}}
options: {gap: 1e-4, time_limit_s: 30}
"""
JOB = """\
schema: flexmine-job/1
name: small-nights
case: case.yaml
look_ahead_h: 12
first_day: %s
initial_state: {initial_mw: 0.03, default: {on: false, hours: 10}}
feeds:
  - {series: [sources.surplus.available_mw], files: "feeds/surplus_*.csv", max_age_h: 30, older_max_age_h: 54}
report: false
"""


def surplus_mw(moment: datetime) -> float:
    """Plenty at noon, nothing at night, another level every day."""
    hour = moment.hour + moment.minute / 60
    level = 1.2 + 1.1 * math.sin(0.9 * moment.timetuple().tm_yday)
    return round(max(0.0, level * math.sin(math.pi * (hour - 5) / 14)), 4) if 5 < hour < 19 else 0.0


def price_usd_per_mwh(moment: datetime) -> float:
    """Around what a container earns, more expensive in the evening."""
    return round(75.0 + 25.0 * math.sin(2 * math.pi * (moment.hour - 11) / 24), 3)


def temperature_c(moment: datetime) -> float:
    """Cool."""
    return round(4.0 + 6.0 * math.sin(2 * math.pi * (moment.hour - 9) / 24), 2)


def write_series(
    path: Path, column: str, value: Callable[[datetime], float], zone: str, first: date, days: int
) -> None:
    """Write hourly values from local midnight of `first` to that `days` later, by the clock of the zone."""
    tz = ZoneInfo(zone)
    begin = datetime(first.year, first.month, first.day, tzinfo=tz).astimezone(UTC)
    last = first + timedelta(days=days)
    end = datetime(last.year, last.month, last.day, tzinfo=tz).astimezone(UTC)
    lines = [f"interval_start,{column}"]
    while begin < end:
        local = begin.astimezone(tz)
        lines.append(f"{local.isoformat()},{value(local)}")
        begin += timedelta(hours=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def feed_file(folder: Path, issued: datetime, revision: int = 0) -> Path:
    """Return the name of an issue of the surplus."""
    tail = f"_r{revision}" if revision else ""
    return folder / "feeds" / f"surplus_{issued.astimezone(UTC):%Y%m%dT%H%MZ}{tail}.csv"


def issue_surplus(folder: Path, day: date, zone: str = "Europe/Oslo", revision: int = 0, factor: float = 1.0) -> Path:
    """Write the issue made at 12:00 UTC two days before the end of `day`, for `day` and three days more."""
    issued = datetime(day.year, day.month, day.day, 0, 0, tzinfo=UTC) - timedelta(hours=12)
    path = feed_file(folder, issued, revision)
    write_series(path, "surplus_mw", lambda t: round(factor * surplus_mw(t), 4), zone, day, 4)
    return path


def write_job(folder: Path, first: date, days: int, zone: str = "Europe/Oslo", more: str = "") -> Path:
    """Write job, case, plant, container and all series; return the job file."""
    (folder / "box.yaml").write_text(CONTAINER, encoding="utf-8")
    (folder / "plant.yaml").write_text(PLANT.format(zone=zone), encoding="utf-8")
    (folder / "case.yaml").write_text(CASE, encoding="utf-8")
    write_series(folder / "weather.csv", "temperature_c", temperature_c, zone, first, days + 4)
    write_series(folder / "price.csv", "price_usd_per_mwh", price_usd_per_mwh, zone, first, days + 4)
    for i in range(days):
        issue_surplus(folder, first + timedelta(days=i), zone)
    job = folder / "job.yaml"
    job.write_text(JOB % first.isoformat() + more, encoding="utf-8")
    return job


def evening_before(day: date, zone: str = "Europe/Oslo") -> datetime:
    """Return 18:00 of the day before: when the night for `day` is run."""
    before = day - timedelta(days=1)
    return datetime(before.year, before.month, before.day, 18, tzinfo=ZoneInfo(zone)).astimezone(UTC)
