"""Runs, attempts and readings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flexmine.store.tables import UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("plant", sa.String(60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("inputs_sha256", sa.String(64), nullable=False),
        sa.Column("folder", sa.String(255), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("planned_at", UtcTime(), nullable=False),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_until", UtcTime(), nullable=False),
        sa.Column("money_usd", sa.Float(), nullable=False),
        sa.Column("gap", sa.Float(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.UniqueConstraint("plant", "day", "revision"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("plant", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("started", UtcTime(), nullable=False),
        sa.Column("ended", UtcTime(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
    )
    op.create_index("ix_attempts_plant", "attempts", ["plant"])
    op.create_table(
        "readings",
        sa.Column("plant", sa.String(60), primary_key=True),
        sa.Column("container", sa.String(60), primary_key=True),
        sa.Column("interval_start", UtcTime(), primary_key=True),
        sa.Column("interval_end", UtcTime(), nullable=False),
        sa.Column("quantity", sa.String(10), nullable=False),
        sa.Column("power_mw", sa.Float(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("inside_temperature_c", sa.Float(), nullable=True),
        sa.Column("planned_mw", sa.Float(), nullable=False),
        sa.Column("planned_on", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.String(36), sa.ForeignKey("runs.run_id", ondelete="SET NULL"), nullable=True),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("readings", "attempts", "runs"):
        op.drop_table(table)
