"""Open the history's database and lead it to the newest tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from audience_nb.errors import InvalidInput, SourceFailed
from audience_nb.history.tables import Table

__all__ = ["migrate", "open_engine"]

# Milliseconds that a writer waits for another before it gives up.
_BUSY_MS = 30_000
# Any number, the same in every server, so that only one of them migrates at a time.
_MIGRATING = 0x61756469


def open_engine(url: str | Path) -> Engine:
    """Open a database for the history.

    SQLite keeps a write-ahead log that is on disk before a write is acknowledged, and takes its
    lock when a transaction begins: writers then wait for each other instead of failing.

    Parameters
    ----------
    url : str or pathlib.Path
        File of SQLite, made where there is none, or the address of a PostgreSQL database.

    Returns
    -------
    sqlalchemy.Engine

    Raises
    ------
    InvalidInput
        If it is neither.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     engine = open_engine(Path(folder) / "history.sqlite3")
    ...     engine.dialect.name
    ...     engine.dispose()
    'sqlite'
    """
    if isinstance(url, Path) or "://" not in url:
        path = Path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody else may read who asked for what.
        path.touch(mode=0o600)
        url = f"sqlite:///{path}"
    try:
        name = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise InvalidInput(
            "The history's address is no address of a database.",
            "Give a file, or postgresql+psycopg://….",
        ) from error
    if name not in ("sqlite", "postgresql"):
        raise InvalidInput(
            f"The history is kept in SQLite or PostgreSQL, not in {name}.",
            "Give a file, or postgresql+psycopg://….",
        )
    if name == "postgresql":
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10)
    engine = create_engine(url, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_at_once)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions on its own, too late for a lock.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_at_once(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def migrate(engine: Engine) -> None:
    """Lead a database to the newest tables; one server at a time, all of it or nothing.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        As `open_engine` gave it.

    Raises
    ------
    SourceFailed
        If the database cannot be reached, or its tables are newer than this package.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("version_locations", str(Path(__file__).parent / "versions"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def upgraded(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)

    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            with EnvironmentContext(config, script, fn=upgraded) as environment:
                environment.configure(connection=connection, target_metadata=Table.metadata)
                environment.run_migrations()
    except SQLAlchemyError as error:
        raise SourceFailed(
            f"The history's database cannot be opened: {type(error).__name__}.",
            "Check its address, that it runs, and that it may be written to.",
        ) from error
    except Exception as error:
        if type(error).__module__.startswith("alembic"):
            raise SourceFailed(
                "The history's tables are newer than this package.",
                "Install the version of audience_nb that wrote them.",
            ) from error
        raise
