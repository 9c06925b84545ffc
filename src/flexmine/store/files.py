"""The files of a run: made in a staging folder, flushed, and renamed into their place before any row names them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flexmine.durable import replace_durably, sync, sync_tree
from flexmine.errors import BadInput
from flexmine.store.places import RECORD_FILE, is_plain_folder, is_run_folder, refuse_links
from flexmine.store.records import RunRecord, record_text

STAGING, DAMAGED, DYING = ".staging", ".damaged", ".gone-"


@contextmanager
def staging(root: Path, plant: str, run_id: str) -> Iterator[Path]:
    """Make a working folder for the run `run_id` of `plant` below `root`; what is left of it in the end is removed."""
    folder = root / plant / STAGING / run_id
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def seal(staged: Path, record: RunRecord, root: Path) -> Path:
    """Write the record into the run `staged`, flush it, rename it into its place below `root`, and return that place.

    Raises
    ------
    BadInput
        The record could not be read back.
    OSError
        The disk does not take it; the place is then unchanged.
    """
    (staged / RECORD_FILE).write_text(record_text(record), encoding="utf-8", newline="\n")
    sync_tree(staged)
    place = root / record.folder
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(staged, place)
    sync(place.parent.parent)
    return place


def leftovers(root: Path, plant: str) -> list[Path]:
    """Return the staging folders of unfinished runs of `plant` below `root`.

    Raises
    ------
    BadInput
        A link stands in the place of the folder that holds them.
    """
    return sorted(_own_folder(root / plant / STAGING).glob("*"))


def _own_folder(place: Path) -> Path:
    if place.is_symlink():
        raise BadInput(f"{place}: is a link; the store changes and removes only what lies in it")
    return place


def dying(place: Path) -> Path:
    """Return the name that the folder of a run, `place`, gets before it is removed."""
    return place.with_name(f"{DYING}{place.name}")


def half_removed(root: Path, plant: str) -> list[tuple[Path, Path]]:
    """Return the folders of `plant` below `root` whose removal did not finish, each with its former name."""
    found = [path for path in sorted((root / plant).glob(f"[0-9]*/{DYING}*")) if _is_own(root, path)]
    return [(path, path.with_name(path.name.removeprefix(DYING))) for path in found]


def refuse_foreign(root: Path, folder: Path) -> None:
    """Check that `folder` is that of a run, or of one being removed, and lies in the store `root`.

    Raises
    ------
    BadInput
        It has another name, or a link leads to it.
    """
    name = _name(root, folder)
    if not is_run_folder(name):
        raise BadInput(f"{folder}: is not a folder of a run in {root}; it is not touched")
    refuse_links(root, folder.relative_to(root).as_posix())


def _name(root: Path, folder: Path) -> str:
    """Return the name of a run's folder below `root`, as before its removal began; empty where it is elsewhere."""
    if not folder.is_relative_to(root):
        return ""
    return folder.with_name(folder.name.removeprefix(DYING)).relative_to(root).as_posix()


def _is_own(root: Path, path: Path) -> bool:
    return is_run_folder(_name(root, path)) and is_plain_folder(path.parent) and is_plain_folder(path)


def remove(root: Path, folder: Path) -> None:
    """Remove `folder`, that of a run below `root`, and the folder of its day where that is empty then.

    Raises
    ------
    BadInput
        As by :func:`refuse_foreign`; nothing is removed.
    """
    refuse_foreign(root, folder)
    if folder.exists():
        shutil.rmtree(folder)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def run_folders(root: Path, plant: str) -> list[Path]:
    """Return all folders of finished runs of `plant` below `root`, in order of day and revision."""
    found = [path for path in (root / plant).glob("[0-9]*/r*") if _is_own(root, path)]
    return sorted(found, key=lambda path: (path.parent.name, int(path.name[1:])))


def set_aside(place: Path, root: Path, plant: str) -> Path:
    """Move `place`, a folder below `root` that is not a complete run of `plant`, out of the way; return its new place.

    Raises
    ------
    BadInput
        A link stands in the place of the folder for such.
    """
    target = _own_folder(root / plant / DAMAGED) / f"{place.parent.name}-{place.name}"
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{place.parent.name}-{place.name}-{number}")
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_durably(place, target)
    return target
