"""problem.json: the Problem as a public file.  Reading refuses what is wrong, with the path of the wrong value."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flexmine.errors import BadInput, printable
from flexmine.files import read_regular
from flexmine.problem import shape
from flexmine.problem.checking import Checker, check_problem
from flexmine.problem.model import Problem
from flexmine.problem.writing import problem_text, problem_to_document, write_problem

__all__ = [
    "problem_from_document",
    "problem_json_schema",
    "problem_text",
    "problem_to_document",
    "read_problem",
    "write_problem",
]

LONGEST_FILE_BYTES = 512 * 1024 * 1024
LONGEST_INTEGER = 20


def read_problem(path: str | Path) -> Problem:
    """Read and check a problem.json, whoever wrote it.

    Raises
    ------
    BadInput
        Each wrong value in one sentence that begins with the file and its JSON path.
    """
    file = Path(path)
    try:
        text = read_regular(file, LONGEST_FILE_BYTES).decode("utf-8")
    except BadInput as error:
        raise BadInput([f"{file}: {message}" for message in error.messages]) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 text (byte {error.start})") from error
    try:
        document = _parsed(text)
        return problem_from_document(document)
    except json.JSONDecodeError as error:
        raise BadInput(f"{file}:{error.lineno}:{error.colno}: is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise BadInput(f"{file}: is not JSON that can be read: nested too deep") from error
    except BadInput as error:
        raise BadInput([printable(f"{file}: {message}") for message in error.messages]) from error


def problem_from_document(document: Any) -> Problem:
    """Return the Problem of a JSON `document`, the parsed text of a problem.json.

    Raises
    ------
    BadInput
        All that is wrong, a sentence each: ``classes[0].available: 23 values, expected 24``.
    """
    return from_document(document, Problem)


def problem_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of problem.json, with unit and meaning of each key."""
    return shape.json_schema(Problem)


def from_document(document: Any, root: Any) -> Problem:
    """Return the Problem of a JSON `document` by the fields of the dataclass `root`: Problem, or one with more fields.

    Raises
    ------
    BadInput
        All that is wrong, a sentence each.
    """
    try:
        part: Any = shape.model_of(root).model_validate(document)
    except ValidationError as error:
        raise BadInput([_sentence(_path(e["loc"]), e) for e in error.errors(include_url=False)]) from error
    if len(part.classes) * part.time.steps > shape.MAX_CELLS:
        text = f"{len(part.classes)} classes of {part.time.steps} steps are too much"
        raise BadInput(f"classes: {text}; at most {shape.MAX_CELLS} in all")
    checker = Checker(part.time.steps, int(part.schema_.rpartition("/")[2]))
    problem: Problem = checker.build(root, part)
    check_problem(checker, problem)
    if checker.errors:
        raise BadInput(checker.errors)
    return replace(problem, warnings=tuple(printable(w) for w in checker.warnings))


# What pydantic says in its own words, in those of the file.
_WORDS = {
    "model_type": "an object is expected",
    "list_type": "a list is expected",
    "too_short": "at least {min_length} needed, found {actual_length}",
    "too_long": "at most {max_length} allowed, found {actual_length}",
}


def _path(places: tuple[int | str, ...]) -> str:
    path = ""
    for step in places:
        # The tags of "number or list", and the types of other unions, are no part of the JSON path.
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in ("number", "list") and not any(mark in step for mark in ("[", "constrained-", "function-")):
            path += f".{step}" if path else step
    return path


def _sentence(path: str, error: Any) -> str:
    if error["type"] == "missing":
        return f"{path}: missing"
    known = _WORDS.get(error["type"])
    words = error["msg"][0].lower() + error["msg"][1:] if known is None else known.format(**error.get("ctx", {}))
    given = error["input"]
    shown = f", found {json.dumps(given, default=str)[:60]}" if not isinstance(given, dict | list) else ""
    return f"{path or 'document'}: {words}{shown}"


def _parsed(text: str) -> Any:
    """Return the JSON document, in which no key appears twice and every number is a JSON number.

    Raises
    ------
    BadInput
        Naming the JSON path of each such place.
    """
    twice: list[tuple[dict[str, Any], str]] = []
    strange: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(found)
        if len(document) < len(found):
            repeated = next(key for key, count in Counter(key for key, _ in found).items() if count > 1)
            twice.append((document, repeated))
        return document

    def constant(name: str) -> str:
        strange.append(f"{name} is not a JSON number")
        return _Strange(strange[-1])

    def integer(digits: str) -> int | str:
        if len(digits) <= LONGEST_INTEGER:
            return int(digits)
        strange.append(f"a whole number of {len(digits)} digits; at most {LONGEST_INTEGER} are read")
        return _Strange(strange[-1])

    document = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=integer)
    if twice or strange:
        by_object = {id(part): key for part, key in twice}
        raise BadInput(list(_faults(document, by_object, "")))
    return document


class _Strange(str):
    """What is wrong with a number that cannot be one, in its place."""

    __slots__ = ()


def _faults(part: Any, twice: Mapping[int, str], path: str) -> Iterator[str]:
    if isinstance(part, _Strange):
        yield f"{path or 'document'}: {part}"
    elif isinstance(part, dict):
        if id(part) in twice:
            yield f"{path or 'document'}: the key {twice[id(part)]!r} stands twice in one object"
        for key, value in part.items():
            yield from _faults(value, twice, f"{path}.{key}" if path else key)
    elif isinstance(part, list):
        for i, value in enumerate(part):
            yield from _faults(value, twice, f"{path}[{i}]")
