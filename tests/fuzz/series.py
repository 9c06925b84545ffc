"""One damaged file of a series, read by ``check`` as part of a case or by ``convert`` as a publisher's own."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.random import Generator

from flexmine.inputs.case import load_case
from fuzz.guard import Ended, call, command
from fuzz.tables import damaged_csv, damaged_excel, excel, says
from inputs.adapters import test_adapters as by_header
from inputs.adapters import test_publishers_own_files as own
from inputs.conftest import Folder

PUBLISHED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "isd-lite": ((by_header.ISD, own.ISD), ()),
    "ghcn-daily": ((by_header.GHCN, own.GHCN), ("--utc-offset", "8")),
    "entsoe-prices": ((by_header.ENTSOE, by_header.AUTUMN, own.entsoe(own.SPRING)), ()),
    "eia930": ((by_header.EIA, own.API, own.BALANCE), ("--only", "BPAT")),
    "coin-metrics": ((own.COIN,), ()),
    "pvgis-tmy": ((own.PVGIS,), ("--year", "2026")),
    "typical-year-table": ((by_header.TYPICAL,), ("--year", "2023", "--utc-offset", "0")),
}
"""Files as they are published, and the options that they need, by adapter."""
START = datetime.fromisoformat("2024-09-10T00:00:00+08:00")
PRICE = "{file: prices.csv, column: price, unit: USD/MWh}"


def attempt(folder: Path, seed: int) -> tuple[str, list[str]]:
    """Damage one file and read it; return how that ended, in a word, and what is wrong with that."""
    rng = np.random.default_rng([seed, 11])
    kind = ("csv", "excel", "convert")[seed % 3]
    if kind == "convert":
        return _converted(folder, rng)
    return _checked(folder, rng, "xlsx" if kind == "excel" else "csv")


def _checked(folder: Path, rng: Generator, ending: str) -> tuple[str, list[str]]:
    case = Folder(folder)
    raw = (folder / "prices.csv").read_bytes()
    changed = damaged_csv(raw, rng) if ending == "csv" else damaged_excel(excel(raw), rng)
    if rng.random() < 0.05:  # the wrong ending
        ending = "xlsx" if ending == "csv" else "csv"
    file = folder / f"prices.{ending}"
    file.write_bytes(changed)
    case.edit("case.yaml", PRICE, PRICE.replace("prices.csv", file.name))
    ended = command("check", case.case)
    faults = ended.faults()
    if faults or ended.code not in (0, 2, 3):
        return f"{ending} broken", faults or [f"exit {ended.code}: {ended.err[-500:]}"]
    if ended.code == 2:
        return f"{ending} refused", _unnamed(ended, file.name)
    if ending == "xlsx":
        return "xlsx read", []
    read = call(prices, str(case.case))
    told = {datetime.fromisoformat(t): cell for t, cell in says(changed, "interval_start", "price").items()}
    wrong = [
        f"step {t}: reads {price}, the file says {told.get(START + timedelta(hours=t))!r}"
        for t, price in enumerate(read.answer)
        if float(told.get(START + timedelta(hours=t), "nan")) != price
    ]
    return "csv read", wrong


def prices(case: str) -> list[float]:
    """Return the prices of the surplus in a case, as they are read."""
    return [float(x) for x in load_case(case).series["sources.surplus.price_usd_per_mwh"]]


def _converted(folder: Path, rng: Generator) -> tuple[str, list[str]]:
    adapter = list(PUBLISHED)[int(rng.integers(len(PUBLISHED)))]
    texts, options = PUBLISHED[adapter]
    raw = texts[int(rng.integers(len(texts)))].encode()
    file, out = folder / "published.csv", folder / "out.csv"
    file.write_bytes(damaged_csv(raw, rng) if rng.random() < 0.9 else damaged_excel(excel(b"a,b\n1,2\n"), rng))
    for old in (out, out.with_name("out.csv.source.json")):
        old.unlink(missing_ok=True)
    ended = command("convert", adapter, file, "--out", out, *options)
    faults = ended.faults()
    if faults or ended.code not in (0, 2):
        return f"{adapter} broken", faults or [f"exit {ended.code}: {ended.err[-500:]}"]
    if ended.code == 2:
        left = [f"{path.name} was written" for path in folder.glob("out.csv*")]
        return f"{adapter} refused", _unnamed(ended, file.name) + left
    lines = out.read_text(encoding="utf-8").splitlines()
    source = json.loads(out.with_name("out.csv.source.json").read_text(encoding="utf-8"))
    times = [datetime.fromisoformat(line.split(",")[0]) for line in lines[1:]]
    # ENTSO-E's mark of what does not exist is left as it stands, for the case to say what it means.
    cells = [cell for line in lines[1:] for cell in line.split(",")[1:] if cell not in ("", "n/e")]
    faults = [] if times == sorted(set(times)) else ["times do not rise"]
    faults += [] if all(t.tzinfo for t in times) else ["a time has no offset"]
    faults += [f"writes the number {cell!r}" for cell in cells if not _is_number(cell)][:1]
    faults += [] if source["rows"] == len(times) else ["another number of rows"]
    return f"{adapter} read", faults


def _unnamed(ended: Ended, name: str) -> list[str]:
    lines = [line for line in ended.err.splitlines() if line.startswith("flexmine: bad_input:")]
    found = [] if lines else [f"exit 2 without a word: {ended.err!r}"]
    return found + [f"names no file: {line!r}" for line in lines if name not in line]


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
