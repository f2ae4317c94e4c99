"""Catalogue files: what sort of file it is, and its rows."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audience_nb.delimited import decode, delimiter_of, read_cells
from audience_nb.errors import DamagedFile, InvalidInput, NotFound, require
from audience_nb.fieldnames import known_names
from audience_nb.published import as_published
from audience_nb.rows import Problem, Rows

__all__ = ["MAX_BYTES", "read_rows", "read_table", "rows_of_frame", "write_columns"]

# No catalogue of a million variables is larger; a compressed file that grows beyond is a bomb.
MAX_BYTES = 2_000_000_000
# Title lines that may stand above a header.
_MAX_TITLES = 30


def read_rows(path: str | Path, tables: str | Path | None = None) -> Rows:
    """Read a catalogue file of any sort.

    Parameters
    ----------
    path : str or pathlib.Path
        See `Catalog.read`.
    tables : str or pathlib.Path, optional
        Table metadata for column metadata of the American Community Survey; by default a file
        of the same name beside it, with "table" for "column".

    Returns
    -------
    Rows
        Published layouts already under our names, others under their own.

    Raises
    ------
    NotFound
        If there is no such file.
    DamagedFile
        If it cannot be read at all.
    MissingExtra
        If it is a Parquet file and nothing that reads it is installed.
    """
    path = Path(path).expanduser()
    rows = read_table(path)
    return as_published(rows, lambda: _tables_of(path, tables)) or rows


def _tables_of(path: Path, tables: str | Path | None) -> Rows | None:
    if tables is not None:
        rows = read_table(Path(tables).expanduser())
        if not rows.has(("table_id", "table_title")):
            raise InvalidInput(
                f"{Path(tables).name} has no columns 'table_id' and 'table_title'.",
                "Give the table metadata published with the column metadata.",
            )
        return rows
    name = path.name.replace("column", "table")
    stem = name.removesuffix(".gz")
    for beside in dict.fromkeys((name, stem, f"{stem}.gz")):
        if beside != path.name and (path.parent / beside).is_file():
            return read_table(path.parent / beside)
    return None


def read_table(path: Path) -> Rows:
    """Read the rows of a file under the names that stand there.

    Parameters
    ----------
    path : pathlib.Path
        Delimited text, JSON, JSONL or Parquet, compressed with gzip or not.

    Returns
    -------
    Rows

    Raises
    ------
    NotFound
        If there is no such file.
    DamagedFile
        If it cannot be read at all.
    MissingExtra
        If it is a Parquet file and nothing that reads it is installed.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if content[:2] == b"\x1f\x8b":
        content = _unzipped(content, path.name)
    if len(content) > MAX_BYTES:
        raise DamagedFile(
            f"{path.name} holds more than {MAX_BYTES:,} bytes.", "Split it, or drop columns."
        )
    if content[:4] == b"PAR1":
        return _parquet(path)
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise InvalidInput(
            f"{path.name} is an Excel workbook or another archive, not a text file.",
            "Save the sheet as CSV, or give Catalog.from_records the rows of pandas.read_excel.",
        )
    text, notes, problems = decode(content, path.name)
    if not text.strip("\0 \r\n\t"):
        raise DamagedFile(f"{path.name} is empty.", "Give a file with at least one variable.")
    suffixes = {s.lower() for s in path.suffixes}
    if suffixes & {".jsonl", ".ndjson"} or _is_json_lines(text):
        rows = _json_lines(text)
    elif text.lstrip()[:1] in ("[", "{"):
        rows = _json(text, path.name)
    else:
        rows = _delimited(text, path.name)
    rows.notes[:0] = notes
    rows.problems[:0] = problems
    return rows


def _unzipped(content: bytes, name: str) -> bytes:
    """Unpack gzip, also of several members, and no more than is bearable."""
    parts, size = [], 0
    try:
        while content:
            member = zlib.decompressobj(31)
            parts.append(member.decompress(content, MAX_BYTES + 1 - size))
            size += len(parts[-1])
            if size > MAX_BYTES:
                break
            if not member.eof:
                raise zlib.error("ends in the middle")
            content = member.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise DamagedFile(
            f"{name} is a torn or damaged gzip file: {size:,} bytes came out whole.",
            "Fetch or write it again.",
        ) from error
    return b"".join(parts)


