"""Damage to JSON documents: of values, of their shape, and of the text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from numpy.random import Generator

from inputs.mutations import mutate

Place = tuple[str | int, ...]
HUGE = (10**6, 2**31, 2**63, 10**18, 10**400)
"""Whole numbers that no plant needs, as a careless or hostile writer gives them."""
VALUES: tuple[Any, ...] = (
    *HUGE, *(-n for n in HUGE), 0, 1, 2, -1, 0.0, -0.0, 0.5, 1.5, 1e-300, 1e-9, 1e9, 1e12, -1e12, 1e308, -1e308,
    float("nan"), float("inf"), float("-inf"), None, True, False, "", "5", "x", "x" * 30_000, "\x00", "\x1b[31mred",
    "a\nb", "\u202eabc", "\ud800", "C01", [], {}, [[]], [{}], {"a": 1}, [0] * 10_000, [None], "2024-09-10",
    "9999-12-31T23:00:00+00:00", "0001-01-01T00:00:00+14:00", "2024-09-10T00:00:00", "../../etc/passwd",
)  # fmt: skip
FACTORS = (-1.0, 0.0, 0.5, 2.0, 1e-3, 1e3, 1e-6, 1e6)


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the place of each value, of parts too."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


def at(value: Any, path: Place) -> Any:
    """Return the value at a place."""
    for key in path:
        value = value[key]
    return value


def _pick(rng: Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _anywhere(document: Any, rng: Generator) -> tuple[Any, Any]:
    """Return a part and a key in it: each key of the document is as likely as the next, whatever it is a list of."""
    part, key = None, None
    here = document
    while isinstance(here, dict | list) and here:
        part, key = here, _pick(rng, list(here) if isinstance(here, dict) else range(len(here)))
        here = part[key]
        if rng.random() < 0.15:
            break
    return part, key


def _value(document: Any, rng: Generator) -> None:
    part, key = _anywhere(document, rng)
    part[key] = _pick(rng, VALUES)


def _near(document: Any, rng: Generator) -> None:
    """A number becomes another one that might be right."""
    part, key = _anywhere(document, rng)
    old = part[key]
    if isinstance(old, bool) or not isinstance(old, int | float):
        part[key] = not old if isinstance(old, bool) else old
    elif isinstance(old, int):
        part[key] = _pick(rng, (old + 1, max(0, old - 1), 0, 1, 2 * old, 10 * old + 7))
    else:
        part[key] = _pick(rng, (0.0, 0.5 * old, 1.1 * old, -old, old + 1.0, 1000 * old, 1e-3 * old, 1e-7))


def _scaled(document: Any, rng: Generator) -> None:
    """A number, or every number of a list, in another unit or with another sign."""
    part, key = _anywhere(document, rng)
    lists = [p for p in places(document) if isinstance(at(document, p), list)]
    if rng.random() < 0.5 and lists:
        *above, key = _pick(rng, lists)
        part = at(document, tuple(above))
    factor = _pick(rng, FACTORS)
    part[key] = _times(part[key], factor)


def _times(old: Any, factor: float) -> Any:
    if isinstance(old, list):
        return [_times(x, factor) for x in old]
    if isinstance(old, bool) or not isinstance(old, int | float) or abs(old) > 1e300:
        return old
    return int(old * factor) if isinstance(old, int) and abs(factor) >= 1 else old * factor


def _dropped(document: Any, rng: Generator) -> None:
    part, key = _anywhere(document, rng)
    del part[key]


def _added(document: Any, rng: Generator) -> None:
    part, key = _anywhere(document, rng)
    if isinstance(part, list):
        part.insert(key, json.loads(json.dumps(part[key])))
    else:
        part[_pick(rng, ("extra", "count", "x\x07", "schema", "steps", "\u2028", "energy_limits"))] = _pick(rng, VALUES)


def _renamed(document: Any, rng: Generator) -> None:
    part, key = _anywhere(document, rng)
    if isinstance(part, dict):
        part[_pick(rng, (f"{key}_", key.upper(), "", "x" * 3000))] = part.pop(key)


def _of_list(document: Any, rng: Generator) -> None:
    """A list becomes shorter, longer, reversed, one number, or empty."""
    lists = [p for p in places(document) if isinstance(at(document, p), list) and at(document, p)]
    if lists:
        *above, key = _pick(rng, lists)
        part = at(document, tuple(above))
        old = part[key]
        part[key] = _pick(rng, (old[:-1], [*old, old[-1]], old[::-1], old[0], [], old * 50, sorted(old, key=str)))


def _swapped(document: Any, rng: Generator) -> None:
    (a, i), (b, j) = _anywhere(document, rng), _anywhere(document, rng)
    one, other = a[i], b[j]
    a[i], b[j] = json.loads(json.dumps(other)), json.loads(json.dumps(one))


def _nested(document: Any, rng: Generator) -> None:
    part, key = _anywhere(document, rng)
    for _ in range(_pick(rng, (1, 2, 50, 150))):
        part[key] = [part[key]] if rng.random() < 0.5 else {"a": part[key]}


OF_VALUES: tuple[Callable[[Any, Generator], None], ...] = (
    *[_near] * 6, *[_value] * 4, *[_scaled] * 4, *[_of_list] * 2, _dropped, _added, _renamed, _swapped, _nested,
)  # fmt: skip


def _twice(text: str, rng: Generator) -> str:
    lines = text.split("\n")
    keyed = [i for i, line in enumerate(lines) if line.rstrip().endswith(",") and '": ' in line]
    i = _pick(rng, keyed) if keyed else 0
    return "\n".join([*lines[:i], lines[i], *lines[i:]])


def _deep(text: str, rng: Generator) -> str:
    where, depth = int(rng.integers(len(text) + 1)), _pick(rng, (100, 2_000, 200_000))
    opened, closed = _pick(rng, (("[", "]"), ('{"a":', "}"), ("[", "")))
    return text[:where] + opened * depth + "1" + closed * depth + text[where:]


def _digits(text: str, rng: Generator) -> str:
    """A number is written as no JSON number is, or with far too many digits."""
    where = [i for i, c in enumerate(text) if c.isdigit() and not text[i - 1 : i].isdigit()]
    i = _pick(rng, where) if where else 0
    odd = ("9" * 400, "9" * 5_000, "1e400", "-1e400", "NaN", "-Infinity", "0x10", "01", "1_0", "+1", "1.", ".5", "-0.0")
    return text[:i] + _pick(rng, odd) + text[i + 1 :]


OF_TEXT: tuple[Callable[[str, Generator], str], ...] = (_twice, _deep, _digits)


def damaged(text: str, rng: Generator) -> bytes:
    """Return the bytes of a JSON text after one to four changes to its values, or to the text itself."""
    if rng.random() < 0.75:
        document = json.loads(text)
        for _ in range(int(rng.integers(1, 5))):
            if isinstance(document, dict | list) and document:
                _pick(rng, OF_VALUES)(document, rng)
        return json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if rng.random() < 0.5:
        return _pick(rng, OF_TEXT)(text, rng).encode()
    a, b, c = (int(x) for x in rng.integers(0, 2**20, 3))
    return mutate(text.encode(), "document.json", [(a, b, c)])
