"""A backup does not depend on the database: made on SQLite, restored into each kind, made again, the same rows."""

from datetime import UTC, date, datetime, timedelta

from flexmine.store.backup import backup, rows_of
from flexmine.store.database import database_url, open_database
from flexmine.store.readings import Reading, add_readings
from flexmine.store.records import RunRecord, record_text
from flexmine.store.restore import restore
from flexmine.store.runs import Attempt, RunStore

BEGIN = datetime(2024, 6, 3, tzinfo=UTC)


def _filled(folder):
    """A store on SQLite with a run and its files, an attempt that failed, and readings that refer to the run."""
    store = RunStore(open_database(database_url(None, folder, folder)), folder)
    record = RunRecord(
        run_id="abcd-1",
        plant="small",
        day=date(2024, 6, 3),
        revision=1,
        inputs_sha256="0" * 64,
        status="optimal",
        exit_code=0,
        planned_at=BEGIN,
        valid_from=BEGIN,
        valid_until=BEGIN + timedelta(days=1),
        money_usd=1.5,
        gap=0.0,
        labels=("ä label",),
    )
    (folder / record.folder).mkdir(parents=True)
    (folder / record.folder / "record.json").write_text(record_text(record), encoding="utf-8")
    store.add(record)
    store.mark_published("abcd-1", 7)
    store.add_attempt(Attempt("abcd", "small", None, BEGIN).ended_with(6, "no_plan", ["time was up"]))
    store.add_attempt(Attempt("ef01", "other", None, BEGIN).ended_with(0, "optimal", []))
    return store


def _unchecked(folder, record):
    """The run here has no plan; tests/jobs restores real ones."""


def _rows(engine):
    rows = rows_of(engine, "small")
    for attempt in rows["attempts"]:
        del attempt["id"]
    return rows


def test_from_sqlite_into_each_database_and_back(tmp_path, store_url):
    """*Proves:* runs, attempts and readings are the same in both, moments and numbers of publication included; a new
    attempt gets a number of its own after it.  *Sensitivity:* numbers of rows copied as they are would clash in
    PostgreSQL, whose counter begins at 1.
    """
    (tmp_path / "here").mkdir()
    first = _filled(tmp_path / "here")
    reading = Reading("C01", BEGIN, BEGIN + timedelta(hours=1), "it", 0.5, True, 0.6, True, "abcd-1")
    add_readings(first.engine, "small", [reading])
    backup(first.engine, tmp_path / "here", "small", tmp_path / "one.tar.gz")
    other = RunStore(open_database(database_url(store_url, tmp_path, tmp_path)), tmp_path / "there")
    counts = restore(
        other.engine, tmp_path / "there", "small", tmp_path / "one.tar.gz", overwrite=False, check_run=_unchecked
    )
    assert (counts.runs, counts.rows, counts.files) == (1, 3, 1)
    assert _rows(other.engine) == _rows(first.engine)
    assert other.last_published("small").sequence == 7
    other.add_attempt(Attempt("new0", "small", None, BEGIN).ended_with(0, "optimal", []))
    assert [a.run_id for a in other.attempts("small")] == ["new0", "abcd"]
    assert other.attempts("other") == []
    backup(other.engine, tmp_path / "there", "small", tmp_path / "two.tar.gz")
    restore(first.engine, tmp_path / "here", "small", tmp_path / "two.tar.gz", overwrite=True, check_run=_unchecked)
    assert _rows(first.engine) == _rows(other.engine)
    assert len(first.attempts("other")) == 1
    first.close()
    other.close()
