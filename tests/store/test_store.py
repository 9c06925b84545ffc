"""The store of runs, the same on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import StatementError

from flexmine.errors import BadInput
from flexmine.jobs.executed_days import executed, join
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.jobs.prune import prune
from flexmine.jobs.reproduce import reproduce
from flexmine.store.database import MIGRATIONS, NEWEST_VERSION, database_url, open_database
from flexmine.store.readings import Reading, add_readings, readings_between
from flexmine.store.records import RunRecord
from flexmine.store.runs import Attempt, RunStore
from flexmine.store.tables import Base
from nights import evening_before, issue_surplus, write_job

DAY = date(2024, 6, 3)
NOON = datetime(2024, 6, 3, 12, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def store(store_url, tmp_path):
    opened = RunStore(open_database(database_url(store_url, tmp_path, tmp_path)), tmp_path)
    yield opened
    opened.close()


def _record(run_id="abcd-1", day=DAY, revision=1, **more):
    return RunRecord(
        run_id=run_id,
        plant="small",
        day=day,
        revision=revision,
        inputs_sha256="0" * 64,
        status="optimal",
        exit_code=0,
        planned_at=NOON,
        valid_from=NOON,
        valid_until=NOON + timedelta(days=1),
        money_usd=1.5,
        gap=0.0,
        **more,
    )


def test_a_record_comes_back_as_it_was(store):
    """*Proves:* moments, labels, feeds and changes survive the database.  *Sensitivity:* a lost offset moves a plan."""
    record = _record(labels=("ä label",), feeds=({"series": "x", "step": "newest"},), changes=("c: 1 -> 2",))
    store.add(record)
    back = store.find("abcd")
    assert back == record
    assert back.valid_from.utcoffset() == timedelta(hours=8)


def test_what_is_asked_of_days_and_revisions(store):
    store.add(_record("a-1", DAY, 1))
    store.add(_record("a-2", DAY, 2))
    store.add(_record("b-1", DAY + timedelta(days=2), 1))
    assert [r.revision for r in store.revisions("small", DAY)] == [1, 2]
    assert store.newest("small", DAY).run_id == "a-2"
    assert store.newest("small", DAY + timedelta(days=1)) is None
    assert store.last_day_before("small", DAY + timedelta(days=2)) == DAY
    assert store.last_day("small") == DAY + timedelta(days=2)
    assert [r.run_id for r in store.followed_of_days("small")] == ["a-2", "b-1"]
    assert [r.run_id for r in store.history("small", 2)] == ["b-1", "a-2"]
    assert store.history("another") == []
    store.mark_published("a-2", 7)
    assert store.last_published("small").sequence == 7
    store.remove(["a-1"])
    assert [r.run_id for r in store.revisions("small", DAY)] == ["a-2"]


def test_a_revision_stands_once(store):
    """*Proves:* two runs cannot both become revision 1.  *Sensitivity:* a table without the constraint takes both."""
    store.add(_record("one-1"))
    with pytest.raises(BadInput, match="the store cannot be written"):
        store.add(_record("two-1"))
    assert [r.run_id for r in store.history("small")] == ["one-1"]


def test_a_run_is_found_by_the_beginning_of_its_id(store):
    store.add(_record("abcd-1"))
    store.add(_record("abce-1", revision=2))
    assert store.find("abcd").run_id == "abcd-1"
    for asked, message in (
        ("abc%", "no run begins"),
        ("zzzz", "no run begins"),
        ("ab", "at least 4"),
        ("abc_", "no run"),
    ):
        with pytest.raises(BadInput, match=message):
            store.find(asked)


def test_attempts_keep_their_order_and_words(store):
    first = Attempt("run", "small", DAY, NOON).ended_with(2, "bad_input", ["a feed is late", "another"])
    store.add_attempt(first)
    store.add_attempt(Attempt("run2", "small", None, NOON).ended_with(0, "optimal", []))
    second, back = store.attempts("small")
    assert second.day is None and second.exit_code == 0
    assert back.messages == ("a feed is late", "another")
    assert back.started == NOON and back.ended.tzinfo is not None


def test_readings_replace_themselves(store):
    """*Proves:* a corrected meter file takes the place of the first one; run ids point to runs that are there."""
    store.add(_record("abcd-1"))

    def reading(mw):
        return Reading("C01", NOON, NOON + timedelta(hours=1), "it", mw, True, 1.0, True, "abcd-1", -3.5)

    add_readings(store.engine, "small", [reading(1.0)])
    add_readings(store.engine, "small", [reading(1.1)])
    found = readings_between(store.engine, "small", NOON, NOON + timedelta(hours=1))
    assert [r.power_mw for r in found] == [1.1]
    assert found[0].begin == NOON and found[0].inside_temperature_c == -3.5
    store.remove(["abcd-1"])
    assert readings_between(store.engine, "small", NOON, NOON + timedelta(hours=1))[0].run_id == ""


def test_the_migrations_make_the_tables_that_the_code_knows(store):
    """*Proves:* every column of the code is in the migrated database, and the newest version is the last script."""
    found = inspect(store.engine)
    for table in Base.metadata.sorted_tables:
        assert {c["name"] for c in found.get_columns(table.name)} == {c.name for c in table.columns}
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST_VERSION


def test_several_may_open_an_empty_database_at_once(store_url, tmp_path):
    """*Proves:* the tables are made once, and all find them.  *Sensitivity:* the second would fail to make them."""
    url = database_url(store_url, tmp_path, tmp_path)
    wanted = {table.name for table in Base.metadata.sorted_tables}
    with ThreadPoolExecutor(4) as pool:
        for engine in pool.map(lambda _: open_database(url), range(4)):
            assert wanted <= set(inspect(engine).get_table_names())
            engine.dispose()


def test_tables_of_a_newer_flexmine_are_left_alone(store, store_url, tmp_path):
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadInput, match="a newer flexmine has written it"):
        open_database(database_url(store_url, tmp_path, tmp_path))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url", "is not a URL of a database"),
        ("sqlite:////proc/nowhere/store.db", "cannot be opened"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be opened|is not installed"),
    ],
)
def test_a_store_that_cannot_be_opened_is_bad_input(tmp_path, url, message):
    with pytest.raises(BadInput, match=message):
        open_database(database_url(url, tmp_path, tmp_path))


def test_nights_on_this_database(store_url, tmp_path):
    """*Proves:* nights, a revision, adoption of a run whose row was lost, reproduction and pruning, on this backend."""
    job_file = write_job(tmp_path, DAY, 3, more=f'store: "{store_url}"\n')
    job = read_job(job_file)
    days = [DAY + timedelta(days=i) for i in range(3)]
    for day in days:
        Night(job, evening_before(day)).run(day)
    issue_surplus(tmp_path, days[2], revision=2, factor=0.5)
    revised = Night(job, evening_before(days[2])).run(days[2])[0]
    assert revised.record.revision == 2
    store = job.open_store()
    store.remove([store.newest("small", days[1]).run_id])
    Night(job, evening_before(days[2])).run(days[2])
    assert [(r.day, r.revision) for r in store.history("small")] == [
        (days[2], 2),
        (days[2], 1),
        (days[1], 1),
        (days[0], 1),
    ]
    assert join(executed(store, "small")).replay.violations == ()
    again = reproduce(store, revised.record)
    assert again.differing == () and "setpoints.csv" in again.same
    gone = prune(job, store, days[2])
    assert [r.day for r in gone.gone] == [days[0]]
    assert not Path(job.folder / "small" / days[0].isoformat()).exists()
    assert {r.exit_code for r in store.attempts("small")} == {0}
    store.close()


def test_moments_without_offset_are_refused(store):
    """*Proves:* a moment without offset never reaches the database.  *Sensitivity:* SQLite would keep it as UTC."""
    with pytest.raises(StatementError, match="has no offset"):
        store.add_attempt(Attempt("r", "small", DAY, datetime(2024, 6, 3)).ended_with(0, "optimal", []))
