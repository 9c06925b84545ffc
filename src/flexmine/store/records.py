"""What is known of a run: the document in its folder and, the same, its row in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flexmine.errors import BadInput
from flexmine.moments import read_day, read_moment

RECORD_SCHEMA = "flexmine-run/1"
RECORD_FILE = "record.json"
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
        ``night``, or what else has planned it.
    inputs_sha256 : str
        Over all files that the plan was made from.
    step : str
        Of the ladder: ``newest`` or the name of the step that was needed.
    labels : tuple of str
        What a person should know of how it came about, in sentences.
    money_usd : float
        Of the published part.
    state_from : mapping
        Where the state before the day came from.
    feeds : tuple of mapping
        Which issue of which file each series is from.
    changes : tuple of str
        What differs from the inputs of the revision before.
    seal : str
        Of its plan, see :mod:`flexmine.audit.seal`; empty where the version that made it sealed none.
    flexmine : str
        Version that made it; empty before versions were noted.
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
        return f"{self.plant}/{self.day.isoformat()}/r{self.revision}"

    def document(self) -> dict[str, Any]:
        """Return the record as it stands in the folder of the run; the sequence of publication comes later."""
        values = asdict(self)
        del values["sequence"]
        for key in ("day", "planned_at", "valid_from", "valid_until"):
            values[key] = values[key].isoformat()
        return {"schema": RECORD_SCHEMA, **values}


def record_text(record: RunRecord) -> str:
    """Return the text of record.json."""
    return json.dumps(record.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def record_of(document: Mapping[str, Any], sequence: int | None = None) -> RunRecord:
    """Return the record that a document describes.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where it is no such document.
    """
    values = {key: value for key, value in document.items() if key != "schema"}
    if document["schema"] != RECORD_SCHEMA:
        raise ValueError(f"schema {document['schema']!r}, expected {RECORD_SCHEMA!r}")
    values["day"] = read_day(values["day"])
    for key in ("planned_at", "valid_from", "valid_until"):
        values[key] = read_moment(values[key])
    for key in ("labels", "feeds", "changes"):
        values[key] = tuple(values[key])
    return RunRecord(**values, sequence=sequence)


def read_record(folder: Path) -> RunRecord:
    """Read record.json of a run's folder.

    Raises
    ------
    BadInput
        Where it is missing or is no record.
    """
    file = folder / RECORD_FILE
    try:
        return record_of(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInput(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{file}: is no record of a run: {error}") from error
