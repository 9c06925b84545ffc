"""The sections of a job that say how a plan leaves the house: publication, broker, notices and monitors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from flexmine.inputs.fields import AsTuple, Document, problems
from flexmine.publish.after import Action
from flexmine.publish.broker import Broker
from flexmine.publish.directory import Terms


class Mqtt(Broker):
    """The broker of a job; `send` false: the messages are made and counted in the log, and stay here."""

    send: bool = False


class Publish(Document):
    """Where machines take the plan from, relative to the job file, and on which terms.

    Attributes
    ----------
    tolerance_kw
        A container follows its setpoint while its mean facility power is within so much of it [kW].
    after_validity
        What machines do when a plan has ended and no newer one has come.
    keep
        So many publications are kept.
    mqtt
        Also as messages.
    """

    directory: str = "published"
    tolerance_kw: float = Field(default=20.0, gt=0.0, le=10_000.0)
    after_validity: Action = "minimum"
    keep: int = Field(default=30, ge=2, le=100_000)
    mqtt: Mqtt | None = None

    @property
    def terms(self) -> Terms:
        """The terms of every publication."""
        return Terms(self.tolerance_kw, self.after_validity, self.keep)


class Notice(Document):
    """Who is reported of a run that does not end with exit 0.

    Attributes
    ----------
    command
        Program and arguments; the notice comes on its standard input as text.
    webhook
        Address that gets the notice as JSON by POST.
    webhook_env
        Name of the environment variable that holds the address, where it is a secret.
    timeout_s
        After so long it is given up [s].
    """

    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AsTuple] = ()
    webhook: str | None = Field(default=None, pattern=r"^https?://\S+$")
    webhook_env: str | None = Field(default=None, min_length=1)
    timeout_s: float = Field(default=10.0, gt=0.0, le=300.0)

    @model_validator(mode="after")
    def _one_way(self) -> Notice:
        if sum((bool(self.command), self.webhook is not None, self.webhook_env is not None)) != 1:
            problems([((), "exactly one says how: command, webhook, or webhook_env")])
        return self

    @property
    def name(self) -> str:
        """How messages name it; an address is not shown, for it may hold a key."""
        return f"notice by {self.command[0]}" if self.command else "notice by webhook"


class Watch(Document):
    """When ``flexmine health`` warns.

    Attributes
    ----------
    warning_h, critical_h
        The current plan is valid for less than so long [h].
    failures
        So many runs in a row without a plan are critical; one is a warning.
    """

    warning_h: float = Field(default=20.0, gt=0.0, le=1000.0)
    critical_h: float = Field(default=2.0, ge=0.0, le=1000.0)
    failures: int = Field(default=3, ge=1, le=1000)

    @model_validator(mode="after")
    def _ordered(self) -> Watch:
        if self.critical_h >= self.warning_h:
            problems([(("critical_h",), f"is not below warning_h, {self.warning_h:g} h")])
        return self
