"""An altered publication is seen by the next run, whoever made its hashes true, and nothing is taken from it."""

import hashlib
import json
import shutil
from datetime import date, datetime, timedelta
from itertools import takewhile

import pytest

from audit_plants import edit_csv, edit_json, reseal
from flexmine.audit.plan_files import read_document
from flexmine.errors import BadInput
from flexmine.jobs.health import Level, health
from flexmine.jobs.intraday import REPLAN, Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.night import Night
from flexmine.jobs.publication import publish_newest
from flexmine.jobs.standing import Standing, standing
from flexmine.publish.directory import Terms, publish
from flexmine.publish.reader import publications, read_current
from flexmine.publish.table import CARRIED, read_rows, rows_at, spans
from flexmine.publish.whole import carried_faults
from flexmine.publish.written import unaudited
from nights import evening_before, write_job

DAY = date(2024, 4, 10)
NEXT = DAY + timedelta(days=1)
NOON = datetime.fromisoformat(f"{DAY}T12:10:00+02:00")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A day, the rest of it planned anew at nine, and the next: the last publication carries the rest of the day."""
    folder = tmp_path_factory.mktemp("nights")
    job = read_job(write_job(folder, DAY, 4))
    Night(job, evening_before(DAY)).run(DAY)
    Intraday(Night(job, NOON - timedelta(hours=3)), REPLAN).run()
    Night(job, NOON).run(NEXT)
    return folder


def hashes_made_true(publication):
    """Write into publication.json all hashes, and what it says of its rows, as a careful forger does."""
    document = publication / "publication.json"
    files = {
        f.relative_to(publication).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(publication.rglob("*"))
        if f.is_file() and f != document
    }
    edit_json(document, lambda d: d.update(files=files))
    try:
        rows = read_rows(publication / "setpoints.csv")
    except BadInput:
        return
    own = json.loads(document.read_text(encoding="utf-8"))["plan_id"]
    earlier = list(takewhile(lambda row: row["plan_id"] != own, rows))
    carried = [
        {"plan_id": plan_id, "what": "plan" if kind == CARRIED else "after its end", "from": begin, "until": end}
        for plan_id, kind, begin, end in spans(earlier)
    ]
    said = {"rows": len(rows), "carried": carried, "valid_from": rows[0]["interval_start"]}
    edit_json(document, lambda d: d.update(said))


def rows_of(change):
    """Return what changes the rows of setpoints.csv."""
    return lambda publication: edit_csv(publication / "setpoints.csv", change)


def injected(**what):
    """Give a container a second row in the middle of the plan's own time."""

    def change(rows):
        at = next(i for i, r in enumerate(rows) if r["row"] == "plan" and r["interval_start"][11:13] == "12")
        rows.insert(at, {**rows[at], "facility_power_mw": "9.900000", **what})

    return rows_of(change)


def text_of(change):
    """Return what changes the bytes of setpoints.csv."""

    def alter(publication):
        file = publication / "setpoints.csv"
        file.write_bytes(change(file.read_bytes()))

    return alter


def plan_without(*keys):
    """Take keys out of the publication's own plan, and seal it again."""

    def alter(publication):
        edit_json(publication / "plan" / "plan.json", lambda d: [d.pop(key) for key in keys])
        reseal(publication / "plan")
        plan = publication / "plan" / "plan.json"
        seal = json.loads(plan.read_text(encoding="utf-8"))["seal"]
        plan_id = hashlib.sha256(plan.read_bytes()).hexdigest()[:16]
        edit_json(publication / "publication.json", lambda d: d.update(seal=seal, plan_id=plan_id))

    return alter


def at_full_power(kind):
    def change(rows):
        row = next(r for r in reversed(rows) if r["row"] == kind)
        row.update(state="on", facility_power_mw="1.300000", it_power_mw="1.200000", it_power_percent="100.00")

    return lambda publication: edit_csv(publication / "setpoints.csv", change)


