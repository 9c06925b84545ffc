"""A process that dies, or finds the disk full, at its n-th write: counted by Python's own audit events and by commits.

The child is forked, so that nothing has to be imported again; the parent waits for it and looks at what is left.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

KILLED, FINISHED, FAILED, BROKEN = "killed", "finished", "failed", "broken"
WRITES = ("os.rename", "os.mkdir", "os.symlink", "os.link")
REMOVALS = ("os.remove", "os.rmdir")
OPEN_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Counter:
    """Counts the writes below a folder, and acts at the n-th."""

    def __init__(self, folder: Path, at: int, act: Callable[[], None]):
        self.folder, self.at, self.act = str(folder), at, act
        # A full disk refuses neither a removal nor, in this way, a commit.
        self.dying = act is _die
        self.events = (*WRITES, *REMOVALS) if self.dying else WRITES
        self.seen = 0

    def count(self) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.act()

    def hook(self, name: str, arguments: tuple) -> None:
        if name == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and flags & OPEN_TO_WRITE and self._ours(path):
                self.count()
        elif name in self.events and self._ours(arguments[0 if name != "os.symlink" else 1]):
            self.count()

    def install(self) -> None:
        real = os.fsync

        def fsync(descriptor):
            self.count()
            real(descriptor)

        os.fsync = fsync
        if self.dying:
            event.listen(Engine, "commit", lambda connection: self.count())
        sys.addaudithook(self.hook)

    def _ours(self, path) -> bool:
        text = os.fsdecode(path) if not isinstance(path, int) else ""
        return self.folder in text and not text.endswith((".lock", ".lock.json"))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raising(number: int) -> Callable[[], None]:
    """Return an act that fails as the operating system would."""

    def act() -> None:
        raise OSError(number, os.strerror(number))

    return act


def child(
    work: Callable[[], None], folder: Path, at: int, act: Callable[[], None] = _die, expected: type[Exception] = OSError
) -> tuple[str, int]:
    """Run `work` in a forked process that acts at its n-th write below `folder`; return how it ended and the count."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        counter = Counter(folder, at, act)
        code = 2
        try:
            counter.install()
            work()
            code = 0
        except expected:
            code = 1
        finally:
            os.write(write, str(counter.seen).encode())
            os._exit(code)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    seen = os.read(read, 64)
    os.close(read)
    if os.WIFSIGNALED(status):
        return KILLED, at
    return (FINISHED, FAILED, BROKEN)[os.WEXITSTATUS(status)], int(seen or 0)
