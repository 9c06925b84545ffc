"""What was measured, beside what was planned, in the database of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from flexmine.errors import BadInput, printable
from flexmine.store.database import refusals_told
from flexmine.store.tables import ReadingRow


@dataclass(frozen=True)
class Reading:
    """One container over one step of the plan.

    Attributes
    ----------
    quantity : str
        ``facility`` or ``it``: which power `power_mw` and `planned_mw` are.
    is_on : bool
        By the end of the step.
    run_id : str
        The plan in force; empty where that run was removed.
    """

    container: str
    begin: datetime
    end: datetime
    quantity: str
    power_mw: float
    is_on: bool
    planned_mw: float
    planned_on: bool
    run_id: str
    inside_temperature_c: float | None = None


def add_readings(engine: Engine, plant: str, readings: Sequence[Reading]) -> None:
    """Add readings of `plant`; existing ones of the same container and step are replaced.

    Raises
    ------
    BadInput
        The database cannot be written.
    """
    rows = [
        ReadingRow(
            plant=plant,
            container=r.container,
            interval_start=r.begin,
            interval_end=r.end,
            quantity=r.quantity,
            power_mw=r.power_mw,
            is_on=r.is_on,
            inside_temperature_c=r.inside_temperature_c,
            planned_mw=r.planned_mw,
            planned_on=r.planned_on,
            run_id=r.run_id,
        )
        for r in readings
    ]
    with refusals_told("the store cannot be written"), Session(engine) as session, session.begin():
        for moment in {r.begin for r in readings}:
            names = [r.container for r in readings if r.begin == moment]
            session.execute(
                delete(ReadingRow).where(
                    ReadingRow.plant == plant,
                    ReadingRow.interval_start == moment,
                    ReadingRow.container.in_(names),
                )
            )
        session.add_all(rows)


def readings_between(engine: Engine, plant: str, begin: datetime, end: datetime) -> list[Reading]:
    """Return the readings of `plant` over all steps within `begin` and `end` (both aware), in order of time.

    Raises
    ------
    BadInput
        The database cannot be read, or a row holds no number where there has to be one.
    """
    query = (
        select(ReadingRow)
        .where(ReadingRow.plant == plant, ReadingRow.interval_start >= begin, ReadingRow.interval_end <= end)
        .order_by(ReadingRow.interval_start, ReadingRow.container)
    )
    try:
        with refusals_told("the store cannot be read"), Session(engine) as session:
            rows = session.scalars(query).all()
    except (ValueError, TypeError) as error:  # of the types of columns, where others have written into them
        message = f"the store cannot be read: a row holds no value of its column: {error}"
        raise BadInput(printable(message)) from error
    for r in rows:
        _refuse_damaged(r)
    return [
        Reading(
            container=r.container,
            begin=r.interval_start,
            end=r.interval_end,
            quantity=r.quantity,
            power_mw=r.power_mw,
            is_on=r.is_on,
            planned_mw=r.planned_mw,
            planned_on=r.planned_on,
            run_id=r.run_id or "",
            inside_temperature_c=r.inside_temperature_c,
        )
        for r in rows
    ]


def _refuse_damaged(row: ReadingRow) -> None:
    """Refuse a value that is not a number: SQLite keeps in a column whatever was written there."""
    for key in ("power_mw", "planned_mw", "inside_temperature_c"):
        value = getattr(row, key)
        if value is None and key == "inside_temperature_c":
            continue
        if not isinstance(value, int | float) or not isfinite(value):
            where = f"the store: table readings, {row.container} at {row.interval_start.isoformat()}"
            raise BadInput(printable(f"{where}: {key}: {value!r} is not allowed; a finite number is expected"))
