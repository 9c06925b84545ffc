"""Disks that are full or cannot be written, and a database file that somebody else holds: real ones, not simulated."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from backups import tree
from flexmine.store import database
from flexmine.workflow import build
from unattended import DOCUMENTED, INTERNAL, Plant, command, in_a_child

FIRST = date(2024, 5, 1)
NOBODY = 65_534


def nightly(plant):
    return command("nightly", plant.file, "--day", plant.night_of, "--at", plant.evening.isoformat())


def looked(plant):
    return command("health", plant.file, "--at", plant.evening.isoformat())


def check_refused(plant, code, output, expected):
    """The command has ended with a documented code and a reason, and what was published is whole."""
    assert code in expected, output
    assert not [word for word in INTERNAL if word in output], output
    plant.check_published()


# A database file that somebody else holds.


def test_a_database_that_somebody_else_holds(tmp_path, monkeypatch):
    """*Proves:* while another program holds the database, nightly, prune and backup end with exit 2 and the place,
    `health` is critical with it, what is published stays, and the next run succeeds.

    *Sensitivity:* an error of the driver that nobody catches.
    """
    monkeypatch.setattr(database, "WAIT_MS", 200)
    plant = Plant(tmp_path / "plant", FIRST, 4)
    plant.check_next_night()
    holder = sqlite3.connect(tmp_path / "plant" / "runs" / "flexmine.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    for run in (
        lambda: nightly(plant),
        lambda: looked(plant),
        lambda: command("prune", plant.file, "--days", 2),
        lambda: command("backup", plant.file, "--to", tmp_path / "b.tar.gz"),
    ):
        code, output = run()
        check_refused(plant, code, output, {2})
        assert "flexmine.db" in output and "database is locked" in output
    holder.execute("ROLLBACK")
    holder.close()
    plant.check_next_night()


def test_a_database_that_is_held_in_the_middle_of_a_night(tmp_path, monkeypatch):
    """*Proves:* where the row of a finished plan cannot be written, the night ends with exit 2, and the next run takes
    the plan in: it is made once.  *Sensitivity:* a plan without a row is planned again, or lost.
    """
    monkeypatch.setattr(database, "WAIT_MS", 200)
    plant = Plant(tmp_path / "plant", FIRST, 4)
    plant.check_next_night()
    from flexmine.store.runs import RunStore

    real, holders = RunStore.add, []

    def held(store, record):
        holders.append(sqlite3.connect(tmp_path / "plant" / "runs" / "flexmine.db", isolation_level=None))
        holders[0].execute("BEGIN EXCLUSIVE")
        real(store, record)

    monkeypatch.setattr(RunStore, "add", held)
    code, output = nightly(plant)
    check_refused(plant, code, output, {2})
    assert "the store cannot be written: database is locked" in output
    monkeypatch.setattr(RunStore, "add", real)
    holders[0].execute("ROLLBACK")
    code, output = nightly(plant)
    assert code == 0 and "complete and audited, but not in the store; taken in as revision 1" in output
    plant.check_next_night()


# Places that cannot be written, for whoever runs flexmine.


def as_somebody(*arguments):
    """Return exit code and output of a command in a process that is not root's, for whom every file is open."""
    read, write = os.pipe()
    # The packages may lie where somebody else cannot read; a plan asks each for its version.
    versions = {package: build.version(package) for package in build.VERSIONS_OF}

    def work():
        build.version = versions.__getitem__
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        with os.fdopen(write, "w", encoding="utf-8") as file:
            json.dump(command(*arguments), file)

    pid = in_a_child(work)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as file:
        told = file.read()
    assert os.waitpid(pid, 0)[1] == 0
    return tuple(json.loads(told))


@pytest.fixture
def open_plant():
    """A plant that belongs to somebody who is not root, with a night done."""
    folder = Path(tempfile.mkdtemp(prefix="flexmine-storm-"))
    plant = Plant(folder, FIRST, 5)
    plant.check_next_night()
    # So that the children have all modules, which may lie where they cannot read.
    for run in (nightly, looked):
        assert run(plant)[0] == 0
    plant.check_next_night()
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    yield plant
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False)
    shutil.rmtree(folder)


