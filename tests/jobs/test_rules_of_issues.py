"""Which issue of a feed counts, and for how long: each rule by itself, with the sentence that names the file."""

import os
from datetime import timedelta

import numpy as np
import pytest

from feed_files import AS_OF, SERIES, START, Files, at, row
from flexmine.errors import BadInput
from flexmine.jobs import search
from flexmine.jobs.feeds import filled, known, lasting, older
from flexmine.jobs.job import read_job
from flexmine.jobs.schema import Fill
from nights import write_job


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return read_job(write_job(tmp_path_factory.mktemp("job"), START.date(), 0))


SILENT = {
    "ends before": ([row(h, 1.0) for h in range(-12, 0)], "ends at 2024-06-04T00:00"),
    "no rows": ([], "has no rows"),
    "missing values": ([row(h, "-999.0") for h in range(24)], "has no value from 2024-06-04T00:00"),
    "missing in the horizon": (
        [row(h, "NA" if h >= 0 else 1.0) for h in range(-5, 24)],
        "has no value from 2024-06-04T00:00",
    ),
    "a hole as long as the horizon": ([row(-1, 1.0), row(24, 1.0)], "has no value from 2024-06-04T00:00"),
}


@pytest.mark.parametrize("name", SILENT)
def test_an_issue_that_gives_no_hour_does_not_make_an_older_one_fresh(job, tmp_path, name):
    """Issued an hour ago, the newest says nothing of the day; the one before is 31 h old where 30 h are allowed.

    *Proves:* it is refused, with the newest and why, the next and its age, and the key with its limit; what lasts of it
    has no age.  *Sensitivity:* by the age of the newest file the night is planned from a stale one, exit 0.
    """
    folder = Files(job, tmp_path)
    rows, why = SILENT[name]
    last, stale = folder.add(AS_OF - 1, rows), folder.span(AS_OF - 31, -5, 24, 2.0)
    with pytest.raises(BadInput) as caught:
        folder.newest()
    (message,) = caught.value.messages
    assert message.startswith(
        f"{SERIES}: no file {folder.feed.files} that goes beyond 2024-06-04T00:00+00:00 has come; "
    )
    assert f"the newest, {tmp_path}/{last}, issued 2024-06-03T19:00+02:00, {why}" in message
    assert f"; the next, {tmp_path}/{stale}, issued 2024-06-02T13:00+02:00: 31.0 h old" in message
    assert message.endswith("; max_age_h allows 30 h")
    stays = lasting(caught.value)
    assert "31.0" not in stays and "is older than the 30 h that max_age_h allows" in stays


@pytest.mark.parametrize("name", SILENT)
def test_an_issue_that_gives_no_hour_is_passed_over_with_a_mark(job, tmp_path, name):
    """*Proves:* the issue before, 20 h old, is used; record and mark name both files, and the mark has no age in it.

    *Sensitivity:* without a mark an empty file that comes every night is never seen.
    """
    folder = Files(job, tmp_path)
    rows, why = SILENT[name]
    last, used = folder.add(AS_OF - 1, rows), folder.span(AS_OF - 20, -5, 24, 2.0)
    chosen = folder.newest()
    assert chosen.source["file"] == f"{tmp_path}/{used}" and folder.values()[-24:] == [2.0] * 24
    (mark,) = chosen.marks
    assert mark.startswith(f"{SERIES}: {tmp_path}/{last}, issued 2024-06-03T19:00+02:00 {why}")
    assert f"skipped: the values are taken from {tmp_path}/{used}" in mark and " h old" not in mark


def test_what_begins_after_the_horizon_is_no_fault(job, tmp_path):
    """*Proves:* the newest begins the day after: no mark, and the age is that of the one before.

    *Sensitivity:* by its age the one before is fresh for ever.
    """
    folder = Files(job, tmp_path)
    folder.span(AS_OF - 1, 24, 48, 1.0)
    folder.span(AS_OF - 20, 0, 24, 2.0)
    assert folder.newest().marks == ()
    stricter = Files(job, tmp_path, max_age_h=19)
    with pytest.raises(BadInput, match=r"with an hour from 2024-06-04T00:00.*begins at 2024-06-05T00:00.*: 20.0 h old"):
        stricter.newest()


