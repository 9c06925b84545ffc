"""Every whole number of a file raised far beyond what any plant needs, one at a time and two together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from flexmine.problem.reading import problem_text
from fuzz.damage import at, places
from inputs.conftest import BOX, CASE, PLANT
from plants import random_problem

RAISED = (10**6, 10**9, 2**31, 10**18)
"""10^9 is the most that problem.json allows where a field names no bound of its own."""
FEATURES: dict[int, set[str]] = {
    37: {"ages", "tiers", "preheat", "warm_until", "several_classes", "must_run", "available", "energy"},
    36: {"ages", "starts_per_day", "restless", "tiers", "outage", "kept_commitment", "feeders"},
    33: {"container_ramp", "starts_per_day", "preheat", "window_by_step", "energy", "terminal", "ramp"},
}
"""Of plants that have a plan with starts, by seed."""


def problems() -> list[dict[str, Any]]:
    """Return documents that have, together, every whole number that problem.json knows."""
    found = [json.loads(problem_text(random_problem(seed, features))) for seed, features in FEATURES.items()]
    for document in found:
        k = document["classes"][0]
        k["miners"] = {"count": 400, "presets": [[1400.0, 55.0], [3000.0, 105.0]]}
        document["site"].setdefault("day_of_step", [0] * document["time"]["steps"])
        for key, value in (("max_starts_per_day", 2), ("preheat_steps", 0)):
            k.setdefault(key, value)
        for h in k["history"]:
            for key, value in (("starts_today", 0), ("warm_until_step", -1)):
                h.setdefault(key, value)
            h.setdefault("tier_until_steps", [h["warm_until_step"]] * len(k["start"].get("tiers", ())))
    return found


Key = tuple[str, ...]


def by_key(document: Any) -> dict[Key, list[tuple[str | int, ...]]]:
    """Return the places of the whole numbers, by the keys that lead there."""
    found: dict[Key, list[tuple[str | int, ...]]] = {}
    for place in places(document):
        if type(at(document, place)) is int:
            found.setdefault(tuple(k for k in place if isinstance(k, str)), []).append(place)
    return found


def raised(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (words, document): one number, all numbers of a key, or all of two keys are huge."""
    keys = by_key(document)
    for value in RAISED:
        for key, own in keys.items():
            for place in {own[0], own[-1]}:
                yield f"{place} = {value}", _with(document, [place], value)
            if len(own) > 1:
                yield f"{'.'.join(key)} = {value}", _with(document, own, value)
    for one, other in combinations(keys, 2):
        for value in RAISED[:2]:
            both = _with(document, [*keys[one], *keys[other]], value)
            yield f"{'.'.join(one)} and {'.'.join(other)} = {value}", both


def _with(document: dict[str, Any], changed: list[tuple[str | int, ...]], value: int) -> dict[str, Any]:
    other = json.loads(json.dumps(document))
    for *above, key in changed:
        at(other, tuple(above))[key] = value
    return dict(other)


_MORE = """\
options: {gap: 1e-3, seed: 7}
publish_h: 2
max_starts_per_day: 3
terminal_on_usd: 1
available:
  - {model: box.yaml, count: 2, from: 2024-09-10T01:00:00+08:00, to: 2024-09-10T02:00:00+08:00, reason: crane}
"""
_WHOLE = re.compile(r"(?<=[ :\[{,])[0-9]+(?=[,}\]\s])")


def cases(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (words, file, text): one whole number of a case, its plant or its containers is huge."""
    texts = {
        "case.yaml": CASE.replace("options: {gap: 1e-3}\n", _MORE)
        .replace("hours: 10,", "hours: 10, starts: 5, starts_today: 1,")
        .replace("column: price,", "column: price, layout: {header_row: 1},"),
        "plant.yaml": PLANT.replace("last: 3}", "last: 3, digits: 2}"),
        "box.yaml": BOX,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in texts.items():
        for found in _WHOLE.finditer(text):
            line = text[: found.start()].count("\n") + 1
            for value in RAISED:
                yield (
                    f"{name}:{line} {found[0]} -> {value}",
                    name,
                    f"{text[: found.start()]}{value}{text[found.end() :]}",
                )
