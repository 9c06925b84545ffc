"""A small plant under storms: its commands in processes of their own, and what has to hold whatever happens to them."""

import copy
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from flexmine.audit.directory import audit_directory
from flexmine.cli.main import cli
from flexmine.jobs.health import health
from flexmine.jobs.intraday import Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.lock import plant_lock
from flexmine.jobs.night import Night
from flexmine.jobs.prune import prune
from flexmine.jobs.recover import finish_restore
from flexmine.publish.directory import publish
from flexmine.publish.reader import read_current
from flexmine.publish.whole import faults_of
from flexmine.store.sealed import digest_of
from nights import evening_before, write_job

ONE_DAY = timedelta(days=1)
DOCUMENTED = frozenset({0, 2, 3, 4, 5, 6})
"""Exit codes of the runbook; 1 is an internal error, or a plan that failed its audit."""
INTERNAL = ("internal error", "Traceback", "internal_error")


def whole(target):
    """Return the current publication after checking everything about it."""
    current = read_current(target)
    assert faults_of(current) == []
    assert audit_directory(current.plan_directory).ok
    assert len(current.rows()) == current.document["rows"]
    assert {row["sequence"] for row in current.rows()} == {str(current.sequence)}
    return current


def in_a_child(work):
    """Return the process id of a forked child that does `work` and exits with 0, or with 1 where it raises."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def killed_after(work, seconds):
    """Do `work` in a child and kill it after so long; return whether it was still at work."""
    pid = in_a_child(work)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def command(*arguments):
    """Return exit code and output of a command in this process."""
    done = CliRunner().invoke(cli, list(map(str, arguments)))
    trace = "" if done.exception is None or isinstance(done.exception, SystemExit) else f"Traceback {done.exception!r}"
    return done.exit_code, done.output + trace


@dataclass
class Plant:
    """A job with feeds for many days, and its clock: 18:00 of the day before the next night.

    Attributes
    ----------
    kept : set
        (day, revision, seal) of every run that is known to be complete; none of them may be lost.
    in_backup : set
        Those that the last backup holds.
    """

    folder: Path
    first: date
    days: int
    more: str = ""
    night_of: date = field(init=False)
    kept: set = field(default_factory=set)
    in_backup: set = field(default_factory=set)
    sequence: int = 0

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = write_job(self.folder, self.first, self.days, more=self.more)
        self.night_of = self.first

    @property
    def target(self):
        return self.folder / "published"

    @property
    def backup_file(self):
        return self.folder / "backups" / "store.tar.gz"

    def copied(self, folder):
        """Return the same plant in another folder, for a test to spoil."""
        twin = copy.copy(self)
        twin.folder = shutil.copytree(self.folder, folder, symlinks=True)
        twin.file, twin.kept = twin.folder / self.file.name, set(self.kept)
        return twin

    @property
    def job(self):
        return read_job(self.file)

    @property
    def evening(self):
        return evening_before(self.night_of)

    @property
    def forenoon(self):
        """09:40 UTC of the day whose plan was made last."""
        day = self.night_of - ONE_DAY
        return datetime.fromisoformat(f"{day}T09:40:00+00:00")

    # What may be killed; each is one command as of the plant's clock.

    def nightly(self):
        Night(self.job, self.evening).run(self.night_of)

    def replan(self):
        Intraday(Night(self.job, self.forenoon), "replan").run()

    def redispatch(self):
        Intraday(Night(self.job, self.forenoon), "redispatch").run()

    def publish(self):
        """Put an older plan that is still valid back by hand, as the runbook says."""
        job = self.job
        store = job.open_store()
        valid = [r for r in store.history(job.plant) if r.valid_until > self.forenoon and r.sequence is not None]
        publish(store.plan(valid[-1]), self.target, job.document.publish.terms, now=self.forenoon, supersede=True)
        store.close()

    def backup(self):
        backup_job(self.job, self.backup_file)

    def restore(self):
        restore_job(self.job, self.backup_file, overwrite=True)

    def prune(self):
        job = self.job
        with plant_lock(job.folder, job.plant, 0.0, lambda _: None):
            store = job.open_store()
            finish_restore(job, store, lambda _: None)
            prune(job, store, self.first_kept)
            store.close()

    @property
    def first_kept(self):
        return self.night_of - 4 * ONE_DAY

    # What has to hold.

    def history(self):
        job = self.job
        store = job.open_store()
        try:
            return {(r.day, r.revision, r.seal) for r in store.history(job.plant)}
        finally:
            store.close()

    def check_published(self):
        """What machines read is whole and its number has not gone down."""
        current = whole(self.target)
        assert current.sequence >= self.sequence
        self.sequence = current.sequence
        return current

    def look(self, now):
        """Return the health in words; whatever is found, it can be looked at."""
        found = health(self.job, now)
        assert not [line for line in found.lines if "cannot be looked at" in line], found.lines
        return found

    def check_next_night(self):
        """The next run succeeds and puts everything in order; then nothing is lost, torn or left lying about."""
        job = self.job
        result = Night(job, self.evening).run(self.night_of)[-1]
        assert result.record.sequence is not None and result.record.exit_code == 0
        current = self.check_published()
        assert current.document["run"]["run_id"] == result.record.run_id
        found = self.look(self.evening)
        # A small disk of a test has little room from the beginning.
        assert not [c for c in found.checks if c.level and c.name != "disk"], found.lines
        self.check_store()
        self.night_of += ONE_DAY

    def check_store(self):
        """Rows, files and publication fit each other, every run is what was stored, and no temporary file is left."""
        job = self.job
        store = job.open_store()
        records = store.history(job.plant)
        for record in records:
            assert digest_of(store.place(record) / "inputs") == record.inputs_sha256
            assert store.checked(record, audited=True).sealed
        current = read_current(self.target)
        assert store.run(current.document["run"]["run_id"]).sequence == current.sequence
        store.close()
        found = {(r.day, r.revision, r.seal) for r in records}
        assert found >= self.kept, self.kept - found
        self.kept = found
        place = job.folder / job.plant
        assert {f"{p.parent.name}/{p.name}" for p in place.glob("[0-9]*/*")} == {
            f"{r.day}/r{r.revision}" for r in records
        }
        assert list(place.glob(".staging/*")) == [] and not (place / ".damaged").exists()
        usual = ("flexmine.db", f"{job.plant}.replaced")
        left = {p.name for p in job.folder.iterdir() if not p.name.startswith(usual)}
        assert left <= {job.plant, f".{job.plant}.lock"}
        assert [
            p.name for p in self.target.iterdir() if p.name.startswith((".new", ".old", ".current", ".health"))
        ] == []
