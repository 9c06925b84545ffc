"""A publication as MQTT messages: one for each container, the site, the plan, and a last one that counts them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flexmine.errors import BadInput
from flexmine.publish.reader import Publication, read_publication
from flexmine.publish.table import Row

SETPOINT_SCHEMA, SITE_SCHEMA, COMPLETE_SCHEMA = "flexmine-setpoint/1", "flexmine-site/1", "flexmine-complete/1"
NUMBERS = ("facility_power_mw", "it_power_mw", "it_power_percent", "miners_on")
TEXTS = ("state", "miner_mix", "ramp_start", "ramp_end", "plan_id", "row")


@dataclass(frozen=True)
class Message:
    """A retained message; an empty payload removes the retained one."""

    topic: str
    payload: bytes


def messages_of(publication: Publication, prefix: str) -> tuple[Message, ...]:
    """Return the messages of a publication in the order in which they are sent, the counting one last.

    Topics begin with `prefix`.  Every payload carries sequence and plan id.  A consumer has the whole plan when
    ``PREFIX/PLANT/complete`` and all messages that it counts carry the same sequence.  Containers that the publication
    before had and this one has not lose their retained message.
    """
    root = f"{prefix}/{publication.document['plant']}"
    rows = publication.rows()
    common = _common(publication)
    messages = [_of_container(root, name, own, common) for name, own in _by_container(rows)]
    messages.append(_message(f"{root}/site/setpoint", {"schema": SITE_SCHEMA, **common, "setpoints": _site(rows)}))
    plan = {key: value for key, value in publication.document.items() if key not in ("files", "containers")}
    messages.append(_message(f"{root}/plan", plan))
    complete = {
        "schema": COMPLETE_SCHEMA,
        **common,
        "messages": len(messages),
        "containers": list(publication.document["containers"]),
        "sha256": hashlib.sha256(b"".join(m.payload for m in messages)).hexdigest(),
    }
    gone = [Message(_topic(root, name), b"") for name in _gone(publication)]
    return (*gone, *messages, _message(f"{root}/complete", complete))


def _common(publication: Publication) -> dict[str, Any]:
    document = publication.document
    return {
        "sequence": publication.sequence,
        "plan_id": publication.plan_id,
        "plant": document["plant"],
        "valid_from": document["valid_from"],
        "valid_until": document["valid_until"],
        "after_validity": document["after_validity"]["action"],
        "tolerance_kw": document["tolerance_kw"],
    }


def _by_container(rows: list[Row]) -> Iterable[tuple[str, list[Row]]]:
    # sorted is stable: the rows of one container stay in order of time.
    for name, own in groupby(sorted(rows, key=lambda r: r["container"]), key=lambda r: r["container"]):
        yield name, list(own)


def _of_container(root: str, name: str, rows: list[Row], common: dict[str, Any]) -> Message:
    setpoints = [
        {
            "from": row["interval_start"],
            "until": row["interval_end"] or None,
            **{key: row[key] or None for key in TEXTS},
            **{key: json.loads(row[key]) if row[key] else None for key in NUMBERS},
        }
        for row in rows
    ]
    body = {"schema": SETPOINT_SCHEMA, **common, "container": name, "class": rows[-1]["class"], "setpoints": setpoints}
    return _message(_topic(root, name), body)


def _site(rows: list[Row]) -> list[dict[str, Any]]:
    """Return the power of all containers together by interval; the site's base load is not in it."""
    found = []
    for (begin, end), own in groupby(rows, key=lambda r: (r["interval_start"], r["interval_end"])):
        power = sum(float(row["facility_power_mw"]) for row in own)
        found.append({"from": begin, "until": end or None, "containers_power_mw": round(power, 6)})
    return found


def _gone(publication: Publication) -> list[str]:
    before = publication.document["supersedes"]
    if before is None:
        return []
    try:
        earlier = read_publication(publication.directory.parent / f"{before:08d}")
    except BadInput:
        return []  # forgotten meanwhile; its containers are not known any more
    return [name for name in earlier.document["containers"] if name not in publication.document["containers"]]


def _topic(root: str, container: str) -> str:
    return f"{root}/containers/{container}/setpoint"


def _message(topic: str, body: dict[str, Any]) -> Message:
    return Message(topic, json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
