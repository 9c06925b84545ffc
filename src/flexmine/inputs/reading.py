"""Which files a case may read, and how much of each: bounded, regular, and below the folder of the case.

A case is text that somebody else may have written.  It may name files below its own folder and what flexmine
ships; any other folder has to be allowed by the person who runs the program, never by the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.resources import PREFIX, shipped_path, shipped_reference

MAX_YAML_BYTES = 1_000_000
MAX_CSV_BYTES = 64 * 1024 * 1024
MAX_FILES = 200
"""Files of one case: plant, models, miners and series together."""


@dataclass
class Access:
    """The folders that one case may read from, and how many files it has read.

    Attributes
    ----------
    folder : Path
        Folder of the case; everything below it may be read.
    allowed : sequence of Path
        Further folders, allowed by the person who runs the program.
    """

    folder: Path
    allowed: Sequence[Path] = ()
    read: set[str] = field(default_factory=set)

    def resolve(self, reference: str, beside: Path) -> Path:
        """Return the file that `reference`, written in the file `beside`, stands for.

        Raises
        ------
        BadInput
            Where nothing of that name is shipped, or where it leads out of the allowed folders.
        """
        if reference.startswith(PREFIX):
            return shipped_path(reference)
        if "\0" in reference:
            raise BadInput("the name of a file may not contain a NUL character")
        path = beside.parent / reference
        real = os.path.realpath(path)
        roots = [self.folder, *self.allowed]
        if not any(_below(real, os.path.realpath(root)) for root in roots) and not _both_shipped(beside, Path(real)):
            raise BadInput(
                f"{reference} leads out of the folder of the case; allowed are files below that folder and "
                f"{PREFIX}NAME. To allow another folder, run with --allow-outside {Path(real).parent}"
            )
        return path

    def bytes_of(self, path: Path, limit: int) -> bytes:
        """Return the bytes of a file of at most `limit` bytes, counted towards the files of the case.

        Raises
        ------
        BadInput
            As :func:`~flexmine.files.read_regular`, or where the case reads too many files.
        """
        self.read.add(os.path.realpath(path))
        if len(self.read) > MAX_FILES:
            raise BadInput(f"is one file too many; a case may read at most {MAX_FILES}")
        return read_regular(path, limit)

    def portable(self, path: Path) -> str:
        """Return a name of `path` that means the same on another machine."""
        shipped = shipped_reference(path)
        if shipped:
            return shipped
        try:
            return Path(os.path.relpath(os.path.realpath(path), os.path.realpath(self.folder))).as_posix()
        except ValueError:  # another drive on Windows: nothing relative leads there
            return path.name


def _below(real: str, root: str) -> bool:
    try:
        return os.path.commonpath([real, root]) == root
    except ValueError:  # another drive on Windows
        return False


def _both_shipped(beside: Path, real: Path) -> bool:
    return shipped_reference(beside) is not None and shipped_reference(real) is not None
