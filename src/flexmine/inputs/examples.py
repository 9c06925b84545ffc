"""What a starter file holds: a small plant that plans as it is, and an example of every key that it leaves out.

All numbers are made up, and the files say so; they are there to be replaced.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any


class Inline(str):
    """Text that goes into a YAML file as it stands."""

    __slots__ = ()


START = datetime(2026, 1, 15, tzinfo=UTC)
HOURS = 48


def _series(column: str, unit: str) -> Inline:
    return Inline(f"{{file: series.csv, column: {column}, unit: {unit}}}")


CASE: dict[str, Any] = {
    "title": "{name}: two containers beside a small surplus",
    "notes": ["all numbers are made up: replace them by your own"],
    "plant": "plant.yaml",
    "start": START.isoformat(),
    "step_minutes": 60,
    "horizon_h": HOURS,
    "publish_h": 24,
    "series": {"temperature_c": {"file": "series.csv", "column": "temperature_c", "unit": "C"}},
    "sources": [
        {
            "name": "surplus",
            "kind": "surplus",
            "available_mw": _series("surplus_mw", "MW"),
            "price_usd_per_mwh": 10.0,
        },
        {
            "name": "grid",
            "kind": "firm",
            "available_mw": 2.0,
            "price_usd_per_mwh": _series("price_usd_per_mwh", "USD/MWh"),
        },
    ],
    "hash_value": {
        "btc_price_usd": 60000.0,
        "difficulty": Inline("90e12"),
        "block_height": 860_700,
        "fees_btc_per_block": 0.05,
        "pool_fee": 0.02,
    },
    "state": {"initial_mw": 1.06, "default": {"on": True, "hours": 10.0, "it_power_mw": 0.52}},
}
PLANT: dict[str, Any] = {
    "zone": "UTC",
    "latitude_deg": 60.0,
    "longitude_deg": 10.0,
    "altitude_m": 100.0,
    "cap_mw": 2.0,
    "ramp_up_mw_per_h": 2.0,
    "ramp_down_mw_per_h": 2.0,
    "containers": [{"model": "container.yaml", "prefix": "C", "first": 1, "last": 2}],
    "sources": ["made up: say here where each number comes from"],
}
CONTAINER: dict[str, Any] = {
    "name": "box",
    "title": "400 miners of the 110 TH/s class",
    "modes": [
        {"it_power_mw": 0.52, "hash_rate_th_s": 22880.0},
        {"it_power_mw": 0.78, "hash_rate_th_s": 31720.0},
        {"it_power_mw": 1.04, "hash_rate_th_s": 38480.0},
        {"it_power_mw": 1.30, "hash_rate_th_s": 44000.0},
    ],
    "miners": {
        "count": 400,
        "model": "the miner in words",
        "presets": Inline(
            "[{power_w: 1300, hash_rate_th_s: 57.2}, {power_w: 1950, hash_rate_th_s: 79.3}, "
            "{power_w: 2600, hash_rate_th_s: 96.2}, {power_w: 3250, hash_rate_th_s: 110.0}]"
        ),
    },
    "standby_mw": 0.01,
    "min_up_h": 4.0,
    "min_down_h": 2.0,
    "start": {"warm_wear_usd": 15.0, "cold_wear_usd": 60.0, "warm_off_h": 6.0},
    "sources": ["made up: say here where each number comes from"],
}

_FROM, _TO = "2026-01-15T12:00:00+00:00", "2026-01-15T15:00:00+00:00"
LEFT_OUT: dict[str, dict[str, Any]] = {
    "CaseDocument": {
        "as_of": START.isoformat(),
        "terminal_on_usd": 15.0,
        "minimum_mw": 0.0,
        "max_starts_per_day": 2,
        "unusual": ["sources.surplus.available_mw"],
    },
    "SeriesOfCase": {"ghi_w_m2": _series("ghi_w_m2", "W/m2")},
    "Series": {
        "file": "series.csv",
        "format": "csv",
        "column": "temperature_c",
        "unit": "C",
        "every": "1h",
        "zone": "UTC",
        "coarser": "hold",
        "missing": ["n/e"],
        "not_missing": ["9999"],
        "issue_column": "issued",
        "revision_column": "revision",
        "stale_after_h": 30.0,
        "quantiles": Inline("{p10: surplus_p10_mw}"),
        "clock": "site",
        "leap_day": "repeat_28_february",
    },
    "Factor": {"name": "usd_per_eur", "value": 1.17, "note": "rate of the day"},
    "Fill": {"policy": "hold", "longest_gap_h": 2.0},
    "SourceEntry": {"network_tariff_usd_per_mwh": 0.0, "carbon_g_per_kwh": 24.0, "headroom_mw": 1.0},
    "HashValue": {
        "network_hash_rate_eh_s": 640.0,
        "subsidy_btc": 3.125,
        "host_hash_share": 0.1,
        "hosting_fee_usd_per_mwh": 60.0,
        "contracted_efficiency_j_per_th": 30.0,
    },
    "Retarget": {"expected_change": -0.05, "height": 860_832, "at": _FROM},
    "Window": {
        "name": "winter_ban",
        "source": "where the rule is written",
        "from": "11-15",
        "to": "03-15",
        "from_date": "2026-11-15",
        "to_date": "2027-03-15",
        "hours": [17, 18],
    },
    "Order": {"from": _FROM, "to": _TO, "name": "noon", "cap_mw": 1.0},
    "Outage": {"from": _FROM, "to": _TO, "container": "C02", "reason": "fan"},
    "MustRun": {"from": _FROM, "to": _TO, "containers": ["C01"], "reason": "promised"},
    "Available": {"from": _FROM, "to": _TO, "model": "container.yaml", "count": 1, "reason": "spare parts"},
    "EnergyLimit": {
        "name": "surplus_a_month",
        "source": "surplus",
        "over": "month",
        "from": _FROM,
        "to": _TO,
        "at_least_mwh": 1.0,
        "at_most_mwh": 20.0,
    },
    "State": {"energy_taken_mwh": Inline(f"{{surplus_a_month/{START:%Y-%m}: 0}}")},
    "Pin": {
        "container": "C02",
        "site": True,
        "set": "off",
        "at_most_mw": 0.5,
        "from": _FROM,
        "until": _TO,
        "by": "your name",
        "why": "the reason",
    },
    "Commitment": {"plan": "yesterday"},
    "CommittedRun": {"from": _FROM, "to": _TO, "container": "C01"},
    "ContainerState": {"on": False, "hours": 3.0, "it_power_mw": 0.52, "inside_temperature_c": 10.0},
    "PlantDocument": {"rounding_reserve_mw": 0.004},
    "Feeder": {"name": "f1", "cap_mw": 1.5, "containers": ["C01", "C02"]},
    "Group": {"client": "client_a", "names": ["C01", "C02"]},
    "MinerSet": {"minimum_power_mw": 0.52},
    "Start": {"cold_energy_mwh": 0.05},
    "StartTier": {"off_h": 12.0, "wear_usd": 30.0},
    "Thermal": {"asleep": "asleep_dampers_shut", "thermostat_c": 5.0, "heater_kw": 20.0},
}
"""By class and key: examples of keys that have no default; required keys of blocks that a starter leaves out."""


def series_csv() -> str:
    """Return two made-up days: temperature, surplus and price by the hour."""
    rows = ["interval_start,temperature_c,surplus_mw,price_usd_per_mwh"]
    for hour in range(HOURS):
        wave = math.cos(2 * math.pi * (hour - 15) / 24)
        time = (START + timedelta(hours=hour)).isoformat()
        rows.append(f"{time},{-5 + 4 * wave:.1f},{max(0.0, 1.0 - 1.1 * wave):.2f},{40 + 12 * wave:.1f}")
    return "\n".join(rows) + "\n"