def test_published_hours_of_a_stale_issue_are_told(job, tmp_path):
    """The newest knows the look-ahead only; the day itself is of an issue that was stale a day before it already.

    *Proves:* a mark names the file and the limit; none where yesterday's file gives the evening of a day.
    *Sensitivity:* the age of the newest alone says that all is well.
    """
    folder = Files(job, tmp_path, look_ahead=12)
    folder.span(AS_OF - 1, 24, 36, 1.0)
    stale = folder.span(AS_OF - 31, 0, 24, 2.0)
    (mark,) = folder.newest().marks
    assert f"hours that are published are of {tmp_path}/{stale}, issued " in mark
    assert mark.endswith("older than the 30 h that max_age_h allows the newest")
    evening = Files(job, tmp_path, look_ahead=12, as_of=0, publish_h=4.0)
    for file in tmp_path.iterdir():
        file.unlink()
    evening.span(-8, 4, 36, 1.0)
    evening.span(-32, -20, 28, 2.0)
    assert evening.newest().marks == () and evening.values()[-36:] == [2.0] * 4 + [1.0] * 32


def test_order_and_age_go_by_the_column_of_issues(job, tmp_path):
    """The newer name holds an issue of 40 h ago, the older name one of 2 h ago.

    *Proves:* the hours are of the younger issue, and the record has its time; alone, the other is refused with its own
    age.  *Sensitivity:* by names the old one wins, 3 h old as it seems.
    """
    folder = Files(job, tmp_path, column=True)
    old = folder.add(AS_OF - 3, [row(h, 1.0, AS_OF - 40) for h in range(24)])
    young = folder.add(AS_OF - 9, [row(h, 2.0, AS_OF - 2) for h in range(24)])
    assert folder.values() == [2.0] * 24
    source = folder.newest().source
    assert (source["file"], source["issued"]) == (f"{tmp_path}/{young}", at(AS_OF - 2).isoformat())
    (tmp_path / young).unlink()
    with pytest.raises(BadInput, match=rf"{old}, issued 2024-06-02T04:00\+02:00: 40.0 h old.*max_age_h allows 30 h"):
        folder.fresh().newest()


def test_the_issues_inside_a_file_complete_each_other(job, tmp_path):
    """One file: an issue of 1 h ago from noon on, one of 20 h ago for the day, one of the future.

    *Proves:* each hour is of the newest issue known that covers it, and the record names the second issue.
    *Sensitivity:* with the newest issue of each file alone, the morning is a gap of 12 h.
    """
    folder = Files(job, tmp_path, column=True)
    spans = [(AS_OF - 20, 0, 1.0), (AS_OF - 1, 12, 2.0), (AS_OF + 1, 0, 3.0)]
    folder.add(AS_OF, [row(h, value, issued) for issued, first, value in spans for h in range(first, 24)])
    assert folder.values() == [1.0] * 12 + [2.0] * 12
    (completed,) = folder.newest().source["completed_by"]
    assert completed.endswith("issued 2024-06-03T00:00+02:00")


def test_a_stale_issue_of_a_column_completes_nothing(job, tmp_path):
    """*Proves:* what is older than `stale_after_h` is used nowhere: a gap, and where it is the newest, a refusal that
    names this key.  *Sensitivity:* asked of the newest only, the morning would be of 20 h ago.
    """
    folder = Files(job, tmp_path, column=True, stale_after_h=12)
    file = folder.add(AS_OF, [row(h, 1.0, AS_OF - 20) for h in range(24)])
    with pytest.raises(BadInput, match=r"20.0 h old at 2024-06-03T18:00.*; stale_after_h allows 12 h"):
        folder.newest()
    rows = [row(h, 2.0, AS_OF - 1) for h in range(12, 24)]
    folder = Files(job, tmp_path, column=True, stale_after_h=12)
    folder.add(AS_OF, [row(h, 1.0, AS_OF - 20) for h in range(24)] + rows)
    with pytest.raises(BadInput, match=rf"{file}.*a gap of 12 h"):
        folder.newest()


def test_a_file_with_an_old_name_that_is_written_on(job, tmp_path):
    """*Proves:* a file of the month, written to today, gives its newest issue; one last written long ago is not opened.

    *Sensitivity:* by its name it is as old as the month.
    """
    folder = Files(job, tmp_path, column=True)
    month, year = (folder.add(stamp, [row(h, 1.0, AS_OF - 2) for h in range(24)]) for stamp in (-70 * 24, -400 * 24))
    long_ago = (at(0) - timedelta(days=90)).timestamp()
    os.utime(tmp_path / year, (long_ago, long_ago))
    assert folder.newest().source["file"] == f"{tmp_path}/{month}"
    assert [path.name for path in folder.search.files.readings] == [month]


