"""Tables of databases through SQLAlchemy: SQLite, PostgreSQL, and what else has a dialect."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audience_nb.dropped import Dropped, merged
from audience_nb.errors import (
    AudienceError,
    InvalidInput,
    MissingExtra,
    NotAllowed,
    NotFound,
    SourceFailed,
    require,
)
from audience_nb.sources.address import without_secrets
from audience_nb.sources.conditions import Condition, ValueKind
from audience_nb.sources.tabular import (
    NO_ID,
    STAGE,
    Fetched,
    Progress,
    Tabular,
    gathered,
    spread,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

__all__ = ["SqlSource"]

# Rows that are in Python at once, while they are turned into columns.
_CHUNK_VALUES = 250_000
# Columns that one answer of a database can have.
_MOST_COLUMNS = {"postgresql": 1_600, "sqlite": 2_000, "mysql": 4_096, "mssql": 4_096}
_DRIVERS = {
    "postgresql": "audience_nb[sql]",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "mysql": "pymysql",
    "mssql": "pyodbc",
}


class SqlSource(Tabular):
    """Records in a table or view of a database, read-only and in chunks.

    SQLite and PostgreSQL are tested; Snowflake, BigQuery and others take the same way once their
    SQLAlchemy dialect is installed (snowflake-sqlalchemy, sqlalchemy-bigquery). The password is
    kept by the connection alone: no message and no representation shows it.

    Parameters
    ----------
    address : str
        As SQLAlchemy takes it, such as "postgresql+psycopg://user@host/database" or
        "sqlite:///shop.db".
    table : str
        "table" or "schema.table".
    id : str, optional
        Column that identifies a record; by default the primary key, if it is one column.
    columns : sequence of str, optional
        The only columns to offer.
    name : str, optional
        Shown to people; by default the table's name and the kind of database.

    Raises
    ------
    MissingExtra
        If SQLAlchemy or the database's driver is not installed.
    NotFound
        If there is no such database, table or column.
    InvalidInput
        If the table has no rows or no id, or the address cannot be read.

    Examples
    --------
    >>> import sqlite3, tempfile
    >>> path = tempfile.mkdtemp() + "/shop.db"
    >>> with sqlite3.connect(path) as connection:
    ...     _ = connection.execute("CREATE TABLE customers (who TEXT PRIMARY KEY, age INTEGER)")
    ...     _ = connection.execute("INSERT INTO customers VALUES ('a', 31), ('b', 46)")
    >>> source = SqlSource(f"sqlite:///{path}", table="customers")
    >>> source.fetch(["age"], where=[Condition("age", ">", 40)]).index.tolist()
    ['b']
    """

    def __init__(
        self,
        address: str,
        *,
        table: str | None = None,
        id: str | None = None,
        columns: Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        self._engine = _engine_of(address)
        self._dialect = self._engine.dialect.name
        self._place = without_secrets(address)[0].partition("://")[0].partition("+")[0]
        with self._reading() as connection:
            self._table, key = _reflected(connection, table, self._place)
            types = {c.name: _kind_of(c.type) for c in self._table.columns}
            kinds: dict[str, ValueKind] = {n: k for n, k in types.items() if k is not None}
            id = id or key
            if id is None:
                raise InvalidInput(
                    f"The table {table!r} has no primary key of one column.",
                    "Name the column that identifies a record as id.",
                )
            if columns is not None:
                self._refuse([c for c in columns if c not in kinds], len(columns))
                kinds = {c: kinds[c] for c in kinds if c in {*columns, id}}
            n_rows, n_known = self._counted(connection, id if id in kinds else None)
        self._n_without = n_rows - n_known
        n_nested = len(types) - sum(kind is not None for kind in types.values())
        notes = [f"{n_nested:,} columns of {table} hold bytes or nested values, and were left out."]
        super().__init__(
            name or f"{table} in {self._place}",
            n_rows,
            kinds,
            id=id,
            notes=notes if n_nested else (),
        )

    # -- asking ----------------------------------------------------------------------------------

    def _counted(self, connection: sa.Connection, id: str | None) -> tuple[int, int]:
        import sqlalchemy as sa

        known = sa.func.count() if id is None else sa.func.count(self._table.columns[id])
        row = connection.execute(sa.select(sa.func.count(), known).select_from(self._table)).one()
        return int(row[0]), int(row[1])

    def _fetch(self, columns: list[str], where: list[Condition], tell: Progress) -> Fetched:
        unread: dict[str, int] = {}
        rows = gathered(
            self._read(columns, where, tell, unread), columns, self.id, self.kinds, self.name
        )
        # A database gives rows in any order; by id it is the same each time.
        frame = (
            rows.frame.sort_index()
            if not rows.frame.index.is_monotonic_increasing
            else (rows.frame)
        )
        notes = tuple(
            f"{count:,} cells of {column!r} are no {self.kinds[column]}, and were read as missing."
            for column, count in unread.items()
        )
        dropped = merged([Dropped(NO_ID, 0 if where else self._n_without)], rows.dropped)
        return Fetched(frame, len(frame), dropped, (), notes)

    def _read(
        self,
        columns: list[str],
        where: list[Condition],
        tell: Progress,
        unread: dict[str, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        import sqlalchemy as sa

        table = self._table
        known = table.columns[str(self.id)].is_not(None)
        query = sa.select(*self._selected(columns)).where(
            known, *(self._clause(place, c) for place, c in enumerate(where))
        )
        done = 0
        for batch in self._batches(query, columns, {} if unread is None else unread):
            done += batch.num_rows
            yield batch
            tell(STAGE, min(done / self.n_records, 1.0))

    def _pick(self, columns: list[str], n: int) -> Iterator[pa.RecordBatch]:
        import sqlalchemy as sa

        key = self._table.columns[str(self.id)]
        query = sa.select(*self._selected(columns)).where(key.is_not(None))
        step = spread(self.n_records, n)
        if step > 1:
            place = sa.func.row_number().over(order_by=key).label("place")
            numbered = sa.select(key.label("chosen"), place).where(key.is_not(None)).subquery()
            chosen = (
                sa.select(numbered.columns.chosen)
                .where(numbered.columns.place % step == 1)
                .subquery()
            )
            query = query.join_from(self._table, chosen, key == chosen.columns.chosen)
        batches = list(self._batches(query.order_by(key), columns, {}))
        # Rows of a repeated id come along with the one chosen.
        yield from batches

    def _selected(self, columns: Sequence[str]) -> list[Any]:
        most = _MOST_COLUMNS.get(self._dialect)
        if most is not None and len(columns) + 1 > most:
            raise InvalidInput(
                f"{len(columns):,} columns were asked for, {self._place} gives at most "
                f"{most - 1:,} beside the id.",
                "Ask for fewer, or name those to offer as columns.",
            )
        names = [*columns, str(self.id)]
        return [self._table.columns[c].label(f"c{place}") for place, c in enumerate(names)]

    def _clause(self, place: int, condition: Condition) -> Any:
        import sqlalchemy as sa

        column = self._table.columns[condition.column]
        operator, value = condition.operator, condition.value
        if operator == "is missing":
            missing: sa.ColumnElement[bool] = column.is_(None)
            if self._has_nan(condition.column):
                missing = sa.or_(missing, column == sa.literal(float("nan"), sa.Float()))
            return missing if value else sa.not_(missing)
        kind = self.kinds[condition.column]

        def bound(one: Any, part: int = 0) -> Any:
            type_: Any = column.type
            if kind == "number":
                # As it is given: 2.5 compared with an integer column must not become 2.
                type_ = sa.BigInteger() if isinstance(one, int) else sa.Float()
            if kind == "date" and isinstance(column.type, sa.Date):
                type_ = sa.DateTime() if self._dialect != "sqlite" else sa.Date()
                one = one if self._dialect != "sqlite" else one.date()
            return sa.bindparam(f"p{place}_{part}", one, type_=type_)

        clause: sa.ColumnElement[bool]
        if operator in ("in", "not in"):
            values = [bound(one, part) for part, one in enumerate(value)]
            clause = column.in_(values) if operator == "in" else column.not_in(values)
        elif operator == "between":
            clause = column.between(bound(value[0], 0), bound(value[1], 1))
        else:
            clause = column.op({"!=": "<>"}.get(operator, operator))(bound(value))
        if self._has_nan(condition.column):
            # These databases hold NaN equal to itself and above all numbers; to us it is missing.
            clause = sa.and_(clause, column != sa.literal(float("nan"), sa.Float()))
        return clause

    def _has_nan(self, column: str) -> bool:
        import sqlalchemy as sa

        return self._dialect in ("postgresql", "snowflake") and isinstance(
            self._table.columns[column].type, sa.Float
        )

    def _batches(
        self, query: Any, columns: Sequence[str], unread: dict[str, int]
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        names = [*columns, str(self.id)]
        size = max(256, min(20_000, _CHUNK_VALUES // len(names)))
        with self._reading() as connection:
            result = connection.execution_options(stream_results=True, yield_per=size).execute(
                query
            )
            for rows in result.partitions(size):
                arrays = []
                for name, cells in zip(names, zip(*rows, strict=True), strict=True):
                    array, n_unread = _array(cells, self.kinds[name])
                    if n_unread:
                        unread[name] = unread.get(name, 0) + n_unread
                    arrays.append(array)
                del rows
                yield pa.RecordBatch.from_arrays(arrays, [f"c{p}" for p in range(len(names))])

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """Give a connection that cannot write; what fails is said without the address."""
        import sqlalchemy as sa

        failure: AudienceError | None = None
        try:
            with self._engine.connect() as connection:
                if self._dialect == "postgresql":
                    connection = connection.execution_options(postgresql_readonly=True)
                elif self._dialect == "sqlite":
                    connection.execute(sa.text("PRAGMA query_only = ON"))
                yield connection
        except sa.exc.SQLAlchemyError as error:
            failure = self._failed(error)
        # The database's own message may quote rows, values or the address.
        if failure is not None:
            raise failure from None

    def _failed(self, error: Exception) -> AudienceError:
        original = getattr(error, "orig", None)
        kind = type(original or error).__name__
        said = str(original or "").lower()
        if "no such table" in said or kind in ("UndefinedTable", "NoSuchTableError"):
            return NotFound(
                f"The table is not in {self._place} any more.", "Restore it, or open another."
            )
        if "no such column" in said or kind == "UndefinedColumn":
            return NotFound(
                f"A column is not in the table of {self._place} any more.", "Open it again."
            )
        if "password" in said or "authentication" in said or kind == "InsufficientPrivilege":
            return NotAllowed(
                f"{self._place} does not let this user in ({kind}).",
                "Check the user, the password and what the user may read.",
            )
        if "locked" in said:
            return SourceFailed(f"{self._place} is locked by a writer.", "Try again later.")
        return SourceFailed(
            f"{self._place} cannot be read ({kind}).", "Check the address and that it is running."
        )


def _engine_of(address: str) -> sa.Engine:
    require("sqlalchemy", "sql")
    import sqlalchemy as sa

    name = without_secrets(address)[0].partition("://")[0]
    try:
        url = sa.engine.make_url(address)
        if url.drivername == "postgresql":
            # What the extra brings.
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            from pathlib import Path

            path = Path(url.database.removeprefix("file:"))
            if not path.expanduser().is_file():
                raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
        engine: sa.Engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (sa.exc.NoSuchModuleError, ImportError):
        driver = _DRIVERS.get(name.partition("+")[0], "its SQLAlchemy dialect")
        raise MissingExtra(
            f"No driver for {name}:// is installed.", f"Run: pip install '{driver}'"
        ) from None
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidInput(
            f"The address that begins with {name}:// cannot be read.",
            "Write it as SQLAlchemy does: dialect+driver://user:password@host/database.",
        ) from None
    return engine


def _reflected(
    connection: sa.Connection, table: str | None, place: str
) -> tuple[sa.Table, str | None]:
    """Find a table among those there are, and its columns; and its key, if it is one column."""
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    here = [*inspector.get_table_names(), *inspector.get_view_names()]
    schema = None
    name = table
    if table is not None and table not in here and "." in table:
        schema, _, name = table.partition(".")
        if schema not in inspector.get_schema_names():
            raise NotFound(f"There is no schema {schema!r} in {place}.", "Check the table's name.")
        names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    else:
        names = here
    if table is None or name not in names:
        said = "No table is named" if table is None else f"There is no table {table!r}"
        raise NotFound(
            f"{said}, {place} has {len(names):,}.",
            f"Give table=…, one of {', '.join(map(repr, sorted(names)[:8]))}." if names else "",
        )
    columns = [
        sa.Column(c["name"], c["type"]) for c in inspector.get_columns(str(name), schema=schema)
    ]
    key = inspector.get_pk_constraint(str(name), schema=schema).get("constrained_columns") or []
    # Names come from the database itself; its dialect quotes them wherever they stand.
    found = sa.Table(name, sa.MetaData(), *columns, schema=schema)
    return found, key[0] if len(key) == 1 else None


def _kind_of(type_: Any) -> ValueKind | None:
    import sqlalchemy as sa

    if isinstance(type_, sa.Boolean):
        return "boolean"
    if isinstance(type_, sa.Numeric | sa.Float | sa.Integer):
        return "number"
    if isinstance(type_, sa.Date | sa.DateTime):
        return "date"
    if isinstance(type_, sa.LargeBinary | sa.JSON | sa.ARRAY):
        return None
    if type(type_).__module__.startswith("sqlalchemy") or isinstance(type_, sa.String | sa.Enum):
        return "text"
    return None


def _array(cells: Sequence[Any], kind: ValueKind) -> tuple[pa.Array, int]:
    """Make a column of cells; a cell of another kind is missing, and counted."""
    import pyarrow as pa

    unread = 0

    def read(cell: Any) -> Any:
        nonlocal unread
        if cell is None:
            return None
        value = _READ[kind](cell)
        unread += value is None
        return value

    if kind == "number":
        try:
            plain = pa.array(cells)
            if pa.types.is_integer(plain.type):
                return plain.cast(pa.int64()), 0
            if pa.types.is_floating(plain.type):
                return pa.array(cells, pa.float64(), from_pandas=True), 0
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass
        values = [read(c) for c in cells]
        whole = all(isinstance(v, int) and abs(v) < 2**63 for v in values if v is not None)
        if whole and any(v is not None for v in values):
            return pa.array(values, pa.int64()), unread
        return pa.array(values, pa.float64(), from_pandas=True), unread
    types = {"boolean": pa.bool_(), "date": pa.timestamp("us"), "text": pa.string()}
    return pa.array([read(c) for c in cells], types[kind]), unread


def _number(cell: Any) -> int | float | None:
    if isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, int):
        return cell
    if isinstance(cell, float | decimal.Decimal):
        return float(cell)
    return None


def _boolean(cell: Any) -> bool | None:
    return bool(cell) if cell in (0, 1) else None


def _date(cell: Any) -> dt.datetime | None:
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC).replace(tzinfo=None) if cell.tzinfo else cell
    return dt.datetime(cell.year, cell.month, cell.day) if isinstance(cell, dt.date) else None


def _text(cell: Any) -> str | None:
    return cell if isinstance(cell, str) else str(cell)


_READ: dict[ValueKind, Callable[[Any], Any]] = {
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "text": _text,
}
