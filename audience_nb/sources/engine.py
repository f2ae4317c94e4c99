"""DuckDB, locked to the files it is to read, and what it reads of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.dropped import Dropped
from audience_nb.errors import AudienceError, DamagedFile, InvalidInput, NotFound
from audience_nb.sources.conditions import ValueKind
from audience_nb.sources.paths import Stamp

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = [
    "Scan",
    "batches",
    "connected",
    "every",
    "literal",
    "pattern",
    "quoted",
    "read_texts",
]

# Values of one batch: what a fetch needs beyond its answer, about 16 MB, and its like in DuckDB.
_BATCH_VALUES = 2_000_000
_MEMORY_LIMIT = "1GB"
# Cells that are read through whole for a sample; of a larger Parquet file parts are.
_STRIDED_CELLS = 20_000_000
_PARTS = 32
# Columns of texts that are turned into values at once for a sample.
_GROUP = 200


_UNSEEN = Stamp(0, 0, 0)


@dataclass
class Scan:
    """One file, or one table of a database: what to read and how.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    relation : str
        SQL that reads it.
    expressions : dict of str to str
        SQL of each column's values.
    kinds : dict of str to {"number", "text", "boolean", "date"}
        Of the columns.
    n_rows : int
        Rows that can be read.
    position : str or None
        SQL of a row's position, where the file knows it: parts can be read by it.
    unread : dict of str to str
        SQL that is true for a cell which is not of its column's kind.
    whole : set of str
        Columns of numbers from text, which are whole if all of them are.
    rejected : tuple of Dropped
        Lines that cannot be read.
    notes : tuple of str
        What was assumed or mended.
    readable : pathlib.Path or None
        Of delimited text, the file or its mended copy.
    stamp : Stamp
        What the file looked like.
    attached : bool
        Whether it is a database.
    """

    path: Path
    relation: str
    expressions: dict[str, str]
    kinds: dict[str, ValueKind]
    n_rows: int = 0
    # Where rows lie, for samples of parts.
    position: str | None = None
    unread: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    rejected: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    readable: Path | None = None
    stamp: Stamp = _UNSEEN
    attached: bool = False


def quoted(name: str) -> str:
    """Write a name as an identifier of SQL.

    Parameters
    ----------
    name : str
        One that the file has.

    Returns
    -------
    str

    Examples
    --------
    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text as SQL, where it cannot be bound.

    Parameters
    ----------
    text : str
        A path, or a name that the file has.

    Returns
    -------
    str

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def pattern(path: Path) -> str:
    """Write a path so that DuckDB takes it for that one file, not for a pattern.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    str

    Examples
    --------
    >>> pattern(Path("a[1].csv"))
    'a[[]1].csv'
    """
    return re.sub(r"([\[*?])", r"[\1]", str(path))


