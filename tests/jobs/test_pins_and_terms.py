"""What a job says about pins and publication reaches the plan of the night and what machines get."""

import json
from datetime import date, timedelta

import pytest

from flexmine.errors import BadInput
from flexmine.jobs import publication
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.publish.reader import read_current
from nights import evening_before, write_job

DAY = date(2024, 4, 10)
PINS = """\
schema: flexmine-pins/1
pins:
  - {{container: C02, set: off, until: {until}, by: shift 1, why: fan}}
"""


def night(job_file, day=DAY):
    return Night(read_job(job_file), evening_before(day)).run(day)[0]


def pinned_job(folder, until, more=""):
    job = write_job(folder, DAY, 2, more=f"pins: pins.yaml\n{more}")
    (folder / "pins.yaml").write_text(PINS.format(until=until), encoding="utf-8")
    return job


def plan_document(job_file, record):
    return json.loads((job_file.parent / "runs" / record.folder / "plan" / "plan.json").read_text())


def test_pins_of_the_file_hold_in_the_night_and_make_a_new_revision(tmp_path):
    """*Proves:* the pinned container is off in the published setpoints, the plan lists pin and cost, and another pin
    is another revision of the day.  *Sensitivity:* pins outside of the case folder would leave the inputs the same.
    """
    job = pinned_job(tmp_path, "2024-04-11T00:00:00+02:00")
    first = night(job)
    rows = read_current(tmp_path / "published").rows()
    assert {r["state"] for r in rows if r["container"] == "C02" and r["row"] == "plan"} <= {"out", "off"}
    account = plan_document(job, first.record)["pins"]
    assert account["pins"] == ["C02 pinned off until 2024-04-11T00:00+02:00 by shift 1: fan"]
    assert account["least_usd"] <= account["cost_usd"] <= account["most_usd"]
    assert not night(job).new
    (tmp_path / "pins.yaml").write_text("schema: flexmine-pins/1\npins: []\n", encoding="utf-8")
    free = night(job)
    assert (free.new, free.record.revision) == (True, 2)
    assert plan_document(job, free.record)["pins"] is None


def test_expired_pin_is_told_and_changes_nothing(tmp_path, caplog):
    """*Proves:* the log names the pin that is over, and the plan has none.  *Sensitivity:* a stale file would hold a
    container for ever.
    """
    job = pinned_job(tmp_path, "2024-04-09T12:00:00+02:00")
    with caplog.at_level("WARNING", logger="flexmine"):
        result = night(job)
    assert "over by then, without effect: C02 pinned off until 2024-04-09T12:00+02:00 by shift 1: fan" in caplog.text
    assert plan_document(job, result.record)["pins"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no pins file pins.yaml"),
        (
            PINS.format(until="2024-04-11T00:00:00+02:00").replace("C02", "C9"),
            "pins.yaml:3:17 pins.*C9 is not a container",
        ),
        ("schema: flexmine-pins/1\npins: [{}]\n", r"pins.yaml:2:8 pins\[0\]"),
    ],
)
def test_pins_that_cannot_be_read_stop_the_night(tmp_path, text, words):
    """*Proves:* without knowing what is pinned nothing is planned.  *Sensitivity:* a plan without the pins would run a
    container that somebody works on.
    """
    job = pinned_job(tmp_path, "2024-04-11T00:00:00+02:00")
    (tmp_path / "pins.yaml").unlink() if text is None else (tmp_path / "pins.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        night(job)


def test_terms_of_the_job_are_those_of_the_publication(tmp_path):
    """*Proves:* tolerance and what comes after the end stand in publication.json; `keep` bounds the directory.

    *Sensitivity:* the defaults are 20 kW, minimum and 30.
    """
    job = write_job(tmp_path, DAY, 3, more="publish: {tolerance_kw: 7.5, after_validity: off, keep: 2}\n")
    for i in range(3):
        night(job, DAY + timedelta(days=i))
    current = read_current(tmp_path / "published")
    assert (current.document["tolerance_kw"], current.document["after_validity"]["action"]) == (7.5, "off")
    assert current.sequence == 3
    assert not (tmp_path / "published" / "00000001").exists()


def test_lost_publication_is_made_again_under_a_higher_number(tmp_path):
    """*Proves:* the directory of publications gone, the next run publishes the stored plan as 2.  *Sensitivity:* number
    1 again would be ignored by machines that follow only higher ones.
    """
    job = write_job(tmp_path, DAY, 1)
    night(job)
    (tmp_path / "published").rename(tmp_path / "lost")
    assert not night(job).new
    assert read_current(tmp_path / "published").sequence == 2


def test_broker_that_does_not_answer_fails_the_run_and_not_the_plan(tmp_path, monkeypatch):
    """*Proves:* the plan is stored and current in the directory; the run ends as bad input; the next run sends the
    messages before anything else, and then the run counts as published; a broker that stays away does not keep the
    next day from being planned.  *Sensitivity:* marking it as published first would never send them.
    """
    job = write_job(tmp_path, DAY, 2, more="publish: {mqtt: {host: broker.test, send: true}}\n")
    sent, broken = [], True

    def send(messages, broker, beside):
        if broken:
            raise BadInput("mqtt broker broker.test:1883: not reached within 60 s")
        sent.append(len(messages))

    monkeypatch.setattr(publication, "send", send)
    with pytest.raises(BadInput, match="not reached"):
        night(job)
    assert read_current(tmp_path / "published").document["run"]["day"] == DAY.isoformat()
    with pytest.raises(BadInput, match="not reached"):
        night(job, DAY + timedelta(days=1))
    assert read_current(tmp_path / "published").document["run"]["day"] == (DAY + timedelta(days=1)).isoformat()
    assert read_current(tmp_path / "published").sequence == 2
    broken = False
    again = night(job, DAY + timedelta(days=1))
    assert (again.new, again.record.sequence, sent) == (False, 2, [6])


def test_missed_days_are_planned_although_the_broker_is_away(tmp_path, monkeypatch):
    """*Proves:* three days that are due are all planned and current in the directory, and then the run ends with the
    broker's reason.  *Sensitivity:* ending at the first day would leave tomorrow without a plan.
    """
    job = write_job(tmp_path, DAY, 3, more="publish: {mqtt: {host: broker.test, send: true}}\n")

    def send(messages, broker, beside):
        raise BadInput("mqtt broker broker.test:1883: not reached within 60 s")

    monkeypatch.setattr(publication, "send", send)
    with pytest.raises(BadInput, match="not reached"):
        night(job, DAY + timedelta(days=2))
    assert read_current(tmp_path / "published").document["run"]["day"] == (DAY + timedelta(days=2)).isoformat()


def test_messages_are_not_sent_unless_told(tmp_path, monkeypatch, caplog):
    """*Proves:* send is false by default: the messages are counted in the log.

    *Sensitivity:* a call of `send` fails here.
    """
    job = write_job(tmp_path, DAY, 1, more="publish: {mqtt: {host: broker.test}}\n")
    monkeypatch.setattr(publication, "send", None)
    with caplog.at_level("INFO", logger="flexmine"):
        night(job)
    assert "6 MQTT messages of publication 1 are made and not sent: send is false" in caplog.text
