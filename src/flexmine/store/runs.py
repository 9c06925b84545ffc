"""The store of runs: the queries of the jobs, which themselves contain no SQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from flexmine.audit.seal import Witness
from flexmine.errors import EXIT_INTERNAL, BadInput, printable
from flexmine.store.database import refusals_told
from flexmine.store.files import dying
from flexmine.store.records import AGAIN, RunRecord, record_of
from flexmine.store.row_checks import faults_of_row
from flexmine.store.sealed import Checked, Stored, checked_inputs, checked_plan
from flexmine.store.tables import MARK, AttemptRow, RunRow
from flexmine.strict_json import shown

LOG = logging.getLogger("flexmine.store")
SHORTEST_ID = 4


@dataclass(frozen=True)
class Attempt:
    """One attempt at a day and how it ended; `day` is None where it ended before a day was known."""

    run_id: str
    plant: str
    day: date | None
    started: datetime
    ended: datetime | None = None
    exit_code: int = EXIT_INTERNAL
    status: str = "unfinished"
    messages: tuple[str, ...] = ()
    kind: str = "night"

    def ended_with(self, exit_code: int, status: str, messages: Iterable[str]) -> Attempt:
        """Return the same attempt, ended now with `exit_code`, `status` and `messages`."""
        return replace(
            self, ended=datetime.now(UTC), exit_code=exit_code, status=status, messages=tuple(map(str, messages))
        )


class RunStore:
    """Runs and attempts of all plants that share a database.

    Every method that reads raises BadInput where the database cannot be read, or holds what flexmine does not write.

    Parameters
    ----------
    engine : Engine
        From :func:`flexmine.store.database.open_database`.
    root : Path
        Folder of all runs; ``root / record.folder`` holds the files of one.
    witnesses : callable, optional
        From a record to others that may know the seal of its plan, such as publications.
    strict : bool, default False
        Whether plans without a seal are refused.
    """

    def __init__(
        self,
        engine: Engine,
        root: Path,
        witnesses: Callable[[RunRecord], Sequence[Witness]] = lambda _: (),
        *,
        strict: bool = False,
    ):
        self.engine, self.root, self.strict = engine, root, strict
        self.witnesses = witnesses
        self._checked: dict[str, Checked] = {}

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def place(self, record: RunRecord) -> Path:
        """Return the folder of a run, which by its name lies in the folder of its plant.

        Raises
        ------
        BadInput
            As by :func:`flexmine.store.places.folder_of`.
        """
        return self.root / record.folder

    def is_pruned(self, record: RunRecord) -> bool:
        """Return whether a run has been removed since its record was read, or is being removed just now."""
        place = self.place(record)
        return not place.is_dir() and (dying(place).is_dir() or self.run(record.run_id) is None)

    def checked(self, record: RunRecord, *, audited: bool = False) -> Checked:
        """Return the plan of a run after comparing it with its seal, once for each record.

        With `audited` it has to pass the audit too, and is compared at every call.

        Raises
        ------
        BadInput
            As by :func:`flexmine.store.sealed.checked_plan`.
        """
        if audited or record.run_id not in self._checked:
            known = self.witnesses(record)
            found = checked_plan(self.place(record), record, known, strict=self.strict, audited=audited)
            if not found.sealed:
                LOG.warning("%s: revision %d has no seal; flexmine before 0.2 made it", record.day, record.revision)
            self._checked[record.run_id] = found
        return self._checked[record.run_id]

    def plan(self, record: RunRecord) -> Path:
        """Return the folder of the plan of a run, see :meth:`checked`."""
        return self.checked(record).plan

    def inputs(self, record: RunRecord) -> Path:
        """Return the folder of the inputs of a run, after comparing them with their hash.

        Raises
        ------
        BadInput
            As by :func:`flexmine.store.sealed.checked_inputs`.
        """
        return checked_inputs(self.place(record), record)

    def stored(self, record: RunRecord) -> Stored:
        """Return plan and inputs of a run, after comparing both with what its record states.

        Raises
        ------
        BadInput
            One of them was altered, or cannot be read.
        """
        return Stored(self.plan(record), self.inputs(record))

    def add(self, record: RunRecord) -> None:
        """Add a run whose files are in place.

        Raises
        ------
        BadInput
            The database cannot be written; the files stay, and the next run adopts them.
        """
        row = RunRow(
            run_id=record.run_id,
            plant=record.plant,
            day=record.day,
            revision=record.revision,
            kind=record.kind,
            inputs_sha256=record.inputs_sha256,
            folder=record.folder,
            status=record.status,
            exit_code=record.exit_code,
            step=record.step,
            planned_at=record.planned_at,
            valid_from=record.valid_from,
            valid_until=record.valid_until,
            money_usd=record.money_usd,
            gap=record.gap,
            document=record.document(),
            sequence=record.sequence,
        )
        self._write([row])

    def add_attempt(self, attempt: Attempt) -> None:
        """Note how an attempt ended.

        Raises
        ------
        BadInput
            The database cannot be written.
        """
        row = AttemptRow(
            run_id=attempt.run_id,
            plant=attempt.plant,
            kind=attempt.kind,
            day=attempt.day,
            started=attempt.started,
            ended=attempt.ended or attempt.started,
            exit_code=attempt.exit_code,
            status=attempt.status,
            messages=shown(list(attempt.messages)),
        )
        self._write([row])

    def mark_published(self, run_id: str, sequence: int) -> None:
        """Note that the run `run_id` was published under the number `sequence`.

        Raises
        ------
        BadInput
            The database cannot be written.
        """
        with self._writing() as session:
            session.execute(update(RunRow).where(RunRow.run_id == run_id).values(sequence=sequence))

    def remove(self, run_ids: Iterable[str]) -> None:
        """Remove the rows of the runs `run_ids`; their files are not touched.

        Raises
        ------
        BadInput
            The database cannot be written.
        """
        with self._writing() as session:
            session.execute(delete(RunRow).where(RunRow.run_id.in_(list(run_ids))))

    def revisions(self, plant: str, day: date) -> list[RunRecord]:
        """Return the plans of `plant` for `day`, the oldest first."""
        return self._runs(select(RunRow).where(RunRow.plant == plant, RunRow.day == day).order_by(RunRow.revision))

    def newest(self, plant: str, day: date) -> RunRecord | None:
        """Return the newest plan of `plant` for `day`, None where there is none."""
        found = self.revisions(plant, day)
        return found[-1] if found else None

    def followed(self, plant: str, day: date) -> RunRecord | None:
        """Return the plan of `plant` that machines follow, or will, at the end of `day`; None where there is none.

        For earlier hours it may be another one, see :mod:`flexmine.jobs.following`.
        """
        found = [record for record in self.revisions(plant, day) if record.kind != AGAIN]
        return found[-1] if found else None

    def followed_of_days(self, plant: str) -> list[RunRecord]:
        """Return, for each day of `plant`, the plan that machines follow or will at its end, the first day first."""
        newest = select(RunRow.day, func.max(RunRow.revision).label("revision"))
        last = newest.where(RunRow.plant == plant, RunRow.kind != AGAIN).group_by(RunRow.day).subquery()
        same = (RunRow.day == last.c.day) & (RunRow.revision == last.c.revision)
        return self._runs(select(RunRow).join(last, same).where(RunRow.plant == plant).order_by(RunRow.day))

    def last_day_before(self, plant: str, day: date) -> date | None:
        """Return the last day before `day` for which `plant` has a plan, None where there is none."""
        return self._day(select(func.max(RunRow.day)).where(RunRow.plant == plant, RunRow.day < day))

    def last_day(self, plant: str, *, published: bool = False) -> date | None:
        """Return the last day for which `plant` has a plan, with `published` a published one; None where none has."""
        query = select(func.max(RunRow.day)).where(RunRow.plant == plant)
        return self._day(query.where(RunRow.sequence.is_not(None)) if published else query)

    def last_published(self, plant: str) -> RunRecord | None:
        """Return the run of `plant` that was published last, None where none was."""
        return next(iter(self.published(plant, 1)), None)

    def published(self, plant: str, limit: int = 50) -> list[RunRecord]:
        """Return the published runs of `plant`, the last one first, at most `limit` of them."""
        query = select(RunRow).where(RunRow.plant == plant, RunRow.sequence.is_not(None))
        return self._runs(query.order_by(RunRow.sequence.desc()).limit(limit))

    def run(self, run_id: str) -> RunRecord | None:
        """Return the run with the whole id `run_id`, None where there is none."""
        return next(iter(self._runs(select(RunRow).where(RunRow.run_id == run_id))), None)

    def history(self, plant: str, limit: int | None = None) -> list[RunRecord]:
        """Return the runs of `plant`, the newest day and revision first, at most `limit` of them (None: all)."""
        query = select(RunRow).where(RunRow.plant == plant).order_by(RunRow.day.desc(), RunRow.revision.desc())
        return self._runs(query if limit is None else query.limit(limit))

    def attempts(self, plant: str, limit: int | None = None) -> list[Attempt]:
        """Return the attempts of `plant`, the last one first, at most `limit` of them (None: all)."""
        of_runs = select(AttemptRow).where(AttemptRow.plant == plant, AttemptRow.kind != MARK)
        query = of_runs.order_by(AttemptRow.id.desc())
        with self._reading() as session:
            rows = session.scalars(query if limit is None else query.limit(limit)).all()
        for r in rows:
            _refuse_damaged("attempts", f"id {r.id}", {**_columns(r), "messages": shown(r.messages)})
        return [
            Attempt(
                run_id=r.run_id,
                plant=r.plant,
                day=r.day,
                started=r.started,
                ended=r.ended,
                exit_code=r.exit_code,
                status=r.status,
                messages=tuple(shown(r.messages)),
                kind=r.kind,
            )
            for r in rows
        ]

    def find(self, run_id: str) -> RunRecord:
        """Return the run whose id is or begins with `run_id`, of at least 4 characters.

        Raises
        ------
        BadInput
            `run_id` is too short, or no run or several begin with it.
        """
        if len(run_id) < SHORTEST_ID:
            raise BadInput(f"run {run_id!r}: give at least {SHORTEST_ID} characters of its id; flexmine history lists")
        found = self._runs(select(RunRow).where(RunRow.run_id.startswith(run_id, autoescape=True)).limit(2))
        if len(found) != 1:
            what = "several runs begin" if found else "no run begins"
            raise BadInput(f"run {run_id!r}: {what} with it; flexmine history lists all of them")
        return found[0]

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        try:
            with refusals_told("the store cannot be read"), Session(self.engine) as session:
                yield session
        except (ValueError, TypeError) as error:  # of the types of columns, where others have written into them
            message = f"the store cannot be read: a row holds no value of its column: {error}"
            raise BadInput(printable(message)) from error

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with refusals_told("the store cannot be written"), Session(self.engine) as session, session.begin():
            yield session

    def _runs(self, query: object) -> list[RunRecord]:
        with self._reading() as session:
            rows: Sequence[RunRow] = session.scalars(query).all()  # type: ignore[call-overload]
            for row in rows:
                _refuse_damaged("runs", f"run {row.run_id}", _columns(row))
            return [record_of(row.document, row.sequence) for row in rows]

    def _day(self, query: object) -> date | None:
        with self._reading() as session:
            found: date | None = session.scalar(query)  # type: ignore[call-overload]
        return found

    def _write(self, rows: list[RunRow] | list[AttemptRow]) -> None:
        with self._writing() as session:
            session.add_all(rows)


def _columns(row: RunRow | AttemptRow) -> dict[str, Any]:
    """Return the columns of a row as plain values."""
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}


def _refuse_damaged(table: str, which: str, row: dict[str, Any]) -> None:
    """Refuse a row that flexmine has not written so; what it names is used as a path, a state or money."""
    faults = faults_of_row(table, row)
    if faults:
        raise BadInput([printable(f"the store: table {table}, {which}: {fault}") for fault in faults])
