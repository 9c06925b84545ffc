"""A stored plan that was altered afterwards is taken up by no command; one of an older version is, with a mark."""

import json
import logging
import shutil
import sqlite3
import tarfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import flexmine
from doctored import edit, seal_again
from flexmine.audit.directory import audit_directory
from flexmine.errors import AuditFailed, BadInput
from flexmine.jobs.executed_days import executed
from flexmine.jobs.health import Level, health
from flexmine.jobs.intraday import REDISPATCH, REPLAN, Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import backup_job, restore_job
from flexmine.jobs.night import Night
from flexmine.jobs.reproduce import reproduce
from flexmine.publish.directory import publish
from flexmine.publish.reader import read_current
from flexmine.store.backup import backup
from flexmine.workflow.audit_files import audit_plan
from nights import evening_before, write_job
from shell import in_process as command

KEPT = Path(__file__).parents[1] / "kept" / "0.1.0"
DAY = date(2024, 4, 10)
NEXT = DAY + timedelta(days=1)


def night(job, day):
    return Night(job, evening_before(day)).run(day)[0]


def in_the_day(job, kind):
    at = datetime.fromisoformat(f"{DAY}T09:10:00+02:00")
    return Intraday(Night(job, at), kind).run()[0]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    night(read_job(write_job(folder, DAY, 4)), DAY)
    return folder


def run_of(here, day=DAY):
    return here / "runs" / "small" / day.isoformat() / "r1"


def _full_power_after(directory):
    """The fleet of the next night is told to run; the plan is sealed again."""

    def running(d):
        state = d["state_after"]
        state["initial_mw"] = 3.1
        for container in state["containers"].values():
            container.update(on=True, hours=9.0, it_power_mw=1.0)

    edit(directory, "plan.json", running)
    seal_again(directory)


def _words(directory):
    """Nothing but a note is another, and the plan is sealed again: the audit from files cannot see it."""
    edit(directory, "plan.json", lambda d: d.update(notes=["all is well"]))
    seal_again(directory)


