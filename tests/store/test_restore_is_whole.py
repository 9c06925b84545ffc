"""Killed, refused by the disk or by the database at every step of a restore: all of the store is old, or all is new."""

import errno
import json
import os
import shutil
from datetime import date, timedelta
from itertools import cycle

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

import faults
from backups import GOOD, restored_job, rows, tree
from flexmine.errors import BadInput, FlexmineError
from flexmine.jobs import keep
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.night import Night
from flexmine.jobs.recover import open_recovered
from flexmine.store.swap import JOURNAL, stage_of
from nights import evening_before, write_job
from samples import by_sample

DAY = date(2024, 4, 10)


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """A backup with one night more than the shipped one."""
    folder = tmp_path_factory.mktemp("longer")
    job = restored_job(folder, DAY)
    day = DAY + timedelta(days=2)
    Night(read_job(job), evening_before(day)).run(day)
    backup_job(read_job(job), folder / "longer.tar.gz")
    return folder / "longer.tar.gz"


class Store:
    """A job whose store holds the longer backup, and may be brought back to it."""

    def __init__(self, folder, url, longer):
        self.job_file = write_job(folder, DAY, 4, more=f'store: "{url}"\n')
        self.longer = longer
        self.runs = folder / "runs"
        self.restore(GOOD)
        self.new = self.contents()
        self.begin()
        self.old = self.contents()
        assert self.old != self.new

    def restore(self, source):
        restore_job(read_job(self.job_file), source, overwrite=True)

    def begin(self):
        self.restore(self.longer)
        self.forget()

    def forget(self):
        for aside in self.runs.glob("small.replaced-*"):
            shutil.rmtree(aside)

    def contents(self):
        found = rows(self.job_file)
        for attempt in found["attempts"]:
            del attempt["id"]
        files = {name: what for name, what in tree(self.runs / "small").items() if what[0] != "folder"}
        return found, {name: content for name, (content, *_) in files.items()}

    def recover(self):
        job = read_job(self.job_file)
        open_recovered(job, lambda _: None).close()

    def settled(self):
        """Return whether all of it is new; fail where it is neither, or where anything is left."""
        self.recover()
        contents = self.contents()
        assert contents in (self.old, self.new)
        # An undone restore keeps what it had put in place; a finished one what it has replaced.
        other = (self.old if contents == self.new else self.new)[1]
        asides = list(self.runs.glob("small.replaced-*"))
        assert len(asides) == 1 or (not asides and contents == self.old)
        for aside in asides:
            kept = {name: what[0] for name, what in tree(aside).items() if what[0] != "folder"}
            assert kept == other
        self.forget()
        assert not stage_of(self.runs, "small").exists()
        return contents == self.new


@pytest.fixture
def store(tmp_path, store_url, longer, monkeypatch):
    # What is under test are the writes; test_bad_archives has plans that are none.
    monkeypatch.setattr(keep, "check_run", lambda *_, **__: None)
    return Store(tmp_path, store_url, longer)


def _writes(store):
    ended, writes = faults.child(lambda: store.restore(GOOD), store.runs, 0)
    assert ended == faults.FINISHED and writes > 60
    store.begin()
    return writes


@pytest.mark.parametrize("thin", by_sample(3, 1))
def test_killed_at_any_write(store, thin):
    """*Proves:* after kill -9 before a write, flush, rename, removal or commit of a restore, the next run finds all of
    the old store or all of the new one, and restoring once more succeeds.  (While it is unpacked, which touches
    nothing, at every seventh write; from the flush of the unpacked files on, at every second; in a normal
    run at a third of these.)

    *Sensitivity:* files before rows without a journal leave new files with old rows; rows before files the opposite.
    """
    writes = _writes(store)
    outcomes = []
    for at in [*range(1, writes - 70, 7 * thin), *range(max(1, writes - 70), writes + 1, 2 * thin), writes]:
        ended, _ = faults.child(lambda: store.restore(GOOD), store.runs, at)
        assert ended == faults.KILLED, at
        outcomes.append(store.settled())
        if outcomes[-1]:
            store.begin()
    assert outcomes == sorted(outcomes) and {False, True} == set(outcomes)
    store.restore(GOOD)
    assert store.contents() == store.new


