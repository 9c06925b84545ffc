"""A publication as messages: what each says, and that a consumer can tell a complete set."""

import hashlib
import json

from audit_plants import edit_json, reseal
from flexmine.publish.directory import publish
from flexmine.publish.messages import messages_of
from publishing import BEFORE, written


def test_messages_of_a_publication(tmp_path, plan):
    """*Proves:* a retained message per container with all its rows, one for the site, one for the plan, and the last
    counts and seals them; all carry sequence and plan id.  *Sensitivity:* a container left out, or a message after the
    counting one, breaks the list.
    """
    publication = publish(plan, tmp_path / "to", now=BEFORE).publication
    messages = messages_of(publication, "mine/north")
    assert [m.topic for m in messages] == [
        "mine/north/two/containers/C01/setpoint",
        "mine/north/two/containers/C02/setpoint",
        "mine/north/two/site/setpoint",
        "mine/north/two/plan",
        "mine/north/two/complete",
    ]
    bodies = [json.loads(m.payload) for m in messages]
    assert {(b["sequence"], b["plan_id"]) for b in bodies} == {(1, publication.plan_id)}
    first = bodies[0]["setpoints"]
    assert [s["it_power_mw"] for s in first] == [0.0, 0.5, 1.0, 0.0, 0.0]
    assert (first[1]["state"], first[1]["ramp_end"], first[-1]["until"]) == ("on", "2024-09-10T01:04:20+08:00", None)
    assert bodies[0]["after_validity"] == "minimum"
    assert [s["containers_power_mw"] for s in bodies[2]["setpoints"]] == [0.02, 0.56, 1.11, 0.02, 0.02]
    assert (bodies[4]["messages"], bodies[4]["containers"]) == (4, ["C01", "C02"])
    assert bodies[4]["sha256"] == hashlib.sha256(b"".join(m.payload for m in messages[:-1])).hexdigest()


def test_container_that_is_gone_loses_its_retained_message(tmp_path, plan):
    """*Proves:* a container of the publication before that is not in this one gets an empty message.  *Sensitivity:*
    its last setpoint would stay retained for ever.
    """
    to = tmp_path / "to"
    publish(plan, to, now=BEFORE)
    renamed = written(tmp_path / "renamed", title="Renamed")
    for name in ("problem.json", "setpoints.csv", "plan.json"):
        file = renamed / name
        file.write_text(file.read_text(encoding="utf-8").replace("C02", "C03"), encoding="utf-8")
    edit_json(renamed / "plan.json", lambda _: None)
    reseal(renamed)
    messages = messages_of(publish(renamed, to, now=BEFORE).publication, "mine")
    assert (messages[0].topic, messages[0].payload) == ("mine/two/containers/C02/setpoint", b"")
    assert json.loads(messages[-1].payload)["messages"] == 4
