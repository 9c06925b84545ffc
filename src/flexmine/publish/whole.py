"""Whether a publication is whole: its files are those it names, and its setpoints those of the plan it holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any, NamedTuple

from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import SEAL, file_faults, is_own_version, seal_faults, version_of
from flexmine.change_words import shortened
from flexmine.errors import BadInput, printable
from flexmine.moments import read_moment
from flexmine.publish.after import ACTIONS, Action, Continued, continued
from flexmine.publish.reader import DOCUMENT, POINTER, SEQUENCE, SETPOINTS, Publication, read_publication
from flexmine.publish.table import AFTER, CARRIED, PLANNED, Row, carried_rows, plan_rows, spans
from flexmine.publish.written import WrittenPlan, unaudited

AHEAD = timedelta(minutes=6)
"""Two clocks may differ by so much before a publication counts as one from the future."""
FROM_ELSEWHERE = ("sequence", "valid_until")
"""Columns that say which publication a row stands in."""
# What a document that flexmine has not written may raise where it is read as one: a fault, and not the end of a night.
NOT_OURS = (KeyError, TypeError, ValueError, IndexError, OverflowError)


def faults_of(publication: Publication) -> list[str]:
    """Return a sentence for each way in which a publication is not what flexmine has published.

    The hashes in publication.json prove nothing about its content: whoever alters a file can alter its hash.  So what
    follows from the plan in it is made again from the plan's files, which are those that their seal names.  Rows
    carried over from an earlier plan are compared by :func:`carried_faults`, where that plan is known.
    """
    found = publication.faults()
    try:
        return found or list(_own_faults(publication))
    except BadInput as error:
        return error.messages
    except NOT_OURS as error:
        return [
            f"{publication.directory}: is not as flexmine writes it: {printable(f'{type(error).__name__}: {error}')}"
        ]


def said_of(plan: WrittenPlan, expiry: Continued, action: Action, earlier: list[Row]) -> dict[str, Any]:
    """Return what publication.json states about the plan that begins last in it, its expiry, and its rows."""
    document = plan.document
    first = earlier[0]["interval_start"] if earlier else plan.valid_from.isoformat()
    return {
        "plan_id": plan.plan_id,
        "plant": document.get("plant") or document["case"],
        "case": document["case"],
        "status": document["status"],
        "valid_from": first,
        "plan_from": plan.valid_from.isoformat(),
        "valid_until": plan.valid_until.isoformat(),
        "after_validity": {
            "action": action,
            "checked_until": plan.problem.time.begin(expiry.checked_until).isoformat(),
            "breaks": list(expiry.breaks),
        },
        "carried": [
            {"plan_id": plan_id, "what": "plan" if kind == CARRIED else "after its end", "from": begin, "until": end}
            for plan_id, kind, begin, end in spans(earlier)
        ],
        "containers": list(plan.schedule.containers),
        "rows": len(earlier) + len(plan.schedule.containers) * (expiry.first + expiry.steps),
        "changes": document.get("changes", []),
        "seal": document.get(SEAL),
        "flexmine": version_of(document),
    }


def _own_faults(publication: Publication) -> Iterator[str]:
    directory, said = publication.plan_directory, publication.document
    document = read_document(directory)
    faults = [*seal_faults(document), *file_faults(directory, document)]
    if faults:
        yield from (f"{directory}: {fault}" for fault in faults)
        return
    action = said["after_validity"]["action"]
    if action not in ACTIONS:
        yield f"{publication.directory / DOCUMENT}: after_validity.action {action!r}: allowed are {', '.join(ACTIONS)}"
        return
    plan = unaudited(directory)
    expiry = continued(plan, action)
    rows = publication.rows()
    earlier = list(takewhile(lambda row: row["plan_id"] != plan.plan_id, rows))
    own = is_own_version(document)
    for key, value in said_of(plan, expiry, action, earlier).items():
        # An older version had fewer keys, and may end a plan otherwise; the plan itself it reads alike.
        if said.get(key) != value and (own or (key in said and key not in ("after_validity", "rows", "carried"))):
            written, true_value = (shortened(v) for v in (said.get(key), value))
            yield f"{publication.directory / DOCUMENT}: {key} is {written}, by its plan {true_value}"
            return
    yield from _out_of_place(publication, plan, rows, len(earlier))
    true = plan_rows(plan, expiry)
    if own:
        yield from _different(publication, rows[len(earlier) :], true)
    else:
        planned = [row for row in rows[len(earlier) :] if row["row"] == PLANNED]
        yield from _different(publication, planned, [row for row in true if row["row"] == PLANNED])


def _out_of_place(publication: Publication, plan: WrittenPlan, rows: list[Row], carried: int) -> Iterator[str]:
    """Yield the first row that does not belong where it stands: earlier plans first, until its own plan begins."""
    file = publication.directory / SETPOINTS
    same = {"sequence": str(publication.sequence), "valid_until": plan.valid_until.isoformat()}
    for number, row in enumerate(rows):
        kinds = (CARRIED, AFTER) if number < carried else (PLANNED, AFTER)
        wrong = [key for key, value in same.items() if row[key] != value]
        wrong += ["row"] * (row["row"] not in kinds) + ["plan_id"] * (
            number >= carried and row["plan_id"] != plan.plan_id
        )
        if number < carried and not (row["interval_end"] and read_moment(row["interval_end"]) <= plan.valid_from):
            wrong.append("interval_end")
        if wrong:
            what = f"{row['container']} at {row['interval_start']}: {wrong[0]} {row[wrong[0]]!r}"
            yield f"{file}: {what} does not belong there"
            return


def since(publication: Publication, now: datetime) -> datetime:
    """Return from when on a publication has to state what machines do: `now` (aware), or later when it was made."""
    return max(now, made_at(publication))


def made_at(publication: Publication) -> datetime:
    """Return what the clock showed when a publication was made, aware."""
    return read_moment(publication.document["published_at"])


@dataclass(frozen=True)
class _Gap:
    """The time before a publication's own plan begins, as far as it has to be filled.

    Attributes
    ----------
    until : datetime or None
        Up to here it is filled already.
    """

    file: Path
    now: datetime
    end: datetime
    until: datetime | None = None


def carried_faults(
    publication: Publication, plan_of: Callable[[str], WrittenPlan | None], now: datetime
) -> Iterator[str]:
    """Yield what is wrong with the rows of earlier plans that hold from `now` until a publication's own plan begins.

    Every row has to be one of its plan, for all containers, and rows have to follow each other without gap or overlap.

    Parameters
    ----------
    publication : Publication
    plan_of : callable
        From the id of a plan to the plan; None where it is not known.
    now : datetime
        Aware, by the clock.
    """
    begin = read_moment(publication.document["plan_from"])
    gap = _Gap(publication.directory / SETPOINTS, since(publication, now), begin)
    rows = takewhile(lambda row: row["plan_id"] != publication.plan_id, publication.rows())
    held = carried_rows(rows, begin, gap.now)
    for plan_id, group in groupby(held, key=lambda row: row["plan_id"]):
        plan, said = plan_of(plan_id), list(group)
        if plan is None:
            yield f"{gap.file}: has rows of plan {plan_id}, which is neither stored nor published"
            return
        # What was done after the end of an earlier plan is a matter of the terms of that time.
        found = [list(_faults_of_plan(gap, said, plan, action)) for action in ACTIONS]
        if all(found):
            yield min(found, key=len)[0]
            return
        gap = replace(gap, until=read_moment(said[-1]["interval_end"]))
    if gap.until is not None and gap.until != begin:
        yield f"{gap.file}: the rows of earlier plans do not reach to the beginning of its own"


def _faults_of_plan(gap: _Gap, said: list[Row], plan: WrittenPlan, action: Action) -> Iterator[str]:
    """Yield the first way in which the rows of an earlier plan are not its own."""
    rows = carried_rows(plan_rows(plan, continued(plan, action)), gap.end, gap.now)
    true = {(row["container"], read_moment(row["interval_start"])): row for row in rows}
    expected = gap.until or min((when for _, when in true), default=None)
    for text, group in groupby(said, key=lambda row: row["interval_start"]):
        of_step, start = list(group), read_moment(text)
        where = f"{gap.file}: the rows of plan {plan.plan_id} at {text}"
        if start != expected:
            yield f"{where} do not begin where those before them end, or now"
            return
        if sorted(row["container"] for row in of_step) != sorted(name for name, when in true if when == start):
            yield f"{where} are not all containers of plan {plan.plan_id}"
            return
        for row in of_step:
            right = true[row["container"], start]
            if _wrong(row, right, but=(*FROM_ELSEWHERE, "interval_end")) or not _within(row, right):
                yield f"{gap.file}: {row['container']} at {text}: is not as in plan {plan.plan_id}"
                return
        ends = {row["interval_end"] for row in of_step}
        if len(ends) != 1:
            yield f"{where} do not end together"
            return
        expected = read_moment(ends.pop())


def _within(row: Row, right: Row) -> bool:
    """Return whether a row ends where that of its plan does, or earlier, where a later plan began."""
    return not right["interval_end"] or read_moment(row["interval_end"]) <= read_moment(right["interval_end"])


def _not_there(pointer: Path, pointed: str | None) -> str:
    return f"{pointer}: is missing" if pointed is None else f"{pointer}: names {pointed}, which is not there"


def _wrong(row: Row, right: Row, but: tuple[str, ...] = FROM_ELSEWHERE) -> list[str]:
    return [key for key in right if key not in but and row.get(key) != right[key]]


def _different(publication: Publication, said: list[Row], true: list[Row]) -> Iterator[str]:
    """Yield the first row that differs from what it should be."""
    file = publication.directory / SETPOINTS
    for row, right in zip(said, true, strict=False):
        for key in _wrong(row, right)[:1]:
            what = f"{row['container']} at {row['interval_start']}: {key} is {row.get(key)!r}"
            yield f"{file}: {what}, in its plan {right[key]!r}"
            return
    if len(said) != len(true):
        yield f"{file}: has {len(said)} rows of its plan, which makes {len(true)}"


class Whole(NamedTuple):
    """What was found in a target directory.

    Attributes
    ----------
    publication : Publication or None
        The newest one, up to the current one, whose files are whole.
    damage : list of str
        What is wrong with later ones, and with the pointer.
    pointed : str or None
        The text of the pointer; None where there is none.
    """

    publication: Publication | None
    damage: list[str]
    pointed: str | None


def pointed_to(target: Path) -> str | None:
    """Return the text of the pointer in the directory `target`, None where there is none.

    Raises
    ------
    BadInput
        Something else stands in its place, or it cannot be read.
    """
    pointer = target / POINTER
    try:
        return str(pointer.readlink())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        what = "is not a link that flexmine wrote; move it away" if os.path.lexists(pointer) else "cannot be read"
        raise BadInput(f"{pointer}: {what} ({error.strerror or error})") from error


def newest_whole(target: Path) -> Whole:
    """Return the newest whole publication in `target`, up to the current one, and what is wrong with later ones.

    A damaged publication must not keep the next one from being made, nor may anything be carried over from it.

    Raises
    ------
    BadInput
        Something else stands in the place of the pointer, or the directory cannot be read.
    """
    pointer = target / POINTER
    # Before the list: another process may publish meanwhile, and what was pointed to first is in it for sure.
    # By its whole text: a link out of the directory may end in the name of a publication that is here.
    pointed = pointed_to(target)
    try:
        found = [e.name for e in target.iterdir() if SEQUENCE.fullmatch(e.name)] if target.is_dir() else []
    except OSError as error:
        raise BadInput(f"{target}: cannot be read: {error.strerror or error}") from error
    names = sorted(found, reverse=True)
    damage = [] if pointed in names or not (pointed or names) else [_not_there(pointer, pointed)]
    for name in names:
        if pointed in names and name > str(pointed):
            continue
        try:
            publication = read_publication(target / name)
            faults = faults_of(publication)
        except BadInput as error:
            faults = error.messages
        if not faults:
            return Whole(publication, damage, pointed)
        damage += faults
    return Whole(None, damage, pointed)
