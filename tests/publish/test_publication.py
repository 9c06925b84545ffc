"""A publication: what it holds, when there is a new one, and that every moment has one setpoint per container."""

import json
import shutil
from datetime import datetime, timedelta

import pytest

from audit_plants import edit_csv, edit_json, reseal
from flexmine.audit.directory import audit_directory
from flexmine.audit.seal import Witness
from flexmine.errors import AuditFailed, BadInput
from flexmine.publish.directory import Terms, publish
from flexmine.publish.reader import read_current
from flexmine.publish.table import rows_at
from publishing import BEFORE, written

HOUR = timedelta(hours=1)


def at(hour):
    return datetime.fromisoformat("2024-09-10T00:00:00+08:00") + hour * HOUR


def what(publication, hour):
    """Return {container: (state, IT power)} at an hour, and the kinds of the rows."""
    rows = rows_at(publication.rows(), at(hour))
    assert sorted(r["container"] for r in rows) == ["C01", "C02"]
    return {r["container"]: (r["state"], float(r["it_power_mw"])) for r in rows}, {r["row"] for r in rows}


def test_what_a_publication_holds(tmp_path, plan):
    """*Proves:* the pointer leads to the audited plan byte for byte, the setpoints carry sequence, plan, validity, and
    their hashes are true.  *Sensitivity:* a file left out or changed after hashing shows up in `faults`.
    """
    outcome = publish(plan, tmp_path / "to", Terms(tolerance_kw=15.0), now=BEFORE, run={"run_id": "r1"})
    assert outcome.new
    current = read_current(tmp_path / "to")
    assert (tmp_path / "to" / "current").is_symlink()
    assert current.sequence == 1
    assert current.faults() == []
    assert audit_directory(current.plan_directory).ok
    for file in plan.iterdir():
        assert (current.plan_directory / file.name).read_bytes() == file.read_bytes()
    document = current.document
    assert (document["tolerance_kw"], document["run"]) == (15.0, {"run_id": "r1"})
    assert document["valid_until"] == "2024-09-10T04:00:00+08:00"
    rows = current.rows()
    assert document["rows"] == len(rows)
    assert {(r["sequence"], r["plan_id"], r["valid_until"]) for r in rows} == {
        ("1", current.plan_id, "2024-09-10T04:00:00+08:00")
    }
    assert what(current, 2) == ({"C01": ("on", 1.0), "C02": ("off", 0.0)}, {"plan"})


def test_same_plan_again_changes_nothing(tmp_path, plan):
    """*Proves:* the same plan and terms leave one publication; other terms or another plan make the next.
    *Sensitivity:* without the comparison every call would be a new sequence.
    """
    to = tmp_path / "to"
    first = publish(plan, to, now=BEFORE)
    again = publish(plan, to, now=BEFORE + HOUR)
    assert (again.new, again.publication.document) == (False, first.publication.document)
    assert publish(plan, to, Terms(after_validity="off"), now=BEFORE).publication.sequence == 2
    other = written(tmp_path / "other", title="Another")
    third = publish(other, to, Terms(after_validity="off"), now=BEFORE).publication
    assert third.sequence == 3


def test_damaged_publication_is_replaced_from_the_last_whole_one(tmp_path, plan):
    """*Proves:* a damaged file, or a pointer to nothing, is told in the next publication, which carries its rows from
    the newest whole one; the same plan is then published anew.  *Sensitivity:* carrying from the damaged file would
    publish its contents, refusing to read it would end all publishing.
    """
    to = tmp_path / "to"
    whole = publish(plan, to, now=BEFORE).publication
    damaged = publish(written(tmp_path / "b", title="B"), to, now=BEFORE).publication
    (damaged.directory / "setpoints.csv").write_text("broken", encoding="utf-8")
    third = publish(written(tmp_path / "later", hours=2), to, now=at(1)).publication
    assert third.document["damage"] == [
        f"{damaged.directory}/setpoints.csv: its sha256 is not the one in publication.json"
    ]
    assert {r["plan_id"] for r in rows_at(third.rows(), at(1))} == {whole.plan_id}
    (third.directory / "publication.json").write_text("{", encoding="utf-8")
    fourth = publish(tmp_path / "later", to, now=at(1))
    assert fourth.new
    (to / "current").unlink()
    (to / "current").symlink_to("00000099")
    fifth = publish(tmp_path / "later", to, now=at(1)).publication
    assert fifth.document["damage"] == [f"{to}/current: names 00000099, which is not there"]
    assert (fifth.sequence, read_current(to).sequence) == (5, 5)


def test_plan_that_fails_its_audit_moves_nothing(tmp_path, plan):
    """*Proves:* a plan doctored with true hashes is refused and the old one stays.  *Sensitivity:* publishing without
    the audit from files would let it through.
    """
    to = tmp_path / "to"
    publish(plan, to, now=BEFORE)
    bad = written(tmp_path / "bad", title="Bad")
    edit_csv(bad / "setpoints.csv", lambda rows: rows[4].update(hash_rate_th_s="36000.0"))
    reseal(bad)
    with pytest.raises(AuditFailed, match=r"fails its audit: setpoints\.csv: hash_rate_th_s of container C01"):
        publish(bad, to, now=BEFORE)
    assert read_current(to).sequence == 1
    publish(written(tmp_path / "next", title="Next"), to, now=BEFORE)
    assert sorted(f.name for f in to.iterdir()) == [".lock", "00000001", "00000002", "current"]