def without(kind):
    def change(rows):
        rows[:] = [r for r in rows if r["row"] != kind]

    return lambda publication: edit_csv(publication / "setpoints.csv", change)


def one_less(at):
    """Without one carried row, for an hour nobody says what that container does."""

    def change(rows):
        rows.remove([r for r in rows if r["row"] == CARRIED][at])

    return lambda publication: edit_csv(publication / "setpoints.csv", change)


def first_hour_less(rows):
    rows[:] = [r for r in rows if r["interval_start"] != rows[0]["interval_start"]]


def last_hours_less(rows):
    rows[:] = [r for r in rows if r["row"] != CARRIED or r["interval_start"] < f"{DAY}T20"]


def says(**what):
    return lambda publication: edit_json(publication / "publication.json", lambda d: d.update(what))


def other_plan(publication):
    """The plan says another thing of itself and is sealed again; publication.json and the rows follow it."""
    plan, old = publication / "plan", read_current(publication.parent).plan_id
    edit_json(plan / "plan.json", lambda d: d.update(notes=["all is well"]))
    reseal(plan)
    plan_id = hashlib.sha256((plan / "plan.json").read_bytes()).hexdigest()[:16]
    before = publication / "publication.json"
    edit_json(before, lambda d: d.update(plan_id=plan_id, seal=read_document(plan)["seal"]))
    edit_csv(
        publication / "setpoints.csv",
        lambda rows: [r.update(plan_id=plan_id) for r in rows if r["plan_id"] == old],
    )


def pointer_back(publication):
    (publication.parent / "current").unlink()
    (publication.parent / "current").symlink_to("00000001")


