"""Publishing a plan into a directory: complete, audited and flushed before the pointer moves to it.

``TARGET/00000042/`` holds publication 42 and never changes; ``TARGET/current`` is a symbolic link to the newest one,
moved by a rename.  A reader who goes through it reads a complete publication at any moment; one who needs several
files of one publication follows the link once.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import LAST_SEQUENCE, SEAL, Witness, read_bytes, seal_faults, sha256, witnesses_beside
from flexmine.change_words import what_if as what_if_words
from flexmine.durable import replace_durably, sync, sync_tree
from flexmine.errors import AuditFailed, BadInput
from flexmine.output import WRITTEN
from flexmine.places import end_of_links, remove_tree
from flexmine.publish.after import ACTIONS, Action, continued
from flexmine.publish.reader import (
    DOCUMENT,
    MOST_TOLERANCE_KW,
    PLAN,
    POINTER,
    PUBLICATION_SCHEMA,
    SETPOINTS,
    Publication,
    publications,
    read_publication,
    witnesses_of_time,
)
from flexmine.publish.table import carried_rows, plan_rows, rows_text
from flexmine.publish.whole import Whole, newest_whole, pointed_to, said_of
from flexmine.publish.written import WrittenPlan, plan_id_of, read_written

LOCK, UNFINISHED = ".lock", re.compile(r"\.(new|old|current)-.+")
LOCK_WAIT_S = 60.0


@dataclass(frozen=True)
class Terms:
    """What a publication promises and requires.

    Attributes
    ----------
    tolerance_kw : float
        A container follows its setpoint as long as its mean facility power is within this distance of it [kW].
    after_validity : str
        ``hold``, ``minimum`` or ``off``: what machines do after `valid_until` where no newer publication has come.
    keep : int
        How many publications are kept, the current one included.

    Raises
    ------
    BadInput
        A value is not allowed.
    """

    tolerance_kw: float = 20.0
    after_validity: Action = "minimum"
    keep: int = 30

    def __post_init__(self) -> None:
        if self.after_validity not in ACTIONS:
            raise BadInput(f"after_validity {self.after_validity!r}: allowed are {', '.join(ACTIONS)}")
        if not 0.0 < self.tolerance_kw <= MOST_TOLERANCE_KW:
            raise BadInput(
                f"tolerance_kw {self.tolerance_kw:g}: allowed are values above 0 up to {MOST_TOLERANCE_KW:g}"
            )
        if not 2 <= self.keep <= 100_000:
            raise BadInput(f"keep {self.keep}: allowed are 2 to 100000; a reader may still be in the last one")


@dataclass(frozen=True)
class Outcome:
    """The publication that is current now, and whether it is a new one."""

    publication: Publication
    new: bool


def publish(
    run_directory: Path,
    target: Path,
    terms: Terms | None = None,
    *,
    now: datetime | None = None,
    supersede: bool = False,
    run: Mapping[str, Any] | None = None,
    after: int = 0,
    witnesses: Sequence[Witness] = (),
    strict: bool = False,
    what_if: bool = False,
    anew: bool = False,
    looked: Whole | None = None,
) -> Outcome:
    """Publish the plan of a directory into `target` and move the pointer to it.

    Parameters
    ----------
    run_directory : Path
        Directory of the plan, as ``flexmine plan`` writes it.
    target : Path
        Directory of all publications; made where it is missing.
    terms : Terms, optional
    now : datetime, optional
        Aware; the time of the clock unless given.
    supersede : bool, default False
        Publish also where the plan ends before what is published now, and drop the later hours of that.
    run : mapping, optional
        Where the plan comes from (run id, day, revision); copied into publication.json.
    after : int, default 0
        The number is above this one, whatever the directory holds: what was published before may have been lost.
    witnesses : sequence of Witness
        Who knows the seal of the plan, beside the record of its run and the publications in `target`.
    strict : bool, default False
        Refuse a plan without a seal, as versions before 0.2 wrote it.
    what_if : bool, default False
        Publish also a plan that was made with changed values of its case.
    anew : bool, default False
        What is current is not to be trusted: nothing is carried over from it, and the same plan is published again.
    looked : Whole, optional
        What was found in `target` before; `target` is checked again only where something else is current by now.

    Returns
    -------
    Outcome
        The current publication, unchanged where the same plan with the same terms is published already.

    Raises
    ------
    BadInput
        The plan is over; it ends before what is published now; it is a what-if; a file cannot be read or written;
        another process keeps the directory locked.
    AuditFailed
        The plan fails its audit from files; the pointer is not moved.
    """
    terms, moment = terms or Terms(), now or datetime.now(UTC)
    # Before anything is made at `target`: this is a plan, and the one that others know.
    faults = list(seal_faults(read_document(run_directory), witnesses, strict=strict))
    if faults:
        raise AuditFailed([f"{run_directory} fails its audit: {fault}" for fault in faults])
    with _locked(target):
        _clean(target)
        if looked is None or looked.pointed != pointed_to(target):
            looked = newest_whole(target)
        current, damage, _ = looked
        if current is not None and not damage and not anew and _same(current, run_directory, terms):
            return Outcome(current, new=False)
        with _unfinished(target, run_directory) as beside:
            _copy_plan(run_directory, beside / PLAN)
            known = (*witnesses, *witnesses_beside(run_directory), *_witnesses_in(target, beside / PLAN))
            plan = read_written(beside / PLAN, known, strict=strict, name=run_directory)
            if plan.document.get("changes") and not what_if:
                raise BadInput(_what_if(run_directory, plan.document["changes"]))
            _refuse_pointless(plan, current, moment, supersede=supersede)
            sequence = _next_sequence(target, after)
            provenance = {"run": dict(run or {}), "damage": damage}
            before, number = None if anew else current, None if current is None else current.sequence
            _write(beside, sequence, plan, terms, current=before, supersedes=number, now=moment, provenance=provenance)
            beside.chmod(0o755)
            sync_tree(beside)
            name = _folder(sequence)
            replace_durably(beside, target / name)
        _point(target, name)
        _forget(target, terms.keep)
        return Outcome(read_publication(target / name), new=True)


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    try:
        end_of_links(target).mkdir(parents=True, exist_ok=True)
        with FileLock(target / LOCK, timeout=LOCK_WAIT_S):
            yield
    except Timeout as error:
        raise BadInput(
            f"{target}: another process has been publishing there for {LOCK_WAIT_S:g} s; see {target / LOCK}"
        ) from error
    except OSError as error:
        raise BadInput(f"{target}: cannot be published into: {error.strerror or error}") from error


def _clean(target: Path) -> None:
    """Remove what a killed publisher has left behind; nobody else is writing now."""
    for entry in target.iterdir():
        if UNFINISHED.fullmatch(entry.name):
            if entry.is_dir():
                remove_tree(entry)
            else:
                entry.unlink()


@contextmanager
def _unfinished(target: Path, source: Path) -> Iterator[Path]:
    """Make a folder for the next publication, removed in the end; messages name `source` for the plan in it."""
    beside = Path(tempfile.mkdtemp(prefix=".new-", dir=target))
    try:
        yield beside
    except BadInput as error:
        raise BadInput([m.replace(str(beside / PLAN), str(source)) for m in error.messages]) from error
    finally:
        if beside.exists():
            remove_tree(beside)


def _same(current: Publication, plan: Path, terms: Terms) -> bool:
    """Return whether the plan is published with these terms; how many are kept does not matter to machines."""
    document = current.document
    return (
        current.plan_id == plan_id_of(plan)
        and document.get("seal") == read_document(plan).get(SEAL)
        and document["tolerance_kw"] == terms.tolerance_kw
        and document["after_validity"]["action"] == terms.after_validity
    )


def _copy_plan(run_directory: Path, copy: Path) -> None:
    """Copy the files of a plan, but for links: what they lead to is not part of it, and others may read the copy."""
    copy.mkdir()
    for name in WRITTEN:
        if (run_directory / name).is_file() and not (run_directory / name).is_symlink():
            (copy / name).write_bytes(read_bytes(run_directory / name))


def _what_if(directory: Path, changes: Sequence[Any]) -> str:
    return (
        f"{directory}: is {what_if_words(changes)}. Machines follow it only where that is meant: publish it with "
        "what_if=True (--what-if)"
    )


def _witnesses_in(target: Path, plan: Path) -> tuple[Witness, ...]:
    document = read_document(plan)
    horizon = document.get("horizon")
    begin = horizon.get("start") if isinstance(horizon, dict) else None
    return witnesses_of_time(target, str(document.get("plant") or document.get("case")), str(begin))


def _refuse_pointless(plan: WrittenPlan, current: Publication | None, now: datetime, *, supersede: bool) -> None:
    if plan.valid_until <= now:
        raise BadInput(
            f"the plan ended at {plan.valid_until.isoformat()}, and it is {now.astimezone(UTC).isoformat()}: "
            "there is nothing left to publish"
        )
    if current is not None and plan.valid_until < current.valid_until and not supersede:
        raise BadInput(
            f"publication {current.sequence} is valid until {current.valid_until.isoformat()}; this plan ends at "
            f"{plan.valid_until.isoformat()}, and the hours after that would be lost. Publish it with supersede "
            "(--supersede) where that is meant"
        )


def _next_sequence(target: Path, after: int) -> int:
    """Return the number of the next publication: above all that were made, and not that of an existing folder.

    A folder without a publication in it does not count, whatever its name: nothing could follow the highest number.
    """
    last = next((publication.sequence for publication in publications(target)), 0)
    sequence = max(last, after) + 1
    while (target / _folder(sequence)).exists():
        sequence += 1
    if sequence > LAST_SEQUENCE:
        raise BadInput(
            f"{target}: publication {sequence - 1} is the last number that there is; whoever made it was not flexmine: "
            "move it away, and where the store of a job names it, restore that from a backup"
        )
    return sequence


def _folder(sequence: int) -> str:
    return f"{sequence:08d}"


def _write(
    beside: Path,
    sequence: int,
    plan: WrittenPlan,
    terms: Terms,
    *,
    current: Publication | None,
    supersedes: int | None,
    now: datetime,
    provenance: Mapping[str, Any],
) -> None:
    expiry = continued(plan, terms.after_validity)
    earlier = [] if current is None else carried_rows(current.rows(), plan.valid_from, now)
    rows = [*earlier, *plan_rows(plan, expiry)]
    text = rows_text(rows, sequence, plan.valid_until.isoformat())
    (beside / SETPOINTS).write_text(text, encoding="utf-8", newline="\n")
    files = {f.relative_to(beside).as_posix(): sha256(f) for f in sorted(beside.rglob("*")) if f.is_file()}
    document = {
        "schema": PUBLICATION_SCHEMA,
        "sequence": sequence,
        **said_of(plan, expiry, terms.after_validity, earlier),
        "published_at": now.astimezone(UTC).isoformat(),
        "tolerance_kw": terms.tolerance_kw,
        "supersedes": supersedes,
        **provenance,
        "files": files,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (beside / DOCUMENT).write_text(text, encoding="utf-8", newline="\n")


def _point(target: Path, name: str) -> None:
    """Let the pointer name a publication: a new link, renamed over the old one."""
    beside = target / f".current-{os.getpid()}"
    try:
        beside.symlink_to(name, target_is_directory=True)
    except OSError as error:
        raise BadInput(
            f"{target}: no symbolic link can be made there ({error.strerror or error}), and the pointer to the "
            "current plan is one; publish to a filesystem that has them"
        ) from error
    replace_durably(beside, target / POINTER)


def _forget(target: Path, keep: int) -> None:
    """Delete the oldest publications before the current one, except those whose plans it has rows of.

    Each loses its name before its files.
    """
    current = read_publication(target / (target / POINTER).readlink())
    held = {row["plan_id"] for row in current.rows()}
    before = [p for p in publications(target) if p.sequence < current.sequence]
    for publication in before[keep - 1 :]:
        if publication.plan_id not in held:
            dying = target / f".old-{publication.directory.name}"
            publication.directory.replace(dying)
            remove_tree(dying)
    sync(target)
