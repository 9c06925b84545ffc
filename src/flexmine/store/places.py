"""The places of the store: which names its files may have, and that no link stands on the way to them.

A name is checked by its grammar, letter by letter, and never by what a file system makes of it: what ``..``, a
backslash or a link resolves to differs from machine to machine.
"""

from __future__ import annotations

import re
import stat
from datetime import date
from pathlib import Path
from typing import NamedTuple

from flexmine.errors import BadInput
from flexmine.moments import NoTime, read_day

RECORD_FILE = "record.json"
PARTS = ("inputs", "plan")
LONGEST_NAME = 240
DEEPEST = 6
LAST_REVISION = 99_999
PLANT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
REVISION = re.compile(r"r([1-9][0-9]{0,4})", re.ASCII)
STEM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}", re.ASCII)
ALLOWED = "PLANT/YYYY-MM-DD/rN/ with record.json, inputs/... and plan/... in letters, digits, _, - and ."


class RunFile(NamedTuple):
    """A file of a run: the folder of the run and the name below it, both relative to the folder of all runs."""

    folder: str
    rest: str


def folder_of(plant: str, day: date, revision: int) -> str:
    """Return where the run with that `plant`, `day` and `revision` lies, relative to the folder of all runs.

    Raises
    ------
    BadInput
        `plant` cannot be the name of a folder, or `revision` is not within 1 to 99999.
    """
    if PLANT.fullmatch(plant) is None:
        raise BadInput(f"plant {plant!r} is not a name of a folder of runs")
    if not 1 <= revision <= LAST_REVISION:
        raise BadInput(f"revision {revision} is out of range; allowed: 1 to {LAST_REVISION}")
    return f"{plant}/{day.isoformat()}/r{revision}"


def is_run_folder(name: str) -> bool:
    """Return whether a name, relative to the folder of all runs, is ``PLANT/YYYY-MM-DD/rN``."""
    parts = name.split("/")
    return len(parts) == 3 and PLANT.fullmatch(parts[0]) is not None and _is_day(parts[1]) and _is_revision(parts[2])


def run_file(name: str) -> RunFile | None:
    """Return what a name, relative to the folder of all runs, stands for; None where it is not a file of a run."""
    parts = name.split("/")
    folder, rest = "/".join(parts[:3]), parts[3:]
    if len(name) > LONGEST_NAME or len(rest) > DEEPEST or not is_run_folder(folder):
        return None
    if rest == [RECORD_FILE]:
        return RunFile(folder, RECORD_FILE)
    # A name that ends in a dot is another one on Windows.
    if len(rest) < 2 or rest[0] not in PARTS or any(STEM.fullmatch(p) is None or p.endswith(".") for p in rest[1:]):
        return None
    return RunFile(folder, "/".join(rest))


def _is_day(text: str) -> bool:
    try:
        read_day(text)
    except NoTime:
        return False
    return True


def _is_revision(text: str) -> bool:
    return REVISION.fullmatch(text) is not None


def link_on_the_way(root: Path, name: str) -> Path | None:
    """Return the first link below `root` on the way to `name`, or None.

    `root` itself may be a link: that is the operator's choice.
    """
    place = root
    for part in name.split("/"):
        place = place / part
        if place.is_symlink():
            return place
    return None


def refuse_links(root: Path, name: str) -> Path:
    """Return ``root / name``, where no link below `root` is on the way to it.

    Raises
    ------
    BadInput
        With the link.
    """
    link = link_on_the_way(root, name)
    if link is not None:
        raise BadInput(f"{link}: is a link; the store changes and copies only what lies in it")
    return root / name


def is_plain_folder(place: Path) -> bool:
    """Return whether `place` is a folder itself, and not a link to one."""
    try:
        return stat.S_ISDIR(place.lstat().st_mode)
    except OSError:
        return False
