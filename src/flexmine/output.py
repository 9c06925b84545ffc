"""The directory that a plan is written into: complete or not at all."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flexmine.audit.seal import sha256
from flexmine.errors import BadInput, FlexmineError
from flexmine.places import check_file, check_parent, end_of_links, is_mount_point, shown
from flexmine.planning.tables import write_csv
from flexmine.problem.writing import write_problem
from flexmine.solving.phases import Phases
from flexmine.workflow.document import document_text, plan_document
from flexmine.workflow.plan import Plan

PLAN_SCHEMA_PREFIX = "flexmine-plan/"
WRITTEN = ("setpoints.csv", "site.csv", "plan.json", "problem.json", "report.html", "run.json")


def check_target(directory: Path) -> None:
    """Check that a plan may be written to `directory`, before anything is computed.

    Raises
    ------
    BadInput
        Something stands there that flexmine did not write, or that no rename can replace.
    """
    if directory.name in ("", ".."):
        raise BadInput(f"--out {str(directory)!r}: is not a name of a directory; name one, such as plans/tomorrow")
    try:
        place, previous = end_of_links(directory), previous_of(directory)
        _refuse_unmovable(directory, place, previous)
        for there in (place, previous):
            if there.exists() and not _may_replace(there):
                raise BadInput(
                    f"{shown(directory) if there is place else there}: exists and holds no plan that flexmine wrote, "
                    "so it is not replaced; name another directory, or move it away"
                )
        # What would be deleted for good has to be flexmine's own.
        foreign = sorted({f.name for f in _entries(previous)} - set(WRITTEN))
        check_parent(place)
    except OSError as error:
        raise BadInput(f"{directory}: cannot be looked at: {error.strerror or error}") from error
    if foreign:
        raise BadInput(
            f"{previous}: holds {', '.join(foreign)}, which flexmine did not write and would delete; move it away"
        )


def previous_of(directory: Path) -> Path:
    """Return where an older plan of `directory` moves to: beside the folder itself, also where a link leads to it."""
    place = end_of_links(directory)
    return place.with_name(place.name + ".previous")


def error_file_of(directory: Path) -> Path:
    """Return the file that states why there is no new plan in `directory`: beside the name that was given."""
    return directory.with_name(directory.name + ".error.json")


def _refuse_unmovable(directory: Path, place: Path, previous: Path) -> None:
    """Refuse places that cannot be moved aside for a new plan, or whose moving would take something else along."""
    for there in (place, previous):
        if is_mount_point(there):
            raise BadInput(
                f"{shown(directory) if there is place else there}: is a mount point, which cannot be moved aside for a "
                f"new plan; give a folder inside it, such as {there / 'plan'}"
            )
    if previous.is_symlink():
        raise BadInput(
            f"{previous}: is a symbolic link, and the older plan moves to this name; remove the link, or name another "
            "directory"
        )
    whole = Path(os.path.realpath(place))
    here = _working_directory()
    for there in (whole, whole.with_name(previous.name)):
        if here is not None and there.is_dir() and (here == there or there in here.parents):
            raise BadInput(
                f"{there}: is the folder that flexmine was started in, or one above it, and it would be moved aside "
                "for the new plan; start from another folder, or name another directory"
            )
    above = _plan_above(whole)
    if above is not None:
        raise BadInput(
            f"{shown(directory)}: lies inside the plan {above}, which is moved aside whole for the next plan there "
            "and deleted for the one after it; name a directory beside it"
        )


def _plan_above(place: Path) -> Path | None:
    """Return the plan that a place lies in, None where it lies in none."""
    return next((above for above in Path(os.path.realpath(place)).parents if _holds_plan(above)), None)


def _working_directory() -> Path | None:
    try:
        return Path.cwd().resolve()
    except OSError:  # it has been deleted
        return None


def write_plan(plan: Plan, directory: Path, phases: Phases, *, report: bool = True) -> None:
    """Write the plan beside `directory` and rename it into place; an older one moves to ``DIRECTORY.previous``.

    With `report`, report.html is among its files.

    Raises
    ------
    BadInput
        As by :func:`check_target`, or the place cannot be written.
    """
    check_target(directory)
    try:
        _write_beside(plan, end_of_links(directory), phases, report=report)
    except OSError as error:
        raise BadInput(f"{directory}: cannot be written: {error.strerror or error}") from error
    # Two names may lead to one folder; a link keeps standing, what it says goes.
    for file in {error_file_of(directory), error_file_of(end_of_links(directory))}:
        end_of_links(file).unlink(missing_ok=True)


def _write_beside(plan: Plan, directory: Path, phases: Phases, *, report: bool) -> None:
    started = datetime.now(UTC)
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        with phases.measure("write"):
            _write_files(plan, beside, report=report)
        run = {
            "run_id": str(uuid.uuid4()),
            "started": started.isoformat(),
            "host": socket.gethostname(),
            "seconds": round(sum(phases.seconds.values()), 6),
            "phases": {name: round(value, 6) for name, value in phases.seconds.items()},
        }
        _write_json(beside / "run.json", run)
        beside.chmod(0o755)
        _swap(beside, directory)
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def write_error(directory: Path, error: FlexmineError) -> None:
    """State beside `directory` why there is no new plan; neither the directory nor a plan above it is changed."""
    if _plan_above(directory) is not None:
        return
    document = {"status": error.status, "exit_code": error.exit_code, "messages": error.messages}
    target = end_of_links(error_file_of(directory))
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    _write_json(beside, document)
    beside.replace(target)


def write_text(path: Path, text: str) -> None:
    """Write one file, complete or not at all; where the path is a link, the file that it leads to.

    Raises
    ------
    BadInput
        Where the place cannot be written.
    """
    place = check_file(path)
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BadInput(f"{path}: cannot be written: {error.strerror or error}") from error


def write_new(directory: Path, files: Mapping[str, str]) -> None:
    """Write new files into `directory`, all of them or none; nothing is ever overwritten.

    `files` maps the name of each to its text.

    Raises
    ------
    BadInput
        One of them exists, or the place cannot be written.
    """
    there = [name for name in files if os.path.lexists(directory / name)]
    if there:
        raise BadInput(f"{directory}: holds {', '.join(there)} already, and nothing is overwritten; name another --out")
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (directory / name).open("x", encoding="utf-8", newline="\n") as file:
                written.append(directory / name)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise BadInput(f"{directory}: cannot be written: {error.strerror or error}") from error


def _write_files(plan: Plan, directory: Path, *, report: bool) -> None:
    write_problem(plan.problem, directory / "problem.json")
    write_csv(plan.setpoints, directory / "setpoints.csv")
    write_csv(plan.site, directory / "site.csv")
    names = ["problem.json", "setpoints.csv", "site.csv"]
    if report:
        from flexmine.report.page import report_html

        (directory / "report.html").write_text(report_html(plan), encoding="utf-8", newline="\n")
        names.append("report.html")
    text = document_text(plan_document(plan, {name: sha256(directory / name) for name in names}))
    (directory / "plan.json").write_text(text, encoding="utf-8", newline="\n")


def _swap(beside: Path, directory: Path) -> None:
    """Put `beside` into the place of `directory`; at every moment a complete plan stands somewhere."""
    previous = previous_of(directory)
    if directory.exists():
        if previous.exists():
            shutil.rmtree(previous)
        directory.rename(previous)
    beside.rename(directory)


def _entries(place: Path) -> list[Path]:
    return list(place.iterdir()) if place.is_dir() else []


def _may_replace(place: Path) -> bool:
    return place.is_dir() and (not any(place.iterdir()) or _holds_plan(place))


def _holds_plan(place: Path) -> bool:
    document = place / "plan.json"
    try:
        if not document.is_file():
            return False
        schema = json.loads(document.read_text(encoding="utf-8")).get("schema", "")
    except (ValueError, AttributeError, OSError):
        return False
    return str(schema).startswith(PLAN_SCHEMA_PREFIX)


def _write_json(path: Path, document: Any) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
