"""What record.json of a run may say: its keys, their kinds and bands."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from flexmine.errors import EXIT_CODES, Status
from flexmine.inputs.fields import AsTuple, AwareTime, Day, Document, problems
from flexmine.store.places import DAY, LAST_REVISION
from flexmine.strict_json import MOST_ENTRIES, fault_of_values

RECORD_SCHEMA = "flexmine-run/1"
LONGEST_RECORD = 16 * 2**20
LARGEST_USD = 1e12


def _plain(value: Any) -> Any:
    fault = fault_of_values(value)
    if fault is not None:
        raise PydanticCustomError("text", "{fault}", {"fault": fault})
    return value


def _full_day(value: Any) -> Any:
    if isinstance(value, str) and DAY.fullmatch(value) is None:
        raise PydanticCustomError("day", "{value} is not allowed; allowed: a day as 2024-11-15", {"value": repr(value)})
    return value


def _matching(pattern: str, words: str) -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise PydanticCustomError(
                "text", "{value} is not allowed; allowed: {words}", {"value": repr(value[:80]), "words": words}
            )
        return value

    return AfterValidator(check)


Plain = AfterValidator(_plain)
Text = Annotated[str, Plain]
PlantName = Annotated[str, _matching(r"[A-Za-z][A-Za-z0-9_-]{0,59}", "up to 60 letters, digits, _ and -")]
RunId = Annotated[str, _matching(r"[A-Za-z0-9][A-Za-z0-9-]{0,35}", "up to 36 letters, digits and -")]
Sha256 = Annotated[str, _matching(r"[0-9a-f]{64}", "64 digits of 0-9 and a-f")]
IsoDay = Annotated[Day, BeforeValidator(_full_day)]
Revision = Annotated[int, Field(ge=1, le=LAST_REVISION)]
Money = Annotated[float, Field(ge=-LARGEST_USD, le=LARGEST_USD)]
Sentences = Annotated[tuple[Text, ...], AsTuple, Field(max_length=MOST_ENTRIES)]
Kind = Literal["night", "again", "redispatch", "replan"]
Step = Literal["newest", "older_issue", "fill", "persistence", "previous_plan", "hold"]
PlannedStatus = Literal["optimal", "feasible", "fallback"]


class RecordDocument(Document):
    """record.json; :class:`flexmine.store.records.RunRecord` has the same fields."""

    schema_: Literal["flexmine-run/1"] = Field(alias="schema")
    run_id: RunId
    plant: PlantName
    day: IsoDay
    revision: Revision
    inputs_sha256: Sha256
    status: PlannedStatus
    exit_code: int
    planned_at: AwareTime
    valid_from: AwareTime
    valid_until: AwareTime
    money_usd: Money
    gap: Money
    kind: Kind = "night"
    step: Step = "newest"
    labels: Sentences = ()
    state_from: Annotated[dict[str, Any], Plain] = Field(default_factory=dict)
    feeds: Annotated[tuple[Annotated[dict[str, Any], Plain], ...], AsTuple, Field(max_length=MOST_ENTRIES)] = ()
    changes: Sentences = ()
    seal: Literal[""] | Sha256 = ""
    flexmine: Annotated[Text, Field(max_length=60)] = ""

    @model_validator(mode="after")
    def _consistent(self) -> RecordDocument:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if self.valid_from >= self.valid_until:
            allowed = f"allowed: before valid_until, {self.valid_until.isoformat()}"
            found.append((("valid_from",), f"{self.valid_from.isoformat()} is not allowed; {allowed}"))
        if self.exit_code != EXIT_CODES[Status(self.status)]:
            allowed = f"allowed with {self.status}: {EXIT_CODES[Status(self.status)]}"
            found.append((("exit_code",), f"{self.exit_code} is not allowed; {allowed}"))
        problems(found)
        return self