@contextmanager
def connected(*paths: Path, database: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB for these files and nothing else; its settings cannot be changed any more.

    Parameters
    ----------
    *paths : pathlib.Path
        What it may open.
    database : pathlib.Path, optional
        A DuckDB database, attached as "data" to be read only.

    Yields
    ------
    duckdb.DuckDBPyConnection

    Raises
    ------
    DamagedFile, NotFound, InvalidInput
        For what goes wrong inside, without DuckDB's message, which may quote a row.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    failure = None
    try:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute("SET memory_limit = ?", [_MEMORY_LIMIT])
        connection.execute("SET temp_directory = ''")
        connection.execute("SET TimeZone = 'UTC'")
        if database is not None:
            connection.execute(f"ATTACH {literal(str(database))} AS data (READ_ONLY)")
        allowed = [text for path in paths for text in {str(path), pattern(path)}]
        if allowed:
            connection.execute("SET allowed_paths = ?", [allowed])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    except duckdb.Error as error:
        failure = _failed(error, (database, *paths))
    finally:
        connection.close()
    # DuckDB's own message may quote a row, so it is not shown with ours.
    if failure is not None:
        raise failure from None


def _failed(error: Exception, paths: Sequence[Path | None]) -> AudienceError:
    name = next((path.name for path in paths if path is not None), "the table")
    text = type(error).__name__.removesuffix("Exception")
    if "OutOfMemory" in text:
        return InvalidInput(
            f"{name} needs more than {_MEMORY_LIMIT} at once for what was asked.",
            "Ask for fewer columns.",
        )
    if text == "IO" and "lock" in str(error).lower():
        return InvalidInput(f"{name} is open for writing elsewhere.", "Close it there first.")
    if text == "Catalog":
        return NotFound(f"{name} has not got the table any more.", "Open it again.")
    return DamagedFile(f"{name} cannot be read ({text}).", "Check the file, or write it again.")


def batches(
    scan: Scan, relation: str, selected: Sequence[str], condition: str, values: list[Any]
) -> Iterator[pa.RecordBatch]:
    """Run a query over a file, batch by batch.

    Parameters
    ----------
    scan : Scan
        The file.
    relation : str
        SQL of what is read, `scan.relation` or around it.
    selected : sequence of str
        SQL of each column.
    condition : str
        SQL with a question mark for each value.
    values : list
        Bound to it, in order.

    Yields
    ------
    pyarrow.RecordBatch
        With columns c0, c1 and so on.
    """
    names = ", ".join(f"{sql} AS c{place}" for place, sql in enumerate(selected))
    size = min(122_880, max(2_048, _BATCH_VALUES // max(len(selected), 1)))
    path = scan.readable or scan.path
    with connected(
        *([] if scan.attached else [path]), database=path if scan.attached else None
    ) as connection:
        query = connection.sql(f"SELECT {names} FROM {relation} WHERE {condition}", params=values)
        if query is None:
            return
        with query.to_arrow_reader(size) as reader:
            yield from reader


def every(scan: Scan, expressions: Sequence[str], step: int) -> pa.Table:
    """Give each `step`-th row, or as many in parts where that spares reading.

    Parameters
    ----------
    scan : Scan
        The file.
    expressions : sequence of str
        SQL of each column.
    step : int
        At least 1.

    Returns
    -------
    pyarrow.Table
        With columns c0, c1 and so on.
    """
    import pyarrow as pa

    if scan.position is not None and scan.n_rows * len(scan.kinds) > _STRIDED_CELLS:
        # Parts of neighbouring rows: only the row groups that hold them are read.
        length = max(1, scan.n_rows // step // _PARTS)
        starts = [scan.n_rows * part // _PARTS for part in range(_PARTS)]
        within = " OR ".join(f"{scan.position} BETWEEN {s} AND {s + length - 1}" for s in starts)
        return pa.Table.from_batches(batches(scan, scan.relation, expressions, within, []))
    # Numbering the rows in DuckDB would hold back more of them than it takes to pass them by.
    kept, first = [], 0
    for batch in batches(scan, scan.relation, expressions, "TRUE", []):
        wanted = pa.array(range(-first % step, batch.num_rows, step), pa.int64())
        first += batch.num_rows
        kept.append(batch.take(wanted) if step > 1 else batch)
    return pa.Table.from_batches(kept)


def read_texts(names: list[str], texts: pa.Table, selected: list[str]) -> pa.Table:
    """Turn columns of texts into values, a few at a time.

    Parameters
    ----------
    names : list of str
        Of the columns.
    texts : pyarrow.Table
        Their cells.
    selected : list of str
        SQL of each value.

    Returns
    -------
    pyarrow.Table
        With columns c0, c1 and so on.
    """
    import pyarrow as pa

    values: list[pa.ChunkedArray] = []
    with connected() as connection:
        for start in range(0, len(names), _GROUP):
            group = slice(start, start + _GROUP)
            some = pa.Table.from_arrays(texts.columns[group], names[group])
            read = connection.from_arrow(some).project(", ".join(selected[group]))
            values += read.to_arrow_table().itercolumns()
    return pa.Table.from_arrays(values, [f"c{place}" for place in range(len(values))])
