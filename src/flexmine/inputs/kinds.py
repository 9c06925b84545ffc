"""The kinds of YAML files by their schema, so that a file given in the place of another is told as what it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.inputs.reading import MAX_YAML_BYTES

GOES_TO = {
    "flexmine-case/1": "flexmine check and flexmine plan take it, and a job names it under its key case",
    "flexmine-job/1": "flexmine check and flexmine nightly take it, and its key case names the case",
    "flexmine-plant/1": "a case names it under its key plant",
    "flexmine-container/1": "a plant names it under containers, at the key model",
    "flexmine-miner/1": "a container file names it under miners, at the key model",
    "flexmine-pins/1": "a job names it under its key pins",
    "flexmine-backtest/1": "flexmine backtest takes it",
    "flexmine-mqtt/1": "flexmine publish takes it as --mqtt",
}
"""Who takes a file of each schema."""


def of_another_kind(data: dict[str, Any], expected: str) -> str:
    """Return what a file of the content `data` is, and who takes it, where it is not of the `expected` schema."""
    schema = data.get("schema")
    if not isinstance(schema, str) or schema == expected or schema not in GOES_TO:
        return ""
    return f"this is a {schema}, not a {expected}; {GOES_TO[schema]}"


def is_job(path: Path) -> bool:
    """Return whether the file at `path` says that it is a job; what else it is, its reader finds out."""
    try:
        raw = read_regular(path, MAX_YAML_BYTES) if path.is_file() else b""
    except BadInput:
        return False
    return re.search(rb"(?m)^schema\s*:\s*[\"']?flexmine-job/", raw) is not None