def _parquet(path: Path) -> Rows:
    pandas = require("pandas", "parquet")
    # Pandas needs an engine of its own choice; this is the one that it takes first.
    require("pyarrow", "parquet")
    try:
        frame = pandas.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path.name} is a damaged Parquet file.", "Write it again.") from error
    return rows_of_frame(frame)


def rows_of_frame(frame: Any) -> Rows:
    """Give the rows of a table in which each row is a variable.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_variables, n_columns)
        Its index is not read.

    Returns
    -------
    Rows
    """
    columns = [
        # Lists in Parquet come as arrays.
        [None if _missing(v) else v.tolist() if hasattr(v, "tolist") else v for v in column]
        for column in (frame.iloc[:, i].tolist() for i in range(frame.shape[1]))
    ]
    return Rows([str(c) for c in frame.columns], [*columns], range(1, len(frame) + 1), unit="Row")


def _missing(value: Any) -> bool:
    # NaN and NaT differ from themselves; pandas.NA has no truth value, so its name tells it.
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, float) and value != value


# -- JSON --------------------------------------------------------------------------------------


def _is_json_lines(text: str) -> bool:
    """Tell whether the first two lines with something on them are each a JSON object."""
    lines = (line.strip() for line in text[:200_000].split("\n"))
    first = [line for line in lines if line][:2]
    return len(first) == 2 and all(line[0] == "{" and line[-1] == "}" for line in first)


def _json_lines(text: str) -> Rows:
    # Only a line feed ends a line: inside JSON texts other separators may stand.
    lines = [(n, line) for n, raw in enumerate(text.split("\n"), 1) if (line := raw.strip())]
    problems: list[Problem] = []
    records: list[Mapping[str, Any]] = []
    if all(line[0] == "{" and line[-1] == "}" for _, line in lines):
        try:
            records = json.loads(f"[{','.join(line for _, line in lines)}]")
        except (ValueError, RecursionError):
            records = []
    if len(records) == len(lines) and all(type(record) is dict for record in records):
        return Rows.of_records(records, [n for n, _ in lines], unit="Line")
    records, numbers = [], []
    for number, line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            where = f" at its character {error.colno}" if hasattr(error, "colno") else ""
            what = f"is not JSON{where}."
            problems.append(Problem(number, "", what, "Mend or remove it.", True))
            continue
        if not isinstance(record, dict):
            what = f"holds {_sort(record)}, not an object with fields."
            problems.append(Problem(number, "", what, "Write one variable a line.", True))
            continue
        records.append(record)
        numbers.append(number)
    rows = Rows.of_records(records, numbers, unit="Line")
    rows.problems += problems
    return rows


def _json(text: str, name: str) -> Rows:
    try:
        loaded = json.loads(text)
    except RecursionError as error:
        raise DamagedFile(f"{name} is nested too deeply.", "Give a list of variables.") from error
    except json.JSONDecodeError as error:
        raise DamagedFile(
            f"{name} is not JSON: line {error.lineno:,}, column {error.colno:,}: {error.msg}.",
            "Mend it there, or write one variable a line and call it .jsonl.",
        ) from error
    if isinstance(loaded, dict):
        inside = next((v for k in ("variables", "records", "data") if (v := loaded.get(k))), loaded)
        loaded = inside
    if isinstance(loaded, dict):
        # Code to record, as the Census Bureau's interface has it, or code to label.
        loaded = [
            {"code" if "name" in entry else "name": code, **entry}
            if isinstance(entry, dict)
            else {"code": code, "label": entry}
            for code, entry in loaded.items()
        ]
    if not isinstance(loaded, list):
        raise DamagedFile(f"{name} holds {_sort(loaded)}.", "Give a list of variables.")
    records = [record for record in loaded if isinstance(record, dict)]
    numbers = [n for n, record in enumerate(loaded, start=1) if isinstance(record, dict)]
    rows = Rows.of_records(records, numbers)
    rows.problems += [
        Problem(n, "", f"is {_sort(value)}, not an object with fields.", "Mend it.", True)
        for n, value in enumerate(loaded, start=1)
        if not isinstance(value, dict)
    ]
    return rows


