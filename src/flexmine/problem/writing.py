"""From the Problem to the text of problem.json."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from flexmine.problem.fields import every_field, fields_of
from flexmine.problem.model import Problem


def write_problem(problem: Problem, path: str | Path) -> None:
    """Write problem.json; the same Problem gives the same bytes."""
    Path(path).write_text(problem_text(problem), encoding="utf-8", newline="\n")


def problem_text(problem: Problem) -> str:
    """Return problem.json as text: one key a line, lists of numbers on one line."""
    return _pretty(problem_to_document(problem)) + "\n"


def problem_to_document(problem: Problem) -> dict[str, Any]:
    """Return the JSON document of `problem`; numbers keep all their digits.

    Its schema is the oldest that has every key that is used and can change the best plan, so that a reader that does
    not know one of them refuses the file and does not lose a limit.
    """
    return {"schema": schema_name(_schema_number(problem)), **_plain(problem)}


def schema_name(number: int) -> str:
    """Return what stands as `schema` in a file of schema `number`, from 1 on."""
    return f"flexmine-problem/{number}"


def newest_schema(root: type) -> int:
    """Return the number of the newest schema that the fields of the dataclass `root` need."""
    return max(f.about.since for _, f in every_field(root) if f.about.optimum)


def _schema_number(part: Any) -> int:
    number = 1
    for f in fields_of(part):
        value = getattr(part, f.name)
        if f.about.optimum and f.is_written(value):
            below = value if isinstance(value, tuple) else (value,)
            number = max(number, f.about.since, *(_schema_number(p) for p in below if is_dataclass(p)))
    return number


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        given = ((f, getattr(value, f.name)) for f in fields_of(value))
        return {f.key: _plain(own) for f, own in given if f.is_written(own)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _pretty(value: Any, indent: str = "") -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json.dumps(key)}: {_pretty(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
