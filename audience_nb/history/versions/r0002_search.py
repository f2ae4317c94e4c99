"""Full text over the variables that were used, and secrets that all servers share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

_TEXTS = "variable_name, description"
_OF_NEW = "new.rowid, new.variable_name, new.description"
_OF_OLD = "'delete', old.rowid, old.variable_name, old.description"
_SQLITE = (
    "CREATE VIRTUAL TABLE variable_search USING fts5("
    f"{_TEXTS}, content='variable_metadata', tokenize='unicode61 remove_diacritics 2')",
    "INSERT INTO variable_search(variable_search) VALUES ('rebuild')",
    "CREATE TRIGGER variable_added AFTER INSERT ON variable_metadata BEGIN "
    f"INSERT INTO variable_search(rowid, {_TEXTS}) VALUES ({_OF_NEW}); END",
    "CREATE TRIGGER variable_removed AFTER DELETE ON variable_metadata BEGIN "
    f"INSERT INTO variable_search(variable_search, rowid, {_TEXTS}) VALUES ({_OF_OLD}); END",
    "CREATE TRIGGER variable_changed AFTER UPDATE ON variable_metadata BEGIN "
    f"INSERT INTO variable_search(variable_search, rowid, {_TEXTS}) VALUES ({_OF_OLD}); "
    f"INSERT INTO variable_search(rowid, {_TEXTS}) VALUES ({_OF_NEW}); END",
)
_POSTGRESQL = (
    "CREATE INDEX idx_description ON variable_metadata USING gin (to_tsvector('simple', "
    "variable_name || ' ' || coalesce(description, '')))"
)


def upgrade() -> None:
    """Make the index and the table."""
    op.create_table(
        "server_secrets",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
    else:
        for statement in _SQLITE:
            op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX idx_description")
    else:
        for trigger in ("variable_added", "variable_removed", "variable_changed"):
            op.execute(f"DROP TRIGGER {trigger}")
        op.execute("DROP TABLE variable_search")
    op.drop_table("server_secrets")
