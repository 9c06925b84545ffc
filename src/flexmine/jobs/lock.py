"""One run on a plant at a time, across processes; a lock whose holder has died is taken over, and that is reported."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from flexmine.errors import BadInput, NoPlan


@contextmanager
def plant_lock(folder: Path, plant: str, wait_s: float, warn: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a plant.

    The operating system releases the lock when its holder dies, however it dies; who held it is written beside it, so
    that an unfinished run is noticed.

    Parameters
    ----------
    folder : Path
        Folder of all runs; made where it is missing.
    plant : str
        Name of the plant; every plant has a lock of its own.
    wait_s : float
        How long to wait for another run [s]; 0 does not wait.
    warn : callable
        Receives a sentence where the lock of a dead run is taken over, or the note of its holder cannot be removed.

    Raises
    ------
    NoPlan
        Another run still holds it.
    BadInput
        The folder cannot be written.
    """
    holder = _holder(folder, plant)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{plant}.lock")
        try:
            lock.acquire(timeout=wait_s)
        except Timeout:
            waited = f" after {wait_s:g} s" if wait_s else ""
            raise NoPlan(f"{plant}: another run is at work{waited} ({_who(holder)}); this one leaves") from None
    except OSError as error:
        raise BadInput(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        if os.path.lexists(holder):
            warn(f"{plant}: the run before ({_who(holder)}) ended without finishing; its lock is taken over")
        _write_holder(holder)
        yield
    finally:
        try:
            holder.unlink(missing_ok=True)
        except OSError as error:
            # The disk has become read-only meanwhile; how the run has ended is worth more than this.
            warn(f"{holder}: cannot be removed: {error.strerror or error}")
        lock.release()


def _holder(folder: Path, plant: str) -> Path:
    return folder / f".{plant}.lock.json"


def abandoned(folder: Path, plant: str) -> str:
    """Return who died holding the lock of `plant` in `folder`; empty where nobody did, or this machine cannot know.

    The lock itself is not tried: a run that begins at that moment would take this for another run.
    """
    holder = _holder(folder, plant)
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        # Only POSIX asks after a process with signal 0.
        if who["host"] != socket.gethostname() or os.name != "posix":
            return ""
        os.kill(int(who["pid"]), 0)
    except ProcessLookupError:
        return _who(holder)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):  # none, not ours to ask, or just being written
        return ""
    return ""


def _write_holder(holder: Path) -> None:
    who = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        holder.write_text(json.dumps(who) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{holder}: cannot be written: {error.strerror or error}") from error


def _who(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "whose it is cannot be read"
