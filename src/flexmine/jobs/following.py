"""Which plan machines follow at each moment: decided here, from the plans that are stored of each day.

Of one day each plan replaces those made before it, from its own beginning on; what was planned ``again`` is never
followed.  So a plan of the rest of a day does not hold for the hours before it: where a clock was ahead when it was
made, it begins hours after now, or on a later day, and until then the plan before it does.  Both are links of one
chain, each made for the state that the one before it leads to; publishing, state and replay go by that chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flexmine.audit.plan_files import read_document
from flexmine.jobs.calendar import ONE_DAY
from flexmine.publish.whole import AHEAD
from flexmine.store.records import AGAIN, RunRecord
from flexmine.store.runs import RunStore


@dataclass(frozen=True)
class Followed:
    """A stored plan, and from when until when (aware) it is the one that machines follow."""

    record: RunRecord
    begin: datetime
    end: datetime

    @property
    def is_last_of_day(self) -> bool:
        """Whether no other plan of its day comes after it."""
        return self.end == self.record.valid_until


@dataclass(frozen=True)
class Chain:
    """The plans to follow from a moment on, in order of time.

    Attributes
    ----------
    parts : tuple of Followed
        Up to the first day whose plan does not begin where the day before ends.
    broken : str
        Which day that is, in a sentence; empty where there is none.
    last : RunRecord or None
        The plan at the end of the last day that has one, whether it is over or not.
    """

    parts: tuple[Followed, ...]
    broken: str
    last: RunRecord | None

    def planned_after(self, now: datetime) -> list[str]:
        """Return a sentence for each plan to come that was made after `now` (aware), by a clock that was ahead."""
        return [
            f"revision {part.record.revision} of {part.record.day}, to be followed from {part.begin.isoformat()}, was "
            f"planned {(part.record.planned_at - now) / timedelta(hours=1):.1f} h after now"
            for part in self.parts
            if part.record.planned_at - now > AHEAD
        ]


def of_day(store: RunStore, plant: str, day: date) -> list[Followed]:
    """Return the plans of `plant` that are followed on `day`, in order of time."""
    kept: list[RunRecord] = []
    for record in [r for r in store.revisions(plant, day) if r.kind != AGAIN]:
        kept = [*(k for k in kept if k.valid_from < record.valid_from), record]
    ends = [*(k.valid_from for k in kept[1:]), *(k.valid_until for k in kept[-1:])]
    return [Followed(record, record.valid_from, end) for record, end in zip(kept, ends, strict=True)]


def plan_at(store: RunStore, plant: str, day: date, moment: datetime) -> RunRecord | None:
    """Return the plan of `day` of `plant` followed at `moment` (aware), or the next of that day; None without one."""
    return next((part.record for part in of_day(store, plant, day) if moment < part.end), None)


def chain_from(store: RunStore, plant: str, now: datetime) -> Chain:
    """Return the plans that machines of `plant` are to follow from `now` (aware) on.

    Raises
    ------
    BadInput
        A stored plan was altered, or cannot be read.
    """
    last_of_days = store.followed_of_days(plant)
    last = last_of_days[-1] if last_of_days else None
    parts: list[Followed] = []
    for day in [r.day for r in last_of_days if r.valid_until > now]:
        found = [part for part in of_day(store, plant, day) if part.end > now]
        before = parts[-1].record if parts and parts[-1].record.day == day - ONE_DAY else None
        if before is not None and not goes_on(store, before, found[0].record):
            broken = (
                f"{day}: revision {found[0].record.revision} is not published: it does not begin where revision "
                f"{before.revision} of {before.day} ends; the next run plans it anew"
            )
            return Chain(tuple(parts), broken, last)
        parts += found
    return Chain(tuple(parts), "", last)


def goes_on(store: RunStore, before: RunRecord, after: RunRecord) -> bool:
    """Return whether a plan was made for the state that the plan of the day before it ends in.

    Raises
    ------
    BadInput
        One of them was altered, or cannot be read.
    """
    whose = after.state_from.get("plan")
    if whose is None or whose == before.run_id:
        return True
    made_for = next((r for r in store.revisions(before.plant, before.day) if r.run_id == whose), None)
    return made_for is not None and _state_after(store, made_for) == _state_after(store, before)


def _state_after(store: RunStore, record: RunRecord) -> Any:
    return read_document(store.plan(record))["state_after"]
