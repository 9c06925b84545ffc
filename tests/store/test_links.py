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
    """A job of two nights, whose runs of the plant and whose database lie on another disk, behind links."""
    here, disk = tmp_path / "here", tmp_path / "disk"
    shutil.copytree(once, here, symlinks=True)
    disk.mkdir()
    for name in ("small", "flexmine.db", "flexmine.db-wal", "flexmine.db-shm"):
        if (here / "runs" / name).exists():
            (here / "runs" / name).rename(disk / name)
    for name in ("small", "flexmine.db"):
        (here / "runs" / name).symlink_to(disk / name)
    return here / "job.yaml"


def test_a_restore_replaces_what_the_link_of_the_plant_leads_to(tmp_path, job_file):
    """*Proves:* the link stays, the restored runs and those that were there lie on its disk, the next night goes on.

    *Sensitivity:* with the link renamed, the runs would move to the disk of the link without a word.
    """
    backup_job(read_job(job_file), tmp_path / "backup.tar.gz")
    night(job_file, DAY + timedelta(days=2))
    restore_job(read_job(job_file), tmp_path / "backup.tar.gz", overwrite=True)
    link = job_file.parent / "runs" / "small"
    assert link.is_symlink()
    (aside,) = (tmp_path / "disk").glob("small.replaced-*")
    assert (aside / "2024-04-12").is_dir()
    assert sorted(p.name for p in (tmp_path / "disk" / "small").glob("[0-9]*")) == ["2024-04-10", "2024-04-11"]
    assert night(job_file, DAY + timedelta(days=2)).new


def test_a_restore_onto_a_mount_point_is_refused_before_anything_is_unpacked(tmp_path, job_file, monkeypatch):
    """*Proves:* refused, and nothing is left.  *Sensitivity:* "device busy", after half of it is done."""
    backup_job(read_job(job_file), tmp_path / "backup.tar.gz")
    before = sorted(p.name for p in (tmp_path / "disk").iterdir())
    monkeypatch.setattr("os.path.ismount", lambda p: str(p) == str(tmp_path / "disk" / "small"))
    with pytest.raises(BadInput, match="is a mount point, which cannot be moved aside"):
        restore_job(read_job(job_file), tmp_path / "backup.tar.gz", overwrite=True)
    assert sorted(p.name for p in (tmp_path / "disk").iterdir()) == before


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


def test_a_run_that_was_moved_away_behind_a_link_is_pruned_and_its_files_stay(tmp_path, job_file):
    """*Proves:* the link goes, what it leads to stays, and the nights after it go on.

    *Sensitivity:* a folder removed through a link is refused by the system, that time and every night from there on.
    """
    place, archive = tmp_path / "disk" / "small" / DAY.isoformat() / "r1", tmp_path / "archive"
    place.rename(archive)
    place.symlink_to(archive)
    night(job_file, DAY + timedelta(days=2))
    store = read_job(job_file).open_store()
    assert [r.day for r in prune(read_job(job_file), store, DAY + timedelta(days=1)).gone] == [DAY]
    store.close()
    assert not place.parent.exists()
    assert (archive / "record.json").is_file()
    assert night(job_file, DAY + timedelta(days=3)).new


def test_a_backup_and_the_figures_are_written_where_their_links_lead(tmp_path, job_file):
    """*Proves:* linked files get the new content.  *Sensitivity:* a rename over the link leaves them as they were, and
    a monitor that reads the linked file goes on seeing a healthy plant.
    """
    (tmp_path / "store").mkdir()
    for name, write in (
        ("backup.tar.gz", lambda to: backup_job(read_job(job_file), to)),
        ("flexmine.prom", lambda to: write_metrics(health(read_job(job_file), evening_before(DAY)), to)),
        ("copy.csv", lambda to: write_durably(to, b"new")),
    ):
        real, link = tmp_path / "store" / name, tmp_path / name
        real.write_bytes(b"old")
        link.symlink_to(real)
        write(link)
        assert link.is_symlink()
        assert real.read_bytes() != b"old"
    assert sorted(p.name for p in (tmp_path / "store").iterdir()) == ["backup.tar.gz", "copy.csv", "flexmine.prom"]
    for place in (tmp_path / "store", tmp_path / "gone"):
        with pytest.raises(BadInput, match=r"is a folder|links lead in a circle"):
            if not place.exists():
                place.symlink_to(place)
            backup_job(read_job(job_file), place)


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
        assert publish(written(tmp_path / name, hours=hours), target, Terms(keep=2), now=BEFORE).new
    assert target.is_symlink()
    assert read_current(target).sequence == 3
    assert sorted(p.name for p in (tmp_path / "disk").glob("0*")) == ["00000002", "00000003"]
    assert (tmp_path / "archived" / "publication.json").is_file()
    lost = tmp_path / "lost"
    lost.symlink_to(tmp_path / "not-mounted" / "to")
    with pytest.raises(BadInput, match="there is no folder"):
        publish(tmp_path / "a", lost, now=BEFORE)