@pytest.mark.parametrize("how", ["name", "modified", "column", "column of two files"])
def test_a_withdrawn_revision_completes_nothing(job, tmp_path, how):
    """Revision 2 knows the first half of the day only, revision 1 the whole.

    *Proves:* the other half is a gap, for the newest and for the step `older_issue`.
    *Sensitivity:* completed by revision 1, half of the day is of what the publisher took back, without a word.
    """
    column = how.startswith("column")
    folder = Files(job, tmp_path, column=column, revisions=column, issued="modified" if how == "modified" else "name")
    if not column:
        for revision, hours, back in ((1, 24, 2), (2, 12, 1)):
            file = tmp_path / folder.span(AS_OF - 1, 0, hours, revision, revision=revision)
            os.utime(file, (at(AS_OF - back).timestamp(),) * 2)
    else:
        first, second = ([row(h, value, AS_OF - 1, value) for h in range(hours)] for value, hours in ((1, 24), (2, 12)))
        folder.add(AS_OF - 1, second if how == "column of two files" else first + second)
        if how == "column of two files":
            folder.add(AS_OF, first)
    for step in (folder.newest, lambda: older(folder.search, folder.key, folder.feed)):
        with pytest.raises(BadInput, match="a gap of 12 h"):
            step()
    assert np.isnan(next(known(folder.search, folder.key, folder.feed))[12:]).all()


@pytest.mark.parametrize("issued", ["name", "modified"])
def test_a_revision_in_capitals_is_one(job, tmp_path, issued):
    """*Proves:* `_R2` goes before `_r1` and a name without a revision, and its first half of a day leaves a gap.

    *Sensitivity:* taken for revision 0 it is withdrawn by `_r1`, and the day is of that.
    """
    folder = Files(job, tmp_path, issued=issued)
    for revision, hours in ((0, 24), (1, 24), (2, 12)):
        file = tmp_path / folder.span(AS_OF - 1, 0, hours, 1.0 + revision, revision)
        file = file.rename(file.with_name(file.name.replace("_r2", "_R2")))
        os.utime(file, (at(AS_OF - 1).timestamp(),) * 2)
    with pytest.raises(BadInput, match=r"_R2\.csv.*a gap of 12 h"):
        folder.newest()


EMPTY = {"no bytes": lambda path: path.write_bytes(b""), "a header": lambda path: None}


@pytest.mark.parametrize("issued", ["name", "modified"])
@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("empty", EMPTY)
def test_an_empty_revision_withdraws_nothing(job, tmp_path, empty, column, issued):
    """Revision 1 knows the day; revision 2 has no rows.

    *Proves:* the day is of revision 1, on the step `older_issue` too; a mark names revision 2 as skipped.
    *Sensitivity:* by the names of files revision 1 is withdrawn, and the night fails or falls back on a stale issue.
    """
    folder = Files(job, tmp_path, column=column, issued=issued)
    last = tmp_path / folder.add(AS_OF - 1, [], 2)
    EMPTY[empty](last)
    first = tmp_path / folder.add(AS_OF - 1, [row(h, 1.0, AS_OF - 1 if column else None) for h in range(24)], 1)
    for file, back in ((first, 1.5), (last, 1)):
        os.utime(file, (at(AS_OF - back).timestamp(),) * 2)
    assert folder.values() == [1.0] * 24
    (mark,) = folder.newest().marks
    assert f"{last}, issued 2024-06-03T19:00+02:00, revision 2 has no rows, and is skipped" in mark
    assert older(folder.search, folder.key, folder.feed).source["file"] == str(first)
    assert (next(known(folder.search, folder.key, folder.feed)) == 1.0).all()


def test_a_revision_below_an_empty_one_still_withdraws(job, tmp_path):
    """*Proves:* of revisions 1, 2 and an empty 3, nothing of 1 is used: the half day that 2 leaves out is a gap.

    *Sensitivity:* where an empty revision brings back all below it, revision 1 completes the day.
    """
    folder = Files(job, tmp_path)
    folder.span(AS_OF - 1, 0, 24, 1.0)
    folder.span(AS_OF - 1, 0, 12, 2.0, revision=2)
    folder.add(AS_OF - 1, [], revision=3)
    with pytest.raises(BadInput, match="a gap of 12 h"):
        folder.newest()


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("empty", EMPTY)
def test_empty_files_alone_are_an_error(job, tmp_path, empty, column):
    """*Proves:* a file without a byte is refused in the words of one that has a header only.

    *Sensitivity:* taken for a series without a gap, it would be a plan of nothing.
    """
    folder = Files(job, tmp_path, column=column)
    name = folder.add(AS_OF - 1, [])
    EMPTY[empty](tmp_path / name)
    with pytest.raises(BadInput, match=rf"no file .* has come; the newest, .*{name}, issued .*, has no rows"):
        folder.newest()


def test_a_mark_written_as_another_number_is_what_a_tail_is_for(job, tmp_path):
    """*Proves:* -999.0 at the end, where -999 is declared, is filled by the tail.

    *Sensitivity:* compared as text it is a value, and the night is refused for a gap.
    """
    folder = Files(job, tmp_path, tail={"policy": "hold"})
    folder.add(AS_OF - 1, [row(h, 1.0 if h < 20 else "-999.0") for h in range(24)])
    assert folder.newest().spec.fill.policy == "hold"


