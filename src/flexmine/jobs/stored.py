"""Whether the files of a stored run agree with its record, checked before it is taken in or restored."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flexmine.audit.plan_files import read_document
from flexmine.audit.seal import Witness, is_own_version, is_sealed
from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.jobs.resolve import CASE_FILE
from flexmine.moments import read_moment
from flexmine.store.records import RunRecord
from flexmine.store.sealed import digest_of
from flexmine.workflow.audit_files import audit_plan

LOG = logging.getLogger("flexmine.store")
USD_SLACK = 1e-3


def check_run(folder: Path, record: RunRecord, witnesses: Sequence[Witness] = (), *, strict: bool = False) -> None:
    """Check inputs and plan of a run against its record.

    Parameters
    ----------
    folder : Path
        With ``inputs`` and ``plan``; where it lies does not matter.
    record : RunRecord
        What they have to agree with.
    witnesses : sequence of Witness
        Who knows the seal of the plan beside the record.
    strict : bool, default False
        Refuse a plan without a seal, instead of only reporting it.

    Raises
    ------
    BadInput
        The inputs are others, the plan fails the audit, or it is another plan than the record describes.
    """
    if digest_of(folder / "inputs") != record.inputs_sha256:
        raise BadInput("its inputs are not those that its record names")
    plan = folder / "plan"
    own = Witness("its record", record.seal, record.flexmine)
    known = (own,) if record.seal else (own, *witnesses)
    document = read_document(plan)
    # Another version may build another problem of the same case, and better; then the plan alone is audited.
    case = load_case(folder / "inputs" / CASE_FILE) if is_own_version(document) else None
    audit = audit_plan(plan, case, known, strict=strict)
    if not audit.ok:
        raise BadInput(f"its plan fails the audit: {audit.violations[0]}")
    if not is_sealed(document):
        LOG.warning("%s: revision %d has no seal; flexmine before 0.2 made it", record.day, record.revision)
    wrong = list(_differences(document, record))
    if wrong:
        raise BadInput([f"plan.json: {sentence}" for sentence in wrong])


def _differences(document: Mapping[str, Any], record: RunRecord) -> Iterator[str]:
    """Yield where plan.json and the record differ.

    The audit has passed: what it compares, such as status, gap and horizon, is present and of the right kind.
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
    horizon = document["horizon"]
    start, zone = read_moment(horizon["start"]), ZoneInfo(horizon["zone"])
    if start != record.valid_from:
        yield f"its horizon begins {start.isoformat()}, by its record {record.valid_from.isoformat()}"
    end = start.astimezone(UTC) + timedelta(hours=horizon["step_h"] * horizon["publish_steps"])
    if end != record.valid_until:
        yield f"its published part ends {end.isoformat()}, by its record {record.valid_until.isoformat()}"
    day = start.astimezone(zone).date()
    if day != record.day:
        yield f"its horizon begins on {day} in {zone.key}, its record is of {record.day}"
