"""Days of the site: where they begin and end, and which one a night is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LocalDay:
    """A calendar day of a zone; it has 23 or 25 hours where the clock is changed."""

    day: date
    zone: str

    @property
    def begin(self) -> datetime:
        """Local midnight, in the zone."""
        return _midnight(self.day, self.zone)

    @property
    def end(self) -> datetime:
        """Local midnight after it, in the zone."""
        return _midnight(self.day + ONE_DAY, self.zone)

    @property
    def hours(self) -> float:
        """Elapsed hours from midnight to midnight."""
        return (self.end.astimezone(UTC) - self.begin.astimezone(UTC)) / timedelta(hours=1)


def _midnight(day: date, zone: str) -> datetime:
    # Through UTC, so that a midnight that the clock leaves out becomes the moment of the change.
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))


def tomorrow(now: datetime, zone: str) -> date:
    """Return the day after the one that the site's calendar shows at `now`: a night plans the day to come."""
    return now.astimezone(ZoneInfo(zone)).date() + ONE_DAY


def days_from(first: date, last: date) -> list[date]:
    """Return all days from `first` to `last`, both included."""
    return [first + ONE_DAY * i for i in range((last - first).days + 1)]
