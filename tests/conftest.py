"""What several test files share."""

from __future__ import annotations

from collections.abc import Iterator

import postgres_server
import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a real PostgreSQL, started once; skipped where there can be none."""
    with postgres_server.running() as address:
        yield address
