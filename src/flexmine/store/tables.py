"""The tables of the store; docs/nightly.md states what the columns mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Date, DateTime, Dialect, ForeignKey, String, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MARK = "restore"
"""Kind of the row by which a restore knows that it was committed; it is gone when the restore has ended."""


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database; SQLite keeps no zone of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a moment in UTC, as it is stored.

        Raises
        ------
        ValueError
            It has no offset.
        """
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset; the store keeps moments")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a stored moment, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""


class RunRow(Base):
    """A plan that is kept: one revision of one day of one plant; its files lie in `folder` beside the database."""

    __tablename__ = "runs"
    __table_args__ = (UniqueConstraint("plant", "day", "revision"),)

    run_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    plant: Mapped[str] = mapped_column(String(60))
    day: Mapped[date] = mapped_column(Date)
    revision: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    folder: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20))
    exit_code: Mapped[int]
    step: Mapped[str] = mapped_column(String(20))
    planned_at: Mapped[datetime] = mapped_column(UtcTime)
    valid_from: Mapped[datetime] = mapped_column(UtcTime)
    valid_until: Mapped[datetime] = mapped_column(UtcTime)
    money_usd: Mapped[float]
    gap: Mapped[float]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    sequence: Mapped[int | None]


class AttemptRow(Base):
    """How one attempt at one day ended, whether it brought a plan or not."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(String(36))
    plant: Mapped[str] = mapped_column(String(60), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    day: Mapped[date | None] = mapped_column(Date)
    started: Mapped[datetime] = mapped_column(UtcTime)
    ended: Mapped[datetime] = mapped_column(UtcTime)
    exit_code: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    messages: Mapped[list[str]] = mapped_column(JSON)


class ReadingRow(Base):
    """What a container was measured to draw in one interval, and what the plan in force had planned."""

    __tablename__ = "readings"

    plant: Mapped[str] = mapped_column(String(60), primary_key=True)
    container: Mapped[str] = mapped_column(String(60), primary_key=True)
    interval_start: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    interval_end: Mapped[datetime] = mapped_column(UtcTime)
    quantity: Mapped[str] = mapped_column(String(10))
    power_mw: Mapped[float]
    is_on: Mapped[bool]
    inside_temperature_c: Mapped[float | None]
    planned_mw: Mapped[float]
    planned_on: Mapped[bool]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.run_id", ondelete="SET NULL"))
