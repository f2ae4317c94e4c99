"""Tables of the history: one set of models for SQLite and PostgreSQL, decisions only."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AudienceRow",
    "DeliveryRow",
    "SecretRow",
    "SegmentRow",
    "SessionRow",
    "Table",
    "VariableRow",
    "WorkflowRow",
    "new_id",
    "now",
]


def new_id() -> str:
    """Give an id that nobody can guess: 122 random bits of the operating system.

    Returns
    -------
    str

    Examples
    --------
    >>> len(new_id())
    36
    """
    return str(uuid.uuid4())


def now() -> datetime:
    """Give the time in UTC.

    Returns
    -------
    datetime.datetime

    Examples
    --------
    >>> str(now().tzinfo)
    'UTC'
    """
    return datetime.now(UTC)


class Table(DeclarativeBase):
    """Base of the tables."""


def _id() -> Mapped[str]:
    return mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)


def _moment() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), default=now)


class SessionRow(Table):
    """One person's session: the decisions that lead back to it."""

    __tablename__ = "sessions"

    session_id: Mapped[str] = _id()
    user_id: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(100))
    decisions: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Counts acknowledged changes, so that of two servers one notices the other's.
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()

    __table_args__ = (Index("idx_sessions_user", "user_id", "updated_at"),)


class WorkflowRow(Table):
    """One cut of records into segments, as the source document's `workflow_history`."""

    __tablename__ = "workflow_history"

    workflow_id: Mapped[str] = _id()
    session_id: Mapped[str | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("sessions.session_id", ondelete="SET NULL")
    )
    user_id: Mapped[str | None] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(100))
    original_query: Mapped[str] = mapped_column(Text)
    selected_variables: Mapped[list[str]] = mapped_column(JSON)
    total_records: Mapped[int] = mapped_column(Integer)
    num_segments: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(50))
    error_message: Mapped[str | None] = mapped_column(Text)
    # What a later run needs; no row, identifier or key is in it.
    decisions: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = _moment()
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        Index("idx_user", "user_id"),
        Index("idx_status", "status"),
        Index("idx_workflow_created", "created_at"),
        Index("idx_workflow_digest", "session_id", "digest"),
    )


class SegmentRow(Table):
    """One segment of a workflow, as the source document's `audience_segments`."""

    __tablename__ = "audience_segments"

    segment_id: Mapped[str] = _id()
    workflow_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("workflow_history.workflow_id", ondelete="CASCADE")
    )
    segment_number: Mapped[int] = mapped_column(Integer)
    segment_size: Mapped[int] = mapped_column(Integer)
    segment_percentage: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    characteristics: Mapped[dict[str, Any]] = mapped_column(JSON)
    prizm_segments: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    created_at: Mapped[datetime] = _moment()

    __table_args__ = (
        UniqueConstraint("workflow_id", "segment_number", name="uq_segment_number"),
        Index("idx_workflow", "workflow_id"),
        Index("idx_segment_created", "created_at"),
    )


class VariableRow(Table):
    """One variable that a workflow used, as the source document's `variable_metadata`."""

    __tablename__ = "variable_metadata"

    variable_code: Mapped[str] = mapped_column(String(255), primary_key=True)
    # The same code may mean another thing in another source.
    data_source: Mapped[str] = mapped_column(String(100), primary_key=True)
    variable_name: Mapped[str] = mapped_column(Text)
    variable_type: Mapped[str] = mapped_column(String(50))
    data_type: Mapped[str] = mapped_column(String(50))
    description: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    subcategory: Mapped[str | None] = mapped_column(Text)
    possible_values: Mapped[Any | None] = mapped_column(JSON)
    value_range: Mapped[Any | None] = mapped_column(JSON)
    update_frequency: Mapped[str | None] = mapped_column(String(50))
    created_at: Mapped[datetime] = _moment()
    updated_at: Mapped[datetime] = _moment()

    __table_args__ = (
        Index("idx_variable_type", "variable_type"),
        Index("idx_category", "category"),
    )


class AudienceRow(Table):
    """A choice of a workflow's segments: what may leave the house."""

    __tablename__ = "audiences"

    audience_id: Mapped[str] = _id()
    workflow_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("workflow_history.workflow_id", ondelete="CASCADE")
    )
    session_id: Mapped[str | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("sessions.session_id", ondelete="SET NULL")
    )
    user_id: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(Text)
    segments: Mapped[list[int]] = mapped_column(JSON)
    size: Mapped[int] = mapped_column(Integer)
    decisions: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = _moment()

    __table_args__ = (
        UniqueConstraint("session_id", "digest", name="uq_audience_digest"),
        Index("idx_audience_user", "user_id", "created_at"),
    )


class DeliveryRow(Table):
    """The receipt of one export or distribution."""

    __tablename__ = "deliveries"

    delivery_id: Mapped[str] = _id()
    audience_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("audiences.audience_id", ondelete="CASCADE")
    )
    user_id: Mapped[str] = mapped_column(String(255))
    destination: Mapped[str] = mapped_column(String(100))
    dry_run: Mapped[bool] = mapped_column(Boolean)
    rows_sent: Mapped[int] = mapped_column(Integer)
    rows_dropped: Mapped[dict[str, int]] = mapped_column(JSON)
    created_at: Mapped[datetime] = _moment()

    __table_args__ = (Index("idx_delivery_audience", "audience_id"),)


class SecretRow(Table):
    """Random bytes that all servers on this history share."""

    __tablename__ = "server_secrets"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = _moment()
