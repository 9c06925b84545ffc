"""Tables of the Markdown pages, read as a reader sees them."""

from __future__ import annotations

import re
from itertools import dropwhile, takewhile
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = tuple(sorted(page.stem for page in (DOCS / "examples").glob("*.md") if page.stem != "index"))
"""Names of the cases that have a page of their own."""
CODE = re.compile(r"`([^`]+)`")


def section(text: str, heading: str) -> str:
    """Return what stands between a heading and the next one of the same or a higher rank."""
    rank = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    after = re.compile(rf"^#{{1,{rank}}} ", re.M).search(text, start)
    return text[start : after.start() if after else len(text)]


def table(text: str) -> list[dict[str, str]]:
    """Return the rows of the first table of a text, by the words of its header."""
    after = dropwhile(lambda line: not line.startswith("|"), text.splitlines())
    lines = list(takewhile(lambda line: line.startswith("|"), after))
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
    header, body = cells[0], cells[2:]
    assert all(len(row) == len(header) for row in body), [row for row in body if len(row) != len(header)]
    return [dict(zip(header, row, strict=True)) for row in body]


def codes(cell: str) -> list[str]:
    """Return the names in code font of a cell."""
    return CODE.findall(cell)