ALTERATIONS = {
    "state after": _full_power_after,
    "a note": _words,
    "a table": lambda directory: edit(directory, "setpoints.csv", lambda rows: rows[0].update(reason="tie")),
    "the seal is dropped": lambda directory: edit(directory, "plan.json", lambda d: d.pop("seal")),
    "called older": lambda directory: edit(
        directory, "plan.json", lambda d: (d.pop("seal"), d["versions"].update(flexmine="0.1.0"))
    ),
}
TAKEN_UP = {
    "nightly": lambda job, _: night(job, NEXT),
    "redispatch": lambda job, _: in_the_day(job, REDISPATCH),
    "replan": lambda job, _: in_the_day(job, REPLAN),
    "replay": lambda job, _: executed(job.open_store(), job.plant),
    "reproduce": lambda job, _: reproduce(job.open_store(), job.open_store().newest(job.plant, DAY)),
    "publish": lambda job, to: publish(run_of(job.loaded.path.parent) / "plan", to, now=evening_before(DAY)),
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
@pytest.mark.parametrize("name", TAKEN_UP)
def test_no_command_takes_up_an_altered_plan(here, job, tmp_path, name, alteration):
    """*Proves:* each command refuses a stored plan that is not the one that was sealed, names its folder, and leaves
    what is published as it was.  *Sensitivity:* as it was stored, every one takes it up (below).
    """
    before = read_current(here / "published").sequence
    ALTERATIONS[alteration](run_of(here) / "plan")
    with pytest.raises((BadInput, AuditFailed)) as refused:
        TAKEN_UP[name](job, tmp_path / "to")
    said = " ".join(refused.value.messages)
    assert "plan" in said and ("seal" in said or "sha256" in said), said
    assert read_current(here / "published").sequence == before
    assert not (here / "runs" / "small" / NEXT.isoformat()).exists()


@pytest.mark.parametrize("name", TAKEN_UP)
def test_as_it_was_stored_every_command_takes_it_up(job, tmp_path, name):
    """*Proves:* the refusals above are those of the alteration.  *Sensitivity:* a seal that is never right fails."""
    TAKEN_UP[name](job, tmp_path / "to")


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_an_altered_plan_is_not_restored(here, job, tmp_path, alteration):
    """*Proves:* an altered plan is not backed up, over an older backup; and a backup of one is refused, though all
    hashes of the archive are true.  *Sensitivity:* the plan as it was stored is backed up and restored.
    """
    backup_job(job, tmp_path / "good.tar.gz")
    good = (tmp_path / "good.tar.gz").read_bytes()
    ALTERATIONS[alteration](run_of(here) / "plan")
    with pytest.raises(BadInput, match=r"seal|sha256"):
        backup_job(job, tmp_path / "good.tar.gz")
    assert (tmp_path / "good.tar.gz").read_bytes() == good
    backup(job.open_store().engine, job.folder, job.plant, tmp_path / "altered.tar.gz")
    other = read_job(write_job(_empty(tmp_path / "other"), DAY, 4))
    with pytest.raises(BadInput, match=r"seal|sha256"):
        restore_job(other, tmp_path / "altered.tar.gz", overwrite=True)
    assert other.open_store().history("small") == []
    assert restore_job(other, tmp_path / "good.tar.gz", overwrite=True).runs == 1


def test_health_sees_an_altered_plan_before_the_night_fails(here, job):
    """*Proves:* critical, with the folder.  *Sensitivity:* as it was stored, the store is not spoken of."""

    def said():
        return [c for c in health(job, evening_before(DAY)).checks if c.name == "store"]

    assert said() == []
    ALTERATIONS["a note"](run_of(here) / "plan")
    (check,) = said()
    assert check.level == Level.CRITICAL and "is not the plan that was sealed" in check.text


def _empty(folder):
    folder.mkdir()
    return folder


def test_inputs_that_were_altered_are_not_planned_from(here, job):
    """*Proves:* replan refuses inputs that are not those of the run.  *Sensitivity:* the plan alone is right."""
    case = run_of(here) / "inputs" / "case.yaml"
    case.write_text(case.read_text(encoding="utf-8").replace("58000", "90000"), encoding="utf-8")
    with pytest.raises(BadInput, match="are not the inputs that run"):
        in_the_day(job, REPLAN)


def test_the_row_lost_its_seal_and_the_publication_has_it(here, job):
    """The row and record.json are made those of an older version, and the plan too.

    *Proves:* the publication still knows the seal, and the next night is refused.  *Sensitivity:* with the publication
    gone as well nobody knows it, and the plan is taken with a mark.
    """
    database = sqlite3.connect(here / "runs" / "flexmine.db")
    (text,) = database.execute("SELECT document FROM runs").fetchone()
    older = json.dumps(json.loads(text) | {"seal": "", "flexmine": ""})
    database.execute("UPDATE runs SET document = ?", (older,))
    database.commit()
    database.close()
    edit(run_of(here), "record.json", lambda d: d.update(seal="", flexmine=""))
    ALTERATIONS["called older"](run_of(here) / "plan")
    with pytest.raises(BadInput, match="publication 00000001 has its seal"):
        night(job, NEXT)
    shutil.rmtree(here / "published")
    assert night(job, NEXT).record.state_from["seal"] == "none: an older version stored it"


# --- what 0.1.0 has written ----------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path):
    for name in ("job", "plans"):
        with tarfile.open(KEPT / f"{name}.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
    return tmp_path


def test_a_store_of_0_1_0_goes_on(kept, caplog):
    """*Proves:* the third night begins from the unsealed plan of the second, with a mark in the log and in its record;
    it is sealed and published itself.  *Sensitivity:* strict, it is refused, and nothing is stored.
    """
    job, third = read_job(kept / "job" / "job.yaml"), DAY + timedelta(days=2)
    with pytest.raises(BadInput, match="without --strict it is taken"):
        night(replace(job, strict=True), third)
    assert not (kept / "job" / "runs" / "small" / third.isoformat()).exists()
    with caplog.at_level(logging.WARNING):
        made = night(job, third).record
    assert any("has no seal" in line for line in caplog.messages)
    assert made.state_from["seal"] == "none: an older version stored it"
    assert len(made.seal) == 64 and made.flexmine == flexmine.__version__
    assert read_current(kept / "job" / "published").document["seal"] == made.seal
    assert len(executed(job.open_store(), "small")) == 3


def test_an_altered_state_in_a_store_of_0_1_0_is_refused(kept):
    """*Proves:* where there is no seal the audit works the state out anew.  *Sensitivity:* as it was, it goes on."""
    plan = run_of(kept / "job", NEXT) / "plan"
    edit(plan, "plan.json", lambda d: d["state_after"].update(initial_mw=3.1))
    with pytest.raises(BadInput, match=r"state_after\.initial_mw: 3\.1 is written"):
        night(read_job(kept / "job" / "job.yaml"), DAY + timedelta(days=2))


def test_a_backup_of_0_1_0_is_restored(tmp_path):
    """*Proves:* a backup of 0.1.0 comes back and the nights go on.  *Sensitivity:* strict, it is refused."""
    job = read_job(write_job(_empty(tmp_path / "new"), DAY, 4))
    with pytest.raises(BadInput, match="without --strict it is taken"):
        restore_job(replace(job, strict=True), KEPT / "backup.tar.gz", overwrite=False)
    assert restore_job(job, KEPT / "backup.tar.gz", overwrite=False).runs == 2
    assert night(job, DAY + timedelta(days=2)).new


@pytest.mark.parametrize("name", ["bratsk-shaped", "curtailment-noon", "deep-winter", "outage-and-trip"])
def test_a_plan_of_0_1_0_passes_its_audit(kept, name):
    """*Proves:* plans of 0.1.0 pass, also against the case of today, with a mark; strict they are refused.

    *Sensitivity:* an audit that works something out otherwise than 0.1.0 did would refuse them.
    """
    found = audit_plan(kept / "plans" / name, flexmine.load_case(name))
    assert found.violations == ()
    assert any("has no seal" in mark for mark in found.marks)
    assert not audit_directory(kept / "plans" / name, strict=True).ok


def test_a_plan_of_0_1_0_is_published_but_not_over_a_sealed_one(kept, tmp_path):
    """*Proves:* an unsealed plan is published, with no seal noted; where a sealed plan of the same time has been
    published, going back to one without a seal is refused.

    *Sensitivity:* strict, the first is refused too.
    """
    old, now = kept / "plans" / "bratsk-shaped", datetime.fromisoformat("2024-09-10T01:00:00+08:00")
    with pytest.raises(AuditFailed, match="without --strict it is taken"):
        publish(old, tmp_path / "to", now=now, strict=True)
    assert publish(old, tmp_path / "to", now=now).publication.document["seal"] is None
    new = tmp_path / "new"
    flexmine.write_plan(flexmine.plan(flexmine.load_case("bratsk-shaped")), new)
    assert publish(new, tmp_path / "to", now=now).publication.document["seal"] is not None
    with pytest.raises(AuditFailed, match=r"publication 00000002 says that flexmine 0\.2"):
        publish(old, tmp_path / "to", now=now, supersede=True)


def test_the_audit_on_the_command_line(kept):
    """*Proves:* what is claimed is printed as claimed, the mark stands beside it, and a wrong seal is exit 1."""
    plan = kept / "plans" / "bratsk-shaped"
    told = command("audit", plan, "--case", "bratsk-shaped")
    assert told.returncode == 0
    assert "audit passed" in told.stdout and "it is the plan of bratsk-shaped" in told.stdout
    assert "note: the plan has no seal" in told.stdout
    assert "Claimed, not checked:\n  bound_usd, gap, status" in told.stdout
    refused = command("audit", plan, "--seal", "0" * 64)
    assert refused.returncode == 1
    assert "has no seal, and --seal has its seal, 0000000000000000" in refused.stderr
    as_json = json.loads(command("audit", plan, "--json").stdout)
    assert as_json["passed"] and as_json["seal"] is None and as_json["claimed"] and as_json["marks"]
    wrong = command("audit", plan, "--seal", "0000")
    assert wrong.returncode == 2 and "'0000' is not a seal; a seal has 64 hexadecimal digits" in wrong.stderr
    assert "is a file; name its folder" in command("audit", plan / "plan.json").stderr


def test_a_what_if_is_told_and_not_published_unless_meant(tmp_path):
    """*Proves:* a plan of changed values fails the audit against the case as it stands, passes against the changed one,
    says what was changed, and goes to machines only where that is meant.

    *Sensitivity:* with the changes taken from the plan itself, a plan above the cap of the case would pass as its plan.
    """
    case = flexmine.load_case("bratsk-shaped")
    changed = case.with_changes({"plant.cap_mw": 14})
    plan, now = tmp_path / "plan", datetime.fromisoformat("2024-09-10T01:00:00+08:00")
    flexmine.write_plan(flexmine.plan(changed), plan)
    words = "a what-if: 1 value is not that of the case's files: plant.cap_mw: 10.0 -> 14"
    assert words in audit_directory(plan).marks
    assert any("site.cap_mw[0]" in v for v in audit_plan(plan, case).violations)
    assert audit_plan(plan, changed).ok
    told = command("audit", plan, "--case", "bratsk-shaped", "--with-changes")
    assert told.returncode == 0 and "note: a what-if" in told.stdout
    with pytest.raises(BadInput, match=r"is a what-if.*plant\.cap_mw: 10\.0 -> 14"):
        publish(plan, tmp_path / "to", now=now)
    published = publish(plan, tmp_path / "to", now=now, what_if=True).publication
    assert [change["key"] for change in published.document["changes"]] == ["plant.cap_mw"]
