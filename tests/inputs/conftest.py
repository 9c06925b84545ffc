"""A small case with plant, container model and series in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

CASE = """\
schema: flexmine-case/1
name: small
title: A small case
plant: plant.yaml
start: 2024-09-10T00:00:00+08:00
horizon_h: 4
series:
  temperature_c: {file: weather.csv, column: temperature_c}
sources:
  - name: surplus
    kind: surplus
    available_mw: 3.0
    price_usd_per_mwh: {file: prices.csv, column: price, unit: USD/MWh}
  - name: grid
    kind: firm
    available_mw: 10
    price_usd_per_mwh: 45.0
hash_value:
  btc_price_usd: 60000
  difficulty: 9e13
  block_height: 860000
  fees_btc_per_block: 0.05
outages:
  - {container: C02, from: 2024-09-10T01:00:00+08:00, to: 2024-09-10T03:00:00+08:00, reason: fan}
state:
  initial_mw: 1.5
  default: {on: true, hours: 10, it_power_mw: 0.52}
  containers:
    C01: {on: false, hours: 3}
options: {gap: 1e-3}
"""

PLANT = """\
schema: flexmine-plant/1
name: small
zone: Asia/Irkutsk
latitude_deg: 56.15
longitude_deg: 101.63
altitude_m: 450
cap_mw: 4.0
ramp_up_mw_per_h: 2.0
ramp_down_mw_per_h: null
feeders:
  - {name: f1, cap_mw: 2.0, containers: [C01, C02]}
containers:
  - {model: box.yaml, prefix: C, first: 1, last: 3}
sources: [made up for this test]
"""

BOX = """\
schema: flexmine-container/1
name: box
modes:
  - {it_power_mw: 0.52, hash_rate_th_s: 22880}
  - {it_power_mw: 0.78, hash_rate_th_s: 31720}
  - {it_power_mw: 1.30, hash_rate_th_s: 44000}
miners: {count: 400, model: S19 Pro}
standby_mw: 0.01
start: {warm_wear_usd: 15.0, cold_wear_usd: 60.0, warm_off_h: 6.0}
sources: [made up for this test]
"""


def hourly(column: str, values: list[str]) -> str:
    rows = [f"2024-09-10T{h:02}:00:00+08:00,{v}" for h, v in enumerate(values)]
    return "\n".join([f"interval_start,{column}", *rows]) + "\n"


class Folder:
    """Files of a case; `edit` replaces one piece of text, which has to be there exactly once."""

    def __init__(self, path: Path):
        self.path = path
        self.case = path / "case.yaml"
        for name, text in (
            ("case.yaml", CASE),
            ("plant.yaml", PLANT),
            ("box.yaml", BOX),
            ("weather.csv", hourly("temperature_c", ["1", "2", "3", "4", "5"])),
            ("prices.csv", hourly("price", ["10", "11", "12", "13", "14"])),
        ):
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
