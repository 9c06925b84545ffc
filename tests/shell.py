"""The command as a shell runs it, the same within this process, and shipped cases with changed text."""

import gc
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO
from unittest.mock import patch

from flexmine.cli import main
from flexmine.resources import shipped_path

UNTOLD = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Warnings that Python does not print of itself."""


def flexmine(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``python -m flexmine`` with the arguments."""
    command = [sys.executable, "-m", "flexmine", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


def in_process(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the same without a process of its own, which saves a second of imports.

    Whatever is printed is caught where a shell would see it, at the file descriptors: also the banner of a solver, and
    warnings.  An exception that a process would end with goes on to the test.
    """
    line = [str(argument) for argument in arguments]
    with ExitStack() as stack:
        if cwd is not None:
            stack.enter_context(chdir(cwd))
        out = stack.enter_context(_caught("stdout", 1))
        err = stack.enter_context(_caught("stderr", 2))
        stack.enter_context(_as_left())
        stack.enter_context(_warnings_on(err))
        try:
            main(line)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        texts = [_text(file) for file in (out, err)]
    return subprocess.CompletedProcess(["flexmine", *line], code, *texts)


@contextmanager
def _caught(name: str, descriptor: int) -> Iterator[TextIO]:
    """Lead a stream of Python and the descriptor below it into a file."""
    stream, saved = getattr(sys, name), os.dup(descriptor)
    stream.flush()
    with TemporaryFile("w+", encoding="utf-8") as file:
        os.dup2(file.fileno(), descriptor)
        setattr(sys, name, file)
        try:
            yield file
        finally:
            setattr(sys, name, stream)
            os.dup2(saved, descriptor)
            os.close(saved)


@contextmanager
def _as_left() -> Iterator[None]:
    """Undo what the command changes for the rest of its process: last words on errors, log, search for garbage."""
    hook, threshold, logger = sys.excepthook, gc.get_threshold(), logging.getLogger("flexmine")
    log = logger.handlers[:], logger.level, logger.propagate
    try:
        with patch.object(gc, "freeze"):  # for the end of a process, which does not come here
            yield
    finally:
        sys.excepthook = hook
        logger.handlers[:], logger.level, logger.propagate = log
        gc.set_threshold(*threshold)


@contextmanager
def _warnings_on(err: TextIO) -> Iterator[None]:
    """Print warnings, which pytest would keep for its summary."""

    def shown(message, category, filename, lineno, file=None, line=None):
        err.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for category in UNTOLD:
            warnings.simplefilter("ignore", category)
        warnings.showwarning = shown
        yield


def _text(file: TextIO) -> str:
    file.flush()
    file.seek(0)
    return file.read()


def edited(folder: Path, name: str, *replacements: tuple[str, str]) -> Path:
    """Write a shipped case with pieces of its text replaced."""
    text = shipped_path(f"shipped:cases/{name}").read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    file = folder / "case.yaml"
    file.write_text(text, encoding="utf-8")
    return file
