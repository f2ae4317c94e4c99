"""CSV, JSONL and Parquet files and DuckDB databases, read by DuckDB: only what is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audience_nb.dropped import merged
from audience_nb.errors import InvalidInput
from audience_nb.sources.conditions import Condition, ValueKind, compiled
from audience_nb.sources.contents import database, delimited, typed_file
from audience_nb.sources.engine import Scan, batches, every, quoted, read_texts
from audience_nb.sources.paths import files_of, require_same, sort_of, stamp_of
from audience_nb.sources.tabular import STAGE, Fetched, Progress, Tabular, gathered, spread
from audience_nb.sources.text import layout_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["FileSource"]


class FileSource(Tabular):
    r"""Records in files: any number of CSV, JSONL and Parquet files, or a table of a DuckDB file.

    DuckDB reads them, locked to these files, and only the columns and rows asked for.

    Parameters
    ----------
    paths : str, pathlib.Path or sequence of these
        Files, folders and patterns such as "2024-*.parquet".
    id : str, optional
        Column that identifies a record; by default its position.
    columns : sequence of str, optional
        The only columns to offer.
    delimiter : str, optional
        Between cells of delimited text; by default found out.
    table : str, optional
        Of a DuckDB database, "table" or "schema.table".
    name : str, optional
        Shown to people; by default the file's name.

    Raises
    ------
    NotFound
        If there is no such file or table.
    InvalidInput
        If there are no records, or a column repeats.
    DamagedFile
        If a file is torn, or not what its name says.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "customers.csv"
    >>> _ = path.write_text('who,age,spend\na,31,"$1,250"\nb,46,$90\n', encoding="utf-8")
    >>> source = FileSource(path, id="who")
    >>> source.fetch(["spend"]).loc["a", "spend"]
    np.int64(1250)
    """

    def __init__(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        id: str | None = None,
        columns: Sequence[str] | None = None,
        delimiter: str | None = None,
        table: str | None = None,
        name: str | None = None,
    ) -> None:
        found = files_of(paths)
        self._folder = tempfile.TemporaryDirectory(prefix="audience_nb-")
        self._scans = [self._scanned(path, id, delimiter, table) for path in found]
        kinds: dict[str, ValueKind] = {}
        for scan in self._scans:
            for column, kind in scan.kinds.items():
                # What one file has as text and another as numbers is text.
                kinds[column] = kind if kinds.get(column, kind) == kind else "text"
        if columns is not None:
            absent = [c for c in columns if c not in kinds]
            self._refuse(absent, len(columns))
            kinds = {c: kinds[c] for c in kinds if c in {*columns, id}}
        if not kinds:
            raise InvalidInput(f"{found[0].name} has no columns.", "Give a table with columns.")
        names = [path.name for path in found]
        shown = names[0] if len(names) == 1 else f"{len(names):,} files such as {names[0]}"
        super().__init__(
            name or (shown if table is None else f"{table} in {shown}"),
            sum(scan.n_rows for scan in self._scans),
            kinds,
            id=id,
            notes=[note for scan in self._scans for note in scan.notes],
        )

    # -- opening ---------------------------------------------------------------------------------

    def _scanned(
        self, path: Path, id: str | None, delimiter: str | None, table: str | None
    ) -> Scan:
        stamp = stamp_of(path)
        sort = sort_of(path)
        if sort == "duckdb":
            scan = database(path, table)
        elif sort == "csv":
            layout = layout_of(path, Path(self._folder.name), delimiter=delimiter)
            scan = delimited(path, layout, id)
        else:
            scan = typed_file(path, sort)
        scan.stamp = stamp
        require_same(scan.path, scan.stamp)
        return scan

    # -- reading ---------------------------------------------------------------------------------

    def _fetch(self, columns: list[str], where: list[Condition], tell: Progress) -> Fetched:
        unread: dict[str, int] = {}
        positioned = self.id is None and bool(where)
        fetched = gathered(
            self._read(columns, where, tell, unread),
            columns,
            self.id,
            self.kinds,
            self.name,
            positioned=positioned,
        )
        frame = self._finished(fetched.frame)
        rejected = merged(*(scan.rejected for scan in self._scans))
        notes = tuple(
            f"{count:,} cells of {column!r} are no {self.kinds[column]}, and were read as missing."
            for column, count in unread.items()
        )
        return Fetched(frame, fetched.matched, merged(rejected, fetched.dropped), (), notes)

    def _finished(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Make numbers read from text whole where all of them are."""
        for column in frame.columns:
            if any(column in scan.whole for scan in self._scans):
                values = frame[column].to_numpy()
                if values.dtype.kind == "f" and len(values) and (values % 1 == 0).all():
                    frame[column] = values.astype("int64")
        return frame

    def _read(
        self,
        columns: list[str],
        where: list[Condition],
        tell: Progress,
        unread: dict[str, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        done = offset = 0
        for scan in self._scans:
            require_same(scan.path, scan.stamp)
            expressions = {c: self._expression(scan, c) for c in self.kinds}
            selected = [expressions[c] for c in columns]
            relation = scan.relation
            if self.id is not None:
                selected.append(expressions[self.id])
            elif where:
                relation = f"(SELECT *, row_number() OVER () - 1 AS position FROM {relation})"
                selected.append(f"position + {offset}")
            elif not columns:
                selected.append("NULL")
            checks = [c for c in columns if c in scan.unread] if unread is not None else []
            selected += [scan.unread[c] for c in checks]
            condition, values = compiled(where, expressions)
            n_wanted = len(selected) - len(checks)
            for batch in batches(scan, relation, selected, condition, values):
                for place, column in enumerate(checks):
                    count = batch.column(n_wanted + place).true_count
                    if count and unread is not None:
                        unread[column] = unread.get(column, 0) + count
                done += batch.num_rows
                yield batch.select(range(n_wanted))
                tell(STAGE, min(done / self.n_records, 1.0))
            require_same(scan.path, scan.stamp)
            offset += scan.n_rows

    def _pick(self, columns: list[str], n: int) -> Iterator[pa.RecordBatch]:
        step = spread(self.n_records, n)
        for scan in self._scans:
            require_same(scan.path, scan.stamp)
            names = [*columns, *([self.id] if self.id is not None else [])]
            selected = [self._expression(scan, c) for c in names]
            if scan.readable is None:
                rows = every(scan, selected, step)
            else:
                here = [name for name in names if name in scan.kinds]
                texts = every(scan, [quoted(name) for name in here], step)
                rows = read_texts(here, texts, selected)
            yield from rows.combine_chunks().to_batches()
            require_same(scan.path, scan.stamp)

    def _expression(self, scan: Scan, column: str) -> str:
        if column not in scan.expressions:
            return f"CAST(NULL AS {_SQL[self.kinds[column]]})"
        expression = scan.expressions[column]
        if scan.kinds[column] != self.kinds[column]:
            return f"CAST({expression} AS {_SQL[self.kinds[column]]})"
        return expression


_SQL = {"number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "date": "TIMESTAMP"}
