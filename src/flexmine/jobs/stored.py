"""Whether the files of a stored run are what its record says, before it is taken in or restored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from flexmine.audit.directory import audit_directory
from flexmine.audit.plan_files import read_document
from flexmine.errors import BadInput
from flexmine.jobs.resolve import digest_of
from flexmine.store.records import RunRecord

USD_SLACK = 1e-3


def check_run(folder: Path, record: RunRecord) -> None:
    """Check inputs and plan of a run against its record.

    Parameters
    ----------
    folder : Path
        With ``inputs`` and ``plan``; where it lies does not matter.
    record : RunRecord
        What is said of them.

    Raises
    ------
    BadInput
        The inputs are others, the plan fails the audit, or it is another plan than the record describes.
    """
    if digest_of(folder / "inputs") != record.inputs_sha256:
        raise BadInput("its inputs are not those that its record names")
    audit = audit_directory(folder / "plan")
    if not audit.ok:
        raise BadInput(f"its plan fails the audit: {audit.violations[0]}")
    # A seal over plan.json belongs here, once a record carries one.
    wrong = list(_differences(read_document(folder / "plan"), record))
    if wrong:
        raise BadInput([f"plan.json: {sentence}" for sentence in wrong])


def _differences(document: Mapping[str, Any], record: RunRecord) -> Iterator[str]:
    """Yield what plan.json and the record say differently.

    The audit has passed: what it compares, such as status, gap and horizon, is there and of its kind.
    """
    if document.get("plant") != record.plant:
        yield f"is of plant {document.get('plant')!r}, its record is of {record.plant!r}"
    if document["status"] != record.status:
        yield f"status is {document['status']!r}, its record says {record.status!r}"
    if abs(document["gap"] - record.gap) > 1e-9 * max(1.0, abs(record.gap)):
        yield f"gap is {document['gap']!r}, its record says {record.gap!r}"
    money = document["published"].get("money_usd")
    if not isinstance(money, int | float) or not abs(money - record.money_usd) <= USD_SLACK:
        yield f"published.money_usd is {money!r}, its record says {record.money_usd!r}"
    start = datetime.fromisoformat(document["horizon"]["start"])
    if start != record.valid_from:
        yield f"its horizon begins {start.isoformat()}, by its record {record.valid_from.isoformat()}"