def test_every_moment_has_one_setpoint_until_the_new_plan_begins(tmp_path, plan):
    """*Proves:* a plan for later leaves the hours until then to the plan before it, and the hours between both to that
    plan's ending.  *Sensitivity:* without carried rows the machines had no setpoint from 02:00 to 06:00.
    """
    to = tmp_path / "to"
    publish(plan, to, Terms(after_validity="off"), now=BEFORE)
    later = written(tmp_path / "later", hours=6)
    current = publish(later, to, Terms(after_validity="hold"), now=at(1.5)).publication
    assert [what(current, h) for h in (1.5, 2, 3)] == [
        ({"C01": ("on", 0.5), "C02": ("off", 0.0)}, {"carried"}),
        ({"C01": ("on", 1.0), "C02": ("off", 0.0)}, {"carried"}),
        ({"C01": ("off", 0.0), "C02": ("off", 0.0)}, {"carried"}),
    ]
    assert [what(current, h)[1] for h in (4, 5.9, 6, 9.9, 10, 10_000)] == [
        *({"after"}, {"after"}, {"plan"}, {"plan"}, {"after"}, {"after"})
    ]
    assert rows_at(current.rows(), at(0.5)) == []
    assert [(c["what"], c["from"][11:16], c["until"][11:16]) for c in current.document["carried"]] == [
        ("plan", "01:00", "04:00"),
        ("after its end", "04:00", "06:00"),
    ]


def test_plan_that_begins_in_the_middle_of_the_current_one(tmp_path, plan):
    """*Proves:* a plan from 01:00 on replaces the old one from there, and what lies before stays.  *Sensitivity:*
    rows of both at 02:00 would break the count of one row per container.
    """
    to = tmp_path / "to"
    first = publish(plan, to, now=BEFORE).publication
    second = publish(written(tmp_path / "second", hours=1), to, now=at(0.25)).publication
    assert what(second, 0.5)[1] == {"carried"}
    assert {r["plan_id"] for r in rows_at(second.rows(), at(0.5))} == {first.plan_id}
    assert {r["plan_id"] for h in (1, 2, 3, 4) for r in rows_at(second.rows(), at(h))} == {second.plan_id}


def test_plan_that_is_over_or_ends_earlier_is_refused(tmp_path, plan):
    """*Proves:* nothing is published that is past, and hours already published are dropped only when told.

    *Sensitivity:* a repeated older night would silently take tomorrow's hours away.
    """
    to = tmp_path / "to"
    with pytest.raises(BadInput, match="there is nothing left to publish"):
        publish(plan, to, now=at(4))
    publish(written(tmp_path / "later", hours=2), to, now=at(0))
    with pytest.raises(BadInput, match=r"publication 1 is valid until 2024-09-10T06.*\(--supersede\)"):
        publish(plan, to, now=at(0))
    assert publish(plan, to, now=at(0), supersede=True).publication.sequence == 2


def test_a_missing_pointer_is_damage_and_a_wrong_seal_is_refused_at_once(tmp_path, plan):
    """*Proves:* where only the pointer is gone the plan is published again; a plan that is published already is still
    compared with a seal that is given.  *Sensitivity:* "published already" would leave machines without a plan.
    """
    publish(plan, tmp_path / "to", now=BEFORE)
    (tmp_path / "to" / "current").unlink()
    outcome = publish(plan, tmp_path / "to", now=BEFORE)
    assert outcome.new and read_current(tmp_path / "to").sequence == 2
    assert "current: is missing" in outcome.publication.document["damage"][0]
    seal = str(outcome.publication.document["seal"])
    for other in ("0" * 64, seal[:16] + "0" * 48):
        with pytest.raises(AuditFailed, match=other if other.startswith(seal[:16]) else "0" * 16):
            publish(plan, tmp_path / "to", now=BEFORE, witnesses=[Witness("--seal", other)])


def test_a_link_in_a_plan_is_not_copied(tmp_path, plan):
    """*Proves:* what a link in the place of run.json leads to does not come among what machines can read.

    *Sensitivity:* followed, it would publish any file that the publisher may read.
    """
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    (plan / "run.json").unlink(missing_ok=True)
    (plan / "run.json").symlink_to(secret)
    published = publish(plan, tmp_path / "to", now=BEFORE).publication
    assert not (published.plan_directory / "run.json").exists()


