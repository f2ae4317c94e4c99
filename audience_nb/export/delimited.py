"""CSV: harmless in a spreadsheet, written in pieces, read back to the table it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from audience_nb.errors import DamagedFile
from audience_nb.export.atomic import write_atomically, writing
from audience_nb.export.table import (
    dtypes_of,
    index_column,
    pieces,
    rebuilt,
    require_ours,
    require_rows,
    require_there,
    restored,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["guarded", "read_csv", "unguarded", "write_csv"]

# Spreadsheets run a cell that begins so, whatever quotes surround it: OWASP, "CSV Injection".
_RUNS = "=+\\-@＝＋－＠"
_BEGINS = rf"[\s'\"\ufeff\u200b]*[{_RUNS}\t\r\n]"
# Where lists are separated by semicolons a spreadsheet cuts cells there too, and at line ends,
# since the quotes around them then stand inside a cell.
_CUT = r"(?:(?<=[;\t\n])|(?<=\r)(?!\n))"
_AFTER = rf"(?:[^\S\r\n]|['\"\ufeff\u200b])*[{_RUNS}]"
_FORMULA = re.compile(rf"^(?={_BEGINS})|{_CUT}(?={_AFTER})")
_GUARDED = re.compile(rf"^'(?={_BEGINS})|{_CUT}'(?={_AFTER})")
# For Arrow's engine, which is quick and knows no more than where to look.
_SUSPECT = rf"^[\s\pZ\pC'\"]*[{_RUNS}\t\r\n]|[;\t\r\n][\s\pZ\pC'\"]*[{_RUNS}]"
# A spreadsheet cuts a header line at separators: what follows one may not run either.
_IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"')
_CUT_AND_RUN = re.compile(r"[,;](?=[\s'\"\\]*[=+\-@＝＋－＠])")
_HEADER = "# "
_BOM = b"\xef\xbb\xbf"
# A row has to fit into a block.
_BLOCK = 1 << 26


def guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, and before what looks guarded already.

    Parameters
    ----------
    text : str
        A cell or a header.

    Returns
    -------
    str

    Examples
    --------
    >>> guarded("=1+2"), guarded("plain"), guarded("a;=1")
    ("'=1+2", 'plain', "a;'=1")
    """
    return _FORMULA.sub("'", text)


def unguarded(text: str) -> str:
    """Take away the apostrophes that `guarded` put.

    Parameters
    ----------
    text : str
        A cell or a header.

    Returns
    -------
    str

    Examples
    --------
    >>> unguarded(guarded("a;=1")), unguarded("'90s")
    ('a;=1', "'90s")
    """
    return _GUARDED.sub("", text)