def _sort(value: object) -> str:
    names = {str: "a text", list: "a list", bool: "yes or no", type(None): "nothing"}
    return names.get(type(value), "a number")


# -- delimited text ----------------------------------------------------------------------------


def _delimited(text: str, name: str) -> Rows:
    delimiter = delimiter_of(text)
    lines, rows, problems = read_cells(text, delimiter)
    if not rows:
        raise DamagedFile(f"{name} has no row that can be read.", "Give a header and rows.")
    at = _header(rows)
    notes = []
    if at:
        said = f"{at:,} row{' above it was' if at == 1 else 's above it were'} passed over"
        notes.append(f"The header was found on line {lines[at]:,}; {said}.")
    names = [cell.strip() for cell in rows[at]]
    lines, rows = lines[at + 1 :], rows[at + 1 :]
    if any(len(row) != len(names) for row in rows):
        lines, rows = _even(lines, rows, names, delimiter, problems)
    columns: list[Sequence[Any]] = [*zip(*rows, strict=True)] or [[] for _ in names]
    return Rows(names, columns, lines, problems, notes)


def _even(
    lines: list[int],
    rows: list[list[str]],
    names: list[str],
    delimiter: str,
    problems: list[Problem],
) -> tuple[list[int], list[list[str]]]:
    """Leave out rows with too few cells or too many, and report them."""
    # Columns without a name at the end are nobody's.
    width = max((i for i, cell in enumerate(names, start=1) if cell), default=0)
    kept: list[list[str]] = []
    numbers: list[int] = []
    for line, row in zip(lines, rows, strict=True):
        if len(row) < width:
            what = f"has {len(row)} of {width} cells."
            move = "Add the missing cells, with nothing in them if there is nothing to say."
        elif any(cell.strip() for cell in row[len(names) :]):
            what = f"has {len(row)} cells for {width} columns."
            move = f"Quote cells that contain {'a tab' if delimiter == chr(9) else delimiter!r}."
        else:
            kept.append([*row, *[""] * len(names)][: len(names)])
            numbers.append(line)
            continue
        problems.append(Problem(line, "", what, move, True))
    return numbers, kept


def _header(rows: Sequence[Sequence[str]]) -> int:
    """Find the header: the first row with two names known to us, else the first full one."""
    for at, row in enumerate(rows[:_MAX_TITLES]):
        if known_names(row) >= 2:
            return at
    # Titles have fewer cells than what stands below them.
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[:_MAX_TITLES]]
    return next(i for i, n in enumerate(filled) if n > max(filled) / 2)


# -- writing -----------------------------------------------------------------------------------


def write_columns(path: str | Path, columns: Mapping[str, Sequence[str]]) -> Path:
    """Write the columns of a catalogue to a file that appears whole or not at all.

    Parameters
    ----------
    path : str or pathlib.Path
        Ends in .csv, .json or .jsonl; folders are made, a file of that name is replaced.
    columns : mapping of str to sequence of str
        Equally long.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    InvalidInput
        If the name ends in anything else, or the place cannot be written to.
    """
    path = Path(path).expanduser()
    rows = zip(*columns.values(), strict=True)
    if path.suffix == ".csv":
        target = io.StringIO(newline="")
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        text = target.getvalue()
    elif path.suffix in (".json", ".jsonl"):
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        text = "\n".join(lines) if path.suffix == ".jsonl" else "[" + ",\n ".join(lines) + "]"
        text += "\n"
    else:
        raise InvalidInput(
            f"{path.name} ends in {path.suffix or 'nothing'!r}.",
            "Call it .csv, .json or .jsonl.",
        )
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InvalidInput(
            f"{path.name} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    return path
