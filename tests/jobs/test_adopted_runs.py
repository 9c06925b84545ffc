"""A folder that lost its row is taken in only where all that it says of itself is so; else it is set aside."""

import shutil
from datetime import date, timedelta

import pytest

from audit_plants import edit_json, reseal
from flexmine.audit.plan_files import read_document
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.jobs.recover import open_recovered
from flexmine.store.sealed import digest_of
from nights import evening_before, write_job

DAY = date(2024, 4, 10)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    job = read_job(write_job(folder, DAY, 4))
    Night(job, evening_before(DAY)).run(DAY)
    store = job.open_store()
    store.remove([record.run_id for record in store.history("small")])
    store.close()
    return folder


@pytest.fixture
def run(tmp_path, once):
    shutil.copytree(once, tmp_path / "here", symlinks=True)
    return tmp_path / "here" / "runs" / "small" / DAY.isoformat() / "r1"


def recovered(run):
    """Return the lines of the log, and which revisions the store has then."""
    told = []
    store = open_recovered(read_job(run.parents[3] / "job.yaml"), told.append)
    found = [record.revision for record in store.history("small")]
    store.close()
    return told, found


def record(**what):
    return lambda run: edit_json(run / "record.json", lambda d: d.update(what))


def plan(change, **and_record):
    """Change plan.json, seal it anew, and let the record name that seal."""

    def alter(run):
        edit_json(run / "plan" / "plan.json", change)
        reseal(run / "plan")
        seal = read_document(run / "plan")["seal"]
        edit_json(run / "record.json", lambda d: d.update(seal=seal, **and_record))

    return alter


def dearer(run):
    """The case has another price of hash, and the record the hash of these inputs."""
    case = run / "inputs" / "case.yaml"
    case.write_text(case.read_text(encoding="utf-8").replace("58000", "90000"), encoding="utf-8")
    edit_json(run / "record.json", lambda d: d.update(inputs_sha256=digest_of(run / "inputs")))


def moved(revision):
    def alter(run):
        edit_json(run / "record.json", lambda d: d.update(revision=revision))
        run.rename(run.parent / f"r{revision}")

    return alter


ALTERATIONS = {
    "inputs of another price": (dearer, "follows from the case"),
    "another state after": (
        plan(lambda d: d["state_after"].update(initial_mw=3.1)),
        "state_after.initial_mw: 3.1 is written",
    ),
    "another day": (record(day=(DAY + timedelta(days=1)).isoformat()), "its record belongs to"),
    "valid longer": (record(valid_until="2024-04-12T00:00:00+02:00"), "its published part ends"),
    "valid from earlier": (record(valid_from="2024-04-09T00:00:00+02:00"), "its horizon begins"),
    "more money": (record(money_usd=1e6), "published.money_usd"),
    "the last revision that there is": (moved(99_999), "the next revision of its day is r1"),
    "the one after the next": (moved(2), "the next revision of its day is r1"),
    "a higher bound": (plan(lambda d: d.update(gap=0.5), gap=0.5), "gap"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_a_run_that_contradicts_itself_is_set_aside(run, name):
    """*Proves:* whatever was altered, with seal and hashes made true, the run gets no row, its folder is kept under
    ``.damaged``, and the log says why.  *Sensitivity:* as it was stored, it is taken in (below).
    """
    alter, words = ALTERATIONS[name]
    alter(run)
    told, found = recovered(run)
    assert found == []
    assert any(words in line and "set aside as" in line for line in told), "\n".join(told)
    assert len(list((run.parents[1] / ".damaged").iterdir())) == 1


def test_as_it_was_stored_it_is_taken_in(run):
    """*Proves:* the refusals above are those of the alterations.  *Sensitivity:* a check that always fails fails."""
    told, found = recovered(run)
    assert found == [1]
    assert any("taken in as revision 1" in line for line in told)
