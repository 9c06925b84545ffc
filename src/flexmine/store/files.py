"""The files of a run: made in a staging folder, flushed, and renamed into their place before any row names them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flexmine.durable import replace_durably, sync, sync_tree
from flexmine.places import remove_tree
from flexmine.store.records import RECORD_FILE, RunRecord, record_text

STAGING, DAMAGED, DYING = ".staging", ".damaged", ".gone-"


@contextmanager
def staging(root: Path, plant: str, run_id: str) -> Iterator[Path]:
    """Give a folder to work in; what is still there in the end is removed."""
    folder = root / plant / STAGING / run_id
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def seal(staged: Path, record: RunRecord, root: Path) -> Path:
    """Write the record into a staged run, flush all of it, and rename it into its place.

    Raises
    ------
    OSError
        Where the disk does not take it; the place is then as it was.
    """
    (staged / RECORD_FILE).write_text(record_text(record), encoding="utf-8", newline="\n")
    sync_tree(staged)
    place = root / record.folder
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(staged, place)
    sync(place.parent.parent)
    return place


def leftovers(root: Path, plant: str) -> list[Path]:
    """Return the staging folders of runs that did not finish."""
    return sorted((root / plant / STAGING).glob("*"))


def dying(place: Path) -> Path:
    """Return the name that the folder of a run gets before it is removed."""
    return place.with_name(f"{DYING}{place.name}")


def half_removed(root: Path, plant: str) -> list[tuple[Path, Path]]:
    """Return the folders whose removal did not finish, each with the name that it had."""
    found = sorted((root / plant).glob(f"[0-9]*/{DYING}*"))
    return [(path, path.with_name(path.name.removeprefix(DYING))) for path in found]


def remove(folder: Path) -> None:
    """Remove a folder, or a link to one, and the folder of its day where that is empty then."""
    if os.path.lexists(folder):
        remove_tree(folder)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def run_folders(root: Path, plant: str) -> list[Path]:
    """Return all folders of finished runs of a plant, in order of day and revision."""
    found = [path for path in (root / plant).glob("[0-9]*/r*") if path.name[1:].isdigit()]
    return sorted(found, key=lambda path: (path.parent.name, int(path.name[1:])))


def set_aside(place: Path, root: Path, plant: str) -> Path:
    """Move a folder that is no complete run out of the way, and return where it lies now."""
    target = root / plant / DAMAGED / f"{place.parent.name}-{place.name}"
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{place.parent.name}-{place.name}-{number}")
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(place, target)
    return target
