"""Links where the unattended job keeps things: followed where a thing is replaced, taken alone where it goes."""

import shutil
from datetime import date, timedelta

import pytest

from flexmine.durable import write_durably
from flexmine.errors import BadInput
from flexmine.jobs.health import health
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.metrics import write_metrics
from flexmine.jobs.night import Night
from flexmine.jobs.prune import prune
from flexmine.publish.directory import Terms, publish
from flexmine.publish.reader import read_current
from nights import evening_before, write_job
from publishing import BEFORE, written

DAY = date(2024, 4, 10)


def night(job_file, day):
    return Night(read_job(job_file), evening_before(day)).run(day)[0]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    job = write_job(folder, DAY, 4)
    night(job, DAY)
    night(job, DAY + timedelta(days=1))
    return folder


@pytest.fixture
def job_file(tmp_path, once):
    """A job of two nights, whose database lies on another disk, behind a link."""
    here, disk = tmp_path / "here", tmp_path / "disk"
    shutil.copytree(once, here, symlinks=True)
    disk.mkdir()
    for name in ("flexmine.db", "flexmine.db-wal", "flexmine.db-shm"):
        if (here / "runs" / name).exists():
            (here / "runs" / name).rename(disk / name)
    (here / "runs" / "flexmine.db").symlink_to(disk / "flexmine.db")
    return here / "job.yaml"


def test_a_restore_into_a_linked_folder_is_refused_before_anything_is_unpacked(tmp_path, job_file):
    """*Proves:* what is restored lies in the store and nowhere else; the message names the link.

    *Sensitivity:* followed, a link that somebody has laid would lead the runs to any place.
    """
    backup_job(read_job(job_file), tmp_path / "backup.tar.gz")
    plant = job_file.parent / "runs" / "small"
    plant.rename(tmp_path / "elsewhere")
    plant.symlink_to(tmp_path / "elsewhere")
    before = sorted(str(p) for p in (tmp_path / "elsewhere").rglob("*"))
    with pytest.raises(BadInput, match="small: is a link"):
        restore_job(read_job(job_file), tmp_path / "backup.tar.gz", overwrite=True)
    assert plant.is_symlink()
    assert sorted(str(p) for p in (tmp_path / "elsewhere").rglob("*")) == before


def test_a_restore_onto_a_mount_point_is_refused_before_anything_is_unpacked(tmp_path, job_file, monkeypatch):
    """*Proves:* refused, and nothing is left.  *Sensitivity:* "device busy", after half of it is done."""
    backup_job(read_job(job_file), tmp_path / "backup.tar.gz")
    runs = job_file.parent / "runs"
    before = sorted(p.name for p in runs.iterdir())
    monkeypatch.setattr("os.path.ismount", lambda p: str(p) == str(runs / "small"))
    with pytest.raises(BadInput, match="is a mount point, which cannot be moved aside"):
        restore_job(read_job(job_file), tmp_path / "backup.tar.gz", overwrite=True)
    assert sorted(p.name for p in runs.iterdir()) == before


def test_a_damaged_database_behind_a_link_is_set_aside_where_it_lies(tmp_path, job_file):
    """*Proves:* the damaged file is kept on its disk, the new one made there, the link as it was.

    *Sensitivity:* with the link renamed, the new database would lie beside the link.
    """
    disk = tmp_path / "disk"
    (disk / "flexmine.db").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    for tail in ("-wal", "-shm"):
        (disk / f"flexmine.db{tail}").unlink(missing_ok=True)
    assert night(job_file, DAY + timedelta(days=2)).new
    assert (job_file.parent / "runs" / "flexmine.db").is_symlink()
    assert (disk / "flexmine.db").read_bytes().startswith(b"SQLite format 3")
    assert len(list(disk.glob("flexmine.db.damaged-*"))) == 1
    assert not list((job_file.parent / "runs").glob("*.damaged-*"))


def test_a_run_that_was_moved_away_behind_a_link_is_not_pruned(tmp_path, job_file):
    """*Proves:* prune names the link and removes nothing; the nights after it go on.

    *Sensitivity:* a folder removed through a link would be one outside of the store.
    """
    place, archive = job_file.parent / "runs" / "small" / DAY.isoformat() / "r1", tmp_path / "archive"
    place.rename(archive)
    place.symlink_to(archive)
    night(job_file, DAY + timedelta(days=2))
    store = read_job(job_file).open_store()
    with pytest.raises(BadInput, match="r1: is a link"):
        prune(read_job(job_file), store, DAY + timedelta(days=1))
    store.close()
    assert place.is_symlink()
    assert (archive / "record.json").is_file()
    assert night(job_file, DAY + timedelta(days=3)).new


def test_figures_are_written_where_their_link_leads_and_a_backup_takes_no_link(tmp_path, job_file):
    """*Proves:* a linked file gets the new content; a backup, which holds all of a plant, is written to no link.

    *Sensitivity:* a rename over the link leaves the linked file as it was, and a monitor that reads it goes on seeing
    a healthy plant.
    """
    (tmp_path / "store").mkdir()
    for name, write in (
        ("flexmine.prom", lambda to: write_metrics(health(read_job(job_file), evening_before(DAY)), to)),
        ("copy.csv", lambda to: write_durably(to, b"new")),
    ):
        real, link = tmp_path / "store" / name, tmp_path / name
        real.write_bytes(b"old")
        link.symlink_to(real)
        write(link)
        assert link.is_symlink()
        assert real.read_bytes() != b"old"
    for name, words in (("flexmine.prom", "is a link"), ("store", "is a folder")):
        with pytest.raises(BadInput, match=words):
            backup_job(read_job(job_file), tmp_path / name)
    assert sorted(p.name for p in (tmp_path / "store").iterdir()) == ["copy.csv", "flexmine.prom"]


def test_a_publication_through_a_link_and_an_archived_one(tmp_path):
    """*Proves:* the folder of publications may be a link; one that was moved away behind a link is forgotten without an
    error, and its files stay.

    *Sensitivity:* a folder removed through a link is refused by the system, after the pointer has moved.
    """
    (tmp_path / "disk").mkdir()
    target = tmp_path / "to"
    target.symlink_to(tmp_path / "disk")
    publish(written(tmp_path / "a"), target, Terms(keep=2), now=BEFORE)
    (tmp_path / "disk" / "00000001").rename(tmp_path / "archived")
    (tmp_path / "disk" / "00000001").symlink_to(tmp_path / "archived")
    for hours, name in ((1, "b"), (2, "c")):
        now = BEFORE + timedelta(hours=hours + 1)  # when nothing of the plan before holds any more
        assert publish(written(tmp_path / name, hours=hours), target, Terms(keep=2), now=now).new
    assert target.is_symlink()
    assert read_current(target).sequence == 3
    assert sorted(p.name for p in (tmp_path / "disk").glob("0*")) == ["00000002", "00000003"]
    assert (tmp_path / "archived" / "publication.json").is_file()
    lost = tmp_path / "lost"
    lost.symlink_to(tmp_path / "not-mounted" / "to")
    with pytest.raises(BadInput, match="there is no folder"):
        publish(tmp_path / "a", lost, now=BEFORE)
