"""Backup and restore: all rows and files, on another machine or in place, and nothing replaced without being told."""

import io
import json
import shutil
import tarfile
from datetime import date, timedelta
from functools import partial

import pytest

from flexmine.errors import BadInput
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.night import Night
from flexmine.publish.reader import read_current
from flexmine.store.backup import rows_of
from flexmine.store.backup_file import MANIFEST
from nights import evening_before, write_job
from shell import flexmine

DAY = date(2024, 4, 10)


def night(job_file, day):
    return Night(read_job(job_file), evening_before(day)).run(day)[0]


def contents(job_file):
    """Everything that the store knows, and every file of its runs."""
    job = read_job(job_file)
    store = job.open_store()
    try:
        rows = rows_of(store.engine, job.plant)
    finally:
        store.close()
    folder = job.folder / job.plant
    files = {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    for attempt in rows["attempts"]:
        del attempt["id"]
    return rows, files


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with a job of two nights, and its backup."""
    folder = tmp_path_factory.mktemp("nights")
    (folder / "here").mkdir()
    job = write_job(folder / "here", DAY, 4)
    night(job, DAY)
    night(job, DAY + timedelta(days=1))
    backup_job(read_job(job), folder / "backup.tar.gz")
    return folder


@pytest.fixture
def made(tmp_path, once):
    """A copy of both: the job file and the backup."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True, symlinks=True)
    return tmp_path / "here" / "job.yaml", tmp_path / "backup.tar.gz"


def elsewhere(tmp_path):
    (tmp_path / "there").mkdir(exist_ok=True)
    return write_job(tmp_path / "there", DAY, 4)


def test_restored_on_another_machine_the_nights_go_on(tmp_path, made):
    """*Proves:* rows and files are the same, byte for byte; the next run publishes the restored plan above the numbers
    of before and plans the next day from its state.  *Sensitivity:* files alone would lose attempts and numbers.
    """
    job, file = made
    other = elsewhere(tmp_path)
    counts = restore_job(read_job(other), file, overwrite=False)
    assert counts.runs == 2
    assert contents(other) == contents(job)
    result = night(other, DAY + timedelta(days=2))
    assert result.record.state_from["day"] == (DAY + timedelta(days=1)).isoformat()
    assert read_current(tmp_path / "there" / "published").sequence == 4
    assert [f.name for f in (tmp_path / "there" / "runs").iterdir() if f.name.startswith(".restore")] == []


def test_nothing_is_replaced_without_being_told(tmp_path, made):
    """*Proves:* rows or files in the way are named and left; with `overwrite` they are replaced, the files moved aside.

    *Sensitivity:* a restore into the wrong job would destroy its history.
    """
    job, file = made
    night(job, DAY + timedelta(days=2))
    before = contents(job)
    with pytest.raises(BadInput, match=r"small has \d+ rows and files in .*runs/small already; .* --overwrite"):
        restore_job(read_job(job), file, overwrite=False)
    assert contents(job) == before
    restore_job(read_job(job), file, overwrite=True)
    rows, _ = contents(job)
    assert sorted(r["day"] for r in rows["runs"]) == ["2024-04-10", "2024-04-11"]
    (aside,) = (job.parent / "runs").glob("small.replaced-*")
    assert (aside / "2024-04-12" / "r1" / "record.json").is_file()
    again = night(job, DAY + timedelta(days=2))
    assert (again.new, again.record.revision) == (True, 1)


def damaged_file(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def cut_short(file):
    file.write_bytes(file.read_bytes()[:-500])


def without_a_file(file):
    _rewritten(file, lambda name, content: None if name.endswith("site.csv") else content)


def other_content(file):
    _rewritten(file, lambda name, content: content + b"x" if name.endswith("site.csv") else content)


def changed_manifest(key, value, file):
    def change(name, content):
        return json.dumps({**json.loads(content), key: value}).encode() if name == MANIFEST else content

    _rewritten(file, change)


def _rewritten(file, change):
    with tarfile.open(file) as archive:
        members = [(m, archive.extractfile(m).read()) for m in archive.getmembers()]
    with tarfile.open(file, "w:gz") as archive:
        for member, content in members:
            changed = change(member.name, content)
            if changed is not None:
                member.size = len(changed)
                archive.addfile(member, io.BytesIO(changed))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damaged_file, "is no whole backup|is missing or damaged"),
        (cut_short, "is no whole backup"),
        (without_a_file, r"site\.csv is missing or damaged"),
        (other_content, r"site\.csv is missing or damaged"),
        (partial(changed_manifest, "plant", "other"), "is of plant other, the job is of small"),
        (partial(changed_manifest, "tables_version", "0000"), "its tables are of version 0000"),
        (partial(changed_manifest, "schema", "x"), "is no backup of flexmine"),
        (lambda file: file.unlink(), "there is no backup"),
        (lambda file: file.write_text("x", encoding="utf-8"), "is no whole backup"),
    ],
)
def test_wrong_backups_change_nothing(tmp_path, made, damage, words):
    """*Proves:* each is refused in words before anything is changed.  *Sensitivity:* unpacking into place would leave a
    half-restored store.
    """
    job, file = made
    before = contents(job)
    damage(file)
    with pytest.raises(BadInput, match=words):
        restore_job(read_job(job), file, overwrite=True)
    assert contents(job) == before


def test_as_a_shell_sees_it(tmp_path, made):
    """*Proves:* backup and restore as commands; restoring twice needs --overwrite.  *Sensitivity:* exit 0 the second
    time would replace.
    """
    job, _ = made
    other = elsewhere(tmp_path)
    done = flexmine("backup", job, "--to", "b.tar.gz", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["runs"]) == (0, 2)
    first = flexmine("restore", other, "--from", "b.tar.gz", cwd=tmp_path)
    assert (first.returncode, first.stdout.split(",")[0]) == (0, "2 runs")
    second = flexmine("restore", other, "--from", "b.tar.gz", cwd=tmp_path)
    assert second.returncode == 2
    assert "--overwrite" in second.stderr


def test_nothing_to_back_up(tmp_path):
    """*Proves:* a job that never ran has no backup, and none is made.  *Sensitivity:* an empty file looks like one."""
    with pytest.raises(BadInput, match="there is no store yet"):
        backup_job(read_job(write_job(tmp_path, DAY, 1)), tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists()
