"""Commands and functions run in a child of their own, under a deadline and a cap of memory.

Each call is forked off a server that has imported everything already, so that it costs some milliseconds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flexmine.errors import UNSEEN

DEADLINE_S = 10.0
MEMORY_BYTES = 2 * 1024**3
MARKS = ("Traceback", "internal error", "Warning:", "Exception ignored", "Segmentation", "terminate called")
"""What no command may say, however wrong its input is."""

_CHILDREN = multiprocessing.get_context("forkserver")
_CHILDREN.set_forkserver_preload(
    [
        *(f"flexmine.cli.{module}" for module in ("main", "numeric", "inspect", "convert", "plan")),
        *(f"flexmine.{module}" for module in ("workflow.audit_files", "workflow.problem_file", "inputs.case")),
        "brute_force",
    ]
)


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (None: it hung and was killed; negative: by a signal) and what it printed."""

    code: int | None
    out: str
    err: str
    seconds: float

    def faults(self) -> list[str]:
        """Return what is wrong with the way it ended, whatever it was asked."""
        if self.code is None:
            return [f"hung for more than {self.seconds:.0f} s"]
        found = [f"was killed by signal {-self.code}"] if self.code < 0 else []
        found += [f"says {mark!r}" for mark in MARKS if mark in self.err]
        lines = (self.out + self.err).splitlines()
        found += [f"prints what cannot be seen: {line!a}" for line in lines if UNSEEN.search(line)][:1]
        return found if not found else [*found, self.err[-1500:]]

    @property
    def answer(self) -> Any:
        """What a function returned."""
        return json.loads(self.out)


def command(*arguments: str | Path, deadline_s: float = DEADLINE_S) -> Ended:
    """Run ``flexmine`` with arguments."""
    return _guarded(_command, tuple(map(str, arguments)), deadline_s)


def call(function: Callable[..., Any], *arguments: Any, deadline_s: float = DEADLINE_S) -> Ended:
    """Run a function of an importable module, whose answer goes through JSON."""
    return _guarded(_function, (function, arguments), deadline_s)


def _guarded(target: Callable[..., None], arguments: tuple[Any, ...], deadline_s: float) -> Ended:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = _CHILDREN.Process(target=_capped, args=(target, arguments, str(out), str(err)))
        begin = time.perf_counter()
        child.start()
        child.join(deadline_s)
        hung = child.is_alive()
        if hung:
            child.kill()
            child.join()
        seconds = time.perf_counter() - begin
        said = [file.read_text(encoding="utf-8", errors="replace") if file.exists() else "" for file in (out, err)]
        return Ended(None if hung else child.exitcode, said[0], said[1], seconds)


def _capped(target: Callable[..., None], arguments: tuple[Any, ...], out: str, err: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), number)
    target(*arguments)


def _command(*arguments: str) -> None:
    from flexmine.cli.main import main

    main(list(arguments))


def _function(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sys.stdout.write(json.dumps(function(*arguments)))
