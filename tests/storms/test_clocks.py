"""A clock that jumps between two runs: back by hours and by days, forward by days, and by years."""

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from flexmine.errors import BadInput
from flexmine.jobs.health import health
from flexmine.jobs.intraday import Intraday
from flexmine.jobs.night import Night
from flexmine.jobs.prune import first_kept
from flexmine.publish.reader import read_current
from flexmine.publish.table import rows_at
from unattended import ONE_DAY, Plant

FIRST = date(2024, 5, 1)
HOUR = timedelta(hours=1)


def night(plant, now, day=None):
    """Run a night as of a clock; a refusal is returned."""
    try:
        return Night(plant.job, now).run(day)
    except BadInput as error:
        return error


def names_the_clock(plant, now):
    found = health(plant.job, now)
    figures = {labels.get("what"): value for name, labels, value in found.figures if name == "clock_behind_seconds"}
    assert any(c.name == "clock" and "is the clock right?" in c.text for c in found.checks), found.lines
    return figures


@pytest.fixture(scope="module")
def four_nights(tmp_path_factory):
    """Four nights done; the clock shows 18:00, and the plan of tomorrow is published."""
    made = Plant(
        tmp_path_factory.mktemp("once") / "plant", FIRST, 12, "ladder: [{step: older_issue}, {step: persistence}]\n"
    )
    for _ in range(4):
        made.check_next_night()
    return made


@pytest.fixture
def plant(tmp_path, four_nights):
    return four_nights.copied(tmp_path / "plant")


@pytest.mark.parametrize("back", [3 * HOUR, 2 * ONE_DAY])
def test_a_clock_that_goes_back(plant, back):
    """*Proves:* with the clock three hours or two days back after a night: numbers of publications do not go down, no
    run is lost, health and figures name the clock and by how much it is behind; machines have a setpoint for now
    wherever a plan holds now; and once the clock is right again the next night succeeds.

    *Sensitivity:* a publication begins when it was made, so by the earlier clock it says nothing of now.
    """
    right = plant.evening - ONE_DAY  # when the last night ran
    now = right - back
    assert names_the_clock(plant, now)["publication"] == back.total_seconds()
    for _ in range(2):
        night(plant, now)
        plant.check_published()
        assert plant.history() >= plant.kept
    assert rows_at(read_current(plant.target).rows(), now)
    after = plant.sequence
    night(plant, now)
    assert plant.check_published().sequence == after  # once is enough
    plant.kept = plant.history()
    plant.check_next_night()


def test_a_clock_that_was_two_days_ahead(plant):
    """*Proves:* a night by a clock two days ahead plans and publishes days to come, and the hours until then are gone
    from what machines read.  Health is critical for it once the clock is right; the next run, a night or inside the
    day, publishes what holds now again, under higher numbers; nothing is lost, and the days go on.

    *Sensitivity:* as valid as can be: such a publication ends in three days, and machines stand still until it begins.
    """
    right = plant.evening - ONE_DAY
    night(plant, right + 2 * ONE_DAY)
    plant.check_published()
    assert not rows_at(read_current(plant.target).rows(), right + HOUR)
    found = health(plant.job, right + HOUR)
    told = [c.text for c in found.checks if c.name == "publication"]
    assert found.level.name == "CRITICAL"
    assert any("was made 47.0 h after now and has nothing for the hours until then" in text for text in told), told
    assert names_the_clock(plant, right + HOUR)["publication"] == 47 * 3600
    night(plant, right + HOUR)
    assert plant.history() >= plant.kept
    current = plant.check_published()
    for hours in range(1, 60):
        assert len(rows_at(current.rows(), right + hours * HOUR)) == 3, hours
    for later in range(4):
        Intraday(Night(plant.job, right + (16 + 24 * later) * HOUR), "replan").run()
        plant.check_published()
        assert rows_at(read_current(plant.target).rows(), right + (16 + 24 * later) * HOUR)
        night(plant, right + (later + 1) * ONE_DAY)
        assert rows_at(plant.check_published().rows(), right + (later + 1) * ONE_DAY)
    assert health(plant.job, right + 4 * ONE_DAY).level.name != "CRITICAL"


def test_a_clock_that_is_years_ahead_forgets_nothing(plant):
    """*Proves:* where the newest plan is long past, pruning by age alone is refused with the question; with a number
    of days that a person gives it is done.  *Sensitivity:* all runs but the last would be gone.
    """
    job = plant.job
    store = job.open_store()
    with pytest.raises(BadInput, match=r"newest plan is of 2024-05-04, 3652 days before 2034-05-04; .*Is the clock"):
        first_kept(job, store, date(2034, 5, 4), None)
    assert first_kept(job, store, date(2034, 5, 4), 2) == date(2034, 5, 2)
    assert first_kept(job, store, date(2024, 5, 4), None) == date(2024, 5, 4) - timedelta(days=800)
    store.close()


LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.mark.system
def test_as_the_system_clock_shows_it(tmp_path):
    """*Proves:* the same with the clock of the process itself, through libfaketime: a night, then one two days ahead,
    then the right time again, three hours back, and a night later; health names a clock behind the last run too.

    *Sensitivity:* a moment that is taken from the system in one place and from the run in another.
    """
    plant = Plant(tmp_path / "plant", FIRST, 9, "ladder: [{step: older_issue}, {step: persistence}]\n")
    begin = plant.evening.replace(tzinfo=None)

    def at(offset, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "flexmine", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "LD_PRELOAD": str(LIBRARY), "FAKETIME": f"@{begin + offset}", "TZ": "UTC"},
        )
        assert "Traceback" not in done.stderr and "internal error" not in done.stderr, done.stderr
        return done.returncode, done.stdout + done.stderr

    assert at(timedelta(), "nightly", plant.file)[0] == 0
    assert at(ONE_DAY, "nightly", plant.file)[0] == 0
    assert at(3 * ONE_DAY, "nightly", plant.file)[0] in (0, 2, 5)
    plant.kept = plant.history()
    plant.check_published()
    code, output = at(ONE_DAY - 3 * HOUR, "health", plant.file)
    assert code == 2 and "h after now; is the clock right?" in output
    assert "the last run ended" in output
    for offset in (ONE_DAY - 3 * HOUR, ONE_DAY, 2 * ONE_DAY):
        assert at(offset, "nightly", plant.file)[0] in (0, 5)
        plant.check_published()
        moment = plant.evening + offset + timedelta(minutes=1)
        assert rows_at(read_current(plant.target).rows(), moment)
        assert plant.history() >= plant.kept
    assert at(2 * ONE_DAY, "health", plant.file)[0] in (0, 1)
