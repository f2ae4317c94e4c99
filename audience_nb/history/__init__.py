"""What was decided, by whom and when: kept in SQLite or PostgreSQL, never a record of a person.

Sessions can be gone on with after a crash or on another server; workflows (one for each cut of
records into segments) can be run again from their row.
"""

from __future__ import annotations

from audience_nb.errors import require

# Says which command installs it where it is absent.
require("alembic", "server")
require("sqlalchemy", "server")

from audience_nb.history.keeping import Kept  # noqa: E402
from audience_nb.history.store import History  # noqa: E402

__all__ = ["History", "Kept"]
