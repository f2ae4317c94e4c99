"""The history's database: transactions that fail plainly, rows as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as Transaction

from audience_nb.errors import NotFound, SourceFailed
from audience_nb.history.opening import migrate, open_engine
from audience_nb.history.tables import Table

__all__ = ["Database", "absent"]


class Database:
    """Transactions on the newest tables.

    Parameters
    ----------
    url : str or pathlib.Path
        File of SQLite, made where there is none, or the address of a PostgreSQL database.

    Raises
    ------
    InvalidInput
        If it is neither.
    SourceFailed
        If the database cannot be reached.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     database = Database(Path(folder) / "history.sqlite3")
    ...     database.probe()
    ...     database.close()
    'sqlite'
    """

    def __init__(self, url: str | Path) -> None:
        self.engine = open_engine(url)
        migrate(self.engine)

    def __repr__(self) -> str:
        return f"Database({self.name})"

    @property
    def name(self) -> str:
        """Name of its engine: "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def probe(self) -> str:
        """Ask the database for an answer.

        Returns
        -------
        str
            Name of its engine.

        Raises
        ------
        SourceFailed
            If it gives none.
        """
        with self.reading() as transaction:
            transaction.execute(text("SELECT 1"))
        return self.name

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that is on disk when it ends, or was never there.

        Yields
        ------
        sqlalchemy.orm.Session

        Raises
        ------
        SourceFailed
            If the database fails.
        """
        with _failing_plainly(), Transaction(self.engine) as transaction, transaction.begin():
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that waits for no writer.

        Yields
        ------
        sqlalchemy.orm.Session

        Raises
        ------
        SourceFailed
            If the database fails.
        """
        engine = self.engine.execution_options(reading=True)
        with _failing_plainly(), Transaction(engine) as transaction:
            yield transaction

    def one(self, table: type[Table], id: str, user: str | None, what: str) -> dict[str, Any]:
        """Give a row by its id.

        Parameters
        ----------
        table : type
            Of the row.
        id : str
            Of the row.
        user : str or None
            Whose it must be; None for anybody's.
        what : str
            What the row is, for people.

        Returns
        -------
        dict

        Raises
        ------
        NotFound
            If the user has none.
        """
        with self.reading() as transaction:
            row = transaction.get(table, id)
            # What belongs to somebody else is not there: an answer would tell that it is.
            if row is None or (user is not None and getattr(row, "user_id", None) != user):
                raise absent(what)
            return _values(row)

    def many(self, statement: Select[Any]) -> list[dict[str, Any]]:
        """Give the rows that a statement selects.

        Parameters
        ----------
        statement : sqlalchemy.Select
            Of one table.

        Returns
        -------
        list of dict
        """
        with self.reading() as transaction:
            return [_values(row) for row in transaction.scalars(statement)]

    def page(
        self,
        table: type[Table],
        order: tuple[str, str],
        user: str,
        limit: int,
        before: Mapping[str, Any] | None,
    ) -> list[dict[str, Any]]:
        """Give a user's rows, the newest first.

        Parameters
        ----------
        table : type
            Of the rows.
        order : tuple of str
            Columns of the moment and of the id, which tells rows of one moment apart.
        user : str
            Whose.
        limit : int
            At most so many.
        before : mapping or None
            The last row of the page before.

        Returns
        -------
        list of dict
        """
        columns = [getattr(table, name) for name in order]
        statement = select(table).where(table.user_id == user)  # type: ignore[attr-defined]
        if before is not None:
            last = tuple_(*(before[name] for name in order), types=[c.type for c in columns])
            statement = statement.where(tuple_(*columns) < last)
        return self.many(statement.order_by(*(c.desc() for c in columns)).limit(limit))


@contextmanager
def _failing_plainly() -> Iterator[None]:
    """Say that the database failed, without what was written: it may name people's words."""
    try:
        yield
    except DBAPIError as error:
        raise SourceFailed(
            f"The history's database failed: {type(error.orig).__name__}.",
            "Try again; if it goes on, check that the database runs and has room.",
        ) from error


def absent(what: str) -> NotFound:
    """Give the error for what is not there, or somebody else's.

    Parameters
    ----------
    what : str
        What was looked for.

    Returns
    -------
    NotFound

    Examples
    --------
    >>> str(absent("session"))
    'There is no such session. Check its id, or start a new one.'
    """
    return NotFound(f"There is no such {what}.", "Check its id, or start a new one.")


def _values(row: Table) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    # SQLite forgets the zone; it is always UTC.
    return {
        name: value.replace(tzinfo=UTC)
        if isinstance(value, datetime) and value.tzinfo is None
        else value
        for name, value in values.items()
    }