def write_csv(
    frame: pd.DataFrame,
    manifest: Mapping[str, Any],
    path: str | Path,
    *,
    safe: bool,
    header: bool,
    bom: bool,
) -> Path:
    """Write a table as CSV; see `Audience.to_csv`."""
    import pyarrow as pa
    from pyarrow import csv

    path = Path(path)
    told = {**manifest, "guarded": safe}
    if not header:
        aside = path.with_name(f"{path.name}.manifest.json")
        write_atomically(aside, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    table = frame.copy(deep=False)
    table.insert(0, index_column(frame), frame.index)
    days = [_whole_days(table.iloc[:, i]) for i in range(table.shape[1])]
    with writing(path) as file:
        if bom:
            file.write(_BOM)
        if header:
            for key, value in told.items():
                file.write(_line(key, value, safe=safe).encode())
        names = (guarded(str(c)) if safe else str(c) for c in table.columns)
        file.write(",".join('"' + name.replace('"', '""') + '"' for name in names).encode() + b"\n")
        for piece in pieces(table):
            cells = [
                _cells(piece.iloc[:, i], days=days[i], safe=safe) for i in range(piece.shape[1])
            ]
            rows = pa.table(cells, names=[str(i) for i in range(len(cells))])
            csv.write_csv(rows, file, csv.WriteOptions(include_header=False))
    return path


def _line(key: str, value: Any, *, safe: bool) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if safe:
        text = _IN_QUOTES.sub(
            lambda quoted: _CUT_AND_RUN.sub(lambda m: f"\\u{ord(m[0]):04x}", quoted[0]), text
        )
    name = re.sub(r"[^\w -]+", " ", key)
    return f"{_HEADER}{name}: {text}\n"


def _whole_days(column: pd.Series) -> bool:
    import pandas as pd

    if not isinstance(column.dtype, pd.DatetimeTZDtype) and pd.api.types.is_datetime64_any_dtype(
        column
    ):
        return bool((column.isna() | (column.dt.normalize() == column)).all())
    return False


def _cells(column: pd.Series, *, days: bool, safe: bool) -> pa.Array:
    """Give a column as Arrow writes it: numbers and dates bare, all else quoted."""
    import pyarrow as pa

    types = pa.types
    try:
        cells = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        cells = _texts(column)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if days:
        return cells.cast(pa.date32())
    of = cells.type
    if types.is_null(of) or types.is_boolean(of) or types.is_integer(of) or types.is_floating(of):
        return cells
    if types.is_date(of) or types.is_timestamp(of) or types.is_decimal(of):
        return cells
    if not (types.is_string(of) or types.is_large_string(of)):
        cells = _texts(column)
    return _each_suspect(cells, guarded) if safe else cells


def _each_suspect(cells: pa.Array, write: Callable[[str], str]) -> pa.Array:
    """Write anew the cells that a spreadsheet might run, and those alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    suspect = pc.fill_null(pc.match_substring_regex(cells, _SUSPECT), False)
    if not pc.any(suspect).as_py():
        return cells
    # The same text stands in many rows.
    found = pc.dictionary_encode(cells.filter(suspect))
    anew = pa.array([write(text) for text in found.dictionary.to_pylist()], cells.type)
    return pc.replace_with_mask(cells, suspect, anew.take(found.indices))


def _texts(column: pd.Series) -> pa.Array:
    import pyarrow as pa

    missing = column.isna().to_numpy()
    values = column.astype(object)
    texts = [None if gone else str(v) for gone, v in zip(missing, values, strict=True)]
    return pa.array(texts, pa.large_string())


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a file that `write_csv` wrote; see `Audience.read_csv`."""
    import pyarrow as pa

    path = require_there(path)
    with path.open("rb") as file:
        try:
            known = _header(path, file)
            require_ours(path, known)
            names = [known["index"]["name"], *known["columns"]]
            table = _rows(file, len(names))
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise DamagedFile(f"{path.name} is not whole.", "Export it again.") from error
    require_rows(path, len(table) - 1, known["records"])
    if table.num_columns != len(names):
        raise DamagedFile(
            f"{path.name} has {table.num_columns} of the {len(names)} columns its header names.",
            "Export it again.",
        )
    columns = [
        restored(_read(cells, was_guarded=known["guarded"]), dtype)
        for cells, dtype in zip(table.slice(1).columns, dtypes_of(known), strict=True)
    ]
    return rebuilt(columns, names, known)


def _header(path: Path, file: BinaryIO) -> dict[str, Any]:
    """Read the manifest, and leave the file where the table begins."""
    if file.read(len(_BOM)) != _BOM:
        file.seek(0)
    known: dict[str, Any] = {}
    start = file.tell()
    mark = _HEADER.encode()
    # A header line is JSON, which has no line end inside.
    while (line := file.readline()).startswith(mark):
        key, _, value = line[len(mark) :].decode().partition(": ")
        try:
            known[key] = json.loads(value)
        except ValueError as error:
            raise DamagedFile(
                f"The header line {key!r} of {path.name} is not JSON.", "Export it again."
            ) from error
        start = file.tell()
    file.seek(start)
    aside = path.with_name(f"{path.name}.manifest.json")
    if not known and aside.is_file():
        try:
            return dict(json.loads(aside.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise DamagedFile(f"{aside.name} is not JSON.", "Export it again.") from error
    return known


def _rows(file: BinaryIO, width: int) -> pa.Table:
    """Read all cells as texts, the line of names first; what is not quoted and empty is missing."""
    import pyarrow as pa
    from pyarrow import csv

    return csv.read_csv(
        file,
        read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={f"f{i}": pa.large_string() for i in range(width)},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _read(cells: pa.ChunkedArray, *, was_guarded: bool) -> pd.Series:
    whole = cells.combine_chunks()
    if was_guarded:
        whole = _each_suspect(whole, unguarded)
    texts: pd.Series = whole.to_pandas()
    return texts
