"""What is known of a run: the document in its folder and, the same, its row in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flexmine.errors import BadInput, printable
from flexmine.files import read_regular
from flexmine.inputs.explain import explain
from flexmine.store.places import RECORD_FILE, folder_of
from flexmine.store.record_schema import LONGEST_RECORD, RECORD_SCHEMA, RecordDocument
from flexmine.strict_json import read_strictly, shown

NIGHT = "night"
AGAIN = "again"
"""Kind of a day that was planned anew while machines follow another plan of it: kept, never followed."""


@dataclass(frozen=True)
class RunRecord:
    """One kept plan.

    Attributes
    ----------
    revision : int
        Counts the plans of a day of a plant, from 1.
    kind : str
        ``night``, ``again``, or the command that planned it: ``redispatch`` or ``replan``.
    inputs_sha256 : str
        Over all files that the plan was made from.
    step : str
        Of the ladder: ``newest`` or the name of the step that was needed.
    labels : tuple of str
        What a person should know about how it came about, in sentences.
    money_usd : float
        Of the published part.
    state_from : mapping
        Where the state before the day came from.
    feeds : tuple of mapping
        Which issue of which file each series is from.
    changes : tuple of str
        What differs from the inputs of the revision before.
    seal : str
        Of its plan, see :mod:`flexmine.audit.seal`; empty where the version that made it had no seals.
    flexmine : str
        Version that made it; empty before versions were noted.
    sequence : int or None
        Number of its publication; None where it is not published.
    """

    run_id: str
    plant: str
    day: date
    revision: int
    inputs_sha256: str
    status: str
    exit_code: int
    planned_at: datetime
    valid_from: datetime
    valid_until: datetime
    money_usd: float
    gap: float
    kind: str = NIGHT
    step: str = "newest"
    labels: tuple[str, ...] = ()
    state_from: Mapping[str, Any] = field(default_factory=dict)
    feeds: tuple[Mapping[str, Any], ...] = ()
    changes: tuple[str, ...] = ()
    seal: str = ""
    flexmine: str = ""
    sequence: int | None = None

    @property
    def folder(self) -> str:
        """Where its files lie, relative to the folder of all runs."""
        return folder_of(self.plant, self.day, self.revision)

    def document(self) -> dict[str, Any]:
        """Return the content of record.json in the folder of the run; its number of publication comes later."""
        values = asdict(self)
        del values["sequence"]
        for key in ("day", "planned_at", "valid_from", "valid_until"):
            values[key] = values[key].isoformat()
        # Sentences may quote what a file says; what is kept can be read back and printed.
        for key in ("labels", "state_from", "feeds", "changes"):
            values[key] = shown(values[key])
        return {"schema": RECORD_SCHEMA, **values}


def record_text(record: RunRecord) -> str:
    """Return the text of record.json.

    Raises
    ------
    BadInput
        The record holds what could not be read back; it is refused before it is kept.
    """
    document = record.document()
    try:
        record_of(document)
    except ValueError as error:
        raise BadInput(f"run {record.run_id} cannot be kept: {error}") from error
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def record_of(document: Any, sequence: int | None = None) -> RunRecord:
    """Return the record that a document describes, checked as strictly as a case.

    Parameters
    ----------
    document : object
        Content of record.json or of the column ``document``.
    sequence : int, optional
        Number of publication, which only the row knows.

    Returns
    -------
    RunRecord

    Raises
    ------
    ValueError
        It is not such a document; the message has key, value and what is allowed.
    """
    try:
        checked = RecordDocument.model_validate(document)
    except ValidationError as error:
        found = explain(error, RecordDocument)
        raise ValueError("; ".join(printable(f"{_dotted(f.keys)}: {f.message}") for f in found)) from error
    values = {name: getattr(checked, name) for name in RecordDocument.model_fields if name != "schema_"}
    return RunRecord(**values, sequence=sequence)


def _dotted(keys: tuple[str | int, ...]) -> str:
    return ".".join(map(str, keys)) or "the record"


def read_record(folder: Path) -> RunRecord:
    """Read record.json of the run in `folder`.

    Raises
    ------
    BadInput
        It is missing or is not a record.
    """
    file = folder / RECORD_FILE
    try:
        raw = read_regular(file, LONGEST_RECORD)
    except BadInput as error:
        raise BadInput([f"{file}: {message}" for message in error.messages]) from error
    try:
        return record_of(read_strictly(raw))
    except ValueError as error:
        raise BadInput(f"{file}: is not a record of a run: {error}") from error
