"""Days of the site: when they begin and end, and which one a night is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LocalDay:
    """A calendar day in a time zone (an IANA name); it has 23 or 25 hours when the clocks change."""

    day: date
    zone: str

    @property
    def begin(self) -> datetime:
        """Local midnight at its beginning, aware."""
        return _midnight(self.day, self.zone)

    @property
    def end(self) -> datetime:
        """Local midnight at its end, aware."""
        return _midnight(self.day + ONE_DAY, self.zone)

    @property
    def hours(self) -> float:
        """Elapsed time from midnight to midnight [h]."""
        return (self.end.astimezone(UTC) - self.begin.astimezone(UTC)) / timedelta(hours=1)


def _midnight(day: date, zone: str) -> datetime:
    # Through UTC, so that a midnight that the clock leaves out becomes the moment of the change.
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))


def tomorrow(now: datetime, zone: str) -> date:
    """Return the day after that of `now` (aware) in `zone` (an IANA name): a night plans the coming day."""
    return now.astimezone(ZoneInfo(zone)).date() + ONE_DAY


def site_time(moment: datetime, zone: str) -> str:
    """Return `moment` (aware) to the minute as lines for people show it: by the clock of `zone`, with its offset."""
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


def with_site_offset(moment: datetime, zone: str) -> datetime:
    """Return `moment` (aware) by the clock of `zone`, with the offset of that moment as a fixed one.

    Unlike times of a zone, which Python compares by their clocks, such times can be compared.
    """
    local = moment.astimezone(ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset))


def days_from(first: date, last: date) -> list[date]:
    """Return all days from `first` to `last`, both included."""
    return [first + ONE_DAY * i for i in range((last - first).days + 1)]


def same_moment(a: datetime, b: datetime) -> bool:
    """Return whether `a` and `b`, aware times of any zones, are the same instant.

    Python takes no two times of different zones for equal where one of them is an hour that a clock shows twice.
    """
    return a.astimezone(UTC) == b.astimezone(UTC)