def test_killed_while_it_is_settled(store):
    """*Proves:* finishing and undoing may be killed and begun anew at every write.

    *Sensitivity:* a stage removed before its journal would be taken for one whose new folder is in place.
    """
    writes = _writes(store)
    both = set()
    for at in (writes - 16, writes - 6):
        for again in range(1, 12, 2):
            faults.child(lambda: store.restore(GOOD), store.runs, at)
            faults.child(store.recover, store.runs, again)
            both.add(store.settled())
            store.begin()
    assert both == {False, True}


@pytest.mark.parametrize("thin", by_sample(3, 1))
def test_the_disk_refuses_any_write(store, thin):
    """*Proves:* a disk that is full or read-only ends a restore in words; the old store stands, or the restore is
    finished by the next run.  *Sensitivity:* a rename that fails after the first would leave a plant without a folder.
    """
    refusals = cycle([errno.ENOSPC, errno.EROFS, errno.EACCES])
    writes = _writes(store)
    for at in [*range(1, writes - 50, 20 * thin), *range(max(1, writes - 50), writes, 3 * thin)]:
        ended, _ = faults.child(
            lambda: store.restore(GOOD), store.runs, at, faults.raising(next(refusals)), expected=FlexmineError
        )
        assert ended in (faults.FAILED, faults.FINISHED), at
        if not stage_of(store.runs, "small").exists():
            assert store.contents() in (store.old, store.new), at
        if store.settled():
            store.begin()


def _failing(at, seen):
    def before(connection, cursor, statement, parameters, context, many):
        seen.append(statement)
        if len(seen) == at:
            raise OperationalError(statement, {}, Exception("the server went away"))

    return before


def test_the_database_fails_at_any_statement(store):
    """*Proves:* whichever statement fails, files and rows are as they were, at once or after the next run."""
    seen = []
    listener = _failing(0, seen)
    event.listen(Engine, "before_cursor_execute", listener)
    store.restore(GOOD)
    event.remove(Engine, "before_cursor_execute", listener)
    store.begin()
    first = next(i for i, statement in enumerate(seen, 1) if "DELETE" in statement)
    for at in range(first, len(seen) + 1):
        listener = _failing(at, [])
        event.listen(Engine, "before_cursor_execute", listener)
        with pytest.raises(BadInput, match="the server went away") as error:
            store.restore(GOOD)
        event.remove(Engine, "before_cursor_execute", listener)
        if "small is restored" not in str(error.value):
            assert stage_of(store.runs, "small").exists() or store.contents() == store.old
        if store.settled():
            store.begin()


@pytest.mark.parametrize("committed", [False, True])
def test_the_commit_fails_or_its_answer_is_lost(store, committed):
    """*Proves:* what the database has done decides, not what it has answered.

    *Sensitivity:* files moved back after a commit whose answer was lost stand beside rows of the restored ones.
    """

    def answer(connection):
        journal = stage_of(store.runs, "small") / JOURNAL
        if not journal.exists() or '"committed": true' in journal.read_text():
            return
        event.remove(Engine, "commit", answer)
        if committed:
            connection.connection.commit()
        raise OperationalError("COMMIT", {}, Exception("no answer"))

    event.listen(Engine, "commit", answer)
    if committed:
        store.restore(GOOD)
        assert store.contents() == store.new
    else:
        with pytest.raises(BadInput, match="no answer"):
            store.restore(GOOD)
        assert store.contents() == store.old
    assert store.settled() is committed


def test_a_run_of_another_plant_has_the_id(store):
    """*Proves:* a clash that only the database knows leaves rows and files as they were, and is told in one line."""
    job = read_job(store.job_file)
    opened = job.open_store()
    run = next(row["run_id"] for row in rows(store.job_file)["runs"] if row["day"] == DAY.isoformat())
    with opened.engine.begin() as connection:
        connection.execute(text("UPDATE runs SET plant = 'other' WHERE run_id = :run"), {"run": run})
    opened.close()
    store.old = store.contents()
    with pytest.raises(BadInput, match="the store cannot be written: ") as error:
        store.restore(GOOD)
    assert all(message.isprintable() for message in error.value.messages)
    assert store.contents() == store.old
    assert not stage_of(store.runs, "small").exists() and not list(store.runs.glob("small.replaced-*"))


def test_without_a_store_before(tmp_path, store_url):
    """*Proves:* a first restore that fails leaves no folder of the plant, and one that is killed none or all of it."""
    job_file = write_job(tmp_path, DAY, 4, more=f'store: "{store_url}"\n')
    runs = tmp_path / "runs"

    def restore():
        restore_job(read_job(job_file), GOOD, overwrite=False)

    def empty():
        return not any(rows(job_file).values()) and not (runs / "small").exists()

    for at in (40, 70, 80, 85, 88):
        faults.child(restore, runs, at)
        open_recovered(read_job(job_file), lambda _: None).close()
        if not empty():
            assert len(rows(job_file)["runs"]) == 2
            break
    else:
        restore()


