"""What differs between the inputs of two runs: which keys of the case, which series, how many values, by how much."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from flexmine.errors import BadInput
from flexmine.inputs.yaml_loader import CoreLoader
from flexmine.jobs.calendar import site_time
from flexmine.moments import NoTime, read_time

SHOWN = 12


def input_changes(before: Path, now: Path, zone: str | None = None) -> tuple[str, ...]:
    """Return how the folder of inputs `now` differs from the folder `before`: sentences, in order of file name.

    Parameters
    ----------
    before, now : Path
    zone : str, optional
        IANA name of the zone in which moments are named; None: as the files have them.
    """
    names = sorted({p.relative_to(root).as_posix() for root in (before, now) for p in root.rglob("*") if p.is_file()})
    found: list[str] = []
    for name in names:
        old, new = before / name, now / name
        if not old.is_file() or not new.is_file():
            found.append(f"{name}: {'is new' if new.is_file() else 'is gone'}")
        elif old.read_bytes() == new.read_bytes():
            continue
        elif name.endswith(".csv"):
            found += _series_changes(Path(name).stem, old, new, zone)
        else:
            found += _document_changes(name, old, new)
    return tuple(found)


def _document_changes(name: str, old: Path, new: Path) -> list[str]:
    a, b = (dict(_flat(yaml.load(path.read_text(encoding="utf-8"), Loader=CoreLoader))) for path in (old, new))
    keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    lines = [f"{name}: {key}: {_shown(a, key)} -> {_shown(b, key)}" for key in keys[:SHOWN]]
    rest = len(keys) - len(lines)
    return [*lines, f"{name}: and {rest} more {'key' if rest == 1 else 'keys'}"] if rest else lines


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{key}[{i}]")
    else:
        yield key, value


def _shown(values: Mapping[str, Any], key: str) -> str:
    return repr(values[key]) if key in values else "nothing"


def _series_changes(name: str, old: Path, new: Path, zone: str | None) -> list[str]:
    try:
        a, b = _values(old), _values(new)
    except BadInput as error:
        # Files of an earlier version may hold times that are refused today; a night must not end at a comparison.
        return [f"{name}: the values cannot be compared: {message}" for message in error.messages]
    if _column(old) != _column(new):
        return [f"{name}: is the column {_column(new)} now, and was {_column(old)}; the values are not comparable"]
    shared = [key for key in a if key in b]
    differing = [key for key in shared if _differ(a[key].text, b[key].text)]
    found = []
    if differing:
        found.append(f"{name}: {len(differing)} of {len(shared)} values differ{_size(a, b, differing, zone)}")
    for count, word in ((len(b) - len(shared), "new"), (len(a) - len(shared), "no longer there")):
        if count:
            found.append(f"{name}: {'1 value is' if count == 1 else f'{count} values are'} {word}")
    return found


def _column(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines))[1]


class _Value(NamedTuple):
    """A cell and the time beside it, as they are written."""

    time: str
    text: str


Key = tuple[datetime, int]
"""A moment in UTC, or the clock time of a feed without offsets, and how many rows before show the same."""


def _values(path: Path) -> dict[Key, _Value]:
    values: dict[Key, _Value] = {}
    seen: Counter[datetime] = Counter()
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        next(reader, None)
        for row in reader:
            try:
                time = read_time(row[0].strip())
            except NoTime as error:
                raise BadInput(f"{path.name}:{reader.line_num}: {error}") from error
            # Not `astimezone` for a clock time, which would be that of this machine.
            when = time if time.tzinfo is None else time.astimezone(UTC)
            values[when, seen[when]] = _Value(row[0], row[1])
            seen[when] += 1
    return values


def _size(a: Mapping[Key, _Value], b: Mapping[Key, _Value], differing: list[Key], zone: str | None) -> str:
    """Return in words by how much numbers differ; empty where none of them is a number."""
    steps = []
    for moment in differing:
        x, y = _number(a[moment].text), _number(b[moment].text)
        if x is not None and y is not None:
            steps.append((abs(y - x), moment))
    if not steps:
        return ""
    largest, when = max(steps)
    mean = sum(step for step, _ in steps) / len(steps)
    time = b[when].time if zone is None or when[0].tzinfo is None else site_time(when[0], zone)
    return f", by {mean:.6g} on average and most at {time}: {a[when].text} -> {b[when].text} (by {largest:.6g})"


def _differ(x: str, y: str) -> bool:
    """Return whether two cells differ in more than notation: -14.990 equals -14.99."""
    return x != y and (_number(x) is None or _number(x) != _number(y))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
