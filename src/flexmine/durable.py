"""Files that survive a power cut: written beside, flushed to the disk, then renamed.

A rename is atomic, but only what has reached the disk before it is certain to be whole after it; and the rename
itself is certain only after its directory has been flushed.
"""

from __future__ import annotations

import os
from pathlib import Path

from flexmine.places import end_of_links


def sync(place: Path) -> None:
    """Flush one file or directory to the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Flush every file and directory under a directory, and the directory itself."""
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            sync(Path(folder) / name)
        sync(Path(folder))


def replace_durably(beside: Path, target: Path) -> None:
    """Rename a flushed file, link or directory into place, and make the renaming certain.

    `target` may exist where it is no directory; both lie on one filesystem.  A link at `target` is replaced itself: who
    means what it leads to names :func:`flexmine.places.end_of_links`.
    """
    beside.replace(target)
    sync(target.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write one file, where the path is a link the one it leads to: the old content or the new one, always whole.

    Raises
    ------
    BadInput
        Where links lead nowhere.
    OSError
        Where the place cannot be written; nothing is left behind.
    """
    path = end_of_links(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        sync(beside)
        replace_durably(beside, path)
    finally:
        beside.unlink(missing_ok=True)
