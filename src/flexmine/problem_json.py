"""problem.json: the Problem as a public file.  Reading refuses what is wrong, with the path of the wrong value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from flexmine import problem_schema as schema
from flexmine.errors import BadInput
from flexmine.problem import Problem, TimeAxis
from flexmine.problem_checks import Checker, build_class, build_site, build_source
from flexmine.problem_writing import problem_text, problem_to_document

__all__ = ["problem_from_document", "problem_text", "problem_to_document", "read_problem", "write_problem"]

LONGEST_FILE_BYTES = 512 * 1024 * 1024


def read_problem(path: str | Path) -> Problem:
    """Read and check a problem.json, whoever wrote it.

    Raises
    ------
    BadInput
        Each wrong value in one sentence that begins with the file and its JSON path.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LONGEST_FILE_BYTES:
            raise BadInput(f"{file}: larger than {LONGEST_FILE_BYTES // 2**20} MiB; that is not read")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: is not UTF-8 text (byte {error.start})") from error
    try:
        document = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadInput(f"{file}:{error.lineno}:{error.colno}: is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: is not JSON that can be read: {error}") from error
    try:
        return problem_from_document(document)
    except BadInput as error:
        raise BadInput([f"{file}: {message}" for message in error.messages]) from error


def write_problem(problem: Problem, path: str | Path) -> None:
    """Write problem.json; the same Problem gives the same bytes."""
    Path(path).write_text(problem_text(problem), encoding="utf-8", newline="\n")


def problem_from_document(document: Any) -> Problem:
    """Return the Problem of a JSON document.

    Raises
    ------
    BadInput
        All that is wrong, a sentence each: ``classes[0].available: 23 values, expected 24``.
    """
    try:
        part = schema.ProblemPart.model_validate(document)
    except ValidationError as error:
        raise BadInput([_sentence(e) for e in error.errors(include_url=False)]) from error
    checker = Checker(part.time.steps)
    checker.unknown(part, "")
    try:
        ZoneInfo(part.time.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        checker.wrong("time.zone", f"{part.time.zone!r} is no IANA time zone, such as Asia/Irkutsk")
    classes = [build_class(checker, f"classes[{i}]", k) for i, k in enumerate(part.classes)]
    sources = [build_source(checker, f"sources[{i}]", s) for i, s in enumerate(part.sources)]
    site = build_site(checker, part, [k.name for k in classes])
    checker.unique("classes", [k.name for k in classes])
    checker.unique("sources", [s.name for s in sources])
    checker.unique("containers", [c for k in classes for c in k.containers])
    if checker.errors:
        raise BadInput(checker.errors)
    time = TimeAxis(part.time.start, part.time.step_h, part.time.steps, part.time.zone)
    return Problem(time, tuple(classes), tuple(sources), site, warnings=tuple(checker.warnings))


def _sentence(error: Any) -> str:
    path = ""
    for step in error["loc"]:
        # A union ("number or list") shows its branches as names of types; they are no part of the JSON path.
        if isinstance(step, int):
            path += f"[{step}]"
        elif not any(mark in step for mark in ("[", "constrained-", "function-")) and step not in ("float", "int"):
            path += f".{step}" if path else step
    if error["type"] == "missing":
        return f"{path}: missing"
    message = error["msg"][0].lower() + error["msg"][1:]
    given = error["input"]
    shown = f", found {json.dumps(given, default=str)[:60]}" if not isinstance(given, dict | list) else ""
    return f"{path or 'document'}: {message}{shown}"


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            raise ValueError(f"the key {key!r} stands twice in one object")
        document[key] = value
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
