"""Everything at once on one plant: nights, replans, prunes, backups, monitors and readers, each in its own process."""

import multiprocessing
import time
from collections import Counter
from datetime import date

import pytest

from flexmine.jobs.health import health
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import restore_job
from flexmine.jobs.night import Night
from nights import evening_before, write_job
from unattended import DOCUMENTED, INTERNAL, ONE_DAY, Plant, command, whole

FIRST = date(2024, 5, 1)
LOCK = "lock_wait_s: 5\n"
forked = multiprocessing.get_context("fork")


LONGEST_WAIT_S = 300


class Race:
    """What the processes share: the plant, when it ends, which night is due, and what became of every command."""

    def __init__(self, plant, seconds):
        self.plant, self.ends = plant, time.monotonic() + seconds
        self.night = forked.Value("i", 3)
        self.told = forked.Queue()

    @property
    def is_on(self):
        return time.monotonic() < self.ends

    def due(self):
        return FIRST + self.night.value * ONE_DAY

    def call(self, *arguments):
        code, output = command(*arguments)
        # That a backup refuses for what goes on beside it is none of its documented reasons.
        wrong = [word for word in INTERNAL if word in output] or (code and arguments[0] == "backup")
        self.told.put((str(arguments[0]), code, output if wrong or code not in DOCUMENTED else ""))
        return code


def nights(race):
    while race.is_on:
        day = race.due()
        code = race.call("nightly", race.plant.file, "--day", day, "--at", evening_before(day).isoformat())
        with race.night.get_lock():
            if code == 0 and race.due() == day:
                race.night.value = min(race.night.value + 1, race.plant.days - 3)


def replans(race):
    while race.is_on:
        day = race.due() - ONE_DAY
        race.call("replan", race.plant.file, "--at", f"{day}T09:40:00+00:00")


def prunes(race):
    """Go on until one has found the lock free, once the others have ended: on a busy machine it may have to wait."""
    ends, most = [], time.monotonic() + LONGEST_WAIT_S
    while race.is_on or (0 not in ends and time.monotonic() < most):
        ends.append(race.call("prune", race.plant.file, "--days", 2))
        time.sleep(0.5)


def backups(race):
    number = 0
    while race.is_on:
        number += 1
        race.call("backup", race.plant.file, "--to", race.plant.folder / "backups" / f"{number}.tar.gz")
        time.sleep(0.2)


def monitors(race):
    while race.is_on:
        found = health(race.plant.job, evening_before(race.due()))
        bad = [line for line in found.lines if "cannot be looked at" in line or line.startswith("CRITICAL: store")]
        race.told.put(("health", int(found.level), "\n".join(bad)))
        time.sleep(0.2)


def reads(race):
    last = 0
    while race.is_on:
        try:
            current = whole(race.plant.target)
            assert current.sequence >= last
            last = current.sequence
        except Exception as error:  # noqa: BLE001 - whatever a reader meets is what this is about
            race.told.put(("read", 1, f"after publication {last}: {type(error).__name__}: {error}"))
        else:
            race.told.put(("read", 0, ""))
        time.sleep(0.01)


def run_race(plant, seconds):
    """Let all loose for so long; return how often each command ended with which code, and whatever was wrong."""
    for _ in range(3):
        plant.check_next_night()
    race = Race(plant, seconds)
    loops = [nights, nights, replans, prunes, backups, monitors, reads]
    processes = [forked.Process(target=loop, args=(race,)) for loop in loops]
    for process in processes:
        process.start()
    ends, wrong = Counter(), []
    while any(process.is_alive() for process in processes) or not race.told.empty():
        while not race.told.empty():
            name, code, text = race.told.get()
            ends[name, code] += 1
            wrong += [f"{name}, {code}: {text}"] * bool(text)
        time.sleep(0.05)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return race, ends, wrong


def check_race(tmp_path, store_line, seconds, restored):
    plant = Plant(tmp_path / "plant", FIRST, 60, LOCK + store_line)
    race, ends, wrong = run_race(plant, seconds)
    print({f"{name} {code}": count for (name, code), count in sorted(ends.items())})
    assert wrong == []
    for needed in (("nightly", 0), ("prune", 0), ("backup", 0), ("read", 0)):
        assert ends[needed] >= 1, ends
    # At the end a quiet night: everything fits, whatever was pruned.
    plant.kept, plant.night_of = set(), race.due() + ONE_DAY
    Night(plant.job, plant.evening).run(plant.night_of)
    plant.check_published()
    plant.check_store()
    files = sorted((plant.folder / "backups").glob("*.tar.gz"), key=lambda file: int(file.name.split(".")[0]))
    for number, file in enumerate(files[:: max(1, len(files) // restored)]):
        place = tmp_path / f"restored{number}"
        place.mkdir()
        counts = restore_job(read_job(write_job(place, FIRST, 60)), file, overwrite=False)
        assert counts.runs >= 1


@pytest.mark.slow
@pytest.mark.gate
def test_fifteen_seconds_of_everything_at_once(tmp_path, store_line):
    """*Proves:* with two nightly jobs, replans, prunes, backups and monitors in loops, every read of the publication is
    whole and none goes back, every command ends with an exit code of the runbook and without an internal error, and
    no monitor sees a fault of the store; in the end rows, files and publication fit, and backups taken in between can
    be restored.

    *Sensitivity:* a check for a folder and then a read of it, with a prune in between, is a backup that fails for
    nothing; a list of publications read before the pointer is a monitor's false alarm.
    """
    check_race(tmp_path, store_line, 15, 3)


@pytest.mark.slow
def test_three_minutes_of_everything_at_once(tmp_path, store_line):
    """*Proves:* the same for three minutes.  *Sensitivity:* as above."""
    check_race(tmp_path, store_line, 180, 10)
