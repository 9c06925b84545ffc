"""Files from outside: read whole, regular ones only, and never more of them than a stated limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from flexmine.errors import BadInput

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_PART_BYTES = 1024 * 1024
# Absent on Windows, where opening does not wait for a writer anyway.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def read_regular(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes, without ever waiting for a pipe or a device.

    Raises
    ------
    BadInput
        In words that follow a file name: ``cannot be read: ...``, ``is a pipe, not a file``, ``is larger than ...``,
        ``was changed while it was read ...``.
    """
    try:
        _refuse_special(path.stat().st_mode)
        handle = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
        with os.fdopen(handle, "rb") as file:
            before = os.fstat(file.fileno())
            _refuse_special(before.st_mode)
            # What is said to be too large is not read first; what says nothing of its size, or grows, is cut off.
            raw = _read(file, limit + 1) if before.st_size <= limit else None
            after = os.fstat(file.fileno())
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(f"cannot be read: {reason}") from error
    if raw is None or len(raw) > limit:
        raise BadInput(f"is larger than {limit} bytes; so much is read at most")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BadInput("was changed while it was read; write it beside its place and rename it")
    return raw


def _read(file: BinaryIO, most: int) -> bytes:
    """Return at most `most` bytes of a file, in parts: a single read would reserve memory for all of them."""
    parts: list[bytes] = []
    while most > 0 and (part := file.read(min(most, _PART_BYTES))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _refuse_special(mode: int) -> None:
    for test, kind in _KINDS:
        if test(mode):
            raise BadInput(f"is {kind}, not a file")
