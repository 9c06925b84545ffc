"""JSON and plain values from outside, strictly: each key once, no NaN, bounded text that can be printed."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from flexmine.errors import UNSEEN, printable

LONGEST_TEXT = 20_000
MOST_ENTRIES = 10_000
DEEPEST = 8


def read_strictly(raw: bytes) -> Any:
    """Return the plain values of a JSON text, given as the bytes `raw` in UTF-8.

    Raises
    ------
    ValueError
        It is not JSON, repeats a key, holds NaN, Infinity or a number beyond all floats, or is nested too deeply.
    """
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} stands twice in one block")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is larger than a number can be")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def fault_of_text(text: str) -> str | None:
    """Return what is wrong with a text that people are shown, None where nothing is."""
    if len(text) > LONGEST_TEXT:
        return f"the text is too long; at most {LONGEST_TEXT} characters are allowed"
    found = UNSEEN.search(text)
    return None if found is None else f"the text holds the character {found.group()!a}; allowed is what can be seen"


def fault_of_values(value: Any, depth: int = 0) -> str | None:
    """Return the first fault of plain values, None where there is none; `depth` is that of `value` itself."""
    if isinstance(value, str):
        return fault_of_text(value)
    if not isinstance(value, dict | list | tuple):
        return None
    if depth == DEEPEST or len(value) > MOST_ENTRIES:
        return f"at most {DEEPEST} levels of at most {MOST_ENTRIES} entries are allowed"
    entries = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return next((fault for entry in entries if (fault := fault_of_values(entry, depth + 1))), None)


def shown(value: Any) -> Any:
    """Return plain values with every text made printable on one line."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: shown(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [shown(entry) for entry in value]
    return value
