"""Pins: what an operator holds a container or the whole site to, until when, who and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import AsTuple, AwareTime, Document, Name, PowerMw, Words, problems


class Pin(Document):
    """A container or the site held on, off, or to at most so much power.

    Attributes
    ----------
    container
        Name of the container; or site: true.

        Exactly one: the name of a container, or ``site: true`` for all of it.
    site
        True: all of the site; or container.
    set
        ``on`` or ``off``; or `at_most_mw` in its place.
    at_most_mw
        Facility power at the meter [MW].
    begin
        Beginning, included; absent: in force already.

        From (included; absent: in force already) and until (excluded).
    until
        End, excluded: a time with its UTC offset.
    by
        Who pinned it.

        Who pinned it, and the reason; both stand in the plan.
    why
        The reason.
    """

    container: Name | None = None
    site: Literal[True] | None = None
    set: Literal["on", "off"] | None = None
    at_most_mw: PowerMw | None = None
    begin: AwareTime | None = Field(default=None, alias="from")
    until: AwareTime
    by: Words = Field(min_length=1, max_length=100)
    why: Words = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _one_way(self) -> Pin:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if (self.container is None) == (self.site is None):
            found.append(((), "exactly one says what is pinned: container, or site: true"))
        if (self.set is None) == (self.at_most_mw is None):
            found.append(((), "exactly one says to what: set (on or off), or at_most_mw"))
        if self.begin is not None and self.until <= self.begin:
            found.append((("until",), f"{self.until.isoformat()} is not after from {self.begin.isoformat()}"))
        problems(found)
        return self

    @property
    def what(self) -> str:
        """Name of the container, or ``the site``."""
        return self.container or "the site"

    @property
    def to(self) -> str:
        """``on``, ``off`` or ``at most 0.8 MW``."""
        return self.set or f"at most {self.at_most_mw:g} MW"

    @property
    def words(self) -> str:
        """The whole pin in words."""
        begin = "" if self.begin is None else f"from {self.begin.isoformat(timespec='minutes')} "
        until = self.until.isoformat(timespec="minutes")
        return f"{self.what} pinned {self.to} {begin}until {until} by {self.by}: {self.why}"

    def expired(self, moment: datetime) -> bool:
        """Return whether it is over at `moment`, an aware time."""
        return self.until <= moment


class PinsDocument(Document):
    """A file of pins, ``schema: flexmine-pins/1``, as operators keep it."""

    schema_id: Literal["flexmine-pins/1"] = Field(alias="schema")
    pins: Annotated[tuple[Pin, ...], AsTuple] = ()
