"""Kinds of arguments: days and moments."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import click


class IsoDay(click.ParamType):
    """A calendar day, 2024-09-10."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day that the text names."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no calendar day; write it as 2024-09-10", param, ctx)


class IsoTime(click.ParamType):
    """A moment with its UTC offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that the text names."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 time; write it as 2024-09-10T02:00:00+08:00", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no UTC offset; write it as 2024-09-10T02:00:00+08:00", param, ctx)
        return moment.astimezone(UTC)