def test_what_is_no_plan_is_named_and_leaves_nothing(tmp_path, plan):
    """*Proves:* the folder that was named is told, not the copy of it, and nothing stays at the target.

    *Sensitivity:* a copy made first leaves ``.new-...`` until the next publication.
    """
    to, other = tmp_path / "to", tmp_path / "other"
    for place, words in ((tmp_path / "none", "there is no such folder"), (plan / "plan.json", "is a file; name its")):
        with pytest.raises(BadInput, match=words) as error:
            publish(place, to, now=BEFORE)
        assert str(place) in str(error.value) and not to.exists()
    shutil.copytree(plan, other)
    (other / "problem.json").unlink()
    with pytest.raises(BadInput) as error:
        publish(other, to, now=BEFORE)
    assert str(other / "problem.json") in str(error.value)
    assert [entry.name for entry in to.iterdir()] == [".lock"]


@pytest.mark.parametrize("text", ['{"sequence": 1, "sequence": 2}', "[" * 9999, '{"sequence": NaN}'])
def test_a_publication_that_says_a_thing_twice_is_damage(tmp_path, plan, text):
    """*Proves:* a document of which readers may see different values is none.  *Sensitivity:* the last one counts."""
    publish(plan, tmp_path / "to", now=BEFORE)
    document = read_current(tmp_path / "to").directory / "publication.json"
    document.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="is not JSON that can be read"):
        read_current(tmp_path / "to")
    assert publish(plan, tmp_path / "to", now=BEFORE).publication.sequence == 2


def test_old_publications_are_forgotten(tmp_path, plan):
    """*Proves:* the newest `keep` stay, the pointer with them, and numbers go on.  *Sensitivity:* counting directories
    in place of taking the highest number would give 3 again.
    """
    to = tmp_path / "to"
    for i in range(5):
        publish(written(tmp_path / f"p{i}", title=f"Plan {i}"), to, Terms(keep=2), now=BEFORE)
    assert sorted(f.name for f in to.iterdir()) == [".lock", "00000004", "00000005", "current"]
    assert read_current(to).sequence == 5


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"after_validity": "stop"}, "after_validity 'stop': allowed are hold, minimum, off"),
        ({"tolerance_kw": 0.0}, "tolerance_kw 0: allowed are values above 0"),
        ({"keep": 1}, "keep 1: allowed are 2 to 100000"),
    ],
)
def test_terms_out_of_range(terms, words):
    with pytest.raises(BadInput, match=words):
        Terms(**terms)


def test_places_that_cannot_be_used(tmp_path, plan):
    """*Proves:* a file in the place of the directory, a plain file as pointer and a missing plan are bad input in
    words.  *Sensitivity:* an OSError would end as an internal error.
    """
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be published into"):
        publish(plan, tmp_path / "file", now=BEFORE)
    to = tmp_path / "to"
    to.mkdir()
    (to / "current").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="is not a link that flexmine wrote"):
        publish(plan, to, now=BEFORE)
    with pytest.raises(BadInput, match="there is no such folder"):
        publish(tmp_path / "nowhere", tmp_path / "new", now=BEFORE)


def test_pointer_to_something_else(tmp_path, plan):
    to = tmp_path / "to"
    publish(plan, to, now=BEFORE)
    document = to / "00000001" / "publication.json"
    document.write_text(json.dumps({"schema": "other"}), encoding="utf-8")
    with pytest.raises(BadInput, match="is not a publication of flexmine"):
        read_current(to)


def test_a_pointer_out_of_the_directory_is_damage(tmp_path, plan):
    """The pointer leads to a publication elsewhere, which has the number of the one that is here.

    *Proves:* readers refuse it, and the same plan is published anew, the pointer beside it again.
    *Sensitivity:* judged by the last part of its name, it would stay, and machines would follow what lies there.
    """
    to = tmp_path / "to"
    publish(plan, to, now=BEFORE)
    shutil.copytree(to / "00000001", tmp_path / "elsewhere" / "00000001")
    (to / "current").unlink()
    (to / "current").symlink_to(tmp_path / "elsewhere" / "00000001")
    with pytest.raises(BadInput, match="not a publication beside it"):
        read_current(to)
    outcome = publish(plan, to, now=BEFORE)
    assert outcome.new and "elsewhere" in outcome.publication.document["damage"][0]
    assert str((to / "current").readlink()) == "00000002"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: [d.pop(key) for key in list(d) if key != "schema"],
        lambda d: d.update(files=[]),
        lambda d: d.update(files={}),
        lambda d: d.update(sequence="x"),
        lambda d: d.pop("valid_until"),
        lambda d: d.update(after_validity={}),
        lambda d: d.update(tolerance_kw=True),
    ],
)
def test_a_publication_without_its_keys_is_damage(tmp_path, plan, change):
    """*Proves:* publication.json of another shape is told, and the next publication is made.

    *Sensitivity:* read as what it ought to be it ends every later run; without hashes its rows would be carried.
    """
    to = tmp_path / "to"
    edit_json(publish(plan, to, now=BEFORE).publication.directory / "publication.json", change)
    second = publish(written(tmp_path / "later", hours=2), to, now=at(1)).publication
    assert second.sequence == 2 and second.document["carried"] == []
    assert "is missing or of another kind" in second.document["damage"][0]
