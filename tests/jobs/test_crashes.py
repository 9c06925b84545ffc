"""Killed, out of disk, or on a disk that cannot be written, at every single write of a night."""

import errno
import multiprocessing
import resource
import shutil
import threading
import time
from datetime import date, timedelta
from itertools import cycle

import pytest

import faults
from flexmine.audit.directory import audit_directory
from flexmine.errors import FlexmineError, NoPlan
from flexmine.jobs import plan_and_store as storing
from flexmine.jobs.job import read_job
from flexmine.jobs.lock import plant_lock
from flexmine.jobs.night import Night
from flexmine.publish.reader import read_current
from flexmine.store.runs import RunStore
from flexmine.store.sealed import digest_of
from nights import evening_before, write_job
from samples import by_sample

FIRST = date(2024, 5, 1)
SECOND = FIRST + timedelta(days=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A job whose first night is done."""
    folder = tmp_path_factory.mktemp("base")
    _run(write_job(folder, FIRST, 2), FIRST)
    return folder


@pytest.fixture
def planned_once(monkeypatch):
    """Planning is the same every time, so it is done once; what is under test are the writes around it."""
    plans = {}
    real = storing.plan_inputs

    def plan_inputs(folder, phases):
        digest = digest_of(folder)
        if digest not in plans:
            plans[digest] = real(folder, phases)
        return plans[digest]

    monkeypatch.setattr(storing, "plan_inputs", plan_inputs)


def _run(job_file, day):
    return Night(read_job(job_file), evening_before(day)).run(day)


def _copy(base, tmp_path, name):
    return shutil.copytree(base, tmp_path / name, symlinks=True) / "job.yaml"


def _check_current(job_file):
    """The published plan is whole and audited, whichever it is."""
    current = read_current(job_file.parent / "published")
    assert current.faults() == []
    assert audit_directory(current.plan_directory).ok
    return current.document["run"]["day"]


def _check_next_run(job_file):
    """The next run succeeds, nothing stored is lost and nothing is there twice."""
    result = _run(job_file, SECOND)[-1]
    job = read_job(job_file)
    store = job.open_store()
    history = [(r.day, r.revision) for r in store.history(job.plant)]
    assert history == [(SECOND, 1), (FIRST, 1)]
    for record in store.history(job.plant):
        assert digest_of(store.place(record) / "inputs") == record.inputs_sha256
        assert audit_directory(store.place(record) / "plan").ok
    store.close()
    assert result.record.sequence is not None
    assert _check_current(job_file) == SECOND.isoformat()
    left = {p.name for p in (job.folder / "small").iterdir()} - {FIRST.isoformat(), SECOND.isoformat(), ".staging"}
    assert left == set() and list((job.folder / "small" / ".staging").iterdir()) == []


def _writes(base, tmp_path):
    """Return how many writes a night makes; it plans once, for all children."""
    _run(_copy(base, tmp_path, "plan"), SECOND)
    job_file = _copy(base, tmp_path, "count")
    ended, writes = faults.child(lambda: _run(job_file, SECOND), job_file.parent, 0)
    assert ended == faults.FINISHED
    return writes


@pytest.mark.parametrize("every", by_sample(12, 4, "12th", "4th"))
def test_killed_at_every_so_many_writes(base, tmp_path, planned_once, every):
    """*Proves:* after kill -9 before a write, commit or flush of a night the published plan is whole, and the next run
    finishes the work without losing or doubling anything.  (Every twelfth one, and every fourth
    one for the gate, to save time; all of them pass.)

    *Sensitivity:* a row before its folder, or a pointer before its publication, fails at some of these points.
    """
    points = range(1, _writes(base, tmp_path) + 1, every)
    assert len(points) >= 80 // every
    for at in points:
        job_file = _copy(base, tmp_path, f"kill{at}")
        ended, _ = faults.child(lambda job_file=job_file: _run(job_file, SECOND), job_file.parent, at)
        assert ended == faults.KILLED
        assert _check_current(job_file) in (FIRST.isoformat(), SECOND.isoformat())
        _check_next_run(job_file)
        shutil.rmtree(job_file.parent)


@pytest.mark.parametrize("every", by_sample(28, 9, "28th", "9th"))
def test_the_disk_is_full_or_read_only(base, tmp_path, planned_once, every):
    """*Proves:* a disk that refuses any one write ends the run with a reason, not with a traceback.

    *Sensitivity:* an OSError that nobody catches would be an internal error.
    """
    refusals = cycle([errno.ENOSPC, errno.EROFS, errno.EACCES])
    for at in range(2, _writes(base, tmp_path) + 1, every):
        job_file = _copy(base, tmp_path, f"full{at}")
        ended, _ = faults.child(
            lambda job_file=job_file: _run(job_file, SECOND),
            job_file.parent,
            at,
            faults.raising(next(refusals)),
            expected=FlexmineError,
        )
        assert ended in (faults.FAILED, faults.FINISHED), at
        assert _check_current(job_file) in (FIRST.isoformat(), SECOND.isoformat())
        _check_next_run(job_file)
        shutil.rmtree(job_file.parent)


@pytest.mark.parametrize("place", ["plan", "database"])
def test_no_file_may_grow(base, tmp_path, planned_once, monkeypatch, place):
    """*Proves:* the same where the operating system itself refuses, to the files of the plan or to the database."""
    _run(_copy(base, tmp_path, "plan"), SECOND)
    job_file = _copy(base, tmp_path, "limited")
    real = RunStore.add

    def limited_add(store, record):
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))
        real(store, record)

    def limited():
        if place == "database":
            monkeypatch.setattr(RunStore, "add", limited_add)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        _run(job_file, SECOND)

    ended, _ = faults.child(limited, job_file.parent, 0, faults.raising(errno.ENOSPC), expected=FlexmineError)
    assert ended == faults.FAILED
    assert _check_current(job_file) == FIRST.isoformat()
    _check_next_run(job_file)


@pytest.mark.parametrize("damage", ["overwritten", "cut", "emptied", "removed", "garbled inside"])
def test_the_database_is_damaged(base, tmp_path, planned_once, damage, caplog):
    """*Proves:* the store is written anew from the folders of the runs, the old file is kept, and the log says so.

    *Sensitivity:* a store that trusted its file would stop every night from here on.
    """
    job_file = _copy(base, tmp_path, "job")
    file = job_file.parent / "runs" / "flexmine.db"
    raw = file.read_bytes()
    damaged = {
        "overwritten": b"\0" * 500 + raw[500:],
        "cut": raw[: len(raw) // 2],
        "emptied": b"",
        "garbled inside": raw[:4096] + b"\x17" * (len(raw) - 4096),
    }
    if damage == "removed":
        file.unlink()
    else:
        file.write_bytes(damaged[damage])
    _check_next_run(job_file)
    told = " ".join(caplog.messages)
    assert "complete and audited, but not in the store; taken in as revision 1" in told
    if damage in ("overwritten", "cut", "garbled inside"):
        assert "it is set aside and written anew from the folders of the runs" in told
        assert [p.read_bytes() for p in file.parent.glob("flexmine.db.damaged-*")] == [damaged[damage]]


def test_a_folder_that_is_no_complete_run_is_set_aside(base, tmp_path, planned_once, caplog):
    """*Proves:* a folder with a changed plan is never taken in, nor deleted."""
    job_file = _copy(base, tmp_path, "job")
    folder = job_file.parent / "runs" / "small" / SECOND.isoformat() / "r1"
    shutil.copytree(job_file.parent / "runs" / "small" / FIRST.isoformat() / "r1", folder)
    _run(job_file, SECOND)
    assert "its record belongs to small/2024-05-01/r1" in " ".join(caplog.messages)
    assert (job_file.parent / "runs" / "small" / ".damaged" / "2024-05-02-r1" / "record.json").is_file()
    assert _check_current(job_file) == SECOND.isoformat()


def test_two_at_once(base, tmp_path, planned_once, caplog):
    """*Proves:* the second run leaves with the holder named, or waits where told; a dead holder does not stop it."""
    job_file = _copy(base, tmp_path, "job")
    job = read_job(job_file)
    held, release = multiprocessing.get_context("fork").Event(), multiprocessing.get_context("fork").Event()

    def hold():
        with plant_lock(job.folder, job.plant, 0.0, print):
            held.set()
            release.wait(30)

    other = multiprocessing.get_context("fork").Process(target=hold)
    other.start()
    assert held.wait(30)
    with pytest.raises(NoPlan, match=rf"small: another run is at work \(process {other.pid} on .*\); this one leaves"):
        _run(job_file, SECOND)
    assert _check_current(job_file) == FIRST.isoformat()
    other.kill()
    other.join()
    _check_next_run(job_file)
    assert f"the run before (process {other.pid} on" in " ".join(caplog.messages)


def test_waiting_for_the_other(base, tmp_path, planned_once):
    """*Proves:* with `lock_wait_s` the second run waits until the first is done."""
    job_file = _copy(base, tmp_path, "job")
    job_file.write_text(job_file.read_text() + "lock_wait_s: 30\n")
    job = read_job(job_file)
    held = threading.Event()

    def hold():
        with plant_lock(job.folder, job.plant, 0.0, print):
            held.set()
            time.sleep(0.3)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(30)
    _check_next_run(job_file)
    other.join()
