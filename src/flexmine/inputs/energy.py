"""The periods of a limit of energy, and what those that have begun have taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flexmine.inputs.schema import EnergyLimit
from flexmine.inputs.yaml_loader import Keys
from flexmine.moments import NoTime, read_day


def _names_period(over: str | None, label: str) -> bool:
    """Return whether a text is the period of a limit as it stands behind its name: a day, a month or nothing."""
    if over is None:
        return label == ""
    try:
        read_day(label if over == "day" else f"{label}-01")
    except NoTime:
        return False
    return True


def periods(
    limit: EnergyLimit, start: datetime, end: datetime, zone: ZoneInfo
) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield name, beginning and end, in UTC, of the periods that overlap the time from `start` to `end`, both aware.

    Days and months are those of `zone`.  A limit with a time of its own has one period of its own name, wherever it
    lies.
    """
    if limit.begin is not None and limit.end is not None:
        yield limit.name, limit.begin.astimezone(UTC), limit.end.astimezone(UTC)
        return

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), zone).astimezone(UTC)

    first = start.astimezone(zone).date()
    if limit.over == "month":
        first = first.replace(day=1)
    while midnight(first) < end:
        month = limit.over == "month"
        after = (first + timedelta(days=31)).replace(day=1) if month else first + timedelta(days=1)
        yield f"{limit.name}/{first:%Y-%m}" if month else f"{limit.name}/{first}", midnight(first), midnight(after)
        first = after


def amounts_out_of_place(
    limits: Iterable[EnergyLimit],
    given: Mapping[str, float],
    start: datetime,
    end: datetime,
    *,
    step: timedelta,
    zone: ZoneInfo,
) -> list[tuple[Keys, str]]:
    """Return what is missing, or too much, in ``state.energy_taken_mwh``, as keys of the case and a sentence each.

    Nothing is assumed: a period of which a step has passed has an amount, be it 0, and one that has not begun has none.

    Parameters
    ----------
    limits : iterable of EnergyLimit
    given : mapping
        Energy taken so far by name of the period, as the state holds it [MWh].
    start, end : datetime
        Of the plan, aware.
    step : timedelta
        Length of a step of the plan.
    zone : ZoneInfo
        Of the site.
    """
    found: list[tuple[Keys, str]] = []
    for limit in limits:
        ahead = list(periods(limit, start, end, zone))
        for name in given:
            own, _, label = name.partition("/")
            if own == limit.name and not _names_period(limit.over, label):
                found.append((("state", "energy_taken_mwh", name), f"is not a period of it, such as {ahead[0][0]}"))
        for name, begin, until in ahead:
            since = begin.astimezone(zone).isoformat()
            if begin <= start - step and start < until and name not in given:
                text = (
                    f"{name} is missing; its period began at {since}, before the start: say what it has taken so far "
                    "[MWh], 0 if nothing"
                )
                found.append((("state", "energy_taken_mwh"), text))
            elif begin >= start and given.get(name, 0.0) > 0.0:
                text = f"is {given[name]:g}, and its period begins at {since} only"
                found.append((("state", "energy_taken_mwh", name), text))
    return found