def _journal(store, text):
    stage = stage_of(store.runs, "small")
    stage.mkdir(exist_ok=True)
    (stage / JOURNAL).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "journal",
    [
        '{"token": "x", "aside": null}',
        '{"token": "%s", "aside": "../../x"}' % ("0" * 32),
        '{"token": "%s", "aside": ""}' % ("0" * 32),
        '{"token": "%s", "aside": "20240410T0000Z"}' % ("0" * 32),
        '{"token": "%s", "aside": "other.replaced-20240410T0000Z"}' % ("0" * 32),
        '{"token": "%s", "aside": null, "aside": null}' % ("0" * 32),
        '{"token": "%s", "aside": null, "committed": 1}' % ("0" * 32),
        "[]",
        "{",
        "[" * 3000,
        "x" * 5000,
        # Well formed, and stale or forged: they would undo what no restore has done.
        '{"token": "%s", "aside": null}' % ("0" * 32),
        '{"token": "%s", "aside": "small.replaced-20240410T0000Z"}' % ("0" * 32),
    ],
)
def test_what_an_unknown_hand_wrote_into_the_journal(store, journal):
    """*Proves:* a journal that names another folder, or does not fit what is there, is refused and nothing is moved.

    *Sensitivity:* the folder that it calls aside would be renamed to that of the plant, or the plant's be removed.
    """
    _journal(store, journal)
    with pytest.raises(BadInput, match=r"is not a journal of a restore.*nothing was moved"):
        store.recover()
    with pytest.raises(BadInput, match="a restore is under way or was interrupted"):
        backup_job(read_job(store.job_file), store.runs.parent / "b.tar.gz")
    assert store.contents() == store.old
    shutil.rmtree(stage_of(store.runs, "small"))


def test_a_pipe_in_the_place_of_the_journal(store):
    """*Proves:* it is refused.  *Sensitivity:* opening it would wait for a writer that never comes."""
    stage = stage_of(store.runs, "small")
    stage.mkdir()
    os.mkfifo(stage / JOURNAL)
    with pytest.raises(BadInput, match="is a pipe, not a file"):
        store.recover()


def test_an_earlier_folder_that_has_other_runs_is_not_put_back(store):
    """*Proves:* a folder that a journal calls aside has to hold the runs that the database knows.

    *Sensitivity:* with any folder put in its place, every run would end with exit 2.
    """
    aside = store.runs / "small.replaced-20230410T0000Z"
    (aside / "2023-04-10" / "r1").mkdir(parents=True)
    _journal(store, json.dumps({"token": "0" * 32, "aside": aside.name}))
    with pytest.raises(BadInput, match="it has not the runs of the database; nothing was moved"):
        store.recover()
    assert store.contents() == store.old


def test_without_its_database_no_restore_is_undone(tmp_path):
    """*Proves:* where the database was lost too, a journal moves nothing: the runs stay where they are.

    *Sensitivity:* an empty database knows of no runs, so that all of them would be moved aside, and a plan be made from
    the initial state.
    """
    job_file = restored_job(tmp_path / "here", DAY)
    runs = tmp_path / "here" / "runs"
    stage = stage_of(runs, "small")
    stage.mkdir()
    (stage / JOURNAL).write_text(json.dumps({"token": "0" * 32, "aside": None}), encoding="utf-8")
    (runs / "flexmine.db").write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(BadInput, match="and a restore was interrupted, of which only the database knows"):
            open_recovered(read_job(job_file), lambda _: None)
        assert (runs / "small" / DAY.isoformat() / "r1").is_dir()


def test_a_forged_journal_that_names_an_earlier_folder_loses_nothing(store):
    """*Proves:* what stands in place is kept beside it under a name of its own.

    *Sensitivity:* an undoing that removes what it takes out of the place would remove the only copy of the runs.
    """
    before = store.contents()[1]
    aside = store.runs / "small.replaced-20240410T0000Z"
    shutil.copytree(store.runs / "small", aside)
    _journal(store, json.dumps({"token": "0" * 32, "aside": aside.name}))
    store.recover()
    (kept,) = store.runs.glob("small.replaced-*")
    assert {name: what[0] for name, what in tree(kept).items() if what[0] != "folder"} == before
