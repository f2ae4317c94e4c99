"""What a file holds: columns, kinds of values, rows, and lines that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.dropped import Dropped, merged
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.sources.conditions import ValueKind
from audience_nb.sources.engine import Scan, connected, every, literal, pattern, quoted
from audience_nb.sources.paths import Sort, suffix_of
from audience_nb.sources.tabular import spread
from audience_nb.sources.text import Layout, expression_of, kind_of, reading_of

if TYPE_CHECKING:
    import duckdb

__all__ = ["database", "delimited", "typed_file"]

# Cells of texts that tell what kind of values their columns have.
_SEEN_CELLS = 4_000_000
_INTEGER = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)")
_FLOAT = re.compile(r"FLOAT|DOUBLE|DECIMAL.*|U?HUGEINT|UBIGINT|BIGNUM|VARINT")
_DATE = re.compile(r"DATE|TIMESTAMP.*|DATETIME")
_TEXT = re.compile(r"VARCHAR(\(\d+\))?|ENUM\(.*\)|UUID|TIME.*|INTERVAL|BIT")
_REJECTED = {
    "MISSING COLUMNS": "fewer cells than the header",
    "TOO MANY COLUMNS": "more cells than the header",
    "UNQUOTED VALUE": "a quote that is not closed",
}


def _typed(
    described: Sequence[tuple[Any, ...]],
) -> tuple[dict[str, str], dict[str, ValueKind], int]:
    """Give SQL and kind of each column that holds one plain value a cell, and count the others."""
    expressions: dict[str, str] = {}
    kinds: dict[str, ValueKind] = {}
    for name, kind, *_ in described:
        column = quoted(name)
        if kind.endswith("]"):
            continue
        if kind == "BOOLEAN":
            expressions[name], kinds[name] = column, "boolean"
        elif kind != "UBIGINT" and _INTEGER.fullmatch(kind):
            expressions[name], kinds[name] = f"CAST({column} AS BIGINT)", "number"
        elif _FLOAT.fullmatch(kind):
            number = f"CAST({column} AS DOUBLE)"
            expressions[name] = f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END"
            kinds[name] = "number"
        elif _DATE.fullmatch(kind):
            expressions[name], kinds[name] = f"CAST({column} AS TIMESTAMP)", "date"
        elif _TEXT.fullmatch(kind):
            expressions[name], kinds[name] = f"CAST({column} AS VARCHAR)", "text"
    return expressions, kinds, len(described) - len(kinds)


def typed_file(path: Path, sort: Sort) -> Scan:
    """Look into a file whose cells have types of their own.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    sort : {"json", "parquet"}
        Which kind.

    Returns
    -------
    Scan

    Raises
    ------
    DamagedFile
        If it cannot be read.
    """
    place = literal(pattern(path))
    torn = 0
    if sort == "parquet":
        relation = f"read_parquet({place}, file_row_number = true)"
    else:
        layout = "newline_delimited" if suffix_of(path) != ".json" else "auto"
        lines = f"read_json_objects({place}, format = '{layout}', ignore_errors = true)"
        relation = (
            f"read_json({place}, format = '{layout}', ignore_errors = true, sample_size = -1, "
            "field_appearance_threshold = 0, map_inference_threshold = -1)"
        )
    with connected(path) as connection:
        if sort == "json":
            n_lines, n_read = _row(connection, f"SELECT count(*), count(json) FROM {lines}")
            torn = n_lines - n_read
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        n_rows = _row(connection, f"SELECT count(*) FROM {relation}")[0]
        if torn:
            # A line that cannot be read comes as a row without a value.
            anything = " OR ".join(f"{quoted(row[0])} IS NOT NULL" for row in described)
            relation = f"(SELECT * FROM {relation} WHERE {anything})"
            n_rows = _row(connection, f"SELECT count(*) FROM {relation}")[0]
    described = [row for row in described if sort != "parquet" or row[0] != "file_row_number"]
    expressions, kinds, n_nested = _typed(described)
    scan = Scan(
        path,
        relation,
        expressions,
        kinds,
        n_rows,
        position="file_row_number" if sort == "parquet" else None,
        rejected=merged([Dropped("a line that is no JSON", torn)]),
        notes=_left_out(path.name, n_nested),
    )
    if sort == "json":
        _read_dates(scan)
    return scan


def _read_dates(scan: Scan) -> None:
    """Read as dates the texts that all are: JSON has no dates of its own."""
    texts = [name for name, kind in scan.kinds.items() if kind == "text"]
    if not texts or not scan.n_rows:
        return
    step = spread(scan.n_rows, max(1_000, min(20_000, _SEEN_CELLS // len(texts))))
    seen = every(scan, [scan.expressions[name] for name in texts], step)
    for place, name in enumerate(texts):
        if reading_of(seen.column(place).unique().to_pylist(), decimal_comma=False) == "date":
            scan.kinds[name] = "date"
            scan.expressions[name], scan.unread[name] = expression_of("date", quoted(name))


def _left_out(name: str, n_nested: int) -> tuple[str, ...]:
    if not n_nested:
        return ()
    return (f"{n_nested:,} columns of {name} hold lists, records or bytes, and were left out.",)


def database(path: Path, table: str | None) -> Scan:
    """Look into a table or view of a DuckDB database.

    Parameters
    ----------
    path : pathlib.Path
        The database.
    table : str or None
        "table" or "schema.table".

    Returns
    -------
    Scan

    Raises
    ------
    NotFound
        If there is no such table.
    DamagedFile
        If it cannot be read.
    """
    with connected(database=path) as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'data' "
            "UNION ALL SELECT schema_name, view_name FROM duckdb_views() "
            "WHERE database_name = 'data' AND NOT internal ORDER BY ALL"
        ).fetchall()
        named = {name: (schema, name) for schema, name in reversed(tables)}
        named |= {f"{schema}.{name}": (schema, name) for schema, name in tables}
        if table is None or table not in named:
            said = "No table is named." if table is None else f"There is no table {table!r}."
            raise NotFound(
                f"{said} {path.name} has {len(tables):,} tables.",
                f"Give table=…, one of {', '.join(name for _, name in tables[:8])}.",
            )
        relation = ".".join(map(quoted, ("data", *named[table])))
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        n_rows = _row(connection, f"SELECT count(*) FROM {relation}")[0]
    expressions, kinds, n_nested = _typed(described)
    notes = _left_out(path.name, n_nested)
    return Scan(path, relation, expressions, kinds, n_rows, notes=notes, attached=True)


def _row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    # All rows, for only then is the file read to its end and its rejected lines listed.
    rows: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return rows[0]


def delimited(path: Path, layout: Layout, id: str | None) -> Scan:
    """Look into delimited text: how many rows, what cannot be cut, and how cells are read.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    layout : Layout
        As `layout_of` gave it.
    id : str or None
        The column that identifies a record; whole numbers only if all its cells are.

    Returns
    -------
    Scan

    Raises
    ------
    InvalidInput
        If there are no rows.
    DamagedFile
        If a quote is never closed.
    """
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in layout.names)
    relation = (
        f"read_csv({literal(pattern(layout.path))}, header = true, auto_detect = false, "
        f"delim = {literal(layout.delimiter)}, quote = '\"', escape = '\"', "
        f"skip = {layout.skipped}, columns = {{{columns}}}, max_line_size = 16777216, "
        "store_rejects = true)"
    )
    scan = Scan(path, relation, {}, {}, notes=layout.notes, readable=layout.path)
    coded = "0"
    if id in layout.names:
        text = expression_of("text", quoted(id))[0]
        coded = f"count({text}) FILTER (NOT regexp_full_match({text}, '-?(0|[1-9]\\d{{0,17}})'))"
    with connected(layout.path) as connection:
        scan.n_rows, n_coded = _row(connection, f"SELECT count(*), {coded} FROM {relation}")
        rejected = connection.execute(
            "SELECT first(error_type ORDER BY error_type), line, "
            "bool_or(contains(rtrim(csv_line, chr(10) || chr(13)), chr(10))) "
            "FROM reject_errors GROUP BY line ORDER BY line"
        ).fetchall()
    open_quote = [line for sort, line, goes_on in rejected if sort == "UNQUOTED VALUE" and goes_on]
    if open_quote:
        raise DamagedFile(
            f"Line {open_quote[0]:,} of {path.name} opens a quote that is never closed.",
            "Close the quote, or double it.",
        )
    scan.rejected = merged(
        [Dropped(_REJECTED.get(sort, "a line that cannot be cut"), 1) for sort, _, _ in rejected]
    )
    if not scan.n_rows:
        said = f" that fit its {len(layout.names):,} columns" if rejected else ""
        raise InvalidInput(f"{path.name} has 0 rows{said}.", "Give a table with records.")
    step = spread(scan.n_rows, max(1_000, min(20_000, _SEEN_CELLS // len(layout.names))))
    texts = every(scan, [quoted(name) for name in layout.names], step)
    for place, name in enumerate(layout.names):
        cells = texts.column(place).unique().to_pylist()
        reading = reading_of(cells, decimal_comma=layout.delimiter != ",")
        scan.kinds[name] = kind_of(reading)
        scan.expressions[name], unread = expression_of(reading, quoted(name))
        if name == id:
            text = expression_of("text", quoted(name))[0]
            whole = not n_coded
            scan.kinds[name] = "number" if whole else "text"
            scan.expressions[name] = f"CAST({text} AS BIGINT)" if whole else text
        elif reading != "text":
            scan.unread[name] = unread
        if scan.kinds[name] == "number":
            scan.whole.add(name)
    return scan
