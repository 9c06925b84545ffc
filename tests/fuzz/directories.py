"""A written plan whose directory is damaged, and what ``flexmine audit`` says of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
from numpy.random import Generator

from doctored import FILES, seal_again
from fuzz.damage import damaged
from fuzz.guard import command
from fuzz.tables import damaged_csv

READ = ("plan.json", "problem.json", "setpoints.csv", "site.csv")


def attempt(made: Path, folder: Path, seed: int) -> tuple[str, list[str]]:
    """Damage a copy of a plan; return how its audit ended, in a word, and what is wrong with that."""
    rng = np.random.default_rng([seed, 13])
    directory = folder / "plan"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(made, directory)
    what = _contents if rng.random() < 0.8 else _entries
    name = READ[int(rng.integers(len(READ)))]
    what(directory, name, rng)
    # A careful forger makes all hashes true again; where plan.json can still be read, half of them do.
    resealed = rng.random() < 0.5 and _seal(directory)
    ended = command("audit", directory)
    faults = ended.faults()
    failed = ended.code == 1 and "audit FAILED" in ended.err
    if faults or not (failed or ended.code in (0, 2)):
        return "broken", faults or [f"exit {ended.code}: {ended.err[-500:]}"]
    if ended.code == 2:
        said = [line for line in ended.err.splitlines() if not line.startswith("flexmine: warning:")]
        return "refused", [f"names no file: {line!r}" for line in said if str(directory) not in line]
    if failed:
        return "failed", []
    if resealed:
        return "passed, sealed again", []
    return "passed", [f"{n} is another one" for n in (*READ, "report.html") if not _same(made / n, directory / n)]


def _contents(directory: Path, name: str, rng: Generator) -> None:
    file = directory / name
    raw = file.read_bytes()
    file.write_bytes(damaged(raw.decode(), rng) if name.endswith(".json") else damaged_csv(raw, rng))


def _entries(directory: Path, name: str, rng: Generator) -> None:
    """What lies in the directory: files that are gone, links, pipes, folders, far too large, or too many."""
    file = directory / name
    other = directory / READ[int(rng.integers(len(READ)))]
    what = int(rng.integers(10))
    text = file.read_bytes()
    if what < 8:
        file.unlink()
    if what == 1:
        file.symlink_to(other.name)
    elif what == 2:
        file.symlink_to(file.name)
    elif what == 3:
        os.mkfifo(file)
    elif what == 4:
        file.mkdir()
    elif what == 5:
        file.symlink_to("/dev/zero")
    elif what == 6:
        with file.open("wb") as sparse:
            sparse.truncate(2**31 + 1)
    elif what == 7:  # elsewhere, behind a link: what is read is the same
        (directory.parent / f"outside-{name}").write_bytes(text)
        file.symlink_to(directory.parent / f"outside-{name}")
    elif what == 8:
        for extra in ("notes.txt", "\x1b[31mred", "plan.json~", ".hidden", "record.json"):
            (directory / extra).write_text("{", encoding="utf-8")
    else:
        (directory / "report.html").write_bytes(text)


def _seal(directory: Path) -> bool:
    # What is not a plan any more cannot be sealed, nor what would be waited for.
    if not all((directory / name).is_file() and (directory / name).stat().st_size < 2**30 for name in (*READ, *FILES)):
        return False
    try:
        seal_again(directory)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _same(true: Path, file: Path) -> bool:
    if not file.is_file():
        return False
    one, other = true.read_bytes(), file.read_bytes()
    return one == other or (true.name == "plan.json" and json.loads(one) == json.loads(other))
