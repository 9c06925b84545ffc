"""Rows of the store, from a backup or from a database that others can write, checked as strictly as a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from flexmine.audit.seal import LAST_SEQUENCE
from flexmine.errors import EXIT_CODES as CODES
from flexmine.errors import EXIT_INTERNAL, BadInput, Status, first_of, printable
from flexmine.inputs.explain import explain
from flexmine.inputs.fields import AwareTime, Document, Name, PowerMw, problems
from flexmine.moments import NoTime, read_moment
from flexmine.store.record_schema import (
    IsoDay,
    Kind,
    Money,
    PlannedStatus,
    PlantName,
    Revision,
    RunId,
    Sentences,
    Sha256,
    Step,
    Text,
)
from flexmine.store.records import RunRecord, record_of

SHOWN = 20
MeasuredMw = Annotated[float, Field(ge=0.0, le=20.0)]
InsideC = Annotated[float, Field(ge=-70.0, le=100.0)]
AttemptStatus = Literal[
    "optimal",
    "feasible",
    "fallback",
    "infeasible",
    "no_plan",
    "bad_input",
    "audit_failed",
    "internal_error",
    "unfinished",
]
Rows = dict[str, list[dict[str, Any]]]


class RunColumns(Document):
    """A row of ``runs``."""

    run_id: RunId
    plant: PlantName
    day: IsoDay
    revision: Revision
    kind: Kind
    inputs_sha256: Sha256
    folder: Text
    status: PlannedStatus
    exit_code: int
    step: Step
    planned_at: AwareTime
    valid_from: AwareTime
    valid_until: AwareTime
    money_usd: Money
    gap: Money
    document: dict[str, Any]
    sequence: Annotated[int, Field(ge=1, le=LAST_SEQUENCE)] | None


class AttemptColumns(Document):
    """A row of ``attempts``."""

    id: Annotated[int, Field(ge=1)]
    run_id: RunId
    plant: PlantName
    kind: Kind
    day: IsoDay | None
    started: AwareTime
    ended: AwareTime
    exit_code: int
    status: AttemptStatus
    messages: Sentences

    @model_validator(mode="after")
    def _consistent(self) -> AttemptColumns:
        found: list[tuple[tuple[str | int, ...], str]] = []
        if self.ended < self.started:
            allowed = f"allowed: not before started, {self.started.isoformat()}"
            found.append((("ended",), f"{self.ended.isoformat()} is not allowed; {allowed}"))
        right = CODES[Status(self.status)] if self.status in set(Status) else EXIT_INTERNAL
        if self.exit_code != right:
            found.append((("exit_code",), f"{self.exit_code} is not allowed; allowed with {self.status}: {right}"))
        problems(found)
        return self


class ReadingColumns(Document):
    """A row of ``readings``."""

    plant: PlantName
    container: Name
    interval_start: AwareTime
    interval_end: AwareTime
    quantity: Literal["facility", "it"]
    power_mw: MeasuredMw
    is_on: bool
    inside_temperature_c: InsideC | None
    planned_mw: PowerMw
    planned_on: bool
    run_id: RunId | None

    @model_validator(mode="after")
    def _consistent(self) -> ReadingColumns:
        if self.interval_end <= self.interval_start:
            allowed = f"allowed: after interval_start, {self.interval_start.isoformat()}"
            problems([(("interval_end",), f"{self.interval_end.isoformat()} is not allowed; {allowed}")])
        return self


COLUMNS: dict[str, type[Document]] = {"runs": RunColumns, "attempts": AttemptColumns, "readings": ReadingColumns}


def faults_of_row(table: str, row: Any) -> list[str]:
    """Return what is wrong with `row` of the table `table`, each as key, value and what is allowed."""
    model = COLUMNS[table]
    try:
        model.model_validate(row)
    except ValidationError as error:
        return [printable(f"{'.'.join(map(str, f.keys)) or 'row'}: {f.message}") for f in explain(error, model)]
    return faults_of_run(row) if table == "runs" else []


def faults_of_run(row: Mapping[str, Any]) -> list[str]:
    """Return where `row` of the table ``runs`` and the record in its ``document`` contradict each other."""
    try:
        record = record_of(row["document"])
    except ValueError as error:
        return [f"document: {error}"]
    return [
        printable(f"{key}: {row[key]!r} is not allowed; allowed, by the record of the run: {right!r}")
        for key, right in expected_columns(record).items()
        if not _same(row[key], right)
    ]


def expected_columns(record: RunRecord) -> dict[str, Any]:
    """Return the columns of a run as plain values, except its document and the number of its publication."""
    keys = ("run_id", "plant", "revision", "kind", "inputs_sha256", "folder", "status", "exit_code", "step")
    times = ("day", "planned_at", "valid_from", "valid_until")
    plain = {key: getattr(record, key) for key in (*keys, "money_usd", "gap")}
    return plain | {key: getattr(record, key).isoformat() for key in times}


def _same(written: Any, right: Any) -> bool:
    """Return whether two values are equal; a moment equals itself in any time zone."""
    if isinstance(right, str) and "T" in right and isinstance(written, str) and "T" in written:
        try:
            return read_moment(written) == read_moment(right)
        except NoTime:
            return written == right
    return bool(written == right)


def check_rows(place: str, rows: Any, plant: str) -> Rows:
    """Return rows that are right in themselves and among each other.

    Parameters
    ----------
    place : str
        Where they stand, for the messages.
    rows : object
        From the name of a table to its rows, each a mapping.
    plant : str
        The only plant that they may be of.

    Raises
    ------
    BadInput
        All that is wrong, with table, row, key, value and what is allowed.
    """
    if not isinstance(rows, dict) or set(rows) != set(COLUMNS):
        found = ", ".join(map(repr, sorted(map(str, rows)))) if isinstance(rows, dict) else "no tables"
        raise BadInput(printable(f"{place}: its tables are not those of this version, {', '.join(COLUMNS)}: {found}"))
    for table, listed in rows.items():
        if not isinstance(listed, list):
            raise BadInput(f"{place}: table {table} is not a list of rows")
    wrong = list(_wrong_rows(rows, plant)) or list(_clashes(rows))
    if wrong:
        raise BadInput(first_of([f"{place}: {sentence}" for sentence in wrong], SHOWN))
    return rows


def _wrong_rows(rows: Rows, plant: str) -> Iterator[str]:
    for table, listed in rows.items():
        for number, row in enumerate(listed, 1):
            faults = faults_of_row(table, row)
            if not faults and row["plant"] != plant:
                faults = [f"plant: {row['plant']!r} is not allowed; allowed: the plant of the job, {plant!r}"]
            yield from (f"table {table}, row {number}: {fault}" for fault in faults)


def _clashes(rows: Rows) -> Iterator[str]:
    """Yield rows that repeat what has to be unique in their table, and readings of runs that are not there."""
    for table, names in (
        ("runs", ("run_id",)),
        ("runs", ("plant", "day", "revision")),
        ("runs", ("sequence",)),
        ("attempts", ("id",)),
        ("attempts", ("run_id", "kind", "day", "started")),
        ("readings", ("plant", "container", "interval_start")),
    ):
        seen: dict[tuple[Any, ...], int] = {}
        for number, row in enumerate(rows[table], 1):
            values = tuple(_instant(name, row[name]) for name in names)
            if values == (None,):
                continue
            if values in seen:
                shown = ", ".join(f"{name} {row[name]!r}" for name in names)
                yield f"table {table}, row {number}: {shown}: row {seen[values]} has the same; allowed: each once"
            seen.setdefault(values, number)
    known = {row["run_id"] for row in rows["runs"]}
    for number, row in enumerate(rows["readings"], 1):
        if row["run_id"] is not None and row["run_id"] not in known:
            yield (
                f"table readings, row {number}: run_id: {row['run_id']!r} is not allowed; allowed: a run of the table "
                "runs, or null"
            )


def _instant(name: str, value: Any) -> Any:
    return read_moment(value) if name in ("started", "interval_start") else value