ALTERATIONS = {
    "own row": (at_full_power("plan"), "in its plan"),
    "row after the end": (at_full_power("after"), "in its plan"),
    "carried row": (at_full_power("carried"), "is not as in plan"),
    "no row after the end": (without("after"), "by its plan"),
    "nothing carried": (without("carried"), "it has nothing for the time until its plan begins"),
    "the first carried row less": (one_less(0), "are not all containers of plan"),
    "a carried row less": (one_less(8), "are not all containers of plan"),
    "the last carried row less": (one_less(-1), "are not all containers of plan"),
    "the first hour less": (lambda p: edit_csv(p / "setpoints.csv", first_hour_less), "do not begin where"),
    "the last hours less": (lambda p: edit_csv(p / "setpoints.csv", last_hours_less), "do not reach to the beginning"),
    "carried from nowhere": (
        lambda p: edit_csv(
            p / "setpoints.csv", lambda rows: [r.update(plan_id="0" * 16) for r in rows if r["row"] == CARRIED]
        ),
        "which is neither stored nor published",
    ),
    "seal": (says(seal="0" * 64), "seal is '0000"),
    "tolerance": (says(tolerance_kw=9000.0), "its terms are 9000 kW and minimum, those of the job 20 kW and minimum"),
    "status": (says(status="fallback"), "status is 'fallback', by its plan 'optimal'"),
    "valid until": (says(valid_until="2030-01-01T00:00:00+00:00"), "valid_until is '2030"),
    "a second row, from nowhere": (injected(plan_id="0" * 16, row="carried"), "by its plan"),
    "a second row of its own": (injected(row="now"), "by its plan"),
    "a second row, planned": (injected(), "by its plan"),
    "another sequence in rows": (rows_of(lambda rows: [r.update(sequence="77") for r in rows]), "sequence '77'"),
    "valid longer in rows": (rows_of(lambda rows: [r.update(valid_until="2030") for r in rows]), "valid_until '2030'"),
    "carried as its own": (
        rows_of(lambda rows: [r.update(plan_id=rows[-1]["plan_id"]) for r in rows]),
        "by its plan",
    ),
    "no text": (text_of(lambda raw: raw + b"\xff"), "is not UTF-8 text"),
    "a long cell": (text_of(lambda raw: raw.replace(b"C01", b"C" * 200_000, 1)), "is not a CSV table"),
    "a cell more": (text_of(lambda raw: raw.rstrip() + b",9\n"), "a row has 16 cells"),
    "a cell less": (text_of(lambda raw: raw[: raw.rindex(b",")] + b"\n"), "a row has 16 cells"),
    "tolerance without end": (says(tolerance_kw=10**400), "tolerance_kw is missing or of another kind"),
    "no beginning": (
        lambda p: edit_json(p / "publication.json", lambda d: d.pop("plan_from")),
        "plan_from is missing or of another kind",
    ),
    "half a character": (says(run={"run_id": "\ud800"}), "the text holds the character"),
    "no case in its plan": (plan_without("case", "plant"), "is not as flexmine writes it: KeyError"),
    "no horizon in its plan": (plan_without("horizon"), "is not as flexmine writes it: KeyError"),
    "longer rows carried": (
        rows_of(lambda rows: [r.update(interval_end=f"{DAY}T14:00:00+02:00") for r in rows[:3]]),
        "is not as in plan",
    ),
    "of no run": (says(run={}, sequence=2), "sequence is 2, its folder is 0000000"),
    "another plan": (other_plan, "its plan is another"),
    "pointer to an earlier one": (pointer_back, "was current before"),
    "no pointer": (lambda p: (p.parent / "current").unlink(), "current: is missing"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_publication_is_published_anew(here, job, name, caplog):
    """*Proves:* every alteration, with all hashes true, is told and followed by what the store has.

    *Sensitivity:* as it was published it stays, and nothing is told (the last lines, and the next test).
    """
    true = read_current(here / "published")
    rows = _rows(true)
    alter, words = ALTERATIONS[name]
    alter(true.directory)
    hashes_made_true(true.directory)
    store = job.open_store()
    assert words in standing(job, store, NOON).fault
    publish_newest(job, store, NOON, lambda _: None)
    assert any(words in line and "the stored plans are published again" in line for line in caplog.messages)
    anew = read_current(here / "published")
    assert anew.sequence > true.sequence
    assert _rows(anew) == rows
    assert standing(job, store, NOON) == Standing()
    publish_newest(job, store, NOON, lambda _: None)
    assert read_current(here / "published").sequence == anew.sequence


def test_as_it_was_published_it_stays(here, job):
    """*Proves:* an honest publication with rows of three plans is taken for what it is, at every hour of the day.

    *Sensitivity:* a check that knows only the last plan would publish anew every time.
    """
    current = read_current(here / "published")
    assert {r["row"] for r in current.rows()} == {"plan", "carried", "after"}
    for hours in range(-2, 12):  # also by a clock that was set back
        now = NOON + timedelta(hours=hours)
        assert standing(job, job.open_store(), now) == Standing()
        # What was dropped by a clock that was ahead is published again: tests/storms/test_clocks.py.
        if hours >= 0:
            publish_newest(job, job.open_store(), now, lambda _: None)
    assert read_current(here / "published").sequence == current.sequence


def _rows(publication, since=NOON):
    """Return what machines are told from a moment on, but for the number of the publication."""
    return [
        {key: value for key, value in row.items() if key != "sequence"}
        for row in publication.rows()
        if not row["interval_end"] or datetime.fromisoformat(row["interval_end"]) > since
    ]


def test_rows_of_a_plan_by_hand_are_kept_as_long_as_they_are_carried(here):
    """*Proves:* with two publications kept, that of the plan whose rows are carried stays, to be compared with.

    *Sensitivity:* forgotten by number, every run would publish anew.
    """
    to = here / "published"
    publish(here / "runs" / "small" / DAY.isoformat() / "r1" / "plan", to, now=NOON, supersede=True)
    hand, next_plan = read_current(to), here / "runs" / "small" / NEXT.isoformat() / "r1" / "plan"
    for tolerance in (21.0, 22.0, 23.0):
        publish(next_plan, to, Terms(tolerance_kw=tolerance, keep=2), now=NOON)
    assert hand.directory.is_dir()
    current = read_current(to)
    plans = {p.plan_id: unaudited(p.plan_directory) for p in publications(to)}
    assert list(carried_faults(current, plans.get, NOON)) == []


def test_other_terms_later_do_not_make_carried_rows_wrong(here):
    """*Proves:* what machines did after an earlier plan's end, by the terms of that time, is carried and stands.

    *Sensitivity:* compared with the present terms, every run would publish anew.
    """
    third = NEXT + timedelta(days=2)
    job = read_job(write_job(here.parent / _made(here.parent / "third"), third, 4))
    Night(job, evening_before(third)).run(third)
    plan = here.parent / "third" / "runs" / "small" / third.isoformat() / "r1" / "plan"
    now = evening_before(third)  # the plan of NEXT is over, that of the third day begins later
    current = publish(plan, here / "published", Terms(after_validity="off"), now=now).publication
    assert [row["row"] for row in rows_at(current.rows(), now)] == ["after"] * 3
    plans = {p.plan_id: unaudited(p.plan_directory) for p in publications(here / "published")}
    assert list(carried_faults(current, plans.get, now)) == []


def _made(folder):
    folder.mkdir()
    return folder.name


def test_a_plan_published_by_hand_is_told_and_stays(here, job, caplog):
    """*Proves:* what an operator published stands until the next plan, with a line in the log of each run; what the
    next publication carries of it is taken for what it is.

    *Sensitivity:* compared with the store alone it would be taken back at the next run.
    """
    first = here / "runs" / "small" / DAY.isoformat() / "r1" / "plan"
    to = here / "published"
    publish(first, to, now=NOON, supersede=True)
    hand = read_current(to)
    words = f"publication {hand.sequence} is revision 1 of {DAY}, put in place by hand; it stays until"
    assert standing(job, job.open_store(), NOON).note.startswith(words)
    publish_newest(job, job.open_store(), NOON, lambda _: None)
    assert any(line.startswith(words) for line in caplog.messages)
    assert read_current(to).sequence == hand.sequence
    (check,) = [c for c in health(job, NOON).checks if c.name == "publication"]
    assert check.level == Level.WARNING and check.text.startswith(words)


def test_after_a_restore_into_an_empty_folder_machines_have_today_and_tomorrow(tmp_path):
    """*Proves:* where nothing is published any more, the running night's plan is published again before tomorrow's,
    so that there is a setpoint for every moment; after that everything stands.

    *Sensitivity:* with tomorrow's plan alone machines are told nothing until midnight, and every run says so again.
    """
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = (read_job(write_job(tmp_path / name, DAY, 4)) for name in ("old", "new"))
    Night(old, evening_before(DAY)).run(DAY)
    Night(old, NOON).run(NEXT)
    backup_job(old, tmp_path / "b.tar.gz")
    restore_job(new, tmp_path / "b.tar.gz", overwrite=False)
    now = NOON + timedelta(hours=1)
    publish_newest(new, new.open_store(), now, lambda _: None)
    current = read_current(tmp_path / "new" / "published")
    assert len(rows_at(current.rows(), now)) == 3
    assert _rows(current, now) == _rows(read_current(tmp_path / "old" / "published"), now)
    assert standing(new, new.open_store(), now + timedelta(hours=1)) == Standing()


def test_nothing_is_carried_from_an_altered_publication(tmp_path, here):
    """*Proves:* without a store too, the rows of a publication that are not those of its plan are damage.

    *Sensitivity:* with the hash alone the altered row would be carried into the next publication.
    """
    current = read_current(here / "published")
    at_full_power("plan")(current.directory)
    hashes_made_true(current.directory)
    third = NEXT + timedelta(days=1)
    job = read_job(write_job(tmp_path / "other", NEXT, 4)) if (tmp_path / "other").mkdir() is None else None
    Night(job, evening_before(NEXT)).run(NEXT)
    plan = tmp_path / "other" / "runs" / "small" / NEXT.isoformat() / "r1" / "plan"
    outcome = publish(plan, here / "published", now=evening_before(third) - timedelta(days=1))
    assert any("in its plan" in line for line in outcome.publication.document["damage"])
    assert outcome.publication.document["supersedes"] == current.sequence - 1


def test_health_sees_an_altered_publication(here, job):
    """*Proves:* critical, with the row.  *Sensitivity:* the hash alone is true."""
    current = read_current(here / "published")
    at_full_power("plan")(current.directory)
    hashes_made_true(current.directory)
    checks = [c for c in health(job, NOON).checks if c.name in ("current plan", "publication")]
    assert [c.level for c in checks] == [Level.CRITICAL] * 2 and all("in its plan" in c.text for c in checks)


def test_a_restored_store_that_plans_alike_goes_on_from_what_is_published(here, job, tmp_path):
    """*Proves:* a night that was lost by a restore and comes out alike is that publication; nothing is published anew.

    *Sensitivity:* looked for by the id of the lost run alone, every run would publish anew.
    """
    older = read_job(write_job(tmp_path / _made(tmp_path / "older"), DAY, 4))
    Night(older, evening_before(DAY)).run(DAY)
    backup_job(older, tmp_path / "b.tar.gz")
    Night(older, evening_before(NEXT)).run(NEXT)
    restore_job(older, tmp_path / "b.tar.gz", overwrite=True)
    Night(older, evening_before(NEXT) + timedelta(minutes=1)).run(NEXT)
    before = read_current(tmp_path / "older" / "published").sequence
    now = evening_before(NEXT) + timedelta(minutes=2)
    assert standing(older, older.open_store(), now) == Standing()
    publish_newest(older, older.open_store(), now, lambda _: None)
    assert read_current(tmp_path / "older" / "published").sequence == before


def test_folders_of_high_numbers_are_no_publications_to_be_kept(here, job):
    """*Proves:* empty folders and files named as publications of high numbers push none out.

    *Sensitivity:* forgotten by name, the new publication itself would be the oldest.
    """
    to = here / "published"
    for number in range(20):
        (to / str(90_000_000 + number)).mkdir()
        (to / str(91_000_000 + number)).write_text("x", encoding="utf-8")
    r2 = here / "runs" / "small" / DAY.isoformat() / "r2" / "plan"
    outcome = publish(r2, to, Terms(keep=2), now=NOON, supersede=True)
    assert read_current(to).sequence == outcome.publication.sequence == 4


@pytest.mark.parametrize("readable", [False, True])
def test_the_highest_number_of_a_publication(here, job, readable):
    """*Proves:* a folder 99999999 that holds no publication does not count; a publication of that number ends
    publishing in words, before anything is written.  *Sensitivity:* the next would have nine digits, which no reader
    knows, and the pointer would lead to it.
    """
    to = here / "published"
    last = to / "99999999"
    if readable:
        shutil.copytree(read_current(to).directory, last)
        edit_json(last / "publication.json", lambda d: d.update(sequence=99_999_999, run={}))
    else:
        last.mkdir()
    plan, sequence = here / "runs" / "small" / DAY.isoformat() / "r2" / "plan", read_current(to).sequence
    names = {entry.name for entry in to.iterdir()}
    if readable:
        with pytest.raises(BadInput, match="publication 99999999 is the last number that there is"):
            publish(plan, to, now=NOON, supersede=True)
        assert read_current(to).sequence == sequence
        assert {entry.name for entry in to.iterdir() if not entry.name.startswith(".")} <= names
    else:
        assert publish(plan, to, now=NOON, supersede=True).publication.sequence == sequence + 1