def test_a_hole_of_an_older_issue_that_touches_the_newer_one(job, tmp_path):
    """The newest begins at 12; the second has no row for 10 and 11 and goes on behind; a third knows them.

    *Proves:* the hole stays one.  *Sensitivity:* by the rows that are left of the second it ends at 10.
    """
    folder = Files(job, tmp_path)
    folder.span(AS_OF - 1, 12, 24, 1.0)
    folder.add(AS_OF - 2, [row(h, 2.0) for h in range(-30, 20) if h not in (10, 11)])
    folder.span(AS_OF - 3, -30, 24, 3.0)
    with pytest.raises(BadInput, match="a gap of 2 h"):
        folder.newest()


def test_a_file_that_cannot_be_read(job, tmp_path):
    """*Proves:* before any issue that gives an hour it is an error, after it a line of the log that names it.

    *Sensitivity:* left out without a word, nobody learns that the hours are of the one behind it.
    """
    folder = Files(job, tmp_path)
    folder.span(AS_OF - 1, -12, 0, 1.0)
    broken = folder.add(AS_OF - 2, [row("noon", 1.0)])
    folder.span(AS_OF - 3, 0, 24, 3.0)
    with pytest.raises(BadInput, match=rf"{broken}:2: column interval_start: 'noon'"):
        folder.newest()
    folder.span(AS_OF - 1, 12, 24, 2.0)
    assert folder.fresh().values() == [3.0] * 12 + [2.0] * 12
    assert any(f"left out: {tmp_path}/{broken}:2" in sentence for sentence in folder.told)


@pytest.mark.parametrize("column", [False, True])
def test_each_file_is_parsed_once_for_a_search(job, tmp_path, monkeypatch, column):
    """*Proves:* newest, fill, older issue and what is known parse each of 20 files once.

    *Sensitivity:* once per issue and per rest of the issues is 210 times for what is known alone.
    """
    folder = Files(job, tmp_path, column=column)
    for back in range(20):
        rows = [row(h, 1.0, AS_OF - back if column else None) for h in range(-5, 20)]
        folder.add(AS_OF - back, rows)
    parsed, real = [], search.read_table
    monkeypatch.setattr(search, "read_table", lambda raw, label, *rest: parsed.append(label) or real(raw, label, *rest))
    for step in (folder.newest, lambda: older(folder.search, folder.key, folder.feed)):
        with pytest.raises(BadInput, match="a gap of 4 h"):
            step()
    fill = Fill(step="fill", policy="hold", longest_gap_h=4)
    assert filled(folder.search, folder.key, folder.feed, fill).step == "fill"
    assert len(list(known(folder.search, folder.key, folder.feed))) == 21
    assert sorted(parsed) == sorted(f"{tmp_path}/{path.name}" for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("low", "high"), [(20240604010203001, 20240604010203002), (9, 10), (2**62 - 1, 2**62), (2**53, 2**53 + 1)]
)
def test_revisions_are_compared_by_all_their_digits(job, tmp_path, low, high):
    """*Proves:* of two revisions the higher is used, a time to the millisecond too; beyond 63 bits it is refused.

    *Sensitivity:* as floating-point numbers the two are equal, and the withdrawn one completes the other.
    """
    folder = Files(job, tmp_path, column=True, revisions=True)
    rows = [row(h, value, AS_OF - 1, revision) for revision, value in ((high, 2), (low, 1)) for h in range(24)]
    folder.add(AS_OF - 1, rows)
    assert folder.values() == [2.0] * 24
    folder.add(AS_OF, [row(h, 1, AS_OF, 10**20) for h in range(24)])
    with pytest.raises(BadInput, match=r"the revision '1000{18}' is not a whole number up to 9223372036854775807"):
        folder.fresh().newest()


def test_files_are_looked_at_once(job, tmp_path):
    """An issue that is dated by its change is replaced between two series, or two steps of the ladder.

    *Proves:* its first content keeps its first time.  *Sensitivity:* old values would be as fresh as the new file.
    """
    folder = Files(job, tmp_path, issued="modified")
    file = tmp_path / folder.span(AS_OF - 1, 0, 24, 1.0)
    os.utime(file, (at(AS_OF - 20).timestamp(),) * 2)
    before = folder.newest().source["issued"]
    folder.span(AS_OF - 1, 0, 24, 2.0)
    os.utime(file, (at(AS_OF - 1).timestamp(),) * 2)
    assert (folder.newest().source["issued"], folder.values()) == (before, [1.0] * 24)
    assert folder.fresh().values() == [2.0] * 24
