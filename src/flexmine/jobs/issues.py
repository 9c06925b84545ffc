"""The files of a feed as issues: when each was issued, its revision, and whether it was known at a moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flexmine.errors import BadInput
from flexmine.jobs.calendar import site_time
from flexmine.jobs.job import Job
from flexmine.jobs.schema import Feed
from flexmine.moments import NoTime, read_moment

STAMP = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})T(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?"
    r"(?P<offset>Z|[+-][0-9]{4})(?:_[rR](?P<revision>[0-9]{1,4}))?(?!_[rR][0-9]|[0-9])"
)
REVISION = re.compile(r"_[rR](?P<revision>[0-9]{1,4})$")
EXAMPLE = "surplus_20240910T0130Z.csv or surplus_20240910T0930+0800_r2.csv"
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class FeedFile:
    """One issue of a feed.

    Attributes
    ----------
    label : str
        The file, relative to the job.
    issued : datetime
        Aware, UTC; what its name or its rows say, or the time of the file.
    size_bytes : int
        When it was found; the file itself may be gone by the time it is read.
    revision : int
        Of several with the same time of issue the highest counts, and the others not at all.
    modified : datetime or None
        Aware, UTC; when the file was written last.
    of_rows : bool
        Whether it is one of the issues inside the file, told apart by a column.
    zone : str
        Of the site, for messages; an IANA name.
    """

    path: Path
    label: str
    issued: datetime
    size_bytes: int
    revision: int = 0
    modified: datetime | None = None
    of_rows: bool = False
    zone: str = "UTC"

    @property
    def name(self) -> str:
        """How messages call it: the file, and which issue of it where it holds several."""
        return str(self) if self.of_rows else self.label

    def age_h(self, now: datetime) -> float:
        """Return how long before `now` (aware) it was issued [h]."""
        return (now - self.issued) / ONE_HOUR

    def __str__(self) -> str:
        revision = f", revision {self.revision}" if self.revision else ""
        return f"{self.label}, issued {site_time(self.issued, self.zone)}{revision}"


@dataclass(frozen=True)
class Found:
    """The files of a feed that were known at a moment, the newest first, all revisions, and what was passed over."""

    known: tuple[FeedFile, ...]
    passed_over: tuple[str, ...]


def find_issues(job: Job, feed: Feed, as_of: datetime, now: datetime) -> Found:
    """Return the files of a feed that were issued up to `as_of`, the newest and of its revisions the highest first.

    A file issued after `now`, by the clock, is passed over and reported: it is of a later night, or a clock is wrong.
    Both times are aware.

    Raises
    ------
    BadInput
        The folder cannot be read.
    """
    known: list[FeedFile] = []
    warnings: list[str] = []
    ahead: list[FeedFile] = []
    for path in _matching(job, feed):
        label = _relative(path, job)
        found = _issued(path, label, feed, warnings)
        if found is None:
            continue
        issued = replace(found, zone=job.zone)
        if issued.issued > now:
            ahead.append(issued)
        elif issued.issued <= as_of:
            known.append(issued)
    known.sort(key=lambda i: (i.issued, i.revision, i.label), reverse=True)
    if ahead:
        warnings.append(_ahead(min(ahead, key=lambda i: i.issued), len(ahead) - 1, now))
    return Found(tuple(known), tuple(warnings))


def not_withdrawn(files: Sequence[FeedFile], feed: Feed, is_empty: Callable[[FeedFile], bool]) -> tuple[FeedFile, ...]:
    """Return the files without those that a higher revision of the same issue has withdrawn, in the same order.

    Nothing of a lower revision is used, however short the higher one is.  An empty one withdraws nothing: more likely
    its transfer broke off than that its sender knows nothing any more.

    Parameters
    ----------
    files : sequence of FeedFile
    feed : Feed
    is_empty : callable
        Whether a file has no rows; asked only of revisions above another one.
    """
    revisions: dict[datetime | Path, set[int]] = {}
    for file in files:
        revisions.setdefault(_same(file, feed), set()).add(file.revision)
    last: dict[datetime | Path, int] = {}
    for file in files:
        same = _same(file, feed)
        if file.revision > max(min(revisions[same]), last.get(same, 0)) and not is_empty(file):
            last[same] = file.revision
    return tuple(file for file in files if file.revision >= last.get(_same(file, feed), 0))


def _same(issue: FeedFile, feed: Feed) -> datetime | Path:
    """Return what all revisions of an issue share: the time in the name, or the name itself."""
    if feed.issued == "name":
        return issue.issued
    return issue.path.with_name(REVISION.sub("", issue.path.stem) + issue.path.suffix)


def _ahead(first: FeedFile, others: int, now: datetime) -> str:
    gap = (first.issued - now) / ONE_HOUR
    how_far = f"{60 * gap:.0f} min" if gap < 2 else f"{gap:.0f} h" if gap < 48 else f"{gap / 24:.0f} days"
    more = "" if not others else "; nor is a later one" if others == 1 else f"; nor are {others} later ones"
    return f"{first}: {how_far} after now, {site_time(now, first.zone)}; not used{more}"


def _matching(job: Job, feed: Feed) -> list[Path]:
    pattern = Path(feed.files)
    base = Path(pattern.anchor) if pattern.anchor else job.path_of(".")
    inside = pattern.relative_to(pattern.anchor) if pattern.anchor else pattern
    if not inside.parts:
        raise BadInput(f"feed {feed.files}: names no file; write a pattern such as feeds/surplus_*.csv")
    try:
        return sorted(path for path in base.glob(str(inside)) if path.is_file())
    except ValueError as error:
        raise BadInput(f"feed {feed.files}: is not a pattern of files: {error}") from error
    except OSError as error:
        raise BadInput(f"feed {feed.files}: cannot be looked for: {error.strerror or error}") from error


def _relative(path: Path, job: Job) -> str:
    base = job.path_of(".")
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _issued(path: Path, label: str, feed: Feed, warnings: list[str]) -> FeedFile | None:
    try:
        about = path.stat()
    except FileNotFoundError:  # removed since the folder was listed: it is not an issue any more
        return None
    modified = datetime.fromtimestamp(about.st_mtime, tz=UTC)
    if feed.issued == "modified":
        number = REVISION.search(path.stem)
        return FeedFile(path, label, modified, about.st_size, int(number["revision"]) if number else 0, modified)
    found = STAMP.search(path.name)
    if found is None:
        warnings.append(f"{label}: its name holds no time of issue; expected {EXAMPLE}; not used")
        return None
    clock = f"{found['hour']}:{found['minute']}:{found['second'] or '00'}"
    try:
        issued = read_moment(f"{found['year']}-{found['month']}-{found['day']}T{clock}{found['offset']}")
    except NoTime:
        warnings.append(f"{label}: {found.group()} in its name is not a time; expected {EXAMPLE}; not used")
        return None
    return FeedFile(path, label, issued.astimezone(UTC), about.st_size, int(found["revision"] or 0), modified)
