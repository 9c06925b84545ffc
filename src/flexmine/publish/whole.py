"""Whether a publication is whole: its files are those it names, and its setpoints those of the plan it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from flexmine._version import __version__
from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import SEAL, file_faults, seal_faults, version_of
from flexmine.errors import BadInput
from flexmine.moments import read_moment
from flexmine.publish.after import ACTIONS, continued
from flexmine.publish.reader import DOCUMENT, POINTER, SEQUENCE, SETPOINTS, Publication, read_publication
from flexmine.publish.table import AFTER, CARRIED, PLANNED, Row, carried_rows, plan_rows
from flexmine.publish.written import WrittenPlan, unaudited

FROM_ELSEWHERE = ("sequence", "valid_until")
"""Columns that say which publication a row stands in."""


def faults_of(publication: Publication) -> list[str]:
    """Return a sentence for each way in which a publication is not what flexmine has published.

    The hashes in publication.json are no proof of the setpoints: whoever alters one can alter the other.  So the rows
    of its own plan are made anew from the plan's files, which are those that their seal names.  Rows carried over from
    an earlier plan are compared by :func:`carried_faults`, where that plan is known.
    """
    found = publication.faults()
    try:
        return found or list(_own_faults(publication))
    except BadInput as error:
        return error.messages


def said_of(plan: WrittenPlan) -> dict[str, Any]:
    """Return what publication.json takes from the plan that begins last in it."""
    document = plan.document
    return {
        "plan_id": plan.plan_id,
        "plant": document.get("plant") or document["case"],
        "case": document["case"],
        "status": document["status"],
        "plan_from": plan.valid_from.isoformat(),
        "valid_until": plan.valid_until.isoformat(),
        "containers": list(plan.schedule.containers),
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
    plan, same_version = unaudited(directory), version_of(document) == __version__
    for key, value in said_of(plan).items():
        # A version before seals had fewer keys.
        if (key in said or same_version) and said.get(key) != value:
            yield f"{publication.directory / DOCUMENT}: {key} is {said.get(key)!r}, by its plan {value!r}"
            return
    action = said["after_validity"]["action"]
    if action not in ACTIONS:
        yield f"{publication.directory / DOCUMENT}: after_validity.action {action!r}: allowed are {', '.join(ACTIONS)}"
        return
    # Another version may end a plan otherwise; the plan itself it reads alike.
    kinds = (PLANNED, AFTER) if same_version else (PLANNED,)
    true = [row for row in plan_rows(plan, continued(plan, action)) if row["row"] in kinds]
    own = [row for row in publication.rows() if row["plan_id"] == plan.plan_id and row["row"] in kinds]
    yield from _different(publication, own, true)


def since(publication: Publication, now: datetime) -> datetime:
    """Return the moment from which on a publication has to say what machines do: not before it was made."""
    return max(now, read_moment(publication.document["published_at"]))


def carried_faults(
    publication: Publication, plan_of: Callable[[str], WrittenPlan | None], now: datetime
) -> Iterator[str]:
    """Yield what is wrong with the rows of earlier plans that hold from `now` until a publication's own plan begins.

    Every row has to be one of its plan, for all containers, and rows have to follow each other without gap or overlap.

    Parameters
    ----------
    plan_of : callable
        From the id of a plan to the plan; None where nobody knows it.
    """
    file, begin = publication.directory / SETPOINTS, read_moment(publication.document["plan_from"])
    now = since(publication, now)
    said = [r for r in publication.rows() if r["plan_id"] != publication.plan_id or r["row"] == CARRIED]
    held = carried_rows(said, begin, now)
    true: dict[tuple[str, str, datetime], Row] = {}
    for plan_id in dict.fromkeys(row["plan_id"] for row in held):
        plan = plan_of(plan_id)
        if plan is None:
            yield f"{file}: has rows of plan {plan_id}, which is neither stored nor published"
            return
        rows = plan_rows(plan, continued(plan, publication.document["after_validity"]["action"]))
        true |= {
            (plan_id, row["container"], read_moment(row["interval_start"])): row
            for row in carried_rows(rows, begin, now)
        }
    ends: dict[str, datetime] = {}
    for (plan_id, text), group in groupby(held, key=lambda r: (r["plan_id"], r["interval_start"])):
        rows, start = list(group), read_moment(text)
        where = f"{file}: the rows of plan {plan_id} at {text}"
        if not ends and start != min(when for whose, _, when in true if whose == plan_id):
            yield f"{where} do not begin at the time that is to be filled"
            return
        names = [name for whose, name, when in true if (whose, when) == (plan_id, start)]
        if sorted(row["container"] for row in rows) != sorted(names):
            yield f"{where} are not all containers of plan {plan_id}"
            return
        for row in rows:
            key = (plan_id, row["container"], start)
            if _wrong(row, true[key], but=(*FROM_ELSEWHERE, "interval_end")):
                yield f"{file}: {row['container']} at {text}: is not as in plan {plan_id}"
                return
            if ends.get(row["container"], start) != start:
                yield f"{file}: {row['container']} at {text}: does not follow the row before it"
                return
            ends[row["container"]] = read_moment(row["interval_end"])
    if any(end != begin for end in ends.values()):
        yield f"{file}: the rows of earlier plans do not reach to the beginning of its own"


def _not_there(pointer: Path, pointed: str | None) -> str:
    return f"{pointer}: is missing" if pointed is None else f"{pointer}: names {pointed}, which is not there"


def _wrong(row: Row, right: Row, but: tuple[str, ...] = FROM_ELSEWHERE) -> list[str]:
    return [key for key in right if key not in but and row.get(key) != right[key]]


def _different(publication: Publication, said: list[Row], true: list[Row]) -> Iterator[str]:
    """Yield the first row that is another than it should be."""
    file = publication.directory / SETPOINTS
    for row, right in zip(said, true, strict=False):
        for key in _wrong(row, right)[:1]:
            what = f"{row['container']} at {row['interval_start']}: {key} is {row.get(key)!r}"
            yield f"{file}: {what}, in its plan {right[key]!r}"
            return
    if len(said) != len(true):
        yield f"{file}: has {len(said)} rows of its plan, which makes {len(true)}"


def newest_whole(target: Path) -> tuple[Publication | None, list[str]]:
    """Return the newest publication, up to the current one, whose files are whole, and what is wrong with later ones.

    A damaged publication must not keep the next one from being made, nor may anything be carried over from it.

    Raises
    ------
    BadInput
        Something else stands in the place of the pointer.
    """
    pointer = target / POINTER
    if pointer.exists() and not pointer.is_symlink():
        raise BadInput(f"{pointer}: is no link that flexmine wrote; move it away")
    names = sorted((e.name for e in target.iterdir() if SEQUENCE.fullmatch(e.name)), reverse=True)
    # By its whole text: a link out of the directory may end in the name of a publication that is here.
    pointed = str(pointer.readlink()) if pointer.is_symlink() else None
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
            return publication, damage
        damage += faults
    return None, damage
