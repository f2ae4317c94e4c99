"""What several test files share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import postgres_server
import pytest
from sqlalchemy import create_engine, text

from audience_nb import distribution, sources
from audience_nb.embedding import registry


@pytest.fixture(autouse=True)
def what_a_test_registers_goes_with_it() -> Iterator[None]:
    """Leave the registers as they were: other tests list what there is."""
    registers = (distribution._REGISTERED, sources._OPENERS, registry._registered)
    before = [dict(register) for register in registers]
    yield
    for register, kept in zip(registers, before, strict=True):
        register.clear()
        register.update(kept)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Address of a real PostgreSQL, started once; skipped where there can be none."""
    with postgres_server.running() as address:
        yield address


@pytest.fixture(scope="module")
def own_postgres(postgres: str) -> Iterator[str]:
    """Address of a database in it that nobody else uses."""
    name = f"own_{secrets.token_hex(4)}"
    server = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield f"{postgres.rpartition('/')[0]}/{name}"
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
