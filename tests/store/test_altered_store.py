"""A database or a folder that other hands have changed: told with its place, and nothing outside is touched."""

import json
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import get_args

import pytest
from sqlalchemy import text

from backups import copied, restored_job, rows, tree
from flexmine.errors import EXIT_CODES, BadInput, FlexmineError, Status
from flexmine.jobs.feeds import NEWEST
from flexmine.jobs.health import health
from flexmine.jobs.intraday import REDISPATCH, REPLAN
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job
from flexmine.jobs.prune import prune
from flexmine.jobs.recover import open_recovered
from flexmine.jobs.schema import LadderStep
from flexmine.store.files import dying, remove
from flexmine.store.places import run_file
from flexmine.store.readings import readings_between
from flexmine.store.record_schema import Kind, PlannedStatus, RecordDocument, Step
from flexmine.store.records import AGAIN, NIGHT, RunRecord, record_of, record_text
from flexmine.store.row_checks import AttemptStatus
from flexmine.store.runs import Attempt
from nights import evening_before
from shell import in_process

DAY = date(2024, 4, 10)
LATER = DAY + timedelta(days=30)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A job with a store, and a folder beside it that looks like a run."""
    folder = tmp_path_factory.mktemp("once")
    restored_job(folder / "here", DAY)
    run = folder / "outside" / DAY.isoformat() / "r1"
    run.mkdir(parents=True)
    (run / "keep.txt").write_text("keep\n", encoding="utf-8")
    (run.parent / ".gone-r2").mkdir()
    (run.parent / ".gone-r2" / "keep.txt").write_text("keep\n", encoding="utf-8")
    return folder


@pytest.fixture
def here(tmp_path, once):
    copied(once, tmp_path)
    return tmp_path


def job_of(here):
    return read_job(here / "here" / "job.yaml")


def execute(here, *statements):
    store = job_of(here).open_store()
    with store.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    store.close()


def in_document(key, value):
    return f"UPDATE runs SET document = json_set(document, '$.{key}', json('{json.dumps(value)}')) WHERE day = '{DAY}'"


RUNS = {
    "a plant that leads outside": (
        [in_document("plant", "../outside")],
        "document: plant: '../outside' is not allowed",
    ),
    "a day that is a path": ([in_document("day", "../../outside")], "document: day: "),
    "a revision that is a path": ([in_document("revision", "1/../../x")], "document: revision: "),
    "another revision than the column": (
        [in_document("revision", 2)],
        "revision: 1 is not allowed; allowed, by the record",
    ),
    "a folder": (
        ["UPDATE runs SET folder = '../outside/2024-04-10/r1'"],
        "folder: '../outside/2024-04-10/r1' is not allowed",
    ),
    "more money": (["UPDATE runs SET money_usd = 1e6"], "money_usd: 1000000.0 is not allowed; allowed, by the record"),
    "money that is infinite": (["UPDATE runs SET money_usd = 9e999"], "money_usd: inf"),
    "money that is text": (["UPDATE runs SET money_usd = 'much'"], "money_usd: the text 'much'"),
    "a document that is not JSON": (["UPDATE runs SET document = '{'"], "a row holds no value of its column"),
    "a document that is a list": (["UPDATE runs SET document = '[]'"], "document: "),
    "an empty document": (["UPDATE runs SET document = '{}'"], "document: .* is missing"),
    "a label with an escape": (
        [in_document("labels", ["\x1b[2J"])],
        "document: labels.0: the text holds the character",
    ),
    "a day that is none": (
        [f"UPDATE runs SET day = 'today' WHERE day = '{DAY}'"],
        "a row holds no value of its column",
    ),
    "a time that is none": (["UPDATE runs SET planned_at = 'now'"], "a row holds no value of its column"),
    "the highest number that fits": (
        [f"UPDATE runs SET sequence = 2147483647 WHERE day = '{DAY}'"],
        "sequence: 2147483647 is out of range",
    ),
    "a number of publication": ([f"UPDATE runs SET sequence = -1 WHERE day = '{DAY}'"], "sequence: -1 is out of range"),
}


@pytest.mark.parametrize("name", RUNS)
def test_an_altered_run_is_told_and_nothing_is_removed(here, name):
    """*Proves:* history, prune, backup and the next run refuse a row that does not fit its record, with table, run, key
    and value; nothing inside or outside is removed.  *Sensitivity:* a folder made of `plant` and `day` as the row has
    them was outside of the store, and prune removed it.
    """
    statements, words = RUNS[name]
    execute(here, *statements)
    before = tree(here, ("flexmine.db", "-wal", "-shm"))
    job = job_of(here)
    store = job.open_store()
    with pytest.raises(BadInput, match=words):
        store.history("small")
    with pytest.raises(BadInput, match=words):
        prune(job, store, LATER)
    store.close()
    for ask in (lambda: backup_job(job, here / "b.tar.gz"), lambda: open_recovered(job, lambda _: None)):
        with pytest.raises(BadInput, match=words):
            ask()
    assert tree(here, ("flexmine.db", "-wal", "-shm")) == before


def test_as_a_shell_sees_it(here):
    """*Proves:* exit 2 with the place, for commands that read runs, attempts and readings; health says critical.

    *Sensitivity:* an internal error would send the operator to us and not to the row.
    """
    execute(here, "UPDATE attempts SET status = 'fine'", "UPDATE readings SET power_mw = 'much'")
    job_file = here / "here" / "job.yaml"
    shown = in_process("history", job_file, "--attempts")
    assert shown.returncode == 2
    assert "the store: table attempts, id 2: status: the text 'fine' is not allowed; allowed: 'optimal'" in shown.stderr
    found = health(job_of(here), evening_before(DAY))
    assert any("table attempts, id 2: status" in line for line in found.lines) and int(found.level) == 2
    execute(here, *RUNS["a plant that leads outside"][0])
    for command in (
        ("history",),
        ("prune", "--days", "2"),
    ):
        done = in_process(command[0], job_file, *command[1:])
        assert (done.returncode, "internal error" in done.stderr) == (2, False), done.stderr
        assert "document: plant: '../outside' is not allowed" in done.stderr
    store = job_of(here).open_store()
    with pytest.raises(BadInput, match=r"table readings, C01 at .*: power_mw: 'much' is not allowed; a finite number"):
        readings_between(store.engine, "small", evening_before(DAY), evening_before(LATER))
    store.close()


def test_words_in_attempts_are_printable(here):
    """*Proves:* control characters in a message are shown as they are written, in history and in a backup.

    *Sensitivity:* one of them would clear a terminal, or make a backup that cannot be restored.
    """
    store = job_of(here).open_store()
    started = evening_before(DAY)
    store.add_attempt(Attempt("now-1", "small", DAY, started).ended_with(2, "bad_input", ["a\x1b[2J"]))
    store.close()
    execute(here, "UPDATE attempts SET messages = '[\"old\\nline\"]' WHERE id = 1")
    store = job_of(here).open_store()
    assert [a.messages for a in store.attempts("small")] == [("a\\x1b[2J",), (), ("old\\nline",)]
    store.close()
    assert backup_job(job_of(here), here / "b.tar.gz").runs == 2
    assert rows(here / "here" / "job.yaml")["attempts"][0]["messages"] == ["old\\nline"]


@pytest.mark.parametrize("level", ["plant", "day", "run", "removed"])
def test_prune_follows_no_link(here, level):
    """*Proves:* where the folder of a plant, day or run is a link, prune refuses before a row or a file is removed.

    *Sensitivity:* what the link leads to would be renamed and removed.
    """
    runs = here / "here" / "runs"
    place = {
        "plant": runs / "small",
        "day": runs / "small" / DAY.isoformat(),
        "run": runs / "small" / DAY.isoformat() / "r1",
        "removed": runs / "small" / DAY.isoformat() / ".gone-r1",
    }[level]
    target = {"plant": "outside", "day": f"outside/{DAY}"}.get(level, f"outside/{DAY}/r1")
    if level != "removed":
        place.rename(here / "moved")
    place.symlink_to(here / target)
    # The two newest days are never pruned, so the row of this one has to be old.
    execute(here, *_much_older())
    before, known = tree(here, ("flexmine.db", "-wal", "-shm")), rows(here / "here" / "job.yaml")
    job = job_of(here)
    store = job.open_store()
    with pytest.raises(BadInput, match=f"{place.name}: is a link"):
        prune(job, store, LATER)
    store.close()
    assert tree(here, ("flexmine.db", "-wal", "-shm")) == before
    assert rows(here / "here" / "job.yaml") == known


def _much_older():
    """Give the second run a day two days later, so that the first is neither of the last two."""
    old, new = (DAY + timedelta(days=1)).isoformat(), (DAY + timedelta(days=9)).isoformat()
    return [
        f"UPDATE runs SET document = json_set(document, '$.day', '{new}'), day = '{new}', "
        f"folder = 'small/{new}/r1' WHERE day = '{old}'"
    ]


def test_the_next_run_follows_no_link(here):
    """*Proves:* half-removed and unknown folders behind a link in place of a day are neither removed nor moved.

    *Sensitivity:* ``.gone-r2`` behind the link looks like a removal that did not finish.
    """
    (here / "here" / "runs" / "small" / "2024-03-01").symlink_to(here / "outside" / DAY.isoformat())
    before = tree(here / "outside")
    open_recovered(job_of(here), lambda _: None).close()
    staging = here / "here" / "runs" / "small" / ".staging"
    staging.symlink_to(here / "outside")
    with pytest.raises(BadInput, match=r"\.staging: is a link"):
        open_recovered(job_of(here), lambda _: None)
    assert tree(here / "outside") == before


@pytest.mark.parametrize(
    "name", ["small", "small/2024-04-10", "small/2024-04-10/r0", "small/.staging/x", "../outside/2024-04-10/r1", "."]
)
def test_only_folders_of_runs_are_removed(here, name):
    """*Proves:* `remove` itself refuses what is not a PLANT/DAY/rN below the root.  *Sensitivity:* the last line of
    defence, should a caller be wrong.
    """
    runs = here / "here" / "runs"
    before = tree(here)
    for place in (runs / name, dying(runs / name) if name != "." else runs):
        with pytest.raises(BadInput, match=r"is not a folder of a run in .*; it is not touched"):
            remove(runs, place)
    assert tree(here) == before


def test_a_place_is_made_of_what_was_checked(here):
    """*Proves:* a record made in code with a plant that is a path has no place.  *Sensitivity:* ``root / folder`` would
    follow it.
    """
    store = job_of(here).open_store()
    record = store.history("small")[0]
    for plant, revision in (("../outside", 1), ("a/b", 1), ("", 1), ("small", 0), ("small", -1)):
        object.__setattr__(record, "plant", plant)
        object.__setattr__(record, "revision", revision)
        with pytest.raises(BadInput, match=r"is not a name of a folder of runs|is out of range"):
            store.place(record)
    store.close()


def test_record_and_schema_have_the_same_fields(here):
    """*Proves:* what a record holds is what its document may say, but for the number of its publication.

    *Sensitivity:* a field that the schema lacks would be written and never read back.
    """
    named = {field.alias or name for name, field in RecordDocument.model_fields.items()} - {"schema"}
    assert named == {field.name for field in fields(RunRecord)} - {"sequence"}
    for row in rows(here / "here" / "job.yaml")["runs"]:
        assert record_of(row["document"]).document() == {"seal": "", "flexmine": "", **row["document"]}


def test_known_values_are_those_that_flexmine_writes():
    """*Proves:* every kind of run, step of the ladder and ending of an attempt may be read back.

    *Sensitivity:* a step that is added to the ladder alone would be stored and never read.
    """
    steps = {NEWEST, *(get_args(step.model_fields["step"].annotation)[0] for step in get_args(get_args(LadderStep)[0]))}
    assert steps == set(get_args(Step))
    assert {NIGHT, AGAIN, REDISPATCH, REPLAN} == set(get_args(Kind))
    endings = {kind.status for kind in (FlexmineError, *FlexmineError.__subclasses__())} | set(EXIT_CODES)
    assert endings | {"unfinished"} == set(get_args(AttemptStatus))
    assert set(get_args(PlannedStatus)) == {Status.OPTIMAL, Status.FEASIBLE, Status.FALLBACK}


def test_what_cannot_be_read_back_is_not_kept(here):
    """*Proves:* a record with a value that its schema refuses is told before a file of it is written.

    *Sensitivity:* a night would store a plan on which every later night fails.
    """
    store = job_of(here).open_store()
    record = replace(store.history("small")[0], step="new_step", labels=("a\nb",))
    store.close()
    with pytest.raises(BadInput, match="cannot be kept: step: the text 'new_step' is not allowed"):
        record_text(record)
    assert "a\\\\nb" in record_text(replace(record, step="hold"))


def test_names_of_files():
    """*Proves:* what a night writes is a name, with its folder and the rest.  *Sensitivity:* a tighter grammar would
    refuse backups of plants whose sources have long names.
    """
    for rest in (
        "record.json",
        "inputs/case.yaml",
        "inputs/series/hash_value.fees_btc_per_block.csv",
        "plan/plan.json",
    ):
        assert run_file(f"a-b_C1/2024-02-29/r12/{rest}") == ("a-b_C1/2024-02-29/r12", rest)
    longest = f"{'p' * 60}/2024-02-29/r12/inputs/series/sources.{'s' * 60}.price_usd_per_mwh.csv"
    assert run_file(longest) is not None
