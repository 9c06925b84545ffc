"""A change of a case in words, from its entry under `changes` in plan.json: the same in case, audit and publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_SHOWN = 60


def in_words(entry: Any) -> str:
    """Return `entry`, one of `changes`, in a few words, such as ``plant.cap_mw: 10.0 -> 9.5 (-5 %)``."""
    if not isinstance(entry, Mapping):
        return shortened(entry)
    key, value, after = entry.get("key"), entry.get("value"), entry.get("after")
    by_words = isinstance(value, str) and after != value
    if "before" not in entry:
        return f"{key}: {value}" if by_words else f"{key}: now {shortened(value)}"
    asked = f" ({value})" if by_words else ""
    return f"{key}: {shortened(entry['before'])} -> {shortened(after)}{asked}"


def what_if(entries: Any) -> str:
    """Return all `entries` of `changes` as one sentence without its full stop."""
    keys = len({entry.get("key") if isinstance(entry, Mapping) else str(entry) for entry in entries})
    count = "1 value is not that" if keys == 1 else f"{keys} values are not those"
    return f"a what-if: {count} of the case's files: {'; '.join(map(in_words, entries))}"


def shortened(value: Any) -> str:
    """Return a plain value as a person would write it into a case, cut where it is long."""
    words = {None: "none", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."