PLACES = {
    "folder of the plant": ("runs/small", "runs/small: cannot be written: Permission denied"),
    "folder of the runs": ("runs", "runs: cannot be written: Permission denied"),
    "database file": ("runs/flexmine.db", "attempt to write a readonly database"),
    "publications": ("published", "published: cannot be written: Permission denied"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_cannot_be_written(open_plant, place):
    """*Proves:* `health` tries to write: it is critical with the place and the reason before a night has to find out,
    says so to monitors as a figure, and leaves nothing behind; nightly ends with exit 2, what is published stays, and
    once the place can be written again the next run succeeds.

    *Sensitivity:* a look at what can be read finds nothing wrong.
    """
    plant, (name, told) = open_plant, PLACES[place]
    closed = plant.folder / name
    mode = closed.stat().st_mode
    for aside in plant.folder.glob("runs/flexmine.db-*"):
        aside.unlink()
    closed.chmod(mode & ~0o222)
    before = tree(plant.folder, (".lock", "-shm", "-wal"))
    metrics = Path(tempfile.mkdtemp()) / "f.prom"
    metrics.parent.chmod(0o777)
    at = ("--at", plant.evening.isoformat())
    code, output = as_somebody("health", plant.file, *at, "--metrics", metrics)
    assert (code, told in output) == (2, True), output
    assert "CRITICAL: store: " in output
    figure = "database_writable" if place == "database file" else "folders_writable"
    assert f'flexmine_{figure}{{plant="small"}} 0.0' in metrics.read_text(encoding="utf-8")
    assert tree(plant.folder, (".lock", "-shm", "-wal")) == before
    code, output = as_somebody("nightly", plant.file, "--day", plant.night_of, *at)
    check_refused(plant, code, output, {2})
    assert str(plant.folder) in output or "attempt to write a readonly database" in output
    for there in (closed, *plant.folder.glob("runs/flexmine.db*")):  # what SQLite makes beside it has its mode
        there.chmod(mode)
    code, output = as_somebody("nightly", plant.file, "--day", plant.night_of, *at)
    assert code == 0, output
    code, output = as_somebody("health", plant.file, *at)
    assert code == 0, output
    plant.check_next_night()


def test_looking_does_not_disturb(tmp_path):
    """*Proves:* a hundred looks at a plant, in the middle of which it is written, leave files and rows as they were.

    *Sensitivity:* a row that is committed, or a file with a name, would be there afterwards.
    """
    plant = Plant(tmp_path / "plant", FIRST, 4)
    plant.check_next_night()
    before = tree(plant.folder, (".lock", "-shm", "-wal", "flexmine.db"))
    rows = plant.history()
    for _ in range(20):
        plant.look(plant.evening)
    assert tree(plant.folder, (".lock", "-shm", "-wal", "flexmine.db")) == before
    assert plant.history() == rows
    plant.check_next_night()


# Disks that are really full: they have to be mounted.


@contextmanager
def small_disk(place, size):
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(file, disk, left_bytes):
    """Fill a disk but for so many bytes."""
    free = shutil.disk_usage(disk).free
    with file.open("wb") as ballast:
        ballast.write(bytes(max(0, free - left_bytes)))


def full_disks(tmp_path, sizes):
    with small_disk(tmp_path / "disk", "12m") as disk:
        plant = Plant(disk / "plant", FIRST, 60)
        plant.check_next_night()
        failed = 0
        for left in sizes:
            fill(disk / "ballast", disk, left)
            code, output = nightly(plant)
            check_refused(plant, code, output, DOCUMENTED)
            failed += code == 2
            if code == 2:
                full = ("No space left on device", "database or disk is full", "bytes are free in")
                assert any(words in output for words in full), output
            code, output = looked(plant)
            assert code in (1, 2) and "cannot be looked at" not in output, output
            (disk / "ballast").unlink()
            plant.check_next_night()
            if len(plant.kept) > 8:
                plant.prune()
                plant.kept = plant.history()
        print(f"{failed} of {len(sizes)} nights on a full disk ended with exit 2")
        assert failed >= len(sizes) // 2


@pytest.mark.system
def test_a_full_disk(tmp_path):
    """*Proves:* with nothing left on the disk, and with a little, the night ends with a reason and exit 2, or succeeds;
    what is published stays whole, health says so, and with room again the next run succeeds and nothing is lost.

    *Sensitivity:* an error on the way out, such as of a lock's file, that hides the reason or is a traceback.
    """
    full_disks(tmp_path, [0, 8_192, 65_536, 150_000])


@pytest.mark.system
@pytest.mark.slow
def test_a_full_disk_at_any_point(tmp_path):
    """*Proves:* the same for forty sizes.  *Sensitivity:* as above."""
    chance = random.Random(5)
    full_disks(tmp_path, [chance.randint(0, 100) * 4_096 for _ in range(40)])


@pytest.mark.system
def test_a_disk_that_becomes_read_only(tmp_path):
    """*Proves:* a disk that the system has remounted read-only: exit 2 with the place, health critical, the publication
    stays; writable again, the next run succeeds.  *Sensitivity:* the lock's own file cannot be removed any more, and
    that must not hide how the run has ended.
    """
    with small_disk(tmp_path / "disk", "12m") as disk:
        plant = Plant(disk / "plant", FIRST, 6)
        plant.check_next_night()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for run in (nightly, looked):
            code, output = run(plant)
            check_refused(plant, code, output, {2})
            assert "Read-only file system" in output and str(disk) in output
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        plant.check_next_night()
