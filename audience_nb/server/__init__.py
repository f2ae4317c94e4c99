"""The REST interface: an extension of Jupyter Server, alone as `jupyter audience`."""

from __future__ import annotations

from audience_nb.errors import require

# Says which command installs it where it is absent.
for _needed in ("alembic", "jupyter_server", "jwt", "limits", "pydantic", "sqlalchemy"):
    require(_needed, "server")

from audience_nb.server.app import AudienceApp  # noqa: E402
from audience_nb.server.roles import Role  # noqa: E402

__all__ = ["AudienceApp", "Role"]
