"""A small real plan, and the ways in which a forger changes it: every forgery is sealed again, as a careful one is.

The plan has three containers, an order, a limit of energy, a pin, intensities of carbon and room in the turbines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import flexmine
from audit_plants import edit_csv, edit_json
from flexmine.audit.seal import sealed
from nights import write_job

DAY = date(2024, 1, 1)
MORE = """\
orders: [{name: noon, from: 2024-01-01T12:00:00+01:00, to: 2024-01-01T14:00:00+01:00, cap_mw: 2.0}]
energy_limits: [{name: most, source: grid, over: day, at_most_mwh: 20}]
pins:
  - {container: C02, set: off, from: 2024-01-01T06:00:00+01:00, until: 2024-01-01T09:00:00+01:00, by: N, why: fan}
notes: ["made up"]
state:"""
FILES = ("problem.json", "setpoints.csv", "site.csv", "report.html")


def write_case(folder: Path, **other: str) -> Path:
    """Write the case with its series; `other` replaces text of it."""
    folder.mkdir(parents=True)
    write_job(folder, DAY, 2)
    file = folder / "case.yaml"
    issue = sorted((folder / "feeds").iterdir())[0].relative_to(folder).as_posix()
    changes = {
        "surplus.csv": issue,
        "state:": MORE,
        "price_usd_per_mwh: 10.0": "price_usd_per_mwh: 10.0\n    carbon_g_per_kwh: 20\n    headroom_mw: 1.0",
        "available_mw: 3.2": "available_mw: 3.2\n    carbon_g_per_kwh: 300",
        **other,
    }
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return file


def write_plan(case: Path, directory: Path) -> Path:
    """Plan a case and write it, with a report."""
    flexmine.write_plan(flexmine.plan(flexmine.load_case(case)), directory)
    return directory


def document(directory: Path) -> dict[str, Any]:
    """Return plan.json."""
    return dict(json.loads((directory / "plan.json").read_text(encoding="utf-8")))


def seal_again(directory: Path) -> str:
    """Make all hashes of plan.json true and seal it, as a careful forger does; return the seal."""
    told = document(directory)
    told["files"] = {
        name: hashlib.sha256((directory / name).read_bytes()).hexdigest()
        for name in FILES
        if (directory / name).is_file()
    }
    told = sealed(told)
    (directory / "plan.json").write_text(json.dumps(told), encoding="utf-8")
    return str(told["seal"])


def edit(directory: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON document, or the rows of a table, in place."""
    (edit_json if name.endswith(".json") else edit_csv)(directory / name, change)


Place = tuple[str | int, ...]


def leaves(value: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the place of one value of each kind: of a list and of a table by name, the first entry and the last."""
    if isinstance(value, dict) and value:
        named = len(value) > 3 and all(isinstance(v, dict) for v in value.values())
        for key in [next(iter(value)), list(value)[-1]] if named else value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list) and value:
        for i in sorted({0, len(value) - 1}):
            yield from leaves(value[i], (*path, i))
    else:
        yield path


def altered(value: Any) -> Any:
    """Return another value of the same kind, a little off, as a forger would choose it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value + max(0.5, 0.01 * abs(value))
    if isinstance(value, str):
        return value + "x" if value else "x"
    return {None: 7.5}.get(value, ["x"]) if value is None else type(value)((("x", 1),)) if value == {} else ["x"]


def with_leaf(told: dict[str, Any], path: Place) -> dict[str, Any]:
    """Return a document in which one value is another."""
    changed = deepcopy(told)
    part: Any = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = altered(part[path[-1]])
    return changed
