"""Kinds of arguments: days and moments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import click

from flexmine.moments import NoTime, read_day, read_moment


class IsoDay(click.ParamType):  # type: ignore[type-arg]  # generic in newest releases only
    """A calendar day, 2024-09-10."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day that the text names."""
        try:
            return read_day(value)
        except NoTime as error:
            self.fail(str(error), param, ctx)


class IsoTime(click.ParamType):  # type: ignore[type-arg]  # generic in newest releases only
    """A moment with its UTC offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that the text names."""
        try:
            return read_moment(value).astimezone(UTC)
        except NoTime as error:
            self.fail(str(error), param, ctx)


class Seal(click.ParamType):  # type: ignore[type-arg]  # generic in newest releases only
    """The seal of a plan: 64 hexadecimal digits."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the digits as they stand in plan.json."""
        text = str(value).strip().lower()
        if re.fullmatch(r"[0-9a-f]{64}", text) is None:
            self.fail(f"{value!r} is not a seal; a seal has 64 hexadecimal digits, see `seal` in plan.json", param, ctx)
        return text
