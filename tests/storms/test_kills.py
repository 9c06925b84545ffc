"""SIGKILL at random moments, and at random writes, of everything that writes, one after the other on one plant."""

import os
import random
from datetime import date

import pytest

import faults
from unattended import Plant, killed_after

FIRST = date(2024, 5, 1)
OPERATIONS = ("nightly", "replan", "redispatch", "publish", "backup", "restore", "prune")


def shuffled(chance, number):
    """Return so many operations, of each as many, in an order by chance."""
    order = [OPERATIONS[i % len(OPERATIONS)] for i in range(number)]
    chance.shuffle(order)
    return order


def storm(folder, seed, kills, more=""):
    """Kill so many commands; after each of them the next night has to put everything in order.  Return what was hit.

    A command that has ended before its moment was not killed, and another one is tried; the moments are drawn so that
    it is not most of them, however fast the machine is.
    """
    chance = random.Random(seed)
    plant = Plant(folder, FIRST, 3 * kills + 8, more)
    for _ in range(3):
        plant.check_next_night()
    plant.backup()
    plant.in_backup = plant.kept
    hit = []
    for name in shuffled(chance, 3 * kills):
        if sum(killed for _, killed in hit) == kills:
            break
        work = getattr(plant, name)
        if chance.random() < 0.5:
            moment = chance.uniform(0.0, {"nightly": 1.2, "replan": 1.5, "redispatch": 1.2}.get(name, 0.4))
            how, killed = f"{name} after {moment:.2f} s", killed_after(work, moment)
        else:
            at = chance.randint(1, 90 if name in ("nightly", "replan", "redispatch") else 30)
            how, killed = f"{name} at write {at}", faults.child(work, plant.folder, at)[0] == faults.KILLED
        hit.append((how, killed))
        plant.check_published()
        unfinished = [c.text for c in plant.look(plant.forenoon).checks if "has ended without finishing" in c.text]
        assert len(unfinished) == (plant.folder / "runs" / ".small.lock.json").exists()
        if name == "prune":
            plant.kept = {run for run in plant.kept if run[0] >= plant.first_kept}
        if name == "restore":
            # Old or new, never a mixture; what the night before it had added may be gone with it.
            plant.kept &= plant.in_backup
        plant.check_next_night()
        if name in ("backup", "nightly"):
            plant.backup()
            plant.in_backup = plant.kept
    return hit


@pytest.mark.slow
@pytest.mark.gate
@pytest.mark.parametrize("seed", [1])
def test_a_few_kills(tmp_path, seed):
    """*Proves:* after kill -9 at any moment of nightly, replan, redispatch, publish, backup, restore and prune, what is
    published is whole and its number never goes down; the next night succeeds, `health` is then OK, rows, files and
    publication fit each other, no run that was complete is lost, and nothing lies about that blocks.

    *Sensitivity:* rows before files, a pointer before its publication, a lock or a temporary file by the number of the
    process that outlives it: each fails here or in the long storm.
    """
    hit = storm(tmp_path / "plant", seed, 7)
    assert sum(killed for _, killed in hit) == 7, hit


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_sixty_kills(tmp_path, seed):
    """*Proves:* the same sixty times in a row on one plant.  *Sensitivity:* as above."""
    hit = storm(tmp_path / "plant", seed, 60)
    print("\n".join(how for how, killed in hit if killed))
    assert sum(killed for _, killed in hit) == 60, hit


def test_a_killed_backup_is_in_nobodys_way(tmp_path):
    """*Proves:* what a killed backup has left does not stop the next one, though it has the same number of process as
    in a container, and is removed once it cannot be at work any more.

    *Sensitivity:* a name by the number of the process makes every later backup of that container fail.
    """
    plant = Plant(tmp_path / "plant", FIRST, 3)
    plant.check_next_night()
    plant.backup_file.parent.mkdir()
    left = [plant.backup_file.with_name(f".store.tar.gz.{tail}") for tail in (os.getpid(), "unfinished-abc")]
    for file in left:
        file.write_bytes(b"half")
    plant.backup()
    assert all(file.exists() for file in left)
    os.utime(left[1], (0, 0))
    plant.backup()
    assert [file.exists() for file in left] == [True, False]
    assert plant.backup_file.read_bytes()[:2] == b"\x1f\x8b"
