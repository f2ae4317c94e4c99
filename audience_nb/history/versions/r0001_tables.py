"""The first tables: sessions, workflows, segments, variables, audiences, deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("idx_sessions_user", "sessions", ["user_id", "updated_at"], unique=False)
    op.create_table(
        "variable_metadata",
        sa.Column("variable_code", sa.String(length=255), nullable=False),
        sa.Column("data_source", sa.String(length=100), nullable=False),
        sa.Column("variable_name", sa.Text(), nullable=False),
        sa.Column("variable_type", sa.String(length=50), nullable=False),
        sa.Column("data_type", sa.String(length=50), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("subcategory", sa.Text(), nullable=True),
        sa.Column("possible_values", sa.JSON(), nullable=True),
        sa.Column("value_range", sa.JSON(), nullable=True),
        sa.Column("update_frequency", sa.String(length=50), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("variable_code", "data_source"),
    )
    op.create_index("idx_category", "variable_metadata", ["category"], unique=False)
    op.create_index("idx_variable_type", "variable_metadata", ["variable_type"], unique=False)
    op.create_table(
        "workflow_history",
        sa.Column("workflow_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("user_id", sa.String(length=255), nullable=True),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("original_query", sa.Text(), nullable=False),
        sa.Column("selected_variables", sa.JSON(), nullable=False),
        sa.Column("total_records", sa.Integer(), nullable=False),
        sa.Column("num_segments", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("workflow_id"),
    )
    op.create_index("idx_status", "workflow_history", ["status"], unique=False)
    op.create_index("idx_user", "workflow_history", ["user_id"], unique=False)
    op.create_index("idx_workflow_created", "workflow_history", ["created_at"], unique=False)
    op.create_index(
        "idx_workflow_digest", "workflow_history", ["session_id", "digest"], unique=False
    )
    op.create_table(
        "audience_segments",
        sa.Column("segment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("workflow_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("segment_number", sa.Integer(), nullable=False),
        sa.Column("segment_size", sa.Integer(), nullable=False),
        sa.Column("segment_percentage", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("characteristics", sa.JSON(), nullable=False),
        sa.Column("prizm_segments", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow_history.workflow_id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id"),
        sa.UniqueConstraint("workflow_id", "segment_number", name="uq_segment_number"),
    )
    op.create_index("idx_segment_created", "audience_segments", ["created_at"], unique=False)
    op.create_index("idx_workflow", "audience_segments", ["workflow_id"], unique=False)
    op.create_table(
        "audiences",
        sa.Column("audience_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("workflow_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow_history.workflow_id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audience_id"),
        sa.UniqueConstraint("session_id", "digest", name="uq_audience_digest"),
    )
    op.create_index("idx_audience_user", "audiences", ["user_id", "created_at"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("audience_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("destination", sa.String(length=100), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("rows_sent", sa.Integer(), nullable=False),
        sa.Column("rows_dropped", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["audience_id"], ["audiences.audience_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index("idx_delivery_audience", "deliveries", ["audience_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index("idx_delivery_audience", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index("idx_audience_user", table_name="audiences")
    op.drop_table("audiences")
    op.drop_index("idx_workflow", table_name="audience_segments")
    op.drop_index("idx_segment_created", table_name="audience_segments")
    op.drop_table("audience_segments")
    op.drop_index("idx_workflow_digest", table_name="workflow_history")
    op.drop_index("idx_workflow_created", table_name="workflow_history")
    op.drop_index("idx_user", table_name="workflow_history")
    op.drop_index("idx_status", table_name="workflow_history")
    op.drop_table("workflow_history")
    op.drop_index("idx_variable_type", table_name="variable_metadata")
    op.drop_index("idx_category", table_name="variable_metadata")
    op.drop_table("variable_metadata")
    op.drop_index("idx_sessions_user", table_name="sessions")
    op.drop_table("sessions")
