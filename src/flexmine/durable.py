"""Files that survive a power cut: written beside, flushed to the disk, then renamed.

A rename is atomic, but only what has reached the disk before it is certain to be whole after it; and the rename
itself is certain only after its directory has been flushed.
"""

from __future__ import annotations

import os
from pathlib import Path

from flexmine.places import end_of_links


def sync(place: Path) -> None:
    """Flush the file or directory `place` to the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Flush every file and directory under `directory`, and the directory itself."""
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            sync(Path(folder) / name)
        sync(Path(folder))


def replace_durably(beside: Path, target: Path) -> None:
    """Rename `beside`, a flushed file, link or directory, to `target`, and make the rename certain.

    `target` may exist where it is not a directory; both lie on one filesystem.  A link at `target` is replaced itself;
    to replace what it leads to, use :func:`flexmine.places.end_of_links` first.
    """
    beside.replace(target)
    sync(target.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` to a file, or to the one that a link leads to: the old content or the new one, always whole.

    Raises
    ------
    BadInput
        Links lead nowhere.
    OSError
        The place cannot be written; nothing is left behind.
    """
    path = end_of_links(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        sync(beside)
        replace_durably(beside, path)
    finally:
        beside.unlink(missing_ok=True)
