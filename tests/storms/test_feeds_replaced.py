"""Feed files that others replace, cut off or remove while a night reads them."""

import hashlib
import os
from datetime import date

import pytest

from flexmine import files
from flexmine.audit.seal import read_bytes
from flexmine.errors import BadInput
from flexmine.jobs import issues, search
from flexmine.jobs.health import health
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from nights import evening_before, issue_surplus, write_job

DAY = date(2024, 5, 13)
LADDER = "ladder: [{step: fill, policy: interpolate, longest_gap_h: 3}, {step: persistence}]\n"


def night(job_file, day=DAY):
    return Night(read_job(job_file), evening_before(day)).run(day)[-1]


def feed_of(result, series="sources.surplus.available_mw"):
    return next(feed for feed in result.record.feeds if feed["series"] == series)


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("what", ["replaced", "cut off"])
def test_a_file_that_is_replaced_between_two_readings(tmp_path, monkeypatch, what):
    """*Proves:* whatever becomes of a feed's file after it was read first, the night is made of that one reading, in
    all steps of the ladder, and the record has the sha256 of exactly those bytes.

    *Sensitivity:* reading it again for the next step takes half of one issue and half of another.
    """
    job = write_job(tmp_path, DAY, 1, more=LADDER)
    file = next((tmp_path / "feeds").iterdir())
    # A gap, so that the first step of the ladder fails after reading, and the next asks for the file again.
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:9] + lines[10:]), encoding="utf-8")
    first, real, read = file.read_bytes(), search.read_bytes, []

    def then_changed(path):
        raw = real(path)
        if path == file:
            read.append(raw)
            if what == "replaced":
                issue_surplus(tmp_path, DAY, factor=0.1)
            else:
                os.truncate(file, len(first) // 4)
        return raw

    monkeypatch.setattr(search, "read_bytes", then_changed)
    result = night(job)
    assert (result.record.step, result.record.status) == ("fill", "fallback")
    assert read == [first]
    assert feed_of(result)["sha256"] == {f"feeds/{file.name}": digest(first)}
    assert file.read_bytes() != first


def test_the_record_names_what_was_read(tmp_path):
    """*Proves:* every file that a series is made of stands in the record with the sha256 of its bytes, also the older
    issue that completes it and the template's own file.  *Sensitivity:* a hash of the excerpt is that of no file.
    """
    job = write_job(tmp_path, DAY, 2)
    first, second = sorted((tmp_path / "feeds").iterdir())
    result = night(job)
    assert feed_of(result)["sha256"] == {f"feeds/{first.name}": digest(first.read_bytes())}
    weather = tmp_path / "weather.csv"
    assert feed_of(result, "temperature_c")["sha256"] == {"weather.csv": digest(weather.read_bytes())}
    lines = second.read_text(encoding="utf-8").splitlines(keepends=True)
    second.write_text(lines[0] + "".join(lines[7:]), encoding="utf-8")  # it says nothing of the first hours
    completed = feed_of(night(job, DAY.replace(day=DAY.day + 1)))
    assert completed["completed_by"] == [f"feeds/{first.name}"]
    assert completed["sha256"] == {f"feeds/{f.name}": digest(f.read_bytes()) for f in (second, first)}


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    """*Proves:* a file that is written while it is read is refused, and the reason says how to write it.

    *Sensitivity:* its first half would be of one issue and its second of another, with one sha256 for both.
    """
    file, noted, real = tmp_path / "feed.csv", [], os.fstat
    file.write_bytes(b"a" * 5000)

    def fstat(handle):
        about = real(handle)
        if not noted:
            noted.append(about)
            with file.open("ab") as other:
                other.write(b"more")
        return about

    monkeypatch.setattr(files.os, "fstat", fstat)
    with pytest.raises(BadInput, match="was changed while it was read; write it beside its place and rename it"):
        read_bytes(file)


def test_a_file_that_is_removed_after_it_was_listed(tmp_path, monkeypatch):
    """*Proves:* an issue that is gone by the time it is looked at counts for nothing; neither night nor health fails.

    *Sensitivity:* asking for its size or time is an error that nobody expects.
    """
    job = write_job(tmp_path, DAY, 2)
    gone = tmp_path / "feeds" / "surplus_20240501T0000Z.csv"
    real = issues._matching
    monkeypatch.setattr(issues, "_matching", lambda job, feed: [*real(job, feed), gone])
    assert night(job).record.exit_code == 0
    assert health(read_job(job), evening_before(DAY)).level.name == "OK"
