"""Where something is really written: where links lead, and what no rename can replace.

A file or folder is written beside its place and renamed into it.  A rename replaces the *name*: where that is a
symbolic link, the link would become the new file, and what it leads to would keep its old content for ever.  So a link
is followed first, and stays a link.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from flexmine.errors import BadInput

MOUNTS = Path("/proc/self/mountinfo")


def end_of_links(path: Path) -> Path:
    """Return the place that a path leads to where it is a symbolic link; any other path unchanged.

    Raises
    ------
    BadInput
        The links lead in a circle, or into a folder that does not exist.
    """
    if not path.is_symlink():
        return path
    end = Path(os.path.realpath(path))
    if end.is_symlink():
        raise BadInput(f"{path}: its links lead in a circle; remove {path}, or name another place")
    if not end.parent.is_dir():
        # Nothing is made there: behind a link a missing folder is mostly a disk that is not mounted.
        raise BadInput(
            f"{path}: is a symbolic link to {end}, and there is no folder {end.parent}; make that folder, or remove "
            "the link"
        )
    return end


def shown(path: Path) -> str:
    """Return a path for a message; for a link, also where it leads."""
    return f"{path} (a link to {os.path.realpath(path)})" if path.is_symlink() else str(path)


def is_mount_point(place: Path) -> bool:
    """Return whether a filesystem is mounted at `place`, which then cannot be renamed.

    Folders and files that are bound to a place of the same filesystem are recognised by the system's list alone.
    """
    return os.path.ismount(place) or os.path.realpath(place) in _mounted()


def check_file(path: Path, reads: Path | None = None) -> Path:
    """Return where a file of this name is to be written, after all checks that need not know its content.

    Parameters
    ----------
    path : Path
        As the user names it.
    reads : Path, optional
        The file that the content is made from; it is never overwritten.

    Raises
    ------
    BadInput
        Links lead nowhere; a folder, a pipe, a device or a mount point stands there; it is the file to read; its
        folder cannot be made or written.
    """
    if path.name in ("", ".."):
        raise BadInput(f"{str(path)!r}: is not a name of a file")
    if path.is_dir():
        raise BadInput(f"{shown(path)}: is a folder; name a file in it, such as {path / 'out'}")
    if path.exists() and not path.is_file():
        raise BadInput(f"{shown(path)}: is not a regular file and is not replaced; name another")
    place = end_of_links(path)
    if reads is not None and place.exists() and reads.exists() and place.samefile(reads):
        raise BadInput(f"{shown(path)}: the file to write is the file to read; name another")
    if is_mount_point(place):
        raise BadInput(f"{shown(path)}: is a mount point, which no rename can replace; name another place")
    check_parent(place)
    return place


def check_parent(place: Path) -> None:
    """Check that the folder of `place` exists, or can be made, and can be written.

    Raises
    ------
    BadInput
        Naming the part that stands in the way.
    """
    above = place.parent
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise BadInput(f"{place}: cannot be written: {above} is not a folder; name another place")
    if not os.access(above, os.W_OK | os.X_OK):
        raise BadInput(f"{place}: cannot be written: nothing may be made in {above}")


def remove_tree(place: Path) -> None:
    """Remove the folder `place` and all in it; of a link only the link, because what it leads to is not ours."""
    if place.is_symlink():
        place.unlink()
    else:
        shutil.rmtree(place)


def _mounted() -> frozenset[str]:
    """Return all mount points on Linux; empty where the system does not list them so."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    # The fifth field; blanks, tabs, line ends and backslashes stand there as \040 and the like.
    fields = (line.split(" ")[4] for line in lines if line.count(" ") >= 4)
    return frozenset(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field) for field in fields)
