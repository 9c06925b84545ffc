"""``flexmine publish``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flexmine.cli.common import put, say, strict_seals, with_errors
from flexmine.cli.types import Seal
from flexmine.errors import BadInput

if TYPE_CHECKING:
    from flexmine.publish.broker import Broker
    from flexmine.publish.messages import Message


@click.command("publish", short_help="Publish an audited plan to machines, atomically.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", "target", metavar="TARGET", type=click.Path(path_type=Path), required=True)
@click.option(
    "--after-validity",
    type=click.Choice(["hold", "minimum", "off"]),
    default="minimum",
    show_default=True,
    help="What machines do when the plan has ended and no newer one has come.",
)
@click.option(
    "--tolerance-kw",
    type=float,
    default=20.0,
    show_default=True,
    help="A container follows its setpoint while its mean facility power is within so much of it.",
)
@click.option("--keep", type=int, default=30, show_default=True, help="Publications to keep.")
@click.option("--supersede", is_flag=True, help="Also where the plan ends before what is published now.")
@click.option(
    "--mqtt",
    "broker_file",
    metavar="BROKER.yaml",
    type=click.Path(path_type=Path),
    help="Also as MQTT messages; without --send they are only printed.",
)
@click.option("--send", "sending", is_flag=True, help="Really send the MQTT messages.")
@click.option("--what-if", is_flag=True, help="Also a plan with changed values, which machines do not get else.")
@click.option("--seal", type=Seal(), help="The seal that the plan has to carry, as you know it from elsewhere.")
@strict_seals
@click.option("--json", "as_json", is_flag=True, help="Print the publication as one JSON line on stdout.")
@with_errors
def publish_command(
    *,
    directory: Path,
    target: Path,
    after_validity: str,
    tolerance_kw: float,
    keep: int,
    supersede: bool,
    broker_file: Path | None,
    sending: bool,
    what_if: bool,
    seal: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Publish the plan in DIR for machines: audit its files, copy them into TARGET, move TARGET/current to them.

    Readers of TARGET/current/setpoints.csv see the old publication or the new one, complete.  The same plan again
    changes nothing.  With --mqtt the current publication is also made into retained messages, a line for each.
    """
    from flexmine.audit.seal import Witness
    from flexmine.publish.directory import Terms, publish

    if sending and broker_file is None:
        raise BadInput("--send: names no broker; give --mqtt BROKER.yaml too")
    broker = None if broker_file is None else _broker(broker_file)
    terms = Terms(tolerance_kw=tolerance_kw, after_validity=after_validity, keep=keep)  # type: ignore[arg-type]
    known = [Witness("--seal", seal)] if seal else []
    outcome = publish(directory, target, terms, supersede=supersede, witnesses=known, strict=strict, what_if=what_if)
    summary = outcome.publication.document
    breaks = summary["after_validity"]["breaks"]
    if breaks:
        more = f" ({len(breaks) - 1} more in publication.json)" if len(breaks) > 1 else ""
        say(f"flexmine: after the plan's end, {after_validity} would break a limit: {breaks[0]}{more}")
    if not outcome.new:
        say(f"flexmine: this plan is publication {outcome.publication.sequence} already; nothing is changed")
    messages: tuple[Message, ...] = ()
    if broker is not None and broker_file is not None:
        from flexmine.publish.messages import messages_of
        from flexmine.publish.mqtt import send

        messages = messages_of(outcome.publication, broker.prefix)
        if sending:
            send(messages, broker, broker_file.parent)
    if as_json:
        keys = ("sequence", "plan_id", "plant", "valid_from", "valid_until", "after_validity", "tolerance_kw")
        by_mqtt = {"sent": sending, "topics": [m.topic for m in messages]}
        shown = {"target": str(target), "new": outcome.new, **{key: summary[key] for key in keys}, "mqtt": by_mqtt}
        put(json.dumps(shown))
        return 0
    put(str(outcome.publication.directory))
    for message in messages:
        put(f"{message.topic} {len(message.payload)} bytes" if sending else f"{message.topic} {_text(message)}")
    if messages:
        say(f"flexmine: {len(messages)} messages {'sent' if sending else 'not sent; --send sends them'}")
    return 0


def _broker(file: Path) -> Broker:
    from flexmine.inputs.yaml_loader import read_yaml
    from flexmine.publish.broker import BrokerFile

    return read_yaml(file, BrokerFile, file.name).document


def _text(message: Message) -> str:
    return message.payload.decode("utf-8")
