"""Backup and restore: all rows and files, on another machine or in place, and nothing replaced without being told."""

import io
import json
import os
import shutil
import stat
import tarfile
from datetime import date, timedelta
from functools import partial

import pytest

from backups import Archive, restored_job
from flexmine.errors import BadInput
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.night import Night
from flexmine.publish.reader import read_current
from flexmine.store import backup as backup_module
from flexmine.store.backup import rows_of
from flexmine.store.backup_file import MANIFEST
from nights import evening_before, write_job
from shell import flexmine, in_process

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
        (damaged_file, "is not a whole backup|is missing or damaged"),
        (cut_short, "is not a whole backup"),
        (without_a_file, r"site\.csv is missing or damaged"),
        (other_content, r"site\.csv is missing or damaged"),
        (partial(changed_manifest, "plant", "other"), "is of plant other, the job is of small"),
        (partial(changed_manifest, "tables_version", "0000"), "its tables are of version 0000"),
        (partial(changed_manifest, "schema", "x"), "is not a backup of flexmine"),
        (lambda file: file.unlink(), "there is no backup"),
        (lambda file: file.write_text("x", encoding="utf-8"), "is not a whole backup"),
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
    assert (first.returncode, first.stdout.split(",")[0]) == (0, "restored from b.tar.gz: 2 runs")
    second = flexmine("restore", other, "--from", "b.tar.gz", cwd=tmp_path)
    assert second.returncode == 2
    assert "--overwrite" in second.stderr


def test_nothing_to_back_up(tmp_path):
    """*Proves:* a job that never ran has no backup, and none is made.  *Sensitivity:* an empty file looks like one."""
    with pytest.raises(BadInput, match="there is no store yet"):
        backup_job(read_job(write_job(tmp_path, DAY, 1)), tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_backup_of_an_earlier_flexmine(tmp_path):
    """*Proves:* what was written before a restore was strict still restores, rows, measurements and files; a backup of
    it holds the same.  *Sensitivity:* rules that are stricter than what was written would make all backups useless.
    """
    old = restored_job(tmp_path / "old", DAY)
    rows, files = contents(old)
    assert (len(rows["runs"]), len(rows["readings"]), len(files)) == (2, 12, 26)
    backup_job(read_job(old), tmp_path / "new.tar.gz")
    new = restored_job(tmp_path / "new", DAY, tmp_path / "new.tar.gz")
    assert contents(new) == (rows, files)
    result = night(new, DAY + timedelta(days=2))
    assert result.record.state_from["day"] == (DAY + timedelta(days=1)).isoformat()


def _linked(run):
    (run / "plan" / "way.csv").symlink_to("/etc/hostname")


def _run_is_a_link(run):
    shutil.move(run, run.parents[3] / "moved")
    run.symlink_to(run.parents[3] / "moved")


def _plant_is_a_link(run):
    plant = run.parents[1]
    shutil.move(plant, plant.parents[1] / "moved")
    plant.symlink_to(plant.parents[1] / "moved")


def _other_record(run):
    (run / "record.json").write_text("{}\n", encoding="utf-8")


ODD = {
    "a link": (_linked, r"way\.csv: is a link; a backup takes regular files only"),
    "a run that is a link": (_run_is_a_link, "r1: is a link; the store changes and copies only what lies in it"),
    "a plant that is a link": (_plant_is_a_link, "small: is a link"),
    "a pipe": (lambda run: os.mkfifo(run / "inputs" / "p.csv"), r"p\.csv: is a pipe, not a file"),
    "a file of an editor": (
        lambda run: (run / ".record.json.swp").touch(),
        r"swp: is not a file of a run; move it away",
    ),
    "a name that turns": (lambda run: (run / "plan" / "\u202ecsv").touch(), "is not a file of a run"),
    "another record": (_other_record, r"record\.json: is missing or differs from its row"),
    "no record": (lambda run: (run / "record.json").unlink(), r"record\.json: is missing or differs from its row"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_in_a_run_is_told(made, name):
    """*Proves:* a backup follows no link, waits for no pipe and takes nothing that a restore would refuse; the backup
    before stays.  *Sensitivity:* a link would carry a file of the machine into the backup.
    """
    job, file = made
    change, words = ODD[name]
    change(job.parent / "runs" / "small" / DAY.isoformat() / "r1")
    before = file.read_bytes()
    with pytest.raises(BadInput, match=words):
        backup_job(read_job(job), file)
    assert file.read_bytes() == before
    assert [f.name for f in file.parent.iterdir() if f.name.startswith(".backup")] == []


def test_places_that_are_none_for_a_backup(tmp_path, made):
    """*Proves:* a link, a folder, a place in the store and any other file are refused and stay as they are.

    *Sensitivity:* ``--to job.yaml`` would lose the job, and a rename replaces a link and not what it leads to.
    """
    job, file = made
    (tmp_path / "link.tar.gz").symlink_to(file)
    before = file.read_bytes()
    for target, words in (
        (tmp_path / "link.tar.gz", "is a link; name the file that it leads to"),
        (tmp_path, "is a folder; name a file in it"),
        (job.parent / "runs" / "b.tar.gz", "lies in the store itself"),
        (job.parent / "runs" / "small" / "b.tar.gz", "lies in the store itself"),
        (job, "is there and is not a backup; it is not replaced"),
    ):
        with pytest.raises(BadInput, match=words):
            backup_job(read_job(job), target)
    assert file.read_bytes() == before and job.read_text(encoding="utf-8").startswith("schema: flexmine-job/1")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="is not a backup"):
        backup_job(read_job(job), tmp_path / "pipe")


def test_only_the_owner_may_read_a_backup(made):
    """*Proves:* mode 0600, also where an older one could be read by all."""
    job, file = made
    file.chmod(0o644)
    backup_job(read_job(job), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_run_that_is_pruned_meanwhile_is_left_out(tmp_path, monkeypatch):
    """*Proves:* row and files of a run that goes while it is read are left out, its measurements stay without it, and
    the backup restores.  *Sensitivity:* measurements that name a run which is not there break the restore.
    """
    job = restored_job(tmp_path / "here", DAY)
    real = backup_module._content

    def content(path):
        if path.name == "site.csv" and DAY.isoformat() in str(path):
            shutil.rmtree(path.parents[1])
        return real(path)

    monkeypatch.setattr(backup_module, "_content", content)
    assert backup_job(read_job(job), tmp_path / "b.tar.gz").runs == 1
    kept = json.loads(Archive(tmp_path / "b.tar.gz").content("rows.json"))
    assert len(kept["readings"]) == 12 and {row["run_id"] for row in kept["readings"]} == {None}
    there = restored_job(tmp_path / "there", DAY, tmp_path / "b.tar.gz")
    rows, files = contents(there)
    assert (len(rows["runs"]), len(rows["readings"]), len(files)) == (1, 12, 13)


def test_a_bad_archive_as_a_shell_sees_it(tmp_path, made):
    """*Proves:* exit 2 and the member by name.  *Sensitivity:* exit 1 would call it an error of flexmine."""
    job, _ = made
    archive = Archive()
    archive.add("../../evil")
    archive.write(tmp_path / "bad.tar.gz")
    done = in_process("restore", job, "--from", tmp_path / "bad.tar.gz", "--overwrite")
    assert done.returncode == 2
    assert "bad.tar.gz: member '../../evil': no backup has a file of this name" in done.stderr
